"""What must hold of every ranking, whatever is asked and whoever is there."""

import json
import os
import random
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from services.matching.domain import LISTED, NEAR_MISSES
from services.matching.scoring import assess
from services.matching.shortlisting import rank
from shared.events.candidate import Candidate, HeldSkill
from shared.events.need import AskedSkill, Criteria
from shared.events.vocabulary import Contract, Must, Remote, Seniority
from tests.matching.pieces import (
    KNOWLEDGE,
    MODEL,
    ROLES,
    SKILLS,
    candidate,
    explained,
    index_of,
    plan,
    ranking,
    score,
)

EXAMPLES = int(os.environ.get("MATCHING_EXAMPLES", "25"))
"""How many random cases a property is tried on; more where there is time."""
tried = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

NAMES = sorted(SKILLS)
REGIONS = ["FR-ARA", "FR-IDF", "BE-BRU"]
DAYS = st.dates(date(2026, 12, 1), date(2027, 6, 1))
LANGUAGES = st.lists(
    st.fixed_dictionaries(
        {"language": st.sampled_from(["fr", "en", "de"]), "level": st.sampled_from([None, "A2", "B2", "C1"])}
    ),
    max_size=2,
    unique_by=lambda spoken: spoken["language"],
)

RARE = MODEL.model_copy(
    update={"rarity": {name: 1 + at / len(NAMES) for at, name in enumerate(NAMES)}, "candidates": 1000}
)

RELATED = [
    (asked, held)
    for asked in NAMES
    for held, credit in KNOWLEDGE.taxonomy.credits(asked).items()
    if credit < 1
]
"""(asked, held) of every skill that earns partial credit for another."""

HELD = st.builds(
    HeldSkill,
    skill=st.sampled_from(NAMES),
    level=st.one_of(st.none(), st.integers(1, 5)),
    estimated=st.booleans(),
    years=st.one_of(st.none(), st.integers(0, 20)),
    last_used=st.one_of(st.none(), st.integers(2010, 2026)),
    mentions=st.integers(0, 12),
)
HELD_SKILLS = st.lists(HELD, max_size=8, unique_by=lambda one: one.skill)

FACTS = st.fixed_dictionaries(
    {
        "roles": st.dictionaries(st.sampled_from(sorted(ROLES)), st.integers(0, 120), max_size=2),
        "years": st.one_of(st.none(), st.integers(0, 30)),
        "seniority": st.one_of(st.none(), st.sampled_from(list(Seniority))),
        "region": st.one_of(st.none(), st.sampled_from(REGIONS)),
        "remote": st.one_of(st.none(), st.sampled_from(list(Remote))),
        "available_from": st.one_of(st.none(), DAYS),
        "contracts": st.lists(st.sampled_from(list(Contract)), max_size=2, unique=True),
        "day_rate": st.one_of(st.none(), st.integers(300, 900)),
        "salary": st.one_of(st.none(), st.integers(30_000, 80_000)),
        "languages": LANGUAGES,
        "education": st.one_of(st.none(), st.integers(0, 8)),
    }
)

ASKED = st.builds(AskedSkill, skill=st.sampled_from(NAMES), level=st.integers(1, 5), must=st.booleans())
ASKED_SKILLS = st.lists(ASKED, max_size=6, unique_by=lambda one: one.skill)


@st.composite
def criterias(draw: st.DrawFn, skills: st.SearchStrategy[list[AskedSkill]] = ASKED_SKILLS) -> Criteria:
    region = draw(st.one_of(st.none(), st.sampled_from(REGIONS)))
    return Criteria.model_validate(
        {
            "role_id": draw(st.one_of(st.none(), st.sampled_from(sorted(ROLES)))),
            "title": "Wanted",
            "skills": draw(skills),
            "seniority": draw(st.one_of(st.none(), st.sampled_from(list(Seniority)))),
            "min_years": draw(st.one_of(st.none(), st.integers(0, 15))),
            "location": {"country": region[:2], "region": region} if region else None,
            "remote": draw(st.one_of(st.none(), st.sampled_from(list(Remote)))),
            "start_by": draw(st.one_of(st.none(), DAYS)),
            "min_education": draw(st.one_of(st.none(), st.integers(0, 8))),
            "contracts": draw(st.lists(st.sampled_from(list(Contract)), max_size=2, unique=True)),
            "budget": draw(st.one_of(st.none(), st.fixed_dictionaries({"day_rate": st.integers(300, 1000)}))),
            "languages": draw(LANGUAGES),
            "musts": draw(st.lists(st.sampled_from(list(Must)), max_size=3, unique=True)),
        }
    )


CRITERIA = criterias()
ASKING = criterias(st.lists(ASKED, min_size=1, max_size=6, unique_by=lambda one: one.skill))


def _drawn(candidate_id: str, skills: list[HeldSkill], facts: dict[str, Any]) -> Candidate:
    return candidate(candidate_id, *skills, **facts)


@st.composite
def pools(draw: st.DrawFn, most: int = 14) -> list[Candidate]:
    size = draw(st.integers(0, most))
    return [_drawn(f"c{at:02}", draw(HELD_SKILLS), draw(FACTS)) for at in range(size)]


def with_skills(one: Candidate, *skills: HeldSkill) -> Candidate:
    return one.model_copy(update={"skills": skills})


@tried
@given(ASKING, HELD_SKILLS, FACTS, HELD, st.randoms(use_true_random=False))
def test_a_candidate_who_gains_an_asked_skill_never_falls(
    wanted: Criteria, skills: list[HeldSkill], facts: dict[str, Any], gained: HeldSkill, dice: random.Random
) -> None:
    gained = gained.model_copy(update={"skill": dice.choice(wanted.skills).skill})
    assume(gained.skill not in {one.skill for one in skills})
    before = candidate("c", *skills, **facts)
    after = with_skills(before, *skills, gained)
    for model in (MODEL, RARE):
        assert score(wanted, after, model) >= score(wanted, before, model)
    if ranking(wanted, before).listed:
        assert ranking(wanted, after).listed


@tried
@given(ASKING, HELD_SKILLS, FACTS)
def test_levels_above_the_asked_one_change_nothing(
    wanted: Criteria, skills: list[HeldSkill], facts: dict[str, Any]
) -> None:
    levels = {one.skill: one.level for one in wanted.skills}
    raised = [
        one.model_copy(update={"level": 5})
        if one.level is not None and one.level >= levels.get(one.skill, 9)
        else one
        for one in skills
    ]
    before = explained(wanted, candidate("c", *skills, **facts))
    after = explained(wanted, candidate("c", *raised, **facts))
    assert (after.score, [part.points for part in after.parts]) == (
        before.score,
        [part.points for part in before.parts],
    )


@tried
@given(CRITERIA, pools(), st.randoms(use_true_random=False))
def test_order_changes_no_byte(wanted: Criteria, pool: list[Candidate], dice: random.Random) -> None:
    def shuffled(things: Any) -> tuple[Any, ...]:
        return tuple(dice.sample(list(things), len(things)))

    other = wanted.model_copy(
        update={
            name: shuffled(getattr(wanted, name)) for name in ("skills", "contracts", "languages", "musts")
        }
    )
    people = [one.model_copy(update={"skills": shuffled(one.skills)}) for one in shuffled(pool)]
    arrived_late = index_of(*people)
    for one in shuffled(people):
        arrived_late.put(one)
    first = rank(index_of(*pool), plan(wanted, RARE), (), ())
    second = rank(arrived_late, plan(other, RARE), (), ())
    as_bytes = [
        json.dumps([one.model_dump(mode="json") for one in (*found.entries, *found.near_misses)])
        for found in (first, second)
    ]
    assert as_bytes[0] == as_bytes[1]
    assert first.ranking.census == second.ranking.census


@tried
@given(CRITERIA, HELD_SKILLS, FACTS)
def test_parts_add_up_to_the_score_and_evidence_to_its_part(
    wanted: Criteria, skills: list[HeldSkill], facts: dict[str, Any]
) -> None:
    entry = explained(wanted, candidate("c", *skills, **facts), RARE)
    assert round(sum(part.points for part in entry.parts), 4) == entry.score
    assert 0 <= entry.score <= 100
    if entry.parts:
        assert round(sum(part.weight for part in entry.parts), 6) == 1
    for part in entry.parts:
        assert abs(part.points - 100 * part.weight * part.value) <= 0.00005001
        assert round(sum(one.share or 0 for one in part.evidence), 6) == part.value


@tried
@given(CRITERIA, pools(), st.integers(0, 12))
def test_the_index_lists_what_scoring_everybody_would(
    wanted: Criteria, pool: list[Candidate], limit: int
) -> None:
    found = index_of(*pool).rank(plan(wanted, RARE), limit=limit, near_limit=NEAR_MISSES)
    compiled, index = plan(wanted, RARE), index_of(*pool)
    index.judge_recency_in(RARE.as_of.year)
    scored = sorted(
        ((assess(compiled, profile), key) for key, profile in index.profiles.items()),
        key=lambda pair: (-pair[0].score, pair[1]),
    )
    belonging = [(one, key) for one, key in scored if one.belongs]
    assert [profile.candidate_id for profile, _ in found.listed] == [
        key for one, key in belonging if not one.misses
    ][:limit]
    assert [profile.candidate_id for profile, _ in found.near] == [
        key for one, key in belonging if one.misses == 1
    ][:NEAR_MISSES]
    assert found.census.eligible == sum(1 for one, _ in scored if not one.misses)
    everybody = index.rank(compiled, limit=100, near_limit=0, everybody=True)
    assert [profile.candidate_id for profile, _ in everybody.listed] == [
        key for one, key in scored if not one.misses
    ]


@tried
@given(CRITERIA, pools())
def test_who_misses_a_hard_constraint_is_never_listed(wanted: Criteria, pool: list[Candidate]) -> None:
    compiled = plan(wanted)
    found = ranking(wanted, *pool, limit=LISTED)
    for profile, assessment in found.listed:
        assert not assessment.missed
        for must, judge in compiled.hard:
            assert judge(profile.candidate)[0].name != "MISSES", must
        if Must.SKILLS in wanted.musts:
            assert explained(wanted, profile.candidate).missing_musts == ()
    for _, assessment in found.near:
        assert assessment.misses == 1


@tried
@given(ASKING, HELD_SKILLS, FACTS, HELD, st.randoms(use_true_random=False))
def test_of_two_alike_but_for_a_must_skill_who_has_it_stands_higher(
    wanted: Criteria, skills: list[HeldSkill], facts: dict[str, Any], gained: HeldSkill, dice: random.Random
) -> None:
    musts = [one.skill for one in wanted.skills if one.must]
    assume(musts)
    gained = gained.model_copy(update={"skill": dice.choice(musts)})
    without = candidate("a-without", *(one for one in skills if one.skill != gained.skill), **facts)
    assume(gained.skill in explained(wanted, without).missing_musts)
    has = with_skills(without, *without.skills, gained).model_copy(update={"candidate_id": "b-has"})
    assert gained.skill not in explained(wanted, has).missing_musts
    # A related skill at a high level may already earn what a beginner in the skill itself does.
    if not any(KNOWLEDGE.taxonomy.credit(gained.skill, one.skill) for one in without.skills):
        assert score(wanted, has) > score(wanted, without)
    assert score(wanted, has) >= score(wanted, without)


@tried
@given(HELD, st.sampled_from(RELATED), st.integers(1, 5), HELD_SKILLS, FACTS)
def test_a_related_skill_never_beats_the_skill_itself(
    one: HeldSkill, pair: tuple[str, str], level: int, others: list[HeldSkill], facts: dict[str, Any]
) -> None:
    wanted_skill, related_skill = pair
    one = one.model_copy(update={"skill": related_skill})
    rest = [other for other in others if other.skill not in {one.skill, wanted_skill}]
    wanted = Criteria(
        title="Wanted", skills=(AskedSkill(skill=wanted_skill, level=level, must=True),), role_id=None
    )
    own = candidate("c", *rest, one.model_copy(update={"skill": wanted_skill}), **facts)
    related = candidate("c", *rest, one, **facts)
    assert score(wanted, own) >= score(wanted, related)


@tried
@given(CRITERIA, HELD_SKILLS, FACTS, FACTS)
def test_criteria_not_asked_about_have_no_effect(
    wanted: Criteria, skills: list[HeldSkill], facts: dict[str, Any], others: dict[str, Any]
) -> None:
    asked_about = {
        "region": wanted.location,
        "remote": wanted.remote,
        "available_from": wanted.start_by,
        "contracts": wanted.contracts,
        "day_rate": wanted.budget,
        "salary": wanted.budget,
        "languages": wanted.languages,
        "education": wanted.min_education,
        "years": wanted.min_years or wanted.seniority,
        "seniority": wanted.seniority,
    }
    changed = facts | {name: others[name] for name, asking in asked_about.items() if not asking}
    assert (
        explained(wanted, candidate("c", *skills, **facts)).parts
        == explained(wanted, candidate("c", *skills, **changed)).parts
    )


@tried
@given(CRITERIA, HELD_SKILLS, FACTS, st.integers(1, 40))
def test_a_newcomer_shifts_nobodys_score(
    wanted: Criteria, skills: list[HeldSkill], facts: dict[str, Any], days: int
) -> None:
    one = candidate("c", *skills, **facts)
    newcomer = candidate("n", *skills, available_from=date(2026, 12, 1) + timedelta(days=days))
    alone = ranking(wanted, one, everybody=True).listed
    together = [
        (profile.candidate_id, assessment.units)
        for profile, assessment in ranking(wanted, one, newcomer, everybody=True).listed
    ]
    for profile, assessment in alone:
        assert (profile.candidate_id, assessment.units) in together

"""What must hold of every ranking, whatever is asked and whoever is there."""

import json
import os
import random
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from services.matching.constraints import Fit
from services.matching.domain import LISTED, NEAR_MISSES, profile_of
from services.matching.scoring import assess
from services.matching.shortlisting import rank
from services.matching.weights import NAMED_LEVEL, PPM, UNKNOWN
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
MUSTS = {must.value for must in Must}
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
NAMED = st.lists(st.sampled_from(NAMES), max_size=3, unique=True)
"""Skills that title and description name; some of them may be asked as well."""


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
@given(ASKING, NAMED, HELD_SKILLS, FACTS, HELD, st.randoms(use_true_random=False))
def test_a_candidate_who_gains_an_asked_or_named_skill_never_falls(
    wanted: Criteria,
    named: list[str],
    skills: list[HeldSkill],
    facts: dict[str, Any],
    gained: HeldSkill,
    dice: random.Random,
) -> None:
    gained = gained.model_copy(update={"skill": dice.choice([*(one.skill for one in wanted.skills), *named])})
    assume(gained.skill not in {one.skill for one in skills})
    before = candidate("c", *skills, **facts)
    after = with_skills(before, *skills, gained)
    for model in (MODEL, RARE):
        assert score(wanted, after, model, named) >= score(wanted, before, model, named)
    if ranking(wanted, before).listed:
        assert ranking(wanted, after).listed


@tried
@given(ASKING, NAMED, HELD_SKILLS, FACTS)
def test_levels_above_the_asked_one_change_nothing(
    wanted: Criteria, named: list[str], skills: list[HeldSkill], facts: dict[str, Any]
) -> None:
    levels = dict.fromkeys(named, NAMED_LEVEL // 100) | {one.skill: one.level for one in wanted.skills}
    raised = [
        one.model_copy(update={"level": 5})
        if one.level is not None and one.level >= levels.get(one.skill, 9)
        else one
        for one in skills
    ]
    before = explained(wanted, candidate("c", *skills, **facts), named=named)
    after = explained(wanted, candidate("c", *raised, **facts), named=named)
    assert (after.score, [part.points for part in after.parts]) == (
        before.score,
        [part.points for part in before.parts],
    )


@tried
@given(CRITERIA, NAMED, pools(), st.randoms(use_true_random=False))
def test_order_changes_no_byte(
    wanted: Criteria, named: list[str], pool: list[Candidate], dice: random.Random
) -> None:
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
    first = rank(index_of(*pool), plan(wanted, RARE, named), (), ())
    second = rank(arrived_late, plan(other, RARE, shuffled(named)), (), ())
    as_bytes = [
        json.dumps([one.model_dump(mode="json") for one in (*found.entries, *found.near_misses)])
        for found in (first, second)
    ]
    assert as_bytes[0] == as_bytes[1]
    assert first.ranking.census == second.ranking.census


@tried
@given(CRITERIA, NAMED, HELD_SKILLS, FACTS)
def test_parts_add_up_to_the_score_and_evidence_to_its_part(
    wanted: Criteria, named: list[str], skills: list[HeldSkill], facts: dict[str, Any]
) -> None:
    entry = explained(wanted, candidate("c", *skills, **facts), RARE, named)
    asked = {one.skill for one in wanted.skills}
    assert ("named_skills" in {part.criterion for part in entry.parts}) == bool(set(named) - asked)
    assert round(sum(part.points for part in entry.parts), 4) == entry.score
    assert 0 <= entry.score <= 100
    if entry.parts:
        assert round(sum(part.weight for part in entry.parts), 6) == 1
    for part in entry.parts:
        assert abs(part.points - 100 * part.weight * part.value) <= 0.00005001
        assert round(sum(one.share or 0 for one in part.evidence), 6) == part.value


@tried
@given(CRITERIA, NAMED, pools(), st.integers(0, 12))
def test_the_index_lists_what_scoring_everybody_would(
    wanted: Criteria, named: list[str], pool: list[Candidate], limit: int
) -> None:
    compiled, index = plan(wanted, RARE, named), index_of(*pool)
    found = index_of(*pool).rank(compiled, limit=limit, near_limit=NEAR_MISSES)
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
@given(ASKING, pools())
def test_with_skills_among_the_musts_nobody_listed_lacks_one(wanted: Criteria, pool: list[Candidate]) -> None:
    wanted = wanted.model_copy(update={"musts": (Must.SKILLS,)})
    musts = {one.skill for one in wanted.skills if one.must}
    lacking: dict[str, set[str]] = {
        one.candidate_id: {
            must
            for must in musts
            if not any(must in KNOWLEDGE.taxonomy.shows(held.skill) for held in one.skills)
        }
        for one in pool
    }
    found = rank(index_of(*pool), plan(wanted), (), ())
    assert not any(lacking[entry.candidate_id] for entry in found.entries)
    assert all({near.skill} == lacking[near.candidate_id] for near in found.near_misses)
    assert found.ranking.census.eligible == sum(1 for missing in lacking.values() if not missing)


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
@given(ASKING, NAMED, st.sampled_from(RELATED), st.integers(1, 5), st.booleans(), HELD, HELD_SKILLS)
def test_related_credit_never_beats_the_skill_itself_whatever_else_is_asked(
    wanted: Criteria,
    named: list[str],
    pair: tuple[str, str],
    level: int,
    must: bool,
    one: HeldSkill,
    others: list[HeldSkill],
) -> None:
    own, related = pair
    rest = [other for other in others if other.skill not in pair]
    asked = (
        *(other for other in wanted.skills if other.skill not in pair),
        AskedSkill(skill=own, level=level, must=must),
    )
    compiled = plan(wanted.model_copy(update={"skills": asked}), RARE, named)
    at = [skill.skill for skill in compiled.asked].index(own)

    def credit(skill: str) -> int:
        held = candidate("c", *rest, one.model_copy(update={"skill": skill}))
        return assess(compiled, profile_of(held, 2026)).credits[at]

    shown_by_others = any(own in KNOWLEDGE.taxonomy.shows(other.skill) for other in rest)
    assert credit(own) >= credit(related)
    if not shown_by_others and not any(KNOWLEDGE.taxonomy.credit(own, other.skill) for other in rest):
        assert credit(own) > credit(related) > 0


FACTS_OF: dict[str, dict[str, Any]] = {
    "seniority": {"seniority": None, "years": None, "roles": {}},
    "location": {"region": None},
    "remote": {"remote": None},
    "start_by": {"available_from": None},
    "contracts": {"contracts": []},
    "budget": {"day_rate": None, "salary": None},
    "languages": {"languages": []},
    "min_years": {"years": None},
    "min_education": {"education": None},
}
"""Criterion -> what makes a candidate unknown in it."""


@tried
@given(CRITERIA, NAMED, HELD_SKILLS, FACTS, st.sampled_from(sorted(FACTS_OF)))
def test_unknown_is_neither_a_miss_nor_a_match(
    wanted: Criteria, named: list[str], skills: list[HeldSkill], facts: dict[str, Any], criterion: str
) -> None:
    wanted = wanted.model_copy(update={"musts": tuple(Must(one) for one in (criterion,) if one in MUSTS)})
    judge = plan(wanted).judges.get(criterion)
    assume(judge is not None)
    assert judge is not None
    blank = candidate("c", *skills, **facts | FACTS_OF[criterion])
    if criterion == "min_years" and judge(blank)[0] is Fit.FITS:
        return  # the roles known make up the years asked
    stated = candidate("c", *skills, **facts)
    verdict, value = judge(stated)
    assert judge(blank) == (Fit.UNKNOWN, UNKNOWN)
    assert not ranking(wanted, blank, everybody=True).near
    assert ranking(wanted, blank, everybody=True).listed
    entry = explained(wanted, blank, named=named)
    assert criterion in {gap.criterion for gap in entry.gaps if gap.kind == "unknown"}
    assert [part.value for part in entry.parts if part.criterion == criterion] == [UNKNOWN / PPM]
    if verdict is Fit.MISSES and criterion == "languages" and len(wanted.languages) > 1:
        return  # one of them may be spoken all the same
    assert (value < UNKNOWN) == (verdict is Fit.MISSES)
    assert (value > UNKNOWN) >= (verdict is Fit.FITS)


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
    before, after = candidate("c", *skills, **facts), candidate("c", *skills, **changed)
    assert explained(wanted, before) == explained(wanted, after)
    # Nor do musts that are about nothing asked.
    idle = [must for must in Must if must is not Must.SKILLS and must.value not in plan(wanted).judges]
    more = wanted.model_copy(update={"musts": (*wanted.musts, *idle)})
    assert explained(more, before) == explained(wanted, before)
    assert len(ranking(more, before).listed) == len(ranking(wanted, after).listed)


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

"""The ranking's arithmetic: examples computed by hand."""

from datetime import date

import pytest

from services.matching.domain import Knowledge, estimated_level, understood
from services.matching.rarity import due, model_of, rarity_of
from services.matching.weights import PPM, Weights, apportion
from shared.events.shortlist import Evidence, Part
from shared.taxonomy import RoleNames, Taxonomy
from tests.matching.pieces import (
    KNOWLEDGE,
    MODEL,
    THEN,
    asked,
    candidate,
    criteria,
    explained,
    held,
    listed,
    plan,
    ranking,
    role,
    score,
    shipped_catalogue,
)


def part(entry_parts: tuple[Part, ...], criterion: str) -> Part:
    return next(one for one in entry_parts if one.criterion == criterion)


def test_a_worked_example() -> None:
    wanted = criteria(
        asked("python", 4, must=True), asked("docker", 2), role_id=None, location={"country": "FR"}
    )
    entry = explained(wanted, candidate("c1", held("python", 2), held("excel", 3), country="FR"))
    # Weights: skills 35, of which the must has 3 of 4 parts; role fit 60; location 5: 100 in all.
    assert [(one.criterion, one.weight) for one in entry.parts] == [
        ("must_skills", 0.2625),
        ("nice_skills", 0.0875),
        ("role_fit", 0.6),
        ("location", 0.05),
    ]
    # Python 2 of 4: 0.5. Docker: nothing. Fit: Python's salience 40 of 40 + 40 + 80. Location: fits.
    assert [one.value for one in entry.parts] == [0.5, 0.0, 0.25, 1.0]
    assert [one.points for one in entry.parts] == [13.125, 0.0, 15.0, 5.0]
    assert entry.score == 33.125
    assert entry.must_coverage == 1.0
    assert [(gap.kind, gap.skill) for gap in entry.gaps] == [("level", "python"), ("missing", "docker")]


def test_role_experience_and_titles_by_hand() -> None:
    wanted = criteria()
    adjacent = explained(wanted, candidate("c1", roles={"full-stack-developer": 30, "accountant": 100}))
    # 30 months at closeness 0.8 are 24: sqrt(24 / 60) = 0.632455.
    assert part(adjacent.parts, "role_experience").value == 0.632455
    assert part(adjacent.parts, "role_experience").evidence == (
        Evidence(
            role="full-stack-developer", months=30, via="full-stack-developer", credit=0.8, share=0.632455
        ),
    )
    # Titles: the closest 0.8, all by their months 24/130; 60 % of their mean, and of the profile nothing.
    assert part(adjacent.parts, "role_fit").value == 0.295384
    own = explained(wanted, candidate("c2", roles={"back-end-developer": 90}))
    assert part(own.parts, "role_experience").value == 1.0
    family = explained(wanted, candidate("c3", roles={"qa-engineer": 90}))
    assert (part(family.parts, "role_experience").value, part(family.parts, "role_fit").value) == (0, 0.15)


def test_the_sheet_counts_less_the_more_the_client_names() -> None:
    weights = [
        plan(criteria(*(asked(name) for name in names))).weights.get("role_skills", 0)
        for names in ((), ("python",), ("python", "rest"), ("python", "rest", "sql", "git", "excel"))
    ]
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] == 0


def test_the_sheets_usual_skills_count_a_little_where_few_were_named() -> None:
    wanted = criteria(asked("python"))
    usual = candidate("usual", "python", "rest", "git")
    other = candidate("other", "python", "excel", "figma")
    assert listed(wanted, other, usual) == ["usual", "other"]
    # rest and git are two of rest, git, docker and sql: half, which is enough.
    assert part(explained(wanted, usual).parts, "role_skills").value == 1.0


def test_a_specialist_stands_above_a_generalist_who_mentions_everything_once() -> None:
    wanted = criteria(asked("python", must=True), asked("rest"))
    everything = [held(name, None, mentions=1) for name in ("excel", "figma", "kubernetes", "mariadb")]
    specialist = candidate(
        "specialist", held("python", None, mentions=9, years=6), held("rest", None, mentions=4)
    )
    generalist = candidate(
        "generalist", held("python", None, mentions=1), held("rest", None, mentions=1), *everything
    )
    assert listed(wanted, generalist, specialist) == ["specialist", "generalist"]


def test_implied_skills_count_in_full_and_related_ones_in_part() -> None:
    by_django = explained(criteria(asked("python")), candidate("c1", held("django", 3)))
    evidence = part(by_django.parts, "nice_skills").evidence[0]
    assert (evidence.via, evidence.credit, evidence.share, by_django.must_coverage) == ("django", 1, 1, 1)
    by_postgresql = explained(criteria(asked("mysql", 4, must=True)), candidate("c2", held("postgresql", 5)))
    evidence = part(by_postgresql.parts, "must_skills").evidence[0]
    assert (evidence.via, evidence.credit, evidence.share) == ("postgresql", 0.6, 0.6)
    assert (by_postgresql.must_coverage, by_postgresql.missing_musts) == (0.0, ("mysql",))
    assert by_postgresql.gaps[0].kind == "related"
    assert "Postgresql" in by_postgresql.gaps[0].question.fr


def test_a_level_above_the_asked_one_lifts_no_other_skill_either() -> None:
    wanted = criteria(asked("mysql", 2), asked("sql", 4), asked("postgresql", 4))
    at_the_asked_level = explained(wanted, candidate("c1", held("mysql", 2)))
    above = explained(wanted, candidate("c1", held("mysql", 5)))
    assert above.score == at_the_asked_level.score
    assert [one.share for one in part(above.parts, "nice_skills").evidence] == [
        pytest.approx(1 / 3, abs=1e-5),  # mysql: 2 of 2
        pytest.approx(0.6 * 0.5 / 3, abs=1e-5),  # postgresql: 0.6 of 2 of 4
        pytest.approx(0.5 / 3, abs=1e-5),  # sql: 2 of 4
    ]


def test_rare_skills_say_more() -> None:
    rare = MODEL.model_copy(update={"rarity": {"django": 1.8, "git": 1.1}})
    wanted = criteria(asked("django"), asked("git"))
    assert score(wanted, candidate("c1", "django"), rare) > score(wanted, candidate("c1", "git"), rare)


@pytest.mark.parametrize(
    ("known", "level"),
    [
        ({}, 200),
        ({"mentions": 1}, 200),
        ({"mentions": 5}, 300),
        ({"years": 4}, 340),
        ({"years": 20}, 450),
        ({"years": 4, "last_used": 2018}, 240),
        ({"years": 4, "last_used": 2024}, 340),
    ],
)
def test_levels_nobody_stated_are_estimated(known: dict[str, float], level: int) -> None:
    assert estimated_level(held("python", None, **known), 2026) == level


def test_an_estimated_level_is_marked_and_counts_slightly_less() -> None:
    wanted = criteria(asked("python", 2, must=True))
    stated = explained(wanted, candidate("c1", held("python", 2)))
    estimated = explained(wanted, candidate("c1", held("python", None)))
    assert part(estimated.parts, "must_skills").evidence[0].estimated
    assert part(stated.parts, "must_skills").value == 1.0
    assert part(estimated.parts, "must_skills").value == 0.95


def test_a_must_weighs_three_times_a_nice_to_have() -> None:
    weights = plan(criteria(asked("python", must=True), asked("git"))).weights
    assert weights["must_skills"] == pytest.approx(3 * weights["nice_skills"], abs=2)


def test_a_skill_asked_twice_is_asked_once_at_its_highest() -> None:
    twice = criteria(asked("python", 2, must=True), asked("python", 4))
    once = criteria(asked("python", 4, must=True))
    assert score(twice, candidate("c1", "python")) == score(once, candidate("c1", "python"))


def test_of_two_mentions_of_a_held_skill_the_stronger_counts_in_either_order() -> None:
    wanted = criteria(asked("python", 5))
    weak, strong = held("python", 2), held("python", 4)
    assert score(wanted, candidate("c1", weak, strong)) == score(wanted, candidate("c1", strong))
    assert score(wanted, candidate("c1", strong, weak)) == score(wanted, candidate("c1", strong))


def test_what_is_unknown_to_the_catalogue_earns_nothing_and_breaks_nothing() -> None:
    wanted = criteria(asked("cobol", must=True), role_id="astronaut", title="Astronaut")
    entry = explained(wanted, candidate("c1", "python"))
    assert entry.missing_musts == ("cobol",)
    assert listed(wanted, candidate("c1", "python")) == []
    assert listed(wanted, candidate("c2", "cobol")) == ["c2"]


def test_a_need_without_a_role_takes_the_one_its_title_names() -> None:
    compiled = plan(criteria(role_id=None, title="Back-end developer"))
    assert compiled.role is not None
    assert compiled.role.role_id == "back-end-developer"


def test_only_who_shows_an_asked_skill_or_a_title_of_the_family_is_listed() -> None:
    wanted = criteria(asked("python"))
    people = (
        candidate("by-skill", "python"),
        candidate("by-title", "excel", roles={"qa-engineer": 12}),
        candidate("neither", "excel", roles={"accountant": 12}),
    )
    assert set(listed(wanted, *people)) == {"by-skill", "by-title"}
    everybody = ranking(wanted, *people, everybody=True)
    assert {profile.candidate_id for profile, _ in everybody.listed} == {"by-skill", "by-title", "neither"}


def test_ties_stand_in_the_order_of_ids() -> None:
    assert listed(criteria(asked("python")), *(candidate(f"c{at}", "python") for at in (3, 1, 2))) == [
        "c1",
        "c2",
        "c3",
    ]


def test_gaps_are_questions_in_both_languages() -> None:
    wanted = criteria(
        asked("kubernetes", 4, must=True),
        languages=[{"language": "de", "level": "B2"}],
        seniority="senior",
        start_by=date(2027, 1, 4),
    )
    gaps = explained(wanted, candidate("c1", held("docker", 3))).gaps
    assert [(gap.kind, gap.criterion) for gap in gaps] == [
        ("related", "must_skills"),
        ("unknown", "role_experience"),
        ("unknown", "seniority"),
        ("unknown", "start_by"),
        ("unknown", "languages"),
    ]
    assert gaps[0].question.en == (
        "Kubernetes is asked at level 4; the profile shows Docker: has this person worked with it, and where?"
    )
    assert all(gap.question.fr.rstrip(".").endswith(("?", "2027-01-04", "senior", "demandé")) for gap in gaps)


def test_apportioned_parts_add_up() -> None:
    assert apportion(10, [1, 1, 1]) == [4, 3, 3]
    assert apportion(PPM, [0, 0]) == [0, 0]
    assert sum(apportion(PPM, [7, 11, 13, 0])) == PPM


def test_rarity_is_bounded_and_small_pools_hardly_tell_skills_apart() -> None:
    assert rarity_of(1000, 1000) == 1.0
    assert 1.6 < rarity_of(1, 1_000_000) <= 2.0
    assert rarity_of(1, 100) - rarity_of(50, 100) < 0.5


def test_the_model_is_renewed_daily_and_as_the_pool_grows() -> None:
    weights = Weights()
    today = THEN.date()
    first = model_of({}, 0, weights, None, THEN)
    assert due(None, 0, today, weights)
    assert first.rarity == {}
    assert not due(first, 99, today, weights)
    assert due(first, 100, today, weights)
    at_100 = model_of({"python": 100, "cobol": 1}, 100, weights, first, THEN)
    assert at_100.revision > first.revision
    assert at_100.rarity["cobol"] > at_100.rarity["python"] == 1.0
    assert not due(at_100, 999, today, weights)
    assert due(at_100, 1000, today, weights)
    assert due(at_100, 100, date(2026, 11, 24), weights)
    assert due(at_100, 100, today, Weights(margin_percent=20))


def test_a_role_that_names_another_twice_counts_its_months_once() -> None:
    assert plan(criteria()).experience == {"back-end-developer": PPM, "full-stack-developer": 800_000}
    assert role("x", "y", {}).related == ()


def test_the_role_of_a_title_is_found_in_whatever_order_its_words_stand() -> None:
    roles = {"java-developer": role("java-developer", "software", {"java": 4})}
    knowledge = Knowledge(Taxonomy({}), roles, RoleNames(roles), "1-test")
    for title in ("Java developer", "Senior Java/JEE developer", "Developer (Java) for our team"):
        assert knowledge.role_in(title) == "java-developer", title
    assert knowledge.role_in("JavaScript developer") is None
    assert knowledge.role_in("Java courses, game developer") is None
    prose = "We are a bank. Our developer team of twelve is in Lille and has written Java for years"
    assert knowledge.role_in(prose) is None


def test_a_technology_in_a_title_says_more_than_a_trade_and_a_rank() -> None:
    catalogue = shipped_catalogue()[0]
    knowledge = Knowledge(Taxonomy({}), catalogue, RoleNames(catalogue), "1-test")
    for title, expected in {
        "Python Software Developer": "python-developer",
        "Sr. Java / PostgreSQL Software Engineer": "java-developer",
        "Lead Software Engineer (Angular, JavaScript)": "front-end-developer",
        "Développeur·se Python": "python-developer",
        "Senior Software Engineer, Edge Compute": "full-stack-developer",
        "Applications developers": "full-stack-developer",
        "Ingénieur d’études et développement": "back-end-developer",
    }.items():
        assert knowledge.role_in(title) == expected, title


def test_another_trade_with_the_same_words_is_no_role_of_the_catalogue() -> None:
    roles, skills = shipped_catalogue()
    knowledge = Knowledge(Taxonomy(skills), roles, RoleNames(roles), "1-test")
    assert knowledge.role_in("Systems engineer") == "linux-administrator"
    # The skills that such a job shares with others do not make one of it either.
    shared = "Linux, Git, Docker, Kubernetes, Python"
    for title in ("Embedded Systems Engineer II", "Ingénieur systèmes embarqués", "Civil engineer, Lille"):
        assert understood(criteria(title=title, role_id=None), shared, knowledge)[0].role_id is None, title
    assert understood(criteria(title="Somebody", role_id=None), shared, knowledge)[0].role_id is not None


def test_a_trade_that_is_named_beside_the_job_does_not_take_it_away() -> None:
    catalogue = shipped_catalogue()[0]
    knowledge = Knowledge(Taxonomy({}), catalogue, RoleNames(catalogue), "1-test")
    for title, expected in {
        "Java developer, Civil Service": "java-developer",
        "Data engineer (civil aviation)": "data-engineer",
        "Ingénieur DevOps – secteur électronique": "devops-engineer",
        "Python developer for embedded devices": "python-developer",
        "Our firm makes hardware; we look for a Java developer.": "java-developer",
    }.items():
        assert knowledge.role_in(title) == expected, title


def test_where_nothing_names_a_role_it_is_the_one_that_the_skills_point_to() -> None:
    unnamed = criteria(title="Somebody for our platform", role_id=None)
    found, text = understood(unnamed, "Python, SQL and REST", KNOWLEDGE)
    assert (found.role_id, text.named) == ("back-end-developer", ("python", "sql", "rest"))
    assert understood(unnamed, "Python and SQL", KNOWLEDGE)[0].role_id is None
    assert understood(criteria(title="Accountant", role_id=None), "Python, SQL, REST", KNOWLEDGE)[
        0
    ].role_id == ("accountant")


def test_who_held_the_role_of_the_needs_own_title_counts_in_full() -> None:
    wanted = plan(criteria(role_id="back-end-developer", title="Accountant"))
    assert wanted.affinity["accountant"] == wanted.affinity["back-end-developer"] == PPM
    assert "accountant" not in plan(criteria(role_id="back-end-developer", title="Somebody")).affinity


def test_a_skill_that_the_title_names_weighs_four_that_the_description_names() -> None:
    wanted = criteria(title="Docker, please", role_id=None)
    shares = {one.skill: one.share for one in plan(wanted, named=("docker", "git")).asked}
    assert shares == {"docker": 800_000, "git": 200_000}

"""Constraints, soft and hard: fits, misses, and what nobody knows."""

from datetime import date
from typing import Any

import pytest

from shared.events.need import Criteria
from tests.matching.pieces import asked, candidate, criteria, explained, listed, ranking, score

Facts = dict[str, Any]


def spoken(language: str, level: str | None = None) -> Facts:
    return {"languages": [{"language": language, "level": level}]}


SOON, LATER = {"available_from": date(2027, 1, 15)}, {"available_from": date(2027, 1, 16)}
IN_ARA = {"location": {"country": "FR", "region": "FR-ARA"}}
IN_FRANCE = {"location": {"country": "FR"}}
TWO_KINDS = {"contracts": ["freelance", "permanent"]}
IN_FRANCS = {"salary": 52001, "currency": "CHF"}
EITHER = {"budget": {"day_rate": 575, "salary": 52000}}

CASES: list[tuple[str, Facts, Facts, Facts, Facts]] = [
    # criterion, what is asked, who fits, who misses, who is not known
    ("location", IN_ARA, {"region": "FR-ARA"}, {"region": "FR-IDF"}, {"country": "FR"}),
    ("location", IN_FRANCE, {"region": "FR-IDF"}, {"country": "BE"}, {}),
    ("remote", {"remote": "full"}, {"remote": "full"}, {"remote": "none"}, {}),
    ("remote", {"remote": "none"}, {"remote": "none"}, {"remote": "full"}, {}),
    ("start_by", {"start_by": date(2027, 1, 15)}, SOON, LATER, {}),
    ("contracts", TWO_KINDS, {"contracts": ["freelance"]}, {"contracts": ["fixed_term"]}, {}),
    ("budget", {"budget": {"day_rate": 575}}, {"day_rate": 500}, {"day_rate": 501}, {"salary": 40000}),
    ("budget", {"budget": {"salary": 52000}}, {"salary": 52000}, {"salary": 52001}, IN_FRANCS),
    ("budget", EITHER, {"day_rate": 900, "salary": 50000}, {"day_rate": 900}, {}),
    ("languages", spoken("fr", "B2"), spoken("fr", "C1"), spoken("fr", "B1"), spoken("en", "C2")),
    ("languages", spoken("fr", "B2"), spoken("fr", "B2"), spoken("fr", "A1"), spoken("fr")),
    ("min_years", {"min_years": 5}, {"years": 5}, {"years": 4.5}, {"roles": {"back-end-developer": 12}}),
    ("min_education", {"min_education": 3}, {"education": 5}, {"education": 2}, {}),
]


def wanted_by(criterion: str, what: Facts, *, must: bool) -> Criteria:
    return criteria(asked("python"), role_id=None, musts=[criterion] if must else [], **what)


@pytest.mark.parametrize(("criterion", "what", "fits", "misses", "unknown"), CASES)
def test_a_hard_constraint_lists_who_fits_then_who_is_not_known_and_never_who_misses(
    criterion: str,
    what: Facts,
    fits: Facts,
    misses: Facts,
    unknown: Facts,
) -> None:
    people = [
        candidate(name, "python", **known)
        for name, known in (("misses", misses), ("not-known", unknown), ("fits", fits))
    ]
    found = ranking(wanted_by(criterion, what, must=True), *people)
    assert [profile.candidate_id for profile, _ in found.listed] == ["fits", "not-known"]
    assert [profile.candidate_id for profile, _ in found.near] == ["misses"]
    assert (found.census.eligible, found.census.relaxed) == (2, {criterion: 1})


@pytest.mark.parametrize(("criterion", "what", "fits", "misses", "unknown"), CASES)
def test_a_soft_constraint_lists_all_and_only_orders_them(
    criterion: str,
    what: Facts,
    fits: Facts,
    misses: Facts,
    unknown: Facts,
) -> None:
    wanted = wanted_by(criterion, what, must=False)
    people = [
        candidate(name, "python", **known)
        for name, known in (("a-misses", misses), ("b-not-known", unknown), ("c-fits", fits))
    ]
    assert listed(wanted, *people) == ["c-fits", "b-not-known", "a-misses"]
    assert criterion in {gap.criterion for gap in explained(wanted, people[1]).gaps}
    assert not {gap.criterion for gap in explained(wanted, people[2]).gaps}


def test_who_misses_two_is_no_near_miss() -> None:
    wanted = criteria(
        asked("python"), location={"country": "FR"}, remote="full", musts=["location", "remote"]
    )
    found = ranking(
        wanted,
        candidate("one", "python", country="BE", remote="full"),
        candidate("two", "python", country="BE", remote="none"),
    )
    assert found.listed == ()
    assert [profile.candidate_id for profile, _ in found.near] == ["one"]
    assert found.census.relaxed == {"location": 1, "remote": 0}


def test_with_skills_a_must_each_lacking_one_counts() -> None:
    wanted = criteria(asked("python", must=True), asked("rest", must=True), asked("git"), musts=["skills"])
    found = ranking(
        wanted,
        candidate("all", "django", "rest"),
        candidate("one", "python", "git"),
        candidate("none", "git"),
    )
    assert [profile.candidate_id for profile, _ in found.listed] == ["all"]
    assert [profile.candidate_id for profile, _ in found.near] == ["one"]
    assert found.census.eligible == 1
    assert found.census.relaxed == {"skills": 2}
    assert found.census.without_skill == {"python": 0, "rest": 1}


def test_a_must_about_nothing_asked_bars_nobody() -> None:
    wanted = criteria(asked("python"), musts=["location", "budget"])
    assert listed(wanted, candidate("c1", "python", country="BE")) == ["c1"]


@pytest.mark.parametrize(
    "facts",
    [
        {"country": "BE"},
        {"remote": "none"},
        {"available_from": date(2030, 1, 1)},
        {"contracts": ["fixed_term"]},
        {"day_rate": 5000},
        spoken("de", "A1"),
        {"years": 1.0},
        {"education": 1},
        {"seniority": "junior"},
    ],
)
def test_a_criterion_not_asked_about_has_no_effect(facts: Facts) -> None:
    wanted = criteria(asked("python", must=True))
    bare, known = candidate("c1", "python"), candidate("c1", "python", **facts)
    assert explained(wanted, bare).parts == explained(wanted, known).parts


def test_seniority_is_derived_from_years_where_nobody_stated_it() -> None:
    wanted = criteria(asked("python"), role_id=None, seniority="senior")
    stated, derived = candidate("c", "python", seniority="senior"), candidate("c", "python", years=8)
    middle, unknown = candidate("c", "python", years=3), candidate("c", "python")
    assert score(wanted, stated) > score(wanted, derived) > score(wanted, unknown) > score(wanted, middle)


def test_more_than_the_asked_seniority_does_not_lower_below_what_is_unknown() -> None:
    wanted = criteria(asked("python"), seniority="junior")
    assert score(wanted, candidate("c", "python", seniority="lead")) > score(wanted, candidate("c", "python"))

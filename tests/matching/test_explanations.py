"""What is said of rows that are hardly unpacked is what would be said of the candidates, unpacked whole."""

from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain import profile_of
from services.matching.explain import entry, near_miss
from services.matching.scoring import assess
from shared.events.candidate import Candidate, HeldRole, HeldSkill
from shared.events.need import Criteria
from shared.events.shortlist import Entry
from tests.matching.pieces import ROLES, asked, candidate, criteria, held, index_of, plan
from tests.matching.test_engine import as_kept, people, tried
from tests.matching.test_properties import CRITERIA, NAMED, RARE

POOLS = st.lists(people(), min_size=3, max_size=12)


@tried
@given(CRITERIA, NAMED, POOLS, st.sampled_from([None, *sorted(ROLES)]))
def test_rows_are_explained_as_the_candidates_that_they_came_from(
    wanted: Criteria, named: list[str], pool: list[Candidate], role: str | None
) -> None:
    """Also the second time, when much is remembered of what was said."""
    # Without hard constraints more of them are listed.
    wanted = wanted.model_copy(update={"role_id": role, "musts": wanted.musts[:1]})
    index, kept = index_of(*pool), {one.candidate_id: as_kept(one) for one in pool}
    often, once = plan(wanted, RARE, named), plan(wanted, RARE, named)
    for everybody in (False, True):
        found = index.rank(often, limit=12, near_limit=5, everybody=everybody)
        for tell, scored in ((entry, found.listed), (near_miss, found.near)):
            for profile, assessment in scored:
                whole = profile_of(kept[profile.candidate_id], RARE.as_of.year)
                assert assessment == assess(once, whole)
                said = tell(often, profile, assessment)
                assert said.model_dump_json() == tell(once, whole, assessment).model_dump_json()


@tried
@given(CRITERIA, NAMED, POOLS)
def test_what_is_said_is_an_event_like_any_other(
    wanted: Criteria, named: list[str], pool: list[Candidate]
) -> None:
    compiled = plan(wanted, RARE, named)
    for profile, assessment in index_of(*pool).rank(compiled, limit=12, near_limit=0, everybody=True).listed:
        said = entry(compiled, profile, assessment)
        assert Entry.model_validate_json(said.model_dump_json()) == said
        assert said.model_copy(deep=True) == said


def test_of_skills_that_earn_alike_the_asked_one_is_named_then_the_first() -> None:
    """Django shows Python as much as Python itself; MySQL, MariaDB and PostgreSQL each show SQL."""
    one = candidate("c", "django", "python", "postgresql", "mysql", "mariadb")
    wanted = criteria(asked("python"), asked("sql"))
    compiled = plan(wanted)
    ((profile, assessment),) = index_of(one).rank(compiled, limit=1, near_limit=0).listed
    by = [None if found is None else found[0] for found in assessment.skills.by]
    assert by == ["python", "mariadb"]
    evidence = {
        one.skill: one.via
        for part in entry(compiled, profile, assessment).parts
        if part.criterion == "nice_skills"
        for one in part.evidence
    }
    assert evidence == {"python": None, "sql": "mariadb"}


def test_two_times_in_one_role_are_told_together() -> None:
    roles = (
        HeldRole(role="back-end-developer", months=12, until="2019-05"),
        HeldRole(role="full-stack-developer", months=24, until="2026-01"),
        HeldRole(role="back-end-developer", months=6, until="2024-01"),
    )
    one = candidate("c", held("python")).model_copy(update={"roles": roles})
    compiled = plan(criteria(asked("python")))
    ((profile, assessment),) = index_of(one).rank(compiled, limit=1, near_limit=0).listed
    assert assessment == assess(compiled, profile_of(as_kept(one), compiled.model.as_of.year))
    (told,) = [
        part.evidence
        for part in entry(compiled, profile, assessment).parts
        if part.criterion == "role_experience"
    ]
    assert [(one.role, one.months, one.last_used) for one in told] == [
        ("back-end-developer", 18, 2024),
        ("full-stack-developer", 24, 2026),
    ]


def test_a_long_career_is_told_in_full_though_its_code_is_not() -> None:
    """Months of roles are summed in a row's code up to sixty years only."""
    roles = tuple(HeldRole(role="accountant", months=720) for _ in range(2))
    one = candidate("c", HeldSkill(skill="python", mentions=1)).model_copy(update={"roles": roles})
    compiled = plan(criteria(asked("python"), min_years=5))
    ((profile, assessment),) = index_of(one).rank(compiled, limit=1, near_limit=0).listed
    (told,) = [
        part.evidence[0].found
        for part in entry(compiled, profile, assessment).parts
        if part.criterion == "min_years"
    ]
    assert told == "120"


def test_no_years_and_no_roles_is_not_no_years_of_work() -> None:
    nobody, beginner = (
        candidate("a", "python", years=0),
        candidate("b", "python", years=0, roles={"accountant": 0}),
    )
    compiled = plan(criteria(asked("python"), min_years=5))
    found = {
        profile.candidate_id: part.evidence[0].found
        for profile, assessment in index_of(nobody, beginner).rank(compiled, limit=2, near_limit=0).listed
        for part in entry(compiled, profile, assessment).parts
        if part.criterion == "min_years"
    }
    assert found == {"a": None, "b": "0"}


def test_of_titles_that_are_worth_alike_the_first_is_named() -> None:
    one = candidate("c", "excel", roles={"qa-engineer": 12, "back-end-developer": 12})
    compiled = plan(criteria(asked("excel"), role_id="accountant"))
    ((_, assessment),) = index_of(one).rank(compiled, limit=1, near_limit=0).listed
    assert assessment.titles.closest == "back-end-developer"

"""Which needs a changed candidate matters to: never one too few, and few for nothing."""

from hypothesis import given
from hypothesis import strategies as st

from services.matching.index import Index, Ranking
from services.matching.scoring import Plan, assess
from services.matching.shortlisting import rank, watch_of
from shared.events.candidate import Candidate
from shared.events.need import Criteria
from tests.matching.pieces import asked, candidate, criteria, index_of, plan
from tests.matching.test_engine import people, tried
from tests.matching.test_properties import CRITERIA, RARE


def ranked(index: Index, compiled: Plan) -> Ranking:
    return rank(index, compiled, (), ()).ranking


def named(ranking: Ranking) -> list[tuple[str, object]]:
    return [(one.candidate_id, assessment) for one, assessment in (*ranking.listed, *ranking.near)]


@tried
@given(CRITERIA, st.lists(people(), min_size=8, max_size=24), people(), st.integers(0, 30), st.booleans())
def test_who_changes_a_shortlist_matters_to_its_need(
    wanted: Criteria, pool: list[Candidate], newer: Candidate, who: int, gone: bool
) -> None:
    index, compiled = Index(), plan(wanted, RARE)
    for at, one in enumerate(pool):
        index.put(one.model_copy(update={"candidate_id": f"c{at}"}))
    before = ranked(index, compiled)
    watch = watch_of("n", compiled, before)
    changed = f"c{who}"
    if gone:
        index.remove(changed)
    else:
        index.put(newer.model_copy(update={"candidate_id": changed}))
    after, profile = ranked(index, compiled), index.profile(changed)
    concerns = watch.concerns(changed, profile)
    if named(before) != named(after):
        assert concerns
    elif concerns and changed not in watch.named:
        # As good as the last one listed, and after it only by its id.
        assert profile is not None
        assert assess(compiled, profile).score in (watch.floor, watch.near_floor)


def test_a_skill_that_shows_an_asked_one_matters_and_so_does_a_title_of_the_family_alone() -> None:
    wanted = criteria(asked("python"), asked("mysql"))
    compiled = plan(wanted)
    watch = watch_of("n", compiled, ranked(index_of(), compiled))

    def concerned(one: Candidate) -> bool:
        return watch.concerns("c", index_of(one).profile("c"))

    assert concerned(candidate("c", "django"))
    assert concerned(candidate("c", roles={"qa-engineer": 3}))
    assert not concerned(candidate("c", "postgresql", "git", roles={"accountant": 90}))
    assert not watch.concerns("c", None)


def test_who_is_as_good_as_the_last_one_listed_matters_and_who_misses_one_thing_does() -> None:
    compiled = plan(criteria(asked("python", must=True), asked("sql"), musts=["skills"]))
    alike = [candidate(f"c{at}", "python", "sql") for at in range(10)]
    watch = watch_of("n", compiled, ranked(index_of(*alike), compiled))
    first, less, near = candidate("b", "python", "sql"), candidate("b", "python"), candidate("b", "sql")
    assert watch.concerns("b", index_of(first).profile("b"))
    assert not watch.concerns("b", index_of(less).profile("b"))
    assert watch.concerns("b", index_of(near).profile("b"))

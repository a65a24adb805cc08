"""The compiled search agrees, bit by bit, with scoring everybody in plain Python."""

import os
import uuid
from collections.abc import Collection
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.matching.constraints import Fit
from services.matching.decoding import LeanCandidate, Reader
from services.matching.domain import Profile, held_of, profile_of
from services.matching.index import Census, Index
from services.matching.odd_ids import next_uuid
from services.matching.packing import Packed, pack
from services.matching.scoring import Assessment, Plan, assess
from services.matching.vocabulary import Vocabulary
from shared.events.candidate import CANDIDATES, Candidate, HeldSkill
from shared.events.need import Criteria
from shared.events.wire import BadRecord, decode
from tests.matching.pieces import ROLES, candidate, plan
from tests.matching.test_properties import CRITERIA, FACTS, NAMES, RARE

tried = settings(
    max_examples=int(os.environ.get("MATCHING_EXAMPLES", "40")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

IDS = st.one_of(
    st.sampled_from(["a", "B-7", "ffffffff-ffff-ffff-ffff-ffffffffffff", "0190", "é", "", "0" * 36]),
    st.integers(0, 6).map(lambda number: str(uuid.UUID(int=number << 64 | 7))),
)
HELD = st.builds(
    HeldSkill,
    skill=st.sampled_from([*NAMES, "cobol"]),
    level=st.one_of(st.none(), st.integers(1, 5)),
    estimated=st.booleans(),
    years=st.one_of(st.none(), st.floats(0, 20)),
    last_used=st.one_of(st.none(), st.integers(1950, 2200)),
    mentions=st.integers(0, 2000),
)
ROLE_HISTORY = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from([*sorted(ROLES), "astronaut"]),
            "months": st.integers(0, 200),
            "until": st.sampled_from([None, "2026-12", "2024-01", "2019-07", "1999-12"]),
        }
    ),
    max_size=4,
)


@st.composite
def people(draw: st.DrawFn) -> Candidate:
    """Skills and roles may be named twice; years may be fractions."""
    facts: dict[str, Any] = draw(FACTS)
    facts.pop("roles")
    years = draw(st.one_of(st.none(), st.floats(0, 60)))
    country = draw(st.sampled_from([None, "FR", "BE"]))
    one = candidate(
        draw(IDS), *draw(st.lists(HELD, max_size=9)), **(facts | {"years": years, "country": country})
    )
    roles = Candidate.model_validate(one.model_dump() | {"roles": draw(ROLE_HISTORY)}).roles
    return one.model_copy(update={"roles": roles})


CHANGES = st.lists(
    st.one_of(people(), IDS, st.sampled_from(["seal", "tidy"]).map(lambda do: (do,))), max_size=24
)
"""In order: somebody new or newer, an id that is erased, or the writer's housekeeping."""


def as_kept(one: Candidate) -> Candidate:
    """What the index keeps of a candidate; said in `packing.py`."""
    return one.model_copy(
        update={
            "years": None if one.years is None else int(one.years * 10 + 0.5) / 10,
            "skills": tuple(
                held.model_copy(
                    update={
                        "years": None if held.years is None else int(held.years * 10 + 0.5) / 10,
                        "mentions": min(held.mentions, 1023),
                        "estimated": held.estimated or held.level is None,
                    }
                )
                for held in one.skills
            ),
        }
    )


def grown(changes: list[Any]) -> tuple[Index, dict[str, Candidate]]:
    """The index after these changes, and everybody as a plain dictionary."""
    index: Index = Index()
    everybody: dict[str, Candidate] = {}
    for change in changes:
        if isinstance(change, Candidate):
            index.put(change)
            everybody[change.candidate_id] = as_kept(change)
        elif isinstance(change, str):
            index.remove(change)
            everybody.pop(change, None)
        elif change == ("seal",):
            index.columns.seal()
        else:
            index.columns.tidy()
    return index, everybody


def reference(
    compiled: Plan, everybody: dict[str, Candidate], excluded: Collection[str] = ()
) -> tuple[list[tuple[Profile, Assessment]], Census]:
    """All of them, best first, and the counts: slow and obviously right."""
    profiles = [profile_of(one, compiled.model.as_of.year) for one in everybody.values()]
    scored = sorted(
        ((profile, assess(compiled, profile)) for profile in profiles),
        key=lambda pair: (-pair[1].score, pair[0].candidate_id),
    )
    musts = [at for at, asked in enumerate(compiled.asked) if asked.must]
    missed = [
        (
            {must.value for must, judge in compiled.hard if judge(profile.candidate)[0] is Fit.MISSES},
            {at for at in musts if not assessment.shown >> at & 1},
        )
        for profile, assessment in scored
    ]
    kinds = [hard | ({"skills"} if lacks and compiled.all_musts else set()) for hard, lacks in missed]
    relaxed = {must.value: kinds.count({must.value}) for must, _ in compiled.hard}
    if compiled.all_musts and musts:
        relaxed["skills"] = kinds.count({"skills"})
    pool = [lacks for hard, lacks in missed if not hard]
    census = Census(
        len(scored),
        kinds.count(set()),
        pool.count(set()),
        relaxed,
        {compiled.asked[at].skill: pool.count({at}) for at in musts},
    )
    return [pair for pair in scored if pair[0].candidate_id not in excluded], census


def same(found: Any, wanted: Any) -> None:
    assert [(one.candidate_id, assessment) for one, assessment in found] == [
        (one.candidate_id, assessment) for one, assessment in wanted
    ]
    for (one, _), (other, _) in zip(found, wanted, strict=True):
        assert one.salience == other.salience
        assert list(one.skills.items()) == list(other.skills.items())
        assert (list(one.roles.items()), one.known) == (list(other.roles.items()), other.known)


@tried
@given(CRITERIA, CHANGES, st.integers(0, 12), st.integers(0, 5), st.sets(IDS, max_size=3))
def test_the_search_is_the_reference(
    wanted: Criteria, changes: list[Any], limit: int, near_limit: int, excluded: set[str]
) -> None:
    index, everybody = grown(changes)
    compiled = plan(wanted, RARE)
    scored, census = reference(compiled, everybody, excluded)
    found = index.rank(compiled, limit=limit, near_limit=near_limit, excluded=excluded)
    same(found.listed, [pair for pair in scored if pair[1].belongs and not pair[1].misses][:limit])
    same(found.near, [pair for pair in scored if pair[1].belongs and pair[1].misses == 1][:near_limit])
    assert found.census == census == index.census(compiled)
    found = index.rank(compiled, limit=limit, near_limit=near_limit, excluded=excluded, everybody=True)
    same(found.listed, [pair for pair in scored if not pair[1].misses][:limit])


@tried
@given(CHANGES)
def test_what_is_kept_comes_back(changes: list[Any]) -> None:
    index, everybody = grown(changes)
    assert len(index) == len(everybody)
    assert set(index.profiles) == set(everybody)
    for candidate_id, one in everybody.items():
        index.judge_recency_in(2026)
        kept, wanted = index.profiles[candidate_id], profile_of(one, 2026)
        assert kept.candidate.skills == tuple(held_of(*each) for each in wanted.skills.items())
        assert kept.candidate.model_dump(exclude={"occurred_at", "skills", "contracts", "languages"}) == (
            one.model_dump(exclude={"occurred_at", "skills", "contracts", "languages"})
        )
        assert set(kept.candidate.contracts) == set(one.contracts)
        assert set(kept.candidate.languages) == set(one.languages)
        same([(kept, 0)], [(wanted, 0)])


@given(st.text(alphabet="0123456789abcdef-gG", max_size=40), st.uuids())
def test_an_id_of_another_kind_stands_where_its_text_does(text: str, other: uuid.UUID) -> None:
    if text != str(other):
        assert (str(other) > text) == (other.int >= next_uuid(text)) or next_uuid(text) == 2**128 - 1


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """Candidates as JSON, some with a field that may not be, or may be just so."""
    found = draw(people()).model_dump(mode="json", exclude_none=draw(st.booleans()))
    doubtful: dict[str, list[Any]] = {
        "revision": [1, 1.0, "1", -1, 2**63, True],
        "occurred_at": [
            "2026-11-23T09:00:00Z",
            "2026-11-23",
            5,
            "2026-13-01T00:00:00Z",
            "2026-11-23T09:00:00",
        ],
        "years": [3, "3", 61, -0.1, None, 1e400],
        "region": ["FR-IDF", "FR", "fr-idf", "FR-IDF\n", None],
        "country": ["FR", "F", "FRA", 3],
        "remote": ["full", "FULL", "", None],
        "available_from": ["2027-01-01", "2027-1-1", "2027-01-01T00:00:00", 20000],
        "contracts": [["freelance"], ["slave"], "freelance", [], None],
        "day_rate": [500, 0, 500.0, 500.5, "500"],
        "currency": ["EUR", "eur", "EURO"],
        "languages": [[{"language": "fr"}], [{"language": "FR"}], [{"language": "fr", "level": "C3"}], [{}]],
        "education": [12, 13, None, False],
        "skills": [
            [{"skill": "Python"}],
            [{"skill": "a" * 81}],
            [{"skill": "c", "level": 6}],
            [{"skill": "c-\n"}],
        ],
        "roles": [[{"role": "x", "months": 721}], [{"role": "x", "months": 3, "until": "2026-00"}], [{}]],
        "surplus": [{"deep": [1]}],
    }
    for name in draw(st.sets(st.sampled_from(sorted(doubtful)), max_size=2)):
        found[name] = draw(st.sampled_from(doubtful[name]))
    return found


class Raw:
    """A record as the reader gets it."""

    def __init__(self, key: bytes, value: bytes) -> None:
        self.key, self.value, self.headers = key, value, ()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records())
def test_what_is_read_fast_is_what_the_events_model_reads(content: dict[str, Any]) -> None:
    raw: Any = Raw(str(content["candidate_id"]).encode(), msgspec.json.encode(content))
    fast = Reader().read(raw)
    try:
        slow = decode(CANDIDATES, raw.key, raw.value, raw.headers).event
    except BadRecord:
        assert fast is None
        return
    if fast is None:
        return
    assert slow is not None
    rows = []
    for one in (fast, slow):
        packed, vocabulary = Packed(), Vocabulary()
        pack(one, packed, vocabulary)
        rows.append(
            (
                vars(packed),
                [
                    vars(codes)["values"]
                    for codes in vars(vocabulary).values()
                    if hasattr(codes, "values") and hasattr(codes, "of")
                ],
            )
        )
    assert rows[0] == rows[1]


def test_a_plain_record_is_read_fast() -> None:
    content = candidate("c1", "python", roles={"back-end-developer": 3}, region="FR-IDF").model_dump_json()
    raw: Any = Raw(b"c1", content.encode())
    assert isinstance(Reader().read(raw), LeanCandidate)

"""A published ranking can be recomputed from its record alone, and an altered record does not pass."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.audit import audit_of, differences
from services.matching.domain import Knowledge, understood
from services.matching.index import Index
from services.matching.rarity import model_of
from services.matching.scoring import plan_of
from services.matching.shortlisting import rank, shortlist_of
from services.matching.weights import Weights
from shared.events.audit import AUDIT, AuditRecord
from shared.events.candidate import Candidate
from shared.events.need import Criteria
from shared.events.wire import decode, encode
from shared.taxonomy import RoleNames, Taxonomy
from tests.matching.pieces import KNOWLEDGE, THEN, asked, candidate, criteria, held, need, shipped_catalogue
from tests.matching.test_properties import CRITERIA, RARE, pools, tried

TITLES = st.sampled_from(
    ["Wanted", "Accountant", "Full-stack-developer", "REST and Docker", "QA-engineer, Docker"]
)
"""Some name a role, or a skill."""


def recorded(
    wanted: Criteria, *pool: Candidate, knowledge: Knowledge = KNOWLEDGE, named: tuple[str, ...] = ()
) -> AuditRecord:
    """The record of ranking the pool, as it comes back from Kafka."""
    index = Index()
    index.apply((one.candidate_id, one) for one in pool)
    wanted, text = understood(wanted, None, knowledge)
    plan = plan_of(wanted, knowledge, RARE, text._replace(named=named))
    ranked = rank(index, plan, (), ())
    shortlist = shortlist_of(need("n1"), plan, ranked, None, 7, THEN)
    record = audit_of(shortlist, plan, ranked.ranking, {0: 3}, "hash")
    return decode(AUDIT, *encode(AUDIT, record, source="test")).event or record


@tried
@given(CRITERIA, pools(), TITLES)
def test_every_ranking_is_identical_when_recomputed_from_its_record(
    wanted: Criteria, pool: list[Candidate], title: str
) -> None:
    wanted = wanted.model_copy(update={"title": title})
    assert differences(recorded(wanted, *pool, named=("docker", "rest"))) == []


def test_with_the_shipped_catalogue_too() -> None:
    roles, skills = shipped_catalogue()
    knowledge = Knowledge(Taxonomy(skills, "shipped"), roles, RoleNames(roles), "shipped")
    wanted = criteria(
        asked("python", 4, must=True),
        asked("kubernetes", 3),
        asked("postgresql"),
        location={"country": "FR", "region": "FR-ARA"},
        start_by=date(2027, 1, 4),
        musts=["location"],
    )
    people = [
        candidate("c1", held("django", 5, years=6), "mysql", roles={"python-developer": 40}, region="FR-ARA"),
        candidate("c2", held("flask", None, mentions=4), held("docker", 2), roles={"data-engineer": 12}),
        candidate("c3", held("python", 2, last_used=2015), region="FR-IDF", roles={"accountant": 12}),
    ]
    record = recorded(wanted, *people, knowledge=knowledge, named=("rest", "agile"))
    assert record.shortlist.entries
    assert record.shortlist.near_misses
    assert differences(record) == []
    # Small enough to keep for 400 days: texts that no figure rests on are left out.
    assert len(record.model_dump_json()) < 120_000


ALTERED: list[tuple[str, Any]] = [
    ("candidates/0/skills/0/level", 1),
    ("shortlist/entries/0/score", 99.0),
    ("shortlist/entries/0/parts/0/points", 50.0),
    ("shortlist/entries/0/candidate_id", "c9"),
    ("criteria/skills/0/level", 5),
    ("model/weights/skills", 10.0),
    ("candidates/1/revision", 9),
    ("skills/0/implies", ["excel"]),
]


@pytest.mark.parametrize(("place", "value"), ALTERED)
def test_an_altered_record_is_found_out(place: str, value: Any) -> None:
    record = recorded(
        criteria(asked("django", 3, must=True), asked("docker", 2)),
        candidate("c1", held("django", 3), "rest"),
        candidate("c2", held("python", 3), held("docker", 4)),
    )
    assert differences(record) == []
    body = json.loads(record.model_dump_json(exclude_none=True))
    *path, last = place.split("/")
    inner: Any = body
    for step in path:
        inner = inner[int(step) if step.isdigit() else step]
    inner[int(last) if last.isdigit() else last] = value
    found = differences(AuditRecord.model_validate(body))
    assert found, place


def test_differences_name_place_and_both_values() -> None:
    record = recorded(criteria(asked("django", 3, must=True)), candidate("c1", held("django", 3)))
    entry = record.shortlist.entries[0]
    altered = record.shortlist.model_copy(update={"entries": (entry.model_copy(update={"score": 12.5}),)})
    assert differences(record.model_copy(update={"shortlist": altered})) == [
        f"entries/0/score: published 12.5, recomputed {entry.score}"
    ]


def test_other_numbers_in_the_program_are_said() -> None:
    record = recorded(criteria(asked("django")), candidate("c1", held("django", 3)))
    older = record.shortlist.model_copy(update={"weights": "1", "engine": "python-1"})
    assert differences(record.model_copy(update={"shortlist": older}))[:2] == [
        f"engine: the record says python-1, this program {record.shortlist.engine}",
        f"weights: the record says 1, this program {record.shortlist.weights}",
    ]


def test_a_model_of_other_weights_has_another_version() -> None:
    usual, other = (
        model_of({}, 0, weights, None, THEN) for weights in (Weights(), Weights(margin_percent=20))
    )
    assert usual.weights_version != other.weights_version

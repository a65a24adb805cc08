"""The compiled search is the reference where there are more candidates than it looks at together."""

import random
import uuid
from typing import Any

import pytest

from services.matching.domain import profile_of
from services.matching.index import Index
from services.matching.packing import Packed, pack
from services.matching.scoring import Assessment, Plan, assess
from shared.events.candidate import Candidate
from shared.events.need import AskedSkill, Criteria
from shared.events.vocabulary import Must
from tests.matching.pieces import ROLES, SKILLS, candidate, criteria, held, plan

PEOPLE, IN_A_BLOCK = 3000, 600
MONTHS = (3, 24, 60, 200)
UNTIL = (None, "2026-03", "2022-05", "2015-01")


def somebody(dice: random.Random) -> Candidate:
    skills = [
        held(
            name,
            dice.choice([None, 1, 2, 3, 4, 5]),
            mentions=dice.randrange(4),
            years=dice.choice([None, 2, 9]),
        )
        for name in dice.sample(sorted(SKILLS), dice.randrange(7))
    ]
    one = candidate(
        str(uuid.UUID(int=dice.getrandbits(128))),
        *skills,
        region=dice.choice(["FR-IDF", "FR-ARA", None]),
        years=dice.choice([None, 1, 4, 12]),
    )
    roles = [
        {"role": dice.choice(sorted(ROLES)), "months": dice.choice(MONTHS), "until": dice.choice(UNTIL)}
        for _ in range(dice.randrange(4))
    ]
    return Candidate.model_validate(one.model_dump() | {"roles": roles})


def needs(dice: random.Random) -> list[Criteria]:
    return [
        criteria(
            *(
                AskedSkill(skill=name, level=dice.randrange(1, 6), must=dice.random() < 0.5)
                for name in dice.sample(sorted(SKILLS), asked)
            ),
            role_id=role,
            title="",
            location={"country": "FR", "region": "FR-IDF"},
            min_years=3,
            musts=musts,
        )
        for asked, role, musts in (
            (3, "back-end-developer", ()),
            (5, "back-end-developer", (Must.LOCATION,)),
            (2, None, ()),
            (4, "data-engineer", (Must.SKILLS, Must.LOCATION)),
            (0, "data-engineer", ()),
        )
    ]


def index_of_blocks(people: list[Candidate]) -> Index:
    """All but the last few hundred in blocks with postings."""
    index = Index()
    for start in range(0, len(people), IN_A_BLOCK):
        packed = Packed()
        for one in people[start : start + IN_A_BLOCK]:
            pack(one, packed, index.columns.vocabulary)
        index.columns.put(packed)
        if start + IN_A_BLOCK < len(people):
            index.columns.seal()
    return index


def reference(compiled: Plan, people: list[Candidate]) -> list[tuple[str, Assessment]]:
    scored = [(one.candidate_id, assess(compiled, profile_of(one, 2026))) for one in people]
    return sorted(scored, key=lambda pair: (-pair[1].score, pair[0]))


@pytest.mark.parametrize("order", ["as they come", "the best first", "the best last"])
@pytest.mark.parametrize("limit", [1, 10, 60])
def test_many_candidates_are_ranked_as_one_by_one(order: str, limit: int) -> None:
    dice = random.Random(limit)
    people = [somebody(dice) for _ in range(PEOPLE)]
    for wanted in needs(dice):
        compiled = plan(wanted)
        scored = reference(compiled, people)
        if order != "as they come":
            # All that is guessed of the first block is then wrong of the others.
            place = {candidate_id: at for at, (candidate_id, _) in enumerate(scored)}
            people.sort(key=lambda one: place[one.candidate_id], reverse=order == "the best last")
        found = index_of_blocks(people).rank(compiled, limit=limit, near_limit=5)
        assert (
            as_told(found.listed)
            == [pair for pair in scored if pair[1].belongs and not pair[1].misses][:limit]
        )
        assert as_told(found.near) == [pair for pair in scored if pair[1].belongs and pair[1].misses == 1][:5]


def as_told(found: Any) -> list[tuple[str, Assessment]]:
    return [(profile.candidate_id, assessment) for profile, assessment in found]

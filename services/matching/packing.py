"""A candidate as the index keeps it: codes and bytes, exactly enough to rank and explain from.

What is kept more coarsely than it comes, here and so for everything that ranks: years to one decimal,
mentions to 1023, prices to 2^31 - 1. The time of the event is that of its revision.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from services.matching.domain import strength
from services.matching.vocabulary import (
    CONTRACT_SHIFT,
    CONTRACTS,
    EDUCATION_SHIFT,
    MOST_SUMMED,
    REMOTE_SHIFT,
    REMOTES,
    SENIORITIES,
    STATED_YEARS,
    Ints,
    PayloadKey,
    Vocabulary,
    derived_seniority,
    short_varint,
)
from services.matching.wanted import RECENT_MONTH
from shared.events.candidate import HeldSkill

MOST_MENTIONS = 1023
MOST_PRICE = 2**31 - 1

_SENIORITY = {name: at + 1 for at, name in enumerate(SENIORITIES)}
_REMOTE = {None: 0} | {name: (at + 1) << REMOTE_SHIFT for at, name in enumerate(REMOTES)}
_CONTRACT = {name: 1 << (CONTRACT_SHIFT + at) for at, name in enumerate(CONTRACTS)}


class Packed:
    """Rows on their way into the index, as columns of Python lists."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.revisions: list[int] = []
        self.rows: list[bytes] = []
        self.traits: list[int] = []
        self.places: list[int] = []
        self.years: list[int] = []
        self.days: list[int] = []
        self.prices: list[int] = []
        self.tongues: list[int] = []

    def __len__(self) -> int:
        return len(self.ids)

    def as_rows(self) -> "Rows":
        sizes = np.array([len(row) for row in self.rows], np.int64)
        numbers = (
            self.revisions, np.cumsum(sizes) - sizes, sizes, self.traits, self.places, self.years, self.days,
            self.prices, self.tongues,
        )  # fmt: skip
        return Rows(
            self.ids,
            np.frombuffer(b"".join(self.rows), np.uint8),
            *(np.asarray(column, np.int64) for column in numbers),
        )


@dataclass
class Rows:
    """Rows on their way into the index, as arrays. A row has `sizes` bytes of content, from `begins` on."""

    ids: list[str]
    content: npt.NDArray[np.uint8]
    revisions: Ints
    begins: Ints
    sizes: Ints
    traits: Ints
    places: Ints
    years: Ints
    days: Ints
    prices: Ints
    tongues: Ints

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def _numbers(self) -> tuple[Ints, ...]:
        return (
            self.revisions, self.begins, self.sizes, self.traits, self.places, self.years, self.days,
            self.prices, self.tongues,
        )  # fmt: skip

    def part(self, first: int, last: int) -> "Rows":
        """Rows `first` to `last`; they share memory."""
        return Rows(self.ids[first:last], self.content, *(column[first:last] for column in self._numbers))

    def chosen(self, which: npt.NDArray[np.bool_]) -> "Rows":
        ids = [one for one, wanted in zip(self.ids, which.tolist(), strict=True) if wanted]
        return Rows(ids, self.content, *(column[which] for column in self._numbers))

    def fill(self, at: int, candidate: Any, vocabulary: Vocabulary) -> None:
        """Make row `at` the candidate's. There must be room for its content behind all others'."""
        packed = Packed()
        pack(candidate, packed, vocabulary)
        row, begin = packed.as_rows(), int((self.begins + self.sizes).max())
        self.content[begin : begin + len(row.content)] = row.content
        self.ids[at] = row.ids[0]
        for mine, its in zip(self._numbers, row._numbers, strict=True):
            mine[at] = its[0]
        self.begins[at] = begin


def month_code(month: str | None) -> int:
    """0 for none; else twice the months from `RECENT_MONTH` on, or before it, in turns, and one more."""
    if not month:
        return 0
    away = int(month[:4]) * 12 + int(month[5:]) - RECENT_MONTH
    return 1 + (2 * away if away >= 0 else -2 * away - 1)


def tenths(years: float) -> int:
    return int(years * 10 + 0.5)


def pack(candidate: Any, into: Packed, vocabulary: Vocabulary) -> None:
    """Add a row. `candidate` is a `Candidate`, or anything with its fields as attributes."""
    row = bytearray()
    _pack_skills(candidate.skills, row, vocabulary)
    roles = candidate.roles
    row += short_varint(len(roles))
    for role in roles:
        row += vocabulary.roles.written(role.role)
        row += short_varint(role.months)
        row += short_varint(month_code(role.until))
    years = (
        tenths(candidate.years)
        if candidate.years is not None
        else min(MOST_SUMMED, STATED_YEARS + sum([role.months for role in roles]))
    )
    into.ids.append(candidate.candidate_id)
    into.revisions.append(candidate.revision)
    into.rows.append(bytes(row))
    into.years.append(years)
    into.traits.append(traits_of(candidate, years))
    into.places.append(vocabulary.places[(candidate.country, candidate.region)])
    into.days.append(vocabulary.days[candidate.available_from])
    into.prices.append(
        vocabulary.prices[
            (
                min(candidate.day_rate or 0, MOST_PRICE),
                min(candidate.salary or 0, MOST_PRICE),
                candidate.currency,
            )
        ]
    )
    into.tongues.append(tongue_code(candidate.languages, vocabulary))


def tongue_code(languages: Sequence[Any], vocabulary: Vocabulary) -> int:
    if not languages:
        return 0
    return vocabulary.tongues[tuple(sorted({(one.language, one.level or "") for one in languages}))]


def payload_key(held: Any) -> PayloadKey:
    """`held` is a `HeldSkill`, or anything with its fields as attributes."""
    years, level, mentions = held.years, held.level, held.mentions
    return (
        level or 0,
        held.estimated or not level,
        -1 if years is None else tenths(years),
        held.last_used or 0,
        mentions if mentions < MOST_MENTIONS else MOST_MENTIONS,
    )


def _pack_skills(skills: Sequence[Any], row: bytearray, vocabulary: Vocabulary) -> None:
    if len(skills) != len({held.skill for held in skills}):
        skills = list(_strongest(skills).values())
    row += short_varint(len(skills))
    for held in skills:
        row += vocabulary.skills.written(held.skill)
        row += short_varint(vocabulary.payloads[payload_key(held)])


def _strongest(skills: Sequence[Any]) -> dict[str, Any]:
    """Of several mentions of one skill the one that `profile_of` keeps, of all as they are kept here."""
    facts = [
        HeldSkill.model_construct(
            skill=held.skill,
            level=held.level,
            estimated=held.estimated or not held.level,
            years=None if held.years is None else int(held.years * 10 + 0.5) / 10,
            last_used=held.last_used,
            mentions=min(held.mentions, MOST_MENTIONS),
        )
        for held in skills
    ]
    return {held.skill: held for held in sorted(facts, key=strength)}


def traits_of(candidate: Any, years: int) -> int:
    """The bits of a candidate's traits; `years` is the code of years, asked where no seniority is stated."""
    traits = _REMOTE[candidate.remote]
    if candidate.seniority is not None:
        traits |= _SENIORITY[candidate.seniority]
    elif candidate.years is not None or candidate.roles:
        traits |= derived_seniority(years)
    for contract in candidate.contracts:
        traits |= _CONTRACT[contract]
    if candidate.education is not None:
        traits |= (candidate.education + 1) << EDUCATION_SHIFT
    return traits

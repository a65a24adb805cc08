"""What the codes of rows stand for; and what may be said of a code, whoever has it."""

from collections.abc import Hashable
from datetime import date
from functools import cache
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from services.matching.bare import maker_of
from services.matching.constraints import seniority_of
from services.matching.domain import Shown, shown_of
from services.matching.wanted import ESTIMATED_BIT, LEVEL_SHIFT
from shared.events.candidate import Candidate, HeldRole, HeldSkill
from shared.events.vocabulary import Contract, Remote, Seniority

K = TypeVar("K", bound=Hashable)

MOST_JUDGED, MOST_YEARS = 50_000, 3
"""Held skills as judged that are remembered, and of how many years."""
MOST_HELD = 5_000
"""What is known for a constraint, of so many kinds of candidates."""
STATED_YEARS = 601
"""Codes of years: 0 to 600 are stated tenths; from here on, the months of all roles where none are stated."""
MOST_SUMMED = STATED_YEARS + 12 * 60
YEAR_BITS = MOST_SUMMED.bit_length()

SENIORITIES = tuple(Seniority)
REMOTES = tuple(Remote)
CONTRACTS = tuple(Contract)
REMOTE_SHIFT, CONTRACT_SHIFT, EDUCATION_SHIFT = 3, 5, 9
TRAIT_BITS = 13
TRAITS = 1 << TRAIT_BITS
"""Traits are 13 bits: seniority 3 (0 unknown, 1-4 stated, 5-7 derived), remote 2, contracts 4, education 4.
"""
DERIVED = 4

_held_skill = maker_of(HeldSkill)
somebody: Any = Candidate.model_construct
"""A candidate of whom only the given facts are known; not even an id is needed."""

PayloadKey = tuple[int, bool, int, int, int]
"""(level or 0, estimated, tenths of years or -1, last used or 0, mentions) of a held skill."""


Sizes = tuple[int, ...]
Ints = npt.NDArray[np.int64]


class Codes(Generic[K]):
    """Values numbered as they come. Grows only, so a reader's view of it stays right while a writer adds."""

    def __init__(self, *first: K) -> None:
        self.values: list[K] = list(first)
        self.of: dict[K, int] = {value: at for at, value in enumerate(self.values)}
        self._written: dict[K, bytes] = {}

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, value: K) -> int:
        code = self.of.get(value)
        if code is None:
            code = len(self.values)
            self.values.append(value)
            self.of[value] = code
        return code

    def written(self, value: K) -> bytes:
        """The code as rows have it; for the writer, of values that are few and come often."""
        found = self._written.get(value)
        if found is None:
            found = self._written[value] = varint(self[value])
        return found


class Vocabulary:
    """What the codes stand for. One writer; readers use only codes of rows that were published to them."""

    def __init__(self) -> None:
        self.skills: Codes[str] = Codes()
        self.roles: Codes[str] = Codes("")
        """Code 0 stands for "no role is known, or for how long none"."""
        self.payloads: Codes[PayloadKey] = Codes()
        self.places: Codes[tuple[str | None, str | None]] = Codes((None, None))
        self.days: Codes[date | None] = Codes(None)
        self.prices: Codes[tuple[int, int, str]] = Codes()
        self.tongues: Codes[tuple[tuple[str, str], ...]] = Codes(())
        self.odd_ids: Codes[str] = Codes()
        """Ids that are no UUIDs in their usual form."""
        self._tables: dict[int, npt.NDArray[np.int32]] = {}
        self._judged: dict[int, Judged] = {}
        self.held: dict[tuple[str, Hashable], Any] = {}
        """For `unpacking.py`: what is known for a constraint, by kind of candidate."""
        self._order_of_roles = np.zeros(0, np.int64)

    @property
    def sizes(self) -> Sizes:
        """Changes whenever a code is added."""
        codes: tuple[Codes[Any], ...] = (
            self.skills, self.roles, self.payloads, self.places, self.days, self.prices, self.tongues,
            self.odd_ids,
        )  # fmt: skip
        return tuple([len(one) for one in codes])

    def order_of_roles(self) -> Ints:
        """By code, the place of a role in the order of ids."""
        size, known = len(self.roles), self._order_of_roles
        if len(known) < size:
            known = np.argsort(np.argsort(np.array(self.roles.values[:size])))
            self._order_of_roles = known
        return known

    def judged_in(self, year: int) -> "Judged":
        """By payload code, what was packed of a held skill as judged in that year."""
        known = self._judged.get(year)
        if known is None:
            if len(self._judged) > MOST_YEARS:
                self._judged.clear()
            known = self._judged[year] = Judged(self.payloads, year)
        return known

    def payload_table(self, year: int) -> npt.NDArray[np.int32]:
        """By payload code: level, estimated and salience as judged in `year`; see `wanted.py` for their bits.

        Each payload is judged once, whoever holds it.
        """
        known = self._tables.get(year)
        size = len(self.payloads)
        if known is None or len(known) < size:
            done = 0 if known is None else len(known)
            judged = [shown_of(_held("", key), year) for key in self.payloads.values[done:size]]
            added = np.array(
                [
                    shown.level << LEVEL_SHIFT | (ESTIMATED_BIT if shown.estimated else 0) | shown.salience
                    for shown in judged
                ],
                dtype=np.int32,
            )
            known = added if known is None else np.concatenate([known, added])
            if len(self._tables) > MOST_YEARS:
                self._tables.clear()
            self._tables[year] = known
        return known


class Judged(dict[int, Shown]):
    """Made when they are asked for; the same ones come again and again."""

    def __init__(self, payloads: Codes[PayloadKey], year: int) -> None:
        super().__init__()
        self._payloads = payloads
        self._year = year

    def __missing__(self, payload: int) -> Shown:
        if len(self) >= MOST_JUDGED:
            self.clear()
        made = self[payload] = shown_of(_held("", self._payloads.values[payload]), self._year)
        return made


def varint(number: int) -> bytes:
    """LEB128: seven bits a byte, the lowest first."""
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    parts.append(number)
    return bytes(parts)


VARINTS = [varint(number) for number in range(1 << 14)]


def short_varint(number: int) -> bytes:
    return VARINTS[number] if number < len(VARINTS) else varint(number)


def _held(skill: str, key: PayloadKey) -> HeldSkill:
    level, estimated, tenths, last_used, mentions = key
    return _held_skill(
        {
            "skill": skill,
            "level": level or None,
            "estimated": estimated,
            "years": tenths / 10 if tenths >= 0 else None,
            "last_used": last_used or None,
            "mentions": mentions,
        },
    )


@cache
def derived_seniority(years: int) -> int:
    """The code of the seniority that follows from a code of years."""
    if years < STATED_YEARS:
        likewise = somebody(years=years / 10, roles=())
    else:
        role = HeldRole.model_construct(role="", months=years - STATED_YEARS)
        likewise = somebody(roles=(role,))
    seniority, _ = seniority_of(likewise)
    return SENIORITIES.index(seniority) + 1 + DERIVED if seniority is not None else 0


@cache
def contracts_of(bits: int) -> tuple[Contract, ...]:
    return tuple(contract for at, contract in enumerate(CONTRACTS) if bits >> at & 1)

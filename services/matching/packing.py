"""A candidate as the index keeps it: codes and bytes, exactly enough to rank and explain from.

What is kept more coarsely than it comes, here and so for everything that ranks: years to one decimal,
mentions to 1023, prices to 2^31 - 1. The time of the event is that of its revision.
"""

from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from services.matching.bare import bare
from services.matching.constraints import seniority_of
from services.matching.domain import Profile, Shown, held_roles, shown_of, strength
from services.matching.wanted import ESTIMATED_BIT, LEVEL_SHIFT
from shared.events.candidate import Candidate, HeldRole, HeldSkill
from shared.events.vocabulary import Cefr, Contract, Language, Remote, Seniority

K = TypeVar("K", bound=Hashable)

MOST_MENTIONS = 1023
MOST_PRICE = 2**31 - 1
MOST_HELD = 50_000
"""Skills as unpacked that are remembered."""
STATED_YEARS = 601
"""Codes of years: 0 to 600 are stated tenths; from here on, the months of all roles where none are stated."""
MOST_SUMMED = STATED_YEARS + 12 * 60

SENIORITIES = tuple(Seniority)
REMOTES = tuple(Remote)
CONTRACTS = tuple(Contract)
REMOTE_SHIFT, CONTRACT_SHIFT, EDUCATION_SHIFT = 3, 5, 9
TRAITS = 1 << 13
"""Traits are 13 bits: seniority 3 (0 unknown, 1-4 stated, 5-7 derived), remote 2, contracts 4, education 4.
"""
_DERIVED = 4
_SENIORITY = {name: at + 1 for at, name in enumerate(SENIORITIES)}
_REMOTE = {None: 0} | {name: (at + 1) << REMOTE_SHIFT for at, name in enumerate(REMOTES)}
_CONTRACT = {name: 1 << (CONTRACT_SHIFT + at) for at, name in enumerate(CONTRACTS)}

somebody: Any = Candidate.model_construct
"""A candidate of whom only the given facts are known; not even an id is needed."""

PayloadKey = tuple[int, bool, int, int, int]
"""(level or 0, estimated, tenths of years or -1, last used or 0, mentions) of a held skill."""


Sizes = tuple[int, ...]


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
        self._held: dict[tuple[int, int, int], tuple[HeldSkill, Shown]] = {}

    @property
    def sizes(self) -> Sizes:
        """Changes whenever a code is added."""
        codes: tuple[Codes[Any], ...] = (
            self.skills, self.roles, self.payloads, self.places, self.days, self.prices, self.tongues,
            self.odd_ids,
        )  # fmt: skip
        return tuple([len(one) for one in codes])

    def held(self, skill: int, payload: int, year: int) -> tuple[HeldSkill, Shown]:
        """A held skill, and how it is compared; the same ones come again and again."""
        key = (skill, payload, year)
        known = self._held.get(key)
        if known is None:
            if len(self._held) >= MOST_HELD:
                self._held.clear()
            held = _held(self.skills.values[skill], self.payloads.values[payload])
            known = self._held[key] = (held, shown_of(held, year))
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
            if len(self._tables) > 3:
                self._tables.clear()
            self._tables[year] = known
        return known


def varint(number: int) -> bytes:
    """LEB128: seven bits a byte, the lowest first."""
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    parts.append(number)
    return bytes(parts)


_VARINTS = [varint(number) for number in range(1 << 14)]


def _varint(number: int) -> bytes:
    return _VARINTS[number] if number < len(_VARINTS) else varint(number)


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


def pack(candidate: Any, into: Packed, vocabulary: Vocabulary) -> None:
    """Add a row. `candidate` is a `Candidate`, or anything with its fields as attributes."""
    row = bytearray()
    _pack_skills(candidate.skills, row, vocabulary)
    roles = candidate.roles
    row += _varint(len(roles))
    for role in roles:
        until = role.until
        row += vocabulary.roles.written(role.role)
        row += _varint(role.months)
        row += _varint(int(until[:4]) * 12 + int(until[5:]) if until else 0)
    years = (
        int(candidate.years * 10 + 0.5)
        if candidate.years is not None
        else min(MOST_SUMMED, STATED_YEARS + sum([role.months for role in roles]))
    )
    into.ids.append(candidate.candidate_id)
    into.revisions.append(candidate.revision)
    into.rows.append(bytes(row))
    into.years.append(years)
    into.traits.append(_traits(candidate, years))
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
    spoken = candidate.languages
    into.tongues.append(
        vocabulary.tongues[tuple(sorted({(one.language, one.level or "") for one in spoken}))]
        if spoken
        else 0
    )


def _pack_skills(skills: Sequence[Any], row: bytearray, vocabulary: Vocabulary) -> None:
    name, payloads, small = vocabulary.skills.written, vocabulary.payloads, len(_VARINTS)
    known = payloads.of.get
    if len(skills) != len({held.skill for held in skills}):
        skills = list(_strongest(skills).values())
    row += _varint(len(skills))
    for held in skills:
        years, level, mentions = held.years, held.level, held.mentions
        key = (
            level or 0,
            held.estimated or not level,
            -1 if years is None else int(years * 10 + 0.5),
            held.last_used or 0,
            mentions if mentions < MOST_MENTIONS else MOST_MENTIONS,
        )
        row += name(held.skill)
        code = known(key)
        if code is None:
            code = payloads[key]
        row += _VARINTS[code] if code < small else varint(code)


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


def _traits(candidate: Any, years: int) -> int:
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


@cache
def derived_seniority(years: int) -> int:
    """The code of the seniority that follows from a code of years."""
    if years < STATED_YEARS:
        likewise = somebody(years=years / 10, roles=())
    else:
        role = HeldRole.model_construct(role="", months=years - STATED_YEARS)
        likewise = somebody(roles=(role,))
    seniority, _ = seniority_of(likewise)
    return _SENIORITY[seniority] + _DERIVED if seniority is not None else 0


class Row:
    """One row of a published block, to be unpacked."""

    __slots__ = (
        "candidate_id", "content", "day", "place", "price", "revision", "tongue", "traits", "years",
    )  # fmt: skip

    def __init__(
        self, candidate_id: str, revision: int, content: Sequence[int], codes: Sequence[int]
    ) -> None:
        self.candidate_id = candidate_id
        self.revision = revision
        self.content = content
        self.traits, self.place, self.years, self.day, self.price, self.tongue = codes


def profile(row: Row, vocabulary: Vocabulary, year: int) -> Profile:
    """The candidate of a row as compared in `year`; what `profile_of` makes of the event."""
    read = _varints(row.content)
    held = [vocabulary.held(read(), read(), year) for _ in range(read())]
    titles = vocabulary.roles.values
    roles = tuple([_held_role(titles[read()], read(), read()) for _ in range(read())])
    candidate = _unpacked(row, vocabulary, tuple([skill for skill, _ in held]), roles)
    skills = {shown.held.skill: shown for _, shown in sorted(held, key=_by_name)}
    whole = sum([shown.salience for shown in skills.values()])
    return Profile(candidate, skills, whole, *held_roles(roles, year))


def _by_name(held: tuple[HeldSkill, Shown]) -> str:
    return held[0].skill


def _unpacked(
    row: Row, vocabulary: Vocabulary, skills: tuple[HeldSkill, ...], roles: tuple[HeldRole, ...]
) -> Candidate:
    """The candidate of a row, as a shared event; its time is that of the revision."""
    country, region = vocabulary.places.values[row.place]
    day_rate, salary, currency = vocabulary.prices.values[row.price]
    seniority = row.traits & 7
    remote = row.traits >> REMOTE_SHIFT & 3
    education = row.traits >> EDUCATION_SHIFT
    return bare(
        Candidate,
        {
            "revision": row.revision,
            "occurred_at": datetime.fromtimestamp(min(row.revision, 4_000_000_000_000) / 1000, UTC),
            "candidate_id": row.candidate_id,
            "skills": skills,
            "roles": roles,
            "years": row.years / 10 if row.years < STATED_YEARS else None,
            "seniority": SENIORITIES[seniority - 1] if 0 < seniority <= _DERIVED else None,
            "country": country,
            "region": region,
            "remote": REMOTES[remote - 1] if remote else None,
            "available_from": vocabulary.days.values[row.day],
            "contracts": contracts_of(row.traits >> CONTRACT_SHIFT & 15),
            "day_rate": day_rate or None,
            "salary": salary or None,
            "currency": currency,
            "languages": _languages(vocabulary.tongues.values[row.tongue]),
            "education": education - 1 if education else None,
        },
    )


def _varints(content: Sequence[int]) -> Callable[[], int]:
    numbers: list[int] = []
    number = shift = 0
    for byte in content:
        if byte > 127:
            number |= (byte & 127) << shift
            shift += 7
        elif shift:
            numbers.append(number | byte << shift)
            number = shift = 0
        else:
            numbers.append(byte)
    return iter(numbers).__next__


def _held(skill: str, key: PayloadKey) -> HeldSkill:
    level, estimated, tenths, last_used, mentions = key
    return bare(
        HeldSkill,
        {
            "skill": skill,
            "level": level or None,
            "estimated": estimated,
            "years": tenths / 10 if tenths >= 0 else None,
            "last_used": last_used or None,
            "mentions": mentions,
        },
    )


def _held_role(role: str, months: int, until: int) -> HeldRole:
    year, month = divmod(until - 1, 12)
    return bare(
        HeldRole,
        {"role": role, "months": months, "until": f"{year:04}-{month + 1:02}" if until else None},
    )


@cache
def contracts_of(bits: int) -> tuple[Contract, ...]:
    return tuple(contract for at, contract in enumerate(CONTRACTS) if bits >> at & 1)


@cache
def _languages(tongue: tuple[tuple[str, str], ...]) -> tuple[Language, ...]:
    return tuple(
        Language.model_construct(language=language, level=Cefr(level) if level else None)
        for language, level in tongue
    )

"""Batches of candidates' records read by compiled code, from what their fragments were learned to mean.

`decoding.Reader` understands each fragment once, in a record that has nothing else; so a record read here is
one that it would have read, with the same values. What is not read here, it reads whole.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from services.matching import parsing
from services.matching.decoding import LeanCandidate, Reader
from services.matching.packing import (
    MOST_PRICE,
    Rows,
    month_code,
    payload_key,
    tenths,
    tongue_code,
    traits_of,
)
from services.matching.vocabulary import MOST_SUMMED, STATED_YEARS, Codes, Ints, Vocabulary, derived_seniority

LONGEST = 1000
"""Bytes of a fragment that is learned: what is known has to stay small, whoever wrote it."""
MOST_LEARNED = 1 << 18
"""Then all is learned anew: more than so many ways to say something do not come again and again."""
MOST_AT_ONCE = 4096
"""Fragments learned before the reading goes on."""

Fragment = tuple[int, bytes]
"""A kind, as `parsing.py` numbers them, and the text."""
_AROUND = {
    parsing.SKILL: ('"skills":[{"skill":"', '"}]'),
    parsing.HELD: ('"skills":[{"skill":"s"', "}]"),
    parsing.ROLE: ('"roles":[{"role":"', '","months":0}]'),
    parsing.UNTIL: ('"roles":[{"role":"r","months":0,"until":', "}]"),
}
"""What stands around a fragment in a record that has nothing else, where it is not a whole field."""


class Learned:
    """What fragments mean: codes of the vocabulary, or what `Batches` makes them of."""

    def __init__(self, vocabulary: Vocabulary, reader: Reader, most: int) -> None:
        self._reader = reader
        self._most = most
        self.parts: dict[int, Codes[Any]] = {
            parsing.COUNTRY: Codes(None), parsing.REGION: Codes(None), parsing.CURRENCY: Codes("EUR")
        }  # fmt: skip
        """What codes of the vocabulary are made of; numbered as they come."""
        self._meaning = _meanings(vocabulary, self.parts)
        self._forget()

    def _forget(self) -> None:
        self._number = self._end = 0
        self._slots = np.full(1 << 12, -1, np.int64)
        self._entries = np.zeros(1 << 14, np.int64)

    def tell(self, state: Ints) -> None:
        """Let the kernels know what there is, until more is learned."""
        state[[parsing.SLOTS, parsing.LAST_SLOT]] = self._slots.ctypes.data, len(self._slots) - 1
        state[parsing.ENTRIES] = self._entries.ctypes.data

    def learn(self, fragments: set[Fragment]) -> set[Fragment]:
        """Those that mean nothing."""
        if self._number + len(fragments) > self._most:
            self._forget()
        meanings = {fragment: self._meaning_of(*fragment) for fragment in sorted(fragments)}
        self._make_room(len(fragments), sum([parsing.ENTRY + (len(text) + 7) // 8 for _, text in fragments]))
        first = self._end
        for (kind, text), meaning in meanings.items():
            if meaning is None:
                continue
            words = np.frombuffer(text + bytes(-len(text) % 8), np.int64)
            entry = self._entries[self._end : self._end + parsing.ENTRY + len(words)]
            entry[: parsing.ENTRY] = 0, kind << 32 | len(text), meaning
            entry[parsing.ENTRY :] = words
            self._number += 1
            self._end += len(entry)
        self._enter(first)
        return {fragment for fragment, meaning in meanings.items() if meaning is None}

    def _meaning_of(self, kind: int, text: bytes) -> int | None:
        # An escape could hide a second name of the skill, and what is passed over may not even be UTF-8.
        if len(text) > LONGEST or b"\\" in text or not text.isascii():
            return None
        if kind == parsing.HELD and b'"skill"' in text:
            return None
        found = self._reader.parsed(_alone(kind) % text)
        return None if found is None else self._meaning[kind](found)

    def _make_room(self, number: int, size: int) -> None:
        if self._end + size > len(self._entries):
            self._entries = np.concatenate([self._entries, np.zeros(self._end + size, np.int64)])
        number += self._number
        if number * 2 > len(self._slots):
            self._slots = np.full(1 << (number * 4).bit_length(), -1, np.int64)
            self._enter(0)

    def _enter(self, first: int) -> None:
        state = np.zeros(parsing.STATE, np.int64)
        self.tell(state)
        parsing.enter(state, first, self._end)


@cache
def _alone(kind: int) -> bytes:
    """A record with a place for one fragment."""
    before, after = _AROUND.get(kind) or (f'"{parsing.FIELDS[kind]}":', "")
    start = '{"revision":0,"occurred_at":"2000-01-01T00:00:00Z","candidate_id":"",'
    return f"{start}{before}%b{after}}}".encode()


def _meanings(
    vocabulary: Vocabulary, parts: dict[int, Codes[Any]]
) -> dict[int, Callable[[LeanCandidate], int]]:
    """By kind, the meaning of a fragment in a record that has nothing else. What is not said means 0."""

    def traits(one: LeanCandidate) -> int:
        return traits_of(one, 0)

    return {
        parsing.SKILL: lambda one: vocabulary.skills[one.skills[0].skill],
        parsing.HELD: lambda one: vocabulary.payloads[payload_key(one.skills[0])],
        parsing.ROLE: lambda one: vocabulary.roles[one.roles[0].role],
        parsing.UNTIL: lambda one: month_code(one.roles[0].until),
        parsing.YEARS: lambda one: 0 if one.years is None else tenths(one.years) + 1,
        parsing.SENIORITY: traits,
        parsing.REMOTE: traits,
        parsing.CONTRACTS: traits,
        parsing.EDUCATION: traits,
        parsing.COUNTRY: lambda one: parts[parsing.COUNTRY][one.country],
        parsing.REGION: lambda one: parts[parsing.REGION][one.region],
        parsing.AVAILABLE_FROM: lambda one: vocabulary.days[one.available_from],
        parsing.DAY_RATE: lambda one: min(one.day_rate or 0, MOST_PRICE),
        parsing.SALARY: lambda one: min(one.salary or 0, MOST_PRICE),
        parsing.CURRENCY: lambda one: parts[parsing.CURRENCY][one.currency],
        parsing.LANGUAGES: lambda one: tongue_code(one.languages, vocabulary),
    }


@cache
def _derived() -> Ints:
    return np.array([derived_seniority(years) for years in range(MOST_SUMMED + 1)], np.int64)


class Batches:
    """Reads batches of records into rows, with the vocabulary's codes."""

    def __init__(self, vocabulary: Vocabulary, reader: Reader, most_learned: int = MOST_LEARNED) -> None:
        self._vocabulary = vocabulary
        self._learned = Learned(vocabulary, reader, most_learned)

    def read(self, keys: list[bytes], values: list[bytes]) -> tuple[Rows, npt.NDArray[np.bool_]]:
        """(a row for each record, which of them were read).

        A row that was not read means nothing; behind the others its content has room for the record's row.
        """
        whole = b"".join([*values, bytes(parsing.PADDING)])
        text, ends = np.frombuffer(whole, np.uint8), _ends(values)
        key_text, key_ends = np.frombuffer(b"".join([*keys, b" "]), np.uint8), _ends(keys)
        content, used = np.empty(len(whole), np.uint8), 0
        status = np.full(len(values), parsing.UNKNOWN, np.uint8)
        facts = np.zeros((len(values), parsing.FACTS), np.int64)
        notes = np.empty((MOST_AT_ONCE, parsing.NOTE), np.int64)
        state = np.zeros(parsing.STATE, np.int64)
        state[[parsing.TEXT, parsing.KEYS]] = text.ctypes.data, key_text.ctypes.data
        state[[parsing.CONTENT, parsing.NOTES]] = content.ctypes.data, notes.ctypes.data
        state[parsing.MOST_NOTES] = MOST_AT_ONCE
        while True:
            self._learned.tell(state)
            seen = np.full(len(self._vocabulary.skills), -1, np.int64)
            state[[parsing.SEEN, parsing.NOTED]] = seen.ctypes.data, 0
            used = parsing.read_records(state, ends, key_ends, status, used, facts)
            number = min(MOST_AT_ONCE, int(state[parsing.NOTED]))
            if not number:
                break
            noted = [(record, (kind, whole[at:to])) for record, kind, at, to in notes[:number].tolist()]
            refused = self._learned.learn({fragment for _, fragment in noted})
            status[[record for record, fragment in noted if fragment in refused]] = parsing.REFUSED
        facts[status != parsing.READ] = 0
        ids = [key.decode(errors="replace") for key in keys]
        return self._rows(ids, content, facts.T), status == parsing.READ

    def _rows(self, ids: list[str], content: npt.NDArray[np.uint8], facts: Ints) -> Rows:
        stated, has_roles = facts[parsing.YEARS] > 0, facts[parsing.HELD_ROLES] > 0
        summed = np.minimum(MOST_SUMMED, STATED_YEARS + facts[parsing.MONTHS])
        years = np.where(stated, facts[parsing.YEARS] - 1, summed)
        seniority = facts[parsing.SENIORITY]
        seniority = np.where((seniority == 0) & (stated | has_roles), _derived()[years], seniority)
        countries, regions, currencies = (
            self._learned.parts[kind].values for kind in (parsing.COUNTRY, parsing.REGION, parsing.CURRENCY)
        )
        places, prices = self._vocabulary.places, self._vocabulary.prices
        return Rows(
            ids=ids,
            content=content,
            revisions=facts[parsing.REVISION],
            begins=facts[parsing.BEGIN],
            sizes=facts[parsing.SIZE],
            traits=seniority | facts[parsing.REMOTE] | facts[parsing.CONTRACTS] | facts[parsing.EDUCATION],
            places=_coded(
                lambda country, region: places[countries[country], regions[region]],
                facts[parsing.COUNTRY],
                facts[parsing.REGION],
            ),
            years=years,
            days=facts[parsing.AVAILABLE_FROM],
            prices=_coded(
                lambda rate, salary, currency: prices[rate, salary, currencies[currency]],
                facts[parsing.DAY_RATE],
                facts[parsing.SALARY],
                facts[parsing.CURRENCY],
            ),
            tongues=facts[parsing.LANGUAGES],
        )


def _ends(texts: list[bytes]) -> Ints:
    ends = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)), out=ends[1:])
    return ends


def _coded(code: Callable[..., int], *parts: Ints) -> Ints:
    """The code of each row's parts (below 2^32): asked for once for all rows whose parts are alike."""
    alike = np.zeros(len(parts[0]), np.int64)
    for part in parts:
        _, first, alike = np.unique(alike << 32 | part, return_index=True, return_inverse=True)
    found = [code(*some) for some in zip(*(part[first].tolist() for part in parts), strict=True)]
    return np.array(found, np.int64)[alike]

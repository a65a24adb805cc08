# Numba decides the types of compiled code; the annotations are for the reader.
# mypy: disable-error-code="return-value,assignment,no-any-return,attr-defined,call-arg"
"""Kernels that take candidates' records apart: JSON as intake writes it, to rows and numbers.

No value is understood here but a number, a moment and the record's own id. All else is cut out as it stands
and looked up among the fragments that were understood before (see `fragments.py`): candidates differ, but
what is said of them is said again and again. A fragment is cut at the first character that could end it, so
one that is cut too early is no JSON, and is never learned. Whatever else is unusual (white space, another
order, a name that is unknown or comes twice) leaves the record to `decoding.py`.
"""

from typing import Any

import numpy as np

from services.matching.compiling import as_i64, as_u8, kernel, lowest, word_at

FIELDS = (
    "revision", "occurred_at", "candidate_id", "skills", "roles", "years", "seniority", "country", "region",
    "remote", "available_from", "contracts", "day_rate", "salary", "currency", "languages", "education",
)  # fmt: skip
(
    REVISION, OCCURRED_AT, CANDIDATE_ID, SKILLS, ROLES, YEARS, SENIORITY, COUNTRY, REGION, REMOTE,
    AVAILABLE_FROM, CONTRACTS, DAY_RATE, SALARY, CURRENCY, LANGUAGES, EDUCATION, SKILL, HELD, ROLE, UNTIL,
) = range(21)  # fmt: skip
"""Kinds of fragments: the fields' values; and a skill's name, what is said of it, a role's name, its end."""
BEGIN, SIZE, HELD_ROLES, MONTHS, FACTS = range(17, 22)
"""A record gives a number for each field, and these: where its row begins, its size, roles, their months."""
REQUIRED = 1 << REVISION | 1 << OCCURRED_AT | 1 << CANDIDATE_ID
READ, UNKNOWN, REFUSED = 0, 1, 2

(
    TEXT, KEYS, CONTENT, NOTES, MOST_NOTES, SLOTS, LAST_SLOT, ENTRIES, SEEN, RECORD, NOTED, STATE,
) = range(12)  # fmt: skip
"""What the kernels share, as addresses and numbers. `SEEN`: the last record that had each skill."""
ENTRY = 3
"""Numbers of an entry: a fragment's hash; its kind << 32 | length; what it means. Its text follows, in whole
numbers too, so that to find it and to compare it is one access to memory."""
NOTE = 4
"""Numbers of a note of a fragment that is unknown: record, kind, where it begins and ends."""
PADDING = 64
"""Bytes behind a text, so that a look ahead needs no check."""

QUOTE, COMMA, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST = (ord(char) for char in '",{}[]')
PHRASES = (*(f'{name}":' for name in FIELDS), '{"skill":"', '{"role":"', '","months":', ',"until":')
SKILL_BEGINS, ROLE_BEGINS, MONTHS_FOLLOW, UNTIL_FOLLOWS = range(len(FIELDS), len(PHRASES))
N_FIELDS = len(FIELDS)
_PHRASES = np.frombuffer("".join(PHRASES).encode(), np.uint8)
_PHRASE_ENDS = np.cumsum([0] + [len(phrase) for phrase in PHRASES])


@kernel
def _last_word(address: int, size: int) -> Any:
    """Fewer than eight bytes as a number."""
    return word_at(address) & ((np.uint64(1) << np.uint64(8 * size)) - np.uint64(1))


@kernel
def _mixed(kind: int, address: int, size: int) -> Any:
    """A hash of the fragment, of 63 bits."""
    found = np.uint64(kind + 1) * np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(size)
    while size >= 8:
        found = (found ^ word_at(address)) * np.uint64(0xBF58476D1CE4E5B9)
        found ^= found >> np.uint64(32)
        address += 8
        size -= 8
    found = (found ^ _last_word(address, size)) * np.uint64(0x94D049BB133111EB)
    return np.int64(found >> np.uint64(1))


@kernel
def _same(address: int, other: int, size: int) -> bool:
    while size >= 8:
        if word_at(address) != word_at(other):
            return False
        address += 8
        other += 8
        size -= 8
    return _last_word(address, size) == _last_word(other, size)


@kernel
def _slot(state: Any, hashed: int, kind: int, address: int, size: int) -> int:
    """Where the fragment stands among the slots, or the free slot that it belongs in."""
    last = state[LAST_SLOT]
    slots, entries = as_i64(state[SLOTS], last + 1), as_i64(state[ENTRIES], ENTRY)
    slot = (hashed ^ hashed >> 29) & last
    while slots[slot] >= 0:
        entry = slots[slot]
        if (
            entries[entry] == hashed
            and entries[entry + 1] == kind << 32 | size
            and _same(address, state[ENTRIES] + 8 * (entry + ENTRY), size)
        ):
            break
        slot = (slot + 1) & last
    return slot


@kernel
def enter(state: Any, entry: int, end: int) -> None:
    """Put the entries that stand from `entry` to `end` into the slots."""
    slots, entries = as_i64(state[SLOTS], state[LAST_SLOT] + 1), as_i64(state[ENTRIES], end)
    while entry < end:
        kind, size = entries[entry + 1] >> 32, entries[entry + 1] & 0xFFFFFFFF
        address = state[ENTRIES] + 8 * (entry + ENTRY)
        entries[entry] = _mixed(kind, address, size)
        slots[_slot(state, entries[entry], kind, address, size)] = entry
        entry += ENTRY + (size + 7) // 8


@kernel
def _look(state: Any, kind: int, at: int, to: int) -> int:
    """What the fragment means; -1 where that is not known yet, which is noted for who learns it."""
    address, size = state[TEXT] + at, to - at
    slot = _slot(state, _mixed(kind, address, size), kind, address, size)
    entry = as_i64(state[SLOTS], slot + 1)[slot]
    if entry >= 0:
        return as_i64(state[ENTRIES], entry + ENTRY)[entry + 2]
    if state[NOTED] < state[MOST_NOTES]:
        note = as_i64(state[NOTES] + 8 * NOTE * state[NOTED], NOTE)
        note[0], note[1], note[2], note[3] = state[RECORD], kind, at, to
    state[NOTED] += 1
    return -1


@kernel
def _until(text: Any, at: int, end: int, wanted: int) -> int:
    """Where the character stands next, or `end`. Eight at a time, as long as none of them is the one."""
    ones, address = np.uint64(0x0101010101010101), text.ctypes.data
    pattern = np.uint64(wanted) * ones
    while at < end:
        other = word_at(address + at) ^ pattern
        # The lowest bit set here is the highest of the first byte that is 0.
        found = (other - ones) & ~other & np.uint64(0x8080808080808080)
        if found:
            return min(end, at + np.int64(lowest(found) >> np.uint64(3)))
        at += 8
    return end


@kernel
def _value_end(text: Any, at: int, end: int) -> int:
    """Where a text, a list without lists in it, or a number ends."""
    if text[at] == QUOTE:
        return _until(text, at + 1, end, QUOTE) + 1
    if text[at] == OPEN_LIST:
        return _until(text, at + 1, end, CLOSE_LIST) + 1
    while at < end and text[at] != COMMA and text[at] != CLOSE:
        at += 1
    return at


@kernel
def _after(text: Any, at: int, phrase: int) -> int:
    """Where this one of `PHRASES` ends if it stands here, else -1."""
    for each in range(_PHRASE_ENDS[phrase], _PHRASE_ENDS[phrase + 1]):
        if text[at] != _PHRASES[each]:
            return -1
        at += 1
    return at


@kernel
def _field_at(text: Any, at: int, expected: int) -> tuple[int, int]:
    """(the field named here or -1, where its value begins). Fields mostly come in their order."""
    if text[at] == QUOTE:
        for each in range(N_FIELDS):
            field = (expected + each) % N_FIELDS
            to = _after(text, at + 1, field)
            if to >= 0:
                return field, to
    return -1, at


@kernel
def _number_at(text: Any, at: int) -> tuple[int, int]:
    """(a number of at most 18 digits, where it ends), or -1 for both."""
    begin, number = at, 0
    while 48 <= text[at] <= 57 and at - begin <= 18:
        number = number * 10 + np.int64(text[at]) - 48
        at += 1
    if at == begin or at - begin > 18 or (text[begin] == 48 and at - begin > 1):
        return -1, -1
    return number, at


@kernel
def _digits(text: Any, at: int, how_many: int) -> int:
    number = 0
    for each in range(at, at + how_many):
        if not 48 <= text[each] <= 57:
            return -1
        number = number * 10 + np.int64(text[each]) - 48
    return number


@kernel
def _after_moment(text: Any, at: int) -> int:
    """Where a moment in UTC ends, as `"2026-11-23T09:00:00.123456Z"` with or without the fraction, or -1."""
    month, day = _digits(text, at + 6, 2), _digits(text, at + 9, 2)
    longest = 28 if month == 2 else 30 + ((month + (month >> 3)) & 1)
    if (
        text[at] != QUOTE or text[at + 5] != 45 or text[at + 8] != 45 or text[at + 11] != 84
        or text[at + 14] != 58 or text[at + 17] != 58 or _digits(text, at + 1, 4) < 1900
        or not 1 <= month <= 12 or not 1 <= day <= longest or not 0 <= _digits(text, at + 12, 2) <= 23
        or not 0 <= _digits(text, at + 15, 2) <= 59 or not 0 <= _digits(text, at + 18, 2) <= 59
    ):  # fmt: skip
        return -1
    at += 20
    if text[at] == 46:
        begin = at + 1
        at = begin
        while 48 <= text[at] <= 57 and at - begin < 6:
            at += 1
        if at == begin:
            return -1
    return at + 2 if text[at] == 90 and text[at + 1] == QUOTE else -1


@kernel
def _after_id(text: Any, at: int, key: Any) -> int:
    """Where the id ends, if it is the record's key and written without an escape, else -1."""
    if text[at] != QUOTE:
        return -1
    at += 1
    for char in key:
        if text[at] != char or char < 32 or char > 126 or char in (QUOTE, 92):
            return -1
        at += 1
    return at + 1 if text[at] == QUOTE else -1


@kernel
def write_varint(number: int, content: Any, at: int) -> int:
    """As `packing.varint`; where the next one goes."""
    while number > 127:
        content[at] = number & 127 | 128
        number >>= 7
        at += 1
    content[at] = number
    return at + 1


@kernel
def _skills(state: Any, at: int, end: int, to: int) -> tuple[int, int]:
    """(where the list ends, where the row goes on), or -1 for the former."""
    text, content = as_u8(state[TEXT], end), as_u8(state[CONTENT], end)
    seen = as_i64(state[SEEN], 1)
    count, number = to, 0
    to += 1
    if text[at] != OPEN_LIST:
        return -1, to
    if text[at + 1] == CLOSE_LIST:
        at += 1
    while text[at] != CLOSE_LIST:
        begin = _after(text, at + 1, SKILL_BEGINS)
        if begin < 0 or begin >= end or number == 127:
            return -1, to
        at = _until(text, begin, end, QUOTE)
        skill = _look(state, SKILL, begin, at)
        begin = at + 1
        at = _until(text, begin, end, CLOSE) + 1
        held = _look(state, HELD, begin, at - 1)
        if skill >= 0 and held >= 0:
            if seen[skill] == state[RECORD]:
                return -1, to
            seen[skill] = state[RECORD]
            to = write_varint(held, content, write_varint(skill, content, to))
        number += 1
        if text[at] != COMMA and text[at] != CLOSE_LIST:
            return -1, to
    content[count] = number
    return at + 1, to


@kernel
def _roles(state: Any, at: int, end: int, to: int, fact: Any) -> tuple[int, int]:
    """(where the list ends, where the row goes on), or -1 for the former."""
    text, content = as_u8(state[TEXT], end), as_u8(state[CONTENT], end)
    count, number = to, 0
    to += 1
    if text[at] != OPEN_LIST:
        return -1, to
    if text[at + 1] == CLOSE_LIST:
        at += 1
    while text[at] != CLOSE_LIST:
        begin = _after(text, at + 1, ROLE_BEGINS)
        if begin < 0 or begin >= end or number == 127:
            return -1, to
        at = _until(text, begin, end, QUOTE)
        role = _look(state, ROLE, begin, at)
        months, until = -1, 0
        at = _after(text, at, MONTHS_FOLLOW)
        if at >= 0:
            months, at = _number_at(text, at)
        if not 0 <= months <= 720:
            return -1, to
        begin = _after(text, at, UNTIL_FOLLOWS)
        if begin >= 0:
            at = _value_end(text, begin, end)
            until = _look(state, UNTIL, begin, at)
        if role >= 0 and until >= 0:
            to = write_varint(until, content, write_varint(months, content, write_varint(role, content, to)))
        fact[MONTHS] += months
        number += 1
        if text[at] != CLOSE or (text[at + 1] != COMMA and text[at + 1] != CLOSE_LIST):
            return -1, to
        at += 1
    content[count] = number
    fact[HELD_ROLES] = number
    return at + 1, to


@kernel
def _record(state: Any, at: int, end: int, key: Any, to: int, fact: Any) -> int:  # noqa: PLR0912 - a case a field
    """Where the row ends, or -1 where the record is for others."""
    text, content = as_u8(state[TEXT], end), as_u8(state[CONTENT], end)
    there, field = 0, -1
    if text[at] != OPEN:
        return -1
    while True:
        field, at = _field_at(text, at + 1, field + 1)
        if field < 0 or there >> field & 1:
            return -1
        there |= 1 << field
        if field == REVISION:
            fact[REVISION], at = _number_at(text, at)
        elif field == OCCURRED_AT:
            at = _after_moment(text, at)
        elif field == CANDIDATE_ID:
            at = _after_id(text, at, key)
        elif field == SKILLS:
            at, to = _skills(state, at, end, to)
        elif field == ROLES:
            if not there >> SKILLS & 1:
                return -1
            at, to = _roles(state, at, end, to, fact)
        else:
            begin = at
            at = _value_end(text, at, end)
            fact[field] = _look(state, field, begin, at)
        if at < 0 or at >= end or (text[at] != COMMA and text[at] != CLOSE):
            return -1
        if text[at] == CLOSE:
            break
    if at + 1 != end or there & REQUIRED != REQUIRED:
        return -1
    for field in (SKILLS, ROLES):
        if not there >> field & 1:
            content[to] = 0
            to += 1
    return to


@kernel
def read_records(state: Any, ends: Any, key_ends: Any, status: Any, used: int, facts: Any) -> int:
    """Read the records whose status is UNKNOWN, until all notes are taken; how much of the content is used.

    `ends`: where each record ends in the text, after a 0; `key_ends` likewise.
    """
    keys = as_u8(state[KEYS], key_ends[-1])
    for record in range(status.size):
        if status[record] != UNKNOWN:
            continue
        if state[NOTED] >= state[MOST_NOTES]:
            break
        noted = state[NOTED]
        state[RECORD] = record
        fact = facts[record]
        fact[:] = 0
        key = keys[key_ends[record] : key_ends[record + 1]]
        to = _record(state, ends[record], ends[record + 1], key, used, fact)
        if to < 0:
            status[record] = REFUSED
            state[NOTED] = noted
        elif state[NOTED] == noted:
            status[record] = READ
            fact[BEGIN], fact[SIZE] = used, to - used
            used = to
    return used


@kernel
def gather_contents(content: Any, begins: Any, sizes: Any, into: Any, at: int) -> None:
    """Copy rows' contents one behind the other, from `at` on."""
    for row in range(begins.size):
        for byte in range(begins[row], begins[row] + sizes[row]):
            into[at] = content[byte]
            at += 1

# Numba decides the types of compiled code; the annotations are for the reader.
# mypy: disable-error-code="return-value,assignment,no-any-return,attr-defined,call-arg"
"""Kernels of the writer: which row holds an id, and rows copied from block to block."""

from typing import Any

import numpy as np

from services.matching.compiling import as_i64, as_u8, as_u16, as_u32, as_u64, kernel, lowest, varint_at

EMPTY = np.uint32(0xFFFFFFFF)
GONE = np.uint32(0xFFFFFFFE)
ODD = np.uint64(0xFFFFFFFFFFFFFFFF)
"""Stands for the first half of an id that is no UUID; the second half is then its number."""
NOBODY = 0xFFFFFFFF
STALE, NEW, NEWER = 0, 1, 2

# What a row of a table of blocks holds: sizes and addresses.
(
    ROWS, WORDS, HIGH, LOW, REVISION, START, CONTENT, TRAITS, PLACE, YEARS, DAYS, PRICES, TONGUES, ALIVE,
    TERM_START, DOCS, DENSE, BITMAPS, ROLE_TERMS, SKILL_TERMS, SEALED, CAREERS, CAREERS_NUMBER, FIELDS,
) = range(24)  # fmt: skip


@kernel
def place_of(high: Any, low: Any, size: int) -> int:
    mixed = (high ^ (low * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    # The upper half of a product spreads over any size, not only powers of two.
    return np.int64(((mixed & np.uint64(0xFFFFFFFF)) * np.uint64(size)) >> np.uint64(32))


@kernel
def probe(slots: Any, ids: Any, high: Any, low: Any) -> tuple[int, int]:
    """(slot of the id or -1, first slot that could take it)."""
    size = slots.size
    at = place_of(high, low, size)
    free = -1
    while True:
        position = slots[at]
        if position == EMPTY:
            return -1, (at if free < 0 else free)
        if position == GONE:
            if free < 0:
                free = at
        else:
            block, row = position >> np.uint32(16), position & np.uint32(0xFFFF)
            if as_u64(ids[block, 1], row + 1)[row] == low and as_u64(ids[block, 0], row + 1)[row] == high:
                return at, at
        at += 1
        if at == size:
            at = 0


@kernel
def find(slots: Any, ids: Any, high: Any, low: Any) -> int:
    """Position of an id: block << 16 | row; -1 where it is not there."""
    at, _ = probe(slots, ids, high, low)
    return np.int64(slots[at]) if at >= 0 else -1


@kernel
def upsert(
    slots: Any, ids: Any, high: Any, low: Any, revision: Any, first: int, status: Any, dead: Any
) -> tuple[int, int]:
    """Enter rows that stand at position `first` on. (Positions that died, slots newly used.)"""
    died = used = 0
    for row in range(high.size):
        position = np.int64(first + row)
        at, free = probe(slots, ids, high[row], low[row])
        if at < 0:
            if slots[free] == EMPTY:
                used += 1
            slots[free] = np.uint32(position)
            status[row] = NEW
            continue
        old = np.int64(slots[at])
        known = as_i64(ids[old >> 16, 2], (old & 0xFFFF) + 1)[old & 0xFFFF]
        if revision[row] <= known:
            status[row] = STALE
            dead[died] = position
        else:
            status[row] = NEWER
            dead[died] = old
            slots[at] = np.uint32(position)
        died += 1
    return died, used


@kernel
def forget(slots: Any, ids: Any, high: Any, low: Any) -> int:
    """Take an id out. The position it had, or -1."""
    at, _ = probe(slots, ids, high, low)
    if at < 0:
        return -1
    position = np.int64(slots[at])
    slots[at] = GONE
    return position


@kernel
def rehash(old: Any, new: Any, ids: Any) -> None:
    for at in range(old.size):
        position = old[at]
        if position not in (EMPTY, GONE):
            block, row = position >> np.uint32(16), position & np.uint32(0xFFFF)
            high = as_u64(ids[block, 0], row + 1)[row]
            low = as_u64(ids[block, 1], row + 1)[row]
            _, free = probe(new, ids, high, low)
            new[free] = position


@kernel
def moved(slots: Any, ids: Any, high: Any, low: Any, first: int) -> None:
    """The rows with these ids stand at position `first` on from now on."""
    for row in range(high.size):
        at, _ = probe(slots, ids, high[row], low[row])
        slots[at] = np.uint32(first + row)


@kernel
def measure(table: Any) -> tuple[int, int]:
    """(living rows, bytes of their contents)."""
    rows = size = 0
    for block in range(table.shape[0]):
        alive = as_u64(table[block, ALIVE], table[block, WORDS])
        start = as_u32(table[block, START], table[block, ROWS] + 1)
        for word in range(alive.size):
            bits = alive[word]
            while bits:
                row = word * 64 + np.int64(lowest(bits))
                bits &= bits - np.uint64(1)
                rows += 1
                size += start[row + 1] - start[row]
    return rows, size


@kernel
def copy_rows(
    table: Any, places: Any, high: Any, low: Any, revision: Any, start: Any, content: Any, traits: Any,
    place: Any, years: Any, days: Any, prices: Any, tongues: Any,
) -> None:  # fmt: skip
    """The rows of the table that stand at `places`, in that order, into the given arrays."""
    at = 0
    for to in range(places.size):
        block, row = places[to] >> 16, places[to] & 0xFFFF
        high[to] = as_u64(table[block, HIGH], row + 1)[row]
        low[to] = as_u64(table[block, LOW], row + 1)[row]
        revision[to] = as_i64(table[block, REVISION], row + 1)[row]
        traits[to] = as_u16(table[block, TRAITS], row + 1)[row]
        place[to] = as_u16(table[block, PLACE], row + 1)[row]
        years[to] = as_u16(table[block, YEARS], row + 1)[row]
        days[to] = as_u16(table[block, DAYS], row + 1)[row]
        prices[to] = as_u32(table[block, PRICES], row + 1)[row]
        tongues[to] = as_u32(table[block, TONGUES], row + 1)[row]
        start[to] = at
        old_start = as_u32(table[block, START], row + 2)
        old_content = as_u8(table[block, CONTENT], old_start[row + 1])
        for byte in range(old_start[row], old_start[row + 1]):
            content[at] = old_content[byte]
            at += 1
    start[places.size] = at


@kernel
def unpack(table: Any, places: Any) -> tuple[Any, Any, Any]:
    """Rows at `places` (block << 16 | row): (facts [which, 9], the numbers of all contents, where each ends).

    Facts: the two halves of the id, as signed numbers; revision; then the codes, in the order of the columns.
    """
    size = 0
    for which in range(places.size):
        block, row = places[which] >> 16, places[which] & 0xFFFF
        start = as_u32(table[block, START], row + 2)
        size += np.int64(start[row + 1]) - np.int64(start[row])
    facts = np.empty((places.size, 9), np.int64)
    numbers, ends = np.empty(size, np.int64), np.empty(places.size, np.int64)
    to = 0
    for which in range(places.size):
        block, row = places[which] >> 16, places[which] & 0xFFFF
        facts[which, 0] = as_i64(table[block, HIGH], row + 1)[row]
        facts[which, 1] = as_i64(table[block, LOW], row + 1)[row]
        facts[which, 2] = as_i64(table[block, REVISION], row + 1)[row]
        facts[which, 3] = as_u16(table[block, TRAITS], row + 1)[row]
        facts[which, 4] = as_u16(table[block, PLACE], row + 1)[row]
        facts[which, 5] = as_u16(table[block, YEARS], row + 1)[row]
        facts[which, 6] = as_u16(table[block, DAYS], row + 1)[row]
        facts[which, 7] = as_u32(table[block, PRICES], row + 1)[row]
        facts[which, 8] = as_u32(table[block, TONGUES], row + 1)[row]
        start = as_u32(table[block, START], row + 2)
        at, last = np.int64(start[row]), np.int64(start[row + 1])
        address, end = table[block, CONTENT] + at, table[block, CONTENT] + last
        while address < end:
            numbers[to], address = varint_at(address)
            to += 1
        ends[which] = to
    return facts, numbers, ends


@kernel
def parse_ids(text: Any, high: Any, low: Any, regular: Any) -> None:
    """[row, 36 ASCII bytes] to the two halves of UUIDs; `regular` only where written in the usual form."""
    for row in range(text.shape[0]):
        halves = (np.uint64(0), np.uint64(0))
        good = True
        digits = 0
        for at in range(36):
            char = text[row, at]
            if at in (8, 13, 18, 23):
                good &= char == 45
                continue
            if 48 <= char <= 57:
                digit = np.uint64(char - 48)
            elif 97 <= char <= 102:
                digit = np.uint64(char - 87)
            else:
                digit = np.uint64(0)
                good = False
            if digits < 16:
                halves = (halves[0] << np.uint64(4) | digit, halves[1])
            else:
                halves = (halves[0], halves[1] << np.uint64(4) | digit)
            digits += 1
        high[row], low[row] = halves
        regular[row] = good and halves[0] != ODD


@kernel
def living_rows(table: Any) -> Any:
    """The numbers of the living rows of the first block of a table."""
    alive = as_u64(table[0, ALIVE], table[0, WORDS])
    found = np.zeros(table[0, ROWS], np.int64)
    number = 0
    for row in range(table[0, ROWS]):
        if (alive[row >> 6] >> np.uint64(row & 63)) & np.uint64(1):
            found[number] = row
            number += 1
    return found[:number].copy()

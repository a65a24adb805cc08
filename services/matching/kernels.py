# Numba decides the types of compiled code; the annotations are for the reader.
# mypy: disable-error-code="return-value,assignment,no-any-return,attr-defined,call-arg"
"""Kernels of the writer: which row holds an id, and rows copied from block to block."""

from typing import Any

import numpy as np

from services.matching.compiling import (
    as_u32,
    as_u64,
    i64_at,
    kernel,
    put_u64,
    u32_at,
    u64_at,
    varint_at,
)
from services.matching.wanted import RECENT_MONTH

EMPTY = np.uint32(0xFFFFFFFF)
GONE = np.uint32(0xFFFFFFFE)
ODD = np.uint64(0xFFFFFFFFFFFFFFFF)
"""Stands for the first half of an id that is no UUID; the second half is then its number."""
NOBODY = 0xFFFFFFFF
STALE, NEW, NEWER = 0, 1, 2

# What a row of a table of blocks holds: sizes, addresses, and where each fact stands in a row's bits.
(
    ROWS, WORDS, HIGH, LOW, CONTENT, GROUPS, FACTS, STRIDE, LEAST_REVISION,
    TRAITS, YEARS, PLACE, DAYS, PRICES, TONGUES, START, REVISION, ALIVE,
    TERM_START, DOCS, DENSE, BITMAPS, ROLE_TERMS, SKILL_TERMS, SEALED, CAREERS, CAREERS_NUMBER, FIELDS,
) = range(28)  # fmt: skip
STORED = (TRAITS, YEARS, PLACE, DAYS, PRICES, TONGUES, START, REVISION)
"""The facts of a row, in their order: `STRIDE` bytes a row, each fact so many bits from some bit on (the
number of bits << 16 | the bit). A start is counted from that of the row's group of 64, whose are in `GROUPS`;
a revision, from the block's least."""
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@kernel
def fact_at(table: Any, block: int, fact: int, row: int) -> int:
    """One of `STORED`, as it is stored."""
    where = table[block, fact]
    return fact_in(table[block, FACTS] + row * table[block, STRIDE], where)


@kernel
def fact_in(address: int, where: int) -> int:
    """The fact that stands there in the row at an address."""
    word = u64_at(address + ((where & 0xFFFF) >> 3), 0) >> np.uint64(where & 7)
    return np.int64(word & (ALL >> np.uint64(64 - (where >> 16))))


@kernel
def year_left(until: int) -> int:
    """The year that a role ended in, of the number of its last month as it is written, which is not 0."""
    away = until - 1
    return (RECENT_MONTH + (away >> 1 ^ -(away & 1)) - 1) // 12


@kernel
def revision_at(table: Any, block: int, row: int) -> int:
    return table[block, LEAST_REVISION] + fact_at(table, block, REVISION, row)


@kernel
def start_at(table: Any, block: int, row: int) -> int:
    """Where a row's content begins in its block's; that behind the last row has a start too."""
    return u32_at(table[block, GROUPS], row >> 6) + fact_at(table, block, START, row)


@kernel
def content_at(table: Any, block: int, row: int) -> int:
    """The address of a row's content."""
    return table[block, CONTENT] + start_at(table, block, row)


@kernel
def put_fact(table: Any, fact: int, row: int, value: int) -> None:
    """Into a row of the first block, which nobody reads yet."""
    where = table[0, fact]
    address = table[0, FACTS] + row * table[0, STRIDE] + ((where & 0xFFFF) >> 3)
    shift = np.uint64(where & 7)
    mask = (ALL >> np.uint64(64 - (where >> 16))) << shift
    put_u64(address, (u64_at(address, 0) & ~mask) | np.uint64(value) << shift)


@kernel
def put_start(table: Any, row: int, start: int) -> None:
    groups = as_u32(table[0, GROUPS], (row >> 6) + 1)
    if row & 63 == 0:
        groups[row >> 6] = start
    put_fact(table, START, row, start - np.int64(groups[row >> 6]))


@kernel
def put_rows(
    table: Any, first: int, revisions: Any, sizes: Any, traits: Any, places: Any, years: Any, days: Any,
    prices: Any, tongues: Any,
) -> None:  # fmt: skip
    """Facts of rows `first` and so on of the first block, the contents' starts among them."""
    start = start_at(table, 0, first)
    for which in range(revisions.size):
        row = first + which
        put_fact(table, TRAITS, row, traits[which])
        put_fact(table, YEARS, row, years[which])
        put_fact(table, PLACE, row, places[which])
        put_fact(table, DAYS, row, days[which])
        put_fact(table, PRICES, row, prices[which])
        put_fact(table, TONGUES, row, tongues[which])
        put_fact(table, REVISION, row, revisions[which] - table[0, LEAST_REVISION])
        start += sizes[which]
        put_start(table, row + 1, start)


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
            block, row = np.int64(position) >> 16, np.int64(position) & 0xFFFF
            if u64_at(ids[block, LOW], row) == low and u64_at(ids[block, HIGH], row) == high:
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
        if revision[row] <= revision_at(ids, old >> 16, old & 0xFFFF):
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
            block, row = np.int64(position) >> 16, np.int64(position) & 0xFFFF
            high = u64_at(ids[block, HIGH], row)
            low = u64_at(ids[block, LOW], row)
            _, free = probe(new, ids, high, low)
            new[free] = position


@kernel
def moved(slots: Any, ids: Any, high: Any, low: Any, first: int) -> None:
    """The rows with these ids stand at position `first` on from now on."""
    for row in range(high.size):
        at, _ = probe(slots, ids, high[row], low[row])
        slots[at] = np.uint32(first + row)


@kernel
def survey(table: Any, places: Any) -> tuple[int, int, int, int]:
    """Of the rows at `places`, in that order: (bytes of their contents, the most that a start lies behind
    its group's, the least revision, the highest)."""
    size = behind = group = 0
    least, most = np.int64(1) << 62, np.int64(0)
    for to in range(places.size):
        block, row = places[to] >> 16, places[to] & 0xFFFF
        if to & 63 == 0:
            group = size
        behind = max(behind, size - group)
        size += start_at(table, block, row + 1) - start_at(table, block, row)
        behind = max(behind, size - group)
        revision = revision_at(table, block, row)
        least, most = min(least, revision), max(most, revision)
    return size, behind, min(least, most), most


@kernel
def copy_rows(table: Any, places: Any, into: Any) -> None:
    """The rows of the table that stand at `places`, in that order, into the first block of another."""
    high, low = as_u64(into[0, HIGH], places.size), as_u64(into[0, LOW], places.size)
    at = 0
    put_start(into, 0, 0)
    for to in range(places.size):
        block, row = places[to] >> 16, places[to] & 0xFFFF
        high[to] = u64_at(table[block, HIGH], row)
        low[to] = u64_at(table[block, LOW], row)
        for fact in (TRAITS, YEARS, PLACE, DAYS, PRICES, TONGUES):
            put_fact(into, fact, to, fact_at(table, block, fact, row))
        put_fact(into, REVISION, to, revision_at(table, block, row) - into[0, LEAST_REVISION])
        begin, end = content_at(table, block, row), content_at(table, block, row + 1)
        # Eight bytes at once: what is written too much the next row covers, or it is spare.
        for byte in range(0, end - begin, 8):
            put_u64(into[0, CONTENT] + at + byte, u64_at(begin + byte, 0))
        at += end - begin
        put_start(into, to + 1, at)


@kernel
def unpack(table: Any, places: Any) -> tuple[Any, Any, Any]:
    """Rows at `places` (block << 16 | row): (facts [which, 9], the numbers of all contents, where each ends).

    Facts: the two halves of the id, as signed numbers; revision; then the codes: traits, place, years, day,
    price, tongue.
    """
    size = 0
    for which in range(places.size):
        block, row = places[which] >> 16, places[which] & 0xFFFF
        size += start_at(table, block, row + 1) - start_at(table, block, row)
    facts = np.empty((places.size, 9), np.int64)
    numbers, ends = np.empty(size, np.int64), np.empty(places.size, np.int64)
    to = 0
    for which in range(places.size):
        block, row = places[which] >> 16, places[which] & 0xFFFF
        facts[which, 0] = i64_at(table[block, HIGH], row)
        facts[which, 1] = i64_at(table[block, LOW], row)
        facts[which, 2] = revision_at(table, block, row)
        for at, fact in enumerate((TRAITS, PLACE, YEARS, DAYS, PRICES, TONGUES)):
            facts[which, 3 + at] = fact_at(table, block, fact, row)
        address, end = content_at(table, block, row), content_at(table, block, row + 1)
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

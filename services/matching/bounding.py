# Numba decides the types of compiled code; the annotations are for the reader.
# mypy: disable-error-code="return-value,assignment,no-any-return,attr-defined,call-arg"
"""What the asked skills could add to each score at the very most, for 64 rows at once.

The skills' postings become bitmaps, and what each could add is summed in vertical counters (bit planes; one
step is `STEP` units of the plan, rounded up). Only words with a row that may get into a heap at all have a
counter: a slot each.
"""

from typing import Any, NamedTuple

import numpy as np

from services.matching.careers import bound_careers, careers_of, first_of
from services.matching.compiling import kernel, ones, u64_at
from services.matching.kernels import CAREERS_NUMBER
from services.matching.postings import ALL, gather_some, rows_in
from services.matching.sweeping import BLOCK_WORDS, Room
from services.matching.wanted import (
    ASKED,
    FLAT_BOUND,
    GROUP_FULL,
    GROUP_STEPS,
    MOST_STEPS,
    OWNER_START,
    PLANES,
    SOFT_BOUND,
    STEP,
)

PLANE = BLOCK_WORDS + 8
"""Words of a plane. Were it a power of two, the planes would drive each other out of the cache."""

Array = Any


class Bounds(NamedTuple):
    """Of a block: units that a career adds at most, by career; the careers that matter; the slot of each
    word; the words that have one; the counters [plane, slot]; a word to spare for each slot and one more."""

    units: Array
    active: Array
    slot_of: Array
    word_of: Array
    counters: Array
    spare: Array


@kernel
def bounds_of(table: Array, block: int, plan: Array, room: Room, reach: Array) -> Bounds:
    """`reach`: the score to reach for the listed, for the near."""
    units = np.zeros(table[block, CAREERS_NUMBER] + 1, np.int64)
    active, slot_of = np.empty(units.size, np.int64), np.empty(BLOCK_WORDS, np.int64)
    word_of = np.empty(BLOCK_WORDS, np.int64)
    bound_careers(table, block, plan, units)
    number, slots = _choose(table, block, plan, units, reach, room, active, slot_of, word_of)
    counters, spare = np.empty((plan[PLANES], PLANE), np.uint64), np.empty(slots + 1, np.uint64)
    bounds = Bounds(units, active[:number], slot_of, word_of[:slots], counters, spare)
    if slots:
        _sum(table, block, plan, room.shown, bounds)
    return bounds


@kernel
def _choose(
    table: Array, block: int, plan: Array, units: Array, reach: Array, room: Room, active: Array,
    slot_of: Array, word_of: Array,
) -> tuple[int, int]:  # fmt: skip
    """Give a slot to each word with a row that may reach its heap, note the `active` careers that have such.

    How many there are of (careers, slots); words with no slot have the number behind the last.
    """
    most = plan[FLAT_BOUND] + plan[SOFT_BOUND] + plan[MOST_STEPS] * plan[STEP]
    listed, near = room.listed, room.near
    careers = careers_of(table, block)
    number = slots = 0
    slot_of[:] = BLOCK_WORDS
    for which in range(careers.size - 1):
        may_list, may_near = units[which] + most >= reach[0], units[which] + most >= reach[1]
        if not may_list and not may_near:
            continue
        first, last = first_of(careers[which]), first_of(careers[which + 1])
        wanted = False
        for word in range(first >> 6, ((last - 1) >> 6) + 1):
            rows = np.uint64(0)
            if may_list:
                rows |= listed[word]
            if may_near:
                rows |= near[word]
            if rows & rows_in(word, first, last):
                wanted = True
                if slot_of[word] == BLOCK_WORDS:
                    slot_of[word] = slots
                    word_of[slots] = word
                    slots += 1
        if wanted:
            active[number] = which
            number += 1
    for word in range(BLOCK_WORDS):
        slot_of[word] = min(slot_of[word], slots)
    return number, slots


@kernel
def _sum(table: Array, block: int, plan: Array, shown: Array, bounds: Bounds) -> None:
    """Of each asked skill every row gains what its best term may add."""
    _, _, slot_of, word_of, counters, now = bounds
    slots = word_of.size
    seen, carry = np.empty(slots, np.uint64), np.empty(slots, np.uint64)
    counters[:, :slots] = 0
    most = 0
    for asked in range(plan[ASKED]):
        begin, end = plan[plan[OWNER_START] + asked], plan[plan[OWNER_START] + asked + 1]
        if begin == end or plan[plan[GROUP_STEPS] + begin] == 0:
            continue
        most += plan[plan[GROUP_STEPS] + begin]
        seen[:] = 0
        for group in range(begin, end):
            number = plan[plan[GROUP_FULL] + group]
            if number >= 0:
                rows = shown[number]
                for slot in range(slots):
                    now[slot] = rows[word_of[slot]]
            else:
                now[:] = 0
                gather_some(table, block, plan, group, slot_of, word_of, now)
            for slot in range(slots):
                gained = now[slot] & ~seen[slot]
                seen[slot] |= now[slot]
                now[slot] = gained
            _add(counters, slots, now, carry, plan[plan[GROUP_STEPS] + group], most)


@kernel
def _add(counters: Array, slots: int, bits: Array, carry: Array, amount: int, most: int) -> None:
    """Add `amount` to the counters of the rows whose bit is set; none of them is above `most` then."""
    begun = False
    plane = 0
    while most >> plane:
        counter = counters[plane]
        if amount >> plane & 1:
            if begun:
                for slot in range(slots):
                    held, mask, over = counter[slot], bits[slot], carry[slot]
                    counter[slot] = held ^ mask ^ over
                    carry[slot] = (held & mask) | (over & (held ^ mask))
            else:
                for slot in range(slots):
                    held, mask = counter[slot], bits[slot]
                    counter[slot] = held ^ mask
                    carry[slot] = held & mask
                begun = True
        elif begun:
            for slot in range(slots):
                held, over = counter[slot], carry[slot]
                counter[slot] = held ^ over
                carry[slot] = held & over
        plane += 1


@kernel
def reaching(counters: int, planes: int, slot: int, least: int) -> Any:
    """The rows of a slot whose sum is at least so many steps; `counters` is the address."""
    found, equal = np.uint64(0), ALL
    for back in range(planes):
        plane = planes - 1 - back
        counter = u64_at(counters, plane * PLANE + slot)
        if least >> plane & 1:
            equal &= counter
        else:
            found |= equal & counter
            equal &= ~counter
    return found | equal


@kernel
def steps_of(counters: int, planes: int, slot: int, bit: int) -> int:
    """The sum of one row."""
    steps = np.uint64(0)
    for plane in range(planes):
        counter = u64_at(counters, plane * PLANE + slot)
        steps |= ((counter >> np.uint64(bit)) & np.uint64(1)) << np.uint64(plane)
    return np.int64(steps)


@kernel
def cut(plan: Array, bounds: Bounds, among: Array, wanted: int) -> int:
    """The highest sum that at least so many of the rows `among` reach, or 0; `among` is used up."""
    found = 0
    left = wanted
    slots, counters = bounds.word_of.size, bounds.counters
    for back in range(plan[PLANES]):
        plane = plan[PLANES] - 1 - back
        counter = counters[plane]
        number = 0
        for slot in range(slots):
            number += np.int64(ones(among[slot] & counter[slot]))
        if number >= left:
            found |= 1 << plane
            for slot in range(slots):
                among[slot] &= counter[slot]
        else:
            left -= number
            for slot in range(slots):
                among[slot] &= ~counter[slot]
    return found

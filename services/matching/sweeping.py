# Numba decides the types of compiled code; the annotations are for the reader.
# mypy: disable-error-code="return-value,assignment,no-any-return,attr-defined,call-arg"
"""The compiled sweep over the rows of a block: who is eligible, who nearly so, and the counts."""

from typing import Any, NamedTuple

import numpy as np

from services.matching.compiling import (
    address_of,
    as_u64,
    kernel,
    ones,
    u8_at,
    varint_at,
)
from services.matching.kernels import (
    ALIVE,
    FACTS,
    ROWS,
    SEALED,
    STRIDE,
    WORDS,
    content_at,
    fact_in,
)
from services.matching.postings import gather, gather_family
from services.matching.wanted import (
    ALL_MUSTS,
    ASKED,
    CREDIT,
    CREDIT_ASKED,
    CREDIT_START,
    EVERYBODY,
    FAMILY,
    FULL_GROUPS,
    GROUP_FULL,
    HARD,
    HARD_COLUMN,
    HARD_START,
    MUSTS,
    OWNER_START,
    ROLES,
    SKILLS,
    TOUCH_OF,
)

BLOCK_WORDS = 1024
PPM = 1_000_000

Array = Any


class Room(NamedTuple):
    """Bits by word of a block: of the rows shown by full group, by asked skill; missing by constraint; ..."""

    shown: Array
    full: Array
    missing: Array
    family: Array
    listed: Array
    near: Array


@kernel
def room_for(plan: Array) -> Room:
    return Room(
        np.empty((plan[FULL_GROUPS] + 1, BLOCK_WORDS), np.uint64),
        np.empty((plan[ASKED] + 1, BLOCK_WORDS), np.uint64),
        np.empty((plan[HARD] + 1, BLOCK_WORDS), np.uint64),
        np.empty(BLOCK_WORDS, np.uint64),
        np.empty(BLOCK_WORDS, np.uint64),
        np.empty(BLOCK_WORDS, np.uint64),
    )


@kernel
def count(table: Array, plan: Array, misses: Array, census: Array) -> None:
    """The counts alone: see `admit`."""
    room = room_for(plan)
    for block in range(table.shape[0]):
        admit(table, block, plan, misses, room, census)


@kernel
def admit(table: Array, block: int, plan: Array, misses: Array, room: Room, census: Array) -> None:
    """Find the `listed` and the `near` of a block, and add to the census.

    Census: alive, eligible, covering, relaxed of skills, by hard constraint, without by skill.
    """
    words = table[block, WORDS]
    room.full[:, :words] = 0
    room.family[:words] = 0
    if table[block, SEALED]:
        _look_up(table, block, plan, words, room.shown, room.full, room.family)
    else:
        _show(table, block, plan, room.full, room.family)
    for which in range(plan[HARD]):
        _miss(table, block, plan, misses, which, room.missing)
    _admit(table, block, plan, words, room, census)


@kernel
def _look_up(
    table: Array, block: int, plan: Array, words: int, shown: Array, full: Array, family: Array
) -> None:
    for asked in range(plan[ASKED]):
        into = full[asked]
        for group in range(plan[plan[OWNER_START] + asked], plan[plan[OWNER_START] + asked + 1]):
            number = plan[plan[GROUP_FULL] + group]
            if number >= 0:
                rows = shown[number]
                rows[:words] = 0
                gather(table, block, plan, group, rows)
                for word in range(words):
                    into[word] |= rows[word]
    gather_family(table, block, plan, family)


@kernel
def _show(table: Array, block: int, plan: Array, full: Array, family: Array) -> None:
    """As the postings would say, for rows that have none yet."""
    rows = table[block, ROWS]
    alive = as_u64(table[block, ALIVE], table[block, WORDS])
    for row in range(rows):
        word, bit = row >> 6, np.uint64(1) << np.uint64(row & 63)
        if not alive[word] & bit:
            continue
        number, at = varint_at(content_at(table, block, row))
        for _ in range(number):
            skill, at = varint_at(at)
            _, at = varint_at(at)
            touch = plan[plan[TOUCH_OF] + skill] if skill < plan[SKILLS] else 0
            if touch:
                for each in range(plan[plan[CREDIT_START] + touch], plan[plan[CREDIT_START] + touch + 1]):
                    if plan[plan[CREDIT] + each] == PPM:
                        full[plan[plan[CREDIT_ASKED] + each], word] |= bit
        number, at = varint_at(at)
        for _ in range(number):
            role, at = varint_at(at)
            _, at = varint_at(at)
            _, at = varint_at(at)
            if role < plan[ROLES] and plan[plan[FAMILY] + role]:
                family[word] |= bit


@kernel
def _miss(table: Array, block: int, plan: Array, misses: Array, which: int, missing: Array) -> None:
    """The rows that miss a hard constraint, by its column's codes."""
    where = table[block, plan[plan[HARD_COLUMN] + which]]
    address, stride = table[block, FACTS], table[block, STRIDE]
    by_code = address_of(misses) + plan[plan[HARD_START] + which]
    rows, into = table[block, ROWS], missing[which]
    for word in range(table[block, WORDS]):
        bits = np.uint64(0)
        for bit in range(min(64, rows - word * 64)):
            bits |= np.uint64(u8_at(by_code, fact_in(address, where))) << np.uint64(bit)
            address += stride
        into[word] = bits


@kernel
def _admit(table: Array, block: int, plan: Array, words: int, room: Room, census: Array) -> None:
    _, full, missing, family, listed, near = room
    number, hard = plan[ASKED], plan[HARD]
    alive = as_u64(table[block, ALIVE], words)
    for word in range(words):
        living = alive[word]
        missed = missed_more = np.uint64(0)
        for which in range(hard):
            missed_more |= missed & missing[which, word]
            missed |= missing[which, word]
        lacking = lacking_more = np.uint64(0)
        belongs = family[word]
        for asked in range(number):
            belongs |= full[asked, word]
            if plan[plan[MUSTS] + asked]:
                lacking_more |= lacking & ~full[asked, word]
                lacking |= ~full[asked, word]
        pool = living & ~missed
        census[0] += ones(living)
        census[2] += ones(pool & ~lacking)
        one_lacking = pool & lacking & ~lacking_more
        if one_lacking:
            for asked in range(number):
                if plan[plan[MUSTS] + asked]:
                    census[4 + hard + asked] += ones(one_lacking & ~full[asked, word])
        one_missed = living & missed & ~missed_more
        nearly = one_missed
        if plan[ALL_MUSTS]:
            census[3] += ones(pool & lacking)
            one_missed &= ~lacking
            nearly = one_missed | one_lacking
            pool &= ~lacking
        for which in range(hard):
            census[4 + which] += ones(one_missed & missing[which, word])
        census[1] += ones(pool)
        listed[word] = pool if plan[EVERYBODY] else pool & belongs
        near[word] = nearly & belongs

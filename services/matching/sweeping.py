# Numba decides the types of compiled code; the annotations are for the reader.
# mypy: disable-error-code="return-value,assignment,no-any-return,attr-defined,call-arg"
"""The compiled sweep over all blocks: who is eligible or nearly so, the counts, and a bound on each score.

For each block of rows the asked skills' and roles' postings become bitmaps, and what each could add at most
is summed for 64 rows at once, in vertical counters (bit planes; one step is `wanted.STEP` units, rounded
up).
"""

from typing import Any

import numpy as np

from services.matching.compiling import as_u8, as_u16, as_u32, as_u64, kernel, ones, varint_at
from services.matching.kernels import (
    ALIVE,
    CONTENT,
    PRICES,
    ROWS,
    SEALED,
    START,
    TONGUES,
    WORDS,
)
from services.matching.postings import gather, gather_role
from services.matching.wanted import (
    ALL_MUSTS,
    ASKED,
    CREDIT,
    CREDIT_ASKED,
    CREDIT_START,
    EVERYBODY,
    FAMILY,
    GROUP_FULL,
    GROUP_START,
    GROUP_STEPS,
    HARD,
    HARD_COLUMN,
    HARD_START,
    MUSTS,
    OWNER_START,
    OWNER_TWICE,
    OWNERS,
    ROLES,
    SKILLS,
    TERM,
    TERM_COUNT,
    TERM_SKILL,
    TOUCH_OF,
)

PLANES = 9
OVER = PLANES
"""The plane of those whose sum does not fit the counter: their bound is everything."""
MOST_STEPS = (1 << PLANES) - 1
BLOCK_WORDS = 1024
PPM = 1_000_000
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)

Array = Any


@kernel
def sweep(
    table: Array, plan: Array, misses: Array, planes: Array, listed: Array, near: Array, census: Array
) -> None:
    """Who is eligible, near, and bounded by what. `census`: see `_admit`; `planes`: [block, plane, word]."""
    number, hard = plan[ASKED], plan[HARD]
    full = np.zeros((number + 1, BLOCK_WORDS), np.uint64)
    missing = np.zeros((hard + 1, BLOCK_WORDS), np.uint64)
    room = np.zeros((4, BLOCK_WORDS), np.uint64)
    family = np.zeros(BLOCK_WORDS, np.uint64)
    first = 0
    for block in range(table.shape[0]):
        words = table[block, WORDS]
        full[:, :words] = 0
        family[:words] = 0
        counters = planes[block]
        if table[block, SEALED]:
            counters[:, :words] = 0
            _bound(table, block, plan, counters, words, full, family, room)
        else:
            counters[:, :words] = ALL
            _show(table, block, plan, full, family)
        for which in range(hard):
            _miss(table, block, plan, misses, which, missing)
        _admit(table, block, plan, first, words, full, family, missing, listed, near, census)
        first += words


@kernel
def _bound(
    table: Array, block: int, plan: Array, counters: Array, words: int, full: Array, family: Array,
    room: Array,
) -> None:  # fmt: skip
    """Of each owner (an asked skill, titles, experience) every row gains what its best term may add."""
    seen, twice, now, carry = room[0], room[1], room[2], room[3]
    asked = plan[ASKED]
    most = 0
    for owner in range(plan[OWNERS]):
        begin, end = plan[plan[OWNER_START] + owner], plan[plan[OWNER_START] + owner + 1]
        again = plan[plan[OWNER_TWICE] + owner]
        seen[:words] = 0
        twice[:words] = 0
        if end > begin:
            most += plan[plan[GROUP_STEPS] + begin] + again
        for group in range(begin, end):
            now[:words] = 0
            gather(
                table, block, plan, plan[TERM_SKILL], plan[TERM], plan[TERM_COUNT],
                plan[plan[GROUP_START] + group], plan[plan[GROUP_START] + group + 1], now,
            )  # fmt: skip
            if owner < asked and plan[plan[GROUP_FULL] + group]:
                into = full[owner]
                for word in range(words):
                    into[word] |= now[word]
            if again:
                for word in range(words):
                    twice[word] |= now[word] & seen[word]
            for word in range(words):
                gained = now[word] & ~seen[word]
                seen[word] |= now[word]
                now[word] = gained
            _add(counters, words, now, carry, plan[plan[GROUP_STEPS] + group], most)
        if again:
            _add(counters, words, twice, carry, again, most)
    for role in range(plan[ROLES]):
        if plan[plan[FAMILY] + role]:
            gather_role(table, block, role, family)


@kernel
def _add(counters: Array, words: int, bits: Array, carry: Array, amount: int, most: int) -> None:
    """Add `amount` to the counters of the rows whose bit is set; none of them is above `most` then."""
    begun = False
    for plane in range(PLANES):
        counter = counters[plane]
        if amount >> plane & 1:
            if begun:
                for word in range(words):
                    held, mask, over = counter[word], bits[word], carry[word]
                    counter[word] = held ^ mask ^ over
                    carry[word] = (held & mask) | (over & (held ^ mask))
            else:
                for word in range(words):
                    held, mask = counter[word], bits[word]
                    counter[word] = held ^ mask
                    carry[word] = held & mask
                begun = True
        elif begun:
            if most >> plane == 0:
                return
            for word in range(words):
                held, over = counter[word], carry[word]
                counter[word] = held ^ over
                carry[word] = held & over
    if begun and most > MOST_STEPS:
        for word in range(words):
            counters[OVER, word] |= carry[word]


@kernel
def _show(table: Array, block: int, plan: Array, full: Array, family: Array) -> None:
    """As the postings would say, for rows that have none yet."""
    rows = table[block, ROWS]
    alive = as_u64(table[block, ALIVE], table[block, WORDS])
    start = as_u32(table[block, START], rows + 1)
    content = as_u8(table[block, CONTENT], start[rows])
    for row in range(rows):
        word, bit = row >> 6, np.uint64(1) << np.uint64(row & 63)
        if not alive[word] & bit:
            continue
        at = np.int64(start[row])
        number, at = varint_at(content, at)
        for _ in range(number):
            skill, at = varint_at(content, at)
            _, at = varint_at(content, at)
            touch = plan[plan[TOUCH_OF] + skill] if skill < plan[SKILLS] else 0
            if touch:
                for each in range(plan[plan[CREDIT_START] + touch], plan[plan[CREDIT_START] + touch + 1]):
                    if plan[plan[CREDIT] + each] == PPM:
                        full[plan[plan[CREDIT_ASKED] + each], word] |= bit
        number, at = varint_at(content, at)
        for _ in range(number):
            role, at = varint_at(content, at)
            _, at = varint_at(content, at)
            _, at = varint_at(content, at)
            if role < plan[ROLES] and plan[plan[FAMILY] + role]:
                family[word] |= bit


@kernel
def _miss(table: Array, block: int, plan: Array, misses: Array, which: int, missing: Array) -> None:
    """The rows that miss a hard constraint, by its column's codes."""
    column = plan[plan[HARD_COLUMN] + which]
    rows = table[block, ROWS]
    by_code = misses[plan[plan[HARD_START] + which] :]
    if column in (PRICES, TONGUES):
        _miss_u32(as_u32(table[block, column], rows), by_code, missing[which])
    else:
        _miss_u16(as_u16(table[block, column], rows), by_code, missing[which])


@kernel
def _miss_u32(codes: Array, misses: Array, into: Array) -> None:
    for word in range((codes.size + 63) >> 6):
        bits = np.uint64(0)
        for bit in range(min(64, codes.size - word * 64)):
            bits |= np.uint64(misses[codes[word * 64 + bit]]) << np.uint64(bit)
        into[word] = bits


@kernel
def _miss_u16(codes: Array, misses: Array, into: Array) -> None:
    for word in range((codes.size + 63) >> 6):
        bits = np.uint64(0)
        for bit in range(min(64, codes.size - word * 64)):
            bits |= np.uint64(misses[codes[word * 64 + bit]]) << np.uint64(bit)
        into[word] = bits


@kernel
def _admit(
    table: Array, block: int, plan: Array, first: int, words: int, full: Array, family: Array,
    missing: Array, listed: Array, near: Array, census: Array,
) -> None:  # fmt: skip
    """Census: alive, eligible, covering, relaxed of skills, by hard constraint, without by skill."""
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
        listed[first + word] = pool if plan[EVERYBODY] else pool & belongs
        near[first + word] = nearly & belongs

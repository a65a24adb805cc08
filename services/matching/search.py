# Numba decides the types of compiled code; the annotations are for the reader.
# mypy: disable-error-code="return-value,assignment,no-any-return,attr-defined,call-arg"
"""The compiled search: every candidate is bounded, a few are scored, and the best are exactly the best.

For each block of rows the asked skills' and roles' postings become bitmaps, and what each could add at most
is summed for 64 rows at once, in vertical counters (bit planes; one step is `wanted.STEP` units, rounded
up). The highest bounds are scored first; then only those whose bound reaches the last listed score.
"""

from typing import Any

import numpy as np

from services.matching.assessing import CREDITS, assess_row, soft_units
from services.matching.compiling import as_u8, as_u16, as_u32, as_u64, kernel, lowest, ones, varint_at
from services.matching.kernels import (
    ALIVE,
    CONTENT,
    HIGH,
    LOW,
    ODD,
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
    FLAT_BOUND,
    GROUP_FULL,
    GROUP_START,
    GROUP_STEPS,
    HARD,
    HARD_COLUMN,
    HARD_START,
    MUSTS,
    ODD_HIGH,
    ODD_LOW,
    ODD_RANK,
    OWNER_START,
    OWNER_TWICE,
    OWNERS,
    ROLES,
    SHEET_PARTS,
    SKILLS,
    SOFT_BOUND,
    STEP,
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
FIRST_SCORED = 512
"""How many of the highest bounds are scored before a score to reach is known; at least."""
BATCH = 256
"""Rows that are looked at together."""

Array = Any


@kernel
def search(
    table: Array, plan: Array, misses: Array, payload: Array, planes: Array, listed: Array, near: Array,
    spare: Array, census: Array, scores: Array, keys: Array, places: Array, near_scores: Array,
    near_keys: Array, near_places: Array,
) -> tuple[int, int]:  # fmt: skip
    """Fills the heaps (`scores`, `keys`, `places`) of the listed and the near; how many each holds."""
    sweep(table, plan, misses, planes, listed, near, census)
    found = best(table, plan, payload, planes, listed, spare, scores, keys, places)
    nearly = best(table, plan, payload, planes, near, spare, near_scores, near_keys, near_places)
    return found, nearly


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


@kernel
def best(
    table: Array, plan: Array, payload: Array, planes: Array, chosen: Array, spare: Array, scores: Array,
    keys: Array, places: Array,
) -> int:  # fmt: skip
    """The best of the `chosen` rows, as a heap whose first is the last listed. Clears `chosen`."""
    limit = scores.size
    if limit == 0:
        return 0
    work = np.zeros(CREDITS + 2 * plan[ASKED] + plan[SHEET_PARTS], np.int64)
    held = 0
    # First rows without postings, as nothing bounds them; then the highest bounds; then who may reach that.
    cut = _cut(table, planes, chosen, spare, max(FIRST_SCORED, 2 * limit))
    for phase in range(3):
        first = 0
        for block in range(table.shape[0]):
            if (table[block, SEALED] == 0) == (phase == 0):
                least = cut if phase == 1 else 0
                held = _score(
                    table, plan, payload, block, planes[block], first, chosen, spare, least, held, scores,
                    keys, places, work,
                )  # fmt: skip
            first += table[block, WORDS]
    return held


@kernel
def _cut(table: Array, planes: Array, chosen: Array, spare: Array, wanted: int) -> int:
    """The highest bound, in steps, that at least so many of the `chosen` reach; 0 where they are fewer."""
    cut = 0
    left = np.int64(wanted)
    spare[:] = chosen
    for back in range(PLANES + 1):
        plane = PLANES - back
        count = np.int64(0)
        first = 0
        for block in range(table.shape[0]):
            words = table[block, WORDS]
            if table[block, SEALED]:
                counter = planes[block, plane]
                for word in range(words):
                    count += np.int64(ones(spare[first + word] & counter[word]))
            first += words
        enough = count >= left
        if enough:
            cut |= 1 << plane
        else:
            left -= count
        first = 0
        for block in range(table.shape[0]):
            words = table[block, WORDS]
            counter = planes[block, plane]
            for word in range(words):
                mask = counter[word] if enough else ~counter[word]
                spare[first + word] &= mask
            first += words
    return cut


@kernel
def _reaching(counters: Array, words: int, least: int, among: Array, into: Array) -> None:
    """Those `among` the rows whose bound is at least so many steps."""
    into[:words] = 0
    equal = np.full(words, ALL)
    for back in range(PLANES + 1):
        plane = PLANES - back
        counter = counters[plane]
        if least >> plane & 1:
            for word in range(words):
                equal[word] &= counter[word]
        else:
            for word in range(words):
                into[word] |= equal[word] & counter[word]
                equal[word] &= ~counter[word]
    for word in range(words):
        into[word] = (into[word] | equal[word]) & among[word]


@kernel
def _steps_to_reach(plan: Array, score: int, soft: int) -> int:
    """The least bound with which a row may still reach `score`, its constraints being worth `soft`."""
    steps = max(0, -((plan[FLAT_BOUND] + soft - score) // plan[STEP]))
    # Beyond what a counter holds, only those that overflowed may be so good.
    return steps if steps <= MOST_STEPS else 1 << PLANES


@kernel
def _score(
    table: Array, plan: Array, payload: Array, block: int, counters: Array, first: int, chosen: Array,
    spare: Array, least: int, held: int, scores: Array, keys: Array, places: Array, work: Array,
) -> int:  # fmt: skip
    """Score those of a block whose bound reaches `least` steps and the heap's last score."""
    rows, words = table[block, ROWS], table[block, WORDS]
    high, low = as_u64(table[block, HIGH], rows), as_u64(table[block, LOW], rows)
    if held == scores.size:
        least = max(least, _steps_to_reach(plan, scores[0], plan[SOFT_BOUND]))
    among, reaching = chosen[first : first + words], spare[first : first + words]
    _reaching(counters, words, least, among, reaching)
    start = as_u32(table[block, START], rows + 1)
    content = as_u8(table[block, CONTENT], start[rows])
    found = np.empty(BATCH + 64, np.int64)
    worth = np.empty(BATCH + 64, np.int64)
    number = 0
    for word in range(words):
        left = reaching[word]
        among[word] &= ~left
        while left:
            found[number] = word * 64 + np.int64(lowest(left))
            left &= left - np.uint64(1)
            number += 1
        if number < BATCH and word < words - 1:
            continue
        # Rows are far apart in memory. Loops that do one thing let the processor fetch many at once.
        number = _promising(
            table, plan, block, counters, found, worth, number, scores[0] if held == scores.size else 0
        )
        touched = 0
        for at in range(number):
            touched += np.int64(content[start[found[at]]]) + np.int64(content[start[found[at] + 1] - 1])
        work[0] = touched
        for at in range(number):
            row = found[at]
            score = worth[at] + assess_row(plan, payload, content, np.int64(start[row]), work)
            if held < scores.size or score >= scores[0]:
                key = _key(high[row], low[row], plan)
                held = _enter(scores, keys, places, held, score, key, block << 16 | row)
        number = 0
    return held


@kernel
def _promising(
    table: Array, plan: Array, block: int, counters: Array, found: Array, worth: Array, number: int,
    score: int,
) -> int:  # fmt: skip
    """Keep of the rows `found` those that may reach `score`; `worth` is what their constraints are worth."""
    for at in range(number):
        worth[at] = soft_units(table, plan, block, found[at])
    kept = 0
    for at in range(number):
        row = found[at]
        steps = 0
        for plane in range(PLANES + 1):
            bit = (counters[plane, row >> 6] >> np.uint64(row & 63)) & np.uint64(1)
            steps |= np.int64(bit) << plane
        if steps >= _steps_to_reach(plan, score, worth[at]):
            found[kept], worth[kept] = row, worth[at]
            kept += 1
    return kept


@kernel
def _key(high: Any, low: Any, plan: Array) -> Any:
    """(two halves, rank): ascending as the ids' text is."""
    if high != ODD:
        return high, low, ALL
    at = np.int64(low)
    return (
        np.uint64(plan[plan[ODD_HIGH] + at]),
        np.uint64(plan[plan[ODD_LOW] + at]),
        np.uint64(plan[plan[ODD_RANK] + at]),
    )


@kernel
def _worse(score: int, key: Any, other: int, other_key: Any) -> bool:
    """Whether the first stands below the other."""
    if score != other:
        return score < other
    for part in range(3):
        if key[part] != other_key[part]:
            return key[part] > other_key[part]
    return False


@kernel
def _enter(scores: Array, keys: Array, places: Array, held: int, score: int, key: Any, place: int) -> int:
    """Put into the heap whose first is the worst; where it is full, in place of that one if better."""
    if held < scores.size:
        at = held
        held += 1
        while at:
            above = (at - 1) >> 1
            if not _worse(score, key, scores[above], _key_at(keys, above)):
                break
            _move(scores, keys, places, above, at)
            at = above
    else:
        if not _worse(scores[0], _key_at(keys, 0), score, key):
            return held
        at = 0
        while True:
            below = 2 * at + 1
            if below >= held:
                break
            right = below + 1
            if right < held and _worse(
                scores[right], _key_at(keys, right), scores[below], _key_at(keys, below)
            ):
                below = right
            if not _worse(scores[below], _key_at(keys, below), score, key):
                break
            _move(scores, keys, places, below, at)
            at = below
    scores[at] = score
    places[at] = place
    keys[at, 0], keys[at, 1], keys[at, 2] = key
    return held


@kernel
def _key_at(keys: Array, at: int) -> Any:
    return keys[at, 0], keys[at, 1], keys[at, 2]


@kernel
def _move(scores: Array, keys: Array, places: Array, source: int, to: int) -> None:
    scores[to] = scores[source]
    places[to] = places[source]
    keys[to, 0], keys[to, 1], keys[to, 2] = keys[source, 0], keys[source, 1], keys[source, 2]

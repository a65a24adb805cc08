# Numba decides the types of compiled code; the annotations are for the reader.
# mypy: disable-error-code="return-value,assignment,no-any-return,attr-defined,call-arg"
"""The compiled search: every candidate is bounded, a few are scored, and the best are exactly the best.

The highest bounds are scored first; then only those whose bound reaches the last listed score.
"""

from typing import Any

import numpy as np

from services.matching.assessing import CREDITS, assess_row, soft_units
from services.matching.compiling import as_u8, as_u32, as_u64, kernel, lowest, ones
from services.matching.heaps import enter, key_of
from services.matching.kernels import (
    CONTENT,
    HIGH,
    LOW,
    ROWS,
    SEALED,
    START,
    WORDS,
)
from services.matching.sweeping import ALL, MOST_STEPS, PLANES, sweep
from services.matching.wanted import (
    ASKED,
    FLAT_BOUND,
    SHEET_PARTS,
    SOFT_BOUND,
    STEP,
)

FIRST_SCORED = 64
"""So many of the highest bounds, and four times as many as are wanted, are scored before anything is
known of the score to reach."""
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
    # First rows without postings, as nothing bounds them; then the highest bounds; then, by and by, all that
    # may reach the last score that is listed so far. It rises on the way, and so fewer are scored than if
    # all went at once.
    held = _round(table, plan, payload, planes, chosen, spare, 0, 0, held, scores, keys, places, work)
    least = _cut(table, planes, chosen, spare, 4 * limit + FIRST_SCORED)
    while True:
        held = _round(table, plan, payload, planes, chosen, spare, 1, least, held, scores, keys, places, work)
        reach = _steps_to_reach(plan, scores[0], plan[SOFT_BOUND]) if held == limit else 0
        if least <= reach:
            break
        least = reach + (least - reach) // 4
    return held


@kernel
def _round(
    table: Array, plan: Array, payload: Array, planes: Array, chosen: Array, spare: Array, sealed: int,
    least: int, held: int, scores: Array, keys: Array, places: Array, work: Array,
) -> int:  # fmt: skip
    """Score those of the blocks that are sealed, or not, whose bound reaches `least` steps."""
    first = 0
    for block in range(table.shape[0]):
        if table[block, SEALED] == sealed:
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
                key = key_of(high[row], low[row], plan)
                held = enter(scores, keys, places, held, score, key, block << 16 | row)
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

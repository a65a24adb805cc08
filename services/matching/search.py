# Numba decides the types of compiled code; the annotations are for the reader.
# mypy: disable-error-code="return-value,assignment,no-any-return,attr-defined,call-arg"
"""The compiled search: every candidate is bounded, a few are scored, and the best are exactly the best.

Block by block: the careers bound what titles may add, so that most rows need no further look once the score
to reach is known; for the others the asked skills' part is bounded. Who may still get in is judged on the
constraints, then on the share of the profile that belongs to the job, and who is left then is scored.
"""

from typing import Any, NamedTuple

import numpy as np

from services.matching.assessing import (
    MOST_TOUCHED,
    PPM,
    judge,
    profile_share,
    soft_units,
    weigh,
    work_size,
)
from services.matching.bounding import Bounds, bounds_of, cut, reaching, steps_of
from services.matching.careers import careers_of, first_of
from services.matching.compiling import (
    address_of,
    kernel,
    lowest,
    ones,
    u8_at,
    u32_at,
    u64_at,
)
from services.matching.heaps import Heap, enter, key_of
from services.matching.kernels import (
    CONTENT,
    FACTS,
    GROUPS,
    HIGH,
    LOW,
    ROWS,
    SEALED,
    START,
    STRIDE,
    WORDS,
    fact_in,
)
from services.matching.postings import rows_in
from services.matching.sweeping import admit, room_for
from services.matching.wanted import (
    FLAT_BOUND,
    MOST_STEPS,
    PLANES,
    SHARE_BOUND,
    SOFT_BOUND,
    STEP,
    STEP_INVERSE,
)

FIRST_SCORED = 64
"""So many of the highest bounds, and four times as many as are wanted, are scored before anything is
known of the score to reach."""
BATCH = 256
"""Rows that are looked at together."""
ROUNDING = 2
"""Units that whole-number divisions may lose."""
GUESS, NOTHING, EVERYTHING = -(1 << 61), -(1 << 60), 1 << 60
"""Scores to reach: not guessed yet; one that everybody reaches; one that nobody does."""

Array = Any


class Scratch(NamedTuple):
    """`work`, `touched`: see `assessing`; the rows found, their bounds, what their constraints add, and
    where their contents begin."""

    work: Array
    touched: Array
    found: Array
    most: Array
    soft: Array
    begins: Array


@kernel
def search(
    table: Array, plan: Array, misses: Array, payload: Array, census: Array, listed: Heap, near: Heap
) -> tuple[int, int]:
    """Fills the heaps, and the census (see `sweeping.admit`); how many each heap holds.

    After the first few rows the score to reach is guessed, lower than it will be. Where the guess was too
    high after all, there is a second search without one.
    """
    least = np.full(2, GUESS, np.int64)
    held, nearly = _search(table, plan, misses, payload, census, least, listed, near)
    if not (_proven(listed, held, least[0]) and _proven(near, nearly, least[1])):
        least[:] = NOTHING
        census[:] = 0
        held, nearly = _search(table, plan, misses, payload, census, least, listed, near)
    return held, nearly


@kernel
def _proven(heap: Heap, held: int, least: int) -> bool:
    """Whether nobody was passed over on a guess alone: who was is below `least`, and so below all listed."""
    size = heap.scores.size
    return size == 0 or least <= NOTHING or (held == size and heap.scores[0] >= least)


@kernel
def _search(
    table: Array, plan: Array, misses: Array, payload: Array, census: Array, least: Array, listed: Heap,
    near: Heap,
) -> tuple[int, int]:  # fmt: skip
    """`least`: the scores to reach, of the listed and of the near; `GUESS` where one is to be guessed."""
    room = room_for(plan)
    scratch = Scratch(
        np.zeros(work_size(plan) + 1, np.int64),
        np.empty(MOST_TOUCHED, np.int64),
        np.empty(BATCH, np.int64),
        np.empty(BATCH, np.int64),
        np.empty(BATCH, np.int64),
        np.empty(BATCH, np.int64),
    )
    reach = np.empty(2, np.int64)
    held = nearly = 0
    # First rows without postings, as nothing bounds them.
    for sealed in range(2):
        for block in range(table.shape[0]):
            if table[block, SEALED] != sealed:
                continue
            admit(table, block, plan, misses, room, census)
            if not sealed:
                held = _score_all(table, block, plan, payload, room.listed, least[0], held, listed, scratch)
                nearly = _score_all(table, block, plan, payload, room.near, least[1], nearly, near, scratch)
                continue
            reach[0], reach[1] = _to_reach(listed, held, least[0]), _to_reach(near, nearly, least[1])
            bounds = bounds_of(table, block, plan, room, reach)
            held = _best(table, block, plan, payload, bounds, room.listed, least[:1], held, listed, scratch)
            nearly = _best(table, block, plan, payload, bounds, room.near, least[1:], nearly, near, scratch)
    return held, nearly


@kernel
def _to_reach(heap: Heap, held: int, least: int) -> int:
    """The score to reach."""
    if heap.scores.size == 0:
        return EVERYTHING
    return max(least, heap.scores[0] if held == heap.scores.size else NOTHING)


@kernel
def _guessed(heap: Heap, held: int, share: float) -> int:
    """A score that more than enough will reach, of the best among this share of all rows."""
    rank = np.int64(2 * heap.scores.size * share) + 2
    if rank >= held:
        return NOTHING
    return np.sort(heap.scores[:held])[held - rank]


@kernel
def _best(
    table: Array, block: int, plan: Array, payload: Array, bounds: Bounds, chosen: Array, least: Array,
    held: int, heap: Heap, scratch: Scratch,
) -> int:  # fmt: skip
    """Enter the best of the `chosen` rows of a block. Sets `least` where it is still to be guessed."""
    if heap.scores.size == 0 or bounds.active.size == 0:
        return held
    if held < heap.scores.size or least[0] == GUESS:
        # Little is known of the score to reach: first the highest bounds of the closest careers.
        top, steps = _promising(table, block, plan, bounds, chosen, heap.scores.size)
        held = _score_reaching(
            table, block, plan, payload, bounds, chosen, top, steps, least[0], held, heap, scratch
        )
        if least[0] == GUESS:
            least[0] = _guessed(heap, held, table[block, ROWS] / max(1, table[:, ROWS].sum()))
    return _score_reaching(table, block, plan, payload, bounds, chosen, 0, 0, least[0], held, heap, scratch)


@kernel
def _promising(
    table: Array, block: int, plan: Array, bounds: Bounds, chosen: Array, limit: int
) -> tuple[int, int]:
    """(units of the careers, steps of the skills) that some hundred of the `chosen` rows reach."""
    wanted = 4 * limit + FIRST_SCORED
    units, active, slot_of, _, _, among = bounds
    top = 7 * units.max() // 8
    careers = careers_of(table, block)
    among[:] = 0
    number = 0
    for which in active:
        if units[which] >= top:
            first, last = first_of(careers[which]), first_of(careers[which + 1])
            for word in range(first >> 6, ((last - 1) >> 6) + 1):
                rows = chosen[word] & rows_in(word, first, last)
                among[slot_of[word]] |= rows
                number += np.int64(ones(rows))
    if number < wanted:
        top = 0
        for word in range(table[block, WORDS]):
            among[slot_of[word]] = chosen[word]
    return top, cut(plan, bounds, among, wanted)


@kernel
def _score_all(
    table: Array, block: int, plan: Array, payload: Array, chosen: Array, least: int, held: int, heap: Heap,
    scratch: Scratch,
) -> int:  # fmt: skip
    """Score all the `chosen` rows of a block that has no postings."""
    if heap.scores.size == 0:
        return held
    found, most = scratch.found, scratch.most
    number = 0
    for word in range(table[block, WORDS]):
        left = chosen[word]
        while left:
            found[number], most[number] = word * 64 + np.int64(lowest(left)), EVERYTHING
            left &= left - np.uint64(1)
            number += 1
            if number == BATCH:
                held = _score(table, block, plan, payload, number, least, held, heap, scratch)
                number = 0
    return _score(table, block, plan, payload, number, least, held, heap, scratch)


@kernel
def _score_reaching(
    table: Array, block: int, plan: Array, payload: Array, bounds: Bounds, chosen: Array, top: int,
    steps: int, least: int, held: int, heap: Heap, scratch: Scratch,
) -> int:  # fmt: skip
    """Score the `chosen` of careers worth at least `top` units whose skills may add at least `steps`, and
    that may reach the last score listed. Takes them out of `chosen`."""
    # Each look into a tuple of arrays costs the counting of references: once is enough.
    units, active, slot_of, _, planes_, _ = bounds
    found, most = scratch.found, scratch.most
    careers = careers_of(table, block)
    counters, planes, step = address_of(planes_), plan[PLANES], plan[STEP]
    reach = _to_reach(heap, held, least)
    number = 0
    for which in active:
        if units[which] < top:
            continue
        flat = units[which] + plan[FLAT_BOUND]
        needed = max(0, reach - flat - plan[SOFT_BOUND])
        # Not one more than needed / STEP; the division itself would take longer than all else here.
        at_least = max(steps, needed * plan[STEP_INVERSE] >> 32)
        if at_least > plan[MOST_STEPS]:
            continue
        first, last = first_of(careers[which]), first_of(careers[which + 1])
        for word in range(first >> 6, ((last - 1) >> 6) + 1):
            left = chosen[word] & rows_in(word, first, last)
            if not left:
                continue
            slot = slot_of[word]
            left &= reaching(counters, planes, slot, at_least)
            chosen[word] &= ~left
            while left:
                bit = np.int64(lowest(left))
                left &= left - np.uint64(1)
                found[number] = word * 64 + bit
                most[number] = flat + steps_of(counters, planes, slot, bit) * step
                number += 1
                if number == BATCH:
                    held = _score(table, block, plan, payload, number, least, held, heap, scratch)
                    reach = _to_reach(heap, held, least)
                    number = 0
    return _score(table, block, plan, payload, number, least, held, heap, scratch)


@kernel
def _score(
    table: Array, block: int, plan: Array, payload: Array, number: int, least: int, held: int, heap: Heap,
    scratch: Scratch,
) -> int:  # fmt: skip
    """Score those of the rows found that may get into the heap; their bounds leave out the constraints."""
    work, touched, found, most, soft, begins = scratch
    wish, payloads, share_bound = address_of(plan), address_of(payload), plan[SHARE_BOUND]
    fields, where = address_of(table[block]), table[block, START]
    facts, stride, groups = table[block, FACTS], table[block, STRIDE], table[block, GROUPS]
    reach = _to_reach(heap, held, least)
    # Rows may be far apart in memory. Loops that do one thing let the processor fetch many at once.
    kept = looked_at = 0
    for at in range(number):
        worth = soft_units(fields, wish, found[at])
        found[kept], most[kept], soft[kept] = found[at], most[at] + worth, worth
        kept += 1 if most[kept] >= reach else 0
    for at in range(kept):
        row = found[at]
        behind = u32_at(groups, row >> 6) + fact_in(facts + row * stride, where)
        begins[at] = table[block, CONTENT] + behind
        looked_at += u8_at(begins[at], 0)
    work[0] = looked_at
    for at in range(kept):
        row = found[at]
        relevant, salience, left, roles = weigh(wish, payloads, begins[at], work, touched)
        share = profile_share(wish, relevant, salience)
        if most[at] - share_bound + share_bound * share // PPM + ROUNDING < reach:
            continue
        score = soft[at] + judge(wish, roles, share, touched, left, work)
        if score >= reach:
            high, low = u64_at(table[block, HIGH], row), u64_at(table[block, LOW], row)
            held = enter(heap, held, score, key_of(high, low, plan), block << 16 | row)
            reach = _to_reach(heap, held, least)
    return held

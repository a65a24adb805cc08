# Numba decides the types of compiled code; the annotations are for the reader.
# mypy: disable-error-code="return-value,assignment,no-any-return,attr-defined,call-arg"
"""Heaps of the best, compiled."""

from typing import Any, NamedTuple

import numpy as np

from services.matching.compiling import kernel
from services.matching.kernels import (
    ODD,
)
from services.matching.wanted import (
    ODD_HIGH,
    ODD_LOW,
    ODD_RANK,
)

ALL = np.uint64(0xFFFFFFFFFFFFFFFF)

Array = Any


class Heap(NamedTuple):
    """Scores, keys (the ids as they are ordered, [at, 3]) and places, the worst first."""

    scores: Array
    keys: Array
    places: Array


@kernel
def key_of(high: Any, low: Any, plan: Array) -> Any:
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
def enter(heap: Heap, held: int, score: int, key: Any, place: int) -> int:
    """Put one into the heap; where it is full, in place of the worst if better. How many it holds then."""
    scores, keys, _ = heap
    if held < scores.size:
        at = held
        held += 1
        while at:
            above = (at - 1) >> 1
            if not _worse(score, key, scores[above], _key_at(keys, above)):
                break
            _move(heap, above, at)
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
            _move(heap, below, at)
            at = below
    scores[at] = score
    heap.places[at] = place
    keys[at, 0], keys[at, 1], keys[at, 2] = key
    return held


@kernel
def _key_at(keys: Array, at: int) -> Any:
    return keys[at, 0], keys[at, 1], keys[at, 2]


@kernel
def _move(heap: Heap, source: int, to: int) -> None:
    scores, keys, places = heap
    scores[to] = scores[source]
    places[to] = places[source]
    keys[to, 0], keys[to, 1], keys[to, 2] = keys[source, 0], keys[source, 1], keys[source, 2]

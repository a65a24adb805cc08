"""How many candidates show each skill: what the published rarity is made of."""

from collections import Counter
from typing import Any

import numpy as np

from services.matching.columns import View
from services.matching.compiling import as_u64, kernel, varint_at
from services.matching.kernels import ALIVE, ROWS, WORDS, content_at
from services.matching.vocabulary import Vocabulary
from shared.taxonomy import Taxonomy


def document_frequency(view: View, vocabulary: Vocabulary, taxonomy: Taxonomy) -> Counter[str]:
    """Holders of each skill, by itself or by one that implies it; without those that nobody has."""
    names = vocabulary.skills.values[: len(vocabulary.skills)]
    shown = {name: at for at, name in enumerate(names)}
    shows = [[shown.setdefault(one, len(shown)) for one in taxonomy.shows(name)] for name in names]
    counts = np.zeros(len(shown), np.int64)
    count_shown(
        view.table,
        np.cumsum([0, *(len(one) for one in shows)]),
        np.array([one for each in shows for one in each], np.int64),
        counts,
    )
    return Counter({name: int(counts[at]) for name, at in shown.items() if counts[at]})


@kernel
def count_shown(table: Any, start: Any, shows: Any, counts: Any) -> None:
    counted_for = np.full(counts.size, -1, np.int64)
    person = 0
    for block in range(table.shape[0]):
        rows = table[block, ROWS]
        alive = as_u64(table[block, ALIVE], table[block, WORDS])
        for row in range(rows):
            person += 1
            if not (alive[row >> 6] >> np.uint64(row & 63)) & np.uint64(1):
                continue
            number, at = varint_at(content_at(table, block, row))
            for _ in range(number):
                skill, at = varint_at(at)
                _, at = varint_at(at)
                for each in range(start[skill], start[skill + 1]):
                    if counted_for[shows[each]] != person:
                        counted_for[shows[each]] = person
                        counts[shows[each]] += 1

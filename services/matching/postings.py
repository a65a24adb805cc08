"""Postings of a block: for each role with about so many months, each skill at about such a level, the rows.

A term's rows are a sorted list of 16-bit numbers, or a bitmap of the block where that is smaller.
"""

from typing import Any

import numpy as np

from services.matching.compiling import as_u16, as_u32, as_u64, kernel, varint_at
from services.matching.kernels import (
    BITMAPS,
    DENSE,
    DOCS,
    ROLE_TERMS,
    SKILL_TERMS,
    TERM_START,
    WORDS,
)

CLASSES = 4
LEVELS = (200, 300, 400, 500)
"""The most that a skill's level counts, in hundredths, by class; before disuse."""
MONTHS = (6, 18, 36, 720)
"""The most months in a role, by class."""


@kernel
def months_class(months: int) -> int:
    if months <= 6:
        return 0
    if months <= 18:
        return 1
    return 2 if months <= 36 else 3


@kernel
def count_terms(content: Any, start: Any, level_class: Any, roles: int, counts: Any) -> None:
    """`counts` of rows by term: role terms first, then skill terms."""
    titles = np.zeros(roles, np.int64)
    for row in range(start.size - 1):
        at = np.int64(start[row])
        number, at = varint_at(content, at)
        for _ in range(number):
            skill, at = varint_at(content, at)
            payload, at = varint_at(content, at)
            counts[(roles + skill) * CLASSES + level_class[payload]] += 1
        number, at = varint_at(content, at)
        begin, known = at, 0
        for _ in range(number):
            role, at = varint_at(content, at)
            months, at = varint_at(content, at)
            _, at = varint_at(content, at)
            titles[role] += months + 1
            known += months
        at = begin
        if known == 0:
            counts[0] += 1
        for _ in range(number):
            role, at = varint_at(content, at)
            months, at = varint_at(content, at)
            _, at = varint_at(content, at)
            if titles[role]:
                counts[role * CLASSES + months_class(titles[role] - 1)] += 1
                titles[role] = 0


@kernel
def fill_terms(
    content: Any, start: Any, level_class: Any, roles: int, at_doc: Any, docs: Any, dense: Any, bitmaps: Any,
    words: int,
) -> None:  # fmt: skip
    """`at_doc`: where each sparse term's next row goes; `dense`: each term's bitmap, or -1."""
    titles = np.zeros(roles, np.int64)
    for row in range(start.size - 1):
        at = np.int64(start[row])
        number, at = varint_at(content, at)
        for _ in range(number):
            skill, at = varint_at(content, at)
            payload, at = varint_at(content, at)
            _enter((roles + skill) * CLASSES + level_class[payload], row, at_doc, docs, dense, bitmaps, words)
        number, at = varint_at(content, at)
        begin, known = at, 0
        for _ in range(number):
            role, at = varint_at(content, at)
            months, at = varint_at(content, at)
            _, at = varint_at(content, at)
            titles[role] += months + 1
            known += months
        at = begin
        if known == 0:
            _enter(0, row, at_doc, docs, dense, bitmaps, words)
        for _ in range(number):
            role, at = varint_at(content, at)
            months, at = varint_at(content, at)
            _, at = varint_at(content, at)
            if titles[role]:
                term = role * CLASSES + months_class(titles[role] - 1)
                _enter(term, row, at_doc, docs, dense, bitmaps, words)
                titles[role] = 0


@kernel
def _enter(term: int, row: int, at_doc: Any, docs: Any, dense: Any, bitmaps: Any, words: int) -> None:
    bitmap = np.int64(dense[term])
    if bitmap >= 0:
        bitmaps[bitmap * words + (row >> 6)] |= np.uint64(1) << np.uint64(row & 63)
    else:
        docs[at_doc[term]] = row
        at_doc[term] += 1


@kernel
def gather(
    table: Any, block: int, plan: Any, skill: int, first: int, number: int, begin: int, end: int, into: Any
) -> None:
    """Set the bits of the rows of terms `begin` to `end` of a plan.

    Each is a run of terms: `skill`, `first` and `number` say where the plan has its kind, its first term
    (from the first skill's or the first role's on) and how many follow.
    """
    roles, words = table[block, ROLE_TERMS], table[block, WORDS]
    terms = roles + table[block, SKILL_TERMS]
    start = as_u32(table[block, TERM_START], terms + 1)
    dense = as_u16(table[block, DENSE], terms)
    docs = as_u16(table[block, DOCS], start[terms])
    bitmaps = as_u64(table[block, BITMAPS], 1)
    for each in range(begin, end):
        term = plan[first + each]
        limit = roles
        if plan[skill + each]:
            term += roles
            limit = terms
        last = min(limit, term + plan[number + each])
        if term >= last:
            continue
        for at in range(start[term], start[last]):
            row = np.int64(docs[at])
            into[row >> 6] |= np.uint64(1) << np.uint64(row & 63)
        for one in range(term, last):
            bitmap = np.int64(dense[one])
            if bitmap != 0xFFFF:
                base = bitmap * words
                for word in range(words):
                    into[word] |= bitmaps[base + word]


@kernel
def gather_role(table: Any, block: int, role: int, into: Any) -> None:
    """Set the bits of all who held a role."""
    run = np.array([0, role * CLASSES, CLASSES])
    gather(table, block, run, 0, 1, 2, 0, 1, into)

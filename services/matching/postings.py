# Numba decides the types of compiled code; the annotations are for the reader.
# mypy: disable-error-code="return-value,assignment,no-any-return,attr-defined,call-arg"
"""Postings of a block: for each skill at about such a level, and for each role that the career does not name,
the rows.

A term's rows are a sorted list of 16-bit numbers, or a bitmap of the block where that is smaller.
"""

from typing import Any

import numpy as np

from services.matching.careers import careers_of, first_of, roles_of
from services.matching.compiling import as_u16, as_u32, as_u64, kernel, varint_at
from services.matching.kernels import (
    BITMAPS,
    DENSE,
    DOCS,
    ROLE_TERMS,
    SKILL_TERMS,
    TERM_START,
    WORDS,
    content_at,
)
from services.matching.wanted import FAMILY, GROUP_START, ROLES, TERM, TERM_COUNT

CLASSES = 4
LEVELS = (200, 300, 400, 500)
"""The most that a skill's level counts, in hundredths, by class; before disuse."""
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@kernel
def count_terms(
    table: Any, careers: Any, level_class: Any, roles: int, counts: Any
) -> None:  # fmt: skip
    """`counts` of rows by term: role terms first, then skill terms."""
    nothing = np.zeros(1, np.int64)
    docs, bitmaps = np.zeros(1, np.uint16), np.zeros(1, np.uint64)
    _walk(table, careers, level_class, roles, True, counts, nothing, docs, bitmaps, 0)


@kernel
def fill_terms(
    table: Any, careers: Any, level_class: Any, roles: int, at_doc: Any, dense: Any, docs: Any,
    bitmaps: Any, words: int,
) -> None:  # fmt: skip
    """`at_doc`: where each sparse term's next row goes; `dense`: each term's bitmap, or -1."""
    _walk(table, careers, level_class, roles, False, at_doc, dense, docs, bitmaps, words)


@kernel
def _walk(
    table: Any, careers: Any, level_class: Any, roles: int, counting: bool, at_doc: Any,
    dense: Any, docs: Any, bitmaps: Any, words: int,
) -> None:  # fmt: skip
    for which in range(careers.size - 1):
        main, second, _ = roles_of(careers[which])
        for row in range(first_of(careers[which]), first_of(careers[which + 1])):
            number, at = varint_at(content_at(table, 0, row))
            for _ in range(number):
                skill, at = varint_at(at)
                payload, at = varint_at(at)
                term = (roles + skill * CLASSES) + level_class[payload]
                _enter(term, row, counting, at_doc, dense, docs, bitmaps, words)
            number, at = varint_at(at)
            for _ in range(number):
                role, at = varint_at(at)
                _, at = varint_at(at)
                _, at = varint_at(at)
                if role not in (main, second):
                    _enter(role, row, counting, at_doc, dense, docs, bitmaps, words)


@kernel
def _enter(
    term: int, row: int, counting: bool, at_doc: Any, dense: Any, docs: Any, bitmaps: Any, words: int
) -> None:
    if counting:
        at_doc[term] += 1
        return
    bitmap = np.int64(dense[term])
    if bitmap >= 0:
        bitmaps[bitmap * words + (row >> 6)] |= np.uint64(1) << np.uint64(row & 63)
    else:
        docs[at_doc[term]] = row
        at_doc[term] += 1


@kernel
def gather(table: Any, block: int, plan: Any, group: int, into: Any) -> None:
    """Set the bits of the rows of a plan's group of terms."""
    roles = table[block, ROLE_TERMS]
    for each in range(plan[plan[GROUP_START] + group], plan[plan[GROUP_START] + group + 1]):
        first = roles + plan[plan[TERM] + each]
        last = min(roles + table[block, SKILL_TERMS], first + plan[plan[TERM_COUNT] + each])
        _gather_terms(table, block, first, last, into)


@kernel
def _gather_terms(table: Any, block: int, first: int, last: int, into: Any) -> None:
    if first >= last:
        return
    terms, words = table[block, ROLE_TERMS] + table[block, SKILL_TERMS], table[block, WORDS]
    start = as_u32(table[block, TERM_START], terms + 1)
    docs = as_u16(table[block, DOCS], start[terms])
    for at in range(start[first], start[last]):
        row = np.int64(docs[at])
        into[row >> 6] |= np.uint64(1) << np.uint64(row & 63)
    dense = as_u16(table[block, DENSE], terms)
    for term in range(first, last):
        if dense[term] != 0xFFFF:
            bitmap = as_u64(table[block, BITMAPS] + np.int64(dense[term]) * words * 8, words)
            for word in range(words):
                into[word] |= bitmap[word]


@kernel
def gather_some(table: Any, block: int, plan: Any, group: int, slot_of: Any, word_of: Any, into: Any) -> None:
    """As `gather` for some words only: by their slots, with one more for all others behind the last."""
    roles, words = table[block, ROLE_TERMS], table[block, WORDS]
    terms = roles + table[block, SKILL_TERMS]
    start = as_u32(table[block, TERM_START], terms + 1)
    docs = as_u16(table[block, DOCS], start[terms])
    dense = as_u16(table[block, DENSE], terms)
    for each in range(plan[plan[GROUP_START] + group], plan[plan[GROUP_START] + group + 1]):
        first = roles + plan[plan[TERM] + each]
        last = min(terms, first + plan[plan[TERM_COUNT] + each])
        if first >= last:
            continue
        for at in range(start[first], start[last]):
            row = np.int64(docs[at])
            into[slot_of[row >> 6]] |= np.uint64(1) << np.uint64(row & 63)
        for term in range(first, last):
            if dense[term] != 0xFFFF:
                bitmap = as_u64(table[block, BITMAPS] + np.int64(dense[term]) * words * 8, words)
                for slot in range(word_of.size):
                    into[slot] |= bitmap[word_of[slot]]


@kernel
def gather_family(table: Any, block: int, plan: Any, into: Any) -> None:
    """Set the bits of all who held a role of the asked one's family."""
    family = plan[FAMILY]
    careers = careers_of(table, block)
    for which in range(careers.size - 1):
        main, second, _ = roles_of(careers[which])
        belongs = main < plan[ROLES] and plan[family + main]
        if belongs or (second < plan[ROLES] and plan[family + second]):
            set_rows(into, first_of(careers[which]), first_of(careers[which + 1]))
    for role in range(min(plan[ROLES], table[block, ROLE_TERMS])):
        if plan[family + role]:
            _gather_terms(table, block, role, role + 1, into)


@kernel
def set_rows(into: Any, first: int, last: int) -> None:
    """Set the bits of rows `first` to `last`, of which there is at least one."""
    for word in range(first >> 6, ((last - 1) >> 6) + 1):
        into[word] |= rows_in(word, first, last)


@kernel
def rows_in(word: int, first: int, last: int) -> Any:
    """Of the rows `first` to `last` the bits that stand in a word; the word has at least one."""
    begin, end = max(0, first - word * 64), min(64, last - word * 64)
    return (ALL << np.uint64(begin)) & (ALL >> np.uint64(64 - end))

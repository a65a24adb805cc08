"""Blocks of rows: columns, contents and postings in NumPy arrays; the tail that newcomers go to.

A block never changes once it is made, but for `alive`, which is replaced by a changed copy: who reads an
older table of blocks goes on reading what it says.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from services.matching import kernels
from services.matching.careers import by_career
from services.matching.compiling import SPARE
from services.matching.kernels import FIELDS
from services.matching.packing import Rows
from services.matching.parsing import gather_contents
from services.matching.postings import CLASSES, LEVELS, count_terms, fill_terms
from services.matching.vocabulary import Vocabulary
from services.matching.wanted import ESTIMATED_BIT, LEVEL_SHIFT
from services.matching.weights import ESTIMATED_PERCENT

BLOCK_ROWS = 1 << 16
TAIL_ROWS = 4096
NO_BITMAP = 0xFFFF

Words = npt.NDArray[np.uint64]
Table = npt.NDArray[np.int64]
Memory = tuple[npt.NDArray[Any], ...]
"""The arrays of `COLUMNS`, in that order, and then others."""
COLUMNS = {
    kernels.HIGH: np.uint64, kernels.LOW: np.uint64, kernels.REVISION: np.int64, kernels.START: np.uint32,
    kernels.CONTENT: np.uint8, kernels.TRAITS: np.uint16, kernels.PLACE: np.uint16, kernels.YEARS: np.uint16,
    kernels.DAYS: np.uint16, kernels.PRICES: np.uint32, kernels.TONGUES: np.uint32,
}  # fmt: skip
POSTINGS = (kernels.TERM_START, kernels.DOCS, kernels.DENSE, kernels.BITMAPS, kernels.CAREERS)


def words_of(rows: int) -> int:
    """64-bit words that hold a bit for each row."""
    return (rows + 63) >> 6


def living(rows: int) -> Words:
    """Bits of so many rows, all alive."""
    bits = np.full(words_of(rows), 0xFFFFFFFFFFFFFFFF, np.uint64)
    if rows & 63:
        bits[-1] = (1 << (rows & 63)) - 1
    return bits


class Block:
    """Rows in memory. `fields` is its row of a table of blocks: sizes and addresses, for the kernels."""

    def __init__(self, rows: int, size: int, *, capacity: int = 0) -> None:
        space = max(rows, capacity)
        shapes = {kernels.START: space + 1, kernels.CONTENT: size + SPARE}
        self.columns = {
            column: np.zeros(shapes.get(column, max(1, space)), kind) for column, kind in COLUMNS.items()
        }
        self.rows = rows
        self.living = rows
        self.alive = living(rows)
        self.postings: Memory = ()
        self.fields = np.zeros(FIELDS, np.int64)
        for column, held in self.columns.items():
            self.fields[column] = held.ctypes.data
        self._note_rows()

    def _note_rows(self) -> None:
        self.fields[kernels.ROWS] = self.rows
        self.fields[kernels.WORDS] = len(self.alive)
        self.fields[kernels.ALIVE] = self.alive.ctypes.data

    def bury(self, rows: npt.NDArray[np.int64]) -> None:
        """These rows are dead from the next table of blocks on."""
        alive = self.alive.copy()
        np.bitwise_and.at(alive, rows >> 6, ~(np.uint64(1) << (rows & 63).astype(np.uint64)))
        self.living -= len(rows)
        self.alive = alive
        self._note_rows()

    @property
    def memory(self) -> Memory:
        """What the addresses in `fields` point to; to be kept as long as they are used."""
        return (*self.columns.values(), *self.postings, self.alive)

    @property
    def nbytes(self) -> int:
        return sum(held.nbytes for held in self.memory)

    def index_terms(self, vocabulary: Vocabulary, careers: npt.NDArray[np.int64]) -> None:
        """Make the postings of rows that stand in the order of these careers."""
        roles, skills = len(vocabulary.roles), len(vocabulary.skills)
        table = vocabulary.payload_table(0)  # so long ago that nothing had gone out of use
        level = table >> LEVEL_SHIFT
        counting = np.where(table & ESTIMATED_BIT, (level * ESTIMATED_PERCENT + 99) // 100, level)
        level_class = np.searchsorted(LEVELS[:-1], counting).astype(np.uint8)
        start, content = self.columns[kernels.START], self.columns[kernels.CONTENT]
        counts = np.zeros(roles + skills * CLASSES, np.int64)
        count_terms(content, start, careers, level_class, roles, counts)
        words = len(self.alive)
        is_dense = counts > words * 4
        dense = np.full(len(counts), NO_BITMAP, np.int64)
        dense[is_dense] = np.arange(is_dense.sum())
        counts[is_dense] = 0
        term_start = np.zeros(len(counts) + 1, np.uint32)
        np.cumsum(counts, out=term_start[1:])
        docs = np.zeros(max(1, int(term_start[-1])), np.uint16)
        bitmaps = np.zeros(max(1, int(is_dense.sum()) * words), np.uint64)
        dense16 = dense.astype(np.uint16)
        fill_terms(
            content, start, careers, level_class, roles, term_start[:-1].astype(np.int64),
            np.where(is_dense, dense, -1), docs, bitmaps, words,
        )  # fmt: skip
        postings: Memory = (term_start, docs, dense16, bitmaps, careers)
        self.postings = postings
        for field, array in zip(POSTINGS, postings, strict=True):
            self.fields[field] = array.ctypes.data
        self.fields[kernels.CAREERS_NUMBER] = len(careers) - 1
        self.fields[kernels.ROLE_TERMS] = roles
        self.fields[kernels.SKILL_TERMS] = skills * CLASSES
        self.fields[kernels.SEALED] = 1


class Tail(Block):
    """The block that takes newcomers; it has no postings."""

    def __init__(self, capacity: int) -> None:
        super().__init__(0, 64 * capacity, capacity=capacity)
        self._capacity = capacity
        self.written = 0
        """Rows there are, of which the first `rows` are published."""

    @property
    def free(self) -> int:
        return self._capacity - self.written

    def write(self, rows: Rows, vocabulary: Vocabulary) -> None:
        """Copy rows behind those there are, not visible yet."""
        at, to = self.written, self.written + len(rows)
        columns = self.columns
        ids_of(rows.ids, vocabulary, columns[kernels.HIGH][at:to], columns[kernels.LOW][at:to])
        for column, numbers in (
            (kernels.REVISION, rows.revisions), (kernels.TRAITS, rows.traits), (kernels.PLACE, rows.places),
            (kernels.YEARS, rows.years), (kernels.DAYS, rows.days), (kernels.PRICES, rows.prices),
            (kernels.TONGUES, rows.tongues),
        ):  # fmt: skip
            if numbers.max() > np.iinfo(columns[column].dtype).max:
                raise OverflowError(f"column {column} has no room for a code of its vocabulary")
            columns[column][at:to] = numbers
        start = columns[kernels.START]
        start[at + 1 : to + 1] = start[at] + np.cumsum(rows.sizes)
        end = int(start[to])
        if end + SPARE > len(columns[kernels.CONTENT]):
            grown = np.zeros(end * 3 // 2 + SPARE, np.uint8)
            grown[: start[at]] = columns[kernels.CONTENT][: start[at]]
            columns[kernels.CONTENT] = grown
            self.fields[kernels.CONTENT] = grown.ctypes.data
        gather_contents(rows.content, rows.begins, rows.sizes, columns[kernels.CONTENT], start[at])
        self.written = to

    def publish(self) -> None:
        """What was written is alive from the next table of blocks on."""
        alive = living(self.written)
        alive[: len(self.alive)] &= ~living(self.rows)[: len(self.alive)] | self.alive
        self.living += self.written - self.rows
        self.rows = self.written
        self.alive = alive
        self._note_rows()


def ids_of(ids: Sequence[str], vocabulary: Vocabulary, high: Words, low: Words, *, new: bool = True) -> None:
    """The ids as two numbers each: a UUID's halves, or all ones and the number of another kind of id.

    Without `new`, an id of another kind that has no number yet gets one that nobody has.
    """
    text = "".join(ids).encode("ascii", "replace")
    regular = np.zeros(len(ids), np.uint8)
    if len(text) == 36 * len(ids) and set(map(len, ids)) == {36}:
        kernels.parse_ids(np.frombuffer(text, np.uint8).reshape(-1, 36), high, low, regular)
    else:
        for at, one in enumerate(ids):
            if len(one) == 36:
                letters = np.frombuffer(one.encode("ascii", "replace"), np.uint8).reshape(1, 36)
                kernels.parse_ids(letters, high[at : at + 1], low[at : at + 1], regular[at : at + 1])
    for at in np.flatnonzero(regular == 0).tolist():
        high[at] = kernels.ODD
        low[at] = vocabulary.odd_ids[ids[at]] if new else vocabulary.odd_ids.of.get(ids[at], kernels.NOBODY)


def rebuilt(blocks: Sequence[Block], vocabulary: Vocabulary) -> Block:
    """One block of all that lives in these."""
    table = table_of(blocks)
    rows, size = (int(number) for number in kernels.measure(table))
    block = Block(rows, size)
    places, careers = by_career(table, rows, len(vocabulary.roles))
    kernels.copy_rows(table, places, *block.columns.values())
    block.index_terms(vocabulary, careers)
    return block


def table_of(blocks: Sequence[Block]) -> Table:
    """[block, field] for the kernels."""
    if not blocks:
        return np.zeros((0, FIELDS), np.int64)
    return np.stack([block.fields for block in blocks])

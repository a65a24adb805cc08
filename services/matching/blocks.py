"""Blocks of rows: columns, contents and postings in NumPy arrays; the tail that newcomers go to.

A block never changes once it is made, but for `alive`, which is replaced by a changed copy: who reads an
older table of blocks goes on reading what it says.
"""

from collections.abc import Mapping, Sequence
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
from services.matching.vocabulary import TRAIT_BITS, YEAR_BITS, Vocabulary
from services.matching.wanted import ESTIMATED_BIT, LEVEL_SHIFT
from services.matching.weights import ESTIMATED_PERCENT

BLOCK_ROWS = 1 << 16
TAIL_ROWS = 4096
NO_BITMAP = 0xFFFF

Words = npt.NDArray[np.uint64]
Table = npt.NDArray[np.int64]
Memory = tuple[npt.NDArray[Any], ...]
COLUMNS = (kernels.HIGH, kernels.LOW, kernels.CONTENT, kernels.GROUPS, kernels.FACTS)
ALIGNED = 56
"""More bits than these begin with a byte: whoever reads a fact reads eight bytes."""
ROOMY = dict(zip(kernels.STORED, (TRAIT_BITS, YEAR_BITS, 32, 32, 32, 32, 32, 63), strict=True))
"""Bits of each fact in the tail, of which nobody knows what will come."""
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

    def __init__(self, rows: int, size: int, bits: Mapping[int, int], *, capacity: int = 0) -> None:
        """`size`: bytes of all contents; `bits` of each fact stored."""
        space = max(rows, capacity)
        self.rows = rows
        self.living = rows
        self.alive = living(rows)
        self.postings: Memory = ()
        self.fields = np.zeros(FIELDS, np.int64)
        self._note_rows()
        stride = self._lay_out(bits)
        columns: Memory = (
            np.zeros(max(1, space), np.uint64),
            np.zeros(max(1, space), np.uint64),
            np.zeros(size + SPARE, np.uint8),
            np.zeros((space >> 6) + 1, np.uint32),
            # One row more, for where the last one's content ends.
            np.zeros((space + 1) * stride + SPARE, np.uint8),
        )
        self.columns = dict(zip(COLUMNS, columns, strict=True))
        for column, held in self.columns.items():
            self.fields[column] = held.ctypes.data

    def _lay_out(self, bits: Mapping[int, int]) -> int:
        """Note where each fact stands; bytes of a row."""
        end = 0
        for fact in kernels.STORED:
            if bits[fact] > ALIGNED:
                end = (end + 7) // 8 * 8
            self.fields[fact] = max(1, bits[fact]) << 16 | end
            end += max(1, bits[fact])
        self.fields[kernels.STRIDE] = (end + 7) // 8
        return (end + 7) // 8

    @property
    def table(self) -> Table:
        """Of this block alone."""
        return self.fields.reshape(1, -1)

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
        counts = np.zeros(roles + skills * CLASSES, np.int64)
        count_terms(self.table, careers, level_class, roles, counts)
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
            self.table, careers, level_class, roles, term_start[:-1].astype(np.int64),
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
        super().__init__(0, 64 * capacity, ROOMY, capacity=capacity)
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
        facts = (rows.traits, rows.years, rows.places, rows.days, rows.prices, rows.tongues)
        for fact, numbers in zip(kernels.STORED, facts, strict=False):
            if numbers.max() >= 1 << ROOMY[fact]:
                raise OverflowError(f"fact {fact} has no room for a code of its vocabulary")
        begin = kernels.start_at(self.table, 0, at)
        end = begin + int(rows.sizes.sum())
        if end + SPARE > len(columns[kernels.CONTENT]):
            grown = np.zeros(end * 3 // 2 + SPARE, np.uint8)
            grown[:begin] = columns[kernels.CONTENT][:begin]
            columns[kernels.CONTENT] = grown
            self.fields[kernels.CONTENT] = grown.ctypes.data
        kernels.put_rows(
            self.table, at, rows.revisions, rows.sizes, rows.traits, rows.places, rows.years, rows.days,
            rows.prices, rows.tongues,
        )  # fmt: skip
        gather_contents(rows.content, rows.begins, rows.sizes, columns[kernels.CONTENT], begin)
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
    places, careers = by_career(table, sum(block.living for block in blocks), len(vocabulary.roles))
    size, behind, least, most = (int(number) for number in kernels.survey(table, places))
    bits = {
        **ROOMY,
        kernels.PLACE: len(vocabulary.places).bit_length(),
        kernels.DAYS: len(vocabulary.days).bit_length(),
        kernels.PRICES: len(vocabulary.prices).bit_length(),
        kernels.TONGUES: len(vocabulary.tongues).bit_length(),
        kernels.START: behind.bit_length(),
        kernels.REVISION: (most - least).bit_length(),
    }
    block = Block(len(places), size, bits)
    block.fields[kernels.LEAST_REVISION] = least
    kernels.copy_rows(table, places, block.table)
    block.index_terms(vocabulary, careers)
    return block


def table_of(blocks: Sequence[Block]) -> Table:
    """[block, field] for the kernels."""
    if not blocks:
        return np.zeros((0, FIELDS), np.int64)
    return np.stack([block.fields for block in blocks])

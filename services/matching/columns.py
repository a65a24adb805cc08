"""All candidates, as one writer keeps them and any number of readers see them.

The writer appends to the tail, takes the older state out of its block, and publishes a new view; every few
thousand rows the tail becomes a block with postings, and blocks that have shrunk or are small are rebuilt as
one. Readers take the newest view and hold no lock: what it says does not change under them.
"""

import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.matching import kernels
from services.matching.blocks import (
    BLOCK_ROWS,
    TAIL_ROWS,
    Block,
    Memory,
    Table,
    Tail,
    ids_of,
    rebuilt,
    table_of,
)
from services.matching.kernels import FIELDS
from services.matching.packing import Packed, Rows
from services.matching.unpacking import Row
from services.matching.vocabulary import Vocabulary

FULLEST = 0.8
"""The most of the table of ids that is used; then it grows by half."""
HALF = (1 << 64) - 1
"""The bits of half an id."""
SMALL_BLOCKS = 8
"""So many blocks with room for more are made one."""
MOVED_AT_ONCE = 4096
"""Rows that change their place under the lock: about a fifth of a millisecond."""


@dataclass(frozen=True, eq=False)
class View:
    """The candidates at one moment. `table` has a row for each block; `memory` is what it points to."""

    table: Table
    memory: tuple[Memory, ...]
    candidates: int


class Columns:
    def __init__(self) -> None:
        self.vocabulary = Vocabulary()
        self.blocks: dict[int, Block] = {}
        """By number; the numbers of blocks that went are used again."""
        self._changing = threading.RLock()
        self._positions = np.full(1 << 12, kernels.EMPTY, np.uint32)
        self._used = 0
        self._ids = np.zeros((16, FIELDS), np.int64)
        """By number of a block its fields: where ids and revisions stand does not change."""
        self.tail_rows = TAIL_ROWS
        """Rows that a tail takes before it becomes a block. Readers look at each of them, so they are few; a
        whole block of them while nobody reads yet, so that each row is sorted in but once."""
        self._tail_number = self._number(Tail(self.tail_rows))
        self.view = self._published()

    def __len__(self) -> int:
        return self.view.candidates

    @property
    def _tail(self) -> Tail:
        tail = self.blocks[self._tail_number]
        assert isinstance(tail, Tail)  # noqa: S101 - the number is that of the tail
        return tail

    @property
    def nbytes(self) -> int:
        """Columns, contents, postings, ids and revisions."""
        return sum(block.nbytes for block in self.blocks.values()) + self._positions.nbytes

    # --- The writer

    def put(self, packed: Packed) -> npt.NDArray[np.uint8]:
        """As `put_rows`."""
        return self.put_rows(packed.as_rows())

    def put_rows(self, rows: Rows) -> npt.NDArray[np.uint8]:
        """Take rows in: `kernels.NEW`, `NEWER`, or `STALE` where a revision is not above the one there is."""
        status = np.zeros(len(rows), np.uint8)
        first = 0
        while first < len(rows):
            last = min(len(rows), first + self._tail.free)
            self._put(rows.part(first, last), status[first:last])
            first = last
            if not self._tail.free:
                self.tidy()
        return status

    def _put(self, rows: Rows, status: npt.NDArray[np.uint8]) -> None:
        tail, at, number = self._tail, self._tail.written, len(rows)
        part = slice(at, at + number)
        dead = np.zeros(number, np.int64)
        position = self._tail_number << 16 | at
        self.make_room(number)
        # Without the lock: no reader looks beyond the rows that are published.
        tail.write(rows, self.vocabulary)
        with self._changing:
            high, low = tail.columns[kernels.HIGH][part], tail.columns[kernels.LOW][part]
            died, used = kernels.upsert(
                self._positions, self._ids, high, low, rows.revisions, position, status, dead
            )
            self._used += used
            tail.publish()
            self._bury(dead[:died])
            self.view = self._published()

    def remove(self, candidate_ids: Collection[str]) -> int:
        """Take candidates out; how many of them were there."""
        high, low = self._halves(list(candidate_ids))
        with self._changing:
            found = [
                kernels.forget(self._positions, self._ids, *halves) for halves in zip(high, low, strict=True)
            ]
            dead = np.array([position for position in found if position >= 0], np.int64)
            self._bury(dead)
            self.view = self._published()
        return len(dead)

    def tidy(self) -> bool:
        """One step of what keeps the memory small and the search fast; whether one was needed."""
        if not self._tail.free or self._tail.rows >= self.tail_rows:
            self.seal()
            return True
        sealed = {number: block for number, block in self.blocks.items() if number != self._tail_number}
        roomy = sorted(
            (block.living, number) for number, block in sealed.items() if block.living <= BLOCK_ROWS * 3 // 4
        )
        if len(roomy) >= SMALL_BLOCKS:
            chosen, rows = [], 0
            for more, number in roomy:
                if rows + more <= BLOCK_ROWS:
                    chosen.append(number)
                    rows += more
            self._replace(sorted(chosen))
            return True
        for number, block in sealed.items():
            if block.living < block.rows * 3 // 4:
                self._replace([number])
                return True
        return False

    def seal(self) -> None:
        """Make a block of the tail, however few rows it has."""
        if self._tail.rows:
            self._replace([self._tail_number], Tail(self.tail_rows))

    def _replace(self, numbers: Sequence[int], tail: Tail | None = None) -> None:
        """Rebuild blocks as one. Readers are not held up: what is locked are short steps from old to new."""
        block, new = rebuilt([self.blocks[number] for number in numbers], self.vocabulary), -1
        with self._changing:
            if tail is not None:
                self._tail_number = self._number(tail)
            if block.rows:
                new = self._number(block)
        high, low = block.columns[kernels.HIGH], block.columns[kernels.LOW]
        for first in range(0, block.rows, MOVED_AT_ONCE):
            part = slice(first, min(first + MOVED_AT_ONCE, block.rows))
            with self._changing:
                kernels.moved(self._positions, self._ids, high[part], low[part], new << 16 | first)
        with self._changing:
            for number in numbers:
                del self.blocks[number]
            self.view = self._published()

    def _number(self, block: Block) -> int:
        number = next(at for at in range(len(self.blocks) + 1) if at not in self.blocks)
        self.blocks[number] = block
        if number >= len(self._ids):
            self._ids = np.concatenate([self._ids, np.zeros_like(self._ids)])
        self._ids[number] = block.fields
        return number

    def _bury(self, dead: npt.NDArray[np.int64]) -> None:
        numbers = dead >> 16
        for number in np.unique(numbers):
            self.blocks[int(number)].bury(dead[numbers == number] & 0xFFFF)

    def make_room(self, number: int) -> None:
        """Let the table of ids grow: beside the one there is, which readers go on asking meanwhile."""
        living = sum(block.living for block in self.blocks.values())
        if self._used + number <= len(self._positions) * FULLEST:
            return
        size = max(len(self._positions), int((living + number) / FULLEST * 1.5))
        roomier = np.full(size, kernels.EMPTY, np.uint32)
        kernels.rehash(self._positions, roomier, self._ids)
        with self._changing:
            self._positions, self._used = roomier, living

    def _published(self) -> View:
        blocks = [block for block in self.blocks.values() if block.living]
        return View(
            table_of(blocks),
            tuple(block.memory for block in blocks),
            sum(block.living for block in blocks),
        )

    def _halves(self, ids: list[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        high, low = np.zeros(len(ids), np.uint64), np.zeros(len(ids), np.uint64)
        if ids:
            ids_of(ids, self.vocabulary, high, low, new=False)
        return high, low

    # --- Readers

    def __contains__(self, candidate_id: object) -> bool:
        return isinstance(candidate_id, str) and self.position(candidate_id) >= 0

    def position(self, candidate_id: str) -> int:
        """Number of the block << 16 | row; -1 where the candidate is not there."""
        high, low = self._halves([candidate_id])
        with self._changing:
            return int(kernels.find(self._positions, self._ids, high[0], low[0]))

    def row(self, candidate_id: str) -> Row | None:
        with self._changing:
            found = self.position(candidate_id)
            if found < 0:
                return None
            return self.rows_at(self.blocks[found >> 16].table, np.array([found & 0xFFFF]))[0]

    def rows_at(self, table: Table, places: npt.NDArray[np.int64]) -> list[Row]:
        """Of the table of a view that is still held; each place is block << 16 | row."""
        facts, numbers, ends = kernels.unpack(table, places)
        first, found = 0, []
        for (high, low, *codes), last in zip(facts.tolist(), ends.tolist(), strict=True):
            found.append(Row(self.id_of(high & HALF, low & HALF), numbers[first:last], *codes))
            first = last
        return found

    def id_of(self, high: int, low: int) -> str:
        if high == kernels.ODD:
            return self.vocabulary.odd_ids.values[low]
        digits = f"{high:016x}{low:016x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def ids(self) -> Iterable[str]:
        """All of one moment."""
        view = self.view
        for fields, (high, low, *_) in zip(view.table, view.memory, strict=True):
            for row in kernels.living_rows(fields.reshape(1, -1)).tolist():
                yield self.id_of(high.item(row), low.item(row))

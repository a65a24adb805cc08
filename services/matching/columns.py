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
    COLUMNS,
    TAIL_ROWS,
    Block,
    Memory,
    Table,
    Tail,
    ids_of,
    rebuilt,
    table_of,
)
from services.matching.packing import Packed, Row, Vocabulary

FULLEST = 0.8
"""The most of the table of ids that is used; then it grows by half."""
SMALL_BLOCKS = 8
"""So many blocks with room for more are made one."""


@dataclass(frozen=True, eq=False)
class View:
    """The candidates at one moment. `table` has a row for each block; `memory` is what it points to."""

    table: Table
    memory: tuple[Memory, ...]
    candidates: int

    @property
    def words(self) -> int:
        return int(self.table[:, kernels.WORDS].sum())


class Columns:
    def __init__(self) -> None:
        self.vocabulary = Vocabulary()
        self.blocks: dict[int, Block] = {}
        """By number; the numbers of blocks that went are used again."""
        self._changing = threading.RLock()
        self._positions = np.full(1 << 12, kernels.EMPTY, np.uint32)
        self._used = 0
        self._ids = np.zeros((16, 3), np.int64)
        self._tail_number = self._number(Tail())
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
        """Take rows in: `kernels.NEW`, `NEWER`, or `STALE` where a revision is not above the one there is."""
        status = np.zeros(len(packed), np.uint8)
        first = 0
        while first < len(packed):
            last = min(len(packed), first + self._tail.free)
            self._put(packed, first, last, status[first:last])
            first = last
            if not self._tail.free:
                self.tidy()
        return status

    def _put(self, packed: Packed, first: int, last: int, status: npt.NDArray[np.uint8]) -> None:
        tail, at, number = self._tail, self._tail.written, last - first
        part = slice(at, at + number)
        dead = np.zeros(number, np.int64)
        position = self._tail_number << 16 | at
        self._make_room(number)
        with self._changing:
            tail.write(packed, first, last, self.vocabulary)
            high, low = tail.columns[kernels.HIGH][part], tail.columns[kernels.LOW][part]
            revision = tail.columns[kernels.REVISION][part]
            died, used = kernels.upsert(
                self._positions, self._ids, high, low, revision, position, status, dead
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
        if self._tail.rows >= TAIL_ROWS:
            self._replace([self._tail_number], Tail())
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
            self._replace([self._tail_number], Tail())

    def _replace(self, numbers: Sequence[int], tail: Tail | None = None) -> None:
        """Rebuild blocks as one. Readers are not held up: only the change from old to new is locked."""
        block = rebuilt([self.blocks[number] for number in numbers], self.vocabulary)
        with self._changing:
            if tail is not None:
                self._tail_number = self._number(tail)
            new = self._number(block) if block.rows else -1
            if new >= 0:
                high, low = block.columns[kernels.HIGH], block.columns[kernels.LOW]
                kernels.moved(self._positions, self._ids, high, low, new << 16)
            for number in numbers:
                del self.blocks[number]
            self.view = self._published()

    def _number(self, block: Block) -> int:
        number = next(at for at in range(len(self.blocks) + 1) if at not in self.blocks)
        self.blocks[number] = block
        if number >= len(self._ids):
            self._ids = np.concatenate([self._ids, np.zeros_like(self._ids)])
        self._ids[number] = block.fields[[kernels.HIGH, kernels.LOW, kernels.REVISION]]
        return number

    def _bury(self, dead: npt.NDArray[np.int64]) -> None:
        numbers = dead >> 16
        for number in np.unique(numbers):
            self.blocks[int(number)].bury(dead[numbers == number] & 0xFFFF)

    def _make_room(self, number: int) -> None:
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
            return self.row_at(self.blocks[found >> 16].memory, found & 0xFFFF)

    def row_at(self, memory: Memory, row: int) -> Row:
        """`memory`: that of the row's block in a view."""
        high, low, revision, start, content, *codes = memory[: len(COLUMNS)]
        return Row(
            self.id_of(high.item(row), low.item(row)),
            revision.item(row),
            content[start[row] : start[row + 1]].tobytes(),
            [column.item(row) for column in codes],
        )

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

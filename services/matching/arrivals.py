"""The table of candidates: batches of records go straight into the index, in the one thread that changes it.

No row is kept as an event, nor its revision apart from the index: what this table holds of its own are the
revisions of those that were erased, so that a late record revives nobody.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

import numpy as np

from services.matching import kernels
from services.matching.blocks import BLOCK_ROWS, TAIL_ROWS
from services.matching.decoding import LeanCandidate, Reader
from services.matching.fragments import Batches
from services.matching.index import Index
from services.matching.packing import Rows
from services.matching.warming import compile_elsewhere
from shared.events.candidate import CANDIDATES, Candidate
from shared.events.wire import BadRecord, Record, decode
from shared.interpreter import look_seldom, take_short_turns
from shared.metrics import Metrics
from shared.reader import RawRecord
from shared.table import Table

MOST_AHEAD = 2
"""Batches fetched while others wait to be taken in: one in a while the writer has a block to make."""


@dataclass
class Changes:
    """What a batch did: candidates that are new or newer, and the revisions of those erased."""

    changed: list[str] = field(default_factory=list)
    erased: dict[str, int] = field(default_factory=dict)


class Candidates(Table[Candidate]):
    """`revisions` are those of the erased alone. After a batch `on_changes` is called on the event loop."""

    def __init__(
        self,
        service: str,
        metrics: Metrics,
        index: Index,
        writer: Executor,
        on_changes: Callable[[Changes], None],
    ) -> None:
        super().__init__(CANDIDATES, service=service, metrics=metrics, keep=False)
        self._index = index
        self._writer = writer
        self._on_changes = on_changes
        self._applying: deque[tuple[Sequence[RawRecord], asyncio.Future[Changes]]] = deque()
        self._untold = Changes()
        """Those of a batch that failed half-way stay here: read again, its records are no news any more."""
        self._reader = Reader()
        # Nobody searches before everything is there.
        index.columns.tail_rows = BLOCK_ROWS
        self._batches = Batches(index.columns.vocabulary, self._reader)

    def __len__(self) -> int:
        return len(self._index) + len(self.revisions)

    async def run(self, bootstrap: str) -> None:
        """As every table; but nothing is read, and so nobody ready, before the search is compiled."""
        await compile_elsewhere()
        await asyncio.get_running_loop().run_in_executor(self._writer, Index.compile)
        look_seldom()
        await super().run(bootstrap)

    async def apply_batch(self, records: Sequence[RawRecord]) -> None:
        """Until the table has caught up, the next records are fetched while these are taken in."""
        # Begun here and now: a task would wait until fetching has nothing left in its buffer.
        absorbing = asyncio.get_running_loop().run_in_executor(self._writer, self.absorb, records)
        self._applying.append((records, absorbing))
        while len(self._applying) > (0 if self.caught_up else MOST_AHEAD):
            await self._settle_first()

    async def settle(self) -> None:
        while self._applying:
            await self._settle_first()

    async def _settle_first(self) -> None:
        records, absorbing = self._applying.popleft()
        changes = await absorbing
        self.watermark[records[-1].partition] = records[-1].offset
        if changes.changed or changes.erased:
            self._on_changes(changes)

    async def complete(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._writer, self._be_searched)
        look_seldom()
        take_short_turns()

    def _be_searched(self) -> None:
        self._index.columns.tail_rows = TAIL_ROWS
        self._tidy()

    def _tidy(self) -> None:
        while self._index.columns.tidy():
            pass

    def absorb(self, records: Sequence[RawRecord]) -> Changes:
        """Take records into the index, in their order; in the writer's thread."""
        changes, first = self._untold, 0
        rows, read = self._batches.read(
            [raw.key or b"" for raw in records],
            # What has no key is nobody's, whatever its value says.
            [raw.value or b"" if raw.key is not None else b"" for raw in records],
        )
        for at in np.flatnonzero(~read).tolist():
            found: LeanCandidate | Candidate | None = self._reader.read(records[at])
            record = self._decoded(records[at]) if found is None else None
            if record is not None:
                found = record.event
            if found is not None:
                rows.fill(at, found, self._index.columns.vocabulary)
                continue
            self._put(rows.part(first, at), changes)
            first = at + 1
            if record is not None:
                self._erase(record.key, record.revision, changes)
        self._put(rows.part(first, len(rows)), changes)
        self._tidy()
        self._untold = Changes()
        return changes

    def _decoded(self, raw: RawRecord) -> Record[Candidate] | None:
        try:
            return decode(self.topic, raw.key, raw.value, raw.headers)
        except BadRecord as error:
            self.note_bad(raw, error)
            return None

    def _put(self, rows: Rows, changes: Changes) -> None:
        if self.revisions:
            known = np.array([self.revisions.get(one, -1) for one in rows.ids], np.int64)
            rows = rows.chosen(rows.revisions > known)
        became = self._index.columns.put_rows(rows)
        changed = rows.ids if became.all() else rows.chosen(became != kernels.STALE).ids
        changes.changed += changed
        for revived in self.revisions.keys() & changed if self.revisions else ():
            changes.erased.pop(revived, None)
            del self.revisions[revived]

    def _erase(self, candidate_id: str, revision: int, changes: Changes) -> None:
        row = self._index.columns.row(candidate_id)
        known = self.revisions.get(candidate_id, -1) if row is None else row.revision
        if revision <= known:
            return
        self.revisions[candidate_id] = revision
        changes.erased[candidate_id] = revision
        if row is not None:
            self._index.columns.remove([candidate_id])

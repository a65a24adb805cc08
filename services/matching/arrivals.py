"""The table of candidates: batches of records go straight into the index, in the one thread that changes it.

No row is kept as an event, nor its revision apart from the index: what this table holds of its own are the
revisions of those that were erased, so that a late record revives nobody.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

from services.matching import kernels
from services.matching.decoding import LeanCandidate, Reader
from services.matching.index import Index
from services.matching.packing import Packed, pack
from services.matching.warming import compile_elsewhere
from shared.events.candidate import CANDIDATES, Candidate
from shared.events.wire import BadRecord, Record, decode
from shared.metrics import Metrics
from shared.reader import RawRecord
from shared.table import Table


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
        self._reader = Reader()

    def __len__(self) -> int:
        return len(self._index) + len(self.revisions)

    async def run(self, bootstrap: str) -> None:
        """As every table; but nothing is read, and so nobody ready, before the search is compiled."""
        await compile_elsewhere()
        await asyncio.get_running_loop().run_in_executor(self._writer, Index.compile)
        await super().run(bootstrap)

    async def apply_batch(self, records: Sequence[RawRecord]) -> None:
        loop = asyncio.get_running_loop()
        changes = await loop.run_in_executor(self._writer, self.absorb, records)
        for raw in records:
            self.watermark[raw.partition] = raw.offset
        if changes.changed or changes.erased:
            self._on_changes(changes)

    def absorb(self, records: Sequence[RawRecord]) -> Changes:
        """Take records into the index, in their order; in the writer's thread."""
        changes, packed, read, erased = Changes(), Packed(), self._reader.read, self.revisions
        vocabulary = self._index.columns.vocabulary
        for raw in records:
            found: LeanCandidate | Candidate | None = read(raw)
            if found is None:
                record = self._decoded(raw)
                if record is None:
                    continue
                found = record.event
                if found is None:
                    self._put(packed, changes)
                    packed = Packed()
                    self._erase(record.key, record.revision, changes)
                    continue
            if erased and found.revision <= erased.get(found.candidate_id, -1):
                continue
            pack(found, packed, vocabulary)
        self._put(packed, changes)
        while self._index.columns.tidy():
            pass
        return changes

    def _decoded(self, raw: RawRecord) -> Record[Candidate] | None:
        try:
            return decode(self.topic, raw.key, raw.value, raw.headers)
        except BadRecord as error:
            self.note_bad(raw, error)
            return None

    def _put(self, packed: Packed, changes: Changes) -> None:
        status = self._index.columns.put(packed).tolist()
        for candidate_id, became in zip(packed.ids, status, strict=True):
            if became != kernels.STALE:
                changes.changed.append(candidate_id)
                changes.erased.pop(candidate_id, None)
                if self.revisions:
                    self.revisions.pop(candidate_id, None)

    def _erase(self, candidate_id: str, revision: int, changes: Changes) -> None:
        row = self._index.columns.row(candidate_id)
        known = self.revisions.get(candidate_id, -1) if row is None else row.revision
        if revision <= known:
            return
        self.revisions[candidate_id] = revision
        changes.erased[candidate_id] = revision
        if row is not None:
            self._index.columns.remove([candidate_id])

"""Notes in the documents of an outbox what Kafka has acknowledged: in one write, whatever came together."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import UpdateOne

from shared.mongo import Collection

BATCH = 500

Start = Callable[[Coroutine[Any, Any, None]], object]


@dataclass(frozen=True, eq=False)
class _Note:
    """What to set in a document that is at `revision` under `lease`; `newest` is whether it still was."""

    key: Any
    revision: int
    lease: str
    changes: Mapping[str, Any]
    newest: asyncio.Future[bool]


class Acknowledged:
    """While one write is on its way, what is acknowledged gathers for the next. `start` runs it as a task."""

    def __init__(self, collection: Collection, start: Start) -> None:
        self._collection = collection
        self._start = start
        self._waiting: list[_Note] = []
        self._writing = False

    async def note(self, document: Mapping[str, Any], lease: str, changes: Mapping[str, Any]) -> bool:
        """Set `changes` and give the lease back; False where a newer state was written meanwhile.

        Raises what the write raises; then the lease stays.
        """
        newest: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Note(document["_id"], int(document["revision"]), lease, changes, newest))
        if not self._writing:
            self._writing = True
            self._start(self._write_all())
        return await newest

    async def _write_all(self) -> None:
        """Until nothing waits. Whoever waits gets the answer or the failure of their own write."""
        try:
            while notes := self._waiting[:BATCH]:
                del self._waiting[:BATCH]
                try:
                    overtaken = await self._write(notes)
                except Exception as error:
                    for note in notes:
                        if not note.newest.done():
                            note.newest.set_exception(error)
                else:
                    for note in notes:
                        if not note.newest.done():
                            note.newest.set_result(note not in overtaken)
        finally:
            self._writing = False

    async def _write(self, notes: Sequence[_Note]) -> set[_Note]:
        """The notes whose documents have a newer state by now; only their leases are given back."""
        done = await self._collection.bulk_write(
            [
                UpdateOne(_held(note) | {"revision": note.revision}, _set(note, {"unpublished": False}))
                for note in notes
            ],
            ordered=False,
        )
        if done.matched_count == len(notes):
            return set()
        keys = {"_id": {"$in": [note.key for note in notes]}}
        leases = {"lease": {"$in": list({note.lease for note in notes})}}
        held = {found["_id"] async for found in self._collection.find(keys | leases, {"_id": 1})}
        overtaken = {note for note in notes if note.key in held}
        if overtaken:
            await self._collection.bulk_write(
                [UpdateOne(_held(note), _set(note, {})) for note in overtaken], ordered=False
            )
        return overtaken


def _held(note: _Note) -> dict[str, Any]:
    return {"_id": note.key, "lease": note.lease}


def _set(note: _Note, more: Mapping[str, Any]) -> dict[str, Any]:
    return {"$set": {**note.changes, **more, "lease": None}}

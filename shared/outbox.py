"""Writing to MongoDB and publishing as one step for the caller: the document is its own outbox.

A document carries its `revision` and, while its newest state is not on Kafka, `unpublished: True`. Whoever
publishes it holds a lease on it; the state sent is always the newest one read under that lease, so that two
replicas cannot leave an older revision last. No transaction is needed, so a standalone server will do. A new
document may be inserted with the lease on it, and what Kafka has acknowledged is noted together: a document
then costs one write of its own and a share of another.

A lease is a token that names its holder. Nobody compares clocks across machines: a replica takes another's
lease over once it has seen the same token for LEASE_SECONDS of its own clock, which is longer than a send can
live. Its own it takes over at once, since one producer keeps the order of what it sends.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError
from uuid_utils import uuid4

from shared.acknowledged import Acknowledged
from shared.events.topic import E, Topic, next_revision
from shared.events.wire import Record
from shared.kafka import Kafka
from shared.log import get_logger
from shared.mongo import Collection
from shared.outage import is_outage, reason
from shared.publisher import DELIVERY_SECONDS
from shared.table import Head, read_heads, read_to_end

LEASE_SECONDS = 3.0 * DELIVERY_SECONDS
SWEEP_SECONDS = 2.0
STOP_SECONDS = 2.0
BATCH = 200
RESTORED_AT_ONCE = 50_000
"""Events held in memory where a store is to be filled again: the topic is read once for each so many."""

Document = dict[str, Any]


@dataclass
class Outbox(Generic[E]):
    """Publishes the documents of one collection on one topic.

    `to_event` gives a document's event, or None where the entity is not to be known outside (erased, or
    without a legal basis): then a tombstone goes out if it ever was. `restore` makes a document of an event
    whose document the store has lost; without it such a key is left as it is.
    """

    collection: Collection
    topic: Topic[E]
    kafka: Kafka
    to_event: Callable[[Document], E | None]
    restore: Callable[[E], Document] | None = None
    _holder: str = field(default_factory=lambda: str(uuid4()))
    _active: set[str] = field(default_factory=set)
    _seen_leases: dict[str, tuple[str, float]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._acknowledged = Acknowledged(self.collection, self._start)

    async def create_indexes(self) -> None:
        await self.collection.create_index("unpublished")

    def stamp(self, previous: Mapping[str, Any] | None = None) -> Document:
        """The fields that a write must set along with the new state: a new revision, not yet published.

        A write that replaces `previous` filters on its revision (compare and set) and takes this stamp.
        """
        return stamp(previous)

    async def insert(self, document: Document) -> bool:
        """Store a new document that carries a `stamp`, and publish it in the background.

        False where one with its `_id` is there already, be it an erased one's stub. The lease comes with the
        insert, so nobody has to take it; what fails afterwards is left to the sweeper, as a lease of our own.
        """
        event = self.to_event(document)
        if event is None:
            return await self._inserted(document | {"unpublished": False})
        lease = self._new_lease()
        leased, sending = document | {"lease": lease}, False
        try:
            # Where this fails it may be stored all the same: then the sweeper finds a lease of ours.
            if sending := await self._inserted(leased):
                self._start(self._guard(self._publish_inserted(leased, event, lease), str(document["_id"])))
        finally:
            if not sending:
                self._active.discard(lease)
        return sending

    async def _inserted(self, document: Document) -> bool:
        try:
            await self.collection.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    def publish_soon(self, key: str) -> None:
        """Publish in the background; what fails is left to the sweeper."""
        self._start(self._try_publish(key))

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def publish(self, key: str) -> bool:
        """Publish the newest state of `key` if it is not on Kafka yet.

        False where another holds the lease (it will see the newer state) or nothing is to be published.
        Raises KafkaError or Unavailable where Kafka is away; the sweeper tries again.
        """
        done = False
        while (
            newest := await self._publish_one({"_id": key, "unpublished": True, "lease": None})
        ) is not None:
            done = True
            if newest:
                break
        return done

    async def sweep(self) -> None:
        """Publish what is waiting, and take over the leases of those who died."""
        waiting = [
            (str(found["_id"]), found.get("lease"))
            async for found in self.collection.find({"unpublished": True}, {"lease": 1})
        ]
        self._forget_other_leases({key: lease for key, lease in waiting if lease})
        self.kafka.metrics.outbox_waiting.labels(self.kafka.service, self.topic.name).set(len(waiting))
        if self.kafka.away:
            return
        free = [key for key, lease in waiting if lease is None]
        for start in range(0, len(free), BATCH):
            await self._publish_batch(free[start : start + BATCH])
        leased = [(key, lease) for key, lease in waiting if lease is not None]
        for start in range(0, len(leased), BATCH):
            await asyncio.gather(*(self._take_over(*each) for each in leased[start : start + BATCH]))

    async def run_sweeper(self) -> None:
        """Sweep every few seconds until cancelled; then what is in hand is finished first."""
        try:
            while True:
                try:
                    await asyncio.shield(self._start(self.sweep()))
                except Exception as error:
                    if not is_outage(error):
                        raise
                await asyncio.sleep(SWEEP_SECONDS)
        finally:
            # What is being sent holds leases; cut short, it would keep the other replicas waiting for those.
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=STOP_SECONDS)

    async def reconcile(self) -> None:
        """Make store and topic agree again, after either was emptied or restored from a backup.

        Marks what the topic lacks or has older as unpublished, moves above any newer revision there, carries
        out tombstones that the store does not know, and restores documents that only the topic still has.
        """
        published = await read_heads(self.kafka.bootstrap, self.topic)
        was_there = bool(published)
        marked = restored = removed = 0
        async for found in self.collection.find({}, {"revision": 1, "unpublished": 1}):
            record = published.pop(str(found["_id"]), None)
            revision = int(found["revision"])
            if record is None and found.get("unpublished"):
                continue
            if record is not None and record.revision == revision:
                continue
            key = {"_id": found["_id"], "revision": revision}
            if record is None or record.revision < revision:
                await self.collection.update_one(key, {"$set": {"unpublished": True} | _known_as(record)})
                marked += 1
            elif record.erased:
                await self._bury(str(found["_id"]), record.revision)
                removed += 1
            else:
                ahead = {"revision": record.revision}
                await self.collection.update_one(key, {"$set": self.stamp(ahead) | _known_as(record)})
                marked += 1
        only_there = list(published)
        for start in range(0, len(only_there), RESTORED_AT_ONCE):
            missing = set(only_there[start : start + RESTORED_AT_ONCE])
            for key_there, newest in (await read_to_end(self.kafka.bootstrap, self.topic, missing)).items():
                restored += await self._restore(key_there, newest)
        if marked or restored or removed:
            log = get_logger(self.kafka.service)
            # On a topic that is still empty this is the first publication, and nothing to worry about.
            (log.warning if was_there else log.info)(
                "reconciled", topic=self.topic.name, marked=marked, restored=restored, removed=removed
            )

    async def run_reconciler(self, every: float = 24 * 3600) -> None:
        """Reconcile daily until cancelled; the first time is the caller's, at start."""
        while True:
            await asyncio.sleep(every)
            await self.reconcile()

    async def _restore(self, key: str, record: Record[E]) -> int:
        if record.event is None:
            await self._bury(key, record.revision)
            return 0
        if self.restore is None:
            return 0
        document = (
            self.restore(record.event)
            | {
                "revision": record.revision,
                "occurred_at": record.event.occurred_at,
                "unpublished": False,
            }
            | _known_as(record)
        )
        # Not $setOnInsert: FerretDB drops fields that are None there.
        with suppress(DuplicateKeyError):
            await self.collection.insert_one({"_id": key} | document)
        return 1

    async def _bury(self, key: str, revision: int) -> None:
        """Leave of an erased entity only its stub: a late record or an old backup revives nobody."""
        await self.collection.replace_one(
            {"_id": key}, erased(revision) | {"unpublished": False}, upsert=True
        )

    def _new_lease(self) -> str:
        """A lease that the sweeper leaves alone; whoever asked for it discards it from `_active`."""
        lease = f"{self._holder}/{uuid4()}"
        self._active.add(lease)
        return lease

    async def _publish_inserted(self, document: Document, event: E, lease: str) -> None:
        """As `_publish_one`, for a document that was inserted with this lease."""
        try:
            newest = await self._send_event(document, event, lease)
        finally:
            self._active.discard(lease)
        if not newest:
            await self.publish(str(document["_id"]))

    async def _publish_one(self, condition: Document) -> bool | None:
        """Take the lease on a document that meets `condition` and send its state as of that moment.

        None where no document meets it, False where a newer state was written meanwhile.
        """
        lease = self._new_lease()
        try:
            document: Document | None = await self.collection.find_one_and_update(
                condition, {"$set": {"lease": lease}}, return_document=ReturnDocument.AFTER
            )
            if document is None:
                return None
            # Whoever held the lease before may have sent something without noting it.
            return await self._send(document, lease, maybe_known=condition.get("lease") is not None)
        finally:
            self._active.discard(lease)

    async def _send(self, document: Document, lease: str, *, maybe_known: bool) -> bool:
        """Send it and give the lease back; False where a newer state was written meanwhile."""
        # Where this fails the lease stays: the record may still be in flight, and only we know of it.
        event = None if document.get("erased") else self.to_event(document)
        if event is None and not (maybe_known or _was_known(document)):
            return await self._acknowledged.note(document, lease, {})
        return await self._send_event(document, event, lease)

    async def _send_event(self, document: Document, event: E | None, lease: str) -> bool:
        """As `_send`; with None a tombstone."""
        revision = int(document["revision"])
        if event is None:
            await self.kafka.publisher.publish_tombstone(self.topic, str(document["_id"]), revision)
        else:
            await self.kafka.publisher.publish(self.topic, event)
        published = {"published_revision": revision, "published_at": datetime.now(UTC)}
        return await self._acknowledged.note(document, lease, published)

    async def _publish_batch(self, keys: list[str]) -> None:
        """As `publish`, under one lease for all that are free: a seeded store has thousands waiting."""
        lease = self._new_lease()
        chosen: Document = {"_id": {"$in": keys}}

        async def send(document: Document) -> None:
            if not await self._send(document, lease, maybe_known=False):
                await self.publish(str(document["_id"]))

        try:
            free = chosen | {"unpublished": True, "lease": None}
            await self.collection.update_many(free, {"$set": {"lease": lease}})
            taken: list[Document] = await self.collection.find(chosen | {"lease": lease}).to_list(None)
            await asyncio.gather(*(self._guard(send(found), str(found["_id"])) for found in taken))
        finally:
            self._active.discard(lease)

    async def _take_over(self, key: str, lease: str) -> None:
        if lease not in self._active and self._may_take_over(key, lease):
            await self._guard(self._publish_one({"_id": key, "lease": lease}), key)

    def _may_take_over(self, key: str, lease: str) -> bool:
        if lease.startswith(self._holder):
            return True
        first_seen = self._seen_leases.setdefault(key, (lease, time.monotonic()))[1]
        return time.monotonic() - first_seen > LEASE_SECONDS

    def _forget_other_leases(self, current: Mapping[str, str]) -> None:
        self._seen_leases = {
            key: seen for key, seen in self._seen_leases.items() if current.get(key) == seen[0]
        }

    async def _try_publish(self, key: str) -> None:
        await self._guard(self.publish(key), key)

    async def _guard(self, work: Awaitable[Any], key: str) -> None:
        try:
            await work
        except Exception as error:
            log = get_logger(self.kafka.service)
            if is_outage(error):
                log.info("publish_waits", topic=self.topic.name, key=key, why=reason(error))
            else:
                log.exception("publish_failed", topic=self.topic.name, key=key)


def stamp(previous: Mapping[str, Any] | None = None) -> Document:
    """`Outbox.stamp` for a writer that has no Kafka at hand (a command): the service's sweeper publishes."""
    now = datetime.now(UTC)
    # MongoDB keeps milliseconds: what is answered now is what is read later.
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    before = int(previous["revision"]) if previous else 0
    return {
        "revision": next_revision(before, now),
        "occurred_at": now,
        "unpublished": True,
    }


def erased(revision: int) -> Document:
    """What a store keeps of an erased entity besides its id."""
    return {"erased": True, "revision": revision, "occurred_at": datetime.now(UTC)}


def _known_as(record: Record[Any] | Head | None) -> Document:
    return {} if record is None else {"published_revision": record.revision}


def _was_known(document: Mapping[str, Any]) -> bool:
    """Whether the entity may be known outside; of an erased one's stub that cannot be told."""
    return bool(document.get("erased")) or document.get("published_revision") is not None

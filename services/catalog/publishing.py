"""Roles, skills and then the manifest onto Kafka.

The manifest says which revisions a complete catalogue has. It is made from the store, and only while all of
the store is on Kafka, so it never describes what a consumer could not have read. Any replica may make it: the
write is a compare-and-set, and whoever finds that it does not agree with the store makes it anew.
"""

import asyncio
import time
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any

from services.catalog.store import KINDS, Kind, Store, restored
from shared.events.manifest import MANIFEST, Manifest, fingerprint
from shared.kafka import Kafka
from shared.log import get_logger
from shared.outage import is_outage
from shared.outbox import BATCH, Document, Outbox
from shared.table import read_to_end

LOOK_SECONDS = 2.0
FULL_LOOK_SECONDS = 60.0
"""A replica that dies between a write and noting it leaves the others to find out by themselves."""


class Publishing:
    """The outboxes of one replica, and the manifest that follows them."""

    def __init__(self, store: Store, kafka: Kafka) -> None:
        self._store = store
        self._kafka = kafka
        self.outboxes: dict[str, Outbox[Any]] = {kind.name: _outbox(kind, store, kafka) for kind in KINDS}
        self.manifest = Outbox(
            store.manifest, MANIFEST, kafka, Manifest.model_validate, lambda event: event.model_dump()
        )
        self._wanted = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._settled = -1
        """The count of changes up to which all is known to be on Kafka, the manifest too."""
        self._full_look_at = 0.0

    async def create_indexes(self) -> None:
        for outbox in (*self.outboxes.values(), self.manifest):
            await outbox.create_indexes()

    def soon(self, kind: Kind[Any], keys: Iterable[str]) -> None:
        """Publish in the background, then the manifest; what fails is left to the sweepers."""
        self._start(self._publish(self.outboxes[kind.name], list(keys)))

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _publish(self, outbox: Outbox[Any], keys: list[str]) -> None:
        for result in await asyncio.gather(*(outbox.publish(key) for key in keys), return_exceptions=True):
            if isinstance(result, BaseException) and not is_outage(result):
                get_logger("catalog").error("publish_failed", topic=outbox.topic.name, exc_info=result)
        self._wanted.set()

    async def reconcile(self) -> None:
        """Make store and topics agree, after either was emptied; at start and daily."""
        agreed = await self._store.seed_agreed()
        for kind in KINDS:
            if agreed or await self._agree_on_seed(kind):
                await self.outboxes[kind.name].reconcile()
        if not agreed:
            await self._store.agree_on_seed()
        await self.manifest.reconcile()
        await self._store.note_change()

    async def _agree_on_seed(self, kind: Kind[Any]) -> bool:
        """What was seeded gives way to what the topic has; what the topic lacks is published.

        False where the topic was empty, so that there is nothing else to agree on.
        """
        seeded = {kind.topic.key_of(event): event for event in await self._store.seeded(kind)}
        there = await read_to_end(self._kafka.bootstrap, kind.topic)
        for key in there.keys() & seeded.keys():
            await self._store.prefer(kind, there[key], seeded[key].revision)
        lacking = [event for key, event in seeded.items() if key not in there]
        publisher = self._kafka.publisher
        for start in range(0, len(lacking), BATCH):
            batch = lacking[start : start + BATCH]
            await asyncio.gather(*(publisher.publish(kind.topic, event) for event in batch))
        # No lease was held: where somebody changed one meanwhile, the newer state goes out once more.
        await self._store.publish_again(kind, {kind.topic.key_of(event): event.revision for event in lacking})
        return bool(there)

    async def publish_waiting(self) -> None:
        """Publish what is not on Kafka yet, many at a time, then the manifest.

        Where nothing changed since all was published last, only the count of changes is looked at.
        """
        if time.monotonic() - self._full_look_at > FULL_LOOK_SECONDS:
            self._settled = -1
        changes = await self._store.changes()
        if changes == self._settled:
            return
        for outbox in self.outboxes.values():
            await outbox.sweep()
        if await self.settle():
            self._settled, self._full_look_at = changes, time.monotonic()
            for outbox in self.outboxes.values():
                self._kafka.metrics.outbox_waiting.labels(self._kafka.service, outbox.topic.name).set(0)

    async def settle(self) -> bool:
        """Make the manifest agree with the store. False while something is still on its way to Kafka."""
        standing = await self._store.standing()
        if standing.waiting:
            return False
        described: Document = {
            "roles": len(standing.roles),
            "skills": len(standing.skills),
            "hash": fingerprint(standing.roles, standing.skills),
        }
        previous = await self._store.manifest.find_one({"_id": "catalogue"})
        nothing_ever = previous is None and not (standing.roles or standing.skills)
        if not nothing_ever and any(described[name] != (previous or {}).get(name) for name in described):
            if not await self._store.write_manifest(described, previous):
                return False
            await self.manifest.publish("catalogue")
        return True

    async def run(self) -> None:
        """Publish after each change, and see to what was left every few seconds; runs until cancelled."""
        try:
            while True:
                # Not wait_for: before Python 3.12 it can lose a cancellation.
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._wanted.wait()
                self._wanted.clear()
                await asyncio.shield(self._start(self.publish_waiting()))
        finally:
            # What is being sent holds leases; cut short, it would keep the other replicas waiting for those.
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=LOOK_SECONDS)

    async def run_reconciler(self) -> None:
        while True:
            await asyncio.sleep(24 * 3600)
            await self.reconcile()


def _outbox(kind: Kind[Any], store: Store, kafka: Kafka) -> Outbox[Any]:
    return Outbox(store.collection(kind), kind.topic, kafka, kind.event, restored)

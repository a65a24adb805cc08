"""Roles, skills and then the manifest onto Kafka.

The manifest says which revisions a complete catalogue has. It is made from the store, and only while all of
the store is on Kafka, so it never describes what a consumer could not have read. Any replica may make it: the
write is a compare-and-set, and whoever finds that it does not agree with the store makes it anew.
"""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from services.catalog.store import KINDS, Kind, Store, restored
from shared.events.manifest import MANIFEST, Manifest, fingerprint
from shared.kafka import Kafka
from shared.log import get_logger
from shared.outage import is_outage
from shared.outbox import Document, Outbox
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
        self._described = -1
        """The count of changes up to which the manifest is known to agree."""
        self._full_look_at = 0.0

    async def create_indexes(self) -> None:
        for outbox in (*self.outboxes.values(), self.manifest):
            await outbox.create_indexes()

    def soon(self, kind: Kind[Any], keys: Iterable[str]) -> None:
        """Publish in the background, then the manifest; what fails is left to the sweepers."""
        task = asyncio.create_task(self._publish(self.outboxes[kind.name], list(keys)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _publish(self, outbox: Outbox[Any], keys: list[str]) -> None:
        for result in await asyncio.gather(*(outbox.publish(key) for key in keys), return_exceptions=True):
            if isinstance(result, BaseException) and not is_outage(result):
                get_logger("catalog").error("publish_failed", topic=outbox.topic.name, exc_info=result)
        self._wanted.set()

    async def reconcile(self) -> None:
        """Make store and topics agree, after either was emptied; at start and daily."""
        for kind in KINDS:
            await self._prefer_topic(kind)
            await self.outboxes[kind.name].reconcile()
        await self.manifest.reconcile()
        await self._store.note_change()

    async def _prefer_topic(self, kind: Kind[Any]) -> None:
        """What was seeded into an emptied store gives way to what the topic still has."""
        provisional = await self._store.provisional(kind)
        if not provisional:
            return
        for key, record in (await read_to_end(self._kafka.bootstrap, kind.topic)).items():
            if key in provisional:
                await self._store.prefer(kind, record, provisional[key])
        await self._store.end_provisional(kind)

    async def publish_waiting(self) -> None:
        """Publish everything that is not on Kafka yet, many at a time, and the manifest."""
        for outbox in self.outboxes.values():
            await outbox.sweep()
        await self.settle()

    async def settle(self) -> bool:
        """Make the manifest agree with the store. False while something is still on its way to Kafka."""
        if time.monotonic() - self._full_look_at > FULL_LOOK_SECONDS:
            self._described = -1
        changes = await self._store.changes()
        if changes == self._described:
            return True
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
        self._described, self._full_look_at = changes, time.monotonic()
        return True

    async def run_manifest(self) -> None:
        """Settle after each change, and every few seconds; runs until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), LOOK_SECONDS)
            self._wanted.clear()
            await self.settle()

    async def run_reconciler(self) -> None:
        while True:
            await asyncio.sleep(24 * 3600)
            await self.reconcile()


def _outbox(kind: Kind[Any], store: Store, kafka: Kafka) -> Outbox[Any]:
    return Outbox(store.collection(kind), kind.topic, kafka, kind.event, restored)

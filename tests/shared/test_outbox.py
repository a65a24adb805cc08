"""Writing and publishing as one step, whatever fails between."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from shared import outbox as outbox_module
from shared.events.skill import SKILLS, Skill
from shared.events.vocabulary import LocalizedText
from shared.kafka import EMBEDDED_TIMING, Kafka
from shared.metrics import Metrics
from shared.outbox import Outbox
from shared.run import Surroundings
from tests.support import now, publisher, records, until

Document = dict[str, Any]


def to_event(document: Document) -> Skill | None:
    if document.get("hidden"):
        return None
    return Skill(
        revision=document["revision"],
        occurred_at=document["occurred_at"],
        skill_id=document["_id"],
        label=LocalizedText(fr=document["label"], en=document["label"]),
        category="language",
    )


def restore(event: Skill) -> Document:
    return {"label": event.label.en}


class Store:
    """A replica: its connection and the outbox of one collection."""

    def __init__(self, given: Surroundings) -> None:
        self.collection: Any = given.mongo("catalog").collection("skills")
        self.kafka = Kafka(given.kafka_bootstrap, "catalog", Metrics(), EMBEDDED_TIMING)
        self.outbox = Outbox(self.collection, SKILLS, self.kafka, to_event, restore)

    async def write(self, key: str, label: str, **fields: Any) -> int:
        """Compare and set on the revision, as the services do. The new revision."""
        await self.collection.update_one({"_id": key}, {"$setOnInsert": {"revision": 0}}, upsert=True)
        while True:
            before = await self.collection.find_one({"_id": key})
            stamp = self.outbox.stamp(before)
            state = {"label": label, **fields, **stamp}
            known = {"_id": key, "revision": before["revision"] if before else 0}
            if (await self.collection.update_one(known, {"$set": state})).matched_count:
                return int(stamp["revision"])

    async def insert(self, key: str, label: str, **fields: Any) -> bool:
        return await self.outbox.insert({"_id": key, "label": label, **fields, **self.outbox.stamp()})

    async def settled(self) -> bool:
        """Nothing waits, nothing is leased."""
        waiting = {"$or": [{"unpublished": True}, {"lease": {"$ne": None}}]}
        return await self.collection.find_one(waiting) is None


class FailingBulk:
    """A collection whose first bulk write never arrives."""

    def __init__(self, collection: Any) -> None:
        self._collection = collection
        self.failed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    async def bulk_write(self, *arguments: Any, **named: Any) -> Any:
        if not self.failed:
            self.failed = True
            raise AutoReconnect("gone")
        return await self._collection.bulk_write(*arguments, **named)


@pytest.fixture
async def store(given: Surroundings) -> AsyncIterator[Store]:
    made = Store(given)
    await made.kafka.connect()
    yield made
    await made.kafka.publisher.stop()


async def test_what_is_published_is_the_newest_state_and_only_once(given: Surroundings, store: Store) -> None:
    await store.write("php", "PHP 7")
    newest = await store.write("php", "PHP 8")
    assert await store.outbox.publish("php")
    assert not await store.outbox.publish("php"), "nothing is left to publish"
    found = await records(given.kafka_bootstrap, SKILLS)
    assert [(record.revision, record.event and record.event.label.en) for record in found] == [
        (newest, "PHP 8")
    ]


async def test_a_revision_grows_even_when_the_clock_went_back(store: Store) -> None:
    far = {"revision": 9_999_999_999_999}
    assert store.outbox.stamp(far)["revision"] == 10_000_000_000_000


async def test_a_write_during_a_send_is_published_after_it(given: Surroundings, store: Store) -> None:
    await store.write("php", "PHP 7")
    sending = asyncio.create_task(store.outbox.publish("php"))
    while not store.outbox._active:
        await asyncio.sleep(0)
    newest = await store.write("php", "PHP 8")
    await sending
    await store.outbox.sweep()
    found = await records(given.kafka_bootstrap, SKILLS)
    assert found[-1].revision == newest


async def test_two_replicas_that_publish_together_leave_the_newest_revision_last(
    given: Surroundings, store: Store
) -> None:
    other = Store(given)
    await other.kafka.connect()
    for number in range(20):
        await store.write("php", f"PHP {number}")
        await asyncio.gather(store.outbox.publish("php"), other.outbox.publish("php"))
    await store.outbox.sweep()
    await other.outbox.sweep()
    await other.kafka.publisher.stop()
    revisions = [record.revision for record in await records(given.kafka_bootstrap, SKILLS)]
    assert revisions == sorted(set(revisions)), "no revision twice, none after a newer one"
    document = await store.collection.find_one({"_id": "php"})
    assert document is not None
    assert revisions[-1] == document["revision"] == document["published_revision"]


async def test_what_could_not_be_published_is_swept_up_later(given: Surroundings) -> None:
    store = Store(given)
    await store.write("php", "PHP")
    store.outbox.publish_soon("php")  # Kafka is not connected yet
    await until(lambda: not store.outbox._tasks)
    await store.kafka.connect()
    await store.outbox.sweep()
    assert len(await records(given.kafka_bootstrap, SKILLS)) == 1
    await store.kafka.publisher.stop()


async def test_the_lease_of_a_replica_that_died_is_taken_over_only_after_it_cannot_live_any_more(
    given: Surroundings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.write("php", "PHP")
    await store.collection.update_one({"_id": "php"}, {"$set": {"lease": "dead-replica/1"}})
    await store.outbox.sweep()
    assert await records(given.kafka_bootstrap, SKILLS) == []
    monkeypatch.setattr(outbox_module, "LEASE_SECONDS", 0.0)
    await store.outbox.sweep()
    assert len(await records(given.kafka_bootstrap, SKILLS)) == 1


async def test_what_is_not_to_be_known_outside_becomes_a_tombstone(given: Surroundings, store: Store) -> None:
    await store.write("php", "PHP")
    await store.outbox.publish("php")
    revision = await store.write("php", "PHP", hidden=True)
    await store.outbox.publish("php")
    last = (await records(given.kafka_bootstrap, SKILLS))[-1]
    assert (last.key, last.revision, last.event) == ("php", revision, None)


async def test_a_topic_emptied_behind_a_full_store_is_filled_again(given: Surroundings, store: Store) -> None:
    for name in ("php", "ruby"):
        await store.write(name, name)
    await store.collection.update_many({}, {"$set": {"unpublished": False}})
    await store.outbox.reconcile()
    await store.outbox.sweep()
    assert {record.key for record in await records(given.kafka_bootstrap, SKILLS)} == {"php", "ruby"}


async def test_a_store_emptied_behind_a_full_topic_is_filled_again(given: Surroundings, store: Store) -> None:
    revision = await store.write("php", "PHP")
    await store.outbox.publish("php")
    await store.collection.delete_many({})
    await store.outbox.reconcile()
    document = await store.collection.find_one({"_id": "php"})
    assert document is not None
    assert (document["label"], document["revision"]) == ("PHP", revision)
    assert not await store.outbox.publish("php"), "the topic has it already"


async def test_a_restored_backup_revives_nobody(given: Surroundings, store: Store) -> None:
    old = await store.write("php", "PHP")
    await store.outbox.publish("php")
    backup = await store.collection.find_one({"_id": "php"})
    assert backup is not None
    async with publisher(given.kafka_bootstrap) as sender:
        await sender.publish_tombstone(SKILLS, "php", old + 5)
    await store.outbox.reconcile()
    document = await store.collection.find_one({"_id": "php"})
    assert document is not None
    assert document["erased"]
    assert document["revision"] == old + 5
    assert "label" not in document


async def test_a_store_behind_its_topic_goes_on_above_it(given: Surroundings, store: Store) -> None:
    old = await store.write("php", "PHP")
    ahead = Skill(
        revision=old + 10_000_000,
        occurred_at=now(),
        skill_id="php",
        label=LocalizedText(fr="x", en="x"),
        category="language",
    )
    await store.kafka.publisher.publish(SKILLS, ahead)
    await store.outbox.reconcile()
    await store.outbox.sweep()
    last = (await records(given.kafka_bootstrap, SKILLS))[-1]
    assert last.revision > ahead.revision
    assert last.event is not None
    assert last.event.label.en == "PHP"


async def test_what_is_inserted_is_published_and_noted_with_its_lease_given_back(
    given: Surroundings, store: Store
) -> None:
    assert all(await asyncio.gather(*(store.insert(f"skill-{number}", "x") for number in range(30))))
    await until(store.settled)
    found = {record.key: record.revision for record in await records(given.kafka_bootstrap, SKILLS)}
    noted = {one["_id"]: one["published_revision"] async for one in store.collection.find({})}
    assert found == noted
    assert len(noted) == 30
    assert not store.outbox._active


async def test_an_insert_over_a_document_or_a_stub_changes_and_publishes_nothing(
    given: Surroundings, store: Store
) -> None:
    await store.insert("php", "PHP")
    await until(store.settled)
    assert not await store.insert("php", "another")
    await until(lambda: not store.outbox._tasks)
    assert not store.outbox._active
    assert len(await records(given.kafka_bootstrap, SKILLS)) == 1
    document = await store.collection.find_one({"_id": "php"})
    assert document is not None
    assert document["label"] == "PHP"


async def test_what_nobody_is_to_know_is_inserted_without_a_lease(given: Surroundings, store: Store) -> None:
    await store.insert("php", "PHP", hidden=True)
    assert await store.settled()
    await store.outbox.sweep()
    assert await records(given.kafka_bootstrap, SKILLS) == []


async def test_a_write_while_an_inserted_document_is_sent_is_published_after_it(
    given: Surroundings, store: Store
) -> None:
    keys = [f"skill-{number}" for number in range(20)]
    newest = {}
    for key in keys:
        await store.insert(key, "old")
    for key in keys[::2]:
        newest[key] = await store.write(key, "new")
    await until(store.settled)
    last: dict[str, int] = {}
    for record in await records(given.kafka_bootstrap, SKILLS):
        assert record.revision > last.get(record.key, 0), "no revision after a newer one, none twice"
        last[record.key] = record.revision
    assert last.keys() == set(keys)
    assert {key: last[key] for key in newest} == newest


async def test_who_dies_between_insert_and_send_loses_nothing(
    given: Surroundings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = Store(given)  # never connected: its lease is on the document, and nothing was sent
    await dead.insert("php", "PHP")
    await until(lambda: not dead.outbox._tasks)
    await store.outbox.sweep()
    assert await records(given.kafka_bootstrap, SKILLS) == [], "it may be at work on another machine"
    monkeypatch.setattr(outbox_module, "LEASE_SECONDS", 0.0)
    await store.outbox.sweep()
    assert len(await records(given.kafka_bootstrap, SKILLS)) == 1
    assert await store.settled()


async def test_what_was_inserted_while_kafka_was_away_is_swept_up_at_once(given: Surroundings) -> None:
    store = Store(given)
    await store.insert("php", "PHP")
    await until(lambda: not store.outbox._tasks)
    await store.kafka.connect()
    await store.outbox.sweep()
    assert len(await records(given.kafka_bootstrap, SKILLS)) == 1
    assert await store.settled()
    await store.kafka.publisher.stop()


async def test_what_kafka_acknowledged_and_nobody_noted_is_published_again_and_noted(
    given: Surroundings,
) -> None:
    store = Store(given)
    store.collection = failing = FailingBulk(store.collection)
    store.outbox = Outbox(store.collection, SKILLS, store.kafka, to_event, restore)
    await store.kafka.connect()
    await asyncio.gather(*(store.insert(name, name) for name in ("php", "ruby")))
    await until(lambda: not store.outbox._tasks)
    assert failing.failed
    assert not await store.settled()
    await store.outbox.sweep()
    assert await store.settled()
    found = [(record.key, record.revision) for record in await records(given.kafka_bootstrap, SKILLS)]
    assert {key for key, _ in found} == {"php", "ruby"}
    assert len(set(found)) == 2, "a repeat is of the same revision: consumers drop it"
    await store.kafka.publisher.stop()

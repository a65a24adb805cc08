"""The outbox's promises where writes really interleave: real Kafka, the MongoDB wire server."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest

from shared.events.skill import SKILLS
from shared.kafka import create_topics
from shared.mongo import connect
from shared.run import Surroundings
from tests.engines.engines import MongoWireServer, RealKafka
from tests.shared.test_outbox import Store
from tests.support import embedded_surroundings, records, until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]


@pytest.fixture
async def real(real_kafka: RealKafka, wire_server: MongoWireServer) -> AsyncIterator[Surroundings]:
    client = connect(wire_server.uri)
    async with embedded_surroundings(
        kafka=real_kafka, mongo_client=client, mongodb_database=f"test{uuid.uuid4().hex[:8]}"
    ) as given:
        await create_topics(given.kafka_bootstrap, "catalog")
        yield given
    client.close()


async def test_replicas_that_write_and_publish_together_leave_the_newest_revision_last(
    real: Surroundings,
) -> None:
    replicas = [Store(real), Store(real)]
    for replica in replicas:
        await replica.kafka.connect()
    key = f"skill-{uuid.uuid4().hex[:8]}"

    async def work(replica: Store, name: str) -> None:
        for number in range(25):
            await replica.write(key, f"{name} {number}")
            await replica.outbox.publish(key)

    await asyncio.gather(*(work(replica, str(number)) for number, replica in enumerate(replicas)))
    for replica in replicas:
        await replica.outbox.sweep()
        await replica.kafka.publisher.stop()
    published = [record for record in await records(real.kafka_bootstrap, SKILLS) if record.key == key]
    revisions = [record.revision for record in published]
    assert revisions == sorted(revisions), "no revision stands after a newer one"
    document = await replicas[0].collection.find_one({"_id": key})
    assert document is not None
    assert revisions[-1] == document["revision"]
    assert published[-1].event is not None
    assert published[-1].event.label.en == document["label"]


async def test_what_is_inserted_and_edited_at_once_ends_with_its_newest_revision_noted(
    real: Surroundings,
) -> None:
    """The note of many acknowledgements is one bulk write; those whose document moved on are told apart."""
    replicas = [Store(real), Store(real)]
    for replica in replicas:
        await replica.kafka.connect()
    run = uuid.uuid4().hex[:8]
    keys = [f"skill-{run}-{number}" for number in range(16)]

    async def work(number: int, key: str) -> None:
        assert await replicas[number % 2].insert(key, "old")
        if number % 3 == 0:
            await replicas[(number + 1) % 2].write(key, "new")
            await replicas[(number + 1) % 2].outbox.publish(key)

    await asyncio.gather(*(work(number, key) for number, key in enumerate(keys)))

    async def settled() -> bool:
        for replica in replicas:
            await replica.outbox.sweep()
        return await replicas[0].settled()

    await until(settled, seconds=30)
    for replica in replicas:
        await replica.kafka.publisher.stop()
    last: dict[str, int] = {}
    for record in await records(real.kafka_bootstrap, SKILLS):
        assert record.revision > last.get(record.key, 0)
        last[record.key] = record.revision
    stored = {one["_id"]: one["revision"] async for one in replicas[0].collection.find({})}
    assert {key: last[key] for key in keys} == {key: stored[key] for key in keys}

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
from tests.support import embedded_surroundings, records

pytestmark = pytest.mark.engines


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

"""An erasure on real engines: intake, matching and notifier on Kafka, compaction made to happen at once."""

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from services.intake.app import build as build_intake
from services.matching.app import build as build_matching
from services.notifier.app import build as build_notifier
from shared.events.candidate import CANDIDATES
from shared.events.letter import LETTERS
from shared.events.registry import DEAD_LETTERS, TOPICS
from shared.kafka import create_topics
from shared.mongo import connect
from shared.run import Surroundings
from shared.service import Service
from tests.engines.engines import MongoWireServer, RealKafka
from tests.intake.support import bearer, publish_catalogue
from tests.intake.test_erasure import found_in, save_canary
from tests.support import embedded_surroundings, raw_records, running, until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(900)]
WAIT = 180.0

AT_ONCE = {
    # A segment ends after 50 ms, and what is closed is compacted though little of it is dirty.
    "cleanup.policy": "compact",
    "segment.ms": "50",
    "min.cleanable.dirty.ratio": "0.001",
    "max.compaction.lag.ms": "100",
    "delete.retention.ms": "100",
}


@pytest.fixture(scope="module")
def kafka() -> Iterator[RealKafka]:
    with RealKafka(properties={"log.cleaner.backoff.ms": 100}) as kafka:
        yield kafka


@pytest.fixture
async def real(kafka: RealKafka, wire_server: MongoWireServer) -> AsyncIterator[Surroundings]:
    client = connect(wire_server.uri)
    async with embedded_surroundings(
        kafka=kafka, mongo_client=client, mongodb_database=f"test{uuid.uuid4().hex[:8]}"
    ) as given:
        await create_topics(given.kafka_bootstrap, "catalog")
        await publish_catalogue(given.kafka_bootstrap)
        yield given
    client.close()


async def test_after_an_erasure_and_compaction_nothing_of_the_person_is_left_anywhere(
    real: Surroundings,
) -> None:
    async with AsyncExitStack() as stack:
        apps = [build(real) for build in (build_matching, build_notifier, build_intake)]
        clients = [await stack.enter_async_context(running(app, ready=False)) for app in apps]
        client = clients[-1]
        services: list[Service] = [app.state.service for app in apps]
        await until(
            lambda: not any(service.missing() for service in services),
            seconds=WAIT,
            because=lambda: str([service.missing() for service in services]),
        )
        candidate_id = await save_canary(client, real)
        await until(lambda: _events(real, candidate_id), seconds=WAIT)
        gone = (await client.delete(f"/api/candidates/{candidate_id}", headers=bearer(real))).json()
        link = gone["link"].removeprefix("http://localhost:8000")

        async def complete() -> bool:
            return bool((await client.get(link)).json()["complete"])

        await until(complete, seconds=WAIT, because=lambda: "each service confirms")
        await until(lambda: _letters_gone(real), seconds=WAIT)
        # Before a service ends: it closes the client that all share here.
        stored = await _stored(real)

    assert {name: words for name, text in stored.items() if (words := found_in(text))} == {}
    names = [topic.name for topic in TOPICS if topic is not LETTERS]
    for name in [*names, *(topic.name for topic in DEAD_LETTERS.values())]:
        text = str(await raw_records(real.kafka_bootstrap, name))
        assert found_in(text) == [], name

    await _compact(real.kafka_bootstrap)

    async def forgotten() -> bool:
        await _roll(real.kafka_bootstrap)
        return not await _events(real, candidate_id)

    await until(forgotten, seconds=WAIT, because=lambda: "the log cleaner removes the candidate's facts")


async def _events(given: Surroundings, candidate_id: str) -> list[Any]:
    found = await raw_records(given.kafka_bootstrap, CANDIDATES.name)
    return [one for one in found if one.key == candidate_id.encode() and one.value is not None]


async def _letters_gone(given: Surroundings) -> bool:
    """No letter to the erased one waits in intake's store."""
    database = given.mongo_client[f"{given.settings.mongodb_database}_intake"]
    return bool(await database["letters"].count_documents({}) == 0)


async def _stored(given: Surroundings) -> dict[str, str]:
    """Every collection of the three services, as text."""
    found = {}
    for service in ("intake", "matching", "notifier"):
        database = given.mongo_client[f"{given.settings.mongodb_database}_{service}"]
        for name in await database.list_collection_names():
            if name != "catalogue":
                found[f"{service}.{name}"] = str(await database[name].find().to_list(None))
    return found


async def _compact(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        resource = ConfigResource(ConfigResourceType.TOPIC, CANDIDATES.name, configs=AT_ONCE)
        await admin.alter_configs([resource])
    finally:
        await admin.close()


async def _roll(bootstrap: str) -> None:
    """A record in every partition: a segment is closed by the next record after its time."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for partition in range(CANDIDATES.partitions):
            await producer.send_and_wait(CANDIDATES.name, None, key=b"nobody", partition=partition)
    finally:
        await producer.stop()

"""What the other tests on real engines rely on: that they start, end, come back, and behave as themselves."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError, PyMongoError

from tests.engines.engines import MongoWireServer, RealKafka, StartError

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def kafka() -> Iterator[RealKafka]:
    # The cleaner looks for work every 15 s by default.
    with RealKafka(properties={"log.cleaner.backoff.ms": 100}) as kafka:
        yield kafka


@pytest.fixture(scope="module")
def mongo() -> Iterator[MongoWireServer]:
    with MongoWireServer() as mongo:
        yield mongo


@pytest.fixture
async def consultants(mongo: MongoWireServer) -> AsyncIterator[Any]:
    """An empty collection of its own for each test."""
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongo.uri)
    yield client[f"test_{uuid.uuid4().hex}"]["consultants"]
    client.close()


async def is_away(mongo: MongoWireServer) -> bool:
    """Whether a client that gives up after a second gets no answer."""
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
        mongo.uri, serverSelectionTimeoutMS=1000, socketTimeoutMS=1000
    )
    try:
        await client["test"]["consultants"].find_one({"_id": "nobody"})
    except PyMongoError:
        return True
    finally:
        client.close()
    return False


async def make_topic(bootstrap: str, replicas: int = 1, **settings: str) -> str:
    name = f"needs-{uuid.uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        topic_configs = {key.replace("_", "."): value for key, value in settings.items()}
        await admin.create_topics([NewTopic(name, 1, replicas, topic_configs=topic_configs)])
    finally:
        await admin.close()
    return name


@contextlib.asynccontextmanager
async def producing(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, acks="all")
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def everything_in(bootstrap: str, topic: str) -> list[tuple[bytes | None, bytes | None]]:
    """Key and value of all records of a topic of one partition, from its beginning to its present end."""
    partition = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        records: list[tuple[bytes | None, bytes | None]] = []
        while await consumer.position(partition) < end:
            batches = await consumer.getmany(partition, timeout_ms=500)
            records += [(record.key, record.value) for record in batches.get(partition, [])]
        return records
    finally:
        await consumer.stop()


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


# --- Kafka ---


async def test_a_consumer_group_gets_what_was_produced(kafka: RealKafka) -> None:
    topic = await make_topic(kafka.bootstrap)
    async with producing(kafka.bootstrap) as producer:
        for number in range(20):
            await producer.send_and_wait(topic, b"%d" % number, key=b"a need", headers=[("odd", b"\xff")])

    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=kafka.bootstrap,
        group_id=f"{topic}-readers",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        records = [await asyncio.wait_for(consumer.getone(), timeout=60) for _ in range(20)]
        await consumer.commit()
        committed = await consumer.committed(TopicPartition(topic, 0))
    finally:
        await consumer.stop()

    assert [record.value for record in records] == [b"%d" % number for number in range(20)]
    assert records[0].headers == (("odd", b"\xff"),)
    assert committed == 20


async def test_a_compacted_topic_keeps_the_last_record_of_each_key(kafka: RealKafka) -> None:
    topic = await make_topic(
        kafka.bootstrap, cleanup_policy="compact", segment_ms="100", min_cleanable_dirty_ratio="0.01"
    )
    deadline = time.monotonic() + 180
    async with producing(kafka.bootstrap) as producer:
        for revision in range(5):
            await producer.send_and_wait(topic, b"revision %d" % revision, key=b"a consultant")
        # The open segment is never compacted, and only an append closes it.
        records = await everything_in(kafka.bootstrap, topic)
        while sum(key == b"a consultant" for key, _ in records) > 1 and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
            await producer.send_and_wait(topic, b"", key=b"another")
            records = await everything_in(kafka.bootstrap, topic)

    assert [value for key, value in records if key == b"a consultant"] == [b"revision 4"]


async def test_a_killed_broker_comes_back_with_every_acknowledged_record(kafka: RealKafka) -> None:
    topic = await make_topic(kafka.bootstrap)
    bootstrap = kafka.bootstrap
    async with producing(bootstrap) as producer:
        for number in range(100):
            await producer.send_and_wait(topic, b"%d" % number, key=b"")
        first_pid = kafka.pid()
        kafka.kill()
        assert is_gone(first_pid)

        await asyncio.to_thread(kafka.start_again)

        await producer.send_and_wait(topic, b"after", key=b"")

    assert kafka.bootstrap == bootstrap
    assert kafka.pid() != first_pid
    values = [value for _, value in await everything_in(bootstrap, topic)]
    assert values == [b"%d" % number for number in range(100)] + [b"after"]


async def test_an_orderly_stop_keeps_the_records(kafka: RealKafka) -> None:
    topic = await make_topic(kafka.bootstrap)
    async with producing(kafka.bootstrap) as producer:
        await producer.send_and_wait(topic, b"kept", key=b"")

    await asyncio.to_thread(kafka.stop)
    await asyncio.to_thread(kafka.start_again)

    assert await everything_in(kafka.bootstrap, topic) == [(b"", b"kept")]


async def test_a_frozen_broker_answers_nobody_until_it_is_thawed(kafka: RealKafka) -> None:
    topic = await make_topic(kafka.bootstrap)
    async with producing(kafka.bootstrap) as producer:
        await producer.send_and_wait(topic, b"before", key=b"")
        kafka.freeze()
        try:
            sent = await producer.send(topic, b"meanwhile", key=b"")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(sent), timeout=1)
        finally:
            kafka.thaw()
        await asyncio.wait_for(sent, timeout=60)

    assert [value for _, value in await everything_in(kafka.bootstrap, topic)] == [b"before", b"meanwhile"]


async def test_three_brokers_lose_no_acknowledged_record_when_a_leader_is_killed() -> None:
    with RealKafka(brokers=3) as cluster:
        topic = await make_topic(cluster.bootstrap, replicas=3)
        async with producing(cluster.bootstrap) as producer:
            await producer.send_and_wait(topic, b"0", key=b"")
            leader = producer.client.cluster.leader_for_partition(TopicPartition(topic, 0))
            for number in range(1, 200):
                if number == 100:
                    cluster.kill(leader)
                await producer.send_and_wait(topic, b"%d" % number, key=b"")
            await asyncio.to_thread(cluster.start_again)

        values = [value for _, value in await everything_in(cluster.bootstrap, topic)]

    assert values == [b"%d" % number for number in range(200)]


def test_a_broker_that_cannot_start_shows_the_end_of_its_log() -> None:
    with pytest.raises(StartError, match="nonsense"), RealKafka(properties={"process.roles": "nonsense"}):
        pass


# --- MongoDB's wire protocol ---


async def test_a_unique_index_refuses_the_second(consultants: Any) -> None:
    await consultants.create_index("email", unique=True)
    await consultants.insert_one({"email": "ada@example.test"})

    with pytest.raises(DuplicateKeyError):
        await consultants.insert_one({"email": "ada@example.test"})


async def test_find_one_and_update_gives_each_number_once(consultants: Any) -> None:
    async def next_number() -> int:
        document = await consultants.find_one_and_update(
            {"_id": "revision"},
            {"$inc": {"number": 1}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return int(document["number"])

    assert await next_number() == 1
    assert sorted(await asyncio.gather(*(next_number() for _ in range(50)))) == list(range(2, 52))


async def test_writes_to_one_document_are_atomic(consultants: Any) -> None:
    async def claim(by: int) -> int:
        result = await consultants.update_one({"_id": "job", "owner": None}, {"$set": {"owner": by}})
        return int(result.modified_count)

    await asyncio.gather(
        *(
            consultants.update_one({"_id": "job"}, {"$inc": {"seen": 1}, "$addToSet": {"by": n}}, upsert=True)
            for n in range(50)
        )
    )
    claims = await asyncio.gather(*(claim(n) for n in range(50)))

    job = await consultants.find_one({"_id": "job"})
    assert job["seen"] == len(job["by"]) == 50
    assert sum(claims) == 1


async def test_documents_and_indexes_survive_stop_and_kill(mongo: MongoWireServer, consultants: Any) -> None:
    await consultants.create_index("email", unique=True)
    uri = mongo.uri
    for name, end in (("ada", mongo.stop), ("grace", mongo.kill)):
        await consultants.insert_one({"_id": name, "email": f"{name}@example.test"})
        await asyncio.to_thread(end)
        assert await is_away(mongo)
        await asyncio.to_thread(mongo.start_again)
        assert await consultants.find_one({"_id": name}) == {"_id": name, "email": f"{name}@example.test"}

    assert mongo.uri == uri
    with pytest.raises(DuplicateKeyError):
        await consultants.insert_one({"email": "ada@example.test"})


async def test_a_frozen_server_answers_nobody_until_it_is_thawed(
    mongo: MongoWireServer, consultants: Any
) -> None:
    await consultants.insert_one({"_id": "ada"})
    mongo.freeze()
    try:
        assert await is_away(mongo)
    finally:
        mongo.thaw()

    assert await consultants.find_one({"_id": "ada"}) == {"_id": "ada"}


# --- The harness ---


def test_what_is_used_before_the_start_says_so() -> None:
    with pytest.raises(RuntimeError, match="not started"):
        _ = RealKafka().bootstrap
    with pytest.raises(RuntimeError, match="not started"):
        MongoWireServer().kill()


def test_nothing_is_left_behind() -> None:
    with MongoWireServer() as mongo:
        pid, directory = mongo.pid, mongo.log.parent
        assert directory.is_dir()

    assert is_gone(pid)
    assert not directory.exists()


def test_engines_end_with_a_process_that_is_killed() -> None:
    script = """
import json, time
from tests.engines.engines import MongoWireServer
mongo = MongoWireServer().start()
mongo.freeze()
print(json.dumps([mongo.pid, str(mongo.log.parent)]), flush=True)
time.sleep(60)
"""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=REPOSITORY, text=True) as parent:
        assert parent.stdout is not None
        pid, directory = json.loads(parent.stdout.readline())
        assert not is_gone(pid)
        parent.send_signal(signal.SIGKILL)

    assert wait_until(lambda: is_gone(pid), seconds=60)
    assert wait_until(lambda: not Path(directory).exists(), seconds=60)


def test_fetch_without_java_says_what_to_install_in_one_line() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.engines.engines", "fetch"],
        env={"PATH": "/nonexistent"},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert "java 17 or newer is not installed" in run.stderr

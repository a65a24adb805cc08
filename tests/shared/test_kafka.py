"""Delivery promises of a subscription, on the embedded broker."""

import asyncio
from datetime import UTC, datetime

from shared.embedded import EmbeddedKafka
from shared.events.skill import SKILLS, Skill
from shared.events.unmapped import UNMAPPED, UnmappedTerm
from shared.events.vocabulary import LocalizedText
from shared.events.wire import Record
from shared.kafka import EMBEDDED_TIMING, Kafka
from shared.metrics import Metrics
from shared.outage import Refused, Unavailable
from shared.run import Surroundings
from tests.support import WAIT_SECONDS, publisher, raw_records, until


def term(name: str, revision: int = 1) -> UnmappedTerm:
    return UnmappedTerm(revision=revision, occurred_at=datetime.now(UTC), term=name, seen=1)


class Consumer:
    """A service that consumes one topic and notes what it was handed."""

    def __init__(self, bootstrap: str) -> None:
        self.metrics = Metrics()
        self.kafka = Kafka(bootstrap, "catalog", self.metrics, EMBEDDED_TIMING)
        self.seen: list[str] = []
        self.failures: dict[str, list[Exception]] = {}
        self.kafka.subscribe(UNMAPPED)(self.handle)

    async def handle(self, record: Record[UnmappedTerm]) -> None:
        if self.failures.get(record.key):
            raise self.failures[record.key].pop(0)
        self.seen.append(record.key)

    async def __aenter__(self) -> "Consumer":
        await self.kafka.connect()
        await self.kafka.start_consuming()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kafka.stop_consuming()
        await self.kafka.publisher.stop()


async def test_a_bad_record_alone_of_its_batch_becomes_a_dead_letter(given: Surroundings) -> None:
    odd = (("bin", b"\xff\xfe"), ("traceparent", b"not one"))
    async with publisher(given.kafka_bootstrap) as sender:
        await sender.publish(UNMAPPED, term("a"))
        await sender.send(UNMAPPED.name, b"b", b"\x00not json", odd)
        await sender.send(UNMAPPED.name, None, b"{}", ())
        await sender.send(UNMAPPED.name, b"c", b'{"term": "c"}', ())
        await sender.publish(UNMAPPED, term("d"))
    async with Consumer(given.kafka_bootstrap) as consumer:
        await until(lambda: len(consumer.seen) == 2, because=lambda: str(consumer.seen))
        await consumer.kafka.stop_consuming()
        dead = await raw_records(given.kafka_bootstrap, "catalog.dead.v1")
    assert sorted(consumer.seen) == ["a", "d"]
    by_key = {letter.key: letter for letter in dead}  # in any order: keys go side by side
    assert {key: letter.value for key, letter in by_key.items()} == {
        b"b": b"\x00not json",
        None: b"{}",
        b"c": b'{"term": "c"}',
    }
    assert len(dead) == len(by_key)
    headers = dict(by_key[b"b"].headers)
    assert headers["bin"] == b"\xff\xfe"
    assert b"Invalid JSON" in headers["dead_reason"]
    assert headers["dead_topic"] == b"intake.unmapped.v1"
    assert headers["dead_service"] == b"catalog"
    assert (headers["dead_partition"], headers["dead_offset"]) == (b"0", b"1")


async def test_what_the_domain_refuses_is_buried_at_once_and_the_rest_goes_on(given: Surroundings) -> None:
    async with Consumer(given.kafka_bootstrap) as consumer:
        consumer.failures["a"] = [Refused("we do not do that")]
        for name in ("a", "b"):
            await consumer.kafka.publisher.publish(UNMAPPED, term(name))
        await until(lambda: consumer.seen == ["b"])
        dead = await until(lambda: raw_records(given.kafka_bootstrap, "catalog.dead.v1"))
    assert dict(dead[0].headers)["dead_reason"] == b"refused: we do not do that"


async def test_a_handler_that_fails_twice_is_tried_a_third_time(given: Surroundings) -> None:
    async with Consumer(given.kafka_bootstrap) as consumer:
        consumer.failures["a"] = [KeyError("x"), KeyError("x")]
        await consumer.kafka.publisher.publish(UNMAPPED, term("a"))
        await until(lambda: consumer.seen == ["a"])
    assert await raw_records(given.kafka_bootstrap, "catalog.dead.v1") == []


async def test_an_outage_is_waited_for_and_never_buried(given: Surroundings) -> None:
    async with Consumer(given.kafka_bootstrap) as consumer:
        consumer.failures["a"] = [Unavailable("MongoDB is away") for _ in range(2)]
        await consumer.kafka.publisher.publish(UNMAPPED, term("a"))
        await until(lambda: consumer.kafka.waiting_for)
        await consumer.kafka.publisher.publish(UNMAPPED, term("b"))
        await until(lambda: consumer.seen == ["a", "b"])
        assert consumer.kafka.waiting_for == {}
    assert await raw_records(given.kafka_bootstrap, "catalog.dead.v1") == []


async def test_what_was_not_handled_before_a_stop_comes_again_after_it(given: Surroundings) -> None:
    async with Consumer(given.kafka_bootstrap) as first:
        first.failures["a"] = [Unavailable("away") for _ in range(1000)]
        await first.kafka.publisher.publish(UNMAPPED, term("a"))
        await until(lambda: first.kafka.waiting_for)
    async with Consumer(given.kafka_bootstrap) as second:
        await until(lambda: second.seen == ["a"])
    async with Consumer(given.kafka_bootstrap) as third:
        await third.kafka.publisher.publish(UNMAPPED, term("z"))
        await until(lambda: third.seen)
        assert third.seen == ["z"], "what was handled is committed"


async def test_records_of_one_key_stay_in_order_while_keys_run_side_by_side(given: Surroundings) -> None:
    running: set[str] = set()
    together: list[int] = []
    order: list[tuple[str, int]] = []
    kafka = Kafka(given.kafka_bootstrap, "catalog", Metrics(), EMBEDDED_TIMING)
    both = asyncio.Event()

    @kafka.subscribe(UNMAPPED)
    async def handle(record: Record[UnmappedTerm]) -> None:
        running.add(record.key)
        together.append(len(running))
        if len(running) == 2:
            both.set()
        if record.revision == 1:
            await asyncio.wait_for(both.wait(), WAIT_SECONDS)
        order.append((record.key, record.revision))
        running.discard(record.key)

    async with publisher(given.kafka_bootstrap) as sender:
        # Sent at once, so that they come in one batch.
        both_names = [term(name, revision) for revision in (1, 2, 3) for name in ("a", "b")]
        await asyncio.gather(*(sender.publish(UNMAPPED, event) for event in both_names))
    await kafka.connect()
    await kafka.start_consuming()
    await until(lambda: len(order) == 6)
    await kafka.stop_consuming()
    await kafka.publisher.stop()
    assert max(together) == 2
    for name in ("a", "b"):
        assert [revision for key, revision in order if key == name] == [1, 2, 3]


async def test_kafka_away_at_start_is_waited_for() -> None:
    cluster = EmbeddedKafka()
    cluster.set_down()
    kafka = Kafka(cluster.bootstrap, "catalog", Metrics(), EMBEDDED_TIMING)
    connecting = asyncio.create_task(kafka.connect())
    await until(lambda: kafka.away not in {None, "not connected yet"})
    assert not connecting.done()
    cluster.set_up()
    await asyncio.wait_for(connecting, WAIT_SECONDS)
    assert kafka.away is None
    await kafka.publisher.publish(
        SKILLS,
        Skill(
            revision=1,
            occurred_at=datetime.now(UTC),
            skill_id="php",
            label=LocalizedText(fr="PHP", en="PHP"),
            category="language",
        ),
    )
    await kafka.publisher.stop()
    cluster.stop()

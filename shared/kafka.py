"""The one place for Kafka's settings: what is consumed, when it is committed, and what follows an error.

FastStream's defaults commit before the handler runs, and its one-by-one NACK commits once a record. Here a
subscription takes batches, runs one chain of records a key, and commits the batch after success.

- A record that is at fault goes to the dead letters, alone of its batch.
- While something we depend on is away, the partitions are paused and the batch is taken again, without end.
"""

import asyncio
import dataclasses
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

import aiokafka
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from shared.brokers import access_to
from shared.dead_letter import bury
from shared.events.registry import DEAD_LETTERS, topics_of
from shared.events.topic import E, Topic
from shared.events.wire import BadRecord, Record, decode
from shared.log import get_logger
from shared.metrics import Metrics
from shared.outage import Refused, is_outage, reason
from shared.publisher import Publisher
from shared.reader import RawRecord
from shared.trace import traced

Handler = Callable[[Record[E]], Awaitable[None]]

TRIES = 3
"""How often a handler that raises (other than for an outage) is run before its record is a dead letter."""
RETRY_SECONDS = 0.2
PAUSE_SECONDS = (0.5, 1.0, 2.0, 5.0)
"""How long a partition rests while something is away; the last one repeats."""
MAX_BATCH = 500
_SASL = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}


@dataclass(frozen=True)
class Timing:
    """Milliseconds of a group member's settings."""

    session: int = 15_000
    heartbeat: int = 3_000
    fetch_wait: int = 500


REAL_TIMING = Timing()
EMBEDDED_TIMING = Timing(session=3_000, heartbeat=500, fetch_wait=50)
"""The embedded Kafka answers a fetch only after the whole wait (Kafka itself when a record comes), and makes
whoever joins after a member has left wait for nearly a session."""


class Kafka:
    """One service's connection: its publisher and its subscriptions."""

    def __init__(self, bootstrap: str, service: str, metrics: Metrics, timing: Timing = REAL_TIMING) -> None:
        self.bootstrap = bootstrap
        self.service = service
        self.metrics = metrics
        self._timing = timing
        self.publisher = Publisher(bootstrap, service, metrics)
        self.away: str | None = "not connected yet"
        self.waiting_for: dict[str, str] = {}
        """Topic -> the outage its subscription waits for."""
        self._log = get_logger(service)
        self._consuming = False
        self.broker = KafkaBroker(
            bootstrap,
            client_id=service,
            ack_policy=AckPolicy.NACK_ON_ERROR,
            allow_auto_create_topics=False,
            consumer_only=True,
            graceful_timeout=30.0,
            logger=logging.getLogger("faststream"),
            log_level=logging.DEBUG,
            parser=_tolerant_parser,
            security=security_for(bootstrap),
        )

    def subscribe(
        self, topic: Topic[E], listener: ConsumerRebalanceListener | None = None
    ) -> Callable[[Handler[E]], Handler[E]]:
        """Decorator: run the handler on every record of `topic`, in the group `<service>.<topic>`.

        Records of one key are handled in order, different keys concurrently. The handler may raise Refused
        (dead letter), anything that `is_outage` knows (waited for), or anything else (tried a few times,
        then a dead letter). It must be idempotent: a batch may be handed over again.
        """

        def register(handler: Handler[E]) -> Handler[E]:
            subscription = Subscription(self, topic, handler)

            @self.broker.subscriber(
                topic.name,
                batch=True,
                group_id=f"{self.service}.{topic.name}",
                auto_offset_reset="earliest",
                max_records=MAX_BATCH,
                batch_timeout_ms=100,
                fetch_max_wait_ms=self._timing.fetch_wait,
                max_poll_interval_ms=5 * 60 * 1000,
                session_timeout_ms=self._timing.session,
                heartbeat_interval_ms=self._timing.heartbeat,
                isolation_level="read_committed",
                listener=listener,
                decoder=_bytes_as_they_are,
            )
            async def consume(_bodies: Any, message: KafkaMessage) -> None:
                await subscription.handle(message)

            return handler

        return register

    async def connect(self) -> None:
        """Create the service's topics and start its producer. Returns when done: waits for Kafka."""
        attempt = 0
        while True:
            try:
                await create_topics(self.bootstrap, self.service)
                await self.publisher.start()
            except Exception as error:
                if reason(error) != self.away:
                    self._log.warning("dependency_away", dependency="kafka", why=reason(error))
                self.away = reason(error)
                self.metrics.dependency_up.labels(self.service, "kafka").set(0)
                await asyncio.sleep(PAUSE_SECONDS[min(attempt, len(PAUSE_SECONDS) - 1)])
                attempt += 1
            else:
                self.reachable(None)
                return

    def reachable(self, problem: str | None) -> None:
        """Note whether Kafka answers; `problem` None means it does."""
        if problem is None and self.away is not None:
            self._log.info("dependency_back", dependency="kafka")
        elif problem is not None and self.away is None:
            self._log.warning("dependency_away", dependency="kafka", why=problem)
        self.away = problem
        self.metrics.dependency_up.labels(self.service, "kafka").set(0 if problem else 1)

    async def watch(self) -> None:
        """Ask Kafka for metadata every few seconds, and measure lag; runs until cancelled."""
        while True:
            await asyncio.sleep(2)
            try:
                # Not wait_for: before Python 3.12 it can lose a cancellation, and stopping would hang.
                async with asyncio.timeout(5):
                    await self.publisher.probe()
            except Exception as error:
                self.reachable(reason(error))
            else:
                self.reachable(None)
            await self._measure_lag()

    async def start_consuming(self) -> None:
        """Start every subscription. Returns when all have started: waits for Kafka."""
        while True:
            try:
                await self.broker.start()
            except Exception as error:
                self._log.warning("consumers_wait", why=reason(error))
                await self.broker.stop()
                await asyncio.sleep(PAUSE_SECONDS[1])
            else:
                self._consuming = True
                return

    @property
    def consuming(self) -> bool:
        return self._consuming

    async def stop_consuming(self) -> None:
        """Finish what is in hand, commit, leave the groups."""
        self._consuming = False
        await self.broker.stop()

    async def _measure_lag(self) -> None:
        for subscriber in self.broker.subscribers:
            consumer = getattr(subscriber, "consumer", None)
            if not isinstance(consumer, AIOKafkaConsumer):
                continue
            # A topic whose partitions went to another replica is nobody's lag here.
            behind = dict.fromkeys(consumer.subscription(), 0)
            for partition in consumer.assignment():
                end = consumer.highwater(partition)
                if end is None:
                    continue
                with suppress(TimeoutError, KafkaError):
                    async with asyncio.timeout(1):
                        position = await consumer.position(partition)
                    behind[partition.topic] += max(0, end - position)
            for topic, records in behind.items():
                self.metrics.lag.labels(self.service, topic).set(records)


class Subscription:
    """Runs one handler over the batches of one topic."""

    def __init__(self, kafka: Kafka, topic: Topic[E], handler: Handler[E]) -> None:
        self._kafka = kafka
        self._topic: Topic[Any] = topic
        self._handler: Handler[Any] = cast("Handler[Any]", handler)
        self._outages_in_a_row = 0

    async def handle(self, message: KafkaMessage) -> None:
        records = cast("tuple[RawRecord, ...]", message.raw_message)
        chains: dict[tuple[int, bytes | None], list[RawRecord]] = defaultdict(list)
        for record in records:
            chains[record.partition, record.key].append(record)
        started = time.perf_counter()
        results = await asyncio.gather(
            *(self._run_chain(chain) for chain in chains.values()), return_exceptions=True
        )
        self._kafka.metrics.record_seconds.labels(self._kafka.service, self._topic.name).observe(
            time.perf_counter() - started
        )
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            self._wait_for_it(message, records, failures[0])
            raise failures[0]
        self._outages_in_a_row = 0
        if self._kafka.waiting_for.pop(self._topic.name, None):
            get_logger(self._kafka.service).info("consuming_again", topic=self._topic.name)

    async def _run_chain(self, chain: list[RawRecord]) -> None:
        for record in chain:
            await self._run(record)

    async def _run(self, record: RawRecord) -> None:
        try:
            decoded = decode(self._topic, record.key, record.value, record.headers)
        except BadRecord as error:
            await self._bury(record, str(error))
            return
        for attempt in range(1, TRIES + 1):
            try:
                with traced(decoded.traceparent, **{self._topic.key: decoded.key}):
                    await self._handler(decoded)
            except Refused as error:
                await self._bury(record, f"refused: {error}")
                return
            except Exception as error:
                if is_outage(error):
                    raise
                if attempt == TRIES:
                    get_logger(self._kafka.service).exception("handler_failed", topic=self._topic.name)
                    await self._bury(record, reason(error))
                    return
                self._count("retried")
                await asyncio.sleep(RETRY_SECONDS * attempt)
            else:
                self._count("handled")
                return

    async def _bury(self, record: RawRecord, why: str) -> None:
        await bury(self._kafka.publisher, record, why)
        self._count("dead")

    def _count(self, outcome: str) -> None:
        self._kafka.metrics.records.labels(self._kafka.service, self._topic.name, outcome).inc()

    def _wait_for_it(
        self, message: KafkaMessage, records: tuple[RawRecord, ...], error: BaseException
    ) -> None:
        """Pause the batch's partitions: polling goes on, so the group does not rebalance.

        Raising afterwards makes NACK seek back; the same batch comes again when the pause is over.
        """
        if isinstance(error, asyncio.CancelledError):
            return
        delay = PAUSE_SECONDS[min(self._outages_in_a_row, len(PAUSE_SECONDS) - 1)]
        self._outages_in_a_row += 1
        self._count("waited")
        if self._topic.name not in self._kafka.waiting_for:
            get_logger(self._kafka.service).warning(
                "consuming_waits", topic=self._topic.name, why=reason(error)
            )
        self._kafka.waiting_for[self._topic.name] = reason(error)
        consumer = cast("AIOKafkaConsumer", message.consumer)
        partitions = {aiokafka.TopicPartition(record.topic, record.partition) for record in records}
        held = partitions & consumer.assignment()
        consumer.pause(*held)

        def resume() -> None:
            # A rebalance may have taken a partition away meanwhile.
            still_held = held & consumer.assignment()
            with suppress(Exception):
                consumer.resume(*still_held)

        asyncio.get_running_loop().call_later(delay, resume)


async def create_topics(bootstrap: str, service: str) -> None:
    """Create what `service` uses and is missing. Existing topics are left as they are.

    Raises RuntimeError where a topic has another number of partitions than agreed: keys would move.
    """
    wanted: dict[str, tuple[int, dict[str, str]]] = {
        topic.name: (topic.partitions, topic.settings()) for topic in topics_of(service)
    }
    dead = DEAD_LETTERS[service]
    wanted[dead.name] = (dead.partitions, dead.settings())
    admin = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap,
        client_id=f"{service}-topics",
        request_timeout_ms=10_000,
        **access_to(bootstrap),
    )
    try:
        await admin.start()
        present = set(await admin.list_topics())
        # aiokafka refuses -1, the broker's own default; three copies are what min.insync.replicas=2 asks for.
        copies = min(3, len((await admin.describe_cluster())["brokers"]))
        missing = [
            NewTopic(name, partitions, copies, topic_configs=configs)
            for name, (partitions, configs) in wanted.items()
            if name not in present
        ]
        if missing:
            response = await admin.create_topics(missing)
            for name, code, *rest in getattr(response, "topic_errors", ()):
                if code not in {0, TopicAlreadyExistsError.errno}:
                    raise for_code(code)(f"creating topic {name}: {rest}")
        described = await admin.describe_topics([name for name in wanted if name in present])
    finally:
        await admin.close()
    for topic in described:
        have, want = len(topic["partitions"]), wanted[topic["topic"]][0]
        if have != want:
            raise RuntimeError(f"topic {topic['topic']} has {have} partitions, {want} are agreed")


def security_for(bootstrap: str) -> BaseSecurity | None:
    """FastStream's words for `access_to`."""
    access = access_to(bootstrap)
    context = access.get("ssl_context")
    if "sasl_mechanism" in access:
        kind = _SASL[access["sasl_mechanism"]]
        return kind(access["sasl_plain_username"], access["sasl_plain_password"], ssl_context=context)
    return BaseSecurity(ssl_context=context) if context else None


async def _tolerant_parser(
    message: tuple[RawRecord, ...], original: Callable[..., Awaitable[KafkaMessage]]
) -> KafkaMessage:
    """FastStream's parser skips a batch with a non-UTF-8 or null header in silence; this one lets it in.

    It parses copies without headers and puts the records themselves back: we read headers from those.
    """
    bare = tuple(_without_headers(record) for record in message)
    parsed = await original(bare)
    parsed.raw_message = message
    return parsed


def _without_headers(record: RawRecord) -> RawRecord:
    return dataclasses.replace(record, headers=())


async def _bytes_as_they_are(message: KafkaMessage) -> Any:
    return message.body

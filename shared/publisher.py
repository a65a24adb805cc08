"""Sends events to Kafka: acknowledged by all in-sync replicas, idempotent, keyed."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, OutOfOrderSequenceNumber, UnknownProducerId

from shared.brokers import access_to
from shared.events.topic import E, Topic
from shared.events.wire import Headers, encode, encode_tombstone
from shared.log import get_logger
from shared.metrics import Metrics
from shared.outage import Unavailable
from shared.trace import current_traceparent

DELIVERY_SECONDS = 10
"""How long a send may take before it fails. A batch can live twice as long: once queued, once in flight."""
STOP_SECONDS = 5


@dataclass
class Publisher:
    """A raw aiokafka producer, since FastStream's publish takes neither bytes in headers nor tombstones."""

    bootstrap: str
    service: str
    metrics: Metrics
    _producer: AIOKafkaProducer | None = None
    _replacing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self) -> None:
        """Connect. Raises KafkaConnectionError where no broker answers."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap,
            **access_to(self.bootstrap),
            client_id=self.service,
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=DELIVERY_SECONDS * 1000,
            retry_backoff_ms=100,
            linger_ms=0,
            compression_type="lz4",
            max_request_size=8 * 1024 * 1024,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer

    async def stop(self) -> None:
        """Send what is queued, then close. While Kafka is away what is queued is left to the outbox."""
        producer, self._producer = self._producer, None
        if producer is not None:
            # Without a bound it waits for Kafka for ever, and the process outlives its SIGTERM.
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await producer.stop()

    async def publish(self, topic: Topic[E], event: E) -> None:
        """Send one event and wait for Kafka's acknowledgement. Raises KafkaError or Unavailable."""
        key, value, headers = encode(topic, event, source=self.service, traceparent=current_traceparent())
        await self.send(topic.name, key, value, headers)

    async def publish_tombstone(self, topic: Topic[E], key: str, revision: int) -> None:
        """Say that `key` is erased as of `revision`."""
        raw_key, value, headers = encode_tombstone(
            topic, key, revision, source=self.service, traceparent=current_traceparent()
        )
        await self.send(topic.name, raw_key, value, headers)

    async def send(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        """Send bytes as they are and wait for the acknowledgement."""
        producer = self._producer
        if producer is None:
            raise Unavailable("Kafka is not connected yet")
        try:
            await producer.send_and_wait(topic, value, key=key, headers=list(headers))
        except (OutOfOrderSequenceNumber, UnknownProducerId):
            # An idempotent aiokafka producer stays stuck after this one (aiokafka#1017): a new one goes on.
            self.metrics.publish_failures.labels(self.service, topic).inc()
            await self._replace(producer)
            raise
        except KafkaError:
            self.metrics.publish_failures.labels(self.service, topic).inc()
            raise
        self.metrics.published.labels(self.service, topic).inc()

    async def probe(self) -> None:
        """Ask any broker for metadata. Raises KafkaError where none answers."""
        if self._producer is None:
            raise Unavailable("Kafka is not connected yet")
        await self._producer.client.fetch_all_metadata()

    async def _replace(self, stuck: AIOKafkaProducer) -> None:
        async with self._replacing:
            if self._producer is not stuck:
                return
            get_logger(self.service).warning("producer_replaced", why="stuck sequence number")
            self._producer = None
            await stuck.stop()
            await self.start()

"""Reads a whole topic, outside any consumer group: tables, dead letters, what heals a store."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.brokers import access_to
from shared.outage import Unavailable

RawRecord = ConsumerRecord[bytes, bytes]
"""A record as aiokafka hands it over, undecoded."""

BATCH = 5000


@asynccontextmanager
async def reader(
    bootstrap: str, topic: str, numbers: Collection[int] | None = None
) -> AsyncIterator[tuple[AIOKafkaConsumer, dict[TopicPartition, int]]]:
    """A consumer at the beginning of the partitions of `topic` (all, or those numbered), and their ends now.

    Raises Unavailable where the topic does not exist yet, KafkaError where no broker answers.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        **access_to(bootstrap),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
        fetch_max_wait_ms=100,
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )
    try:
        await consumer.start()
        # Asks the brokers; partitions_for_topic answers from a cache that knows nothing yet.
        await consumer._client.set_topics([topic])
        found = consumer.partitions_for_topic(topic)
        if not found:
            raise Unavailable(f"topic {topic} does not exist yet")
        wanted = found if numbers is None else numbers
        partitions = [TopicPartition(topic, number) for number in sorted(wanted)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        yield consumer, ends
    finally:
        await consumer.stop()


async def unread(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> set[TopicPartition]:
    """The partitions whose end offset has not been reached yet."""
    return {
        partition for partition, end in ends.items() if end > 0 and await consumer.position(partition) < end
    }


async def read_all(
    bootstrap: str, topic: str, numbers: Collection[int] | None = None
) -> AsyncIterator[RawRecord]:
    """Every record from the beginning to the end offsets seen at the start; in order within a partition."""
    async with reader(bootstrap, topic, numbers) as (consumer, ends):
        while await unread(consumer, ends):
            for records in (await consumer.getmany(timeout_ms=200, max_records=BATCH)).values():
                for record in records:
                    yield record

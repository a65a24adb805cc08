"""Which topics matching takes its share of. Everything else it follows whole, as tables (`pool.py`)."""

from collections.abc import Iterable

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.partitioner import murmur2

from services.matching.ranker import Ranker
from shared.events.need import NEEDS, Need
from shared.events.wire import Record
from shared.kafka import Kafka
from shared.trace import current_traceparent


def partition_of(need_id: str) -> int:
    """The partition of a need: as Kafka's default partitioner, which every producer of ours uses, has it."""
    return int(murmur2(need_id.encode()) & 0x7FFFFFFF) % NEEDS.partitions


def subscribe(kafka: Kafka, ranker: Ranker) -> None:
    """The consumer group shares the needs out among the replicas, and buries records that are none."""

    @kafka.subscribe(NEEDS, listener=Ownership(ranker))
    async def rank_need(record: Record[Need]) -> None:
        # Not waited for: whoever holds the partition, now or after us, ranks every open need of it.
        ranker.note_trace(record.key, current_traceparent())
        ranker.pool.needs.apply(record)


class Ownership(ConsumerRebalanceListener):
    """Tells the ranker which partitions of needs the group gives to this replica."""

    def __init__(self, ranker: Ranker) -> None:
        self._ranker = ranker

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await self._ranker.release({partition.partition for partition in revoked})

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._ranker.take({partition.partition for partition in assigned})

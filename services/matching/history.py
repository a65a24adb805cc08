"""What was ranked and decided for a need: read from the audit's and the feedback's topics when asked for."""

from collections.abc import AsyncIterator

from aiokafka.partitioner import murmur2

from shared.events.audit import AUDIT, AuditRecord
from shared.events.feedback import FEEDBACK, Feedback
from shared.events.topic import E, Topic
from shared.events.wire import BadRecord, decode
from shared.reader import read_all


class History:
    """Reads on demand, one partition of a topic from its beginning; nothing is kept."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    async def ranking(self, need_id: str, revision: int) -> AuditRecord | None:
        """The record of one revision. Raises Unavailable, KafkaError."""
        last = None
        async for record in self._read(AUDIT, need_id, revision):
            last = record
        return last

    async def rankings(self, need_id: str | None = None) -> AsyncIterator[AuditRecord]:
        """Every record there is, or every one of a need, oldest first. Raises Unavailable, KafkaError."""
        async for record in self._read(AUDIT, need_id):
            yield record

    async def decisions(self, need_id: str | None = None) -> list[Feedback]:
        """What consultants decided, oldest first. Raises Unavailable, KafkaError."""
        found = [one async for one in self._read(FEEDBACK, need_id)]
        return sorted(found, key=lambda one: (one.occurred_at, one.feedback_id))

    async def _read(self, topic: Topic[E], key: str | None, revision: int | None = None) -> AsyncIterator[E]:
        partitions = None if key is None else [_partition_of(key, topic)]
        async for raw in read_all(self._bootstrap, topic.name, partitions):
            headers = dict(raw.headers)
            if key is not None and raw.key != key.encode():
                continue
            if revision is not None and headers.get("revision") not in {None, str(revision).encode()}:
                continue
            try:
                event = decode(topic, raw.key, raw.value, raw.headers).event
            except BadRecord:
                continue
            if event is not None and revision in {None, event.revision}:
                yield event


def _partition_of(key: str, topic: Topic[E]) -> int:
    """As Kafka's default partitioner, which every producer of ours uses, has it."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % topic.partitions

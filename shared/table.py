"""A table follows a compacted topic: the newest state of every key, in memory, in every replica.

No consumer group and no framework between: batches of records, decoded and applied. A record that cannot be
read is passed over, counted, and its place logged; it stays in its topic.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Container, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.events.topic import E, Topic
from shared.events.wire import BadRecord, Record, decode
from shared.log import get_logger
from shared.metrics import Metrics
from shared.outage import Unavailable, reason
from shared.reader import BATCH, RawRecord, read_all, reader, unread

_RETRY_SECONDS = 1.0
LIVE_BATCH = 1000
"""Records at once when somebody may be waiting: the event loop does nothing else while it unpacks them."""
DECODED_AT_ONCE = 50
"""Records decoded before others have their turn: a few milliseconds."""

OnChange = Callable[[str, E | None, E | None], None]
"""Called with (key, what the table had, what it has now); None where there was or is nothing."""


class Head(NamedTuple):
    """What a topic says of a key, but for the event."""

    revision: int
    erased: bool


@dataclass
class _Asked:
    """Somebody waits until the end offsets of the moment they asked have been reached."""

    answer: asyncio.Future[None]
    ends: dict[TopicPartition, int] | None = None


class Table(Generic[E]):
    """`rows` by key, without what was erased; `revisions` also of what was erased.

    `on_change` is called for every newer state. With `keep=False` no rows are held: the caller keeps what it
    needs of them, and is given None for what the table had.
    """

    def __init__(
        self,
        topic: Topic[E],
        *,
        service: str,
        metrics: Metrics,
        on_change: OnChange[E] | None = None,
        keep: bool = True,
    ) -> None:
        self.topic = topic
        self.rows: dict[str, E] = {}
        self.revisions: dict[str, int] = {}
        self.watermark: dict[int, int] = {}
        """Last offset applied, by partition."""
        self._service = service
        self._metrics = metrics
        self._on_change = on_change
        self._keep = keep
        self._caught_up = asyncio.Event()
        self._changed = asyncio.Condition()
        self._asked: list[_Asked] = []

    def __len__(self) -> int:
        """Entities known, erased ones among them."""
        return len(self.revisions)

    def __bool__(self) -> bool:
        return True

    @property
    def caught_up(self) -> bool:
        """Whether the end offsets seen at start have been reached."""
        return self._caught_up.is_set()

    async def until_caught_up(self) -> None:
        await self._caught_up.wait()

    async def until_current(self) -> None:
        """Return once everything that the topic holds at this moment has been applied."""
        asked = _Asked(asyncio.get_running_loop().create_future())
        self._asked.append(asked)
        await asked.answer

    async def until(self, condition: Callable[["Table[E]"], bool]) -> None:
        """Return once `condition(table)` holds; it is asked again after every batch."""
        async with self._changed:
            await self._changed.wait_for(lambda: condition(self))

    async def run(self, bootstrap: str) -> None:
        """Follow the topic until cancelled. Kafka being away is waited for."""
        log = get_logger(self._service)
        waiting = False
        while True:
            try:
                async with reader(bootstrap, self.topic.name) as (consumer, ends):
                    waiting = False
                    await self._follow(consumer, ends)
            except (KafkaError, OSError, Unavailable) as error:
                if not waiting:
                    log.warning("table_waits", topic=self.topic.name, why=reason(error))
                waiting = True
                await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self, consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> None:
        while True:
            if not self.caught_up and not await unread(consumer, ends):
                await self.settle()
                await self.complete()
                self._caught_up.set()
                get_logger(self._service).info("table_caught_up", topic=self.topic.name, rows=len(self))
                await self._notify()
            if self._asked:
                await self._answer(consumer)
            most = LIVE_BATCH if self.caught_up else BATCH
            batches = await consumer.getmany(timeout_ms=200, max_records=most)
            for records in batches.values():
                await self.apply_batch(records)
            if batches:
                self._metrics.table_rows.labels(self._service, self.topic.name).set(len(self))
                await self._notify()
                # Nothing above waits while there is more in the consumer's buffer: it is others' turn.
                await asyncio.sleep(0)

    async def _answer(self, consumer: AIOKafkaConsumer) -> None:
        """Between batches, where a position reached means that all before it was applied, once settled."""
        await self.settle()
        for asked in list(self._asked):
            if asked.ends is None:
                asked.ends = await consumer.end_offsets(list(consumer.assignment()))
            if asked.answer.done() or not await unread(consumer, asked.ends):
                self._asked.remove(asked)
                if not asked.answer.done():
                    asked.answer.set_result(None)

    async def settle(self) -> None:
        """Return once what `apply_batch` was given is applied: for tables where that goes on beside it."""

    async def complete(self) -> None:
        """Called once, when everything is applied that the topic held at start."""

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def apply_batch(self, records: Sequence[RawRecord]) -> None:
        """Take records of one partition over, in their order."""
        for at, raw in enumerate(records):
            if at % DECODED_AT_ONCE == 0:
                await asyncio.sleep(0)
            self.watermark[raw.partition] = raw.offset
            try:
                record = decode(self.topic, raw.key, raw.value, raw.headers)
            except BadRecord as error:
                self.note_bad(raw, error)
            else:
                self.apply(record)

    def note_bad(self, raw: RawRecord, error: BadRecord) -> None:
        """Count a record that cannot be read, and log where it lies."""
        self._metrics.table_skipped.labels(self._service, self.topic.name).inc()
        get_logger(self._service).error(
            "table_skips_record",
            topic=raw.topic,
            partition=raw.partition,
            offset=raw.offset,
            why=str(error),
        )

    def apply(self, record: Record[E]) -> bool:
        """Take a newer state over; False where it is not newer than what the table has."""
        if record.revision <= self.revisions.get(record.key, -1):
            return False
        self.revisions[record.key] = record.revision
        had = self.rows.get(record.key)
        if self._keep:
            if record.event is None:
                self.rows.pop(record.key, None)
            else:
                self.rows[record.key] = record.event
        if self._on_change is not None:
            self._on_change(record.key, had, record.event)
        return True


class Log(Table[E]):
    """Follows a topic that is not compacted: every record is handed to `on_change`, none is kept.

    After an outage the topic is read from its beginning, so a record may be handed over again.
    """

    def apply(self, record: Record[E]) -> bool:
        if self._on_change is not None:
            self._on_change(record.key, None, record.event)
        return True


async def read_to_end(
    bootstrap: str, topic: Topic[E], keys: Container[str] | None = None
) -> dict[str, Record[E]]:
    """The newest record of every key (of `keys`), up to the end offsets seen now. Bad records are skipped."""
    newest: dict[str, Record[E]] = {}
    async for record in _readable(bootstrap, topic):
        known = newest.get(record.key)
        if (keys is None or record.key in keys) and (known is None or record.revision > known.revision):
            newest[record.key] = record
    return newest


async def read_heads(bootstrap: str, topic: Topic[E]) -> dict[str, Head]:
    """As `read_to_end`, without the events: those of a large topic do not fit into memory."""
    newest: dict[str, Head] = {}
    async for record in _readable(bootstrap, topic):
        known = newest.get(record.key)
        if known is None or record.revision > known.revision:
            newest[record.key] = Head(record.revision, record.event is None)
    return newest


async def _readable(bootstrap: str, topic: Topic[E]) -> AsyncIterator[Record[E]]:
    async for raw in read_all(bootstrap, topic.name):
        try:
            record = decode(topic, raw.key, raw.value, raw.headers)
        except BadRecord:
            continue
        yield record

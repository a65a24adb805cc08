"""Dead letters: a record that cannot be handled, bytes as they came, with the reason beside it."""

from typing import NamedTuple

from aiokafka.errors import MessageSizeTooLargeError

from shared.events.registry import DEAD_LETTERS
from shared.events.wire import Headers
from shared.log import get_logger
from shared.publisher import Publisher
from shared.reader import RawRecord, read_all


def dead_letter_headers(service: str, record: RawRecord, why: str) -> Headers:
    """The original headers (without an earlier dead letter's) and what happened to the record here."""
    original = tuple(
        (name, content if content is not None else b"")
        for name, content in record.headers
        if not name.startswith("dead_")
    )
    return (
        *original,
        ("dead_reason", why.encode()),
        ("dead_service", service.encode()),
        ("dead_topic", record.topic.encode()),
        ("dead_partition", str(record.partition).encode()),
        ("dead_offset", str(record.offset).encode()),
    )


async def bury(publisher: Publisher, record: RawRecord, why: str) -> None:
    """Put `record` on the service's dead-letter topic. Returns once Kafka has acknowledged it."""
    service = publisher.service
    headers = dead_letter_headers(service, record, why)
    try:
        await publisher.send(DEAD_LETTERS[service].name, record.key, record.value, headers)
    except MessageSizeTooLargeError:
        # Its own headers were the last straw: its place says where the bytes still lie.
        headers += (("dead_value", b"too large; see dead_topic, dead_partition and dead_offset"),)
        await publisher.send(DEAD_LETTERS[service].name, record.key, None, headers)
    get_logger(service).error(
        "dead_letter", topic=record.topic, partition=record.partition, offset=record.offset, why=why
    )


class DeadLetter(NamedTuple):
    """A dead letter as its command shows it. `place` is where it lies on the dead-letter topic."""

    place: str
    topic: str
    origin: str
    reason: str
    record: RawRecord


async def read_dead_letters(bootstrap: str, service: str) -> list[DeadLetter]:
    """Every dead letter of a service that is still kept, oldest first."""
    found = []
    async for record in read_all(bootstrap, DEAD_LETTERS[service].name):
        headers = {name: content.decode("utf-8", "replace") for name, content in record.headers}
        found.append(
            DeadLetter(
                place=f"{record.partition}-{record.offset}",
                topic=headers.get("dead_topic", "?"),
                origin=f"{headers.get('dead_partition', '?')}-{headers.get('dead_offset', '?')}",
                reason=headers.get("dead_reason", "?"),
                record=record,
            )
        )
    return found


async def replay(publisher: Publisher, letter: DeadLetter) -> None:
    """Put a dead letter back on its topic, as it came. The dead letter itself stays until it expires."""
    headers = tuple(
        (name, content) for name, content in letter.record.headers if not name.startswith("dead_")
    )
    await publisher.send(letter.topic, letter.record.key, letter.record.value, headers)

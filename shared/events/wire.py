"""Events as Kafka records: CloudEvents 1.0 in Kafka's binary mode, JSON bodies, null for what was erased."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic

from pydantic import ValidationError

from shared.events.topic import E, Topic

Headers = tuple[tuple[str, bytes], ...]


class BadRecord(ValueError):  # noqa: N818 - named for what it is, a record and not an error of ours
    """A record that is at fault itself: no retry will make it readable. The message says what is wrong."""


@dataclass(frozen=True)
class Record(Generic[E]):
    """A record's content. `event` is None where the entity was erased."""

    key: str
    revision: int
    event: E | None
    traceparent: str | None = None


def encode(
    topic: Topic[E], event: E, *, source: str, traceparent: str | None = None
) -> tuple[bytes, bytes, Headers]:
    """(key, value, headers) of an event. The CloudEvents id is unique in its source: topic, key, revision."""
    key = topic.key_of(event)
    headers = _headers(topic, key, event.revision, event.occurred_at, source, traceparent)
    return key.encode(), event.model_dump_json(exclude_none=True).encode(), headers


def encode_tombstone(
    topic: Topic[E], key: str, revision: int, *, source: str, traceparent: str | None = None
) -> tuple[bytes, None, Headers]:
    """(key, None, headers): the entity `key` is erased as of `revision`."""
    return key.encode(), None, _headers(topic, key, revision, datetime.now(UTC), source, traceparent)


def decode(
    topic: Topic[E], key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]
) -> Record[E]:
    """Read a record.

    Raises BadRecord: no or non-UTF-8 key, no JSON, the wrong shape, a key other than the event's own, a
    tombstone without a readable `revision` header.
    """
    if key is None:
        raise BadRecord("the key is null")
    try:
        text_key = key.decode()
    except UnicodeDecodeError as error:
        raise BadRecord("the key is not UTF-8") from error
    by_name = {name: content for name, content in headers if content is not None}
    traceparent = by_name.get("traceparent", b"").decode("ascii", "ignore") or None
    if value is None:
        if not topic.compacted:
            raise BadRecord("the value is null, and the topic is not compacted")
        try:
            return Record(text_key, int(by_name["revision"]), None, traceparent)
        except (KeyError, ValueError) as error:
            raise BadRecord("a tombstone without a readable revision header") from error
    try:
        event = topic.event.model_validate_json(value)
    except ValidationError as error:
        raise BadRecord(_summary(error)) from error
    if topic.key_of(event) != text_key:
        raise BadRecord(f"the key is not the event's {topic.key}")
    return Record(text_key, event.revision, event, traceparent)


def _summary(error: ValidationError) -> str:
    """Where and what, never the value: it could be personal."""
    return "; ".join(
        f"{'/'.join(map(str, problem['loc'])) or 'body'}: {problem['msg']}"
        for problem in error.errors(include_input=False, include_url=False)[:5]
    )


def _headers(
    topic: Topic[E], key: str, revision: int, when: datetime, source: str, traceparent: str | None
) -> Headers:
    headers = [
        ("ce_specversion", "1.0"),
        ("ce_id", f"{topic.name}/{key}/{revision}"),
        ("ce_type", topic.name),
        ("ce_source", f"/{source}"),
        ("ce_time", when.astimezone(UTC).isoformat().replace("+00:00", "Z")),
        ("content-type", "application/json"),
        ("revision", str(revision)),
    ]
    if traceparent:
        headers.append(("traceparent", traceparent))
    return tuple((name, content.encode()) for name, content in headers)

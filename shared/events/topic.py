"""What a topic is: its name, key, event class, settings, who writes it and who reads it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field


class Fact(BaseModel):
    """A part of an event. Frozen; fields of newer producers are ignored; errors do not repeat values."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Event(Fact):
    """The whole state of one entity at one revision.

    `revision` grows strictly per entity (see `next_revision`); a consumer drops what is not newer than what
    it has. `occurred_at` is in UTC.
    """

    revision: int = Field(ge=0)
    occurred_at: datetime


E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Topic(Generic[E]):
    """A Kafka topic. `key` names the event's field whose value is the record's key."""

    name: str
    event: type[E]
    key: str
    partitions: int
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    compacted: bool = False
    retention: timedelta | None = None

    def key_of(self, event: E) -> str:
        return str(getattr(event, self.key))

    def settings(self) -> dict[str, str]:
        """Kafka's per-topic settings.

        Tombstones stay readable for seven days; a snapshot older than that cannot be brought up to date and
        is thrown away. Compaction runs at least daily, so that what was erased is gone from disk in time.
        """
        day = 24 * 3600 * 1000
        if self.compacted:
            return {
                "cleanup.policy": "compact",
                "delete.retention.ms": str(7 * day),
                "max.compaction.lag.ms": str(day),
                "min.cleanable.dirty.ratio": "0.1",
            }
        if self.retention is None:
            raise ValueError(f"{self.name}: a topic is compacted or has a retention")
        return {"cleanup.policy": "delete", "retention.ms": str(int(self.retention.total_seconds() * 1000))}


def next_revision(previous: int, now: datetime) -> int:
    """Above `previous`, and at least milliseconds since 1970: an emptied store does not fall behind."""
    return max(previous + 1, int(now.timestamp() * 1000))

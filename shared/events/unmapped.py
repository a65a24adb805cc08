"""intake.unmapped.v1: skill names that the taxonomy does not know."""

from datetime import timedelta

from pydantic import Field

from shared.events.topic import Event, Topic


class UnmappedTerm(Event):
    """`seen` counts how often intake met `term` so far (in needs and in candidates)."""

    term: str = Field(min_length=1, max_length=80)
    seen: int = Field(ge=1)


UNMAPPED = Topic(
    "intake.unmapped.v1",
    UnmappedTerm,
    key="term",
    partitions=1,
    retention=timedelta(days=90),
    producers=("intake",),
    consumers=("catalog",),
)

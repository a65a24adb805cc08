"""notifier.deliveries.v1: what became of each mail about a need."""

from datetime import timedelta
from enum import StrEnum

from shared.events.topic import Event, Topic


class DeliveryKind(StrEnum):
    ACKNOWLEDGEMENT = "acknowledgement"
    SHORTLIST = "shortlist"
    NO_MATCH = "no_match"
    TAKEN = "taken"
    FILLED = "filled"


class DeliveryStatus(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class Audience(StrEnum):
    CLIENT = "client"
    CONSULTANT = "consultant"


class Delivery(Event):
    """One mail's outcome. Names nobody: `delivery_id` is notifier's ledger row."""

    delivery_id: str
    need_id: str
    kind: DeliveryKind
    audience: Audience
    status: DeliveryStatus
    subject_revision: int
    failure: str | None = None


DELIVERIES = Topic(
    "notifier.deliveries.v1",
    Delivery,
    key="need_id",
    partitions=12,
    retention=timedelta(days=30),
    producers=("notifier",),
    consumers=("intake",),
)

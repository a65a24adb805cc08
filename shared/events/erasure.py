"""erasures.v1: each service that held something confirms that it is gone."""

from datetime import timedelta
from enum import StrEnum

from shared.events.topic import Event, Topic


class Subject(StrEnum):
    CANDIDATE = "candidate"
    NEED = "need"


class Erasure(Event):
    """`revision` is that of the tombstone that was carried out."""

    subject_id: str
    subject: Subject
    service: str


ERASURES = Topic(
    "erasures.v1",
    Erasure,
    key="subject_id",
    partitions=3,
    retention=timedelta(days=400),
    producers=("matching", "notifier", "intake"),
    consumers=("intake",),
)

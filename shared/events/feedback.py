"""notifier.feedback.v1: what consultants decided."""

from datetime import timedelta
from enum import StrEnum

from shared.events.topic import Event, Fact, Topic


class Decision(StrEnum):
    """TAKEN and PASSED_ON are about the need, the others about one candidate for it."""

    TAKEN = "taken"
    PASSED_ON = "passed_on"
    ACCEPTED = "accepted"
    CONTACTED = "contacted"
    PRESENTED = "presented"
    DECLINED = "declined"
    PLACED = "placed"


class DeclineReason(StrEnum):
    SKILLS = "skills"
    EXPERIENCE = "experience"
    AVAILABILITY = "availability"
    RATE = "rate"
    LOCATION = "location"
    NOT_INTERESTED = "not_interested"
    OTHER = "other"


class Colleague(Fact):
    """The consultant as the client may see them: who will call, and how to reach them."""

    consultant_id: str
    name: str
    email: str
    phone: str | None = None


class Feedback(Event):
    feedback_id: str
    need_id: str
    decision: Decision
    consultant: Colleague
    candidate_id: str | None = None
    reason: DeclineReason | None = None
    shortlist_revision: int | None = None
    undone: bool = False
    """The decision about the candidate that is named here was taken back: none is in force."""


FEEDBACK = Topic(
    "notifier.feedback.v1",
    Feedback,
    key="need_id",
    partitions=12,
    retention=timedelta(days=400),
    producers=("notifier",),
    consumers=("intake", "matching"),
)

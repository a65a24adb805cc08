"""How far the agency got with a need: the status machine, and what each event adds to the timeline.

The status and the timeline are intake's own, outside the need's revision. Every event adds an entry under an
id of its own, so that a repeated one changes nothing; a late one never moves the status back.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.events.delivery import Audience, Delivery, DeliveryKind, DeliveryStatus
from shared.events.feedback import Colleague, Decision, Feedback
from shared.events.need import NeedState
from shared.events.shortlist import Outcome, Shortlist


class Status(StrEnum):
    RECEIVED = "received"
    NO_MATCH = "no_match"
    MATCHED = "matched"
    SENT = "sent"
    IN_PROGRESS = "in_progress"
    FILLED = "filled"
    WITHDRAWN = "withdrawn"


_CLOSED = frozenset({Status.FILLED, Status.WITHDRAWN})
_WORKED_ON = frozenset({Status.SENT, Status.IN_PROGRESS}) | _CLOSED

TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    # Topics are read independently of one another, so a step may be skipped.
    Status.RECEIVED: _WORKED_ON | {Status.MATCHED, Status.NO_MATCH},
    # An edit, or a newcomer in the pool, turns one into the other; only a newer shortlist may.
    Status.NO_MATCH: _WORKED_ON | {Status.MATCHED},
    Status.MATCHED: _WORKED_ON | {Status.NO_MATCH},
    Status.SENT: _WORKED_ON - {Status.SENT},
    Status.IN_PROGRESS: _CLOSED,
    Status.FILLED: frozenset(),
    Status.WITHDRAWN: frozenset(),
}


def may_move(current: Status, to: Status) -> bool:
    return to in TRANSITIONS[current]


def sources_of(to: Status) -> list[Status]:
    """The statuses from which `to` can be reached."""
    return [status for status, reachable in TRANSITIONS.items() if to in reachable]


def status_of(state: NeedState) -> Status:
    """Where a need begins that is known by its event alone."""
    return Status.RECEIVED if state is NeedState.OPEN else Status(state.value)


@dataclass(frozen=True)
class News:
    """What one event says of a need.

    `entry_id` is the timeline entry's id, the same for a repeated event. `consultant` is who has taken the
    need as of `at`, or None with `passed_on`. `placed` marks one filled position, `unplaced` takes it back.
    """

    entry_id: str | None
    event: str
    at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)
    to: Status | None = None
    shortlist_revision: int | None = None
    consultant: Colleague | None = None
    passed_on: bool = False
    placed: str | None = None
    unplaced: str | None = None


def news_of_shortlist(shortlist: Shortlist) -> News:
    matched = shortlist.outcome is Outcome.MATCHED
    return News(
        # Once for each revision of the need: later shortlists of it are the consultants' affair.
        entry_id=f"{shortlist.outcome.value}-{shortlist.need_revision}",
        event=shortlist.outcome.value,
        at=shortlist.occurred_at,
        details={"need_revision": shortlist.need_revision},
        to=Status.MATCHED if matched else Status.NO_MATCH,
        shortlist_revision=shortlist.revision,
    )


def news_of_delivery(delivery: Delivery) -> News | None:
    """Of all mails two count: the acknowledgement to the client, and the list that went to a consultant."""
    sent = delivery.status is DeliveryStatus.SENT
    if delivery.kind is DeliveryKind.ACKNOWLEDGEMENT and delivery.audience is Audience.CLIENT:
        if sent:
            return News("acknowledged", "acknowledged", delivery.occurred_at)
        if delivery.status is DeliveryStatus.FAILED:
            return News("not-acknowledged", "acknowledgement_failed", delivery.occurred_at)
    if delivery.kind is DeliveryKind.SHORTLIST and delivery.audience is Audience.CONSULTANT and sent:
        return News(
            f"sent-{delivery.subject_revision}",
            "sent",
            delivery.occurred_at,
            {"shortlist_revision": delivery.subject_revision},
            to=Status.SENT,
        )
    return None


def news_of_feedback(feedback: Feedback) -> News | None:
    """A decline stays between consultant and candidate; all else moves the need on."""
    if feedback.undone:
        return _news_of_undoing(feedback)
    entry = f"{feedback.decision.value}-{_digest(feedback.feedback_id)}"
    at = feedback.occurred_at
    match feedback.decision:
        case Decision.DECLINED:
            return None
        case Decision.TAKEN:
            return News(entry, "taken", at, to=Status.IN_PROGRESS, consultant=feedback.consultant)
        case Decision.PASSED_ON:
            return News(entry, "passed_on", at, passed_on=True)
        case Decision.PLACED:
            placed = _digest(feedback.candidate_id or feedback.feedback_id)
            return News(f"placed-{placed}", "placed", at, to=Status.IN_PROGRESS, placed=placed)
        case _:
            return News(entry, feedback.decision.value, at, to=Status.IN_PROGRESS)


def _news_of_undoing(feedback: Feedback) -> News | None:
    """The timeline keeps what was said; only a position that is not filled after all is free again."""
    if feedback.candidate_id is None:
        return None
    unplaced = _digest(feedback.candidate_id)
    return News(None, "undone", feedback.occurred_at, unplaced=unplaced)


def _digest(identifier: str) -> str:
    """An id as part of a document's field name: others' ids may hold dots."""
    return hashlib.sha256(identifier.encode()).hexdigest()[:24]

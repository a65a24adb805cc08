"""What consultants write and add by hand on the desk; it stays in notifier's store, in no event. Pure."""

from datetime import datetime

from shared.events.feedback import Decision
from shared.events.topic import Fact

MAX_NOTE = 2000
"""Characters."""


class Note(Fact):
    """A remark on a need, or on a candidate for it; with the decision that it explains, if any."""

    consultant_id: str
    at: datetime
    text: str
    candidate_id: str | None = None
    decision: Decision | None = None


class Addition(Fact):
    """A candidate whom a consultant put beside the shortlist."""

    candidate_id: str
    consultant_id: str
    at: datetime

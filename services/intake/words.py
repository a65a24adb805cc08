"""What the pages say, in French and English, and which steps of a need they show."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from services.intake.domain.progress import Status

_TEXTS = Path(__file__).parent / "words.yaml"

TIMELINE_EVENTS = frozenset(
    {
        "received", "edited", "acknowledged", "acknowledgement_failed", "matched", "no_match", "sent",
        "taken", "passed_on", "accepted", "contacted", "presented", "placed", "filled", "withdrawn",
    }
)  # fmt: skip
"""What a client sees of the timeline."""

STEPS_AHEAD: Mapping[Status, Sequence[str]] = {
    Status.RECEIVED: ("matched", "sent", "taken"),
    Status.NO_MATCH: ("matched", "sent", "taken"),
    Status.MATCHED: ("sent", "taken"),
    Status.SENT: ("taken",),
    Status.IN_PROGRESS: ("filled",),
    Status.FILLED: (),
    Status.WITHDRAWN: (),
}


def words() -> dict[str, dict[str, str]]:
    """The texts of words.yaml: key -> language -> text."""
    found: dict[str, dict[str, str]] = yaml.safe_load(_TEXTS.read_text("utf-8"))
    return found

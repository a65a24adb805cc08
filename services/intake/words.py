"""What the pages say, in French and English, and which steps of a need they show."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import yaml

from services.intake.domain.progress import Status

_HERE = Path(__file__).parent
_TEXTS = ("words.yaml", "words_status.yaml", "words_desk.yaml")

SCRIPT_WORDS = ("js_", "hard_")
"""What the keys begin with of what the form's scripts say; they know each without its `js_`."""

TIMELINE_EVENTS = frozenset(
    {
        "received", "edited", "acknowledged", "acknowledgement_failed", "matched", "no_match", "sent",
        "taken", "passed_on", "accepted", "contacted", "presented", "placed", "positions_filled", "filled",
        "withdrawn", "merged",
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


@cache
def words() -> dict[str, dict[str, str]]:
    """The texts of the pages about needs: key -> language -> text."""
    found: dict[str, dict[str, str]] = {}
    for name in _TEXTS:
        found |= yaml.safe_load((_HERE / name).read_text("utf-8"))
    return found

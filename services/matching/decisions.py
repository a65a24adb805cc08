"""Decisions of consultants that ranking minds: who was declined for a need, and who is placed. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from shared.events.candidate import Candidate
from shared.events.feedback import Decision, Feedback


class Decisions:
    """The last decision about each candidate for each need, in whatever order they arrive."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], Feedback] = {}
        self._declined: dict[str, set[str]] = defaultdict(set)
        self._placed: dict[str, dict[str, datetime]] = defaultdict(dict)

    def note(self, decision: Feedback) -> bool:
        """Take a decision in; whether it changes who may be listed where."""
        if decision.candidate_id is None:
            return False
        about = (decision.need_id, decision.candidate_id)
        known = self._last.get(about)
        if known is not None and known.occurred_at >= decision.occurred_at:
            return False
        self._last[about] = decision
        had = self._barred(*about)
        made = None if decision.undone else decision.decision
        self._lift(*about)
        if made is Decision.DECLINED:
            self._declined[decision.need_id].add(decision.candidate_id)
        elif made is Decision.PLACED:
            self._placed[decision.candidate_id][decision.need_id] = decision.occurred_at
        return had != self._barred(*about)

    def declined(self, need_id: str) -> frozenset[str]:
        """Candidates whom a consultant declined for this need."""
        return frozenset(self._declined.get(need_id, ()))

    def placed_elsewhere(self, need_id: str = "") -> dict[str, datetime]:
        """Candidate -> when they were last placed, with another need than this one."""
        found: dict[str, datetime] = {}
        for candidate_id, placings in self._placed.items():
            others = [when for where, when in placings.items() if where != need_id]
            if others and need_id not in placings:
                found[candidate_id] = max(others)
        return found

    def _lift(self, need_id: str, candidate_id: str) -> None:
        """No decision is in force; nothing is kept of who is free, since every ranking goes through these."""
        self._declined.get(need_id, set()).discard(candidate_id)
        self._placed.get(candidate_id, {}).pop(need_id, None)
        if not self._declined.get(need_id, True):
            del self._declined[need_id]
        if not self._placed.get(candidate_id, True):
            del self._placed[candidate_id]

    def _barred(self, need_id: str, candidate_id: str) -> tuple[bool, bool]:
        return (
            candidate_id in self._declined.get(need_id, ()),
            need_id in self._placed.get(candidate_id, ()),
        )


def still_placed(candidate: Candidate, placed: Mapping[str, datetime]) -> bool:
    """Whether a placing keeps the candidate from other needs.

    It does until an event of the candidate that is newer than the placing states an `available_from` after
    it. That is a function of the newest event alone, so that every replica, and one that has just started,
    answers alike. A date that was stated before the placing is in none of them: intake, which knows when it
    was stated, leaves it out of what it publishes from the placing on.
    """
    when = placed.get(candidate.candidate_id)
    if when is None:
        return False
    renewed = candidate.available_from is not None and candidate.available_from > when.date()
    return not (renewed and candidate.occurred_at > when)

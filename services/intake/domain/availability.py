"""When a candidate's availability was stated, and what a placement leaves of it. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.events.feedback import Decision, Feedback

Facts = dict[str, Any]
_SAID_BY = ("available_from", "cv_text")
"""The fields of a request that say from when somebody is available."""


def stated_at(had: Mapping[str, Any] | None, changed: Mapping[str, Any], at: datetime) -> datetime:
    """When the availability in `changed` was stated: `at`, or earlier where `had` was told the same.

    Reading the same text again states nothing anew, though "one month's notice" then ends on another day.
    """
    if had is None:
        return at
    before, given = had["given"] or {}, changed["given"]
    # A date that is stated outranks what a text says, which may be another one for another reason.
    said_by = _SAID_BY[:1] if given.get("available_from") else _SAID_BY
    if all(before.get(name) == given.get(name) for name in said_by):
        # What an earlier version of this service stored was stated at its last revision or before.
        known: datetime = had.get("availability_stated_at") or had["occurred_at"]
        return known
    return at


def placements(had: Mapping[str, Any], decision: Feedback) -> Mapping[str, Any]:
    """The candidate's placements by need, each `{"at", "in_force"}`, with this decision, in any order."""
    known: dict[str, Any] = had.get("placements") or {}
    before = known.get(decision.need_id)
    in_force = decision.decision is Decision.PLACED and not decision.undone
    if decision.decision is not Decision.PLACED and before is None:
        return known
    if before is not None and before["at"] >= decision.occurred_at:
        return known
    return known | {decision.need_id: {"at": decision.occurred_at, "in_force": in_force}}


def all_placements(one: Mapping[str, Any], other: Mapping[str, Any]) -> Facts:
    """Those of two records of one person; of two about one need, the newer."""
    found: Facts = dict(one.get("placements") or {})
    for need_id, placed in (other.get("placements") or {}).items():
        if need_id not in found or found[need_id]["at"] < placed["at"]:
            found[need_id] = placed
    return found


def known_outside(document: Mapping[str, Any]) -> Facts:
    """The facts without an availability that was stated before a placement: nobody knows until when it lasts.

    Who is placed is free again for other needs once an availability is stated anew.
    """
    placed = [one["at"] for one in (document.get("placements") or {}).values() if one["in_force"]]
    stated = document.get("availability_stated_at") or document["occurred_at"]
    facts: Facts = document["facts"]
    if not placed or stated > max(placed):
        return facts
    return {name: value for name, value in facts.items() if name != "available_from"}

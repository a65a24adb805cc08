"""What a consultant's answer changes in a need's file, and when it is not possible. Pure."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from services.notifier.consultants import Consultant
from services.notifier.domain import Mark, NeedFile, Owner, Step, longer, released, to_client
from shared.events.delivery import DeliveryKind
from shared.events.feedback import Colleague, Decision, DeclineReason, Feedback
from shared.events.topic import next_revision


class NotPossible(Exception):  # noqa: N818 - the answer to a decision
    """Why a decision cannot be made (any more)."""

    def __init__(self, why: "Why") -> None:
        super().__init__(why.value)
        self.why = why


class Why(StrEnum):
    CLOSED = "closed"
    WITH_COLLEAGUE = "with_colleague"
    CANDIDATE_GONE = "candidate_gone"
    ALREADY_PASSED_ON = "already_passed_on"
    NOT_AVAILABLE = "not_available"
    """Who would get the need is paused, or cannot be reached."""


def decide(
    file: NeedFile,
    by: Consultant,
    decision: Decision,
    now: datetime,
    *,
    feedback_id: str,
    candidate_id: str | None = None,
    reason: DeclineReason | None = None,
    shortlist_revision: int | None = None,
    overrule: bool = False,
) -> NeedFile:
    """Record a decision; one that is already in force changes nothing. Raises NotPossible.

    With `overrule` it may be about a candidate for a need that a colleague has taken over.
    """
    _check_possible(file, by.consultant_id, decision, candidate_id, overrule=overrule and bool(candidate_id))
    if decision is Decision.TAKEN and not by.available:
        raise NotPossible(Why.NOT_AVAILABLE)
    if _in_force(file, by.consultant_id, decision, candidate_id, reason):
        return file
    revision = next_revision(0, now)
    feedback = Feedback(
        feedback_id=feedback_id,
        need_id=file.need_id,
        decision=decision,
        consultant=colleague(by),
        candidate_id=candidate_id,
        reason=reason,
        shortlist_revision=shortlist_revision,
        revision=revision,
        occurred_at=now,
    )
    changed = file.model_copy(update={"decided": (*file.decided, feedback)})
    if decision is Decision.TAKEN:
        return _taken(changed, by.consultant_id, revision, now)
    if decision is Decision.PASSED_ON:
        return released(changed, by.consultant_id, Step.PASSED_ON, now)
    mark = Mark(
        candidate_id=candidate_id or "",
        decision=decision,
        consultant_id=by.consultant_id,
        at=now,
        reason=reason,
    )
    others = (one for one in file.marks if one.candidate_id != candidate_id)
    return changed.model_copy(update={"marks": (*others, mark)})


def colleague(by: Consultant) -> Colleague:
    return Colleague(consultant_id=by.consultant_id, name=by.name, email=by.email, phone=by.phone)


def undo(
    file: NeedFile,
    by: Consultant,
    candidate_id: str,
    now: datetime,
    *,
    feedback_id: str,
    overrule: bool = False,
) -> NeedFile:
    """Take back what was decided about a candidate, if anything was. Raises NotPossible."""
    mark = file.mark_of(candidate_id)
    if mark is None:
        return file
    _check_possible(file, by.consultant_id, mark.decision, candidate_id, overrule=overrule)
    feedback = Feedback(
        feedback_id=feedback_id,
        need_id=file.need_id,
        decision=mark.decision,
        consultant=colleague(by),
        candidate_id=candidate_id,
        reason=mark.reason,
        undone=True,
        revision=next_revision(0, now),
        occurred_at=now,
    )
    others = tuple(one for one in file.marks if one.candidate_id != candidate_id)
    return file.model_copy(update={"decided": (*file.decided, feedback), "marks": others})


def _taken(file: NeedFile, consultant_id: str, revision: int, now: datetime) -> NeedFile:
    return file.model_copy(
        update={
            "owner": Owner(consultant_id=consultant_id, since=now, taken_at=now),
            "passed_by": tuple(one for one in file.passed_by if one != consultant_id),
            "history": longer(file, consultant_id, Step.TAKEN, now),
            "due": (*file.due, to_client(DeliveryKind.TAKEN, revision, now)),
        }
    )


def _check_possible(
    file: NeedFile, who: str, decision: Decision, candidate_id: str | None, *, overrule: bool
) -> None:
    if not file.open:
        raise NotPossible(Why.CLOSED)
    mine = file.owner is not None and file.owner.consultant_id == who
    if decision is Decision.PASSED_ON and not mine:
        # The link of an earlier mail, pressed again.
        raise NotPossible(Why.ALREADY_PASSED_ON if who in file.passed_by else Why.WITH_COLLEAGUE)
    if file.owner is not None and file.owner.taken_at is not None and not (mine or overrule):
        raise NotPossible(Why.WITH_COLLEAGUE)
    if candidate_id is not None and candidate_id not in file.candidates:
        raise NotPossible(Why.CANDIDATE_GONE)


def _in_force(
    file: NeedFile, who: str, decision: Decision, candidate_id: str | None, reason: DeclineReason | None
) -> bool:
    if decision is Decision.TAKEN:
        return file.owner is not None and file.owner.consultant_id == who and file.owner.taken_at is not None
    mark = file.mark_of(candidate_id) if candidate_id else None
    return mark is not None and (mark.decision, mark.reason) == (decision, reason)


def replayed(file: NeedFile, feedback: Feedback, consultants: Collection[str]) -> NeedFile:
    """Take over a decision that was published before the store was lost; it is not published again."""
    who, when = feedback.consultant.consultant_id, feedback.occurred_at
    if feedback.decision is Decision.PASSED_ON:
        return released(file, who, Step.PASSED_ON, when).model_copy(
            update={"passed_by": (*(one for one in file.passed_by if one != who), who)}
        )
    if feedback.decision is Decision.TAKEN:
        if who not in consultants:
            return file
        due = file.due
        return _taken(file, who, feedback.revision, when).model_copy(update={"due": due})
    if feedback.candidate_id is None:
        return file
    mark = Mark(
        candidate_id=feedback.candidate_id,
        decision=feedback.decision,
        consultant_id=who,
        at=when,
        reason=feedback.reason,
    )
    others = tuple(one for one in file.marks if one.candidate_id != feedback.candidate_id)
    return file.model_copy(update={"marks": others if feedback.undone else (*others, mark)})

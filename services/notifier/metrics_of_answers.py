"""What a consultant's answers say of the rankings, as metrics.

A candidate counts once for a need, by the first answer: declined, or anything else (accepted). So

- acceptance rate = answers{answer="accepted"} / answers,
- precision at 5 = the same with place="1-5": of the first five that were answered, how many were wanted.
"""

from services.notifier.domain import NeedFile
from shared.events.feedback import Decision, DeclineReason
from shared.metrics import Metrics

SERVICE = "notifier"


def count_decision(
    metrics: Metrics,
    before: NeedFile,
    after: NeedFile,
    decision: Decision,
    candidate_id: str | None,
    reason: DeclineReason | None,
) -> None:
    """Count a decision that led from `before` to `after`."""
    metrics.decisions.labels(SERVICE, decision.value).inc()
    if reason is not None:
        metrics.decline_reasons.labels(SERVICE, reason.value).inc()
    if candidate_id is not None and before.mark_of(candidate_id) is None:
        answer = "declined" if decision is Decision.DECLINED else "accepted"
        metrics.answers.labels(SERVICE, answer, place_of(before, candidate_id)).inc()
    if is_first_answer(before, decision) and before.came_at is not None and after.decided:
        waited = (after.decided[-1].occurred_at - before.came_at).total_seconds()
        metrics.first_answer_seconds.labels(SERVICE).observe(max(0.0, waited))


def is_first_answer(before: NeedFile, decision: Decision) -> bool:
    """Passing a need on answers nothing: the client still waits for somebody."""
    if decision is Decision.PASSED_ON or before.marks:
        return False
    return not any(passage.step == Decision.TAKEN.value for passage in before.history)


def place_of(file: NeedFile, candidate_id: str) -> str:
    """Where the candidate stood when the answer came."""
    entries = [entry.candidate_id for entry in file.shortlist.entries] if file.shortlist else []
    if candidate_id in entries:
        return "1-5" if entries.index(candidate_id) < 5 else "6-10"
    if file.shortlist and any(near.candidate_id == candidate_id for near in file.shortlist.near_misses):
        return "near_miss"
    return "by_hand" if any(one.candidate_id == candidate_id for one in file.by_hand) else "unlisted"

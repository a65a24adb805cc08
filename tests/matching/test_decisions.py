"""Decisions of consultants: the last one counts in any order; who was placed is free again when said so."""

from datetime import date, datetime, timedelta
from itertools import permutations

from services.matching.decisions import Decisions, still_placed
from shared.events.feedback import Colleague, Decision, Feedback
from tests.matching.pieces import THEN, candidate


def decided(
    decision: Decision, hours: int, *, need_id: str = "n1", candidate_id: str = "c1", undone: bool = False
) -> Feedback:
    return Feedback(
        feedback_id=f"{need_id}-{candidate_id}-{hours}",
        need_id=need_id,
        decision=decision,
        consultant=Colleague(consultant_id="k1", name="Sample Consultant", email="k@example.com"),
        candidate_id=candidate_id,
        undone=undone,
        revision=hours,
        occurred_at=THEN + timedelta(hours=hours),
    )


def after(*decisions: Feedback) -> Decisions:
    known = Decisions()
    for one in decisions:
        known.note(one)
    return known


def test_the_last_decision_counts_in_whatever_order_they_arrive() -> None:
    story = [decided(Decision.DECLINED, 1), decided(Decision.ACCEPTED, 2), decided(Decision.PLACED, 3)]
    for order in permutations(story):
        known = after(*order)
        assert known.declined("n1") == frozenset()
        assert known.placed_elsewhere("n2") == {"c1": THEN + timedelta(hours=3)}


def test_a_decision_that_was_taken_back_bars_nobody() -> None:
    known = after(decided(Decision.DECLINED, 1), decided(Decision.DECLINED, 2, undone=True))
    assert known.declined("n1") == frozenset()
    known = after(decided(Decision.PLACED, 1), decided(Decision.PLACED, 2, undone=True))
    assert known.placed_elsewhere() == {}


def test_note_says_whether_anything_changes() -> None:
    known = Decisions()
    assert known.note(decided(Decision.DECLINED, 1))
    assert not known.note(decided(Decision.DECLINED, 1)), "redelivered"
    assert not known.note(decided(Decision.ACCEPTED, 0)), "older"
    assert not known.note(decided(Decision.DECLINED, 2)), "the same again"
    assert known.note(decided(Decision.ACCEPTED, 3))


def test_who_is_placed_is_barred_from_other_needs_alone() -> None:
    known = after(decided(Decision.PLACED, 1))
    assert known.placed_elsewhere("n1") == {}
    assert known.placed_elsewhere("n2").keys() == {"c1"}


def test_a_newer_event_with_a_later_date_frees_who_was_placed() -> None:
    placed = {"c1": THEN}

    def known(available_from: date | None, occurred_at: datetime) -> bool:
        one = candidate("c1", available_from=available_from).model_copy(update={"occurred_at": occurred_at})
        return still_placed(one, placed)

    later, before = THEN + timedelta(days=90), THEN - timedelta(days=1)
    assert known(None, before)
    assert known(date(2027, 6, 1), before), "said before the placing"
    assert known(None, later), "an edit of something else"
    assert known(THEN.date(), later), "the date of before"
    assert not known(date(2027, 6, 1), later)
    assert not still_placed(candidate("c2"), placed)

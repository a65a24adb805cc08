"""A placement takes an availability that was stated before it out of what others know."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from services.intake.domain.availability import all_placements, known_outside, placements, stated_at
from shared.events.candidate import CANDIDATES, Candidate
from shared.events.feedback import FEEDBACK, Decision, Feedback
from shared.run import Surroundings
from tests.intake.support import a_candidate, a_feedback, bearer, intake
from tests.support import publisher, records, until

THEN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def document(**changes: Any) -> dict[str, Any]:
    return {
        "given": {"available_from": "2027-06-01"},
        "facts": {"available_from": "2027-06-01", "years": 8},
        "occurred_at": THEN,
        "availability_stated_at": THEN,
    } | changes


def placed(after: timedelta, **changes: Any) -> Feedback:
    return a_feedback("n1", Decision.PLACED, candidate_id="c1", occurred_at=THEN + after, **changes)


def test_what_is_said_again_is_not_stated_anew() -> None:
    had, later = document(), THEN + HOUR
    assert stated_at(None, document(), later) == later
    assert stated_at(had, document(), later) == THEN
    assert stated_at(had, document(given={"available_from": "2027-07-01"}), later) == later
    assert stated_at(had, document(given={"cv_text": "Available in June"}), later) == later
    earlier = document(given={"cv_text": "One month's notice"})
    read_later = document(given=earlier["given"], facts={"available_from": "2027-08-01"})
    assert stated_at(earlier, read_later, later) == THEN, "the same text, read on another day"


def test_what_an_earlier_version_stored_was_stated_at_its_last_revision_or_before() -> None:
    had = document()
    del had["availability_stated_at"]
    assert stated_at(had, document(given=had["given"] | {"years": 9}), THEN + HOUR) == THEN


def test_an_availability_from_before_a_placement_is_known_to_nobody_else() -> None:
    assert known_outside(document())["available_from"] == "2027-06-01"
    barred = document(placements=placements(document(), placed(HOUR)))
    assert known_outside(barred) == {"years": 8}
    assert "available_from" in known_outside(barred | {"availability_stated_at": THEN + 2 * HOUR})


def test_the_last_decision_counts_however_often_and_late_they_come() -> None:
    decisions = [placed(HOUR), placed(2 * HOUR, undone=True)]
    for order in (decisions, [*decisions, *decisions], decisions[::-1]):
        one = document()
        for decision in order:
            one["placements"] = placements(one, decision)
        assert "available_from" in known_outside(one)
    declined = a_feedback("n1", Decision.DECLINED, candidate_id="c1", occurred_at=THEN + HOUR)
    assert placements(document(), declined) == {}, "who was never placed"


def test_a_date_that_is_stated_outranks_a_text_that_is_sent_with_it() -> None:
    had = document(given={"available_from": "2027-06-01", "cv_text": "One month's notice"})
    renewed = document(given=had["given"] | {"cv_text": "In my new job since May"})
    assert stated_at(had, renewed, THEN + HOUR) == THEN


def test_of_two_records_of_one_person_all_placements_count() -> None:
    one = document(placements=placements(document(), placed(HOUR)))
    other = {"n1": {"at": THEN + 2 * HOUR, "in_force": False}, "n2": {"at": THEN, "in_force": True}}
    assert all_placements(one, {"placements": other}) == other
    assert all_placements({"placements": other}, one) == other
    assert all_placements(one, document()) == one["placements"]


async def test_an_edit_of_something_else_leaves_who_is_placed_without_an_availability(
    given: Surroundings,
) -> None:
    async with intake(given) as client:
        body = a_candidate(available_from="2089-06-01")
        stored = (await client.post("/api/candidates", json=body, headers=bearer(given))).json()
        candidate_id = stored["candidate_id"]
        first = await newest(given, revisions=1)
        assert first.available_from is not None

        decision = a_feedback("n1", Decision.PLACED, candidate_id=candidate_id)
        async with publisher(given.kafka_bootstrap) as sender:
            await sender.publish(FEEDBACK, decision)
            at_placing = await newest(given, revisions=2)
            assert at_placing.available_from is None
            await patch(client, given, candidate_id, {"day_rate": 620})
            edited = await newest(given, revisions=3)
            assert (edited.day_rate, edited.available_from) == (620, None)

            undone = decision.model_copy(
                update={
                    "undone": True, "revision": 2, "feedback_id": "f2",
                    "occurred_at": decision.occurred_at + HOUR,
                }
            )  # fmt: skip
            await sender.publish(FEEDBACK, undone)
            assert (await newest(given, revisions=4)).available_from == first.available_from


async def test_who_is_placed_and_states_a_new_availability_is_known_by_it(given: Surroundings) -> None:
    async with intake(given) as client:
        body = a_candidate(available_from="2089-06-01")
        stored = (await client.post("/api/candidates", json=body, headers=bearer(given))).json()
        decision = a_feedback("n1", Decision.PLACED, candidate_id=stored["candidate_id"])
        await newest(given, revisions=1)
        async with publisher(given.kafka_bootstrap) as sender:
            await sender.publish(FEEDBACK, decision)
        await newest(given, revisions=2)
        await patch(client, given, stored["candidate_id"], {"available_from": "2089-09-01"})
        last = await newest(given, revisions=3)
        assert str(last.available_from) == "2089-09-01"
        assert last.occurred_at > decision.occurred_at


async def newest(given: Surroundings, revisions: int) -> Candidate:
    """The candidate's last event, once there are so many."""

    async def enough() -> list[Candidate]:
        found = [record.event for record in await records(given.kafka_bootstrap, CANDIDATES)]
        events = [event for event in found if event is not None]
        return events if len(events) >= revisions else []

    events: list[Candidate] = await until(enough)
    assert len(events) == revisions
    return events[-1]


async def patch(client: httpx.AsyncClient, given: Surroundings, candidate_id: str, change: Any) -> None:
    path, key = f"/api/candidates/{candidate_id}", bearer(given)
    etag = (await client.get(path, headers=key)).headers["etag"]
    answer = await client.patch(path, json=change, headers=key | {"If-Match": etag})
    assert answer.status_code == 200, answer.text

"""The status machine, and what the other services' events make of a need's timeline."""

import itertools
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.intake.domain.progress import TRANSITIONS, Status, may_move, news_of_delivery, sources_of
from shared.events.delivery import DELIVERIES, Audience, DeliveryKind, DeliveryStatus
from shared.events.erasure import ERASURES, Erasure, Subject
from shared.events.feedback import FEEDBACK, Decision
from shared.events.need import NEEDS, NeedState
from shared.events.registry import DEAD_LETTERS
from shared.events.shortlist import SHORTLISTS, Outcome
from shared.run import Surroundings
from tests.intake.support import a_delivery, a_feedback, a_need, a_shortlist, bearer, intake
from tests.support import now, publisher, raw_records, records, until

SENT = (DeliveryKind.SHORTLIST, Audience.CONSULTANT)


def test_the_status_only_ever_moves_on() -> None:
    order = [Status.RECEIVED, Status.SENT, Status.IN_PROGRESS, Status.FILLED]
    for earlier, later in itertools.combinations(order, 2):
        assert may_move(earlier, later)
        assert not may_move(later, earlier)
    for closed in (Status.FILLED, Status.WITHDRAWN):
        assert not TRANSITIONS[closed]
    assert may_move(Status.NO_MATCH, Status.MATCHED)
    assert may_move(Status.MATCHED, Status.NO_MATCH)
    assert not any(Status.RECEIVED in reachable for reachable in TRANSITIONS.values())
    assert set(sources_of(Status.SENT)) == {Status.RECEIVED, Status.NO_MATCH, Status.MATCHED}


@pytest.mark.parametrize("status", [DeliveryStatus.QUEUED, DeliveryStatus.SUPERSEDED, DeliveryStatus.FAILED])
def test_a_shortlist_that_was_not_mailed_moves_nothing(status: DeliveryStatus) -> None:
    assert news_of_delivery(a_delivery("n", *SENT, status=status)) is None


async def need_of(client: httpx.AsyncClient, given: Surroundings, need_id: str) -> dict[str, Any]:
    response = await client.get(f"/api/needs/{need_id}", headers=bearer(given))
    body: dict[str, Any] = response.json()
    return body


async def test_events_move_a_need_along_and_redelivery_of_all_of_them_changes_nothing(
    given: Surroundings,
) -> None:
    async with intake(given) as client, publisher(given.kafka_bootstrap) as sender:
        posted = await client.post("/api/needs", json=a_need(), headers=bearer(given))
        need_id, revision = posted.json()["need_id"], posted.json()["revision"]

        async def status_is(status: str) -> bool:
            return bool((await need_of(client, given, need_id))["status"] == status)

        none = a_shortlist(need_id, 1, Outcome.NO_MATCH, occurred_at=now() - timedelta(seconds=5))
        some = a_shortlist(need_id, 2, occurred_at=now() - timedelta(seconds=4))
        mailed = a_delivery(need_id, *SENT, occurred_at=now() - timedelta(seconds=3))
        told = a_delivery(need_id, DeliveryKind.ACKNOWLEDGEMENT, Audience.CLIENT)
        taken = a_feedback(need_id, Decision.TAKEN)
        declined = a_feedback(need_id, Decision.DECLINED, candidate_id="c")

        async def send_all() -> None:
            await sender.publish(SHORTLISTS, none)
            await sender.publish(SHORTLISTS, some)
            await sender.publish(DELIVERIES, mailed)
            await sender.publish(DELIVERIES, told)
            await sender.publish(FEEDBACK, taken)
            await sender.publish(FEEDBACK, declined)

        await sender.publish(SHORTLISTS, none)
        await until(lambda: status_is("no_match"))
        await sender.publish(SHORTLISTS, some)
        await until(lambda: status_is("matched"))
        # Events of a need that this store does not know are nobody's.
        await sender.publish(SHORTLISTS, a_shortlist("unknown", 1))
        await sender.publish(DELIVERIES, mailed)
        await until(lambda: status_is("sent"))
        await sender.publish(DELIVERIES, told)
        await sender.publish(FEEDBACK, taken)
        await until(lambda: status_is("in_progress"))
        for event in ("acknowledged", "published"):
            await until(lambda event=event: _has_entry(client, given, need_id, event))  # type: ignore[misc]
        before = await need_of(client, given, need_id)

        await send_all()
        last = a_delivery(need_id, *SENT, subject_revision=99)
        await sender.publish(DELIVERIES, last)
        await sender.publish(SHORTLISTS, a_shortlist(need_id, 3, need_revision=99))
        await sender.publish(FEEDBACK, a_feedback(need_id, Decision.ACCEPTED, candidate_id="c"))
        for event in ("sent", "matched", "accepted"):
            await until(lambda event=event: _has_entry(client, given, need_id, event, since=last.occurred_at))  # type: ignore[misc]
        after = await need_of(client, given, need_id)

        assert (after["status"], after["revision"]) == ("in_progress", revision)
        assert after["consultant"] == {
            "name": "Inès Moreau",
            "email": "ines@agency.example",
            "phone": "+33 4 00",
        }
        assert [entry for entry in after["timeline"] if entry in before["timeline"]] == before["timeline"]
        assert len(after["timeline"]) == len(before["timeline"]) + 3
        assert not await raw_records(given.kafka_bootstrap, DEAD_LETTERS["intake"].name)
        assert len(await records(given.kafka_bootstrap, NEEDS)) == 1, "the timeline is outside the revision"


async def _has_entry(
    client: httpx.AsyncClient, given: Surroundings, need_id: str, event: str, since: Any = None
) -> bool:
    need = await need_of(client, given, need_id)
    return any(
        entry["event"] == event and (since is None or entry["at"][:19] >= since.isoformat()[:19])
        for entry in need["timeline"]
    )


async def test_an_older_shortlist_that_comes_late_does_not_undo_a_match(given: Surroundings) -> None:
    async with intake(given) as client, publisher(given.kafka_bootstrap) as sender:
        need_id = (await client.post("/api/needs", json=a_need(), headers=bearer(given))).json()["need_id"]
        await sender.publish(SHORTLISTS, a_shortlist(need_id, 5))
        await until(lambda: _has_entry(client, given, need_id, "matched"))
        await sender.publish(SHORTLISTS, a_shortlist(need_id, 4, Outcome.NO_MATCH))
        await until(lambda: _has_entry(client, given, need_id, "no_match"))
        assert (await need_of(client, given, need_id))["status"] == "matched"
        await sender.publish(SHORTLISTS, a_shortlist(need_id, 6, Outcome.NO_MATCH, need_revision=2))
        await until(lambda: _is(client, given, need_id, "no_match"))


async def test_a_later_shortlist_of_the_same_need_revision_keeps_the_time_of_the_first(
    given: Surroundings,
) -> None:
    async with intake(given) as client, publisher(given.kafka_bootstrap) as sender:
        need_id = (await client.post("/api/needs", json=a_need(), headers=bearer(given))).json()["need_id"]
        first, later = now() - timedelta(minutes=9), now() - timedelta(minutes=1)
        await sender.publish(SHORTLISTS, a_shortlist(need_id, 1, occurred_at=first))
        await until(lambda: _is(client, given, need_id, "matched"))
        await sender.publish(SHORTLISTS, a_shortlist(need_id, 2, occurred_at=later))
        # One key is handled in order: once this one shows, the one before it was handled.
        await sender.publish(SHORTLISTS, a_shortlist(need_id, 3, Outcome.NO_MATCH))
        await until(lambda: _has_entry(client, given, need_id, "no_match"))
        entries = (await need_of(client, given, need_id))["timeline"]
        matched = [entry["at"] for entry in entries if entry["event"] == "matched"]
    assert [at[:19] for at in matched] == [first.isoformat()[:19]]


async def _is(client: httpx.AsyncClient, given: Surroundings, need_id: str, status: str) -> bool:
    return bool((await need_of(client, given, need_id))["status"] == status)


async def test_a_need_that_is_passed_on_has_nobody_until_another_takes_it(given: Surroundings) -> None:
    async with intake(given) as client, publisher(given.kafka_bootstrap) as sender:
        need_id = (await client.post("/api/needs", json=a_need(), headers=bearer(given))).json()["need_id"]
        start = now()
        await sender.publish(FEEDBACK, a_feedback(need_id, Decision.TAKEN, occurred_at=start))
        await until(lambda: _is(client, given, need_id, "in_progress"))
        later = start + timedelta(seconds=1)
        await sender.publish(FEEDBACK, a_feedback(need_id, Decision.PASSED_ON, occurred_at=later))

        async def nobody() -> bool:
            return (await need_of(client, given, need_id))["consultant"] is None

        await until(nobody)
        # The first one's record again: it is older than the hand-over.
        await sender.publish(FEEDBACK, a_feedback(need_id, Decision.TAKEN, occurred_at=start))
        mark = a_feedback(need_id, Decision.CONTACTED, occurred_at=later)
        await sender.publish(FEEDBACK, mark)
        await until(lambda: _has_entry(client, given, need_id, "contacted"))
        assert await nobody()
        assert await _is(client, given, need_id, "in_progress")


async def test_a_need_is_filled_when_as_many_are_placed_as_there_are_positions(given: Surroundings) -> None:
    async with intake(given) as client, publisher(given.kafka_bootstrap) as sender:
        answer = await client.post("/api/needs", json=a_need(positions=2), headers=bearer(given))
        need_id = answer.json()["need_id"]

        async def place(candidate_id: str) -> None:
            event = a_feedback(
                need_id, Decision.PLACED, candidate_id=candidate_id, feedback_id=f"f-{candidate_id}"
            )
            await sender.publish(FEEDBACK, event)

        await place("one")
        await place("one")
        await until(lambda: _has_entry(client, given, need_id, "placed"))
        await until(lambda: _is(client, given, need_id, "in_progress"))
        await place("two")
        await until(lambda: _is(client, given, need_id, "filled"))

        async def published() -> bool:
            newest = (await records(given.kafka_bootstrap, NEEDS))[-1].event
            return newest is not None and newest.status is NeedState.FILLED

        await until(published)


async def test_a_store_that_lost_a_need_gets_it_and_its_timeline_back(given: Surroundings) -> None:
    async with intake(given) as client, publisher(given.kafka_bootstrap) as sender:
        posted = (await client.post("/api/needs", json=a_need(), headers=bearer(given))).json()
        need_id = posted["need_id"]
        await sender.publish(SHORTLISTS, a_shortlist(need_id, 1))
        await sender.publish(DELIVERIES, a_delivery(need_id, *SENT))
        await sender.publish(FEEDBACK, a_feedback(need_id, Decision.TAKEN))
        await until(lambda: _is(client, given, need_id, "in_progress"))
        for event in ("matched", "sent", "taken", "published"):
            await until(lambda event=event: _has_entry(client, given, need_id, event))  # type: ignore[misc]
        before = await need_of(client, given, need_id)
        assert len(await records(given.kafka_bootstrap, NEEDS)) == 1
    await given.mongo_client.drop_database("recruitment_intake")
    async with intake(given) as client:
        link = httpx.URL(posted["tracking_url"]).params["t"]
        after = (await client.get(f"/api/needs/{need_id}?t={link}")).json()
        assert len(await records(given.kafka_bootstrap, NEEDS)) == 1, "what is there is not published again"
    lost = {"timeline", "updated_at", "created_at"}
    assert {k: v for k, v in after.items() if k not in lost} == {
        k: v for k, v in before.items() if k not in lost
    }
    events = [entry["event"] for entry in after["timeline"]]
    assert sorted(events) == sorted(
        entry["event"] for entry in before["timeline"] if entry["event"] != "published"
    )


async def test_a_confirmation_of_an_unknown_erasure_is_passed_over(given: Surroundings) -> None:
    async with intake(given) as client, publisher(given.kafka_bootstrap) as sender:
        for subject in Subject:
            erasure = Erasure(
                subject_id="unknown", subject=subject, service="matching", revision=1, occurred_at=now()
            )
            await sender.publish(ERASURES, erasure)
        posted = await client.post("/api/needs", json=a_need(), headers=bearer(given))
        await sender.publish(SHORTLISTS, a_shortlist(posted.json()["need_id"], 1))
        await until(lambda: _is(client, given, posted.json()["need_id"], "matched"))
        assert not await raw_records(given.kafka_bootstrap, DEAD_LETTERS["intake"].name)

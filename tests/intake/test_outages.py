"""What happens while Kafka or MongoDB is away, and when store or topic come back empty."""

import asyncio
from datetime import timedelta
from typing import Any

from services.intake.app import build
from services.intake.domain.need import NeedRequest
from services.intake.need_documents import event_of, restored
from services.intake.store import NeedStore
from shared.embedded import EmbeddedKafka, embedded_mongo
from shared.events.candidate import CANDIDATES
from shared.events.need import NEEDS, Need
from shared.kafka import EMBEDDED_TIMING, Kafka
from shared.metrics import Metrics
from shared.mongo import Mongo, connect
from shared.outbox import Outbox
from shared.run import Surroundings
from shared.service import Service
from tests.intake.support import ROLE_EVENTS, a_candidate, a_need, bearer, intake, publish_catalogue, role
from tests.support import embedded_surroundings, records, running, until


async def on_kafka(given: Surroundings, count: int) -> list[Need]:
    async def enough() -> list[Need]:
        found = [record.event for record in await records(given.kafka_bootstrap, NEEDS)]
        return [event for event in found if event is not None] if len(found) >= count else []

    found: list[Need] = await until(enough)
    return found


async def test_with_kafka_away_at_start_needs_are_accepted_and_published_when_it_is_back() -> None:
    kafka, mongo = EmbeddedKafka(), embedded_mongo()
    try:
        async with embedded_surroundings(kafka=kafka, mongo_client=mongo) as given:
            async with intake(given):
                copies = mongo["recruitment_intake"]["catalogue"]
                await until(lambda: copies.find_one({"_id": "catalogue"}))
            kafka.set_down()
            async with running(build(given), ready=False) as client:
                await until(lambda: _accepted(client))
                ready = await client.get("/readyz")
                assert ready.status_code == 503
                assert "kafka" in ready.json()["missing"]
                candidate = await client.post("/api/candidates", json=a_candidate(), headers=bearer(given))
                assert candidate.status_code == 201
                kafka.set_up()
                [event] = await on_kafka(given, 1)
                await until(lambda: records(given.kafka_bootstrap, CANDIDATES))
                await until(lambda: _ready(client))
                # And again, later in its life.
                kafka.set_down()
                await until(lambda: _not_ready(client))
                second = await client.post("/api/needs", json=a_need(), headers=bearer(given))
                assert second.status_code == 201
                metrics = (await client.get("/metrics")).text
                assert 'dependency_up{dependency="kafka",service="intake"} 0.0' in metrics
                kafka.set_up()
                events = await on_kafka(given, 2)
            assert {event.need_id, second.json()["need_id"]} == {event.need_id for event in events}
    finally:
        kafka.stop()


async def _accepted(client: Any) -> bool:
    response = await client.post("/api/needs", json=a_need())
    return bool(response.status_code == 201)


async def _ready(client: Any) -> bool:
    return bool((await client.get("/readyz")).status_code == 200)


async def _not_ready(client: Any) -> bool:
    return not await _ready(client)


async def test_with_no_catalogue_ever_seen_a_need_is_put_off(given: Surroundings) -> None:
    async with running(build(given), ready=False) as client:
        response = await client.post("/api/needs", json=a_need())
        candidate = await client.post("/api/candidates", json=a_candidate(), headers=bearer(given))
        form = await client.post("/needs", data={"company": "Acme", "name": "Ada", "email": "a@b.example"})
        assert "catalogue" in (await client.get("/readyz")).json()["missing"]
    assert (response.status_code, candidate.status_code, form.status_code) == (503, 503, 503)
    assert int(response.headers["retry-after"]) > 0
    assert int(form.headers["retry-after"]) > 0
    assert 'value="Acme"' in form.text, "what was typed is not lost"


async def test_with_mongodb_away_everything_is_put_off() -> None:
    away = connect("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100")
    async with embedded_surroundings(mongo_client=away) as given:
        app = build(given)
        service: Service = app.state.service
        async with running(app, ready=False) as client:
            # Known to be away or not: the answer is the same.
            early = await client.post("/api/needs", json=a_need())
            await until(lambda: service.mongo is not None and service.mongo.away)
            link = given.tokens.issue("need-tracking", "n", lifetime=timedelta(hours=1))
            for response in (
                early,
                await client.post("/api/needs", json=a_need()),
                await client.get("/api/needs", headers=bearer(given)),
                await client.get("/api/needs/n", headers=bearer(given)),
                await client.post("/api/candidates", json=a_candidate(), headers=bearer(given)),
                await client.get("/api/candidates/c", headers=bearer(given)),
                await client.post("/api/candidates/batch", content="{}", headers=bearer(given)),
                await client.get(f"/needs/n?t={link}"),
            ):
                assert response.status_code == 503, response.text
                assert int(response.headers["retry-after"]) > 0
            assert "mongodb" in (await client.get("/readyz")).json()["missing"]


async def test_with_mongodb_away_a_persons_own_form_is_answered_by_a_page() -> None:
    away = connect("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100")
    async with (
        embedded_surroundings(mongo_client=away) as given,
        running(build(given), ready=False) as client,
    ):
        token = given.tokens.issue(
            "candidate-rights", "c", lifetime=timedelta(hours=1), scopes=["see", "keep", "erase"]
        )
        browser = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
        for action in ("data", "keep", "erase"):
            path = f"/candidates/c/rights/{action}?lang=en"
            answer = await client.post(path, data={"t": token}, headers=browser)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            assert answer.headers["content-type"].startswith("text/html")
            assert "Nothing was changed" in answer.text


async def test_a_newer_catalogue_replaces_the_stored_copy(given: Surroundings) -> None:
    async with intake(given) as client:
        body = a_need(role_id="architect")
        assert (await client.post("/api/needs", json=body)).status_code == 422
        await publish_catalogue(
            given.kafka_bootstrap, (*ROLE_EVENTS, role("architect", "Architecte", "Architect"))
        )
        await until(lambda: _takes(client, body))
        copies = given.mongo_client["recruitment_intake"]["catalogue"]

        async def stored() -> bool:
            return len((await copies.find_one({"_id": "catalogue"}))["roles"]) == 3

        await until(stored)


async def _takes(client: Any, body: dict[str, Any]) -> bool:
    return bool((await client.post("/api/needs", json=body)).status_code == 201)


async def test_a_topic_emptied_behind_a_full_store_is_filled_again() -> None:
    kafka = EmbeddedKafka()
    try:
        async with embedded_surroundings(kafka=kafka) as given:
            async with intake(given) as client:
                need = (await client.post("/api/needs", json=a_need())).json()
                candidate = await client.post("/api/candidates", json=a_candidate(), headers=bearer(given))
                [before] = await on_kafka(given, 1)
                await until(lambda: records(given.kafka_bootstrap, CANDIDATES))
            for topic in (NEEDS, CANDIDATES):
                kafka.empty_topic(topic.name, topic.partitions)
            async with intake(given):
                [after] = await on_kafka(given, 1)
                [again] = await until(lambda: records(given.kafka_bootstrap, CANDIDATES))
    finally:
        kafka.stop()
    assert after == before
    assert after.need_id == need["need_id"]
    assert again.key == candidate.json()["candidate_id"]


async def test_a_store_emptied_behind_full_topics_gets_candidates_back_pseudonymous(
    given: Surroundings,
) -> None:
    async with intake(given) as client:
        kept = (await client.post("/api/candidates", json=a_candidate(), headers=bearer(given))).json()
        gone = a_candidate(external_id="gone")
        gone_id = (await client.post("/api/candidates", json=gone, headers=bearer(given))).json()[
            "candidate_id"
        ]
        await until(lambda: _count(given, 2))
        await client.delete(f"/api/candidates/{gone_id}", headers=bearer(given))
        await until(lambda: _count(given, 3))
    await given.mongo_client.drop_database("recruitment_intake")
    async with intake(given) as client:
        admin = bearer(given, "admin", "*")
        view = (await client.get(f"/api/candidates/{kept['candidate_id']}", headers=admin)).json()
        assert (view["given"], view["ranked"]) == (None, True)
        assert {held["skill"] for held in view["skills"]} == {"python"}
        assert (await client.get(f"/api/candidates/{gone_id}", headers=admin)).status_code == 404
        assert await _count(given, 3)
        assert not await _count(given, 4), "nothing is published again"


async def _count(given: Surroundings, count: int) -> bool:
    return len(await records(given.kafka_bootstrap, CANDIDATES)) >= count


async def test_two_replicas_publishing_one_need_leave_its_newest_revision_last(given: Surroundings) -> None:
    """Two services' worth of outboxes and producers on one store, writing and publishing at the same time."""
    async with intake(given) as client:
        need_id = (await client.post("/api/needs", json=a_need())).json()["need_id"]
        await on_kafka(given, 1)
    outboxes = []
    for number in range(2):
        kafka = Kafka(given.kafka_bootstrap, f"intake-{number}", Metrics(), EMBEDDED_TIMING)
        kafka.service = kafka.publisher.service = "intake"
        await kafka.publisher.start()
        store = NeedStore(Mongo(given.mongo_client, "recruitment", "intake", Metrics()))
        outboxes.append((store, Outbox(store.collection, NEEDS, kafka, event_of, restored)))
    last = 0
    for positions in range(2, 40):
        store, outbox = outboxes[positions % 2]
        document = await store.find(need_id)
        assert document is not None
        stamp = outbox.stamp(document)
        assert await store.change(need_id, document["revision"], stamp | {"need.positions": positions})
        last = stamp["revision"]
        for _, each in outboxes:
            each.publish_soon(need_id)
        await asyncio.sleep(0)
    await until(lambda: _settled(outboxes[0][0], need_id))
    for _, outbox in outboxes:
        await outbox.kafka.publisher.stop()
    events = [record.event for record in await records(given.kafka_bootstrap, NEEDS)]
    revisions = [event.revision for event in events if event is not None]
    assert revisions == sorted(revisions)
    assert revisions[-1] == last
    assert len(set(revisions)) == len(revisions)


async def _settled(store: NeedStore, need_id: str) -> bool:
    document = await store.find(need_id)
    return document is not None and not document["unpublished"] and not document.get("lease")


def test_a_restored_need_gives_its_own_event_again() -> None:

    request = NeedRequest.model_validate_json(
        '{"title": "x", "company": "y", "contact": {"name": "z", "email": "a@b.example"}}'
    )
    event = Need.model_validate(
        request.model_dump(exclude_none=True)
        | {"need_id": "n", "reference": "N-1", "revision": 3, "occurred_at": "2026-01-01T00:00:00Z"}
    )
    document = restored(event) | {"_id": "n", "revision": 3, "occurred_at": event.occurred_at}
    assert event_of(document) == event

"""Start, health and stop of a service, with its engines there and away."""

import asyncio
from typing import Any

from shared.dead_letter import read_dead_letters, replay
from shared.embedded import EmbeddedKafka
from shared.events.skill import SKILLS
from shared.events.unmapped import UNMAPPED, UnmappedTerm
from shared.mongo import connect
from shared.publisher import DELIVERY_SECONDS
from shared.run import Surroundings
from shared.service import Service
from shared.table import Table
from tests.support import embedded_surroundings, now, publisher, running, until


async def test_a_service_is_ready_once_its_tables_have_caught_up(given: Surroundings) -> None:
    table = Table(SKILLS, service="intake", metrics=given.metrics)
    service = Service(
        "intake",
        given.settings,
        given.metrics,
        given.tokens,
        given.kafka("intake"),
        given.mongo("intake"),
        [table],
    )
    async with running(service.fastapi_app()) as client:
        assert (await client.get("/readyz")).json() == {"ready": True, "missing": {}, "away": {}}
        assert (await client.get("/livez")).status_code == 200
        assert b'ready{service="intake"} 1.0' in (await client.get("/metrics")).content


async def test_kafka_away_is_seen_at_start_and_later_and_the_service_stays_alive() -> None:
    cluster = EmbeddedKafka()
    cluster.set_down()
    async with embedded_surroundings(kafka=cluster) as given:
        service = Service("intake", given.settings, given.metrics, given.tokens, given.kafka("intake"))
        async with running(service.fastapi_app(), ready=False) as client:
            answer = await client.get("/readyz")
            assert answer.status_code == 503
            assert "kafka" in answer.json()["missing"]
            assert (await client.get("/livez")).status_code == 200
            cluster.set_up()
            await until(lambda: not service.missing())
            cluster.set_down()
            await until(lambda: "kafka" in service.missing())
            assert (
                b'dependency_up{dependency="kafka",service="intake"} 0.0'
                in (await client.get("/metrics")).content
            )
            cluster.set_up()
            await until(lambda: not service.missing())
    cluster.stop()


async def test_mongodb_away_is_seen_and_start_waits_for_it() -> None:
    client_of_nobody: Any = connect("mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=100")
    async with embedded_surroundings(mongo_client=client_of_nobody) as given:
        service = Service("intake", given.settings, given.metrics, given.tokens, mongo=given.mongo("intake"))
        async with running(service.fastapi_app(), ready=False):
            await until(lambda: "mongodb" in service.missing())


async def test_a_loop_that_fails_is_started_again_and_counted(given: Surroundings) -> None:
    runs: list[int] = []

    async def loop() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise KeyError("once")
        await asyncio.Event().wait()

    service = Service("intake", given.settings, given.metrics, given.tokens, loops={"restless": loop})
    async with running(service.fastapi_app(), ready=False) as client:
        await until(lambda: len(runs) == 2)
        shown = (await client.get("/metrics")).text
    assert 'background_failures_total{loop="restless",service="intake"} 1.0' in shown


async def test_a_dead_letter_can_be_put_back_as_it_came(given: Surroundings) -> None:
    kafka = given.kafka("catalog")
    seen: list[str] = []
    fixed = asyncio.Event()

    @kafka.subscribe(UNMAPPED)
    async def handle(record: Any) -> None:
        if not fixed.is_set():
            raise KeyError("a bug")
        seen.append(record.key)

    service = Service("catalog", given.settings, given.metrics, given.tokens, kafka)
    async with running(service.fastapi_app()):
        async with publisher(given.kafka_bootstrap) as sender:
            body = b'{"revision":1,"occurred_at":"2026-11-23T09:00:00Z","term":"cobol","seen":1}'
            await sender.send(UNMAPPED.name, b"cobol", body, (("odd", b"\xff"),))
            letters = await until(lambda: read_dead_letters(given.kafka_bootstrap, "catalog"))
            assert [(letter.topic, letter.reason) for letter in letters] == [
                ("intake.unmapped.v1", "KeyError: 'a bug'")
            ]
            fixed.set()
            await replay(sender, letters[0])
        await until(lambda: seen == ["cobol"])


async def test_a_service_stops_in_time_while_kafka_is_away_and_a_send_is_waiting() -> None:
    cluster = EmbeddedKafka()
    async with embedded_surroundings(kafka=cluster) as given:
        kafka = given.kafka("intake")
        service = Service("intake", given.settings, given.metrics, given.tokens, kafka)
        async with running(service.fastapi_app()):
            cluster.set_down()
            event = UnmappedTerm(revision=1, occurred_at=now(), term="cobol", seen=1)
            sending = asyncio.create_task(kafka.publisher.publish(UNMAPPED, event))
            await asyncio.sleep(0)
            stopped_from = asyncio.get_running_loop().time()
        # Without a bound of its own the producer would wait as long as a send may live.
        assert asyncio.get_running_loop().time() - stopped_from < 2 * DELIVERY_SECONDS
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    cluster.stop()

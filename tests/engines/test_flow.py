"""The flow on real Kafka and the MongoDB wire server, the four services as four processes."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from shared.embedded import EmbeddedSmtp
from shared.events.candidate import CANDIDATES
from shared.events.need import NEEDS
from shared.events.registry import SERVICES
from shared.reader import RawRecord
from tests.engines.engines import MongoWireServer, RealKafka, free_ports
from tests.flow import stories
from tests.flow.catalogue import write_small_catalogue
from tests.flow.platform import Platform, Processes, rewind_all_groups
from tests.support import publisher, raw_records, records, until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1200)]


@asynccontextmanager
async def four_processes(
    kafka: RealKafka, mongo: MongoWireServer, smtp: EmbeddedSmtp, logs: Path
) -> AsyncIterator[tuple[Processes, Platform]]:
    ports = dict(zip(SERVICES, free_ports(4), strict=True))
    # The whole catalogue takes the wire server, which is slow at it, a quarter of a minute.
    data = write_small_catalogue(logs / "catalogue")
    processes = Processes(kafka.bootstrap, mongo.uri, smtp, logs, ports, data)
    try:
        await processes.start()
        async with processes.platform() as platform:
            yield processes, platform
    finally:
        await processes.stop()


async def test_the_whole_story(
    real_kafka: RealKafka, wire_server: MongoWireServer, smtp: EmbeddedSmtp, logs: Path
) -> None:
    """One set of processes lives through it all: starting four of them is what takes the time."""
    async with four_processes(real_kafka, wire_server, smtp, logs) as (processes, platform):
        await stories.a_need_becomes_a_shortlist_becomes_a_mail(platform)
        await stories.a_consultants_answers_reach_the_client(platform)
        await bad_records_are_buried_alone(platform)
        await everything_is_delivered_again(processes, platform)
        await an_emptied_store_heals(processes, platform, wire_server)


async def bad_records_are_buried_alone(platform: Platform) -> None:
    """Binary headers, no JSON, the wrong shape: each a dead letter, and the next need goes its way."""
    bad: list[tuple[bytes | None, bytes]] = [(b"k", b"\x00\xff"), (b"k2", b'{"need_id": "k2"}')]
    async with publisher(platform.bootstrap) as sender:
        for key, value in bad:
            await sender.send(NEEDS.name, key, value, (("odd", b"\xff\xfe"),))
        await sender.send("notifier.feedback.v1", None, b"{}", ())
    posted = await stories.post(platform)
    await stories.until_status(platform, posted, "sent")
    for service in ("matching", "notifier"):
        letters = await _dead(platform, service, len(bad))
        assert {value for _, value in bad} <= {letter.value for letter in letters}
        assert dict(letters[0].headers)["odd"] == b"\xff\xfe"
    keyless = await _dead(platform, "intake", 1)
    assert (keyless[0].key, keyless[0].value) == (None, b"{}")


async def _dead(platform: Platform, service: str, count: int) -> list[RawRecord]:
    """The service's dead letters, once there are that many."""

    async def enough() -> list[RawRecord] | None:
        letters = await raw_records(platform.bootstrap, f"{service}.dead.v1")
        return letters if len(letters) >= count else None

    found: list[RawRecord] = await until(enough)
    return found


async def everything_is_delivered_again(processes: Processes, platform: Platform) -> None:
    # An address of its own: the others' has had its three acknowledgements of the day.
    contact = {"name": "Sample Client", "email": "sample.again@example.com"}
    posted = await stories.post(platform, {**stories.NEED, "company": "Sample Again", "contact": contact})
    await stories.until_status(platform, posted, "sent")
    await stories.mail_to(platform, posted, "sample.again")
    statuses = await processes.stop()
    # uvicorn ends with the signal's own status after a clean stop; the last line tells the two apart.
    assert set(statuses.values()) <= {0, -signal.SIGTERM}
    for name in SERVICES:
        assert '"event": "stopped"' in processes.tail(name).splitlines()[-1], processes.tail(name)
    await rewind_all_groups(platform.bootstrap)
    await processes.start()
    await stories.nothing_happens_twice(platform, posted, mails=2, revisions=1)


async def an_emptied_store_heals(
    processes: Processes, platform: Platform, wire_server: MongoWireServer
) -> None:
    """Intake's and catalog's databases are lost; what the topics hold comes back, and nobody is erased."""
    posted = await stories.post(platform, {**stories.NEED, "company": "Sample Survivor"})
    await stories.until_status(platform, posted, "sent")
    await processes.stop("intake", "catalog")
    client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(wire_server.uri)
    for service in ("intake", "catalog"):
        await client.drop_database(f"{processes.database}_{service}")
    client.close()
    before = {record.key for record in await records(platform.bootstrap, CANDIDATES)}
    await processes.start("catalog", "intake")
    found = await stories.as_client_sees_it(platform, posted)
    assert found["company"] == "Sample Survivor"
    assert (await platform.http.get("/api/roles/back-end-developer")).status_code == 200
    after = await records(platform.bootstrap, CANDIDATES)
    assert {record.key for record in after} == before
    assert all(record.event is not None for record in after), "no candidate was erased"
    again = await stories.post(platform, {**stories.NEED, "company": "Sample After"})
    await stories.until_status(platform, again, "sent")


async def test_engines_that_are_away_are_waited_for(
    real_kafka: RealKafka, smtp: EmbeddedSmtp, logs: Path
) -> None:
    """Kafka gone: needs are accepted. MongoDB gone: 503. Each back: all goes on, and nothing was lost."""
    with RealKafka() as kafka, MongoWireServer() as mongo:
        async with four_processes(kafka, mongo, smtp, logs) as (processes, platform):
            await stories.set_up(platform, stories.candidate(1, 5))

            await asyncio.to_thread(kafka.kill)
            posted = await stories.post(platform)
            assert (await stories.as_client_sees_it(platform, posted))["status"] == "received"
            await asyncio.to_thread(kafka.start_again)
            await stories.until_status(platform, posted, "sent")

            await asyncio.to_thread(mongo.kill)
            answer = await platform.public.post("/api/needs", json=stories.NEED)
            assert answer.status_code == 503
            assert "retry-after" in answer.headers
            await asyncio.to_thread(mongo.start_again)
            for name in SERVICES:
                await processes.until_ready(name)
            after = await stories.post(platform, {**stories.NEED, "company": "Sample After"})
            await stories.until_status(platform, after, "sent")

"""A replica that is stopped in the middle of its work."""

import asyncio
from contextlib import suppress

from services.catalog.publishing import Publishing
from services.catalog.store import SKILL
from shared.events.skill import SKILLS
from shared.run import Surroundings
from tests.catalog.support import a_skill, store_of
from tests.support import records


async def test_what_is_being_sent_when_a_replica_stops_is_sent_and_its_lease_given_back(
    given: Surroundings,
) -> None:
    store, kafka = store_of(given), given.kafka("catalog")
    await kafka.connect()
    try:
        publishing = Publishing(store, kafka)
        running = asyncio.create_task(publishing.run())
        await asyncio.sleep(0)
        await store.save(SKILL, a_skill("python"), None, "loader")
        publishing.soon(SKILL, ["python"])
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        document = await store.find(SKILL, "python")
        assert document is not None
        assert (document["lease"], document["unpublished"]) == (None, False)
        assert [record.key for record in await records(given.kafka_bootstrap, SKILLS)] == ["python"]
    finally:
        await kafka.publisher.stop()

"""The service ends when it is asked to, whatever its loops are doing at that moment."""

import asyncio

from services.intake.app import build
from shared.run import Surroundings
from shared.service import Service
from tests.intake.support import publish_catalogue
from tests.support import WAIT_SECONDS, running


async def test_a_loop_that_loses_its_first_cancellation_does_not_keep_the_service_from_stopping(
    given: Surroundings,
) -> None:
    """Before Python 3.12 `asyncio.wait_for` drops a cancellation that comes in the tick of its result."""
    await publish_catalogue(given.kafka_bootstrap)
    app = build(given)
    service: Service = app.state.service
    waiting = asyncio.Event()

    async def watch() -> None:
        waiting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.Event().wait()

    service.loops["watch"] = watch
    async with asyncio.timeout(WAIT_SECONDS):
        async with running(app):
            await waiting.wait()
    assert not service._tasks

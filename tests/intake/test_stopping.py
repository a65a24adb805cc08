"""The service ends when it is asked to, whatever its loops are doing at that moment."""

import asyncio

from services.intake.app import build
from shared.run import Surroundings
from shared.service import Service
from tests.intake.support import publish_catalogue
from tests.support import running


async def test_a_loop_whose_cancellation_is_swallowed_does_not_keep_the_service_from_stopping(
    given: Surroundings,
) -> None:
    """Before Python 3.12 `asyncio.wait_for` returns its result, and drops the cancellation, if both come at once."""
    await publish_catalogue(given.kafka_bootstrap)
    app = build(given)
    service: Service = app.state.service
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waiting = asyncio.Event()

    async def probe() -> None:
        waiting.set()
        await answer

    async def watch() -> None:
        await asyncio.wait_for(probe(), 60)
        await asyncio.Event().wait()

    service.loops["watch"] = watch

    async def cancel_as_the_answer_comes() -> None:
        task = next(one for one in service._tasks if one.get_name() == "watch")
        answer.set_result(None)
        # Until the probe itself is done, and whoever waits for it has not run yet.
        await asyncio.sleep(0)
        task.cancel()

    async with asyncio.timeout(20):
        async with running(app):
            await waiting.wait()
            await cancel_as_the_answer_comes()
            await asyncio.sleep(0)
            swallowed = not next(one for one in service._tasks if one.get_name() == "watch").cancelling() == 0
    assert swallowed
    assert not service._tasks

"""The four services in this process, as a benchmark calls them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import httpx

from services.__main__ import together
from services.together import Together
from shared.run import Surroundings
from shared.web.access import KEY_PURPOSE
from tests.engines.engines import RealKafka
from tests.support import embedded_surroundings, until


@asynccontextmanager
async def system(
    kafka: RealKafka | None = None, *, timeout: float = 60
) -> AsyncIterator[tuple[Surroundings, Together, httpx.AsyncClient]]:
    """The four services, ready, on `kafka` or the embedded broker, with an HTTP client that carries a key.

    `timeout`: seconds that the client waits for an answer.
    """
    async with AsyncExitStack() as stack:
        given = await stack.enter_async_context(embedded_surroundings(kafka=kafka, public_url="http://bench"))
        application = together(given)
        for service in application.services.values():
            app = application.app_of(service.name)
            await stack.enter_async_context(app.router.lifespan_context(app))
        await until(
            lambda: not application.missing(), seconds=120, because=lambda: str(application.missing())
        )
        key = given.tokens.issue(KEY_PURPOSE, "bench", lifetime=timedelta(hours=6), scopes=["*"])
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=application),
            base_url="http://bench",
            headers={"Authorization": f"Bearer {key}"},
            timeout=timeout,
        )
        yield given, application, await stack.enter_async_context(client)

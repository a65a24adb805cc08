"""Intake alone under uvicorn with a small catalogue, as candidates' and consultants' browsers meet it."""

import asyncio
import os
import socket
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, TypeVar

import httpx
import uvicorn
from fastapi import FastAPI

from services.intake.app import build
from shared.run import Surroundings
from shared.service import Service
from shared.web.access import KEY_PURPOSE
from shared.web.session import COOKIE, LIFETIME, PURPOSE
from tests.intake.support import a_need, publish_catalogue
from tests.support import embedded_surroundings, until

T = TypeVar("T")
RUNNING = {
    # Tests fill in forms at once, and all come from one address.
    "INTAKE_FORM_SECONDS": "0",
    "INTAKE_RATE_BURST": "1000",
    "INTAKE_RATE_PER_SECOND": "100",
}


class PeopleSite:
    """The service in a thread with a loop of its own, so that tests may block."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._ready: Future[tuple[uvicorn.Server, asyncio.AbstractEventLoop]] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self.given: Surroundings
        self.http: httpx.AsyncClient

    def __enter__(self) -> "PeopleSite":
        self._thread.start()
        self._ready.result(timeout=100)
        return self

    def __exit__(self, *_: object) -> None:
        self._ready.result()[0].should_exit = True
        self._thread.join(timeout=30)

    def do(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run `work` beside the service."""

        async def worked() -> T:
            return await work()

        return asyncio.run_coroutine_threadsafe(worked(), self._ready.result()[1]).result(timeout=60)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What the API answers to a key that may do all."""

        async def posted() -> dict[str, Any]:
            answer = await self.http.post(path, json=body)
            found: dict[str, Any] = answer.raise_for_status().json()
            return found

        return self.do(posted)

    def need(self) -> dict[str, Any]:
        return self.post("/api/needs", a_need())

    def session(self, consultant: str = "c-1") -> dict[str, Any]:
        """The cookie of a signed-in consultant, as Playwright sets it."""
        token = self.given.tokens.issue(PURPOSE, consultant, lifetime=LIFETIME, scopes=["locale:en"])
        return {"name": COOKIE, "value": token, "url": self.url}

    async def _serve(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                given = await stack.enter_async_context(embedded_surroundings(public_url=self.url))
                self.given = given
                await publish_catalogue(given.kafka_bootstrap)
                app = _built(given)
                server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
                serving = asyncio.create_task(server.serve(sockets=[self._listener]))
                service: Service = app.state.service
                await until(lambda: serving.done() or not service.missing(), seconds=60)
                key = given.tokens.issue(KEY_PURPOSE, "tests", lifetime=timedelta(hours=1), scopes=["*"])
                bearer = {"Authorization": f"Bearer {key}"}
                # No connection is kept: the server ends idle ones, at times just as a request sets out.
                client = httpx.AsyncClient(
                    base_url=self.url,
                    headers=bearer,
                    timeout=60,
                    trust_env=False,
                    limits=httpx.Limits(max_keepalive_connections=0),
                )
                self.http = await stack.enter_async_context(client)
                self._ready.set_result((server, asyncio.get_running_loop()))
                await serving
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            raise


def _built(given: Surroundings) -> FastAPI:
    before = {name: os.environ.get(name) for name in RUNNING}
    os.environ |= RUNNING
    try:
        return build(given)
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

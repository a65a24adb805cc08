"""An application under uvicorn in a thread with a loop of its own, so that tests with a browser may block."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, ClassVar, Self, TypeVar

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from services.together import Together
from shared.run import Surroundings
from shared.web.access import KEY_PURPOSE
from shared.web.session import COOKIE, LIFETIME, PURPOSE
from tests.support import WAIT_SECONDS, embedded_surroundings, until

T = TypeVar("T")
START_SECONDS = 150.0
STOP_SECONDS = 30.0


class LiveSite:
    """Serves what a subclass builds. Once it is entered, `http` has a key that may do all."""

    host: ClassVar[str] = "127.0.0.1"
    variables: ClassVar[Mapping[str, str]] = {}
    """Environment variables while the application is built."""

    given: Surroundings
    http: httpx.AsyncClient

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://{self.host}:{self._listener.getsockname()[1]}"
        self._ready: Future[tuple[uvicorn.Server, asyncio.AbstractEventLoop]] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    async def build(self, stack: AsyncExitStack) -> FastAPI | Together:
        """The application; what it needs beside it is closed with `stack`."""
        raise NotImplementedError

    async def fill(self) -> None:
        """Put in what is there from the beginning; the application is ready by then."""

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.result(timeout=3 * START_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._ready.result()[0].should_exit = True
        self._thread.join(timeout=STOP_SECONDS)

    def do(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run `work` beside the application."""

        async def worked() -> T:
            return await work()

        running = asyncio.run_coroutine_threadsafe(worked(), self._ready.result()[1])
        return running.result(timeout=2 * WAIT_SECONDS)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What the API answers to a key that may do all."""

        async def posted() -> dict[str, Any]:
            answer = await self.http.post(path, json=body)
            found: dict[str, Any] = answer.raise_for_status().json()
            return found

        return self.do(posted)

    def session(self, consultant: str = "c-1") -> dict[str, Any]:
        """The cookie of a signed-in consultant, as Playwright sets it."""
        token = self.given.tokens.issue(PURPOSE, consultant, lifetime=LIFETIME, scopes=["locale:en"])
        return {"name": COOKIE, "value": token, "url": self.url}

    async def _serve(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                self.given = await stack.enter_async_context(embedded_surroundings(public_url=self.url))
                with pytest.MonkeyPatch.context() as environment:
                    for name, value in self.variables.items():
                        environment.setenv(name, value)
                    application = await self.build(stack)
                server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="on"))
                serving = asyncio.create_task(server.serve(sockets=[self._listener]))
                missing = (
                    application.missing
                    if isinstance(application, Together)
                    else application.state.service.missing
                )
                await until(
                    lambda: serving.done() or not missing(),
                    seconds=START_SECONDS,
                    because=lambda: str(missing()),
                )
                self.http = await stack.enter_async_context(self._client())
                await self.fill()
                self._ready.set_result((server, asyncio.get_running_loop()))
                await serving
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            raise

    def _client(self) -> httpx.AsyncClient:
        key = self.given.tokens.issue(KEY_PURPOSE, "tests", lifetime=timedelta(hours=1), scopes=["*"])
        return httpx.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=WAIT_SECONDS,
            trust_env=False,
            # No connection is kept: the server ends idle ones, at times just as a request sets out.
            limits=httpx.Limits(max_keepalive_connections=0),
        )

"""A notifier under uvicorn with needs to work on, for the browser to look at."""

import asyncio
import re
import socket
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import TypeVar

import httpx
import uvicorn

from services.notifier.app import build
from shared.service import Service
from tests.notifier.making import (
    Running,
    candidate_id,
    need,
    publish_catalogue,
    shortlist,
    store_of,
    text_of,
)
from tests.support import embedded_surroundings, publisher, until

T = TypeVar("T")
FIRST = "0193b1aa-0000-7000-8000-00000000aaaa"
SECOND = "0193b1aa-0000-7000-8000-00000000bbbb"
EMPTY = "0193b1aa-0000-7000-8000-00000000cccc"
FRENCH, ENGLISH = "sample@agency.test", "emma@agency.test"


class DeskSite:
    """The service in a thread with a loop of its own, so that tests may block."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://localhost:{self._listener.getsockname()[1]}"
        self._ready: Future[tuple[uvicorn.Server, Running, asyncio.AbstractEventLoop]] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> "DeskSite":
        self._thread.start()
        self._ready.result(timeout=90)
        return self

    def __exit__(self, *_: object) -> None:
        self._ready.result()[0].should_exit = True
        self._thread.join(timeout=30)

    def do(self, work: Callable[[Running], Awaitable[T]]) -> T:
        """Run `work` beside the service."""
        _, service, loop = self._ready.result()

        async def worked() -> T:
            return await work(service)

        return asyncio.run_coroutine_threadsafe(worked(), loop).result(timeout=60)

    def mailed_link(self, to: str) -> str:
        """The newest sign-in link that was mailed to somebody."""

        async def link(service: Running) -> str:
            def found() -> str | None:
                texts = [text_of(mail) for mail in service.mails(to)]
                links = [
                    found[0] for text in texts if (found := re.search(r"http\S+/desk/sign-in/\S+", text))
                ]
                return links[-1] if links else None

            return str(await until(found))

        return self.do(link)

    async def _serve(self) -> None:
        try:
            async with (
                embedded_surroundings(public_url=self.url) as given,
                publisher(given.kafka_bootstrap) as sends,
            ):
                await publish_catalogue(sends)
                app = build(given)
                server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
                serving = asyncio.create_task(server.serve(sockets=[self._listener]))
                service: Service = app.state.service
                await until(lambda: serving.done() or not service.missing(), seconds=60)
                async with httpx.AsyncClient(base_url=self.url) as http:
                    running = Running(given, app, http, sends, store_of(given))
                    await _fill(running)
                    self._ready.set_result((server, running, asyncio.get_running_loop()))
                    await serving
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            raise


async def _fill(service: Running) -> None:
    """Two consultants, of whom one is away at first, so that all needs are with the other."""
    await service.consultant("Sample Consultant", admin=True)
    await service.consultant("Emma Example", locale="en", regions=("BE",))
    await service.post(need(FIRST), shortlist((1, 2, 3), entered=(candidate_id(3),)))
    data = {"title": "Data engineer", "company": "Beta SARL", "reference": "N-2026-0043", "location": None}
    await service.post(need(SECOND, **data), shortlist((1, 4), need_id=SECOND, reference="N-2026-0043"))
    nobody = {"title": "Mainframe architect", "company": "Gamma SA", "reference": "N-2026-0044"}
    await service.post(
        need(EMPTY, role_id="nothing-known", **nobody), shortlist((), need_id=EMPTY, near_misses=())
    )

    async def ranked() -> bool:
        files = [await service.store.file(one) for one in (FIRST, SECOND, EMPTY)]
        return all(file.need and file.shortlist for file in files)

    await until(ranked)

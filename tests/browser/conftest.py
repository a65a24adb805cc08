"""Headless Chromium, and a catalog service with the shipped sheets for it to look at."""

import asyncio
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Literal

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from services.catalog.app import build
from services.catalog.settings import CatalogSettings
from shared.service import Service
from tests.browser.axe import fetch
from tests.support import embedded_surroundings, until

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic")
WIDE, NARROW = 1280, 390
Open = Callable[..., Page]
Scheme = Literal["light", "dark"]


class Served:
    """The service under uvicorn in a thread with a loop of its own, so that tests may block."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._server: Future[uvicorn.Server] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        self._server.result(timeout=60)
        return self.url

    def __exit__(self, *_: object) -> None:
        self._server.result().should_exit = True
        self._thread.join(timeout=30)

    async def _serve(self) -> None:
        try:
            async with embedded_surroundings(public_url=self.url) as given:
                configured: dict[str, Any] = {"_env_file": None, "reads_per_second": 1000}
                app = build(given, CatalogSettings(**configured))
                server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
                serving = asyncio.create_task(server.serve(sockets=[self._listener]))
                service: Service = app.state.service
                await until(lambda: serving.done() or not service.missing(), seconds=50)
                self._server.set_result(server)
                await serving
        except BaseException as error:
            if not self._server.done():
                self._server.set_exception(error)
            raise


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The address of the served catalog."""
    with Served() as url:
        yield url


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.fail(
            "Chromium is not installed, and these tests look at pages in it. On Debian or Ubuntu: "
            "apt-get install chromium; elsewhere put `chromium` or `google-chrome` on the PATH.",
            pytrace=False,
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser, site: str) -> Iterator[Open]:
    """`open_page(path, width=…, scheme=…)`. What the browser complains of fails the test at its end."""
    complaints: list[str] = []
    contexts = []

    def opened(path: str, width: int = WIDE, scheme: Scheme = "light", **options: Any) -> Page:
        viewport = ViewportSize(width=width, height=900)
        contexts.append(chromium.new_context(viewport=viewport, color_scheme=scheme, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
        page.goto(site + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [each for each in complaints if "status of 404" not in each] == []


@pytest.fixture(scope="session")
def axe() -> Path:
    return fetch()

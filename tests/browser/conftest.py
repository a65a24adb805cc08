"""Headless Chromium, and a catalog service with the shipped sheets for it to look at."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from services.catalog.app import build
from services.catalog.settings import CatalogSettings
from tests.browser.axe import fetch
from tests.browser.live_site import LiveSite
from tests.support import WAIT_SECONDS

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic")
WIDE, NARROW = 1280, 390
Open = Callable[..., Page]
Scheme = Literal["light", "dark"]
expect.set_options(timeout=1000 * WAIT_SECONDS)


class CatalogSite(LiveSite):
    async def build(self, stack: AsyncExitStack) -> FastAPI:
        configured: dict[str, Any] = {"_env_file": None, "reads_per_second": 1000}
        return build(self.given, CatalogSettings(**configured))


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The address of the served catalog."""
    with CatalogSite() as served:
        yield served.url


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
    with visiting(chromium, site) as opened:
        yield opened


@contextmanager
def visiting(chromium: Browser, site: str) -> Iterator[Open]:
    """Gives `open(path, width=…, scheme=…)`. What the browser complains of fails the test at its end."""
    complaints: list[str] = []
    contexts = []

    def opened(path: str, width: int = WIDE, scheme: Scheme = "light", **options: Any) -> Page:
        cookies = options.pop("cookies", [])
        viewport = ViewportSize(width=width, height=900)
        contexts.append(chromium.new_context(viewport=viewport, color_scheme=scheme, **options))
        contexts[-1].set_default_timeout(1000 * WAIT_SECONDS)
        contexts[-1].add_cookies(cookies)
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(f"{request.failure}: {request.url}"))
        page.goto(site + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    # An answer of 4xx is the browser's remark, not a fault; what is under way ends when its page is left.
    assert [each for each in complaints if not re.search(r"status of 4\d\d|^net::ERR_ABORTED", each)] == []


@pytest.fixture(scope="session")
def axe() -> Path:
    return fetch()

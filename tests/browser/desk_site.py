"""A notifier with needs to work on, for the browser to look at."""

import re
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

from fastapi import FastAPI

from services.notifier.app import build
from tests.browser.live_site import LiveSite
from tests.notifier.making import (
    Running,
    candidate_id,
    need,
    publish_catalogue,
    shortlist,
    store_of,
    text_of,
)
from tests.support import publisher, until

T = TypeVar("T")
FIRST = "0193b1aa-0000-7000-8000-00000000aaaa"
SECOND = "0193b1aa-0000-7000-8000-00000000bbbb"
EMPTY = "0193b1aa-0000-7000-8000-00000000cccc"
FRENCH, ENGLISH = "sample@agency.test", "emma@agency.test"


class DeskSite(LiveSite):
    host = "localhost"
    service: Running

    async def build(self, stack: AsyncExitStack) -> FastAPI:
        self._sends = await stack.enter_async_context(publisher(self.given.kafka_bootstrap))
        await publish_catalogue(self._sends)
        self._app = build(self.given)
        return self._app

    async def fill(self) -> None:
        self.service = Running(self.given, self._app, self.http, self._sends, store_of(self.given))
        await _fill(self.service)

    def on(self, work: Callable[[Running], Awaitable[T]]) -> T:
        """Run `work` beside the service."""
        return self.do(lambda: work(self.service))

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

        return self.on(link)


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

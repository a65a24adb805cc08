"""/desk/stream: tells an open page of the desk to ask for itself again. What it says is in the page alone.

One look at the store every other second serves all readers of this replica, however many there are, and sees
what other replicas wrote; a stream holds no connection of the store's.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from services.notifier.consultants import Consultant
from services.notifier.desk_pages import Desk
from services.notifier.desk_routes import colleague_of, desk_router
from services.notifier.store_desk import DeskStore
from shared.log import get_logger
from shared.outage import is_outage, reason
from shared.web.session import session_of
from shared.web.stream import BEAT, HEADERS, RETRY, Feed, first_of

LOOK_SECONDS = 2.0
BEAT_SECONDS = 15.0
LIST = ""
"""The key of the list; a need's page has the need's id."""
CHANGED = b"event: desk\ndata: {}\n\n"


@dataclass
class DeskFeed:
    desk: DeskStore
    feed: Feed = field(default_factory=Feed)
    _seen: dict[str, object] = field(default_factory=dict)

    async def run(self) -> None:
        """Look for changes until cancelled, as long as anybody has a page open."""
        while True:
            try:
                await self.look()
            except Exception as error:
                if not is_outage(error):
                    raise
                get_logger("notifier").info("desk_waits", why=reason(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        watched = self.feed.watched
        now: dict[str, object] = dict(await self.desk.versions(watched - {LIST}))
        if LIST in watched:
            now[LIST] = await self.desk.version_of_all()
        for key, version in now.items():
            # Also of one that was not looked at before: it may have changed since its page was made.
            if self._seen.get(key) != version:
                self.feed.changed(key)
        self._seen = now

    async def messages(self, key: str, ends_at: datetime, stopping: asyncio.Event) -> AsyncIterator[bytes]:
        """Until the reader goes, the session ends, or the service stops."""
        yield RETRY
        with self.feed.watch(key) as changed:
            # Whatever happened between the page and its stream.
            yield CHANGED
            beat = time.monotonic()
            while not stopping.is_set():
                left = (ends_at - datetime.now(UTC)).total_seconds()
                if left <= 0:
                    # Who asks for the page now is led to the sign-in.
                    yield CHANGED
                    return
                await first_of(changed, stopping, min(BEAT_SECONDS, left))
                if changed.is_set():
                    changed.clear()
                    beat = time.monotonic()
                    yield CHANGED
                elif time.monotonic() - beat >= BEAT_SECONDS:
                    beat = time.monotonic()
                    yield BEAT


def stream_routes(desk: Desk, feed: DeskFeed) -> APIRouter:
    router = desk_router(desk.pages)
    colleague = colleague_of(desk.store)

    @router.get("/desk/stream")
    async def stream(
        request: Request, need: str = Query(LIST, max_length=100), _me: Consultant = Depends(colleague)
    ) -> StreamingResponse:
        session = session_of(request)
        ends_at = session.ends_at if session and session.ends_at else datetime.now(UTC)
        stopping: asyncio.Event = request.app.state.service.stopping
        messages = feed.messages(need, ends_at, stopping)
        return StreamingResponse(messages, media_type="text/event-stream", headers=HEADERS)

    return router

"""A need as it changes: server-sent events (the WHATWG HTML standard), each with the whole need.

Any replica serves any client and a reconnect needs no history, since each message is read from the store.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress

from services.intake.needs import Needs
from services.intake.settings import IntakeSettings
from services.intake.views import need_view
from shared.outage import is_outage

HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
"""No proxy may compress the stream, nor nginx hold it back: either keeps messages until there are many."""


async def follow(
    needs: Needs, need_id: str, settings: IntakeSettings, stopping: asyncio.Event
) -> AsyncIterator[bytes]:
    """Messages until the client goes, the need is erased, or the service stops."""
    yield b"retry: 3000\n\n"
    last, beat = "", time.monotonic()
    with needs.feed.watch(need_id) as changed:
        while not stopping.is_set():
            changed.clear()
            try:
                document = await needs.store.find(need_id)
            except Exception as error:
                # The stream outlives a short outage of the store; heartbeats go on.
                if not is_outage(error):
                    raise
            else:
                if document is None:
                    yield b"event: gone\ndata: {}\n\n"
                    return
                message = json.dumps(need_view(document), ensure_ascii=False)
                if message != last:
                    last, beat = message, time.monotonic()
                    yield f"event: need\nid: {document['revision']}\ndata: {message}\n\n".encode()
            if time.monotonic() - beat > settings.stream_heartbeat_seconds:
                beat = time.monotonic()
                yield b": still here\n\n"
            await _first_of(changed, stopping, settings.stream_poll_seconds)


async def _first_of(one: asyncio.Event, other: asyncio.Event, seconds: float) -> None:
    """Return when either is set, or after `seconds`."""
    waits = [asyncio.ensure_future(one.wait()), asyncio.ensure_future(other.wait())]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
            with suppress(asyncio.CancelledError):
                await wait

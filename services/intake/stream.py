"""A need as it changes: server-sent events (the WHATWG HTML standard), each with the whole need.

Any replica serves any client and a reconnect needs no history, since each message is read from the store.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator

from services.intake.needs import Needs
from services.intake.settings import IntakeSettings
from services.intake.views import need_view
from shared.outage import is_outage
from shared.web.stream import BEAT, RETRY, first_of


async def follow(
    needs: Needs, need_id: str, settings: IntakeSettings, stopping: asyncio.Event
) -> AsyncIterator[bytes]:
    """Messages until the client goes, the need is erased, or the service stops."""
    yield RETRY
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
                yield BEAT
            await first_of(changed, stopping, settings.stream_poll_seconds)

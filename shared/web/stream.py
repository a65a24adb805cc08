"""What pages that keep themselves fresh share: server-sent events (the WHATWG HTML standard), see live.js."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
"""No proxy may compress the stream, nor nginx hold it back: either keeps messages until there are many."""
RETRY = b"retry: 3000\n\n"
"""How soon a browser comes back that lost the stream, in milliseconds."""
BEAT = b": still here\n\n"
"""Keeps a proxy from ending a stream on which nothing happens."""


class Feed:
    """Tells the open pages of this replica that something changed, by the id of what they show."""

    def __init__(self) -> None:
        self._watching: dict[str, set[asyncio.Event]] = {}

    @property
    def watched(self) -> frozenset[str]:
        return frozenset(self._watching)

    def changed(self, key: str) -> None:
        for event in self._watching.get(key, ()):
            event.set()

    @contextmanager
    def watch(self, key: str) -> Iterator[asyncio.Event]:
        """An event that is set with each change, for as long as the block runs."""
        event = asyncio.Event()
        self._watching.setdefault(key, set()).add(event)
        try:
            yield event
        finally:
            self._watching[key].discard(event)
            if not self._watching[key]:
                del self._watching[key]


async def first_of(one: asyncio.Event, other: asyncio.Event, seconds: float) -> None:
    """Return when either is set, or after `seconds`."""
    waits = [asyncio.ensure_future(one.wait()), asyncio.ensure_future(other.wait())]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
            with suppress(asyncio.CancelledError):
                await wait

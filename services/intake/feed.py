"""Tells the open status pages of this replica that a need changed; other replicas' pages poll."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Feed:
    def __init__(self) -> None:
        self._watching: dict[str, set[asyncio.Event]] = {}

    def changed(self, need_id: str) -> None:
        for event in self._watching.get(need_id, ()):
            event.set()

    @contextmanager
    def watch(self, need_id: str) -> Iterator[asyncio.Event]:
        """An event that is set with each change, for as long as the block runs."""
        event = asyncio.Event()
        self._watching.setdefault(need_id, set()).add(event)
        try:
            yield event
        finally:
            self._watching[need_id].discard(event)
            if not self._watching[need_id]:
                del self._watching[need_id]

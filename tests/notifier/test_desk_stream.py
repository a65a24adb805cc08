"""The stream that tells an open page of the desk to ask for itself again, over a real connection."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx

from services.notifier.app import build
from services.notifier.desk_stream import CHANGED, LIST, DeskFeed
from services.notifier.domain import NeedFile, with_need
from services.notifier.store import Store
from shared.run import GracefulServer, Surroundings, listen
from shared.service import Service
from shared.web.session import COOKIE, PURPOSE
from tests.notifier.desk import OTHER, sign_in
from tests.notifier.making import NEED_ID, WHEN, consultant, need, notifier, store_of
from tests.support import until


@asynccontextmanager
async def served(given: Surroundings) -> AsyncIterator[str]:
    """The notifier on a port of its own; gives its address."""
    app = build(given)
    service: Service = app.state.service
    listener = listen("127.0.0.1", 0)
    server = GracefulServer(app, [service], given.settings)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await until(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def write(store: Store, need_id: str, revision: int) -> NeedFile:
    """A need as another replica writes it."""
    before = await store.file(need_id)
    after = with_need(before, need(need_id, revision=revision), WHEN)
    saved = await store.save(before, after)
    assert saved is not None
    return saved


async def test_an_open_page_hears_of_its_need_alone_and_the_list_of_all(given: Surroundings) -> None:
    store = store_of(given)
    await write(store, NEED_ID, 100)
    feed = DeskFeed(store.desk)
    watch = feed.feed.watch
    with watch(NEED_ID) as one, watch(NEED_ID) as same, watch(OTHER) as other, watch(LIST) as everything:
        # What happened before the first look is told with it.
        await feed.look()
        for event in (one, same, everything):
            assert event.is_set()
            event.clear()
        await feed.look()
        assert not any(event.is_set() for event in (one, same, other, everything))
        await write(store, NEED_ID, 101)
        await feed.look()
        assert [event.is_set() for event in (one, same, other, everything)] == [True, True, False, True]
        everything.clear()
        await write(store, OTHER, 100)
        await feed.look()
        assert other.is_set()
        assert everything.is_set()
    # Nobody has a page open: nobody looks.
    assert feed.feed.watched == frozenset()


async def test_a_stream_tells_each_change_and_ends_when_the_service_stops(given: Surroundings) -> None:
    store = store_of(given)
    who = await store.add_consultant(consultant())
    await write(store, NEED_ID, 100)
    token = given.tokens.issue(PURPOSE, who.consultant_id, lifetime=timedelta(hours=1))
    async with httpx.AsyncClient(timeout=60, cookies={COOKIE: token}) as client:
        async with served(given) as address:
            response = await opened(client, f"{address}/desk/stream?need={NEED_ID}")
            assert response.headers["content-type"].startswith("text/event-stream")
            assert response.headers["x-accel-buffering"] == "no"
            assert "no-transform" in response.headers["cache-control"]
            lines = response.aiter_lines()
            await told(lines)
            for revision in (101, 102):
                await write(store, NEED_ID, revision)
                await told(lines)
            rest = asyncio.create_task(everything_left(lines))
            started = time.monotonic()
        assert time.monotonic() - started < given.settings.shutdown_seconds, "it does not hold up the end"
        await rest
        await response.aclose()


async def test_a_stream_ends_with_the_session_and_none_begins_without(given: Surroundings) -> None:
    store = store_of(given)
    who = await store.add_consultant(consultant())
    stopping = asyncio.Event()
    soon = datetime.now(UTC) + timedelta(seconds=0.2)
    messages = [one async for one in DeskFeed(store.desk).messages(NEED_ID, soon, stopping)]
    # Told once more, so that the page asks, and is led to the sign-in.
    assert messages[-2:] == [CHANGED, CHANGED]
    async with notifier(given) as service:
        await sign_in(service, who)
        session = service.http.cookies
        service.http.cookies = httpx.Cookies()
        refused = await service.http.get("/desk/stream")
        assert refused.status_code == 303
        assert refused.headers["location"].startswith("/desk/sign-in")
        service.http.cookies = session
        await store.change_consultant(who, consultant(), active=False)
        assert (await service.http.get("/desk/stream")).status_code == 303


async def opened(client: httpx.AsyncClient, url: str) -> httpx.Response:
    response = await client.send(client.build_request("GET", url), stream=True)
    assert response.status_code == 200
    return response


async def told(lines: AsyncIterator[str]) -> None:
    """Wait for the next message."""
    async for line in lines:
        if line == "event: desk":
            return
    raise AssertionError("the stream has ended")


async def everything_left(lines: AsyncIterator[str]) -> None:
    async for _ in lines:
        pass

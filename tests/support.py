"""What the tests share: a running service and its client, the records of a topic, waiting on a condition."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
from fastapi import FastAPI

from shared.embedded import EmbeddedKafka, EmbeddedSmtp, embedded_mongo
from shared.events.topic import E, Topic
from shared.events.wire import Record, decode
from shared.kafka import EMBEDDED_TIMING, REAL_TIMING
from shared.metrics import Metrics
from shared.publisher import Publisher
from shared.reader import RawRecord, read_all
from shared.run import Surroundings
from shared.service import Service
from shared.settings import Settings
from shared.tokens import Tokens
from tests.engines.engines import RealKafka

WAIT_SECONDS = 90.0
"""How long what comes in moments is waited for: far longer, since other work may hold the machine."""


@asynccontextmanager
async def embedded_surroundings(
    *,
    kafka: EmbeddedKafka | RealKafka | None = None,
    mongo_client: Any = None,
    smtp: EmbeddedSmtp | None = None,
    **settings: Any,
) -> AsyncIterator[Surroundings]:
    """Fresh embedded engines, but for those that are given; `settings` override fields of Settings."""
    async with AsyncExitStack() as stack:
        if kafka is None:
            kafka = EmbeddedKafka()
            stack.callback(kafka.stop)
        embedded = isinstance(kafka, EmbeddedKafka)
        if smtp is None:
            smtp = EmbeddedSmtp()
            await smtp.start()
            stack.push_async_callback(smtp.stop)
        configured: dict[str, Any] = {"_env_file": None, **settings}
        made = Settings(**configured)
        yield Surroundings(
            settings=made,
            metrics=Metrics(),
            tokens=Tokens(made.secrets()),
            kafka_bootstrap=kafka.bootstrap,
            mongo_client=mongo_client if mongo_client is not None else embedded_mongo(),
            smtp_host=smtp.host,
            smtp_port=smtp.port,
            mailbox=smtp,
            kafka_timing=EMBEDDED_TIMING if embedded else REAL_TIMING,
        )


@asynccontextmanager
async def running(app: FastAPI, *, ready: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    """Start `app`'s service, wait until it is ready (or not), and give a client of its HTTP side."""
    service: Service = app.state.service
    async with app.router.lifespan_context(app):
        if ready:
            await until(lambda: not service.missing(), because=lambda: str(service.missing()))
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


async def until(
    condition: Callable[[], Any | Awaitable[Any]],
    *,
    seconds: float = WAIT_SECONDS,
    because: Callable[[], str] = lambda: "",
) -> Any:
    """Return what `condition` answers once that is true. Fails after `seconds`, saying `because`."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        answer = condition()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return answer
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(
                f"not within {seconds} s: {inspect.getsource(condition).strip()} {because()}"
            )
        await asyncio.sleep(0.02)


async def raw_records(bootstrap: str, topic: str) -> list[RawRecord]:
    """Every record that the topic holds now, oldest first within a partition."""
    return [record async for record in read_all(bootstrap, topic)]


async def records(bootstrap: str, topic: Topic[E]) -> list[Record[E]]:
    """Every event and tombstone that the topic holds now."""
    raw = await raw_records(bootstrap, topic.name)
    return [decode(topic, record.key, record.value, record.headers) for record in raw]


@asynccontextmanager
async def publisher(bootstrap: str, service: str = "test") -> AsyncIterator[Publisher]:
    """A producer for events that a test makes itself."""
    made = Publisher(bootstrap, service, Metrics())
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


def now() -> datetime:
    return datetime.now(UTC)

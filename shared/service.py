"""What every service has: start, stop, health, metrics. `services/<name>/app.py` fills it in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import JSONResponse

from shared.kafka import Kafka
from shared.log import get_logger
from shared.metrics import Metrics
from shared.mongo import Mongo
from shared.outage import is_outage, reason
from shared.settings import Settings
from shared.table import Table
from shared.tokens import Tokens
from shared.web.docs import docs_routes
from shared.web.middleware import install as install_web

Check = Callable[[], str | None]
"""Says what is missing to be ready, or None."""


@dataclass
class Service:
    """One service in this process. Build it, add what it runs, then `fastapi_app()`.

    Start-up never waits for an engine: the HTTP side answers at once, and /readyz says what is missing.
    The order is: MongoDB, `when_stored` steps, Kafka, tables, `before_consuming` steps, consumers.
    """

    name: str
    settings: Settings
    metrics: Metrics
    tokens: Tokens
    kafka: Kafka | None = None
    mongo: Mongo | None = None
    tables: list[Table[Any]] = field(default_factory=list)
    when_stored: list[Callable[[], Awaitable[Any]]] = field(default_factory=list)
    before_consuming: list[Callable[[], Awaitable[Any]]] = field(default_factory=list)
    when_stopped: list[Callable[[], Awaitable[Any]]] = field(default_factory=list)
    """Run once the loops have ended."""
    loops: dict[str, Callable[[], Awaitable[Any]]] = field(default_factory=dict)
    """Run from the moment the consumers start until the service stops; one that raises is started again."""
    checks: dict[str, Check] = field(default_factory=dict)
    notices: dict[str, Check] = field(default_factory=dict)
    """As `checks`, for what /readyz shows though the service is ready without it."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the service is asked to stop: open streams end on it."""
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def fastapi_app(self, *routers: APIRouter) -> FastAPI:
        """The HTTP application; its lifespan starts and stops the service."""
        app = FastAPI(title=f"{self.name} service", lifespan=self._lifespan, docs_url=None, redoc_url=None)
        app.state.service = self
        install_web(app, self.name, self.settings, self.metrics)
        app.include_router(self._operations())
        app.include_router(docs_routes(app))
        for router in routers:
            app.include_router(router)
        return app

    def missing(self) -> dict[str, str]:
        """What keeps this service from being ready, by name; empty means ready."""
        found: dict[str, str] = {}
        if self.mongo is not None and self.mongo.away:
            found["mongodb"] = self.mongo.away
        if self.kafka is not None:
            if self.kafka.away:
                found["kafka"] = self.kafka.away
            elif not self.kafka.consuming:
                found["start"] = "starting"
            for topic, why in self.kafka.waiting_for.items():
                found[f"topic {topic}"] = why
        for table in self.tables:
            if not table.caught_up:
                found[f"table {table.topic.name}"] = "reading the topic"
        for name, check in self.checks.items():
            if (problem := check()) is not None:
                found[name] = problem
        return found

    def noticed(self) -> dict[str, str]:
        """What is away though the service is ready without it."""
        return {name: problem for name, check in self.notices.items() if (problem := check())}

    def note_readiness(self) -> dict[str, str]:
        """What is missing, with the gauge `ready` brought up to it."""
        found = self.missing()
        self.metrics.ready.labels(self.name).set(0 if found else 1)
        return found

    def ended(self) -> list[str]:
        """Background work that ought to run and does not: only a restart brings it back."""
        return [task.get_name() for task in self._tasks if task.done()]

    def _operations(self) -> APIRouter:
        router = APIRouter(include_in_schema=False)

        @router.get("/livez")
        async def livez() -> JSONResponse:
            ended = self.ended()
            return JSONResponse({"alive": not ended, "ended": ended}, status_code=503 if ended else 200)

        @router.get("/readyz")
        async def readyz() -> JSONResponse:
            found = self.note_readiness()
            body = {"ready": not found, "missing": found, "away": self.noticed()}
            return JSONResponse(body, status_code=503 if found else 200)

        @router.get("/metrics")
        async def metrics() -> Response:
            self.note_readiness()
            return Response(self.metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

        return router

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._stop)
            self._tasks.append(asyncio.create_task(self._bring_up(), name="start"))
            yield

    async def _bring_up(self) -> None:
        log = get_logger(self.name)
        if self.mongo is not None:
            await self.mongo.wait()
            self._keep_running("mongo watch", self.mongo.watch)
        for step in self.when_stored:
            await self._until_done(step)
        if self.kafka is not None:
            await self.kafka.connect()
            self._keep_running("kafka watch", self.kafka.watch)
            for table in self.tables:
                self._keep_running(f"table {table.topic.name}", _follow(table, self.kafka.bootstrap))
            for step in self.before_consuming:
                await self._until_done(step)
            await self.kafka.start_consuming()
        for name, loop in self.loops.items():
            self._keep_running(name, loop)
        log.info("started")
        await self.stopping.wait()

    async def _until_done(self, step: Callable[[], Awaitable[Any]]) -> None:
        """Run a start-up step; while something is away, again and again."""
        while True:
            try:
                await step()
            except Exception as error:
                if not is_outage(error):
                    get_logger(self.name).exception("start_step_failed")
                else:
                    get_logger(self.name).warning("start_waits", why=reason(error))
                await asyncio.sleep(1)
            else:
                return

    def _keep_running(self, name: str, loop: Callable[[], Awaitable[Any]]) -> None:
        async def supervised() -> None:
            while True:
                try:
                    await loop()
                    return
                except Exception as error:
                    self.metrics.background_failures.labels(self.name, name).inc()
                    if is_outage(error):
                        get_logger(self.name).warning("loop_waits", loop=name, why=reason(error))
                    else:
                        get_logger(self.name).exception("loop_failed", loop=name)
                    await asyncio.sleep(1)

        self._tasks.append(asyncio.create_task(supervised(), name=name))

    async def _stop(self) -> None:
        """Stop consuming (what is in hand is finished and committed), then the loops, then the producer."""
        self.stopping.set()
        # First what may still be starting the consumers: it would start them after they were stopped.
        await self._end(task for task in self._tasks if task.get_name() == "start")
        if self.kafka is not None:
            await self.kafka.stop_consuming()
        await self._end(self._tasks)
        self._tasks.clear()
        for step in self.when_stopped:
            await step()
        if self.kafka is not None:
            await self.kafka.publisher.stop()
        if self.mongo is not None:
            self.mongo.client.close()
        get_logger(self.name).info("stopped")

    async def _end(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        running = {task for task in tasks if not task.done()}
        while running:
            # Again for who swallowed it: in Python 3.11 asyncio.wait_for may, where its wait ends just then.
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=1)


def _follow(table: Table[Any], bootstrap: str) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        await table.run(bootstrap)

    return run

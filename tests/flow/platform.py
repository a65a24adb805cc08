"""The four services, running: all in this process on embedded engines, or as four processes on real ones."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer

from services.__main__ import together
from services.together import PREFIXES
from shared.embedded import CaughtMail, EmbeddedKafka, EmbeddedSmtp, embedded_mongo
from shared.events.registry import SERVICES, TOPICS
from shared.tokens import Tokens
from shared.web.access import KEY_PURPOSE
from tests.support import WAIT_SECONDS, embedded_surroundings, until

ROOT = Path(__file__).parents[2]
SECRET = "a secret of the tests that is long enough to be one"
PUBLIC_URL = "http://portal.example.com"
START_SECONDS = 240.0
"""Seconds of it on a quiet machine; other work may hold that, and the wire server is slow."""
STOP_SECONDS = 60.0


def key_for(secret: str) -> str:
    return Tokens([secret]).issue(KEY_PURPOSE, "tests", lifetime=timedelta(hours=1), scopes=["*"])


@dataclass
class Platform:
    """`http` reaches all services under one origin, with a key for everything; `public` without one."""

    bootstrap: str
    mailbox: EmbeddedSmtp
    http: httpx.AsyncClient
    public: httpx.AsyncClient

    async def mails_about(self, reference: str, start: str) -> list[CaughtMail]:
        """The mails that name `reference`, to addresses that start with `start`, oldest first."""
        return [
            mail
            for mail in self.mailbox.mails
            if mail.recipients[0].startswith(start) and reference in str(mail.message["Subject"])
        ]


@dataclass
class Embedded:
    """Keeps the engines while the services stop and start again."""

    kafka: EmbeddedKafka = field(default_factory=EmbeddedKafka)
    mongo_client: Any = field(default_factory=embedded_mongo)
    smtp: EmbeddedSmtp = field(default_factory=EmbeddedSmtp)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Platform]:
        async with AsyncExitStack() as stack:
            given = await stack.enter_async_context(
                embedded_surroundings(
                    kafka=self.kafka,
                    mongo_client=self.mongo_client,
                    smtp=self.smtp,
                    token_secrets=SECRET,
                    public_url=PUBLIC_URL,
                )
            )
            application = together(given)
            for name in SERVICES:
                app = application.app_of(name)
                await stack.enter_async_context(app.router.lifespan_context(app))
            await until(
                lambda: not application.missing(),
                seconds=START_SECONDS,
                because=lambda: str(application.missing()),
            )
            clients = _clients(lambda: httpx.ASGITransport(app=application))
            for client in clients:
                await stack.enter_async_context(client)
            yield Platform(self.kafka.bootstrap, self.smtp, *clients)


@dataclass
class Processes:
    """Each service as `python -m services.<name>`, with its log in `logs`."""

    bootstrap: str
    mongodb_uri: str
    smtp: EmbeddedSmtp
    logs: Path
    ports: dict[str, int]
    catalogue: Path
    database: str = "recruitment"
    running_now: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(self, *names: str) -> None:
        """Start services (all where none is named) and wait until they are ready."""
        for name in names or SERVICES:
            await self._spawn(name)
        for name in names or SERVICES:
            await self.until_ready(name)

    async def _spawn(self, name: str) -> None:
        environment = {
            **{key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "LANG", "TMPDIR"}},
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "MONGODB_URI": self.mongodb_uri,
            "MONGODB_DATABASE": self.database,
            "SMTP_HOST": self.smtp.host,
            "SMTP_PORT": str(self.smtp.port),
            "TOKEN_SECRETS": SECRET,
            "PUBLIC_URL": PUBLIC_URL,
            "PORT": str(self.ports[name]),
            "CATALOG_DATA": str(self.catalogue),
            "LOG_LEVEL": "INFO",
        }
        with (self.logs / f"{name}.log").open("ab") as log:
            self.running_now[name] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", f"services.{name}", cwd=ROOT, env=environment, stdout=log, stderr=log
            )

    async def until_ready(self, name: str) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:

            async def ready() -> bool:
                process = self.running_now[name]
                assert process.returncode is None, f"{name} ended: {self.tail(name)}"
                try:
                    answer = await client.get(f"http://127.0.0.1:{self.ports[name]}/readyz")
                except httpx.TransportError:
                    return False
                return answer.status_code == 200

            await until(ready, seconds=START_SECONDS, because=lambda: self.tail(name))

    async def stop(self, *names: str) -> dict[str, int]:
        """SIGTERM; the exit status of each."""
        stopping = {name: self.running_now.pop(name) for name in names or tuple(self.running_now)}
        for process in stopping.values():
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                return {name: await process.wait() for name, process in stopping.items()}
        finally:
            for process in stopping.values():
                if process.returncode is None:
                    process.kill()

    def tail(self, name: str) -> str:
        return "\n".join((self.logs / f"{name}.log").read_text().splitlines()[-15:])

    @asynccontextmanager
    async def platform(self) -> AsyncIterator[Platform]:
        async with AsyncExitStack() as stack:
            clients = _clients(lambda: ByPath(self.ports))
            for client in clients:
                await stack.enter_async_context(client)
            yield Platform(self.bootstrap, self.smtp, *clients)


class ByPath(httpx.AsyncBaseTransport):
    """What the ingress does: a request goes to the service that answers at its path."""

    def __init__(self, ports: dict[str, int]) -> None:
        self._ports = ports
        self._inner = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        name = next((name for prefix, name in PREFIXES if path.startswith(prefix)), "catalog")
        request.url = request.url.copy_with(host="127.0.0.1", port=self._ports[name], scheme="http")
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def _clients(
    transport: Callable[[], httpx.AsyncBaseTransport],
) -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {key_for(SECRET)}"}
    return (
        httpx.AsyncClient(transport=transport(), base_url=PUBLIC_URL, headers=headers, timeout=WAIT_SECONDS),
        httpx.AsyncClient(transport=transport(), base_url=PUBLIC_URL, timeout=WAIT_SECONDS),
    )


async def rewind_all_groups(bootstrap: str) -> None:
    """Set every group of every service back to the beginning, while the services are stopped."""
    groups = [(topic, service) for topic in TOPICS for service in SERVICES if service in topic.consumers]
    await asyncio.gather(
        *(_rewind(bootstrap, f"{service}.{topic.name}", topic.name) for topic, service in groups)
    )


async def _rewind(bootstrap: str, group: str, topic: str) -> None:
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=15_000,
        heartbeat_interval_ms=500,
    )
    await consumer.start()
    try:
        places = await until(consumer.assignment)
        await consumer.commit(await consumer.beginning_offsets(list(places)))
    finally:
        await consumer.stop()

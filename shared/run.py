"""Runs services in this process: engines (configured or embedded), tokens, uvicorn."""

import asyncio
import errno
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from shared.dead_letter_command import dead_letter_command
from shared.kafka import EMBEDDED_TIMING, REAL_TIMING, Kafka, Timing
from shared.log import configure_logging, get_logger
from shared.metrics import Metrics
from shared.mongo import Mongo, connect
from shared.service import Service
from shared.settings import Misconfigured, Settings, check_secrets, fail, load
from shared.tokens import Tokens

if TYPE_CHECKING:
    from shared.embedded import EmbeddedSmtp

_PARTS = {"kafka": "KAFKA_BOOTSTRAP_SERVERS", "mongodb": "MONGODB_URI", "smtp": "SMTP_HOST"}


@dataclass(frozen=True)
class Surroundings:
    """What a service's `build` gets: configuration and engines, already chosen.

    `mailbox` is the embedded relay where one runs, so that its mails can be shown; else None.
    """

    settings: Settings
    metrics: Metrics
    tokens: Tokens
    kafka_bootstrap: str
    mongo_client: Any
    smtp_host: str
    smtp_port: int
    mailbox: "EmbeddedSmtp | None" = None
    kafka_timing: Timing = REAL_TIMING

    def kafka(self, service: str) -> Kafka:
        return Kafka(self.kafka_bootstrap, service, self.metrics, self.kafka_timing)

    def mongo(self, service: str) -> Mongo:
        return Mongo(self.mongo_client, self.settings.mongodb_database, service, self.metrics)


Build = Callable[[Surroundings], FastAPI]


@asynccontextmanager
async def surroundings(settings: Settings, engines: Sequence[str]) -> AsyncIterator[Surroundings]:
    """The engines named in `engines` (of kafka, mongodb, smtp): the configured one, or an embedded one.

    Raises Misconfigured for a variable that cannot work.
    """
    embedded = [engine for engine in engines if _PARTS[engine] in settings.embedded_parts]
    check_secrets(settings, embedded=bool(embedded))
    if embedded:
        get_logger("shared").warning(
            "embedded_parts", parts=embedded, note="for trying and testing: nothing of them is kept"
        )
        try:
            from shared import embedded as inside  # noqa: PLC0415 - images do not carry it
        except ImportError as error:
            names = ", ".join(_PARTS[engine] for engine in embedded)
            raise Misconfigured(f"set {names}: this installation carries no embedded engines") from error
    kafka = inside.EmbeddedKafka() if "kafka" in embedded else None
    mailbox = inside.EmbeddedSmtp() if "smtp" in embedded else None
    if mailbox is not None:
        await mailbox.start()
    mongo_client: Any = None
    if "mongodb" in embedded:
        mongo_client = inside.embedded_mongo()
    elif "mongodb" in engines and settings.mongodb_uri is not None:
        mongo_client = connect(settings.mongodb_uri.get_secret_value())
    try:
        yield Surroundings(
            settings=settings,
            metrics=Metrics(),
            tokens=Tokens(settings.secrets(), settings.token_revocations),
            kafka_bootstrap=kafka.bootstrap if kafka else settings.brokers(),
            mongo_client=mongo_client,
            smtp_host=mailbox.host if mailbox else settings.smtp_host or "",
            smtp_port=mailbox.port if mailbox else settings.smtp_port,
            mailbox=mailbox,
            kafka_timing=EMBEDDED_TIMING if kafka else REAL_TIMING,
        )
    finally:
        if mailbox is not None:
            await mailbox.stop()
        if kafka is not None:
            kafka.stop()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises Misconfigured with one line where the port cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise Misconfigured(f"port {port} is in use; set PORT to another one") from error
        raise Misconfigured(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener


class GracefulServer(uvicorn.Server):
    """Tells the services that the end has come before it waits for connections: open streams end on that."""

    def __init__(self, app: ASGIApp, services: Sequence[Service], settings: Settings) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="on",
                timeout_graceful_shutdown=settings.shutdown_seconds,
                server_header=False,
                date_header=False,
                # X-Forwarded-For is judged by shared.web.access, which knows the trusted proxies.
                proxy_headers=False,
            )
        )
        self._services = services

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for service in self._services:
            service.stopping.set()
        await super().shutdown(sockets)


def run_alone(service: str, build: Build, engines: Sequence[str]) -> None:
    """`python -m services.<name>`: one service against the configured engines, until SIGTERM or Ctrl-C.

    `python -m services.<name> dead …` looks at the service's dead letters instead.
    """
    words = sys.argv[1:]
    try:
        settings = load(Settings)
        configure_logging(settings.log_level)
        if words[:1] == ["dead"]:
            dead_letter_command(service, settings, words[1:])
            return
        if words:
            raise Misconfigured(f"unknown command {words[0]}; without one, the service runs")
        asyncio.run(_serve(build, settings, engines))
    except Misconfigured as problem:
        fail(str(problem))
    except KeyboardInterrupt:
        pass


async def _serve(build: Build, settings: Settings, engines: Sequence[str]) -> None:
    listener = listen(settings.host, settings.port)
    async with surroundings(settings, engines) as given:
        app = build(given)
        await GracefulServer(app, [app.state.service], settings).serve(sockets=[listener])

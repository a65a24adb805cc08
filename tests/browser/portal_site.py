"""All four services under uvicorn with a pool of made-up candidates, as a client's browser meets them."""

import asyncio
import json
import os
import socket
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any, TypeVar

import httpx
import uvicorn

from services import sample_data
from services.__main__ import together
from services.together import Together
from shared.embedded import EmbeddedSmtp
from shared.events.feedback import FEEDBACK, Decision
from shared.publisher import Publisher
from shared.run import Surroundings
from shared.web.access import KEY_PURPOSE
from shared.web.session import COOKIE, LIFETIME, PURPOSE
from tests.intake.support import a_feedback
from tests.support import embedded_surroundings, publisher, until

T = TypeVar("T")
CANDIDATES = 150
START_SECONDS = 150.0
RUNNING = {
    # Tests fill in forms at once, and all come from one address.
    "INTAKE_FORM_SECONDS": "0",
    "INTAKE_RATE_BURST": "1000",
    "INTAKE_RATE_PER_SECOND": "100",
    "CATALOG_READS_PER_SECOND": "1000",
    "MATCHING_PREVIEW_BURST": "1000",
    "MATCHING_PREVIEW_PER_SECOND": "100",
}


class PortalSite:
    """The services in a thread with a loop of its own, so that tests may block."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._ready: Future[tuple[uvicorn.Server, asyncio.AbstractEventLoop]] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self.given: Surroundings
        self.http: httpx.AsyncClient
        self.mailbox: EmbeddedSmtp
        self._sends: Publisher

    def __enter__(self) -> "PortalSite":
        self._thread.start()
        self._ready.result(timeout=2 * START_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._ready.result()[0].should_exit = True
        self._thread.join(timeout=30)

    def do(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run `work` beside the services."""

        async def worked() -> T:
            return await work()

        return asyncio.run_coroutine_threadsafe(worked(), self._ready.result()[1]).result(timeout=60)

    def post_need(self, **fields: Any) -> dict[str, Any]:
        """A need through the API; the answer."""
        body = {
            "role_id": "back-end-developer",
            "company": "Sample Company",
            "contact": {"name": "Sample Client", "email": "sample.client@example.com"},
            "skills": [{"skill": "Python", "must": True}],
            "description": "We use Terraform.",
            "locale": "en",
        } | fields

        async def posted() -> dict[str, Any]:
            answer = await self.http.post("/api/needs", json=body)
            found: dict[str, Any] = answer.raise_for_status().json()
            return found

        return self.do(posted)

    def take(self, need_id: str) -> None:
        """A consultant takes a need over."""
        self.do(lambda: self._sends.publish(FEEDBACK, a_feedback(need_id, Decision.TAKEN)))

    def mail_to(self, address: str, holding: str) -> EmailMessage:
        """The newest mail to somebody with a text in it."""

        async def found() -> EmailMessage | None:
            mails = [mail for mail in self.mailbox.mails if mail.recipients[0] == address]
            return next((mail.message for mail in reversed(mails) if holding in _text(mail.message)), None)

        async def waited() -> EmailMessage:
            mail: EmailMessage = await until(found)
            return mail

        return self.do(waited)

    def session(self, consultant: str = "c-1") -> dict[str, Any]:
        """The cookie of a signed-in consultant, as Playwright sets it."""
        token = self.given.tokens.issue(PURPOSE, consultant, lifetime=LIFETIME, scopes=["locale:en"])
        return {"name": COOKIE, "value": token, "url": self.url}

    async def _serve(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                given = await stack.enter_async_context(embedded_surroundings(public_url=self.url))
                assert given.mailbox is not None
                self.given, self.mailbox = given, given.mailbox
                self._sends = await stack.enter_async_context(publisher(given.kafka_bootstrap))
                application = _together(given)
                server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="on"))
                serving = asyncio.create_task(server.serve(sockets=[self._listener]))
                await until(
                    lambda: serving.done() or not application.missing(),
                    seconds=START_SECONDS,
                    because=lambda: str(application.missing()),
                )
                key = given.tokens.issue(KEY_PURPOSE, "tests", lifetime=timedelta(hours=1), scopes=["*"])
                bearer = {"Authorization": f"Bearer {key}"}
                # No connection is kept: the server ends idle ones, at times just as a request sets out.
                client = httpx.AsyncClient(
                    base_url=self.url,
                    headers=bearer,
                    timeout=60,
                    trust_env=False,
                    limits=httpx.Limits(max_keepalive_connections=0),
                )
                self.http = await stack.enter_async_context(client)
                await _fill(self.http)
                self._ready.set_result((server, asyncio.get_running_loop()))
                await serving
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            raise


def _together(given: Surroundings) -> Together:
    before = {name: os.environ.get(name) for name in RUNNING}
    os.environ |= RUNNING
    try:
        return together(given)
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


async def _fill(http: httpx.AsyncClient) -> None:
    roles = (await http.get("/api/roles", params={"limit": 500})).json()["items"]
    people = sample_data.candidates(roles, {}, CANDIDATES, datetime.now(UTC).date())
    for consultant in sample_data.consultants():
        (await http.post("/api/consultants", json=consultant)).raise_for_status()
    lines = "\n".join(json.dumps(person) for person in people)
    answer = await http.post("/api/candidates/batch", content=lines)
    answer.raise_for_status()

    async def ranked() -> bool:
        found = await http.post("/api/rank", json={"need": {"title": "any"}, "limit": 1})
        return found.status_code == 200 and found.json()["index"]["candidates"] >= CANDIDATES

    await until(ranked, seconds=START_SECONDS)


def _text(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    return part.get_content() if part is not None else ""

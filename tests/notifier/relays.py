"""A real SMTP server that misbehaves as told."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from shared.embedded import EmbeddedSmtp

DROP = "drop after DATA"
STALL = "stall after DATA"
SLOW = "accept, and answer when told to"
ACCEPT = "accept"


class MoodyRelay(EmbeddedSmtp):
    """Answers recipients and contents by script, one entry each; accepts when the script is over.

    An entry is a reply such as `450 later`, or one of DROP, STALL, SLOW and ACCEPT. `connections` counts
    greetings.
    """

    def __init__(self, *, rcpt: Iterable[str] = (), data: Iterable[str] = ()) -> None:
        super().__init__()
        self.rcpt = deque(rcpt)
        self.data = deque(data)
        self.refuses: dict[str, str] = {}
        """Recipient -> what it is always answered."""
        self.answers = asyncio.Event()
        self.refused = 0
        self.connections = 0

    async def handle_EHLO(  # noqa: N802 - the name aiosmtpd calls
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = self.refuses.get(address) or (self.rcpt.popleft() if self.rcpt else ACCEPT)
        if reply != ACCEPT:
            self.refused += 1
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        reply = self.data.popleft() if self.data else ACCEPT
        if reply not in {ACCEPT, DROP, STALL, SLOW}:
            self.refused += 1
            return reply
        accepted = await super().handle_DATA(server, session, envelope)
        if reply == DROP:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        if reply == SLOW:
            await self.answers.wait()
        if reply == STALL:
            await asyncio.sleep(3600)
        return accepted

    async def leave(self) -> int:
        """Stop listening; the port it had."""
        port = self.port
        await self.stop()
        return port


@asynccontextmanager
async def moody(relay: MoodyRelay) -> AsyncIterator[MoodyRelay]:
    await relay.start()
    try:
        yield relay
    finally:
        await relay.stop()


def hurry(monkeypatch: pytest.MonkeyPatch, *, seconds: float = 1.0) -> None:
    """Pauses of milliseconds instead of minutes, and short leases."""
    monkeypatch.setenv("NOTIFIER_RETRY_UNIT", "0.001")
    monkeypatch.setenv("NOTIFIER_SMTP_SECONDS", str(seconds))

"""The connection to the mail relay: kept open, watched, and its failures told apart."""

import asyncio
import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from services.notifier.letterhead import FailureKind, NotSent, refused
from shared.log import get_logger
from shared.metrics import Metrics
from shared.outage import reason
from shared.settings import Settings

IDLE_SECONDS = 60.0
"""An idle connection older than this is closed, sooner than a relay would."""
WATCH_SECONDS = 10.0
WATCH_SECONDS_AWAY = 0.5


@dataclass
class Relay:
    """Sends one mail at a time over each of its connections. `away` says why nobody can be reached."""

    host: str
    port: int
    settings: Settings
    metrics: Metrics
    seconds: float
    on_back: Callable[[], None] = lambda: None
    away: str | None = None
    _idle: list[tuple[SMTP, float]] = field(default_factory=list)

    async def send(self, content: bytes, sender: str, recipient: str) -> None:
        """Return once the relay has accepted the mail. Raises NotSent."""
        try:
            async with asyncio.timeout(self.seconds):
                connection = await self._connection()
                try:
                    await self._transact(connection, content, sender, recipient)
                except NotSent:
                    self._keep(connection)
                    raise
                except BaseException:
                    connection.close()
                    raise
                self._keep(connection)
        except TimeoutError as error:
            # Each command has a shorter time of its own: this is a relay that trickles its answers.
            raise NotSent(FailureKind.UNCLEAR, "the relay did not answer in time") from error

    def _keep(self, connection: SMTP) -> None:
        """A refusal does not end a connection; one that was lost is not kept."""
        if connection.is_connected:
            self._idle.append((connection, time.monotonic()))
        else:
            connection.close()

    async def _transact(self, connection: SMTP, content: bytes, sender: str, recipient: str) -> None:
        options = []
        if not (sender + recipient).isascii():
            if not connection.supports_extension("smtputf8"):
                raise NotSent(FailureKind.UNSAFE, "the relay does not take addresses beyond ASCII")
            options = ["SMTPUTF8"]
        try:
            await connection.mail(sender, options=options, encoding="utf-8")
            await connection.rcpt(recipient, encoding="utf-8")
        except SMTPResponseException as error:
            raise refused(error.code, error.message) from error
        except (SMTPException, OSError, ValueError) as error:
            raise NotSent(FailureKind.CONNECTION, reason(error)) from error
        try:
            await connection.data(content)
        except SMTPResponseException as error:
            raise refused(error.code, error.message) from error
        except (SMTPException, OSError) as error:
            raise NotSent(FailureKind.UNCLEAR, reason(error)) from error

    async def _connection(self) -> SMTP:
        """An open connection. Raises NotSent (relay away)."""
        while self._idle:
            connection, since = self._idle.pop()
            if time.monotonic() - since < IDLE_SECONDS and await _answers(connection):
                return connection
            connection.close()
        connection = SMTP(
            hostname=self.host,
            port=self.port,
            username=self.settings.smtp_username,
            password=self.settings.smtp_password.get_secret_value() if self.settings.smtp_password else None,
            use_tls=self.settings.smtp_tls == "implicit",
            start_tls={"starttls": True, "none": False, "implicit": False}.get(self.settings.smtp_tls),
            # Its own look-up asks the name server, which can take long.
            local_hostname=re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname()) or "localhost",
            timeout=self.seconds / 2,
        )
        try:
            await connection.connect()
        except (SMTPException, OSError, ValueError) as error:
            connection.close()
            self._note(reason(error))
            raise NotSent(FailureKind.RELAY_AWAY, reason(error)) from error
        self._note(None)
        return connection

    async def watch(self) -> None:
        """See to it that the relay answers, every few seconds until cancelled."""
        while True:
            with suppress(NotSent, TimeoutError):
                async with asyncio.timeout(self.seconds):
                    self._keep(await self._connection())
            await asyncio.sleep(WATCH_SECONDS_AWAY if self.away else WATCH_SECONDS)

    async def close(self) -> None:
        while self._idle:
            connection, _ = self._idle.pop()
            with suppress(SMTPException, OSError):
                await connection.quit(timeout=1)
            connection.close()

    def _note(self, problem: str | None) -> None:
        log = get_logger("notifier")
        self.metrics.dependency_up.labels("notifier", "smtp").set(0 if problem else 1)
        was, self.away = self.away, problem
        if problem and not was:
            log.warning("dependency_away", dependency="smtp", why=problem)
        elif was and not problem:
            log.info("dependency_back", dependency="smtp")
            self.on_back()


async def _answers(connection: SMTP) -> bool:
    """Whether a kept connection still stands; RSET also ends what a refusal left open."""
    try:
        await connection.rset(timeout=2)
    except (SMTPException, OSError):
        return False
    return connection.is_connected

"""Sends what the ledger has due: each row by one sender at a time, newest first, with nothing lost.

A row that is being sent carries a token which names its sender. Nobody compares clocks across machines: a
sender takes another's row over once it has seen the same token for longer than a send can live, by its own
clock. The mail then goes again with the same Message-ID, since nobody knows how far the other one got.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from uuid_utils import uuid4

from services.notifier.digests import Digests
from services.notifier.envelope import Mail
from services.notifier.hours import Clock, utc_now
from services.notifier.letterhead import (
    DIGEST,
    FINAL,
    LETTER,
    FailureKind,
    LedgerRow,
    NotSent,
    RowState,
    backoff,
    newest,
)
from services.notifier.mailer import Mailer
from services.notifier.relay import Relay
from services.notifier.settings import NotifierSettings
from services.notifier.store import Store
from services.notifier.store_addresses import hashed
from services.notifier.undeliverable import Undeliverable
from shared.log import get_logger
from shared.metrics import Metrics
from shared.outage import Unavailable, is_outage, reason
from shared.web.access import RateLimit

SWEEP_SECONDS = 1.0
STOP_SECONDS = 5.0
"""How long mails in hand may take when the service is asked to stop."""
_TRIES = 8
"""The fewest before a mail is given up: one that waited for days for a relay that was away is young still."""
_BESIDE = timedelta(seconds=0.2)
"""The pause where another sender is at work for the same reader and need."""


@dataclass
class Sender:
    """`wake` is set by whoever adds a row."""

    store: Store
    mailer: Mailer
    digests: Digests
    undeliverable: Undeliverable
    relay: Relay
    metrics: Metrics
    settings: NotifierSettings
    wake: asyncio.Event
    now: Clock = utc_now
    clock: Callable[[], float] = time.monotonic
    """Measures leases: this machine's own, which nobody sets."""
    _holder: str = field(default_factory=lambda: str(uuid4()))
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _seen: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Row -> another's token, and when it was first seen."""
    _swept_at: float = float("-inf")
    _pace: RateLimit = field(init=False)

    def __post_init__(self) -> None:
        per_second = self.settings.mails_per_minute / 60
        self._pace = RateLimit(per_second=per_second, burst=max(1, round(10 * per_second)), clock=self.clock)

    async def run(self) -> None:
        """Send until cancelled; mails in hand are finished then."""
        try:
            while True:
                self.wake.clear()
                with suppress(TimeoutError):
                    pause = await self._start_due()
                    # Not wait_for: before Python 3.12 it can lose a cancellation.
                    async with asyncio.timeout(pause):
                        await self.wake.wait()
        finally:
            await self._finish_tasks()

    async def _finish_tasks(self) -> None:
        """Mails in hand may end, however often we are asked to stop meanwhile: cut short, they would keep
        their leases, and go twice."""
        loop = asyncio.get_running_loop()
        end = loop.time() + STOP_SECONDS
        while self._tasks and loop.time() < end:
            with suppress(asyncio.CancelledError):
                await asyncio.wait(self._tasks.values(), timeout=end - loop.time())
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self.relay.close()

    async def _start_due(self) -> float:
        """Start as many sends as there are free connections. Seconds until the next look."""
        try:
            if self.clock() - self._swept_at >= SWEEP_SECONDS:
                await self._take_over()
                await self.digests.tidy()
                self.metrics.mails_waiting.labels("notifier").set(await self.store.ledger.waiting())
                self._swept_at = self.clock()
            free = self.settings.connections - len(self._tasks)
            if self.relay.away or free <= 0:
                return SWEEP_SECONDS
            rows = await self.store.ledger.due_rows(self.now(), free, without=self._tasks)
            for row in rows:
                if wait := self._pace.seconds_to_wait("relay"):
                    return min(SWEEP_SECONDS, wait)
                self._start(row.row_id, None)
            if rows:
                # Each of them wakes us when it is done.
                return SWEEP_SECONDS
            next_due = await self.store.ledger.next_due()
        except Exception as error:
            if not is_outage(error):
                raise
            return SWEEP_SECONDS
        if next_due is None:
            return SWEEP_SECONDS
        return min(SWEEP_SECONDS, max(0.02, (next_due - self.now()).total_seconds()))

    async def _take_over(self) -> None:
        """Go on with rows whose sender is gone."""
        held = await self.store.ledger.held_rows()
        self._seen = {row: seen for row, seen in self._seen.items() if held.get(row) == seen[0]}
        for row, token in held.items():
            if row in self._tasks or self.relay.away:
                continue
            first_seen = self._seen.setdefault(row, (token, self.clock()))[1]
            gone = token.startswith(self._holder) or self.clock() - first_seen > self.settings.lease_seconds
            if gone and len(self._tasks) < self.settings.connections:
                self._start(row, token)

    def _start(self, row_id: str, held: str | None) -> None:
        task = asyncio.create_task(self._guarded(row_id, held), name=f"mail {row_id}")
        self._tasks[row_id] = task

        def done(_task: asyncio.Task[None]) -> None:
            self._tasks.pop(row_id, None)
            self.wake.set()

        task.add_done_callback(done)

    async def _guarded(self, row_id: str, held: str | None) -> None:
        try:
            await self._send(row_id, held)
        except Exception as error:
            # The row keeps our token, and so is taken over by ourselves on one of the next rounds.
            await asyncio.sleep(SWEEP_SECONDS)
            if not is_outage(error):
                get_logger("notifier").exception("mail_failed", row=row_id)
            else:
                get_logger("notifier").info("mail_waits", row=row_id, why=reason(error))

    async def _send(self, row_id: str, held: str | None) -> None:
        token = f"{self._holder}/{uuid4()}"
        row = await self.store.ledger.take_row(row_id, held, token)
        if row is None:
            return
        thread = await self.store.ledger.thread(row)
        # A later day's digest takes no other's place: each shows what waits when it goes.
        if row.kind != DIGEST and newest(thread).row_id != row.row_id:
            await self._close(row, token, RowState.SUPERSEDED)
            return
        if any(other.state is RowState.SENDING for other in thread if other.row_id != row.row_id):
            await self._wait(row, token, _BESIDE)
            return
        if await self.digests.set_aside(row, token):
            return
        await self._mail(row, token, thread)

    async def _mail(self, row: LedgerRow, token: str, thread: list[LedgerRow]) -> None:
        mail = None
        try:
            mail = await self._composed(row, thread)
            if mail is None:
                await self._close(row, token, RowState.SUPERSEDED)
                return
            await self.relay.send(mail.content, mail.sender, mail.recipient)
        except Unavailable:
            await self._wait(row, token, timedelta(seconds=SWEEP_SECONDS))
        except NotSent as problem:
            bad = mail is not None and problem.kind is FailureKind.NO_SUCH_ADDRESS
            await self._note_failure(row, token, problem, hashed(mail.recipient) if mail and bad else None)
        else:
            await self._close(row, token, RowState.SENT, address=mail.recipient)

    async def _composed(self, row: LedgerRow, thread: list[LedgerRow]) -> Mail | None:
        """As `compose`; what breaks in it is this mail's failure, and keeps no connection from the others."""
        try:
            return await self.mailer.compose(row, thread)
        except Exception as error:
            if isinstance(error, NotSent) or is_outage(error):
                raise
            get_logger("notifier").exception("mail_not_written", row=row.row_id)
            raise NotSent(FailureKind.TEMPORARY, "the mail could not be written") from error

    async def _wait(self, row: LedgerRow, token: str, pause: timedelta) -> None:
        """Not a try: nothing was attempted."""
        later = self.now() + pause
        await self.store.ledger.put_back(row, token, later, failure=row.failure, counted=False)

    async def _note_failure(
        self, row: LedgerRow, token: str, problem: NotSent, bad_address: str | None
    ) -> None:
        now = self.now()
        log = get_logger("notifier").bind(row=row.row_id, kind=row.kind, why=problem.kind.value)
        if problem.kind is FailureKind.RELAY_AWAY:
            pause = backoff(problem.kind, 1, self.settings.retry_unit)
            await self.store.ledger.put_back(row, token, now + pause, failure=problem.reason, counted=False)
            log.info("mail_waits", reason=problem.reason)
            return
        too_long = row.attempts >= _TRIES and now - row.created_at > timedelta(
            hours=self.settings.give_up_hours
        )
        if problem.kind in FINAL or too_long:
            why = f"given up: {problem.reason}" if problem.kind not in FINAL else problem.reason
            # First what follows, then the row: whoever takes over a row that was left open does both again.
            await self.undeliverable.note(row, bad_address=bad_address)
            await self._close(row, token, RowState.FAILED, failure=why)
            log.warning("mail_not_deliverable")
            return
        pause = backoff(problem.kind, row.attempts, self.settings.retry_unit)
        await self.store.ledger.put_back(row, token, now + pause, failure=problem.reason, counted=True)
        self.metrics.mails.labels("notifier", row.kind, "retried").inc()
        log.info("mail_retried", attempt=row.attempts, seconds=round(pause.total_seconds(), 1))

    async def _close(
        self,
        row: LedgerRow,
        token: str,
        state: RowState,
        *,
        failure: str | None = None,
        address: str | None = None,
    ) -> None:
        if not await self.store.ledger.close_row(row, token, state, failure=failure, address=address):
            return
        self.metrics.mails.labels("notifier", row.kind, state.value).inc()
        if row.kind == LETTER:
            await self.store.ledger.forget_letter(row.subject)
        if row.kind == DIGEST:
            await self.digests.close_items(row, state, failure)
        self.store.ledger.publish_outcome(row)

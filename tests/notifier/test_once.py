"""The ledger's promise when the sender dies at any step: each mail goes, again only where nobody can know."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from services.notifier.casework import Casework
from services.notifier.consultants import Delivery
from services.notifier.digests import Digests
from services.notifier.domain import NeedFile, announce, assigned, with_need, with_shortlist
from services.notifier.letterhead import WAITING, LedgerRow, RowState
from services.notifier.mailer import Mailer
from services.notifier.relay import Relay
from services.notifier.sender import Sender
from services.notifier.settings import NotifierSettings
from services.notifier.store import Store
from services.notifier.undeliverable import Undeliverable
from shared.catalogue import Catalogue
from shared.metrics import Metrics
from shared.run import Surroundings
from tests.notifier.making import (
    CATALOGUE_ROLES,
    CATALOGUE_SKILLS,
    WHEN,
    Clock,
    consultant,
    need,
    shortlist,
    store_of,
)
from tests.support import until

MOST_STEPS = 60
LOOKS = {"held_rows", "waiting", "collected_items", "stranded_among", "due_rows", "next_due"}
"""Steps that only look: who dies there has done nothing since the step before."""


class Mortal:
    """Stands in for the parts that reach outside; dies at one of their steps, and then does nothing more.

    `after` says whether the step was still carried out, its answer alone lost.
    """

    def __init__(self, dies_at: int, *, after: bool) -> None:
        self.left = dies_at
        self.after = after
        self.dead = False
        self.last = ""

    def part(self, of: Any) -> Any:
        return _Part(self, of)

    async def step(self, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        if not self.dead and name in LOOKS:
            return await work()
        self.left -= 1
        if not self.dead and self.left > 0:
            return await work()
        if not self.dead:
            self.dead, self.last = True, name
            if self.after:
                await work()
        # No handler of exceptions runs on in a killed process.
        raise asyncio.CancelledError


class _Part:
    def __init__(self, mortal: Mortal, of: Any) -> None:
        self._mortal = mortal
        self._of = of

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._of, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def step(*args: Any, **named: Any) -> Any:
            return await self._mortal.step(name, lambda: found(*args, **named))

        return step


def sender_of(given: Surroundings, clock: Clock, started: float, mortal: Mortal | None = None) -> Sender:
    """A sender on the stored rows; `started` is what its own stopwatch shows."""
    own = NotifierSettings(smtp_seconds=2, connections=1)
    metrics, wake, store = Metrics(), asyncio.Event(), store_of(given)
    relay: Any = Relay(given.smtp_host, given.smtp_port, given.settings, metrics, own.smtp_seconds)
    if mortal is not None:
        relay = mortal.part(relay)
        store.ledger = mortal.part(store.ledger)
        store.addresses = mortal.part(store.addresses)
    catalogue = Catalogue("notifier", metrics)
    catalogue.use(
        {one.role_id: one for one in CATALOGUE_ROLES}, {one.skill_id: one for one in CATALOGUE_SKILLS}, "1"
    )
    hours = own.hours()
    casework = Casework(store, catalogue, wake, "example.com", own.settle, hours, own.answer, clock)
    digests = Digests(store, hours, "example.com", clock)
    mailer = Mailer(store, catalogue, given.settings, own, given.tokens, digests, now=clock)
    undeliverable = Undeliverable(store, casework, clock)
    loop = asyncio.get_running_loop()
    began = loop.time()
    return Sender(
        store,
        mailer,
        digests,
        undeliverable,
        relay,
        metrics,
        own,
        wake,
        clock,
        clock=lambda: started + (loop.time() - began) * 100,
    )


async def queue(given: Surroundings, clock: Clock, delivery: Delivery) -> Store:
    """Two needs of one consultant, and the rows that follow."""
    store = store_of(given)
    await store.create_indexes()
    reader = await store.add_consultant(consultant(delivery=delivery))
    casework = sender_of(given, clock, 0).undeliverable.casework
    for number in (1, 2):
        asked = need(f"need-{number}")
        file = with_need(NeedFile(need_id=asked.need_id), asked, clock())
        listed = shortlist(need_id=asked.need_id)
        file = assigned(with_shortlist(file, listed, listed.revision), reader.consultant_id, clock())
        file = announce(file, clock(), timedelta(0))
        await casework.update(asked.need_id, lambda _, file=file: file)  # type: ignore[misc]
    return store


async def rows_of(store: Store) -> list[LedgerRow]:
    found = store.mongo.collection("ledger").find({})
    return [await _row(store, str(one["_id"])) async for one in found]


async def _row(store: Store, row_id: str) -> LedgerRow:
    row = await store.ledger.row(row_id)
    assert row is not None
    return row


async def run(
    sender: Sender, store: Store, clock: Clock, ends: Callable[[], bool], *, to_the_end: bool = False
) -> None:
    """Until `ends`, or there is nothing left to do today, or at all."""

    rows_seen: list[Any] = []  # for the message of a failure

    async def over() -> bool:
        sender.wake.set()
        if ends():
            return True
        rows = await rows_of(store)
        rows_seen[:] = [(row.kind, row.state.value, row.next_try_at) for row in rows]
        if to_the_end:
            return not any(row.state in WAITING for row in rows)
        due = (row for row in rows if row.state is RowState.QUEUED and row.next_try_at <= clock())
        return not any(due) and not any(row.state is RowState.SENDING for row in rows)

    task = asyncio.create_task(sender.run())
    await until(over, because=lambda: str(rows_seen))
    task.cancel()
    await asyncio.wait([task])


async def dies_at(given: Surroundings, step: int, delivery: Delivery, *, after: bool) -> Mortal:
    """One sender dies at this step, another one goes on. What became of the one that died."""
    await given.mongo_client.drop_database("recruitment_notifier")
    assert given.mailbox is not None
    given.mailbox.mails.clear()
    clock = Clock(WHEN)
    store = await queue(given, clock, delivery)
    mortal = Mortal(step, after=after)
    for day in range(2):
        if not mortal.dead:
            clock.at = WHEN + timedelta(days=day)
            await run(sender_of(given, clock, 0, mortal), store, clock, lambda: mortal.dead)
    if mortal.dead:
        survivor = sender_of(given, clock, 1000)
        await run(survivor, store, clock, lambda: False)
        clock.at += timedelta(days=1)
        await run(survivor, store, clock, lambda: False, to_the_end=True)
    check(given, await rows_of(store), mortal)
    return mortal


@pytest.mark.parametrize("delivery", [Delivery.IMMEDIATE, Delivery.DAILY])
@pytest.mark.parametrize("after", [False, True])
async def test_a_sender_may_die_at_any_step(given: Surroundings, delivery: Delivery, after: bool) -> None:
    steps = set()
    for step in range(1, MOST_STEPS):
        mortal = await dies_at(given, step, delivery, after=after)
        if not mortal.dead:
            break
        steps.add(mortal.last)
    assert {"take_row", "thread", "send", "close_row"} <= steps
    assert not mortal.dead, "there are more steps than were tried"


def check(given: Surroundings, rows: list[LedgerRow], mortal: Mortal) -> None:
    """Every mail went; one more only where its sender died with the relay's answer in hand."""
    assert given.mailbox is not None
    assert {row.state for row in rows} == {RowState.SENT}, mortal.last
    went = [str(mail.message["Message-ID"]) for mail in given.mailbox.mails]
    daily = any(row.kind == "digest" for row in rows)
    mailed = [row for row in rows if not daily or row.kind == "digest" or row.recipient == "client"]
    assert set(went) == {row.message_id for row in mailed}, mortal.last
    unknown = (mortal.last, mortal.after) in {("send", True), ("close_row", False)}
    assert len(went) <= len(set(went)) + unknown, mortal.last

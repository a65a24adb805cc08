"""What the ledger forgets, and that nothing is mailed twice for it."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from services.notifier.letterhead import RowState
from services.notifier.retention import Retention
from services.notifier.settings import NotifierSettings
from services.notifier.store_addresses import SUPPRESSED, hashed
from shared.events.delivery import DELIVERIES
from shared.events.letter import LETTERS
from shared.events.need import NEEDS, NeedState
from shared.events.registry import DEAD_LETTERS
from shared.events.shortlist import SHORTLISTS
from shared.run import Surroundings
from tests.notifier.making import NEED_ID, WHEN, Clock, Running, need, notifier, shortlist
from tests.notifier.test_handlers import letter
from tests.support import embedded_surroundings, until

KEEP = timedelta(days=100)
CLOSED = "0193b1aa-0000-7000-8000-00000000dddd"
SEGMENT = timedelta(days=7)
"""Kafka drops whole segments: what was to be kept for a while may be there for that much longer."""


async def rows(service: Running) -> list[tuple[str, str]]:
    found = service.store.mongo.collection("ledger").find({})
    return sorted([(one["kind"], one["subject"]) async for one in found])


async def everything_sent(service: Running) -> None:
    """An open need, one that was filled, a letter: all their mails went, and the world knows."""
    await service.post()
    await service.post(need(CLOSED), shortlist(need_id=CLOSED))
    # Nobody fits, so that nobody's time for an answer runs out.
    await service.mail(service.given.settings.agency_email, 2)
    await service.settled()
    await service.publish(NEEDS, need(CLOSED, status=NeedState.FILLED, revision=101))
    await service.publish(LETTERS, letter())
    await until(lambda: len(service.mails("client@acme.test")) == 4)
    await service.settled()

    async def published() -> bool:
        ledger = service.store.mongo.collection("ledger")
        return await ledger.count_documents({"unpublished": True}) == 0

    await until(published)


async def test_old_rows_of_closed_needs_go_and_nothing_is_mailed_again_for_it(given: Surroundings) -> None:
    clock = Clock(WHEN)
    async with notifier(given, clock=clock) as service:
        await everything_sent(service)
        store = service.store
        kept = [("acknowledgement", NEED_ID), ("shortlist", NEED_ID)]
        retention = Retention(store, KEEP, clock)
        clock.at = WHEN + KEEP
        assert await retention.sweep() == 0
        clock.at = WHEN + KEEP + timedelta(seconds=1)
        assert await retention.sweep() == 4
        assert await rows(service) == kept
        assert await store.mongo.collection("letters").count_documents({}) == 0
        assert await retention.sweep() == 0
        before = len(service.mails())
    # Another Kafka with the same records, and groups that have committed nothing. Of letters, which are on
    # their topic for days, there are none.
    async with (
        embedded_surroundings(mongo_client=given.mongo_client, smtp=given.mailbox) as again,
        notifier(again, clock=clock) as service,
    ):
        await service.post(need(CLOSED), shortlist(need_id=CLOSED))
        await service.publish(NEEDS, need(CLOSED, status=NeedState.FILLED, revision=101))
        await service.post()
        await service.publish(NEEDS, need("marker"))
        await service.mail("client@acme.test", 5)
        await until(lambda: service.store.file("marker"))
        await service.settled()
        assert len(service.mails()) == before + 1
        assert [row for row in await rows(service) if row[1] != "marker"] == kept


async def test_what_is_not_done_or_not_published_stays(given: Surroundings) -> None:
    clock = Clock(WHEN)
    async with notifier(given, clock=clock) as service:
        await everything_sent(service)
        clock.at = WHEN + 2 * KEEP
        ledger = service.store.mongo.collection("ledger")
        waits = {"kind": "shortlist", "subject": CLOSED}
        await ledger.update_one(waits, {"$set": {"state": RowState.SENDING.value, "sender": "somebody/1"}})
        unknown = {"kind": "filled", "subject": CLOSED}
        await ledger.update_one(unknown, {"$set": {"unpublished": True, "lease": "somebody/1"}})
        # Its acknowledgement, and the letter.
        assert await Retention(service.store, KEEP, clock).sweep() == 2
        left = [kind for kind, subject in await rows(service) if subject == CLOSED]
        assert left == ["filled", "shortlist"]


async def test_the_history_of_an_address_goes_too(given: Surroundings) -> None:
    clock = Clock(WHEN)
    async with notifier(given, clock=clock) as service:
        await service.publish(NEEDS, need())
        await service.mail("client@acme.test")
        [row] = await service.store.ledger.rows_about(NEED_ID)
        addresses = service.store.addresses
        await addresses.suppress(hashed("client@acme.test"), row, WHEN)
        retention = Retention(service.store, KEEP, clock)
        clock.at = WHEN + SUPPRESSED + KEEP
        await retention.sweep()
        assert await addresses.about("client@acme.test") is not None
        clock.at += timedelta(seconds=1)
        await retention.sweep()
        assert await addresses.about("client@acme.test") is None


def test_the_ledger_is_kept_for_longer_than_anything_that_could_ask_for_a_mail_again() -> None:
    assert LETTERS.retention is not None
    assert DELIVERIES.retention is not None
    dead = DEAD_LETTERS["notifier"].retention
    least = timedelta(days=60)
    assert LETTERS.retention + SEGMENT + dead + SEGMENT < least
    assert DELIVERIES.retention + SEGMENT < least
    # These can come at any time: the need's file knows them.
    assert NEEDS.compacted
    assert SHORTLISTS.compacted
    assert NotifierSettings(ledger_days=least.days).ledger == least
    with pytest.raises(ValidationError):
        NotifierSettings(ledger_days=least.days - 1)

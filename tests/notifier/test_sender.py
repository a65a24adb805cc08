"""What happens to a mail when the relay, or we, do not behave."""

import asyncio
from collections.abc import Iterable

import httpx
import pytest

from services.notifier.letterhead import LedgerRow, RowState
from services.notifier.settings import NotifierSettings
from shared.events.delivery import DELIVERIES, DeliveryStatus
from shared.events.letter import LETTERS, Letter
from shared.events.need import NEEDS, Need
from shared.events.shortlist import SHORTLISTS
from shared.events.vocabulary import Locale
from shared.run import Surroundings
from tests.notifier.making import (
    NEED_ID,
    WHEN,
    Clock,
    Running,
    need,
    notifier,
    shortlist,
    store_of,
    text_of,
)
from tests.notifier.relays import ACCEPT, DROP, SLOW, STALL, MoodyRelay, hurry, moody
from tests.support import embedded_surroundings, now, records, until


async def row_of(service: Running, kind: str = "acknowledgement") -> LedgerRow | None:
    rows = await service.store.ledger.rows_about(NEED_ID)
    return next((row for row in rows if row.kind == kind), None)


async def row_in(service: Running, state: RowState, kind: str = "acknowledgement") -> LedgerRow:
    async def there() -> LedgerRow | None:
        rows = await service.store.ledger.rows_about(NEED_ID)
        return next((row for row in rows if row.kind == kind and row.state is state), None)

    found: LedgerRow = await until(there)
    return found


def of_client(number: int) -> Need:
    """Each need has a client of its own: nobody gets many acknowledgements a day."""
    contact = need().contact.model_copy(update={"email": f"client{number}@acme.test"})
    return need(f"need-{number}", contact=contact)


def message_ids(relay: MoodyRelay) -> list[str]:
    return [str(mail.message["Message-ID"]) for mail in relay.mails]


@pytest.mark.parametrize(
    ("rcpt", "data"),
    [
        (["450 4.2.1 mailbox busy", "451 4.7.1 greylisted, come back"], []),
        ([ACCEPT, ACCEPT], ["452 4.3.1 no space", "421 4.3.2 closing"]),
    ],
)
async def test_a_temporary_refusal_is_tried_again_until_it_is_accepted(
    monkeypatch: pytest.MonkeyPatch, rcpt: Iterable[str], data: Iterable[str]
) -> None:
    hurry(monkeypatch)
    async with moody(MoodyRelay(rcpt=rcpt, data=data)) as relay, embedded_surroundings(smtp=relay) as given:
        async with notifier(given) as service:
            await service.publish(NEEDS, need())
            row = await row_in(service, RowState.SENT)
        assert row.attempts == 3
        assert relay.refused == 2
        assert len(relay.mails) == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("550 5.1.1 <client@acme.test> user unknown", "no_such_address"),
        ("554 5.7.1 <client@acme.test> taken for spam", "permanent"),
        ("552 5.3.4 message too big", "too_large"),
    ],
)
async def test_a_permanent_refusal_is_recorded_and_published_without_the_address(
    monkeypatch: pytest.MonkeyPatch, reply: str, kind: str
) -> None:
    hurry(monkeypatch)
    async with moody(MoodyRelay(rcpt=[reply])) as relay, embedded_surroundings(smtp=relay) as given:
        async with notifier(given) as service:
            await service.publish(NEEDS, need())
            row = await row_in(service, RowState.FAILED)

            async def published() -> bool:
                found = [one.event for one in await records(given.kafka_bootstrap, DELIVERIES)]
                failed = [one for one in found if one and one.status is DeliveryStatus.FAILED]
                return bool(failed) and failed[0].failure == row.failure

            await until(published)
        assert row.failure is not None
        assert row.failure.startswith(f"{kind}: ")
        assert "paul@" not in row.failure
        assert row.attempts == 1


@pytest.mark.parametrize("mood", [DROP, STALL])
async def test_what_is_unclear_after_data_goes_again_with_the_same_message_id(
    monkeypatch: pytest.MonkeyPatch, mood: str
) -> None:
    hurry(monkeypatch, seconds=0.6)
    async with moody(MoodyRelay(data=[mood])) as relay, embedded_surroundings(smtp=relay) as given:
        async with notifier(given) as service:
            await service.publish(NEEDS, need())
            row = await row_in(service, RowState.SENT)
        assert len(relay.mails) == 2
        assert set(message_ids(relay)) == {row.message_id}
        assert relay.mails[0].raw == relay.mails[1].raw


async def test_a_relay_that_is_away_costs_no_tries_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)
    relay = MoodyRelay()
    await relay.start()
    port = await relay.leave()
    relay.port = port
    async with embedded_surroundings(smtp=relay) as given, notifier(given) as service:
        await service.consultant()
        await service.post()
        waiting = await row_in(service, RowState.QUEUED, "shortlist")
        ready = await until_away(service)
        assert ready.status_code == 200
        assert "Connect" in ready.json()["away"]["smtp"]
        gauge = (await service.http.get("/metrics")).text
        assert 'dependency_up{dependency="smtp",service="notifier"} 0.0' in gauge
        await relay.start(port)
        row = await row_in(service, RowState.SENT, "shortlist")
        assert row.attempts == 1
        assert waiting.message_id == row.message_id
        await row_in(service, RowState.SENT)
        assert len(relay.mails) == 2
        assert (await service.http.get("/readyz")).json()["away"] == {}
    await relay.stop()


async def until_away(service: Running) -> httpx.Response:
    async def away() -> httpx.Response | None:
        ready = await service.http.get("/readyz")
        return ready if ready.json()["away"] else None

    found: httpx.Response = await until(away)
    return found


async def test_an_address_gets_three_acknowledgements_a_day(given: Surroundings) -> None:
    # A day by the test's clock: the real one may end meanwhile.
    async with notifier(given, clock=Clock(WHEN)) as service:
        for number in range(5):
            await service.publish(NEEDS, need(f"need-{number}"))
        await service.mail("client@acme.test", 3)

        async def claimed() -> bool:
            ledger = service.store.mongo.collection("ledger")
            return await ledger.count_documents({"kind": "acknowledgement"}) == 5

        await until(claimed)
        await service.settled()
        rows = [row for number in range(5) for row in await service.store.ledger.rows_about(f"need-{number}")]
        assert sorted(row.state for row in rows) == ["sent"] * 3 + ["superseded"] * 2
        assert len(service.mails()) == 3


async def test_no_more_mails_a_minute_than_the_relay_is_to_get(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFIER_MAILS_PER_MINUTE", "120")  # 20 at once, then one each half a second
    async with moody(MoodyRelay()) as relay, embedded_surroundings(smtp=relay) as given:
        async with notifier(given) as service:
            began = now()
            for number in range(22):
                await service.publish(NEEDS, of_client(number))
            await until(lambda: len(relay.mails) == 22)
        # Before the first one nothing was used up, however slow the machine is.
        assert (relay.mails[-1].accepted_at - began).total_seconds() >= 0.99


async def test_one_connection_carries_many_mails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFIER_CONNECTIONS", "1")
    async with moody(MoodyRelay()) as relay, embedded_surroundings(smtp=relay) as given:
        async with notifier(given) as service:
            for number in range(12):
                await service.publish(NEEDS, of_client(number))
            await until(lambda: len(relay.mails) == 12)
            await service.settled()
        # The watch has one of its own while the sender's is busy; a slow machine may lose one.
        assert relay.connections <= 4


async def test_while_the_relay_is_away_newer_shortlists_take_the_place_of_older_ones() -> None:
    relay = MoodyRelay()
    await relay.start()
    port = await relay.leave()
    relay.port = port
    async with embedded_surroundings(smtp=relay) as given, notifier(given) as service:
        await service.consultant()
        await service.publish(NEEDS, need())
        for revision, numbers in ((200, (1,)), (201, (1, 2)), (202, (1, 2, 3))):
            await service.publish(SHORTLISTS, shortlist(numbers, revision=revision))

        async def rows() -> list[LedgerRow]:
            found = await service.store.ledger.rows_about(NEED_ID)
            listed = [row for row in found if row.kind == "shortlist"]
            return listed if any(row.subject_revision == 202 for row in listed) else []

        await until(rows)
        await relay.start(port)
        await service.settled()
        [mail] = service.mails("sample@agency.test")
        assert "3 candidats" in str(mail.message["Subject"])
        # Nobody is new in the first mail that a reader gets.
        assert "nouveau" not in text_of(mail).lower()
        outcomes = {row.subject_revision: row.state for row in await rows()}
        assert outcomes.pop(202) is RowState.SENT
        assert set(outcomes.values()) <= {RowState.SUPERSEDED}
    await relay.stop()


async def test_two_replicas_on_one_store_send_each_mail_once(given: Surroundings) -> None:
    # Each has a Kafka of its own with the same records: the two are handed everything at once, which is worse
    # than what a consumer group does to them.
    async with (
        embedded_surroundings(mongo_client=given.mongo_client, smtp=given.mailbox) as beside,
        notifier(given) as one,
        notifier(beside) as other,
    ):
        await one.consultant()
        for number in range(10):
            for replica in (one, other):
                await replica.post(of_client(number), shortlist(need_id=f"need-{number}"))
        await until(lambda: len(one.mails("sample@agency.test")) >= 10)
        await until(lambda: len(one.mails("@acme.test")) >= 10)
        await one.settled()
        assert len(one.mails()) == 20
        assert len({str(mail.message["Message-ID"]) for mail in one.mails()}) == 20


async def test_a_sender_that_died_after_the_final_dot_is_taken_over_with_the_same_message_id(
    given: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch, seconds=1.2)
    async with notifier(given) as service:
        await service.publish(NEEDS, need())
        sent = await row_in(service, RowState.SENT)
    # As the row stands when its sender was killed between the relay's answer and noting it.
    await left_by_a_dead_sender(given, sent)
    began = now()
    async with notifier(given) as service:
        again = await row_in(service, RowState.SENT)
        # Not before the lease is over by its own clock, which started when it first saw the row.
        assert (now() - began).total_seconds() > NotifierSettings().lease_seconds
        assert again.message_id == sent.message_id
        mails = service.mails("client@acme.test")
        assert [str(mail.message["Message-ID"]) for mail in mails] == [sent.message_id] * 2
        assert mails[0].raw == mails[1].raw


async def test_a_mail_in_hand_is_finished_when_the_service_stops() -> None:
    async with moody(MoodyRelay(data=[SLOW])) as relay, embedded_surroundings(smtp=relay) as given:
        async with notifier(given) as service:
            await service.publish(NEEDS, need())
            await until(lambda: relay.mails)
            held = await row_of(service)
            assert held is not None
            assert held.state is RowState.SENDING
            # The relay answers when the service is about to stop.
            asyncio.get_running_loop().call_later(0.5, relay.answers.set)
        row = await row_of(service)
        assert row is not None
        assert row.state is RowState.SENT
        assert len(relay.mails) == 1


async def left_by_a_dead_sender(given: Surroundings, row: LedgerRow) -> None:
    ledger = store_of(given).mongo.collection("ledger")
    held = {"state": RowState.SENDING.value, "sender": "somebody-dead/1"}
    await ledger.update_one({"_id": row.row_id}, {"$set": held})


async def test_a_row_that_another_sender_holds_is_left_to_it(
    given: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFIER_SMTP_SECONDS", "60")
    async with notifier(given) as service:
        await service.publish(NEEDS, need())
        sent = await row_in(service, RowState.SENT)
        await left_by_a_dead_sender(given, sent)
        await service.publish(NEEDS, need("another-need"))
        await service.mail("client@acme.test", 2)
        row = await row_of(service)
        assert row is not None
        assert row.state is RowState.SENDING
        assert len(service.mails()) == 2


async def test_an_address_that_cannot_be_mailed_to_is_a_recorded_failure(given: Surroundings) -> None:
    contact = need().contact.model_copy(update={"email": "=?utf-8?q?a=0D=0ABcc:_v@x.test?="})
    async with notifier(given) as service:
        await service.publish(NEEDS, need(contact=contact))
        row = await row_in(service, RowState.FAILED)
        assert row.failure is not None
        assert row.failure.startswith("unsafe: ")
        assert service.mails() == []


async def test_who_keeps_putting_us_off_is_given_up_after_days(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)
    monkeypatch.setenv("NOTIFIER_GIVE_UP_HOURS", str(0.3 / 3600))
    relay = MoodyRelay(rcpt=["450 later"] * 1000)
    async with moody(relay), embedded_surroundings(smtp=relay) as given, notifier(given) as service:
        await service.publish(NEEDS, need())
        row = await row_in(service, RowState.FAILED)
        assert row.failure is not None
        assert row.failure.startswith("given up: ")
        assert row.attempts > 1


async def test_a_letter_whose_arguments_have_any_names_is_kept_and_sent(given: Surroundings) -> None:
    written = Letter(
        letter_id="0193b1aa-0000-7000-8000-00000000bbbb",
        template="links",
        locale=Locale.FR,
        to_email="client@acme.test",
        arguments={"N-1, Développeur .NET, $5 (01/02/2027)": f"{given.settings.public_url}/needs/1"},
        revision=1,
        occurred_at=now(),
    )
    async with notifier(given) as service:
        await service.publish(LETTERS, written)
        mail = await service.mail("client@acme.test")
        assert "Développeur .NET, $5" in text_of(mail)
        # Not every store takes a full stop or a dollar in a field's name.
        await service.store.ledger.keep_letter(written.model_copy(update={"letter_id": "kept"}))
        found = await service.store.mongo.collection("letters").find_one({"_id": "kept"})
        assert found is not None
        assert isinstance(found["letter"], str)
        assert await service.store.ledger.letter("kept") is not None


async def test_a_mail_that_cannot_be_written_is_tried_later_and_keeps_none_waiting(
    given: Surroundings,
) -> None:
    async with notifier(given) as service:
        # As only a fault of our own could store it: nothing that comes in passes for this.
        rows, letters = (service.store.mongo.collection(name) for name in ("ledger", "letters"))
        await letters.insert_one({"_id": "broken", "letter": "{"})
        await service.publish(NEEDS, need())
        done = await row_in(service, RowState.SENT)
        made = done.model_dump(exclude={"row_id"}) | {"_id": "broken", "kind": "letter", "sender": None}
        made |= {"recipient": "addressee", "subject": "broken", "state": RowState.QUEUED.value, "attempts": 0}
        await rows.insert_one(made | {"news": [], "gone": []})

        async def put_off() -> bool:
            found = await rows.find_one({"_id": "broken"})
            return found is not None and bool(found["failure"]) and found["state"] == RowState.QUEUED.value

        await until(put_off)


async def test_who_waited_for_days_for_a_relay_is_not_given_up_at_its_first_refusal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hurry(monkeypatch)
    monkeypatch.setenv("NOTIFIER_GIVE_UP_HOURS", "0.000001")
    relay = MoodyRelay(rcpt=["451 4.7.1 greylisted, come back"])
    async with moody(relay), embedded_surroundings(smtp=relay) as given, notifier(given) as service:
        await service.publish(NEEDS, need())
        await row_in(service, RowState.SENT)

"""Mails that come back: notifications in a maildir, and what follows for the address."""

import mailbox
from email.message import EmailMessage
from pathlib import Path

import pytest

from services.notifier.bounces import Bounce, ReturnPath, read_bounce
from services.notifier.consultants import ConsultantFields
from services.notifier.domain import AGENCY
from services.notifier.letterhead import RowState
from shared.embedded import CaughtMail
from shared.events.delivery import DELIVERIES, DeliveryStatus
from shared.events.need import NEEDS
from shared.run import Surroundings
from shared.tokens import Tokens
from tests.notifier.making import HOSTILE, NEED_ID, Running, need, notifier, shortlist
from tests.notifier.relays import MoodyRelay, hurry, moody
from tests.notifier.test_sender import of_client, row_in
from tests.support import embedded_surroundings, records, until

ROW = "b3fc4744-026a-5b81-962c-c0638cd728ea"
PATH = ReturnPath("bounces@agency.test", Tokens(["n" * 40, "o" * 40]))


def report(to: str, *, action: str = "failed", status: str = "5.1.1", header: str = "To") -> bytes:
    """A delivery status notification as RFC 3464 has it."""
    return (
        f"From: MAILER-DAEMON@mx.test\r\n{header}: {to}\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nI'm afraid it did not work.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.test\r\nArrival-Date: Mon, 23 Nov 2026 09:00:00 +0000\r\n\r\n"
        f"Final-Recipient: rfc822; somebody@else.test\r\nAction: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 no such user\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: the mail\r\n\r\nbody\r\n--b--\r\n"
    ).encode()


@pytest.fixture
def maildir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bounces"
    mailbox.Maildir(folder, create=True)
    monkeypatch.setenv("NOTIFIER_BOUNCE_MAILDIR", str(folder))
    return folder


def comes_back(folder: Path, mail: CaughtMail, **said: str) -> None:
    """The relay took it, and its recipient's server sends a notification to the envelope's sender."""
    mailbox.Maildir(folder).add(report(mail.sender, **said))


def test_an_envelope_address_leads_back_to_its_row_and_cannot_be_made_up() -> None:
    address = PATH.of(ROW)
    assert address.partition("@")[2] == "agency.test"
    assert len(address.partition("@")[0]) <= 64
    assert PATH.row_of(address) == PATH.row_of(address.upper()) == ROW
    # Made with the older secret, before it was rotated out.
    assert PATH.row_of(ReturnPath(PATH.address, Tokens(["o" * 40])).of(ROW)) == ROW
    name, _, mac = address.partition("@")[0].rpartition(".")
    for forged in (
        f"{name}.{'0' * 12}@agency.test",
        f"bounces+{ROW.replace('-', '')[:-1]}0.{mac}@agency.test",
        address.replace("agency", "agence"),
        address.replace("bounces+", "+"),
        "bounces@agency.test",
        *HOSTILE,
    ):
        assert PATH.row_of(forged) is None


@pytest.mark.parametrize(
    ("action", "status", "hard"),
    [
        ("failed", "5.1.1", True),
        ("Failed", "5.1.10 (null MX)", True),
        ("failed", "5.2.1", True),
        # A full mailbox, a mail too large, taken for spam, given up after days: nothing against the address
        ("failed", "5.2.2", False),
        ("failed", "5.3.4", False),
        ("failed", "5.7.1", False),
        ("failed", "4.4.7", False),
        ("delayed", "4.4.1", False),
        ("delivered", "2.0.0", False),
        ("failed", "nonsense", False),
    ],
)
def test_what_a_notification_means(action: str, status: str, hard: bool) -> None:
    found = read_bounce(report(PATH.of(ROW), action=action, status=status), PATH)
    assert found is not None
    assert found.row_id == ROW
    assert found.hard is hard
    assert found.failed is (action.lower() == "failed")


@pytest.mark.parametrize("header", ["To", "Delivered-To", "X-Original-To", "Envelope-To"])
def test_it_is_matched_by_where_it_was_sent(header: str) -> None:
    assert read_bounce(report(PATH.of(ROW), header=header), PATH) == Bounce(ROW, "5.1.1", failed=True)


@pytest.mark.parametrize(
    "raw",
    [b"", b"\x00\xff" * 100, b"To: x\r\n\r\n", *[text.encode() for text in HOSTILE], report("a@b.test")],
)
def test_what_is_no_notification_of_ours_is_passed_over(raw: bytes) -> None:
    assert read_bounce(raw, PATH) is None


def test_an_automatic_answer_to_a_mail_of_ours_is_no_bounce() -> None:
    away = EmailMessage()
    away["To"] = PATH.of(ROW)
    away["Auto-Submitted"] = "auto-replied"
    away.set_content("I am on leave.")
    assert read_bounce(away.as_bytes(), PATH) is None


async def test_a_consultants_hard_bounce_passes_all_their_needs_on(
    given: Surroundings, maildir: Path
) -> None:
    async with notifier(given) as service:
        mine = await service.consultant()
        await service.post()
        await service.post(need("other-need"), shortlist(need_id="other-need"))
        await service.mail("sample@agency.test", 2)
        comes_back(maildir, service.mails("sample@agency.test")[0])
        await service.mail(given.settings.agency_email, 2)
        for need_id in (NEED_ID, "other-need"):
            assert (await service.store.file(need_id)).reader == AGENCY
        gone = await service.store.consultant(mine.consultant_id)
        assert gone is not None
        assert gone.unreachable
        # Nothing more goes there; saving the consultant anew lifts that.
        await service.post(need("third"), shortlist(need_id="third"))
        await service.mail(given.settings.agency_email, 3)
        answer = await service.http.put(
            f"/api/consultants/{mine.consultant_id}",
            json=mine.model_dump(mode="json", include=set(ConsultantFields.model_fields)),
            headers=service.key("*") | {"If-Match": "*"},
        )
        assert answer.status_code == 200, answer.text
        await service.post(need("fourth"), shortlist(need_id="fourth"))
        await service.mail("sample@agency.test", 3)


async def test_a_clients_bounce_is_there_to_be_seen_and_nothing_more_is_sent(
    given: Surroundings, maildir: Path
) -> None:
    async with notifier(given) as service:
        await service.publish(NEEDS, need())
        comes_back(maildir, await service.mail("client@acme.test"))
        row = await row_in(service, RowState.FAILED)
        assert row.failure == "no_such_address: came back, 5.1.1"
        answer = await service.http.get("/api/deliveries?status=failed", headers=service.key("*"))
        assert [one["delivery_id"] for one in answer.json()["items"]] == [row.row_id]
        assert (await service.http.get("/api/deliveries", headers=service.key("*"))).status_code == 422

        async def published() -> bool:
            found = [one.event for one in await records(given.kafka_bootstrap, DELIVERIES)]
            return any(one and one.status is DeliveryStatus.FAILED for one in found)

        await until(published)
        await service.publish(NEEDS, need("second"))
        await service.settled()

        async def second_failed() -> bool:
            rows = await service.store.ledger.rows_about("second")
            return [one.state for one in rows] == [RowState.FAILED]

        await until(second_failed)
        assert len(service.mails("client@acme.test")) == 1


async def test_a_soft_bounce_fails_its_mail_and_spares_the_address(
    given: Surroundings, maildir: Path
) -> None:
    async with notifier(given) as service:
        await service.publish(NEEDS, need())
        comes_back(maildir, await service.mail("client@acme.test"), status="5.2.2")
        row = await row_in(service, RowState.FAILED)
        assert row.failure == "permanent: came back, 5.2.2"
        await service.publish(NEEDS, need("second"))
        await service.mail("client@acme.test", 2)


async def test_what_was_read_stays_and_is_read_once(given: Surroundings, maildir: Path) -> None:
    async with notifier(given) as service:
        await service.publish(NEEDS, need())
        comes_back(maildir, await service.mail("client@acme.test"), action="delayed", status="4.4.1")

        def seen() -> bool:
            flags = [message.get_flags() for message in mailbox.Maildir(maildir)]
            return flags == ["S"]

        await until(seen)
        row = await row_in(service, RowState.SENT)
        assert row.failure is None


async def test_an_address_that_the_relay_refuses_at_once_is_treated_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hurry(monkeypatch)
    relay = MoodyRelay()
    relay.refuses["sample@agency.test"] = "550 5.1.1 <sample@agency.test> no such user"
    async with moody(relay), embedded_surroundings(smtp=relay) as given, notifier(given) as service:
        mine = await service.consultant()
        await service.post()
        await service.mail(given.settings.agency_email)
        row = await row_in(service, RowState.FAILED, "shortlist")
        assert row.recipient == mine.consultant_id
        await passed_on(service)


async def test_a_mail_that_is_refused_for_itself_passes_that_need_on_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hurry(monkeypatch)
    relay = MoodyRelay()
    relay.refuses["sample@agency.test"] = "554 5.7.1 taken for spam"
    async with moody(relay), embedded_surroundings(smtp=relay) as given, notifier(given) as service:
        mine = await service.consultant()
        await service.post()
        await service.mail(given.settings.agency_email)
        await passed_on(service)
        kept = await service.store.consultant(mine.consultant_id)
        assert kept is not None
        assert kept.available


async def passed_on(service: Running) -> None:
    assert (await service.store.file(NEED_ID)).reader == AGENCY


async def test_what_was_read_is_not_opened_again(given: Surroundings, maildir: Path) -> None:
    async with notifier(given) as service:
        await service.publish(NEEDS, need())
        mail = await service.mail("client@acme.test")
        await row_in(service, RowState.SENT)
        # By its name it was read, whatever is in it.
        (maildir / "cur" / "1.read.mx.test:2,S").write_bytes(report(mail.sender))
        # Two more, one after the other: by the second, the folder was gone through at least once.
        for number in (1, 2):
            await service.publish(NEEDS, of_client(number))
            comes_back(maildir, await service.mail(f"client{number}@acme.test"))

            async def failed(need_id: str = f"need-{number}") -> bool:
                rows = await service.store.ledger.rows_about(need_id)
                return [one.state for one in rows] == [RowState.FAILED]

            await until(failed)
        rows = await service.store.ledger.rows_about(NEED_ID)
        assert [one.state for one in rows] == [RowState.SENT]

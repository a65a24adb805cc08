"""To whom and when: answers that do not come, quiet hours, digests, pauses. The clock is the test's."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

from services.notifier.consultants import Delivery, QuietHours
from services.notifier.domain import AGENCY, Step
from services.notifier.letterhead import RowState
from shared.embedded import CaughtMail
from shared.events.need import NEEDS, NeedState
from shared.events.shortlist import SHORTLISTS
from shared.run import Surroundings
from tests.notifier.making import (
    NEED_ID,
    WHEN,
    Clock,
    Running,
    candidate_id,
    consultant,
    need,
    notifier,
    shortlist,
    text_of,
)
from tests.notifier.test_answers import links
from tests.support import embedded_surroundings, until

# WHEN is a Monday, 10:00 in Paris.
HOUR = timedelta(hours=1)
SAMPLE, OTHER = "sample@agency.test", "other@agency.test"


async def owner(service: Running, need_id: str = NEED_ID) -> str:
    file = await service.store.file(need_id)
    return file.reader


async def collected(service: Running, number: int) -> None:
    """So many mails wait for a digest."""

    async def there() -> bool:
        rows = service.store.mongo.collection("ledger")
        return await rows.count_documents({"state": RowState.COLLECTED.value}) == number

    await until(there)


async def test_a_need_passes_on_after_four_working_hours_without_an_answer(given: Surroundings) -> None:
    clock = Clock(WHEN)
    async with notifier(given, clock=clock) as service:
        first = await service.consultant()
        await service.post()
        await service.mail(SAMPLE)
        other = await service.consultant("Other Consultant")
        clock.at = WHEN + 4 * HOUR - timedelta(seconds=1)
        await service.publish(SHORTLISTS, shortlist((1, 2, 3, 4), revision=201))
        await service.mail(SAMPLE, 2)
        assert await owner(service) == first.consultant_id
        clock.at = WHEN + 4 * HOUR
        await service.mail(OTHER)
        file = await service.store.file(NEED_ID)
        assert file.reader == other.consultant_id
        assert [one.step for one in file.history] == [Step.ASSIGNED, Step.UNANSWERED, Step.ASSIGNED]
        # Nobody else is left: the agency's own inbox reads it.
        clock.at = WHEN + 8 * HOUR
        await until(lambda: service.mails(OTHER))
        clock.at = WHEN + 24 * HOUR
        await service.mail(given.settings.agency_email)
        assert await owner(service) == AGENCY


async def test_an_answer_about_a_candidate_keeps_the_need_with_its_owner(given: Surroundings) -> None:
    clock = Clock(WHEN)
    async with notifier(given, clock=clock) as service:
        first = await service.consultant()
        await service.consultant("Other Consultant", regions=("FR-ARA",))
        await service.post()
        mails = await until(lambda: service.mails("@agency.test"))
        path = links(mails[0])["Contacté"][0]
        clock.at = WHEN + 3 * HOUR
        assert (await service.http.post(path, data={"action": "contacted"})).status_code == 200
        mine = await owner(service)
        clock.at = WHEN + 100 * HOUR
        await service.post(need("later"), shortlist(need_id="later"))
        await until(lambda: len(service.mails("@agency.test")) >= 2)
        assert await owner(service) == mine
        assert (await service.store.file(NEED_ID)).answer_by is None
        assert first.consultant_id in {mine, await owner(service, "later")}


async def test_a_mail_waits_for_the_end_of_quiet_hours(given: Surroundings) -> None:
    clock = Clock(WHEN + 11 * HOUR)  # 21:00 in Paris
    quiet = QuietHours.model_validate({"start": "20:00", "end": "07:30"})
    async with notifier(given, clock=clock) as service:
        await service.consultant(quiet_hours=quiet)
        await service.post()
        await service.mail("client@acme.test")

        async def put_off() -> bool:
            rows = await service.store.ledger.rows_about(NEED_ID)
            return any(row.kind == "shortlist" and row.next_try_at > clock.at + HOUR for row in rows)

        await until(put_off)
        clock.at = WHEN + timedelta(hours=21, minutes=29)
        assert service.mails(SAMPLE) == []
        # The need is not theirs to answer before they may have read of it.
        file = await service.store.file(NEED_ID)
        assert file.answer_by == WHEN + timedelta(hours=27)
        clock.at = WHEN + timedelta(hours=21, minutes=30)
        await service.mail(SAMPLE)


async def digest_of(service: Running, clock: Clock, waiting: int) -> CaughtMail:
    """The mail of tomorrow, 08:00 in Paris, once so many rows wait for it."""
    await collected(service, waiting)
    assert service.mails(SAMPLE) == []
    clock.at = WHEN + 22 * HOUR
    return await service.mail(SAMPLE)


async def test_a_digest_collects_a_days_needs_and_shows_each_once_as_it_is(given: Surroundings) -> None:
    clock = Clock(WHEN)
    async with notifier(given, clock=clock) as service:
        await service.consultant(delivery=Delivery.DAILY)
        for number in (1, 2, 3):
            await service.post(
                need(f"need-{number}", title=f"Besoin {number}", reference=f"N-{number}"),
                shortlist(need_id=f"need-{number}"),
            )
        await collected(service, 3)
        # One gets a better shortlist, one is edited, one is withdrawn before the digest goes.
        await service.publish(SHORTLISTS, shortlist((1, 2, 3, 4), need_id="need-1", revision=201))
        await service.publish(NEEDS, need("need-2", title="Besoin corrigé", reference="N-2", revision=101))
        await service.publish(
            NEEDS, need("need-3", title="Besoin 3", status=NeedState.WITHDRAWN, revision=101)
        )

        async def read() -> bool:
            first, second, third = [await service.store.file(f"need-{number}") for number in (1, 2, 3)]
            edited = second.need is not None and second.need.revision == 101
            return first.shortlist_revision == 201 and edited and not third.open

        await until(read)
        mail = await digest_of(service, clock, 4)
        assert str(mail.message["Subject"]) == "Votre récapitulatif : 2 besoins"
        text = text_of(mail)
        assert text.count("Besoin 1") == text.count("Besoin corrigé") == 1
        assert "Besoin 3" not in text
        assert "4 candidats" in text
        await service.settled()
        outcomes = {
            row.row_id: row.state
            for number in (1, 2, 3)
            for row in await service.store.ledger.rows_about(f"need-{number}")
            if row.kind == "shortlist"
        }
        assert sorted(outcomes.values()) == ["sent", "sent", "superseded", "superseded"]
        assert len(service.mails(SAMPLE)) == 1


async def test_a_digest_with_nothing_left_to_show_is_not_sent(given: Surroundings) -> None:
    clock = Clock(WHEN)
    async with notifier(given, clock=clock) as service:
        await service.consultant(delivery=Delivery.DAILY)
        await service.post()
        await collected(service, 1)
        await service.publish(NEEDS, need(status=NeedState.WITHDRAWN, revision=101))

        async def read() -> bool:
            return not (await service.store.file(NEED_ID)).open

        await until(read)
        clock.at = WHEN + 22 * HOUR
        await service.settled()
        assert service.mails(SAMPLE) == []


async def test_a_digest_survives_a_restart_and_goes_once_from_two_replicas(given: Surroundings) -> None:
    clock = Clock(WHEN)
    async with notifier(given, clock=clock) as service:
        await service.consultant(delivery=Delivery.DAILY)
        await service.post()
        await collected(service, 1)
    clock.at = WHEN + 22 * HOUR
    async with (
        embedded_surroundings(mongo_client=given.mongo_client, smtp=given.mailbox) as beside,
        notifier(given, clock=clock) as one,
        notifier(beside, clock=clock) as other,
    ):
        await one.mail(SAMPLE)
        await one.settled()
        await other.settled()
        assert len(one.mails(SAMPLE)) == 1


async def test_the_links_of_a_digest_work(given: Surroundings) -> None:
    clock = Clock(WHEN)
    async with notifier(given, clock=clock) as service:
        await service.consultant(delivery=Delivery.DAILY)
        await service.post()
        mail = await digest_of(service, clock, 1)
        [take] = links(mail)["Je prends ce besoin"]
        assert (await service.http.post(take, data={"action": "taken"})).status_code == 200
        taken = await service.mail("client@acme.test", 2)
        assert "Sample Consultant" in str(taken.message["Subject"])
        assert (await service.store.file(NEED_ID)).mark_of(candidate_id(1)) is None


async def test_one_click_in_a_mail_program_pauses_and_passes_the_needs_on(given: Surroundings) -> None:
    async with notifier(given) as service:
        mine = await service.consultant()
        await service.post()
        mail = await service.mail(SAMPLE)
        assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        found = re.fullmatch(r"<(https?://[^>]+)>", str(mail.message["List-Unsubscribe"]))
        assert found is not None
        path = urlsplit(found[1]).path
        # A scanner that opens the link changes nothing.
        assert (await service.http.get(path)).status_code == 200
        assert await owner(service) == mine.consultant_id
        form = {"List-Unsubscribe": "One-Click"}
        for _ in range(2):
            assert (await service.http.post(path, data=form)).status_code == 200
        await service.mail(given.settings.agency_email)
        paused = await service.store.consultant(mine.consultant_id)
        assert paused is not None
        assert paused.delivery is Delivery.PAUSED
        assert await owner(service) == AGENCY
        assert (await service.http.post(path[:-1] + "x", data=form)).status_code == 403


async def test_the_needs_of_somebody_who_paused_pass_on_even_if_whoever_saw_to_it_died(
    given: Surroundings,
) -> None:
    async with notifier(given) as service:
        mine = await service.consultant()
        await service.post()
        await service.mail(SAMPLE)
        # As a process left it that died between the two steps.
        found = await service.store.consultant(mine.consultant_id)
        assert found is not None
        await service.store.change_consultant(found, consultant(delivery=Delivery.PAUSED), active=True)
        await service.mail(given.settings.agency_email)


async def test_what_comes_while_a_digest_waits_for_quiet_hours_does_not_take_its_place(
    given: Surroundings,
) -> None:
    # Digests go at 08:00, this reader's quiet hours end at 09:00.
    clock = Clock(WHEN)
    quiet = QuietHours.model_validate({"start": "22:00", "end": "09:00"})
    async with notifier(given, clock=clock) as service:
        await service.consultant(delivery=Delivery.DAILY, quiet_hours=quiet)
        await service.post(need("need-1", title="Besoin 1"), shortlist(need_id="need-1"))
        await collected(service, 1)
        clock.at = WHEN + 22.5 * HOUR
        await service.post(need("need-2", title="Besoin 2"), shortlist(need_id="need-2"))
        await collected(service, 2)
        assert service.mails(SAMPLE) == []
        clock.at = WHEN + 23 * HOUR
        mail = await service.mail(SAMPLE)
        assert "Besoin 1" in text_of(mail)
        assert "Besoin 2" in text_of(mail)
        clock.at = WHEN + 47 * HOUR
        await service.settled()
        assert len(service.mails(SAMPLE)) == 1


async def test_items_of_a_digest_that_went_do_not_go_again_with_the_next(given: Surroundings) -> None:
    clock = Clock(WHEN)
    async with notifier(given, clock=clock) as service:
        await service.consultant(delivery=Delivery.DAILY)
        await service.post()
        await digest_of(service, clock, 1)
        await service.settled()
        # As a sender left it that died between closing the digest and closing its item.
        ledger = service.store.mongo.collection("ledger")
        sent = await ledger.find_one({"kind": "digest"})
        assert sent is not None
        await service.post(need("later", title="Plus tard"), shortlist(need_id="later"))
        await collected(service, 1)
        half_done = {"state": RowState.COLLECTED.value, "sender": sent["_id"]}
        await ledger.update_one({"kind": "shortlist", "subject": NEED_ID}, {"$set": half_done})

        async def closed() -> bool:
            row = await ledger.find_one({"kind": "shortlist", "subject": NEED_ID})
            return row is not None and row["state"] == RowState.SENT.value

        await until(closed)
        clock.at = WHEN + 46 * HOUR
        mail = await service.mail(SAMPLE, 2)
        assert str(mail.message["Subject"]) == "Votre récapitulatif : 1 besoin"


async def test_a_need_does_not_pass_on_before_its_owner_could_read_of_it(given: Surroundings) -> None:
    clock = Clock(WHEN)
    assert given.mailbox is not None
    await given.mailbox.stop()
    async with notifier(given, clock=clock) as service:
        await service.consultant()
        await service.consultant("Other Consultant", regions=("FR-ARA",))
        await service.post()

        async def given_away() -> bool:
            return (await service.store.file(NEED_ID)).owner is not None

        await until(given_away)
        before = await owner(service)
        clock.at = WHEN + 4 * HOUR

        async def put_off() -> bool:
            file = await service.store.file(NEED_ID)
            return file.answer_by is not None and file.answer_by > clock.at

        await until(put_off)
        assert await owner(service) == before
        assert (await service.store.file(NEED_ID)).passed_by == ()

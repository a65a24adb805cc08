"""A need becomes an acknowledgement and a shortlist in the right inbox, once."""

import pytest

from services.notifier.letterhead import RowState
from shared.events.delivery import DELIVERIES, DeliveryKind, DeliveryStatus
from shared.events.need import NEEDS, NeedState
from shared.events.shortlist import SHORTLISTS, Outcome
from shared.run import Surroundings
from tests.notifier.making import NEED_ID, html_of, need, notifier, shortlist, text_of
from tests.support import records, until


async def test_a_need_is_acknowledged_and_its_shortlist_reaches_the_owner(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.consultant()
        await service.post()
        acknowledgement = await service.mail("client@acme.test")
        listed = await service.mail("sample@agency.test")

        assert "N-2026-0042" in str(acknowledgement.message["Subject"])
        assert "/needs/" in text_of(acknowledgement)
        assert "Secret project" not in acknowledgement.raw.decode()
        assert "paiements" not in text_of(acknowledgement)
        for part in (text_of(listed), html_of(listed)):
            for shown in ("Sample Client", "+33 4 00 00 00 02", "client@acme.test", "Acme SA", "Python"):
                assert shown in part
        await service.settled()
        assert len(service.mails()) == 2


async def test_the_outcome_of_each_row_is_published(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.consultant()
        await service.post()

        async def outcomes() -> bool:
            found = [one.event for one in await records(given.kafka_bootstrap, DELIVERIES)]
            sent = {one.kind for one in found if one and one.status is DeliveryStatus.SENT}
            return sent == {DeliveryKind.ACKNOWLEDGEMENT, DeliveryKind.SHORTLIST}

        await until(outcomes)


async def test_nobody_who_fits_means_the_agencys_inbox(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.consultant(regions=("BE",))
        await service.post()
        mail = await service.mail(given.settings.agency_email)
        assert "Confier à un consultant" in html_of(mail)
        assert "do_accepted" not in html_of(mail)


async def test_a_better_shortlist_is_mailed_only_for_a_new_candidate(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.consultant()
        await service.post()
        await service.mail("sample@agency.test")
        await service.publish(SHORTLISTS, shortlist((3, 2, 1), revision=201))
        await service.publish(SHORTLISTS, shortlist((3, 2, 1, 4), revision=202))
        second = await service.mail("sample@agency.test", 2)
        await service.settled()
        assert len(service.mails("sample@agency.test")) == 2
        assert "Nouveau depuis le dernier envoi" in text_of(second)
        assert second.message["References"] == service.mails("sample@agency.test")[0].message["References"]


async def test_a_withdrawn_need_is_not_mailed_any_more(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.consultant()
        await service.publish(NEEDS, need(status=NeedState.WITHDRAWN))
        await service.publish(SHORTLISTS, shortlist())

        async def read() -> bool:
            return (await service.store.file(NEED_ID)).shortlist is not None

        await until(read)
        await service.settled()
        assert service.mails() == []


async def test_a_filled_need_is_told_to_the_client_once(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.publish(NEEDS, need())
        await service.mail("client@acme.test")
        await service.publish(NEEDS, need(status=NeedState.FILLED, revision=101))
        await service.publish(NEEDS, need(status=NeedState.FILLED, revision=102))
        filled = await service.mail("client@acme.test", 2)
        assert "pourvu" in str(filled.message["Subject"])
        await until(lambda: service.store.file(NEED_ID))
        await service.settled()
        assert len(service.mails()) == 2


async def test_that_nobody_fits_waits_until_it_has_settled(
    given: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFIER_SETTLE_SECONDS", "3600")
    async with notifier(given) as service:
        await service.consultant()
        await service.post(listed=shortlist((), revision=200))

        async def queued() -> bool:
            rows = await service.store.ledger.rows_about(NEED_ID)
            return any(row.kind == "no_match" and row.state is RowState.QUEUED for row in rows)

        await until(queued)
        await service.publish(SHORTLISTS, shortlist((1,), revision=201))
        mail = await service.mail("sample@agency.test")
        assert "1 candidat" in str(mail.message["Subject"])


async def test_nobody_fits_is_a_mail_of_its_own_with_what_relaxing_would_bring(
    given: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFIER_SETTLE_SECONDS", "0")
    async with notifier(given) as service:
        await service.consultant()
        listed = shortlist(())
        assert listed.outcome is Outcome.NO_MATCH
        await service.post(listed=listed)
        mail = await service.mail("sample@agency.test")
        assert "Aucun candidat" in str(mail.message["Subject"])
        assert "Sans l’exigence « Lieu » : 12 de plus" in text_of(mail).replace("\u00a0", " ")

"""Addresses whose mails came back: who may see that, who may lift it, and that both are told."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.notifier.letterhead import RowState
from services.notifier.store_addresses import SUPPRESSED, hashed
from shared.events.letter import LETTERS
from shared.events.need import NEEDS
from shared.run import Surroundings
from tests.notifier.desk import NEED, OURS, page, sign_in
from tests.notifier.making import WHEN, Running, need, notifier, store_of
from tests.notifier.test_bounces import comes_back, maildir
from tests.notifier.test_handlers import letter
from tests.notifier.test_sender import row_in
from tests.support import until

__all__ = ["maildir"]

PAGE = "/desk/addresses"
CLIENT = "client@acme.test"


async def bounced(service: Running, folder: Path) -> None:
    """The acknowledgement of the sample need came back."""
    await service.publish(NEEDS, need())
    comes_back(folder, await service.mail(CLIENT))
    await row_in(service, RowState.FAILED)
    await until(lambda: service.store.addresses.suppressed(CLIENT, datetime.now(UTC)))


async def test_an_administrator_lifts_the_block_on_the_page_of_the_need(
    given: Surroundings, maildir: Path
) -> None:
    async with notifier(given) as service:
        await service.consultant(locale="en")
        root = await service.consultant("Root", admin=True, practices=())
        await bounced(service, maildir)
        await sign_in(service, root)
        text = await page(service)
        assert "Les mails à l’adresse du client reviennent" in text
        assert "Adresse du client bloquée" in text
        addressed = re.search(r'name="addressed" value="(\w+)"', text)
        assert addressed is not None
        data = {"addressed": addressed[1], "back": NEED}
        for _ in range(2):
            done = await service.http.post(PAGE, data=data, headers=OURS)
            assert (done.status_code, done.headers["location"]) == (303, f"{NEED}?did=lifted")
        text = await page(service)
        assert "reviennent" not in text
        assert text.count("Root débloque l’adresse du client") == 1
        await service.publish(NEEDS, need("second"))
        await service.mail(CLIENT, 2)


async def test_the_page_lists_what_is_blocked_by_what_it_was_used_for_and_never_the_address(
    given: Surroundings, maildir: Path
) -> None:
    async with notifier(given) as service:
        root = await service.consultant("Root", admin=True, practices=())
        await bounced(service, maildir)
        await service.publish(LETTERS, letter(to_email="candidate@people.test"))
        comes_back(maildir, await service.mail("candidate@people.test"))
        await until(lambda: service.store.addresses.suppressed("candidate@people.test", datetime.now(UTC)))
        await sign_in(service, root)
        assert PAGE in await page(service, "/desk/consultants")
        text = await page(service, PAGE)
        assert "Client du besoin N-2026-0042" in text
        assert f'href="{NEED}"' in text
        assert "Destinataire d’un message sans besoin" in text
        assert CLIENT not in text
        assert "people.test" not in text
        # Whoever knows the address can also type it.
        wrong = await service.http.post(PAGE, data={"email": "nobody@acme.test"}, headers=OURS)
        assert wrong.status_code == 422
        assert "Cette adresse n’est pas bloquée." in wrong.text
        assert 'value="nobody@acme.test"' in wrong.text
        typed = {"email": " Candidate@People.test "}
        done = await service.http.post(PAGE, data=typed, headers=OURS)
        assert done.headers["location"] == f"{PAGE}?did=lifted"
        text = await page(service, PAGE)
        assert "débloquée par Root" in text
        assert text.index("Client du besoin") < text.index("Débloquées") < text.index("Destinataire")
        await service.publish(LETTERS, letter(letter_id="letter-2", to_email="candidate@people.test"))
        await service.mail("candidate@people.test", 2)


async def test_nobody_else_sees_or_lifts_anything(given: Surroundings, maildir: Path) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        await bounced(service, maildir)
        data = {"addressed": hashed(CLIENT)}
        assert (await service.http.post(PAGE, data=data, headers=OURS)).status_code == 303
        await sign_in(service, claire)
        text = await page(service)
        assert "Les mails à l’adresse du client reviennent" in text
        assert 'name="addressed"' not in text
        assert (await service.http.get(PAGE)).status_code == 403
        assert (await service.http.post(PAGE, data=data, headers=OURS)).status_code == 403
        root = await service.consultant("Root", admin=True)
        await sign_in(service, root)
        assert (await service.http.post(PAGE, data=data)).status_code == 403
        assert await service.store.addresses.suppressed(CLIENT, datetime.now(UTC))


async def test_a_consultant_who_was_saved_anew_gets_sign_in_links_again(
    given: Surroundings, maildir: Path
) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        root = await service.consultant("Root", admin=True, practices=())
        await service.post()
        comes_back(maildir, await service.mail("sample@agency.test"))
        await until(lambda: service.store.addresses.suppressed(claire.email, datetime.now(UTC)))

        async def noted() -> bool:
            found = await service.store.consultant(claire.consultant_id)
            return found is not None and found.unreachable

        await until(noted)
        await sign_in(service, root)
        where = f"/api/consultants/{claire.consultant_id}"
        headers = service.key("consultants:write") | {"If-Match": "*"}
        assert (await service.http.patch(where, json={}, headers=headers)).status_code == 200
        await service.http.post("/desk/sign-in", data={"email": claire.email}, headers=OURS)
        mail = await service.mail(claire.email, 2)
        assert "Votre lien de connexion" in str(mail.message["Subject"])


async def test_a_block_ends_by_itself_and_may_come_again(given: Surroundings) -> None:
    addresses, ledger = store_of(given).addresses, store_of(given).ledger
    async with notifier(given) as service:
        await service.publish(NEEDS, need())
        await service.mail(CLIENT)
        row = await row_in(service, RowState.SENT)
    who, late = hashed(CLIENT), WHEN + SUPPRESSED
    await addresses.suppress(who, row, WHEN)
    # A second mail comes back a day later: it is blocked for longer, which is no news.
    await addresses.suppress(who, row, WHEN + timedelta(days=1))
    assert await addresses.suppressed(CLIENT, late)
    assert not await addresses.suppressed(CLIENT, late + timedelta(days=1))
    assert not await addresses.lift(who, "root", late + timedelta(days=1))
    await addresses.suppress(who, row, late + timedelta(days=2))
    assert await addresses.lift(who, "root", late + timedelta(days=3))
    assert not await addresses.lift(who, "root", late + timedelta(days=3))
    found = await addresses.about(CLIENT)
    assert found is not None
    assert [one.what.value for one in found.events] == ["blocked", "blocked", "lifted"]
    assert found.events[-1].by == "root"
    assert await ledger.row(row.row_id) is not None

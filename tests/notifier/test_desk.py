"""/desk: what it shows of needs and candidates, and who gets to see it."""

import asyncio
import dataclasses
import re

from services.notifier.app import build
from shared.events.need import NEEDS, NeedState
from shared.mongo import connect
from shared.run import Surroundings
from tests.notifier.desk import (
    NEED,
    OTHER,
    OURS,
    STRANGER,
    decide,
    file,
    page,
    person,
    posted,
    ranked,
    sign_in,
)
from tests.notifier.making import HOSTILE, NEED_ID, candidate_id, need, notifier, shortlist
from tests.support import running, until


async def test_the_list_shows_the_most_urgent_first_with_counts_filters_and_search(
    given: Surroundings,
) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        await posted(service)
        await service.post(
            need(OTHER, title="Data engineer", company="Beta SARL", reference="N-2", role_id=None),
            shortlist((), need_id=OTHER),
        )
        await ranked(service, OTHER)
        await sign_in(service, claire)
        everything = await page(service, "/desk?show=all")
        # Nobody has the second: it comes before the one that waits for an answer.
        assert everything.index("Data engineer") < everything.index("Développeur back-end, paiements")
        assert "sans consultant depuis" in everything
        assert "sans réponse depuis" in everything
        assert "aucun candidat" in everything
        assert "dont 2 avec tous les impératifs" in everything
        for show, number in (("mine", 1), ("unowned", 1), ("waiting", 2), ("all", 2)):
            count = re.search(rf'show={show}"[^>]*>[^<]*<span class="count">(\d+)<', everything)
            assert count is not None
            assert int(count[1]) == number
        mine = await page(service, "/desk?show=mine")
        assert "Data engineer" not in mine
        assert "avec vous" in mine
        found = await page(service, "/desk?show=all&q=developpeur+LYON")
        assert "Data engineer" not in found
        assert "Développeur back-end" in found
        nothing = await page(service, "/desk?show=all&q=<b>zzz")
        assert "&lt;b&gt;zzz" in nothing
        await decide(service, "taken")
        taken = await page(service, "/desk?show=mine")
        assert "en cours depuis" in taken


async def test_a_needs_page_shows_the_client_and_how_each_score_adds_up(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        await posted(service)
        await sign_in(service, claire)
        text = await page(service)
        for fact in (
            "client@acme.test",
            "tel:+33400000002",
            "Secret project",
            "Sample Client",
            "N-2026-0042",
        ):
            assert fact in text
        first = person(text, 1)
        assert "92 sur 100" in first
        assert "tous les impératifs" in first
        assert "54,0 sur 60,0" in first
        assert "Python\u00a0: 6 ans, dernier usage 2026, 7 mentions, niveau 4 estimé" in first
        assert "Quel tarif journalier ?" in first
        assert f"/candidates/{candidate_id(1)}?need={NEED_ID}" in first
        second = person(text, 2)
        assert "1 sur 2 impératifs" in second
        assert "Manque\u00a0: Apache Kafka" in second
        assert "Habite à Nantes." in person(text, 60)
        assert f'href="/needs/{NEED_ID}"' in text
        full = await page(service, f"{NEED}?full=1")
        assert candidate_id(1) in full
        assert candidate_id(2) not in full


async def test_candidates_stand_side_by_side(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant(locale="en")
        await posted(service)
        await sign_in(service, claire)
        two = f"{NEED}/compare?c={candidate_id(1)}&c={candidate_id(2)}"
        text = await page(service, two)
        assert text.count("54.0 of 60.0") == 2
        assert "Lacks: Apache Kafka" in text
        assert text.count("Which day rate?") == 2
        assert "Tick two or three" in await page(service, f"{NEED}/compare?c={candidate_id(1)}&c=nobody")


async def test_a_candidate_at_work_for_another_need_is_shown_with_the_colleague(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        await posted(service)
        await service.post(need(OTHER, reference="N-OTHER"), shortlist((1, 2), need_id=OTHER))
        await ranked(service, OTHER)
        await sign_in(service, claire)
        await decide(service, "contacted", 1)
        await decide(service, "declined", 2, reason="rate")
        text = await page(service, f"/desk/needs/{OTHER}")
        assert "contacté avec Sample Consultant sur N-2026-0042" in person(text, 1)
        assert "N-2026-0042" not in person(text, 2)
        await decide(service, "undo", 1)
        assert "N-2026-0042" not in person(await page(service, f"/desk/needs/{OTHER}"), 1)


async def test_a_mail_that_could_not_be_delivered_shows(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        hostile = need().contact.model_copy(update={"email": HOSTILE[1]})
        await service.post(need(contact=hostile))

        async def failed() -> bool:
            return any(row.failure for row in await service.store.ledger.rows_about(NEED_ID))

        await until(failed)
        await sign_in(service, claire)
        assert "n’a pas pu être remis" in await page(service)
        assert "mail non remis" in await page(service, "/desk?show=all")


async def test_hostile_text_is_text_everywhere(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        ids = [f"0193b1aa-0000-7000-8000-00000000000{number}" for number in range(len(HOSTILE))]
        for one, text in zip(ids, HOSTILE, strict=True):
            contact = need().contact.model_copy(update={"name": text})
            await service.post(
                need(one, title=text, company=text, reference=text, description=text, contact=contact),
                shortlist(need_id=one),
            )
        await asyncio.gather(*(ranked(service, one) for one in ids))
        await sign_in(service, claire)
        pages = [await page(service, "/desk?show=all")]
        pages += [await page(service, f"/desk/needs/{one}") for one in ids]
        for text in pages:
            assert "<script>alert" not in text
            assert "<img" not in text
            assert '"><a href="javascript' not in text
            assert "\u202e" not in text.replace(HOSTILE[4], "")


async def test_a_closed_need_is_read_only(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        await posted(service)
        await service.publish(NEEDS, need(status=NeedState.WITHDRAWN, revision=101))

        async def closed() -> bool:
            return not (await file(service)).open

        await until(closed)
        await sign_in(service, claire)
        text = await page(service)
        assert "Ce besoin est retiré ou pourvu" in text
        assert 'value="contacted"' not in text
        assert (await decide(service, "contacted", 1)).status_code == 422
        assert "Aucun besoin" in await page(service, "/desk")
        assert (await service.http.get("/desk/needs/unknown")).status_code == 404
        assert (await decide(service, "nonsense")).status_code == 422


async def test_every_form_of_the_desk_has_to_come_from_the_desk(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant(admin=True)
        await posted(service)
        await sign_in(service, claire)
        forms = {
            f"{NEED}/decisions": {"action": "taken"},
            f"{NEED}/candidates": {"candidate": STRANGER},
            "/desk/me": {"delivery": "paused"},
            "/desk/consultants": {"name": "X", "email": "x@agency.test"},
            f"/desk/consultants/{claire.consultant_id}": {"name": "X", "email": "x@agency.test"},
            f"/desk/consultants/{claire.consultant_id}/deactivate": {},
            f"/desk/consultants/{claire.consultant_id}/activate": {},
        }
        before, people = await file(service), await service.store.consultants()
        for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.test"}):
            for path, data in forms.items():
                assert (await service.http.post(path, data=data, headers=headers)).status_code == 403, path
        service.http.cookies.clear()
        for path, data in forms.items():
            answer = await service.http.post(path, data=data, headers=OURS)
            assert answer.headers["location"].startswith("/desk/sign-in"), path
        assert (await file(service), await service.store.consultants()) == (before, people)


async def test_an_unchanged_page_is_not_sent_again(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        await posted(service)
        await service.settled()
        await sign_in(service, claire)
        first = await service.http.get(NEED)
        tag = {"If-None-Match": first.headers["etag"]}
        # "For 3 minutes" changes by itself: at most once here.
        answers = [await service.http.get(NEED, headers=tag) for _ in range(2)]
        assert 304 in [answer.status_code for answer in answers] or answers[0].text != first.text
        await decide(service, "contacted", 1)
        assert (await service.http.get(NEED, headers=tag)).status_code == 200


async def test_with_mongodb_away_the_desk_answers_with_a_page(given: Surroundings) -> None:
    away = dataclasses.replace(given, mongo_client=connect("mongodb://127.0.0.1:1/"))
    async with notifier(given) as service:
        claire = await service.consultant()
        await sign_in(service, claire)
        cookies = service.http.cookies
    async with running(build(away), ready=False) as http:
        http.cookies = cookies
        for answer in (
            await http.get("/desk"),
            await http.post(f"{NEED}/decisions", data={"action": "taken"}, headers=OURS),
        ):
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            assert "ne répond pas" in answer.text

"""What is decided, noted and added on the desk: by whom, once, and what follows."""

import re
from urllib.parse import urlsplit

import httpx

from services.notifier.staff import fields_of
from shared.events.candidate import CANDIDATES
from shared.events.feedback import Decision, DeclineReason
from shared.events.shortlist import SHORTLISTS, Departure
from shared.run import Surroundings
from tests.notifier.desk import (
    NEED,
    OURS,
    STRANGER,
    decide,
    feedback,
    file,
    page,
    person,
    posted,
    ranked,
    sign_in,
)
from tests.notifier.making import NEED_ID, candidate_id, html_of, notifier, shortlist, text_of
from tests.support import until


async def test_a_need_is_taken_over_and_passed_on_from_the_desk(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        amir = await service.consultant("Amir Benali", locale="en")
        await posted(service)
        await sign_in(service, claire)
        taken = await decide(service, "taken")
        assert taken.status_code == 303
        assert "Ce besoin est le vôtre." in await page(service, taken.headers["location"])
        told = await service.mail("client@acme.test", 2)
        assert "Sample Consultant" in text_of(told)
        await decide(service, "passed_on")
        owner = (await file(service)).owner
        assert owner is not None
        assert owner.consultant_id == amir.consultant_id
        events = await feedback(service, 2)
        assert [one.decision for one in events] == [Decision.TAKEN, Decision.PASSED_ON]
        text = await page(service)
        assert "Sample Consultant transmet le besoin" in text
        assert "Confié à Amir Benali" in text


async def test_a_decision_with_its_note_is_one_event_and_the_note_stays_here(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        await posted(service)
        await sign_in(service, claire)
        note = "Trop cher : 900 €\n<script>alert(1)</script>"
        without = await decide(service, "declined", 1, note=note)
        assert without.status_code == 422
        assert "Choisissez une raison pour écarter" in without.text
        assert "Trop cher : 900 €" in without.text, "what was typed is still there"
        for _ in range(2):
            done = await decide(service, "declined", 1, note=note, reason="rate", shortlist="200")
            assert done.status_code == 303
            assert done.headers["location"].endswith(f"#c-{candidate_id(1)}")
        [event] = await feedback(service, 1)
        assert (event.candidate_id, event.reason) == (candidate_id(1), DeclineReason.RATE)
        assert event.shortlist_revision == 200
        assert "cher" not in event.model_dump_json()
        text = person(await page(service), 1)
        assert text.count("Trop cher : 900 €") == 2 - 1
        assert "&lt;script&gt;" in text
        assert "Tarif ou salaire" in text
        [kept] = (await file(service)).notes
        assert (kept.candidate_id, kept.decision) == (candidate_id(1), Decision.DECLINED)
        metrics = (await service.http.get("/metrics")).text
        assert 'decline_reasons_total{reason="rate",service="notifier"} 1.0' in metrics
        assert 'answers_total{answer="declined",place="1-5",service="notifier"} 1.0' in metrics
        assert 'first_answer_seconds_count{service="notifier"} 1.0' in metrics


async def test_a_decision_is_changed_and_undone_and_every_step_is_an_event(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        await posted(service)
        await sign_in(service, claire)
        await decide(service, "declined", 2, reason="skills")
        await decide(service, "contacted", 2)
        assert "contacté" in person(await page(service), 2)
        for _ in range(2):
            assert (await decide(service, "undo", 2)).status_code == 303
        assert (await file(service)).marks == ()
        events = await feedback(service, 3)
        assert [(one.decision, one.undone) for one in events] == [
            (Decision.DECLINED, False),
            (Decision.CONTACTED, False),
            (Decision.CONTACTED, True),
        ]
        text = await page(service)
        assert "Sample Consultant annule\u00a0: candidat 2222 contacté" in text
        metrics = (await service.http.get("/metrics")).text
        assert 'answers_total{answer="declined",place="1-5",service="notifier"} 1.0' in metrics
        assert 'answer="accepted"' not in metrics, "a candidate counts by the first answer"


async def test_once_taken_over_only_the_owner_and_an_administrator_decide(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        amir = await service.consultant("Amir Benali")
        root = await service.consultant("Root", admin=True, practices=())
        await posted(service)
        await sign_in(service, claire)
        await decide(service, "taken")
        await decide(service, "contacted", 3)
        await sign_in(service, amir)
        text = await page(service)
        assert "Sample Consultant s’occupe de ce besoin" in text
        assert 'value="contacted"' not in text
        for action, number in (("contacted", 1), ("taken", None), ("passed_on", None), ("undo", 3)):
            assert (await decide(service, action, number)).status_code == 422, action
        given_away = await decide(service, "assign", to=amir.consultant_id)
        assert given_away.status_code == 403
        assert [mark.candidate_id for mark in (await file(service)).marks] == [candidate_id(3)]
        # Colleagues may leave a word.
        assert (await decide(service, "note", 1, note="Vu en 2024.")).status_code == 303
        await sign_in(service, root)
        assert (await decide(service, "presented", 1)).status_code == 303
        await decide(service, "assign", to=amir.consultant_id)
        owner = (await file(service)).owner
        assert owner is not None
        assert owner.consultant_id == amir.consultant_id
        await service.mail("amir@agency.test")


async def test_a_candidate_is_added_by_hand_and_labelled_so(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        await posted(service)
        await sign_in(service, claire)

        async def add(text: str) -> httpx.Response:
            return await service.http.post(f"{NEED}/candidates", data={"candidate": text}, headers=OURS)

        for bad in ("", "somebody", f"https://x.test/{STRANGER}", "/candidates/../desk"):
            refused = await add(bad)
            assert refused.status_code == 422
            assert "Collez l’adresse" in refused.text
        for text in (STRANGER, f"http://test/candidates/{STRANGER}?need={NEED_ID}#cv"):
            assert (await add(text)).status_code == 303
        [added] = (await file(service)).by_hand
        assert added.candidate_id == STRANGER
        text = await page(service)
        assert "ajouté à la main par Sample Consultant" in text
        assert "Sample Consultant ajoute le candidat CCCC" in text
        data = {"action": "presented", "candidate": STRANGER}
        assert (await service.http.post(f"{NEED}/decisions", data=data, headers=OURS)).status_code == 303
        [event] = await feedback(service, 1)
        assert (event.candidate_id, event.decision) == (STRANGER, Decision.PRESENTED)


async def test_an_erased_candidate_leaves_nothing_on_the_desk(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        await posted(service)
        await sign_in(service, claire)
        await service.http.post(f"{NEED}/candidates", data={"candidate": STRANGER}, headers=OURS)
        await decide(service, "contacted", 1, note="Canary note")
        assert (await decide(service, "note", note="On the need")).status_code == 303
        for one in (candidate_id(1), STRANGER):
            await service.sends.publish_tombstone(CANDIDATES, one, 10**15)

        async def gone() -> bool:
            return not {candidate_id(1), STRANGER} & (await file(service)).candidates

        await until(gone)
        text = await page(service)
        assert "Canary note" not in text
        assert STRANGER not in text
        assert "On the need" in text
        assert "candidat effacé contacté" in text
        again = await service.http.post(f"{NEED}/candidates", data={"candidate": STRANGER}, headers=OURS)
        assert again.status_code == 422


async def test_after_the_store_was_lost_the_desk_knows_who_decided_what(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        await posted(service)
        await sign_in(service, claire)
        await decide(service, "contacted", 1)
        await decide(service, "undo", 1)
        await decide(service, "declined", 2, reason="rate")
        await feedback(service, 3)
        await service.settled()
        for name in await service.store.mongo.database.list_collection_names():
            if name != "consultants":
                await service.store.mongo.collection(name).delete_many({})
    async with notifier(given) as service:
        await ranked(service)
        await sign_in(service, claire)
        text = await page(service)
        assert "candidat 2222 écarté" in text
        assert "Tarif ou salaire" in person(text, 2)
        assert "annule" in text
        assert "contacté par" not in person(text, 1).casefold()
        assert len(await feedback(service, 3)) == 3


async def test_who_was_declined_does_not_come_back_as_new(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        await posted(service)
        await sign_in(service, claire)
        await decide(service, "declined", 1, reason="availability")
        left = (Departure(candidate_id=candidate_id(3), why="outranked"),)
        await service.publish(
            SHORTLISTS, shortlist((1, 2, 4), revision=201, entered=(candidate_id(4),), left=left)
        )
        newer = await service.mail("sample@agency.test", 2)
        assert "Candidat 1111" not in text_of(newer)
        text = await page(service)
        assert 'class="card person declined"' in person(text, 1)
        assert ">nouveau<" in person(text, 4)
        assert ">nouveau<" not in person(text, 1)
        assert "d’autres sont mieux placés" in text


async def test_whoever_is_deactivated_acts_neither_by_session_nor_by_an_old_mail(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        await posted(service)
        await sign_in(service, claire)
        found = re.search(r'href="(http[^"]+/mail/act/[^"]+)"', html_of(await service.mail(claire.email)))
        assert found is not None
        link = urlsplit(found[1]).path
        assert (await service.http.get(link)).status_code == 200
        await service.store.change_consultant(claire, fields_of(claire), active=False)
        assert (await service.http.post(link, data={"action": "taken"})).status_code == 403
        assert (await decide(service, "taken")).headers["location"].startswith("/desk/sign-in")
        now = await file(service)
        assert now.owner is None or now.owner.taken_at is None

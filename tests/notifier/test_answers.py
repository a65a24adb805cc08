"""Links in mails: opening one changes nothing, confirming counts once, and what was decided is an event."""

import dataclasses
import re
from datetime import timedelta
from urllib.parse import urlsplit

from services.notifier.actions import PURPOSE, Permit, issue
from services.notifier.app import build
from services.notifier.domain import AGENCY, NeedFile, assigned, with_shortlist
from shared.embedded import CaughtMail
from shared.events.feedback import FEEDBACK, Decision, DeclineReason, Feedback
from shared.events.need import NEEDS, NeedState
from shared.events.shortlist import SHORTLISTS
from shared.mongo import connect
from shared.run import Surroundings
from tests.notifier.making import (
    NEED_ID,
    Running,
    candidate_id,
    html_of,
    need,
    notifier,
    shortlist,
    text_of,
)
from tests.support import now, records, running, until


def links(mail: CaughtMail) -> dict[str, list[str]]:
    """Path by the words on the button."""
    found: dict[str, list[str]] = {}
    for url, words in re.findall(r'href="([^"]+/mail/act/[^"]+)"[^>]*>([^<]+)</a>', html_of(mail)):
        found.setdefault(words, []).append(urlsplit(url).path)
    return found


async def feedback(service: Running) -> list[Feedback]:
    return [one.event for one in await records(service.given.kafka_bootstrap, FEEDBACK) if one.event]


async def feedback_of(service: Running, number: int) -> list[Feedback]:
    async def there() -> list[Feedback] | None:
        found = await feedback(service)
        return found if len(found) >= number else None

    found: list[Feedback] = await until(there)
    assert len(found) == number
    return found


async def test_no_link_of_a_mail_changes_anything_when_it_is_opened(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.consultant()
        await service.post()
        mail = await service.mail("sample@agency.test")
        await service.settled()
        before = await service.store.file(NEED_ID)
        paths = [path for some in links(mail).values() for path in some]
        paths += re.findall(r"http://[^/]+(/mail/act/\S+)", text_of(mail))
        assert len(paths) == 3 * 5 + 2 + 3 + 2
        for path in paths:
            for _ in range(2):
                page = await service.http.get(path)
                assert page.status_code == 200
                assert "form-action 'self'" in page.headers["content-security-policy"]
                assert page.headers["referrer-policy"] == "no-referrer"
                assert '<form method="post">' in page.text
        assert await service.store.file(NEED_ID) == before
        assert await feedback(service) == []


async def test_taking_a_need_over_tells_the_client_by_whom_and_is_published_once(
    given: Surroundings,
) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        await service.post()
        path = links(await service.mail("sample@agency.test"))["Je prends ce besoin"][0]
        for _ in range(3):
            done = await service.http.post(path, data={"action": "taken"})
            assert done.status_code == 200
            assert "Ce besoin est le vôtre" in done.text
        told = await service.mail("client@acme.test", 2)
        assert "Sample Consultant" in text_of(told)
        assert "+33 6 00 00 00 01" in text_of(told)
        assert told.message["Reply-To"] == "sample@agency.test"
        [taken] = await feedback_of(service, 1)
        assert (taken.decision, taken.consultant.consultant_id) == (Decision.TAKEN, claire.consultant_id)
        assert taken.consultant.phone == "+33 6 00 00 00 01"
        await service.settled()
        assert len(service.mails("client@acme.test")) == 2
        metrics = (await service.http.get("/metrics")).text
        assert 'decisions_total{decision="taken",service="notifier"} 1.0' in metrics


async def test_each_decision_about_a_candidate_is_published_once(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.consultant()
        await service.post()
        buttons = links(await service.mail("sample@agency.test"))
        wanted = {
            "Retenir": Decision.ACCEPTED,
            "Contacté": Decision.CONTACTED,
            "Présenté": Decision.PRESENTED,
            "Placé": Decision.PLACED,
        }
        for words, decision in wanted.items():
            for _ in range(2):
                done = await service.http.post(buttons[words][1], data={"action": decision.value})
                assert done.status_code == 200, done.text
        events = await feedback_of(service, 4)
        assert {event.decision for event in events} == set(wanted.values())
        assert {event.candidate_id for event in events} == {candidate_id(2)}
        assert {(event.shortlist_revision, event.need_id) for event in events} == {(200, NEED_ID)}


async def test_declining_asks_for_a_reason_and_the_candidate_does_not_come_back_as_new(
    given: Surroundings,
) -> None:
    async with notifier(given) as service:
        await service.consultant()
        await service.post()
        path = links(await service.mail("sample@agency.test"))["Écarter"][0]
        for reason in ("", "ugly"):
            again = await service.http.post(path, data={"action": "declined", "reason": reason})
            assert again.status_code == 422
            assert "Choisissez une raison" in again.text
        assert (await service.http.post(path, data={"action": "declined", "reason": "rate"})).is_success
        [event] = await feedback_of(service, 1)
        assert (event.candidate_id, event.reason) == (candidate_id(1), DeclineReason.RATE)
        await service.publish(SHORTLISTS, shortlist((1, 2, 3), revision=201))
        await service.publish(SHORTLISTS, shortlist((1, 2, 3, 4), revision=202))
        newer = await service.mail("sample@agency.test", 2)
        assert "Candidat 1111" not in text_of(newer)
        assert "Candidat 2222" in text_of(newer)


async def test_passing_on_gives_the_newest_shortlist_to_the_next_and_in_the_end_to_the_agency(
    given: Surroundings,
) -> None:
    async with notifier(given) as service:
        first = await service.consultant()
        second = await service.consultant("Amir Benali", locale="en")
        await service.post()
        mail = await service.mail("sample@agency.test")
        path = links(mail)["Transmettre"][0]
        done = await service.http.post(path, data={"action": "passed_on"})
        assert "Amir Benali" in done.text
        passed = await service.mail("amir@agency.test")
        assert "Candidate 1111" in text_of(passed)
        # The former owner's links: passed on is passed on.
        again = await service.http.post(path, data={"action": "passed_on"})
        assert again.status_code == 409
        await service.http.post(links(passed)["Pass it on"][0], data={"action": "passed_on"})
        orphan = await service.mail(given.settings.agency_email)
        events = await feedback_of(service, 2)
        assert [event.decision for event in events] == [Decision.PASSED_ON] * 2
        # The agency gives it back to somebody by hand.
        path = links(orphan)["Confier à un consultant"][0]
        page = await service.http.get(path)
        assert first.consultant_id in page.text
        assert second.consultant_id in page.text
        assert (await service.http.post(path, data={"action": "assign", "consultant": "nobody"})).is_error
        given_to = {"action": "assign", "consultant": second.consultant_id}
        assert "Amir Benali" in (await service.http.post(path, data=given_to)).text
        file = await service.store.file(NEED_ID)
        assert file.owner is not None
        assert file.owner.consultant_id == second.consultant_id


async def test_a_need_that_is_handed_back_is_mailed_each_time_and_once(given: Surroundings) -> None:
    async with notifier(given) as service:
        agency = given.settings.agency_email
        # Fits nobody by itself: each turn is somebody's decision.
        amir = await service.consultant("Amir Benali", locale="en", regions=("BE",))
        await service.post()
        for turn in (1, 2, 3):
            orphan = links(await service.mail(agency, turn))["Confier à un consultant"][0]
            given_to = {"action": "assign", "consultant": amir.consultant_id}
            for _ in range(2):
                assert "Amir Benali" in (await service.http.post(orphan, data=given_to)).text
            mine = links(await service.mail("amir@agency.test", turn))["Pass it on"][0]
            assert (await service.http.post(mine, data={"action": "passed_on"})).is_success
        await service.mail(agency, 4)
        # Handed out again, and carried out again as after a crash: no further mail.
        file = await service.store.file(NEED_ID)
        await service.post()
        await service.post(need("other-need"), shortlist(need_id="other-need"))
        await service.mail(agency, 5)
        await service.settled()
        assert (len(service.mails(agency)), len(service.mails("amir@agency.test"))) == (5, 3)
        assert (await service.store.file(NEED_ID)).announced == file.announced
        ids = {str(mail.message["Message-ID"]) for mail in service.mails()}
        assert len(ids) == len(service.mails())
        rows = [row for row in await service.store.ledger.rows_about(NEED_ID) if row.kind == "shortlist"]
        assert len(rows) == 7
        assert all(row.subject_revision >= 200 for row in rows)


async def test_with_mongodb_away_a_link_answers_with_a_page_and_not_with_json(given: Surroundings) -> None:
    away = dataclasses.replace(given, mongo_client=connect("mongodb://127.0.0.1:1/"))
    permit = Permit("somebody", NEED_ID, ("taken",))
    path = "/mail/act/" + issue(given.tokens, permit, now(), timedelta(days=1))
    async with running(build(away), ready=False) as http:
        asked = await http.get(path)
        confirmed = await http.post(path + "?lang=en", data={"action": "taken"})
        for page in (asked, confirmed):
            assert page.status_code == 503
            assert int(page.headers["retry-after"]) > 0
            assert page.headers["content-type"].startswith("text/html")
            assert page.headers["referrer-policy"] == "no-referrer"
        assert "Rien n’a été modifié" in asked.text
        assert "Nothing was changed" in confirmed.text
        assert (await http.get("/mail")).status_code == 200


async def test_an_outage_amid_an_answer_does_not_claim_that_nothing_changed(given: Surroundings) -> None:
    async with notifier(given, catalogue=False) as service:
        claire = await service.consultant()
        await service.publish(NEEDS, need())
        await service.mail("client@acme.test")
        permit = Permit(claire.consultant_id, NEED_ID, ("passed_on",))

        def mine(file: NeedFile) -> NeedFile:
            return with_shortlist(assigned(file, claire.consultant_id, now()), shortlist(), 200)

        before = await service.store.file(NEED_ID)
        assert await service.store.save(before, mine(before)) is not None
        path = "/mail/act/" + issue(given.tokens, permit, now(), timedelta(days=1)) + "?lang=en"
        # Passed on, but the next owner cannot be chosen without a catalogue.
        page = await service.http.post(path, data={"action": "passed_on"})
        assert page.status_code == 503
        assert int(page.headers["retry-after"]) > 0
        assert "Nothing was changed" not in page.text
        assert "does not count twice" in page.text
        assert [event.decision for event in await feedback_of(service, 1)] == [Decision.PASSED_ON]


async def test_only_one_of_two_takes_a_need_over(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.consultant()
        await service.consultant("Amir Benali", locale="en")
        await service.post()
        claires = links(await service.mail("sample@agency.test"))
        await service.http.post(claires["Transmettre"][0], data={"action": "passed_on"})
        amirs = links(await service.mail("amir@agency.test"))
        taken = await service.http.post(amirs["Take this need over"][0], data={"action": "taken"})
        assert taken.status_code == 200
        late = await service.http.post(claires["Je prends ce besoin"][0], data={"action": "taken"})
        assert late.status_code == 409
        assert "Amir Benali s’occupe de ce besoin" in late.text
        beside = await service.http.post(claires["Retenir"][0], data={"action": "accepted"})
        assert beside.status_code == 409


async def test_the_links_of_a_closed_need_say_so(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.consultant()
        await service.post()
        path = links(await service.mail("sample@agency.test"))["Retenir"][0]
        await service.publish(NEEDS, need(status=NeedState.WITHDRAWN, revision=101))

        async def closed() -> bool:
            return not (await service.store.file(NEED_ID)).open

        await until(closed)
        assert (await service.http.get(path)).status_code == 409
        assert (await service.http.post(path, data={"action": "accepted"})).status_code == 409


async def test_a_link_does_only_what_it_was_made_for(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        await service.post()
        path = links(await service.mail("sample@agency.test"))["Retenir"][0]
        for action in ("placed", "taken", "assign", "nonsense", ""):
            answer = await service.http.post(path, data={"action": action})
            assert answer.status_code == 422
        tokens = given.tokens
        lifetime = timedelta(days=30)
        bad = [
            path + "x",
            "/mail/act/nonsense",
            "/mail/act/" + tokens.issue("api-key", claire.consultant_id, lifetime=lifetime),
            "/mail/act/" + tokens.issue(PURPOSE, claire.consultant_id, lifetime=lifetime),
            "/mail/act/" + issue(tokens, Permit("nobody", NEED_ID, ("taken",)), now(), lifetime),
            "/mail/act/"
            + issue(
                tokens,
                Permit(claire.consultant_id, NEED_ID, ("taken",)),
                now() - timedelta(days=31),
                lifetime,
            ),
        ]
        for one in bad:
            assert (await service.http.get(one)).status_code == 403
            assert (await service.http.post(one, data={"action": "taken"})).status_code == 403
        assert await feedback(service) == []


async def test_a_need_that_is_not_known_answers_that_it_is_closed(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        for permit in (
            Permit(claire.consultant_id, "unknown", ("taken",)),
            Permit(AGENCY, "unknown", ("assign",)),
        ):
            path = "/mail/act/" + issue(given.tokens, permit, now(), timedelta(days=1))
            assert (await service.http.get(path)).status_code == 409
            data = {"action": permit.actions[0], "consultant": claire.consultant_id}
            assert (await service.http.post(path, data=data)).status_code == 409

"""Being handed everything again, erasures, letters, and a store or a topic that was emptied."""

from datetime import UTC, datetime

from services.notifier.letterhead import RowState
from shared.events.candidate import CANDIDATES, Candidate
from shared.events.erasure import ERASURES, Erasure, Subject
from shared.events.letter import LETTERS, Letter
from shared.events.need import NEEDS
from shared.events.shortlist import SHORTLISTS
from shared.run import Surroundings
from tests.notifier.making import (
    HOSTILE,
    NEED_ID,
    WHEN,
    Running,
    candidate_id,
    html_of,
    need,
    notifier,
    publish_catalogue,
    shortlist,
    text_of,
)
from tests.notifier.test_answers import links
from tests.support import embedded_surroundings, raw_records, records, until

DEAD = "notifier.dead.v1"


def letter(**changes: object) -> Letter:
    fields: dict[str, object] = {
        "letter_id": "letter-1",
        "template": "links",
        "locale": "en",
        "to_email": "paul@acme.test",
        "arguments": {"N-2026-0042": "http://localhost:8000/needs/1?t=abc&lang=en"},
        "revision": 1,
        "occurred_at": WHEN,
    }
    return Letter.model_validate(fields | changes)


async def test_redelivery_of_every_topic_from_the_beginning_sends_no_second_mail(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.consultant()
        await service.post()
        await service.publish(SHORTLISTS, shortlist((1, 2, 3, 4), revision=201))
        await service.publish(LETTERS, letter())
        await service.mail("claire@agency.test")
        await until(lambda: service.mails("paul@acme.test", "Following"))
        await service.settled()
        before = sorted(str(mail.message["Message-ID"]) for mail in service.mails())
    # Another Kafka with the same records, and groups that have committed nothing.
    async with (
        embedded_surroundings(mongo_client=given.mongo_client, smtp=given.mailbox) as again,
        notifier(again) as service,
    ):
        await service.post()
        await service.publish(SHORTLISTS, shortlist((1, 2, 3, 4), revision=201))
        await service.publish(LETTERS, letter())
        await service.post(need("a-new-need"), shortlist(need_id="a-new-need"))
        await until(lambda: len(service.mails()) >= len(before) + 2)
        await service.settled()
        after = sorted(str(mail.message["Message-ID"]) for mail in service.mails())
        assert len(after) == len(before) + 2
        assert set(before) < set(after)


async def test_a_store_that_was_emptied_behind_full_topics_sends_no_second_mail(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.post()
        await service.mail("paul@acme.test")
        await service.mail(given.settings.agency_email)
        await service.settled()

        async def published() -> bool:
            waiting = service.store.mongo.collection("ledger")
            return await waiting.count_documents({"unpublished": True}) == 0

        await until(published)
    await given.mongo_client.drop_database("recruitment_notifier")
    async with notifier(given) as service:
        file = await service.store.file(NEED_ID)
        assert file.need == need()
        assert file.shortlist is not None
        await service.settled()
        assert len(service.mails()) == 2


async def test_a_ledger_behind_an_emptied_topic_goes_on_where_it_was(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.consultant()
        await service.post()
        await service.mail("claire@agency.test")
        await service.settled()
    async with (
        embedded_surroundings(mongo_client=given.mongo_client, smtp=given.mailbox) as emptied,
        notifier(emptied) as service,
    ):
        await service.publish(SHORTLISTS, shortlist((1, 2, 3, 4), revision=201))
        await service.mail("claire@agency.test", 2)
        await service.settled()
        assert len(service.mails()) == 3


async def test_an_erased_candidate_is_dropped_confirmed_and_not_brought_back(given: Surroundings) -> None:
    erased = candidate_id(2)
    async with notifier(given) as service:
        await service.consultant()
        await service.post()
        path = links(await service.mail("claire@agency.test"))["Retenir"][1]
        await service.sends.publish_tombstone(CANDIDATES, erased, 900)
        confirmation = await confirmed(service, erased)
        assert (confirmation.subject, confirmation.revision) == (Subject.CANDIDATE, 900)
        assert confirmation.service == "notifier"
        assert erased not in str(await service.store.mongo.collection("needs").find_one({"_id": NEED_ID}))
        assert (await service.http.post(path, data={"action": "accepted"})).status_code == 409
        # A shortlist from before the erasure comes late.
        await service.publish(SHORTLISTS, shortlist((1, 2, 3, 4), revision=201))
        newer = await service.mail("claire@agency.test", 2)
        assert "Candidat 2222" not in text_of(newer)
        assert "Candidat 4444" in text_of(newer)


async def test_an_erased_need_leaves_nothing_of_the_client(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.consultant()
        await service.post()
        await service.mail("claire@agency.test")
        await service.sends.publish_tombstone(NEEDS, NEED_ID, 900)
        assert (await confirmed(service, NEED_ID)).subject is Subject.NEED
        for name in ("needs", "ledger", "erasures", "feedback", "letters"):
            async for document in service.store.mongo.collection(name).find({}):
                assert "acme" not in str(document).lower()
        # A late record revives nobody.
        await service.post(need(revision=800), shortlist(revision=800))
        await service.post(need("other-need"), shortlist(need_id="other-need"))
        await service.mail("claire@agency.test", 2)
        assert (await service.store.file(NEED_ID)).need is None


async def confirmed(service: Running, subject_id: str) -> Erasure:
    async def there() -> Erasure | None:
        found = [one.event for one in await records(service.given.kafka_bootstrap, ERASURES)]
        return next((one for one in found if one and one.subject_id == subject_id), None)

    found: Erasure = await until(there)
    return found


async def test_a_live_candidate_is_no_business_of_ours(given: Surroundings) -> None:
    async with notifier(given) as service:
        candidate = Candidate(candidate_id="c-1", revision=1, occurred_at=datetime.now(UTC))
        await service.publish(CANDIDATES, candidate)
        await service.publish(NEEDS, need())
        await service.mail("paul@acme.test")
        assert await raw_records(given.kafka_bootstrap, DEAD) == []


async def test_a_letter_is_sent_once_and_its_address_forgotten(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.publish(LETTERS, letter())
        await service.publish(LETTERS, letter())
        mail = await service.mail("paul@acme.test")
        assert "Following your needs" in str(mail.message["Subject"])
        assert 'href="http://localhost:8000/needs/1?t=abc&amp;lang=en"' in html_of(mail)
        await service.settled()

        async def forgotten() -> bool:
            return await service.store.letter("letter-1") is None

        await until(forgotten)
        assert len(service.mails()) == 1
        rows = await service.store.rows_about("letter-1")
        assert [row.state for row in rows] == [RowState.SENT]


async def test_a_letter_that_cannot_be_written_is_a_dead_letter(given: Surroundings) -> None:
    bad: list[dict[str, object]] = [
        {"template": "newsletter"},
        {"arguments": {}},
        {"arguments": {"click": "javascript:alert(1)"}},
        {"arguments": {"click": "https://evil.test/needs/1"}},
    ]
    bad += [{"to_email": hostile} for hostile in HOSTILE]
    async with notifier(given) as service:
        for number, changes in enumerate(bad):
            await service.publish(LETTERS, letter(letter_id=f"letter-{number}", **changes))

        async def buried() -> bool:
            dead = await raw_records(given.kafka_bootstrap, DEAD)
            reasons = [dict(record.headers)["dead_reason"] for record in dead]
            return len(reasons) == len(bad) and all(why.startswith(b"refused: ") for why in reasons)

        await until(buried)
        assert service.mails() == []


async def test_a_shortlist_waits_for_the_catalogue_and_the_acknowledgement_does_not(
    given: Surroundings,
) -> None:
    async with notifier(given, catalogue=False) as service:
        await service.consultant()
        await service.publish(SHORTLISTS, shortlist())
        await until(lambda: service.store.needs_with(candidate_id(1)))
        await service.publish(NEEDS, need())
        await service.mail("paul@acme.test")
        await until(lambda: "topic intake.needs.v1" in service.app.state.service.missing())
        assert service.mails("claire") == []
        await publish_catalogue(service.sends)
        await service.mail("claire@agency.test")
        assert await raw_records(given.kafka_bootstrap, DEAD) == []

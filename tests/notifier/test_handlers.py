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
    store_of,
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
        "to_email": "client@acme.test",
        "arguments": {"N-2026-0042": "http://localhost:8000/needs/1?t=abc&lang=en"},
        "revision": 1,
        "occurred_at": WHEN,
    }
    return Letter.model_validate(fields | changes)


async def knows_shortlist(service: Running, revision: int) -> bool:
    return (await service.store.file(NEED_ID)).shortlist_revision >= revision


async def test_redelivery_of_every_topic_from_the_beginning_sends_no_second_mail(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.consultant()
        await service.post()
        await service.publish(SHORTLISTS, shortlist((1, 2, 3, 4), revision=201))
        await service.publish(LETTERS, letter())
        await service.mail("sample@agency.test")
        await until(lambda: service.mails("client@acme.test", "Following"))
        # The two shortlists may come in one mail or in two.
        await until(lambda: knows_shortlist(service, 201))
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
        await service.mail("client@acme.test")
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


async def test_a_need_is_handed_back_with_a_mail_after_the_ledger_was_lost_too(given: Surroundings) -> None:
    agency = given.settings.agency_email
    async with notifier(given) as service:
        amir = await service.consultant("Amir Benali", locale="en", regions=("BE",))
        given_to = {"action": "assign", "consultant": amir.consultant_id}
        await service.post()
        orphan = links(await service.mail(agency))["Confier à un consultant"][0]
        await service.http.post(orphan, data=given_to)
        mine = links(await service.mail("amir@agency.test"))["Pass it on"][0]
        await service.http.post(mine, data={"action": "passed_on"})
        await service.mail(agency, 2)
        await service.settled()

        async def published() -> bool:
            outboxes = [service.store.mongo.collection(name) for name in ("ledger", "feedback")]
            return not any([await one.count_documents({"unpublished": True}) for one in outboxes])

        await until(published)
        for name in ("needs", "ledger", "marks"):
            await service.store.mongo.collection(name).drop()
    async with notifier(given) as service:
        await service.settled()
        assert (len(service.mails(agency)), len(service.mails("amir@agency.test"))) == (2, 1)
        await service.http.post(orphan, data=given_to)
        await service.mail("amir@agency.test", 2)


async def test_a_ledger_behind_an_emptied_topic_goes_on_where_it_was(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.consultant()
        await service.post()
        await service.mail("sample@agency.test")
        await service.settled()
    async with (
        embedded_surroundings(mongo_client=given.mongo_client, smtp=given.mailbox) as emptied,
        notifier(emptied) as service,
    ):
        await service.publish(SHORTLISTS, shortlist((1, 2, 3, 4), revision=201))
        await service.mail("sample@agency.test", 2)
        await service.settled()
        assert len(service.mails()) == 3


async def test_an_erased_candidate_is_dropped_confirmed_and_not_brought_back(given: Surroundings) -> None:
    erased = candidate_id(2)
    async with notifier(given) as service:
        await service.consultant()
        await service.post()
        path = links(await service.mail("sample@agency.test"))["Retenir"][1]
        await service.sends.publish_tombstone(CANDIDATES, erased, 900)
        confirmation = await confirmed(service, erased)
        assert (confirmation.subject, confirmation.revision) == (Subject.CANDIDATE, 900)
        assert confirmation.service == "notifier"
        assert erased not in str(await service.store.mongo.collection("needs").find_one({"_id": NEED_ID}))
        assert (await service.http.post(path, data={"action": "accepted"})).status_code == 409
        # A shortlist from before the erasure comes late.
        await service.publish(SHORTLISTS, shortlist((1, 2, 3, 4), revision=201))
        newer = await service.mail("sample@agency.test", 2)
        assert "Candidat 2222" not in text_of(newer)
        assert "Candidat 4444" in text_of(newer)


async def test_an_erased_need_leaves_nothing_of_the_client(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.consultant()
        await service.post()
        await service.mail("sample@agency.test")
        await service.sends.publish_tombstone(NEEDS, NEED_ID, 900)
        assert (await confirmed(service, NEED_ID)).subject is Subject.NEED
        for name in ("needs", "ledger", "erasures", "feedback", "letters"):
            async for document in service.store.mongo.collection(name).find({}):
                assert "acme" not in str(document).lower()
        # A late record revives nobody.
        await service.post(need(revision=800), shortlist(revision=800))
        await service.post(need("other-need"), shortlist(need_id="other-need"))
        await service.mail("sample@agency.test", 2)
        assert (await service.store.file(NEED_ID)).need is None


async def test_a_candidate_whose_legal_basis_was_renewed_is_mailed_again_and_can_be_erased_again(
    given: Surroundings,
) -> None:
    back = candidate_id(2)
    async with notifier(given) as service:
        await service.consultant()
        await service.post()
        await service.mail("sample@agency.test")
        await service.sends.publish_tombstone(CANDIDATES, back, 900)
        assert (await confirmed(service, back)).revision == 900
        # A live state from before the erasure brings nobody back.
        for revision in (850, 950):
            live = Candidate(candidate_id=back, revision=revision, occurred_at=WHEN)
            await service.publish(CANDIDATES, live)

        async def lifted() -> bool:
            return not await service.store.erased_among([back])

        await until(lifted)
        await service.publish(SHORTLISTS, shortlist((1, 2, 3, 4), revision=201))
        assert "Candidat 2222" in text_of(await service.mail("sample@agency.test", 2))
        await service.sends.publish_tombstone(CANDIDATES, back, 960)
        assert (await confirmed(service, back, 960)).subject is Subject.CANDIDATE
        assert back not in str(await service.store.mongo.collection("needs").find_one({"_id": NEED_ID}))
        assert await service.store.erased_among([back]) == {back}


async def test_an_erasure_and_its_lifting_count_by_revision_in_whichever_order_they_come(
    given: Surroundings,
) -> None:
    store = store_of(given)
    assert await store.note_erasure("c-1", Subject.CANDIDATE, 900)
    # Not carried out to the end, and handed out again.
    assert await store.note_erasure("c-1", Subject.CANDIDATE, 900)
    for revision in (899, 900):
        await store.lift_erasure("c-1", revision)
        assert await store.erased_among(["c-1", "c-2"]) == {"c-1"}
    for revision in (950, 901, 950):
        await store.lift_erasure("c-1", revision)
        assert await store.erased_among(["c-1"]) == set()
    for late in (880, 900, 949):
        assert not await store.note_erasure("c-1", Subject.CANDIDATE, late)
        assert await store.erased_among(["c-1"]) == set()
    assert await store.note_erasure("c-1", Subject.CANDIDATE, 960)
    assert not await store.note_erasure("c-1", Subject.CANDIDATE, 900)
    assert await store.erased_among(["c-1"]) == {"c-1"}


async def test_each_newer_tombstone_is_confirmed_and_a_repeated_one_is_not(given: Surroundings) -> None:
    async with notifier(given) as service:
        for revision in (900, 960, 960, 900, 970):
            await service.sends.publish_tombstone(CANDIDATES, "c-1", revision)
        await confirmed(service, "c-1", 970)
        found = await records(given.kafka_bootstrap, ERASURES)
        revisions = [record.revision for record in found]
        # What is overtaken before it is published need not be confirmed.
        assert revisions == sorted(set(revisions))


async def confirmed(service: Running, subject_id: str, revision: int = 0) -> Erasure:
    async def there() -> Erasure | None:
        found = [one.event for one in await records(service.given.kafka_bootstrap, ERASURES)]
        mine = (one for one in found if one and one.subject_id == subject_id)
        return next((one for one in mine if one.revision >= revision), None)

    found: Erasure = await until(there)
    return found


async def test_a_live_candidate_is_no_business_of_ours(given: Surroundings) -> None:
    async with notifier(given) as service:
        candidate = Candidate(candidate_id="c-1", revision=1, occurred_at=datetime.now(UTC))
        await service.publish(CANDIDATES, candidate)
        await service.publish(NEEDS, need())
        await service.mail("client@acme.test")
        assert await raw_records(given.kafka_bootstrap, DEAD) == []


async def test_a_letter_is_sent_once_and_its_address_forgotten(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.publish(LETTERS, letter())
        await service.publish(LETTERS, letter())
        mail = await service.mail("client@acme.test")
        assert "Following your needs" in str(mail.message["Subject"])
        assert 'href="http://localhost:8000/needs/1?t=abc&amp;lang=en"' in html_of(mail)
        await service.settled()

        async def forgotten() -> bool:
            return await service.store.ledger.letter("letter-1") is None

        await until(forgotten)
        assert len(service.mails()) == 1
        rows = await service.store.ledger.rows_about("letter-1")
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
        await service.mail("client@acme.test")
        await until(lambda: "topic intake.needs.v1" in service.app.state.service.missing())
        assert service.mails("sample") == []
        await publish_catalogue(service.sends)
        await service.mail("sample@agency.test")
        assert await raw_records(given.kafka_bootstrap, DEAD) == []

"""What the mails say, in both languages; golden files in golden/, and what hostile values do not achieve.

To write the golden files anew after an intended change: WRITE_GOLDEN=1 pytest tests/notifier/test_mailer.py
"""

import email
import email.policy
import os
import re
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from services.notifier.actions import read as read_permit
from services.notifier.consultants import Consultant
from services.notifier.digests import Digests, Item
from services.notifier.domain import (
    CLIENT,
    Announced,
    NeedFile,
    Owner,
    announce,
    assigned,
    with_need,
    with_shortlist,
)
from services.notifier.envelope import Mail
from services.notifier.letterhead import (
    DIGEST,
    LETTER,
    LedgerRow,
    NotSent,
    RowState,
    message_id,
    row_id,
    thread_id,
)
from services.notifier.letters import FORMS, check
from services.notifier.mailer import Mailer
from services.notifier.settings import NotifierSettings
from services.notifier.store import Store
from shared.catalogue import Catalogue
from shared.embedded import embedded_mongo
from shared.events.delivery import DeliveryKind
from shared.events.letter import Letter
from shared.events.need import AskedSkill, Contact, Need, NeedState
from shared.events.shortlist import Departure, Gap, Outcome, Shortlist
from shared.events.vocabulary import Locale, Location
from shared.kafka import Kafka
from shared.metrics import Metrics
from shared.mongo import Mongo
from shared.outage import Refused
from shared.settings import Settings
from shared.tokens import Tokens
from tests.notifier.making import (
    CATALOGUE_ROLES,
    CATALOGUE_SKILLS,
    HOSTILE,
    NEED_ID,
    TO_ENTER,
    WHEN,
    candidate_id,
    consultant,
    entry,
    need,
    shortlist,
    text,
)

GOLDEN = Path(__file__).parent / "golden"
HEADERS = [
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "References", "In-Reply-To", "Auto-Submitted",
    "MIME-Version", "Content-Type",
]  # fmt: skip
KINDS = ["shortlist", "no_match", "digest", "acknowledgement", "taken", "filled", "links", *FORMS]
PAUSE = ["List-Unsubscribe", "List-Unsubscribe-Post"]
SECRET = "a-secret-of-the-tests-that-is-long-enough"


@pytest.fixture(scope="module")
def mailer() -> Mailer:
    metrics = Metrics()
    mongo = Mongo(embedded_mongo(), "recruitment", "notifier", metrics)
    store = Store(mongo, Kafka("localhost:9", "notifier", metrics))
    catalogue = Catalogue("notifier", Metrics())
    catalogue.use(
        {one.role_id: one for one in CATALOGUE_ROLES}, {one.skill_id: one for one in CATALOGUE_SKILLS}, "1"
    )
    configured: dict[str, Any] = {"_env_file": None, "public_url": "https://jobs.example"}
    own = NotifierSettings()
    digests = Digests(store, own.hours(), "example.com")
    return Mailer(store, catalogue, Settings(**configured), own, Tokens([SECRET]), digests)


def row(recipient: str, kind: str, *, news: tuple[str, ...] = (), revision: int = 200) -> LedgerRow:
    made = row_id(recipient, kind, NEED_ID, revision)
    return LedgerRow(
        row_id=made,
        recipient=recipient,
        kind=kind,
        subject=NEED_ID,
        subject_revision=revision,
        state=RowState.SENDING,
        revision=1,
        message_id=message_id(made, "example.com"),
        thread=thread_id(NEED_ID, "example.com"),
        created_at=WHEN,
        next_try_at=WHEN,
        news=news,
    )


def person(locale: Locale = Locale.FR, **changes: Any) -> Consultant:
    fields = consultant(locale=locale).model_dump() | changes
    return Consultant(**fields, consultant_id="0193b1aa-2222-7000-8000-000000000001", revision=1)


def file_of(asked: Need, listed: Shortlist | None = None) -> NeedFile:
    file = with_need(NeedFile(need_id=asked.need_id), asked, WHEN)
    if listed is not None:
        file = with_shortlist(file, listed, listed.revision)
    return announce(assigned(file, person().consultant_id, WHEN), WHEN, timedelta(0))


def read(mail: Mail | None) -> EmailMessage:
    assert mail is not None
    parsed = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def part(mail: Mail | None, subtype: str) -> str:
    body = read(mail).get_body((subtype,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def shortlist_mail(mailer: Mailer, locale: Locale, asked: Need, listed: Shortlist) -> Mail | None:
    kind = DeliveryKind.NO_MATCH if listed.outcome is Outcome.NO_MATCH else DeliveryKind.SHORTLIST
    sent = row(person().consultant_id, kind, revision=199).model_copy(update={"state": RowState.SENT})
    this = row(person().consultant_id, kind, news=(candidate_id(2),))
    this = this.model_copy(update={"gone": (candidate_id(4), candidate_id(5))})
    return mailer.to_reader(this, lost_two(file_of(asked, listed)), person(locale), [sent, this])


def lost_two(file: NeedFile) -> NeedFile:
    """As it is when two of those in the last mail are listed no more."""
    assert file.announced is not None
    told = file.announced.model_copy(
        update={"candidates": (*file.announced.candidates, candidate_id(4), candidate_id(5))}
    )
    left = (
        Departure(candidate_id=candidate_id(4), why="outranked"),
        Departure(candidate_id=candidate_id(5), why="placed"),
    )
    return file.model_copy(update={"announced": told, "departed": left})


def client_mail(mailer: Mailer, kind: DeliveryKind, asked: Need) -> Mail | None:
    file = file_of(asked)
    taken = Owner(consultant_id=person().consultant_id, since=WHEN, taken_at=WHEN)
    file = file.model_copy(update={"owner": taken if kind is DeliveryKind.TAKEN else None})
    return mailer.to_client(row(CLIENT, kind, revision=0), file, person())


def every_mail(mailer: Mailer, locale: Locale, asked: Need, listed: Shortlist) -> dict[str, Mail | None]:
    filled = asked.model_copy(update={"status": NeedState.FILLED})
    nobody = listed.model_copy(update={"entries": (), "outcome": Outcome.NO_MATCH})
    return {
        "digest": digest_mail(mailer, locale, asked, listed),
        "shortlist": shortlist_mail(mailer, locale, asked, listed),
        "no_match": shortlist_mail(mailer, locale, asked, nobody),
        "acknowledgement": client_mail(mailer, DeliveryKind.ACKNOWLEDGEMENT, asked),
        "taken": client_mail(mailer, DeliveryKind.TAKEN, asked),
        "filled": client_mail(mailer, DeliveryKind.FILLED, filled),
        **{
            template: mailer.letter(row("addressee", LETTER), letter(template, locale, asked))
            for template in ("links", *FORMS)
        },
    }


def letter(template: str, locale: Locale, asked: Need) -> Letter:
    """With what a stranger may have typed in every text."""
    ours = "https://jobs.example/needs/1?t=abc"
    if template == "links":
        arguments = {f"{asked.reference} {asked.title}": ours}
    else:
        form = FORMS[template]
        arguments = {name: f"{ours}&{name}=1" for name in form.urls}
        arguments |= dict.fromkeys(form.dates, "2026-12-24T22:30:00+00:00")
        arguments |= dict.fromkeys(form.texts, asked.company)
    return Letter(
        letter_id="letter-1",
        template=template,
        locale=locale,
        to_name=asked.contact.name,
        to_email="client@acme.test",
        arguments=arguments,
        revision=1,
        occurred_at=WHEN,
    )


def digest_mail(mailer: Mailer, locale: Locale, asked: Need, listed: Shortlist) -> Mail:
    """Two needs: one with candidates, one that nobody fits."""
    nobody = listed.model_copy(update={"entries": (), "outcome": Outcome.NO_MATCH})
    items = [
        Item(row(person().consultant_id, kind, news=(candidate_id(2),)), file_of(asked, one))
        for kind, one in (("shortlist", listed), ("no_match", nobody))
    ]
    sent = row(person().consultant_id, "shortlist", revision=199).model_copy(update={"state": RowState.SENT})
    threads = [[sent, item.row] for item in items]
    today = row(person().consultant_id, DIGEST, revision=20261124)
    return mailer.digest(today, person(locale), items, threads)


@pytest.mark.parametrize("locale", list(Locale))
@pytest.mark.parametrize("kind", KINDS)
def test_the_text_is_as_agreed(mailer: Mailer, kind: str, locale: Locale) -> None:
    mail = every_mail(mailer, locale, need(locale=locale), shortlist())[kind]
    headers = "".join(f"{name}: {value}\n" for name, value in read(mail).items() if name != "Content-Type")
    # A link's token is a signature over its content: its look says nothing to a reader.
    shown = re.sub(r"(/mail/(?:act|pause)/|[?&]t=ey)[\w.-]+", r"\1TOKEN", f"{headers}\n{part(mail, 'plain')}")
    golden = GOLDEN / f"{kind}.{locale.value}.txt"
    if os.environ.get("WRITE_GOLDEN"):
        golden.write_text(shown)
    assert shown == golden.read_text()


@pytest.mark.parametrize("locale", list(Locale))
def test_the_html_says_what_the_text_says(mailer: Mailer, locale: Locale) -> None:
    mail = shortlist_mail(mailer, locale, need(), shortlist())
    html = part(mail, "html")
    for line in part(mail, "plain").splitlines():
        words = re.sub(r"^\W+|https?://\S+", "", line).strip()
        if words and "https://" not in line and not line.startswith("--"):
            for piece in re.split(r"[·,:;.()]", words):
                assert piece.strip() in html.replace("&#39;", "'"), piece


def test_no_mail_to_a_consultant_names_a_candidate_by_more_than_a_code(mailer: Mailer) -> None:
    mail = shortlist_mail(mailer, Locale.EN, need(), shortlist())
    assert re.search(r"Candidate [0-9A-F]{4}\b", part(mail, "plain"))
    for number in (1, 2, 3):
        assert candidate_id(number) not in part(mail, "html")


def test_a_repeat_of_a_row_is_the_same_mail_to_the_byte(mailer: Mailer) -> None:
    for first, second in zip(
        every_mail(mailer, Locale.FR, need(), shortlist()).values(),
        every_mail(mailer, Locale.FR, need(), shortlist()).values(),
        strict=True,
    ):
        assert first == second


@pytest.mark.parametrize("hostile", [*HOSTILE, "W" * 5000, "👩\u200d🚀 é" * 500, "None"])
@pytest.mark.parametrize("locale", list(Locale))
def test_hostile_values_reach_no_header_and_no_markup(mailer: Mailer, locale: Locale, hostile: str) -> None:
    asked, listed = hostile_need(hostile, locale), hostile_shortlist(hostile)
    for kind, mail in every_mail(mailer, locale, asked, listed).items():
        assert mail is not None
        assert mail.recipient in {"client@acme.test", "sample@agency.test"}
        message = read(mail)
        pause = PAUSE if kind in {"shortlist", "no_match", "digest"} else []
        assert [name for name in message.keys() if name not in pause] == HEADERS, kind  # noqa: SIM118
        assert all(len(message.get_all(name, [])) == 1 for name in pause), kind
        raw_headers = mail.content.split(b"\r\n\r\n", 1)[0].decode("ascii")
        assert not re.search(r"^bcc", raw_headers, re.IGNORECASE | re.MULTILINE)
        assert len(message["To"].addresses) == 1
        html = part(mail, "html")
        allowed = r"<script|<img|href=\"javascript|href=\"(?!https://jobs\.example/|mailto:|tel:)"
        assert not re.search(allowed, html), kind
        assert "\x00" not in html + part(mail, "plain")
        assert "\u202e" not in html + part(mail, "plain")
        # A line break in a value would let a client write lines of the agency's.
        assert "\nBcc:" not in part(mail, "plain")
        # Nothing of a value is evaluated as a template.
        repeats_nothing = kind in {*FORMS} - {"privacy_notice"}
        assert ("{{ 7 * 7 }}" in html) is ("{{ 7 * 7 }}" in hostile and not repeats_nothing)
        assert max(len(line) for line in mail.content.split(b"\r\n")) <= 998, kind
        assert len(mail.content) < 100_000, kind


def hostile_need(hostile: str, locale: Locale) -> Need:
    return need(
        reference=hostile,
        title=hostile,
        company=hostile,
        contact=Contact(name=hostile, email="client@acme.test", phone=hostile),
        location=Location(country="FR", region="FR-ARA", city=hostile[:100]),
        description=hostile,
        locale=locale,
    )


def hostile_shortlist(hostile: str) -> Shortlist:
    said = text(hostile, hostile)
    gap = Gap(kind="unknown", criterion="budget", question=said)
    listed = shortlist()
    evidence = listed.entries[0].parts[0].evidence[0].model_copy(update={"found": hostile, "asked": hostile})
    worst = listed.entries[0].parts[0].model_copy(update={"criterion": hostile, "evidence": (evidence,)})
    entries = tuple(entry(number, gaps=(gap,) * 9, parts=(worst,)) for number in range(1, 11))
    entering = TO_ENTER.model_copy(update={"told": said})
    near = tuple(one.model_copy(update={"reason": said, "to_enter": entering}) for one in listed.near_misses)
    return listed.model_copy(update={"entries": entries, "near_misses": near, "relaxed": {hostile: 3}})


@pytest.mark.parametrize(
    "hostile", [HOSTILE[0], HOSTILE[1], "a@x.test, b@x.test", "a@x.test>\r\nRCPT TO:<b@x.test"]
)
def test_a_hostile_address_is_a_permanent_failure(mailer: Mailer, hostile: str) -> None:
    contact = Contact(name="Paul", email=hostile)
    with pytest.raises(NotSent) as problem:
        client_mail(mailer, DeliveryKind.ACKNOWLEDGEMENT, need(contact=contact))
    assert problem.value.kind.value == "unsafe"
    # To the consultant the need goes all the same; the address is shown and leads nowhere.
    mail = shortlist_mail(mailer, Locale.FR, need(contact=contact), shortlist())
    assert "mailto:a" not in part(mail, "html")


def test_the_largest_mail_stays_under_100_kilobytes_and_loads_nothing(mailer: Mailer) -> None:
    gaps = (
        Gap(kind="unknown", criterion="budget", question=text("Question ? " * 12, "Question? " * 12)),
    ) * 6
    told = text("Entrerait avec : compétence (+1) ; " * 9, "Would enter with: skill (+1); " * 9)
    near = tuple(
        one.model_copy(
            update={
                "candidate_id": candidate_id(60 + number),
                "reason": told,
                "to_enter": TO_ENTER.model_copy(update={"told": told}),
            }
        )
        for number in range(9)
        for one in shortlist().near_misses
    )
    listed = shortlist().model_copy(
        update={
            "entries": tuple(entry(one, gaps=gaps) for one in range(1, 11)),
            "near_misses": near,
        }
    )
    mail = shortlist_mail(mailer, Locale.FR, need(title="T" * 150, company="C" * 150), listed)
    assert mail is not None
    assert len(mail.content) < 100_000
    html = part(mail, "html")
    assert not re.search(r"<img|<link|@import|url\(|src=", html)
    assert html.count('class="second"') == 10 * 5 + 2
    assert max(len(line) for line in mail.content.split(b"\r\n")) <= 998


def test_links_are_short_and_each_is_for_one_thing(mailer: Mailer) -> None:
    mail = shortlist_mail(mailer, Locale.FR, need(), shortlist())
    found = re.findall(r'href="(https://jobs\.example/mail/[^"]+)"', part(mail, "html"))
    assert len(found) == len(set(found)) == 2 + 3 * 5 + 1
    assert max(map(len, found)) < 150
    tokens = [url.rpartition("/")[2] for url in found if "/act/" in url]
    permits = [read_permit(Tokens([SECRET]), token, WHEN) for token in tokens]
    assert {permit.who for permit in permits} == {person().consultant_id}
    assert {permit.need_id for permit in permits} == {NEED_ID}
    assert all(len(permit.actions) == 1 for permit in permits)
    assert {permit.candidate_id for permit in permits} == {None, *map(candidate_id, (1, 2, 3))}
    assert {permit.shortlist_revision for permit in permits} == {200}


def test_what_changed_since_the_last_mail_is_said_once(mailer: Mailer) -> None:
    reader = person(Locale.EN)
    file = file_of(need(), shortlist((1, 2, 3)))
    edited = need(revision=101)
    # One leaves with a revision of its own, that no mail is about.
    left = Departure(candidate_id=candidate_id(2), why="ineligible")
    between = shortlist((1, 3), revision=201, left=(left,))
    file = announce(with_shortlist(file, between, between.revision), WHEN, timedelta(0))
    left = Departure(candidate_id=candidate_id(3), why="a reason of tomorrow")
    listed = shortlist((1, 4, 5), revision=202, need_revision=101, left=(left,))
    file = with_shortlist(with_need(file, edited, WHEN), listed, listed.revision)
    file = announce(file, WHEN, timedelta(0))
    due = file.due[-1]
    assert (due.news, due.gone, due.edited) == (
        (candidate_id(4), candidate_id(5)),
        (candidate_id(2), candidate_id(3)),
        True,
    )
    sent = row(reader.consultant_id, "shortlist").model_copy(update={"state": RowState.SENT})
    second = row(reader.consultant_id, "shortlist", revision=202, news=due.news).model_copy(
        update={"gone": due.gone, "edited": True}
    )
    text_of_it = part(mailer.to_reader(second, file, reader, [sent, second]), "plain")
    assert "The client has edited the need since the last mail." in text_of_it
    assert "New since the last mail: Candidate 4444, Candidate 5555." in text_of_it
    gone = "Candidate 2222 (no longer eligible), Candidate 3333 (the ranking has changed)."
    assert f"No longer on the list: {gone}" in text_of_it
    # What one mail has told the next one does not tell again, nor a superseded row from before it.
    old = second.model_copy(update={"row_id": "old", "state": RowState.SUPERSEDED, "subject_revision": 200})
    told = second.model_copy(update={"state": RowState.SENT})
    third = row(reader.consultant_id, "shortlist", revision=203)
    text_of_it = part(mailer.to_reader(third, file, reader, [sent, old, told, third]), "plain")
    assert "since the last mail" not in text_of_it
    assert "No longer" not in text_of_it


@pytest.mark.parametrize(
    ("locale", "eligible", "said"),
    [
        (Locale.FR, 0, "Personne, sur 1 500 dans le vivier, ne respecte les critères impératifs."),
        (Locale.FR, 1, "1 personne sur 1 500 dans le vivier respecte les critères impératifs."),
        (Locale.FR, 2, "2 personnes sur 1 500 dans le vivier respectent les critères impératifs."),
        (Locale.EN, 0, "Nobody in the pool of 1,500 meets the hard constraints."),
        (Locale.EN, 1, "1 person in the pool of 1,500 meets the hard constraints."),
        (Locale.EN, 2, "2 people in the pool of 1,500 meet the hard constraints."),
    ],
)
def test_the_pool_agrees_in_number(mailer: Mailer, locale: Locale, eligible: int, said: str) -> None:
    for numbers in ((), (1,)):
        mail = shortlist_mail(mailer, locale, need(), shortlist(numbers, eligible=eligible))
        assert said in part(mail, "plain").replace("\u202f", " ")


def test_a_letter_with_arguments_that_are_not_its_own_is_refused() -> None:
    good = letter("privacy_notice", Locale.FR, need())
    check(good, "https://jobs.example")
    kept = good.model_copy(update={"arguments": {**good.arguments, "until": ""}})
    check(kept, "https://jobs.example/")
    for changed in (
        {"more": "x"},
        {"until": "soon"},
        {"rights_url": "https://evil.test/"},
        {"rights_url": "https://jobs.example.evil.test/"},
        {"rights_url": "https://jobs.example/a b"},
        {"rights_url": "https://jobs.example/a\r\nBcc: x"},
        {"rights_url": ""},
    ):
        bad = good.model_copy(update={"arguments": {**good.arguments, **changed}})
        with pytest.raises(Refused):
            check(bad, "https://jobs.example")
    fewer = {name: value for name, value in good.arguments.items() if name != "source"}
    with pytest.raises(Refused):
        check(good.model_copy(update={"arguments": fewer}), "https://jobs.example")


def test_how_long_a_profile_is_kept_is_always_said(mailer: Mailer) -> None:
    good = letter("privacy_notice", Locale.EN, need())
    for until, said in (
        ("2027-01-02", "Your profile is kept until 2 Jan 2027."),
        ("", "Your profile is kept for two years without contact"),
    ):
        sent = good.model_copy(update={"arguments": {**good.arguments, "until": until}})
        told = part(mailer.letter(row("addressee", LETTER), sent), "plain")
        assert told.count("Your profile is kept") == 1
        assert said in told
        nowhere = sent.model_copy(update={"arguments": {**sent.arguments, "source": ""}})
        assert part(mailer.letter(row("addressee", LETTER), nowhere), "plain").count("is kept") == 1


def test_who_is_new_is_marked_and_who_was_declined_is_left_out(mailer: Mailer) -> None:
    mail = shortlist_mail(mailer, Locale.EN, need(), shortlist())
    assert part(mail, "plain").count("(new)") == 1
    file = file_of(need(), shortlist())
    assert isinstance(file.announced, Announced)
    first = mailer.to_reader(row(person().consultant_id, "shortlist"), file, person(Locale.EN), [])
    assert "(new)" not in part(first, "plain")


def test_mails_to_the_client_repeat_nothing_that_was_typed(mailer: Mailer) -> None:
    typed = need(
        title="Buy at evil.test",
        company="Win at evil.test",
        contact=Contact(name="Click evil.test", email="client@acme.test"),
        description="Visit evil.test",
    )
    for kind in (DeliveryKind.ACKNOWLEDGEMENT, DeliveryKind.TAKEN):
        mail = client_mail(mailer, kind, typed)
        assert mail is not None
        assert b"evil" not in mail.content


def test_replies_go_to_the_agency_before_somebody_takes_over_and_to_the_owner_after(mailer: Mailer) -> None:
    before = client_mail(mailer, DeliveryKind.ACKNOWLEDGEMENT, need())
    after = client_mail(mailer, DeliveryKind.TAKEN, need())
    assert read(before)["Reply-To"] == "agence@example.com"
    assert read(after)["Reply-To"] == "sample@agency.test"
    assert "Sample Consultant" in part(after, "plain")


def test_a_domain_beyond_ascii_is_written_in_ascii(mailer: Mailer) -> None:
    mail = client_mail(
        mailer, DeliveryKind.ACKNOWLEDGEMENT, need(contact=Contact(name="Zoé Ünal", email="zoe@müller.de"))
    )
    assert mail is not None
    assert mail.recipient == "zoe@xn--mller-kva.de"
    assert read(mail)["To"].addresses[0].addr_spec == mail.recipient


@pytest.mark.parametrize(
    ("locale", "have", "asked", "expected"),
    [
        (Locale.FR, 0, 1, "0 compétence impérative sur 1 ; il manque : Apache Kafka"),
        (Locale.FR, 1, 1, "la compétence impérative"),
        (Locale.FR, 1, 2, "1 compétence impérative sur 2 ; il manque : Apache Kafka"),
        (Locale.FR, 2, 3, "2 compétences impératives sur 3 ; il manque : Apache Kafka"),
        (Locale.FR, 2, 2, "toutes les compétences impératives"),
        (Locale.EN, 0, 1, "0 of 1 must-have skill; missing: Apache Kafka"),
        (Locale.EN, 1, 1, "the must-have skill"),
        (Locale.EN, 1, 2, "1 of 2 must-have skills; missing: Apache Kafka"),
        (Locale.EN, 2, 2, "every must-have skill"),
    ],
)
def test_the_count_of_must_have_skills_agrees_in_number(
    mailer: Mailer, locale: Locale, have: int, asked: int, expected: str
) -> None:
    wanted = [AskedSkill(skill=one, must=True) for one in ("python", "sql", "kafka")][-asked:]
    missing = ("kafka",) if have < asked else ()
    listed = shortlist((1,)).model_copy(
        update={"entries": (entry(1, must_coverage=have / asked, missing_musts=missing),)}
    )
    mail = shortlist_mail(mailer, locale, need(skills=tuple(wanted)), listed)
    assert f"   {expected}\n" in part(mail, "plain")
    assert expected in part(mail, "html")

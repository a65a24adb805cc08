"""What the notifier's tests are about: a catalogue, consultants, needs, shortlists; and a service on them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from services.notifier.app import build
from services.notifier.consultants import Consultant, ConsultantFields
from services.notifier.store import Store
from shared.embedded import CaughtMail
from shared.events.manifest import MANIFEST, Manifest, fingerprint
from shared.events.need import NEEDS, AskedSkill, Budget, Contact, Need
from shared.events.role import ROLES, Role, RoleSlug
from shared.events.shortlist import (
    SHORTLISTS,
    Change,
    Entry,
    Evidence,
    Gap,
    NearMiss,
    Outcome,
    Part,
    Shortlist,
    ToEnter,
)
from shared.events.skill import SKILLS, Skill
from shared.events.topic import E, Topic
from shared.events.vocabulary import (
    Cefr,
    Contract,
    Language,
    Locale,
    LocalizedText,
    Location,
    Must,
    Remote,
    Seniority,
)
from shared.kafka import Kafka
from shared.metrics import Metrics
from shared.mongo import Mongo
from shared.publisher import Publisher
from shared.run import Surroundings
from shared.web.access import KEY_PURPOSE
from tests.support import publisher, running, until

WHEN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NEED_ID = "0193b1aa-0000-7000-8000-00000000aaaa"
HOSTILE = (
    "=?utf-8?q?Hi=0D=0ABcc:_v@x.test?=",
    "line\r\nBcc: v@x.test\r\n\r\nbody",
    "<script>alert(1)</script><img src=https://x.test/p.png onerror=alert(1)>",
    '{{ 7 * 7 }}"><a href="javascript:alert(1)">x</a>{% raw %}',
    "nul\x00bell\x07 \u202edrawrof\u2028next",
)


def text(fr: str, en: str) -> LocalizedText:
    return LocalizedText(fr=fr, en=en)


def role(role_id: str = "back-end-developer", family: str = "development") -> Role:
    return Role(
        role_id=role_id,
        slug=RoleSlug(fr=role_id, en=role_id),
        title=text("Développeur back-end", "Back-end developer"),
        family=family,
        summary=text("Il développe.", "They develop."),
        versus=text("Autre chose.", "Something else."),
        revision=1,
        occurred_at=WHEN,
    )


def skill(skill_id: str, label: str) -> Skill:
    return Skill(
        skill_id=skill_id, label=text(label, label), category="languages", revision=1, occurred_at=WHEN
    )


CATALOGUE_ROLES = [role()]
CATALOGUE_SKILLS = [skill("python", "Python"), skill("kafka", "Apache Kafka"), skill("sql", "SQL")]


async def publish_catalogue(sends: Publisher) -> None:
    for one in CATALOGUE_ROLES:
        await sends.publish(ROLES, one)
    for known in CATALOGUE_SKILLS:
        await sends.publish(SKILLS, known)
    revisions = ({one.role_id: 1 for one in CATALOGUE_ROLES}, {one.skill_id: 1 for one in CATALOGUE_SKILLS})
    manifest = Manifest(
        roles=len(CATALOGUE_ROLES),
        skills=len(CATALOGUE_SKILLS),
        hash=fingerprint(*revisions),
        revision=1,
        occurred_at=WHEN,
    )
    await sends.publish(MANIFEST, manifest)


def consultant(name: str = "Sample Consultant", **changes: Any) -> ConsultantFields:
    fields: dict[str, Any] = {
        "name": name,
        "email": f"{name.split(maxsplit=1)[0].lower()}@agency.test",
        "phone": "+33 6 00 00 00 01",
        "locale": Locale.FR,
        "practices": ("development",),
        "regions": ("FR",),
    }
    return ConsultantFields(**(fields | changes))


def need(need_id: str = NEED_ID, **changes: Any) -> Need:
    fields: dict[str, Any] = {
        "need_id": need_id,
        "reference": "N-2026-0042",
        "company": "Acme SA",
        "contact": Contact(name="Sample Client", email="client@acme.test", phone="+33 4 00 00 00 02"),
        "role_id": "back-end-developer",
        "title": "Développeur back-end, paiements",
        "skills": (
            AskedSkill(skill="python", level=4, must=True),
            AskedSkill(skill="kafka", must=True),
            AskedSkill(skill="sql"),
        ),
        "seniority": Seniority.SENIOR,
        "location": Location(country="FR", region="FR-ARA", city="Lyon"),
        "remote": Remote.PARTIAL,
        "contracts": (Contract.PERMANENT, Contract.FREELANCE),
        "start_by": date(2027, 1, 15),
        "budget": Budget(day_rate=550, salary=52000),
        "languages": (Language(language="fr", level=Cefr.B2),),
        "musts": (Must.LOCATION,),
        "description": "Secret project: never in a mail to the client",
        "locale": Locale.FR,
        "revision": 100,
        "occurred_at": WHEN,
    }
    return Need(**(fields | changes))


def candidate_id(number: int) -> str:
    return f"0193b1aa-1111-7000-8000-{0xA7F300000000 + 0x1111 * number:012x}"


def entry(number: int, *, score: float = 0, **changes: Any) -> Entry:
    parts = (
        Part(
            criterion="must_skills",
            weight=0.6,
            value=0.9,
            points=54,
            evidence=(
                Evidence(
                    skill="python",
                    asked="4",
                    level=4,
                    estimated=True,
                    years=6,
                    last_used=2026,
                    mentions=7,
                    share=0.6,
                ),
                Evidence(skill="kafka", asked="3", via="sql", level=3, years=1, share=0.3),
            ),
        ),
        Part(
            criterion="role_experience",
            weight=0.3,
            value=1,
            points=30,
            evidence=(Evidence(role="back-end-developer", months=48, share=1.0),),
        ),
        Part(
            criterion="budget",
            weight=0.1,
            value=0.5,
            points=5,
            evidence=(Evidence(asked="550/52000 EUR", share=0.5),),
        ),
    )
    fields: dict[str, Any] = {
        "candidate_id": candidate_id(number),
        "score": score or 95 - 3 * number,
        "must_coverage": 1.0 if number % 2 else 0.5,
        "missing_musts": () if number % 2 else ("kafka",),
        "parts": parts,
        "gaps": (
            Gap(
                kind="unknown",
                criterion="budget",
                question=text("Quel tarif journalier ?", "Which day rate?"),
            ),
        ),
    }
    return Entry(**(fields | changes))


TO_ENTER = ToEnter(
    short_by=0,
    changes=(Change(criterion="location", points=3),),
    enough=True,
    told=text(
        "Écarté par un critère éliminatoire seulement. Entrerait avec : lieu conforme (+3,0).",
        "Kept out by one hard constraint. Would enter with: location as asked (+3.0).",
    ),
)


def shortlist(numbers: tuple[int, ...] = (1, 2, 3), need_id: str = NEED_ID, **changes: Any) -> Shortlist:
    fields: dict[str, Any] = {
        "need_id": need_id,
        "need_revision": 100,
        "reference": "N-2026-0042",
        "title": "Développeur back-end, paiements",
        "role_id": "back-end-developer",
        "outcome": Outcome.MATCHED if numbers else Outcome.NO_MATCH,
        "engine": "test",
        "taxonomy": "1",
        "weights": "1",
        "model": 1,
        "input_hash": "0" * 16,
        "eligible": 41,
        "candidates": 1500,
        "entries": tuple(entry(number) for number in numbers),
        "near_misses": (
            NearMiss(
                candidate_id=candidate_id(60),
                score=88,
                must_coverage=1,
                missed=Must.LOCATION,
                reason=text("Habite à Nantes.", "Lives in Nantes."),
                to_enter=TO_ENTER,
            ),
        ),
        "relaxed": {"location": 12, "remote": 0},
        "revision": 200,
        "occurred_at": WHEN,
    }
    return Shortlist(**(fields | changes))


@dataclass
class Running:
    """A notifier that runs, with what a test looks at."""

    given: Surroundings
    app: FastAPI
    http: httpx.AsyncClient
    sends: Publisher
    store: Store

    async def publish(self, topic: Topic[E], event: E) -> None:
        await self.sends.publish(topic, event)

    async def post(self, asked: Need | None = None, listed: Shortlist | None = None) -> None:
        """A need and its shortlist."""
        await self.publish(NEEDS, asked or need())
        await self.publish(SHORTLISTS, listed or shortlist())

    def mails(self, to: str = "", subject: str = "") -> list[CaughtMail]:
        assert self.given.mailbox is not None
        return [
            mail
            for mail in list(self.given.mailbox.mails)
            if to in mail.recipients[0] and (not subject or subject in str(mail.message["Subject"]))
        ]

    async def mail(self, to: str, number: int = 1) -> CaughtMail:
        """The `number`-th mail to an address, once it is there."""
        found: list[CaughtMail] = await until(
            lambda: mails if len(mails := self.mails(to)) >= number else None,
            because=lambda: f"{to}: {[mail.recipients for mail in self.mails()]}",
        )
        return found[number - 1]

    async def consultant(self, name: str = "Sample Consultant", **changes: Any) -> Consultant:
        return await self.store.add_consultant(consultant(name, **changes))

    async def settled(self) -> None:
        """Every row is done, and every group has read its topics to the end."""

        async def done() -> bool:
            return not await self.store.ledger.waiting() and not await self.store.unfinished_needs()

        await until(done)

    def key(self, *scopes: str) -> dict[str, str]:
        token = self.given.tokens.issue(KEY_PURPOSE, "tests", scopes=scopes, lifetime=timedelta(hours=1))
        return {"Authorization": f"Bearer {token}"}


class Clock:
    """A time of day that a test sets; it stands still in between."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@asynccontextmanager
async def notifier(
    given: Surroundings, *, catalogue: bool = True, clock: Clock | None = None
) -> AsyncIterator[Running]:
    """A service on `given`, ready, with a catalogue to read."""
    async with publisher(given.kafka_bootstrap) as sends:
        if catalogue:
            await publish_catalogue(sends)
        app = build(given, clock) if clock else build(given)
        async with running(app, ready=catalogue) as http:
            yield Running(given, app, http, sends, store_of(given))


def store_of(given: Surroundings) -> Store:
    """The same rows as the service's own."""
    metrics = Metrics()
    mongo = Mongo(given.mongo_client, given.settings.mongodb_database, "notifier", metrics)
    return Store(mongo, Kafka(given.kafka_bootstrap, "notifier", metrics))


def text_of(mail: CaughtMail) -> str:
    part = mail.message.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def html_of(mail: CaughtMail) -> str:
    part = mail.message.get_body(("html",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")

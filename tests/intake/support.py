"""What intake's tests share: a small catalogue, a running intake, needs and candidates to send."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from services.intake.app import build
from shared.events.delivery import Audience, Delivery, DeliveryKind, DeliveryStatus
from shared.events.feedback import Colleague, Decision, Feedback
from shared.events.manifest import MANIFEST, Manifest, fingerprint
from shared.events.role import ROLES, Role, RoleAliases, RoleSkill, RoleSlug
from shared.events.shortlist import Outcome, Shortlist
from shared.events.skill import SKILLS, AmbiguousAlias, Skill
from shared.events.vocabulary import LocalizedText, SkillKind
from shared.run import GracefulServer, Surroundings, listen
from shared.service import Service
from shared.web.access import KEY_PURPOSE
from tests.support import now, publisher, running

CONSULTANT = Colleague(consultant_id="c-1", name="Inès Moreau", email="ines@agency.example", phone="+33 4 00")


def both(text: str) -> LocalizedText:
    return LocalizedText(fr=text, en=text)


def skill(
    skill_id: str, label: str, *aliases: str, ambiguous: dict[str, tuple[str, ...]] | None = None, **more: Any
) -> Skill:
    return Skill(
        skill_id=skill_id,
        label=both(label),
        category="test",
        aliases=aliases,
        ambiguous=tuple(
            AmbiguousAlias(alias=alias, context=context) for alias, context in (ambiguous or {}).items()
        ),
        revision=1,
        occurred_at=now(),
        **more,
    )


SKILL_EVENTS = (
    skill("python", "Python", "python3"),
    skill("java", "Java"),
    skill("kubernetes", "Kubernetes", "k8s"),
    skill("docker", "Docker"),
    skill("sql", "SQL"),
    skill("c", "C", "langage c", ambiguous={"c": ("c++", "linux", "langage", "embedded")}),
    skill("c-plus-plus", "C++", "cpp", "c++17"),
    skill("c-sharp", "C#", "c# .net"),
    skill("dot-net", ".NET", "dotnet"),
    skill("asp-net", "ASP.NET"),
    skill("node-js", "Node.js", "nodejs", "node"),
    skill("ci-cd", "CI/CD", "continuous integration"),
    skill("r", "R", "langage r", ambiguous={"r": ("python", "statistics", "sas", "data")}),
    skill("go", "Go", "golang", ambiguous={"go": ("golang", "docker", "kubernetes", "python", "backend")}),
    skill("rest", "REST", "api rest"),
    skill("english", "English", "anglais", kind=SkillKind.LANGUAGE),
)


def role(role_id: str, fr: str, en: str, *aliases: str, skills: tuple[RoleSkill, ...] = ()) -> Role:
    return Role(
        role_id=role_id,
        slug=RoleSlug(fr=role_id, en=role_id),
        title=LocalizedText(fr=fr, en=en),
        aliases=RoleAliases(en=aliases),
        family="software",
        summary=both("-"),
        versus=both("-"),
        skills=skills,
        revision=1,
        occurred_at=now(),
    )


ROLE_EVENTS = (
    role(
        "back-end-developer",
        "Développeur back-end",
        "Back-end developer",
        "backend engineer",
        skills=(RoleSkill(skill="python", level=4), RoleSkill(skill="sql", level=3)),
    ),
    role("data-engineer", "Data engineer", "Data engineer"),
)


async def publish_catalogue(
    bootstrap: str, roles: tuple[Role, ...] = ROLE_EVENTS, skills: tuple[Skill, ...] = SKILL_EVENTS
) -> None:
    manifest = Manifest(
        roles=len(roles),
        skills=len(skills),
        hash=fingerprint(
            {one.role_id: one.revision for one in roles}, {one.skill_id: one.revision for one in skills}
        ),
        revision=int(now().timestamp() * 1000),
        occurred_at=now(),
    )
    async with publisher(bootstrap, "catalog") as sender:
        await asyncio.gather(*(sender.publish(ROLES, one) for one in roles))
        for start in range(0, len(skills), 200):
            await asyncio.gather(*(sender.publish(SKILLS, one) for one in skills[start : start + 200]))
        await sender.publish(MANIFEST, manifest)


def with_alias(skill_id: str, *aliases: str) -> tuple[Skill, ...]:
    """The catalogue's skills, one of them in a new revision with more aliases."""
    return tuple(
        one.model_copy(update={"aliases": (*one.aliases, *aliases), "revision": one.revision + 1})
        if one.skill_id == skill_id
        else one
        for one in SKILL_EVENTS
    )


@asynccontextmanager
async def intake(given: Surroundings) -> AsyncIterator[httpx.AsyncClient]:
    """A ready intake with the small catalogue."""
    await publish_catalogue(given.kafka_bootstrap)
    async with running(build(given)) as client:
        yield client


@asynccontextmanager
async def serving(app: FastAPI, given: Surroundings) -> AsyncIterator[str]:
    """The app on a port of its own, for what needs a real connection; gives its address."""
    listener = listen("127.0.0.1", 0)
    service: Service = app.state.service
    server = GracefulServer(app, [service], given.settings)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started or service.missing():
            await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


def a_need(**changes: Any) -> dict[str, Any]:
    """The body of a need; a change to `...` leaves the field out."""
    body = {
        "role_id": "back-end-developer",
        "title": "Back-end developer, payments",
        "company": "Acme",
        "contact": {"name": "Sample Client", "email": "ada@acme.example", "phone": "+33 6 12 34 56 78"},
        "skills": [{"skill": "Python", "level": 4, "must": True}, {"skill": "k8s"}],
        "seniority": "senior",
        "location": {"country": "FR", "region": "FR-ARA", "city": "Lyon"},
        "start_by": (now().date() + timedelta(days=60)).isoformat(),
        "contracts": ["permanent", "freelance"],
        "budget": {"day_rate": 550},
        "languages": [{"language": "fr", "level": "B2"}],
        "musts": ["location"],
        "description": "We use Docker and REST.",
        "locale": "en",
    } | changes
    return {name: value for name, value in body.items() if value is not ...}


def a_candidate(**changes: Any) -> dict[str, Any]:
    body = {
        "external_id": "ats-1",
        "name": "Zoé Canari",
        "email": "zoe.canari@mail.example",
        "phone": "+33 6 98 76 54 32",
        "skills": [{"skill": "Python", "level": 4, "years": 6}],
        "roles": [{"role": "backend engineer", "months": 40, "until": "2026-09"}],
        "years": 8,
        "location": {"country": "FR", "region": "FR-ARA", "city": "Lyon"},
        "contracts": ["freelance"],
        "day_rate": 500,
        "languages": [{"language": "en", "level": "C1"}],
        "basis": {"kind": "consent", "until": "2090-01-01", "source": "form"},
    } | changes
    return {name: value for name, value in body.items() if value is not ...}


def bearer(given: Surroundings, owner: str = "acme", *scopes: str) -> dict[str, str]:
    """The header of an API key."""
    granted = scopes or ("needs:write", "candidates:write")
    token = given.tokens.issue(KEY_PURPOSE, owner, lifetime=timedelta(hours=1), scopes=granted)
    return {"Authorization": f"Bearer {token}"}


def a_shortlist(need_id: str, revision: int, outcome: Outcome = Outcome.MATCHED, **changes: Any) -> Shortlist:
    fields: dict[str, Any] = {
        "need_id": need_id,
        "need_revision": 1,
        "reference": "N-1",
        "title": "Dev",
        "outcome": outcome,
        "engine": "1",
        "taxonomy": "1",
        "weights": "1",
        "model": 1,
        "input_hash": "x",
        "eligible": 1,
        "candidates": 1,
        "revision": revision,
        "occurred_at": now(),
    }
    return Shortlist(**fields | changes)


def a_delivery(need_id: str, kind: DeliveryKind, audience: Audience, **changes: Any) -> Delivery:
    fields: dict[str, Any] = {
        "delivery_id": f"{kind}.{audience}@row",
        "need_id": need_id,
        "kind": kind,
        "audience": audience,
        "status": DeliveryStatus.SENT,
        "subject_revision": 1,
        "revision": 1,
        "occurred_at": now(),
    }
    return Delivery(**fields | changes)


def a_feedback(need_id: str, decision: Decision, **changes: Any) -> Feedback:
    fields: dict[str, Any] = {
        "feedback_id": f"feedback.{decision}",
        "need_id": need_id,
        "decision": decision,
        "consultant": CONSULTANT,
        "revision": 1,
        "occurred_at": now(),
    }
    return Feedback(**fields | changes)

"""A small catalogue in YAML, a catalog service on it, and a key that may change it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from services.catalog import sheets
from services.catalog.app import build
from services.catalog.domain import Catalogue
from services.catalog.settings import CatalogSettings
from services.catalog.store import Store
from shared.catalogue import Catalogue as Followed
from shared.events.role import Role
from shared.events.skill import Skill
from shared.metrics import Metrics
from shared.run import Surroundings
from shared.web.access import KEY_PURPOSE

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def both(text: str) -> dict[str, str]:
    return {"fr": f"{text} (fr)", "en": text}


def a_skill(skill_id: str, **fields: Any) -> Skill:
    name = skill_id.replace("-", " ").capitalize()
    known = {"label": {"fr": name, "en": name}, "category": "programming-language"}
    return Skill.model_validate(
        {"skill_id": skill_id, "revision": 0, "occurred_at": LONG_AGO, **known, **fields}
    )


def a_role(role_id: str, **fields: Any) -> Role:
    name = role_id.replace("-", " ").capitalize()
    known = {
        "slug": {"fr": f"{role_id}-fr", "en": role_id},
        "title": both(name),
        "family": "software",
        "summary": both(f"{name} works. And rests"),
        "versus": both("unlike the others"),
    }
    return Role.model_validate(
        {"role_id": role_id, "revision": 0, "occurred_at": LONG_AGO, **known, **fields}
    )


def small() -> Catalogue:
    skills = [
        a_skill("python", aliases=["py"]),
        a_skill("django", aliases=["djando"], category="framework", implies=["python"]),
        a_skill("postgresql", category="database", related=[{"skill": "mysql", "credit": 0.7}]),
        a_skill("mysql", category="database", related=[{"skill": "postgresql", "credit": 0.7}]),
        a_skill("cobol"),
    ]
    roles = [
        a_role(
            "back-end-developer",
            title={"fr": "Développeur back-end", "en": "Back-end developer"},
            aliases={"fr": ["développeuse back-end"], "en": ["server-side developer"]},
            slug={"fr": "developpeur-back-end", "en": "back-end-developer"},
            contacts=["tech-lead", "project-manager"],
            skills=[{"skill": "python", "level": 4}, {"skill": "postgresql", "level": 3}],
            tasks=[both("Write code")],
            soft_skills=[both("Patience")],
            education=[both("Bac+5")],
            career=[
                {"path": "technical", "role": "tech-lead", "text": both("More say")},
                {"path": "management", "role": "project-manager", "text": both("More plans")},
            ],
            related=[{"role": "tech-lead", "closeness": 0.5}],
        ),
        a_role("tech-lead", skills=[{"skill": "django"}]),
        a_role("project-manager", family="management"),
    ]
    return Catalogue({role.role_id: role for role in roles}, {skill.skill_id: skill for skill in skills})


def folder_with(catalogue: Catalogue, folder: Path) -> Path:
    sheets.write(catalogue, folder)
    return folder


def catalog_app(given: Surroundings, data: Path, **settings: Any) -> FastAPI:
    configured: dict[str, Any] = {"_env_file": None, "data": data, "reads_per_second": 1000, **settings}
    return build(given, CatalogSettings(**configured))


def store_of(given: Surroundings) -> Store:
    return Store(given.mongo("catalog"), history_kept=3)


def key(given: Surroundings, *scopes: str, owner: str = "agency") -> dict[str, str]:
    token = given.tokens.issue(KEY_PURPOSE, owner, lifetime=timedelta(hours=1), scopes=scopes)
    return {"Authorization": f"Bearer {token}"}


def writer(given: Surroundings, owner: str = "agency") -> dict[str, str]:
    return key(given, "roles:write", owner=owner)


async def changed(
    client: httpx.AsyncClient, path: str, headers: dict[str, str], **fields: Any
) -> httpx.Response:
    """Read an entity, change fields of it, write it back."""
    read = await client.get(path)
    assert read.status_code == 200, read.text
    return await client.put(
        path, json={**read.json(), **fields}, headers={**headers, "If-Match": read.headers["ETag"]}
    )


@asynccontextmanager
async def following(given: Surroundings) -> AsyncIterator[Followed]:
    """A fresh consumer of the catalogue, from Kafka alone."""
    followed = Followed("test", Metrics())
    tasks = [asyncio.create_task(table.run(given.kafka_bootstrap)) for table in followed.tables]
    try:
        yield followed
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

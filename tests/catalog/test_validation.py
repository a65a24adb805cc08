"""A refused change names what is unknown or broken, by a JSON pointer."""

from typing import Any

import httpx

from shared.run import Surroundings
from tests.catalog.support import both, changed, writer

ROLE: list[tuple[dict[str, Any], str, str]] = [
    ({"skills": [{"skill": "django"}, {"skill": "djago"}]}, "/skills/1/skill", "is it 'django'?"),
    ({"skills": [{"skill": "django"}, {"skill": "django"}]}, "/skills/1/skill", "names django twice"),
    ({"contacts": ["project-manger"]}, "/contacts/0", "is it 'project-manager'?"),
    ({"contacts": ["tech-lead"]}, "/contacts/0", "names the entity itself"),
    (
        {"career": [{"path": "technical", "role": "nobody", "text": both("x")}]},
        "/career/0/role",
        "there is no role 'nobody'",
    ),
    (
        {"career": [{"path": "sideways", "role": "project-manager", "text": both("x")}]},
        "/career/0/path",
        "management",
    ),
    ({"related": [{"role": "nobody", "closeness": 0.5}]}, "/related/0/role", "there is no role 'nobody'"),
    ({"related": [{"role": "project-manager", "closeness": 1}]}, "/related/0/closeness", "less than 1"),
    ({"slug": {"fr": "unmapped", "en": "tech-lead"}}, "/slug/fr", "taken by the pages"),
    ({"aliases": {"fr": ["Server-side developer"]}}, "/aliases/fr/0", "stands for the role back-end-dev"),
    ({"title": {"fr": "Responsable |", "en": "Tech lead"}}, "/title/fr", "begins or ends with '|'"),
    ({"tasks": [{"fr": "x"}]}, "/tasks/0/en", "required"),
]
SKILL: list[tuple[dict[str, Any], str, str]] = [
    ({"implies": ["nothing"]}, "/implies/0", "there is no skill 'nothing'"),
    ({"implies": ["django"]}, "/implies", "goes round in a circle"),
    ({"broader": "pyton"}, "/broader", "there is no skill 'pyton'"),
    ({"related": [{"skill": "rubby", "credit": 0.5}]}, "/related/0/skill", "there is no skill 'rubby'"),
    ({"related": [{"skill": "cobol", "credit": 1.5}]}, "/related/0/credit", "less than 1"),
    ({"aliases": ["py", "Djando"]}, "/aliases/1", "already stands for django"),
    ({"aliases": ["snake;"]}, "/aliases/0", "begins or ends with ';'"),
    ({"aliases": ["sna\u0007ke"]}, "/aliases/0", "control characters"),
    ({"ambiguous": [{"alias": "boa", "context": ["snake"]}]}, "/ambiguous/0/alias", "no name of this skill"),
]


async def test_what_is_unknown_or_broken_is_named_and_nothing_changes(
    client: httpx.AsyncClient, given: Surroundings
) -> None:
    for path, cases in (("/api/roles/tech-lead", ROLE), ("/api/skills/python", SKILL)):
        before = await client.get(path)
        for fields, pointer, detail in cases:
            answer = await changed(client, path, writer(given), **fields)
            assert answer.status_code == 422, fields
            assert [error["pointer"] for error in answer.json()["errors"]] == [pointer], fields
            assert detail in answer.json()["errors"][0]["detail"], fields
        assert (await client.get(path)).json() == before.json()
        history = await client.get(f"{path}/history", headers=writer(given))
        assert history.json()["items"] == []

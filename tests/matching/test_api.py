"""Ranking over HTTP, on one running service that all tests of this file read from."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.matching.api import Places, rounded
from services.matching.app import build
from shared.events.candidate import CANDIDATES
from shared.events.manifest import MANIFEST
from shared.events.need import NEEDS
from shared.events.role import ROLES as ROLE_TOPIC
from shared.events.skill import SKILLS as SKILL_TOPIC
from shared.tokens import Tokens
from shared.web.access import KEY_PURPOSE
from shared.web.problems import Problem
from tests.matching.pieces import ROLES, SKILLS, asked, candidate, held, manifest, need
from tests.support import embedded_surroundings, publisher, running, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

IN_ARA: dict[str, Any] = {"region": "FR-ARA"}
POOL = [
    candidate("all", held("python", 4), held("kubernetes"), roles={"back-end-developer": 60}, **IN_ARA),
    *(candidate(f"python-{at}", held("python", 4), **IN_ARA) for at in range(7)),
    *(candidate(f"paris-{at}", held("python"), "kubernetes", region="FR-IDF") for at in range(3)),
    candidate("accountant", "excel", **IN_ARA),
]
BODY: dict[str, Any] = {
    "role_id": "back-end-developer",
    "skills": [{"skill": "Python", "level": 4, "must": True}, {"skill": "KUBERNETES", "must": True}],
    "location": {"country": "FR", "region": "FR-ARA"},
    "musts": ["location"],
}
NEED = need(
    "0190b1a0-0000-7000-8000-00000000000c",
    asked("python", 4, must=True),
    asked("kubernetes", must=True),
    location=BODY["location"],
    musts=("location",),
)


async def rank(client: httpx.AsyncClient, **more: Any) -> httpx.Response:
    return await client.post("/api/rank", json={"need": BODY, **more})


def key(tokens: Tokens, *scopes: str) -> dict[str, str]:
    token = tokens.issue(KEY_PURPOSE, "acme", lifetime=timedelta(hours=1), scopes=scopes)
    return {"Authorization": f"Bearer {token}"}


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="client")
async def _client() -> AsyncIterator[httpx.AsyncClient]:
    async with embedded_surroundings() as given, publisher(given.kafka_bootstrap) as out:
        for role in ROLES.values():
            await out.publish(ROLE_TOPIC, role)
        for skill in SKILLS.values():
            await out.publish(SKILL_TOPIC, skill)
        await out.publish(MANIFEST, manifest())
        for one in POOL:
            await out.publish(CANDIDATES, one)
        await out.publish(NEEDS, NEED)
        async with running(build(given)) as client:
            client.headers.update(key(given.tokens, "shortlists:read"))

            async def ranked() -> bool:
                return (await client.get(f"/api/shortlists/{NEED.need_id}")).status_code == 200

            await until(ranked)
            yield client


async def test_rank_equals_the_published_shortlist(client: httpx.AsyncClient) -> None:
    published = (await client.get(f"/api/shortlists/{NEED.need_id}")).json()
    answer = await client.post("/api/rank", json={"need": BODY})
    assert answer.status_code == 200, answer.text
    ranked = answer.json()
    listed = [entry["candidate_id"] for entry in ranked["shortlist"]]
    assert listed == ["all", *(f"python-{at}" for at in range(7)), "accountant"]
    assert ranked["shortlist"][:8] == published["entries"]
    assert ranked["near_misses"] == published["near_misses"]
    assert [near["missed"] for near in ranked["near_misses"]] == ["location"] * 3
    assert (ranked["eligible"], ranked["relaxed"]) == (published["eligible"], published["relaxed"])
    for name in ("engine", "taxonomy", "weights", "model"):
        assert ranked[name] == published[name]
    assert ranked["index"]["candidates"] == len(POOL)


async def test_rank_takes_a_limit(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/rank", json={"need": BODY, "limit": 2})
    assert [entry["candidate_id"] for entry in answer.json()["shortlist"]] == ["all", "python-0"]


async def test_ranking_needs_a_key_with_the_scope(client: httpx.AsyncClient) -> None:
    tokens = client._transport.app.state.service.tokens  # type: ignore[attr-defined]
    for headers, status in (
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer nonsense"}, 401),
        (key(tokens, "needs:write"), 403),
        (key(tokens, "*"), 200),
    ):
        answer = await client.post("/api/rank", json={"need": BODY}, headers=headers)
        assert answer.status_code == status
        answer = await client.get(f"/api/shortlists/{NEED.need_id}", headers=headers)
        assert answer.status_code == status


@pytest.mark.parametrize("path", ["/api/rank", "/api/preview"])
@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"role_id": "astronaut"}, "/need/role_id"),
        ({"role_id": None}, "/need/role_id"),
        ({"skills": [{"skill": "python"}, {"skill": "klingon"}]}, "/need/skills/1/skill"),
        ({"skills": [{"skill": "python", "level": 9}]}, "/need/skills/0/level"),
        ({"skills": [{"skill": "python", "level": "4"}]}, "/need/skills/0/level"),
        ({"start_by": "2020-01-01"}, "/need/start_by"),
        ({"location": {"country": "FR", "region": "BE-BRU"}}, "/need/location/region"),
        ({"colour": "blue"}, "/need/colour"),
        ({"musts": ["charm"]}, "/need/musts/0"),
        ({"budget": {}}, "/need/budget"),
        ({"languages": [{"language": "français"}]}, "/need/languages/0/language"),
        ({"min_years": -1}, "/need/min_years"),
    ],
)
async def test_bad_fields_are_pointed_at(
    client: httpx.AsyncClient, path: str, change: dict[str, Any], pointer: str
) -> None:
    answer = await client.post(path, json={"need": BODY | change})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_limit_over_ten_thousand_and_bad_json_are_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/rank", json={"need": BODY, "limit": 10_001})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/limit")
    assert (await client.post("/api/rank", content=b"{")).status_code == 400
    assert (await client.post("/api/rank", content=b"[]")).status_code == 422


async def test_what_ranking_does_not_read_may_be_sent(client: httpx.AsyncClient) -> None:
    more = {"company": "Acme", "contact": {"name": "Ada"}, "positions": 2, "description": "x", "locale": "en"}
    answer = await client.post("/api/rank", json={"need": BODY | more})
    assert answer.status_code == 200


async def test_preview_is_rounded_without_a_key_and_exact_with_one(client: httpx.AsyncClient) -> None:
    exact = (await client.post("/api/preview", json={"need": BODY})).json()
    assert exact == {
        "eligible": 9,
        "covering_musts": 1,
        "without": {"location": 3},
        "without_skill": {"python": 0, "kubernetes": 7},
    }
    rough = (await client.post("/api/preview", json={"need": BODY}, headers={"Authorization": ""})).json()
    assert rough == {
        "eligible": 5,
        "covering_musts": "fewer than 5",
        "without": {"location": "fewer than 5"},
        "without_skill": {"python": 0, "kubernetes": 5},
    }


async def test_preview_is_limited_for_who_has_no_key(client: httpx.AsyncClient) -> None:
    async def ask() -> int:
        answer = await client.post("/api/preview", json={"need": BODY}, headers={"Authorization": ""})
        return answer.status_code

    statuses = await asyncio.gather(*(ask() for _ in range(60)))
    assert {200, 429} >= set(statuses)
    assert 429 in statuses
    assert (await client.post("/api/preview", json={"need": BODY})).status_code == 200


async def test_shortlists_that_are_not_there(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/shortlists/none")).status_code == 404
    current = (await client.get(f"/api/shortlists/{NEED.need_id}")).json()["revision"]
    path = f"/api/shortlists/{NEED.need_id}"
    assert (await client.get(path, params={"revision": current})).status_code == 200
    assert (await client.get(path, params={"revision": 1})).status_code == 404


async def test_rankings_on_top_are_turned_away_and_a_place_is_free_only_when_its_work_is_done() -> None:
    places = Places(1, timeout_seconds=0.05)
    finish = asyncio.Event()

    async def slow() -> str:
        await finish.wait()
        return "done"

    with pytest.raises(Problem) as late:
        await places.run(slow())
    assert (late.value.status, late.value.headers) == (503, {"Retry-After": "5"})
    # Whoever asked was told to wait; the work goes on, and its place is taken until it is done.
    with pytest.raises(Problem) as turned_away:
        await places.run(slow())
    assert (turned_away.value.status, turned_away.value.headers) == (429, {"Retry-After": "1"})
    finish.set()
    await until(lambda: places.free == 1)
    assert await places.run(slow()) == "done"


async def test_many_rankings_at_once_are_answered_or_turned_away(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(rank(client) for _ in range(40)))
    statuses = {answer.status_code for answer in answers}
    assert statuses == {200, 429}
    turned_away = [answer for answer in answers if answer.status_code == 429]
    assert all(answer.headers["Retry-After"] == "1" for answer in turned_away)
    assert sum(1 for answer in answers if answer.status_code == 200) >= 16
    assert (await rank(client)).status_code == 200


async def test_weights_can_differ_in_one_ranking(client: httpx.AsyncClient) -> None:
    usual, other = await rank(client), await rank(client, weights={"role_fit": 0})
    assert usual.json()["weights"] != other.json()["weights"]
    criteria = [part["criterion"] for part in other.json()["shortlist"][0]["parts"]]
    assert "role_fit" not in criteria
    assert "role_fit" in [part["criterion"] for part in usual.json()["shortlist"][0]["parts"]]
    bad = await rank(client, weights={"luck": 3})
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/weights/luck")


async def test_request_bodies_are_described(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    for path in ("/api/rank", "/api/preview"):
        schema = paths[path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert "skills" in schema["properties"]["need"]["properties"]


@pytest.mark.parametrize(
    ("count", "shown"), [(0, 0), (1, "fewer than 5"), (4, "fewer than 5"), (5, 5), (9, 5), (12, 10)]
)
async def test_rounding(count: int, shown: int | str) -> None:
    assert rounded(count) == shown

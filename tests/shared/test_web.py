"""Errors, limits and keys, as a caller sees them."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field
from pymongo.errors import ServerSelectionTimeoutError

from shared.run import Surroundings
from shared.service import Service
from shared.web.access import KEY_PURPOSE, Caller, ClientAddress, RateLimit, rate_limited, requires
from shared.web.problems import parse_json
from tests.support import running


class Skill(BaseModel):
    model_config = ConfigDict(extra="forbid")
    level: int = Field(ge=1, le=5)


class Need(BaseModel):
    model_config = ConfigDict(extra="forbid")
    skills: list[Skill] = Field(default_factory=list)


def app_of(given: Surroundings, router: APIRouter) -> FastAPI:
    return Service("intake", given.settings, given.metrics, given.tokens).fastapi_app(router)


@pytest.fixture
async def client(given: Surroundings) -> AsyncIterator[httpx.AsyncClient]:
    router = APIRouter()

    @router.post("/needs")
    async def post(request: Request) -> dict[str, int]:
        return {"skills": len(parse_json(await request.body(), Need).skills)}

    @router.get("/outage")
    async def outage() -> None:
        raise ServerSelectionTimeoutError("no servers; jane.canary@example.com")

    @router.get("/bug")
    async def bug() -> None:
        raise KeyError("jane.canary@example.com")

    @router.get("/mine")
    async def mine(caller: Caller = Depends(requires("needs:read"))) -> dict[str, str]:
        return {"owner": caller.owner}

    async with running(app_of(given, router), ready=False) as made:
        yield made


async def test_bad_json_is_told_with_its_place(client: httpx.AsyncClient) -> None:
    answer = await client.post("/needs", content=b'{"skills": [}')
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert "line 1 column 13" in answer.json()["title"]


@pytest.mark.parametrize("body", [b"[" * 100_000, b"\xff\xfe", b"", b"NaN", b"[]", b'"x"'])
async def test_a_body_that_is_no_json_object_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/needs", content=body)
    assert answer.status_code in {400, 422}
    assert answer.json()["errors"]


async def test_a_bad_field_is_named_by_its_pointer(client: httpx.AsyncClient) -> None:
    answer = await client.post("/needs", json={"skills": [{"level": 3}, {"level": 9}], "colour": "blue"})
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/skills/1/level", "/colour"}


async def test_a_body_over_the_limit_is_refused_whether_it_says_so_or_not(client: httpx.AsyncClient) -> None:
    large = b'{"skills": [' + b" " * 2_000_000 + b"]}"
    assert (await client.post("/needs", content=large)).status_code == 413

    async def drip() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 100_000):
            yield large[start : start + 100_000]

    answer = await client.post("/needs", content=drip())
    assert answer.status_code == 413
    assert "1024 KiB" in answer.json()["title"]


async def test_an_outage_is_503_with_retry_after_and_a_bug_500_both_without_details(
    client: httpx.AsyncClient,
) -> None:
    outage, bug = await client.get("/outage"), await client.get("/bug")
    assert (outage.status_code, bug.status_code) == (503, 500)
    assert int(outage.headers["retry-after"]) > 0
    assert "canary" not in outage.text + bug.text


async def test_a_key_opens_what_its_scopes_name_and_nothing_else(
    client: httpx.AsyncClient, given: Surroundings
) -> None:
    hour = timedelta(hours=1)
    right = given.tokens.issue(KEY_PURPOSE, "acme", scopes=["needs:read"], lifetime=hour)
    other = given.tokens.issue(KEY_PURPOSE, "acme", scopes=["needs:write"], lifetime=hour)
    link = given.tokens.issue("need-tracking", "acme", scopes=["*"], lifetime=hour)
    wanted = {right: 200, other: 403, link: 401, "nonsense": 401}
    for key, status in wanted.items():
        answer = await client.get("/mine", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == status
    assert (await client.get("/mine")).status_code == 401


async def test_every_answer_carries_the_security_headers(client: httpx.AsyncClient) -> None:
    for path in ("/livez", "/nowhere", "/bug"):
        headers = (await client.get(path)).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


async def test_rate_limits_count_by_address_and_a_forged_header_does_not_help(given: Surroundings) -> None:
    router = APIRouter()
    limit = RateLimit(per_second=0.001, burst=2)
    guard = rate_limited(limit, ClientAddress(""))
    router.add_api_route("/open", lambda: {"ok": True}, dependencies=[Depends(guard)])
    async with running(app_of(given, router), ready=False) as client:
        answers = [
            await client.get("/open", headers={"X-Forwarded-For": f"203.0.113.{number}"})
            for number in range(3)
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) > 0


def test_forwarded_addresses_are_believed_of_trusted_proxies_alone() -> None:
    def request(peer: str, forwarded: str) -> Request:
        headers = [(b"x-forwarded-for", forwarded.encode())]
        return Request({"type": "http", "client": (peer, 1), "headers": headers})

    addresses = ClientAddress("10.0.0.0/8")
    assert addresses.of(request("10.0.0.9", "203.0.113.7")) == "203.0.113.7"
    assert addresses.of(request("10.0.0.9", "198.51.100.1, 203.0.113.7, 10.1.1.1")) == "203.0.113.7"
    assert addresses.of(request("192.0.2.4", "203.0.113.7")) == "192.0.2.4"


def test_a_bucket_fills_again_with_time() -> None:
    clock = [0.0]
    limit = RateLimit(per_second=2, burst=1, clock=lambda: clock[0])
    assert limit.seconds_to_wait("a") == 0
    assert limit.seconds_to_wait("a") == 0.5
    assert limit.seconds_to_wait("b") == 0, "another address has its own"
    clock[0] = 0.5
    assert limit.seconds_to_wait("a") == 0


async def test_docs_list_what_the_service_answers_without_any_script(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert "POST /needs" in page.text
    assert "<script" not in page.text
    assert (await client.get("/openapi.json")).json()["paths"]


async def test_an_unknown_method_makes_no_new_series(client: httpx.AsyncClient, given: Surroundings) -> None:
    for number in range(3):
        await client.request(f"FOO{number}", "/needs")
    assert b'method="OTHER"' in given.metrics.exposition()
    assert b"FOO" not in given.metrics.exposition()

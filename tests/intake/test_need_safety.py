"""What keeps the portal safe: headers, limits, nesting, addresses, and text that stays text."""

import re
from typing import Any

import httpx
import pytest

from shared.run import Surroundings
from tests.intake.support import a_need, bearer, intake
from tests.intake.test_need_desk import signed_in
from tests.intake.test_pages import filled
from tests.support import embedded_surroundings

OWN = {"Origin": "http://test"}
HOSTILE = "https://evil.example/x <img src=x onerror=alert(1)> javascript:alert(1) [a](http://evil.example)"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTAKE_FORM_SECONDS", "0")
    # However slow the machine: nobody is let in again while a test counts.
    monkeypatch.setenv("INTAKE_RATE_PER_SECOND", "0.001")


async def test_every_page_has_the_strict_policy_and_the_usual_headers(given: Surroundings) -> None:
    async with intake(given) as client:
        need = (await client.post("/api/needs", json=a_need())).json()
        path, link = f"/needs/{need['need_id']}", httpx.URL(need["tracking_url"]).params
        me = signed_in(given)
        answers = [
            await client.get(page) for page in ("/needs/new", "/needs/find", "/needs/unknown", "/needs")
        ]
        answers += [
            await client.get(f"{path}{page}", params=link) for page in ("", "/edit", "/filled", "/withdraw")
        ]
        answers += [await client.get(page, headers=me) for page in ("/needs", path)]
        answers.append(await client.post("/needs", data={}, headers={"Origin": "https://evil.example"}))
        answers.append(await client.post("/needs", data={"description": "x" * 1_100_000}))
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy, answer.url
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin", "the link's token goes to nobody else"
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", answer.text)


async def test_nothing_that_was_typed_becomes_a_link_or_markup(given: Surroundings) -> None:
    typed: dict[str, Any] = {
        "title": HOSTILE,
        "company": HOSTILE,
        "contact": {"name": HOSTILE, "email": "ada@acme.example"},
        "description": HOSTILE,
        "skills": [{"skill": "https://evil.example"}],
        "location": {"country": "FR", "city": "http://evil.example"},
    }
    async with intake(given) as client:
        need = (await client.post("/api/needs", json=a_need(**typed))).json()
        path, link = f"/needs/{need['need_id']}", httpx.URL(need["tracking_url"]).params
        pages = [
            await client.get(f"{path}{page}", params=link) for page in ("", "/edit", "/filled", "/withdraw")
        ]
        pages += [await client.get(page, headers=signed_in(given)) for page in (path, "/needs")]
    for page in pages:
        assert page.status_code == 200, page.url
        links = re.findall(r'(?:href|src|action)="([^"]*)"', page.text)
        assert links
        assert not [each for each in links if "evil" in each or "javascript" in each], page.url
        assert "<img" not in page.text
    assert sum("evil.example" in page.text for page in pages) >= 5, "it is shown, as text"


async def test_a_forged_address_does_not_lift_the_limit(given: Surroundings) -> None:
    async with intake(given) as client:
        statuses = [
            (
                await client.post(
                    "/needs", data={"company": "Acme"}, headers=OWN | {"X-Forwarded-For": f"192.0.2.{number}"}
                )
            ).status_code
            for number in range(22)
        ]
    assert statuses[0] == 422
    assert statuses[-1] == 429


async def test_behind_a_trusted_proxy_each_address_has_its_own_limit() -> None:
    async with embedded_surroundings(trusted_proxies="127.0.0.0/8") as given, intake(given) as client:

        async def sent(forwarded: str) -> int:
            headers = OWN | {"X-Forwarded-For": forwarded}
            return (await client.post("/needs", data={"company": "Acme"}, headers=headers)).status_code

        assert {await sent(f"192.0.2.{number}") for number in range(22)} == {422}
        # What stands left of the proxy's own entry is the caller's invention.
        assert [await sent(f"198.51.100.{number}, 203.0.113.9") for number in range(22)][-1] == 429


DEEP = [
    b'{"a":' * 100_000,
    b'{"description":' + b"[" * 60_000,
    b'{"location":' * 2000 + b"1" + b"}" * 2000,
    b'{"skills":' + b"[" * 900 + b"]" * 900 + b"}",
]


@pytest.mark.parametrize("body", DEEP, ids=range(len(DEEP)))
async def test_deep_nesting_is_refused_wherever_json_is_read(given: Surroundings, body: bytes) -> None:
    async with intake(given) as client:
        need = (await client.post("/api/needs", json=a_need(), headers=bearer(given))).json()
        posted = await client.post("/api/needs", content=body, headers=bearer(given))
        patched = await client.patch(
            f"/api/needs/{need['need_id']}", content=body, headers=bearer(given) | {"If-Match": "*"}
        )
    assert posted.status_code in {400, 422}
    assert patched.status_code == 400
    assert patched.headers["content-type"] == "application/problem+json"


async def test_long_lists_are_refused(given: Surroundings) -> None:
    long: list[dict[str, Any]] = [
        {"skills": [{"skill": "Python"}] * 61},
        {"languages": [{"language": "fr"}] * 16},
        {"contracts": ["freelance"] * 9},
        {"musts": ["location"] * 19},
    ]
    async with intake(given) as client:
        for change in long:
            answer = await client.post("/api/needs", json=a_need(**change), headers=bearer(given))
            assert answer.status_code == 422, change
        form = (await client.get("/needs/new")).text
        many = [("skill", f"skill {number}") for number in range(500)]
        answer = await client.post("/needs", data=filled(form) | {"skill": [name for _, name in many]})
        assert answer.status_code == 422


async def test_a_stale_edit_is_answered_with_the_current_state_and_its_tag(given: Surroundings) -> None:
    async with intake(given) as client:
        need = (await client.post("/api/needs", json=a_need())).json()
        path, link = f"/api/needs/{need['need_id']}", httpx.URL(need["tracking_url"]).params
        first = await client.patch(
            path, params=link, headers={"If-Match": f'"{need["revision"]}"'}, json={"positions": 2}
        )
        late = await client.patch(
            path, params=link, headers={"If-Match": f'"{need["revision"]}"'}, json={"positions": 3}
        )
    assert first.status_code == 200
    assert late.status_code == 412
    assert late.json()["current"]["positions"] == 2
    assert late.headers["etag"] == first.headers["etag"]


async def test_the_description_of_the_interface_shows_what_a_need_is(given: Surroundings) -> None:
    async with intake(given) as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    body = paths["/api/needs"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["required"]) == {"company", "contact"}
    assert "musts" in body["properties"]
    patch = paths["/api/needs/{need_id}"]["patch"]["requestBody"]["content"]
    assert "required" not in patch["application/merge-patch+json"]["schema"]

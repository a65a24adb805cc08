"""What strangers may try on /api/candidates: size, nesting, others' records, links that lead elsewhere."""

import asyncio
import json
import re
from typing import Any

import httpx
import pytest

from services.intake.store_entities import pattern_of
from shared.run import Surroundings
from shared.web.middleware import MAX_BODY
from tests.intake.desk import OURS, consultant
from tests.intake.support import a_candidate, bearer, intake
from tests.intake.test_uploads import a_docx, a_pdf


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"skills": [{"skill": f"s{number}"} for number in range(201)]}, "/skills"),
        ({"roles": [{"role": "x", "months": 1}] * 61}, "/roles"),
        ({"contracts": ["freelance"] * 9}, "/contracts"),
        ({"languages": [{"language": "fr"}] * 21}, "/languages"),
        ({"cv_text": "a" * 200_001}, "/cv_text"),
        ({"name": "a" * 121}, "/name"),
        ({"external_id": "zoe@mail.example"}, "/external_id"),
        ({"name": "Sample\r\nBcc: x@example.test"}, "/name"),
        ({"location": {"country": "FR", "nested": {"deeper": {}}}}, "/location/nested"),
        ({"years": float("inf")}, "/years"),
    ],
)
async def test_what_is_too_much_is_refused_by_its_name(
    given: Surroundings, changes: dict[str, Any], pointer: str
) -> None:
    async with intake(given) as client:
        body = json.dumps(a_candidate(**changes))
        one = await client.post("/api/candidates", content=body, headers=bearer(given))
        line = await client.post("/api/candidates/batch", content=body, headers=bearer(given))
        refused = one.json()["errors"], line.json()["errors"]
    assert one.status_code in {400, 422}
    assert refused[0] == refused[1]
    assert refused[0][0]["pointer"] == pointer


async def test_a_time_beyond_the_calendar_is_no_cursor(given: Surroundings) -> None:
    async with intake(given) as client:
        auditor, admin = bearer(given, "a", "candidates:audit"), consultant(given, admin=True)
        for moment in ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "yesterday"):
            listed = await client.get("/api/candidates/reveals", params={"after": moment}, headers=auditor)
            page = await client.get("/candidates/reveals", params={"before": moment}, headers=admin)
            assert (listed.status_code, page.status_code) == (422, 422), moment


async def test_a_form_of_half_characters_is_refused_on_a_page(
    given: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTAKE_RATE_BURST", "100")
    part = b'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\n+2AA-\r\n--b--\r\n'
    headers = OURS | {"Content-Type": "multipart/form-data; boundary=b; charset=utf-7"}
    async with intake(given) as client:
        for path in ("/needs", "/needs/find", "/candidates/register", "/candidates/me"):
            answer = await client.post(path, content=part, headers=headers)
            assert answer.status_code == 400, path
            assert answer.headers["content-type"].startswith("text/html"), path


def test_no_pattern_holds_the_null_character_that_mongodb_refuses() -> None:
    assert re.search(pattern_of("a\0.c"), "xa.cx")
    assert not re.search(pattern_of("a.c"), "abc")


async def test_nesting_and_size_are_bounded_wherever_a_body_is_taken(given: Surroundings) -> None:
    async with intake(given) as client:
        made = await client.post("/api/candidates", json=a_candidate(), headers=bearer(given))
        path = f"/api/candidates/{made.json()['candidate_id']}"
        deep = "[" * 100_000 + "]" * 100_000
        deep_object = '{"a":' * 50_000 + "1" + "}" * 50_000
        for body in (deep, deep_object):
            assert (
                await client.post("/api/candidates", content=body, headers=bearer(given))
            ).status_code == 400
            assert (await client.patch(path, content=body, headers=bearer(given))).status_code == 400
            batch = await client.post("/api/candidates/batch", content=body, headers=bearer(given))
            assert batch.json()["status"] == 400
        large = b'{"name": "' + b"a" * MAX_BODY + b'"}'
        assert (await client.patch(path, content=large, headers=bearer(given))).status_code == 413
        assert (await client.post("/api/candidates", content=large, headers=bearer(given))).status_code == 413
        assert (await client.get(path, headers=bearer(given))).json()["given"]["name"] == "Zoé Canari"


async def test_one_owners_key_reaches_nothing_of_anothers(given: Surroundings) -> None:
    async with intake(given) as client:
        made = await client.post(
            "/api/candidates",
            files={"cv": ("a.txt", b"Java", None), "profile": (None, json.dumps(a_candidate()))},
            headers=bearer(given),
        )
        path = f"/api/candidates/{made.json()['candidate_id']}"
        reached = []
        for method, url in (
            ("GET", path),
            ("PATCH", path),
            ("DELETE", path),
            ("GET", f"{path}/cv"),
            ("GET", f"{path}/export"),
        ):
            answers = [
                (await client.request(method, url, json={}, headers=headers)).status_code
                for headers in (bearer(given, "other"), bearer(given, "acme", "needs:write"), {})
            ]
            reached.append(answers)
        assert reached == [[404, 403, 401]] * 5
        listed = await client.get("/api/candidates?q=canari", headers=bearer(given, "other"))
        assert listed.json()["items"] == []
        # The same external id of another owner is another candidate.
        again = await client.post("/api/candidates", json=a_candidate(), headers=bearer(given, "other"))
        assert again.status_code == 201


async def test_no_link_that_comes_in_is_ever_followed(given: Surroundings) -> None:
    called = 0

    async def note(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal called
        called += 1
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x.png"
    async with server, intake(given) as client:
        await _send_links(client, given, url)
        assert called == 0
        # Or this test could not fail.
        async with httpx.AsyncClient() as other:
            with pytest.raises(httpx.TransportError):
                await other.get(url)
        assert called == 1


async def _send_links(client: httpx.AsyncClient, given: Surroundings, url: str) -> None:
    everywhere = {
        "name": url,
        "external_id": url,
        "cv_text": f"Java {url} <img src={url}>",
        "skills": [{"skill": url}, {"skill": "Python"}],
        "basis": a_candidate()["basis"] | {"source": url},
    }
    body = a_candidate(**everywhere)
    assert (await client.post("/api/candidates", json=body, headers=bearer(given))).status_code == 201
    for number, cv in enumerate((a_pdf("Java", url), a_docx("Java", url))):
        answer = await client.post(
            "/api/candidates",
            files={
                "cv": (url, cv, None),
                "profile": (None, json.dumps(a_candidate(external_id=str(number)))),
            },
            headers=bearer(given),
        )
        assert answer.status_code == 201

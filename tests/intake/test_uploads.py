"""POST /api/candidates with a file: known by its content, kept as it came, and nothing half stored."""

import io
import json
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from docx import Document as Docx
from reportlab.pdfgen.canvas import Canvas

from services.intake.app import build
from services.intake.candidate_body import UPLOAD_BYTES
from services.intake.files import FILE_BYTES, Files, Upload, safe_name
from services.intake.rights import BATCH, sweep_files
from services.intake.store_rights import RightsStore
from shared.run import Surroundings
from tests.intake.support import a_candidate, bearer, intake, publish_catalogue, serving

LINES = ("Sample Person", "Java: 5 years", "Kubernetes in production, and SQL")


def a_pdf(*lines: str) -> bytes:
    out = io.BytesIO()
    page = Canvas(out)
    for number, line in enumerate(lines or LINES):
        page.drawString(72, 760 - 20 * number, line)
    page.save()
    return out.getvalue()


def a_docx(*lines: str) -> bytes:
    document, out = Docx(), io.BytesIO()
    for line in lines or LINES:
        document.add_paragraph(line)
    document.save(out)
    return out.getvalue()


def a_text(*lines: str) -> bytes:
    return "\n".join(lines or LINES).encode()


async def send(
    client: httpx.AsyncClient,
    given: Surroundings,
    cv: bytes,
    name: str = "cv.bin",
    dry_run: bool = False,
    **changes: Any,
) -> httpx.Response:
    changes = {"skills": ..., "roles": ...} | changes
    return await client.post(
        "/api/candidates",
        params={"dry_run": "true"} if dry_run else {},
        files={"cv": (name, cv, "image/png")},
        data={"profile": json.dumps(a_candidate(**changes))},
        headers=bearer(given),
    )


async def stored(given: Surroundings, collection: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        await given.mongo_client["recruitment_intake"][collection].find().to_list(None)
    )
    return found


@pytest.mark.parametrize(
    ("make", "kind", "media"),
    [
        (a_pdf, "pdf", "application/pdf"),
        (a_docx, "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (a_text, "txt", "text/plain; charset=utf-8"),
    ],
)
async def test_a_file_is_known_by_its_content_read_and_kept_as_it_came(
    given: Surroundings, make: Any, kind: str, media: str
) -> None:
    cv = make()
    async with intake(given) as client:
        dry = await send(client, given, cv, dry_run=True)
        assert await stored(given, "candidates") == await stored(given, "files") == []
        response = await send(client, given, cv, name="../My: CV.exe")
        answer = response.json()
        assert (dry.status_code, response.status_code) == (200, 201)
        assert dry.json() == {name: value for name, value in answer.items() if name != "candidate_id"}
        assert {held["skill"] for held in answer["skills"]} == {"java", "kubernetes", "sql"}
        java = next(held for held in answer["skills"] if held["skill"] == "java")
        assert (java["years"], java["evidence"]) == (5, ["Java: 5 years"])
        path = f"/api/candidates/{answer['candidate_id']}"
        original = await client.get(f"{path}/cv", headers=bearer(given))
        assert original.content == cv
        assert original.headers["content-type"] == media
        assert original.headers["content-disposition"] == (
            f'attachment; filename="{answer["candidate_id"]}.{kind}"'
        )
        assert (await client.get(f"{path}/cv", headers=bearer(given, "other"))).status_code == 404
    [document] = await stored(given, "candidates")
    assert document["file"]["name"] == f"My CV.{kind}"


async def test_a_newer_file_replaces_the_older_and_a_feed_without_one_leaves_it(given: Surroundings) -> None:
    async with intake(given) as client:
        await send(client, given, a_text("Java"))
        [first] = await stored(given, "files")
        same = await send(client, given, a_text("Java"))
        assert [file["_id"] for file in await stored(given, "files")] == [first["_id"]]
        newer = await send(client, given, a_pdf("Docker"))
        [second] = await stored(given, "files")
        assert second["_id"] != first["_id"]
        assert [held["skill"] for held in newer.json()["skills"]] == ["docker"]
        # A nightly feed that knows nothing of the CV.
        fed = await client.post("/api/candidates", json=a_candidate(day_rate=610), headers=bearer(given))
        assert [held["skill"] for held in fed.json()["skills"]] == ["python", "docker"]
        path = f"/api/candidates/{fed.json()['candidate_id']}"
        assert (await client.get(f"{path}/cv", headers=bearer(given))).status_code == 200
        taken = await client.patch(path, json={"cv_text": None}, headers=bearer(given))
        assert [held["skill"] for held in taken.json()["skills"]] == ["python"]
        assert await stored(given, "files") == []
    assert (same.status_code, newer.status_code, fed.status_code) == (200, 200, 200)


@pytest.mark.parametrize(
    ("cv", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "unsupported"),
        (b"%PDF-1.7\nbroken", "broken"),
        (a_pdf()[:300], "broken"),
        (b"", "empty"),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_in_a_sentence_and_leaves_nothing(
    given: Surroundings, cv: bytes, kind: str
) -> None:
    async with intake(given) as client:
        response = await send(client, given, cv)
    problem = response.json()
    assert response.status_code == 422
    assert (problem["type"], problem["kind"]) == ("/problems/unreadable-cv", kind)
    assert problem["errors"] == [{"pointer": "/cv", "detail": problem["detail"]}]
    assert problem["detail"].endswith(".")
    for collection in ("candidates", "files", "external_ids"):
        assert await stored(given, collection) == []


async def test_a_refused_update_leaves_the_candidate_as_it_was(given: Surroundings) -> None:
    async with intake(given) as client:
        await send(client, given, a_text("Java"))
        before = await stored(given, "candidates"), await stored(given, "files")
        assert (await send(client, given, b"%PDF-1.7\nbroken")).status_code == 422
        assert (await send(client, given, a_text("Docker"), years=-1)).status_code == 422
        after = await stored(given, "candidates"), await stored(given, "files")
    assert [document["revision"] for document in after[0]] == [document["revision"] for document in before[0]]
    assert after[1] == before[1]


async def test_a_file_over_the_limit_is_413_and_says_how_much_may_come(given: Surroundings) -> None:
    async with intake(given) as client:
        response = await send(client, given, b"a" * (FILE_BYTES + 1))
        json_body = await client.post("/api/candidates", content=b" " * 2_000_000, headers=bearer(given))
    assert response.status_code == json_body.status_code == 413
    assert response.json()["errors"] == [
        {"pointer": "/cv", "detail": f"at most {FILE_BYTES:,} bytes are accepted here"}
    ]


@pytest.fixture
async def address(given: Surroundings) -> AsyncIterator[str]:
    await publish_catalogue(given.kafka_bootstrap)
    async with serving(build(given), given) as url:
        yield url


@pytest.mark.parametrize("length", [{}, {"Content-Length": "30000000"}])
async def test_thirty_megabytes_are_refused_and_never_lie_in_memory(
    given: Surroundings, address: str, length: dict[str, str]
) -> None:
    chunk = b"a" * 60_000

    async def body() -> AsyncIterator[bytes]:
        head = b'--b\r\nContent-Disposition: form-data; name="cv"; filename="a.pdf"\r\n\r\n'
        yield head.ljust(len(chunk), b"a")
        for _ in range(30_000_000 // len(chunk) - 1):
            yield chunk

    headers = bearer(given) | {"Content-Type": "multipart/form-data; boundary=b"} | length
    async with httpx.AsyncClient(base_url=address, timeout=30) as client:
        tracemalloc.start()
        try:
            response = await client.post("/api/candidates", content=body(), headers=headers)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert response.status_code == 413
    assert response.json()["errors"][0]["detail"] == f"at most {UPLOAD_BYTES:,} bytes are accepted here"
    assert peak < 8_000_000
    assert await stored(given, "files") == []


async def test_far_more_is_refused_unread(given: Surroundings) -> None:
    async with intake(given) as client:
        headers = bearer(given) | {"Content-Length": "900000000"}
        assert (await client.post("/api/candidates", content=b"{}", headers=headers)).status_code == 413


@pytest.mark.parametrize(
    ("files", "status", "pointer"),
    [
        ({"cv": ("a.txt", b"Java", None)}, 422, "/profile"),
        ({"profile": (None, b"{}", None), "photo": ("a.png", b"x", None)}, 422, "/photo"),
        ({"profile": (None, b"{broken", None)}, 400, ""),
        ({"profile": (None, b'{"name": "Sample", "shoe_size": 43}', None)}, 422, "/shoe_size"),
    ],
)
async def test_other_parts_are_refused_by_name(
    given: Surroundings, files: dict[str, Any], status: int, pointer: str
) -> None:
    async with intake(given) as client:
        response = await client.post("/api/candidates", files=files, headers=bearer(given))
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (status, pointer)


async def test_the_profile_may_come_as_a_file_and_the_cv_be_left_out(given: Surroundings) -> None:
    profile = ("p.json", json.dumps(a_candidate()), "application/json")
    async with intake(given) as client:
        response = await client.post("/api/candidates", files={"profile": profile}, headers=bearer(given))
        junk = {"Content-Type": "multipart/form-data"} | bearer(given)
        broken = await client.post("/api/candidates", content=b"x", headers=junk)
    assert response.status_code == 201
    assert broken.status_code == 400


async def test_an_upload_needs_a_key_before_it_is_looked_at(given: Surroundings) -> None:
    async with intake(given) as client:
        response = await client.post("/api/candidates", files={"cv": ("a.txt", a_text(), None)})
    assert response.status_code == 401


async def test_the_description_shows_the_bodies(given: Surroundings) -> None:
    async with intake(given) as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    post = paths["/api/candidates"]["post"]["requestBody"]["content"]
    assert set(post) == {"application/json", "multipart/form-data"}
    fields = post["application/json"]["schema"]["properties"]
    assert {"external_id", "skills", "basis", "location"} <= set(fields)
    assert fields["skills"]["items"]["properties"]["skill"]["type"] == "string"
    assert "$ref" not in json.dumps(post)
    assert paths["/api/candidates/batch"]["post"]["requestBody"]["content"]["application/x-ndjson"]
    assert paths["/api/candidates/{candidate_id}"]["patch"]["requestBody"]["content"]


async def test_files_that_a_crash_left_are_dropped_however_many_there_are(given: Surroundings) -> None:
    mongo = given.mongo("intake")
    files, long_ago = Files(mongo), datetime(2026, 1, 1, tzinfo=UTC)
    count = BATCH * 2 + 3
    for number in range(count):
        file = {"_id": f"{number:04}", "candidate_id": f"c{number}", "content": b"x"}
        await files.collection.insert_one(file | {"created_at": long_ago})
    await files.put("c-new", Upload(b"just now", "cv.txt", "text"))
    for number in (0, BATCH, count - 1):
        named = {"_id": f"c{number}", "file": {"id": f"{number:04}"}}
        await mongo.collection("candidates").insert_one(named)
    await sweep_files(files, RightsStore(mongo))
    left = sorted(file["candidate_id"] for file in await stored(given, "files"))
    assert left == sorted(["c0", f"c{BATCH}", f"c{count - 1}", "c-new"])


def test_a_files_name_is_made_harmless() -> None:
    assert safe_name("../../etc/passwd", "text") == "passwd.txt"
    assert safe_name("C:\\Users\\x\\cv.docx", "pdf") == "cv.pdf"
    assert safe_name('a"b\r\n.pdf', "pdf") == "ab.pdf"
    assert safe_name("..", "pdf") == "cv.pdf"
    assert len(safe_name("a" * 500, "docx")) < 120

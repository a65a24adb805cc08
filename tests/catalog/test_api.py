"""Reading and changing roles and skills over HTTP."""

import httpx
import pytest

from shared.run import Surroundings
from tests.catalog.support import both, changed, key, writer


async def test_an_unchanged_sheet_is_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/api/roles/back-end-developer")
    assert first.status_code == 200
    assert first.headers["ETag"] == f'"{first.json()["revision"]}"'
    assert first.json()["skills"] == [{"skill": "python", "level": 4}, {"skill": "postgresql", "level": 3}]
    again = await client.get(
        "/api/roles/back-end-developer", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    listed = await client.get("/api/skills")
    assert (
        await client.get("/api/skills", headers={"If-None-Match": listed.headers["ETag"]})
    ).status_code == 304
    other = await client.get("/api/skills?limit=1", headers={"If-None-Match": listed.headers["ETag"]})
    assert other.status_code == 200


async def test_lists_are_read_page_by_page(client: httpx.AsyncClient) -> None:
    seen: list[str] = []
    after = ""
    while after is not None:
        page = (await client.get("/api/skills", params={"limit": 2, "after": after})).json()
        seen += [skill["skill_id"] for skill in page["items"]]
        after = page["next"]
    assert seen == ["cobol", "django", "mysql", "postgresql", "python"]


async def test_search_and_filters_narrow_the_lists(client: httpx.AsyncClient) -> None:
    async def ids(path: str) -> list[str]:
        items = (await client.get(path)).json()["items"]
        return [item.get("role_id") or item["skill_id"] for item in items]

    assert await ids("/api/roles?q=developpeuse back end") == ["back-end-developer"]
    assert await ids("/api/roles?family=management") == ["project-manager"]
    assert await ids("/api/roles?q=djando") == ["tech-lead"], "a role is found by a skill it asks for"
    assert await ids("/api/skills?q=djago") == ["django"]
    assert await ids("/api/skills?category=database") == ["mysql", "postgresql"]
    assert await ids("/api/skills?kind=soft") == []


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/api/roles?limit=0", "limit"),
        ("/api/skills?limit=501", "limit"),
        ("/api/skills?kind=hobby", "kind"),
        ("/api/skills?q=django&after=nowhere", "after"),
        (f"/api/roles?q={'x' * 101}", "q"),
    ],
)
async def test_a_bad_question_names_its_parameter(client: httpx.AsyncClient, path: str, pointer: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_what_does_not_exist_is_a_404(client: httpx.AsyncClient) -> None:
    for path in ("/api/roles/nobody", "/api/skills/nothing", "/api/nothing"):
        answer = await client.get(path, headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


async def test_only_a_key_with_the_scope_may_change(client: httpx.AsyncClient, given: Surroundings) -> None:
    assert (await client.put("/api/skills/cobol", json={})).status_code == 401
    assert (await client.delete("/api/skills/cobol", headers=key(given, "needs:write"))).status_code == 403
    assert (await client.get("/api/skills/cobol/history")).status_code == 401


async def test_a_change_needs_the_tag_of_what_was_read(
    client: httpx.AsyncClient, given: Surroundings
) -> None:
    headers = writer(given)
    before = (await client.get("/api/roles/tech-lead")).json()
    unseen = await client.put("/api/roles/tech-lead", json=before, headers=headers)
    assert unseen.status_code == 428
    done = await changed(client, "/api/roles/tech-lead", headers, family="architecture")
    assert done.status_code == 200
    assert done.json()["revision"] > before["revision"]
    assert done.json()["family"] == "architecture"
    stale = {**headers, "If-Match": f'"{before["revision"]}"'}
    for refused in (
        await client.put("/api/roles/tech-lead", json=before, headers=stale),
        await client.delete("/api/roles/tech-lead", headers=stale),
    ):
        assert refused.status_code == 412
        assert refused.json()["current"]["family"] == "architecture"
        assert refused.headers["ETag"] == done.headers["ETag"]
    assert (await client.get("/api/roles/tech-lead")).json() == done.json()


async def test_writing_what_is_there_already_changes_nothing(
    client: httpx.AsyncClient, given: Surroundings
) -> None:
    before = await client.get("/api/skills/python")
    same = await changed(client, "/api/skills/python", writer(given))
    assert (same.status_code, same.json()) == (200, before.json())


async def test_a_new_skill_is_created_once(client: httpx.AsyncClient, given: Surroundings) -> None:
    headers = {**writer(given), "If-None-Match": "*"}
    body = {"label": both("Rust"), "category": "programming-language", "aliases": ["rustlang"]}
    made = await client.put("/api/skills/rust", json=body, headers=headers)
    assert (made.status_code, made.headers["Location"]) == (201, "/api/skills/rust")
    assert (await client.put("/api/skills/rust", json=body, headers=headers)).status_code == 412
    assert (await client.get("/api/skills?q=rustlang")).json()["items"] == [made.json()]


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        (b"{", 400, ""),
        (b"[]", 422, ""),
        (b'{"label": {"fr": "a", "en": "b"}}', 422, "/category"),
        (b'{"label": {"fr": "a"}, "category": "x"}', 422, "/label/en"),
        (b'{"label": {"fr": "a", "en": "b", "de": "c"}, "category": "x"}', 422, "/label/de"),
        (b'{"label": {"fr": "a", "en": "b"}, "category": "x", "colour": 1}', 422, "/colour"),
        (b'{"label": {"fr": "a", "en": "b"}, "category": "x", "skill_id": "y"}', 422, "/skill_id"),
        (b'{"label": {"fr": "a", "en": "b"}, "category": "x", "implies": ["pyton"]}', 422, "/implies/0"),
        (b'{"label": {"fr": "a", "en": "b"}, "category": "x", "aliases": ["PY"]}', 422, "/aliases/0"),
        (b'{"label": {"fr": "a", "en": "b\\r\\nBcc: x"}, "category": "x"}', 422, "/label/en"),
    ],
)
async def test_a_bad_skill_is_refused_with_a_pointer(
    client: httpx.AsyncClient, given: Surroundings, body: bytes, status: int, pointer: str
) -> None:
    answer = await client.put("/api/skills/new", content=body, headers=writer(given))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, pointer)
    assert (await client.get("/api/skills/new")).status_code == 404


async def test_a_role_with_an_unknown_skill_or_level_is_refused(
    client: httpx.AsyncClient, given: Surroundings
) -> None:
    for skill, pointer in (
        ({"skill": "pyton"}, "/skills/0/skill"),
        ({"skill": "python", "level": 9}, "/skills/0/level"),
    ):
        answer = await changed(client, "/api/roles/tech-lead", writer(given), skills=[skill])
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert (await client.put("/api/roles/Not%20a%20slug", json={}, headers=writer(given))).status_code == 422


async def test_what_others_refer_to_is_not_deleted(client: httpx.AsyncClient, given: Surroundings) -> None:
    tag = (await client.get("/api/roles/project-manager")).headers["ETag"]
    refused = await client.delete("/api/roles/project-manager", headers={**writer(given), "If-Match": tag})
    assert refused.status_code == 409
    assert refused.json()["referred_to_by"] == ["role back-end-developer: contacts, career"]
    assert (await client.delete("/api/skills/cobol", headers=writer(given))).status_code == 428


async def test_a_deleted_skill_is_gone_and_can_come_back_above_its_tombstone(
    client: httpx.AsyncClient, given: Surroundings
) -> None:
    before = await client.get("/api/skills/cobol")
    matching = {**writer(given), "If-Match": before.headers["ETag"]}
    assert (await client.delete("/api/skills/cobol", headers=matching)).status_code == 204
    assert (await client.get("/api/skills/cobol")).status_code == 404
    assert (await client.delete("/api/skills/cobol", headers=matching)).status_code == 404
    back = await client.put("/api/skills/cobol", json=before.json(), headers=writer(given))
    assert back.status_code == 201
    assert back.json()["revision"] > before.json()["revision"] + 1


async def test_a_relation_has_both_ends_whichever_was_changed(
    client: httpx.AsyncClient, given: Surroundings
) -> None:
    async def related(skill_id: str) -> dict[str, float]:
        skill = (await client.get(f"/api/skills/{skill_id}")).json()
        return {each["skill"]: each["credit"] for each in skill["related"]}

    wanted = [{"skill": "mysql", "credit": 0.6}, {"skill": "cobol", "credit": 0.1}]
    done = await changed(client, "/api/skills/postgresql", writer(given), related=wanted)
    assert done.status_code == 200
    assert await related("mysql") == {"postgresql": 0.6}
    assert await related("cobol") == {"postgresql": 0.1}
    assert (await changed(client, "/api/skills/cobol", writer(given), related=[])).status_code == 200
    assert await related("postgresql") == {"mysql": 0.6}


async def test_who_changed_what_and_when_is_kept_and_bounded(
    client: httpx.AsyncClient, given: Surroundings
) -> None:
    for number, owner in enumerate(("ann", "ben", "cleo", "dan")):
        done = await changed(
            client, "/api/skills/python", writer(given, owner), aliases=["py", f"py{number}"]
        )
        assert done.status_code == 200
    lines = (await client.get("/api/skills/python/history", headers=writer(given))).json()["items"]
    assert [(line["by"], line["action"], line["fields"]) for line in lines] == [
        (f"key:{owner}", "changed", ["aliases"]) for owner in ("dan", "cleo", "ben", "ann")
    ]
    assert lines[0]["revision"] == done.json()["revision"]
    assert lines[0]["before"]["aliases"] == ["py", "py2"]

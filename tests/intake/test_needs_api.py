"""/api/needs: posting, reading, editing and withdrawing."""

import asyncio
from typing import Any

import httpx
import pytest

from shared.events.need import NEEDS, AskedSkill, Need, NeedState
from shared.run import Surroundings
from tests.intake.support import a_need, bearer, intake
from tests.support import records, until


async def posted(
    client: httpx.AsyncClient, headers: dict[str, str] | None = None, **changes: Any
) -> dict[str, Any]:
    response = await client.post("/api/needs", json=a_need(**changes), headers=headers)
    assert response.status_code == 201, response.text
    answer: dict[str, Any] = response.json()
    return answer


def token_of(answer: dict[str, Any]) -> str:
    return str(httpx.URL(answer["tracking_url"]).params["t"])


async def needs_on_kafka(given: Surroundings, count: int) -> list[Need]:
    async def enough() -> list[Need]:
        found = [record.event for record in await records(given.kafka_bootstrap, NEEDS)]
        return [event for event in found if event is not None] if len(found) >= count else []

    found: list[Need] = await until(enough)
    return found


async def test_a_posted_need_is_answered_stored_and_published(given: Surroundings) -> None:
    async with intake(given) as client:
        response = await client.post("/api/needs", json=a_need())
        answer = response.json()
        assert response.status_code == 201
        assert response.headers["location"] == f"/api/needs/{answer['need_id']}"
        assert set(answer) == {
            "need_id", "reference", "revision", "status", "tracking_url", "unmapped_skills",
        }  # fmt: skip
        assert answer["status"] == "received"
        assert answer["reference"].startswith("N-")
        assert len(answer["reference"]) == 8
        [event] = await needs_on_kafka(given, 1)
    assert event.need_id == answer["need_id"]
    assert event.revision == answer["revision"]
    assert event.reference == answer["reference"]
    assert event.status is NeedState.OPEN
    assert event.skills == (
        AskedSkill(skill="python", level=4, must=True),
        AskedSkill(skill="kubernetes", level=3, must=False),
    )
    assert event.contact.email == "ada@acme.example"


async def test_skills_are_resolved_merged_and_the_unknown_ones_reported(
    given: Surroundings,
) -> None:
    async with intake(given) as client:
        asked = [
            {"skill": "python3", "level": 2},
            {"skill": "PYTHON", "level": 4, "must": True},
            {"skill": "Blockchain  Yoga"},
            {"skill": "call me on 06 12 34 56 78"},
            {"skill": "mail ada@acme.example"},
            {"skill": "ask Ada"},
        ]
        answer = await posted(client, skills=asked)
        assert answer["unmapped_skills"] == [
            "Blockchain Yoga", "call me on 06 12 34 56 78", "mail ada@acme.example", "ask Ada",
        ]  # fmt: skip
        [event] = await needs_on_kafka(given, 1)
        assert event.skills == (AskedSkill(skill="python", level=4, must=True),)


async def test_a_title_alone_finds_its_role_and_a_role_alone_its_title(given: Surroundings) -> None:
    async with intake(given) as client:
        await posted(client, role_id=..., title="Backend Engineer")
        await posted(client, title=..., locale="fr")
        await posted(client, role_id=..., title="Something else")
        events = await needs_on_kafka(given, 3)
    found = {(event.role_id, event.title) for event in events}
    assert found == {
        ("back-end-developer", "Backend Engineer"),
        ("back-end-developer", "Développeur back-end"),
        (None, "Something else"),
    }


async def test_skills_in_the_description_are_offered_and_never_required(given: Surroundings) -> None:
    async with intake(given) as client:
        answer = await posted(client)
        [event] = await needs_on_kafka(given, 1)
        stored = await given.mongo_client["recruitment_intake"]["needs"].find_one({"_id": answer["need_id"]})
    assert {asked.skill for asked in event.skills} == {"python", "kubernetes"}
    assert stored["offered"] == ["docker", "rest"]


async def test_the_same_key_and_body_give_the_same_answer_and_one_need(given: Surroundings) -> None:
    async with intake(given) as client:
        key = {"Idempotency-Key": "k-1"}
        first = await client.post("/api/needs", json=a_need(), headers=key)
        again = await client.post("/api/needs", json=dict(reversed(a_need().items())), headers=key)
        other = await client.post("/api/needs", json=a_need(company="Other"), headers=key)
        await needs_on_kafka(given, 1)
        # The key belongs to whoever sent it: an owner's is not the public's.
        owned = await client.post("/api/needs", json=a_need(company="Other"), headers=key | bearer(given))
        assert len(await needs_on_kafka(given, 2)) == 2
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert other.status_code == 422
    assert other.json()["errors"][0]["pointer"] == "Idempotency-Key"
    assert owned.status_code == 201


async def test_concurrent_posts_with_one_key_give_one_need(given: Surroundings) -> None:
    async with intake(given) as client:
        posts = (
            client.post("/api/needs", json=a_need(), headers={"Idempotency-Key": "double-click"})
            for _ in range(8)
        )
        answers = await asyncio.gather(*posts)
        assert [answer.status_code for answer in answers] == [201] * 8
        assert len({answer.text for answer in answers}) == 1
        assert await given.mongo_client["recruitment_intake"]["needs"].count_documents({}) == 1


async def test_a_key_whose_need_was_never_stored_is_completed_by_the_next_post(given: Surroundings) -> None:
    async with intake(given) as client:
        key = {"Idempotency-Key": "k-1"}
        first = await client.post("/api/needs", json=a_need(), headers=key)
        [event] = await needs_on_kafka(given, 1)
        needs = given.mongo_client["recruitment_intake"]["needs"]
        # As if the process had died between claiming the key and storing the need.
        await needs.delete_one({"_id": event.need_id})
        again = await client.post("/api/needs", json=a_need(), headers=key)
        assert again.json() == first.json()
        stored = await needs.find_one({"_id": event.need_id})
        assert stored["reference"] == event.reference
        assert stored["revision"] == event.revision


async def test_a_need_is_seen_by_its_link_its_owner_and_who_reads_all_and_by_nobody_else(
    given: Surroundings,
) -> None:
    async with intake(given) as client:
        owned = await posted(client, bearer(given, "acme"))
        other = await posted(client)
        path = f"/api/needs/{owned['need_id']}"

        async def status(path: str, headers: dict[str, str] | None = None) -> int:
            return (await client.get(path, headers=headers)).status_code

        assert await status(f"{path}?t={token_of(owned)}") == 200
        assert await status(path, {"Authorization": f"Bearer {token_of(owned)}"}) == 200
        assert await status(path, bearer(given, "acme")) == 200
        assert await status(path, bearer(given, "desk", "needs:read")) == 200
        assert await status(path) == 404
        assert await status(f"{path}?t={token_of(other)}") == 404
        assert await status(f"{path}?t=junk") == 404
        assert await status(path, bearer(given, "rival")) == 404
        assert await status("/api/needs/unknown", bearer(given, "acme")) == 404
        assert await status(f"{path}/events", bearer(given, "rival")) == 404


async def test_a_list_shows_an_owner_their_own_needs_newest_first_page_by_page(given: Surroundings) -> None:
    async with intake(given) as client:
        mine = [(await posted(client, bearer(given, "acme")))["need_id"] for _ in range(3)]
        await posted(client, bearer(given, "rival"))
        first = (await client.get("/api/needs?limit=2", headers=bearer(given, "acme"))).json()
        rest = await client.get(f"/api/needs?limit=2&after={first['next']}", headers=bearer(given, "acme"))
        assert (await client.get("/api/needs")).status_code == 401
        assert (await client.get("/api/needs?limit=501", headers=bearer(given))).status_code == 422
    assert [item["need_id"] for item in first["items"]] == [mine[2], mine[1]]
    assert [item["need_id"] for item in rest.json()["items"]] == [mine[0]]
    assert rest.json()["next"] is None


async def test_a_patch_makes_a_new_revision_of_what_it_names(given: Surroundings) -> None:
    async with intake(given) as client:
        answer = await posted(client, skills=[{"skill": "Python"}, {"skill": "Unheard-of"}])
        path, link = f"/api/needs/{answer['need_id']}", {"t": token_of(answer)}
        await needs_on_kafka(given, 1)
        etag = (await client.get(path, params=link)).headers["etag"]
        changed = await client.patch(
            path,
            params=link,
            headers={"If-Match": etag},
            json={"positions": 2, "location": {"city": None}, "remote": "full"},
        )
        assert changed.status_code == 200, changed.text
        body = changed.json()
        assert (body["positions"], body["remote"]) == (2, "full")
        assert body["location"] == {"country": "FR", "region": "FR-ARA"}
        assert body["revision"] > answer["revision"]
        assert body["unmapped_skills"] == ["Unheard-of"]
        assert changed.headers["etag"] == f'"{body["revision"]}"'
        assert [entry["event"] for entry in body["timeline"] if entry["event"] != "published"] == [
            "received",
            "edited",
        ]
        events = await needs_on_kafka(given, 2)
        assert [event.positions for event in events] == [1, 2]
        same = await client.patch(
            path, params=link, headers={"If-Match": changed.headers["etag"]}, json={"positions": 2}
        )
        assert same.json()["revision"] == body["revision"]


async def test_a_patch_needs_the_current_revision(given: Surroundings) -> None:
    async with intake(given) as client:
        answer = await posted(client)
        path, link = f"/api/needs/{answer['need_id']}", {"t": token_of(answer)}
        blind = await client.patch(path, params=link, json={"positions": 2})
        stale = await client.patch(path, params=link, json={"positions": 2}, headers={"If-Match": '"1"'})
    assert blind.status_code == 428
    assert stale.status_code == 412
    assert stale.json()["current"]["revision"] == answer["revision"]
    assert stale.headers["etag"] == f'"{answer["revision"]}"'


async def test_of_two_concurrent_patches_one_is_told_that_it_is_late(given: Surroundings) -> None:
    async with intake(given) as client:
        answer = await posted(client)
        path, link = f"/api/needs/{answer['need_id']}", {"t": token_of(answer)}
        match = {"If-Match": f'"{answer["revision"]}"'}
        both = await asyncio.gather(
            *(client.patch(path, params=link, headers=match, json={"positions": count}) for count in (2, 3))
        )
    assert sorted(response.status_code for response in both) == [200, 412]


BAD_PATCHES: list[tuple[dict[str, Any], str]] = [
    ({"company": None}, "/company"),
    ({"skills": [{"skill": "Python", "level": 9}]}, "/skills/0/level"),
    ({"role_id": "no-such-role"}, "/role_id"),
    ({"start_by": "2020-01-01"}, "/start_by"),
    ({"surprise": 1}, "/surprise"),
    ({"contact": {"email": "not an address"}}, "/contact/email"),
]


async def test_a_patch_is_checked_like_a_new_need(given: Surroundings) -> None:
    async with intake(given) as client:
        answer = await posted(client)
        path, link = f"/api/needs/{answer['need_id']}", {"t": token_of(answer)}
        match = {"If-Match": f'"{answer["revision"]}"'}
        for patch, pointer in BAD_PATCHES:
            response = await client.patch(path, params=link, headers=match, json=patch)
            assert response.status_code == 422, patch
            assert response.json()["errors"][0]["pointer"] == pointer
        assert (await client.patch(path, params=link, headers=match, content=b"[1]")).status_code == 400


async def test_a_withdrawn_need_is_published_as_such_and_changes_no_more(given: Surroundings) -> None:
    async with intake(given) as client:
        answer = await posted(client, bearer(given, "acme"))
        await needs_on_kafka(given, 1)
        path = f"/api/needs/{answer['need_id']}"
        assert (await client.delete(path, headers=bearer(given, "desk", "needs:read"))).status_code == 403
        assert (await client.delete(path, headers=bearer(given, "rival"))).status_code == 404
        gone = await client.delete(path, headers=bearer(given, "acme"))
        again = await client.delete(path, headers=bearer(given, "acme"))
        edit = await client.patch(
            path, headers=bearer(given, "acme") | {"If-Match": "*"}, json={"positions": 2}
        )
        events = await needs_on_kafka(given, 2)
    assert gone.json()["status"] == "withdrawn"
    assert again.json()["revision"] == gone.json()["revision"]
    assert edit.status_code == 409
    assert [event.status for event in events] == [NeedState.OPEN, NeedState.WITHDRAWN]


async def test_posts_without_a_key_are_limited_by_address(
    given: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow the machine: nobody is let in again while the test counts.
    monkeypatch.setenv("INTAKE_RATE_PER_SECOND", "0.001")
    async with intake(given) as client:
        answers = [await client.post("/api/needs", content=b"{}") for _ in range(22)]
        keyed = await client.post("/api/needs", json=a_need(), headers=bearer(given))
        unscoped = await client.post("/api/needs", json=a_need(), headers=bearer(given, "x", "roles:write"))
    assert [answer.status_code for answer in answers[:20]] == [422] * 20
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert keyed.status_code == 201
    assert unscoped.status_code == 403


async def test_needs_are_counted(given: Surroundings) -> None:
    async with intake(given) as client:
        await posted(client)
        metrics = (await client.get("/metrics")).text
    assert 'needs_total{action="posted",service="intake"} 1.0' in metrics

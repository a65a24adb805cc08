"""Candidates who may be one person are offered for merging, told apart for good, and never merged alone."""

import json
import re
from typing import Any

import httpx
import pytest

from services.intake.domain.merging import union
from services.intake.domain.same_person import name_blocks, phone_key, reasons
from services.intake.store_people import TwinStore
from shared.events.candidate import CANDIDATES
from shared.run import Surroundings
from tests.intake.desk import OURS, consultant, plain, revision, stored
from tests.intake.support import bearer, intake
from tests.support import records, until

OTHER: dict[str, Any] = {
    "external_id": "ats-2",
    "name": "Sample Other",
    "email": "other@mail.example",
    "phone": "+33 1 99 00 77 77",
    "cv_text": "Java and SQL for years.",
    "skills": [{"skill": "Java", "level": 3}],
}


async def pairs(client: httpx.AsyncClient, given: Surroundings) -> str:
    answer = await client.get("/candidates/duplicates?lang=en", headers=consultant(given))
    assert answer.status_code == 200, answer.text
    return answer.text


def pair_of(page: str) -> str:
    found = re.search(r'name="pair" value="([^"]+)"', page)
    assert found
    return found.group(1)


@pytest.mark.parametrize(
    ("same", "why"),
    [
        ({"email": "Zoe.Canari@mail.example"}, "same e-mail address"),
        ({"phone": "06.98.76.54.32"}, "same phone"),
        ({"name": "Zoe Canary", "roles": [{"role": "backend engineer", "months": 41}]}, "near-same name"),
    ],
)
async def test_the_same_address_phone_or_name_with_the_same_history_is_offered(
    given: Surroundings, same: dict[str, Any], why: str
) -> None:
    async with intake(given) as client:
        one = await stored(client, given, roles=[{"role": "backend engineer", "months": 40}])
        assert "No possible duplicates." in await pairs(client, given)
        other = await stored(client, given, **(OTHER | same))
        page = await pairs(client, given)
        assert why in page
        assert f'value="{one}"' in page
        assert f'value="{other}"' in page
        assert "Canari" not in page
        record = await client.get(f"/candidates/{other}?lang=en", headers=consultant(given))
        assert "Possible duplicates of this record: 1" in record.text
        assert (await client.get(f"/api/candidates/{one}", headers=bearer(given))).status_code == 200
        await stored(client, given, **OTHER)
        assert "No possible duplicates." in await pairs(client, given), (
            "what was corrected is offered no more"
        )


async def test_a_near_same_name_with_another_history_is_not_offered(given: Surroundings) -> None:
    async with intake(given) as client:
        await stored(client, given, roles=[{"role": "backend engineer", "months": 40}])
        elsewhere = [{"role": "data engineer", "months": 40}]
        await stored(client, given, **(OTHER | {"name": "Zoe Canary", "roles": elsewhere}))
        assert "No possible duplicates." in await pairs(client, given)


async def test_merging_keeps_one_with_what_either_knew_and_leaves_a_stub_that_points_to_it(
    given: Surroundings,
) -> None:
    async with intake(given) as client:
        kept = await stored(client, given, day_rate=..., cv_text=...)
        gone = await stored(client, given, **(OTHER | {"email": "zoe.canari@mail.example", "day_rate": 640}))
        path = f"/candidates/{gone}/corrections"
        page = (await client.get(f"/candidates/{gone}", headers=consultant(given))).text
        fields = {"revision": revision(page), "target": "skill:sql", "level": "5"}
        assert (await client.post(path, data=fields, headers=consultant(given))).status_code == 303
        pair = pair_of(await pairs(client, given))
        answer = await client.post(
            "/candidates/duplicates", data={"pair": pair, "keep": kept}, headers=consultant(given)
        )
        assert answer.status_code == 303, plain(answer)
        assert answer.headers["location"].startswith(f"/candidates/{kept}")

        async def merged() -> dict[str, Any] | None:
            newest = {one.key: one.event for one in await records(given.kafka_bootstrap, CANDIDATES)}
            event = newest.get(kept)
            gone_is_buried = gone in newest and newest[gone] is None
            return {one.skill: one.level for one in event.skills} if event and gone_is_buried else None

        skills = await until(merged)
        assert {"python", "java", "sql"} <= set(skills)
        assert skills["sql"] == 5, "what a consultant corrected of the other counts for the one that is kept"
        given_now = (await client.get(f"/api/candidates/{kept}", headers=bearer(given))).json()["given"]
        assert (given_now["name"], given_now["day_rate"], given_now["phone"]) == (
            "Zoé Canari", 640, "+33 6 98 76 54 32",
        )  # fmt: skip
        assert (await client.get(f"/api/candidates/{gone}", headers=bearer(given))).status_code == 404
        old_link = await client.get(f"/candidates/{gone}?lang=en", headers=consultant(given))
        assert kept[-6:].upper() in old_link.text
        assert "No possible duplicates." in await pairs(client, given)
        # The feed's line that knew the other one adds to the one that is kept, and takes nothing away.
        again = OTHER | {"email": "zoe.canari@mail.example", "education": 5}
        assert await stored(client, given, **again) == kept
        given_now = (await client.get(f"/api/candidates/{kept}", headers=bearer(given))).json()["given"]
        assert (given_now["name"], given_now["education"]) == ("Zoé Canari", 5)
        repeated = await client.post(
            "/candidates/duplicates", data={"pair": pair, "keep": kept}, headers=consultant(given)
        )
        assert repeated.status_code == 409


async def test_after_a_merge_across_owners_neither_reads_what_the_other_sent(given: Surroundings) -> None:
    async with intake(given) as client:
        said = {"cv_text": "Docker for years at a bank.", "skills": [{"skill": "Secret art"}]}
        kept = await stored(client, given, **said)
        theirs, agency = bearer(given, "agency"), OTHER | {"phone": "+33 6 98 76 54 32", "cv_text": ...}
        body = {name: value for name, value in agency.items() if value is not ...}
        gone = (await client.post("/api/candidates", json=body, headers=theirs)).json()["candidate_id"]
        fields = {"pair": pair_of(await pairs(client, given)), "keep": kept}
        merged = await client.post("/candidates/duplicates", data=fields, headers=consultant(given))
        assert merged.status_code == 303, plain(merged)

        answer = await client.post("/api/candidates", json=body | {"education": 5}, headers=theirs)
        line = json.dumps(body | {"name": "Sample Changed"}).encode()
        batch = await client.post("/api/candidates/batch", content=line, headers=theirs)
        assert (answer.status_code, answer.json()["candidate_id"]) == (200, kept)
        for told in (answer.text, batch.text):
            assert "merged" in told
            assert not {word for word in ("bank", "docker", "secret") if word in told.lower()}
        assert (await client.get(f"/api/candidates/{kept}", headers=theirs)).status_code == 404
        assert (await client.get(f"/api/candidates/{gone}", headers=theirs)).status_code == 404
        given_now = (await client.get(f"/api/candidates/{kept}", headers=bearer(given))).json()["given"]
        assert (given_now["name"], given_now["education"]) == ("Zoé Canari", 5)
        assert "java" in {one["skill"].lower() for one in given_now["skills"]}


async def test_after_a_merge_two_feeds_do_not_undo_each_other_every_night(given: Surroundings) -> None:
    async with intake(given) as client:
        kept = await stored(client, given, day_rate=..., external_id="own-1")
        other = OTHER | {"phone": "+33 6 98 76 54 32", "external_id": "other-1", "day_rate": 640}
        await stored(client, given, **other)
        fields = {"pair": pair_of(await pairs(client, given)), "keep": kept}
        merged = await client.post("/candidates/duplicates", data=fields, headers=consultant(given))
        assert merged.status_code == 303, plain(merged)

        async def night() -> dict[str, Any]:
            assert await stored(client, given, day_rate=..., external_id="own-1") == kept
            assert await stored(client, given, **other) == kept
            found = await client.get(f"/api/candidates/{kept}", headers=bearer(given))
            answer: dict[str, Any] = found.json()
            return answer

        first, second = await night(), await night()
        assert first["given"]["day_rate"] == 640
        assert first["revision"] == second["revision"], "the second night changes nothing"


async def test_merging_keeps_the_file_of_the_one_that_is_kept(given: Surroundings) -> None:
    async with intake(given) as client:
        sent = await client.post(
            "/api/candidates",
            files={"cv": ("cv.txt", b"Ten years of Python.", "text/plain")},
            data={"profile": '{"name": "Sample Person", "email": "other@mail.example"}'},
            headers=bearer(given),
        )
        kept = sent.json()["candidate_id"]
        await stored(client, given, **OTHER)
        fields = {"pair": pair_of(await pairs(client, given)), "keep": kept}
        merged = await client.post("/candidates/duplicates", data=fields, headers=consultant(given))
        assert merged.status_code == 303, plain(merged)
        file = await client.get(f"/api/candidates/{kept}/cv", headers=bearer(given))
        assert file.content == b"Ten years of Python."


async def test_an_address_that_stands_everywhere_fills_no_document(given: Surroundings) -> None:
    twins = TwinStore(given.mongo("intake"))
    keys = given.mongo("intake").collection("candidate_keys")
    await twins.alike("c-0", {"email": "none@example.com"}, 50)
    await keys.update_one({}, {"$set": {"candidates": [f"c-{number}" for number in range(999)]}})
    for candidate_id in ("c-2000", "c-2001", "c-2002"):
        await twins.alike(candidate_id, {"email": "none@example.com"}, 50)
    [held] = [one async for one in keys.find({})]
    assert len(held["candidates"]) == 1000
    assert held["candidates"][-1] == "c-2000"


async def test_not_the_same_person_is_remembered(given: Surroundings) -> None:
    async with intake(given) as client:
        await stored(client, given)
        twin = OTHER | {"phone": "+33 6 98 76 54 32"}
        await stored(client, given, **twin)
        fields = {"pair": pair_of(await pairs(client, given)), "keep": ""}
        answer = await client.post("/candidates/duplicates", data=fields, headers=consultant(given))
        assert answer.status_code == 303
        assert "No possible duplicates." in await pairs(client, given)
        await stored(client, given, **(twin | {"day_rate": 700}))
        assert "No possible duplicates." in await pairs(client, given)


async def test_only_a_consultants_own_form_merges(given: Surroundings) -> None:
    async with intake(given) as client:
        kept = await stored(client, given)
        gone = await stored(client, given, **(OTHER | {"phone": "+33 6 98 76 54 32"}))
        fields = {"pair": pair_of(await pairs(client, given)), "keep": kept}
        assert (await client.post("/candidates/duplicates", data=fields, headers=OURS)).status_code == 303
        cross = consultant(given) | {"Sec-Fetch-Site": "cross-site"}
        assert (await client.post("/candidates/duplicates", data=fields, headers=cross)).status_code == 403
        for keep in ("somebody", gone + "x"):
            answer = await client.post(
                "/candidates/duplicates", data=fields | {"keep": keep}, headers=consultant(given)
            )
            assert answer.status_code == 409
        assert (await client.get(f"/api/candidates/{gone}", headers=bearer(given))).status_code == 200


async def test_an_erased_candidate_is_in_no_pair(given: Surroundings) -> None:
    async with intake(given) as client:
        await stored(client, given)
        gone = await stored(client, given, **(OTHER | {"phone": "+33 6 98 76 54 32"}))
        assert pair_of(await pairs(client, given))
        await client.delete(f"/api/candidates/{gone}", headers=bearer(given))
        assert "No possible duplicates." in await pairs(client, given)


def test_phone_numbers_have_one_form() -> None:
    forms = {
        phone_key(one)
        for one in ("06 98 76 54 32", "+33 (0)6 98 76 54 32", "0033698765432", "06-98-76-54-32")
    }
    assert forms == {"+33698765432"}
    assert phone_key("0498 12 34 56", "BE") == "+32498123456"
    assert phone_key("12") is None
    assert phone_key("call me") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("Jean Dupont", "Jean Dupond"), ("Katarina Novak", "Catarina Novak"), ("Zoé Canari", "CANARI Zoe"),
     ("Anne-Marie de la Tour", "Anne Marie Tour")],
)  # fmt: skip
def test_near_same_names_share_a_block(one: str, other: str) -> None:
    assert set(name_blocks(one)) & set(name_blocks(other))


def test_a_common_name_alone_says_nothing() -> None:
    someone = {"given": {"name": "Jean Martin"}, "facts": {"roles": []}, "keys": {}}
    assert reasons(someone, someone) == []


@pytest.mark.parametrize(
    ("kept", "other", "prices"),
    [
        ({"currency": "EUR"}, {"day_rate": 500, "currency": "CHF"}, (500, None, "CHF")),
        ({"day_rate": 600, "currency": "EUR"}, {"salary": 90000, "currency": "CHF"}, (600, None, "EUR")),
        ({"day_rate": 600, "currency": "EUR"}, {"salary": 60000, "currency": "EUR"}, (600, 60000, "EUR")),
    ],
)
def test_a_price_keeps_its_currency(
    kept: dict[str, Any], other: dict[str, Any], prices: tuple[int | None, int | None, str]
) -> None:
    both = union(kept, other)
    assert (both.get("day_rate"), both.get("salary"), both.get("currency")) == prices

"""A newer catalogue: stored texts are read again, and what reads differently is published."""

import json
from typing import Any

import httpx
from reportlab.pdfgen.canvas import Canvas

from services.intake.app import build
from shared.events.candidate import CANDIDATES, Candidate
from shared.events.need import NEEDS, AskedSkill, Need, NeedState
from shared.run import Surroundings
from tests.intake.cvs.making import drawn
from tests.intake.support import (
    SKILL_EVENTS,
    a_candidate,
    a_need,
    bearer,
    intake,
    publish_catalogue,
    with_alias,
)
from tests.support import records, running, until

LEARNT = with_alias("docker", "moby")


async def stored(given: Surroundings, collection: str) -> dict[str, Any]:
    found = given.mongo_client["recruitment_intake"][collection].find({})
    return {document["_id"]: document async for document in found}


async def reread(given: Surroundings, collection: str, keys: set[str]) -> dict[str, Any]:
    """The documents once those of `keys` were read with the newest catalogue and are published."""
    copies = given.mongo_client["recruitment_intake"]["catalogue"]

    async def done() -> dict[str, Any] | None:
        copy, documents = await copies.find_one({"_id": "catalogue"}), await stored(given, collection)
        newest = copy["revision"] if any("moby" in text for text in copy["skills"]) else None
        settled = all(
            documents[key].get("read_with") == newest and not documents[key]["unpublished"] for key in keys
        )
        return documents if newest and settled else None

    found: dict[str, Any] = await until(done)
    return found


async def candidate_events(given: Surroundings, candidate_id: str) -> list[Candidate | None]:
    return [r.event for r in await records(given.kafka_bootstrap, CANDIDATES) if r.key == candidate_id]


async def need_events(given: Surroundings, need_id: str) -> list[Need]:
    found = [record.event for record in await records(given.kafka_bootstrap, NEEDS)]
    return [event for event in found if event is not None and event.need_id == need_id]


async def save(client: httpx.AsyncClient, given: Surroundings, external_id: str, **changes: Any) -> str:
    body = a_candidate(external_id=external_id, **changes)
    response = await client.post("/api/candidates", json=body, headers=bearer(given))
    assert response.status_code == 201, response.text
    return str(response.json()["candidate_id"])


async def post(client: httpx.AsyncClient, given: Surroundings, *skills: dict[str, Any]) -> str:
    response = await client.post("/api/needs", json=a_need(skills=list(skills)), headers=bearer(given))
    assert response.status_code == 201, response.text
    return str(response.json()["need_id"])


async def test_candidates_that_read_differently_are_published_anew_and_the_others_are_not(
    given: Surroundings,
) -> None:
    async with intake(given) as client:
        stated = await save(client, given, "stated", skills=[{"skill": "Moby", "level": 5, "years": 3}])
        in_text = await save(
            client,
            given,
            "text",
            skills=[{"skill": "Python", "level": 2}],
            cv_text="Python, Python. Moby in production.",
        )
        same = await save(client, given, "same")
        gone = await save(client, given, "gone", skills=[{"skill": "Moby"}])
        assert (await client.delete(f"/api/candidates/{gone}", headers=bearer(given))).status_code == 202
        path = f"/api/candidates/{in_text}"
        await client.patch(path, json={"skills": [{"skill": "Python", "level": 5}]}, headers=bearer(given))
        await until(lambda: _all_published(given))
        before = await stored(given, "candidates")

        await publish_catalogue(given.kafka_bootstrap, skills=LEARNT)
        after = await reread(given, "candidates", {stated, in_text, same})

        assert after[same]["revision"] == before[same]["revision"]
        assert (after[gone]["erased"], after[gone]["revision"]) == (True, before[gone]["revision"])
        assert len(await candidate_events(given, same)) == 1
        newest = (await candidate_events(given, stated))[-1]
        assert newest is not None
        assert newest.revision == after[stated]["revision"] > before[stated]["revision"]
        [docker] = newest.skills
        assert (docker.skill, docker.level, docker.estimated, docker.years) == ("docker", 5, False, 3)
        assert after[stated]["unmapped"] == []
        read = (await candidate_events(given, in_text))[-1]
        assert read is not None
        assert {held.skill: (held.level, held.estimated) for held in read.skills} == {
            "python": (5, False),
            "docker": (2, True),
        }
        assert after[in_text]["evidence"]["docker"] == ["Moby in production."]
        # The owner's later changes go on from there.
        etag = (await client.get(path, headers=bearer(given))).headers["etag"]
        headers = bearer(given) | {"If-Match": etag}
        assert (await client.patch(path, json={"years": 9}, headers=headers)).status_code == 200


async def test_the_text_of_a_file_is_read_again_and_what_was_flagged_in_it_stays_flagged(
    given: Surroundings,
) -> None:
    async with intake(given) as client:
        profile = a_candidate(skills=..., roles=..., years=...)
        response = await client.post(
            "/api/candidates",
            data={"profile": json.dumps(profile)},
            files={"cv": ("cv.pdf", drawn(_long_with_hidden_text), "application/pdf")},
            headers=bearer(given),
        )
        assert response.status_code == 201, response.text
        answer = response.json()
        assert [held["skill"] for held in answer["skills"]] == ["python"]
        assert any("hidden text" in warning for warning in answer["warnings"])

        await publish_catalogue(given.kafka_bootstrap, skills=LEARNT)
        after = (await reread(given, "candidates", {answer["candidate_id"]}))[answer["candidate_id"]]

        assert [held["skill"] for held in after["facts"]["skills"]] == ["python", "docker"]
        assert after["warnings"] == answer["warnings"]
        newest = (await candidate_events(given, answer["candidate_id"]))[-1]
        assert newest is not None
        assert [held.skill for held in newest.skills] == ["python", "docker"]


def _long_with_hidden_text(canvas: Canvas) -> None:
    """Long enough for a worker process; Kubernetes is written in white."""
    for line in range(40):
        canvas.drawString(50, 780 - 14 * line, "Python services for a shop of words, and of words")
    canvas.drawString(50, 150, "Moby in production")
    canvas.setFillColorRGB(1, 1, 1)
    canvas.drawString(50, 100, "Kubernetes")


async def test_a_name_that_now_resolves_joins_an_open_need_and_never_as_a_must(given: Surroundings) -> None:
    async with intake(given) as client:
        asked = (
            {"skill": "Python", "level": 4, "must": True},
            {"skill": "Moby", "level": 5, "must": True},
            {"skill": "Juggling"},
        )
        first = await post(client, given, *asked)
        same = await post(client, given, {"skill": "Python"}, {"skill": "Juggling"})
        withdrawn = await post(client, given, {"skill": "Moby"})
        assert (await client.delete(f"/api/needs/{withdrawn}", headers=bearer(given))).status_code == 200
        await until(lambda: _withdrawn_published(given, withdrawn))
        before = await stored(given, "needs")

        await publish_catalogue(given.kafka_bootstrap, skills=LEARNT)
        after = await reread(given, "needs", {first, same})

        assert after[same]["revision"] == before[same]["revision"]
        assert len(await need_events(given, same)) == 1
        assert after[withdrawn] == before[withdrawn]
        newest = (await need_events(given, first))[-1]
        assert newest.revision == after[first]["revision"] > before[first]["revision"]
        assert newest.skills == (
            AskedSkill(skill="python", level=4, must=True),
            AskedSkill(skill="docker", level=5, must=False),
        )
        assert after[first]["unmapped"] == ["Juggling"]
        # Nor does the client's next edit of something else make a must of it.
        edited = await client.patch(
            f"/api/needs/{first}",
            json={"positions": 2},
            headers=bearer(given) | {"If-Match": f'"{newest.revision}"'},
        )
        assert edited.status_code == 200
        assert {one["skill"]: one["must"] for one in edited.json()["skills"]} == {
            "python": True,
            "docker": False,
        }


async def test_what_an_earlier_run_left_unread_is_read_after_a_restart(given: Surroundings) -> None:
    async with intake(given) as client:
        candidate = await save(client, given, "stated", skills=[{"skill": "Moby"}])
        need = await post(client, given, {"skill": "Python"}, {"skill": "Moby"})
        await until(lambda: _all_published(given))
    # The catalogue moves on while intake is away; of what it had stored one part is of before this was kept.
    await given.mongo_client["recruitment_intake"]["needs"].update_one(
        {"_id": need}, {"$unset": {"read_with": ""}}
    )
    await publish_catalogue(given.kafka_bootstrap, skills=LEARNT)
    async with running(build(given)):
        await reread(given, "candidates", {candidate})
        await reread(given, "needs", {need})
        newest = (await candidate_events(given, candidate))[-1]
        assert newest is not None
        assert [held.skill for held in newest.skills] == ["docker"]
        assert [one.skill for one in (await need_events(given, need))[-1].skills] == ["python", "docker"]


async def test_more_candidates_than_a_batch_holds_are_all_read_again(given: Surroundings) -> None:
    async with intake(given) as client:
        ids = {await save(client, given, f"x-{n}", skills=[{"skill": "Moby"}]) for n in range(130)}
        await until(lambda: _all_published(given))
        await publish_catalogue(given.kafka_bootstrap, skills=LEARNT)
        after = await reread(given, "candidates", ids)
    assert all(after[key]["facts"]["skills"][0]["skill"] == "docker" for key in ids)
    assert len(SKILL_EVENTS) == len(LEARNT)


async def _all_published(given: Surroundings) -> bool:
    both = [*(await stored(given, "candidates")).values(), *(await stored(given, "needs")).values()]
    return not any(document["unpublished"] or document.get("lease") for document in both)


async def _withdrawn_published(given: Surroundings, need_id: str) -> bool:
    events = await need_events(given, need_id)
    settled = not any(document["unpublished"] for document in (await stored(given, "needs")).values())
    return settled and bool(events) and events[-1].status is NeedState.WITHDRAWN

"""/api/candidates: storing, updating, finding, correcting and erasing."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx

from shared.events.candidate import CANDIDATES, Candidate, HeldRole
from shared.events.erasure import ERASURES, Erasure, Subject
from shared.events.letter import LETTERS
from shared.events.registry import DEAD_LETTERS, TOPICS
from shared.run import Surroundings
from tests.intake.support import a_candidate, bearer, intake
from tests.support import now, publisher, raw_records, records, until

CV = """Développeuse depuis 2015.
Java (5 ans), Kubernetes. Kubernetes et k8s en production.
Anglais courant."""


async def published(given: Surroundings, count: int) -> list[Candidate | None]:
    async def enough() -> list[Candidate | None]:
        found = [record.event for record in await records(given.kafka_bootstrap, CANDIDATES)]
        return found if len(found) >= count else []

    found: list[Candidate | None] = await until(enough)
    return found


async def saved(client: httpx.AsyncClient, given: Surroundings, **changes: Any) -> dict[str, Any]:
    response = await client.post("/api/candidates", json=a_candidate(**changes), headers=bearer(given))
    assert response.status_code in {200, 201}, response.text
    body: dict[str, Any] = response.json()
    return body


async def test_a_candidate_is_stored_and_answered_with_what_will_count(given: Surroundings) -> None:
    async with intake(given) as client:
        skills = [{"skill": "Python", "level": 4, "years": 6}, {"skill": "k8s"}, {"skill": "Juggling"}]
        response = await client.post(
            "/api/candidates", json=a_candidate(skills=skills, cv_text=CV), headers=bearer(given)
        )
        answer = response.json()
        assert response.status_code == 201
        assert set(answer) == {
            "candidate_id", "skills", "roles", "languages", "years", "unmapped_skills", "warnings",
        }  # fmt: skip
        by_skill = {held["skill"]: held for held in answer["skills"]}
        assert list(by_skill) == ["python", "kubernetes", "java"]
        assert by_skill["python"] == {
            "skill": "python", "level": 4, "estimated": False, "years": 6.0, "evidence": [],
        }  # fmt: skip
        assert by_skill["kubernetes"]["estimated"] is True
        assert by_skill["kubernetes"]["evidence"] == [
            "Java (5 ans), Kubernetes.", "Kubernetes et k8s en production.",
        ]  # fmt: skip
        assert by_skill["java"]["years"] == 5
        assert answer["roles"] == [{"role": "back-end-developer", "months": 40, "until": "2026-09"}]
        assert answer["unmapped_skills"] == ["Juggling"]
        [event] = await published(given, 1)
    assert event is not None
    assert event.candidate_id == answer["candidate_id"]
    assert (event.country, event.region) == ("FR", "FR-ARA")
    assert event.roles == (HeldRole(role="back-end-developer", months=40, until="2026-09"),)
    assert {held.skill: held.mentions for held in event.skills} == {"python": 0, "kubernetes": 2, "java": 1}


async def test_an_unknown_role_is_warned_of_and_does_not_count(given: Surroundings) -> None:
    async with intake(given) as client:
        answer = await saved(client, given, roles=[{"role": "Wizard", "months": 9}])
    assert answer["roles"] == []
    assert answer["warnings"] == ["/roles/0/role is not a role of the catalogue and does not count"]


async def test_the_same_external_id_updates_and_an_equal_body_changes_nothing(given: Surroundings) -> None:
    async with intake(given) as client:
        first = await saved(client, given)
        await published(given, 1)
        same = await client.post("/api/candidates", json=a_candidate(), headers=bearer(given))
        changed = await client.post("/api/candidates", json=a_candidate(day_rate=600), headers=bearer(given))
        foreign = await client.post("/api/candidates", json=a_candidate(), headers=bearer(given, "other"))
        assert (same.status_code, changed.status_code, foreign.status_code) == (200, 200, 201)
        ids = [response.json()["candidate_id"] for response in (same, changed)]
        assert ids == [first["candidate_id"]] * 2
        assert foreign.json()["candidate_id"] != first["candidate_id"]
        events = [event for event in await published(given, 3) if event is not None]
    mine = [event.day_rate for event in events if event.candidate_id == first["candidate_id"]]
    assert mine == [500, 600]


async def test_concurrent_posts_of_one_external_id_make_one_candidate(given: Surroundings) -> None:
    async with intake(given) as client:
        answers = await asyncio.gather(*(saved(client, given, day_rate=500 + n) for n in range(6)))
        assert len({answer["candidate_id"] for answer in answers}) == 1
        assert await given.mongo_client["recruitment_intake"]["candidates"].count_documents({}) == 1


async def test_without_a_basis_or_after_its_end_a_candidate_is_stored_and_never_published(
    given: Surroundings,
) -> None:
    ended = {"kind": "consent", "until": "2020-01-01"}
    async with intake(given) as client:
        without = await saved(client, given, basis=..., external_id="a")
        past = await saved(client, given, basis=ended, external_id="b")
        assert "without a legal basis" in without["warnings"][0]
        assert "has ended" in past["warnings"][0]
        kept = await saved(client, given, external_id="c")
        assert [event is not None and event.candidate_id for event in await published(given, 1)] == [
            kept["candidate_id"]
        ]
        view = await client.get(f"/api/candidates/{without['candidate_id']}", headers=bearer(given))
        assert view.json()["ranked"] is False
        # A basis that is taken back makes a tombstone; one that is given, an event.
        path = f"/api/candidates/{kept['candidate_id']}"
        await client.patch(path, json={"basis": None}, headers=bearer(given))
        assert (await published(given, 2))[1] is None
        path = f"/api/candidates/{without['candidate_id']}"
        await client.patch(path, json={"basis": a_candidate()["basis"]}, headers=bearer(given))
        assert len(await published(given, 3)) == 3
    # Nor does a restart say anything of who was never published.
    async with intake(given):
        assert len(await published(given, 3)) == 3


async def test_when_a_basis_ends_a_tombstone_goes_out_and_the_candidate_stays(given: Surroundings) -> None:
    async with intake(given) as client:
        answer = await saved(client, given)
        await published(given, 1)
    candidates = given.mongo_client["recruitment_intake"]["candidates"]
    yesterday = (now().date() - timedelta(days=1)).isoformat()
    ended = {"basis_until": yesterday, "given.basis.until": yesterday}
    await candidates.update_one({"_id": answer["candidate_id"]}, {"$set": ended})
    async with intake(given) as client:
        assert (await published(given, 2))[1] is None
        view = await client.get(f"/api/candidates/{answer['candidate_id']}", headers=bearer(given))
        assert view.json()["ranked"] is False
        assert view.json()["given"]["name"] == "Zoé Canari"


async def test_an_owner_finds_and_sees_their_own_candidates_only(given: Surroundings) -> None:
    async with intake(given) as client:
        zoe = await saved(client, given)
        bob = await saved(
            client, given, name="Sample Person", email=..., external_id="ats-2", skills=[{"skill": "Java"}]
        )

        async def found(q: str, owner: str = "acme", *scopes: str) -> list[str]:
            answer = await client.get(
                "/api/candidates", params={"q": q}, headers=bearer(given, owner, *scopes)
            )
            return [item["candidate_id"] for item in answer.json()["items"]]

        assert await found("zoe canari") == [zoe["candidate_id"]]
        assert await found("ATS-2") == [bob["candidate_id"]]
        assert await found("java") == [bob["candidate_id"]]
        assert await found(".*") == []
        assert await found("zoe", "other") == []
        assert await found("zoe", "admin", "*") == [zoe["candidate_id"]]
        page = (await client.get("/api/candidates?limit=1", headers=bearer(given))).json()
        assert page["next"] == bob["candidate_id"]
        path = f"/api/candidates/{zoe['candidate_id']}"
        assert (await client.get(path, headers=bearer(given, "other"))).status_code == 404
        assert (await client.get(path)).status_code == 401
        assert (await client.get(path, headers=bearer(given, "acme", "needs:write"))).status_code == 403


async def test_a_correction_outranks_what_was_read(given: Surroundings) -> None:
    async with intake(given) as client:
        answer = await saved(client, given, skills=..., cv_text=CV)
        path = f"/api/candidates/{answer['candidate_id']}"
        assert {held["skill"]: held["estimated"] for held in answer["skills"]}["java"] is True
        etag = (await client.get(path, headers=bearer(given))).headers["etag"]
        fixed = await client.patch(
            path,
            json={"skills": [{"skill": "Java", "level": 2, "years": 1}]},
            headers=bearer(given) | {"If-Match": etag},
        )
        stale = await client.patch(path, json={"years": 3}, headers=bearer(given) | {"If-Match": etag})
        bad = await client.patch(path, json={"years": -3}, headers=bearer(given))
        java = {held["skill"]: held for held in fixed.json()["skills"]}["java"]
        assert (java["level"], java["estimated"], java["years"]) == (2, False, 1.0)
        assert java["evidence"] == ["Java (5 ans), Kubernetes."]
        assert stale.status_code == 412
        assert bad.json()["errors"][0]["pointer"] == "/years"


async def test_an_external_id_of_another_candidate_cannot_be_taken(given: Surroundings) -> None:
    async with intake(given) as client:
        one = await saved(client, given)
        await saved(client, given, external_id="ats-2")
        path = f"/api/candidates/{one['candidate_id']}"
        taken = await client.patch(path, json={"external_id": "ats-2"}, headers=bearer(given))
        assert taken.json()["errors"][0]["pointer"] == "/external_id"
        moved = await client.patch(path, json={"external_id": "ats-9"}, headers=bearer(given))
        assert moved.status_code == 200
        assert (await saved(client, given, external_id="ats-9"))["candidate_id"] == one["candidate_id"]
        assert (await saved(client, given))["candidate_id"] != one["candidate_id"]


async def test_an_erased_candidate_leaves_a_stub_and_the_page_shows_who_confirmed(
    given: Surroundings,
) -> None:
    async with intake(given) as client, publisher(given.kafka_bootstrap) as sender:
        answer = await saved(client, given)
        [event] = await published(given, 1)
        path = f"/api/candidates/{answer['candidate_id']}"
        assert (await client.delete(path, headers=bearer(given, "other"))).status_code == 404
        gone = await client.delete(path, headers=bearer(given))
        assert gone.status_code == 202
        link = httpx.URL(gone.json()["link"]).raw_path.decode()
        assert (await client.get(link)).json()["confirmed"]["matching"] is None
        await until(lambda: _tombstone(given))
        tombstone = (await records(given.kafka_bootstrap, CANDIDATES))[-1]
        for service in ("matching", "notifier"):
            erasure = Erasure(
                subject_id=answer["candidate_id"], subject=Subject.CANDIDATE, service=service,
                revision=tombstone.revision, occurred_at=now(),
            )  # fmt: skip
            await sender.publish(ERASURES, erasure)
        await until(lambda: _complete(client, link))
        stub = await given.mongo_client["recruitment_intake"]["candidates"].find_one({})
        assert "given" not in stub
        assert "Canari" not in json.dumps(stub, default=str)
        assert (await client.get(path, headers=bearer(given))).status_code == 404
        assert (await client.get(path + "/erasure?t=junk")).status_code == 404
        again = await saved(client, given)
        assert again["candidate_id"] != answer["candidate_id"], "who comes back is somebody new"
    assert event is not None


async def _tombstone(given: Surroundings) -> bool:
    return (await records(given.kafka_bootstrap, CANDIDATES))[-1].event is None


async def _complete(client: httpx.AsyncClient, link: str) -> bool:
    return bool((await client.get(link)).json()["complete"])


async def test_a_batch_answers_a_line_each_and_keeps_the_good_ones(given: Surroundings) -> None:
    lines = [
        json.dumps(a_candidate(external_id="a")),
        "",
        "{broken",
        json.dumps(a_candidate(external_id="b", skills=[{"skill": "Python", "level": 9}])),
        json.dumps(a_candidate(external_id="a", day_rate=700)),
        json.dumps(a_candidate(external_id="c", skills=[{"skill": "Juggling"}])),
    ]
    async with intake(given) as client:
        url, headers = "/api/candidates/batch", bearer(given)
        dry = await client.post(url, params={"dry_run": "true"}, content="\n".join(lines), headers=headers)
        candidates = given.mongo_client["recruitment_intake"]["candidates"]
        assert await candidates.count_documents({}) == 0
        response = await client.post(url, content="\n".join(lines), headers=headers)
        many = await client.post(url, content="{}\n" * 1001, headers=headers)
        assert await candidates.count_documents({}) == 2
        assert (await candidates.find_one({"given.external_id": "a"}))["facts"]["day_rate"] == 700
    answers = [json.loads(line) for line in response.text.splitlines()]
    assert [(answer["line"], answer["status"]) for answer in answers] == [
        (1, 201), (3, 400), (4, 422), (5, 200), (6, 201),
    ]  # fmt: skip
    assert answers[2]["errors"][0]["pointer"] == "/skills/0/level"
    assert answers[3]["candidate_id"] == answers[0]["candidate_id"]
    assert answers[4]["unmapped_skills"] == ["Juggling"]
    assert [json.loads(line)["status"] for line in dry.text.splitlines()] == [200, 400, 422, 200, 200]
    assert many.status_code == 422


async def test_hundreds_of_candidates_come_in_one_batch(given: Surroundings) -> None:
    body = "\n".join(json.dumps(a_candidate(external_id=f"x-{n}")) for n in range(300))
    async with intake(given) as client:
        response = await client.post("/api/candidates/batch", content=body, headers=bearer(given))
        assert [json.loads(line)["status"] for line in response.text.splitlines()] == [201] * 300

        async def all_are_published() -> bool:
            # Counted by who they are: a send that took too long may be repeated.
            events = await published(given, 300)
            return len({event.candidate_id for event in events if event is not None}) == 300

        await until(all_are_published)


async def test_a_canary_name_is_in_no_record_of_any_topic(given: Surroundings) -> None:
    canary = {
        "name": "Zoé Canari",
        "cv_text": "Zoé Canari, zoe.canari@mail.example, 06 98 76 54 32. Docker at Canari SARL.",
        "skills": [{"skill": "Python"}, {"skill": "Canari fluency"}, {"skill": "zoe.canari@mail.example"}],
        "roles": [{"role": "Assistant of Zoé Canari", "months": 3}],
        "basis": {"kind": "consent", "until": "2090-01-01", "source": "Canari form"},
    }
    async with intake(given) as client:
        answer = await saved(client, given, **canary)
        await published(given, 1)
        await client.patch(
            f"/api/candidates/{answer['candidate_id']}", json={"day_rate": 1}, headers=bearer(given)
        )
        await published(given, 2)
        await client.delete(f"/api/candidates/{answer['candidate_id']}", headers=bearer(given))
        await published(given, 3)
        metrics = (await client.get("/metrics")).text
    names = [topic.name for topic in TOPICS if topic is not LETTERS]
    names += [dead.name for dead in DEAD_LETTERS.values()]
    everything = [str(record) for name in names for record in await raw_records(given.kafka_bootstrap, name)]
    # A letter has its addressee, and else only random ids.
    for letter in await records(given.kafka_bootstrap, LETTERS):
        assert letter.event is not None
        assert letter.event.to_email == "zoe.canari@mail.example"
        assert letter.event.arguments.pop("source") == "acme"
        everything.append(letter.event.model_copy(update={"to_email": "-"}).model_dump_json())
    assert len(everything) > 3
    for word in ("canari", "zo\\xc3\\xa9", "zoe", "mail.example", "98 76", "Lyon", "ats-1", "acme"):
        assert word.lower() not in "\n".join(everything).lower(), word
        assert word.lower() not in metrics.lower()

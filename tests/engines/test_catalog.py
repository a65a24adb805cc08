"""The catalogue's promises on real Kafka and the MongoDB wire server, with a small catalogue."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.events.manifest import MANIFEST, fingerprint
from shared.events.role import ROLES
from shared.events.skill import SKILLS
from shared.events.unmapped import UNMAPPED, UnmappedTerm
from shared.mongo import connect
from shared.run import Surroundings
from shared.table import read_to_end
from tests.catalog.support import both, catalog_app, changed, folder_with, following, small, writer
from tests.engines.engines import MongoWireServer, RealKafka, missing
from tests.support import embedded_surroundings, now, publisher, raw_records, records, running, until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(900)]


@dataclass
class Place:
    """One catalogue's engines. A service closes its client when it stops, so each start gets a new one."""

    kafka: RealKafka
    mongo: MongoWireServer
    database: str
    data: Path

    @asynccontextmanager
    async def given(self) -> AsyncIterator[Surroundings]:
        client = connect(self.mongo.uri)
        async with embedded_surroundings(
            kafka=self.kafka, mongo_client=client, mongodb_database=self.database
        ) as given:
            yield given
        client.close()

    @asynccontextmanager
    async def service(self) -> AsyncIterator[tuple[Surroundings, httpx.AsyncClient]]:
        async with (
            self.given() as given,
            running(catalog_app(given, self.data, refresh_seconds=0.1)) as client,
        ):
            yield given, client

    async def drop(self) -> None:
        client = connect(self.mongo.uri)
        await client.drop_database(f"{self.database}_catalog")
        client.close()


@pytest.fixture
def place(wire_server: MongoWireServer, tmp_path: Path) -> Iterator[Place]:
    """A broker of its own: the catalogue's topics hold one catalogue, and other tests have theirs."""
    if problem := missing():
        pytest.fail(problem)
    with RealKafka() as kafka:
        database = f"test{uuid.uuid4().hex[:8]}"
        yield Place(kafka, wire_server, database, folder_with(small(), tmp_path / "data"))


async def test_the_catalogue_is_curated_survives_restarts_and_heals(place: Place) -> None:
    """One broker lives through it all: starting it is what takes the time."""
    async with place.service() as (given, client):
        await changes_are_checked_kept_and_published(given, client)
        await replicas_that_write_at_once_lose_nothing(place, client)
        await a_term_becomes_an_alias(given, client)
        await a_fresh_consumer_has_it_all(given, client)
        before = await everything(client)
        published = await how_much_was_published(given)
    async with place.service() as (given, client):
        assert await everything(client) == before, "a restart changes nothing"
        assert await how_much_was_published(given) == published, "and says nothing twice"
        history = await client.get("/api/skills/python/history", headers=writer(given))
        assert [line["by"] for line in history.json()["items"]] == ["key:ben", "key:ann"]
    await place.drop()
    async with place.service() as (given, client):
        assert await everything(client) == before, "an emptied store comes back from the topics"
        assert (await client.get("/api/skills/cobol")).status_code == 404, "and revives nobody"
        await a_fresh_consumer_has_it_all(given, client)
        done = await changed(client, "/api/roles/tech-lead", writer(given), family="architecture")
        assert done.status_code == 200
        await a_fresh_consumer_has_it_all(given, client)
        terms = await client.get("/api/skills/unmapped?state=alias", headers=writer(given))
        assert [term["term"] for term in terms.json()["items"]] == ["phyton"]


async def changes_are_checked_kept_and_published(given: Surroundings, client: httpx.AsyncClient) -> None:
    first = await client.get("/api/skills/python")
    done = await changed(client, "/api/skills/python", writer(given, "ann"), aliases=["py", "pyth"])
    assert done.status_code == 200
    stale = {**writer(given), "If-Match": first.headers["ETag"]}
    assert (await client.put("/api/skills/python", json=first.json(), headers=stale)).status_code == 412
    refused = await changed(client, "/api/roles/tech-lead", writer(given), skills=[{"skill": "pyton"}])
    assert refused.json()["errors"][0]["pointer"] == "/skills/0/skill"
    new = {"label": both("Rust"), "category": "programming-language"}
    related = [{"skill": "python", "credit": 0.2}]
    made = await client.put(
        "/api/skills/rust", json={**new, "related": related}, headers=writer(given, "ben")
    )
    assert made.status_code == 201
    assert (await client.get("/api/skills/python")).json()["related"] == [{"skill": "rust", "credit": 0.2}]
    tag = (await client.get("/api/skills/cobol")).headers["ETag"]
    gone = await client.delete("/api/skills/cobol", headers={**writer(given), "If-Match": tag})
    assert gone.status_code == 204
    history = (await client.get("/api/skills/cobol/history", headers=writer(given))).json()["items"]
    assert [(line["action"], line["before"]["label"]["en"]) for line in history] == [("deleted", "Cobol")]

    async def buried() -> bool:
        return any(record.event is None for record in await records(given.kafka_bootstrap, SKILLS))

    await until(buried)


async def replicas_that_write_at_once_lose_nothing(place: Place, one: httpx.AsyncClient) -> None:
    """Here alone: the embedded broker takes no second member into a consumer group."""
    async with place.service() as (given, two):

        async def put(client: httpx.AsyncClient, skill_id: str) -> int:
            body = {"label": both(f"The {skill_id}"), "category": "framework"}
            headers = writer(given, "cleo")
            return (await client.put(f"/api/skills/{skill_id}", json=body, headers=headers)).status_code

        for number in range(5):
            same = sorted(await asyncio.gather(put(one, f"same-{number}"), put(two, f"same-{number}")))
            assert same[0] == 201
            assert same[1] in {412, 428}, "the other one is told, or came later"
            others = await asyncio.gather(put(one, f"first-{number}"), put(two, f"second-{number}"))
            assert set(others) == {201}

        async def both_show_all() -> bool:
            shown = [await everything(client) for client in (one, two)]
            return shown[0] == shown[1] and len(shown[0]["skills"]) == len(small().skills) + 15

        await until(both_show_all)


async def a_term_becomes_an_alias(given: Surroundings, client: httpx.AsyncClient) -> None:
    async with publisher(given.kafka_bootstrap, "intake") as intake:
        for seen in (1, 2):
            event = UnmappedTerm(term="phyton", seen=seen, revision=seen, occurred_at=now())
            await intake.publish(UNMAPPED, event)

    async def counted() -> bool:
        answer = await client.get("/api/skills/unmapped", headers=writer(given))
        return [(item["term"], item["seen"]) for item in answer.json()["items"]] == [("phyton", 2)]

    await until(counted)
    body = {"alias_of": "django"}
    done = await client.post("/api/skills/unmapped/phyton", json=body, headers=writer(given))
    assert (done.status_code, done.json()["state"]) == (200, "alias")
    assert (await client.get("/api/skills/django")).json()["aliases"] == ["djando", "phyton"]


async def a_fresh_consumer_has_it_all(given: Surroundings, client: httpx.AsyncClient) -> None:
    """From Kafka alone: every role and skill as the API has it, and as the manifest counts them."""
    wanted = await everything(client)

    async def whole() -> bool:
        async with following(given) as followed:
            await until(lambda: followed.seen)
            roles = [followed.roles[key].model_dump(mode="json") for key in sorted(followed.roles)]
            skills = followed.taxonomy.skills
            return {
                "roles": roles,
                "skills": [skills[key].model_dump(mode="json") for key in sorted(skills)],
            } == wanted

    await until(whole)
    [manifest] = (await read_to_end(given.kafka_bootstrap, MANIFEST)).values()
    assert manifest.event is not None
    assert (manifest.event.roles, manifest.event.skills) == (len(wanted["roles"]), len(wanted["skills"]))
    assert manifest.event.hash == fingerprint(
        {role["role_id"]: role["revision"] for role in wanted["roles"]},
        {skill["skill_id"]: skill["revision"] for skill in wanted["skills"]},
    )


async def everything(client: httpx.AsyncClient) -> dict[str, list[dict[str, Any]]]:
    return {
        plural: (await client.get(f"/api/{plural}?limit=500")).json()["items"]
        for plural in ("roles", "skills")
    }


async def how_much_was_published(given: Surroundings) -> list[int]:
    topics = (ROLES.name, SKILLS.name, MANIFEST.name)
    return [len(await raw_records(given.kafka_bootstrap, name)) for name in topics]

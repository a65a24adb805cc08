"""What reaches Kafka, and that store and topics agree again after either was emptied."""

from pathlib import Path

import httpx

from services.catalog.publishing import Publishing
from services.catalog.store import ROLE, SKILL
from shared.embedded import EmbeddedKafka, embedded_mongo
from shared.events.manifest import MANIFEST
from shared.events.role import ROLES
from shared.events.skill import SKILLS
from shared.run import Surroundings
from tests.catalog.support import (
    a_skill,
    both,
    catalog_app,
    changed,
    folder_with,
    following,
    small,
    store_of,
    writer,
)
from tests.support import embedded_surroundings, records, running, until


async def test_a_fresh_consumer_has_the_whole_catalogue_from_kafka_alone(
    client: httpx.AsyncClient, given: Surroundings
) -> None:
    async with following(given) as followed:
        await until(lambda: followed.seen)
        assert followed.roles.keys() == small().roles.keys()
        assert followed.taxonomy.resolve("djando") == "django"
        role = (await client.get("/api/roles/tech-lead")).json()
        assert followed.roles["tech-lead"].model_dump(mode="json") == role


async def test_a_manifest_never_describes_what_is_not_on_kafka_yet(given: Surroundings) -> None:
    store, kafka = store_of(given), given.kafka("catalog")
    await kafka.connect()
    try:
        publishing = Publishing(store, kafka)
        await store.save(SKILL, a_skill("python"), None, "loader")
        assert not await publishing.settle()
        assert await records(given.kafka_bootstrap, MANIFEST) == []
        await publishing.publish_waiting()
        [manifest] = await records(given.kafka_bootstrap, MANIFEST)
        assert manifest.event is not None
        assert (manifest.event.roles, manifest.event.skills) == (0, 1)
    finally:
        await kafka.publisher.stop()


async def test_a_change_is_published_and_then_the_manifest(
    client: httpx.AsyncClient, given: Surroundings
) -> None:
    async with following(given) as followed:
        await until(lambda: followed.seen)
        first = followed.version
        done = await changed(client, "/api/skills/python", writer(given), aliases=["py", "pyth"])
        await until(lambda: followed.taxonomy.resolve("pyth") == "python")
        assert followed.version != first
        assert followed.taxonomy.skills["python"].revision == done.json()["revision"]
    published = await records(given.kafka_bootstrap, MANIFEST)
    assert len(published) == 2, "nothing is said twice"


async def test_a_deletion_is_a_tombstone_that_the_manifest_counts(
    client: httpx.AsyncClient, given: Surroundings
) -> None:
    async with following(given) as followed:
        await until(lambda: followed.seen)
        tag = (await client.get("/api/skills/cobol")).headers["ETag"]
        gone = await client.delete("/api/skills/cobol", headers={**writer(given), "If-Match": tag})
        assert gone.status_code == 204
        await until(lambda: "cobol" not in followed.taxonomy.skills)
    newest = (await records(given.kafka_bootstrap, SKILLS))[-1]
    assert (newest.key, newest.event) == ("cobol", None)


async def test_a_store_that_was_emptied_comes_back_from_the_topic_as_curated(
    given: Surroundings, data: Path
) -> None:
    async with running(catalog_app(given, data)) as client:
        await changed(client, "/api/roles/tech-lead", writer(given), family="architecture")
        tag = (await client.get("/api/skills/cobol")).headers["ETag"]
        await client.delete("/api/skills/cobol", headers={**writer(given), "If-Match": tag})
        await client.put("/api/skills/rust", json=_skill("rust"), headers=writer(given))
        async with following(given) as followed:
            await until(
                lambda: "cobol" not in followed.taxonomy.skills and "rust" in followed.taxonomy.skills
            )
            version = followed.version
        before = (await client.get("/api/roles")).json()
        skills = (await client.get("/api/skills")).json()
    emptied = Surroundings(**{**vars(given), "mongo_client": embedded_mongo()})
    # The files have moved on too: what is new there comes in, what the topic has goes before them.
    shipped = small()
    newcomer = a_skill("zig")
    folder_with(type(shipped)(shipped.roles, {**shipped.skills, "zig": newcomer}), data)
    async with running(catalog_app(emptied, data)) as client:
        assert (await client.get("/api/roles")).json() == before
        healed = (await client.get("/api/skills")).json()["items"]
        assert [each for each in healed if each["skill_id"] != "zig"] == skills["items"]
        assert "zig" in {each["skill_id"] for each in healed}
        async with following(given) as followed:
            await until(lambda: "zig" in followed.taxonomy.skills)
            assert followed.version != version
            assert followed.roles["tech-lead"].family == "architecture"
            assert "cobol" not in followed.taxonomy.skills
        store = store_of(emptied)
        writers = {key: found["written_by"] for key, found in (await store.documents(ROLE)).items()}
        assert writers == {
            "back-end-developer": "loader",
            "project-manager": "loader",
            "tech-lead": "unknown",
        }


async def test_a_topic_that_was_emptied_is_filled_again(data: Path) -> None:
    kafka, mongo = EmbeddedKafka(), embedded_mongo()
    try:
        async with embedded_surroundings(kafka=kafka, mongo_client=mongo) as given:
            async with running(catalog_app(given, data)) as client:
                await changed(client, "/api/roles/tech-lead", writer(given), family="architecture")
                async with following(given) as followed:
                    await until(
                        lambda: followed.seen and followed.roles["tech-lead"].family == "architecture"
                    )
                    version = followed.version
            for topic in (ROLES, SKILLS, MANIFEST):
                kafka.empty_topic(topic.name, topic.partitions)
            async with running(catalog_app(given, data)), following(given) as followed:
                await until(lambda: followed.seen)
                assert followed.version == version
    finally:
        kafka.stop()


async def test_without_kafka_pages_and_api_answer_and_all_is_published_when_it_is_back(data: Path) -> None:
    kafka = EmbeddedKafka()
    kafka.set_down()
    try:
        async with (
            embedded_surroundings(kafka=kafka) as given,
            running(catalog_app(given, data), ready=False) as client,
        ):

            async def shown() -> bool:
                return (await client.get("/roles/tech-lead")).status_code == 200

            await until(shown)
            assert (await client.get("/readyz")).status_code == 503
            done = await changed(client, "/api/roles/tech-lead", writer(given), family="architecture")
            assert done.status_code == 200
            kafka.set_up()
            async with following(given) as followed:
                await until(lambda: followed.seen)
                assert followed.roles["tech-lead"].family == "architecture"
                assert followed.roles.keys() == small().roles.keys()
    finally:
        kafka.stop()


def _skill(name: str) -> dict[str, object]:
    return {"label": both(name), "category": "programming-language"}

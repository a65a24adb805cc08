"""Erasure: everything of a person goes, from every collection and every topic, and each service says so."""

import io
import json
import logging
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from services.intake.app import build
from shared.embedded import EmbeddedKafka
from shared.events.candidate import CANDIDATES
from shared.events.erasure import ERASURES, Erasure, Subject
from shared.events.letter import LETTERS
from shared.events.registry import DEAD_LETTERS, TOPICS
from shared.log import configure_logging
from shared.run import Surroundings
from tests.intake.support import a_candidate, bearer, intake, publish_catalogue
from tests.support import embedded_surroundings, now, publisher, raw_records, records, running, until

CANARY = {
    "external_id": "canari-77",
    "name": "Zoé Canari",
    "email": "zoe.canari@mail.example",
    "phone": "+33 6 98 76 54 32",
    "skills": [{"skill": "Python"}, {"skill": "Canari fluency"}, {"skill": "Canary taming"}],
    "roles": [{"role": "Assistant of Zoé Canari", "months": 3}],
    "basis": {"kind": "consent", "until": "2090-01-01", "source": "Canari form"},
    "location": {"country": "FR", "region": "FR-ARA", "city": "Canarivillers"},
}
CV = b"Zoe Canari, zoe.canari@mail.example, 06 98 76 54 32.\nDocker at Canari SARL.\nCanariscript expert."
WORDS = ("canari", "canary", "zoé", "zoe", "mail.example", "98 76")


def found_in(text: str) -> list[str]:
    lowered = text.lower().replace("\\u00e9", "é").replace("\\xc3\\xa9", "é")
    return [word for word in WORDS if word in lowered]


async def everything_stored(given: Surroundings) -> dict[str, str]:
    """Each of intake's collections as text, bytes of files included."""
    database = given.mongo_client["recruitment_intake"]
    names = await database.list_collection_names()
    return {name: str(await database[name].find().to_list(None)) for name in names if name != "catalogue"}


async def save_canary(client: httpx.AsyncClient, given: Surroundings, **changes: Any) -> str:
    response = await client.post(
        "/api/candidates",
        files={"cv": ("Zoe Canari.txt", CV, None)},
        data={"profile": json.dumps(a_candidate(**(CANARY | changes)))},
        headers=bearer(given),
    )
    assert response.status_code in {200, 201}, response.text
    return str(response.json()["candidate_id"])


async def busy(client: httpx.AsyncClient, given: Surroundings) -> str:
    """A candidate's whole stay, with everything that could leave a trace; ends with the erasure link."""
    candidate_id = await save_canary(client, given)
    path, headers = f"/api/candidates/{candidate_id}", bearer(given)
    await save_canary(client, given, day_rate=640)
    await client.patch(path, json={"years": 9, "name": "Zoé Canari-Exemple"}, headers=headers)
    await client.patch(path, json={"years": -9, "name": "Zoé Canari"}, headers=headers)
    line = json.dumps(a_candidate(**CANARY, cv_text="Canari again"))
    await client.post("/api/candidates/batch", content=f"{line}\n{line[:-4]}", headers=headers)
    for query in ("canari", "zoe.canari@mail.example"):
        await client.get("/api/candidates", params={"q": query}, headers=headers)
    assert (await client.get(f"{path}/export", headers=headers)).status_code == 200
    assert (await client.get(f"{path}/cv", headers=headers)).status_code in {200, 404}
    await until(lambda: _letters(given))
    gone = await client.delete(path, headers=headers)
    assert gone.status_code == 202
    return str(gone.json()["link"]).removeprefix("http://localhost:8000")


async def _letters(given: Surroundings) -> bool:
    return len(await records(given.kafka_bootstrap, LETTERS)) > 0


async def _last_is_tombstone(given: Surroundings) -> bool:
    return (await records(given.kafka_bootstrap, CANDIDATES))[-1].event is None


async def _intake_confirmed(given: Surroundings) -> bool:
    return any(record.event is not None for record in await records(given.kafka_bootstrap, ERASURES))


@pytest.fixture
async def log() -> AsyncIterator[io.StringIO]:
    """All that is logged, at the most talkative level."""
    configure_logging("DEBUG", json_lines=True)
    written = io.StringIO()
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    client = logging.getLogger("httpx")  # the test's own: its addresses hold what it searched for
    level = client.level
    client.setLevel(logging.WARNING)
    yield written
    client.setLevel(level)
    configure_logging("WARNING", json_lines=False)


async def test_a_canary_is_in_no_topic_log_or_metric_and_after_erasure_in_no_collection(
    given: Surroundings, log: io.StringIO
) -> None:
    async with intake(given) as client:
        link = await busy(client, given)
        await until(lambda: _last_is_tombstone(given))
        await until(lambda: _intake_confirmed(given))
        metrics = (await client.get("/metrics")).text
        page = await client.get(link, headers={"Accept": "text/html"})
    stored = await everything_stored(given)
    assert {"candidates", "files", "external_ids", "unmapped_terms", "letters", "exports"} <= set(stored)
    assert {name: words for name, text in stored.items() if (words := found_in(text))} == {}
    assert "canari-77" not in str(stored)

    topics = [topic.name for topic in TOPICS if topic is not LETTERS]
    topics += [dead.name for dead in DEAD_LETTERS.values()]
    for name in topics:
        text = "\n".join(map(str, await raw_records(given.kafka_bootstrap, name)))
        assert found_in(text) == [], name
    for letter in await records(given.kafka_bootstrap, LETTERS):
        assert letter.event is not None
        # The addressee aside; the topic forgets within a week.
        assert found_in(letter.event.model_copy(update={"to_email": "-"}).model_dump_json()) == []
    assert found_in(metrics) == []
    assert found_in(page.text) == []
    assert '"service": "intake"' in log.getvalue()
    assert found_in(log.getvalue()) == []


async def test_the_erasure_page_follows_each_service_and_says_the_same_to_machines(
    given: Surroundings,
) -> None:
    async with intake(given) as client, publisher(given.kafka_bootstrap) as sender:
        candidate_id = await save_canary(client, given)
        await until(lambda: records(given.kafka_bootstrap, CANDIDATES))
        gone = (await client.delete(f"/api/candidates/{candidate_id}", headers=bearer(given))).json()
        link = gone["link"].removeprefix("http://localhost:8000")
        await until(lambda: _last_is_tombstone(given))
        tombstone = (await records(given.kafka_bootstrap, CANDIDATES))[-1]
        await until(lambda: _says(client, link, "intake"))

        fr = await client.get(f"{link}&lang=fr", headers={"Accept": "text/html"})
        en = await client.get(f"{link}&lang=en", headers={"Accept": "text/html"})
        assert ("en cours" in fr.text, "under way" in en.text) == (True, True)
        assert fr.headers["content-language"] == "fr"
        assert 'data-complete="no"' in en.text

        async def confirm(service: str, revision: int) -> None:
            await sender.publish(
                ERASURES,
                Erasure(
                    subject_id=candidate_id, subject=Subject.CANDIDATE, service=service,
                    revision=revision, occurred_at=now(),
                ),
            )  # fmt: skip

        # What was said of an earlier tombstone (a basis that had ended) is not said of this one.
        await confirm("matching", tombstone.revision - 1)
        await confirm("notifier", tombstone.revision)
        await until(lambda: _says(client, link, "notifier"))
        assert not await _says(client, link, "matching")
        await confirm("matching", tombstone.revision)
        await until(lambda: _says(client, link, "matching"))
        whole = await client.get(f"{link}&lang=en", headers={"Accept": "text/html"})
        assert "each service has confirmed it" in whole.text
        assert (await client.get(link)).json()["complete"] is True
        for other in (link[:-3], link.replace(candidate_id, "x"), link.partition("?")[0]):
            assert (await client.get(other)).status_code == 404
            assert (await client.get(other, headers={"Accept": "text/html"})).status_code == 404


async def _says(client: httpx.AsyncClient, link: str, service: str) -> bool:
    return (await client.get(link)).json()["confirmed"][service] is not None


async def test_an_erasure_that_stopped_half_way_is_finished_after_the_restart(given: Surroundings) -> None:
    """What a crash leaves: the stub is there, files, ids and terms are not yet gone, nobody was told."""
    async with intake(given) as client:
        candidate_id = await save_canary(client, given)
    database = given.mongo_client["recruitment_intake"]
    document = await database["candidates"].find_one({"_id": candidate_id})
    stub = {"_id": candidate_id, "erased": True, "confirmed": {}, "unpublished": True, "lease": None}
    stub |= {"revision": document["revision"] + 1, "occurred_at": now()}
    await database["candidates"].replace_one({"_id": candidate_id}, stub)
    await database["letters"].delete_many({})
    async with intake(given):
        await until(lambda: _intake_confirmed(given))
    assert {
        n: words for n, text in (await everything_stored(given)).items() if (words := found_in(text))
    } == {}


async def test_a_file_that_no_candidate_names_is_swept_and_one_just_written_is_not(
    given: Surroundings,
) -> None:
    async with intake(given) as client:
        await save_canary(client, given)
    files = given.mongo_client["recruitment_intake"]["files"]
    [kept] = await files.find().to_list(None)
    old, fresh = now() - timedelta(hours=3), now()
    await files.update_one({"_id": kept["_id"]}, {"$set": {"created_at": old}})
    for name, at in (("old", old), ("fresh", fresh)):
        await files.insert_one(
            {"_id": name, "candidate_id": kept["candidate_id"], "content": b"x", "created_at": at}
        )
    async with intake(given):
        await until(lambda: _gone(files, "old"))
    assert {file["_id"] for file in await files.find().to_list(None)} == {kept["_id"], "fresh"}


async def _gone(files: Any, name: str) -> bool:
    return await files.find_one({"_id": name}) is None


async def test_while_kafka_is_away_an_erasure_is_taken_and_carried_out_later() -> None:
    kafka = EmbeddedKafka()
    async with embedded_surroundings(kafka=kafka) as given:
        await publish_catalogue(given.kafka_bootstrap)
        async with running(build(given)) as client:
            candidate_id = await save_canary(client, given)
            await until(lambda: records(given.kafka_bootstrap, CANDIDATES))
            kafka.set_down()
            gone = await client.delete(f"/api/candidates/{candidate_id}", headers=bearer(given))
            assert gone.status_code == 202
            files = given.mongo_client["recruitment_intake"]["files"]
            await until(lambda: _empty(files))
            kafka.set_up()
            await until(lambda: _last_is_tombstone(given))
            await until(lambda: _intake_confirmed(given), seconds=40)
    kafka.stop()


async def _empty(collection: Any) -> bool:
    return bool(await collection.count_documents({}) == 0)


async def test_a_restored_candidate_is_ranked_for_a_month_and_no_longer(given: Surroundings) -> None:
    async with intake(given) as client:
        candidate_id = await save_canary(client, given)
        await until(lambda: records(given.kafka_bootstrap, CANDIDATES))
    candidates = given.mongo_client["recruitment_intake"]["candidates"]
    await candidates.delete_many({})
    async with intake(given):
        restored = await until(lambda: candidates.find_one({"_id": candidate_id}))
        until_day = now().date() + timedelta(days=30)
        assert (restored["listed"], restored["basis_until"]) == (True, until_day.isoformat())
    await candidates.update_one({"_id": candidate_id}, {"$set": {"basis_until": "2020-01-01"}})
    async with intake(given):
        await until(lambda: _last_is_tombstone(given))


def test_the_words_of_the_pages_exist_in_both_languages() -> None:
    folder = Path("services/intake")
    words = yaml.safe_load((folder / "words_rights.yaml").read_text("utf-8"))
    assert all(set(texts) == {"fr", "en"} for texts in words.values())
    used = {
        key
        for name in ("rights.html", "erasure.html", "rights_message.html")
        for key in re.findall(r'(?<![\w.])t\("(\w+)"[,)]', (folder / "templates" / name).read_text("utf-8"))
    }
    assert used <= set(words)

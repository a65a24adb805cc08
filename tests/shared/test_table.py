"""A table follows its topic, skips what it cannot read, and knows when it is complete."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import ConsumerRecord

from shared.catalogue import Catalogue
from shared.events.manifest import MANIFEST, Manifest, fingerprint
from shared.events.skill import SKILLS, Skill
from shared.events.vocabulary import LocalizedText
from shared.events.wire import encode
from shared.metrics import Metrics
from shared.publisher import Publisher
from shared.run import Surroundings
from shared.table import DECODED_AT_ONCE, Table
from tests.support import WAIT_SECONDS, now, publisher, until


def skill(skill_id: str, revision: int = 1, label: str = "x") -> Skill:
    return Skill(
        revision=revision,
        occurred_at=now(),
        skill_id=skill_id,
        label=LocalizedText(fr=label, en=label),
        category="language",
    )


@asynccontextmanager
async def following(table: Table[Skill], bootstrap: str) -> AsyncIterator[None]:
    task = asyncio.create_task(table.run(bootstrap))
    try:
        await asyncio.wait_for(table.until_caught_up(), WAIT_SECONDS)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_table_holds_the_newest_state_of_every_key(given: Surroundings) -> None:
    async with publisher(given.kafka_bootstrap) as sender:
        await sender.publish(SKILLS, skill("php", 1, "old"))
        await sender.publish(SKILLS, skill("php", 3, "new"))
        await sender.publish(SKILLS, skill("php", 2, "late"))
        await sender.publish(SKILLS, skill("perl"))
        await sender.publish_tombstone(SKILLS, "perl", 2)
        await sender.publish(SKILLS, skill("perl", 1, "revived"))
        table = Table(SKILLS, service="intake", metrics=Metrics())
        async with following(table, given.kafka_bootstrap):
            assert {key: row.label.en for key, row in table.rows.items()} == {"php": "new"}
            assert table.revisions == {"php": 3, "perl": 2}
            await sender.publish(SKILLS, skill("ruby"))
            await until(lambda: "ruby" in table.rows)


async def test_a_record_that_cannot_be_read_is_skipped_counted_and_its_place_logged(
    given: Surroundings,
) -> None:
    metrics = Metrics()
    async with publisher(given.kafka_bootstrap) as sender:
        await sender.send(SKILLS.name, b"a", b"not json", (("h", b"\xff"),))
        await sender.send(SKILLS.name, None, b"{}", ())
        await sender.publish(SKILLS, skill("php"))
    table = Table(SKILLS, service="intake", metrics=metrics)
    async with following(table, given.kafka_bootstrap):
        assert list(table.rows) == ["php"]
    assert b'table_skipped_total{service="intake",topic="catalog.skills.v1"} 2.0' in metrics.exposition()


async def test_others_have_their_turn_while_a_table_decodes_a_large_batch() -> None:
    turns, taken = 0, Counter[int]()

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def note(_key: str, _had: Skill | None, _has: Skill | None) -> None:
        taken[turns] += 1

    encoded = [encode(SKILLS, skill(f"s{at}"), source="catalog") for at in range(5 * DECODED_AT_ONCE)]
    batch = [
        ConsumerRecord(SKILLS.name, 0, at, 0, 0, key, value, None, 0, 0, headers)
        for at, (key, value, headers) in enumerate(encoded)
    ]
    other = asyncio.create_task(take_turns())
    table = Table(SKILLS, service="intake", metrics=Metrics(), on_change=note)
    await table.apply_batch(batch)
    other.cancel()
    assert len(table) == len(batch)
    assert max(taken.values()) <= DECODED_AT_ONCE


async def test_an_empty_topic_is_caught_up_with_but_is_no_complete_catalogue(given: Surroundings) -> None:
    catalogue = Catalogue("intake", Metrics())
    tasks = [asyncio.create_task(table.run(given.kafka_bootstrap)) for table in catalogue.tables]
    for table in catalogue.tables:
        await asyncio.wait_for(table.until_caught_up(), WAIT_SECONDS)
    assert not catalogue.seen
    assert catalogue.missing() == "no manifest of the catalogue was read yet"
    async with publisher(given.kafka_bootstrap) as sender:
        await _publish_catalogue(sender, skill("php"), skill("ruby"), missing=1)
        await until(lambda: len(catalogue.skill_table.rows) == 1)
        await until(lambda: catalogue.manifest_table.rows)
        assert not catalogue.seen, "one skill of two is there"
        await sender.publish(SKILLS, skill("ruby"))
        await until(lambda: catalogue.seen)
        assert catalogue.taxonomy.resolve("Ruby") == "ruby"
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _publish_catalogue(sender: Publisher, *skills: Skill, missing: int) -> None:
    for each in skills[: len(skills) - missing]:
        await sender.publish(SKILLS, each)
    revisions = {each.skill_id: each.revision for each in skills}
    manifest = Manifest(
        revision=1, occurred_at=now(), roles=0, skills=len(skills), hash=fingerprint({}, revisions)
    )
    await sender.publish(MANIFEST, manifest)

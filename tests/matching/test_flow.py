"""From records on Kafka to shortlists on Kafka: what is ranked when, published once, and made good."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.matching.app import build
from services.matching.handlers import partition_of
from shared.embedded import EmbeddedKafka
from shared.events.audit import AUDIT
from shared.events.candidate import CANDIDATES, Candidate
from shared.events.erasure import ERASURES, Subject
from shared.events.feedback import FEEDBACK, Colleague, Decision, DeclineReason, Feedback
from shared.events.manifest import MANIFEST
from shared.events.model import MODEL
from shared.events.need import NEEDS, Need, NeedState
from shared.events.registry import DEAD_LETTERS
from shared.events.role import ROLES as ROLE_TOPIC
from shared.events.shortlist import SHORTLISTS, Departure, Outcome, Shortlist
from shared.events.skill import SKILLS as SKILL_TOPIC
from shared.events.topic import Topic
from shared.events.vocabulary import Must
from shared.events.wire import Record
from shared.publisher import Publisher
from shared.run import Surroundings
from shared.web.access import KEY_PURPOSE
from tests.matching.pieces import ROLES, SKILLS, THEN, asked, candidate, held, manifest, need
from tests.support import embedded_surroundings, publisher, raw_records, records, running, until

NEED = "0190b1a0-0000-7000-8000-00000000000a"
GOOD = candidate("good", held("python", 4), "rest", roles={"back-end-developer": 40})
FAIR = candidate("fair", held("python", 2))
ALIEN = candidate("alien", "excel", roles={"accountant": 40})
WANTED = need(NEED, asked("python", 4, must=True), asked("rest"))


class Kafka:
    """The other services, as far as matching sees them: their records on the embedded broker."""

    def __init__(self, given: Surroundings, out: Publisher) -> None:
        self.given = given
        self.bootstrap = given.kafka_bootstrap
        self.out = out

    async def catalogue(self) -> None:
        for role in ROLES.values():
            await self.out.publish(ROLE_TOPIC, role)
        for skill in SKILLS.values():
            await self.out.publish(SKILL_TOPIC, skill)
        await self.out.publish(MANIFEST, manifest())

    async def candidates(self, *people: Candidate) -> None:
        await asyncio.gather(*(self.out.publish(CANDIDATES, one) for one in people))

    async def needs(self, *needs: Need) -> None:
        for one in needs:
            await self.out.publish(NEEDS, one)

    async def decide(
        self, candidate_id: str, decision: Decision, need_id: str = NEED, *, undone: bool = False
    ) -> None:
        await self.out.publish(
            FEEDBACK,
            Feedback(
                feedback_id=f"{candidate_id}-{decision}-{undone}",
                need_id=need_id,
                decision=decision,
                consultant=Colleague(consultant_id="k1", name="Kim", email="kim@example.com"),
                candidate_id=candidate_id,
                reason=DeclineReason.RATE,
                undone=undone,
                revision=1,
                occurred_at=datetime.now(UTC),
            ),
        )

    async def again(self) -> None:
        """Every record of every topic that matching reads, once more, as it came."""
        for topic in (
            ROLE_TOPIC,
            SKILL_TOPIC,
            MANIFEST,
            NEEDS,
            CANDIDATES,
            SHORTLISTS,
            MODEL,
            FEEDBACK,
            ERASURES,
        ):
            for record in await raw_records(self.bootstrap, topic.name):
                await self.out.send(record.topic, record.key, record.value, tuple(record.headers))

    async def count(self, topic: Topic[Any], expected: int) -> bool:
        return len(await records(self.bootstrap, topic)) == expected

    async def shortlists(self) -> list[Record[Shortlist]]:
        return await records(self.bootstrap, SHORTLISTS)

    async def revisions(self, count: int) -> list[Shortlist]:
        """The shortlists published so far, oldest first, once there are so many."""

        async def enough() -> bool:
            return len(await self.shortlists()) >= count

        await until(enough, because=lambda: f"{count} shortlists were awaited")
        found = await self.shortlists()
        assert len(found) == count, [record.event for record in found]
        return [record.event for record in found if record.event is not None]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATCHING_SETTLING_SECONDS", "0.5")
    monkeypatch.setenv("MATCHING_REST_SECONDS", "0.2")


@pytest.fixture
async def kafka(given: Surroundings) -> AsyncIterator[Kafka]:
    async with publisher(given.kafka_bootstrap) as out:
        made = Kafka(given, out)
        await made.catalogue()
        yield made


@asynccontextmanager
async def matching(kafka: Kafka) -> AsyncIterator[httpx.AsyncClient]:
    async with running(build(kafka.given)) as client:
        key = kafka.given.tokens.issue(
            KEY_PURPOSE, "test", lifetime=THEN - THEN.replace(year=2020), scopes=["shortlists:read"]
        )
        client.headers["Authorization"] = f"Bearer {key}"
        yield client


async def idle(client: httpx.AsyncClient, kafka: Kafka) -> None:
    """Return once matching has handled everything: a marker need sent after it has its shortlist.

    The marker is in the partition of NEED, where records are taken in their order.
    """
    before = len(await kafka.shortlists())
    numbered = (f"marker-{before}-{number}" for number in count())
    marker_id = next(one for one in numbered if partition_of(one) == partition_of(NEED))
    marker = need(marker_id, asked("figma"), role_id="full-stack-developer")
    await kafka.candidates(candidate(f"marked-{before}", "figma"))
    await kafka.needs(marker)

    async def listed() -> bool:
        return (await client.get(f"/api/shortlists/{marker.need_id}")).status_code == 200

    await until(listed)


async def current(client: httpx.AsyncClient) -> Any:
    """The need's shortlist as matching answers it, None while there is none."""
    answer = await client.get(f"/api/shortlists/{NEED}")
    return answer.json() if answer.status_code == 200 else None


def ids(shortlist: Shortlist) -> list[str]:
    return [entry.candidate_id for entry in shortlist.entries]


def sample(client_metrics: str, name: str) -> float:
    return sum(
        float(line.rpartition(" ")[2]) for line in client_metrics.splitlines() if line.startswith(name)
    )


async def of_need(kafka: Kafka, need_id: str = NEED) -> list[Record[Shortlist]]:
    return [record for record in await kafka.shortlists() if record.key == need_id]


async def test_a_need_and_its_candidates_become_one_shortlist(kafka: Kafka) -> None:
    await kafka.candidates(FAIR, ALIEN, GOOD)
    await kafka.needs(WANTED)
    async with matching(kafka) as client:
        (shortlist,) = await kafka.revisions(1)
        served = await until(lambda: current(client))
    assert ids(shortlist) == ["good", "fair"]
    assert shortlist.entered == ("good", "fair")
    assert (shortlist.outcome, shortlist.eligible, shortlist.candidates) == (Outcome.MATCHED, 3, 3)
    assert (shortlist.need_revision, shortlist.reference, shortlist.title) == (1, "N-TEST01", "Wanted")
    assert served == shortlist.model_dump(mode="json", exclude_none=True)
    (audit,) = [record.event for record in await records(kafka.bootstrap, AUDIT)]
    assert audit is not None
    assert audit.shortlist == shortlist
    assert [one.candidate_id for one in audit.candidates] == ["good", "fair"]
    assert audit.catalogue_hash == manifest().hash
    assert sum(offset + 1 for offset in audit.watermark.values()) == 3


async def test_a_better_candidate_brings_a_revision_that_says_who_came_and_went(kafka: Kafka) -> None:
    await kafka.candidates(*(candidate(f"c{at}", held("python", 2)) for at in range(10)))
    await kafka.needs(WANTED)
    async with matching(kafka):
        await kafka.revisions(1)
        await kafka.candidates(GOOD)
        first, second = await kafka.revisions(2)
    assert "c9" in ids(first)
    assert ids(second)[0] == "good"
    assert second.entered == ("good",)
    assert second.left == (Departure(candidate_id="c9", why="outranked"),)
    assert second.revision > first.revision


async def test_who_no_longer_fits_leaves_as_ineligible(kafka: Kafka) -> None:
    here = GOOD.model_copy(update={"country": "FR"})
    await kafka.candidates(here, FAIR)
    await kafka.needs(
        WANTED.model_copy(
            update={"location": need("x", location={"country": "FR"}).location, "musts": (Must.LOCATION,)}
        )
    )
    async with matching(kafka):
        await kafka.revisions(1)
        await kafka.candidates(here.model_copy(update={"country": "BE", "revision": 2}))
        _, second = await kafka.revisions(2)
    assert ids(second) == ["fair"]
    assert second.left == (Departure(candidate_id="good", why="ineligible"),)
    assert [(near.candidate_id, near.missed) for near in second.near_misses] == [("good", "location")]
    assert second.relaxed == {"location": 1}


async def test_a_restart_leads_to_the_same_shortlist_and_no_new_record(kafka: Kafka) -> None:
    await kafka.candidates(FAIR, GOOD, candidate("gone", "python"))
    await kafka.needs(WANTED)
    async with matching(kafka):
        await kafka.revisions(1)
        await kafka.decide("good", Decision.DECLINED)
        await kafka.revisions(2)
        await kafka.out.publish_tombstone(CANDIDATES, "gone", 7)
        before = (await kafka.revisions(3))[-1]
        await until(lambda: kafka.count(ERASURES, 1))
    async with matching(kafka) as client:
        await idle(client, kafka)
        served = (await client.get(f"/api/shortlists/{NEED}")).json()
    assert served == before.model_dump(mode="json", exclude_none=True)
    assert len(await of_need(kafka)) == 3
    assert await kafka.count(ERASURES, 1)
    days = [record.event.as_of for record in await records(kafka.bootstrap, MODEL) if record.event]
    assert len(days) == len(set(days)), "one model a day"


async def test_redelivery_of_everything_publishes_nothing_new(kafka: Kafka) -> None:
    await kafka.candidates(FAIR, GOOD)
    await kafka.needs(WANTED)
    async with matching(kafka) as client:
        await kafka.revisions(1)
        await kafka.decide("fair", Decision.DECLINED)
        await kafka.revisions(2)
        await kafka.again()
        await idle(client, kafka)
    assert len({record.revision for record in await of_need(kafka)}) == 2


async def test_candidates_who_cannot_enter_cause_no_revision(kafka: Kafka) -> None:
    await kafka.candidates(*(candidate(f"good-{at}", held("python", 4), "rest") for at in range(10)))
    await kafka.needs(WANTED)
    async with matching(kafka) as client:
        await kafka.revisions(1)
        await kafka.candidates(FAIR, ALIEN)
        await idle(client, kafka)
    assert len(await of_need(kafka)) == 1


async def test_a_burst_of_candidates_leads_to_few_revisions(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATCHING_REST_SECONDS", "1")
    await kafka.candidates(FAIR)
    await kafka.needs(WANTED)
    loop = asyncio.get_running_loop()
    async with matching(kafka):
        await kafka.revisions(1)
        began = loop.time()
        # Each one is better than all before, so that each could be a revision of its own.
        for at in range(500):
            roles = {"back-end-developer": 1 + at // 10}
            await kafka.candidates(candidate(f"c{999 - at}", held("python", 3), "rest", roles=roles))

        async def complete() -> bool:
            newest = (await of_need(kafka))[-1].event
            return newest is not None and ids(newest)[0] == "c500"

        await until(complete)
        elapsed = loop.time() - began
    assert len(await of_need(kafka)) <= 3 + elapsed


async def test_an_edited_need_is_ranked_at_once_and_names_its_revision(kafka: Kafka) -> None:
    await kafka.candidates(FAIR, GOOD, candidate("other", held("mysql", 5)))
    await kafka.needs(WANTED)
    async with matching(kafka):
        await kafka.revisions(1)
        await kafka.needs(need(NEED, asked("mysql", must=True), revision=2))
        _, second = await kafka.revisions(2)
    assert second.need_revision == 2
    assert ids(second)[0] == "other"


async def test_declined_candidates_do_not_come_back(kafka: Kafka) -> None:
    await kafka.candidates(FAIR, GOOD)
    await kafka.needs(WANTED)
    async with matching(kafka):
        await kafka.revisions(1)
        await kafka.decide("good", Decision.DECLINED)
        _, second = await kafka.revisions(2)
    assert ids(second) == ["fair"]
    assert second.left == (Departure(candidate_id="good", why="declined"),)


async def test_who_is_placed_leaves_other_shortlists_until_a_new_date_is_stated(kafka: Kafka) -> None:
    elsewhere = need("0190b1a0-0000-7000-8000-00000000000d", asked("python", 4, must=True))
    await kafka.candidates(FAIR, GOOD)
    await kafka.needs(WANTED, elsewhere)
    async with matching(kafka) as client:
        await kafka.revisions(2)
        await kafka.decide("good", Decision.PLACED, elsewhere.need_id)
        left = (await kafka.revisions(3))[-1]
        assert (left.need_id, ids(left)) == (NEED, ["fair"])
        assert left.left == (Departure(candidate_id="good", why="placed"),)
        ranked = await client.post("/api/rank", json={"need": {"role_id": "back-end-developer"}})
        assert [entry["candidate_id"] for entry in ranked.json()["shortlist"]] == ["fair"]
        # Another edit does not free them; a new date does.
        now = datetime.now(UTC)
        revision = int(now.timestamp() * 1000)
        edited = GOOD.model_copy(update={"revision": revision, "occurred_at": now, "region": "FR-IDF"})
        await kafka.candidates(edited)
        await idle(client, kafka)
        free = {"revision": revision + 1, "available_from": now.date() + timedelta(days=60)}
        await kafka.candidates(edited.model_copy(update=free))

        async def back() -> bool:
            newest = (await of_need(kafka))[-1].event
            return newest is not None and "good" in ids(newest)

        await until(back)
    assert len(await of_need(kafka)) == 3


async def test_a_placing_that_is_taken_back_brings_the_candidate_back_elsewhere(kafka: Kafka) -> None:
    elsewhere = need("0190b1a0-0000-7000-8000-00000000000d", asked("python", 4, must=True))
    await kafka.candidates(FAIR, GOOD)
    await kafka.needs(WANTED, elsewhere)
    async with matching(kafka):
        await kafka.revisions(2)
        await kafka.decide("good", Decision.PLACED, elsewhere.need_id)
        assert ids((await kafka.revisions(3))[-1]) == ["fair"]
        await kafka.decide("good", Decision.PLACED, elsewhere.need_id, undone=True)
        back = (await kafka.revisions(4))[-1]
        assert (back.need_id, ids(back), back.entered) == (NEED, ["good", "fair"], ("good",))


async def test_weights_of_a_family_and_of_a_need_are_published_and_ranked_with(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "weights.yaml"
    file.write_text(f"software: {{role_fit: 0}}\n{NEED}: {{role_experience: 0}}\n")
    monkeypatch.setenv("MATCHING_WEIGHTS", str(file))
    other = need("0190b1a0-0000-7000-8000-00000000000e", asked("python"))
    await kafka.candidates(GOOD)
    await kafka.needs(WANTED, other)
    async with matching(kafka):
        found = {one.need_id: one for one in await kafka.revisions(2)}
    parts = {key: [part.criterion for part in one.entries[0].parts] for key, one in found.items()}
    assert "role_fit" not in parts[NEED] + parts[other.need_id]
    assert "role_experience" not in parts[NEED]
    assert "role_experience" in parts[other.need_id]
    assert found[NEED].weights != found[other.need_id].weights
    (model,) = [record.event for record in await records(kafka.bootstrap, MODEL)]
    assert model is not None
    assert model.overrides == {"software": {"role_fit": 0.0}, NEED: {"role_experience": 0.0}}


async def test_an_import_of_thousands_leads_to_few_revisions_of_each_need(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATCHING_REST_SECONDS", "1")
    wanted = [need(f"0190b1a0-0000-7000-8000-0000000001{at:02}", asked("python")) for at in range(5)]
    await kafka.candidates(FAIR)
    await kafka.needs(*wanted)
    loop = asyncio.get_running_loop()
    async with matching(kafka):
        await kafka.revisions(5)
        began = loop.time()
        for start in range(0, 3000, 500):
            await kafka.candidates(
                *(
                    candidate(f"c{9999 - at}", held("python"), roles={"back-end-developer": 1 + at // 60})
                    for at in range(start, start + 500)
                )
            )

        async def best_of_all_first() -> bool:
            newest = {record.key: record.event for record in await kafka.shortlists()}
            return all(event is not None and ids(event)[0] == "c7000" for event in newest.values())

        await until(best_of_all_first)
        elapsed = loop.time() - began
    for one in wanted:
        assert 2 <= len(await of_need(kafka, one.need_id)) <= 3 + elapsed


async def test_an_erased_candidate_leaves_every_shortlist_and_is_confirmed_once(kafka: Kafka) -> None:
    closed = need("0190b1a0-0000-7000-8000-00000000000b", asked("rest"))
    await kafka.candidates(FAIR, GOOD)
    await kafka.needs(WANTED, closed)
    async with matching(kafka):
        await kafka.revisions(2)
        await kafka.needs(closed.model_copy(update={"status": NeedState.FILLED, "revision": 2}))
        await kafka.out.publish_tombstone(CANDIDATES, "good", 7)
        await kafka.revisions(4)

        await until(lambda: kafka.count(ERASURES, 1))
        (confirmation,) = [record.event for record in await records(kafka.bootstrap, ERASURES)]
        assert confirmation is not None
    newest = {record.key: record.event for record in await kafka.shortlists()}
    assert all(event is not None and "good" not in ids(event) for event in newest.values())
    assert all(
        event is not None and event.left == (Departure(candidate_id="good", why="erased"),)
        for event in newest.values()
    )
    assert (confirmation.subject_id, confirmation.subject) == ("good", Subject.CANDIDATE)
    assert (confirmation.service, confirmation.revision) == ("matching", 7)


async def test_an_erased_need_takes_its_shortlist_with_it(kafka: Kafka) -> None:
    await kafka.candidates(GOOD)
    await kafka.needs(WANTED)
    async with matching(kafka) as client:
        await kafka.revisions(1)
        await kafka.out.publish_tombstone(NEEDS, NEED, 5)

        await until(lambda: kafka.count(ERASURES, 1))
        (confirmation,) = [record.event for record in await records(kafka.bootstrap, ERASURES)]
        assert confirmation is not None
        assert (await client.get(f"/api/shortlists/{NEED}")).status_code == 404
    async with matching(kafka) as client:
        await idle(client, kafka)
    assert await kafka.count(ERASURES, 1)
    first, second = await of_need(kafka)
    assert second.event is None
    assert second.revision > first.revision
    assert (confirmation.subject_id, confirmation.subject) == (NEED, Subject.NEED)


async def test_a_withdrawn_need_is_not_ranked_again(kafka: Kafka) -> None:
    await kafka.candidates(FAIR)
    await kafka.needs(WANTED)
    async with matching(kafka) as client:
        await kafka.revisions(1)
        await kafka.needs(WANTED.model_copy(update={"status": NeedState.WITHDRAWN, "revision": 2}))
        await idle(client, kafka)
        await kafka.candidates(GOOD)
        await idle(client, kafka)
    assert len(await of_need(kafka)) == 1


async def test_nobody_is_said_only_after_a_settling_time(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATCHING_SETTLING_SECONDS", "1.5")
    async with matching(kafka):
        await kafka.needs(WANTED)
        loop = asyncio.get_running_loop()
        posted = loop.time()
        (shortlist,) = await kafka.revisions(1)
        assert loop.time() - posted > 1.4
        assert shortlist.outcome is Outcome.NO_MATCH
        await kafka.candidates(GOOD)
        _, second = await kafka.revisions(2)
    assert (second.outcome, ids(second)) == (Outcome.MATCHED, ["good"])


async def test_a_pool_that_fills_while_settling_is_never_said_to_be_empty(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATCHING_SETTLING_SECONDS", "20")
    async with matching(kafka):
        await kafka.needs(WANTED)
        await kafka.candidates(GOOD)
        (shortlist,) = await kafka.revisions(1)
    assert shortlist.outcome is Outcome.MATCHED


async def test_nothing_is_ranked_before_the_catalogue_is_complete(given: Surroundings) -> None:
    async with publisher(given.kafka_bootstrap) as out:
        kafka = Kafka(given, out)
        await kafka.candidates(GOOD)
        await kafka.needs(WANTED)
        app = build(given)
        async with running(app, ready=False) as client:

            async def why() -> Any:
                missing = (await client.get("/readyz")).json()["missing"]
                return missing if set(missing) == {"catalogue", "model"} else None

            missing = await until(why)
            assert missing["catalogue"] == "no manifest of the catalogue was read yet"
            answer = await client.post("/api/preview", json={"need": {"title": "x"}})
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert await kafka.shortlists() == []
            await kafka.catalogue()
            await kafka.revisions(1)


async def test_a_bad_record_among_the_candidates_is_skipped_and_counted(kafka: Kafka) -> None:
    await kafka.out.send(CANDIDATES.name, b"bad", b"not json", ())
    await kafka.out.send(CANDIDATES.name, b"worse", b'{"candidate_id": "worse"}', (("revision", b"\xff"),))
    await kafka.candidates(GOOD)
    await kafka.needs(WANTED)
    async with matching(kafka) as client:
        (shortlist,) = await kafka.revisions(1)
        exposed = (await client.get("/metrics")).text
    assert ids(shortlist) == ["good"]
    assert sample(exposed, f'table_skipped_total{{service="matching",topic="{CANDIDATES.name}"') == 2
    assert sample(exposed, "index_candidates") == 1
    assert sample(exposed, "rank_seconds_count") >= 1


async def test_poison_among_the_needs_goes_to_the_dead_letters_and_the_rest_is_ranked(kafka: Kafka) -> None:
    await kafka.candidates(GOOD)
    async with matching(kafka):
        await kafka.out.send(NEEDS.name, NEED.encode(), b"{", (("weird", b"\xff\xfe"),))
        await kafka.needs(WANTED)
        await kafka.revisions(1)

        async def buried() -> Any:
            return await raw_records(kafka.bootstrap, DEAD_LETTERS["matching"].name)

        (dead,) = await until(buried)
    assert (dead.key, dead.value) == (NEED.encode(), b"{")
    assert dict(dead.headers)["dead_topic"] == NEEDS.name.encode()


async def test_the_first_start_publishes_a_model_for_an_empty_pool(kafka: Kafka) -> None:
    async with matching(kafka):
        pass
    (model,) = [record.event for record in await records(kafka.bootstrap, MODEL)]
    assert model is not None
    assert (model.candidates, model.rarity, model.weights["margin_percent"]) == (0, {}, 15)


async def test_when_the_pool_first_has_a_hundred_the_model_is_renewed_and_ranked_with(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATCHING_MODEL_CHECK_SECONDS", "0.1")
    await kafka.candidates(candidate("first", "git"))
    await kafka.needs(need(NEED, asked("git"), asked("figma")))
    async with matching(kafka):
        await kafka.revisions(1)
        people = [candidate(f"c{at:03}", "git", *(["figma"] if at < 3 else [])) for at in range(99)]
        await kafka.candidates(*people)

        async def renewed() -> Any:
            return len(await records(kafka.bootstrap, MODEL)) == 2

        await until(renewed)

        async def ranked_with_it() -> bool:
            published = (await of_need(kafka))[-1].event
            model = (await records(kafka.bootstrap, MODEL))[-1].event
            return published is not None and model is not None and published.model == model.revision

        await until(ranked_with_it)
    newest = (await records(kafka.bootstrap, MODEL))[-1].event
    assert newest is not None
    assert newest.candidates == 100
    assert newest.rarity["figma"] > newest.rarity["git"] == 1.0


async def test_a_changed_sheet_ranks_its_needs_again(kafka: Kafka) -> None:
    await kafka.candidates(GOOD, candidate("designer", "figma", roles={"full-stack-developer": 12}))
    await kafka.needs(WANTED)
    async with matching(kafka):
        (first,) = await kafka.revisions(1)
        sheet = ROLES["back-end-developer"].model_copy(update={"related": (), "revision": 2})
        await kafka.out.publish(ROLE_TOPIC, sheet)
        changed = manifest({**ROLES, sheet.role_id: sheet})
        await kafka.out.publish(MANIFEST, changed.model_copy(update={"revision": 2}))
        _, second = await kafka.revisions(2)
    assert second.taxonomy != first.taxonomy
    assert second.entries[1].score < first.entries[1].score


async def test_kafka_away_loses_no_shortlist() -> None:
    engine = EmbeddedKafka()
    async with embedded_surroundings(kafka=engine) as given, publisher(engine.bootstrap) as out:
        kafka = Kafka(given, out)
        await kafka.catalogue()
        await kafka.candidates(FAIR)
        async with matching(kafka) as client:
            await kafka.needs(WANTED)
            engine.set_down()

            async def noticed() -> bool:
                return (await client.get("/readyz")).status_code == 503

            await until(noticed)
            engine.set_up()
            (shortlist,) = await kafka.revisions(1)
    engine.stop()
    assert ids(shortlist) == ["fair"]

"""Skill names that nobody knows: counted from the first, published once two different entities used them."""

from typing import Any

import httpx

from shared.events.unmapped import UNMAPPED, UnmappedTerm
from shared.run import Surroundings
from tests.intake.support import a_candidate, a_need, bearer, intake
from tests.support import raw_records, records, until


async def on_kafka(given: Surroundings) -> dict[str, UnmappedTerm]:
    """The newest event of each term."""
    found = [record.event for record in await records(given.kafka_bootstrap, UNMAPPED)]
    return {event.term: event for event in found if event is not None}


async def counted(given: Surroundings, term: str) -> Any:
    """The term's document once its outbox has nothing left to do."""
    terms = given.mongo_client["recruitment_intake"]["unmapped_terms"]
    return await until(lambda: terms.find_one({"_id": term, "unpublished": False, "lease": None}))


async def ask(client: httpx.AsyncClient, *names: str) -> None:
    response = await client.post("/api/needs", json=a_need(skills=[{"skill": name} for name in names]))
    assert response.status_code == 201


async def hold(client: httpx.AsyncClient, given: Surroundings, external_id: str, *names: str) -> None:
    skills = [{"skill": name} for name in names]
    body = a_candidate(external_id=external_id, skills=skills, years=len(names))
    assert (await client.post("/api/candidates", json=body, headers=bearer(given))).status_code in {200, 201}


async def test_a_name_given_as_a_skill_leaves_intake_only_once_two_different_entities_used_it(
    given: Surroundings,
) -> None:
    async with intake(given) as client:
        await ask(client, "Jean Dupont", "Blockchain  Yoga")
        await hold(client, given, "a", "Juggling")
        # The same candidate again, with another body: still one person's word.
        await hold(client, given, "a", "Juggling", "Cobol")
        await hold(client, given, "b", "blockchain yoga")
        published = await until(lambda: on_kafka(given))
        assert (await counted(given, "jean dupont"))["seen"] == 1
        juggling = await counted(given, "juggling")
        assert juggling["seen"] == 2
        assert {term: event.seen for term, event in published.items()} == {"blockchain yoga": 2}
        raw = str(
            [(record.key, record.value) for record in await raw_records(given.kafka_bootstrap, UNMAPPED.name)]
        )
        assert "dupont" not in raw.lower()
        await ask(client, "juggling")
        await until(lambda: _seen(given, "juggling", 3))


async def test_who_used_a_term_is_kept_bounded_and_as_hashes_that_tell_nothing(given: Surroundings) -> None:
    async with intake(given) as client:
        for number in range(5):
            await hold(client, given, f"x-{number}", "Juggling")
        await until(lambda: _seen(given, "juggling", 5))
        kept = await counted(given, "juggling")
        candidates = given.mongo_client["recruitment_intake"]["candidates"]
        ids = [document["_id"] async for document in candidates.find({})]
    users = {name: value for name, value in kept.items() if name.startswith("user_")}
    assert len(users) == 2
    assert len(set(users.values())) == 2
    assert not any(candidate_id in str(kept) for candidate_id in ids)


async def _seen(given: Surroundings, term: str, times: int) -> bool:
    found = (await on_kafka(given)).get(term)
    return found is not None and found.seen == times

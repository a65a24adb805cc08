"""How long data are kept. The tests travel in time by the clock that retention goes by."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.catalog.settings import CatalogSettings
from services.intake.app import build
from services.intake.retention import months_after, months_before
from services.intake.settings import IntakeSettings
from shared.events.candidate import CANDIDATES
from shared.events.erasure import ERASURES
from shared.events.letter import LETTERS, Letter
from shared.events.need import NEEDS
from shared.run import Surroundings
from tests.intake.support import a_candidate, a_need, bearer, publish_catalogue
from tests.support import now, records, running, until

ENDLESS = {"kind": "consent", "until": "2099-01-01", "source": "form"}


class Clock:
    """A time that the test sets; a restarted intake keeps house at once."""

    def __init__(self) -> None:
        self.now = now()

    def __call__(self) -> datetime:
        return self.now

    def travel(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@asynccontextmanager
async def intake_at(given: Surroundings, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    await publish_catalogue(given.kafka_bootstrap)
    async with running(build(given, clock)) as client:
        yield client


async def save(client: httpx.AsyncClient, given: Surroundings, **changes: Any) -> str:
    body = a_candidate(**({"basis": ENDLESS} | changes))
    response = await client.post("/api/candidates", json=body, headers=bearer(given))
    assert response.status_code == 201, response.text
    return str(response.json()["candidate_id"])


async def warnings(given: Surroundings) -> list[Letter]:
    letters = [record.event for record in await records(given.kafka_bootstrap, LETTERS)]
    return [letter for letter in letters if letter is not None and letter.template == "retention_warning"]


async def field(given: Surroundings, candidate_id: str, name: str) -> Any:
    document = await given.mongo_client["recruitment_intake"]["candidates"].find_one({"_id": candidate_id})
    return document.get(name)


async def swept(given: Surroundings, clock: Clock) -> None:
    """Run intake once at the clock's time, until its housekeeping has come to its end."""
    keys = given.mongo_client["recruitment_intake"]["idempotency_keys"]
    old = {"_id": "a sign", "created_at": datetime(2000, 1, 1, tzinfo=UTC)}
    await keys.insert_one(old)  # the last thing that a round of housekeeping takes away
    async with intake_at(given, clock):
        await until(lambda: _gone(keys))


async def _gone(keys: Any) -> bool:
    return await keys.find_one({"_id": "a sign"}) is None


async def test_what_is_kept_is_what_the_privacy_page_announces() -> None:
    fresh: dict[str, Any] = {"_env_file": None}
    ours, theirs = IntakeSettings(**fresh), CatalogSettings(**fresh)
    assert ours.candidate_months == theirs.privacy_candidate_months == 24
    assert ours.need_months == theirs.privacy_need_months == 36


async def test_a_candidate_without_contact_is_told_a_month_before_and_then_erased(
    given: Surroundings,
) -> None:
    clock = Clock()
    async with intake_at(given, clock) as client:
        candidate_id = await save(client, given)
        nameless = await save(client, given, external_id="b", email=..., phone=...)
    clock.travel(days=690)
    await swept(given, clock)
    assert await warnings(given) == []

    clock.travel(days=20)  # 710 of some 730 days
    await swept(given, clock)
    [letter] = await until(lambda: warnings(given))
    assert letter.to_email == "zoe.canari@mail.example"
    told_until = clock.now + timedelta(days=30)
    assert letter.arguments["until"] == told_until.date().isoformat(), "never less than the whole month"
    assert "rights?" in letter.arguments["keep_url"]
    assert letter.arguments["erase_url"] != letter.arguments["keep_url"]

    clock.travel(days=22)  # past two years, the month not yet over
    await swept(given, clock)
    assert await field(given, candidate_id, "erased") is None
    assert await field(given, nameless, "erased") is True, "who cannot be told waits for no letter"
    assert len(await warnings(given)) == 1

    clock.travel(days=9)
    await swept(given, clock)
    assert await field(given, candidate_id, "erased") is True
    await until(lambda: _tombstones(given, {candidate_id, nameless}))
    await until(lambda: _confirmed(given, {candidate_id, nameless}))


async def _tombstones(given: Surroundings, ids: set[str]) -> bool:
    last = {record.key: record.event for record in await records(given.kafka_bootstrap, CANDIDATES)}
    return all(last[key] is None for key in ids)


async def _confirmed(given: Surroundings, ids: set[str]) -> bool:
    said = [record.event for record in await records(given.kafka_bootstrap, ERASURES)]
    return ids <= {event.subject_id for event in said if event is not None and event.service == "intake"}


async def test_who_says_to_stay_stays_and_is_told_anew_two_years_later(given: Surroundings) -> None:
    clock = Clock()
    async with intake_at(given, clock) as client:
        candidate_id = await save(client, given)
    clock.travel(days=720)
    await swept(given, clock)
    [letter] = await until(lambda: warnings(given))
    # The link is pressed at that later time: its token is from today, since the tokens' clock did not travel.
    async with intake_at(given, clock) as client:
        url = httpx.URL(letter.arguments["keep_url"])
        answer = await client.post(
            f"{url.path}/keep", data={"t": url.params["t"]}, headers={"Sec-Fetch-Site": "same-origin"}
        )
        assert answer.status_code == 303
    candidates = given.mongo_client["recruitment_intake"]["candidates"]
    assert await field(given, candidate_id, "warned_at") is None
    await candidates.update_one({"_id": candidate_id}, {"$set": {"contacted_at": clock.now}})
    clock.travel(days=60)
    await swept(given, clock)
    assert await field(given, candidate_id, "erased") is None
    clock.travel(days=660)
    await swept(given, clock)
    assert await field(given, candidate_id, "erased") is None
    await until(lambda: _count(given, 2))


async def _count(given: Surroundings, count: int) -> bool:
    return len(await warnings(given)) == count


async def test_after_a_long_absence_nobody_is_erased_untold(given: Surroundings) -> None:
    clock = Clock()
    async with intake_at(given, clock) as client:
        candidate_id = await save(client, given)
    clock.travel(days=1500)
    await swept(given, clock)
    assert await field(given, candidate_id, "erased") is None
    assert len(await until(lambda: warnings(given))) == 1
    clock.travel(days=31)
    await swept(given, clock)
    assert await field(given, candidate_id, "erased") is True


async def test_a_renewed_basis_counts_as_contact_and_a_nightly_feed_does_not(given: Surroundings) -> None:
    clock = Clock()
    async with intake_at(given, clock) as client:
        candidate_id = await save(client, given)
        old = now() - timedelta(days=800)
        candidates = given.mongo_client["recruitment_intake"]["candidates"]
        await candidates.update_one({"_id": candidate_id}, {"$set": {"contacted_at": old}})
        body = a_candidate(basis=ENDLESS, day_rate=700)
        await client.post("/api/candidates", json=body, headers=bearer(given))
        assert await field(given, candidate_id, "contacted_at") < now() - timedelta(days=799)
        body = a_candidate(basis=ENDLESS | {"until": "2099-06-01"})
        await client.post("/api/candidates", json=body, headers=bearer(given))
        assert await field(given, candidate_id, "contacted_at") > now() - timedelta(minutes=1)


async def test_a_closed_need_goes_after_three_years_and_an_open_one_stays(given: Surroundings) -> None:
    clock = Clock()
    async with intake_at(given, clock) as client:
        closed, still_open = [
            (await client.post("/api/needs", json=a_need(), headers=bearer(given))).json()["need_id"]
            for _ in range(2)
        ]
        await client.delete(f"/api/needs/{closed}", headers=bearer(given))
    clock.travel(days=3 * 365 - 5)
    await swept(given, clock)
    needs = given.mongo_client["recruitment_intake"]["needs"]
    assert (await needs.find_one({"_id": closed})).get("erased") is None
    clock.travel(days=10)
    await swept(given, clock)
    stub = await needs.find_one({"_id": closed})
    assert stub["erased"] is True
    assert not {"need", "asked", "reference"} & set(stub)
    assert (await needs.find_one({"_id": still_open}))["need"]["status"] == "open"

    async def told() -> bool:
        last = {record.key: record.event for record in await records(given.kafka_bootstrap, NEEDS)}
        return last[closed] is None and last[still_open] is not None

    await until(told)
    await until(lambda: _confirmed(given, {closed}))


@pytest.mark.parametrize(
    ("moment", "months", "moved"),
    [
        ("2026-11-23", -24, "2024-11-23"),
        ("2024-02-29", 24, "2026-02-28"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2025-12-31", 2, "2026-02-28"),
        ("2026-01-15", -1, "2025-12-15"),
        ("2026-11-30", 1, "2026-12-30"),
    ],
)
def test_months_are_those_of_the_calendar(moment: str, months: int, moved: str) -> None:
    begin = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    found = months_after(begin, months) if months > 0 else months_before(begin, -months)
    assert found.date().isoformat() == moved

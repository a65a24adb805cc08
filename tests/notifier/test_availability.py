"""Who is paused, or cannot be reached, is given no need: not by choice, not by hand, not in a race."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest

from services.notifier.casework import Casework
from services.notifier.consultants import Consultant, Delivery, QuietHours
from services.notifier.domain import AGENCY, Step, with_need, with_shortlist
from services.notifier.letterhead import RowState
from services.notifier.settings import NotifierSettings
from services.notifier.staff import fields_of
from services.notifier.store import Store
from shared.catalogue import Catalogue
from shared.kafka import Kafka
from shared.metrics import Metrics
from shared.mongo import Mongo
from shared.run import Surroundings
from tests.notifier.desk import NEED, OURS, decide, file, page, posted, sign_in
from tests.notifier.making import (
    CATALOGUE_ROLES,
    CATALOGUE_SKILLS,
    NEED_ID,
    WHEN,
    Clock,
    Running,
    consultant,
    need,
    notifier,
    shortlist,
)
from tests.notifier.test_answers import links
from tests.notifier.test_timing import HOUR
from tests.support import until


async def pause(store: Store, who: Consultant) -> None:
    fields = fields_of(who).model_copy(update={"delivery": Delivery.PAUSED})
    assert await store.change_consultant(who, fields, active=True) is not None


async def unreachable(store: Store, who: Consultant) -> None:
    await store.note_unreachable(who.consultant_id)


class Hasty(Store):
    """Whoever is chosen pauses just then, and what they have is passed on before the choice is written."""

    hasty: str = ""

    async def note_assigned(self, consultant_id: str, when: datetime) -> None:
        await super().note_assigned(consultant_id, when)
        found = await self.consultant(consultant_id)
        if found is not None and consultant_id == self.hasty:
            self.hasty = ""
            await pause(self, found)
            assert await self.needs_of([consultant_id]) == []


async def test_who_pauses_between_the_choice_and_its_writing_gets_neither_need_nor_mail(
    given: Surroundings,
) -> None:
    metrics = Metrics()
    mongo = Mongo(given.mongo_client, given.settings.mongodb_database, "notifier", metrics)
    store = Hasty(mongo, Kafka(given.kafka_bootstrap, "notifier", metrics))
    await store.create_indexes()
    first = await store.add_consultant(consultant())
    second = await store.add_consultant(consultant("Other Consultant"))
    store.hasty = first.consultant_id
    catalogue = Catalogue("notifier", metrics)
    catalogue.use(
        {one.role_id: one for one in CATALOGUE_ROLES}, {one.skill_id: one for one in CATALOGUE_SKILLS}, "1"
    )
    own = NotifierSettings()
    hours = own.hours()
    clock = Clock(WHEN)
    casework = Casework(
        store, catalogue, asyncio.Event(), "example.com", own.settle, hours, own.answer, clock
    )
    listed = shortlist()
    found = await casework.update(
        NEED_ID, lambda file: with_shortlist(with_need(file, need(), WHEN), listed, listed.revision)
    )
    assert found.reader == second.consultant_id
    steps = [(one.consultant_id, one.step) for one in found.history]
    assert steps == [
        (first.consultant_id, Step.ASSIGNED),
        (first.consultant_id, Step.WITHDRAWN),
        (second.consultant_id, Step.ASSIGNED),
    ]
    # The first one's row was never in the ledger alone: by then the need had its next owner.
    rows = await store.ledger.rows_about(NEED_ID)
    assert second.consultant_id in {row.recipient for row in rows}
    assert {row.state for row in rows} == {RowState.QUEUED}


@pytest.mark.parametrize("away", [pause, unreachable])
async def test_an_administrator_gives_nothing_to_who_is_away(
    given: Surroundings, away: Callable[[Store, Consultant], Awaitable[None]]
) -> None:
    async with notifier(given) as service:
        root = await service.consultant("Root", admin=True, practices=())
        claire = await service.consultant()
        amir = await service.consultant("Amir Benali", regions=("BE",))
        await posted(service)
        await sign_in(service, root)
        assert f'value="{amir.consultant_id}"' in await page(service)
        await away(service.store, amir)
        assert f'value="{amir.consultant_id}"' not in await page(service)
        # The page of before is still open.
        refused = await decide(service, "assign", to=amir.consultant_id)
        assert refused.status_code == 422
        assert "ne peut pas recevoir de besoin" in refused.text
        found = await file(service)
        assert found.reader == claire.consultant_id
        assert [one.step for one in found.history] == [Step.ASSIGNED]


async def test_the_agencys_inbox_gives_nothing_to_who_is_paused(given: Surroundings) -> None:
    async with notifier(given) as service:
        amir = await service.consultant("Amir Benali", regions=("BE",))
        await service.post()
        path = links(await service.mail(given.settings.agency_email))["Confier à un consultant"][0]
        assert amir.consultant_id in (await service.http.get(path)).text
        await pause(service.store, amir)
        assert amir.consultant_id not in (await service.http.get(path)).text
        data = {"action": "assign", "consultant": amir.consultant_id}
        assert (await service.http.post(path, data=data)).status_code == 409
        found = await file(service)
        assert (found.reader, found.history) == (AGENCY, ())
        assert service.mails("amir") == []


async def test_who_is_paused_takes_nothing_over(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        await service.consultant("Amir Benali", regions=("BE",))
        await posted(service)
        await sign_in(service, claire)
        await _paused_and_passed_on(service, claire)
        refused = await decide(service, "taken")
        assert refused.status_code == 422
        assert "ne peut pas recevoir de besoin" in refused.text
        assert (await file(service)).reader == AGENCY
        assert await service.store.desk.feedback_about(NEED_ID) == []
        await service.http.post("/desk/me", data={"delivery": "immediate"}, headers=OURS)
        assert (await decide(service, "taken")).status_code == 303
        assert (await file(service)).reader == claire.consultant_id
        assert "avec vous" in await page(service, NEED)


async def _paused_and_passed_on(service: Running, who: Consultant) -> None:
    answer = await service.http.post("/desk/me", data={"delivery": "paused"}, headers=OURS)
    assert answer.status_code == 303
    found = await service.store.consultant(who.consultant_id)
    assert found is not None
    assert found.delivery is Delivery.PAUSED
    assert (await file(service)).reader == AGENCY


async def test_who_has_just_paused_gets_no_mail_before_the_need_is_passed_on(given: Surroundings) -> None:
    clock = Clock(WHEN + 11 * HOUR)  # 21:00 in Paris
    quiet = QuietHours.model_validate({"start": "20:00", "end": "07:30"})
    async with notifier(given, clock=clock) as service:
        claire = await service.consultant(quiet_hours=quiet)
        await service.post()

        async def put_off() -> bool:
            rows = await service.store.ledger.rows_about(NEED_ID)
            return any(row.kind == "shortlist" and row.next_try_at > clock.at for row in rows)

        await until(put_off)
        # As a process left it that died before it passed the need on: the sweeper does so, in a while.
        await pause(service.store, claire)
        clock.at = WHEN + 22 * HOUR
        await service.mail(given.settings.agency_email)
        clock.at += HOUR
        await service.settled()
        assert service.mails("sample") == []

"""Need posted → shortlist → mail, the four services in one process on embedded engines."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.embedded import CaughtMail
from tests.flow import stories
from tests.flow.catalogue import write_small_catalogue
from tests.flow.platform import Embedded, Platform, rewind_all_groups
from tests.support import until


@pytest.fixture(scope="session")
def small_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_catalogue(tmp_path_factory.mktemp("catalogue"))


@pytest.fixture
async def engines(small_catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Embedded]:
    monkeypatch.setenv("CATALOG_DATA", str(small_catalogue))
    made = Embedded()
    await made.smtp.start()
    yield made
    await made.smtp.stop()
    made.kafka.stop()


async def test_a_need_becomes_a_shortlist_becomes_a_mail(engines: Embedded) -> None:
    async with engines.running() as platform:
        await stories.a_need_becomes_a_shortlist_becomes_a_mail(platform)


async def test_a_consultants_answers_reach_the_client(engines: Embedded) -> None:
    async with engines.running() as platform:
        await stories.a_consultants_answers_reach_the_client(platform)


async def test_a_curators_decision_reaches_the_shortlist(engines: Embedded) -> None:
    async with engines.running() as platform:
        await stories.a_curators_decision_reaches_the_shortlist(platform)


async def test_everything_delivered_again_sends_no_second_mail_and_no_second_revision(
    engines: Embedded,
) -> None:
    async with engines.running() as platform:
        await stories.set_up(platform, stories.candidate(1, 5), stories.candidate(2, 3))
        posted = await stories.post(platform)
        await stories.until_status(platform, posted, "sent")
        await stories.act(
            platform, stories.link_in(await stories.mail_to(platform, posted, "sample.consultant"), "take")
        )
        await stories.until_status(platform, posted, "in_progress")
        await until(lambda: platform.mails_about(posted["reference"], "sample.client"))
        mails = len(await until(lambda: _three_mails(platform, posted)))
    await rewind_all_groups(engines.kafka.bootstrap)
    async with engines.running() as platform:
        await stories.nothing_happens_twice(platform, posted, mails, revisions=1)
        need = await stories.as_client_sees_it(platform, posted)
        assert need["status"] == "in_progress"


async def test_kafka_away_a_need_is_accepted_and_goes_its_way_when_it_is_back(engines: Embedded) -> None:
    async with engines.running() as platform:
        await stories.set_up(platform, stories.candidate(1, 5))
        await asyncio.to_thread(engines.kafka.set_down)
        posted = await stories.post(platform)
        assert (await stories.as_client_sees_it(platform, posted))["status"] == "received"
        ready = platform.public.get("/intake/readyz")
        assert (await ready).status_code in {200, 503}
        await asyncio.to_thread(engines.kafka.set_up)
        await stories.until_status(platform, posted, "sent")


async def _three_mails(platform: Platform, posted: stories.Json) -> list[CaughtMail] | None:
    """Acknowledgement, shortlist, taken over."""
    mails = await platform.mails_about(posted["reference"], "sample.")
    return mails if len(mails) == 3 else None

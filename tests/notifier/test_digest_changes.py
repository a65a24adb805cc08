"""The hour of a digest, its reader's zone or wish changes meanwhile: nothing twice, nothing lost or late."""

from datetime import timedelta

import pytest

from services.notifier.consultants import Consultant, Delivery
from services.notifier.letterhead import DIGEST, LedgerRow, RowState
from shared.events.shortlist import SHORTLISTS
from shared.run import Surroundings
from tests.notifier.making import WHEN, Clock, Running, need, notifier, shortlist, text_of
from tests.notifier.relays import MoodyRelay, hurry, moody
from tests.notifier.test_timing import HOUR, OTHER, SAMPLE, collected, digest_of
from tests.support import embedded_surroundings, until

# WHEN is a Monday, 10:00 in Paris; digests go at 08:00, 22 hours later.
FIRST, SECOND = "need-1", "need-2"


async def post(service: Running, need_id: str) -> None:
    number = need_id[-1]
    asked = need(need_id, title=f"Besoin {number}", reference=f"N-{number}")
    await service.post(asked, shortlist(need_id=need_id))


async def change(service: Running, who: Consultant, **fields: str) -> None:
    """As an administrator's program does."""
    answer = await service.http.patch(
        f"/api/consultants/{who.consultant_id}",
        json=fields,
        headers=service.key("consultants:write") | {"If-Match": "*"},
    )
    assert answer.status_code == 200, answer.text


def shown(service: Running) -> list[list[str]]:
    """The needs in each mail that the reader has, in the order in which they came."""
    texts = [text_of(mail) for mail in service.mails(SAMPLE)]
    return [[one for one in (FIRST, SECOND) if f"Besoin {one[-1]}" in text] for text in texts]


async def digests_of(service: Running, who: Consultant) -> list[LedgerRow]:
    rows = await service.store.ledger.rows_to(who.consultant_id, who.consultant_id)
    return sorted((row for row in rows if row.kind == DIGEST), key=lambda row: row.created_at)


async def test_who_wants_mails_at_once_again_gets_at_once_what_was_set_aside(given: Surroundings) -> None:
    clock = Clock(WHEN)
    async with notifier(given, clock=clock) as service:
        claire = await service.consultant(delivery=Delivery.DAILY)
        await post(service, FIRST)
        await post(service, SECOND)
        await collected(service, 2)
        await change(service, claire, delivery="immediate")
        await service.mail(SAMPLE, 2)
        clock.at = WHEN + 22 * HOUR
        await service.settled()
        assert sorted(shown(service)) == [[FIRST], [SECOND]]
        assert [row.state for row in await digests_of(service, claire)] == [RowState.SUPERSEDED]


async def test_in_another_time_zone_a_day_that_had_its_digest_gets_one_more(given: Surroundings) -> None:
    clock = Clock(WHEN)
    async with notifier(given, clock=clock) as service:
        claire = await service.consultant(delivery=Delivery.DAILY)
        await post(service, FIRST)
        await digest_of(service, clock, 1)
        await service.settled()
        # 03:00 in New York, five hours before the digests there.
        clock.at = WHEN + 23 * HOUR
        await change(service, claire, time_zone="America/New_York")
        await post(service, SECOND)
        await collected(service, 1)
        assert [row.next_try_at for row in await digests_of(service, claire)][1:] == [WHEN + 28 * HOUR]
        clock.at = WHEN + 28 * HOUR
        await service.mail(SAMPLE, 2)
        await service.settled()
        assert shown(service) == [[FIRST], [SECOND]]


async def test_with_two_digests_to_come_the_first_takes_everything(given: Surroundings) -> None:
    clock = Clock(WHEN)
    async with notifier(given, clock=clock) as service:
        claire = await service.consultant(delivery=Delivery.DAILY)
        await post(service, FIRST)
        await collected(service, 1)
        # In Tokyo it is 08:00 eight hours before it is in Paris.
        await change(service, claire, time_zone="Asia/Tokyo")
        await post(service, SECOND)
        await collected(service, 2)
        clock.at = WHEN + 14 * HOUR
        await service.mail(SAMPLE)
        clock.at = WHEN + 22 * HOUR
        await service.settled()
        assert shown(service) == [[FIRST, SECOND]]
        states = [row.state for row in await digests_of(service, claire)]
        assert states == [RowState.SENT, RowState.SUPERSEDED]


async def test_at_another_hour_from_now_on_a_day_that_had_its_digest_gets_one_more(
    given: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(WHEN)
    async with notifier(given, clock=clock) as service:
        await service.consultant(delivery=Delivery.DAILY)
        await post(service, FIRST)
        await digest_of(service, clock, 1)
        await service.settled()
    monkeypatch.setenv("NOTIFIER_DIGEST_AT", "18:00")
    clock.at = WHEN + 24 * HOUR
    async with notifier(given, clock=clock) as service:
        await post(service, SECOND)
        await collected(service, 1)
        clock.at = WHEN + 32 * HOUR
        await service.mail(SAMPLE, 2)
        await service.settled()
        assert shown(service) == [[FIRST], [SECOND]]


async def test_what_was_set_aside_for_who_pauses_goes_to_the_next_one_alone(given: Surroundings) -> None:
    clock = Clock(WHEN)
    async with notifier(given, clock=clock) as service:
        claire = await service.consultant(delivery=Delivery.DAILY)
        await post(service, FIRST)
        await collected(service, 1)
        await service.consultant("Other Consultant")
        await change(service, claire, delivery="paused")
        assert "Besoin 1" in text_of(await service.mail(OTHER))
        # Back at work the same day: the need stays where it is.
        await change(service, claire, delivery="daily")
        clock.at = WHEN + 22 * HOUR
        await service.settled()
        assert shown(service) == []
        assert len(service.mails(OTHER)) == 1


async def test_what_was_mailed_at_once_while_a_digest_was_put_off_is_not_in_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hurry(monkeypatch)
    clock, relay = Clock(WHEN), MoodyRelay()
    async with (
        moody(relay),
        embedded_surroundings(smtp=relay) as given,
        notifier(given, clock=clock) as service,
    ):
        claire = await service.consultant(delivery=Delivery.DAILY)
        await post(service, FIRST)
        await collected(service, 1)
        await service.mail("client@acme.test")
        relay.refuses[SAMPLE] = "451 4.7.1 greylisted, come back"
        clock.at = WHEN + 22 * HOUR

        async def put_off() -> bool:
            [digest] = await digests_of(service, claire)
            return digest.state is RowState.QUEUED and digest.attempts > 0

        await until(put_off)
        await change(service, claire, delivery="immediate")
        relay.refuses.clear()
        await service.publish(SHORTLISTS, shortlist((1, 2, 3, 4), need_id=FIRST, revision=201))
        assert "4 candidats" in text_of(await service.mail(SAMPLE))
        clock.at += timedelta(minutes=5)
        await service.settled()
        assert shown(service) == [[FIRST]]
        assert [row.state for row in await digests_of(service, claire)] == [RowState.SUPERSEDED]

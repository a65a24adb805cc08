"""Working hours, quiet hours and digests: time zones, clocks put forward and back, week-ends, holidays."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import holidays
import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from services.notifier.consultants import Consultant, Delivery, QuietHours
from services.notifier.hours import Hours
from tests.notifier.making import consultant

HOURS = Hours(time(9), time(18), time(8), holidays.country_holidays("FR"))
FOUR = timedelta(hours=4)


def person(zone: str = "Europe/Paris", quiet: str = "", **changes: Any) -> Consultant:
    start, _, end = quiet.partition("-")
    between = QuietHours(start=time.fromisoformat(start), end=time.fromisoformat(end)) if quiet else None
    fields = consultant(time_zone=zone, quiet_hours=between, **changes).model_dump()
    return Consultant(**fields, consultant_id="c-1", revision=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        # Monday morning, and over the end of the day (Paris is an hour ahead of UTC in winter)
        ("Europe/Paris", "2026-11-23 08:00", "2026-11-23 12:00"),
        ("Europe/Paris", "2026-11-23 15:30", "2026-11-24 10:30"),
        # Before and after hours
        ("Europe/Paris", "2026-11-23 03:00", "2026-11-23 12:00"),
        ("Europe/Paris", "2026-11-23 20:00", "2026-11-24 12:00"),
        # Friday afternoon runs on on Monday, Saturday begins there
        ("Europe/Paris", "2026-11-20 16:00", "2026-11-23 11:00"),
        ("Europe/Paris", "2026-11-21 10:00", "2026-11-23 12:00"),
        # Armistice Day, a Wednesday; Christmas, a Friday; Easter Monday and the clocks of 28 March 2027
        ("Europe/Paris", "2026-11-10 16:00", "2026-11-12 11:00"),
        ("Europe/Paris", "2026-12-24 16:30", "2026-12-28 11:30"),
        ("Europe/Paris", "2027-03-26 16:00", "2027-03-30 10:00"),
        # Over the week-end when the clocks are put back (25 October 2026): 09:00 is 07:00, then 08:00 UTC
        ("Europe/Paris", "2026-10-23 15:00", "2026-10-26 11:00"),
        # Elsewhere, days begin at other times, and may be other days
        ("Asia/Tokyo", "2026-11-23 23:00", "2026-11-24 04:00"),
        ("America/Montreal", "2026-11-23 20:00", "2026-11-24 15:00"),
        ("Indian/Reunion", "2026-11-23 05:00", "2026-11-23 09:00"),
    ],
)
def test_four_working_hours_end(zone: str, start: str, end: str) -> None:
    assert HOURS.after_working(person(zone), utc(start), FOUR) == utc(end)


def test_working_hours_that_the_clocks_cut_really_last_four() -> None:
    nights = Hours(time(0), time(6), time(8))
    reader = person("Africa/Cairo")
    # On Friday 30 April 2027, midnight is 01:00 in Egypt.
    start = utc("2027-04-29 22:00")
    assert nights.after_working(reader, start, FOUR) - start == FOUR


def test_quiet_hours_are_no_working_time() -> None:
    lunch = person(quiet="12:00-14:00")
    assert HOURS.after_working(lunch, utc("2026-11-23 08:00"), FOUR) == utc("2026-11-23 14:00")
    mornings = person(quiet="20:00-10:30")
    assert HOURS.after_working(mornings, utc("2026-11-23 06:00"), FOUR) == utc("2026-11-23 13:30")


def test_who_is_always_quiet_at_work_never_has_a_deadline_soon() -> None:
    never = person(quiet="08:00-19:00")
    assert HOURS.after_working(never, utc("2026-11-23 08:00"), FOUR) > utc("2027-11-23 08:00")


@pytest.mark.parametrize(
    ("quiet", "now", "opens"),
    [
        ("20:00-07:00", "2026-11-23 12:00", "2026-11-23 12:00"),
        ("20:00-07:00", "2026-11-23 19:00", "2026-11-24 06:00"),
        ("20:00-07:00", "2026-11-24 05:59", "2026-11-24 06:00"),
        ("20:00-07:00", "2026-11-24 06:00", "2026-11-24 06:00"),
        ("12:00-14:00", "2026-11-23 11:30", "2026-11-23 13:00"),
        # The night of 24 October has 02:00 to 03:00 twice; 02:30 is its first
        ("22:00-02:30", "2026-10-25 00:29", "2026-10-25 00:30"),
        ("22:00-02:30", "2026-10-25 01:10", "2026-10-25 01:10"),
        # The night of 27 March has no 02:30: 03:30 is when it would have been
        ("22:00-02:30", "2027-03-28 00:30", "2027-03-28 01:30"),
        ("08:00-08:00", "2026-11-23 07:30", "2026-11-23 07:30"),
    ],
)
def test_quiet_hours_put_a_mail_off(quiet: str, now: str, opens: str) -> None:
    assert HOURS.may_mail(person(quiet=quiet), utc(now)) == utc(opens)


@pytest.mark.parametrize(
    ("zone", "now", "digest"),
    [
        ("Europe/Paris", "2026-11-23 06:59", "2026-11-23 07:00"),
        ("Europe/Paris", "2026-11-23 07:00", "2026-11-24 07:00"),
        ("Europe/Paris", "2026-10-24 12:00", "2026-10-25 07:00"),
        ("Europe/Paris", "2027-03-27 12:00", "2027-03-28 06:00"),
        ("Asia/Tokyo", "2026-11-23 22:59", "2026-11-23 23:00"),
    ],
)
def test_a_digest_goes_at_its_local_hour_every_day(zone: str, now: str, digest: str) -> None:
    assert HOURS.next_digest(person(zone), utc(now)) == utc(digest)


def test_a_mail_to_who_gets_digests_arrives_with_the_next_one_that_is_not_in_quiet_hours() -> None:
    reader = person(delivery=Delivery.DAILY, quiet="21:00-08:30")
    assert HOURS.mailed_at(reader, utc("2026-11-23 12:00")) == utc("2026-11-24 07:30")
    assert HOURS.mailed_at(person(), utc("2026-11-23 12:00")) == utc("2026-11-23 12:00")


@examples(
    start=st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
    minutes=st.integers(1, 3000),
    zone=st.sampled_from(["Europe/Paris", "America/Montreal", "Asia/Tokyo", "Africa/Cairo"]),
    quiet=st.sampled_from(["", "20:00-07:00", "12:00-13:30", "22:00-10:00"]),
)
def test_working_time_adds_up_whatever_the_zone(start: datetime, minutes: int, zone: str, quiet: str) -> None:
    reader, span = person(zone, quiet), timedelta(minutes=minutes)
    half = HOURS.after_working(reader, start, span / 2)
    whole = HOURS.after_working(reader, start, span)
    assert start < half <= whole
    assert whole - start >= span
    # In two steps as in one.
    assert HOURS.after_working(reader, half, span / 2) == whole
    assert HOURS.may_mail(reader, HOURS.may_mail(reader, start)) == HOURS.may_mail(reader, start)

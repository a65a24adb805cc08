"""When a consultant may be mailed, and how long a working time lasts where they work. Pure.

All instants are in UTC; days and times of day are the consultant's own. A span of working time is what really
passes: on the days when clocks are put forward or back it neither gains nor loses an hour.
"""

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.notifier.consultants import Consultant, Delivery

_DAY = timedelta(days=1)
_LOOK_AHEAD = 400
"""Days; whoever has no working time within them never has any."""

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Hours:
    """The agency's: the working day, its public holidays, and when daily digests go."""

    start: time
    end: time
    digest_at: time
    holidays: Container[date] = ()

    def may_mail(self, reader: Consultant, now: datetime) -> datetime:
        """`now`, or the end of the reader's quiet hours."""
        for start, end in _quiet(reader, _local_day(reader, now)):
            if start <= now < end:
                return end
        return now

    def next_digest(self, reader: Consultant, now: datetime) -> datetime:
        """The next time that a daily digest goes, after `now`."""
        today = _local_day(reader, now)
        slots = (_instant(reader, today + number * _DAY, self.digest_at) for number in range(3))
        return next(slot for slot in slots if slot > now)

    def mailed_at(self, reader: Consultant, now: datetime) -> datetime:
        """When a mail that is due now reaches the reader, by their own wishes."""
        digest = reader.delivery is Delivery.DAILY
        return self.may_mail(reader, self.next_digest(reader, now) if digest else now)

    def after_working(self, reader: Consultant, start: datetime, span: timedelta) -> datetime:
        """The moment when `span` of the reader's working time has passed since `start`."""
        left = span
        for begin, end in self._working(reader, start):
            if end - begin >= left:
                return begin + left
            left -= end - begin
        return start + _LOOK_AHEAD * _DAY

    def _working(self, reader: Consultant, start: datetime) -> Iterator[Span]:
        """Working time from `start` on: working days without public holidays and quiet hours."""
        first = _local_day(reader, start)
        for number in range(_LOOK_AHEAD):
            day = first + number * _DAY
            if day.weekday() >= 5 or day in self.holidays:
                continue
            pieces = [(_instant(reader, day, self.start), _instant(reader, day, self.end))]
            for quiet in _quiet(reader, day):
                pieces = [left for piece in pieces for left in _less(piece, quiet)]
            for begin, end in pieces:
                if end > start:
                    yield max(begin, start), end


def _local_day(reader: Consultant, instant: datetime) -> date:
    return instant.astimezone(ZoneInfo(reader.time_zone)).date()


def _instant(reader: Consultant, day: date, at: time) -> datetime:
    """A time that the clocks skip is the moment after the gap, one that they show twice its first."""
    return datetime.combine(day, at, ZoneInfo(reader.time_zone)).astimezone(UTC)


def _quiet(reader: Consultant, day: date) -> list[Span]:
    """The quiet hours that touch a day; none where they start when they end."""
    quiet = reader.quiet_hours
    if quiet is None or quiet.start == quiet.end:
        return []
    over_midnight = _DAY if quiet.end < quiet.start else timedelta(0)
    days = (day - _DAY, day)
    return [
        (_instant(reader, one, quiet.start), _instant(reader, one + over_midnight, quiet.end)) for one in days
    ]


def _less(piece: Span, taken: Span) -> list[Span]:
    """What is left of a span without another."""
    (begin, end), (start, stop) = piece, taken
    rest = [(begin, min(end, start)), (max(begin, stop), end)]
    return [(one, other) for one, other in rest if one < other]

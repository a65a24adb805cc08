"""Periods as CVs write them, in French and English: 01/2019 – 03/2022, janv. 2019 à aujourd'hui."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from services.intake.reading.found import Post

_MONTHS = (
    "janvier|janv|jan|january", "fevrier|fevr|fev|february|feb", "mars|march|mar", "avril|avr|april|apr",
    "mai|may", "juin|june|jun", "juillet|juil|july|jul", "aout|august|aug",
    "septembre|september|sept|sep", "octobre|october|oct", "novembre|november|nov", "decembre|december|dec",
)  # fmt: skip
_SEASONS = {"printemps": 3, "spring": 3, "ete": 6, "summer": 6, "automne": 9, "autumn": 9, "fall": 9}
MONTH_OF = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split("|")}
MONTH = rf"(?:{'|'.join(sorted(MONTH_OF, key=len, reverse=True))})"
_SEASON = rf"(?:{'|'.join(_SEASONS)})"
_YEAR = r"(?:19[5-9]\d|20\d\d)"
_POINT = (
    rf"(?:\d{{1,2}}[/.-]\d{{1,2}}[/.-]{_YEAR}|(?:0?[1-9]|1[0-2])\s?[/.-]\s?{_YEAR}"
    rf"|{_YEAR}[/.-](?:0[1-9]|1[0-2])(?:-\d\d)?(?!\d)"
    rf"|(?:\d{{1,2}}(?:er|st|nd|rd|th)?\s)?{MONTH}\.?,?\s?(?:of\s|de\s)?'?(?:{_YEAR}|\d\d(?!\d))"
    rf"|{_SEASON}\s{_YEAR}|{_YEAR})"
)
_NOW = (
    r"(?:aujourd'?\s?hui|a ce jour|ce jour|present(?: day)?|now|current(?:ly)?|actuel(?:lement)?|en cours"
    r"|en poste|today|ongoing|to date|date|maintenant)"
)
_TO = r"\s*(?:-+|\||a|au|to|until|till|jusqu'?\s?a|jusqu'?\s?en|jusqu'?\s?au|/|>|->)\s*"
_RANGE = re.compile(
    rf"(?<![\w/])(?P<begin>{_POINT}|{MONTH}\.?)(?P<to>{_TO})(?P<end>{_POINT}|{_NOW})(?![\w/]|-\d)"
)
_OPEN = re.compile(rf"(?<!\w)(?:depuis|since|from|a partir de|des)\s+(?:le\s|l')?(?P<begin>{_POINT})(?!\w)")
_OPEN_FIELD = re.compile(rf"(?<!\w)(?P<begin>{_POINT})\|\|")
"""A row of another system's export: begin, no end, title."""
_SINGLE = re.compile(rf"(?<![\w/.,-])(?P<begin>{_POINT})(?![\w/-])")
_PARTS = re.compile(r"[a-z]+|\d+")


@dataclass(frozen=True)
class Period:
    """Months counted from year 0: `begin` is in it, `end` no more; `open` where it goes on today."""

    begin: int
    end: int
    open: bool = False

    @property
    def months(self) -> int:
        return self.end - self.begin


@dataclass(frozen=True)
class Dated:
    """A period with its place in a line."""

    period: Period
    start: int
    stop: int
    single: bool = False


def month_name(month: int) -> str:
    """A month as ISO 8601 writes it."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def this_month(today: date) -> int:
    return today.year * 12 + today.month - 1


def dated(folded: str, today: date) -> Iterator[Dated]:
    """The periods of a folded line, from left to right; single dates too."""
    makers = ((_RANGE, _range), (_OPEN, _open), (_OPEN_FIELD, _open), (_SINGLE, _single))
    ahead = [pattern.search(folded) for pattern, _ in makers]
    while True:
        found = [(match, make) for match, (_, make) in zip(ahead, makers, strict=True) if match is not None]
        if not found:
            return
        # `from 2015 to 2018` is a range, though it begins as something that goes on.
        match, make = min(found, key=lambda one: (one[0].start("begin"), one[1] is not _range))
        period = make(match, today)
        if period is not None:
            yield Dated(period, match.start(), match.end(), single=make is _single)
        # Only those that were passed: to search all the rest again for each date would take for ever.
        ahead = [
            one if one is None or one.start() >= match.end() else pattern.search(folded, match.end())
            for one, (pattern, _) in zip(ahead, makers, strict=True)
        ]


def ranges(folded: str) -> Iterator[tuple[int, int]]:
    """(start, stop) of the periods that have a begin and an end, from left to right."""
    return (match.span() for match in _RANGE.finditer(folded))


def total(periods: Iterable[Period]) -> int:
    """Months that at least one of them covers: overlapping ones count once."""
    covered = 0
    reached = 0
    for period in sorted(periods, key=lambda one: (one.begin, one.end)):
        covered += max(0, period.end - max(period.begin, reached))
        reached = max(reached, period.end)
    return covered


def total_months(posts: Iterable[Post]) -> int:
    """As `total`, of posts; one that goes on counts as far as its months say."""
    return total(Period(begin, begin + post.months) for post in posts if (begin := month_number(post.begin)))


def month_number(month: str) -> int:
    """The reverse of `month_name`."""
    year, _, number = month.partition("-")
    return int(year) * 12 + int(number) - 1


def _range(match: re.Match[str], today: date) -> Period | None:
    now = this_month(today)
    end = _point(match["end"])
    begin = _point(match["begin"])
    if begin is None and end is not None:
        # `mars - juin 2019`: one year for both.
        begin = _point(f"{match['begin']} {end.year}")
    if begin is None:
        return None
    going_on = end is None
    if end is None:
        last = now + 1
    elif end.month:
        last = end.year * 12 + end.month
    else:
        # Years alone: from the middle of one to the middle of the other.
        last = end.year * 12 + 6
    first = begin.year * 12 + (begin.month - 1 if begin.month else 6)
    if end is not None and not begin.month and not end.month and begin.year == end.year:
        first, last = begin.year * 12 + 3, begin.year * 12 + 9
    return _possible(Period(first, min(last, now + 1) if first <= now else last, going_on), now)


def _open(match: re.Match[str], today: date) -> Period | None:
    begin = _point(match["begin"])
    if begin is None:
        return None
    now = this_month(today)
    first = begin.year * 12 + (begin.month - 1 if begin.month else 6)
    return _possible(Period(min(first, now), now + 1, open=True), now)


def _single(match: re.Match[str], today: date) -> Period | None:
    begin = _point(match["begin"])
    if begin is None:
        return None
    now = this_month(today)
    if begin.season:
        first = begin.year * 12 + begin.month - 1
        return _possible(Period(first, first + 3), now)
    if begin.month:
        first = begin.year * 12 + begin.month - 1
        return _possible(Period(first, first + 1), now)
    # A year alone: half of it.
    return _possible(Period(begin.year * 12 + 3, begin.year * 12 + 9), now)


def _possible(period: Period, now: int) -> Period | None:
    fits = period.begin < period.end and period.begin <= now and period.end <= now + 12
    return period if fits and period.months <= 720 else None


@dataclass(frozen=True)
class _Point:
    year: int
    month: int = 0
    season: bool = False


def _point(text: str) -> _Point | None:
    """None for "today", and for a month without a year."""
    parts = _PARTS.findall(text)
    numbers = [int(part) for part in parts if part.isdigit()]
    words = [part for part in parts if part.isalpha()]
    years = [number for number in numbers if number >= 1900]
    name = next((word for word in words if word in MONTH_OF), None)
    if not years:
        # `sept 19`
        if name is None or not numbers:
            return None
        short = numbers[-1]
        return _Point(2000 + short if short < 50 else 1900 + short, MONTH_OF[name])
    season = next((word for word in words if word in _SEASONS), None)
    if season is not None:
        return _Point(years[0], _SEASONS[season], season=True)
    if name is not None:
        return _Point(years[0], MONTH_OF[name])
    rest = [number for number in numbers if number < 1900]
    # 15/03/2019: the month stands next to the year; 2019-03 and 2019-03-15: after it.
    month = (rest[0] if numbers[0] >= 1900 else rest[-1]) if rest else 0
    return _Point(years[0], month if 1 <= month <= 12 else 0)

"""What surrounds a mention: negation, wishes, job advertisements, stated levels and years.

Expressions are matched against `Flat.flat`, where marks stand as words of their own.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from services.intake.reading.flat import Flat, fold, key_of
from services.intake.reading.periods import Period, dated
from services.intake.reading.skills import Mention

_REACH = 14
"""Words that a negation or a wish reaches at most, lists aside."""


_CUES = yaml.safe_load((Path(__file__).parent / "cues.yaml").read_text("utf-8"))
_NOT_HELD = re.compile(rf" (?:{'|'.join(_CUES['not_held'])})(?= )")
_NOT_HELD_AFTER = re.compile(rf"^ (?:[(:–,] )?(?:{'|'.join(_CUES['not_held_after'])})(?= )")
_SENTENCE_END = re.compile(r" [.\n] ")
_ADVERTISEMENT = re.compile(rf" (?:{'|'.join(_CUES['advertisement'])})(?= )")
_LEVEL_WORDS = "|".join(f"(?P<l{level}>{'|'.join(words)})" for level, words in _CUES["levels"].items())
_CLAUSE_END = re.compile(
    r" (?:[.\n]|but|mais|however|cependant|toutefois|although|though|en revanche|par contre|whereas|while"
    r"|bien que|yet) | , (?:i|je|j'ai|we|nous|my|mon|ma|mes|and i|et je|et j'ai|now|then|puis)(?= )"
)
_FILLER = (
    r"(?:(?:level|niveau|tres|very|really|de|des|du|d|en|in|of|on|with|avec|sur|la|le|les|l|the"
    r"|connaissances?|knowledge|skills?|experience|understanding|command|pratique|usage|langage|language"
    r"|programming|programmation|developpement|development|technique|technical) )"
)
_LEVEL = re.compile(rf" (?:{_LEVEL_WORDS}) (?P<filler>{_FILLER}{{0,4}})")
_YEARS = r"(?:ans?|annees?|years?|yrs?|yr)"
_YEARS_BEFORE = re.compile(
    rf" (?:\+ ?)?(?P<years>\d{{1,2}}\+?) {_YEARS} (?P<filler>(?:d |of )?{_FILLER}{{0,4}})"
)
_WITHOUT = frozenset({"sans", "without"})
_AND = frozenset({"/", "et", "and", "ou", "or"})
_LINKS = _AND | {
    ",",
    "de",
    "d",
    "en",
    "in",
    "of",
    "with",
    "avec",
    "sur",
    "the",
    "la",
    "le",
    "les",
    "l",
    "des",
    "du",
}
_TAIL_END = re.compile(r"[,;|\n•▪●◦‣✓]")
_STARS = re.compile(r"[●★⬤■◉✪✭⚫▮█◆*]+[○☆◯□◌✩⚪▯░◇]*|[○☆◯□◌✩⚪▯░◇]{2,}")
_FULL_STARS = frozenset("●★⬤■◉✪✭⚫▮█◆*")
_OF = re.compile(r"^\W{0,4}(?:niveau |level )?(\d{1,2})\s?/\s?(5|10)(?!\d)")
_PERCENT = re.compile(r"^\W{0,4}(\d{1,3})\s?%")
_LEVEL_AFTER = re.compile(rf"^\s*(?:[:(=–—-]\s*)?(?:niveau |level )?(?:{_LEVEL_WORDS})(?!\w)")
_YEARS_AFTER = re.compile(
    r"^\s*(?:[:(=–—-]\s*)?(?:(?:depuis|pendant|for|over|plus de|more than|environ|about) )?"
    rf"(?:exp(?:e)?rience\s?[:–—-]?\s?)?(?:(\d{{1,2}})\+?\s?{_YEARS}|(\d{{1,3}})\s?(?:months?|mois))(?!\w)"
)
# Behind a level in the same item: `Java (expert, 5 ans)`, and in the cells of a table.
_YEARS_LATER = re.compile(rf"(?:[(,\t-])\s*(\d{{1,2}})\+?\s?{_YEARS}(?!\w)")


@dataclass(frozen=True)
class Hint:
    """What stands beside a mention: a level of 1 to 5, years, the last year of use."""

    level: int | None = None
    years: float | None = None
    last_used: int | None = None


def is_advertisement(line: str) -> bool:
    """Whether a line says what an employer looks for, or what it is."""
    return _ADVERTISEMENT.search(f" {' '.join(key_of(line))} ") is not None


def not_held(flat: Flat, mentions: Sequence[Mention]) -> set[int]:
    """Which of the mentions (by their number) are negated, wished for, or an employer's words."""
    found: set[int] = set()
    firsts = [one.first for one in mentions]
    for match in _NOT_HELD.finditer(flat.flat):
        found |= _in_scope(flat, mentions, firsts, match.end())
    for match in _ADVERTISEMENT.finditer(flat.flat):
        first, last = _sentence(flat, match.start(), match.end())
        found.update(range(bisect_left(firsts, first), bisect_right(firsts, last)))
    for number, one in enumerate(mentions):
        end = flat.place_of(one.last - 1) + len(flat.words[one.last - 1].text)
        before = flat.words[one.first - 1].text if one.first and not flat.words[one.first].mark else ""
        if before in _WITHOUT or _NOT_HELD_AFTER.match(flat.flat[end : end + 60]):
            found.add(number)
    return found


def _sentence(flat: Flat, start: int, end: int) -> tuple[int, int]:
    """The first and last word of the sentence or line around a place in `flat`."""
    before = max(flat.flat.rfind(mark, 0, start + 1) for mark in (" . ", " \n "))
    after = _SENTENCE_END.search(flat.flat, end)
    first = flat.word_at(before + 3) if before >= 0 else 0
    return first, flat.word_at(after.start() if after else len(flat.flat))


def _in_scope(flat: Flat, mentions: Sequence[Mention], firsts: Sequence[int], place: int) -> set[int]:
    """The mentions from a place to the end of its clause; a list goes on as long as it lists names."""
    end = _CLAUSE_END.search(flat.flat, place)
    limit = end.start() if end else len(flat.flat)
    first = flat.word_at(place) if place < len(flat.flat) else len(flat.words)
    if flat.place_of(first) < place:
        first += 1
    reached = first + _REACH
    found = set()
    for number in range(bisect_left(firsts, first), len(mentions)):
        one = mentions[number]
        if flat.place_of(one.first) >= limit or one.first > reached:
            break
        found.add(number)
        reached = max(reached, one.last + 3)
    return found


def hints(flat: Flat, mentions: Sequence[Mention], today: date) -> dict[int, Hint]:
    """What is stated beside each mention, by its number: after it first, else before it."""
    found: dict[int, Hint] = {}
    for number, level in _levels_before(flat, mentions):
        found.setdefault(number, Hint(level=level))
    for number, years in _years_before(flat, mentions):
        had = found.get(number, Hint())
        found[number] = Hint(had.level, max(years, had.years or 0))
    for number, one in enumerate(mentions):
        following = mentions[number + 1].start if number + 1 < len(mentions) else len(flat.text)
        after = _after(flat.text, one.end, following, today)
        if after != Hint():
            had = found.get(number, Hint())
            found[number] = Hint(after.level or had.level, after.years or had.years, after.last_used)
    return found


def _levels_before(flat: Flat, mentions: Sequence[Mention]) -> Iterator[tuple[int, int]]:
    starts = {one.first: number for number, one in enumerate(mentions)}
    covered = {word for one in mentions for word in range(one.first, one.last)}
    place = 0
    while (match := _LEVEL.search(flat.flat, place)) is not None:
        place = max(match.start() + 1, match.end() - 1)
        first = flat.word_at(match.start() + 1)
        if first in covered:
            # `Visual Basic`, `base de données`.
            place = match.start() + 1
            continue
        level = next(int(name[1]) for name, words in match.groupdict().items() if words and name[0] == "l")
        following = flat.flat[match.end() - 1 : match.end() + 2]
        labels = following.startswith((" : ", " \n ", " – ")) and _begins_line(flat, match.start())
        number = flat.word_at(match.end() + (2 if labels else 0))
        if labels:
            yield from ((one, level) for one in _labelled(flat, mentions, match.end() + 1, following))
        elif following[1:2].isalnum() or following[1:2] == ".":
            listing = bool(match["filler"].split())
            yield from ((one, level) for one in _listed(flat, mentions, starts.get(number), listing=listing))


def _begins_line(flat: Flat, place: int) -> bool:
    before = flat.flat[max(0, place - 40) : place].rsplit("\n", 1)[-1].split()
    return len(before) <= 2 or before[-1] == "."


def _labelled(flat: Flat, mentions: Sequence[Mention], place: int, mark: str) -> Iterator[int]:
    """What a label (`Expert : …`) is about: the rest of its line; alone on its line, the line below."""
    end = flat.flat.find(" \n ", place + (2 if mark == " \n " else 0))
    limit = end if end >= 0 else len(flat.flat)
    other = _LEVEL.search(flat.flat, place, limit)
    if other is not None and flat.flat[other.end() - 1 : other.end() + 2] in {" : ", " \n "}:
        limit = min(limit, other.start())
    number = bisect_left(mentions, flat.word_at(place), key=lambda one: one.first)
    while number < len(mentions) and flat.place_of(mentions[number].first) < limit:
        if flat.place_of(mentions[number].first) >= place - 1:
            yield number
        number += 1


def _listed(flat: Flat, mentions: Sequence[Mention], number: int | None, *, listing: bool) -> Iterator[int]:
    """The mention that a cue stands before, and those that are linked to it."""
    if number is None:
        return
    yield number
    links = _LINKS if listing else _AND
    while number + 1 < len(mentions):
        one, other = mentions[number], mentions[number + 1]
        between = flat.flat[
            flat.place_of(one.last - 1) + len(flat.words[one.last - 1].text) : flat.place_of(other.first)
        ]
        if not set(between.split()) <= links or "\n" in between:
            return
        number += 1
        yield number


def _years_before(flat: Flat, mentions: Sequence[Mention]) -> Iterator[tuple[int, float]]:
    """`5 ans de Java`, `7 years of experience in Kubernetes`: the name right after it."""
    starts = {one.first: number for number, one in enumerate(mentions)}
    for match in _YEARS_BEFORE.finditer(flat.flat):
        years = int(match["years"].rstrip("+"))
        number = starts.get(flat.word_at(match.end()))
        if number is None or not 0 < years <= 60 or flat.flat[match.end() : match.end() + 1] in ",.:()\n":
            continue
        listing = bool(match["filler"].split())
        after_one = _listed_after(flat, mentions, match.start())
        if after_one and not listing:
            continue
        yield from ((one, float(years)) for one in _listed(flat, mentions, number, listing=False))


def _listed_after(flat: Flat, mentions: Sequence[Mention], place: int) -> bool:
    """Whether a name stands right before: in `Java 5 ans Docker` the years are Java's."""
    word = flat.word_at(place)
    number = bisect_right(mentions, word, key=lambda one: one.first) - 1
    one = mentions[number] if number >= 0 else None
    return one is not None and one.last - 1 == word < len(flat.words) - 1 and not flat.words[one.last].mark


def _after(text: str, end: int, following: int, today: date) -> Hint:
    """What the same item of a list says after the name: `Java (5 ans)`, `Java : 4/5`, `Java ●●●○○`."""
    limit = min(following, end + 60)
    tail = text[end:limit]
    if "(" in tail[:3]:
        tail = tail.partition(")")[0]
    elif (stop := _TAIL_END.search(tail)) is not None and not _STARS.match(tail[stop.start() :] + " "):
        tail = tail[: stop.start()]
    else:
        tail = tail.partition("\n")[0]
    if not tail.strip():
        return Hint()
    folded = fold(tail)
    level = _level_after(folded, tail)
    years = _YEARS_AFTER.match(folded) or _YEARS_LATER.search(folded)
    count = _count(*years.groups()) if years else None
    inner = folded.lstrip(" (:=-\t")
    period = next((one for one in dated(inner, today) if one.start <= 12 and not one.single), None)
    if period is None:
        return Hint(level, count)
    return Hint(level, count or round(period.period.months / 12, 1), _last_year(period.period))


def _count(years: str | None, months: str | None = None) -> float | None:
    count = float(years) if years else round(int(months or 0) / 12, 1)
    return count if 0 < count <= 60 else None


def _last_year(period: Period) -> int:
    return (period.end - 1) // 12


def _level_after(folded: str, tail: str) -> int | None:
    if (of := _OF.match(folded)) is not None and 0 < int(of[1]) <= int(of[2]):
        return max(1, round(int(of[1]) * 5 / int(of[2])))
    if (percent := _PERCENT.match(folded)) is not None and 0 < int(percent[1]) <= 100:
        return max(1, round(int(percent[1]) / 20))
    if (stars := _STARS.search(tail)) is not None and not tail[: stars.start()].strip(" \t:–-"):
        shown = stars.group()
        full = sum(1 for char in shown if char in _FULL_STARS)
        if 2 <= len(shown) <= 10 and full:
            return max(1, min(5, round(full * 5 / max(len(shown), 5))))
    opened = re.sub(r"^\s*\(\s*(?:[^()]*,\s*)?(?=(?:niveau |level )?[a-z ]+$)", "(", folded)
    for form in (folded, opened):
        if (match := _LEVEL_AFTER.match(form)) is not None:
            return next(int(name[1]) for name, words in match.groupdict().items() if words)
    return None

"""The lines of a text that has lost them: a CV pasted or exported as one long paragraph."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from services.intake.reading.flat import BULLETS, fold
from services.intake.reading.periods import ranges

FLATTENED = 400
"""Characters from which a line is no line any more."""
_TITLE_ROOM = 90
"""So many characters before a period say whose job it is."""
_WIDE = re.compile(rf"(?<!\s)\s(?=\s)|(?<!\s)\s(?=[{BULLETS}\ufffd]|[*➔→]\s)|(?<=[.!?:;])\s(?=-\s)")
_SPACE = re.compile(r"\s")
_SENTENCE_END = re.compile(r"[.!?]\s")
_STUDIES = re.compile(
    r"bachelor|master|licen[cs]e|diplom|degree|universit|college|school|ecole|\bbac|\bb\.?\s?(?:s|e|tech|sc|a)\b"
    r"|phd|associate|\bged\b|certificat|\bbts\b|\bdut\b|ingenieur|institut|academy|\bmba\b"
)
_STUDIES_NEAR, _NEXT = 80, 150
_LISTED = re.compile(r",.{1,60},")
_WITHIN = frozenset(
    "of in and for the a an my our your to with de des du en et la les l ma mes &".split()  # noqa: SIM905
)
"""After these a word with a capital is none that heads what follows."""
_LEAST_CAPITALS = 5


def unfolded(line: str, headings: re.Pattern[str]) -> Iterator[str]:
    """The lines that a long one probably was; each parts from the next in the place of one white space.

    `headings` finds the folded names of sections. One counts where it is written as a heading is (in
    capitals, or with a capital to each word) and, for a lone word, what follows is of its kind.
    """
    folded = fold(line)
    breaks = {match.start() for match in _WIDE.finditer(line)}
    for match in headings.finditer(folded):
        if _is_heading(line, folded, match.start(), match.end()):
            colon = line[match.end() : match.end() + 1] == ":"
            breaks |= {match.start() - 1, match.end() + colon}
    breaks |= set(_around_periods(line, folded, breaks))
    place = 0
    for end in sorted(one for one in breaks if 0 <= one < len(line)):
        yield line[place:end]
        place = end + 1
    yield line[place:]


def pattern_of(headings: Iterable[str]) -> re.Pattern[str]:
    """Finds headings as whole words in a folded line, the longest first."""
    names = sorted(headings, key=len, reverse=True)
    return re.compile(rf"(?<!\S)(?:{'|'.join(map(re.escape, names))})(?=:?\s)")


def _is_heading(line: str, folded: str, start: int, stop: int) -> bool:
    written = line[start:stop]
    if written.isupper() and len(written) >= _LEAST_CAPITALS:
        return True
    words = written.split()
    if not all(word[0].isupper() or len(word) < _LEAST_CAPITALS - 1 for word in words):
        return False
    before = line[max(0, start - _TITLE_ROOM) : start].split()[-1:]
    if before and before[0].lower() in _WITHIN:
        return False
    return len(words) > 1 or line[stop] == ":" or _heads(folded[start:stop], folded[stop : stop + _NEXT])


def _heads(name: str, following: str) -> bool:
    """Whether what follows a lone word is what such a heading heads."""
    if name in {"education", "formation", "formations", "etudes", "diplomes"}:
        return _STUDIES.search(following[:_STUDIES_NEAR]) is not None
    if name in {"experience", "experiences", "parcours"}:
        return next(ranges(following), None) is not None
    return name in {"skills", "competences", "technologies", "outils", "langages"} and (
        _LISTED.search(following) is not None
    )


def _around_periods(line: str, folded: str, breaks: set[int]) -> Iterator[int]:
    """Breaks after each period, and some words before it, where titles stand first; else before each."""
    ordered = sorted(breaks)
    found = []
    for start, stop in ranges(folded):
        place = bisect_left(ordered, start)
        since = ordered[place - 1] + 1 if place else 0
        found.append((start, stop, max(since, start - _NEXT)))
    dates_first = sum(_begins_there(line[since:start]) for start, _, since in found)
    for start, stop, since in found:
        if 2 * dates_first > len(found):
            yield line.rfind(" ", since, start)
            continue
        if (end := _SPACE.search(line, stop, stop + _NEXT)) is not None:
            yield end.start()
        sentence = max((match.end() for match in _SENTENCE_END.finditer(line, since, start)), default=since)
        if start - sentence > _TITLE_ROOM:
            yield line.find(" ", start - _TITLE_ROOM, start)


def _begins_there(before: str) -> bool:
    """Whether a clause begins where this text ends."""
    before = before.rstrip()
    return not before.strip(f" -–—|({BULLETS}") or before[-1] in ".!?:;"

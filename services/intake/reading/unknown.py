"""Names that a CV lists among its skills and that the taxonomy does not know."""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence

from services.intake.reading.flat import BULLETS, fold
from services.intake.reading.sections import Line, Section, Sectioned, is_heading
from services.intake.reading.skills import Mention

MOST = 20
_LONGEST = 40
_LISTED = re.compile(rf"[,;|()\[\]\t{BULLETS}]|\s[-–—]\s|\s/\s|\.(?:\s|$)")
_LABEL = re.compile(r"^[^:]{2,40}:\s*")
_LEVELS = re.compile(
    r"\b(?:expert|avance|advanced|intermediaire|intermediate|notions?|debutant|beginner|bon|good|courant"
    r"|niveau|level"
    r"|maitrise|confirme|basics?|bases?|ans?|years?|mois|months?|junior|senior|etc|native?|proficient"
    r"|c[12]|b[12]|a[12])\b"
)
_NOT_NAMES = frozenset(
    [
        "et", "and", "ou", "or", "de", "des", "du", "le", "la", "les", "the", "of", "in", "en", "avec",
        "with", "pour",
        "for", "a", "au", "aux", "un", "une", "sur", "on", "par", "by", "dans", "to", "mes", "my",
        "plus", "divers",
        "autres", "others", "other", "dont", "including", "est", "is", "are", "sont", "que", "qui",
        "je", "i", "nous",
    ]
)  # fmt: skip
_NAME = re.compile(r"^[^\W_][\w.+#/&'’ -]*$")
_TELLING = re.compile(r"[A-Z0-9+#.]")


def unknown_names(cv: Sectioned, mentions: Sequence[Mention], ignored: Collection[str]) -> tuple[str, ...]:
    """As written, each once. `ignored` are folded words that say who somebody is."""
    ends = [one.end for one in mentions]
    found: dict[str, str] = {}
    for line in cv.lines:
        if line.blank or line.heading or not _lists_skills(line):
            continue
        for start, end in _items(line):
            item = line.text[start - line.start : end - line.start]
            folded = fold(item)
            number = bisect_right(ends, start)
            known = number < len(mentions) and mentions[number].start < end
            if known or folded in found or not _could_be_a_skill(item, folded):
                continue
            if not set(re.findall(r"[^\W_]+", folded)) & set(ignored):
                found[folded] = item
    return tuple(list(found.values())[:MOST])


def _lists_skills(line: Line) -> bool:
    if line.label is not None:
        return line.label is Section.SKILLS
    return line.section is Section.SKILLS


def _items(line: Line) -> Iterator[tuple[int, int]]:
    """(start, end) in the text of what the line lists, its label left out."""
    label = _LABEL.match(line.text)
    place = label.end() if label else 0
    ends = [
        *((match.start(), match.end()) for match in _LISTED.finditer(line.text, place)),
        (len(line.text),) * 2,
    ]
    if len(ends) == 1 and not label and len(line.text.split()) > 3:
        return
    for stop, following in ends:
        part = line.text[place:stop]
        stripped = part.strip(" -–—*:.…")
        if stripped:
            begin = line.start + place + part.index(stripped)
            yield begin, begin + len(stripped)
        place = following


def _could_be_a_skill(item: str, folded: str) -> bool:
    words = folded.split()
    if not 2 <= len(item) <= _LONGEST or len(words) > 4 or not _NAME.match(item) or item.isdigit():
        return False
    if (
        _LEVELS.search(folded)
        or any(word in _NOT_NAMES for word in words)
        or re.search(r"\b(?:19|20)\d\d\b", folded)
    ):
        return False
    return bool(_TELLING.search(item)) and not is_heading(folded)

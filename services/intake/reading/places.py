"""Where the candidate is, as the CV says it of the person: the head, the contact, "based in", "mobile en".

A town says its region; neither town nor street leaves this.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from services.intake.reading.sections import Line, Section, Sectioned

_WORDS = yaml.safe_load((Path(__file__).parent / "places.yaml").read_text("utf-8"))
_PLACE_OF = {
    **{name: code for code, names in _WORDS["countries"].items() for name in names},
    **{name: code for code, names in _WORDS["towns"].items() for name in names},
    **{name: code for code, names in _WORDS["regions"].items() for name in names},
}
"""Folded names, hyphens as spaces, with ISO 3166-2 of the region or ISO 3166-1 of the country."""
_REGION_OF = {number: code for code, numbers in _WORDS["departments"].items() for number in numbers}
_LONGEST = max(len(name.split()) for name in _PLACE_OF)
_LABELLED = re.compile(
    r"(?:localisation|localite|location|lieu|based (?:in|near)|basee? (?:a|en|sur|pres de)|living in|lives in"
    r"|residing in|habite|residant a|adresse|address|ville|city|residence|domicilie?e? a|vit a"
    r"|situee? a)\s*[:-]?\s*(.+)"
)
_MOBILE = re.compile(
    r"(?:mobile|mobilite|mobility|willing to relocate|zone geographique|secteur)\s*(?:geographique"
    r"|souhaitee)?"
    r"\s*[:-]?\s*(?:en|sur|a|dans|to|in)?\s*(.+)"
)
_POSTCODE = re.compile(r"(?<![\d+.,])(?:f-?)?(\d{2})\s?(\d{3})(?![\d.,%€])\s*,?\s*([a-z' -]{2,40})")
_BETWEEN = re.compile(r"[|•,;()\t/:]|\s-\s|\s–\s")
_IN_HEAD = 12
_EARLY = 40
_OF_OTHER_PLACES = frozenset(
    {Section.EXPERIENCE, Section.EDUCATION, Section.PROJECTS, Section.ADVERTISEMENT, Section.REFERENCES}
)


def place(cv: Sectioned) -> tuple[str | None, str | None]:
    """(country, region), each None where nothing says it."""
    own = [
        line
        for line in cv.lines
        if line.section is Section.CONTACT or (line.section is Section.HEAD and line.number < _IN_HEAD)
    ]
    # A sidebar may stand before the name and the place.
    early = [line for line in cv.lines[1:_EARLY] if line.section not in _OF_OTHER_PLACES and not line.blank]
    for code in (*_labelled(cv, own), *_in_head(own, early), *_mobile(cv)):
        return code[:2], code if "-" in code else None
    return None, None


def _labelled(cv: Sectioned, own: list[Line]) -> Iterator[str]:
    wide = cv.of(Section.SUMMARY, Section.WISHES)
    for line in (*own, *wide):
        if (match := _LABELLED.search(line.folded)) is not None:
            yield from _named(match[1])


def _in_head(own: list[Line], early: list[Line]) -> Iterator[str]:
    for line in own:
        if (match := _POSTCODE.search(line.folded)) is not None:
            # A postcode with a French town's name, or one that stands alone with some name.
            code = _region_of(match[1] + match[2])
            if code is not None:
                yield code
    for line in own[1:]:
        # Not the first line: it is the person's name, and some people are called Nancy or Laval.
        for part in _BETWEEN.split(line.folded):
            code = _PLACE_OF.get(_plain(part))
            if code is not None:
                yield code
    for line in early:
        code = _PLACE_OF.get(_plain(line.folded))
        if code is not None:
            yield code
    if own:
        # `Sample Person, Lyon`
        for part in _BETWEEN.split(own[0].folded)[1:]:
            code = _PLACE_OF.get(_plain(part))
            if code is not None:
                yield code


def _mobile(cv: Sectioned) -> Iterator[str]:
    for line in cv.of(Section.HEAD, Section.CONTACT, Section.SUMMARY, Section.WISHES):
        if (match := _MOBILE.search(line.folded)) is not None:
            yield from _named(match[1])


def _named(text: str) -> Iterator[str]:
    """Places that a phrase names, from left to right; regions and towns before a country."""
    if (match := _POSTCODE.search(text)) is not None and (code := _region_of(match[1] + match[2])):
        yield code
    words = _plain(text[:80]).split()
    country = None
    for first in range(len(words)):
        for last in range(min(len(words), first + _LONGEST), first, -1):
            code = _PLACE_OF.get(" ".join(words[first:last]))
            if code is not None and "-" in code:
                yield code
                return
            country = country or code
    if country is not None:
        yield country


def _region_of(postcode: str) -> str | None:
    return _REGION_OF.get(postcode[:3]) or _REGION_OF.get(postcode[:2])


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z]+", text))

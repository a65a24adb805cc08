"""Roles that a text says somebody holds or held, without saying when: in a headline, a label, or a sentence.

A dated job says more; but many CVs give none for what matters most, and a title of unknown duration is still
one of the best signs of what somebody does.
"""

import re
from collections.abc import Iterable

from services.intake.reading.sections import Line, Section
from services.intake.reading.titles import Titles

_PIECES = re.compile(r"\n|(?<=[.!?])\s")
_HEADLINE_WORDS, _TITLE_WORDS = 8, 5
_SAID = re.compile(
    r"\b(?:as an?|en tant que|comme|poste|position|r[oô]le|titre|title|profile?|je suis|j['’]ai été|i am"
    r"|i was|designation|fonction|métier)\b",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^[^:]{2,45}\s?:\s*\S")
"""`DevOps: Docker, Jenkins` groups skills; it is no title."""


def roles_named(lines: Iterable[Line], titles: Titles, dated: Iterable[str | None]) -> tuple[str, ...]:
    """Role ids in the order of their first mention, those of dated jobs left out."""
    known = set(dated)
    found: dict[str, None] = {}
    for line in lines:
        studies = line.section is Section.EDUCATION
        for piece in _PIECES.split(line.text):
            said = _SAID.search(piece.partition(":")[0]) is not None
            if (said and not studies) or _is_a_title(piece, _TITLE_WORDS if studies else _HEADLINE_WORDS):
                role = titles.role(piece.strip())
                if role is not None and role not in known:
                    found.setdefault(role)
    return tuple(found)


def _is_a_title(piece: str, words: int) -> bool:
    return len(piece.split()) <= words and _LABEL.match(piece) is None

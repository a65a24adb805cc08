"""Roles that a text says somebody holds or held, without saying when: in a headline, a label, or a sentence.

A dated job says more; but many CVs give none for what matters most, and a title of unknown duration is still
one of the best signs of what somebody does.
"""

import re
from collections.abc import Iterable

from services.intake.reading.titles import Titles

_PIECES = re.compile(r"\n|(?<=[.!?])\s")
_HEADLINE_WORDS = 8
_SAID = re.compile(
    r"\b(?:as an?|en tant que|comme|poste|position|r[oô]le|titre|title|profile?|je suis|j['’]ai été|i am"
    r"|i was|designation|fonction|métier)\b",
    re.IGNORECASE,
)


def roles_named(text: str, titles: Titles, dated: Iterable[str | None]) -> tuple[str, ...]:
    """Role ids in the order of their first mention, those of dated jobs left out."""
    known = set(dated)
    found: dict[str, None] = {}
    for piece in _PIECES.split(text):
        if len(piece.split()) <= _HEADLINE_WORDS or _SAID.search(piece):
            role = titles.role(piece.strip())
            if role is not None and role not in known:
                found.setdefault(role)
    return tuple(found)

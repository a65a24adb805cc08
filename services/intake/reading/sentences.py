"""The sentences that show a skill."""

import re
from bisect import bisect_right

from services.intake.reading.flat import BULLETS

LENGTH = 240
_END = re.compile(rf"[.!?](?=\s)|\n|[{BULLETS}]")
_PARTS = re.compile(r"[,;|/•·\t]|\s[-–]\s")
_FEW = 3


class Sentences:
    """The sentences and lines of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._ends = [match.end() for match in _END.finditer(text)]

    def around(self, start: int, end: int) -> str:
        """The one around a mention, cut to LENGTH around it."""
        number = bisect_right(self._ends, start)
        left = self._ends[number - 1] if number else 0
        after = bisect_right(self._ends, end)
        right = self._ends[after] if after < len(self._ends) else len(self._text)
        if right - left > LENGTH:
            left = max(left, start - LENGTH // 2)
            right = min(right, left + LENGTH)
        return " ".join(self._text[left:right].split())


def is_list(line: str) -> bool:
    """Whether a line lists names rather than saying something: several parts of a word or three."""
    _, _, rest = line.rpartition(":")
    parts = [part for part in _PARTS.split(rest) if part.strip()]
    if len(parts) <= 2:
        return len(line.split()) <= _FEW or (len(parts) == 2 and ":" in line)
    return sum(len(part.split()) for part in parts) / len(parts) <= _FEW

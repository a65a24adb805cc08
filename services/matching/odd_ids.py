"""Ids that are no UUIDs, in their place among those that are: by their text, as all ties are broken."""

import threading
from typing import Any

import numpy as np

from services.matching.vocabulary import Codes

DIGITS = "0123456789abcdef"
DASHES = (8, 13, 18, 23)
LENGTH = 36
LAST = 2**128 - 1


class OddIds:
    def __init__(self, codes: Codes[str]) -> None:
        self._codes = codes
        self._sorting = threading.Lock()
        self._keys: tuple[Any, Any, Any] = tuple(np.zeros(1, np.uint64) for _ in range(3))  # type: ignore[assignment]
        self._size = 0

    def keys(self) -> tuple[Any, Any, Any]:
        """By number: the two halves of the first UUID whose text is greater, and the rank among these ids."""
        with self._sorting:
            size = len(self._codes)
            if size != self._size:
                ids = self._codes.values[:size]
                above = [next_uuid(one) for one in ids]
                rank = np.zeros(size, np.uint64)
                rank[sorted(range(size), key=ids.__getitem__)] = np.arange(size)
                self._keys = (
                    np.array([one >> 64 for one in above], np.uint64),
                    np.array([one & 0xFFFFFFFFFFFFFFFF for one in above], np.uint64),
                    rank,
                )
                self._size = size
            return self._keys


def next_uuid(text: str) -> int:
    """The first UUID whose text, in the usual form, is greater than `text`; the last one where none is."""
    digits = ""
    for at, char in enumerate(text[:LENGTH]):
        allowed = "-" if at in DASHES else DIGITS
        if char in allowed:
            digits += char.strip("-")
            continue
        above = [digit for digit in allowed if digit > char]
        if above:
            return _filled(digits + above[0].strip("-"))
        return _after(digits)
    return _filled(digits) if len(text) < LENGTH else _after(digits)


def _filled(digits: str) -> int:
    return int(digits.ljust(32, "0"), 16)


def _after(digits: str) -> int:
    """The first UUID above all that begin with these digits."""
    following = int(digits or "0", 16) + 1
    if not digits or following >= 16 ** len(digits):
        return LAST
    return following << 4 * (32 - len(digits))

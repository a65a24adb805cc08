"""A text as words with marks between them, in which whole names are looked up at once.

`flat` is the text's words, normalised, with one space around each; what parts two words so that they are no
one name stands between them as a word of its own: a full stop, a line's end, a comma, a bracket.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

import ahocorasick_rs

from shared.taxonomy import normalise

T = TypeVar("T")

# Hyphens, slashes and apostrophes part words.
_WORD = re.compile(
    r"(?<![^\W_])\.?[^\W_]+(?:[.&][^\W_]+)*"  # .NET, Node.js, R&D
    r"(?:[+#]+(?:\d+)?(?![^\W_]))?(?:\.[^\W_]+)*"  # C++17, C#.NET
)
_ELIDED = frozenset({"c", "d", "j", "l", "m", "n", "s", "t", "qu", "jusqu", "lorsqu", "puisqu"})
_SENTENCE_END = re.compile(r"[.!?…](?:\s|$)")
BULLETS = "•▪●◦‣■□➢➤►▶✓✔❖◆◇·\uf0b7\uf0a7"
_NEW_LINE = re.compile(rf"[\n{BULLETS}]")
_DASH = re.compile(r"\s[-–—]+\s|[–—]|\t")
_MARKS = ("(", ")", "[", "]", ":", ",", ";", "|")
_PLAIN_MARK = {"[": "(", "]": ")", ";": ",", "|": ","}


def _folding() -> dict[int, str]:
    table = {ord(char): plain for char, plain in zip("’ʼ`‘–—‑‐→\u00a0\u202f", "''''-----  ", strict=True)}
    for code in range(0xC0, 0x250):
        base = unicodedata.normalize("NFKD", chr(code))[0].lower()
        table[code] = base if len(base) == 1 else chr(code)
    return table | {ord("ø"): "o", ord("Ø"): "o", ord("ł"): "l", ord("Ł"): "l"}


_FOLD = _folding()


def fold(text: str) -> str:
    """Lower case without accents, of the same length: places in it are places in the text."""
    folded = text.translate(_FOLD).lower()
    return folded if len(folded) == len(text) else "".join(char.lower()[:1] for char in text)


class Word(NamedTuple):
    """A word as it is compared, with its place in the text and the mark before it (empty for none)."""

    text: str
    start: int
    end: int
    mark: str


class Span(NamedTuple, Generic[T]):
    """A name found: its words (first, one past the last) and what it stands for."""

    first: int
    last: int
    value: T


class Flat:
    """One text, cut into words."""

    def __init__(self, text: str, vocabulary: Collection[str] = frozenset()) -> None:
        """`vocabulary` holds the words with a full stop inside that are one word: node.js."""
        self.text = text
        self.words = list(_words(text, vocabulary))
        parts: list[str] = [""]
        self._starts: list[int] = []
        place = 1
        for word in self.words:
            if word.mark:
                parts.append(word.mark)
                place += len(word.mark) + 1
            self._starts.append(place)
            parts.append(word.text)
            place += len(word.text) + 1
        parts.append("")
        self.flat = " ".join(parts)

    def word_at(self, place: int) -> int:
        """The number of the word at or before a place in `flat`."""
        return max(0, bisect_right(self._starts, place) - 1)

    def place_of(self, number: int) -> int:
        """Where a word begins in `flat`."""
        return self._starts[number] if number < len(self._starts) else len(self.flat)

    def first_from(self, place: int) -> int:
        """The number of the first word that begins at or after a place in the text."""
        low, high = 0, len(self.words)
        while low < high:
            middle = (low + high) // 2
            if self.words[middle].start < place:
                low = middle + 1
            else:
                high = middle
        return low


class Names(Generic[T]):
    """Names of whole words, each with what it stands for; all of a text's are found in one pass."""

    def __init__(self, names: Mapping[tuple[str, ...], T]) -> None:
        self._values = list(names.values())
        self._lengths = [len(name) for name in names]
        self._automaton = ahocorasick_rs.AhoCorasick(
            [f" {' '.join(name)} " for name in names],
            matchkind=ahocorasick_rs.MatchKind.Standard,
            store_patterns=False,
        )

    def candidates(self, flat: Flat) -> dict[int, list[Span[T]]]:
        """The names that begin at each word, longest first."""
        found: dict[int, list[Span[T]]] = {}
        for pattern, start, _ in self._automaton.find_matches_as_indexes(flat.flat, overlapping=True):
            first = flat.word_at(start + 1)
            found.setdefault(first, []).append(
                Span(first, first + self._lengths[pattern], self._values[pattern])
            )
        for spans in found.values():
            spans.sort(key=lambda span: -span.last)
        return found

    def find(self, flat: Flat) -> list[Span[T]]:
        """Those that do not overlap: leftmost first, the longest of each place."""
        found = []
        end = 0
        for first, spans in sorted(self.candidates(flat).items()):
            if first >= end:
                found.append(spans[0])
                end = spans[0].last
        return found


def key_of(name: str) -> tuple[str, ...]:
    """The words of a name as they are compared."""
    return tuple(normal(match.group()) for match in _WORD.finditer(name))


@lru_cache(maxsize=50_000)
def normal(word: str) -> str:
    return normalise(word)


def _words(text: str, vocabulary: Collection[str]) -> Iterator[Word]:
    last = 0
    verb = False
    for match in _WORD.finditer(text):
        whole = normal(match.group())
        if whole in _ELIDED and text[match.end() : match.end() + 1] in {"'", "’"}:
            # What stands before it still parts the words: `last` stays.
            verb = whole == "j"
            continue
        mark = _mark(text[last : match.start()], text[match.start()]) if last else ""
        last = match.end()
        if "." not in whole.lstrip(".") or whole in vocabulary:
            bare = whole if whole in vocabulary else whole.lstrip(".")
            # In `j'ai`, AI is a verb.
            yield Word(f"j'{bare}" if verb else bare, match.start(), match.end(), mark)
            verb = False
            continue
        # `Python.Java` or `PHP8.1`: a full stop without its space, or a version.
        start = match.start()
        for part in match.group().split("."):
            if part:
                yield Word(normal(part), start, start + len(part), mark)
                mark = ""
            start += len(part) + 1


@lru_cache(maxsize=20_000)
def _mark_of(gap: str, *, lower: bool) -> str:
    if gap in {" ", "-", "/", "'", "’"}:
        return ""
    if (line := _NEW_LINE.search(gap)) is not None:
        wrapped = lower and gap.count("\n") == 1 and line.group() == "\n" and not gap.strip()
        return "" if wrapped else "\n"
    if _SENTENCE_END.search(gap):
        return "."
    for mark in _MARKS:
        if mark in gap:
            return _PLAIN_MARK.get(mark, mark)
    return "–" if _DASH.search(gap) else ""


def _mark(gap: str, following: str) -> str:
    # A line that goes on in lower case was wrapped, not ended.
    return _mark_of(gap, lower=following.islower())

"""Finds names in spite of accents, case, word order and typing errors. Pure.

A name's score is the better of two views of it: its words, each matched by the query's words exactly, as a
beginning, or with a slip of the finger; and the whole of it without spaces, so that `java script` finds
JavaScript.
"""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice, takewhile

from rapidfuzz import process
from rapidfuzz.distance import OSA

from shared.taxonomy import loose

LONGEST_QUERY = 100
_WORDS = 6
_SLIP = 0.72
"""The least likeness of two words: one slip in four letters, two in eight."""
_FIRST_NAME_BONUS = 0.5


@dataclass(frozen=True)
class _Name:
    owner: str
    words: frozenset[str]
    squashed: str
    weight: float


class _Spellings:
    """Texts by length: those too long or too short for a likeness of _SLIP are never looked at."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._by_length: dict[int, list[str]] = defaultdict(list)
        for text in texts:
            self._by_length[len(text)].append(text)

    def alike(self, text: str, limit: int) -> list[tuple[str, float]]:
        """(known text, likeness), the likest first. The shorter length by the longer bounds a likeness."""
        lengths = range(math.ceil(_SLIP * len(text)), int(len(text) / _SLIP) + 1)
        near = [known for length in lengths for known in self._by_length.get(length, ())]
        found = process.extract(text, near, scorer=OSA.normalized_similarity, score_cutoff=_SLIP, limit=limit)
        return [(known, likeness) for known, likeness, _ in found]


class Index:
    """`names` gives the names of each id, the most telling first."""

    def __init__(self, names: Mapping[str, Iterable[str]]) -> None:
        self._names: list[_Name] = []
        self._by_word: dict[str, list[int]] = defaultdict(list)
        self._by_squashed: dict[str, list[int]] = defaultdict(list)
        for owner, written in names.items():
            seen: set[str] = set()
            for place, name in enumerate(written):
                text = loose(name)
                if text in seen:
                    continue
                seen.add(text)
                self._add(owner, text, _FIRST_NAME_BONUS if place < 3 else 0.0)
        self._words = sorted(self._by_word)
        self._word_spellings = _Spellings(self._words)
        self._whole_spellings = _Spellings(self._by_squashed)

    def _add(self, owner: str, text: str, weight: float) -> None:
        number = len(self._names)
        words = frozenset(text.split())
        squashed = text.replace(" ", "")
        self._names.append(_Name(owner, words, squashed, weight))
        self._by_squashed[squashed].append(number)
        for word in words:
            self._by_word[word].append(number)

    def find(self, query: str) -> list[tuple[str, float]]:
        """(id, score to 100) of what `query` may mean, best first; ties in the order of ids."""
        text = loose(query[:LONGEST_QUERY])
        if not text:
            return []
        scores: dict[int, float] = {}
        for number, likeness in self._by_wholes(text.replace(" ", "")):
            scores[number] = 100 * likeness
        for number, score in self._by_words(text.split()[:_WORDS]).items():
            scores[number] = max(scores.get(number, 0.0), score)
        best: dict[str, float] = {}
        for number, score in scores.items():
            name = self._names[number]
            best[name.owner] = max(best.get(name.owner, 0.0), score + name.weight)
        return sorted(best.items(), key=lambda found: (-found[1], found[0]))

    def _by_wholes(self, squashed: str) -> Iterable[tuple[int, float]]:
        for whole, likeness in self._whole_spellings.alike(squashed, 50):
            for number in self._by_squashed[whole]:
                yield number, likeness

    def _by_words(self, words: list[str]) -> dict[int, float]:
        """Names that answer every word of the query; those with fewer words besides score higher."""
        answered: list[dict[int, float]] = []
        for word in words:
            numbers: dict[int, float] = {}
            for known, likeness in self._alike(word).items():
                for number in self._by_word[known]:
                    numbers[number] = max(numbers.get(number, 0.0), likeness)
            answered.append(numbers)
        common = set.intersection(*(set(numbers) for numbers in answered))
        found = {}
        for number in common:
            mean = sum(numbers[number] for numbers in answered) / len(words)
            share = min(1.0, len(words) / len(self._names[number].words))
            found[number] = 95 * mean * (0.8 + 0.2 * share)
        return found

    def _alike(self, word: str) -> dict[str, float]:
        found = dict(self._word_spellings.alike(word, 30))
        # A single letter begins everything: only C itself is meant by `c`.
        if len(word) > 1:
            first = bisect_left(self._words, word)
            for known in takewhile(lambda each: each.startswith(word), islice(self._words, first, None)):
                likeness = 1.0 if known == word else 0.75 + 0.2 * len(word) / len(known)
                found[known] = max(found.get(known, 0.0), likeness)
        return found

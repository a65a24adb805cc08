"""Skills in running text: which ones, how often, for how many years, and the sentences that show them. Pure.

Text and aliases are cut into the same words, and the longest alias that begins at a word counts. An alias
that is also an everyday word counts only with one of its context words near by.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from shared.events.vocabulary import SkillKind
from shared.taxonomy import Taxonomy, normalise

WINDOW = 12
"""How many words to either side of an ambiguous alias are looked at for its context."""
YEARS_REACH = 6
EVIDENCE_KEPT = 3
EVIDENCE_LENGTH = 240

# Hyphens, slashes and apostrophes part words.
_WORD = re.compile(
    r"(?<![^\W_])\.?[^\W_]+(?:[.&][^\W_]+)*"  # .NET, Node.js, R&D
    r"(?:[+#]+(?:\d+)?(?![^\W_]))?(?:\.[^\W_]+)*"  # C++17, C#.NET
)
_ELIDED = frozenset({"c", "d", "j", "l", "m", "n", "s", "t", "qu", "jusqu", "lorsqu", "puisqu"})
_SENTENCE_END = re.compile(r"[.!?](?=\s)|\n|[•▪●◦‣]")
_YEARS = re.compile(r"^(?:ans?|annees?|years?|yrs?|yr)$")
_LISTED = re.compile(r"[,;:|/()\[\]•·\n\t]|\s-\s|\s–\s")
_EVERYDAY_BEFORE = {
    "go": frozenset(
        ["to", "live", "further", "through", "ahead", "beyond", "into", "on", "back", "for", "no"]
    ),
    "c": frozenset(["level", "suite"]),
}


@dataclass(frozen=True)
class Word:
    """A word of a text as it is compared, with its place and what stands between it and the one before."""

    text: str
    start: int
    end: int
    gap: str


@dataclass
class Mentions:
    """What a text says of one skill. `years` is the longest stated near one of the mentions."""

    count: int = 0
    years: float | None = None
    evidence: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Meaning:
    skill: str
    context: tuple[str, ...] = ()


class SkillReader:
    """Finds the skills of one version of the taxonomy in texts."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._meanings: dict[tuple[str, ...], list[_Meaning]] = {}
        self._longest: dict[str, int] = {}
        self._vocabulary: set[str] = set()
        self._learn(taxonomy)

    def read(self, text: str) -> dict[str, Mentions]:
        """Skill ids with what the text says of them, in the order of their first mention."""
        words = list(self._words(text))
        found: dict[str, Mentions] = {}
        position = 0
        while position < len(words):
            skill, length = self._at(words, position)
            if skill is not None:
                self._note(found.setdefault(skill, Mentions()), text, words, position, position + length)
            position += length
        return found

    def _learn(self, taxonomy: Taxonomy) -> None:
        for skill_id in sorted(taxonomy.skills):
            skill = taxonomy.skills[skill_id]
            if skill.kind is SkillKind.LANGUAGE:
                continue
            contexts = {
                _key(one.alias): tuple(_joined(word) for word in one.context) for one in skill.ambiguous
            }
            names = {_key(name) for name in (skill_id, skill.label.en, skill.label.fr, *skill.aliases)}
            for key in names | set(contexts):
                if not key:
                    continue
                self._meanings.setdefault(key, []).append(_Meaning(skill_id, contexts.get(key, ())))
                self._longest[key[0]] = max(len(key), self._longest.get(key[0], 0))
                self._vocabulary.update(key)
        # The skill that the taxonomy itself gives the name to comes first.
        for key, meanings in self._meanings.items():
            owner = taxonomy.resolve(" ".join(key))
            meanings.sort(key=lambda one, owner=owner: (one.skill != owner, one.skill))  # type: ignore[misc]

    def _words(self, text: str) -> Iterator[Word]:
        last = 0
        for match in _WORD.finditer(text):
            gap = text[last : match.start()]
            last = match.end()
            whole = _normal(match.group())
            if whole in _ELIDED and text[match.end() : match.end() + 1] in {"'", "’"}:
                continue
            if "." not in whole.lstrip(".") or whole in self._vocabulary:
                bare = whole if whole in self._vocabulary else whole.lstrip(".")
                yield Word(bare, match.start(), match.end(), gap)
                continue
            # `Python.Java` or `PHP8.1`: a full stop without its space, or a version.
            start = match.start()
            for part in match.group().split("."):
                if part:
                    yield Word(_normal(part), start, start + len(part), gap)
                    gap = "."
                start += len(part) + 1

    def _at(self, words: list[Word], position: int) -> tuple[str | None, int]:
        """The skill whose name begins here, and how many words to move on."""
        longest = self._longest.get(words[position].text, 0)
        for length in range(min(longest, len(words) - position), 0, -1):
            span = words[position : position + length]
            if any(_parts(word.gap) for word in span[1:]):
                continue
            for meaning in self._meanings.get(tuple(word.text for word in span), ()):
                if not meaning.context or _in_context(words, position, length, meaning.context):
                    return meaning.skill, length
        return None, 1

    def _note(self, mentions: Mentions, text: str, words: list[Word], start: int, end: int) -> None:
        mentions.count += 1
        years = _years_near(words, start, end)
        if years is not None:
            mentions.years = max(years, mentions.years or 0)
        if len(mentions.evidence) < EVIDENCE_KEPT:
            sentence = _sentence(text, words[start].start, words[end - 1].end)
            if sentence not in mentions.evidence:
                mentions.evidence.append(sentence)


def offered(reader: SkillReader, text: str | None, asked: Mapping[str, object]) -> list[str]:
    """Skills that a need's free text names and the client did not ask for: to offer, never to require."""
    return [skill for skill in reader.read(text or "") if skill not in asked]


@lru_cache(maxsize=50_000)
def _normal(word: str) -> str:
    return normalise(word)


def _key(name: str) -> tuple[str, ...]:
    return tuple(_normal(match.group()) for match in _WORD.finditer(name))


def _joined(name: str) -> str:
    return f" {' '.join(_key(name))} "


def _parts(gap: str) -> bool:
    """Whether what stands between two words keeps them from being one name."""
    return any(char in ",;:|()[]\n•" for char in gap) or ". " in gap


def _in_context(words: list[Word], position: int, length: int, context: tuple[str, ...]) -> bool:
    name = words[position].text
    following = words[position + length : position + length + WINDOW]
    if following and following[0].text in _EVERYDAY_BEFORE.get(name, ()):
        return False
    before = words[max(0, position - WINDOW) : position]
    if len(name) <= 2 and length == 1 and not _stands_alone(words, position):
        return False
    near = f" {' '.join(word.text for word in (*before, *following))} "
    return any(one in near for one in context)


def _stands_alone(words: list[Word], position: int) -> bool:
    """Whether a one- or two-letter word reads as a name in a list or after a word, not as an initial."""
    word = words[position]
    after = words[position + 1].gap if position + 1 < len(words) else "\n"
    initial = len(word.text) == 1 and after.startswith(". ")
    listed = position == 0 or bool(_LISTED.search(word.gap))
    return listed or (not initial and after != "-" and word.gap != "-")


def _years_near(words: list[Word], start: int, end: int) -> float | None:
    """`Java (5 ans)`, or `5 years of Java`: what follows comes first; a list's comma ends the search."""
    for position in range(end, min(end + YEARS_REACH, len(words))):
        if any(char in words[position].gap for char in ",;|\n"):
            break
        if _YEARS.match(words[position].text):
            return _number(words[position - 1].text)
    for position in range(start - 1, max(start - YEARS_REACH, 0), -1):
        if any(char in words[position + 1].gap for char in ",;|\n)"):
            break
        if _YEARS.match(words[position].text):
            return _number(words[position - 1].text)
    return None


def _number(text: str) -> float | None:
    digits = text.rstrip("+")
    return float(digits) if digits.isdigit() and 0 < int(digits) <= 60 else None


def _sentence(text: str, start: int, end: int) -> str:
    """The sentence or line around a mention, cut to EVIDENCE_LENGTH around it."""
    before = [match.end() for match in _SENTENCE_END.finditer(text, max(0, start - EVIDENCE_LENGTH), start)]
    after = _SENTENCE_END.search(text, end, end + EVIDENCE_LENGTH)
    left = before[-1] if before else max(0, start - EVIDENCE_LENGTH // 2)
    right = after.end() if after else min(len(text), end + EVIDENCE_LENGTH // 2)
    return " ".join(text[left:right].split())[:EVIDENCE_LENGTH]

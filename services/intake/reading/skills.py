"""Which skills a text names, and where.

Names are whole words, the longest that begins at a word counts. An alias that is also an everyday word, or
another skill's, counts only with one of its context words near by.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.intake.reading.flat import Flat, Names, Span, Word, key_of
from shared.events.vocabulary import SkillKind
from shared.taxonomy import Taxonomy

WINDOW = 12
"""How many words to either side of an ambiguous alias are looked at for its context."""
_WITHIN = frozenset({"in", "en", "with", "avec", "using", "of", "de"})
_EVERYDAY_BEFORE = {
    "go": frozenset(
        ["to", "live", "further", "through", "ahead", "beyond", "into", "on", "back", "for", "no", "no-go"]
    ),
    "c": frozenset(["level", "suite"]),
}


@dataclass(frozen=True)
class Mention:
    """A place where a text names a skill: its words (first, one past the last) and its characters."""

    skill: str
    first: int
    last: int
    start: int
    end: int
    ambiguous: bool


@dataclass(frozen=True)
class _Meaning:
    """`words` and `phrases` are the context that an ambiguous name needs, both empty for a plain one."""

    skill: str
    words: frozenset[str] = frozenset()
    phrases: tuple[str, ...] = ()
    label: str = ""

    @property
    def ambiguous(self) -> bool:
        return bool(self.words or self.phrases)


class SkillReader:
    """Finds the skills of one version of the taxonomy in texts."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        meanings = _meanings(taxonomy)
        self._vocabulary = {word for key in meanings for word in key if "." in word}
        self._names = Names(meanings)

    def flat(self, text: str) -> Flat:
        return Flat(text, self._vocabulary)

    def mentions(self, flat: Flat) -> list[Mention]:
        """From left to right; no two of them overlap."""
        candidates = sorted(self._names.candidates(flat).items())
        found = _first_meant(flat, candidates, frozenset())
        # One sense in one text: a name that counted somewhere counts where it stands without its context too.
        certain = frozenset(one.skill for one in found if one.ambiguous)
        return _first_meant(flat, candidates, certain) if certain else found

    def read(self, text: str) -> dict[str, list[Mention]]:
        """Skill ids with their mentions, in the order of the first one."""
        found: dict[str, list[Mention]] = {}
        for mention in self.mentions(self.flat(text)):
            found.setdefault(mention.skill, []).append(mention)
        return found


def offered(reader: SkillReader, text: str | None, asked: Mapping[str, object]) -> list[str]:
    """Skills that a need's free text names and the client did not ask for: to offer, never to require."""
    return [skill for skill in reader.read(text or "") if skill not in asked]


def _meanings(taxonomy: Taxonomy) -> dict[tuple[str, ...], list[_Meaning]]:
    found: dict[tuple[str, ...], list[_Meaning]] = {}
    contexts: dict[tuple[str, ...], _Meaning] = {}
    for skill_id in sorted(taxonomy.skills):
        skill = taxonomy.skills[skill_id]
        if skill.kind is SkillKind.LANGUAGE:
            continue
        ambiguous = {key_of(one.alias): one.context for one in skill.ambiguous}
        names = {_whole(name) for name in (skill_id, skill.label.en, skill.label.fr, *skill.aliases)}
        for key in (names | set(ambiguous)) - {()}:
            context = ambiguous.get(key, ())
            meaning = contexts.get((skill_id, *context))
            if meaning is None:
                meaning = contexts[(skill_id, *context)] = _meaning(skill_id, context, skill.label.en)
            found.setdefault(key, []).append(meaning)
    # The skill that the taxonomy itself gives the name to comes first.
    for key, meanings in found.items():
        if len(meanings) > 1:
            owner = taxonomy.resolve(" ".join(key))
            meanings.sort(key=lambda one, owner=owner: (one.skill != owner, one.skill))  # type: ignore[misc]
    return found


def _whole(name: str) -> tuple[str, ...]:
    """The words of a name; none where they would lose what makes it one: `C #` is not `C`."""
    key = key_of(name)
    return (
        key
        if all(sum(map(str.isalnum, name)) and mark in "".join(key) for mark in "#+" if mark in name)
        else ()
    )


def _meaning(skill_id: str, context: Iterable[str], label: str) -> _Meaning:
    keys = [key_of(name) for name in context]
    words = frozenset(key[0] for key in keys if len(key) == 1)
    phrases = tuple(f" {' '.join(key)} " for key in keys if len(key) > 1)
    return _Meaning(skill_id, words, phrases, label)


def _first_meant(
    flat: Flat, candidates: list[tuple[int, list[Span[list[_Meaning]]]]], certain: frozenset[str]
) -> list[Mention]:
    found: list[Mention] = []
    end = 0
    for first, spans in candidates:
        if first < end:
            continue
        mention = next(filter(None, (_meant(flat, span, certain) for span in spans)), None)
        if mention is not None:
            found.append(mention)
            end = mention.last
    return found


def _meant(flat: Flat, span: Span[list[_Meaning]], certain: frozenset[str]) -> Mention | None:
    """The first meaning of a name that its surroundings allow."""
    first, last = flat.words[span.first], flat.words[span.last - 1]
    for meaning in span.value:
        if meaning.ambiguous and not _means(flat, span, meaning, certain):
            continue
        return Mention(meaning.skill, span.first, span.last, first.start, last.end, meaning.ambiguous)
    return None


def _means(flat: Flat, span: Span[list[_Meaning]], meaning: _Meaning, certain: frozenset[str]) -> bool:
    """Whether an ambiguous name is the skill here."""
    words = flat.words
    written = flat.text[words[span.first].start : words[span.last - 1].end]
    if written == meaning.label:
        # No everyday word has capitals inside: `SAFe`. Nor does one have any amid a sentence.
        if any(char.isupper() for char in written[1:]) and not written.isupper():
            return True
        amid = span.first > 0 and words[span.first].mark not in {"\n", "."}
        if amid and len(written) > 2 and meaning.skill in certain:
            return True
    return _in_context(words, span, meaning)


def _in_context(words: list[Word], span: Span[list[_Meaning]], meaning: _Meaning) -> bool:
    name = words[span.first].text
    following = words[span.last : span.last + WINDOW]
    before = words[span.first - 1].text if span.first and not words[span.first].mark else ""
    if following and before not in _WITHIN and following[0].text in _EVERYDAY_BEFORE.get(name, ()):
        return False
    short = len(name) <= 2 and span.last - span.first == 1
    if short and not _stands_alone(words, span.first):
        return False
    near = [word.text for word in (*words[max(0, span.first - WINDOW) : span.first], *following)]
    if not meaning.words.isdisjoint(near):
        return True
    joined = f" {' '.join(near)} " if meaning.phrases else ""
    return any(phrase in joined for phrase in meaning.phrases)


def _stands_alone(words: list[Word], place: int) -> bool:
    """Whether a one- or two-letter word reads as a name in a list or after a word, not as an initial."""
    word = words[place]
    after = words[place + 1] if place + 1 < len(words) else None
    if place == 0 or word.mark not in {"", "."}:
        return True
    initial = len(word.text) == 1 and after is not None and after.mark == "."
    joined = word.start == words[place - 1].end + 1 and not initial
    return not initial and (joined or after is None or after.start > word.end)

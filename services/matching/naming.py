"""Skills that the words of a need name: in its title and its description. Pure.

They are a client's own words, but nobody asked for these skills: they are never required, and count less than
a nice-to-have. A name that is also an everyday word counts only where one of its context words stands in the
same text; soft skills, which every advertisement names, and languages do not count.
"""

import re

from shared.events.vocabulary import SkillKind
from shared.taxonomy import Taxonomy, normalise

_WORD = re.compile(r"\.?[^\W_]+(?:[.&][^\W_]+)*[+#]*")
_APART = re.compile(r"[,;:|()\[\]\n•]|\.\s")
_PASSED_OVER = frozenset({SkillKind.SOFT, SkillKind.LANGUAGE})
_Words = tuple[str, ...]


class SkillNames:
    """The names of one version of the taxonomy."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._skills: dict[_Words, list[tuple[str, tuple[_Words, ...]]]] = {}
        self._longest: dict[str, int] = {}
        for skill_id in sorted(taxonomy.skills):
            skill = taxonomy.skills[skill_id]
            if skill.kind in _PASSED_OVER:
                continue
            contexts = {words_of(one.alias): tuple(map(words_of, one.context)) for one in skill.ambiguous}
            for name in {words_of(name) for name in (skill.label.en, skill.label.fr, *skill.aliases)} | set(
                contexts
            ):
                if name:
                    self._skills.setdefault(name, []).append((skill_id, contexts.get(name, ())))
                    self._longest[name[0]] = max(len(name), self._longest.get(name[0], 0))

    def named_in(self, text: str) -> tuple[str, ...]:
        """Ids of the skills named, in the order of their first mention; the longest name counts."""
        found: dict[str, None] = {}
        everything: _Words | None = None
        for part in _APART.split(text):
            words = words_of(part)
            at = 0
            while at < len(words):
                step = 1
                for length in range(min(self._longest.get(words[at], 0), len(words) - at), 0, -1):
                    meanings = self._skills.get(words[at : at + length], ())
                    if meanings and everything is None and any(context for _, context in meanings):
                        everything = words_of(text)
                    skill = next(
                        (one for one, context in meanings if not context or _near(context, everything or ())),
                        None,
                    )
                    if skill is not None:
                        found.setdefault(skill)
                        step = length
                        break
                at += step
        return tuple(found)


def words_of(text: str) -> _Words:
    """Words as they are compared: `C++`, `C#`, `.NET` and `Node.js` are whole."""
    return tuple(_WORD.findall(normalise(text)))


def _near(context: tuple[_Words, ...], words: _Words) -> bool:
    joined = f" {' '.join(words)} "
    return any(f" {' '.join(one)} " in joined for one in context)

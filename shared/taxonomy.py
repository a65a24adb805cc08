"""Skills by any of their names, and what one skill says about another. Pure: built from skill events."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

from shared.events.role import Role
from shared.events.skill import Skill

_APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'", "`": "'", "\u00a0": " ", "\u202f": " ", "‑": "-"})


def normalise(text: str) -> str:
    """A name as it is compared: no case, no accents, one kind of apostrophe, single spaces. `C++` stays."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES).casefold())
    return " ".join("".join(char for char in decomposed if not unicodedata.combining(char)).split())


def loose(text: str) -> str:
    """As `normalise`, with hyphens, slashes and underscores as spaces: `back-end` and `back end` are one."""
    return " ".join(normalise(text).replace("-", " ").replace("_", " ").replace("/", " ").split())


class Taxonomy:
    """An immutable view of the skills at one version of the catalogue."""

    def __init__(self, skills: Mapping[str, Skill], version: str = "") -> None:
        self.skills = dict(skills)
        self.version = version
        self._shows = {skill_id: self._closure(skill_id) for skill_id in self.skills}
        self._shown_by: dict[str, list[str]] = defaultdict(list)
        for held, shown in self._shows.items():
            for skill_id in shown:
                self._shown_by[skill_id].append(held)
        self._related = {
            skill_id: {related.skill: related.credit for related in skill.related}
            for skill_id, skill in self.skills.items()
        }
        self._by_name: dict[str, str] = {}
        self._by_loose_name: dict[str, str] = {}
        self._index_names()

    def resolve(self, name: str) -> str | None:
        """The skill that `name` (an id, a label or an alias, in any spelling) stands for, None if unknown.

        For names given as skills; in running text an ambiguous alias needs its context to count.
        """
        return self._by_name.get(normalise(name)) or self._by_loose_name.get(loose(name))

    def shows(self, held: str) -> frozenset[str]:
        """What holding a skill shows in full: itself, what it implies, what is broader, all the way up."""
        return self._shows.get(held, frozenset((held,)))

    def credit(self, asked: str, held: str) -> float:
        """What `held` earns where `asked` is asked: 1 where it shows it, else the related credit, else 0."""
        shown = self.shows(held)
        if asked in shown:
            return 1.0
        related = self._related.get(asked, {})
        return max((related.get(skill, 0.0) for skill in shown), default=0.0)

    def credits(self, asked: str) -> dict[str, float]:
        """Every skill that earns something where `asked` is asked, with its credit."""
        found: dict[str, float] = {}
        for related, credit in self._related.get(asked, {}).items():
            for held in self._shown_by.get(related, ()):
                found[held] = max(found.get(held, 0.0), credit)
        return found | dict.fromkeys(self._shown_by.get(asked, ()), 1.0)

    def _closure(self, skill_id: str) -> frozenset[str]:
        reached: set[str] = set()
        waiting = [skill_id]
        while waiting:
            current = waiting.pop()
            if current in reached:
                continue
            reached.add(current)
            skill = self.skills.get(current)
            if skill is not None:
                waiting += skill.implies
                if skill.broader:
                    waiting.append(skill.broader)
        return frozenset(reached)

    def _index_names(self) -> None:
        # Ids and labels first, so that an alias never takes a name away from the skill that bears it; in the
        # order of ids, so that every process resolves alike.
        ordered = [self.skills[skill_id] for skill_id in sorted(self.skills)]
        for skill in ordered:
            for name in (skill.skill_id, skill.label.en, skill.label.fr):
                self._by_name.setdefault(normalise(name), skill.skill_id)
        for skill in ordered:
            for alias in skill.aliases:
                self._by_name.setdefault(normalise(alias), skill.skill_id)
        for name, skill_id in self._by_name.items():
            self._by_loose_name.setdefault(loose(name), skill_id)


_TRADES = dict.fromkeys(
    ["engineer", "ingenieur", "ingenieure", "programmer", "programmeur", "programmeuse", "developpeur",
     "developpeuse", "dev"],
    "developer",
)  # fmt: skip
"""Words that name the same trade beside the same technology."""
_SHORTEST_PLURAL = 4
_GENERAL = frozenset(
    ["developer", "software", "logiciel", "logicielle", "web", "application", "applicatif",
     "informatique", "etude", "et", "developpement", "analyste", "analyst", "lead", "tech", "technical",
     "technique", "team", "senior", "principal", "staff"]
)  # fmt: skip
"""Words of titles that say a trade and a rank, but less than a technology beside them."""
OTHER_TRADES = frozenset(
    ["embedded", "embarque", "embarques", "embarquee", "embarquees", "electrical", "electrique",
     "electronics", "electronique", "mechanical", "mecanique", "civil", "hardware", "firmware"]
)  # fmt: skip
"""Words that make another trade of a title: an embedded systems engineer administers no systems."""
_CLAUSE_END = re.compile(r"[,;:|()\[\]\n.]|\s[-–—/]\s|\b(?:for|pour|in|at|chez|dans|within)\b", re.IGNORECASE)


def names_other_trade(text: str) -> bool:
    return not OTHER_TRADES.isdisjoint(re.findall(r"\w+", loose(text)))


def without_other_trades(text: str) -> str:
    """The text without the clauses that speak of another trade: `Data engineer (civil aviation)` is one."""
    if not names_other_trade(text):
        return text
    return ", ".join(clause for clause in _CLAUSE_END.split(text) if not names_other_trade(clause))


class RoleNames:
    """Roles by id, address, title or alias."""

    def __init__(self, roles: Mapping[str, Role]) -> None:
        self._by_name: dict[str, str] = {}
        self._by_words: dict[frozenset[str], str] = {}
        for role_id in sorted(roles):
            role = roles[role_id]
            names = (role_id, role.slug.fr, role.slug.en, role.title.fr, role.title.en)
            for name in (*names, *role.aliases.fr, *role.aliases.en):
                self._by_name.setdefault(loose(name), role_id)
                self._by_words.setdefault(frozenset(map(_plain, loose(name).split())), role_id)

    def resolve(self, name: str) -> str | None:
        return self._by_name.get(loose(name))

    def within(self, words: Sequence[str]) -> tuple[str | None, bool]:
        """The role whose name's words, two to four, all stand among these in any order; if it is general.

        The longest name; one that says a trade and a rank alone (`software engineer`) where no other does.
        """
        general = None
        trades = list(dict.fromkeys(map(_plain, words)))
        for length in (4, 3, 2):
            for some in combinations(trades, length):
                role_id = self._by_words.get(frozenset(some))
                if role_id is not None:
                    if not _GENERAL.issuperset(some):
                        return role_id, False
                    general = general or role_id
        return general, general is not None

    def is_general(self, name: str) -> bool:
        """Whether a name says a trade and a rank alone."""
        return _GENERAL.issuperset(frozenset(map(_plain, loose(name).split())))


def _plain(word: str) -> str:
    """A word of a title without elision, gendered ending and plural, and of a trade always the same."""
    bare = re.sub(r"^[dl]'|[·•].*$|\(.*$", "", word)
    bare = bare[:-1] if len(bare) > _SHORTEST_PLURAL and bare.endswith("s") else bare
    return _TRADES.get(bare, bare)

"""Titles of the catalogue's roles in text, whatever gender, spelling or rank they are written with."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain, combinations

from services.intake.reading.flat import Flat, Names, fold, key_of
from shared.events.role import Role
from shared.events.vocabulary import Seniority
from shared.taxonomy import without_other_trades

# développeur·se, développeur(euse), ingénieur/e, développeur.se, développeur-euse
_INCLUSIVE = re.compile(
    r"(?<=[^\W\d_]{3})(?:[·•∙‧./-]|\()(?:euse|rice|trice|iere|ere|enne|ienne|ante|ente|ve|ne|te|se|le|fe|e)"
    r"(?:[·.\-/]?s)?\)?(?![\w-])"
)
_TWICE = re.compile(r"\b([^\W\d_]{4,}eur)\s?/\s?[^\W\d_]+(?:euse|rice|eure)\b")
_FEMININE = (
    ("trice", "teur"), ("euse", "eur"), ("ieure", "ieur"), ("ienne", "ien"), ("enne", "en"), ("elle", "el"),
    ("ante", "ant"), ("ente", "ent"), ("ative", "atif"), ("erte", "ert"), ("effe", "ef"), ("ointe", "oint"),
    ("cienne", "cien"), ("ee", "e"),
)  # fmt: skip
_ONE_OF_TWO = {"backend": ("back", "end"), "frontend": ("front", "end"), "fullstack": ("full", "stack")}
_DROPPED = frozenset(
    ["de", "des", "du", "d", "en", "la", "le", "les", "l", "of", "the", "in", "a", "h", "f", "x"]
)
_RANKS: dict[Seniority, frozenset[str]] = {
    Seniority.JUNIOR: frozenset(
        ["junior", "jr", "debutant", "debutante", "alternant", "stagiaire", "intern"]
    ),
    Seniority.MIDDLE: frozenset(["confirme", "confirmee", "intermediaire", "intermediate", "mid", "middle"]),
    Seniority.SENIOR: frozenset(["senior", "sr", "experimente", "experimentee", "experienced"]),
    Seniority.LEAD: frozenset(["principal", "principale", "staff", "lead"]),
}
_RANK_WORDS = frozenset().union(*_RANKS.values()) - {"lead", "principal", "principale", "staff"}

_TRADES = {
    word: trade
    for trade, words in {
        "developer": ["developpeur", "dev", "engineer", "ingenieur", "programmer", "programmeur"],
        "administrator": ["administrateur", "admin"],
        "architect": ["architecte"],
        "analyst": ["analyste"],
        "technician": ["technicien"],
    }.items()
    for word in words
}
"""Words that name the same trade beside the same technology."""
_GENERAL = frozenset(
    [
        frozenset({"developer"}), frozenset({"software", "developer"}), frozenset({"web", "developer"}),
        frozenset({"application", "developer"}), frozenset({"logiciel", "developer"}),
        frozenset({"developer", "etude", "et", "developpement"}), frozenset({"analyst", "developer"}),
    ]
)  # fmt: skip
"""What says less than a technology in the same title."""
_PARTS = re.compile(r"[,;|()\[\]:\t\n–—]|\s-+\s|\s(?:at|chez|pour|for|@)\s")
_TITLE_WORDS, _NAME_WORDS = 7, 4
_SHORTEST_PLURAL = 4

_NOUNS = frozenset(
    [
        "developpeur", "developer", "ingenieur", "engineer", "architecte", "architect",
        "consultant", "analyste", "analyst", "administrateur", "administrator", "technicien",
        "technician", "chef", "manager", "directeur", "director", "responsable", "lead", "designer",
        "graphiste", "scientist", "owner", "master", "integrateur", "programmeur", "programmer",
        "expert", "specialiste", "specialist", "testeur", "tester", "formateur", "trainer",
        "stagiaire", "intern", "alternant", "apprenti", "freelance", "concepteur", "coordinateur",
        "coordinator", "webmaster", "support", "sre", "cto", "rssi", "ciso", "dba", "devops",
        "product", "data", "chercheur", "researcher", "officer", "head", "vp",
    ]
)  # fmt: skip
"""What names a job of whatever trade."""


class Titles:
    """Finds the roles of one version of the catalogue in lines of text."""

    def __init__(self, roles: Mapping[str, Role]) -> None:
        names: dict[tuple[str, ...], str] = {}
        self._loose: dict[frozenset[str], str] = {}
        for role_id in sorted(roles):
            role = roles[role_id]
            written = (role.title.fr, role.title.en, *role.aliases.fr, *role.aliases.en, role_id)
            for name in written:
                key = tuple(part for word in key_of(_plain(name)) for part in _canonical(word))
                if key:
                    names.setdefault(key, role_id)
                    self._loose.setdefault(frozenset(map(_trade, key)), role_id)
        self._names = Names(names)
        self._known: dict[str, str | None] = {}
        self._vocabulary = frozenset(word for key in names for word in key if "." in word)

    def role(self, line: str) -> str | None:
        """The role of the first title in the line, None without one."""
        if line not in self._known:
            self._known[line] = self._role(line)
        return self._known[line]

    def forget(self) -> None:
        """Let go of the lines that were looked at."""
        self._known.clear()

    def _role(self, line: str) -> str | None:
        """Of a title's parts the first that names a role, its words in any order; else a name in the line.

        A technology anywhere in a short line says more than `software engineer`.
        """
        plain = without_other_trades(_plain(line))
        whole: list[str] = []
        general = None
        for part in _PARTS.split(plain):
            words = self._words(part)
            whole += words
            if len(words) <= _TITLE_WORDS:
                name = self._loosely(words)
                if name is not None and name not in _GENERAL:
                    return self._loose[name]
                general = general or name
        if general is not None:
            name = self._loosely(whole) if len(whole) <= _TITLE_WORDS else None
            return self._loose[name or general]
        found = self._names.find(Flat(" ".join(self._words(plain)), self._vocabulary))
        return found[0].value if found else None

    def _words(self, plain: str) -> list[str]:
        return [word for one in Flat(plain, self._vocabulary).words for word in _canonical(one.text)]

    def _loosely(self, words: Sequence[str]) -> frozenset[str] | None:
        """The longest name all of whose words are among these; a general one last.

        Of equal ones it is one whose words stand together, then the first.
        """
        trades = list(dict.fromkeys(map(_trade, words)))
        general = None
        for length in range(min(_NAME_WORDS, len(trades)), 0, -1):
            together = (trades[at : at + length] for at in range(len(trades) - length + 1))
            for some in chain(together, combinations(trades, length)):
                name = frozenset(some)
                if name in self._loose:
                    if name not in _GENERAL:
                        return name
                    general = general or name
        return general

    def names_a_job(self, line: str) -> bool:
        """Whether the line names a job, be it one of the catalogue or not."""
        words = key_of(_plain(line))
        forms = {part for word in words for part in _canonical(word)} | set(words)
        return bool(forms & _NOUNS) or self.role(line) is not None


def seniority(line: str) -> Seniority | None:
    """The rank that a title states. The highest of several counts."""
    words = set(key_of(_plain(line)))
    return next((rank for rank in reversed(_RANKS) if words & _RANKS[rank]), None)


def _plain(text: str) -> str:
    """Inclusive and doubled forms as the masculine one: only to compare."""
    return _INCLUSIVE.sub("", _TWICE.sub(r"\1", fold(text)))


def _trade(word: str) -> str:
    """A word of a title in the singular, and of a trade that has several names always the same."""
    single = word[:-1] if len(word) > _SHORTEST_PLURAL and word.endswith(("s", "eaux")) else word
    return _TRADES.get(single, single)


@lru_cache(maxsize=20_000)
def _canonical(word: str) -> tuple[str, ...]:
    """The words that stand for one of a title; none for those that say a rank or join others."""
    if word in _DROPPED or word in _RANK_WORDS:
        return ()
    for feminine, masculine in _FEMININE:
        if word.endswith(feminine) and len(word) > len(feminine) + 1:
            word = word[: -len(feminine)] + masculine
            break
    return _ONE_OF_TWO.get(word, (word,))

"""Official lists of skills, held against the taxonomy. Pure but for reading the files.

ESCO (European Commission): `skills_fr.csv` and `skills_en.csv` with conceptType, conceptUri, preferredLabel,
altLabels and hiddenLabels (a name a line within the cell) and status, among others.
ROME (France Travail): `unix_referentiel_competence_v….csv` with code_ogr (in older versions
code_ogr_competence) and libelle_competence, `unix_referentiel_savoir_v….csv` with code_ogr_savoir and
libelle_savoir, among others.
"""

import csv
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.catalog.domain import LONGEST_LIST, Catalogue, name_problem, names_of, skill_problems
from shared.events.skill import Skill
from shared.taxonomy import loose

_QUALIFIER = re.compile(r"\s*\([^()]*\)\s*$")
_ESCO_COLUMNS = ("concepttype", "concepturi", "preferredlabel", "altlabels", "hiddenlabels", "status")
_ROME_COLUMNS = (
    ("code_ogr_savoir", "libelle_savoir"),
    ("code_ogr_competence", "libelle_competence"),
    ("code_ogr", "libelle_competence"),
)


class BadList(ValueError):  # noqa: N818 - what it is
    """The file is not a list of the named format; the message says what is missing."""


@dataclass
class Entry:
    """A skill of the list: its id there, its labels (one a language), and its other names."""

    external_id: str
    labels: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


@dataclass
class Merge:
    """The skills as they become, and what is to be said of it."""

    changed: dict[str, Skill] = field(default_factory=dict)
    placed: list[str] = field(default_factory=list)
    by_alias: list[str] = field(default_factory=list)
    not_added: list[str] = field(default_factory=list)
    unplaced: list[str] = field(default_factory=list)
    unchanged: int = 0
    aliases: int = 0


def read_entries(list_format: str, paths: Sequence[Path]) -> list[Entry]:
    """The skills of all files, those of one id as one. Raises BadList."""
    found: dict[str, Entry] = {}
    for path in paths:
        for external_id, label, others in _READERS[list_format](path):
            if not external_id or not label:
                continue
            entry = found.setdefault(external_id, Entry(external_id))
            entry.labels += [label] if label not in entry.labels else []
            entry.others += [name for name in others if name not in entry.others]
    return list(found.values())


def merge(catalogue: Catalogue, entries: Iterable[Entry], list_format: str) -> Merge:
    """Place each entry on the one skill that bears its id, its label, or else one of its other names.

    Its names become aliases of that skill where no other skill claims them.
    """
    work = _Work(catalogue, list_format)
    # Whoever bears the label goes before whoever is only called so too.
    by_name = [entry for entry in entries if not work.place(entry, entry.labels, by="label")]
    for entry in by_name:
        if not work.place(entry, entry.others, by="alias"):
            work.done.unplaced.append(f"{_called(entry)}: {work.why_not(entry)}")
    return work.finished()


class _Work:
    """One merge, as it grows."""

    def __init__(self, catalogue: Catalogue, list_format: str) -> None:
        self.done = Merge()
        self._catalogue = catalogue
        self._format = list_format
        self._skills = dict(catalogue.skills)
        self._claims = {name: set(skills) for name, skills in catalogue.claims.items()}
        self._proper: dict[str, set[str]] = defaultdict(set)
        self._ruled: set[tuple[str, str]] = set()
        for skill_id, skill in catalogue.skills.items():
            for name in (skill_id, skill.label.fr, skill.label.en):
                self._proper[loose(name)].add(skill_id)
            self._ruled |= {(loose(rule.alias), skill_id) for rule in skill.ambiguous}
        self._bearer = {
            skill.external[list_format]: skill_id
            for skill_id, skill in catalogue.skills.items()
            if list_format in skill.external
        }

    def place(self, entry: Entry, names: Sequence[str], *, by: str) -> bool:
        """Give the entry to its skill. False where `names` name none, or none alone."""
        known = self._bearer.get(entry.external_id)
        if known is None:
            candidates = self._named(names, sure=by == "label")
            candidates = {each for each in candidates if self._format not in self._skills[each].external}
            if len(candidates) != 1:
                return False
            [known] = candidates
        self._give(entry, known, by)
        return True

    def why_not(self, entry: Entry) -> str:
        candidates = self._named([*entry.labels, *entry.others], sure=False)
        if not candidates:
            return "no skill is called so"
        taken = {each for each in candidates if self._format in self._skills[each].external}
        if taken == candidates:
            return f"{', '.join(sorted(taken))} already stands for another {self._format} id"
        return f"may be {', '.join(sorted(candidates - taken))}"

    def finished(self) -> Merge:
        """Raises BadList where the result would not hold together; names were looked at one by one."""
        after = Catalogue(self._catalogue.roles, self._skills)
        for skill_id in self.done.changed:
            if problems := skill_problems(self._skills[skill_id], after):
                raise BadList(f"skill {skill_id} would not hold together: {problems[0][0]}: {problems[0][1]}")
        return self.done

    def _named(self, names: Iterable[str], *, sure: bool) -> set[str]:
        """The skills that bear one of `names`. Unless `sure`, a name that needs a context proves nothing.

        Of several that claim a sure name, those count whose own id or label it is.
        """
        found: set[str] = set()
        for name in names:
            for spelling in (loose(name), loose(_QUALIFIER.sub("", name))):
                skills = self._claims.get(spelling, set())
                if sure and len(skills) > 1:
                    skills = skills & self._proper[spelling] or skills
                found |= {each for each in skills if sure or (spelling, each) not in self._ruled}
                if skills:
                    break
        return found

    def _give(self, entry: Entry, skill_id: str, by: str) -> None:
        skill = self._skills[skill_id]
        fresh = list(self._fresh(entry, skill))
        external = {**skill.external, self._format: entry.external_id}
        if not fresh and external == skill.external:
            self.done.unchanged += 1
            return
        changed = skill.model_copy(update={"aliases": (*skill.aliases, *fresh), "external": external})
        self._skills[skill_id] = self.done.changed[skill_id] = changed
        self._bearer[entry.external_id] = skill_id
        self.done.aliases += len(fresh)
        added = f", aliases {', '.join(fresh)}" if fresh else ""
        line = f"skill/{skill_id}: {_called(entry)}{added}"
        (self.done.placed if by == "label" else self.done.by_alias).append(line)

    def _fresh(self, entry: Entry, skill: Skill) -> Iterator[str]:
        """The entry's names that the skill may take."""
        room = LONGEST_LIST - len(skill.aliases)
        own = {loose(name) for _, name in names_of(skill)}
        for name in (*entry.labels, *entry.others):
            spelling = loose(name)
            if spelling in own:
                continue
            own.add(spelling)
            others = sorted(self._claims.get(spelling, set()) - {skill.skill_id})
            problem = name_problem(name) or (f"already stands for {', '.join(others)}" if others else None)
            problem = problem or ("the skill has too many aliases" if room <= 0 else None)
            if problem:
                self.done.not_added.append(f"skill/{skill.skill_id}: {name!r} {problem}")
                continue
            room -= 1
            self._claims.setdefault(spelling, set()).add(skill.skill_id)
            yield name


def _called(entry: Entry) -> str:
    return f"{' / '.join(entry.labels)} ({entry.external_id})"


def _esco(path: Path) -> Iterator[tuple[str, str, list[str]]]:
    for row in _rows(path, [_ESCO_COLUMNS[:3]]):
        released = row.get("status", "").strip() in {"", "released"}
        if row["concepttype"].strip() != "KnowledgeSkillCompetence" or not released:
            continue
        names = "\n".join(row.get(column, "") for column in ("altlabels", "hiddenlabels"))
        others = [" ".join(name.split()) for name in names.splitlines() if name.strip()]
        yield row["concepturi"].strip(), " ".join(row["preferredlabel"].split()), others


def _rome(path: Path) -> Iterator[tuple[str, str, list[str]]]:
    for row in _rows(path, _ROME_COLUMNS):
        code, label = next(columns for columns in _ROME_COLUMNS if set(columns) <= row.keys())
        yield row[code].strip(), " ".join(row[label].split()), []


def _rows(path: Path, layouts: Sequence[Sequence[str]]) -> Iterator[Mapping[str, str]]:
    """The rows with lower-case column names. UTF-8, with or without BOM; separated by what the header has."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            separator = max(",;\t", key=header.count)
            columns = [
                name.strip().casefold() for name in next(csv.reader([header], delimiter=separator), [])
            ]
            if not any(set(layout) <= set(columns) for layout in layouts):
                wanted = " or ".join(", ".join(layout) for layout in layouts)
                raise BadList(f"{path}: the header lacks columns: {wanted} are needed")
            for row in csv.DictReader(file, columns, restval="", delimiter=separator):
                yield {name: value for name, value in row.items() if isinstance(value, str)}
    except UnicodeDecodeError as error:
        raise BadList(f"{path}: is not UTF-8") from error
    except (OSError, csv.Error) as error:
        raise BadList(f"{path}: {error}") from error


_READERS = {"esco": _esco, "rome": _rome}
FORMATS = tuple(_READERS)

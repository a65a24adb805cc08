"""What ranking is about: the need as asked, the candidate as compared, the shortlist as published."""

import re
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from services.matching.held import held_words
from services.matching.naming import SkillNames
from services.matching.weights import (
    FIRST_MENTION_AND_MORE,
    FIRST_YEAR_AND_MORE,
    LEAST_ESTIMATE,
    MOST_ESTIMATE,
    MOST_UNUSED,
    ROLE_RECENCY,
    SALIENCE,
    UNUSED_A_YEAR,
    UNUSED_YEARS,
)
from shared.events.candidate import Candidate, HeldSkill
from shared.events.need import AskedSkill, Criteria, Need
from shared.events.role import Role
from shared.events.shortlist import Departure, Outcome, Shortlist
from shared.sheets import RoleSheets
from shared.taxonomy import RoleNames, Taxonomy, loose, names_other_trade, without_other_trades

LISTED = 10
NEAR_MISSES = 5
LONGEST_ROLE_NAME = 6
"""In words."""
LONGEST_TITLE = 10
"""In words; a longer text is no title, and its words belong to no one name."""
OPENING = 160
"""How many characters of a description may say which role it is about."""
LEAST_SKILLS = 3
"""So many skills of a role's sheet must be asked or named where they alone say which role it is."""


@dataclass(frozen=True)
class Knowledge:
    """The catalogue as ranking reads it, at one version."""

    taxonomy: Taxonomy
    roles: Mapping[str, Role]
    role_names: RoleNames
    version: str

    def role_of(self, criteria: Criteria) -> Role | None:
        """The asked role: by its id, else by the longest name of a role that stands in the need's title."""
        role_id = criteria.role_id or self.role_in(criteria.title)
        return self.roles.get(role_id) if role_id else None

    @cached_property
    def skill_names(self) -> SkillNames:
        return SkillNames(self.taxonomy)

    @cached_property
    def families(self) -> Mapping[str, frozenset[str]]:
        """Family -> its roles."""
        found: dict[str, set[str]] = {}
        for role_id, role in self.roles.items():
            found.setdefault(role.family, set()).add(role_id)
        return {family: frozenset(role_ids) for family, role_ids in found.items()}

    @cached_property
    def sheets(self) -> RoleSheets:
        return RoleSheets(self.taxonomy, self.roles)

    def role_in(self, text: str) -> str | None:
        """The role that `text` names.

        The whole text, else the longest (then the first) name that stands in it, else one whose words stand
        in a part of it in another order, or with others between them. A technology says more than a trade:
        `Python software developer` is a Python developer.
        """
        whole = self.role_names.resolve(text)
        if whole is not None and not self.role_names.is_general(text):
            return whole
        general = whole
        text = without_other_trades(text)
        words = _words(text)
        for length in range(min(len(words), LONGEST_ROLE_NAME), 0, -1):
            for start in range(len(words) - length + 1):
                name = " ".join(words[start : start + length])
                found = self.role_names.resolve(name)
                if found is not None:
                    if not self.role_names.is_general(name):
                        return found
                    general = general or found
        # `Java/JEE developer`; the whole where a trade was named: `Software engineer - Java, Kafka`.
        parts = [*(_words(part) for part in _PART_END.split(text)), *([words] if general else [])]
        for part in parts:
            if len(part) <= LONGEST_TITLE:
                role, is_general = self.role_names.within(part)
                if role is not None and not is_general:
                    return role
                general = general or role
        return general


_PART_END = re.compile(r"[,;:|\n]|\s[-–—]\s")


def _words(text: str) -> list[str]:
    words = [word.strip(",;:.()[]–—-|/") for word in loose(text).split()]
    return [word for word in words if word]


def criteria_of(need: Need) -> Criteria:
    """What a ranking may read of a need."""
    return Criteria(**{name: getattr(need, name) for name in Criteria.model_fields})


class InText(NamedTuple):
    """What a need's title and description say besides what was asked.

    `named`: all skills named; `in_title`: those that the title names; `role`: the one that the title names.
    """

    named: tuple[str, ...] = ()
    in_title: tuple[str, ...] = ()
    role: str | None = None


def understood(criteria: Criteria, description: str | None, knowledge: Knowledge) -> tuple[Criteria, InText]:
    """The need with its role found, and what its text says.

    Where neither id nor title says which role it is, the opening of the description may; else it is the role
    to whose sheet the skills asked and named point, if at least `LEAST_SKILLS` of them stand on it. A title
    that names another trade is of no role.
    """
    text = description or ""
    said = InText(
        knowledge.skill_names.named_in(f"{criteria.title}\n{text}"),
        knowledge.skill_names.named_in(criteria.title),
        knowledge.role_in(criteria.title),
    )
    if criteria.role_id is None:
        role = said.role
        if role is None and not names_other_trade(criteria.title):
            skills = [asked.skill for asked in criteria.skills]
            often = (*skills, *skills, *said.in_title, *said.in_title, *said.named)
            role = knowledge.role_in(text[:OPENING]) or knowledge.sheets.closest(often, LEAST_SKILLS)
        criteria = criteria.model_copy(update={"role_id": role})
    return criteria, said


def asked_skills(criteria: Criteria) -> tuple[AskedSkill, ...]:
    """In the order of ids, each once: the highest level asked, a must if asked as one anywhere."""
    merged: dict[str, AskedSkill] = {}
    for asked in criteria.skills:
        other = merged.get(asked.skill)
        if other is not None:
            asked = AskedSkill(  # noqa: PLW2901 - the two are one from here on
                skill=asked.skill, level=max(asked.level, other.level), must=asked.must or other.must
            )
        merged[asked.skill] = asked
    return tuple(merged[skill] for skill in sorted(merged))


@dataclass(frozen=True, slots=True)
class Shown:
    """A skill of a candidate as it is compared, and what that follows from.

    `level` in hundredths; `salience` (`weights.SALIENCE`): how much of the profile it is. `stated`: the level
    that somebody stated, 1 to 5.
    """

    level: int
    estimated: bool
    salience: int
    stated: int | None = None
    years: float | None = None
    last_used: int | None = None
    mentions: int = 0


class Tenure(NamedTuple):
    """A role as held, all times in it together.

    `faded` are its months as `weights.ROLE_RECENCY` has them; `fresh`: percent that its title is worth by
    that; `left`: the year in which it ended, None while it is held.
    """

    months: int
    faded: int
    fresh: int
    left: int | None


class Held(NamedTuple):
    """What is known of a candidate for one constraint: `facts` may leave out what that is not about."""

    facts: Candidate
    words: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A candidate as compared. `salience` is the sum over the skills; `known` are the months of all roles.

    `facts`: what is known besides skills and roles; its own `skills` may be left out.
    """

    facts: Candidate
    skills: dict[str, Shown]
    salience: int
    roles: dict[str, Tenure]
    known: int

    @property
    def candidate_id(self) -> str:
        return self.facts.candidate_id

    def held(self, criterion: str) -> "Held":
        """What is known for a constraint."""
        return Held(self.facts, held_words(criterion, self.facts))

    def kind_in(self, criterion: str) -> Hashable:
        """Who is of one kind is judged alike and told the same; None: each by themselves."""
        return None

    @property
    def candidate(self) -> Candidate:
        """The candidate as an event, whole."""
        if self.facts.skills or not self.skills:
            return self.facts
        skills = tuple(held_of(skill, shown) for skill, shown in self.skills.items())
        return self.facts.model_copy(update={"skills": skills})


def profile_of(candidate: Candidate, year: int) -> Profile:
    """`year` is that of the model's as-of day, on which recency is judged."""
    skills: dict[str, Shown] = {}
    for held in sorted(candidate.skills, key=strength):
        skills[held.skill] = shown_of(held, year)
    salience = sum(shown.salience for shown in skills.values())
    stints = [(one.role, one.months, int(one.until[:4]) if one.until else None) for one in candidate.roles]
    known = sum(one.months for one in candidate.roles)
    return Profile(candidate, skills, salience, held_roles(stints, year), known)


def held_roles(stints: Iterable[tuple[str, int, int | None]], year: int) -> dict[str, Tenure]:
    """Of (role, months, year in which it ended or None); `year` is that of the as-of day."""
    roles: dict[str, Tenure] = {}
    for role, months, left in stints:
        age = max(0, year - left) if left is not None else 0
        fresh = ROLE_RECENCY[min(age, len(ROLE_RECENCY) - 1)]
        stint = Tenure(months, months * fresh // 100, fresh, left)
        roles[role] = _together(roles[role], stint) if role in roles else stint
    return roles


def _together(one: Tenure, other: Tenure) -> Tenure:
    left = max(one.left, other.left) if one.left is not None and other.left is not None else None
    return Tenure(one.months + other.months, one.faded + other.faded, max(one.fresh, other.fresh), left)


def strength(held: HeldSkill) -> tuple[Any, ...]:
    """Orders two mentions of one skill: the stronger comes last and is kept."""
    return (
        held.skill,
        held.level or 0,
        not held.estimated,
        held.years or 0,
        held.mentions,
        held.last_used or 0,
    )


def shown_of(held: HeldSkill, year: int) -> Shown:
    salience = SALIENCE[min(len(SALIENCE) - 1, held.mentions + int(held.years or 0))]
    stated = held.level
    level = estimated_level(held, year) if stated is None else stated * 100
    estimated = stated is None or held.estimated
    return Shown(level, estimated, salience, stated, held.years, held.last_used, held.mentions)


def held_of(skill: str, shown: Shown) -> HeldSkill:
    """The skill as the candidate's event has it."""
    return HeldSkill(
        skill=skill,
        level=shown.stated,
        estimated=shown.estimated,
        years=shown.years,
        last_used=shown.last_used,
        mentions=shown.mentions,
    )


def estimated_level(held: HeldSkill, year: int) -> int:
    """A level in hundredths where nobody stated one.

    At least 2.00; one year makes 1.60 and each further one 0.60; one mention 2.00 and each further one 0.25;
    the higher of both counts, to 4.50. From the fourth year of disuse on 0.20 is lost a year, 1.00 at most.
    """
    first, more = FIRST_YEAR_AND_MORE
    by_years = first - more + int(more * held.years) if held.years is not None else 0
    first, more = FIRST_MENTION_AND_MORE
    level = min(MOST_ESTIMATE, max(LEAST_ESTIMATE, by_years, first - more + more * held.mentions))
    if held.last_used is not None:
        level -= min(MOST_UNUSED, UNUSED_A_YEAR * max(0, year - held.last_used - UNUSED_YEARS))
    return level


def content(shortlist: Shortlist) -> dict[str, Any]:
    """What makes a new revision worth publishing: all but versions, times and the pool's sizes.

    The need's revision counts: whoever reads the shortlist sees by it that the client's edit was ranked.
    """
    return shortlist.model_dump(
        exclude={
            "revision", "occurred_at", "engine", "taxonomy", "weights", "model", "input_hash",
            "eligible", "candidates", "relaxed", "entered", "left",
        }
    )  # fmt: skip


def listed_in(shortlist: Shortlist | None) -> set[str]:
    """Every candidate that the shortlist names, near misses among them."""
    if shortlist is None:
        return set()
    return {entry.candidate_id for entry in shortlist.entries} | {
        near.candidate_id for near in shortlist.near_misses
    }


def entered(before: Shortlist | None, now: Iterable[str]) -> tuple[str, ...]:
    known = {entry.candidate_id for entry in before.entries} if before else set()
    return tuple(candidate_id for candidate_id in now if candidate_id not in known)


def departures(
    before: Shortlist | None, now: Collection[str], why: Mapping[str, str]
) -> tuple[Departure, ...]:
    """Who was listed and is not any more; `why` names the reason of those who were not just outranked."""
    if before is None:
        return ()
    return tuple(
        Departure(candidate_id=entry.candidate_id, why=why.get(entry.candidate_id, "outranked"))
        for entry in before.entries
        if entry.candidate_id not in now
    )


def without(shortlist: Shortlist, erased: Collection[str]) -> dict[str, Any]:
    """The fields that change where erased candidates leave a shortlist that is not ranked any more."""
    entries = tuple(entry for entry in shortlist.entries if entry.candidate_id not in erased)
    return {
        "entries": entries,
        "near_misses": tuple(near for near in shortlist.near_misses if near.candidate_id not in erased),
        "outcome": Outcome.MATCHED if entries else Outcome.NO_MATCH,
        "entered": (),
        "left": departures(
            shortlist, {entry.candidate_id for entry in entries}, dict.fromkeys(erased, "erased")
        ),
    }

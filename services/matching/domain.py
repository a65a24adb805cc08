"""What ranking is about: the need as asked, the candidate as compared, the shortlist as published."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.events.candidate import Candidate, HeldSkill
from shared.events.need import AskedSkill, Criteria, Need
from shared.events.role import Role
from shared.events.shortlist import Departure, Outcome, Shortlist
from shared.taxonomy import RoleNames, Taxonomy

LISTED = 10
NEAR_MISSES = 5


@dataclass(frozen=True)
class Knowledge:
    """The catalogue as ranking reads it, at one version."""

    taxonomy: Taxonomy
    roles: Mapping[str, Role]
    role_names: RoleNames
    version: str

    def role_of(self, criteria: Criteria) -> Role | None:
        """The asked role: by its id, else by the need's title where that names one."""
        role_id = criteria.role_id or self.role_names.resolve(criteria.title)
        return self.roles.get(role_id) if role_id else None


def criteria_of(need: Need) -> Criteria:
    """What a ranking may read of a need."""
    return Criteria(**{name: getattr(need, name) for name in Criteria.model_fields})


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
    """A skill of a candidate as it is compared.

    `level` in hundredths; `salience` 40 to 100: how much of the profile it is, by mentions and years.
    """

    level: int
    estimated: bool
    salience: int
    held: HeldSkill


@dataclass(frozen=True, slots=True)
class Profile:
    """A candidate as compared. `months` by role; `salience` is the sum over the skills."""

    candidate: Candidate
    skills: dict[str, Shown]
    salience: int
    months: dict[str, int]

    @property
    def candidate_id(self) -> str:
        return self.candidate.candidate_id


def profile_of(candidate: Candidate, year: int) -> Profile:
    """`year` is that of the model's as-of day, on which recency is judged."""
    skills: dict[str, Shown] = {}
    for held in sorted(candidate.skills, key=_strength):
        skills[held.skill] = _shown(held, year)
    months: dict[str, int] = {}
    for role in candidate.roles:
        months[role.role] = months.get(role.role, 0) + role.months
    return Profile(candidate, skills, sum(shown.salience for shown in skills.values()), months)


def _strength(held: HeldSkill) -> tuple[Any, ...]:
    """Orders two mentions of one skill: the stronger comes last and is kept."""
    return (
        held.skill,
        held.level or 0,
        not held.estimated,
        held.years or 0,
        held.mentions,
        held.last_used or 0,
    )


def _shown(held: HeldSkill, year: int) -> Shown:
    salience = 40 + 6 * min(held.mentions, 5) + 6 * min(int(held.years or 0), 5)
    if held.level is None:
        return Shown(estimated_level(held, year), True, salience, held)
    return Shown(held.level * 100, held.estimated, salience, held)


def estimated_level(held: HeldSkill, year: int) -> int:
    """A level in hundredths where nobody stated one.

    At least 2.00; one year makes 1.60 and each further one 0.60; one mention 2.00 and each further one 0.25;
    the higher of both counts, to 4.50. From the fourth year of disuse on 0.20 is lost a year, 1.00 at most.
    """
    by_years = 100 + int(60 * held.years) if held.years is not None else 0
    level = min(450, max(200, by_years, 175 + 25 * held.mentions))
    if held.last_used is not None:
        level -= min(100, 20 * max(0, year - held.last_used - 3))
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

"""How well a candidate fits a need, as arithmetic. Pure, and whole numbers throughout.

A need is compiled once into a `Plan`; `assess` then scores a candidate against it. The score, 0 to 100, is
the sum over the criteria that the need asks about of

    points = 100 x weight x value          weight: share of the need's weights, they add up to 1
                                           value: 0 to 1, how well this criterion is met

Criteria (their weights before scaling stand in `weights.py`):

`must_skills`, `nice_skills`  The skills asked; `named_skills`: those that the need's title and description
    name and nobody asked for, at level 3. One skill earns min(level, asked) / asked, so that levels
    above the asked one change nothing; a level that nobody stated is estimated (`domain.estimated_level`) and
    counts 95 %. (Asked at 2, a skill held at 5 also shows what it implies, or stands in for, at 2 only.) The
    candidate's own skill, one that implies it (in full) or a related one (times the
    taxonomy's credit, capped at 0.9) counts, whichever earns most. Skills weigh among themselves by rarity
    (1 to 2, from the published model), a must three times a nice-to-have, a named one half of one, four times
    that where the title names it.
`role_experience`  sqrt(months / 60), at most 1: months in the asked role, in adjacent ones by closeness. A
    role counts less from the third year after it ended on (`weights.ROLE_RECENCY`).
`role_fit`  40 % the share of the profile that belongs to the asked job, 60 % the titles held. The
    share is the sum over the skills held of salience x relevance, over the sum of salience. Salience grows
    with mentions and years (as their logarithm), not with levels. Relevance is 1 for a skill that is asked or
    named or shows one, the credit for a related one, 0.7 for others on the role's sheet, half the closeness
    for those on an adjacent role's sheet. Titles are worth 1 for the asked role and for the one that the
    need's own title names, its closeness for an adjacent one, 0.25 in the same family, and fade as
    experience does: the mean of the closest title held and of all by their months (alike, where no month is
    known).
    Without a known role it is the share alone.
`role_skills`  The role's own usual skills that the client did not name: full where half of them are shown.
    It weighs less the more skills the client asked or named, and nothing from five on.
`seniority`, `location`, `remote`, `start_by`, `contracts`, `budget`, `languages`, `min_years`,
`min_education`  As `constraints.py` judges: fits 1, unknown 0.5, a known misfit at most 0.4.

A criterion that is not asked about is left out of the weights. Gaining an asked skill can only raise each of
these, since it adds as much above as below the line of the profile's share.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isqrt
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from services.matching.constraints import Fit, Judge, hard_constraints, judges
from services.matching.domain import InText, Knowledge, Profile, Shown, Tenure, asked_skills
from services.matching.weights import (
    ENGINE,
    ESTIMATED_PERCENT,
    FAMILY_AFFINITY,
    FIT_SHARE,
    FULL_EXPERIENCE_MONTHS,
    MAX_CLOSENESS,
    NAMED_COUNTS,
    NAMED_LEVEL,
    NEIGHBOUR_RELEVANCE,
    PPM,
    RELATED_CAP,
    SHEET_FULL,
    SHEET_RELEVANCE,
    SHEET_SKILLS_UP_TO,
    THIN_PROFILE,
    TITLE_COUNTS,
    TOP_LEVEL,
    UNKNOWN_EXPERIENCE,
    Weights,
    apportion,
    version_of,
)
from shared.events.model import RankingModel
from shared.events.need import AskedSkill, Criteria
from shared.events.role import Role
from shared.events.vocabulary import Must

EXPERIENCE = tuple(
    isqrt(months * PPM * PPM // FULL_EXPERIENCE_MONTHS) for months in range(FULL_EXPERIENCE_MONTHS + 1)
)
"""Value by months."""
SKILL_CRITERIA = ("must_skills", "nice_skills", "named_skills")
MOST_SAID = 5000
"""Verdicts, sentences, parts and questions that a plan remembers."""
NOTHING_SAID = InText()
NO_OVERRIDE: Mapping[str, float] = MappingProxyType({})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """A skill that was asked, or only named. `level` in hundredths, `rarity` in thousandths.

    `criterion` is the group that it counts in, `weighs` what it weighs there (`rarity`, times `TITLE_COUNTS`
    for a named one that the title names), `share` its part of that in PPM.
    """

    skill: str
    level: int
    must: bool
    criterion: str
    rarity: int
    weighs: int
    share: int
    credits: dict[str, int]
    """Held skill -> what it earns of this one, in PPM; PPM itself where it shows it."""


@dataclass(frozen=True, slots=True)
class Touch:
    """What holding one skill does for a plan. `sheet`: bits of the sheet's further skills that it shows.

    `cap`: the level, in hundredths, above which it earns nothing more: that at which it is itself asked.
    """

    relevance: int
    cap: int
    credits: tuple[tuple[int, int], ...]
    sheet: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A need compiled for one catalogue and one model. `weights` in PPM, in the order of the points.

    `affinity` and `experience`: what a title of a role, and a month in it, are worth of the asked one (PPM).
    """

    criteria: Criteria
    text: InText
    role: Role | None
    asked: tuple[Asked, ...]
    touches: dict[str, Touch]
    sheet: tuple[str, ...]
    affinity: dict[str, int]
    experience: dict[str, int]
    family: frozenset[str]
    judges: dict[str, Judge]
    hard: tuple[tuple[Must, Judge], ...]
    weights: dict[str, int]
    knowledge: Knowledge
    model: RankingModel
    must_bits: int
    all_musts: bool
    places: dict[str, tuple[int, ...]]
    """Criterion of skills -> which of the asked ones count in it."""
    weights_version: str = ""
    margin_percent: float = 0.0
    engine: str = ENGINE
    said: dict[tuple[object, ...], Any] = field(default_factory=dict, compare=False, repr=False)
    """Verdicts, questions and sentences made so far: many candidates are told the same."""

    def keep(self, key: tuple[Hashable, ...], made: T) -> T:
        # A need that is ranked for weeks meets many candidates: what was said is forgotten before it is much.
        if len(self.said) >= MOST_SAID:
            self.said.clear()
        self.said[key] = made
        return made


class Shows(NamedTuple):
    """What the skills held do for a plan.

    `credits` of each asked skill in PPM; `shown` has a bit for each asked skill shown in full; `by`: for each
    asked skill the held one that earns most of it, itself before others, then by credit and id. `relevant` of
    the profile's `salience`, in thousandths, and `belonging` of the `held` skills belong to the job.
    `on_sheet`: a bit for each of the plan's `sheet` that is shown.
    """

    credits: tuple[int, ...]
    shown: int
    by: tuple[tuple[str, Shown] | None, ...]
    relevant: int
    salience: int
    belonging: int
    held: int
    on_sheet: int


class Titles(NamedTuple):
    """What the roles held are to a plan; `known` are their months.

    `months` in the asked role and in adjacent ones by closeness; `near`: those roles as held, in the order of
    ids. `affinity`: what the titles are worth together (PPM); `closest`: the one that is worth most, then the
    longest held, then the first; `closeness`: what it is worth.
    """

    known: int
    months: int
    near: tuple[tuple[str, Tenure], ...]
    affinity: int
    closest: str | None
    closeness: int


class Assessment(NamedTuple):
    """`values` in PPM and `units` in ten-thousandths of a point, in the order of the plan's weights.

    `missed` are the hard constraints missed, `skills` apart; `lacking` counts must skills where `skills` is a
    must. `share` is the part of the profile that belongs to the job, in PPM.
    """

    units: tuple[int, ...]
    values: tuple[int, ...]
    score: int
    skills: Shows
    titles: Titles
    share: int
    missed: tuple[Must, ...]
    lacking: int
    belongs: bool
    """Shows an asked skill, or held a title of the asked role's family."""

    @property
    def credits(self) -> tuple[int, ...]:
        return self.skills.credits

    @property
    def shown(self) -> int:
        return self.skills.shown

    @property
    def misses(self) -> int:
        return len(self.missed) + self.lacking


def plan_of(
    criteria: Criteria,
    knowledge: Knowledge,
    model: RankingModel,
    text: InText = NOTHING_SAID,
    need_id: str = "",
    override: Mapping[str, float] = NO_OVERRIDE,
) -> Plan:
    """Compile a need; `text` is what its title and description say.

    Weights are the model's; what it has for the role's family, the role or the need goes before, and
    `override` before that. Raises nothing: what the catalogue does not know just earns less.
    """
    role = knowledge.role_of(criteria)
    weighing = dict(model.weights)
    for whom in (*((role.family, role.role_id) if role else ()), need_id):
        weighing |= model.overrides.get(whom, {})
    weights = Weights.of(weighing | dict(override))
    asked = _asked(criteria, text, knowledge, model)
    sheet = _sheet_extras(role, asked)
    asked_about = judges(criteria, weights)
    adjacent = {related.role for related in role.related} | {role.role_id} if role else set()
    affinity = _affinity(role, knowledge)
    if role is not None and text.role is not None:
        # The client's own title may name another role than the one chosen: who held that is meant too.
        affinity[text.role] = PPM
    return Plan(
        criteria=criteria,
        text=text,
        role=role,
        asked=asked,
        touches=_touches(asked, sheet, role, knowledge),
        sheet=sheet,
        affinity=affinity,
        experience={role_id: worth for role_id, worth in affinity.items() if role_id in adjacent},
        family=knowledge.families[role.family] if role else frozenset(),
        judges=asked_about,
        hard=hard_constraints(criteria, asked_about),
        weights=_weights(weights, asked, role, sheet, asked_about),
        knowledge=knowledge,
        model=model,
        must_bits=sum(1 << at for at, skill in enumerate(asked) if skill.must),
        all_musts=Must.SKILLS in criteria.musts,
        places={
            criterion: tuple(at for at, skill in enumerate(asked) if skill.criterion == criterion)
            for criterion in SKILL_CRITERIA
        },
        weights_version=version_of(weights),
        margin_percent=weights.margin_percent,
    )


def assess(plan: Plan, profile: Profile) -> Assessment:
    """Score one candidate."""
    skills, titles = shows(plan, profile), titles_of(plan, profile)
    share = profile_share(skills)
    verdicts = {criterion: judge(profile.facts) for criterion, judge in plan.judges.items()}
    values: list[int] = []
    for criterion in plan.weights:
        if criterion in verdicts:
            value = verdicts[criterion][1]
        elif criterion in SKILL_CRITERIA:
            value = sum([skill_share(plan.asked[at], skills.credits[at]) for at in plan.places[criterion]])
        elif criterion == "role_experience":
            months = min(titles.months, FULL_EXPERIENCE_MONTHS)
            value = EXPERIENCE[months] if titles.known else UNKNOWN_EXPERIENCE
        elif criterion == "role_fit":
            value = fit_of(share, titles.affinity) if plan.role else share
        else:
            value = min(PPM, SHEET_FULL * skills.on_sheet.bit_count() * PPM // len(plan.sheet))
        values.append(value)
    units = units_of(plan, values)
    return Assessment(
        units=units,
        values=tuple(values),
        score=sum(units),
        skills=skills,
        titles=titles,
        share=share,
        missed=tuple([must for must, _ in plan.hard if verdicts[must.value][0] is Fit.MISSES]),
        lacking=lacking(plan, skills.shown),
        belongs=bool(skills.shown) or not plan.family.isdisjoint(profile.roles),
    )


def shows(plan: Plan, profile: Profile) -> Shows:
    best = [(0, False, 0)] * len(plan.asked)
    by: list[tuple[str, Shown] | None] = [None] * len(plan.asked)
    shown = relevant = on_sheet = belonging = 0
    touches = plan.touches
    for skill, held in profile.skills.items():
        touch = touches.get(skill)
        if touch is None:
            continue
        relevant += held.salience * touch.relevance
        belonging += touch.relevance > 0
        on_sheet |= touch.sheet
        level = min(held.level, touch.cap)
        for at, credit in touch.credits:
            asked = plan.asked[at]
            earned = level_credit(level, asked.level, held.estimated) * credit // PPM
            rank = (earned, skill == asked.skill, credit)
            if rank > best[at]:
                best[at], by[at] = rank, (skill, held)
            if credit == PPM:
                shown |= 1 << at
    earned_most = tuple([earned for earned, _, _ in best])
    return Shows(
        earned_most, shown, tuple(by), relevant, profile.salience, belonging, len(profile.skills), on_sheet
    )


def titles_of(plan: Plan, profile: Profile) -> Titles:
    best, closest = (-1, -1), None
    for role in sorted(profile.roles):
        held = profile.roles[role]
        rank = (plan.affinity.get(role, 0) * held.fresh, held.faded)
        if rank > best:
            best, closest = rank, role
    near = [(role, profile.roles[role]) for role in sorted(profile.roles.keys() & plan.experience.keys())]
    # A shared family alone is no experience.
    months = sum([held.faded * plan.experience[role] for role, held in near]) // PPM
    affinity = title_affinity(plan, profile)
    return Titles(profile.known, months, tuple(near), affinity, closest, max(0, best[0]) // 100)


def lacking(plan: Plan, shown: int) -> int:
    """How many must skills are not shown, where that bars a candidate."""
    return (plan.must_bits & ~shown).bit_count() if plan.all_musts else 0


def units_of(plan: Plan, values: Sequence[int]) -> tuple[int, ...]:
    """Ten-thousandths of a point for each criterion, of its value in PPM."""
    return tuple(
        [
            (weight * value + PPM // 2) // PPM
            for weight, value in zip(plan.weights.values(), values, strict=True)
        ]
    )


def level_credit(level: int, asked: int, estimated: bool) -> int:
    """PPM of an asked level; both levels in hundredths."""
    earned = min(level, asked) * PPM // asked
    return earned * ESTIMATED_PERCENT // 100 if estimated else earned


def skill_share(asked: Asked, credit: int) -> int:
    """What one asked skill adds to its criterion's value."""
    return asked.share * credit // PPM


def title_affinity(plan: Plan, profile: Profile) -> int:
    """PPM: the mean of the closest title held and of all titles, both as they fade.

    All count by their months; where nobody knows of any month, each alike.
    """
    if not profile.roles:
        return UNKNOWN_EXPERIENCE
    worth = [(plan.affinity.get(role, 0), held) for role, held in profile.roles.items()]
    best = max([affinity * held.fresh // 100 for affinity, held in worth])
    if profile.known:
        mean = sum([affinity * held.faded for affinity, held in worth]) // profile.known
    else:
        mean = sum([affinity * held.fresh // 100 for affinity, held in worth]) // len(worth)
    return (best + mean) // 2


def fit_of(share: int, affinity: int) -> int:
    """Role fit in PPM, of the profile's share and the titles' affinity."""
    return (FIT_SHARE * share + (1000 - FIT_SHARE) * affinity) // 1000


def profile_share(skills: Shows) -> int:
    """PPM of the profile that belongs to the asked job."""
    return skills.relevant * (PPM // 1000) // (skills.salience + THIN_PROFILE)


def _asked(criteria: Criteria, text: InText, knowledge: Knowledge, model: RankingModel) -> tuple[Asked, ...]:
    """The skills asked, and then those only named; each group in the order of ids."""
    wanted = asked_skills(criteria)
    groups: dict[str, list[AskedSkill]] = {criterion: [] for criterion in SKILL_CRITERIA}
    for one in wanted:
        groups["must_skills" if one.must else "nice_skills"].append(one)
    for skill in sorted(set(text.named) - {one.skill for one in wanted}):
        groups["named_skills"].append(AskedSkill(skill=skill, level=NAMED_LEVEL // 100))
    found: list[Asked] = []
    for criterion, group in groups.items():
        rarities = [round(1000 * model.rarity.get(one.skill, 1.0)) for one in group]
        weighing = [
            rarity * (TITLE_COUNTS if criterion == "named_skills" and one.skill in text.in_title else 1)
            for one, rarity in zip(group, rarities, strict=True)
        ]
        found += (
            Asked(
                skill=one.skill,
                level=one.level * 100,
                must=one.must,
                criterion=criterion,
                rarity=rarity,
                weighs=weighs,
                share=share,
                credits=_credits(one.skill, knowledge),
            )
            for one, rarity, weighs, share in zip(
                group, rarities, weighing, apportion(PPM, weighing), strict=True
            )
        )
    return tuple(sorted(found, key=lambda one: (one.criterion == "named_skills", one.skill)))


def _credits(asked: str, knowledge: Knowledge) -> dict[str, int]:
    found = {
        held: PPM if credit >= 1 else min(RELATED_CAP, round(credit * PPM))
        for held, credit in knowledge.taxonomy.credits(asked).items()
    }
    return found | {asked: PPM}


def _sheet_extras(role: Role | None, asked: tuple[Asked, ...]) -> tuple[str, ...]:
    """The sheet's skills that earn something of their own: those that no asked skill gives credit for."""
    if role is None:
        return ()
    credited = {held for skill in asked for held in skill.credits}
    return tuple(sorted({skill.skill for skill in role.skills} - credited))


def _touches(
    asked: tuple[Asked, ...], sheet: tuple[str, ...], role: Role | None, knowledge: Knowledge
) -> dict[str, Touch]:
    relevance: dict[str, int] = {}
    credits_: dict[str, list[tuple[int, int]]] = {}
    bits: dict[str, int] = {}

    def relevant(skill: str, worth: int) -> None:
        relevance[skill] = max(relevance.get(skill, 0), worth)

    for at, skill in enumerate(asked):
        for held, credit in skill.credits.items():
            credits_.setdefault(held, []).append((at, credit))
            relevant(held, credit // 1000)
    for at, extra in enumerate(sheet):
        for held, earned in knowledge.taxonomy.credits(extra).items():
            if earned >= 1:
                bits[held] = bits.get(held, 0) | 1 << at
    if role is not None:
        for on_sheet in role.skills:
            # With no skill asked, the sheet is all there is to belong to.
            relevant(on_sheet.skill, SHEET_RELEVANCE if asked else 1000)
        for related in role.related:
            neighbour = knowledge.roles.get(related.role)
            for on_sheet in neighbour.skills if neighbour else ():
                relevant(on_sheet.skill, round(related.closeness * NEIGHBOUR_RELEVANCE))
    caps = {skill.skill: skill.level for skill in asked}
    return {
        skill: Touch(
            relevance.get(skill, 0),
            caps.get(skill, TOP_LEVEL),
            tuple(credits_.get(skill, ())),
            bits.get(skill, 0),
        )
        for skill in sorted(relevance.keys() | bits.keys())
    }


def _affinity(role: Role | None, knowledge: Knowledge) -> dict[str, int]:
    """PPM of the asked role that a title of each role is worth."""
    if role is None:
        return {}
    family = dict.fromkeys(sorted(knowledge.families[role.family]), FAMILY_AFFINITY)
    adjacent = {related.role: min(MAX_CLOSENESS, round(related.closeness * PPM)) for related in role.related}
    return family | adjacent | {role.role_id: PPM}


def _weights(
    weights: Weights,
    asked: tuple[Asked, ...],
    role: Role | None,
    sheet: tuple[str, ...],
    asked_about: Mapping[str, Judge],
) -> dict[str, int]:
    """PPM of each criterion asked about, adding up to PPM."""
    factors = dict(zip(SKILL_CRITERIA, (weights.must_factor, 1.0, weights.named_factor), strict=True))
    shares = {
        criterion: factor * sum(skill.weighs for skill in asked if skill.criterion == criterion)
        for criterion, factor in factors.items()
    }
    really_asked = shares["must_skills"] + shares["nice_skills"]
    if really_asked:
        shares["named_skills"] = min(shares["named_skills"], weights.named_most * really_asked)
    whole = sum(shares.values())
    base = {criterion: weights.skills * share / whole for criterion, share in shares.items() if share}
    if role is not None:
        base["role_experience"] = weights.role_experience
    if role is not None or asked:
        base["role_fit"] = weights.role_fit
    told = sum(NAMED_COUNTS if skill.criterion == "named_skills" else 1 for skill in asked)
    if sheet and told < SHEET_SKILLS_UP_TO:
        base["role_skills"] = weights.role_skills * (SHEET_SKILLS_UP_TO - told)
    constraint_weights = weights.as_mapping()
    base |= {name: constraint_weights[name] for name in asked_about}
    scaled = apportion(PPM, [round(weight * PPM) for weight in base.values()])
    return {name: weight for name, weight in zip(base, scaled, strict=True) if weight}

"""What to ask about a candidate: skills that are not shown, or shown lower or long ago, and unknown facts."""

from collections.abc import Iterable

from services.matching import words
from services.matching.bare import maker_of
from services.matching.constraints import NOBODY_KNOWS, Fit, language_verdict
from services.matching.domain import Shown
from services.matching.scoring import Asked, Assessment, Plan
from shared.events.candidate import Candidate
from shared.events.shortlist import Gap
from shared.events.vocabulary import Language, LocalizedText

_gap = maker_of(Gap)
DATED_YEARS = 4
"""A skill last used more years ago than this is asked about."""


def gaps(plan: Plan, assessment: Assessment, unknown: Iterable[Gap]) -> tuple[Gap, ...]:
    """Musts first, then what else was asked, then what nobody knows, the constraints as given in `unknown`;
    skills that a text only names are not asked about."""
    by, shown = assessment.skills.by, assessment.skills.shown
    found = []
    for at, asked, missing in _asked(plan):
        held = by[at]
        if held is None:
            found.append(missing)
        elif gap := _skill_gap(plan, asked, shown >> at & 1, *held):
            found.append(gap)
    if plan.role is not None and not assessment.titles.known:
        found.append(_unknown(plan, "role_experience", ""))
    return (*found, *unknown)


def _asked(plan: Plan) -> list[tuple[int, Asked, Gap]]:
    """In the order in which to ask about them: place in the plan, skill, and the gap where it is missing."""
    known: list[tuple[int, Asked, Gap]] | None = plan.said.get(("asked",))
    if known is None:
        places = plan.places["must_skills"] + plan.places["nice_skills"]
        asked = [(at, plan.asked[at]) for at in places]
        known = plan.keep(
            ("asked",), [(at, one, _made(plan, one, ("missing", one.skill))) for at, one in asked]
        )
    return known


def label(plan: Plan, skill: str) -> LocalizedText:
    known = plan.knowledge.taxonomy.skills.get(skill)
    return known.label if known else words.both(skill, skill)


def whole_level(level: int) -> int:
    """Hundredths as the levels that people use."""
    return (level + 50) // 100


def _skill_gap(plan: Plan, asked: Asked, shown: int, via: str, held: Shown) -> Gap | None:
    """`via`: what earns most of the asked skill; `shown`: whether anything shows it."""
    if not shown:
        key: tuple[object, ...] = ("related", asked.skill, via, held.mentions > 0)
    elif whole_level(held.level) < asked.level // 100:
        key = ("level", asked.skill, whole_level(held.level), held.estimated)
    elif held.last_used is not None and plan.model.as_of.year - held.last_used > DATED_YEARS:
        key = ("dated", asked.skill, held.last_used)
    else:
        return None
    known: Gap | None = plan.said.get(key)
    return plan.keep(key, _made(plan, asked, key)) if known is None else known


def _made(plan: Plan, asked: Asked, key: tuple[object, ...]) -> Gap:
    question = _question(plan, asked, key)
    return _gap({"kind": key[0], "criterion": asked.criterion, "skill": asked.skill, "question": question})


def _question(plan: Plan, asked: Asked, key: tuple[object, ...]) -> LocalizedText:
    name, wanted = label(plan, asked.skill), asked.level // 100
    known = plan.knowledge.taxonomy.skills.get(asked.skill)
    category = known.category if known else ""
    if key[0] == "missing":
        return words.missing_skill(name, wanted, category)
    if key[0] == "related":
        return words.related_skill(name, wanted, label(plan, str(key[2])), category, read=bool(key[3]))
    if key[0] == "level":
        return words.lower_level(name, wanted, int(str(key[2])), estimated=bool(key[3]))
    return words.dated_skill(name, int(str(key[2])))


def unknowns(plan: Plan, criterion: str, candidate: Candidate) -> tuple[Gap, ...]:
    """Questions on what nobody knows of a candidate for a constraint."""
    if criterion == "languages":
        return tuple(
            [
                _unknown(plan, criterion, language.language, language.level)
                for language in _languages(plan)
                if language_verdict(language, candidate) == NOBODY_KNOWS
            ]
        )
    if plan.judges[criterion](candidate)[0] is Fit.UNKNOWN:
        return (_unknown(plan, criterion, ""),)
    return ()


def _languages(plan: Plan) -> list[Language]:
    key = ("languages",)
    known: list[Language] | None = plan.said.get(key)
    if known is None:
        asked = sorted(set(plan.criteria.languages), key=lambda asked: asked.language)
        known = plan.keep(key, asked)
    return known


def _unknown(plan: Plan, criterion: str, language: str, level: str | None = None) -> Gap:
    key = ("unknown", criterion, language, level)
    gap = plan.said.get(key)
    if gap is None:
        if criterion == "role_experience" and plan.role is not None:
            question = words.role_unknown(plan.role.title)
        elif language:
            question = words.unknown_language(language, level)
        else:
            question = words.unknown(criterion, plan.criteria)
        gap = plan.keep(key, Gap(kind="unknown", criterion=criterion, question=question))
    return gap

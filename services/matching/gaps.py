"""What to ask about a candidate: skills that are not shown, or shown lower or long ago, and unknown facts."""

from services.matching import words
from services.matching.bare import maker_of
from services.matching.constraints import NOBODY_KNOWS, Fit, language_verdict
from services.matching.domain import Profile
from services.matching.scoring import Asked, Assessment, Plan
from shared.events.shortlist import Gap
from shared.events.vocabulary import LocalizedText

_gap = maker_of(Gap)
DATED_YEARS = 4
"""A skill last used more years ago than this is asked about."""


def gaps(plan: Plan, profile: Profile, assessment: Assessment, shown_by: list[str | None]) -> tuple[Gap, ...]:
    """`shown_by`: the held skill that earns most of each of the plan's skills. Musts first, then what else
    was asked, then what nobody knows; skills that a text only names are not asked about."""
    asked = [(at, one) for at, one in enumerate(plan.asked) if one.criterion != "named_skills"]
    asked.sort(key=lambda pair: not pair[1].must)
    found = [
        _skill_gap(plan, one, profile, bool(assessment.shown >> at & 1), shown_by[at]) for at, one in asked
    ]
    return (*(gap for gap in found if gap is not None), *_unknowns(plan, profile))


def label(plan: Plan, skill: str) -> LocalizedText:
    known = plan.knowledge.taxonomy.skills.get(skill)
    return known.label if known else words.both(skill, skill)


def whole_level(level: int) -> int:
    """Hundredths as the levels that people use."""
    return (level + 50) // 100


def _skill_gap(plan: Plan, asked: Asked, profile: Profile, shown: bool, via: str | None) -> Gap | None:
    held = profile.skills[via] if via is not None else None
    if held is None or via is None:
        key: tuple[object, ...] = ("missing", asked.skill)
    elif not shown:
        key = ("related", asked.skill, via, held.mentions > 0)
    elif whole_level(held.level) < asked.level // 100:
        key = ("level", asked.skill, whole_level(held.level), held.estimated)
    elif held.last_used is not None and plan.model.as_of.year - held.last_used > DATED_YEARS:
        key = ("dated", asked.skill, held.last_used)
    else:
        return None
    gap = plan.said.get(key)
    if gap is None:
        question = _question(plan, asked, key)
        gap = plan.said[key] = _gap(
            {"kind": key[0], "criterion": asked.criterion, "skill": asked.skill, "question": question}
        )
    return gap


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


def _unknowns(plan: Plan, profile: Profile) -> list[Gap]:
    """Questions on what nobody knows of a candidate."""
    found: list[Gap] = []
    candidate, criteria = profile.facts, plan.criteria
    if plan.role is not None and not profile.known:
        found.append(_unknown(plan, "role_experience", ""))
    for criterion, judge in plan.judges.items():
        if criterion == "languages":
            found += [
                _unknown(plan, criterion, language.language, language.level)
                for language in sorted(set(criteria.languages), key=lambda asked: asked.language)
                if language_verdict(language, candidate) == NOBODY_KNOWS
            ]
        elif judge(candidate)[0] is Fit.UNKNOWN:
            found.append(_unknown(plan, criterion, ""))
    return found


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
        gap = plan.said[key] = Gap(kind="unknown", criterion=criterion, question=question)
    return gap

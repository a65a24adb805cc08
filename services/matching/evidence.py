"""What each part of a score rests on: evidence, whose shares add up to the part's value, and a sentence.

A need is told to many candidates, so that all that it decides is prepared once: for each criterion a teller,
which says of an assessment, and of the value that it found, what the part is made of.
"""

from collections.abc import Callable
from typing import Any

from services.matching import telling
from services.matching.bare import maker_of
from services.matching.gaps import label, whole_level
from services.matching.scoring import SKILL_CRITERIA, Assessment, Plan, fit_of, skill_share
from services.matching.weights import PPM, apportion
from shared.events.role import Role
from shared.events.shortlist import Evidence
from shared.events.vocabulary import LocalizedText

Explained = tuple[tuple[Evidence, ...], LocalizedText | None]
"""A part's evidence, and the part in a sentence where it needs one."""
Teller = Callable[[Assessment, int], Explained]

PERCENT = PPM // 100
_NOTHING = Evidence()
UNSET: dict[str, Any] = {name: getattr(_NOTHING, name) for name in Evidence.model_fields}
evidence_of = maker_of(Evidence)
"""Of all its fields: those that are not set are as in `UNSET`."""


def _made(**known: object) -> Evidence:
    return evidence_of({**UNSET, **known})


def teller(criterion: str, plan: Plan) -> Teller:
    """Of a criterion that is about skills or roles."""
    if criterion in SKILL_CRITERIA:
        return _skills(criterion, plan)
    if criterion == "role_fit":
        return _profile(plan) if plan.role is None else _role_fit(plan, plan.role)
    assert plan.role is not None  # noqa: S101 - neither weighs anything without one
    return _experience(plan, plan.role) if criterion == "role_experience" else _sheet(plan, plan.role)


def _skills(criterion: str, plan: Plan) -> Teller:
    known = {
        at: {
            **UNSET,
            "skill": plan.asked[at].skill,
            "asked": str(plan.asked[at].level // 100),
            "rarity": plan.asked[at].rarity / 1000,
            "share": 0.0,
        }
        for at in plan.places[criterion]
    }
    asked = [(at, plan.asked[at], fields, evidence_of(fields.copy())) for at, fields in known.items()]
    counted = sum(1 << at for at in known)

    def tell(assessment: Assessment, _value: int) -> Explained:
        skills = assessment.skills
        evidence = []
        for at, one, fields, not_shown in asked:
            held = skills.by[at]
            if held is None:
                evidence.append(not_shown)
                continue
            via, shown = held
            told = fields.copy()
            told["level"] = whole_level(shown.level)
            told["estimated"] = shown.estimated
            told["years"] = shown.years
            told["last_used"] = shown.last_used
            told["mentions"] = shown.mentions or None
            told["share"] = skill_share(one, skills.credits[at]) / PPM
            if via != one.skill:
                told["via"] = via
                told["credit"] = one.credits[via] / PPM
            evidence.append(evidence_of(told))
        bits = skills.shown & counted
        key = ("told", criterion, bits)
        sentence: LocalizedText | None = plan.said.get(key)
        return tuple(evidence), sentence or plan.keep(key, _skills_told(criterion, plan, bits))

    return tell


def _skills_told(criterion: str, plan: Plan, bits: int) -> LocalizedText:
    places = plan.places[criterion]
    shown = [plan.asked[at] for at in places if bits >> at & 1]
    rare = [label(plan, asked.skill) for asked in shown if asked.rarity >= telling.RARE]
    if criterion == "named_skills":
        return telling.named_told(len(shown), len(places), rare)
    return telling.skills_told(len(shown), len(places), rare, must=criterion == "must_skills")


def _experience(plan: Plan, role: Role) -> Teller:
    credit = {one: worth / PPM for one, worth in plan.experience.items()}

    def tell(assessment: Assessment, value: int) -> Explained:
        titles = assessment.titles
        if not titles.known:
            return (_made(share=value / PPM),), None
        # One alone has all of it: nothing, where there are no months in it.
        shares = [value]
        if len(titles.near) > 1:
            shares = apportion(value, [held.faded * plan.experience[one] for one, held in titles.near])
        evidence = []
        for (one, held), share in zip(titles.near, shares, strict=False):
            told = UNSET.copy()
            told["role"] = one
            told["months"] = held.months
            told["last_used"] = held.left
            told["via"] = one if one != role.role_id else None
            told["credit"] = credit[one]
            told["share"] = share / PPM
            evidence.append(evidence_of(told))
        key = ("months", titles.months)
        sentence: LocalizedText | None = plan.said.get(key)
        if sentence is None:
            sentence = plan.keep(key, telling.experience_told(titles.months, role.title))
        return tuple(evidence), sentence

    return tell


def _profile(plan: Plan) -> Teller:
    """Role fit where no role is known: the share of the profile alone."""

    def tell(assessment: Assessment, value: int) -> Explained:
        skills, whole = assessment.skills, value // PERCENT
        evidence = _made(asked="profile", found=f"{skills.belonging}/{skills.held}", share=value / PPM)
        key = ("fit", whole)
        sentence: LocalizedText | None = plan.said.get(key)
        return (evidence,), sentence or plan.keep(key, telling.fit_told(whole, None, 0, None))

    return tell


def _role_fit(plan: Plan, role: Role) -> Teller:
    of_titles, of_skills = {**UNSET, "asked": role.role_id}, {**UNSET, "asked": "profile"}

    def tell(assessment: Assessment, value: int) -> Explained:
        skills, titles, share = assessment.skills, assessment.titles, assessment.share
        by_profile = fit_of(share, 0)
        held = of_titles.copy()
        held["role"] = titles.closest
        held["credit"] = titles.affinity / PPM
        held["share"] = (value - by_profile) / PPM
        profile = of_skills.copy()
        profile["found"] = f"{skills.belonging}/{skills.held}"
        profile["credit"] = share / PPM
        profile["share"] = by_profile / PPM
        key = ("fit", share // PERCENT, titles.closest, titles.closeness // PERCENT)
        sentence: LocalizedText | None = plan.said.get(key)
        if sentence is None:
            known = plan.knowledge.roles.get(titles.closest or "")
            sentence = telling.fit_told(key[1], known.title if known else None, key[3], role.title)
            plan.keep(key, sentence)
        return (evidence_of(held), evidence_of(profile)), sentence

    return tell


def _sheet(plan: Plan, role: Role) -> Teller:
    def tell(assessment: Assessment, value: int) -> Explained:
        bits = assessment.skills.on_sheet
        key = ("sheet", bits)
        known: Explained | None = plan.said.get(key)
        if known is None:
            shown = [skill for at, skill in enumerate(plan.sheet) if bits >> at & 1]
            shares = apportion(value, [1] * len(shown))
            evidence = [
                _made(skill=skill, share=share / PPM) for skill, share in zip(shown, shares, strict=True)
            ]
            sentence = telling.sheet_told(len(shown), len(plan.sheet), role.title)
            known = plan.keep(key, (tuple(evidence), sentence))
        return known

    return tell

"""Why a candidate stands where they stand: the arithmetic of `scoring.py`, with what each figure rests on.

Nothing is weighed here: values and points are taken from the assessment, and the evidence's shares add up to
each part's value. Events are made without validating them again: an answer explains many candidates, and what
stands in them is computed here from validated ones.
"""

from collections.abc import Callable

from services.matching import telling, words
from services.matching.bare import maker_of
from services.matching.constraints import country_of, known_years, seniority_of
from services.matching.domain import Profile
from services.matching.gaps import gaps, label, whole_level
from services.matching.scoring import (
    SKILL_CRITERIA,
    Asked,
    Assessment,
    Plan,
    experience_months,
    fit_of,
    level_credit,
    profile_share,
    skill_share,
    title_affinity,
)
from services.matching.weights import PPM, UNITS_PER_POINT, apportion
from shared.events.candidate import Candidate
from shared.events.shortlist import Entry, Evidence, NearMiss, Part, ToEnter
from shared.events.vocabulary import LocalizedText, Must

PERCENT = PPM // 100
MOST_SAID = 5000
"""Sentences, parts and questions that a plan remembers."""
_NOTHING = Evidence()
_UNSET = {name: getattr(_NOTHING, name) for name in Evidence.model_fields}
_entry, _evidence, _a_part = maker_of(Entry), maker_of(Evidence), maker_of(Part)


def entry(plan: Plan, profile: Profile, assessment: Assessment, to_enter: ToEnter | None = None) -> Entry:
    """A listed candidate with the parts of the score and the questions to ask."""
    shown_by = _shown_by(plan, profile)
    parts = []
    for criterion, value, units in zip(plan.weights, assessment.values, assessment.units, strict=True):
        if criterion in plan.judges:
            parts.append(_judged(criterion, plan, profile.facts, value, units))
        else:
            evidence, told = _explained(criterion, plan, profile, assessment, value, shown_by)
            parts.append(_part(criterion, plan, value, units, evidence, told))
    return _entry(
        {
            "candidate_id": profile.candidate_id,
            "score": assessment.score / UNITS_PER_POINT,
            "must_coverage": must_coverage(plan, assessment),
            "missing_musts": missing_musts(plan, assessment),
            "parts": tuple(parts),
            "gaps": gaps(plan, profile, assessment, shown_by),
            "to_enter": to_enter,
        },
    )


def near_miss(
    plan: Plan, profile: Profile, assessment: Assessment, to_enter: ToEnter | None = None
) -> NearMiss:
    """Who misses exactly one hard constraint, and how."""
    skill: str | None = None
    if assessment.missed:
        missed = assessment.missed[0]
        reason = words.miss(missed, plan.criteria, held_words(missed.value, profile.facts))
    else:
        missed = Must.SKILLS
        skill = missing_musts(plan, assessment)[0]
        reason = words.lacking_skill(label(plan, skill))
    return NearMiss(
        candidate_id=profile.candidate_id,
        score=assessment.score / UNITS_PER_POINT,
        must_coverage=must_coverage(plan, assessment),
        missed=missed,
        skill=skill,
        reason=reason,
        to_enter=to_enter,
    )


def must_coverage(plan: Plan, assessment: Assessment) -> float:
    """The share of must skills that are shown, at whatever level; 1 where there are none."""
    musts = plan.must_bits.bit_count()
    return round((plan.must_bits & assessment.shown).bit_count() / musts, 4) if musts else 1.0


def missing_musts(plan: Plan, assessment: Assessment) -> tuple[str, ...]:
    return tuple(
        asked.skill for at, asked in enumerate(plan.asked) if asked.must and not assessment.shown >> at & 1
    )


def held_words(criterion: str, candidate: Candidate) -> str:
    """What is known of a candidate for a criterion, in codes and figures; empty where nothing is."""
    return str(_HELD[criterion](candidate))


def _prices(candidate: Candidate) -> str:
    if not candidate.day_rate and not candidate.salary:
        return ""
    return f"{candidate.day_rate or '-'}/{candidate.salary or '-'} {candidate.currency}"


def _spoken(candidate: Candidate) -> str:
    named = {f"{spoken.language} {spoken.level or ''}".strip() for spoken in candidate.languages}
    return ", ".join(sorted(named))


_HELD: dict[str, Callable[[Candidate], str]] = {
    "seniority": lambda candidate: seniority_of(candidate)[0] or "",
    "location": lambda candidate: candidate.region or country_of(candidate) or "",
    "remote": lambda candidate: candidate.remote or "",
    "start_by": lambda candidate: str(candidate.available_from or ""),
    "contracts": lambda candidate: ", ".join(sorted(set(candidate.contracts))),
    "budget": _prices,
    "languages": _spoken,
    "min_years": lambda candidate: (
        f"{known_years(candidate):.3g}" if candidate.years or candidate.roles else ""
    ),
    "min_education": lambda candidate: (
        f"Bac+{candidate.education}" if candidate.education is not None else ""
    ),
}

_Explained = tuple[tuple[Evidence, ...], LocalizedText | None]


def _made(**known: object) -> Evidence:
    return _evidence({**_UNSET, **known})


def _explained(
    criterion: str,
    plan: Plan,
    profile: Profile,
    assessment: Assessment,
    value: int,
    shown_by: list[str | None],
) -> _Explained:
    """A part's evidence, and the part in a sentence where it needs one."""
    if criterion in SKILL_CRITERIA:
        return _skills(criterion, plan, profile, assessment, shown_by)
    if criterion == "role_experience":
        return _experience(plan, profile, value)
    if criterion == "role_fit":
        return _role_fit(plan, profile, assessment, value)
    return _sheet(plan, assessment, value)


def _judged(criterion: str, plan: Plan, candidate: Candidate, value: int, units: int) -> Part:
    """A constraint's part; many candidates have the same."""
    found = held_words(criterion, candidate)
    estimated = criterion == "seniority" and seniority_of(candidate)[1]
    key = ("judged", criterion, found, estimated, value)
    known: Part | None = plan.said.get(key)
    if known is None:
        evidence = _made(
            asked=_memo(plan, ("asked", criterion), lambda: words.asked_plain(criterion, plan.criteria)),
            found=found or None,
            estimated=estimated,
            share=value / PPM,
        )
        known = _part(criterion, plan, value, units, (evidence,), None)
        _keep(plan, key, known)
    return known


def _part(
    criterion: str,
    plan: Plan,
    value: int,
    units: int,
    evidence: tuple[Evidence, ...],
    told: LocalizedText | None,
) -> Part:
    return _a_part(
        {
            "criterion": criterion,
            "weight": plan.weights[criterion] / PPM,
            "value": value / PPM,
            "points": units / UNITS_PER_POINT,
            "evidence": evidence,
            "told": told,
        },
    )


def _memo(plan: Plan, key: tuple[object, ...], make: Callable[[], object]) -> object:
    known = plan.said.get(key)
    return _keep(plan, key, make()) if known is None else known


def _keep(plan: Plan, key: tuple[object, ...], made: object) -> object:
    # A need that is ranked for weeks meets many candidates: what was said is forgotten before it is much.
    if len(plan.said) >= MOST_SAID:
        plan.said.clear()
    plan.said[key] = made
    return made


def _shown_by(plan: Plan, profile: Profile) -> list[str | None]:
    """For each of the plan's skills the held one that earns most; itself before others, then by id."""
    best: list[tuple[int, bool, int]] = [(0, False, 0)] * len(plan.asked)
    found: list[str | None] = [None] * len(plan.asked)
    for skill, held in profile.skills.items():
        touch = plan.touches.get(skill)
        if touch is None or not touch.credits:
            continue
        level = min(held.level, touch.cap)
        for at, credit in touch.credits:
            asked = plan.asked[at]
            earned = level_credit(level, asked.level, held.estimated) * credit // PPM
            rank = (earned, skill == asked.skill, credit)
            if rank > best[at]:
                best[at], found[at] = rank, skill
    return found


def _skills(
    criterion: str, plan: Plan, profile: Profile, assessment: Assessment, shown_by: list[str | None]
) -> _Explained:
    places = plan.places[criterion]
    evidence = tuple(
        [_skill_evidence(plan.asked[at], profile, assessment.credits[at], shown_by[at]) for at in places]
    )
    shown = tuple([at for at in places if assessment.shown >> at & 1])
    key = ("told", criterion, shown)

    def told() -> LocalizedText:
        rare = [label(plan, plan.asked[at].skill) for at in shown if plan.asked[at].rarity >= telling.RARE]
        if criterion == "named_skills":
            return telling.named_told(len(shown), len(places), rare)
        return telling.skills_told(len(shown), len(places), rare, must=criterion == "must_skills")

    return evidence, _memo(plan, key, told)  # type: ignore[return-value]


def _skill_evidence(asked: Asked, profile: Profile, credit: int, via: str | None) -> Evidence:
    known = {
        **_UNSET,
        "skill": asked.skill,
        "asked": str(asked.level // 100),
        "rarity": asked.rarity / 1000,
        "share": skill_share(asked, credit) / PPM,
    }
    if via is not None:
        shown = profile.skills[via]
        known["level"] = whole_level(shown.level)
        known["estimated"] = shown.estimated
        known["years"] = shown.years
        known["last_used"] = shown.last_used
        known["mentions"] = shown.mentions or None
        if via != asked.skill:
            known["via"] = via
            known["credit"] = asked.credits[via] / PPM
    return _evidence(known)


def _experience(plan: Plan, profile: Profile, value: int) -> _Explained:
    if plan.role is None or not profile.known:
        return (_made(share=value / PPM),), None
    role, months = plan.role, experience_months(plan, profile)
    told = _memo(plan, ("months", months), lambda: telling.experience_told(months, role.title))
    held = sorted(profile.months.keys() & plan.experience.keys())
    shares = apportion(value, [profile.months[one] * plan.experience[one] for one in held])
    evidence = [
        _made(
            role=one,
            months=sum([role.months for role in profile.facts.roles if role.role == one]),
            last_used=_last_held(profile, one),
            via=one if one != role.role_id else None,
            credit=plan.experience[one] / PPM,
            share=share / PPM,
        )
        for one, share in zip(held, shares, strict=True)
    ]
    return tuple(evidence), told  # type: ignore[return-value]


def _last_held(profile: Profile, role: str) -> int | None:
    """The year in which the role ended; None while it is held."""
    ends = [one.until for one in profile.facts.roles if one.role == role]
    return None if None in ends else max((int(until[:4]) for until in ends if until), default=None)


def _role_fit(plan: Plan, profile: Profile, assessment: Assessment, value: int) -> _Explained:
    touching = [plan.touches[skill] for skill in profile.skills if skill in plan.touches]
    found = f"{len([touch for touch in touching if touch.relevance])}/{len(profile.skills)}"
    if plan.role is None:
        whole = value // PERCENT
        told = _memo(plan, ("fit", whole), lambda: telling.fit_told(whole, None, 0, None))
        return (_made(asked="profile", found=found, share=value / PPM),), told  # type: ignore[return-value]
    share = profile_share(profile, assessment.relevant)
    by_profile = fit_of(share, 0)
    closest = max(
        sorted(profile.months),
        key=lambda role: (plan.affinity.get(role, 0) * profile.fresh[role], profile.months[role]),
        default=None,
    )
    title = plan.knowledge.roles[closest].title if closest and closest in plan.knowledge.roles else None
    faded = plan.affinity.get(closest or "", 0) * profile.fresh.get(closest or "", 100) // 100
    closeness, percent, role = faded // PERCENT, share // PERCENT, plan.role
    told = _memo(
        plan,
        ("fit", percent, closest, closeness),
        lambda: telling.fit_told(percent, title, closeness, role.title),
    )
    return (
        _made(
            role=closest,
            asked=plan.role.role_id,
            credit=title_affinity(plan, profile) / PPM,
            share=(value - by_profile) / PPM,
        ),
        _made(asked="profile", found=found, credit=share / PPM, share=by_profile / PPM),
    ), told  # type: ignore[return-value]


def _sheet(plan: Plan, assessment: Assessment, value: int) -> _Explained:
    bits = assessment.on_sheet

    def explained() -> _Explained:
        shown = [skill for at, skill in enumerate(plan.sheet) if bits >> at & 1]
        shares = apportion(value, [1] * len(shown))
        evidence = tuple(
            [_made(skill=skill, share=share / PPM) for skill, share in zip(shown, shares, strict=True)]
        )
        role = plan.role
        return evidence, telling.sheet_told(len(shown), len(plan.sheet), role.title) if role else None

    return _memo(plan, ("sheet", bits), explained)  # type: ignore[return-value]

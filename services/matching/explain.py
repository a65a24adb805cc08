"""Why a candidate stands where they stand: the arithmetic of `scoring.py`, with what each figure rests on.

Nothing is weighed here: values and points are taken from the assessment, and the evidence's shares add up to
each part's value.
"""

from collections.abc import Callable

from services.matching import words
from services.matching.constraints import (
    NOBODY_KNOWS,
    Fit,
    country_of,
    known_years,
    language_verdict,
    seniority_of,
)
from services.matching.domain import Profile
from services.matching.scoring import (
    Asked,
    Assessment,
    Plan,
    level_credit,
    profile_share,
    skill_share,
    title_affinity,
)
from services.matching.weights import PPM, UNITS_PER_POINT, apportion
from shared.events.candidate import Candidate
from shared.events.shortlist import Entry, Evidence, Gap, NearMiss, Part
from shared.events.vocabulary import LocalizedText, Must


def entry(plan: Plan, profile: Profile, assessment: Assessment) -> Entry:
    """A listed candidate with the parts of the score and the questions to ask."""
    parts = tuple(
        Part(
            criterion=criterion,
            weight=weight / PPM,
            value=assessment.values[at] / PPM,
            points=assessment.units[at] / UNITS_PER_POINT,
            evidence=_evidence(criterion, plan, profile, assessment, assessment.values[at]),
        )
        for at, (criterion, weight) in enumerate(plan.weights.items())
    )
    return Entry(
        candidate_id=profile.candidate_id,
        score=assessment.score / UNITS_PER_POINT,
        must_coverage=must_coverage(plan, assessment),
        missing_musts=missing_musts(plan, assessment),
        parts=parts,
        gaps=(*_skill_gaps(plan, profile, assessment), *_unknowns(plan, profile)),
    )


def near_miss(plan: Plan, profile: Profile, assessment: Assessment) -> NearMiss:
    """Who misses exactly one hard constraint, and how."""
    skill: str | None = None
    if assessment.missed:
        missed = assessment.missed[0]
        reason = words.miss(missed, plan.criteria, held_words(missed.value, profile.candidate))
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
    )


def must_coverage(plan: Plan, assessment: Assessment) -> float:
    """The share of must skills that are shown, at whatever level; 1 where there are none."""
    musts = plan.must_bits.bit_count()
    return round((plan.must_bits & assessment.shown).bit_count() / musts, 4) if musts else 1.0


def missing_musts(plan: Plan, assessment: Assessment) -> tuple[str, ...]:
    return tuple(
        asked.skill for at, asked in enumerate(plan.asked) if asked.must and not assessment.shown >> at & 1
    )


def label(plan: Plan, skill: str) -> LocalizedText:
    known = plan.knowledge.taxonomy.skills.get(skill)
    return known.label if known else words.both(skill, skill)


def held_words(criterion: str, candidate: Candidate) -> str:
    """What is known of a candidate for a criterion, in codes and figures; empty where nothing is."""
    described: dict[str, Callable[[], str]] = {
        "seniority": lambda: seniority_of(candidate)[0] or "",
        "location": lambda: candidate.region or country_of(candidate) or "",
        "remote": lambda: candidate.remote or "",
        "start_by": lambda: str(candidate.available_from or ""),
        "contracts": lambda: ", ".join(sorted(set(candidate.contracts))),
        "budget": lambda: _prices(candidate),
        "languages": lambda: ", ".join(
            sorted({f"{spoken.language} {spoken.level or ''}".strip() for spoken in candidate.languages})
        ),
        "min_years": lambda: f"{known_years(candidate):.3g}" if candidate.years or candidate.roles else "",
        "min_education": lambda: f"Bac+{candidate.education}" if candidate.education is not None else "",
    }
    return described[criterion]()


def _prices(candidate: Candidate) -> str:
    if not candidate.day_rate and not candidate.salary:
        return ""
    return f"{candidate.day_rate or '-'}/{candidate.salary or '-'} {candidate.currency}"


def _evidence(
    criterion: str, plan: Plan, profile: Profile, assessment: Assessment, value: int
) -> tuple[Evidence, ...]:
    if criterion in {"must_skills", "nice_skills"}:
        return tuple(
            _skill_evidence(plan, asked, profile, assessment.credits[at])
            for at, asked in enumerate(plan.asked)
            if asked.must is (criterion == "must_skills")
        )
    if criterion == "role_experience":
        return _experience(plan, profile, value)
    if criterion == "role_fit":
        return _role_fit(plan, profile, assessment, value)
    if criterion == "role_skills":
        return _sheet_evidence(plan, profile, value)
    found = held_words(criterion, profile.candidate)
    return (
        Evidence(
            asked=words.asked_plain(criterion, plan.criteria),
            found=found or None,
            estimated=criterion == "seniority" and seniority_of(profile.candidate)[1],
            share=value / PPM,
        ),
    )


def _shown_by(plan: Plan, asked: Asked, profile: Profile) -> str | None:
    """The held skill that earns most of an asked one; the skill itself before others, then by id."""
    best: tuple[int, bool, int] = (0, False, 0)
    found: str | None = None
    for skill in sorted(profile.skills.keys() & asked.credits.keys()):
        held = profile.skills[skill]
        credit = asked.credits[skill]
        level = min(held.level, plan.touches[skill].cap)
        earned = level_credit(level, asked.level, held.estimated) * credit // PPM
        rank = (earned, skill == asked.skill, credit)
        if rank > best:
            best, found = rank, skill
    return found


def _skill_evidence(plan: Plan, asked: Asked, profile: Profile, credit: int) -> Evidence:
    share = skill_share(asked, credit) / PPM
    rarity = asked.rarity / 1000
    via = _shown_by(plan, asked, profile)
    if via is None:
        return Evidence(skill=asked.skill, asked=str(asked.level // 100), rarity=rarity, share=share)
    shown = profile.skills[via]
    return Evidence(
        skill=asked.skill,
        asked=str(asked.level // 100),
        level=_whole(shown.level),
        estimated=shown.estimated,
        years=shown.held.years,
        last_used=shown.held.last_used,
        mentions=shown.held.mentions or None,
        via=via if via != asked.skill else None,
        credit=asked.credits[via] / PPM if via != asked.skill else None,
        rarity=rarity,
        share=share,
    )


def _whole(level: int) -> int:
    return (level + 50) // 100


def _experience(plan: Plan, profile: Profile, value: int) -> tuple[Evidence, ...]:
    if plan.role is None or not profile.months:
        return (Evidence(share=value / PPM),)
    held = sorted(profile.months.keys() & plan.experience.keys())
    shares = apportion(value, [profile.months[role] * plan.experience[role] for role in held])
    return tuple(
        Evidence(
            role=role,
            months=profile.months[role],
            via=role if role != plan.role.role_id else None,
            credit=plan.experience[role] / PPM,
            share=share / PPM,
        )
        for role, share in zip(held, shares, strict=True)
    )


def _role_fit(plan: Plan, profile: Profile, assessment: Assessment, value: int) -> tuple[Evidence, ...]:
    on_profile = sum(1 for skill in profile.skills if skill in plan.touches and plan.touches[skill].relevance)
    found = f"{on_profile}/{len(profile.skills)}"
    if plan.role is None:
        return (Evidence(asked="profile", found=found, share=value / PPM),)
    share = profile_share(profile, assessment.relevant)
    affinity = title_affinity(plan, profile)
    title = max(
        sorted(profile.months),
        key=lambda role: (plan.affinity.get(role, 0), profile.months[role]),
        default=None,
    )
    return (
        Evidence(
            role=title, asked=plan.role.role_id, credit=affinity / PPM, share=(value - share // 2) / PPM
        ),
        Evidence(asked="profile", found=found, credit=share / PPM, share=(share // 2) / PPM),
    )


def _sheet_evidence(plan: Plan, profile: Profile, value: int) -> tuple[Evidence, ...]:
    bits = 0
    for skill in profile.skills:
        touch = plan.touches.get(skill)
        bits |= touch.sheet if touch else 0
    shown = [skill for at, skill in enumerate(plan.sheet) if bits >> at & 1]
    shares = apportion(value, [1] * len(shown))
    return tuple(Evidence(skill=skill, share=share / PPM) for skill, share in zip(shown, shares, strict=True))


def _skill_gaps(plan: Plan, profile: Profile, assessment: Assessment) -> list[Gap]:
    """Questions on the skills asked, musts first."""
    gaps: list[tuple[bool, Gap]] = []
    for at, asked in enumerate(plan.asked):
        via = _shown_by(plan, asked, profile)
        wanted, name = asked.level // 100, label(plan, asked.skill)
        if via is None:
            kind, question = "missing", words.missing_skill(name, wanted)
        elif not assessment.shown >> at & 1:
            kind, question = "related", words.related_skill(name, wanted, label(plan, via))
        elif _whole(profile.skills[via].level) < wanted:
            shown = profile.skills[via]
            kind = "level"
            question = words.lower_level(name, wanted, _whole(shown.level), estimated=shown.estimated)
        else:
            continue
        criterion = "must_skills" if asked.must else "nice_skills"
        gaps.append(
            (not asked.must, Gap(kind=kind, criterion=criterion, skill=asked.skill, question=question))
        )
    return [gap for _, gap in sorted(gaps, key=lambda pair: pair[0])]


def _unknowns(plan: Plan, profile: Profile) -> list[Gap]:
    """Questions on what nobody knows of a candidate."""
    gaps: list[Gap] = []
    candidate, criteria = profile.candidate, plan.criteria
    if plan.role is not None and not profile.months:
        gaps.append(_unknown("role_experience", words.role_unknown(plan.role.title)))
    for criterion, judge in plan.judges.items():
        if criterion == "languages":
            gaps += [
                _unknown(criterion, words.unknown_language(language.language, language.level))
                for language in sorted(set(criteria.languages), key=lambda asked: asked.language)
                if language_verdict(language, candidate) == NOBODY_KNOWS
            ]
        elif judge(candidate)[0] is Fit.UNKNOWN:
            gaps.append(_unknown(criterion, words.unknown(criterion, criteria)))
    return gaps


def _unknown(criterion: str, question: LocalizedText) -> Gap:
    return Gap(kind="unknown", criterion=criterion, question=question)

"""Why a candidate stands where they stand: the arithmetic of `scoring.py`, with what each figure rests on.

Nothing is weighed here: values and points are taken from the assessment. Events are made without validating
them again: an answer explains many candidates, and what stands in them is computed here from validated ones.
"""

from typing import Any, NamedTuple

from services.matching import words
from services.matching.bare import maker_of
from services.matching.constraints import seniority_of
from services.matching.domain import Profile
from services.matching.evidence import UNSET, Teller, evidence_of, teller
from services.matching.gaps import gaps, label, unknowns
from services.matching.scoring import Assessment, Plan
from services.matching.weights import PPM, UNITS_PER_POINT
from shared.events.shortlist import Entry, Evidence, Gap, NearMiss, Part, ToEnter
from shared.events.vocabulary import LocalizedText, Must

_entry, _a_part = maker_of(Entry), maker_of(Part)


def entry(plan: Plan, profile: Profile, assessment: Assessment, to_enter: ToEnter | None = None) -> Entry:
    """A listed candidate with the parts of the score and the questions to ask."""
    outline = _outline(plan)
    parts: list[Part] = []
    for (criterion, weight, tell), value, units in zip(
        outline.tellers, assessment.values, assessment.units, strict=False
    ):
        parts.append(_part(criterion, weight, value, units, *tell(assessment, value)))
    unknown: list[Gap] = []
    for constraint in outline.constraints:
        part, gaps_ = _judged(plan, constraint, profile, assessment)
        if part is not None:
            parts.append(part)
        unknown += gaps_
    musts = _musts(plan, assessment)
    return _entry(
        {
            "candidate_id": profile.candidate_id,
            "score": assessment.score / UNITS_PER_POINT,
            "must_coverage": musts.coverage,
            "missing_musts": musts.missing,
            "parts": tuple(parts),
            "gaps": gaps(plan, assessment, unknown),
            "to_enter": to_enter,
        },
    )


class _Constraint(NamedTuple):
    """`at`: its place among the plan's weights; None where it weighs nothing, and is only asked about.

    `fields`: those of its evidence, as far as the need decides them.
    """

    criterion: str
    at: int | None
    weight: float
    fields: dict[str, Any]


class _Outline(NamedTuple):
    """What a plan's explanations are made of, in the order of its weights; there, constraints come last."""

    tellers: tuple[tuple[str, float, Teller], ...]
    constraints: tuple[_Constraint, ...]


def _outline(plan: Plan) -> _Outline:
    known: _Outline | None = plan.said.get(("outline",))
    if known is None:
        places = {criterion: at for at, criterion in enumerate(plan.weights)}
        tellers = [
            (criterion, weight / PPM, teller(criterion, plan))
            for criterion, weight in plan.weights.items()
            if criterion not in plan.judges
        ]
        constraints = [
            _Constraint(
                criterion,
                places.get(criterion),
                plan.weights.get(criterion, 0) / PPM,
                {**UNSET, "asked": words.asked_plain(criterion, plan.criteria)},
            )
            for criterion in plan.judges
        ]
        known = plan.keep(("outline",), _Outline(tuple(tellers), tuple(constraints)))
    return known


def near_miss(
    plan: Plan, profile: Profile, assessment: Assessment, to_enter: ToEnter | None = None
) -> NearMiss:
    """Who misses exactly one hard constraint, and how."""
    skill: str | None = None
    musts = _musts(plan, assessment)
    if assessment.missed:
        missed = assessment.missed[0]
        reason = words.miss(missed, plan.criteria, profile.held(missed.value).words)
    else:
        missed = Must.SKILLS
        skill = musts.missing[0]
        reason = words.lacking_skill(label(plan, skill))
    return NearMiss(
        candidate_id=profile.candidate_id,
        score=assessment.score / UNITS_PER_POINT,
        must_coverage=musts.coverage,
        missed=missed,
        skill=skill,
        reason=reason,
        to_enter=to_enter,
    )


class _Musts(NamedTuple):
    """`coverage`: the share of must skills that are shown, at whatever level; 1 where there are none."""

    coverage: float
    missing: tuple[str, ...]


def _musts(plan: Plan, assessment: Assessment) -> _Musts:
    shown = plan.must_bits & assessment.skills.shown
    key = ("musts", shown)
    known: _Musts | None = plan.said.get(key)
    if known is None:
        number = plan.must_bits.bit_count()
        coverage = round(shown.bit_count() / number, 4) if number else 1.0
        missing = [asked.skill for at, asked in enumerate(plan.asked) if asked.must and not shown >> at & 1]
        known = plan.keep(key, _Musts(coverage, tuple(missing)))
    return known


_Judged = tuple[Part | None, tuple[Gap, ...]]
"""A constraint's part, where it weighs anything, and what nobody knows."""


def _judged(plan: Plan, constraint: _Constraint, profile: Profile, assessment: Assessment) -> _Judged:
    """Many candidates are told the same."""
    kind = profile.kind_in(constraint.criterion)
    if kind is None:
        return _told(plan, constraint, profile, assessment)
    key = ("judged", constraint.criterion, kind)
    known: _Judged | None = plan.said.get(key)
    return plan.keep(key, _told(plan, constraint, profile, assessment)) if known is None else known


def _told(plan: Plan, constraint: _Constraint, profile: Profile, assessment: Assessment) -> _Judged:
    criterion, at, weight, fields = constraint
    held = profile.held(criterion)
    unknown = unknowns(plan, criterion, held.facts)
    if at is None:
        return None, unknown
    value, told = assessment.values[at], fields.copy()
    told["found"] = held.words or None
    told["estimated"] = criterion == "seniority" and seniority_of(held.facts)[1]
    told["share"] = value / PPM
    return _part(criterion, weight, value, assessment.units[at], (evidence_of(told),), None), unknown


def _part(
    criterion: str,
    weight: float,
    value: int,
    units: int,
    evidence: tuple[Evidence, ...],
    told: LocalizedText | None,
) -> Part:
    return _a_part(
        {
            "criterion": criterion,
            "weight": weight,
            "value": value / PPM,
            "points": units / UNITS_PER_POINT,
            "evidence": evidence,
            "told": told,
        },
    )

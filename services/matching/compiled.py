"""A plan as the compiled search takes it: its skills, roles and constraints by the codes of the index.

The arithmetic's numbers come from `scoring.py` and `weights.py`; what is added here are bounds: how much each
term (a skill at about such a level, a role with about so many months) can add to a score at the very most.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from services.matching import kernels, wanted
from services.matching.judging import COLUMNS, Facts
from services.matching.postings import CLASSES, LEVELS, MONTHS
from services.matching.scoring import EXPERIENCE, SKILL_CRITERIA, Asked, Plan, level_credit
from services.matching.sweeping import MOST_STEPS
from services.matching.vocabulary import Vocabulary
from services.matching.weights import (
    FIT_SHARE,
    PPM,
    ROLE_RECENCY,
    THIN_PROFILE,
    TOP_LEVEL,
    UNKNOWN_EXPERIENCE,
)

STEP = 2500
"""Units (a quarter of a point) in which bounds are counted."""
ROUNDING = 2
"""Units that whole-number divisions may lose on the way; added to each bound."""
COARSE = 16
"""What experience, titles and related skills add is bounded in so many levels."""
FIELD_OF = {
    "traits": kernels.TRAITS,
    "place": kernels.PLACE,
    "years": kernels.YEARS,
    "days": kernels.DAYS,
    "prices": kernels.PRICES,
    "tongues": kernels.TONGUES,
}


UNITS_OF = {
    "traits": wanted.TRAITS_UNITS,
    "place": wanted.PLACE_UNITS,
    "years": wanted.YEARS_UNITS,
    "days": wanted.DAYS_UNITS,
    "prices": wanted.PRICES_UNITS,
    "tongues": wanted.TONGUES_UNITS,
}
Tables = dict[int, Any]
_EMPTY = np.zeros(0, np.int64)
OddKeys = tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64], npt.NDArray[np.uint64]]


@dataclass(frozen=True, order=True, slots=True)
class _Group:
    """Runs (first, how many) of terms whose rows may each gain `steps`; `full`: they show the skill."""

    steps: int
    full: bool
    skills: bool
    runs: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A plan for the kernels: see `wanted.py`; by code, who misses each hard constraint; the payloads."""

    plan: npt.NDArray[np.int64]
    misses: npt.NDArray[np.uint8]
    payload: npt.NDArray[np.int32]


def compiled(plan: Plan, vocabulary: Vocabulary, facts: Facts, odd: OddKeys, *, everybody: bool) -> Wanted:
    """Made after the view that it is used on was taken, so that every code in that is known here."""
    units = _units(plan, facts)
    hard, misses = _hard(plan, facts)
    weights = plan.weights
    fit, experience, sheet = (weights.get(name, 0) for name in ("role_fit", "role_experience", "role_skills"))
    by_share = fit * FIT_SHARE // 1000 + ROUNDING if plan.role else fit
    skills = [weights.get(name, 0) for name in SKILL_CRITERIA]
    groups = _groups(plan, vocabulary)
    numbers = {
        wanted.ASKED: len(plan.asked),
        wanted.SKILLS: len(vocabulary.skills),
        wanted.ROLES: len(vocabulary.roles),
        wanted.SHEET_PARTS: _parts(plan),
        wanted.SHEET_SIZE: len(plan.sheet),
        wanted.EXPERIENCE_SIZE: len(EXPERIENCE),
        wanted.HARD: len(plan.hard),
        wanted.OWNERS: len(groups),
        wanted.UNKNOWN_EXPERIENCE: UNKNOWN_EXPERIENCE,
        wanted.HAS_ROLE: plan.role is not None,
        wanted.FIT_SHARE: FIT_SHARE,
        wanted.THIN: THIN_PROFILE,
        wanted.YEAR: plan.model.as_of.year,
        wanted.OLDEST: len(ROLE_RECENCY) - 1,
        **{wanted.SKILL_WEIGHTS + at: weight for at, weight in enumerate(skills)},
        wanted.EXPERIENCE_WEIGHT: experience,
        wanted.FIT_WEIGHT: fit,
        wanted.SHEET_WEIGHT: sheet,
        wanted.ALL_MUSTS: plan.all_musts,
        wanted.EVERYBODY: everybody,
        wanted.STEP: STEP,
        wanted.FLAT_BOUND: by_share + sheet + len(weights) + ROUNDING + (0 if plan.role else experience),
        wanted.SOFT_BOUND: sum(int(found.max(initial=0)) for found in units.values()),
    }
    tables = _skills(plan, vocabulary) | _roles(plan, vocabulary) | hard | _flattened(plan, groups) | units
    tables |= {wanted.EXPERIENCE_VALUE: EXPERIENCE, wanted.FADING: ROLE_RECENCY}
    tables |= dict(zip((wanted.ODD_HIGH, wanted.ODD_LOW, wanted.ODD_RANK), odd, strict=True))
    payload = vocabulary.payload_table(plan.model.as_of.year)
    return Wanted(wanted.laid_out(numbers, tables), misses, payload)


def _parts(plan: Plan) -> int:
    return (len(plan.sheet) + 63) // 64


def _skills(plan: Plan, vocabulary: Vocabulary) -> Tables:
    code_of, size = vocabulary.skills.of.get, len(vocabulary.skills)
    codes = [(code_of(skill, size), touch) for skill, touch in plan.touches.items()]
    touches = [touch for code, touch in codes if code < size]
    touch_of = np.zeros(size, np.int64)
    touch_of[[code for code, _ in codes if code < size]] = np.arange(1, len(touches) + 1)
    parts = range(_parts(plan))
    sheet = [0 for _ in parts]
    for touch in touches:
        sheet += [touch.sheet >> 64 * part & 0xFFFFFFFFFFFFFFFF for part in parts] if parts else []
    credits_ = [credit for touch in touches for credit in touch.credits]
    return {
        wanted.EARNED: np.concatenate([_EMPTY, *(_earned(asked.level) for asked in plan.asked)]),
        wanted.MUSTS: [asked.must for asked in plan.asked],
        wanted.CRITERION: [SKILL_CRITERIA.index(asked.criterion) for asked in plan.asked],
        wanted.SHARES: [asked.share for asked in plan.asked],
        wanted.TOUCH_OF: touch_of,
        wanted.RELEVANCE: [0, *[touch.relevance for touch in touches]],
        wanted.CAPS: [0, *[touch.cap for touch in touches]],
        wanted.CREDIT_START: np.cumsum([0, 0, *[len(touch.credits) for touch in touches]]),
        wanted.CREDIT_ASKED: [asked for asked, _ in credits_],
        wanted.CREDIT: [earned for _, earned in credits_],
        wanted.SHEET: np.array(sheet, np.uint64),
    }


@cache
def _earned(asked: int) -> npt.NDArray[np.int64]:
    """PPM of the level `asked`, by 2 x level + estimated."""
    return np.array(
        [
            level_credit(level, asked, estimated)
            for level in range(TOP_LEVEL + 1)
            for estimated in (False, True)
        ],
        np.int64,
    )


def _roles(plan: Plan, vocabulary: Vocabulary) -> Tables:
    names = vocabulary.roles.values[: len(vocabulary.roles)]
    return {
        wanted.AFFINITY: [plan.affinity.get(name, 0) for name in names],
        wanted.EXPERIENCE: [plan.experience.get(name, 0) for name in names],
        wanted.FAMILY: [name in plan.family for name in names],
    }


def _units(plan: Plan, facts: Facts) -> dict[int, npt.NDArray[np.int64]]:
    """Units of all criteria that a column decides, by its code."""
    units: dict[int, npt.NDArray[np.int64]] = {}
    for name, judge in plan.judges.items():
        if name not in plan.weights:
            continue
        values, _ = facts.judged(name, judge, plan.criteria, plan.margin_percent)
        field = UNITS_OF[COLUMNS[name]]
        more = (plan.weights[name] * values + PPM // 2) // PPM
        units[field] = units[field] + more if field in units else more
    return units


def _hard(plan: Plan, facts: Facts) -> tuple[Tables, npt.NDArray[np.uint8]]:
    misses = [
        facts.judged(must.value, judge, plan.criteria, plan.margin_percent)[1].astype(np.uint8)
        for must, judge in plan.hard
    ]
    tables: Tables = {
        wanted.HARD_COLUMN: [FIELD_OF[COLUMNS[must.value]] for must, _ in plan.hard],
        wanted.HARD_START: np.cumsum([0, *(len(one) for one in misses)]),
    }
    return tables, np.concatenate([np.zeros(0, np.uint8), *misses])


def _groups(plan: Plan, vocabulary: Vocabulary) -> list[list[_Group]]:
    """Groups by owner: each asked skill, then the titles and the experience."""
    owners = [_skill_groups(asked, plan, vocabulary) for asked in plan.asked]
    fit = plan.weights.get("role_fit", 0) * (1000 - FIT_SHARE) // 1000 + ROUNDING
    experience = plan.weights.get("role_experience", 0)
    if plan.role is not None:
        titles = {role: [worth] * CLASSES for role, worth in plan.affinity.items()}
        owners.append(_role_groups(fit, titles, vocabulary))
        months = {
            role: [EXPERIENCE[min(60, -(-most * worth // PPM))] for most in MONTHS]
            for role, worth in plan.experience.items()
        }
        owners.append(_role_groups(experience, months, vocabulary))
    return owners


def _skill_groups(asked: Asked, plan: Plan, vocabulary: Vocabulary) -> list[_Group]:
    weight = plan.weights.get(asked.criterion, 0) * asked.share // PPM
    coarse = max(1, _steps(weight) // COARSE)
    known = vocabulary.skills.of
    terms: dict[tuple[int, bool], list[int]] = defaultdict(list)
    steps_of: dict[tuple[int, int], list[tuple[int, bool]]] = {}
    for held, credit in asked.credits.items():
        code = known.get(held)
        if code is None:
            continue
        cap = plan.touches[held].cap
        steps = steps_of.get((cap, credit))
        if steps is None:
            steps = steps_of[cap, credit] = [
                _bounded(weight, min(level, cap), asked.level, credit, coarse) for level in LEVELS
            ]
        for level_class, key in enumerate(steps):
            terms[key].append(code * CLASSES + level_class)
    return _sorted(terms, skills=True)


def _bounded(weight: int, level: int, asked: int, credit: int, coarse: int) -> tuple[int, bool]:
    """(steps that a skill held at `level` may add, whether it shows the asked one)."""
    earned = level_credit(level, asked, estimated=False) * credit // PPM
    steps = _steps(weight * earned // PPM + ROUNDING)
    return (steps, True) if credit == PPM else (-(-steps // coarse) * coarse, False)


def _role_groups(weight: int, worth: Mapping[str, list[int]], vocabulary: Vocabulary) -> list[_Group]:
    """`worth`: PPM of the weight at most, by class of months. No role known: `UNKNOWN_EXPERIENCE`."""
    coarse = max(1, _steps(weight) // COARSE)
    terms: dict[tuple[int, bool], list[int]] = defaultdict(list)
    for role, values in {**worth, "": [UNKNOWN_EXPERIENCE] * CLASSES}.items():
        code = vocabulary.roles.of.get(role)
        for months_class, value in enumerate(values):
            if code is not None and value:
                steps = -(-_steps(weight * value // PPM + ROUNDING) // coarse) * coarse
                terms[steps, False].append(code * CLASSES + months_class)
    return _sorted(terms, skills=False)


def _sorted(terms: Mapping[tuple[int, bool], list[int]], *, skills: bool) -> list[_Group]:
    groups = [_Group(steps, full, skills, _runs(each)) for (steps, full), each in terms.items()]
    return sorted(groups, reverse=True)


def _runs(terms: list[int]) -> tuple[tuple[int, int], ...]:
    """(first, how many) of what follows one another."""
    runs: list[tuple[int, int]] = []
    for term in sorted(terms):
        if runs and sum(runs[-1]) == term:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((term, 1))
    return tuple(runs)


def _steps(units: int) -> int:
    return min(MOST_STEPS, -(-units // STEP))


def _flattened(plan: Plan, owners: list[list[_Group]]) -> Tables:
    groups = [group for owner in owners for group in owner]
    runs = [(group.skills, *run) for group in groups for run in group.runs]
    twice = [0] * len(owners)
    if plan.role is not None:
        # Experience of several roles adds up: whoever held two may have all of it.
        twice[-1] = _steps(plan.weights.get("role_experience", 0))
    return {
        wanted.OWNER_START: np.cumsum([0, *(len(owner) for owner in owners)]),
        wanted.OWNER_TWICE: twice,
        wanted.GROUP_STEPS: [group.steps for group in groups],
        wanted.GROUP_FULL: [group.full for group in groups],
        wanted.GROUP_START: np.cumsum([0, *(len(group.runs) for group in groups)]),
        wanted.TERM_SKILL: [skill for skill, _, _ in runs],
        wanted.TERM: [term for _, term, _ in runs],
        wanted.TERM_COUNT: [number for _, _, number in runs],
    }

"""A plan as the compiled search takes it: its skills, roles and constraints by the codes of the index.

The arithmetic's numbers come from `scoring.py` and `weights.py`; what is added here are bounds: how much each
term (a skill at about such a level, a role with about so many months) can add to a score at the very most.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from services.matching import kernels, wanted
from services.matching.judging import COLUMNS, Judged
from services.matching.postings import CLASSES, LEVELS
from services.matching.scoring import EXPERIENCE, SKILL_CRITERIA, Plan, level_credit
from services.matching.vocabulary import Ints, Vocabulary
from services.matching.weights import (
    FIT_SHARE,
    PPM,
    ROLE_RECENCY,
    THIN_PROFILE,
    TOP_LEVEL,
    UNKNOWN_EXPERIENCE,
)

STEPS = 240
"""Steps, about, in which what all asked skills add together is counted."""
MOST_BOUNDED = 200
"""So many of the asked skills are counted, the weightiest; of others everybody is taken to show all."""
ROUNDING = 2
"""Units that whole-number divisions may lose on the way; added to each bound."""
COARSE = 16
"""What related skills add is bounded in so many levels."""
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """A plan for the kernels: see `wanted.py`; by code, who misses each hard constraint; the payloads."""

    plan: npt.NDArray[np.int64]
    misses: npt.NDArray[np.uint8]
    payload: npt.NDArray[np.int32]


def compiled(
    plan: Plan, vocabulary: Vocabulary, judged: Mapping[str, Judged], odd: OddKeys, *, everybody: bool
) -> Wanted:
    """Made after the view that it is used on was taken, so that every code in that is known here."""
    units = _units(plan, judged)
    hard, misses = _hard(plan, judged)
    weights = plan.weights
    fit, experience, sheet = (weights.get(name, 0) for name in ("role_fit", "role_experience", "role_skills"))
    by_share = fit * FIT_SHARE // 1000 + ROUNDING if plan.role else fit
    skills = [weights.get(name, 0) for name in SKILL_CRITERIA]
    group_tables, skill_bounds, flat = _groups(plan, vocabulary)
    role_tables, title_bounds = _roles(plan, vocabulary)
    numbers = {
        wanted.ASKED: len(plan.asked),
        wanted.SKILLS: len(vocabulary.skills),
        wanted.ROLES: len(vocabulary.roles),
        wanted.SHEET_PARTS: _parts(plan),
        wanted.SHEET_SIZE: len(plan.sheet),
        wanted.EXPERIENCE_SIZE: len(EXPERIENCE),
        wanted.HARD: len(plan.hard),
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
        wanted.FLAT_BOUND: (
            by_share + sheet + flat + len(weights) + ROUNDING + (0 if plan.role else experience)
        ),
        wanted.SHARE_BOUND: by_share,
        **skill_bounds,
        **title_bounds,
        wanted.SOFT_BOUND: sum(int(found.max(initial=0)) for found in units.values()),
    }
    tables = _skills(plan, vocabulary) | role_tables | hard | group_tables | units
    tables |= {wanted.EXPERIENCE_VALUE: EXPERIENCE, wanted.FADING: ROLE_RECENCY}
    tables |= dict(zip((wanted.ODD_HIGH, wanted.ODD_LOW, wanted.ODD_RANK), odd, strict=True))
    payload = vocabulary.payload_table(plan.model.as_of.year)
    return Wanted(wanted.laid_out(numbers, tables), misses, payload)


def _parts(plan: Plan) -> int:
    return (len(plan.sheet) + 63) // 64


def _skills(plan: Plan, vocabulary: Vocabulary) -> Tables:
    code_of, parts = vocabulary.skills.of, range(_parts(plan))
    known = [(code_of[skill], touch) for skill, touch in plan.touches.items() if skill in code_of]
    # Sized after the codes are known: the writer may add some meanwhile.
    touch_of = np.zeros(len(vocabulary.skills), np.int64)
    touch_of[[code for code, _ in known]] = np.arange(1, len(known) + 1)
    facts = [(0, 0, 0, 0)]
    facts += [
        (touch.relevance, 1 if touch.credits or touch.sheet else 0, touch.cap, len(touch.credits))
        for _, touch in known
    ]
    relevance, useful, cap, number = np.array(facts, np.int64).T
    credits_ = np.array([credit for _, touch in known for credit in touch.credits], np.int64).reshape(-1, 2)
    sheet = np.zeros((len(known) + 1, len(parts)), np.uint64)
    for at, (_, touch) in enumerate(known, 1):
        if touch.sheet:
            sheet[at] = [touch.sheet >> 64 * part & 0xFFFFFFFFFFFFFFFF for part in parts]
    return {
        wanted.EARNED: np.concatenate([_EMPTY, *(_earned(asked.level) for asked in plan.asked)]),
        wanted.MUSTS: [asked.must for asked in plan.asked],
        wanted.CRITERION: [SKILL_CRITERIA.index(asked.criterion) for asked in plan.asked],
        wanted.SHARES: [asked.share for asked in plan.asked],
        wanted.TOUCH_OF: touch_of,
        wanted.RELEVANCE: relevance,
        wanted.USEFUL: useful,
        wanted.CAPS: cap,
        wanted.CREDIT_START: np.cumsum(np.append(0, number)),
        wanted.CREDIT_ASKED: credits_[:, 0],
        wanted.CREDIT: credits_[:, 1],
        wanted.SHEET: sheet.ravel(),
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


def _roles(plan: Plan, vocabulary: Vocabulary) -> tuple[Tables, dict[int, int]]:
    """(tables by role, the bounds of titles and experience that hold for every role)."""
    names = vocabulary.roles.values[: len(vocabulary.roles)]
    affinity = np.array([plan.affinity.get(name, 0) for name in names], np.int64)
    experience = np.array([plan.experience.get(name, 0) for name in names], np.int64)
    weight = plan.weights.get("role_fit", 0) * (1000 - FIT_SHARE) // 1000 + ROUNDING
    gain = plan.weights.get("role_experience", 0)
    title_units = np.append(affinity * weight // PPM + 1, 0)
    tables: Tables = {
        wanted.AFFINITY: affinity,
        wanted.EXPERIENCE: experience,
        wanted.FAMILY: [name in plan.family for name in names],
        wanted.TITLE_UNITS: title_units,
        wanted.GAIN_UNITS: np.append(np.where(experience > 0, gain, 0), 0),
    }
    return tables, {
        wanted.MOST_TITLE: int(title_units.max()),
        wanted.UNKNOWN_TITLE: (weight + gain) * UNKNOWN_EXPERIENCE // PPM + ROUNDING,
    }


def _units(plan: Plan, judged: Mapping[str, Judged]) -> dict[int, npt.NDArray[np.int64]]:
    """Units of all criteria that a column decides, by its code."""
    units: dict[int, npt.NDArray[np.int64]] = {}
    for name, (values, _) in judged.items():
        if name not in plan.weights:
            continue
        field = UNITS_OF[COLUMNS[name]]
        more = (plan.weights[name] * values + PPM // 2) // PPM
        units[field] = units[field] + more if field in units else more
    return units


def _hard(plan: Plan, judged: Mapping[str, Judged]) -> tuple[Tables, npt.NDArray[np.uint8]]:
    misses = [judged[must.value][1].astype(np.uint8) for must, _ in plan.hard]
    tables: Tables = {
        wanted.HARD_COLUMN: [FIELD_OF[COLUMNS[must.value]] for must, _ in plan.hard],
        wanted.HARD_START: np.cumsum([0, *(len(one) for one in misses)]),
    }
    return tables, np.concatenate([np.zeros(0, np.uint8), *misses])


def _groups(plan: Plan, vocabulary: Vocabulary) -> tuple[Tables, dict[int, int], int]:
    """(tables of the groups, bounds of the skills, units that everybody may have of skills not counted).

    A group are the terms of an asked skill whose rows may each gain so many steps, and show it, or not.
    """
    weights = [plan.weights.get(one.criterion, 0) * one.share // PPM + ROUNDING for one in plan.asked]
    counted = set(sorted(range(len(weights)), key=lambda at: -weights[at])[:MOST_BOUNDED])
    flat = sum(weight for at, weight in enumerate(weights) if at not in counted)
    weights = [weight if at in counted else 0 for at, weight in enumerate(weights)]
    step = max(1, -(-sum(weights) // STEPS))
    code_of, touches = vocabulary.skills.of, plan.touches
    terms = [
        (at, code_of[held], credit, touches[held].cap, asked.level, weights[at])
        for at, asked in enumerate(plan.asked)
        for held, credit in asked.credits.items()
        if held in code_of
    ]
    asked, code, credit, cap, level, weight = np.array(terms, np.int64).reshape(-1, 6).T[:, :, np.newaxis]
    # As `scoring.level_credit`, of the most that a level of each class counts.
    earned = (
        np.minimum(np.minimum(np.array(LEVELS), cap), level) * PPM // np.maximum(level, 1) * credit // PPM
    )
    steps = -(-weight * earned // (step * PPM))
    coarse = np.maximum(1, weight // step // COARSE)
    full = np.broadcast_to(credit == PPM, steps.shape).ravel()
    steps = np.where(credit == PPM, steps, -(-steps // coarse) * coarse).ravel()
    term = (code * CLASSES + np.arange(CLASSES)).ravel()
    owner = np.repeat(asked.ravel(), CLASSES)
    order = np.lexsort((term, ~full, -steps, owner))
    return *_grouped(owner[order], steps[order], full[order], term[order], len(plan.asked), step), flat


def _grouped(
    owner: Ints, steps: Ints, full: npt.NDArray[np.bool_], term: Ints, owners: int, step: int
) -> tuple[Tables, dict[int, int]]:
    """Of terms in the order of their owners, the highest steps first: groups, and in them runs of terms."""
    group = (np.diff(owner, prepend=-1) != 0) | (np.diff(steps, prepend=-1) != 0)
    group |= np.diff(full.astype(np.int64), prepend=-1) != 0
    run = group | (np.diff(term, prepend=-2) != 1)
    groups, runs = np.flatnonzero(group), np.flatnonzero(run)
    shows = full[groups]
    starts = np.searchsorted(owner[groups], np.arange(owners + 1))
    highest = steps[groups[starts[:-1][starts[:-1] < starts[1:]]]]
    most = int(highest.sum())
    return {
        wanted.OWNER_START: starts,
        wanted.GROUP_STEPS: steps[groups],
        wanted.GROUP_FULL: np.where(shows, np.cumsum(shows) - 1, -1),
        wanted.GROUP_START: np.append(np.searchsorted(runs, groups), len(runs)),
        wanted.TERM: term[runs],
        wanted.TERM_COUNT: np.diff(np.append(runs, len(term))),
    }, {
        wanted.STEP: step,
        wanted.STEP_INVERSE: (1 << 32) // step,
        wanted.MOST_STEPS: most,
        wanted.PLANES: max(1, most.bit_length()),
        wanted.FULL_GROUPS: int(shows.sum()),
    }

"""A compiled plan as one array of 64-bit integers: numbers first, then the tables that they point to.

One array, because kernels pass it on from function to function, and because it compiles fast.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from services.matching.weights import TOP_LEVEL

(
    # How many there are
    ASKED, SKILLS, ROLES, SHEET_PARTS, SHEET_SIZE, EXPERIENCE_SIZE, HARD, FULL_GROUPS, PLANES,
    # The arithmetic's constants
    UNKNOWN_EXPERIENCE, HAS_ROLE, FIT_SHARE, THIN, YEAR, OLDEST,
    # Weights: of the three groups of skills (in this order), and of what follows from roles
    SKILL_WEIGHTS, _NICE, _NAMED, EXPERIENCE_WEIGHT, FIT_WEIGHT, SHEET_WEIGHT,
    ALL_MUSTS, EVERYBODY,
    # Bounds, in units: one step of the counters; what everybody may have, and what of that is the profile's
    # share; what the constraints may add; the best title, and none known, with the experience that goes with
    # it. In steps: what all skills may add together. 2^32 / STEP
    STEP, FLAT_BOUND, SHARE_BOUND, SOFT_BOUND, MOST_TITLE, UNKNOWN_TITLE, MOST_STEPS, STEP_INVERSE,
    # By asked skill; what a level earns of it: `EARNED_SIZE` figures each, by 2 * level + estimated
    EARNED, MUSTS, CRITERION, SHARES,
    # Code of a skill -> number of its touch (0: none); by touch, whether it earns anything of its own, and
    # credits from CREDIT_START on
    TOUCH_OF, RELEVANCE, USEFUL, CAPS, CREDIT_START, CREDIT_ASKED, CREDIT, SHEET,
    # By code of a role; in units, what a title and what experience in it may add, one more for "no role"
    AFFINITY, EXPERIENCE, FAMILY, TITLE_UNITS, GAIN_UNITS,
    # By months; percent by years since a role ended, the last one at OLDEST
    EXPERIENCE_VALUE, FADING,
    # Units of the constraints by code of the fact, in the order of blocks; -1 where it decides none
    TRAITS_UNITS, YEARS_UNITS, PLACE_UNITS, DAYS_UNITS, PRICES_UNITS, TONGUES_UNITS,
    # By hard constraint: the column, and where its misses begin
    HARD_COLUMN, HARD_START,
    # Groups of terms by asked skill, the highest first. GROUP_FULL: the number of a group that shows the
    # skill, or -1. A group has runs of terms: the first, counted from the first skill's on, and how many
    OWNER_START, GROUP_STEPS, GROUP_FULL, GROUP_START, TERM, TERM_COUNT,
    # By number of an id that is no UUID
    ODD_HIGH, ODD_LOW, ODD_RANK,
    HEADER,
) = range(68)  # fmt: skip

Plan64 = npt.NDArray[np.int64]

LEVEL_SHIFT, ESTIMATED_BIT, SALIENCE_MASK = 13, 1 << 12, (1 << 12) - 1
"""How a payload's (level, estimated, salience) lie in 32 bits."""


RECENT_MONTH = 2024 * 12
"""Months are written as how far they lie from this one: near it in one byte."""
EARNED_SIZE = 2 * (TOP_LEVEL + 1)
"""A level in hundredths, times two, plus one where it is estimated."""


def laid_out(numbers: dict[int, int], tables: dict[int, Iterable[Any]]) -> Plan64:
    """One array of all; an absent table is -1."""
    header = np.full(HEADER, -1, np.int64)
    parts, at = [header], HEADER
    for field, number in numbers.items():
        header[field] = number
    for field, table in tables.items():
        part = np.asarray(table)
        header[field] = at
        parts.append(part.astype(np.int64, copy=False) if part.dtype != np.uint64 else part.view(np.int64))
        at += part.size
    return np.concatenate(parts)

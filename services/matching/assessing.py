# Numba decides the types of compiled code; the annotations are for the reader.
# mypy: disable-error-code="return-value,assignment,no-any-return,attr-defined,call-arg"
"""`scoring.assess` on a row of a block, compiled: the same whole numbers, bit by bit."""

from typing import Any

import numpy as np

from services.matching.compiling import as_u8, as_u16, as_u32, kernel, ones, varint_at
from services.matching.kernels import CONTENT, DAYS, PLACE, PRICES, START, TONGUES, TRAITS, YEARS
from services.matching.wanted import (
    AFFINITY,
    ASKED,
    CAPS,
    CREDIT,
    CREDIT_ASKED,
    CREDIT_START,
    CRITERION,
    DAYS_UNITS,
    EARNED,
    EARNED_SIZE,
    ESTIMATED_BIT,
    EXPERIENCE,
    EXPERIENCE_SIZE,
    EXPERIENCE_VALUE,
    EXPERIENCE_WEIGHT,
    FADING,
    FAMILY,
    FIT_SHARE,
    FIT_WEIGHT,
    HAS_ROLE,
    LEVEL_SHIFT,
    OLDEST,
    PLACE_UNITS,
    PRICES_UNITS,
    RELEVANCE,
    ROLES,
    SALIENCE_MASK,
    SHARES,
    SHEET,
    SHEET_PARTS,
    SHEET_SIZE,
    SHEET_WEIGHT,
    SKILL_WEIGHTS,
    SKILLS,
    THIN,
    TONGUES_UNITS,
    TOUCH_OF,
    TRAITS_UNITS,
    UNKNOWN_EXPERIENCE,
    YEAR,
    YEARS_UNITS,
)

PPM = 1_000_000
RELEVANT, ON_SHEET, BELONGS, CREDITS = range(4)
"""What `assess_row` leaves behind: relevant salience, number of the sheet's skills, a title of the family,
then the credit of each asked skill, then 1 for each that is shown, then the bits of the sheet."""

Array = Any


@kernel
def soft_units(table: Array, plan: Array, block: int, row: int) -> int:
    """Units of all constraints asked about."""
    units = 0
    if plan[TRAITS_UNITS] >= 0:
        units += plan[plan[TRAITS_UNITS] + as_u16(table[block, TRAITS], row + 1)[row]]
    if plan[PLACE_UNITS] >= 0:
        units += plan[plan[PLACE_UNITS] + as_u16(table[block, PLACE], row + 1)[row]]
    if plan[YEARS_UNITS] >= 0:
        units += plan[plan[YEARS_UNITS] + as_u16(table[block, YEARS], row + 1)[row]]
    if plan[DAYS_UNITS] >= 0:
        units += plan[plan[DAYS_UNITS] + as_u16(table[block, DAYS], row + 1)[row]]
    if plan[PRICES_UNITS] >= 0:
        units += plan[plan[PRICES_UNITS] + np.int64(as_u32(table[block, PRICES], row + 1)[row])]
    if plan[TONGUES_UNITS] >= 0:
        units += plan[plan[TONGUES_UNITS] + np.int64(as_u32(table[block, TONGUES], row + 1)[row])]
    return units


@kernel
def assess_row(plan: Array, payload: Array, content: Array, at: int, work: Array) -> int:
    """Units, the constraints' apart, of a row whose content begins at `at`; fills `work` as said above."""
    work[:] = 0
    asked_number, parts, skills = plan[ASKED], plan[SHEET_PARTS], plan[SKILLS]
    shown, sheet = CREDITS + asked_number, CREDITS + 2 * asked_number
    touch_of, relevance = plan[TOUCH_OF], plan[RELEVANCE]
    relevant = salience = 0
    number, at = varint_at(content, at)
    for _ in range(number):
        skill, at = varint_at(content, at)
        code, at = varint_at(content, at)
        held = np.int64(payload[code])
        weight = held & SALIENCE_MASK
        salience += weight
        touch = plan[touch_of + skill] if skill < skills else 0
        if touch == 0:
            continue
        relevant += weight * plan[relevance + touch]
        for part in range(parts):
            work[sheet + part] |= plan[plan[SHEET] + touch * parts + part]
        level = min(held >> LEVEL_SHIFT, plan[plan[CAPS] + touch])
        earning = level * 2 + (1 if held & ESTIMATED_BIT else 0)
        for each in range(plan[plan[CREDIT_START] + touch], plan[plan[CREDIT_START] + touch + 1]):
            asked = plan[plan[CREDIT_ASKED] + each]
            credit = plan[plan[CREDIT] + each]
            earned = plan[plan[EARNED] + asked * EARNED_SIZE + earning]
            if credit == PPM:
                work[shown + asked] = 1
            else:
                earned = earned * credit // PPM
            work[CREDITS + asked] = max(work[CREDITS + asked], earned)
    units = _of_roles(plan, content, at, relevant, salience, work) + _of_skills(plan, work)
    work[RELEVANT] = relevant
    if plan[SHEET_WEIGHT]:
        covered = 0
        for part in range(parts):
            covered += np.int64(ones(np.uint64(work[sheet + part])))
        work[ON_SHEET] = covered
        units += _units(plan[SHEET_WEIGHT], min(PPM, 2 * covered * PPM // plan[SHEET_SIZE]))
    return units


@kernel
def _of_skills(plan: Array, work: Array) -> int:
    must = nice = named = 0
    for asked in range(plan[ASKED]):
        value = plan[plan[SHARES] + asked] * work[CREDITS + asked] // PPM
        criterion = plan[plan[CRITERION] + asked]
        if criterion == 0:
            must += value
        elif criterion == 1:
            nice += value
        else:
            named += value
    units = 0
    for criterion, value in enumerate((must, nice, named)):
        units += _units(plan[SKILL_WEIGHTS + criterion], value)
    return units


@kernel
def detail(table: Array, plan: Array, payload: Array, places: Array, into: Array) -> None:
    """`assess_row` of the rows at `places` (block << 16 | row): one after the other `into` [which, work]."""
    for which in range(places.size):
        block, row = places[which] >> 16, places[which] & 0xFFFF
        start = as_u32(table[block, START], row + 2)
        content = as_u8(table[block, CONTENT], start[row + 1] + 1)
        assess_row(plan, payload, content, np.int64(start[row]), into[which])


@kernel
def _of_roles(plan: Array, content: Array, at: int, relevant: int, salience: int, work: Array) -> int:
    roles, at = varint_at(content, at)
    months = affinity = total = close = 0
    for _ in range(roles):
        role, at = varint_at(content, at)
        held, at = varint_at(content, at)
        until, at = varint_at(content, at)
        total += held
        if role < plan[ROLES]:
            age = plan[YEAR] - (until - 1) // 12 if until else 0
            percent = plan[plan[FADING] + min(max(0, age), plan[OLDEST])]
            worth = plan[plan[AFFINITY] + role]
            held = held * percent // 100
            close += held * worth
            months += held * plan[plan[EXPERIENCE] + role]
            affinity = max(affinity, worth * percent // 100)
            work[BELONGS] |= plan[plan[FAMILY] + role]
    units = 0
    if plan[EXPERIENCE_WEIGHT]:
        value = plan[UNKNOWN_EXPERIENCE]
        if total:
            value = plan[plan[EXPERIENCE_VALUE] + min(months // PPM, plan[EXPERIENCE_SIZE] - 1)]
        units += _units(plan[EXPERIENCE_WEIGHT], value)
    if plan[FIT_WEIGHT]:
        value = relevant * (PPM // 1000) // (salience + plan[THIN])
        if plan[HAS_ROLE]:
            if total:
                affinity = (affinity + close // total) // 2
            if roles == 0:
                affinity = plan[UNKNOWN_EXPERIENCE]
            value = (plan[FIT_SHARE] * value + (1000 - plan[FIT_SHARE]) * affinity) // 1000
        units += _units(plan[FIT_WEIGHT], value)
    return units


@kernel
def _units(weight: int, value: int) -> int:
    return (weight * value + PPM // 2) // PPM

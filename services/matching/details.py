# Numba decides the types of compiled code; the annotations are for the reader.
# mypy: disable-error-code="return-value,assignment,no-any-return,attr-defined,call-arg"
"""All figures of a score and of its explanation, of the rows that are listed.

The same whole numbers as `scoring.assess` finds in a profile; `assessing.py` makes scores of them for many
rows, here they are left behind one by one for a few.
"""

from typing import Any

import numpy as np

from services.matching.compiling import kernel, ones, varint_at
from services.matching.kernels import content_at, year_left
from services.matching.wanted import (
    AFFINITY,
    ASKED,
    CAPS,
    CREDIT,
    CREDIT_ASKED,
    CREDIT_START,
    CRITERION,
    EARNED,
    EARNED_SIZE,
    ESTIMATED_BIT,
    EXPERIENCE,
    EXPERIENCE_SIZE,
    EXPERIENCE_VALUE,
    FADING,
    FAMILY,
    FIT_SHARE,
    HAS_ROLE,
    LEVEL_SHIFT,
    OLDEST,
    RELEVANCE,
    SALIENCE_MASK,
    SHARES,
    SHEET,
    SHEET_PARTS,
    SHEET_SIZE,
    THIN,
    TOUCH_OF,
    UNKNOWN_EXPERIENCE,
    YEAR,
)

PPM = 1_000_000
(
    RELEVANT, SALIENCE, BELONGING, HELD, SHARE, KNOWN, MONTHS, OF_FAMILY, TITLES, CLOSEST, CLOSENESS,
    MUST_SKILLS, NICE_SKILLS, NAMED_SKILLS, ROLE_EXPERIENCE, ROLE_FIT, ROLE_SKILLS, FIGURES,
) = range(18)  # fmt: skip
"""Figures of a row; the last six are values of criteria. CLOSEST is a role's code, or -1."""
CREDITS, SHOWN, BY_SKILL, BY_PAYLOAD, ASKED_FIGURES = range(5)
"""By asked skill; the codes are those of the held skill that earns most, -1 for none."""
HELD_MONTHS, HELD_FADED, HELD_FRESH, HELD_LEFT, NEAR_FIGURES = range(5)
HOLDING, NEVER = -1, -2
"""By role that counts as experience, as in `domain.Tenure`; a HELD_LEFT of one that is held, or never was."""

Array = Any


@kernel
def details(
    table: Array, plan: Array, payload: Array, places: Array, own: Array, near: Array, order: Array,
    figures: Array, skills: Array, tenures: Array, sheet: Array,
) -> None:  # fmt: skip
    """Of the rows at `places` (block << 16 | row) `figures` [which, figure], `skills` [which, figure, asked],
    `tenures` [which, figure, near] and `sheet` [which, 64 bits].

    `own`: codes of the asked skills; `near`: of the roles that count as experience; `order`: by code, a
    role's place in the order of ids. The plan knows every code: it was compiled after the rows were found in
    their table.
    """
    best = np.zeros((2, plan[ASKED]), np.int64)
    for which in range(places.size):
        block, row = places[which] >> 16, places[which] & 0xFFFF
        at = content_at(table, block, row)
        best[:] = 0
        at = _skills(plan, payload, at, own, best, figures[which], skills[which], sheet[which])
        _roles(plan, at, near, order, figures[which], tenures[which])
        _values(plan, figures[which], skills[which], sheet[which])


@kernel
def _skills(
    plan: Array, payload: Array, at: int, own: Array, best: Array, figures: Array,
    skills: Array, sheet: Array,
) -> int:  # fmt: skip
    """As `scoring.shows`; where the roles begin."""
    parts = plan[SHEET_PARTS]
    skills[:BY_SKILL] = 0
    skills[BY_SKILL:] = -1
    sheet[:] = 0
    relevant = salience = belonging = 0
    number, at = varint_at(at)
    for _ in range(number):
        skill, at = varint_at(at)
        code, at = varint_at(at)
        held = np.int64(payload[code])
        weight = held & SALIENCE_MASK
        salience += weight
        touch = plan[plan[TOUCH_OF] + skill]
        if touch == 0:
            continue
        relevant += weight * plan[plan[RELEVANCE] + touch]
        belonging += plan[plan[RELEVANCE] + touch] > 0
        for part in range(parts):
            sheet[part] |= plan[plan[SHEET] + touch * parts + part]
        level = min(held >> LEVEL_SHIFT, plan[plan[CAPS] + touch])
        earning = level * 2 + (1 if held & ESTIMATED_BIT else 0)
        for each in range(plan[plan[CREDIT_START] + touch], plan[plan[CREDIT_START] + touch + 1]):
            asked = plan[plan[CREDIT_ASKED] + each]
            credit = plan[plan[CREDIT] + each]
            earned = plan[plan[EARNED] + asked * EARNED_SIZE + earning] * credit // PPM
            if credit == PPM:
                skills[SHOWN, asked] = 1
            # Who earns most; itself before others; then by credit, which is below 1 << 20.
            rank = (earned * 2 + (skill == own[asked])) << 20 | credit
            # Touches are numbered in the order of the skills' ids.
            if rank > best[0, asked] or (rank == best[0, asked] and touch < best[1, asked]):
                best[0, asked], best[1, asked] = rank, touch
                skills[CREDITS, asked] = earned
                skills[BY_SKILL, asked], skills[BY_PAYLOAD, asked] = skill, code
    figures[RELEVANT], figures[SALIENCE] = relevant, salience
    figures[BELONGING], figures[HELD] = belonging, number
    return at


@kernel
def _roles(plan: Array, at: int, near: Array, order: Array, figures: Array, tenures: Array) -> None:
    """As `scoring.titles_of`."""
    tenures[:HELD_LEFT] = 0
    tenures[HELD_LEFT] = NEVER
    figures[OF_FAMILY], figures[CLOSEST] = 0, -1
    known = months = affinity = close = titles = distinct = 0
    closest = first = longest = -1
    number, at = varint_at(at)
    stints = np.empty((number, 5), np.int64)
    for which in range(number):
        role, at = varint_at(at)
        held, at = varint_at(at)
        until, at = varint_at(at)
        left = year_left(until) if until else HOLDING
        age = plan[YEAR] - left if until else 0
        percent = plan[plan[FADING] + min(max(0, age), plan[OLDEST])]
        stints[which] = (role, held, held * percent // 100, percent, left)
        known += held
    for which in range(number):
        role, held, faded, fresh, left = stints[which]
        worth = plan[plan[AFFINITY] + role]
        months += faded * plan[plan[EXPERIENCE] + role]
        close += faded * worth
        figures[OF_FAMILY] |= plan[plan[FAMILY] + role]
        again = False
        for other in range(number):
            if other != which and stints[other, 0] == role:
                again |= other < which
                held += stints[other, 1]
                faded += stints[other, 2]
                fresh = max(fresh, stints[other, 3])
                ended = left != HOLDING and stints[other, 4] != HOLDING
                left = max(left, stints[other, 4]) if ended else HOLDING
        affinity = max(affinity, worth * fresh // 100)
        if not again:
            titles += worth * fresh // 100
            distinct += 1
        if (worth * fresh, faded, -order[role]) > (closest, longest, -first):
            closest, longest, first = worth * fresh, faded, order[role]
            figures[CLOSEST] = role
        for one in range(near.size):
            if near[one] == role:
                tenures[HELD_MONTHS, one], tenures[HELD_FADED, one] = held, faded
                tenures[HELD_FRESH, one], tenures[HELD_LEFT, one] = fresh, left
    figures[TITLES] = plan[UNKNOWN_EXPERIENCE]
    if number:
        figures[TITLES] = (affinity + (close // known if known else titles // distinct)) // 2
    figures[KNOWN], figures[MONTHS] = known, months // PPM
    figures[CLOSENESS] = max(0, closest) // 100


@kernel
def _values(plan: Array, figures: Array, skills: Array, sheet: Array) -> None:
    """As `scoring.assess`, the constraints apart."""
    figures[MUST_SKILLS : NAMED_SKILLS + 1] = 0
    for asked in range(plan[ASKED]):
        part = plan[plan[SHARES] + asked] * skills[CREDITS, asked] // PPM
        figures[MUST_SKILLS + plan[plan[CRITERION] + asked]] += part
    months = min(figures[MONTHS], plan[EXPERIENCE_SIZE] - 1)
    figures[ROLE_EXPERIENCE] = (
        plan[plan[EXPERIENCE_VALUE] + months] if figures[KNOWN] else plan[UNKNOWN_EXPERIENCE]
    )
    share = figures[RELEVANT] * (PPM // 1000) // (figures[SALIENCE] + plan[THIN])
    figures[SHARE] = figures[ROLE_FIT] = share
    if plan[HAS_ROLE]:
        fit = plan[FIT_SHARE] * share + (1000 - plan[FIT_SHARE]) * figures[TITLES]
        figures[ROLE_FIT] = fit // 1000
    covered = 0
    for part in range(plan[SHEET_PARTS]):
        covered += np.int64(ones(np.uint64(sheet[part])))
    figures[ROLE_SKILLS] = min(PPM, 2 * covered * PPM // max(1, plan[SHEET_SIZE]))

# Numba decides the types of compiled code; the annotations are for the reader.
# mypy: disable-error-code="return-value,assignment,no-any-return,attr-defined,call-arg"
"""`scoring.assess` on a row of a block, compiled: the same whole numbers, bit by bit.

Every code of a row that was published is known to a plan that was compiled after (see `compiled.py`); `plan`
and `payload` are the addresses of the arrays.
"""

from typing import Any

import numpy as np

from services.matching.compiling import (
    LONG,
    i64_at,
    kernel,
    ones,
    short_varint,
    u32_at,
    u64_at,
    varint_at,
)
from services.matching.kernels import FACTS, STRIDE, TRAITS, fact_in, year_left
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
    EXPERIENCE_WEIGHT,
    FADING,
    FIT_SHARE,
    FIT_WEIGHT,
    HAS_ROLE,
    LEVEL_SHIFT,
    OLDEST,
    RELEVANCE,
    SALIENCE_MASK,
    SHARES,
    SHEET,
    SHEET_PARTS,
    SHEET_SIZE,
    SHEET_WEIGHT,
    SKILL_WEIGHTS,
    THIN,
    TOUCH_OF,
    TRAITS_UNITS,
    UNKNOWN_EXPERIENCE,
    USEFUL,
    YEAR,
)

PPM = 1_000_000
MOST_TOUCHED = 64
DECIDED = 6
"""Facts that decide constraints, in the same order in blocks and plans."""

Array = Any


@kernel
def soft_units(fields: int, plan: int, row: int) -> int:
    """Units of all constraints asked about; `fields`: the address of a block's row in the table."""
    units = 0
    facts = i64_at(fields, FACTS) + row * i64_at(fields, STRIDE)
    for decided in range(DECIDED):
        of_code = i64_at(plan, TRAITS_UNITS + decided)
        if of_code >= 0:
            units += i64_at(plan, of_code + fact_in(facts, i64_at(fields, TRAITS + decided)))
    return units


@kernel
def work_size(plan: Array) -> int:
    """Of what `weigh` and `judge` leave behind: credits of the asked skills, then the bits of the sheet."""
    return plan[ASKED] + plan[SHEET_PARTS]


@kernel
def weigh(plan: int, payload: int, at: int, work: Array, touched: Array) -> tuple[int, int, int, int]:
    """The first half of a row whose content stands `at` an address. `work` is room for `work_size` numbers.

    (Relevant salience, salience, how many are left in `touched`, where its roles stand.)
    """
    work[:] = 0
    touch_of, relevance, useful = i64_at(plan, TOUCH_OF), i64_at(plan, RELEVANCE), i64_at(plan, USEFUL)
    relevant = salience = left = 0
    number, at = varint_at(at)
    for _ in range(number):
        # Both numbers out of one word: what takes the time is that each begins where another ends.
        skill, rest, size = short_varint(u64_at(at, 0))
        code, _, more = short_varint(rest)
        if size < LONG and more < LONG:
            at += size + more
        else:
            skill, at = varint_at(at)
            code, at = varint_at(at)
        held = u32_at(payload, code)
        weight = held & SALIENCE_MASK
        touch = i64_at(plan, touch_of + skill)
        salience += weight
        relevant += weight * i64_at(plan, relevance + touch)
        # Which skills touch a need is no habit either: all are written down, and those that do not, over.
        touched[left] = touch << 32 | held
        left += i64_at(plan, useful + touch)
        if left == MOST_TOUCHED:
            _earn(plan, touched, left, work)
            left = 0
    return relevant, salience, left, at


@kernel
def profile_share(plan: int, relevant: int, salience: int) -> int:
    """PPM of the profile that belongs to the asked job."""
    return relevant * (PPM // 1000) // (salience + i64_at(plan, THIN))


@kernel
def judge(plan: int, at: int, share: int, touched: Array, number: int, work: Array) -> int:
    """The second half: units, the constraints' apart.

    `at`: where the roles stand; `share`: see `profile_share`; `touched`: `number` of them, from `weigh`.
    """
    _earn(plan, touched, number, work)
    units = _of_roles(plan, at, share) + _of_skills(plan, work)
    weight = i64_at(plan, SHEET_WEIGHT)
    if weight:
        covered = 0
        for part in range(i64_at(plan, SHEET_PARTS)):
            covered += np.int64(ones(np.uint64(work[i64_at(plan, ASKED) + part])))
        units += _units(weight, min(PPM, 2 * covered * PPM // i64_at(plan, SHEET_SIZE)))
    return units


@kernel
def _earn(plan: int, touched: Array, number: int, work: Array) -> None:
    """What held skills earn of the asked ones, and show of the sheet."""
    sheet, parts = i64_at(plan, ASKED), i64_at(plan, SHEET_PARTS)
    earned_of, asked_of, credit_of = i64_at(plan, EARNED), i64_at(plan, CREDIT_ASKED), i64_at(plan, CREDIT)
    for which in range(number):
        touch, held = touched[which] >> 32, touched[which] & 0xFFFFFFFF
        for part in range(parts):
            work[sheet + part] |= i64_at(plan, i64_at(plan, SHEET) + touch * parts + part)
        level = min(held >> LEVEL_SHIFT, i64_at(plan, i64_at(plan, CAPS) + touch))
        earning = level * 2 + (1 if held & ESTIMATED_BIT else 0)
        first = i64_at(plan, CREDIT_START) + touch
        for each in range(i64_at(plan, first), i64_at(plan, first + 1)):
            asked, credit = i64_at(plan, asked_of + each), i64_at(plan, credit_of + each)
            earned = i64_at(plan, earned_of + asked * EARNED_SIZE + earning) * credit // PPM
            work[asked] = max(work[asked], earned)


@kernel
def _of_skills(plan: int, work: Array) -> int:
    must = nice = named = 0
    shares, criterion_of = i64_at(plan, SHARES), i64_at(plan, CRITERION)
    for asked in range(i64_at(plan, ASKED)):
        value = i64_at(plan, shares + asked) * work[asked] // PPM
        criterion = i64_at(plan, criterion_of + asked)
        if criterion == 0:
            must += value
        elif criterion == 1:
            nice += value
        else:
            named += value
    units = 0
    for criterion, value in enumerate((must, nice, named)):
        units += _units(i64_at(plan, SKILL_WEIGHTS + criterion), value)
    return units


@kernel
def _of_roles(plan: int, at: int, share: int) -> int:
    begin = at
    roles, at = varint_at(at)
    months = affinity = total = close = 0
    affinity_of, experience_of = i64_at(plan, AFFINITY), i64_at(plan, EXPERIENCE)
    for _ in range(roles):
        role, at = varint_at(at)
        held, at = varint_at(at)
        until, at = varint_at(at)
        total += held
        percent = _fresh(plan, until)
        worth = i64_at(plan, affinity_of + role)
        held = held * percent // 100
        close += held * worth
        months += held * i64_at(plan, experience_of + role)
        affinity = max(affinity, worth * percent // 100)
    units = 0
    if i64_at(plan, EXPERIENCE_WEIGHT):
        value = i64_at(plan, UNKNOWN_EXPERIENCE)
        if total:
            most = i64_at(plan, EXPERIENCE_SIZE) - 1
            value = i64_at(plan, i64_at(plan, EXPERIENCE_VALUE) + min(months // PPM, most))
        units += _units(i64_at(plan, EXPERIENCE_WEIGHT), value)
    if i64_at(plan, FIT_WEIGHT):
        value = share
        if i64_at(plan, HAS_ROLE):
            if roles == 0:
                affinity = i64_at(plan, UNKNOWN_EXPERIENCE)
            else:
                affinity = (affinity + (close // total if total else _mean_title(plan, begin))) // 2
            value = (i64_at(plan, FIT_SHARE) * value + (1000 - i64_at(plan, FIT_SHARE)) * affinity) // 1000
        units += _units(i64_at(plan, FIT_WEIGHT), value)
    return units


@kernel
def _fresh(plan: int, until: int) -> int:
    """Percent that a role counts which ended then."""
    age = i64_at(plan, YEAR) - year_left(until) if until else 0
    return i64_at(plan, i64_at(plan, FADING) + min(max(0, age), i64_at(plan, OLDEST)))


@kernel
def _mean_title(plan: int, at: int) -> int:
    """Of the roles that stand at an address, each once; few have several that no month is known of."""
    entries, begin = varint_at(at)
    total = number = 0
    at = begin
    for which in range(entries):
        role, at = varint_at(at)
        _, at = varint_at(at)
        _, at = varint_at(at)
        fresh, seen, other_at = 0, False, begin
        for other in range(entries):
            same, other_at = varint_at(other_at)
            _, other_at = varint_at(other_at)
            until, other_at = varint_at(other_at)
            if same == role:
                seen |= other < which
                fresh = max(fresh, _fresh(plan, until))
        if not seen:
            total += i64_at(plan, i64_at(plan, AFFINITY) + role) * fresh // 100
            number += 1
    return total // number


@kernel
def _units(weight: int, value: int) -> int:
    return (weight * value + PPM // 2) // PPM

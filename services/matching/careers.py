# Numba decides the types of compiled code; the annotations are for the reader.
# mypy: disable-error-code="return-value,assignment,no-any-return,attr-defined,call-arg"
"""Rows of a block in the order of their careers, and how much a career can add to a score at most.

A career is (the role held longest, the one held second longest, how many roles). Rows of one career stand
together in a block, so one look at a career tells of all of them; and who is asked for by one need stands
side by side, and so is read by few accesses to memory.
"""

from typing import Any

import numpy as np

from services.matching.compiling import as_i64, as_u64, kernel, lowest, varint_at
from services.matching.kernels import ALIVE, CAREERS, CAREERS_NUMBER, ROWS, content_at
from services.matching.wanted import (
    EXPERIENCE_WEIGHT,
    GAIN_UNITS,
    HAS_ROLE,
    MOST_TITLE,
    ROLES,
    TITLE_UNITS,
    UNKNOWN_TITLE,
)

ANY = 15
"""Stands for a number of roles of which nothing is bounded: that many, or roles that no month is known of."""
ROLE_BITS = 21
_MOST_ROLE = (1 << ROLE_BITS) - 1
_NUMBER_AT, _FIRST_AT = 2 * ROLE_BITS, 2 * ROLE_BITS + 4

Array = Any


@kernel
def first_of(career: int) -> int:
    """The first row of a career, as blocks have it."""
    return career >> _FIRST_AT


@kernel
def roles_of(career: int) -> tuple[int, int, int]:
    """(main role or 0, second role or 0, number of roles or `ANY`)."""
    return career >> ROLE_BITS & _MOST_ROLE, career & _MOST_ROLE, career >> _NUMBER_AT & 15


@kernel
def careers_of(table: Array, block: int) -> Array:
    """All careers of a block, and one more that begins behind the last row."""
    return as_i64(table[block, CAREERS], table[block, CAREERS_NUMBER] + 1)


@kernel
def by_career(table: Array, living: int, roles: int) -> tuple[Array, Array]:
    """(where the `living` rows of the table stand, block << 16 | row, in their new order; their careers)."""
    places, career = np.empty(living, np.int64), np.empty(living, np.int64)
    months = np.zeros(roles, np.int64)
    number = 0
    for block in range(table.shape[0]):
        rows = table[block, ROWS]
        alive = as_u64(table[block, ALIVE], (rows + 63) >> 6)
        for word in range(alive.size):
            bits = alive[word]
            while bits:
                row = word * 64 + np.int64(lowest(bits))
                bits &= bits - np.uint64(1)
                places[number] = block << 16 | row
                career[number] = _career_at(content_at(table, block, row), months)
                number += 1
    order = np.arange(living)
    for shift, most in ((_NUMBER_AT, ANY), (0, _MOST_ROLE), (ROLE_BITS, _MOST_ROLE)):
        order = _sorted(order, career, shift, most, max(roles, ANY + 1))
    runs = np.empty(living + 1, np.int64)
    number = 0
    for at in range(living):
        if at == 0 or career[order[at]] != career[order[at - 1]]:
            runs[number] = at << _FIRST_AT | career[order[at]]
            number += 1
    runs[number] = living << _FIRST_AT
    return places[order], runs[: number + 1].copy()


@kernel
def _sorted(order: Array, career: Array, shift: int, most: int, size: int) -> Array:
    """By one part of the career, of `size` values; who has the same keep their order."""
    first = np.zeros(size + 1, np.int64)
    for at in range(order.size):
        first[(career[order[at]] >> shift & most) + 1] += 1
    for at in range(size):
        first[at + 1] += first[at]
    ordered = np.empty_like(order)
    for at in range(order.size):
        part = career[order[at]] >> shift & most
        ordered[first[part]] = order[at]
        first[part] += 1
    return ordered


@kernel
def _career_at(at: int, months: Array) -> int:
    """`months` by role is all 0, and left so."""
    skills, at = varint_at(at)
    for _ in range(2 * skills):
        _, at = varint_at(at)
    entries, begin = varint_at(at)
    known, at = 0, begin
    for _ in range(entries):
        role, at = varint_at(at)
        held, at = varint_at(at)
        _, at = varint_at(at)
        known += held
        # One more than the months: 0 says that the role was not seen.
        months[role] += held + (0 if months[role] else 1)
    main = second = number = 0
    most = next_most = 0
    at = begin
    for _ in range(entries):
        role, at = varint_at(at)
        _, at = varint_at(at)
        _, at = varint_at(at)
        held = months[role]
        if held == 0:
            continue
        months[role] = 0
        number += 1
        if held > most:
            second, next_most = main, most
            main, most = role, held
        elif held > next_most:
            second, next_most = role, held
    if main > _MOST_ROLE or second > _MOST_ROLE:
        main = second = 0
        known = 0
    if number and (known == 0 or number > ANY):
        number = ANY
    return min(number, ANY) << _NUMBER_AT | main << ROLE_BITS | second


@kernel
def bound_careers(table: Array, block: int, plan: Array, units: Array) -> None:
    """Units that titles and experience may add at most, by career."""
    careers = careers_of(table, block)
    if not plan[HAS_ROLE]:
        units[:] = 0
        return
    title_of, gain_of, roles, most = plan[TITLE_UNITS], plan[GAIN_UNITS], plan[ROLES], plan[MOST_TITLE]
    unknown, gain = plan[UNKNOWN_TITLE], plan[EXPERIENCE_WEIGHT]
    for which in range(careers.size - 1):
        main, second, number = roles_of(careers[which])
        main, second = min(main, roles), min(second, roles)
        first, other = plan[title_of + main], plan[title_of + second]
        # The mean by months: the longest held weighs most, so it is highest where the first few weigh alike.
        if number == 0:
            worth = unknown
        elif number <= 2:
            worth = (max(first, other) + max(first, (first + other) >> 1)) >> 1
            worth += max(plan[gain_of + main], plan[gain_of + second])
        elif number == 3:
            worth = (most + max(first, (first + other) >> 1, (first + other + most) // 3)) >> 1
            worth += gain
        else:
            worth = max(most, unknown) + gain
        units[which] = worth + 3

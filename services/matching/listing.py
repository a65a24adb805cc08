"""What `scoring.assess` would say of rows that a search found, without unpacking them.

The figures come from a kernel, and the constraints' from what the judges said of every code; here they get
their names.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import starmap
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from services.matching.compiled import Wanted
from services.matching.details import (
    ASKED_FIGURES,
    BY_SKILL,
    CLOSENESS,
    CLOSEST,
    CREDITS,
    FIGURES,
    HELD,
    HOLDING,
    KNOWN,
    MONTHS,
    MUST_SKILLS,
    NEAR_FIGURES,
    NEVER,
    OF_FAMILY,
    RELEVANT,
    SHARE,
    SHOWN,
    TITLES,
    details,
)
from services.matching.domain import Profile, Shown, Tenure
from services.matching.judging import COLUMNS, Judged
from services.matching.scoring import SKILL_CRITERIA, Assessment, Plan, Shows, Titles, lacking
from services.matching.unpacking import Row, Unpacked
from services.matching.vocabulary import Vocabulary
from services.matching.wanted import SHEET_PARTS
from services.matching.weights import PPM
from shared.events.vocabulary import Must

Ints = npt.NDArray[np.int64]
Scored = tuple[Profile, Assessment]

VALUED = (*SKILL_CRITERIA, "role_experience", "role_fit", "role_skills")
"""The criteria whose values the kernel finds, in its order."""


class Lister:
    """Of a compiled plan: its `judged` are the constraints' verdicts by code."""

    def __init__(
        self, plan: Plan, vocabulary: Vocabulary, wanted: Wanted, judged: Mapping[str, Judged]
    ) -> None:
        skills, roles = vocabulary.skills.of, vocabulary.roles.of
        criteria = (*VALUED, *judged)
        self._plan = plan
        self._vocabulary = vocabulary
        self._wanted = wanted
        self._judged = judged
        self._near = [role for role in sorted(plan.experience) if role in roles]
        self._codes = (
            np.array([skills.get(one.skill, -1) for one in plan.asked], np.int64),
            np.array([roles[role] for role in self._near], np.int64),
            vocabulary.order_of_roles(),
        )
        self._columns = [criteria.index(criterion) for criterion in plan.weights]
        self._weights = np.array(list(plan.weights.values()), np.int64)

    def scored(self, table: Any, found: Sequence[tuple[int, Row]]) -> list[Scored]:
        """Of rows and their places (block << 16 | row) in a table."""
        if not found:
            return []
        rows, year = [row for _, row in found], self._plan.model.as_of.year
        assessments = self._assessments(table, np.array([place for place, _ in found], np.int64), rows)
        profiles = [Unpacked(row, self._vocabulary, year) for row in rows]
        return list(zip(profiles, assessments, strict=True))

    def _assessments(self, table: Any, places: Ints, rows: Sequence[Row]) -> Iterable[Assessment]:
        plan, wanted, size = self._plan, self._wanted, len(rows)
        figures = np.zeros((size, FIGURES), np.int64)
        skills = np.zeros((size, ASKED_FIGURES, len(plan.asked)), np.int64)
        tenures = np.zeros((size, NEAR_FIGURES, len(self._near)), np.int64)
        sheet = np.zeros((size, wanted.plan[SHEET_PARTS]), np.int64)
        details(table, wanted.plan, wanted.payload, places, *self._codes, figures, skills, tenures, sheet)
        verdicts = {name: _verdicts(name, judged, rows) for name, judged in self._judged.items()}
        values = np.column_stack([figures[:, MUST_SKILLS:], *[found for found, _ in verdicts.values()]])
        values = values[:, self._columns]
        units = (self._weights * values + PPM // 2) // PPM
        misses = np.zeros((size, len(plan.hard)), np.bool_)
        for at, (must, _) in enumerate(plan.hard):
            misses[:, at] = verdicts[must.value][1]
        shown = _bits(skills[:, SHOWN])
        return starmap(
            Assessment,
            zip(
                map(tuple, units.tolist()),
                map(tuple, values.tolist()),
                units.sum(axis=1).tolist(),
                self._shows(figures, skills, shown, sheet),
                self._titles(figures, tenures),
                figures[:, SHARE].tolist(),
                [self._missed(flags) for flags in misses.tolist()],
                [lacking(plan, bits) for bits in shown],
                (figures[:, OF_FAMILY] | skills[:, SHOWN].any(axis=1)).astype(np.bool_).tolist(),
                strict=True,
            ),
        )

    def _missed(self, flags: list[bool]) -> tuple[Must, ...]:
        return tuple([must for (must, _), missed in zip(self._plan.hard, flags, strict=True) if missed])

    def _shows(self, figures: Ints, skills: Ints, shown: list[int], sheet: Ints) -> Iterable[Shows]:
        names = self._vocabulary.skills.values
        judged = self._vocabulary.judged_in(self._plan.model.as_of.year)
        by: list[tuple[tuple[str, Shown] | None, ...]] = [
            tuple(
                [
                    (names[skill], judged[payload]) if skill >= 0 else None
                    for skill, payload in zip(*codes, strict=True)
                ]
            )
            for codes in skills[:, BY_SKILL:].tolist()
        ]
        return starmap(
            Shows,
            zip(
                map(tuple, skills[:, CREDITS].tolist()),
                shown,
                by,
                *figures[:, RELEVANT : HELD + 1].T.tolist(),
                [int.from_bytes(parts.tobytes(), "little") for parts in sheet.astype("<i8")],
                strict=True,
            ),
        )

    def _titles(self, figures: Ints, tenures: Ints) -> Iterable[Titles]:
        names = self._vocabulary.roles.values
        near = [
            tuple(
                [
                    (role, Tenure(months, faded, fresh, left if left != HOLDING else None))
                    for role, months, faded, fresh, left in zip(self._near, *held, strict=True)
                    if left != NEVER
                ]
            )
            for held in tenures.tolist()
        ]
        return starmap(
            Titles,
            zip(
                figures[:, KNOWN].tolist(),
                figures[:, MONTHS].tolist(),
                near,
                figures[:, TITLES].tolist(),
                [names[role] if role >= 0 else None for role in figures[:, CLOSEST].tolist()],
                figures[:, CLOSENESS].tolist(),
                strict=True,
            ),
        )


def _verdicts(criterion: str, judged: Judged, rows: Sequence[Row]) -> Judged:
    values, misses = judged
    codes = list(map(attrgetter(COLUMNS[criterion]), rows))
    return values[codes], misses[codes]


def _bits(flags: Ints) -> list[int]:
    """The flags of each row as one number, the first the lowest."""
    packed = np.packbits(flags.astype(np.bool_), axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]

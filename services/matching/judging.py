"""What a need's judges say of every code that occurs, so that nobody is judged one by one.

Where a fact has few values, the judge itself is asked about each; where it may have many (years, prices,
languages), the same arithmetic is done on arrays.
"""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from services.matching.constraints import CEFR, Fit, Judge
from services.matching.vocabulary import (
    CONTRACT_SHIFT,
    EDUCATION_SHIFT,
    MOST_SUMMED,
    REMOTE_SHIFT,
    REMOTES,
    SENIORITIES,
    STATED_YEARS,
    TRAITS,
    Vocabulary,
    contracts_of,
    derived_seniority,
    somebody,
)
from services.matching.weights import CLOSE_MISS, PPM, UNKNOWN
from shared.events.candidate import Candidate
from shared.events.need import Budget, Criteria
from shared.events.vocabulary import Cefr, Language

Values = npt.NDArray[np.int64]
Misses = npt.NDArray[np.bool_]
Judged = tuple[Values, Misses]
"""PPM, and whether it is a miss; by code of the column that `COLUMNS` names."""

COLUMNS = {
    "seniority": "traits",
    "location": "place",
    "remote": "traits",
    "start_by": "days",
    "contracts": "traits",
    "budget": "prices",
    "languages": "tongues",
    "min_years": "years",
    "min_education": "traits",
}


class Facts:
    """The vocabulary's values as arrays, and as candidates of whom nothing else is known. Grows with it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._places: list[Candidate] = []
        self._days: list[Candidate] = []
        self._prices = np.zeros((0, 3), np.int64)
        self._currencies: dict[str, int] = {}
        self._spoken = np.zeros((0, 3), np.int64)
        self._tongues = 0
        self._languages: dict[str, int] = {}

    def judged(self, name: str, judge: Judge, criteria: Criteria, margin_percent: float) -> Judged:
        """What the judge of the criterion `name` says of every code."""
        if name == "location":
            return _asked(judge, self.places())
        if name == "start_by":
            return _asked(judge, self.days())
        if name == "budget" and criteria.budget is not None:
            return self._budget(criteria.budget, margin_percent)
        if name == "languages":
            return self._spoken_by(sorted(set(criteria.languages), key=str))
        if name == "min_years":
            return _years(criteria.min_years or 0)
        people, shift, bits = _traits()[name]
        values, misses = _asked(judge, people)
        code = np.arange(TRAITS) >> shift & (1 << bits) - 1
        return values[code], misses[code]

    def places(self) -> list[Candidate]:
        for country, region in self._vocabulary.places.values[len(self._places) :]:
            self._places.append(somebody(country=country, region=region))
        return self._places

    def days(self) -> list[Candidate]:
        for day in self._vocabulary.days.values[len(self._days) :]:
            self._days.append(somebody(available_from=day))
        return self._days

    def _budget(self, budget: Budget, margin_percent: float) -> Judged:
        """As `constraints._budget`."""
        more = self._vocabulary.prices.values[len(self._prices) :]
        if more:
            numbers = self._currencies
            rows = [(rate, salary, numbers.setdefault(name, len(numbers))) for rate, salary, name in more]
            self._prices = np.concatenate([self._prices, np.array(rows, np.int64)])
        held = self._prices
        price = np.stack([held[:, 0] * (100 + int(margin_percent)), held[:, 1] * 100])
        limit = np.array([[(budget.day_rate or 0) * 100], [(budget.salary or 0) * 100]])
        compared = (limit > 0) & (price > 0) & (held[:, 2] == self._currencies.get(budget.currency, -1))
        fits = (compared & (price <= limit)).any(axis=0)
        known = compared.any(axis=0)
        best = np.where(compared, limit / np.maximum(price, 1), 0.0).max(axis=0)
        close = _closeness(np.maximum(0.0, best - 0.5), 0.5)
        return np.where(fits, PPM, np.where(known, close, UNKNOWN)), known & ~fits

    def _spoken_by(self, asked: list[Language]) -> Judged:
        """As `constraints.language_verdict` for each language asked."""
        more = self._vocabulary.tongues.values[self._tongues :]
        if more:
            numbers = self._languages
            rows = [
                (
                    code,
                    numbers.setdefault(language, len(numbers)),
                    CEFR.index(Cefr(level)) + 1 if level else 0,
                )
                for code, spoken in enumerate(more, self._tongues)
                for language, level in spoken
            ]
            self._spoken = np.concatenate([self._spoken, np.array(rows, np.int64).reshape(-1, 3)])
            self._tongues += len(more)
        values = np.zeros(self._tongues, np.int64)
        misses = np.zeros(self._tongues, np.bool_)
        for language in asked:
            mentions = self._spoken[self._spoken[:, 1] == self._languages.get(language.language, -1)]
            level = np.full(self._tongues, -1, np.int64)
            np.maximum.at(level, mentions[:, 0], mentions[:, 2])
            if language.level is None:
                values += np.where(level >= 0, PPM, UNKNOWN)
                continue
            wanted = CEFR.index(language.level) + 1
            missed = (level > 0) & (level < wanted)
            values += np.where(
                level >= wanted, PPM, np.where(missed, _closeness(level.clip(0), wanted), UNKNOWN)
            )
            misses |= missed
        return values // len(asked), misses


def _closeness(have: Any, want: float) -> Values:
    """As `constraints._closeness`, bit by bit."""
    found: Values = (CLOSE_MISS * have / want).astype(np.int64)
    return found


def _asked(judge: Judge, people: list[Candidate]) -> Judged:
    verdicts = [judge(one) for one in people]
    return (
        np.array([value for _, value in verdicts], np.int64),
        np.array([fit is Fit.MISSES for fit, _ in verdicts], np.bool_),
    )


def _years(wanted: int) -> Judged:
    """As `constraints._min_years`."""
    stated = np.arange(STATED_YEARS) / 10
    summed = np.arange(MOST_SUMMED - STATED_YEARS + 1) / 12
    missed = stated < wanted
    return (
        np.concatenate([
            np.where(missed, _closeness(stated, wanted), PPM),
            np.where(summed >= wanted, PPM, UNKNOWN),
        ]),
        np.concatenate([missed, np.zeros(len(summed), np.bool_)]),
    )  # fmt: skip


@cache
def _traits() -> dict[str, tuple[list[Candidate], int, int]]:
    """Of each code of a trait somebody who has it, and the bits where the code stands."""
    made = somebody
    seniority = [made(), *(made(seniority=one) for one in SENIORITIES), made(), made(), made()]
    for tenths in range(STATED_YEARS):
        seniority[derived_seniority(tenths)] = made(years=tenths / 10)
    return {
        "seniority": (seniority, 0, 3),
        "remote": ([made(), *(made(remote=one) for one in REMOTES)], REMOTE_SHIFT, 2),
        "contracts": ([made(contracts=contracts_of(bits)) for bits in range(16)], CONTRACT_SHIFT, 4),
        "min_education": (
            [made(), *(made(education=education) for education in range(15))], EDUCATION_SHIFT, 4,
        ),
    }  # fmt: skip

"""Everything asked about besides skills and roles: does a candidate fit, not fit, or does nobody know?

A judge says both whether and how well. Fitting earns all, an unknown fact half, a stated contrary value at
most `CLOSE_MISS`, by how close it comes. Only a stated contrary value is a miss.
"""

from collections.abc import Callable
from enum import IntEnum

from services.matching.weights import (
    CLOSE_MISS,
    ESTIMATED_SENIORITY_PERCENT,
    LATE_DAYS,
    MIDDLE_FROM_YEARS,
    PLACE_MISS,
    PPM,
    PRICE_FLOOR,
    SENIOR_FROM_YEARS,
    SENIORITY_STEPS,
    UNKNOWN,
    Weights,
)
from shared.events.candidate import Candidate
from shared.events.need import Budget, Criteria
from shared.events.vocabulary import Cefr, Language, Must, Remote, Seniority


class Fit(IntEnum):
    MISSES = 0
    UNKNOWN = 1
    FITS = 2


Verdict = tuple[Fit, int]
"""Whether, and how well in PPM."""
Judge = Callable[[Candidate], Verdict]

FITTING: Verdict = (Fit.FITS, PPM)
NOBODY_KNOWS: Verdict = (Fit.UNKNOWN, UNKNOWN)
MISSING: Verdict = (Fit.MISSES, 0)

CEFR = list(Cefr)
SENIORITIES = list(Seniority)

REMOTE_FITS = {
    Remote.NONE: {Remote.NONE},
    # Who works at the office may also do so in a team that is there part of the week.
    Remote.PARTIAL: {Remote.NONE, Remote.PARTIAL},
    Remote.FULL: {Remote.FULL},
}


def judges(criteria: Criteria, weights: Weights) -> dict[str, Judge]:
    """A judge for each criterion asked about, in a fixed order."""
    found: dict[str, Judge | None] = {
        "seniority": _seniority(criteria),
        "location": _location(criteria),
        "remote": _remote(criteria),
        "start_by": _start_by(criteria),
        "contracts": _contracts(criteria),
        "budget": _budget(criteria.budget, weights),
        "languages": _languages(criteria),
        "min_years": _min_years(criteria),
        "min_education": _min_education(criteria),
    }
    return {name: judge for name, judge in found.items() if judge is not None}


def hard_constraints(criteria: Criteria, asked: dict[str, Judge]) -> tuple[tuple[Must, Judge], ...]:
    """The musts that are about something asked, `skills` apart; in the order of `Must`."""
    return tuple((must, asked[must.value]) for must in Must if must in criteria.musts and must.value in asked)


def known_years(candidate: Candidate) -> float:
    """At least this many years of work: as stated, else the sum of the roles known."""
    if candidate.years is not None:
        return candidate.years
    return sum(role.months for role in candidate.roles) / 12


def seniority_of(candidate: Candidate) -> tuple[Seniority | None, bool]:
    """(seniority, whether it was derived): under 2 years junior, under 5 middle, from 5 on senior."""
    if candidate.seniority is not None:
        return candidate.seniority, False
    if candidate.years is None and not candidate.roles:
        return None, True
    years = known_years(candidate)
    if years < MIDDLE_FROM_YEARS:
        return Seniority.JUNIOR, True
    return (Seniority.MIDDLE if years < SENIOR_FROM_YEARS else Seniority.SENIOR), True


def country_of(candidate: Candidate) -> str | None:
    """ISO 3166-2 codes begin with the country's."""
    return candidate.country or (candidate.region[:2] if candidate.region else None)


def _closeness(have: float, want: float) -> int:
    return int(CLOSE_MISS * have / want) if want else 0


def _seniority(criteria: Criteria) -> Judge | None:
    if criteria.seniority is None:
        return None
    asked = SENIORITIES.index(criteria.seniority)

    def judge(candidate: Candidate) -> Verdict:
        held, derived = seniority_of(candidate)
        if held is None:
            return NOBODY_KNOWS
        step = SENIORITIES.index(held) - asked
        value = SENIORITY_STEPS[step]
        if derived:
            value = value * ESTIMATED_SENIORITY_PERCENT // 100
        return (Fit.FITS if step >= 0 else Fit.MISSES), value

    return judge


def _location(criteria: Criteria) -> Judge | None:
    if criteria.location is None:
        return None
    country, region = criteria.location.country, criteria.location.region

    def judge(candidate: Candidate) -> Verdict:
        held = country_of(candidate)
        if held is None:
            return NOBODY_KNOWS
        if held != country:
            return MISSING
        if region is None or candidate.region == region:
            return FITTING
        return NOBODY_KNOWS if candidate.region is None else (Fit.MISSES, PLACE_MISS)

    return judge


def _remote(criteria: Criteria) -> Judge | None:
    if criteria.remote is None:
        return None
    asked, fits = criteria.remote, REMOTE_FITS[criteria.remote]

    def judge(candidate: Candidate) -> Verdict:
        if candidate.remote is None:
            return NOBODY_KNOWS
        if candidate.remote in fits:
            return FITTING
        apart = {asked, candidate.remote} == {Remote.NONE, Remote.FULL}
        return MISSING if apart else (Fit.MISSES, CLOSE_MISS)

    return judge


def _start_by(criteria: Criteria) -> Judge | None:
    if criteria.start_by is None:
        return None
    wanted = criteria.start_by

    def judge(candidate: Candidate) -> Verdict:
        if candidate.available_from is None:
            return NOBODY_KNOWS
        late = (candidate.available_from - wanted).days
        if late <= 0:
            return FITTING
        return Fit.MISSES, _closeness(max(0, LATE_DAYS - late), LATE_DAYS)

    return judge


def _contracts(criteria: Criteria) -> Judge | None:
    if not criteria.contracts:
        return None
    accepted = frozenset(criteria.contracts)

    def judge(candidate: Candidate) -> Verdict:
        if not candidate.contracts:
            return NOBODY_KNOWS
        return MISSING if accepted.isdisjoint(candidate.contracts) else FITTING

    return judge


def _budget(budget: Budget | None, weights: Weights) -> Judge | None:
    """A day rate fits where, with the agency's margin on it, it is within the budget; a salary as it is."""
    if budget is None or (budget.day_rate is None and budget.salary is None):
        return None
    with_margin = 100 + int(weights.margin_percent)
    rate = (budget.day_rate or 0) * 100
    salary = (budget.salary or 0) * 100

    def judge(candidate: Candidate) -> Verdict:
        if candidate.currency != budget.currency:
            return NOBODY_KNOWS
        best = 0.0
        known = False
        for limit, price in (
            (rate, (candidate.day_rate or 0) * with_margin),
            (salary, (candidate.salary or 0) * 100),
        ):
            if limit and price:
                if price <= limit:
                    return FITTING
                known, best = True, max(best, limit / price)
        if not known:
            return NOBODY_KNOWS
        return Fit.MISSES, _closeness(max(0.0, best - PRICE_FLOOR), 1 - PRICE_FLOOR)

    return judge


def _languages(criteria: Criteria) -> Judge | None:
    if not criteria.languages:
        return None
    asked = sorted(set(criteria.languages), key=lambda language: (language.language, language.level or ""))

    def judge(candidate: Candidate) -> Verdict:
        verdicts = [language_verdict(language, candidate) for language in asked]
        return min(fit for fit, _ in verdicts), sum(value for _, value in verdicts) // len(verdicts)

    return judge


def language_verdict(asked: Language, candidate: Candidate) -> Verdict:
    """A language that is not named is unknown: few people list their mother tongue."""
    held = [spoken for spoken in candidate.languages if spoken.language == asked.language]
    if not held:
        return NOBODY_KNOWS
    if asked.level is None:
        return FITTING
    levels = [CEFR.index(spoken.level) + 1 for spoken in held if spoken.level is not None]
    if not levels:
        return NOBODY_KNOWS
    wanted = CEFR.index(asked.level) + 1
    return FITTING if max(levels) >= wanted else (Fit.MISSES, _closeness(max(levels), wanted))


def _min_years(criteria: Criteria) -> Judge | None:
    if not criteria.min_years:
        return None
    wanted = criteria.min_years

    def judge(candidate: Candidate) -> Verdict:
        years = known_years(candidate)
        if years >= wanted:
            return FITTING
        # The roles we know of may not be all of them: only a stated figure is a miss.
        return NOBODY_KNOWS if candidate.years is None else (Fit.MISSES, _closeness(years, wanted))

    return judge


def _min_education(criteria: Criteria) -> Judge | None:
    if not criteria.min_education:
        return None
    wanted = criteria.min_education

    def judge(candidate: Candidate) -> Verdict:
        if candidate.education is None:
            return NOBODY_KNOWS
        if candidate.education >= wanted:
            return FITTING
        return Fit.MISSES, _closeness(candidate.education, wanted)

    return judge

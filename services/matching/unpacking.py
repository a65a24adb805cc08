"""A row of the index as the candidate that it was packed from."""

from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from functools import cache, cached_property
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from services.matching.bare import maker_of
from services.matching.domain import Held, Profile, Shown, Tenure, held_roles
from services.matching.held import held_words
from services.matching.vocabulary import (
    CONTRACT_SHIFT,
    DERIVED,
    EDUCATION_SHIFT,
    MOST_HELD,
    REMOTE_SHIFT,
    REMOTES,
    SENIORITIES,
    STATED_YEARS,
    Vocabulary,
    contracts_of,
)
from services.matching.wanted import RECENT_MONTH
from shared.events.candidate import Candidate, HeldRole
from shared.events.vocabulary import Cefr, Language

_candidate, _made_role = maker_of(Candidate), maker_of(HeldRole)
_NOBODY = {
    **{name: field.default for name, field in Candidate.model_fields.items()},
    "revision": 0,
    "occurred_at": datetime.fromtimestamp(0, UTC),
    "candidate_id": "",
}


class Row(NamedTuple):
    """One row of a published block, to be unpacked. `numbers`: its content; the last six are codes."""

    candidate_id: str
    numbers: npt.NDArray[np.int64]
    revision: int
    traits: int
    place: int
    years: int
    days: int
    prices: int
    tongues: int

    @property
    def skills(self) -> list[list[int]]:
        """Codes of [skill, payload]."""
        end = 1 + 2 * int(self.numbers[0])
        found: list[list[int]] = self.numbers[1:end].reshape(-1, 2).tolist()
        return found

    @property
    def roles(self) -> list[list[int]]:
        """[Code of the role, months, number of the month in which it ended or 0]."""
        found: list[list[int]] = self.numbers[2 + 2 * int(self.numbers[0]) :].reshape(-1, 3).tolist()
        return found


class Unpacked(Profile):
    """The candidate of a row as compared in `year`; what `profile_of` makes of the event.

    Skills and facts are made when they are first asked for: of most who are listed, only a few are.
    """

    row: Row
    vocabulary: Vocabulary
    year: int

    def __init__(self, row: Row, vocabulary: Vocabulary, year: int) -> None:
        vars(self).update(row=row, vocabulary=vocabulary, year=year)

    @property
    def candidate_id(self) -> str:
        return self.row.candidate_id

    def kind_in(self, criterion: str) -> Hashable:
        return _KINDS[criterion](self.row)

    def held(self, criterion: str) -> Held:
        """The same of all of one kind, so it is remembered."""
        remembered, key = self.vocabulary.held, (criterion, self.kind_in(criterion))
        known: Held | None = remembered.get(key)
        if known is None:
            facts = _candidate({**_NOBODY, **_FACTS[criterion](self.row, self.vocabulary)})
            if len(remembered) >= MOST_HELD:
                remembered.clear()
            known = remembered[key] = Held(facts, held_words(criterion, facts))
        return known

    @cached_property
    def skills(self) -> dict[str, Shown]:
        names, judged = self.vocabulary.skills.values, self.vocabulary.judged_in(self.year)
        return dict(sorted([(names[skill], judged[payload]) for skill, payload in self.row.skills]))

    @cached_property
    def salience(self) -> int:
        return sum([shown.salience for shown in self.skills.values()])

    @cached_property
    def roles(self) -> dict[str, Tenure]:
        titles = self.vocabulary.roles.values
        stints = [(titles[role], months, _year_of(until)) for role, months, until in self.row.roles]
        return held_roles(stints, self.year)

    @cached_property
    def known(self) -> int:
        return sum([months for _, months, _ in self.row.roles])

    @cached_property
    def facts(self) -> Candidate:
        return _unpacked(self.row, self.vocabulary)


def _years_kind(row: Row) -> Hashable:
    """As stated, or months: the row's code has them only up to a limit."""
    months = [held for _, held, _ in row.roles]
    return row.years if row.years < STATED_YEARS else STATED_YEARS + sum(months), bool(months)


_KINDS: dict[str, Callable[[Row], Hashable]] = {
    "seniority": lambda row: row.traits & 7,
    "location": attrgetter("place"),
    "remote": lambda row: row.traits >> REMOTE_SHIFT & 3,
    "start_by": attrgetter("days"),
    "contracts": lambda row: row.traits >> CONTRACT_SHIFT & 15,
    "budget": attrgetter("prices"),
    "languages": attrgetter("tongues"),
    "min_years": _years_kind,
    "min_education": lambda row: row.traits >> EDUCATION_SHIFT,
}


def _prices(row: Row, vocabulary: Vocabulary) -> dict[str, Any]:
    day_rate, salary, currency = vocabulary.prices.values[row.prices]
    return {"day_rate": day_rate or None, "salary": salary or None, "currency": currency}


def _years(row: Row, _: Vocabulary) -> dict[str, Any]:
    seniority = row.traits & 7
    return {
        "years": row.years / 10 if row.years < STATED_YEARS else None,
        "seniority": SENIORITIES[seniority - 1] if 0 < seniority <= DERIVED else None,
    }


def _career(row: Row, vocabulary: Vocabulary) -> dict[str, Any]:
    """Of the roles, what they come to in years: as one."""
    months = [held for _, held, _ in row.roles]
    roles = (_made_role({"role": "", "months": sum(months), "until": None}),) if months else ()
    return _years(row, vocabulary) | {"roles": roles}


def _place(row: Row, vocabulary: Vocabulary) -> dict[str, Any]:
    country, region = vocabulary.places.values[row.place]
    return {"country": country, "region": region}


def _remote(row: Row, _: Vocabulary) -> dict[str, Any]:
    remote = row.traits >> REMOTE_SHIFT & 3
    return {"remote": REMOTES[remote - 1] if remote else None}


def _contracts(row: Row, _: Vocabulary) -> dict[str, Any]:
    return {"contracts": contracts_of(row.traits >> CONTRACT_SHIFT & 15)}


def _education(row: Row, _: Vocabulary) -> dict[str, Any]:
    education = row.traits >> EDUCATION_SHIFT
    return {"education": education - 1 if education else None}


def _days(row: Row, vocabulary: Vocabulary) -> dict[str, Any]:
    return {"available_from": vocabulary.days.values[row.days]}


def _tongues(row: Row, vocabulary: Vocabulary) -> dict[str, Any]:
    return {"languages": _languages(vocabulary.tongues.values[row.tongues])}


_FACTS: dict[str, Callable[[Row, Vocabulary], dict[str, Any]]] = {
    "seniority": _career,
    "location": _place,
    "remote": _remote,
    "start_by": _days,
    "contracts": _contracts,
    "budget": _prices,
    "languages": _tongues,
    "min_years": _career,
    "min_education": _education,
}
"""The fields that each criterion is about."""


def _unpacked(row: Row, vocabulary: Vocabulary) -> Candidate:
    """The candidate of a row, as a shared event without the skills; its time is that of the revision."""
    titles = vocabulary.roles.values
    facts: dict[str, Any] = {
        "revision": row.revision,
        "occurred_at": datetime.fromtimestamp(min(row.revision, 4_000_000_000_000) / 1000, UTC),
        "candidate_id": row.candidate_id,
        "skills": (),
        "roles": tuple([_held_role(titles[role], months, until) for role, months, until in row.roles]),
    }
    for unpacked in (_years, _place, _remote, _contracts, _education, _days, _prices, _tongues):
        facts |= unpacked(row, vocabulary)
    return _candidate(facts)


@cache
def _month_of(until: int) -> tuple[int, int]:
    """(year, month) of what `packing.month_code` makes of them."""
    away = until - 1
    year, month = divmod(RECENT_MONTH + (away >> 1 ^ -(away & 1)) - 1, 12)
    return year, month + 1


def _year_of(until: int) -> int | None:
    return _month_of(until)[0] if until else None


def _held_role(role: str, months: int, until: int) -> HeldRole:
    left = "{:04}-{:02}".format(*_month_of(until)) if until else None
    return _made_role({"role": role, "months": months, "until": left})


@cache
def _languages(tongue: tuple[tuple[str, str], ...]) -> tuple[Language, ...]:
    return tuple(
        Language.model_construct(language=language, level=Cefr(level) if level else None)
        for language, level in tongue
    )

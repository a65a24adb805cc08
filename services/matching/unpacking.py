"""A row of the index as the candidate that it was packed from."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

from services.matching.bare import maker_of
from services.matching.domain import Profile, held_roles
from services.matching.vocabulary import (
    CONTRACT_SHIFT,
    DERIVED,
    EDUCATION_SHIFT,
    REMOTE_SHIFT,
    REMOTES,
    SENIORITIES,
    STATED_YEARS,
    Vocabulary,
    contracts_of,
)
from shared.events.candidate import Candidate, HeldRole
from shared.events.vocabulary import Cefr, Language

_candidate, _made_role = maker_of(Candidate), maker_of(HeldRole)


class Row:
    """One row of a published block, to be unpacked."""

    __slots__ = (
        "candidate_id", "day", "numbers", "place", "price", "revision", "tongue", "traits", "years",
    )  # fmt: skip

    def __init__(self, candidate_id: str, revision: int, numbers: list[int], codes: Sequence[int]) -> None:
        self.candidate_id = candidate_id
        self.revision = revision
        self.numbers = numbers
        self.traits, self.place, self.years, self.day, self.price, self.tongue = codes


def profile(row: Row, vocabulary: Vocabulary, year: int) -> Profile:
    """The candidate of a row as compared in `year`; what `profile_of` makes of the event."""
    names, judged, numbers = vocabulary.skills.values, vocabulary.judged_in(year), row.numbers
    end = 1 + 2 * numbers[0]
    held = zip([names[at] for at in numbers[1:end:2]], [judged[at] for at in numbers[2:end:2]], strict=True)
    skills = dict(sorted(held))
    titles, last = vocabulary.roles.values, end + 1 + 3 * numbers[end]
    roles = tuple(
        [_held_role(titles[numbers[at]], numbers[at + 1], numbers[at + 2]) for at in range(end + 1, last, 3)]
    )
    whole = sum([shown.salience for shown in skills.values()])
    return Profile(_unpacked(row, vocabulary, roles), skills, whole, *held_roles(roles, year))


def _unpacked(row: Row, vocabulary: Vocabulary, roles: tuple[HeldRole, ...]) -> Candidate:
    """The candidate of a row, as a shared event without the skills; its time is that of the revision."""
    country, region = vocabulary.places.values[row.place]
    day_rate, salary, currency = vocabulary.prices.values[row.price]
    seniority = row.traits & 7
    remote = row.traits >> REMOTE_SHIFT & 3
    education = row.traits >> EDUCATION_SHIFT
    return _candidate(
        {
            "revision": row.revision,
            "occurred_at": datetime.fromtimestamp(min(row.revision, 4_000_000_000_000) / 1000, UTC),
            "candidate_id": row.candidate_id,
            "skills": (),
            "roles": roles,
            "years": row.years / 10 if row.years < STATED_YEARS else None,
            "seniority": SENIORITIES[seniority - 1] if 0 < seniority <= DERIVED else None,
            "country": country,
            "region": region,
            "remote": REMOTES[remote - 1] if remote else None,
            "available_from": vocabulary.days.values[row.day],
            "contracts": contracts_of(row.traits >> CONTRACT_SHIFT & 15),
            "day_rate": day_rate or None,
            "salary": salary or None,
            "currency": currency,
            "languages": _languages(vocabulary.tongues.values[row.tongue]),
            "education": education - 1 if education else None,
        },
    )


def _held_role(role: str, months: int, until: int) -> HeldRole:
    year, month = divmod(until - 1, 12)
    return _made_role(
        {"role": role, "months": months, "until": f"{year:04}-{month + 1:02}" if until else None},
    )


@cache
def _languages(tongue: tuple[tuple[str, str], ...]) -> tuple[Language, ...]:
    return tuple(
        Language.model_construct(language=language, level=Cefr(level) if level else None)
        for language, level in tongue
    )

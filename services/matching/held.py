"""What is known of a candidate for each of a need's constraints, in codes and figures."""

from collections.abc import Callable

from services.matching.constraints import country_of, known_years, seniority_of
from shared.events.candidate import Candidate


def held_words(criterion: str, candidate: Candidate) -> str:
    """What is known of a candidate for a criterion, in codes and figures; empty where nothing is."""
    return str(_HELD[criterion](candidate))


def _prices(candidate: Candidate) -> str:
    if not candidate.day_rate and not candidate.salary:
        return ""
    return f"{candidate.day_rate or '-'}/{candidate.salary or '-'} {candidate.currency}"


def _spoken(candidate: Candidate) -> str:
    named = {f"{spoken.language} {spoken.level or ''}".strip() for spoken in candidate.languages}
    return ", ".join(sorted(named))


_HELD: dict[str, Callable[[Candidate], str]] = {
    "seniority": lambda candidate: seniority_of(candidate)[0] or "",
    "location": lambda candidate: candidate.region or country_of(candidate) or "",
    "remote": lambda candidate: candidate.remote or "",
    "start_by": lambda candidate: str(candidate.available_from or ""),
    "contracts": lambda candidate: ", ".join(sorted(set(candidate.contracts))),
    "budget": _prices,
    "languages": _spoken,
    "min_years": lambda candidate: (
        f"{known_years(candidate):.3g}" if candidate.years or candidate.roles else ""
    ),
    "min_education": lambda candidate: (
        f"Bac+{candidate.education}" if candidate.education is not None else ""
    ),
}

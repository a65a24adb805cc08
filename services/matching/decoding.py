"""Candidates' records read fast: msgspec where it understands them exactly as the event's model would.

What it refuses, or has doubts about, goes to `shared.events.wire.decode`, which alone decides what a bad
record is. So whatever is accepted here, the model accepts too, with the same values.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.reader import RawRecord

Years = Annotated[float, Meta(ge=0, le=60)]


class _Skill(msgspec.Struct, gc=False):
    skill: str
    level: Annotated[int, Meta(ge=1, le=5)] | None = None
    estimated: bool = False
    years: Years | None = None
    last_used: Annotated[int, Meta(ge=1950, le=2200)] | None = None
    mentions: Annotated[int, Meta(ge=0)] = 0


class _Role(msgspec.Struct, gc=False):
    role: str
    months: Annotated[int, Meta(ge=0, le=720)]
    until: str | None = None


class _Language(msgspec.Struct, gc=False):
    language: str
    level: Literal["A1", "A2", "B1", "B2", "C1", "C2"] | None = None


class LeanCandidate(msgspec.Struct, gc=False):
    """A `Candidate` with its fields, unconverted enumerations aside."""

    revision: Annotated[int, Meta(ge=0)]
    occurred_at: datetime
    candidate_id: str
    skills: list[_Skill] = []
    roles: list[_Role] = []
    years: Years | None = None
    seniority: Literal["junior", "middle", "senior", "lead"] | None = None
    country: str | None = None
    region: str | None = None
    remote: Literal["none", "partial", "full"] | None = None
    available_from: date | None = None
    contracts: list[Literal["permanent", "fixed_term", "freelance", "apprenticeship"]] = []
    day_rate: Annotated[int, Meta(gt=0)] | None = None
    salary: Annotated[int, Meta(gt=0)] | None = None
    currency: str = "EUR"
    languages: list[_Language] = []
    education: Annotated[int, Meta(ge=0, le=12)] | None = None


SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
FORMS: dict[str, Callable[[str], object]] = {
    "slug": lambda text: len(text) <= 80 and SLUG.fullmatch(text),
    "country": re.compile(r"[A-Z]{2}").fullmatch,
    "region": re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}").fullmatch,
    "currency": re.compile(r"[A-Z]{3}").fullmatch,
    "language": re.compile(r"[a-z]{2}").fullmatch,
    "month": lambda text: re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text) and text >= "0001",
}
"""As `shared/events/vocabulary.py` has them."""
MOST_KEPT = 100_000
LATEST_REVISION = 2**62


class Reader:
    """Remembers which slugs, regions, … were right, since the same ones come again and again."""

    def __init__(self) -> None:
        self._decode: Callable[[bytes], LeanCandidate] = msgspec.json.Decoder(LeanCandidate).decode
        self._right: dict[str, set[str]] = {form: set() for form in FORMS}

    def read(self, raw: RawRecord) -> LeanCandidate | None:
        """The candidate, or None where the slow way has to look at the record."""
        if raw.value is None or raw.key is None:
            return None
        found = self.parsed(raw.value)
        return found if found is not None and raw.key == found.candidate_id.encode() else None

    def parsed(self, value: bytes) -> LeanCandidate | None:
        """As `read`, whatever the record's key is."""
        try:
            found = self._decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        return found if found.revision <= LATEST_REVISION and self._is_right(found) else None

    def _is_right(self, found: LeanCandidate) -> bool:
        return (
            self._all("slug", [held.skill for held in found.skills])
            and self._all("slug", [held.role for held in found.roles])
            and self._all("month", [held.until for held in found.roles if held.until is not None])
            and self._all("language", [spoken.language for spoken in found.languages])
            and (found.country is None or self._all("country", [found.country]))
            and (found.region is None or self._all("region", [found.region]))
            and self._all("currency", [found.currency])
        )

    def _all(self, form: str, texts: list[str]) -> bool:
        right = self._right[form]
        if right.issuperset(texts):
            return True
        if not all(FORMS[form](text) for text in texts):
            return False
        if len(right) > MOST_KEPT:
            right.clear()
        right.update(texts)
        return True

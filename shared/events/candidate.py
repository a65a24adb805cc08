"""intake.candidates.v1: what ranking may know of a candidate. Pseudonymous, and no free text."""

from datetime import date

from pydantic import Field

from shared.events.topic import Event, Fact, Topic
from shared.events.vocabulary import (
    Contract,
    Country,
    Currency,
    Language,
    Level,
    Month,
    Region,
    Remote,
    Seniority,
    Slug,
)


class HeldSkill(Fact):
    """A skill a candidate shows. `estimated` marks a level that nobody stated but was derived."""

    skill: Slug
    level: Level | None = None
    estimated: bool = False
    years: float | None = Field(default=None, ge=0, le=60)
    last_used: int | None = Field(default=None, ge=1950, le=2200)
    mentions: int = Field(default=0, ge=0)


class HeldRole(Fact):
    """Months in a role; `until` is absent where the role is held today, or nothing says that it was left."""

    role: Slug
    months: int = Field(ge=0, le=720)
    until: Month | None = None


class Candidate(Event):
    candidate_id: str
    skills: tuple[HeldSkill, ...] = ()
    roles: tuple[HeldRole, ...] = ()
    years: float | None = Field(default=None, ge=0, le=60)
    seniority: Seniority | None = None
    country: Country | None = None
    region: Region | None = None
    remote: Remote | None = None
    available_from: date | None = None
    contracts: tuple[Contract, ...] = ()
    day_rate: int | None = Field(default=None, gt=0)
    salary: int | None = Field(default=None, gt=0)
    currency: Currency = "EUR"
    languages: tuple[Language, ...] = ()
    education: int | None = Field(default=None, ge=0, le=12)


CANDIDATES = Topic(
    "intake.candidates.v1",
    Candidate,
    key="candidate_id",
    partitions=12,
    compacted=True,
    producers=("intake",),
    consumers=("matching", "notifier"),
)

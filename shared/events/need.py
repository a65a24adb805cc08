"""intake.needs.v1: what a client asked for, in the client's own facts."""

from datetime import date
from enum import StrEnum

from pydantic import Field

from shared.events.topic import Event, Fact, Topic
from shared.events.vocabulary import (
    Contract,
    Currency,
    Language,
    Level,
    Locale,
    Location,
    Must,
    Remote,
    Seniority,
    Slug,
)


class NeedState(StrEnum):
    """What the client says of the need. How far the agency got with it is intake's timeline, not an event."""

    OPEN = "open"
    WITHDRAWN = "withdrawn"
    FILLED = "filled"


class AskedSkill(Fact):
    skill: Slug
    level: Level = 3
    must: bool = False


class Budget(Fact):
    """Whole units of `currency`: a day rate before VAT, a salary gross a year."""

    day_rate: int | None = Field(default=None, gt=0)
    salary: int | None = Field(default=None, gt=0)
    currency: Currency = "EUR"


class Contact(Fact):
    name: str
    email: str
    phone: str | None = None


class Criteria(Fact):
    """What a ranking reads of a need: nothing here names the client."""

    role_id: Slug | None = None
    title: str
    skills: tuple[AskedSkill, ...] = ()
    seniority: Seniority | None = None
    min_years: int | None = Field(default=None, ge=0, le=60)
    location: Location | None = None
    remote: Remote | None = None
    start_by: date | None = None
    min_education: int | None = Field(default=None, ge=0, le=12)
    contracts: tuple[Contract, ...] = ()
    budget: Budget | None = None
    languages: tuple[Language, ...] = ()
    musts: tuple[Must, ...] = ()


class Need(Event, Criteria):
    need_id: str
    reference: str
    status: NeedState = NeedState.OPEN
    company: str
    contact: Contact
    positions: int = Field(default=1, ge=1)
    duration_months: int | None = Field(default=None, gt=0)
    description: str | None = None
    locale: Locale = Locale.FR


NEEDS = Topic(
    "intake.needs.v1",
    Need,
    key="need_id",
    partitions=12,
    compacted=True,
    producers=("intake",),
    consumers=("matching", "notifier"),
)

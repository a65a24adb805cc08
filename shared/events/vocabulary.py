"""Words that several topics share: enums and small value types of recruitment."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from shared.events.topic import Fact


class Locale(StrEnum):
    FR = "fr"
    EN = "en"


class Seniority(StrEnum):
    JUNIOR = "junior"
    MIDDLE = "middle"
    SENIOR = "senior"
    LEAD = "lead"


class Remote(StrEnum):
    """How far the work is done away from the office."""

    NONE = "none"
    PARTIAL = "partial"
    FULL = "full"


class Contract(StrEnum):
    PERMANENT = "permanent"
    FIXED_TERM = "fixed_term"
    FREELANCE = "freelance"
    APPRENTICESHIP = "apprenticeship"


class Cefr(StrEnum):
    """Language levels of the Common European Framework of Reference."""

    A1 = "A1"
    A2 = "A2"
    B1 = "B1"
    B2 = "B2"
    C1 = "C1"
    C2 = "C2"


class Must(StrEnum):
    """A criterion the client marks as a hard constraint. SKILLS means every must skill."""

    LOCATION = "location"
    REMOTE = "remote"
    START_BY = "start_by"
    CONTRACTS = "contracts"
    BUDGET = "budget"
    LANGUAGES = "languages"
    MIN_YEARS = "min_years"
    MIN_EDUCATION = "min_education"
    SKILLS = "skills"


class CareerPath(StrEnum):
    MANAGEMENT = "management"
    TECHNICAL = "technical"


class SkillKind(StrEnum):
    SKILL = "skill"
    SOFT = "soft"
    METHOD = "method"
    CERTIFICATION = "certification"
    LANGUAGE = "language"


def _month_exists(value: str) -> str:
    date.fromisoformat(f"{value}-01")
    return value


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Level = Annotated[int, Field(ge=1, le=5)]
Month = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}$"), AfterValidator(_month_exists)]
"""A month as ISO 8601 writes it, `2026-09`."""
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""
Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}-[A-Z0-9]{1,3}$")]
"""ISO 3166-2."""
LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
"""ISO 639-1."""
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""ISO 4217."""


class LocalizedText(Fact):
    fr: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def in_(self, locale: Locale) -> str:
        return self.fr if locale is Locale.FR else self.en


class Location(Fact):
    country: Country
    region: Region | None = None
    city: str | None = Field(default=None, max_length=100)


class Language(Fact):
    """A human language; the level is absent where nobody stated it."""

    language: LanguageCode
    level: Cefr | None = None

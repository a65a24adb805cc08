"""Fields of requests: bounded, trimmed, and safe wherever they may stand in a mail's header."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from services.intake.domain.codes import COUNTRIES, LANGUAGES
from shared.events.need import Budget
from shared.events.vocabulary import Cefr, Country, Currency, LanguageCode, Region

Errors = Sequence[tuple[str, str]]

_BIDI = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_KEPT_CONTROLS = frozenset("\n\t")
_PHONE = re.compile(r"\+?[0-9 ().\-/]{4,40}")


class Refusal(ValueError):  # noqa: N818 - what the domain does with the request
    """The request is not accepted: (JSON pointer, what is wrong) for each bad field."""

    def __init__(self, errors: Errors) -> None:
        super().__init__("; ".join(f"{pointer}: {detail}" for pointer, detail in errors))
        self.errors = list(errors)


class Request(BaseModel):
    """A part of a request: unknown fields are refused, and nothing is converted ("4" is not 4)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def header_text(limit: int) -> Callable[[str], str]:
    """One trimmed line that can stand in a mail's header.

    Control characters, line separators, bidirectional controls and `=?` (the start of an RFC 2047 encoded
    word, which some mail libraries decode into headers of its own) are refused before trimming.
    """

    def check(value: str) -> str:
        if any(unicodedata.category(char) in {"Cc", "Zl", "Zp", "Cs"} or char in _BIDI for char in value):
            raise ValueError("line breaks and control characters are not accepted")
        if "=?" in value:
            raise ValueError("the characters =? are not accepted")
        trimmed = " ".join(value.split())
        if not trimmed:
            raise ValueError("must not be empty")
        if len(trimmed) > limit:
            raise ValueError(f"at most {limit} characters are accepted")
        return trimmed

    return check


def free_text(limit: int) -> Callable[[str], str]:
    """Several lines: line ends become \\n, other control characters are dropped."""

    def check(value: str) -> str:
        if len(value) > limit:
            raise ValueError(f"at most {limit:,} characters are accepted")
        unified = value.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
        return "".join(
            char
            for char in unified
            if char in _KEPT_CONTROLS or unicodedata.category(char) not in {"Cc", "Cs"}
        ).strip()

    return check


def _email(value: str) -> str:
    """The address in ASCII (an international domain as xn--…). Its syntax is checked, nothing looked up."""
    try:
        found = validate_email(
            header_text(254)(value), check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except EmailNotValidError as error:
        raise ValueError(f"not a valid e-mail address: {error}") from error
    return found.ascii_email or found.normalized


def _phone(value: str) -> str:
    trimmed = header_text(40)(value)
    if not _PHONE.fullmatch(trimmed) or sum(char.isdigit() for char in trimmed) < 4:
        raise ValueError("not a phone number: digits, spaces and + ( ) . - / are accepted")
    return trimmed


def _known_country(value: str) -> str:
    if value not in COUNTRIES:
        raise ValueError("not a country code of ISO 3166-1")
    return value


def _known_language(value: str) -> str:
    if value not in LANGUAGES:
        raise ValueError("not a language code of ISO 639-1")
    return value


Name = Annotated[str, AfterValidator(header_text(120))]
Title = Annotated[str, AfterValidator(header_text(160))]
City = Annotated[str, AfterValidator(header_text(100))]
SkillName = Annotated[str, AfterValidator(header_text(80))]
Email = Annotated[str, AfterValidator(_email)]
Phone = Annotated[str, AfterValidator(_phone)]
Description = Annotated[str, AfterValidator(free_text(20_000))]
CvText = Annotated[str, AfterValidator(free_text(200_000))]
Money = Annotated[int, Field(gt=0, le=10_000_000)]


class LocationRequest(Request):
    country: Annotated[Country, AfterValidator(_known_country)]
    region: Region | None = None
    city: City | None = None

    def problems(self, pointer: str) -> list[tuple[str, str]]:
        if self.region is not None and not self.region.startswith(f"{self.country}-"):
            return [(f"{pointer}/region", f"{self.region} is not a region of {self.country}")]
        return []


class LanguageRequest(Request):
    language: Annotated[LanguageCode, AfterValidator(_known_language)]
    level: Cefr | None = None


class BudgetRequest(Request):
    day_rate: Money | None = None
    salary: Money | None = None
    currency: Currency = "EUR"

    @model_validator(mode="after")
    def _says_something(self) -> "BudgetRequest":
        if self.day_rate is None and self.salary is None:
            raise ValueError("day_rate or salary is required")
        return self

    def fact(self) -> Budget:
        return Budget.model_validate(self.model_dump())

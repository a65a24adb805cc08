"""A need as `/api/rank` and `/api/preview` take it: the fields of POST /api/needs, read by the catalogue."""

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.matching.domain import Knowledge
from services.matching.weights import HEAVIEST
from shared.events.need import AskedSkill, Budget, Criteria
from shared.events.vocabulary import (
    Cefr,
    Contract,
    Country,
    Currency,
    Language,
    LanguageCode,
    Level,
    Locale,
    Location,
    Must,
    Region,
    Remote,
    Seniority,
    Slug,
)

Errors = list[tuple[str, str]]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=160)]
Money = Annotated[int, Field(gt=0, le=10_000_000)]


class Request(BaseModel):
    """A part of a request: unknown fields are refused, and nothing is converted ("4" is not 4)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class SkillRequest(Request):
    skill: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    level: Level = 3
    must: bool = False


class LocationRequest(Request):
    country: Country
    region: Region | None = None
    city: Annotated[str, StringConstraints(max_length=100)] | None = None


class LanguageRequest(Request):
    language: LanguageCode
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


class NeedRequest(Request):
    """What ranking does not read (company, contact, description, …) may be there, and is passed over."""

    role_id: Slug | None = None
    title: Words | None = None
    skills: Annotated[tuple[SkillRequest, ...], Field(max_length=60)] = ()
    seniority: Seniority | None = None
    min_years: Annotated[int, Field(ge=0, le=60)] | None = None
    location: LocationRequest | None = None
    remote: Remote | None = None
    start_by: date | None = None
    min_education: Annotated[int, Field(ge=0, le=12)] | None = None
    contracts: Annotated[tuple[Contract, ...], Field(max_length=8)] = ()
    budget: BudgetRequest | None = None
    languages: Annotated[tuple[LanguageRequest, ...], Field(max_length=15)] = ()
    musts: Annotated[tuple[Must, ...], Field(max_length=18)] = ()
    company: Words | None = None
    contact: dict[str, Any] | None = None
    positions: Annotated[int, Field(ge=1, le=500)] = 1
    duration_months: Annotated[int, Field(ge=1, le=120)] | None = None
    description: Annotated[str, StringConstraints(max_length=20_000)] | None = None
    locale: Locale = Locale.FR


class RankRequest(Request):
    """`weights`: what differs from the usual ones in this ranking alone; see docs/ranking.md."""

    need: NeedRequest
    limit: Annotated[int, Field(ge=1, le=10_000)] = 50
    weights: dict[str, Annotated[float, Field(ge=0, le=HEAVIEST)]] = {}


class PreviewRequest(Request):
    need: NeedRequest


class BadNeed(ValueError):  # noqa: N818 - what the catalogue makes of the request
    """(JSON pointer, what is wrong) for each field that cannot be accepted."""

    def __init__(self, errors: Errors) -> None:
        super().__init__("; ".join(f"{pointer}: {detail}" for pointer, detail in errors))
        self.errors = errors


def criteria_of(need: NeedRequest, knowledge: Knowledge, today: date, pointer: str = "/need") -> Criteria:
    """The need as it is ranked, skills by their canonical ids. Raises BadNeed."""
    errors = [(pointer + where, detail) for where, detail in _problems(need, knowledge, today)]
    skills: list[AskedSkill] = []
    for at, asked in enumerate(need.skills):
        skill_id = knowledge.taxonomy.resolve(asked.skill)
        if skill_id is None:
            errors.append((f"{pointer}/skills/{at}/skill", "there is no such skill; see GET /api/skills?q="))
        else:
            skills.append(AskedSkill(skill=skill_id, level=asked.level, must=asked.must))
    if errors:
        raise BadNeed(errors)
    role_id = need.role_id or knowledge.role_names.resolve(need.title or "")
    return Criteria(
        role_id=role_id,
        title=need.title or (knowledge.roles[role_id].title.in_(need.locale) if role_id else ""),
        skills=tuple(skills),
        seniority=need.seniority,
        min_years=need.min_years,
        location=Location(**need.location.model_dump()) if need.location else None,
        remote=need.remote,
        start_by=need.start_by,
        min_education=need.min_education,
        contracts=need.contracts,
        budget=Budget(**need.budget.model_dump()) if need.budget else None,
        languages=tuple(Language(**language.model_dump()) for language in need.languages),
        musts=need.musts,
    )


def _problems(need: NeedRequest, knowledge: Knowledge, today: date) -> Errors:
    errors: Errors = []
    if need.role_id is None and need.title is None:
        errors.append(("/role_id", "role_id or title is required"))
    if need.role_id is not None and need.role_id not in knowledge.roles:
        errors.append(("/role_id", "there is no such role in the catalogue; GET /api/roles lists them"))
    if need.start_by is not None and need.start_by < today:
        errors.append(("/start_by", "this date is in the past"))
    location = need.location
    if location is not None and location.region and not location.region.startswith(f"{location.country}-"):
        errors.append(("/location/region", f"{location.region} is not a region of {location.country}"))
    return errors

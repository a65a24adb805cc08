"""A candidate: the request, and what counts for ranking. Names, contacts and texts never leave intake."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from services.intake.domain.fields import (
    CvText,
    Email,
    LanguageRequest,
    LocationRequest,
    Money,
    Name,
    Phone,
    Refusal,
    Request,
    SkillName,
    header_text,
)
from services.intake.domain.lexicon import Lexicon
from services.intake.reading.found import CvDocument, Post, Reading, SkillFound
from services.intake.reading.periods import total_months
from shared.events.candidate import Candidate, HeldRole, HeldSkill
from shared.events.vocabulary import Contract, Currency, Level, Month, Remote

_LIKE_AN_EMAIL = re.compile(r"\S@\S")
_HIGHEST_ESTIMATE = 4
_OLD_CV_YEARS = 4
"""A CV that tells of nothing for so many calendar years is rather old than of somebody without work since."""


def _external_id(value: str) -> str:
    trimmed = header_text(120)(value)
    if _LIKE_AN_EMAIL.search(trimmed):
        raise ValueError("must not be an e-mail address: it would stand where personal data may not")
    return trimmed


class BasisKind(StrEnum):
    """Why the candidate's data may be used: GDPR article 6 (1) (a) and (f)."""

    CONSENT = "consent"
    LEGITIMATE_INTEREST = "legitimate_interest"


class Basis(Request):
    """`until` is the last day on which it holds."""

    kind: BasisKind
    until: date
    source: Name | None = None


class SkillStated(Request):
    skill: SkillName
    level: Level | None = None
    years: Annotated[float, Field(ge=0, le=60)] | None = None


class RoleStated(Request):
    role: Name
    months: Annotated[int, Field(ge=0, le=720)]
    until: Month | None = None


MOST_SKILLS = 200


class CandidateRequest(Request):
    """The body of POST /api/candidates, and a line of a batch."""

    external_id: Annotated[str, AfterValidator(_external_id)] | None = None
    name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None
    skills: Annotated[tuple[SkillStated, ...], Field(max_length=MOST_SKILLS)] = ()
    cv_text: CvText | None = None
    roles: Annotated[tuple[RoleStated, ...], Field(max_length=60)] = ()
    years: Annotated[float, Field(ge=0, le=60)] | None = None
    location: LocationRequest | None = None
    remote: Remote | None = None
    available_from: date | None = None
    contracts: Annotated[tuple[Contract, ...], Field(max_length=8)] = ()
    day_rate: Money | None = None
    salary: Money | None = None
    currency: Currency = "EUR"
    languages: Annotated[tuple[LanguageRequest, ...], Field(max_length=20)] = ()
    education: Annotated[int, Field(ge=0, le=12)] | None = None
    basis: Basis | None = None


@dataclass(frozen=True)
class Profile:
    """What counts of a candidate.

    `facts` are the event's fields without id and revision, as JSON values; `evidence` the sentences that show
    a skill, by skill id, for the store alone; `listed` whether the legal basis allows ranking today;
    `read_with` the catalogue's revision; `reading` what the text says, before what was stated outranks it;
    `document` the file, where one came.
    """

    facts: dict[str, Any]
    evidence: dict[str, list[str]]
    unmapped: list[str]
    warnings: list[str]
    listed: bool
    read_with: int
    reading: Reading = field(default_factory=Reading)
    document: CvDocument | None = None


def refuse_impossible(request: CandidateRequest, *, cv: bool = False) -> None:
    """Raises Refusal for what the types cannot judge; `cv` says that a file came with the request."""
    if errors := _problems(request, cv):
        raise Refusal(errors)


def read_candidate(
    request: CandidateRequest,
    reading: Reading,
    lexicon: Lexicon,
    today: date,
    document: CvDocument | None = None,
) -> Profile:
    """What counts, of what was stated and what was read. What is stated outranks what was read."""
    found = {one.skill: one for one in reading.skills}
    skills, unmapped = _skills(request, found, lexicon)
    roles, warnings = _roles(request, reading, lexicon, today)
    facts = _read_facts(reading) | request.model_dump(
        mode="json",
        exclude_none=True,
        exclude_defaults=True,
        include={
            "years", "remote", "available_from", "contracts", "day_rate", "salary", "languages", "education",
        },
    )  # fmt: skip
    facts["currency"] = request.currency
    facts["skills"] = [skill.model_dump(mode="json", exclude_none=True) for skill in skills.values()]
    facts["roles"] = [role.model_dump(mode="json", exclude_none=True) for role in roles]
    facts["contracts"] = list(dict.fromkeys(facts["contracts"]))
    if request.location is not None:
        # Region and country only: a town beside a few rare skills could name a person.
        facts.pop("region", None)
        facts |= request.location.model_dump(mode="json", exclude_none=True, include={"country", "region"})
    listed = request.basis is not None and request.basis.until >= today
    if request.basis is None:
        warnings.append("without a legal basis (basis) the candidate is stored, but not ranked")
    elif not listed:
        warnings.append("the legal basis has ended: the candidate is stored, but not ranked")
    warnings += document.warnings if document else ()
    evidence = {skill: list(one.evidence) for skill, one in found.items()}
    unmapped = list(dict.fromkeys((*unmapped, *reading.unmapped)))
    return Profile(facts, evidence, unmapped, warnings, listed, lexicon.revision, reading, document)


def facts_of(candidate: Candidate) -> dict[str, Any]:
    """An event's fields without id and revision: for a candidate that the store has lost."""
    return candidate.model_dump(
        mode="json", exclude_none=True, exclude={"candidate_id", "revision", "occurred_at"}
    )


def estimated_level(years: float | None, mentions: int) -> int:
    """A level that nobody stated, from years of practice and from how often the text names the skill.

    It stays below 5: that somebody is an expert is for a person to say.
    """
    by_years = 1 if years is None else 2 + (years >= 2) + (years >= 5)
    by_mentions = 2 + (mentions >= 3) + (mentions >= 6)
    return min(_HIGHEST_ESTIMATE, max(by_years, by_mentions))


def _read_facts(reading: Reading) -> dict[str, Any]:
    """Of what was read, the fields that a request could have stated, as JSON values."""
    facts: dict[str, Any] = {
        "years": reading.years,
        "seniority": reading.seniority,
        "country": reading.country,
        "region": reading.region,
        "remote": reading.remote,
        "available_from": reading.available_from,
        "day_rate": reading.day_rate,
        "education": reading.education,
    }
    facts = {name: value for name, value in facts.items() if value is not None}
    facts["contracts"] = list(reading.contracts)
    facts["languages"] = [
        {"language": one.language} | ({"level": one.level} if one.level else {}) for one in reading.languages
    ]
    return facts


def _problems(request: CandidateRequest, cv: bool) -> list[tuple[str, str]]:
    errors: list[tuple[str, str]] = []
    if request.name is None and request.external_id is None:
        errors.append(("/name", "name or external_id is required"))
    if cv and request.cv_text:
        errors.append(("/cv_text", "send the text or a file, not both"))
    if not request.skills and not request.roles and not request.cv_text and not cv:
        errors.append(("/skills", "one of skills, roles, cv_text and cv is required"))
    if request.location is not None:
        errors += request.location.problems("/location")
    return errors


def _skills(
    request: CandidateRequest, found: dict[str, SkillFound], lexicon: Lexicon
) -> tuple[dict[str, HeldSkill], list[str]]:
    """Stated skills first, then those that the text alone shows; what is stated outranks what was read."""
    stated: dict[str, SkillStated] = {}
    unmapped: dict[str, None] = {}
    for one in request.skills:
        skill_id = lexicon.taxonomy.resolve(one.skill)
        if skill_id is None:
            unmapped[one.skill] = None
        elif skill_id in stated:
            stated[skill_id] = _merged(stated[skill_id], one)
        else:
            stated[skill_id] = one
    held = {
        skill_id: _held(skill_id, stated.get(skill_id), found.get(skill_id))
        for skill_id in (*stated, *(skill for skill in found if skill not in stated))
    }
    return held, list(unmapped)


def _merged(one: SkillStated, other: SkillStated) -> SkillStated:
    return SkillStated(
        skill=one.skill,
        level=max(filter(None, (one.level, other.level)), default=None),
        years=max((years for years in (one.years, other.years) if years is not None), default=None),
    )


def _held(skill_id: str, stated: SkillStated | None, read: SkillFound | None) -> HeldSkill:
    count = read.mentions if read else 0
    years = stated.years if stated and stated.years is not None else (read.years if read else None)
    level = stated.level if stated and stated.level is not None else (read.level if read else None)
    return HeldSkill(
        skill=skill_id,
        level=level if level is not None else estimated_level(years, count),
        estimated=level is None,
        years=years,
        last_used=read.last_used if read else None,
        mentions=count,
    )


def _roles(
    request: CandidateRequest, reading: Reading, lexicon: Lexicon, today: date
) -> tuple[list[HeldRole], list[str]]:
    """Known roles; a name that nobody knows stays in the store and is warned of by its place.

    Who states roles has stated the history: posts that were read count only where none is stated.
    """
    roles: list[HeldRole] = []
    warnings: list[str] = []
    for index, one in enumerate(request.roles):
        role_id = lexicon.role_names.resolve(one.role)
        if role_id is None:
            warnings.append(f"/roles/{index}/role is not a role of the catalogue and does not count")
        else:
            roles.append(HeldRole(role=role_id, months=one.months, until=one.until))
    return (roles if request.roles else _held_roles(reading, today)), warnings


def _held_roles(reading: Reading, today: date) -> list[HeldRole]:
    """The roles of the posts, each once: its months without overlaps, and when it was left.

    Then those that are named without dates, at 0 months: for how long is not known, unless one alone is named
    and the years of work are.
    """
    alone = not reading.posts and len(reading.named_roles) == 1
    months = min(round((reading.years or 0) * 12), 720) if alone else 0
    posts: dict[str, list[Post]] = {}
    for post in reading.posts:
        if post.role is not None:
            posts.setdefault(post.role, []).append(post)
    silent = reading.told_until is not None and int(reading.told_until[:4]) <= today.year - _OLD_CV_YEARS
    told_until = reading.told_until if silent else None
    dated = [
        HeldRole(role=role, months=min(total_months(held), 720), until=_left(held, told_until))
        for role, held in posts.items()
    ]
    return dated + [HeldRole(role=role, months=months) for role in reading.named_roles]


def _left(posts: Sequence[Post], told_until: str | None) -> str | None:
    """The month in which the last of these ended, None where nothing says that it was left.

    What an old CV tells last (`told_until`) was the job of the day it was written, whose end it cannot know.
    """
    ends = [post.until for post in posts if post.until is not None]
    if len(ends) < len(posts):
        return None
    last = max(ends)
    return None if told_until is not None and last >= told_until else last

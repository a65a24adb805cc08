"""A client's need: the request, and what of it becomes the event's facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import Field

from services.intake.domain.fields import (
    BudgetRequest,
    Description,
    Email,
    LanguageRequest,
    LocationRequest,
    Name,
    Phone,
    Refusal,
    Request,
    SkillName,
    Title,
)
from services.intake.domain.lexicon import Lexicon
from services.intake.reading import offered
from shared.events.need import AskedSkill, Need
from shared.events.vocabulary import Contract, Level, Locale, Must, Remote, Seniority, Slug

_REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without the letters and digits that are read for one another on the phone."""
_REFERENCE_LETTERS = 6
_REFERENCES = len(_REFERENCE_ALPHABET) ** _REFERENCE_LETTERS
REFERENCES_OF_A_BLOCK = len(_REFERENCE_ALPHABET) ** 2
REFERENCE_BLOCKS = _REFERENCES // REFERENCES_OF_A_BLOCK
_SPREAD = 450_546_781
"""Near the golden section of all references, and without a factor of the alphabet's length: one to one."""


class SkillAsked(Request):
    skill: SkillName
    level: Level = 3
    must: bool = False


class ContactRequest(Request):
    name: Name
    email: Email
    phone: Phone | None = None


class NeedRequest(Request):
    """The body of POST /api/needs."""

    role_id: Slug | None = None
    title: Title | None = None
    company: Name
    contact: ContactRequest
    skills: Annotated[tuple[SkillAsked, ...], Field(max_length=60)] = ()
    seniority: Seniority | None = None
    min_years: Annotated[int, Field(ge=0, le=60)] | None = None
    location: LocationRequest | None = None
    remote: Remote | None = None
    positions: Annotated[int, Field(ge=1, le=500)] = 1
    start_by: date | None = None
    duration_months: Annotated[int, Field(ge=1, le=120)] | None = None
    min_education: Annotated[int, Field(ge=0, le=12)] | None = None
    contracts: Annotated[tuple[Contract, ...], Field(max_length=8)] = ()
    budget: BudgetRequest | None = None
    languages: Annotated[tuple[LanguageRequest, ...], Field(max_length=15)] = ()
    musts: Annotated[tuple[Must, ...], Field(max_length=18)] = ()
    description: Description | None = None
    locale: Locale = Locale.FR


@dataclass(frozen=True)
class ReadNeed:
    """A request as the catalogue understands it.

    `facts` are the event's fields without ids, revision and state, as JSON values; `unmapped` are the skill
    names nobody knows; `offered` are skills that the description names and the client did not ask for;
    `read_with` is the catalogue's revision.
    """

    facts: dict[str, Any]
    unmapped: list[str]
    offered: list[str]
    read_with: int


def read_need(
    request: NeedRequest, lexicon: Lexicon, today: date, start_before: date | None = None
) -> ReadNeed:
    """Resolve names by the catalogue. Raises Refusal for what the fields' own types cannot judge.

    `start_before` is the start date of the revision that is being edited: it may lie in the past by now.
    """
    errors = _problems(request, lexicon, today, start_before)
    if errors:
        raise Refusal(errors)
    role_id = request.role_id or (lexicon.role_names.resolve(request.title) if request.title else None)
    title = request.title or (lexicon.roles[role_id].title.in_(request.locale) if role_id else "")
    skills, unmapped = _resolve(request.skills, lexicon)
    facts = request.model_dump(mode="json", exclude_none=True, exclude={"role_id", "title", "skills"})
    facts |= {
        "title": title,
        "skills": [skill.model_dump(mode="json") for skill in skills.values()],
        # In one order: the same need is the same facts, however it was sent.
        "contracts": [one.value for one in Contract if one in request.contracts],
        "musts": [one.value for one in Must if one in request.musts],
    }
    if role_id:
        facts["role_id"] = role_id
    return ReadNeed(facts, unmapped, offered(lexicon.reader, request.description, skills), lexicon.revision)


def request_of(need: Need) -> dict[str, Any]:
    """The request that would give this event: for a need that the store has lost and the topic still has."""
    facts = need.model_dump(mode="json", exclude_none=True)
    for field in ("need_id", "reference", "status", "revision", "occurred_at"):
        facts.pop(field, None)
    return facts


def references_of(block: int) -> list[str]:
    """The references of a block, such as N-7F3K2Q: what a person can read out. No two blocks share one.

    Their numbers are spread over all there are: two needs of one day do not look alike on the phone.
    """
    numbers = range(block * REFERENCES_OF_A_BLOCK, (block + 1) * REFERENCES_OF_A_BLOCK)
    return [_reference(number * _SPREAD % _REFERENCES) for number in numbers]


def _reference(number: int) -> str:
    letters = []
    for _ in range(_REFERENCE_LETTERS):
        number, letter = divmod(number, len(_REFERENCE_ALPHABET))
        letters.append(_REFERENCE_ALPHABET[letter])
    return "N-" + "".join(letters)


def _problems(
    request: NeedRequest, lexicon: Lexicon, today: date, start_before: date | None
) -> list[tuple[str, str]]:
    errors: list[tuple[str, str]] = []
    if request.role_id is None and request.title is None:
        errors.append(("/role_id", "role_id or title is required"))
    if request.role_id is not None and request.role_id not in lexicon.roles:
        errors.append(("/role_id", "there is no such role in the catalogue; GET /api/roles lists them"))
    if request.start_by is not None and request.start_by < today and request.start_by != start_before:
        errors.append(("/start_by", "this date is in the past"))
    if request.location is not None:
        errors += request.location.problems("/location")
    return errors


def _resolve(asked: Sequence[SkillAsked], lexicon: Lexicon) -> tuple[dict[str, AskedSkill], list[str]]:
    """Skills by canonical id, a repeated one merged to its highest level; and the names nobody knows."""
    skills: dict[str, AskedSkill] = {}
    unmapped: dict[str, None] = {}
    for one in asked:
        skill_id = lexicon.taxonomy.resolve(one.skill)
        if skill_id is None:
            unmapped[one.skill] = None
            continue
        had = skills.get(skill_id)
        skills[skill_id] = AskedSkill(
            skill=skill_id,
            level=max(one.level, had.level if had else 1),
            must=one.must or (had is not None and had.must),
        )
    return skills, list(unmapped)


def newly_known(
    asked: Sequence[Mapping[str, Any]], unmapped: Sequence[str], lexicon: Lexicon
) -> tuple[list[AskedSkill], list[str]]:
    """Of the names that nobody knew: the skills that they stand for by now, and the names still unknown.

    Never as a must: the client was shown the need without them, and it was ranked so.
    """
    found: dict[str, AskedSkill] = {}
    for one in asked:
        skill_id = lexicon.taxonomy.resolve(one["skill"]) if one["skill"] in unmapped else None
        if skill_id is not None:
            had = found.get(skill_id)
            level = max(one["level"], had.level if had else 1)
            found[skill_id] = AskedSkill(skill=skill_id, level=level)
    return list(found.values()), [name for name in unmapped if lexicon.taxonomy.resolve(name) is None]

"""The need form: what a role prefills, what was typed, and the request it makes. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.intake.domain.codes import PLACES
from services.intake.domain.lexicon import Lexicon
from shared.events.vocabulary import Cefr, Contract, Locale, Must, Remote, Seniority

LANGUAGE_ROWS = 3
LANGUAGE_CHOICES = ("fr", "en", "de", "es", "it", "nl", "pt", "ar", "zh", "ja", "pl", "ro", "ru")
HARD = tuple(must for must in Must if must is not Must.SKILLS)
CHOICES: dict[str, Sequence[str]] = {
    "seniority": [one.value for one in Seniority],
    "remote": [one.value for one in Remote],
    "contracts": [one.value for one in Contract],
    "levels": [one.value for one in Cefr],
    "languages": LANGUAGE_CHOICES,
}
_TEXTS = ("title", "company", "description")
_NUMBERS = ("min_years", "positions", "duration_months", "min_education")
_WORDS = ("seniority", "remote", "start_by")
_LONGEST_NUMBER = 12

Pairs = Sequence[tuple[str, str]]


@dataclass
class SkillRow:
    """A skill the form offers: ticked, with its level, and whether it is a must. What was typed stays."""

    skill: str
    label: str
    ticked: bool = True
    level: int | str = 3
    must: bool | str = False


@dataclass
class NeedForm:
    """What the page shows: values by field name, and for lists the chosen ones."""

    role_id: str = ""
    role_title: str = ""
    values: dict[str, str] = field(default_factory=dict)
    rows: list[SkillRow] = field(default_factory=list)
    contracts: set[str] = field(default_factory=set)
    musts: set[str] = field(default_factory=set)
    errors: dict[str, str] = field(default_factory=dict)
    """Field name -> word key of what is wrong."""

    def value(self, name: str) -> str:
        return self.values.get(name, "")

    def unknown(self, name: str) -> list[str]:
        """What came for a list of boxes and is none of them: shown, so that it can be unticked."""
        sent, known = (
            (self.contracts, set(CHOICES["contracts"])) if name == "contracts" else (self.musts, set(Must))
        )
        return sorted(sent - known)


def empty_form(lexicon: Lexicon, role_id: str | None, locale: Locale) -> NeedForm:
    """The form as it opens, with the skills of the role where one is given."""
    form = NeedForm(values={"positions": "1"})
    _of_role(form, lexicon, role_id or "", locale)
    return form


def typed_form(pairs: Pairs, lexicon: Lexicon, locale: Locale) -> NeedForm:
    """The form as it was sent, to be shown again."""
    form = NeedForm(values=dict(pairs))
    form.role_id = form.value("role_id")
    _of_role(form, lexicon, form.role_id, locale)
    ticked = {value for name, value in pairs if name == "skill"}
    known = {row.skill for row in form.rows}
    form.rows += [SkillRow(skill, _label(lexicon, skill, locale)) for skill in sorted(ticked - known)]
    for row in form.rows:
        row.ticked = row.skill in ticked
        row.level = _level(form.value(f"level_{row.skill}"), row.level)
        must = form.value(f"must_{row.skill}")
        row.must = must == "on" if must in {"", "on"} else must
    form.contracts = {value for name, value in pairs if name == "contracts"}
    form.musts = {value for name, value in pairs if name == "musts"}
    return form


def request_of(form: NeedForm, locale: Locale) -> tuple[dict[str, Any], dict[str, str]]:
    """The body that the API would get, and which form field each JSON pointer stands for.

    Values stay as typed where they are no number, so that the request's own validation refuses them.
    """
    body: dict[str, Any] = {"locale": locale.value}
    fields: dict[str, str] = {}
    if form.role_id:
        body["role_id"] = form.role_id
    for name in (*_TEXTS, *_WORDS):
        if form.value(name).strip():
            body[name] = form.value(name)
    for name in _NUMBERS:
        if form.value(name).strip():
            body[name] = _number(form.value(name))
    body.setdefault("company", "")
    contact = {name: form.value(name) for name in ("name", "email")}
    if form.value("phone").strip():
        contact["phone"] = form.value("phone")
    body["contact"] = contact
    fields |= {
        "/role_id": "role_id" if form.role_id else "title",
        "/contact/name": "name",
        "/contact/email": "email",
        "/contact/phone": "phone",
    }
    _add_skills(body, fields, form)
    _add_place(body, fields, form)
    _add_budget(body, fields, form)
    _add_languages(body, fields, form)
    contracts = [value for value in CHOICES["contracts"] if value in form.contracts]
    body["contracts"] = contracts + form.unknown("contracts")
    musts = [must.value for must in Must if must.value in form.musts and _is_given(must, body)]
    body["musts"] = musts + form.unknown("musts")
    return body, fields


def field_of(pointer: str, fields: Mapping[str, str]) -> str:
    """The form's field that a JSON pointer stands for."""
    for known, name in sorted(fields.items(), key=lambda item: -len(item[0])):
        if pointer == known or pointer.startswith(f"{known}/"):
            return name
    return pointer.split("/")[1] if pointer.count("/") else "title"


def places() -> list[tuple[str, dict[str, str]]]:
    """Countries with their regions, code -> name."""
    return list(PLACES.items())


def role_choices(lexicon: Lexicon, locale: Locale) -> list[tuple[str, str]]:
    return sorted(
        ((role_id, role.title.in_(locale)) for role_id, role in lexicon.roles.items()), key=lambda one: one[1]
    )


def skill_labels(lexicon: Lexicon, locale: Locale) -> list[str]:
    return sorted({skill.label.in_(locale) for skill in lexicon.taxonomy.skills.values()}, key=str.casefold)


def _of_role(form: NeedForm, lexicon: Lexicon, role_id: str, locale: Locale) -> None:
    role = lexicon.roles.get(role_id)
    if role is None:
        return
    form.role_id, form.role_title = role_id, role.title.in_(locale)
    form.values.setdefault("title", form.role_title)
    form.rows = [
        SkillRow(one.skill, _label(lexicon, one.skill, locale), level=one.level) for one in role.skills
    ]


def _label(lexicon: Lexicon, skill_id: str, locale: Locale) -> str:
    skill = lexicon.taxonomy.skills.get(skill_id)
    return skill.label.in_(locale) if skill else skill_id


def _add_skills(body: dict[str, Any], fields: dict[str, str], form: NeedForm) -> None:
    skills: list[dict[str, Any]] = []
    for number, row in enumerate(form.rows, 1):
        if row.ticked:
            fields[f"/skills/{len(skills)}"] = f"skill_{number}"
            fields[f"/skills/{len(skills)}/level"] = f"level_{number}"
            skills.append({"skill": row.skill, "level": row.level, "must": row.must})
    for name in _split(form.value("other_skills")):
        fields[f"/skills/{len(skills)}"] = "other_skills"
        skills.append({"skill": name})
    fields["/skills"] = "other_skills"
    body["skills"] = skills


def _add_place(body: dict[str, Any], fields: dict[str, str], form: NeedForm) -> None:
    place, city = form.value("place"), form.value("city").strip()
    fields |= {"/location": "place", "/location/city": "city"}
    if not place and not city:
        return
    location: dict[str, Any] = {"country": place.split("-")[0]}
    if "-" in place:
        location["region"] = place
    if city:
        location["city"] = city
    body["location"] = location


def _add_budget(body: dict[str, Any], fields: dict[str, str], form: NeedForm) -> None:
    budget = {name: _number(form.value(name)) for name in ("day_rate", "salary") if form.value(name).strip()}
    fields |= {"/budget": "day_rate", "/budget/day_rate": "day_rate", "/budget/salary": "salary"}
    if budget:
        body["budget"] = budget


def _add_languages(body: dict[str, Any], fields: dict[str, str], form: NeedForm) -> None:
    languages: list[dict[str, Any]] = []
    for row in range(1, LANGUAGE_ROWS + 1):
        code, level = form.value(f"language_{row}"), form.value(f"language_level_{row}")
        if code:
            fields[f"/languages/{len(languages)}"] = f"language_{row}"
            languages.append({"language": code} | ({"level": level} if level else {}))
    body["languages"] = languages


def _is_given(must: Must, body: Mapping[str, Any]) -> bool:
    """A hard constraint that the form says nothing of is left out rather than refused."""
    return must is Must.SKILLS or bool(body.get(must.value))


def _split(text: str) -> Iterable[str]:
    return (part.strip() for part in text.replace(";", ",").replace("\n", ",").split(",") if part.strip())


def _number(text: str) -> int | str:
    compact = "".join(text.split()).removesuffix("€")
    return int(compact) if len(compact) <= _LONGEST_NUMBER and re.fullmatch("[0-9]+", compact) else text


def _level(text: str, default: int | str) -> int | str:
    return _number(text) if text.strip() else default

"""The request that a need form makes, and which of its fields each error stands at. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.intake.form import CHOICES, NUMBERS, NeedForm, number_of
from shared.events.vocabulary import Locale, Must

_TEXTS = ("title", "company", "description")
_WORDS = ("seniority", "remote", "start_by")


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
    for name in NUMBERS:
        if form.value(name).strip():
            body[name] = number_of(form.value(name))
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
    budget = {
        name: number_of(form.value(name)) for name in ("day_rate", "salary") if form.value(name).strip()
    }
    fields |= {"/budget": "day_rate", "/budget/day_rate": "day_rate", "/budget/salary": "salary"}
    if budget:
        # Carried along where the API was told another one than the form's euros.
        body["budget"] = budget | ({"currency": form.value("currency")} if form.value("currency") else {})


def _add_languages(body: dict[str, Any], fields: dict[str, str], form: NeedForm) -> None:
    languages: list[dict[str, Any]] = []
    for row in form.language_rows:
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

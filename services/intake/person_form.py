"""What a candidate types about themselves, and the request it makes. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.intake.correction_form import value_of
from services.intake.domain.corrections import REMOVED, SKILL, value_in
from services.intake.domain.lexicon import Lexicon
from services.intake.form import CHOICES, number_of

LANGUAGE_ROWS = 4
TEXTS = ("name", "email", "phone")
WORDS = ("remote", "available_from")
NUMBERS = ("years", "day_rate", "salary")

FIELD_OF = {
    "/name": "name", "/email": "email", "/phone": "phone", "/skills": "skills", "/cv": "cv", "/cv_text": "cv",
    "/years": "years", "/location": "place", "/location/city": "city", "/remote": "remote",
    "/available_from": "available_from", "/contracts": "contracts", "/day_rate": "day_rate",
    "/salary": "salary",
    "/languages": "language_1",
}  # fmt: skip
"""Where on the page the error of a JSON pointer stands."""


@dataclass
class PersonForm:
    """What the page shows: values by field name, and what is wrong, by field."""

    values: dict[str, str] = field(default_factory=dict)
    contracts: set[str] = field(default_factory=set)
    errors: dict[str, str] = field(default_factory=dict)
    """Field name -> word key of what is wrong; for `cv` it may be a sentence."""

    def value(self, name: str) -> str:
        return self.values.get(name, "")


def typed_form(pairs: Sequence[tuple[str, str]]) -> PersonForm:
    return PersonForm(dict(pairs), {value for name, value in pairs if name == "contracts"})


def form_of(given: Mapping[str, Any]) -> PersonForm:
    """The form as it opens for a known candidate."""
    values = {name: str(given[name]) for name in (*TEXTS, *WORDS, *NUMBERS) if given.get(name) is not None}
    location = given.get("location") or {}
    values["place"] = location.get("region") or location.get("country") or ""
    values["city"] = location.get("city") or ""
    for row, one in enumerate(given.get("languages", ()), 1):
        values[f"language_{row}"], values[f"language_level_{row}"] = one["language"], one.get("level", "")
    if "years" in values:
        values["years"] = f"{float(values['years']):g}"
    return PersonForm(values, set(given.get("contracts", ())))


def request_of(form: PersonForm) -> dict[str, Any]:
    """The body that the API would get. What is no number stays as typed, for the validation to refuse it."""
    body: dict[str, Any] = {"name": form.value("name"), "email": form.value("email")}
    body |= {name: form.value(name) for name in ("phone", *WORDS) if form.value(name).strip()}
    for name in NUMBERS:
        if form.value(name).strip():
            body[name] = _number(form.value(name))
    place, city = form.value("place"), form.value("city").strip()
    if place:
        body["location"] = {"country": place.split("-")[0]} | ({"region": place} if "-" in place else {})
        body["location"] |= {"city": city} if city else {}
    rows = [
        (form.value(f"language_{n}"), form.value(f"language_level_{n}")) for n in range(1, LANGUAGE_ROWS + 1)
    ]
    body["languages"] = [
        {"language": code} | ({"level": level} if level else {}) for code, level in rows if code
    ]
    body["contracts"] = [value for value in CHOICES["contracts"] if value in form.contracts]
    body["skills"] = [{"skill": name} for name in split(form.value("skills"))]
    return body


def field_of(pointer: str) -> str:
    for known in (pointer, f"/{pointer.split('/')[1]}" if pointer.count("/") else ""):
        if known in FIELD_OF:
            return FIELD_OF[known]
    return "name"


def split(text: str) -> list[str]:
    parts = text.replace(";", ",").replace("\n", ",").split(",")
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def changes_of(
    pairs: Sequence[tuple[str, str]], facts: Mapping[str, Any], lexicon: Lexicon
) -> list[tuple[str, Any]]:
    """What the person changed of what the page showed as read: (target, value) for each. Raises WrongValue.

    The page shows a box, a level and years for each skill, and rows of roles. What it did not show is left.
    """
    fields = dict(pairs)
    shown = {value for name, value in pairs if name == "shown_skill"}
    kept = {value for name, value in pairs if name == "skill"}
    found: list[tuple[str, Any]] = []
    for held in facts.get("skills", []):
        skill_id = held["skill"]
        if skill_id not in shown:
            continue
        if skill_id not in kept:
            found.append((SKILL + skill_id, dict(REMOVED)))
            continue
        if changed := _changed(fields, held, lexicon):
            found.append((SKILL + skill_id, changed))
    if "shown_roles" in fields:
        rows = {
            name: value for name, value in fields.items() if name.split("_")[0] in {"role", "months", "until"}
        }
        target, roles = value_of({"target": "roles"} | rows, lexicon)
        if roles != (value_in(dict(facts), "roles") or []):
            found.append((target, roles))
    return found


def _changed(fields: Mapping[str, str], held: Mapping[str, Any], lexicon: Lexicon) -> dict[str, Any]:
    """The level and years of a skill that differ from what the page showed."""
    skill_id = held["skill"]
    typed = {"level": fields.get(f"level_{skill_id}", ""), "years": fields.get(f"years_{skill_id}", "")}
    if not any(typed.values()):
        return {}
    _, value = value_of({"target": SKILL + skill_id} | typed, lexicon)
    # Shown with one decimal.
    shown = {"level": held.get("level"), "years": round(held["years"], 1) if held.get("years") else None}
    return {name: new for name, new in value.items() if new != shown[name]}


def _number(text: str) -> float | str:
    found = number_of(text)
    if isinstance(found, int):
        return found
    try:
        return float(text.replace(",", ".")) if len(text) < 6 else text
    except ValueError:
        return text

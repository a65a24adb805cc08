"""A correction as its form sends it: the target, and the value that counts from now on. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from services.intake.domain.corrections import REMOVED, SKILL, checked_languages, checked_roles
from services.intake.domain.lexicon import Lexicon

ROWS = 40
"""At most so many rows of a list are looked at."""

Fields = Mapping[str, str]


class WrongValue(ValueError):  # noqa: N818 - what it is
    """What was typed cannot be taken; the message is the key of its words."""


def value_of(fields: Fields, lexicon: Lexicon) -> tuple[str, Any]:
    """The target and its value. `target` is a field of the form, and `skill:` with an id or a typed name.

    Raises WrongValue.
    """
    target = fields.get("target", "")
    if target == "add_skill":
        skill_id = lexicon.taxonomy.resolve(fields.get("skill", ""))
        if skill_id is None:
            raise WrongValue("wrong_skill_name")
        return SKILL + skill_id, _skill(fields)
    if target.startswith(SKILL):
        return target, dict(REMOVED) if fields.get("do") == "remove" else _skill(fields)
    if target == "years":
        return target, _number(fields.get("years", ""), 60, "wrong_years")
    if target == "education":
        found = _number(fields.get("education", ""), 12, "wrong_education")
        return target, None if found is None else int(found)
    if target == "location":
        return target, _location(fields.get("place", ""))
    if target in {"roles", "languages"}:
        return target, _list(target, fields, lexicon)
    raise WrongValue("wrong_value")


def _skill(fields: Fields) -> dict[str, Any]:
    value: dict[str, Any] = {}
    level = fields.get("level", "").strip()
    if level:
        if level not in {"1", "2", "3", "4", "5"}:
            raise WrongValue("wrong_level")
        value["level"] = int(level)
    years = _number(fields.get("years", ""), 60, "wrong_years")
    if years is not None:
        value["years"] = years
    if last := fields.get("last_used", "").strip():
        if not re.fullmatch(r"(?:19[5-9]\d|20\d\d|21\d\d)", last):
            raise WrongValue("wrong_last_used")
        value["last_used"] = int(last)
    if not value:
        raise WrongValue("wrong_level")
    return value


def _number(text: str, most: int, wrong: str) -> float | None:
    compact = text.strip().replace(",", ".")
    if not compact:
        return None
    if not re.fullmatch(r"\d{1,3}(?:\.\d{1,2})?", compact) or float(compact) > most:
        raise WrongValue(wrong)
    return float(compact)


def _location(place: str) -> dict[str, str] | None:
    if not place:
        return None
    if not re.fullmatch(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?", place):
        raise WrongValue("wrong_place")
    return {"country": place[:2]} | ({"region": place} if "-" in place else {})


def _list(target: str, fields: Fields, lexicon: Lexicon) -> list[dict[str, Any]]:
    """Rows `role_1, months_1, until_1` or `language_1, language_level_1`; an empty first field drops one."""
    try:
        if target == "languages":
            rows = [
                (fields.get(f"language_{n}", ""), fields.get(f"language_level_{n}", ""))
                for n in range(1, ROWS)
            ]
            return checked_languages(
                [{"language": code} | ({"level": level} if level else {}) for code, level in rows if code]
            )
        found = []
        for n in range(1, ROWS):
            role = fields.get(f"role_{n}", "").strip()
            if not role:
                continue
            if role not in lexicon.roles:
                raise WrongValue("wrong_roles")
            until = fields.get(f"until_{n}", "").strip()
            months = int(fields.get(f"months_{n}", "").strip() or 0)
            found.append({"role": role, "months": months} | ({"until": until} if until else {}))
        return checked_roles(found)
    except (ValidationError, ValueError) as error:
        raise WrongValue(f"wrong_{target}") from error

"""The need form as the page shows it: what a role prefills, what was typed, what a stored need says. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.intake.domain.codes import PLACES
from services.intake.domain.lexicon import Lexicon
from shared.events.vocabulary import Cefr, Contract, Locale, Must, Remote, Seniority

LANGUAGE_ROWS = 3
MOST_LANGUAGES = 15
NUMBERS = ("min_years", "positions", "duration_months", "min_education")
_LONGEST_NUMBER = 12
LANGUAGE_CHOICES = ("fr", "en", "de", "es", "it", "nl", "pt", "ar", "zh", "ja", "pl", "ro", "ru")
HARD = tuple(must for must in Must if must is not Must.SKILLS)
CHOICES: dict[str, Sequence[str]] = {
    "seniority": [one.value for one in Seniority],
    "remote": [one.value for one in Remote],
    "contracts": [one.value for one in Contract],
    "levels": [one.value for one in Cefr],
    "languages": LANGUAGE_CHOICES,
}

Pairs = Sequence[tuple[str, str]]


@dataclass
class SkillRow:
    """A skill the form offers: ticked, with its level, and whether it is a must. What was typed stays.

    `offered`: nobody asked for it, the description names it.
    """

    skill: str
    label: str
    ticked: bool = True
    level: int | str = 3
    must: bool | str = False
    offered: bool = False


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

    @property
    def language_rows(self) -> range:
        """The rows for languages, numbered from 1: a few, and more where more are asked for."""
        given = [int(name[9:]) for name in self.values if re.fullmatch("language_[0-9]{1,2}", name)]
        return range(1, min(max([LANGUAGE_ROWS, *given]), MOST_LANGUAGES) + 1)


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
    sent = dict.fromkeys(value for name, value in pairs if name == "skill" and value not in known)
    form.rows += [SkillRow(skill, skill_label(lexicon, skill, locale)) for skill in sent]
    for row in form.rows:
        row.ticked = row.skill in ticked
        row.level = _level(form.value(f"level_{row.skill}"), row.level)
        must = form.value(f"must_{row.skill}")
        row.must = must == "on" if must in {"", "on"} else must
    form.contracts = {value for name, value in pairs if name == "contracts"}
    form.musts = {value for name, value in pairs if name == "musts"}
    return form


def stored_form(
    asked: Mapping[str, Any], offered: Sequence[str], lexicon: Lexicon, locale: Locale
) -> NeedForm:
    """The form of a need's request, to be edited; the skills of its role that it left out are not ticked."""
    form = NeedForm(values=_values(asked), role_id=asked.get("role_id", ""))
    _of_role(form, lexicon, form.role_id, locale)
    rows = {row.skill: row for row in form.rows}
    for row in rows.values():
        row.ticked = False
    for one in asked.get("skills", ()):
        skill = lexicon.taxonomy.resolve(one["skill"]) or one["skill"]
        rows[skill] = SkillRow(skill, skill_label(lexicon, skill, locale), True, one["level"], one["must"])
    for skill in offered:
        rows.setdefault(
            skill, SkillRow(skill, skill_label(lexicon, skill, locale), ticked=False)
        ).offered = True
    form.rows = list(rows.values())
    form.contracts, form.musts = set(asked.get("contracts", ())), set(asked.get("musts", ()))
    return form


def places() -> list[tuple[str, dict[str, str]]]:
    """Countries with their regions, code -> name."""
    return list(PLACES.items())


def role_choices(lexicon: Lexicon, locale: Locale) -> list[tuple[str, str]]:
    return sorted(
        ((role_id, role.title.in_(locale)) for role_id, role in lexicon.roles.items()), key=lambda one: one[1]
    )


def skill_labels(lexicon: Lexicon, locale: Locale) -> list[str]:
    return sorted({skill.label.in_(locale) for skill in lexicon.taxonomy.skills.values()}, key=str.casefold)


def skill_label(lexicon: Lexicon, skill_id: str, locale: Locale) -> str:
    """The skill's name in the catalogue; of one it does not know, the name that was given."""
    skill = lexicon.taxonomy.skills.get(skill_id)
    return skill.label.in_(locale) if skill else skill_id


def _values(asked: Mapping[str, Any]) -> dict[str, str]:
    """The request's fields as the form names them."""
    place, budget = asked.get("location", {}), asked.get("budget", {})
    found: dict[str, Any] = {
        name: asked.get(name)
        for name in ("title", "company", "description", "seniority", "remote", "start_by", *NUMBERS)
    }
    found |= asked["contact"]
    found |= {"place": place.get("region") or place.get("country"), "city": place.get("city")}
    found |= {name: budget.get(name) for name in ("day_rate", "salary", "currency")}
    for number, one in enumerate(asked.get("languages", ()), 1):
        found |= {f"language_{number}": one["language"], f"language_level_{number}": one.get("level")}
    return {name: str(value) for name, value in found.items() if value is not None}


def _of_role(form: NeedForm, lexicon: Lexicon, role_id: str, locale: Locale) -> None:
    role = lexicon.roles.get(role_id)
    if role is None:
        return
    form.role_id, form.role_title = role_id, role.title.in_(locale)
    form.values.setdefault("title", form.role_title)
    form.rows = [
        SkillRow(one.skill, skill_label(lexicon, one.skill, locale), level=one.level) for one in role.skills
    ]


def _level(text: str, default: int | str) -> int | str:
    return number_of(text) if text.strip() else default


def number_of(text: str) -> int | str:
    """The whole number that was typed ("1 200 €" is one), or the text as it is."""
    compact = "".join(text.split()).removesuffix("€")
    return int(compact) if len(compact) <= _LONGEST_NUMBER and re.fullmatch("[0-9]+", compact) else text

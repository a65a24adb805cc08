"""A need's request in words, field by field: for its pages, and to compare two states of it."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from services.intake.domain.codes import PLACES
from services.intake.domain.lexicon import Lexicon
from services.intake.form import CHOICES, skill_label
from shared.events.vocabulary import Locale, Must

Asked = Mapping[str, Any]
Words = Callable[..., str]
"""`t(key, name=value)`: a text in the reader's language."""

FIELDS = (
    "title", "positions", "skills", "seniority", "min_years", "place", "remote", "start_by",
    "duration_months", "contracts", "budget", "languages", "min_education", "musts", "description",
    "company", "contact",
)  # fmt: skip


def summary(asked: Asked, lexicon: Lexicon, locale: Locale, t: Words) -> dict[str, str]:
    """Field -> what it says, in the order of FIELDS; what is not given is left out."""
    told = {field: _tell(field, asked, lexicon, locale, t) for field in FIELDS}
    return {field: text for field, text in told.items() if text}


def differences(now: Mapping[str, str], typed: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(field, what it says now, what was typed) for each field in which two summaries differ."""
    return [
        (field, now.get(field, "–"), typed.get(field, "–"))
        for field in FIELDS
        if now.get(field) != typed.get(field)
    ]


def _tell(field: str, asked: Asked, lexicon: Lexicon, locale: Locale, t: Words) -> str:  # noqa: PLR0911
    value = asked.get(field)
    match field:
        case "skills":
            return ", ".join(_skill(one, lexicon, locale, t) for one in asked.get("skills", ()))
        case "place":
            return _place(asked.get("location") or {}, t)
        case "contracts":
            return ", ".join(_choice("contracts", one, t) for one in value or ())
        case "budget":
            return _budget(value or {}, locale, t)
        case "languages":
            return ", ".join(_language(one, t) for one in value or ())
        case "musts":
            known = {must.value for must in Must}
            return ", ".join(t(f"hard_{one}") if one in known else str(one) for one in value or ())
        case "contact":
            return ", ".join(str(part) for part in (value or {}).values() if part)
        case "seniority" | "remote":
            return _choice(field, value, t) if value else ""
        case "start_by":
            return _day(str(value), locale) if value else ""
    return str(value) if value not in (None, "") else ""


def _choice(name: str, value: Any, t: Words) -> str:
    return t(f"{name}_{value}") if value in CHOICES[name] else str(value)


def _skill(one: Mapping[str, Any], lexicon: Lexicon, locale: Locale, t: Words) -> str:
    skill_id = lexicon.taxonomy.resolve(str(one.get("skill", ""))) or str(one.get("skill", ""))
    must = f", {t('indispensable')}" if one.get("must") else ""
    return f"{skill_label(lexicon, skill_id, locale)} ({one.get('level', 3)}{must})"


def _place(location: Mapping[str, Any], t: Words) -> str:
    country, region = str(location.get("country") or ""), str(location.get("region") or "")
    named = PLACES.get(country, {}).get(region, region)
    if not named and country:
        named = t(f"country_{country}") if country in PLACES else country
    return ", ".join(part for part in (location.get("city"), named) if part)


def _budget(budget: Mapping[str, Any], locale: Locale, t: Words) -> str:
    currency = str(budget.get("currency") or "EUR")
    return ", ".join(
        t(f"told_{name}", amount=_amount(budget[name], currency, locale))
        for name in ("day_rate", "salary")
        if budget.get(name)
    )


def _amount(value: Any, currency: str, locale: Locale) -> str:
    if not isinstance(value, int):
        return str(value)
    if locale is Locale.FR:
        return f"{value:,}".replace(",", "\u202f") + "\u00a0" + ("€" if currency == "EUR" else currency)
    return f"€{value:,}" if currency == "EUR" else f"{currency} {value:,}"


def _language(one: Mapping[str, Any], t: Words) -> str:
    code = str(one.get("language", ""))
    name = t(f"language_{code}") if code in CHOICES["languages"] else code
    return f"{name} ({one['level']})" if one.get("level") else name


def _day(text: str, locale: Locale) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return day.strftime("%d/%m/%Y") if locale is Locale.FR else f"{day.day} {day:%B %Y}"

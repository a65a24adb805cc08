"""Which two candidates may be one person; compared are those that share a key, never all. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import phonenumbers
from rapidfuzz.fuzz import token_sort_ratio

from services.intake.domain.masking import PARTICLES, folded

ALIKE = 88.0
"""Of 100, by rapidfuzz's token_sort_ratio: `Dupont` and `Dupond` pass, `Jean` and `Joan` Dupont too."""
MONTHS_APART = 6
SHARE_APART = 0.25


def keys_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Normal forms to look for others by: `email`, `phone` (E.164), `names` (blocks of near-same names)."""
    country = (given.get("location") or {}).get("country", "FR")
    keys = {
        "email": email_key(given.get("email")),
        "phone": phone_key(given.get("phone"), country),
        "names": name_blocks(given.get("name")),
    }
    return {name: value for name, value in keys.items() if value}


def email_key(email: str | None) -> str | None:
    return email.strip().casefold() if email else None


def phone_key(phone: str | None, country: str = "FR") -> str | None:
    """`06 99 00 12 34` and `+33 (0)6 99 00 12 34` are one; None for what no network could dial."""
    if not phone:
        return None
    try:
        number = phonenumbers.parse(phone, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def name_blocks(name: str | None) -> list[str]:
    """The beginnings of the first and the last name, and their ends: one wrong letter leaves one of both."""
    words = _names(name)
    if len(words) < 2:
        return []
    outer = (words[0], words[-1])
    return [
        "begin " + " ".join(sorted(word[:3] for word in outer)),
        "end " + " ".join(sorted(word[-3:] for word in outer)),
    ]


def reasons(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Why these may be of one person: `email`, `phone`, `name_and_history`; empty where nothing says so.

    A near-same name alone is no reason: there are many of each name.
    """
    keys, theirs = one.get("keys", {}), other.get("keys", {})
    found = [name for name in ("email", "phone") if keys.get(name) and keys[name] == theirs.get(name)]
    names = [" ".join(_names((each.get("given") or {}).get("name"))) for each in (one, other)]
    if all(names) and _alike(*names) and _same_history(one, other):
        found.append("name_and_history")
    return found


def _alike(one: str, other: str) -> bool:
    """A number in a name ("Candidate 12") is no misspelling of another one."""
    numbers = [[word for word in name.split() if word.isdigit()] for name in (one, other)]
    return numbers[0] == numbers[1] and bool(token_sort_ratio(one, other) >= ALIKE)


def _same_history(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """A dated job in common, or the same roles for about as long."""
    begun = [
        {(post["role"], post["begin"]) for post in each.get("posts") or () if post["role"]}
        for each in (one, other)
    ]
    if begun[0] & begun[1]:
        return True
    roles = [each.get("facts", {}).get("roles", []) for each in (one, other)]
    held = [{role["role"] for role in each} for each in roles]
    if not held[0] or held[0] != held[1]:
        return False
    months = sorted(sum(role["months"] for role in each) for each in roles)
    return bool(months[1] - months[0] <= max(MONTHS_APART, SHARE_APART * months[1]))


def _names(name: str | None) -> Sequence[str]:
    plain = folded(name or "").text.replace("-", " ").replace("'", " ")
    return [word for word in plain.split() if word not in PARTICLES and len(word) > 1]

"""What two say of one person, put together. Pure."""

from collections.abc import Mapping
from typing import Any

from services.intake.domain.candidate import MOST_SKILLS

Given = Mapping[str, Any]

_FILLED_IN = (
    "name", "email", "phone", "years", "location", "remote", "available_from", "contracts", "day_rate",
    "salary", "languages", "education", "roles", "cv_text", "external_id",
)  # fmt: skip

_PRICES = ("day_rate", "salary")


def union(kept: Given, other: Given) -> dict[str, Any]:
    """What `kept` says, with what only the other says: fields, skills; and the basis that ends later."""
    given: dict[str, Any] = {name: other[name] for name in _FILLED_IN if other.get(name)} | dict(kept)
    if not any(kept.get(price) for price in _PRICES):
        given |= {name: other[name] for name in ("currency",) if other.get(name)}
    elif kept.get("currency") != other.get("currency"):
        # A price in another currency than ours says nothing beside ours.
        given = {name: value for name, value in given.items() if name not in _PRICES or kept.get(name)}
    own = list(kept.get("skills", ()))
    known = {one["skill"].casefold() for one in own}
    skills = [*own, *(one for one in other.get("skills", ()) if one["skill"].casefold() not in known)]
    if skills:
        given["skills"] = skills[:MOST_SKILLS]
    bases = [basis for basis in (kept.get("basis"), other.get("basis")) if basis]
    if bases:
        given["basis"] = max(bases, key=lambda basis: str(basis["until"]))
    return given

"""What counts where several say something of a candidate: the CV, the person, a consultant. Pure.

The last human word wins. What a person or their agency states outranks what was read in a text
(`read_candidate`); what a consultant corrects outranks both, also when the text is read again or comes anew;
and what is stated *anew* about the very thing that was corrected outranks the correction: a nightly import
that repeats the same statement does not. All other modules ask `corrected` and decide nothing themselves.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.intake.domain.candidate import CandidateRequest
from shared.events.candidate import HeldRole, HeldSkill
from shared.events.vocabulary import Language

Facts = dict[str, Any]
Correction = dict[str, Any]
"""`id`, `target`, `value`, `before` (what counted until then), `stated` (what was stated of it then), `by`
(the consultant's id), `at`; once undone also `undone_by` and `undone_at`."""

SKILL = "skill:"
"""A target is the name of a field of the facts, or this and a skill's id."""
WHOLE = ("roles", "years", "location", "languages", "education")
REMOVED = {"removed": True}
LONGEST_LOG = 500


def stated_of(request: CandidateRequest, resolve: Callable[[str], str | None]) -> Facts:
    """What the request itself says, by target; `resolve` gives a skill's id."""
    said = request.model_dump(mode="json", exclude_none=True)
    stated: Facts = {name: said[name] for name in WHOLE if said.get(name)}
    for one in said.get("skills", ()):
        skill_id = resolve(one["skill"])
        if skill_id is not None:
            stated[SKILL + skill_id] = {name: one[name] for name in ("level", "years") if name in one}
    return stated


def corrected(facts: Facts, stated: Facts, corrections: Sequence[Correction]) -> Facts:
    """The facts with the newest correction of each target that still holds."""
    changed = dict(facts)
    for correction in in_force(stated, corrections).values():
        target, value = correction["target"], correction["value"]
        if target.startswith(SKILL):
            changed["skills"] = _with_skill(changed.get("skills", []), target[len(SKILL) :], value)
        elif target == "location":
            changed = {name: kept for name, kept in changed.items() if name not in {"country", "region"}}
            changed |= value or {}
        elif value is None:
            changed.pop(target, None)
        else:
            changed[target] = value
    return changed


def in_force(stated: Facts, corrections: Sequence[Correction]) -> dict[str, Correction]:
    """The corrections that count, by target: not undone, and nothing stated anew since."""
    newest = {one["target"]: one for one in corrections if "undone_at" not in one}
    return {
        target: one
        for target, one in newest.items()
        if stated.get(target) is None or stated[target] == one["stated"]
    }


def value_in(facts: Facts, target: str) -> Any:
    """What the facts say of a target, as a correction's `before` keeps it."""
    if target.startswith(SKILL):
        skill_id = target[len(SKILL) :]
        return next((held for held in facts.get("skills", []) if held["skill"] == skill_id), None)
    if target == "location":
        return {name: facts[name] for name in ("country", "region") if name in facts} or None
    return facts.get(target)


def correction(
    correction_id: str, target: str, value: Any, *, facts: Facts, stated: Facts, by: str, at: datetime
) -> Correction:
    """A new entry. `value` of a skill is `{level, years, last_used}` (each may be missing) or REMOVED."""
    return {
        "id": correction_id,
        "target": target,
        "value": value,
        "before": value_in(facts, target),
        "stated": stated.get(target),
        "by": by,
        "at": at,
    }


def undone(
    corrections: Sequence[Correction], correction_id: str, by: str, at: datetime
) -> list[Correction] | None:
    """The entries with one of them undone; None where it is not there or was undone before."""
    if not any(one["id"] == correction_id and "undone_at" not in one for one in corrections):
        return None
    return [
        one | {"undone_by": by, "undone_at": at} if one["id"] == correction_id else one for one in corrections
    ]


def checked_roles(roles: Sequence[Mapping[str, Any]]) -> list[Facts]:
    """Roles as facts hold them. Raises pydantic's ValidationError."""
    return [HeldRole.model_validate(one).model_dump(mode="json", exclude_none=True) for one in roles]


def checked_languages(languages: Sequence[Mapping[str, Any]]) -> list[Facts]:
    return [Language.model_validate(one).model_dump(mode="json", exclude_none=True) for one in languages]


def _with_skill(skills: Sequence[Facts], skill_id: str, value: Facts) -> list[Facts]:
    had = next((held for held in skills if held["skill"] == skill_id), None)
    if value.get("removed"):
        return [held for held in skills if held["skill"] != skill_id]
    held = (had or {"skill": skill_id, "mentions": 0}) | value
    held["estimated"] = held.get("estimated", False) if value.get("level") is None else False
    made = HeldSkill.model_validate(held).model_dump(mode="json", exclude_none=True)
    if had is None:
        return [*skills, made]
    return [made if one["skill"] == skill_id else one for one in skills]

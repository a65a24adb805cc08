"""What makes a role or a skill acceptable beside the others. Pure.

Problems are (JSON pointer, what is wrong), as problem details name them.
"""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import JsonValue

from shared.events.role import Role
from shared.events.skill import RelatedSkill, Skill
from shared.events.topic import Event
from shared.taxonomy import loose

Problem = tuple[str, str]

LONGEST_TEXT = 4000
LONGEST_NAME = 120
LONGEST_LIST = 200
RESERVED_SLUGS = frozenset({"assets", "donnees-personnelles", "history", "privacy", "unmapped"})
"""Words that stand in the same place of an address as a role's slug or a skill's id."""
_STRAY = frozenset("|,;:/\\<>\"'`´*_=~^-–—•·")
"""What no name begins or ends with, though C++, C#, .NET and Aha! show that other signs are right there."""


@dataclass(frozen=True)
class Catalogue:
    """All roles and skills at one moment."""

    roles: Mapping[str, Role]
    skills: Mapping[str, Skill]

    @cached_property
    def claims(self) -> Mapping[str, frozenset[str]]:
        """Loosely normalised name -> the skills that bear or claim it."""
        found: dict[str, set[str]] = defaultdict(set)
        for skill in self.skills.values():
            for _, name in names_of(skill):
                found[loose(name)].add(skill.skill_id)
        return {name: frozenset(skills) for name, skills in found.items()}

    @cached_property
    def titles(self) -> Mapping[str, frozenset[str]]:
        """Loosely normalised title or alias -> the roles that bear it."""
        found: dict[str, set[str]] = defaultdict(set)
        for role in self.roles.values():
            for _, name in titles_of(role):
                found[loose(name)].add(role.role_id)
        return {name: frozenset(roles) for name, roles in found.items()}

    def with_role(self, role: Role) -> "Catalogue":
        if self.roles.get(role.role_id) is role:
            return self
        return Catalogue({**self.roles, role.role_id: role}, self.skills)

    def with_skill(self, skill: Skill) -> "Catalogue":
        if self.skills.get(skill.skill_id) is skill:
            return self
        return Catalogue(self.roles, {**self.skills, skill.skill_id: skill})


def etag(revision: int) -> str:
    """The strong entity tag (RFC 9110) of an entity at a revision."""
    return f'"{revision}"'


def content(event: Event) -> dict[str, JsonValue]:
    """What an entity says, without when it said so."""
    return event.model_dump(mode="json", exclude={"revision", "occurred_at"})


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def names_of(skill: Skill) -> Iterator[tuple[str, str]]:
    """(pointer, name) of every name that stands for the skill."""
    yield "/skill_id", skill.skill_id
    yield "/label/fr", skill.label.fr
    yield "/label/en", skill.label.en
    yield from ((f"/aliases/{place}", alias) for place, alias in enumerate(skill.aliases))


def titles_of(role: Role) -> Iterator[tuple[str, str]]:
    """(pointer, name) of every name that stands for the role."""
    yield "/role_id", role.role_id
    for locale in ("fr", "en"):
        yield f"/slug/{locale}", str(getattr(role.slug, locale))
        yield f"/title/{locale}", str(getattr(role.title, locale))
        for place, alias in enumerate(getattr(role.aliases, locale)):
            yield f"/aliases/{locale}/{place}", alias


def role_problems(role: Role, catalogue: Catalogue) -> list[Problem]:
    """What is wrong with `role` beside the others. The catalogue may hold an earlier state of it."""
    catalogue = catalogue.with_role(role)
    found = list(_form_problems(content(role)))
    skills = [(f"/skills/{place}/skill", asked.skill) for place, asked in enumerate(role.skills)]
    found += _reference_problems("skill", skills, catalogue.skills)
    lists: dict[str, list[tuple[str, str]]] = {
        "contacts": [(f"/contacts/{place}", contact) for place, contact in enumerate(role.contacts)],
        "career": [(f"/career/{place}/role", step.role) for place, step in enumerate(role.career)],
        "related": [(f"/related/{place}/role", other.role) for place, other in enumerate(role.related)],
    }
    for references in lists.values():
        found += _reference_problems("role", references, catalogue.roles, itself=role.role_id)
    for locale in ("fr", "en"):
        if getattr(role.slug, locale) in RESERVED_SLUGS:
            found.append((f"/slug/{locale}", "this word is taken by the pages themselves"))
    for pointer, name in titles_of(role):
        if others := sorted(catalogue.titles[loose(name)] - {role.role_id}):
            found.append((pointer, f"{name!r} already stands for the role {', '.join(others)}"))
    return found


def skill_problems(skill: Skill, catalogue: Catalogue) -> list[Problem]:
    """What is wrong with `skill` beside the others. The catalogue may hold an earlier state of it."""
    catalogue = catalogue.with_skill(skill)
    found = list(_form_problems(content(skill)))
    if skill.skill_id in RESERVED_SLUGS:
        found.append(("/skill_id", "this word is taken by the API itself"))
    implied = [(f"/implies/{place}", other) for place, other in enumerate(skill.implies)]
    related = [(f"/related/{place}/skill", other.skill) for place, other in enumerate(skill.related)]
    broader = [("/broader", skill.broader)] if skill.broader else []
    for references in (implied, related, broader):
        found += _reference_problems("skill", references, catalogue.skills, itself=skill.skill_id)
    if cycle := _cycle(skill.skill_id, catalogue.skills):
        found.append(("/implies", f"goes round in a circle with broader: {' → '.join(cycle)}"))
    return [*found, *_name_problems(skill, catalogue)]


def catalogue_problems(catalogue: Catalogue) -> list[str]:
    """Everything that is wrong with a catalogue, a line each."""
    lines = [
        f"role {role.role_id}: {pointer}: {detail}"
        for role in catalogue.roles.values()
        for pointer, detail in role_problems(role, catalogue)
    ]
    lines += [
        f"skill {skill.skill_id}: {pointer}: {detail}"
        for skill in catalogue.skills.values()
        for pointer, detail in skill_problems(skill, catalogue)
    ]
    for skill_id, mended in mirrored(catalogue).items():
        has, should = catalogue.skills[skill_id].related, mended.related
        names = sorted({other.skill for other in {*has} ^ {*should}})
        lines.append(f"skill {skill_id}: /related: does not agree with the other end: {', '.join(names)}")
    return lines


def mirrored(catalogue: Catalogue) -> dict[str, Skill]:
    """The skills as they must become for every relation to have both ends with one credit.

    Where two ends differ, the one with the newer revision is right.
    """
    credit_of = {
        skill_id: {other.skill: other.credit for other in skill.related}
        for skill_id, skill in catalogue.skills.items()
    }
    wrong: dict[str, dict[str, float | None]] = defaultdict(dict)
    for skill_id, related in credit_of.items():
        for other_id, credit in related.items():
            if other_id not in credit_of or credit_of[other_id].get(skill_id) == credit:
                continue
            older, newer = sorted((skill_id, other_id), key=lambda each: catalogue.skills[each].revision)
            wrong[older][newer] = credit_of[newer].get(older)
    return {
        skill_id: _with_credits(catalogue.skills[skill_id], changes) for skill_id, changes in wrong.items()
    }


def _with_credits(skill: Skill, changes: Mapping[str, float | None]) -> Skill:
    """`skill` with the given relations set, or removed where None."""
    kept = [other for other in skill.related if other.skill not in changes]
    kept += [RelatedSkill(skill=other, credit=credit) for other, credit in changes.items() if credit]
    return skill.model_copy(update={"related": tuple(kept)})


def referring_to_role(role_id: str, catalogue: Catalogue) -> list[str]:
    """Who names the role, such as `role tech-lead: contacts, career`."""
    found = []
    for role in catalogue.roles.values():
        named: dict[str, Iterable[str]] = {
            "contacts": role.contacts,
            "career": [step.role for step in role.career],
            "related": [other.role for other in role.related],
        }
        fields = [field for field, ids in named.items() if role_id in ids]
        if fields and role.role_id != role_id:
            found.append(f"role {role.role_id}: {', '.join(fields)}")
    return found


def referring_to_skill(skill_id: str, catalogue: Catalogue) -> list[str]:
    """Who names the skill. Relations count too: they are removed first, on either end."""
    found = [
        f"role {role.role_id}: skills"
        for role in catalogue.roles.values()
        if any(asked.skill == skill_id for asked in role.skills)
    ]
    for skill in catalogue.skills.values():
        named: dict[str, Iterable[str]] = {
            "implies": skill.implies,
            "broader": [skill.broader] if skill.broader else [],
            "related": [other.skill for other in skill.related],
        }
        fields = [field for field, ids in named.items() if skill_id in ids]
        if fields and skill.skill_id != skill_id:
            found.append(f"skill {skill.skill_id}: {', '.join(fields)}")
    return found


def unknown_fields(sent: JsonValue, understood: JsonValue, pointer: str = "") -> list[Problem]:
    """Fields of `sent` that are not in `understood`, which is a model's dump of the fields that were set."""
    if isinstance(sent, dict) and isinstance(understood, dict):
        return [
            problem
            for name, value in sent.items()
            for problem in (
                unknown_fields(value, understood[name], f"{pointer}/{name}")
                if name in understood
                else [(f"{pointer}/{name}", "there is no such field")]
            )
        ]
    if isinstance(sent, list) and isinstance(understood, list):
        pairs = enumerate(zip(sent, understood, strict=False))
        return [found for place, pair in pairs for found in unknown_fields(*pair, f"{pointer}/{place}")]
    return []


def _form_problems(value: JsonValue, pointer: str = "") -> Iterator[Problem]:
    """Limits that the events themselves do not set: blank, overlong or unprintable texts, endless lists."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _form_problems(part, f"{pointer}/{name}")
    elif isinstance(value, list):
        if len(value) > LONGEST_LIST:
            yield pointer, f"has more than {LONGEST_LIST} entries"
        for place, part in enumerate(value):
            yield from _form_problems(part, f"{pointer}/{place}")
    elif isinstance(value, str):
        is_name = pointer.startswith(("/title", "/label", "/aliases"))
        is_short = pointer.startswith(("/ambiguous", "/soft_skills"))
        longest = LONGEST_NAME if is_name or is_short else LONGEST_TEXT
        if problem := name_problem(value) if is_name else _text_problem(value, longest):
            yield pointer, problem


def name_problem(name: str) -> str | None:
    """What is wrong with a title, label or alias in itself."""
    if problem := _text_problem(name, LONGEST_NAME):
        return problem
    if name != name.strip():
        return "begins or ends with a space"
    stray = [end for end in (name[0], name[-1]) if end in _STRAY]
    return f"begins or ends with {stray[0]!r}" if stray else None


def _text_problem(text: str, longest: int) -> str | None:
    if not text.strip():
        return "is blank"
    if len(text) > longest:
        return f"is longer than {longest} characters"
    return None if text.isprintable() else "has control characters"


def _reference_problems(
    kind: str, references: list[tuple[str, str]], known: Mapping[str, object], itself: str | None = None
) -> Iterator[Problem]:
    seen: set[str] = set()
    for pointer, wanted in references:
        if wanted == itself:
            yield pointer, "names the entity itself"
        elif wanted in seen:
            yield pointer, f"names {wanted} twice"
        elif wanted not in known:
            close = difflib.get_close_matches(wanted, known, n=1)
            yield pointer, f"there is no {kind} {wanted!r}" + (f"; is it {close[0]!r}?" if close else "")
        seen.add(wanted)


def _name_problems(skill: Skill, catalogue: Catalogue) -> Iterator[Problem]:
    """A name may stand for two skills only where at most one of them claims it without a context."""
    ruled = {loose(rule.alias) for rule in skill.ambiguous}
    own = {loose(name) for _, name in names_of(skill)}
    for place, rule in enumerate(skill.ambiguous):
        if loose(rule.alias) not in own:
            yield f"/ambiguous/{place}/alias", f"{rule.alias!r} is no name of this skill"
        if not rule.context:
            yield f"/ambiguous/{place}/context", "names no word that proves the skill"
    for pointer, name in names_of(skill):
        if loose(name) in ruled:
            continue
        ruled.add(loose(name))  # said once, however many of its names are spelt so
        for other_id in sorted(catalogue.claims[loose(name)] - {skill.skill_id}):
            others_rules = {loose(rule.alias) for rule in catalogue.skills[other_id].ambiguous}
            if loose(name) not in others_rules:
                yield (
                    pointer,
                    f"{name!r} already stands for {other_id}; an `ambiguous` rule must tell them apart",
                )


def _cycle(start: str, skills: Mapping[str, Skill]) -> list[str]:
    """A way from `start` over implies and broader back to it, empty where there is none."""
    came_from: dict[str, str] = {}
    waiting = [start]
    while waiting:
        current = waiting.pop()
        skill = skills.get(current)
        if skill is None:
            continue
        for above in (*skill.implies, *([skill.broader] if skill.broader else [])):
            if above == start:
                way = [start, current]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return way[::-1] if len(way) > 2 else [start, start]
            if above not in came_from:
                came_from[above] = current
                waiting.append(above)
    return []

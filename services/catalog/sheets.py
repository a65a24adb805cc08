"""Roles and skills as YAML files that people edit: a file a role, a file a category of skills.

Files carry no revision: what is read has revision 0.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from services.catalog.domain import Catalogue, catalogue_problems, content, unknown_fields
from shared.events.role import Role
from shared.events.skill import Skill
from shared.events.topic import Event
from shared.web.problems import as_field_errors

E = TypeVar("E", bound=Event)

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NEVER = datetime.fromtimestamp(0, UTC)
_LINE = 1_000_000
_PLAIN = re.compile(r"[^\W\d_][^|,:#\"'{}\[\]&*!%@`]*|.*'.*")
"""What the files write without quotes; YAML itself adds them where it must."""
_SURELY_PLAIN = re.compile(r"[^\W\d_][\w.+/()’ -]*[\w+)]")
_NOT_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "null"})


class BadSheets(ValueError):  # noqa: N818 - what they are
    """The files cannot be used; `problems` has a line for each reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


def read(folder: Path) -> Catalogue:
    """The catalogue in `folder`, which must hold together. Raises BadSheets."""
    catalogue = parse(folder)
    if problems := catalogue_problems(catalogue):
        raise BadSheets(problems)
    return catalogue


def parse(folder: Path) -> Catalogue:
    """The catalogue in `folder`, each sheet right in itself. Raises BadSheets."""
    problems: list[str] = []
    roles = _read(folder / "roles", Role, "role_id", problems)
    skills = _read(folder / "skills", Skill, "skill_id", problems)
    if not problems and not (roles or skills):
        problems.append(f"{folder}: no roles/*.yaml or skills/*.yaml")
    if problems:
        raise BadSheets(problems)
    return Catalogue(roles, skills)


def write(catalogue: Catalogue, folder: Path) -> list[Path]:
    """Write the catalogue into `folder`; files of roles and categories that are no more are removed.

    Gives the files that were changed, added or removed.
    """
    wanted: dict[Path, str] = {}
    for role in catalogue.roles.values():
        wanted[folder / "roles" / f"{role.role_id}.yaml"] = "\n".join(_lines(content(role))) + "\n"
    by_category: dict[str, list[Skill]] = defaultdict(list)
    for skill in catalogue.skills.values():
        by_category[skill.category].append(skill)
    for category, skills in by_category.items():
        path = folder / "skills" / f"{category}.yaml"
        wanted[path] = "\n\n".join(_skill_text(skill) for skill in _in_file_order(skills, path)) + "\n"
    present = [path for part in ("roles", "skills") for path in (folder / part).glob("*.yaml")]
    touched = [path for path in present if path not in wanted]
    for path in touched:
        path.unlink()
    for path, text in wanted.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            touched.append(path)
    return touched


def _read(folder: Path, model: type[E], key: str, problems: list[str]) -> dict[str, E]:
    found: dict[str, E] = {}
    for path in sorted(folder.glob("*.yaml")):
        where = f"{folder.name}/{path.name}"
        try:
            parsed = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            problems.append(f"{where}: {' '.join(str(error).split())}")
            continue
        for place, sheet in enumerate(parsed if isinstance(parsed, list) else [parsed]):
            sheet_id = str(sheet.get("id", sheet.get(key, place))) if isinstance(sheet, dict) else str(place)
            event, complaints = _event(model, key, sheet)
            if event is not None and sheet_id in found:
                complaints.append((f"/{key}", "stands in two files or twice in one"))
            if event is not None and getattr(event, "category", path.stem) != path.stem:
                complaints.append(("/category", f"is not the file's name, {path.stem}"))
            problems += [f"{where}: {sheet_id}: {pointer}: {detail}" for pointer, detail in complaints]
            if event is not None:
                found[sheet_id] = event
    return found


def _event(model: type[E], key: str, sheet: Any) -> tuple[E | None, list[tuple[str, str]]]:
    if not isinstance(sheet, dict):
        return None, [("", "is not a mapping")]
    fields = dict(sheet)
    if "id" in fields:
        fields[key] = fields.pop("id")
    try:
        event = model.model_validate({**fields, "revision": 0, "occurred_at": _NEVER})
    except ValidationError as error:
        return None, as_field_errors(error)
    return event, unknown_fields(fields, event.model_dump(mode="json", exclude_unset=True))


def _in_file_order(skills: list[Skill], path: Path) -> Iterable[Skill]:
    """As they stand in the file that is there already, new ones last: a diff shows what changed."""
    if not path.exists():
        return skills
    parsed = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader
    places = {sheet["id"]: place for place, sheet in enumerate(parsed or [])}
    return sorted(skills, key=lambda skill: places.get(skill.skill_id, len(places)))


def _skill_text(skill: Skill) -> str:
    fields = {"id": skill.skill_id, **content(skill)}
    del fields["skill_id"]
    rules = fields.pop("ambiguous")
    external = fields.pop("external")
    if rules:
        fields["ambiguous"] = rules
    lines = _lines({**fields, "external": external})
    return "\n".join(("- " if place == 0 else "  ") + line for place, line in enumerate(lines))


def _lines(fields: Mapping[str, Any]) -> Iterator[str]:
    """YAML as the shipped files have it: short things on one line, long texts a sentence a line."""
    for name, value in fields.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{name}:"
            for item in value:
                yield from _item(item, long=name in {"tasks", "education", "career"})
        elif name in {"summary", "versus"}:
            yield f"{name}:"
            for locale in ("en", "fr"):
                yield f"  {locale}: >-"
                yield from (f"    {sentence}" for sentence in _sentences(value[locale]))
        elif name == "aliases" and isinstance(value, dict):
            yield f"{name}:"
            yield from (f"  {locale}: {_flow(value[locale])}" for locale in ("en", "fr"))
        else:
            yield f"{name}: {_flow(value)}"


def _item(item: Mapping[str, Any], *, long: bool) -> Iterator[str]:
    if not long:
        yield f"  - {_flow(item)}"
        return
    lines = []
    for name, value in _english_first(item).items():
        if isinstance(value, dict):
            lines.append(f"{name}:")
            lines += [f"  {locale}: {_scalar(text)}" for locale, text in _english_first(value).items()]
        else:
            lines.append(f"{name}: {_scalar(value)}")
    yield from (("  - " if place == 0 else "    ") + line for place, line in enumerate(lines))


def _english_first(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return dict(sorted(value.items())) if {*value} == {"en", "fr"} else value


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_flow(part)}" for name, part in _english_first(value).items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(part) for part in value) + "]"
    if isinstance(value, str):
        if _SURELY_PLAIN.fullmatch(value) and value.lower() not in _NOT_TEXT:
            return value  # most of them; asking YAML about each takes seconds
        # Within a list, so that the quoting is right for flow style.
        style = None if _PLAIN.fullmatch(value) else '"'
        dumped = yaml.safe_dump(
            [value], default_flow_style=True, default_style=style, allow_unicode=True, width=_LINE
        )
        return dumped.strip()[1:-1]
    return _scalar(value)


def _scalar(value: Any) -> str:
    style = '"' if isinstance(value, str) and (": " in value or " #" in value or value[0] in "\"'") else None
    dumped = yaml.safe_dump(
        value, default_flow_style=True, default_style=style, allow_unicode=True, width=_LINE
    )
    return dumped.strip().removesuffix("...").strip()


def _sentences(text: str) -> list[str]:
    """Where a folded text breaks its lines: after each sentence."""
    return text.replace(". ", ".\n").split("\n")

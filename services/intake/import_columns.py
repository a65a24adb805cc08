"""Column maps: how another system's CSV export becomes the fields of POST /api/candidates.

A map is a YAML file. Each target is a field (`location.city` for one inside another), and is read from one
column, or from the first of several that is not empty:

    columns:
      external_id: {from: candidateID, prefix: "opencats-"}
      name: {from: [firstName, lastName], join: " "}      # all of them, joined
      skills: {from: keySkills, split: ",;|"}             # a list; "Python:4" gives the level too
      available_from: {from: Available, date: "%m-%d-%y"} # as datetime.strptime reads it
      remote: {from: Remote, values: {"yes": full, "no": none}}
      salary: {from: Desired Pay, if_readable: true}      # left out, with a warning, where it is no number
    constants:                                            # the same for every row
      basis: {kind: legitimate_interest, until: "2028-12-31", source: OpenCATS}
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from services.intake.domain.candidate import CandidateRequest

SHIPPED = Path(__file__).parent / "columns"
_LISTS = frozenset({"skills", "contracts", "languages"})
_NUMBERS = frozenset({"years", "day_rate", "salary", "education"})
_INSIDE: Mapping[str, frozenset[str]] = {
    "location": frozenset({"country", "region", "city"}),
    "basis": frozenset({"kind", "until", "source"}),
}
_FIELDS = (set(CandidateRequest.model_fields) - {"roles", *_INSIDE}) | {
    f"{outer}.{inner}" for outer, names in _INSIDE.items() for inner in names
}
_MONEY = re.compile(r"[\s\u00a0\u202f']|EUR|€", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=\d)[.,](?=\d{3}(?:\D|$))")


class Unreadable(Exception):  # noqa: N818 - what it is
    """The map does not fit the file, or a cell does not fit its field (`pointer`)."""

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.pointer = pointer


class Source(BaseModel):
    """Where one field comes from. See the module."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    columns: tuple[str, ...] = Field(alias="from", min_length=1)
    join: str | None = None
    split: str = ",;|\n"
    date: str | None = None
    prefix: str = ""
    values: dict[str, Any] = {}
    if_readable: bool = False

    @field_validator("columns", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    def text(self, cells: Mapping[str, str]) -> str:
        found = [text for column in self.columns if (text := cells.get(column, "").strip())]
        return self.join.join(found) if self.join is not None else next(iter(found), "")


@dataclass(frozen=True)
class ColumnMap:
    sources: Mapping[str, Source]
    constants: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, file: Path) -> "ColumnMap":
        """The map in `file`, or the shipped one of that name. Raises Unreadable."""
        place = file if file.is_file() else SHIPPED / f"{file.name.removesuffix('.yaml')}.yaml"
        try:
            found = yaml.safe_load(place.read_text("utf-8"))
            columns, constants = found.pop("columns"), found.pop("constants", None) or {}
            sources = {str(target): _source(str(target), one) for target, one in columns.items()}
        except Unreadable as problem:
            raise Unreadable(f"{file}: {problem}") from problem
        except FileNotFoundError as error:
            shipped = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.yaml")))
            raise Unreadable(f"{file}: there is no such file, nor is it one of {shipped}") from error
        except (yaml.YAMLError, UnicodeDecodeError, AttributeError, KeyError, TypeError) as error:
            raise Unreadable(
                f"{file} is not a column map: YAML with `columns`, and maybe `constants`"
            ) from error
        if found:
            raise Unreadable(f"{file}: {', '.join(map(str, found))} is neither columns nor constants")
        unknown = sorted(set(sources) - _FIELDS) + sorted(set(constants) - set(CandidateRequest.model_fields))
        if unknown:
            raise Unreadable(f"{file}: there is no field {', '.join(unknown)}")
        return cls(sources, constants)

    @classmethod
    def of_fields(cls, names: Sequence[str]) -> "ColumnMap":
        """For a file whose columns are called like the fields. Raises Unreadable where one is not."""
        unknown = [name for name in names if name not in _FIELDS]
        if unknown:
            raise Unreadable(f"no field is called {', '.join(map(repr, unknown))}; give a map with --columns")
        return cls({name: Source.model_validate({"from": name}) for name in names})

    def for_header(self, names: Sequence[str]) -> "ColumnMap":
        """The sources that this file has. Raises Unreadable where nobody could be told apart."""
        there = {
            target: source for target, source in self.sources.items() if set(source.columns) & set(names)
        }
        if not {"name", "external_id"} & set(there):
            wanted = sorted(
                {c for t, s in self.sources.items() if t in {"name", "external_id"} for c in s.columns}
            )
            raise Unreadable(f"it has no column for a name or an external_id ({', '.join(wanted) or 'none'})")
        return replace(self, sources=there)

    def read(self, cells: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
        """A row as a request's JSON, and what was left out of it. Raises Unreadable."""
        content: dict[str, Any] = dict(self.constants)
        warnings: list[str] = []
        for target, source in self.sources.items():
            text = source.text(cells)
            if not text:
                continue
            pointer = "/" + target.replace(".", "/")
            try:
                value = _value(target, text, source)
                if source.if_readable:
                    _check(target, value)
            except ValueError as error:
                if not source.if_readable:
                    raise Unreadable(str(error), pointer) from error
                warnings.append(f"{pointer} was left out: {error}")
                continue
            _place(content, target, value)
        if "country" not in content.get("location", {"country": ""}):
            # A town alone says nothing of where to work: the API wants the country.
            del content["location"]
            warnings.append("/location was left out: its country is not known")
        return content, warnings


def _source(target: str, said: Any) -> Source:
    try:
        return Source.model_validate({"from": said} if isinstance(said, str | list) else said)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in (target, *first["loc"]))
        raise Unreadable(f"{where}: {first['msg']}") from error


def _value(target: str, text: str, source: Source) -> Any:
    if source.values:
        known = {str(name).casefold(): value for name, value in source.values.items()}
        if text.casefold() not in known:
            raise ValueError("the column map does not say what this value means")
        return known[text.casefold()]
    if source.date is not None:
        return datetime.strptime(text, source.date).date().isoformat()
    if target in _LISTS:
        parts = [part.strip() for part in re.split(f"[{re.escape(source.split)}]", text)]
        return [_listed(target, part) for part in parts if part]
    if target in _NUMBERS:
        return _number(target, text)
    return source.prefix + text


def _listed(target: str, part: str) -> Any:
    """`Python` or `Python:4`; `en` or `en:C1`; `freelance`."""
    if target == "contracts":
        return part
    name, _, level = (piece.strip() for piece in part.rpartition(":"))
    if target == "languages":
        return {"language": name.lower(), "level": level.upper()} if name else {"language": level.lower()}
    return {"skill": name, "level": int(level)} if name and level.isdigit() else {"skill": part}


def _number(target: str, text: str) -> float | int:
    bare = _THOUSANDS.sub("", _MONEY.sub("", text)).replace(",", ".")
    factor = 1000 if bare[-1:].lower() == "k" else 1
    try:
        number = float(bare[:-1] if factor > 1 else bare) * factor
    except ValueError as error:
        raise ValueError("not a number") from error
    return number if target == "years" else round(number)


def _check(target: str, value: Any) -> None:
    """Raise ValueError where the API would refuse this field for itself."""
    outer, _, inner = target.partition(".")
    try:
        CandidateRequest.model_validate_json(json.dumps({outer: {inner: value} if inner else value}))
    except ValidationError as error:
        mine = [one for one in error.errors() if inner in one["loc"] or not inner]
        if mine:
            raise ValueError(mine[0]["msg"].removeprefix("Value error, ")) from error


def _place(content: dict[str, Any], target: str, value: Any) -> None:
    outer, _, inner = target.partition(".")
    if inner:
        content[outer] = {**content.get(outer, {}), inner: value}
    else:
        content[outer] = value

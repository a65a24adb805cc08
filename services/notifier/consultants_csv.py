"""Consultants as CSV: one a line, known by e-mail. Lists have spaces between their items. Pure."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from services.notifier.consultants import Consultant, ConsultantFields
from shared.web.problems import as_field_errors

COLUMNS = (
    "email",
    "name",
    "phone",
    "locale",
    "practices",
    "regions",
    "delivery",
    "quiet_start",
    "quiet_end",
    "time_zone",
    "admin",
    "active",
)
_YES = frozenset({"true", "yes", "oui", "1", "x"})
_NO = frozenset({"false", "no", "non", "0", ""})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class BadFile(Exception):  # noqa: N818 - what it is
    """The file as a whole cannot be read; the message says why."""


@dataclass(frozen=True)
class Line:
    """`number` as a text editor counts; `values` by column, those of the file alone."""

    number: int
    values: Mapping[str, str]

    @property
    def email(self) -> str:
        return self.values["email"]


@dataclass(frozen=True)
class Change:
    """What a line asks for."""

    fields: ConsultantFields
    active: bool


class BadLine(Exception):  # noqa: N818 - what it is
    """The message names each column and what is wrong with it."""


def read_lines(content: bytes) -> list[Line]:
    """The lines of a file: UTF-8, comma, semicolon or tab between columns. Raises BadFile."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile("the file is not UTF-8; save it as “CSV UTF-8”") from error
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    if "email" not in names:
        raise BadFile(f"there is no column email; there may be: {', '.join(COLUMNS)}")
    unknown = sorted(set(names) - set(COLUMNS))
    if unknown or len(set(names)) < len(names):
        what = f"unknown column {', '.join(unknown)}" if unknown else "a column is there twice"
        raise BadFile(f"{what}; there are: {', '.join(COLUMNS)}")
    reader.fieldnames = names
    found = []
    try:
        for row in reader:
            if None in row or None in row.values():
                raise BadFile(f"line {reader.line_num}: {len(names)} columns are named, the line has others")
            values = {name: _unescaped(cell.strip()) for name, cell in row.items()}
            if any(values.values()):
                found.append(Line(reader.line_num, values))
    except csv.Error as error:
        raise BadFile(f"line {reader.line_num}: {error}") from error
    return found


def change_of(line: Line, before: Consultant | None) -> Change:
    """What becomes of `before`, or of a new consultant. Columns that the file has not stay as they are; an
    empty cell is the default. Raises BadLine."""
    kept = before.model_dump(mode="json", include=set(ConsultantFields.model_fields)) if before else {}
    values, cells = dict(kept), line.values
    for name in COLUMNS:
        if name in cells and name not in {"quiet_start", "quiet_end", "active"}:
            values.pop(name, None)
            if cells[name]:
                values[name] = _value(name, cells[name])
    if "quiet_start" in cells or "quiet_end" in cells:
        quiet = {"start": cells.get("quiet_start", ""), "end": cells.get("quiet_end", "")}
        values["quiet_hours"] = quiet if any(quiet.values()) else None
    try:
        fields = ConsultantFields.model_validate(values)
    except ValidationError as error:
        told = {f"{pointer.strip('/').split('/')[0]}: {why}" for pointer, why in as_field_errors(error)}
        raise BadLine("; ".join(sorted(told))) from error
    known = before.active if before else True
    return Change(fields, _flag("active", cells["active"] or "yes") if "active" in cells else known)


def _value(name: str, cell: str) -> Any:
    if name in {"practices", "regions"}:
        return cell.replace(",", " ").replace(";", " ").split()
    return _flag(name, cell) if name == "admin" else cell


def _flag(name: str, cell: str) -> bool:
    word = cell.lower()
    if word not in _YES | _NO:
        raise BadLine(f"{name}: is neither yes nor no")
    return word in _YES


def as_csv(consultants: Iterable[Consultant]) -> str:
    """What `read_lines` reads, safe to open in a spreadsheet."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for one in consultants:
        quiet = one.quiet_hours
        row = {
            "email": one.email,
            "name": one.name,
            "phone": one.phone or "",
            "locale": one.locale.value,
            "practices": " ".join(one.practices),
            "regions": " ".join(one.regions),
            "delivery": one.delivery.value,
            "quiet_start": f"{quiet.start:%H:%M}" if quiet else "",
            "quiet_end": f"{quiet.end:%H:%M}" if quiet else "",
            "time_zone": one.time_zone,
            "admin": "yes" if one.admin else "no",
            "active": "yes" if one.active else "no",
        }
        writer.writerow({name: _escaped(cell) for name, cell in row.items()})
    return out.getvalue()


def _escaped(cell: str) -> str:
    """A spreadsheet would run a cell that begins so as a formula; an apostrophe makes it text."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _unescaped(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell

"""An import's report: what became of each line, and so what need not be sent again.

JSON lines, or CSV for a spreadsheet where the file's name ends in .csv. It is only ever appended to.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

_COLUMNS = ("line", "status", "candidate_id", "refused", "unmapped_skills", "warnings", "mark")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def cell(value: object) -> str:
    """A value that a spreadsheet shows and does not run (OWASP, CSV injection).

    A cell that begins like a formula, blanks before it or not, gets an apostrophe; so does one with a leading
    TAB or CR, which some programs drop before they look.
    """
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text


class Report:
    """Opened to append to. `done` is what earlier runs got accepted."""

    def __init__(self, file: Path, *, going_on: bool) -> None:
        self._as_csv = file.suffix.lower() == ".csv"
        self.done: dict[int, int] = dict(self._accepted(file)) if going_on else {}
        """Line number -> mark, as a number: some 100 bytes a line."""
        self._out = _opened(file)
        if self._as_csv and not self._out.tell():
            self._out.write(",".join(_COLUMNS) + "\n")

    def was_done(self, number: int, mark: str) -> bool:
        return self.done.get(number) == int(mark, 16)

    def write(self, entry: Mapping[str, Any], mark: str) -> None:
        """Add a line; `entry` is the answer of the API, with the line's number."""
        if self._as_csv:
            self._out.write(_csv_line(entry, mark))
        else:
            self._out.write(json.dumps({**entry, "mark": mark}, ensure_ascii=False) + "\n")

    def flush(self) -> None:
        self._out.flush()

    def close(self) -> None:
        self._out.close()

    def _accepted(self, file: Path) -> Iterator[tuple[int, int]]:
        """What earlier runs got accepted; a half-written line is passed over."""
        if not file.exists():
            return
        with file.open(encoding="utf-8", errors="replace", newline="") as opened:
            entries = csv.DictReader(opened) if self._as_csv else map(_entry, opened)
            for entry in entries:
                try:
                    if entry["candidate_id"]:
                        yield int(entry["line"]), int(entry["mark"], 16)
                except (ValueError, KeyError, TypeError):
                    continue


def _entry(text: str) -> dict[str, Any]:
    try:
        entry = json.loads(text)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _csv_line(entry: Mapping[str, Any], mark: str) -> str:
    refused = "; ".join(f"{one['pointer'] or 'the line'}: {one['detail']}" for one in entry.get("errors", ()))
    values = {
        "line": entry["line"],
        "status": entry.get("status", ""),
        "candidate_id": entry.get("candidate_id", ""),
        "refused": refused,
        "unmapped_skills": "; ".join(entry.get("unmapped_skills", ())),
        "warnings": "; ".join(entry.get("warnings", ())),
        "mark": mark,
    }
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cell(values[column]) for column in _COLUMNS)
    return out.getvalue()


def _opened(file: Path) -> TextIO:
    """To append to. An earlier run may have been stopped in the middle of a line."""
    opened = file.open("a", encoding="utf-8", newline="")
    if opened.tell():
        with file.open("rb") as written:
            written.seek(-1, 2)
            if written.read(1) != b"\n":
                opened.write("\n")
    return opened

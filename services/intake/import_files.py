"""What an import reads: lines of JSON, rows of a CSV file, a folder of CVs; all of them as a stream."""

import codecs
import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from services.intake.import_columns import ColumnMap, Unreadable

LONGEST_LINE = 2 * 1024 * 1024
"""Bytes. A longer line is refused without being held: a file without line ends must not fill the memory."""
LARGEST_CV = 10 * 1024 * 1024
_CHUNK = 1024 * 1024
_DELIMITERS = ",;\t|"
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

Errors = list[dict[str, str]]


class UnusableFile(Exception):  # noqa: N818 - what it is
    """The file as a whole cannot be imported; the message says why and what to do."""


@dataclass(frozen=True)
class Item:
    """One candidate to send. `number` is its line (a CSV record's first one), or its place in the folder.

    `mark` is a digest of the line, so that an edited one is sent again; `size` the bytes of the file that it
    took; `errors` say why it is refused without being sent; `cv` is a file of a folder.
    """

    number: int
    mark: str
    body: bytes
    size: int
    errors: Errors = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    cv: Path | None = None


def json_lines(file: Path, extra: Mapping[str, Any]) -> Iterator[Item]:
    """One item a line that is not blank. `extra` is added where a line does not say it itself."""
    with file.open("rb") as opened:
        for number, raw, size in _bounded_lines(opened):
            if raw is None:
                yield _refused(number, b"%d" % size, size, f"the line is longer than {LONGEST_LINE:,} bytes")
                continue
            body = raw.strip().removeprefix(codecs.BOM_UTF8)
            if body:
                yield Item(number, _mark(body), _completed(body, extra), size)


def rows(
    file: Path,
    columns: ColumnMap | None,
    extra: Mapping[str, Any],
    encoding: str | None,
    delimiter: str | None,
) -> Iterator[Item]:
    """One item a record of a CSV file. Raises UnusableFile for one without usable columns."""
    encoding = encoding or encoding_of(file)
    csv.field_size_limit(LONGEST_LINE)
    with file.open("r", encoding=encoding, errors="replace", newline="") as opened:
        sizes = _Measured(opened, encoding)
        header = next(iter(sizes), "")
        found = delimiter or delimiter_of(header)
        names = [name.strip() for name in next(csv.reader([header], delimiter=found), [])]
        if len(set(names)) < len(names):
            raise UnusableFile(f"{file}: two columns have the same name")
        try:
            reading = (columns or ColumnMap.of_fields(names)).for_header(names)
        except Unreadable as problem:
            raise UnusableFile(f"{file}: {problem}") from problem
        reader = csv.reader(iter(sizes), delimiter=found)
        while True:
            number = sizes.line + 1
            sizes.begin()
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield _refused(number, b"%d" % number, sizes.taken, f"not readable as CSV: {error}")
                continue
            if any(cell.strip() for cell in record):
                yield _row(number, record, names, reading, extra, sizes.taken)


def folder(place: Path, extra: Mapping[str, Any]) -> Iterator[Item]:
    """One item a file; its name without the ending is the external id."""
    taken: dict[str, str] = {}
    files = sorted(path for path in place.iterdir() if path.is_file() and not path.name.startswith("."))
    for number, file in enumerate(files, 1):
        size = file.stat().st_size
        external_id = file.stem
        mark = _mark(f"{file.name}\0{size}\0{file.stat().st_mtime_ns}".encode())
        if external_id in taken:
            detail = f"{file.name} and {taken[external_id]} would have the same external_id"
            yield _refused(number, mark.encode(), size, detail, "/external_id")
        elif size > LARGEST_CV:
            yield _refused(number, mark.encode(), size, f"the file has more than {LARGEST_CV:,} bytes", "/cv")
        else:
            taken[external_id] = file.name
            body = json.dumps({**extra, "external_id": external_id}, ensure_ascii=False).encode()
            yield Item(number, mark, body, size, cv=file)


def encoding_of(file: Path) -> str:
    """By its byte order mark; else UTF-8 where all of it is, and Windows-1252 where it is not."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with file.open("rb") as opened:
        start = opened.read(4)
        for mark, name in _BOMS:
            if start.startswith(mark):
                return name
        opened.seek(0)
        try:
            while chunk := opened.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def delimiter_of(header: str) -> str:
    """The one that stands most often in the header, outside of quotes."""
    bare = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=bare.count)


class _Measured:
    """Lines of a text file, bounded, with their number and the bytes taken since `begin`."""

    def __init__(self, opened: Any, encoding: str) -> None:
        self._opened = opened
        # Near enough for a progress bar where the encoding is not one of single bytes.
        self._encoding = "utf-16-le" if encoding == "utf-16" else encoding.removesuffix("-sig")
        self.line = 0
        self.taken = 0

    def begin(self) -> None:
        self.taken = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._opened.readline(LONGEST_LINE):
            self.line += 1
            self.taken += len(line.encode(self._encoding, "replace"))
            yield line


def _row(
    number: int,
    record: list[str],
    names: list[str],
    reading: ColumnMap,
    extra: Mapping[str, Any],
    size: int,
) -> Item:
    whole = "\0".join(record).encode()
    if len(record) > len(names):
        detail = f"{len(record)} fields, but the header has {len(names)}"
        return _refused(number, whole, size, detail)
    cells = dict(zip(names, record, strict=False))
    try:
        content, warnings = reading.read(cells)
    except Unreadable as problem:
        return _refused(number, whole, size, str(problem), problem.pointer)
    body = json.dumps({**extra, **content}, ensure_ascii=False).encode()
    return Item(number, _mark(whole), _completed(body, {}), size, warnings=warnings)


def _bounded_lines(opened: BinaryIO) -> Iterator[tuple[int, bytes | None, int]]:
    """(number, line or None where it is too long, its bytes)."""
    number = 0
    while raw := opened.readline(LONGEST_LINE):
        number += 1
        size = len(raw)
        if size < LONGEST_LINE or raw.endswith(b"\n"):
            yield number, raw, size
            continue
        while rest := opened.readline(LONGEST_LINE):
            size += len(rest)
            if rest.endswith(b"\n"):
                break
        yield number, None, size


def _completed(body: bytes, extra: Mapping[str, Any]) -> bytes:
    """The line with `extra`, and with an external_id where it has none: sent twice, it is one candidate."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if isinstance(content, dict):
        added = {name: value for name, value in extra.items() if content.get(name) is None}
        if content.get("external_id") is None:
            added["external_id"] = f"import-{_mark(_identity(content, body))}"
        if added:
            return json.dumps(content | added, ensure_ascii=False).encode()
    # A line's answer is found by its place, so no line may hold a raw line end of its own.
    return body.replace(b"\r", b" ")


def _identity(content: Mapping[str, Any], body: bytes) -> bytes:
    """What makes a line the same candidate next time: name and contact, else the line as it is."""
    name, contact = content.get("name"), content.get("email") or content.get("phone")
    if isinstance(name, str) and isinstance(contact, str):
        return f"{name.casefold().strip()}\0{contact.casefold().strip()}".encode(errors="replace")
    return body


def _refused(number: int, marked: bytes, size: int, detail: str, pointer: str = "") -> Item:
    return Item(number, _mark(marked), b"", size, errors=[{"pointer": pointer, "detail": detail}])


def _mark(body: bytes) -> str:
    return sha256(body).hexdigest()[:24]


def count_bytes(source: Path) -> int:
    """What a progress bar counts up to."""
    files: Iterable[Path] = source.iterdir() if source.is_dir() else (source,)
    return sum(file.stat().st_size for file in files if file.is_file() and not file.name.startswith("."))

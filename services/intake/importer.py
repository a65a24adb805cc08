"""`python -m services.intake import FILE.jsonl|FILE.csv|DIR`: sends candidates to a running intake.

Lines go in batches, the CVs of a folder a few at a time. The report has a line for each line of the file, and
is what makes a stopped import go on: what it shows as accepted is not sent again, unless it was edited since.
Nothing grows with the file but the marks of what an earlier run did.
"""

import argparse
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

import httpx
from tqdm import tqdm

from services.intake.import_columns import ColumnMap, Unreadable
from services.intake.import_files import Item, UnusableFile, count_bytes, folder, json_lines, rows
from services.intake.import_report import Report
from services.intake.import_sending import ImportStopped, Sender

BATCH_LINES = 500
BATCH_BYTES = 8 * 1024 * 1024
PLAIN_SECONDS = 5.0
"""Between two lines of progress where nobody watches a bar."""
_KEY = re.compile(r"[\x21-\x7e]+")
_BASIS = re.compile(r"(consent|legitimate_interest):(\d{4}-\d\d-\d\d)(?::(.+))?")


@dataclass(frozen=True)
class Options:
    """What the command line says. `extra` is added to lines that do not say it themselves."""

    source: Path
    url: str
    key: str
    dry_run: bool = False
    report: Path | None = None
    columns: Path | None = None
    encoding: str | None = None
    delimiter: str | None = None
    parallel: int = 4
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Outcome:
    accepted: int = 0
    refused: int = 0
    skipped: int = 0
    first_refusals: list[dict[str, Any]] = field(default_factory=list)

    @property
    def sent(self) -> int:
        return self.accepted + self.refused


def main(arguments: Sequence[str]) -> int:
    """0 where every line was accepted, 1 where some were refused, 2 where the import could not be done."""
    try:
        outcome = run(_options(arguments), sys.stderr)
    except (ImportStopped, UnusableFile, Unreadable) as stopped:
        sys.stderr.write(f"error: {stopped}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"error: {error.filename or 'the import'}: {error.strerror or error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("stopped; run the same command again to go on (with the same --report)\n")
        return 130
    return 1 if outcome.refused else 0


def run(options: Options, screen: TextIO) -> Outcome:
    """Send the source; progress goes to `screen`. Raises ImportStopped, UnusableFile, Unreadable, OSError."""
    _check(options)
    items = _items(options)
    report = None
    if options.report is not None:
        report = Report(options.report, going_on=not options.dry_run)
    progress = _Progress(options, screen)
    try:
        with Sender(options.url, options.key, options.dry_run, options.parallel, progress.say) as sender:
            for batch in _batches(items):
                fresh = [one for one in batch if report is None or not report.was_done(one.number, one.mark)]
                progress.outcome.skipped += len(batch) - len(fresh)
                for item, answer in zip(fresh, sender.answers(fresh), strict=True):
                    _note(progress.outcome, item, answer, report)
                if report is not None:
                    report.flush()
                progress.add(batch)
    finally:
        progress.close()
        if report is not None:
            report.close()
    progress.summarise()
    return progress.outcome


def _items(options: Options) -> Iterator[Item]:
    source, extra = options.source, options.extra
    columns = ColumnMap.load(options.columns) if options.columns is not None else None
    if source.is_dir():
        return folder(source, {**(columns.constants if columns else {}), **extra})
    if source.suffix.lower() in {".csv", ".tsv", ".txt"} or columns is not None:
        return rows(source, columns, extra, options.encoding, options.delimiter)
    return json_lines(source, extra)


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    size = 0
    for item in items:
        if batch and (len(batch) == BATCH_LINES or size + len(item.body) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += len(item.body) + 1
        if item.cv is not None and len(batch) == 25:
            # CVs take long, so that progress and report follow more closely.
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _note(outcome: Outcome, item: Item, answer: dict[str, Any], report: Report | None) -> None:
    entry = answer | {"line": item.number}
    if item.warnings:
        entry["warnings"] = [*item.warnings, *entry.get("warnings", ())]
    if item.cv is not None:
        entry["file"] = item.cv.name
    if "errors" in answer:
        outcome.refused += 1
        if len(outcome.first_refusals) < 10:
            outcome.first_refusals.append(entry)
    else:
        outcome.accepted += 1
    if report is not None:
        report.write(entry, item.mark)


class _Progress:
    """A bar on a terminal, a line every few seconds elsewhere; both with the rate."""

    def __init__(self, options: Options, screen: TextIO) -> None:
        self.outcome = Outcome()
        self._options = options
        self._screen = screen
        self._started = self._said_at = time.monotonic()
        self._total = max(1, count_bytes(options.source))
        self._done = 0
        self._bar = tqdm(
            total=self._total,
            unit="B",
            unit_scale=True,
            file=screen,
            desc=options.source.name,
            disable=not screen.isatty(),
        )

    def add(self, batch: Sequence[Item]) -> None:
        size = sum(item.size for item in batch)
        self._done += size
        self._bar.set_postfix_str(
            f"{self.outcome.accepted} accepted, {self.outcome.refused} refused, {self._rate():.0f}/s",
            refresh=False,
        )
        self._bar.update(size)
        if self._bar.disable and time.monotonic() - self._said_at > PLAIN_SECONDS:
            self._said_at = time.monotonic()
            share = min(1.0, self._done / self._total)
            self._screen.write(f"{share:.0%}: {self._counts('accepted')}; {self._rate():.0f}/s\n")
            self._screen.flush()

    def say(self, line: str) -> None:
        """Not print: the line must not break into the bar."""
        tqdm.write(line, file=self._screen)

    def close(self) -> None:
        self._bar.close()

    def summarise(self) -> None:
        outcome, report = self.outcome, self._options.report
        verb = "would be accepted" if self._options.dry_run else "accepted"
        seconds = time.monotonic() - self._started
        write = self._screen.write
        write(f"{self._counts(verb)}; {outcome.sent} sent in {seconds:.1f} s ({self._rate():.0f}/s)\n")
        for entry in outcome.first_refusals:
            where = entry.get("file") or f"line {entry['line']}"
            for error in entry["errors"]:
                write(f"  {where}: {error['pointer'] or 'the whole'}: {error['detail']}\n")
        more = outcome.refused - len(outcome.first_refusals)
        if more:
            write(
                f"  and {more} more; " + (f"all are in {report}\n" if report else "--report FILE keeps all\n")
            )

    def _counts(self, verb: str) -> str:
        outcome = self.outcome
        return f"{outcome.accepted} {verb}, {outcome.refused} refused, {outcome.skipped} already there"

    def _rate(self) -> float:
        return self.outcome.sent / max(time.monotonic() - self._started, 1e-9)


def _check(options: Options) -> None:
    """What would fail only after a long wait, or with a traceback, is said at once."""
    try:
        # Both: httpx takes http://[ for an address, and urlsplit takes blanks for a host.
        parts = urlsplit(options.url)
        known = parts.scheme in {"http", "https"} and parts.hostname and httpx.URL(options.url).host
    except (httpx.InvalidURL, ValueError):
        known = None
    if not known:
        raise ImportStopped(f"--url {options.url!r} is not an address such as http://localhost:8000")
    if not _KEY.fullmatch(options.key):
        raise ImportStopped("--key is not an API key: it has visible ASCII characters only, and no blanks")
    if not (options.source.is_file() or options.source.is_dir()):
        raise ImportStopped(f"{options.source}: there is no such file or folder")
    if options.encoding is not None:
        try:
            "".encode(options.encoding)
        except LookupError as error:
            raise ImportStopped(f"--encoding {options.encoding!r} is not known") from error
    if options.delimiter is not None and len(options.delimiter) != 1:
        raise ImportStopped("--delimiter takes one character")


def _options(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m services.intake import", description="Send candidates to a running intake."
    )
    add = parser.add_argument
    add("source", type=Path, metavar="FILE|DIR", help="JSON lines, CSV, or a folder of CVs")
    add("--url", default="http://localhost:8000", help="where intake answers")
    add("--key", required=True, help="an API key with the scope candidates:write")
    add("--dry-run", action="store_true", help="check every line and store none")
    add("--report", type=Path, metavar="FILE", help="what became of each line; lets a stopped import go on")
    add("--columns", type=Path, metavar="MAP", help="a column map (YAML), or `opencats`")
    add("--basis", help="KIND:UNTIL[:SOURCE] for lines without one, as consent:2028-12-31:fair")
    add("--encoding", help="of a CSV file; found out where not given")
    add("--delimiter", help="of a CSV file; found out where not given")
    add("--parallel", type=int, default=4, choices=range(1, 17), metavar="1-16", help="CVs sent at once")
    found = parser.parse_args(arguments)
    extra: dict[str, Any] = {}
    if found.basis is not None:
        parts = _BASIS.fullmatch(found.basis)
        if parts is None:
            raise ImportStopped("--basis is KIND:UNTIL[:SOURCE], as legitimate_interest:2028-12-31:OpenCATS")
        kind, until, source = parts.groups()
        extra["basis"] = {"kind": kind, "until": until} | ({"source": source} if source else {})
    return Options(
        source=found.source,
        url=found.url,
        key=found.key,
        dry_run=found.dry_run,
        report=found.report,
        columns=found.columns,
        encoding=found.encoding,
        delimiter=found.delimiter,
        parallel=found.parallel,
        extra=extra,
    )

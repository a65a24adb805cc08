"""`python -m services.intake import FILE.jsonl`: sends a file of candidates to a running intake in batches.

The report has a line of JSON for each line of the file, and is what makes a stopped import go on: a line that
the report shows as accepted is not sent again, unless it was edited since.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

import httpx
from tqdm import tqdm

BATCH_LINES = 500
BATCH_BYTES = 8 * 1024 * 1024
PATIENCE_SECONDS = 120.0
"""How long an intake that is away or busy is waited for."""
_KEY = re.compile(r"[\x21-\x7e]+")
_BUSY = frozenset({429, 502, 503, 504})


class ImportStopped(Exception):  # noqa: N818 - what happened
    """The import cannot go on; the message says why and what to do."""


@dataclass(frozen=True)
class Line:
    number: int
    mark: str
    """A digest of the line, so that an edited one is sent again."""
    body: bytes
    size: int


@dataclass
class Outcome:
    accepted: int = 0
    refused: int = 0
    skipped: int = 0
    first_refusals: list[dict[str, Any]] = field(default_factory=list)


def main(arguments: Sequence[str]) -> int:
    """0 where every line was accepted, 1 where some were refused, 2 where the import could not be done."""
    options = _parser().parse_args(arguments)
    try:
        outcome = run(options.file, options.url, options.key, options.dry_run, options.report, sys.stderr)
    except ImportStopped as stopped:
        sys.stderr.write(f"error: {stopped}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"error: {error.filename or 'the import'}: {error.strerror or error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("stopped; run the same command again to go on (with the same --report)\n")
        return 130
    return 1 if outcome.refused else 0


def run(file: Path, url: str, key: str, dry_run: bool, report: Path | None, screen: TextIO) -> Outcome:
    """Send `file`; progress goes to `screen`. Raises ImportStopped."""
    _check(file, url, key)
    done = _accepted(report) if report is not None and not dry_run else {}
    outcome, started = Outcome(), time.monotonic()
    client = httpx.Client(
        base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=httpx.Timeout(60.0, connect=5.0)
    )
    written = _opened(report) if report is not None else None
    bar = tqdm(total=file.stat().st_size, unit="B", unit_scale=True, file=screen, desc=file.name)
    try:
        with client, bar:
            for batch in _batches(_lines(file)):
                fresh = [line for line in batch if done.get(line.number) != line.mark]
                outcome.skipped += len(batch) - len(fresh)
                if fresh:
                    _note(outcome, fresh, _send(client, fresh, dry_run, screen), written)
                bar.update(sum(line.size for line in batch))
                bar.set_postfix(accepted=outcome.accepted, refused=outcome.refused, refresh=False)
    finally:
        if written is not None:
            written.close()
    _summarise(outcome, time.monotonic() - started, dry_run, report, screen)
    return outcome


def _check(file: Path, url: str, key: str) -> None:
    """What would fail only after a long wait, or with a traceback, is said at once."""
    try:
        # Both: httpx takes http://[ for an address, and urlsplit takes blanks for a host.
        known = urlsplit(url).scheme in {"http", "https"} and urlsplit(url).hostname and httpx.URL(url).host
    except (httpx.InvalidURL, ValueError):
        known = None
    if not known:
        raise ImportStopped(f"--url {url!r} is not an address such as http://localhost:8000")
    if not _KEY.fullmatch(key):
        raise ImportStopped("--key is not an API key: it has visible ASCII characters only, and no blanks")
    if not file.is_file():
        raise ImportStopped(f"{file}: there is no such file")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m services.intake import", description="Send candidates to a running intake."
    )
    parser.add_argument(
        "file", type=Path, help="one JSON object a line, with the fields of POST /api/candidates"
    )
    parser.add_argument("--url", default="http://localhost:8000", help="where intake answers")
    parser.add_argument("--key", required=True, help="an API key with the scope candidates:write")
    parser.add_argument("--dry-run", action="store_true", help="check every line and store none")
    parser.add_argument(
        "--report", type=Path, help="what became of each line; also lets a stopped import go on"
    )
    return parser


def _lines(file: Path) -> Iterator[Line]:
    with file.open("rb") as opened:
        for number, raw in enumerate(opened, 1):
            body = raw.strip().removeprefix(b"\xef\xbb\xbf")
            if body:
                mark = sha256(body).hexdigest()[:24]
                yield Line(number, mark, _identified(body, mark), len(raw))


def _identified(body: bytes, mark: str) -> bytes:
    """A line without external_id gets one from its content: sent twice, it is still one candidate."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if isinstance(content, dict) and content.get("external_id") is None:
        return json.dumps(content | {"external_id": f"import-{mark}"}, ensure_ascii=False).encode()
    # A line's answer is found by its place, so no line may hold a raw line end of its own.
    return body.replace(b"\r", b" ")


def _batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    batch: list[Line] = []
    size = 0
    for line in lines:
        if batch and (len(batch) == BATCH_LINES or size + len(line.body) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line.body) + 1
    if batch:
        yield batch


def _send(client: httpx.Client, batch: list[Line], dry_run: bool, screen: TextIO) -> list[dict[str, Any]]:
    """The answers, one a line. What intake could not store for an outage is sent again."""
    answers: dict[int, dict[str, Any]] = {}
    waiting = list(batch)
    patience = time.monotonic() + PATIENCE_SECONDS
    said = False
    while waiting:
        found, retry_after, why = _send_once(client, waiting, dry_run)
        for line, answer in zip(waiting, found, strict=False):
            if answer.get("status") not in _BUSY:
                answers[line.number] = answer
        left = [line for line in waiting if line.number not in answers]
        if len(left) == len(waiting) and time.monotonic() > patience:
            raise ImportStopped("intake is away or busy; run the same command again later to go on")
        if left:
            if not said:
                # Not print: the line must not break into the progress bar.
                tqdm.write(f"waiting for intake at {client.base_url} ({why})", file=screen)
                said = True
            time.sleep(retry_after)
        else:
            break
        waiting = left
    return [answers[line.number] for line in batch]


def _send_once(
    client: httpx.Client, batch: list[Line], dry_run: bool
) -> tuple[list[dict[str, Any]], float, str]:
    """The lines' answers (none where intake was away), how long to wait before the next try, and why."""
    body = b"\n".join(line.body for line in batch)
    parameters = {"dry_run": "true"} if dry_run else {}
    try:
        response = client.post(
            "/api/candidates/batch",
            params=parameters,
            content=body,
            headers={"Content-Type": "application/x-ndjson"},
        )
    except httpx.TransportError as error:
        return [], 2.0, str(error) or type(error).__name__
    pause = response.headers.get("retry-after", "")
    retry_after = float(pause) if pause.isdigit() else 2.0
    if response.status_code in _BUSY:
        return [], retry_after, f"it answered {response.status_code}"
    if response.status_code != httpx.codes.OK:
        raise ImportStopped(f"intake answered {response.status_code}: {_title(response)}")
    answers = [json.loads(line) for line in response.text.split("\n") if line]
    return answers, retry_after, "it put lines off"


def _title(response: httpx.Response) -> str:
    try:
        return str(response.json().get("title", ""))
    except ValueError:
        return response.reason_phrase


def _note(outcome: Outcome, batch: list[Line], answers: list[dict[str, Any]], written: TextIO | None) -> None:
    for line, answer in zip(batch, answers, strict=True):
        entry = answer | {"line": line.number}
        if "errors" in answer:
            outcome.refused += 1
            if len(outcome.first_refusals) < 10:
                outcome.first_refusals.append(entry)
        else:
            outcome.accepted += 1
        if written is not None:
            written.write(json.dumps(entry | {"mark": line.mark}, ensure_ascii=False) + "\n")
    if written is not None:
        written.flush()


def _opened(report: Path) -> TextIO:
    """The report, to append to. An earlier run may have been stopped in the middle of a line."""
    opened = report.open("a", encoding="utf-8")
    if opened.tell() and not report.read_bytes().endswith(b"\n"):
        opened.write("\n")
    return opened


def _accepted(report: Path) -> dict[int, str]:
    """Line number -> mark of what an earlier run got accepted; a half-written last line is passed over."""
    done: dict[int, str] = {}
    if not report.exists():
        return done
    with report.open(encoding="utf-8", errors="replace") as opened:
        for text in opened:
            try:
                entry = json.loads(text)
                number, mark = int(entry["line"]), str(entry["mark"])
            except (ValueError, KeyError, TypeError):
                continue
            if "candidate_id" in entry:
                done[number] = mark
    return done


def _summarise(outcome: Outcome, seconds: float, dry_run: bool, report: Path | None, screen: TextIO) -> None:
    sent = outcome.accepted + outcome.refused
    rate = sent / seconds if seconds else 0
    verb = "would be accepted" if dry_run else "accepted"
    screen.write(
        f"{outcome.accepted} {verb}, {outcome.refused} refused, {outcome.skipped} already there; "
        f"{sent} sent in {seconds:.1f} s ({rate:.0f}/s)\n"
    )
    for entry in outcome.first_refusals:
        for error in entry["errors"]:
            screen.write(f"  line {entry['line']}: {error['pointer'] or 'the line'}: {error['detail']}\n")
    if outcome.refused > len(outcome.first_refusals):
        rest = f"; all are in {report}" if report else "; --report FILE keeps them all"
        screen.write(f"  and {outcome.refused - len(outcome.first_refusals)} more{rest}\n")

"""`python -m services.intake import`: a file of candidates against a running intake."""

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, Request, Response

from services.intake import importer
from services.intake.app import build
from services.intake.import_report import Report
from services.intake.import_sending import ImportStopped
from shared.run import Surroundings
from shared.service import Service
from tests.intake.support import a_candidate, bearer, publish_catalogue, serving
from tests.support import WAIT_SECONDS


@pytest.fixture
async def address(given: Surroundings) -> AsyncIterator[str]:
    await publish_catalogue(given.kafka_bootstrap)
    async with serving(build(given), given) as url:
        yield url


async def run(file: Path, url: str, given: Surroundings, **options: Any) -> tuple[importer.Outcome, str]:
    key = bearer(given)["Authorization"].removeprefix("Bearer ")
    screen = io.StringIO()
    outcome = await asyncio.to_thread(importer.run, importer.Options(file, url, key, **options), screen)
    return outcome, screen.getvalue()


def write(file: Path, count: int, *more: str) -> None:
    lines = [
        json.dumps(a_candidate(external_id=f"x-{number}"), ensure_ascii=False) for number in range(count)
    ]
    file.write_text("\n".join([*lines, *more]) + "\n", encoding="utf-8")


async def test_a_file_is_sent_in_batches_and_reported_line_by_line(
    given: Surroundings, address: str, tmp_path: Path
) -> None:
    file, report = tmp_path / "c.jsonl", tmp_path / "report.jsonl"
    nameless = json.dumps(a_candidate(external_id=...))
    write(file, 501, "", "{broken", json.dumps(a_candidate(external_id="a@b.example")), nameless)
    candidates = given.mongo_client["recruitment_intake"]["candidates"]

    dry, said = await run(file, address, given, dry_run=True)
    assert (dry.accepted, dry.refused) == (502, 2)
    assert "502 would be accepted, 2 refused" in said
    assert await candidates.count_documents({}) == 0

    outcome, said = await run(file, address, given, report=report)
    assert (outcome.accepted, outcome.refused, outcome.skipped) == (502, 2, 0)
    assert "line 504: /external_id: must not be an e-mail address" in said
    assert await candidates.count_documents({}) == 502
    entries = [json.loads(line) for line in report.read_text("utf-8").splitlines()]
    assert [entry["line"] for entry in entries] == [*range(1, 502), 503, 504, 505]
    assert all(("candidate_id" in entry) != ("errors" in entry) for entry in entries)

    # Run again: what is there is passed over, what was mended is sent, a candidate without id is still one.
    mended = file.read_text("utf-8").replace("{broken", json.dumps(a_candidate(external_id="x-mended")))
    file.write_text(mended, encoding="utf-8")
    outcome, _ = await run(file, address, given, report=report)
    assert (outcome.accepted, outcome.refused, outcome.skipped) == (1, 1, 502)
    outcome, _ = await run(file, address, given)
    assert await candidates.count_documents({}) == 503


async def test_a_stopped_import_goes_on_from_its_report(
    given: Surroundings, address: str, tmp_path: Path
) -> None:
    file, report = tmp_path / "c.jsonl", tmp_path / "report.jsonl"
    write(file, 30)
    await run(file, address, given, report=report)
    kept = report.read_text("utf-8").splitlines()[:10]
    report.write_text("\n".join(kept) + '\n{"line": 11, "candid', encoding="utf-8")
    outcome, _ = await run(file, address, given, report=report)
    assert (outcome.accepted, outcome.skipped) == (20, 10)
    outcome, _ = await run(file, address, given, report=report)
    assert (outcome.accepted, outcome.skipped) == (0, 30)


async def test_what_cannot_be_done_is_said_in_a_line(
    given: Surroundings, address: str, tmp_path: Path
) -> None:
    file = tmp_path / "c.jsonl"
    with pytest.raises(ImportStopped, match="no such file"):
        await run(file, address, given)
    write(file, 1)
    with pytest.raises(ImportStopped, match="401"):
        await asyncio.to_thread(importer.run, importer.Options(file, address, "junk"), io.StringIO())


async def test_the_command_itself_runs(given: Surroundings, address: str, tmp_path: Path) -> None:
    file = tmp_path / "c.jsonl"
    write(file, 3)
    key = bearer(given)["Authorization"].removeprefix("Bearer ")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.intake", "import", str(file), "--url", address, "--key", key,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    assert process.returncode == 0
    assert b"3 accepted, 0 refused" in said


async def command(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.intake", "import", *arguments, stderr=asyncio.subprocess.PIPE
    )


def test_a_wrong_address_key_or_report_is_said_in_one_line_before_anything_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "c.jsonl"
    write(file, 1)
    good = {"--url": "http://127.0.0.1:1", "--key": "k"}
    for option, value in (
        ("--url", "nonsense"),
        ("--url", "ftp://intake.example"),
        ("--url", "http://"),
        ("--url", "http://["),
        ("--url", "http://intake.example:port"),
        ("--key", "é"),
        ("--key", ""),
        ("--key", "two words"),
        ("--report", "/nonexist/r"),
        ("--report", str(tmp_path)),
    ):
        options = [part for pair in (good | {option: value}).items() for part in pair]
        assert importer.main([str(file), *options]) == 2, (option, value)
        said = capsys.readouterr().err
        assert said.startswith("error: "), said
        assert said.count("\n") == 1, said
        assert "Traceback" not in said


def test_a_report_that_is_not_text_is_passed_over_like_a_half_written_line(tmp_path: Path) -> None:
    report = tmp_path / "r"
    report.write_bytes(b"\xff\xfe\n" + b'{"line": 2, "mark": "ab", "candidate_id": "c"}\n')
    assert Report(report, going_on=True).was_done(2, "ab")


async def test_while_intake_is_unreachable_the_command_says_that_it_waits_and_why(tmp_path: Path) -> None:
    file = tmp_path / "c.jsonl"
    write(file, 1)
    process = await command(str(file), "--url", "http://127.0.0.1:1", "--key", "k")
    assert process.stderr is not None
    said = b""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while b"waiting for intake at http://127.0.0.1:1 (" not in said:
                chunk = await process.stderr.read(1000)
                assert chunk, said
                said += chunk
    finally:
        process.kill()
        await process.wait()


async def test_what_a_slow_intake_does_not_answer_in_time_is_sent_in_smaller_parts(
    given: Surroundings, tmp_path: Path
) -> None:
    sizes: list[int] = []

    async def slow(request: Request) -> Response:
        lines = (await request.body()).split(b"\n")
        sizes.append(len(lines))
        if len(lines) > 60:
            return Response(status_code=504, headers={"Retry-After": "0"})
        answers = [json.dumps({"line": number, "status": 201}) for number, _ in enumerate(lines, 1)]
        return Response("\n".join(answers))

    router = APIRouter()
    router.add_api_route("/api/candidates/batch", slow, methods=["POST"])
    app = Service("intake", given.settings, given.metrics, given.tokens).fastapi_app(router)
    file = tmp_path / "c.jsonl"
    write(file, 200)
    async with serving(app, given) as url:
        outcome, _ = await run(file, url, given)
    assert outcome.accepted == 200
    assert sizes == [200, 100, 50, 50, 50, 50]

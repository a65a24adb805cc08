"""HTTP for many candidates at once: POST /api/candidates/batch."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.intake.candidates import Candidates
from services.intake.candidates_api import Writer
from services.intake.domain.candidate import CandidateRequest
from services.intake.domain.fields import Refusal
from services.intake.views import candidate_answer, shared_answer
from shared.outage import is_outage
from shared.web.docs import json_body
from shared.web.problems import Problem, field_problem, parse_json

BATCH_PATH = "/api/candidates/batch"
BATCH_LINES = 1000
_AT_ONCE = 20
_Line = tuple[int, bytes]


def batch_routes(candidates: Candidates, stored: Callable[[], None]) -> APIRouter:
    """`stored` is called after each batch that stored something."""
    router = APIRouter(tags=["candidates"])

    @router.post(BATCH_PATH, openapi_extra=json_body(CandidateRequest, "application/x-ndjson"))
    async def batch(request: Request, caller: Writer, dry_run: bool = False) -> Response:
        """NDJSON, up to 1,000 lines; a line of answer each, in order. Good lines are kept."""
        candidates.knowledge.require()
        lines = (await request.body()).split(b"\n")
        numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
        if len(numbered) > BATCH_LINES:
            raise field_problem(("", f"{len(numbered)} lines came; at most {BATCH_LINES} are accepted"))
        answers = await _run_batch(candidates, numbered, caller.owner, dry_run)
        if not dry_run:
            stored()
        body = "".join(json.dumps(answer, ensure_ascii=False) + "\n" for answer in answers)
        return Response(body, media_type="application/x-ndjson")

    return router


async def _run_batch(
    candidates: Candidates, lines: Sequence[_Line], owner: str, dry_run: bool
) -> list[dict[str, Any]]:
    """Lines of one external id one after the other, so that the last one wins; others side by side."""
    chains: dict[str, list[tuple[int, int, CandidateRequest]]] = {}
    answers: list[dict[str, Any]] = [{} for _ in lines]
    for place, (number, line) in enumerate(lines):
        try:
            request = parse_json(line, CandidateRequest)
        except Problem as problem:
            answers[place] = _refused(number, problem)
            continue
        chain = f"id:{request.external_id}" if request.external_id is not None else f"line:{number}"
        chains.setdefault(chain, []).append((place, number, request))
    slots = asyncio.Semaphore(_AT_ONCE)

    async def run(chain: list[tuple[int, int, CandidateRequest]]) -> None:
        async with slots:
            for place, number, request in chain:
                answers[place] = await _run_line(candidates, number, request, owner, dry_run)
                # Reading a CV is work without a pause: let other requests have theirs.
                await asyncio.sleep(0)

    await asyncio.gather(*(run(chain) for chain in chains.values()))
    return answers


async def _run_line(
    candidates: Candidates, number: int, request: CandidateRequest, owner: str, dry_run: bool
) -> dict[str, Any]:
    try:
        if dry_run:
            profile = await candidates.read(request)
            unmapped, warnings = profile.unmapped, profile.warnings
            return {"line": number, "status": 200, "unmapped_skills": unmapped, "warnings": warnings}
        document, created = await candidates.save(request, owner)
    except Refusal as refusal:
        return _refused(number, field_problem(*refusal.errors))
    except Exception as error:
        if not is_outage(error):
            raise
        return _refused(number, Problem(503, "This line was not stored; please send it again"))
    # Another owner's candidate is met where a consultant has merged two.
    answer = candidate_answer(document) if document["owner"] == owner else shared_answer(document)
    told = {name: answer[name] for name in ("candidate_id", "unmapped_skills", "warnings")}
    return {"line": number, "status": 201 if created else 200} | told


def _refused(number: int, problem: Problem) -> dict[str, Any]:
    errors = problem.body.get("errors") or [{"pointer": "", "detail": problem.body["title"]}]
    return {"line": number, "status": problem.status, "errors": errors}

"""HTTP for candidates: /api/candidates."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError

from services.intake.api import After, Limit, json_object, page_of, require_match
from services.intake.candidates import Candidates, ExternalIdTaken
from services.intake.domain.candidate import CandidateRequest
from services.intake.domain.fields import Refusal
from services.intake.needs import Changed
from services.intake.store import Document
from services.intake.views import candidate_answer, candidate_view, erasure_view, etag
from shared.settings import Settings
from shared.taxonomy import loose
from shared.tokens import BadToken, Tokens
from shared.web.access import Caller, requires
from shared.web.problems import Problem, as_field_errors, field_problem, not_found, parse_json

ERASURE_PURPOSE = "candidate-erasure"
ERASURE_LIFETIME = timedelta(days=60)

Writer = Annotated[Caller, Depends(requires("candidates:write"))]


def candidate_routes(candidates: Candidates, tokens: Tokens, settings: Settings) -> APIRouter:
    router = APIRouter(prefix="/api/candidates", tags=["candidates"])

    @router.post("")
    async def post(request: Request, caller: Writer) -> Response:
        """Store a candidate (201), or update the one with the same external id (200)."""
        body = parse_json(await request.body(), CandidateRequest)
        try:
            document, created = await candidates.save(body, caller.owner)
        except Refusal as refusal:
            raise field_problem(*refusal.errors) from refusal
        headers = {"ETag": etag(document), "Location": f"/api/candidates/{document['_id']}"}
        return JSONResponse(candidate_answer(document), 201 if created else 200, headers)

    @router.get("")
    async def search(
        caller: Writer,
        q: Annotated[str | None, Query(max_length=200)] = None,
        limit: Limit = 50,
        after: After = None,
    ) -> dict[str, Any]:
        """The caller's candidates by name, id, contact or skill, newest first."""
        lexicon = candidates.knowledge.require()
        owner = None if "*" in caller.scopes else caller.owner
        skill = lexicon.taxonomy.resolve(q) if q else None
        found = await candidates.store.search(owner, loose(q) if q else None, skill, after, limit)
        return page_of(found, limit, candidate_view)

    @router.get("/{candidate_id}")
    async def one(candidate_id: str, caller: Writer) -> Response:
        document = await _own(candidates, candidate_id, caller)
        return JSONResponse(candidate_view(document), headers={"ETag": etag(document)})

    @router.patch("/{candidate_id}")
    async def patch(request: Request, candidate_id: str, caller: Writer) -> Response:
        """A merge patch (RFC 7396) of what was given; it outranks what was read in the CV."""
        document = await _own(candidates, candidate_id, caller)
        body = json_object(await request.body())
        require_match(request, document, needed=False)
        try:
            changed = await candidates.patch(document, body)
        except ValidationError as error:
            raise field_problem(*as_field_errors(error)) from error
        except Refusal as refusal:
            raise field_problem(*refusal.errors) from refusal
        except ExternalIdTaken as taken:
            detail = "another candidate has this external id"
            raise field_problem(("/external_id", detail)) from taken
        except Changed as error:
            raise Problem(412, "The candidate was changed meanwhile", kind="/problems/stale") from error
        return JSONResponse(candidate_answer(changed), headers={"ETag": etag(changed)})

    @router.delete("/{candidate_id}")
    async def erase(candidate_id: str, caller: Writer) -> Response:
        """Erase the candidate. 202 with a link that shows which services have confirmed."""
        while True:
            document = await _own(candidates, candidate_id, caller)
            try:
                stub = await candidates.erase(document)
            except Changed:
                continue
            token = tokens.issue(ERASURE_PURPOSE, candidate_id, lifetime=ERASURE_LIFETIME)
            link = f"/api/candidates/{candidate_id}/erasure?t={token}"
            answer = erasure_view(stub) | {"link": settings.public_url + link}
            return JSONResponse(answer, 202, {"Location": link})

    return router


def erasure_routes(candidates: Candidates, tokens: Tokens) -> APIRouter:
    router = APIRouter(prefix="/api/candidates", tags=["candidates"])

    @router.get("/{candidate_id}/erasure")
    async def erasure(candidate_id: str, t: Annotated[str, Query(max_length=2000)]) -> dict[str, Any]:
        """How far an erasure is, for whoever holds its link."""
        try:
            known = tokens.verify(t, ERASURE_PURPOSE).subject == candidate_id
        except BadToken as error:
            raise not_found("erasure") from error
        stub = await candidates.store.find_stub(candidate_id) if known else None
        if stub is None:
            raise not_found("erasure")
        return erasure_view(stub)

    return router


async def _own(candidates: Candidates, candidate_id: str, caller: Caller) -> Document:
    candidates.knowledge.require_store()
    document = await candidates.store.find(candidate_id)
    if document is None or not (document["owner"] == caller.owner or "*" in caller.scopes):
        raise not_found("candidate")
    return document

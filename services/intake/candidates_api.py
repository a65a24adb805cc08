"""HTTP for candidates: /api/candidates."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError

from services.intake.api import After, Limit, json_object, page_of, require_match
from services.intake.candidate_body import OPENAPI, Sent, read_sent
from services.intake.candidate_documents import fields_of
from services.intake.candidates import Candidates, ExternalIdTaken
from services.intake.domain.candidate import CandidateRequest
from services.intake.domain.fields import Refusal
from services.intake.needs import Changed
from services.intake.reading.found import Unreadable
from services.intake.rights import Rights
from services.intake.store import Document
from services.intake.views import candidate_answer, candidate_view, etag, shared_answer
from shared.taxonomy import loose
from shared.web.access import Caller, requires
from shared.web.docs import json_body
from shared.web.problems import Problem, as_field_errors, field_problem, not_found, parse_json

Writer = Annotated[Caller, Depends(requires("candidates:write"))]


def candidate_routes(candidates: Candidates, rights: Rights) -> APIRouter:
    router = APIRouter(prefix="/api/candidates", tags=["candidates"])

    @router.post("", status_code=201, openapi_extra=OPENAPI)
    async def post(request: Request, caller: Writer, dry_run: bool = False) -> Response:
        """Store a candidate (201), or update the one with the same external id (200); JSON or multipart."""
        sent = await read_sent(request)
        async with refusals():
            if dry_run:
                return JSONResponse(await _would_count(candidates, sent))
            body = parse_json(sent.profile, CandidateRequest)
            document, created = await candidates.save(body, caller.owner, sent.cv, sent.cv_name)
        rights.soon()
        headers = {"ETag": etag(document), "Location": f"/api/candidates/{document['_id']}"}
        if document["owner"] != caller.owner:
            # Merged by a consultant: the other owner's CV and texts are not this caller's to read.
            return JSONResponse(shared_answer(document), 200, {"ETag": headers["ETag"]})
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
        skill = lexicon.taxonomy.resolve(q) if q else None
        text = loose(q) if q else None
        found = await candidates.store.search(_owner(caller), text, skill, after, limit)
        return page_of(found, limit, candidate_view)

    @router.get("/{candidate_id}")
    async def one(candidate_id: str, caller: Writer) -> Response:
        """A candidate of the caller's: what was given, and what counts of it."""
        document = await own_candidate(candidates, candidate_id, caller)
        return JSONResponse(candidate_view(document), headers={"ETag": etag(document)})

    @router.patch(
        "/{candidate_id}", openapi_extra=json_body(CandidateRequest, "application/merge-patch+json")
    )
    async def patch(request: Request, candidate_id: str, caller: Writer) -> Response:
        """A merge patch (RFC 7396) of what was given; it outranks what was read in the CV."""
        document = await own_candidate(candidates, candidate_id, caller)
        body = json_object(await request.body())
        require_match(request, document, needed=False)
        async with refusals():
            changed = await candidates.patch(document, body)
        rights.soon()
        return JSONResponse(candidate_answer(changed), headers={"ETag": etag(changed)})

    return router


@asynccontextmanager
async def refusals() -> AsyncIterator[None]:
    """What a candidate is refused for, as a problem."""
    try:
        yield
    except Unreadable as error:
        raise Problem(
            422,
            "The CV cannot be read",
            kind="/problems/unreadable-cv",
            detail=error.en,
            errors=[{"pointer": "/cv", "detail": error.en}],
            extra={"kind": error.kind.value},
        ) from error
    except ValidationError as error:
        raise field_problem(*as_field_errors(error)) from error
    except Refusal as refusal:
        raise field_problem(*refusal.errors) from refusal
    except ExternalIdTaken as taken:
        raise field_problem(("/external_id", "another candidate has this external id")) from taken
    except Changed as error:
        raise Problem(412, "The candidate was changed meanwhile", kind="/problems/stale") from error


async def _would_count(candidates: Candidates, sent: Sent) -> dict[str, Any]:
    request = parse_json(sent.profile, CandidateRequest)
    profile = await candidates.read(request, sent.cv)
    answer = candidate_answer({"_id": None} | fields_of(request, profile, candidates.knowledge.lexicon))
    del answer["candidate_id"]
    return answer


def _owner(caller: Caller) -> str | None:
    return None if "*" in caller.scopes else caller.owner


async def own_candidate(candidates: Candidates, candidate_id: str, caller: Caller) -> Document:
    """The candidate, if the caller may know of it. 404 for everybody else."""
    candidates.knowledge.require_store()
    document = await candidates.store.find(candidate_id)
    if document is None or not (document["owner"] == caller.owner or "*" in caller.scopes):
        raise not_found("candidate")
    return document

"""HTTP for needs: /api/needs."""

import json
import re
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ValidationError

from services.intake.access import open_need
from services.intake.domain.fields import Refusal
from services.intake.domain.need import NeedRequest
from services.intake.needs import Changed, Closed, KeyReused, Needs
from services.intake.settings import IntakeSettings
from services.intake.store import Document
from services.intake.stream import follow
from services.intake.views import etag, need_view
from shared.events.need import NeedState
from shared.web.access import Caller, caller_of
from shared.web.problems import Problem, as_field_errors, field_problem, parse_json
from shared.web.stream import HEADERS

_DEEPEST = 16
"""Levels of nesting in a patch; a need has four."""
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[str | None, Query(max_length=64)]


def need_routes(needs: Needs, settings: IntakeSettings, limit: Callable[[Request], None]) -> APIRouter:
    router = APIRouter(prefix="/api/needs", tags=["needs"])

    @router.post("", status_code=201, openapi_extra=documented_body(NeedRequest))
    async def post(request: Request) -> Response:
        """Store a need. Open to all; with a key it belongs to the key's owner."""
        limit(request)  # not as a dependency, which would run in a thread of its own
        caller = caller_of(request)
        if caller is not None and not caller.allows("needs:write"):
            raise Problem(
                403, "This key does not carry the scope needs:write", kind="/problems/missing-scope"
            )
        need = parse_json(await request.body(), NeedRequest)
        answer = await post_need(needs, need, caller.owner if caller else None, idempotency_key(request))
        headers = {"Location": f"/api/needs/{answer['need_id']}", "ETag": f'"{answer["revision"]}"'}
        return JSONResponse(answer, 201, headers)

    @router.get("")
    async def own(request: Request, limit: Limit = 50, after: After = None) -> dict[str, Any]:
        """The caller's own needs, newest first; all of them for a key with every scope."""
        caller = known_caller(request)
        needs.knowledge.require_store()
        condition = {} if "*" in caller.scopes else {"owner": caller.owner}
        found = await needs.store.page(condition, after, limit)
        return page_of(found, limit, need_view)

    @router.get("/{need_id}")
    async def one(request: Request, need_id: str) -> Response:
        access = await open_need(request, needs, need_id)
        return _answer(access.document)

    @router.get("/{need_id}/events")
    async def events(request: Request, need_id: str) -> StreamingResponse:
        """The need as it changes (server-sent events)."""
        await open_need(request, needs, need_id)
        stopping = request.app.state.service.stopping
        messages = follow(needs, need_id, settings, stopping)
        return StreamingResponse(messages, media_type="text/event-stream", headers=HEADERS)

    @router.patch("/{need_id}", openapi_extra=documented_body(NeedRequest, patch=True))
    async def patch(request: Request, need_id: str) -> Response:
        """A merge patch (RFC 7396) of the request, as of the revision in If-Match: a new revision."""
        document = (await open_need(request, needs, need_id, to_write=True)).document
        body = json_object(await request.body())
        require_match(request, document, needed=True)
        try:
            return _answer(await needs.edit(document, body))
        except ValidationError as error:
            raise field_problem(*as_field_errors(error)) from error
        except Refusal as refusal:
            raise field_problem(*refusal.errors) from refusal
        except Closed as closed:
            raise _closed(document) from closed
        except Changed as changed:
            raise _stale(await needs.store.find(need_id) or document) from changed

    @router.delete("/{need_id}")
    async def withdraw(request: Request, need_id: str) -> Response:
        """Withdraw the need. Withdrawing it again changes nothing."""
        while True:
            document = (await open_need(request, needs, need_id, to_write=True)).document
            require_match(request, document, needed=False)
            try:
                return _answer(await needs.close(document, NeedState.WITHDRAWN))
            except Closed as closed:
                raise _closed(document) from closed
            except Changed:
                continue

    return router


async def post_need(needs: Needs, need: NeedRequest, owner: str | None, key: str | None) -> dict[str, Any]:
    """Post, with the domain's refusals as problems."""
    try:
        return await needs.post(need, owner, key)
    except Refusal as refusal:
        raise field_problem(*refusal.errors) from refusal
    except KeyReused as reused:
        detail = "this key came with another body before; take a new one for a new need"
        raise field_problem(("Idempotency-Key", detail)) from reused


def idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise field_problem(("Idempotency-Key", "1 to 255 visible ASCII characters"))
    return key


def known_caller(request: Request) -> Caller:
    caller = caller_of(request)
    if caller is None:
        raise Problem(
            401,
            "A key is needed: Authorization: Bearer <key>",
            kind="/problems/unauthorized",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return caller


def documented_body(model: type[BaseModel], *, patch: bool = False) -> dict[str, Any]:
    """For OpenAPI: the schema of a body that is read by hand; of a merge patch, every field may be absent."""
    schema = model.model_json_schema()
    media = "application/json"
    if patch:
        schema.pop("required", None)
        media = "application/merge-patch+json"
    return {"requestBody": {"required": True, "content": {media: {"schema": schema}}}}


def json_object(body: bytes) -> dict[str, Any]:
    """A patch's body. Raises a 400 problem for anything but a JSON object of a sensible depth."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or _deeper_than(content, _DEEPEST):
        raise Problem(
            400,
            "The body is not a JSON object",
            kind="/problems/not-json",
            errors=[
                {
                    "pointer": "",
                    "detail": f"the body must be a JSON object in UTF-8, at most {_DEEPEST} levels deep",
                }
            ],
        )
    return content


def _deeper_than(content: Any, levels: int) -> bool:
    """Level by level and not by recursion, which is what a deep body would exhaust."""
    layer = [content]
    for _ in range(levels):
        layer = [
            inner
            for outer in layer
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return bool(layer)


def require_match(request: Request, document: Document, *, needed: bool) -> None:
    """Compare If-Match (RFC 9110) with the document's revision: 428 without, 412 with the current state."""
    asked = request.headers.get("if-match")
    if asked is None:
        if needed:
            raise Problem(
                428,
                "If-Match is needed: send the ETag of the revision that you changed",
                kind="/problems/precondition-required",
            )
        return
    tags = {tag.strip().removeprefix("W/") for tag in asked.split(",")}
    if "*" not in tags and etag(document) not in tags:
        raise _stale(document)


def page_of(found: list[Document], limit: int, view: Callable[[Document], dict[str, Any]]) -> dict[str, Any]:
    following = found[-1]["_id"] if len(found) == limit else None
    return {"items": [view(document) for document in found], "next": following}


def _answer(document: Document) -> Response:
    return JSONResponse(need_view(document), headers={"ETag": etag(document)})


def _stale(document: Document) -> Problem:
    current = need_view(document) if "timeline" in document else {"revision": document["revision"]}
    return Problem(
        412,
        "It was changed meanwhile; this is its current state",
        kind="/problems/stale",
        headers={"ETag": etag(document)},
        extra={"current": current},
    )


def _closed(document: Document) -> Problem:
    status = document["need"]["status"]
    return Problem(409, f"The need is {status} and changes no more", kind="/problems/closed")

"""/api/consultants and /api/deliveries."""

import json
from typing import Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import JsonValue, RootModel

from services.notifier.consultants import Consultant, ConsultantFields
from services.notifier.domain import CLIENT
from services.notifier.letterhead import LedgerRow, RowState
from services.notifier.staff import Staff, fields_of
from services.notifier.store import EmailTaken, Store
from shared.web.access import requires
from shared.web.problems import Problem, field_problem, not_found, parse_json

MAX_PAGE = 500


class _Patch(RootModel[dict[str, JsonValue]]):
    pass


def routes(store: Store, staff: Staff) -> APIRouter:
    router = APIRouter()
    reads = [Depends(requires("consultants:read"))]
    writes = [Depends(requires("consultants:write"))]

    @router.get("/api/consultants", dependencies=reads)
    async def list_consultants(
        limit: int = Query(100, ge=1, le=MAX_PAGE), after: str = Query("", max_length=100)
    ) -> dict[str, Any]:
        found = await store.consultants(after=after, limit=limit + 1)
        return _page([_shown(one) for one in found], limit, "consultant_id")

    @router.get("/api/consultants/{consultant_id}", dependencies=reads)
    async def get_consultant(consultant_id: str) -> Response:
        return _answer(await _existing(store, consultant_id))

    @router.post("/api/consultants", dependencies=writes)
    async def add_consultant(request: Request) -> Response:
        fields = parse_json(await request.body(), ConsultantFields)
        try:
            made = await store.add_consultant(fields)
        except EmailTaken as error:
            raise _email_taken() from error
        location = f"/api/consultants/{made.consultant_id}"
        return _answer(made, status=201, headers={"Location": location})

    @router.put("/api/consultants/{consultant_id}", dependencies=writes)
    async def put_consultant(consultant_id: str, request: Request) -> Response:
        before = await _existing(store, consultant_id)
        _check_match(request, before)
        fields = parse_json(await request.body(), ConsultantFields)
        return _answer(await _change(staff, before, fields, active=True))

    @router.patch("/api/consultants/{consultant_id}", dependencies=writes)
    async def patch_consultant(consultant_id: str, request: Request) -> Response:
        """The fields that are named, as a JSON merge patch (RFC 7396); who is deactivated stays so."""
        before = await _existing(store, consultant_id)
        _check_match(request, before)
        patch = parse_json(await request.body(), _Patch).root
        merged = _merged(fields_of(before).model_dump(mode="json"), patch)
        fields = parse_json(json.dumps(merged).encode(), ConsultantFields)
        return _answer(await _change(staff, before, fields, active=before.active))

    @router.delete("/api/consultants/{consultant_id}", dependencies=writes)
    async def deactivate(consultant_id: str, request: Request) -> Response:
        """The consultant gets no more mails, and open needs pass on; what they decided stays."""
        before = await _existing(store, consultant_id)
        if "if-match" in request.headers:
            _check_match(request, before)
        await _change(staff, before, fields_of(before), active=False)
        return Response(status_code=204)

    @router.get("/api/deliveries", dependencies=[Depends(requires("deliveries:read"))])
    async def deliveries(
        need_id: str | None = Query(None, min_length=1, max_length=100),
        status: RowState | None = None,
        limit: int = Query(100, ge=1, le=MAX_PAGE),
        after: str = Query("", max_length=100),
    ) -> dict[str, Any]:
        """Of a need, or of all in a state: `status=failed` are the mails that nobody will get."""
        if need_id is None and status is None:
            raise field_problem(("/need_id", "say which need, or which status"))
        rows = await store.ledger.rows(need_id, status, after, limit + 1)
        return _page([_delivery(row) for row in rows], limit, "delivery_id")

    return router


async def _existing(store: Store, consultant_id: str) -> Consultant:
    found = await store.consultant(consultant_id)
    if found is None:
        raise not_found("consultant")
    return found


async def _change(staff: Staff, before: Consultant, fields: ConsultantFields, *, active: bool) -> Consultant:
    try:
        after = await staff.change(before, fields, active=active)
    except EmailTaken as error:
        raise _email_taken() from error
    if after is None:
        raise _changed_meanwhile()
    return after


def _merged(current: dict[str, Any], patch: dict[str, JsonValue]) -> dict[str, Any]:
    """RFC 7396: null takes a field back to its default, objects are merged, all else replaces."""
    result = dict(current)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            result[name] = _merged(result.get(name) or {}, value)
        else:
            result[name] = value
    return result


def _check_match(request: Request, current: Consultant) -> None:
    wanted = request.headers.get("if-match")
    if wanted is None:
        raise Problem(
            428,
            "Say which revision this replaces: If-Match with the ETag of your last GET",
            kind="/problems/if-match-needed",
        )
    if wanted.strip() not in {_etag(current), "*"}:
        raise _changed_meanwhile()


def _changed_meanwhile() -> Problem:
    return Problem(
        412, "Somebody else has changed this consultant; read it again", kind="/problems/changed-meanwhile"
    )


def _email_taken() -> Problem:
    problem = field_problem(("/email", "another consultant has this e-mail address"))
    problem.status = problem.body["status"] = 409
    return problem


def _etag(consultant: Consultant) -> str:
    return f'"{consultant.revision}"'


def _shown(consultant: Consultant) -> dict[str, Any]:
    return consultant.model_dump(mode="json")


def _answer(consultant: Consultant, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(_shown(consultant), status, headers={"ETag": _etag(consultant), **(headers or {})})


def _page(items: list[dict[str, Any]], limit: int, key: str) -> dict[str, Any]:
    """One more than `limit` was asked for, to know whether there is a next page."""
    return {"items": items[:limit], "next": items[limit - 1][key] if len(items) > limit else None}


def _delivery(row: LedgerRow) -> dict[str, Any]:
    """Names no address: a consultant by id, the client as such."""
    return {
        "delivery_id": row.row_id,
        "need_id": row.subject,
        "kind": row.kind,
        "audience": "client" if row.recipient == CLIENT else "consultant",
        "recipient": row.recipient,
        "subject_revision": row.subject_revision,
        "status": row.state.value,
        "attempts": row.attempts,
        "created_at": row.created_at.isoformat().replace("+00:00", "Z"),
        "sent_at": row.sent_at.isoformat().replace("+00:00", "Z") if row.sent_at else None,
        "next_try_at": row.next_try_at.isoformat().replace("+00:00", "Z"),
        "message_id": row.message_id,
        "failure": row.failure,
    }

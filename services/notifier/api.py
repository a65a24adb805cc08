"""/api/consultants and /api/deliveries."""

from typing import Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from services.notifier.casework import Casework
from services.notifier.consultants import Consultant, ConsultantFields, Delivery
from services.notifier.domain import CLIENT
from services.notifier.letterhead import LedgerRow
from services.notifier.store import EmailTaken, Store
from shared.web.access import requires
from shared.web.problems import Problem, field_problem, not_found, parse_json

MAX_PAGE = 500


def routes(store: Store, casework: Casework) -> APIRouter:
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
        return _answer(await _change(store, casework, before, fields, active=True))

    @router.delete("/api/consultants/{consultant_id}", dependencies=writes)
    async def deactivate(consultant_id: str, request: Request) -> Response:
        """The consultant gets no more mails, and open needs pass on; what they decided stays."""
        before = await _existing(store, consultant_id)
        if "if-match" in request.headers:
            _check_match(request, before)
        fields = ConsultantFields(**before.model_dump(include=set(ConsultantFields.model_fields)))
        await _change(store, casework, before, fields, active=False)
        return Response(status_code=204)

    @router.get("/api/deliveries", dependencies=[Depends(requires("deliveries:read"))])
    async def deliveries(
        need_id: str = Query(min_length=1, max_length=100),
        limit: int = Query(100, ge=1, le=MAX_PAGE),
        after: str = Query("", max_length=100),
    ) -> dict[str, Any]:
        rows = await store.rows_about(need_id, after, limit + 1)
        return _page([_delivery(row) for row in rows], limit, "delivery_id")

    return router


async def _existing(store: Store, consultant_id: str) -> Consultant:
    found = await store.consultant(consultant_id)
    if found is None:
        raise not_found("consultant")
    return found


async def _change(
    store: Store, casework: Casework, before: Consultant, fields: ConsultantFields, *, active: bool
) -> Consultant:
    try:
        after = await store.change_consultant(before, fields, active=active)
    except EmailTaken as error:
        raise _email_taken() from error
    if after is None:
        raise _changed_meanwhile()
    if not after.active or after.delivery is Delivery.PAUSED:
        await casework.pass_on_all(after)
    return after


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

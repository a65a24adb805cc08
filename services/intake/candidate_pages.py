"""Candidates for signed-in consultants: the list, a record, the original file, and who saw whom."""

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from services.intake.candidate_desk import PAGE, Consultant, Desk
from services.intake.people_portal import Message
from services.intake.record import line_of
from services.intake.registration import Registrations
from services.intake.reveals import Reveals, reveal_view
from shared.web.access import Caller, requires
from shared.web.pages import locale_of
from shared.web.problems import field_problem

Auditor = Annotated[Caller, Depends(requires("candidates:audit"))]


def candidate_page_routes(desk: Desk, registrations: Registrations) -> APIRouter:
    portal, reveals, duplicates = desk.portal, desk.reveals, desk.duplicates
    router = portal.router()

    @router.get("/candidates")
    async def listed(
        request: Request,
        consultant: Consultant,
        q: Annotated[str, Query(max_length=200)] = "",
        show: Annotated[str, Query(pattern="^(all|no_basis|waiting)$")] = "all",
        after: Annotated[str, Query(max_length=64)] = "",
        need: Annotated[str, Query(max_length=100)] = "",
    ) -> HTMLResponse:
        """Candidates by name, contact, skill, role or code, newest first; without names."""
        locale = locale_of(request, consultant.locale)
        portal.candidates.knowledge.require_store()
        waiting = await registrations.store.waiting(PAGE) if show == "waiting" else []
        found = [] if show == "waiting" else await desk.search(q, show, after)
        return portal.show(
            "candidate_list.html", locale, people=[line_of(one, portal.lexicon, locale) for one in found],
            waiting=waiting, q=q, filtered=show, need=need,
            following=found[-1]["_id"] if len(found) == PAGE else "",
            pairs=await duplicates.store.count_open(), unconfirmed=await registrations.store.count_waiting(),
        )  # fmt: skip

    @router.get("/candidates/reveals")
    async def revealed(
        request: Request, consultant: Consultant, before: datetime | None = None
    ) -> HTMLResponse:
        """The consultant's own reveals; an admin sees all."""
        locale = locale_of(request, consultant.locale)
        portal.candidates.knowledge.require_store()
        whose = None if consultant.admin else consultant.consultant_id
        found = await reveals.store.page(whose, None, _in_utc(before), PAGE)
        rows = [reveal_view(one) for one in found]
        following = rows[-1]["at"] if len(rows) == PAGE else ""
        colleagues = await reveals.needs.store.colleague_names(one["consultant_id"] for one in rows)
        return portal.show(
            "candidate_reveals.html", locale, rows=rows, admin=consultant.admin, following=following,
            colleagues=colleagues,
        )  # fmt: skip

    @router.get("/candidates/{candidate_id}")
    async def record(
        request: Request,
        candidate_id: str,
        consultant: Consultant,
        need: Annotated[str, Query(max_length=100)] = "",
    ) -> HTMLResponse:
        document = await desk.find(candidate_id)
        return await desk.show(document, locale_of(request, consultant.locale), consultant, need)

    @router.get("/candidates/{candidate_id}/file")
    async def original(
        candidate_id: str, consultant: Consultant, need: Annotated[str, Query(max_length=100)] = ""
    ) -> Response:
        """The CV as it came, for who has revealed the person for this need."""
        document = await desk.find(candidate_id)
        content = await portal.candidates.files.content(document.get("file"))
        if content is None or not await desk.is_revealed(document, consultant, need):
            raise Message("candidate_gone", 404)
        name = quote(document["file"]["name"])
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(content, media_type="application/octet-stream", headers=headers)

    return router


def reveal_api_routes(reveals: Reveals) -> APIRouter:
    router = APIRouter(tags=["candidates"])

    @router.get("/api/candidates/reveals")
    async def listed(
        _caller: Auditor,
        candidate_id: Annotated[str | None, Query(max_length=64)] = None,
        consultant_id: Annotated[str | None, Query(max_length=100)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        after: Annotated[str | None, Query(max_length=40)] = None,
    ) -> dict[str, Any]:
        """Who saw whose name and contacts, when, and for which need; newest first."""
        reveals.needs.knowledge.require_store()
        try:
            before = _in_utc(datetime.fromisoformat(after) if after else None)
        except ValueError as error:
            raise field_problem(("after", "not a cursor of this list")) from error
        found = await reveals.store.page(consultant_id, candidate_id, before, limit)
        items = [reveal_view(one) for one in found]
        return {"items": items, "next": items[-1]["at"] if len(items) == limit else None}

    return router


def _in_utc(moment: datetime | None) -> datetime | None:
    """Raises a 422 problem for what is no time in UTC: the calendar's ends with an offset."""
    if moment is None or moment.tzinfo is None:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise field_problem(("", "not a cursor of this list")) from error

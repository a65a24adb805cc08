"""Needs for signed-in consultants: the list, spam, and possible duplicates to merge or to tell apart."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.intake.desk_view import line
from services.intake.needs import Changed, Closed, Needs
from services.intake.portal import Portal, Refused
from services.intake.posted import read_form
from services.intake.status_pages import shown_at
from services.intake.store import Document
from shared.events.need import NeedState
from shared.events.vocabulary import Locale
from shared.web.pages import locale_of
from shared.web.session import Session, signed_in

PAGE = 50
STATES = tuple(state.value for state in NeedState)
Consultant = Annotated[Session, Depends(signed_in)]


def desk_routes(portal: Portal) -> APIRouter:
    router = portal.router()

    @router.get("/needs")
    async def needs(
        request: Request,
        consultant: Consultant,
        q: Annotated[str, Query(max_length=200)] = "",
        status: str = NeedState.OPEN.value,
        after: Annotated[str, Query(max_length=64)] = "",
    ) -> HTMLResponse:
        """The newest needs; `status=` (empty) shows all, `status=duplicates` those that may be the same."""
        locale = locale_of(request, consultant.locale)
        portal.needs.knowledge.require_store()
        found, following = await _listed(portal.needs, q.strip(), status, after)
        return portal.pages.render(
            "need_list.html", locale, needs=found, q=q, state=status, following=following
        )

    @router.post("/needs/{need_id}/spam")
    async def spam(request: Request, need_id: str, consultant: Consultant) -> Response:
        """Close it as spam: withdrawn for matching, and nobody is written to."""
        document = await _find(portal.needs, need_id)
        # Who sent it reads "withdrawn", and learns nothing more.
        await _close(portal.needs, document, "withdrawn", "spam", consultant, {"closed_as": "spam"})
        return _to(need_id, locale_of(request, consultant.locale))

    @router.post("/needs/{need_id}/merge")
    async def merge(request: Request, need_id: str, consultant: Consultant) -> Response:
        """Close this need as a duplicate of the one in `into`, which is kept."""
        document, kept = await _pair(portal.needs, need_id, request, "into")
        more = {"closed_as": "merged", "merged_into": kept["_id"]}
        await _close(portal.needs, document, "merged", "merged", consultant, more)
        return _to(kept["_id"], locale_of(request, consultant.locale))

    @router.post("/needs/{need_id}/distinct")
    async def distinct(request: Request, need_id: str, consultant: Consultant) -> Response:
        """The need in `other` is another one: they are not offered for merging again."""
        document, other = await _pair(portal.needs, need_id, request, "other")
        for one, apart in ((document, other), (other, document)):
            await _note(portal.needs, one, {f"distinct.{apart['_id']}": True}, "distinct", consultant)
        return _to(need_id, locale_of(request, consultant.locale))

    return router


async def _listed(
    needs: Needs, text: str, status: str, after: str
) -> tuple[list[dict[str, Any]], str | None]:
    """One page of the list, and what the next one begins after."""
    state = NeedState.OPEN.value if status == "duplicates" else status
    found = await needs.store.search(text or None, state if state in STATES else None, after or None, PAGE)
    twins = await _twins(needs, found)
    lines = [
        line(document) | {"twins": twins[document["_id"]], "shown_at": shown_at(line(document)["created_at"])}
        for document in found
        if status != "duplicates" or twins[document["_id"]]
    ]
    return lines, found[-1]["_id"] if len(found) == PAGE else None


async def _twins(needs: Needs, found: list[Document]) -> dict[str, int]:
    """How many possible duplicates each of these needs has."""
    is_open = [document for document in found if document["need"]["status"] == NeedState.OPEN]
    same = await needs.store.of_the_same_jobs(list({document.get("job_key", "") for document in is_open}))
    counts = dict.fromkeys((document["_id"] for document in found), 0)
    for document in is_open:
        distinct = document.get("distinct", {})
        counts[document["_id"]] = sum(
            other["job_key"] == document.get("job_key")
            and other["_id"] != document["_id"]
            and other["_id"] not in distinct
            for other in same
        )
    return counts


async def _find(needs: Needs, need_id: str) -> Document:
    needs.knowledge.require_store()
    document = await needs.store.find(need_id)
    if document is None:
        raise Refused("bad_link", 404)
    return document


async def _pair(needs: Needs, need_id: str, request: Request, field: str) -> tuple[Document, Document]:
    named = dict(await read_form(request)).get(field, "")
    if named == need_id:
        raise Refused("bad_link", 404)
    return await _find(needs, need_id), await _find(needs, named)


async def _close(
    needs: Needs, document: Document, event: str, action: str, consultant: Session, more: dict[str, Any]
) -> None:
    by = consultant.consultant_id
    try:
        await needs.close(document, NeedState.WITHDRAWN, event=event, action=action, by=by, more=more)
    except Closed:
        raise Refused("closed", 409) from None
    except Changed:
        raise Refused("changed", 409) from None


async def _note(
    needs: Needs, document: Document, changes: dict[str, Any], action: str, consultant: Session
) -> None:
    try:
        await needs.change(document, changes, action, consultant.consultant_id)
    except Changed:
        raise Refused("changed", 409) from None


def _to(need_id: str, locale: Locale) -> Response:
    return RedirectResponse(f"/needs/{need_id}?lang={locale.value}", 303)

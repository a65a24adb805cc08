"""A need's own pages, for who has its link and for consultants: status, edit, positions filled, withdraw."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.intake.desk_view import desk_values
from services.intake.domain.fields import Refusal
from services.intake.domain.progress import Status
from services.intake.form import skill_label, stored_form, typed_form
from services.intake.needs import Changed, Closed, filled_positions
from services.intake.portal import Portal, Refused, Visit
from services.intake.posted import read_form
from services.intake.submission import Submission, WrongFields
from services.intake.summary import differences, summary
from services.intake.views import need_view
from services.intake.words import STEPS_AHEAD, TIMELINE_EVENTS
from shared.events.need import NeedState
from shared.events.vocabulary import Locale
from shared.web.pages import locale_of

_TRIES = 5


def status_routes(portal: Portal) -> APIRouter:
    router = portal.router()

    @router.get("/needs/{need_id}")
    async def status(request: Request, need_id: str) -> HTMLResponse:
        return await _show_status(portal, await portal.visit(request, need_id), locale_of(request))

    @router.get("/needs/{need_id}/edit")
    async def edit(request: Request, need_id: str) -> HTMLResponse:
        visit, locale = _open(await portal.visit(request, need_id)), locale_of(request)
        form = stored_form(visit.document["asked"], visit.document["offered"], portal.lexicon, locale)
        return _show_edit(portal, visit, form, locale)

    @router.post("/needs/{need_id}/edit")
    async def save(request: Request, need_id: str) -> Response:
        visit, locale = _open(await portal.visit(request, need_id)), locale_of(request)
        form = typed_form(await read_form(request), portal.lexicon, locale)
        # The client's language stays, whoever edits in whichever.
        sent = Submission(form, Locale(visit.document["asked"].get("locale", locale.value)))
        try:
            need = sent.request()
            if form.value("revision") != str(visit.document["revision"]):
                raise Changed
            await portal.needs.replace(visit.document, need, by=visit.by)
        except WrongFields:
            return _show_edit(portal, visit, form, locale, status=422)
        except Refusal as refusal:
            sent.refused(refusal)
            return _show_edit(portal, visit, form, locale, status=422)
        except Changed:
            return await _show_conflict(portal, visit, sent, locale)
        return _to_status(visit, locale)

    @router.get("/needs/{need_id}/withdraw")
    async def ask_to_withdraw(request: Request, need_id: str) -> HTMLResponse:
        return _ask(portal, _open(await portal.visit(request, need_id)), "withdraw", locale_of(request))

    @router.post("/needs/{need_id}/withdraw")
    async def withdraw(request: Request, need_id: str) -> Response:
        visit = await portal.visit(request, need_id)
        for _ in range(_TRIES):
            try:
                await portal.needs.close(visit.document, NeedState.WITHDRAWN, by=visit.by)
            except Closed:
                raise Refused("closed", 409) from None
            except Changed:
                visit = await portal.visit(request, need_id)
            else:
                break
        return _to_status(visit, locale_of(request))

    @router.get("/needs/{need_id}/filled")
    async def ask_how_many(request: Request, need_id: str) -> HTMLResponse:
        return _ask(portal, _open(await portal.visit(request, need_id)), "filled", locale_of(request))

    @router.post("/needs/{need_id}/filled")
    async def filled(request: Request, need_id: str) -> Response:
        visit, locale = _open(await portal.visit(request, need_id)), locale_of(request)
        typed = dict(await read_form(request)).get("filled", "").strip()
        positions = visit.document["need"].get("positions", 1)
        if not (typed.isascii() and typed.isdigit() and 1 <= int(typed[:4]) <= positions):
            return _ask(portal, visit, "filled", locale, status=422, typed=typed)
        try:
            await portal.needs.note_filled(visit.document, int(typed), by=visit.by)
        except Changed:
            return _ask(
                portal, await portal.visit(request, need_id), "filled", locale, status=412, typed=typed
            )
        return _to_status(visit, locale)

    return router


def _open(visit: Visit) -> Visit:
    if visit.document["need"]["status"] != NeedState.OPEN:
        raise Refused("closed", 409)
    return visit


def query_of(visit: Visit, locale: Locale) -> str:
    """What each address of this visit ends with."""
    return urlencode(({"t": visit.token} if visit.token else {}) | {"lang": locale.value})


def _to_status(visit: Visit, locale: Locale) -> Response:
    return RedirectResponse(f"/needs/{visit.need_id}?{query_of(visit, locale)}", 303)


async def _show_status(portal: Portal, visit: Visit, locale: Locale) -> HTMLResponse:
    document = visit.document
    need = need_view(document)
    entries = [
        entry | {"shown_at": shown_at(entry["at"])}
        for entry in need["timeline"]
        if entry["event"] in TIMELINE_EVENTS
    ]
    values: dict[str, Any] = {
        "need": need,
        "entries": entries,
        "ahead": STEPS_AHEAD[Status(need["status"])],
        "told": _summary(portal, document["asked"], locale),
        "offered": [skill_label(portal.lexicon, skill, locale) for skill in document["offered"]],
        "filled": filled_positions(document),
        "query": query_of(visit, locale),
        "closed_as": document.get("closed_as"),
        "is_open": document["need"]["status"] == NeedState.OPEN,
    }
    if visit.by is None:
        return portal.pages.render("need_status.html", locale, **values)
    return portal.pages.render(
        "need_desk.html", locale, **values, **await desk_values(portal.needs, document)
    )


def _show_edit(
    portal: Portal, visit: Visit, form: Any, locale: Locale, *, status: int = 200, **values: Any
) -> HTMLResponse:
    shown = {
        "template": "need_edit.html",
        "need_id": visit.need_id,
        "reference": visit.document["reference"],
        "revision": form.value("revision") or visit.document["revision"],
        "query": query_of(visit, locale),
        "conflict": None,
        "visit_by": visit.by,
    } | values
    return portal.show_form(form, locale, status=status, **shown)


async def _show_conflict(portal: Portal, visit: Visit, sent: Submission, locale: Locale) -> HTMLResponse:
    """412: what was typed stays in the form, and beside it stands what somebody else stored meanwhile."""
    document = await portal.needs.store.find(visit.need_id) or visit.document
    now = Visit(document, visit.token, visit.by)
    stored, typed = (_summary(portal, asked, locale) for asked in (document["asked"], sent.body))
    return _show_edit(
        portal,
        _open(now),
        sent.form,
        locale,
        status=412,
        notice="changed_meanwhile",
        revision=document["revision"],
        conflict=differences(stored, typed),
    )


def _ask(
    portal: Portal, visit: Visit, action: str, locale: Locale, *, status: int = 200, typed: str | None = None
) -> HTMLResponse:
    positions = visit.document["need"].get("positions", 1)
    return portal.pages.render(
        "need_close.html",
        locale,
        status=status,
        action=action,
        need=need_view(visit.document),
        positions=positions,
        typed=typed if typed is not None else str(positions),
        wrong=status == 422,
        query=query_of(visit, locale),
    )


def _summary(portal: Portal, asked: Any, locale: Locale) -> dict[str, str]:
    def t(key: str, **values: object) -> str:
        return portal.pages.text(locale, key, **values)

    return summary(asked, portal.lexicon, locale, t)


def shown_at(moment: str) -> str:
    """A time for those without JavaScript; the script shows it in the reader's own zone."""
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%d/%m/%Y %H:%M UTC")

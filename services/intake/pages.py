"""The page where a client describes a need. It works without JavaScript; `assets/` makes it pleasanter."""

from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from services.intake.domain.fields import Refusal
from services.intake.form import NeedForm, empty_form, skill_label, typed_form
from services.intake.needs import KeyReused
from services.intake.portal import Limit, Portal
from services.intake.posted import read_form
from services.intake.reading import offered
from services.intake.submission import Submission, WrongFields
from shared.events.vocabulary import Locale
from shared.outage import is_outage
from shared.web.access import caller_of
from shared.web.pages import locale_of
from shared.web.session import Session, session_of


def form_routes(portal: Portal, limit_reading: Limit) -> APIRouter:
    """`limit_reading` bounds how often one address may have its text read for skills."""
    router = portal.router()

    @router.get("/needs/new")
    async def blank(request: Request) -> HTMLResponse:
        locale = locale_of(request)
        form = empty_form(portal.lexicon, request.query_params.get("role"), locale)
        return portal.show_form(form, locale, fresh=True, signed_in=session_of(request) is not None)

    @router.post("/needs")
    async def post(request: Request) -> Response:
        session = session_of(request)
        portal.require_own_form(request, session)
        trusted = session is not None or caller_of(request) is not None
        if not trusted:
            portal.limit(request)
        locale = locale_of(request)
        form = typed_form(await read_form(request), portal.lexicon, locale)
        objection = None if trusted else portal.guard.objection(form)
        return await _take(portal, form, locale, session, objection)

    @router.post("/needs/offered")
    async def read(request: Request) -> JSONResponse:
        """The skills that a text names, for the form to offer them. Nothing is kept."""
        portal.require_own_form(request, None)
        limit_reading(request)
        fields, locale = dict(await read_form(request)), locale_of(request)
        lexicon = portal.lexicon
        found = offered(lexicon.reader, fields.get("text", "")[:20_000], {})
        return JSONResponse(
            {"offered": [{"skill": one, "label": skill_label(lexicon, one, locale)} for one in found]}
        )

    return router


async def _take(
    portal: Portal, form: NeedForm, locale: Locale, session: Session | None, objection: str | None
) -> Response:
    """Store the need and lead to its page, or show the form again with what was typed."""
    again: dict[str, Any] = {"fresh": False, "signed_in": session is not None}
    if key := form.value("idempotency_key")[:200]:
        again["key"] = key
    sent = Submission(form, locale)
    try:
        portal.needs.knowledge.require()
        need = sent.request()
        if objection:
            return portal.show_form(form, locale, status=422, notice=objection, **again)
        by = session.consultant_id if session else None
        answer = await portal.needs.post(need, None, key or None, filed_by=by)
    except Refusal as refusal:
        sent.refused(refusal)
        return portal.show_form(form, locale, status=422, **again)
    except WrongFields:
        return portal.show_form(form, locale, status=422, **again)
    except KeyReused:
        # Sent before, gone back, changed: a new need, if that is what is meant.
        again.pop("key")
        return portal.show_form(form, locale, status=409, notice="sent_before", **again)
    except Exception as error:
        if not is_outage(error):
            raise
        return portal.show_form(form, locale, status=503, notice="away", **again)
    query = urlsplit(answer["tracking_url"]).query
    lang = f"lang={locale.value}"
    return RedirectResponse(f"/needs/{answer['need_id']}?{lang if session else query}", 303)

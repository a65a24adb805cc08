"""Pages for clients: the need form and a need's status. Both work without JavaScript."""

import json
import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from services.intake.access import holds_link
from services.intake.domain.fields import Refusal
from services.intake.domain.lexicon import Lexicon
from services.intake.domain.need import NeedRequest
from services.intake.domain.progress import Status
from services.intake.form import (
    CHOICES,
    HARD,
    LANGUAGE_ROWS,
    NeedForm,
    empty_form,
    field_of,
    places,
    request_of,
    role_choices,
    skill_labels,
    typed_form,
)
from services.intake.needs import KeyReused, Needs
from services.intake.posted import FormTooLarge, read_form
from services.intake.store import Document
from services.intake.views import need_view
from services.intake.words import STEPS_AHEAD, TIMELINE_EVENTS, words
from shared.events.vocabulary import Locale
from shared.outage import is_outage
from shared.settings import Settings
from shared.web.pages import Pages, locale_of
from shared.web.problems import RETRY_AFTER_SECONDS, Problem, as_field_errors


def page_routes(needs: Needs, settings: Settings, limit: Callable[[Request], None]) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    pages = Pages("intake", Path(__file__).parent / "templates", words(), settings)

    @router.get("/needs/new")
    async def blank(request: Request) -> HTMLResponse:
        locale, lexicon = locale_of(request), needs.knowledge.lexicon
        form = empty_form(lexicon, request.query_params.get("role"), locale)
        return _show(pages, form, lexicon, locale, _new_key())

    @router.post("/needs")
    async def post(request: Request) -> Response:
        locale, lexicon = locale_of(request), needs.knowledge.lexicon
        if not same_origin(request, settings):
            return _message(pages, locale, "cross_site", 403)
        try:
            limit(request)
            form = typed_form(await read_form(request), lexicon, locale)
        except (Problem, FormTooLarge, HTTPException) as refused:
            return _refused(pages, locale, refused)
        key = form.value("idempotency_key")[:200] or _new_key()
        try:
            answer = await _post(needs, form, key, locale)
        except KeyReused:
            # Sent before, gone back, changed: a new need, if that is what is meant.
            return _show(pages, form, lexicon, locale, _new_key(), status=409, notice="sent_before")
        except Exception as error:
            if not is_outage(error):
                raise
            return _show(pages, form, lexicon, locale, key, status=503, notice="away")
        if answer is None:
            return _show(pages, form, lexicon, locale, key, status=422)
        target = urlsplit(answer["tracking_url"])
        return RedirectResponse(f"/needs/{answer['need_id']}?{target.query}", 303)

    @router.get("/needs/{need_id}")
    async def status(request: Request, need_id: str) -> HTMLResponse:
        locale = locale_of(request)
        if not holds_link(request, needs.tokens, need_id):
            return _message(pages, locale, "bad_link", 404)
        try:
            needs.knowledge.require_store()
            document = await needs.store.find(need_id)
        except Exception as error:
            if not is_outage(error):
                raise
            return _message(pages, locale, "away", 503, {"Retry-After": str(RETRY_AFTER_SECONDS)})
        if document is None:
            return _message(pages, locale, "bad_link", 404)
        return _show_status(pages, document, locale, request.query_params.get("t", ""))

    return router


def same_origin(request: Request, settings: Settings) -> bool:
    """Whether a form came from our own pages, by Fetch Metadata or Origin; who sends neither passes.

    These forms carry no ambient authority (no cookie), so what is kept out is mere mischief.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    if origin is None:
        return True
    public = urlsplit(settings.public_url)
    return urlsplit(origin).netloc in {request.headers.get("host"), public.netloc}


async def _post(needs: Needs, form: NeedForm, key: str, locale: Locale) -> dict[str, Any] | None:
    """The answer of a posted need, or None with the form's errors set."""
    body, fields = request_of(form, locale)
    try:
        return await needs.post(NeedRequest.model_validate_json(json.dumps(body)), None, key)
    except ValidationError as error:
        errors = as_field_errors(error)
    except Refusal as refusal:
        errors = refusal.errors
    for pointer, _detail in errors:
        name = field_of(pointer, fields)
        form.errors.setdefault(name, f"wrong_{name.rstrip('_0123456789')}")
    return None


def _show(
    pages: Pages,
    form: NeedForm,
    lexicon: Lexicon,
    locale: Locale,
    key: str,
    *,
    status: int = 200,
    notice: str | None = None,
) -> HTMLResponse:
    response = pages.render(
        "need_form.html",
        locale,
        status=status,
        form=form,
        key=key,
        notice=notice,
        choices=CHOICES,
        hard=[must.value for must in HARD],
        language_rows=range(1, LANGUAGE_ROWS + 1),
        places=places(),
        roles=role_choices(lexicon, locale),
        labels=skill_labels(lexicon, locale),
    )
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _refused(pages: Pages, locale: Locale, why: Exception) -> HTMLResponse:
    """The page for a form that was not even looked at."""
    if isinstance(why, Problem):
        return _message(pages, locale, "too_many", why.status, why.headers)
    if isinstance(why, FormTooLarge):
        return _message(pages, locale, "too_large", 413, {"Connection": "close"})
    return _message(pages, locale, "unreadable", 400)


def _show_status(pages: Pages, document: Document, locale: Locale, token: str) -> HTMLResponse:
    need = need_view(document)
    entries = [
        {"event": entry["event"], "at": entry["at"], "shown_at": _shown(entry["at"])}
        for entry in need["timeline"]
        if entry["event"] in TIMELINE_EVENTS
    ]
    return pages.render(
        "need_status.html",
        locale,
        need=need,
        entries=entries,
        ahead=STEPS_AHEAD[Status(need["status"])],
        token=token,
    )


def _message(
    pages: Pages, locale: Locale, key: str, status: int, headers: dict[str, str] | None = None
) -> HTMLResponse:
    response = pages.render("message.html", locale, status=status, key=key)
    response.headers.update(headers or {})
    return response


def _new_key() -> str:
    return f"form-{secrets.token_urlsafe(18)}"


def _shown(moment: str) -> str:
    """A time for those without JavaScript; the script shows it in the reader's own zone."""
    return datetime.fromisoformat(moment).strftime("%d/%m/%Y %H:%M UTC")

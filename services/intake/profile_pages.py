"""A candidate's own page, by a link that is mailed: change, renew the consent, withdraw it."""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError
from starlette.background import BackgroundTask

from services.intake.correction_form import WrongValue
from services.intake.domain.candidate import CandidateRequest
from services.intake.domain.fields import Refusal
from services.intake.needs import Changed
from services.intake.people_portal import Message, PeoplePortal
from services.intake.person_form import PersonForm, changes_of, form_of, request_of, split, typed_form
from services.intake.portal import Limit
from services.intake.registration import Registrations
from services.intake.registration_forms import Forms, note_fields, note_refusal, own_form
from services.intake.uploads import PostedFile, read_upload
from shared.events.vocabulary import Locale
from shared.log import get_logger
from shared.outage import is_outage, reason
from shared.web.pages import locale_of
from shared.web.problems import as_field_errors

Erase = Callable[[str], Awaitable[str]]
"""Erases a candidate; the path of the page that shows which services have confirmed."""


def profile_routes(
    portal: PeoplePortal, registrations: Registrations, show: Forms, limit: Limit, erase: Erase
) -> APIRouter:
    router, guard = portal.router(), show.guard

    @router.get("/candidates/me")
    async def ask(request: Request) -> HTMLResponse:
        return portal.show("candidate_me.html", locale_of(request), email="", wrong="", shown=guard.stamp())

    @router.post("/candidates/me")
    async def asked(request: Request) -> HTMLResponse:
        """The same answer for an address that is known and one that is not."""
        own_form(portal, request)
        limit(request)
        locale = locale_of(request)
        form = typed_form((await read_upload(request))[0])
        email = form.value("email").strip()
        wrong = guard.objection(form) or ("" if "@" in email and len(email) < 255 else "wrong_email")
        if wrong:
            return portal.show(
                "candidate_me.html", locale, status=422, email=email, wrong=wrong, shown=guard.stamp()
            )
        portal.candidates.knowledge.require_store()
        answer = portal.message(locale, "link_sent", email=email)
        # After the answer, which comes as fast for an address that nobody has.
        answer.background = BackgroundTask(_write_link, registrations, email, locale)
        return answer

    @router.get("/candidates/profile")
    async def profile(request: Request) -> HTMLResponse:
        document = await _own(portal, registrations, request)
        return show.profile(
            document, form_of(document["given"] or {}), locale_of(request), request.query_params
        )

    @router.post("/candidates/profile")
    async def changed(request: Request) -> Response:
        """Change, renew the consent, or erase: `do` says which."""
        own_form(portal, request)
        locale = locale_of(request)
        document = await _own(portal, registrations, request)
        pairs, cv = await read_upload(request)
        form, query = typed_form(pairs), request.query_params
        if form.value("do") == "erase":
            return RedirectResponse(await erase(document["_id"]), 303)
        if form.value("do") == "renew":
            await registrations.renew(document)
            return _profile(query, "renewed")
        try:
            await _change(portal, registrations, document, form, pairs, cv)
        except WrongValue as wrong:
            form.errors["skills_read"] = str(wrong)
        except ValidationError as error:
            note_fields(form, as_field_errors(error))
        except Refusal as refusal:
            note_refusal(form, refusal, locale)
        except Changed:
            return show.profile(document, form, locale, query, status=409, notice="record_changed")
        else:
            return _profile(query, "saved")
        return show.profile(document, form, locale, query, status=422)

    return router


async def _write_link(registrations: Registrations, email: str, locale: Locale) -> None:
    try:
        await registrations.write_profile_link(email, locale)
    except Exception as error:
        if not is_outage(error):
            raise
        get_logger("intake").warning("profile_link_not_sent", why=reason(error))


async def _change(
    portal: PeoplePortal,
    registrations: Registrations,
    document: dict[str, Any],
    form: PersonForm,
    pairs: list[tuple[str, str]],
    cv: PostedFile | None,
) -> None:
    changes = changes_of(pairs, document["facts"], portal.lexicon)
    said = request_of(form)
    CandidateRequest.model_validate_json(json.dumps(said))
    said["skills"] = [{"skill": name} for name in split(form.value("more_skills"))]
    await registrations.change(document, said, changes, cv)


async def _own(portal: PeoplePortal, registrations: Registrations, request: Request) -> dict[str, Any]:
    portal.candidates.knowledge.require_store()
    document = await registrations.profile_of(request.query_params.get("t", ""))
    if document is None:
        raise Message("profile_gone", 404)
    return document


def _profile(query: Any, did: str) -> RedirectResponse:
    kept = {"t": query.get("t", ""), "lang": query.get("lang", "fr"), "did": did}
    return RedirectResponse(f"/candidates/profile?{urlencode(kept)}", 303)

"""The pages where candidates register, see what was read, and confirm it by the mailed link."""

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from services.intake.correction_form import WrongValue
from services.intake.domain.candidate import CandidateRequest
from services.intake.domain.fields import Refusal
from services.intake.needs import Changed
from services.intake.people_portal import Message, PeoplePortal, shown_day
from services.intake.person_form import PersonForm, changes_of, request_of, split, typed_form
from services.intake.portal import Limit
from services.intake.registration import CONFIRM_PURPOSE, REVIEW_PURPOSE, Registrations
from services.intake.registration_forms import Forms, note_fields, note_refusal, own_form
from services.intake.uploads import read_upload
from shared.outage import is_outage
from shared.web.pages import locale_of
from shared.web.problems import as_field_errors


def registration_routes(
    portal: PeoplePortal, registrations: Registrations, show: Forms, limit: Limit
) -> APIRouter:
    router, guard = portal.router(), show.guard

    @router.get("/candidates/register")
    async def blank(request: Request) -> HTMLResponse:
        return show.form(PersonForm(), locale_of(request))

    @router.post("/candidates/register")
    async def post(request: Request) -> Response:
        """Read what came and lead to the page that shows it, or the form again with what was typed."""
        own_form(portal, request)
        limit(request)
        locale = locale_of(request)
        pairs, cv = await read_upload(request)
        form = typed_form(pairs)
        if objection := guard.objection(form):
            return show.form(form, locale, status=422, notice=objection)
        if form.value("consent") != "on":
            form.errors["consent"] = "wrong_consent"
        try:
            parsed = _parsed(form, request_of(form))
            if parsed is not None and not form.errors:
                document = await registrations.begin(parsed, cv, locale)
                return RedirectResponse(registrations.review_path(document, locale), 303)
        except Refusal as refusal:
            note_refusal(form, refusal, locale)
        except Exception as error:
            if not is_outage(error):
                raise
            return show.form(form, locale, status=503, notice="person_away_kept")
        return show.form(form, locale, status=422)

    @router.get("/candidates/register/review")
    async def review(request: Request) -> HTMLResponse:
        return show.review(await _waiting(portal, registrations, request, REVIEW_PURPOSE), locale_of(request))

    @router.post("/candidates/register/review")
    async def reviewed(request: Request) -> Response:
        """Keep what was corrected, and mail the link that confirms."""
        own_form(portal, request)
        limit(request)
        locale = locale_of(request)
        document = await _waiting(portal, registrations, request, REVIEW_PURPOSE)
        pairs, _ = await read_upload(request)
        try:
            changes = changes_of(pairs, document["facts"], portal.lexicon)
            skills = split(dict(pairs).get("more_skills", ""))
            document = await registrations.correct(document, changes, skills)
        except WrongValue as wrong:
            return show.review(document, locale, status=422, wrong=str(wrong))
        except (ValidationError, Refusal):
            return show.review(document, locale, status=422, wrong="wrong_skills")
        except Changed:
            return RedirectResponse(registrations.review_path(document, locale), 303)
        sent = await registrations.mail(document, locale)
        key = "check_mail" if sent else "too_many_letters"
        return portal.message(locale, key, email=document["request"]["email"])

    return router


def confirmation_routes(portal: PeoplePortal, registrations: Registrations, show: Forms) -> APIRouter:
    router = portal.router()

    @router.get("/candidates/confirm")
    async def confirm(request: Request) -> HTMLResponse:
        """Opening the link changes nothing: mail programs open links by themselves."""
        document = await _waiting(portal, registrations, request, CONFIRM_PURPOSE)
        had = await registrations.known(document)
        return show.confirm(document, had is not None, locale_of(request), request.query_params["t"])

    @router.post("/candidates/confirm")
    async def confirmed(request: Request) -> Response:
        own_form(portal, request)
        locale = locale_of(request)
        document = await _waiting(portal, registrations, request, CONFIRM_PURPOSE)
        fields = dict((await read_upload(request))[0])
        if fields.get("do") == "discard":
            await registrations.store.forget(document["_id"])
            return portal.message(locale, "discarded")
        had = await registrations.known(document)
        if had is None:
            await registrations.confirm(document)
        else:
            await registrations.confirm_update(document, had)
        return portal.message(locale, "confirmed", until=shown_day(registrations.consent_until(), locale))

    return router


async def _waiting(
    portal: PeoplePortal, registrations: Registrations, request: Request, purpose: str
) -> dict[str, Any]:
    """The registration that the link in `t` is for. Raises Message."""
    portal.candidates.knowledge.require_store()
    document = await registrations.of_token(request.query_params.get("t", ""), purpose)
    if document is None:
        raise Message("registration_gone", 404)
    return document


def _parsed(form: PersonForm, said: dict[str, Any]) -> CandidateRequest | None:
    """The request, or None with the form's errors set."""
    try:
        return CandidateRequest.model_validate_json(json.dumps(said))
    except ValidationError as error:
        note_fields(form, as_field_errors(error))
        return None

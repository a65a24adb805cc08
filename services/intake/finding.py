"""Find my needs: who lost a link types an address, and the links go to that address."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import TypeAdapter, ValidationError
from starlette.background import BackgroundTask

from services.intake.domain.fields import Email
from services.intake.form import NeedForm
from services.intake.portal import Limit, Portal
from services.intake.posted import read_form
from services.intake.store import Document
from shared.events.vocabulary import Locale
from shared.links import tracking_url
from shared.log import get_logger
from shared.outage import is_outage, reason
from shared.web.pages import locale_of

TEMPLATE = "links"
_MOST = 30
"""Needs in one letter, newest first."""
_EMAIL: TypeAdapter[str] = TypeAdapter(Email)


def finding_routes(portal: Portal, limit: Limit) -> APIRouter:
    router = portal.router()

    @router.get("/needs/find")
    async def ask(request: Request) -> HTMLResponse:
        return portal.pages.render("need_find.html", locale_of(request), form=NeedForm())

    @router.post("/needs/find")
    async def send(request: Request) -> HTMLResponse:
        """The same answer whether or not the address is known, as fast: the letter is written after it."""
        portal.require_own_form(request, None)
        limit(request)
        locale = locale_of(request)
        form = NeedForm(values=dict(await read_form(request)))
        try:
            address = _EMAIL.validate_python(form.value("email"))
        except ValidationError:
            form.errors["email"] = "wrong_email"
            return portal.pages.render("need_find.html", locale, status=422, form=form)
        portal.needs.knowledge.require_store()
        answer = portal.message(locale, "found")
        answer.background = BackgroundTask(_send_links, portal, address, locale)
        return answer

    return router


async def _send_links(portal: Portal, address: str, locale: Locale) -> None:
    try:
        found = await portal.needs.store.of_client(address, _MOST)
        if found:
            arguments = dict(_link(portal, document, locale) for document in found)
            # To the address as the needs have it: what was typed may differ in case.
            await portal.letters.send(TEMPLATE, locale, found[0]["need"]["contact"]["email"], arguments)
    except Exception as error:
        if not is_outage(error):
            raise
        get_logger("intake").warning("links_not_sent", why=reason(error))


def _link(portal: Portal, document: Document, locale: Locale) -> tuple[str, str]:
    """(text, address). No word of the client's own: anybody can post a need in another's name."""
    role = portal.lexicon.roles.get(document["need"].get("role_id", ""))
    job = f", {role.title.in_(locale)}" if role else ""
    day = document["created_at"].strftime("%d/%m/%Y")
    url = tracking_url(portal.needs.settings, portal.needs.tokens, document["_id"], locale)
    return f"{document['reference']}{job} ({day})", url

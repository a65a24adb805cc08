"""One click that stops a consultant's mails (RFC 8058): they are paused, and their open needs pass on.

GET only shows a button, since scanners open every link; a mail program's one-click POST needs no page.
"""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.notifier.actions import read_pause
from services.notifier.casework import Casework
from services.notifier.consultants import Consultant, ConsultantFields, Delivery
from services.notifier.pages import NO_REFERRER
from services.notifier.store import Store
from shared.outage import is_outage
from shared.tokens import BadToken, Tokens
from shared.web.pages import Pages, locale_of
from shared.web.problems import RETRY_AFTER_SECONDS


@dataclass
class PausePages:
    pages: Pages
    store: Store
    casework: Casework
    tokens: Tokens

    async def answer(self, request: Request, token: str) -> HTMLResponse:
        try:
            return await self._answer(request, token)
        except Exception as error:
            if not is_outage(error):
                raise
            text = self.pages.text(locale_of(request), "outage_repeat")
            page = self._page(request, "act_outage.html", status=503, text=text)
            page.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
            return page

    async def _answer(self, request: Request, token: str) -> HTMLResponse:
        try:
            who = await self.store.consultant(read_pause(self.tokens, token, self.casework.now()))
            if who is None or not who.active:
                raise BadToken("nobody who works here")
        except BadToken:
            return self._page(request, "act_bad_link.html", status=403)
        if request.method == "POST":
            await self._pause(who)
        done = request.method == "POST" or who.delivery is Delivery.PAUSED
        page = self.pages.render("pause.html", who.locale, done=done)
        page.headers.update(NO_REFERRER)
        return page

    async def _pause(self, who: Consultant | None) -> None:
        """Again where somebody changed the consultant meanwhile; nothing to do for one who is paused."""
        while who is not None and who.delivery is not Delivery.PAUSED:
            fields = who.model_dump(include=set(ConsultantFields.model_fields))
            paused = ConsultantFields(**(fields | {"delivery": Delivery.PAUSED}))
            after = await self.store.change_consultant(who, paused, active=who.active)
            who = after or await self.store.consultant(who.consultant_id)
        if who is not None:
            await self.casework.pass_on_all(who)

    def _page(self, request: Request, template: str, *, status: int, text: str = "") -> HTMLResponse:
        page = self.pages.render(template, locale_of(request), status=status, text=text)
        page.headers.update(NO_REFERRER)
        return page


def pause_routes(pause: PausePages) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/mail/pause/{token}")
    async def ask(request: Request, token: str) -> HTMLResponse:
        return await pause.answer(request, token)

    @router.post("/mail/pause/{token}")
    async def confirm(request: Request, token: str) -> HTMLResponse:
        return await pause.answer(request, token)

    return router

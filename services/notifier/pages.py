"""The pages that links in mails lead to. GET shows what would be done; only POST does it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse

from services.notifier.actions import ABOUT_CANDIDATE, ABOUT_NEED, ASSIGN, Permit, read, short_code
from services.notifier.answers import Answers
from services.notifier.consultant_words import CONSULTANT_WORDS
from services.notifier.consultants import Consultant
from services.notifier.decisions import NotPossible, Why
from services.notifier.desk_words import DESK_WORDS
from services.notifier.domain import AGENCY, NeedFile
from services.notifier.letterhead import one_line
from services.notifier.settings import NotifierSettings
from services.notifier.store import Store
from services.notifier.words import MAIL_WORDS, PAGE_WORDS
from services.notifier.words_letters import LETTER_WORDS
from shared.events.feedback import Decision, DeclineReason
from shared.events.vocabulary import Locale
from shared.log import get_logger
from shared.outage import is_outage, reason
from shared.settings import Settings
from shared.tokens import BadToken, Tokens
from shared.web.pages import Pages, locale_of
from shared.web.problems import RETRY_AFTER_SECONDS

TEMPLATES = Path(__file__).parent / "templates"
NO_REFERRER = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


def make_pages(settings: Settings) -> Pages:
    return Pages(
        "notifier",
        TEMPLATES,
        {**MAIL_WORDS, **LETTER_WORDS, **PAGE_WORDS, **DESK_WORDS, **CONSULTANT_WORDS},
        settings,
    )


class Invalid(Exception):  # noqa: N818 - what the form is
    """The form lacks something; the message is the key of the words that say what."""


@dataclass(frozen=True)
class Filled:
    """What was confirmed."""

    action: str = ""
    reason: str = ""
    consultant: str = ""


@dataclass
class ActPages:
    """What is shown for a link, and what follows its confirmation."""

    pages: Pages
    store: Store
    tokens: Tokens
    answers: Answers
    own: NotifierSettings

    async def ask(self, request: Request, token: str, wanted: str | None) -> HTMLResponse:
        """The page with the form. Reads only."""
        try:
            found = await self._permitted(request, token)
            if isinstance(found, HTMLResponse):
                return found
            permit, who = found
            only = permit.actions[0] if len(permit.actions) == 1 else ""
            return await self._form(permit, who, wanted if wanted in permit.actions else only)
        except Exception as error:
            return self._try_later(request, error, "outage_nothing_changed")

    async def confirm(self, request: Request, token: str, filled: Filled) -> HTMLResponse:
        """Do what was confirmed, and say so."""
        told = "outage_nothing_changed"
        try:
            found = await self._permitted(request, token)
            if isinstance(found, HTMLResponse):
                return found
            # From here on it may be done, and only its answer or what follows be missing.
            told = "outage_repeat"
            return await self._carry_out(*found, filled)
        except Exception as error:
            return self._try_later(request, error, told)

    async def _carry_out(self, permit: Permit, who: Consultant | None, filled: Filled) -> HTMLResponse:
        try:
            if permit.who == AGENCY:
                return await self._assign(permit, filled)
            return await self._decide(permit, who, filled)
        except Invalid as problem:
            return await self._form(permit, who, filled.action, problem=str(problem), status=422)
        except NotPossible as problem:
            return await self._cannot(permit, who, problem.why)

    def _try_later(self, request: Request, error: Exception, told: str) -> HTMLResponse:
        """A page for a person where an engine is away; raises `error` where that is not why."""
        if not is_outage(error):
            raise error
        get_logger("notifier").warning("page_waits", why=reason(error))
        locale = locale_of(request)
        page = self._page("act_outage.html", locale, status=503, text=self.pages.text(locale, told))
        page.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return page

    async def _permitted(
        self, request: Request, token: str
    ) -> tuple[Permit, Consultant | None] | HTMLResponse:
        try:
            permit = read(self.tokens, token, self.answers.casework.now())
            who = await self.store.consultant(permit.who)
            if permit.who != AGENCY and (who is None or not who.active):
                raise BadToken("nobody who works here")
        except BadToken:
            return self._page("act_bad_link.html", locale_of(request), status=403)
        return permit, who

    async def _form(
        self, permit: Permit, who: Consultant | None, chosen: str, *, problem: str = "", status: int = 200
    ) -> HTMLResponse:
        file = await self.store.file(permit.need_id)
        if not file.open:
            return await self._cannot(permit, who, Why.CLOSED)
        colleagues = await self.store.available() if permit.who == AGENCY else []
        return self._page(
            "act.html",
            self._locale(who),
            status=status,
            **_about(file, permit),
            chosen=chosen,
            actions=[chosen] if chosen in permit.actions else _in_order(permit.actions),
            reasons=[reason.value for reason in DeclineReason],
            colleagues=colleagues,
            problem=problem,
        )

    async def _decide(self, permit: Permit, who: Consultant | None, filled: Filled) -> HTMLResponse:
        if who is None or filled.action not in permit.actions or filled.action not in set(Decision):
            raise Invalid("act_choice_needed")
        decision, reason = Decision(filled.action), None
        if decision is Decision.DECLINED:
            if filled.reason not in set(DeclineReason):
                raise Invalid("act_reason_needed")
            reason = DeclineReason(filled.reason)
        file = await self.answers.decide(permit, who, decision, reason)
        code = short_code(permit.candidate_id) if permit.candidate_id else ""
        done = self.pages.text(who.locale, f"done_{decision.value}", code=code)
        if decision is Decision.PASSED_ON:
            done = await self._passed_to(file, who.locale)
        return self._page("act_done.html", who.locale, **_about(file, permit), done=done)

    async def _passed_to(self, file: NeedFile, locale: Locale) -> str:
        if file.owner is None:
            return self.pages.text(locale, "done_passed_agency")
        other = await self.store.consultant(file.owner.consultant_id)
        return self.pages.text(locale, "done_passed_to", name=other.name if other else "")

    async def _assign(self, permit: Permit, filled: Filled) -> HTMLResponse:
        to = await self.store.consultant(filled.consultant)
        if to is None or not to.active or ASSIGN not in permit.actions:
            raise Invalid("act_consultant_needed")
        file = await self.answers.assign(permit, to)
        done = self.pages.text(self.own.agency_locale, "done_assign", name=to.name)
        return self._page("act_done.html", self.own.agency_locale, **_about(file, permit), done=done)

    async def _cannot(self, permit: Permit, who: Consultant | None, why: Why) -> HTMLResponse:
        file = await self.store.file(permit.need_id)
        locale = self._locale(who)
        owner = await self.store.consultant(file.owner.consultant_id) if file.owner else None
        name = owner.name if owner else self.pages.text(locale, "somebody")
        text = self.pages.text(locale, f"why_{why.value}", name=name)
        return self._page("act_cannot.html", locale, status=409, **_about(file, permit), why=text)

    def _locale(self, who: Consultant | None) -> Locale:
        return who.locale if who else self.own.agency_locale

    def _page(self, template: str, locale: Locale, *, status: int = 200, **values: Any) -> HTMLResponse:
        page = self.pages.render(template, locale, status=status, **values)
        page.headers.update(NO_REFERRER)
        return page


def _in_order(actions: tuple[str, ...]) -> list[str]:
    """As the buttons of a mail stand."""
    known = [action.value for action in (*ABOUT_NEED, *ABOUT_CANDIDATE)]
    return sorted(actions, key=lambda action: known.index(action) if action in known else len(known))


def _about(file: NeedFile, permit: Permit) -> dict[str, Any]:
    need = file.need
    return {
        "reference": one_line(need.reference) if need else "",
        "title": one_line(need.title) if need else "",
        "company": one_line(need.company) if need else "",
        "code": short_code(permit.candidate_id) if permit.candidate_id else "",
    }


def act_routes(act: ActPages) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/mail/act/{token}")
    async def ask(request: Request, token: str, do: str | None = None) -> HTMLResponse:
        return await act.ask(request, token, do)

    @router.post("/mail/act/{token}")
    async def confirm(
        request: Request,
        token: str,
        action: Annotated[str, Form()] = "",
        reason: Annotated[str, Form()] = "",
        consultant: Annotated[str, Form()] = "",
    ) -> HTMLResponse:
        return await act.confirm(request, token, Filled(action, reason, consultant))

    return router

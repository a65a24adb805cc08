"""Signing in to the desk by a mailed link: it works once, for a quarter of an hour, and by POST alone.

Mail scanners open every link, so opening one only shows a button. Whether an address is a consultant's is
told to nobody: the answer is the same.
"""

import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from uuid_utils import uuid7

from services.notifier.casework import Casework
from services.notifier.consultants import Consultant
from services.notifier.desk_routes import desk_router
from services.notifier.letters import queue_letter
from services.notifier.store import Store
from shared.events.letter import Letter
from shared.events.topic import next_revision
from shared.settings import Settings
from shared.tokens import BadToken, Claims, Tokens
from shared.web.access import ClientAddress, RateLimit
from shared.web.pages import Pages, locale_of
from shared.web.problems import Problem
from shared.web.session import (
    SIGN_IN_PATH,
    Session,
    end_session,
    same_origin,
    session_of,
    start_session,
)

PURPOSE = "desk-sign-in"
LIFETIME = timedelta(minutes=15)
HOME = "/desk"


def local_path(wanted: str) -> str:
    """`wanted` where it is a path of this site, else the desk: a sign-in must not lead elsewhere.

    Browsers read `//host` and `/\\host` as another host, and drop tabs and line breaks before they look.
    """
    plain = all(unicodedata.category(char) not in {"Cc", "Zl", "Zp"} for char in wanted)
    if not plain or not wanted.startswith("/") or wanted.startswith("//") or "\\" in wanted:
        return HOME
    return HOME if wanted.startswith(SIGN_IN_PATH) or len(wanted) > 1000 else wanted


@dataclass
class SignIn:
    pages: Pages
    store: Store
    casework: Casework
    tokens: Tokens
    settings: Settings
    addresses: ClientAddress
    asked_from: RateLimit = field(default_factory=lambda: RateLimit(per_second=1 / 30, burst=10))
    """By the address that a request comes from."""
    asked_for: RateLimit = field(default_factory=lambda: RateLimit(per_second=1 / 300, burst=3))
    """By the e-mail address that was typed: nobody's inbox is filled by others."""

    async def form(self, request: Request, wanted: str) -> Response:
        """Where to ask for a link; who is signed in already goes straight on."""
        session = session_of(request)
        if session is not None:
            known = await self.store.consultant(session.consultant_id)
            if known is not None and known.active:
                return RedirectResponse(local_path(wanted), 303)
        page = self._page(request, "desk_sign_in.html", wanted=local_path(wanted), email="", problem="")
        if session is not None:
            end_session(page)
        return page

    async def ask(self, request: Request, email: str, wanted: str) -> HTMLResponse:
        """Mail a link where the address is a consultant's. The answer is the same where it is not."""
        _check_origin(request)
        typed = email.strip()
        if "@" not in typed or len(typed) > 254:
            return self._page(
                request,
                "desk_sign_in.html",
                status=422,
                wanted=local_path(wanted),
                email=typed[:254],
                problem="sign_in_email_needed",
            )
        wait = self.asked_from.seconds_to_wait(self.addresses.of(request))
        if wait:
            raise Problem(429, "Too many requests", headers={"Retry-After": str(int(wait) + 1)})
        found = await self.store.consultant_by_email(typed)
        if not self.asked_for.seconds_to_wait(typed.casefold()) and found is not None and found.active:
            await self._mail(found, local_path(wanted))
        return self._page(request, "desk_sign_in_sent.html", email=typed)

    async def _mail(self, to: Consultant, wanted: str) -> None:
        token = self.tokens.issue(PURPOSE, to.consultant_id, lifetime=LIFETIME)
        query = f"?{urlencode({'next': wanted})}" if wanted != HOME else ""
        now = datetime.now(UTC)
        letter = Letter(
            letter_id=str(uuid7()),
            template="sign_in",
            locale=to.locale,
            to_name=to.name,
            to_email=to.email,
            arguments={"url": f"{self.settings.public_url.rstrip('/')}{SIGN_IN_PATH}/{token}{query}"},
            revision=next_revision(0, now),
            occurred_at=now,
        )
        await queue_letter(self.casework, letter, self.settings.public_url)

    async def confirm_page(self, request: Request, token: str, wanted: str) -> HTMLResponse:
        """The page behind a mailed link. Reads only."""
        _claims, who = await self._claimed(token)
        if who is None:
            return self._bad_link(request)
        return self.pages.render(
            "desk_sign_in_confirm.html", who.locale, name=who.name, wanted=local_path(wanted), me=None
        )

    async def enter(self, request: Request, token: str, wanted: str) -> Response:
        """Use the link up, and start a session."""
        _check_origin(request)
        claims, who = await self._claimed(token)
        if claims is None or who is None:
            return self._bad_link(request)
        if not await self.store.desk.use_link(claims.token_id, claims.expires_at):
            return self._bad_link(request)
        answer = RedirectResponse(local_path(wanted), 303)
        start_session(answer, session_for(who), self.tokens, self.settings)
        return answer

    async def _claimed(self, token: str) -> tuple[Claims | None, Consultant | None]:
        try:
            claims = self.tokens.verify(token, PURPOSE)
        except BadToken:
            return None, None
        who = await self.store.consultant(claims.subject)
        return claims, who if who is not None and who.active else None

    def _bad_link(self, request: Request) -> HTMLResponse:
        return self._page(request, "desk_sign_in_bad_link.html", status=403)

    def _page(self, request: Request, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
        page = self.pages.render(template, locale_of(request), status=status, me=None, **values)
        page.headers["X-Robots-Tag"] = "noindex"
        return page


def session_for(who: Consultant) -> Session:
    return Session(who.consultant_id, who.admin, who.locale)


def _check_origin(request: Request) -> None:
    if not same_origin(request):
        raise Problem(403, "This form was not sent from a page of this site", kind="/problems/cross-site")


def sign_in_routes(sign_in: SignIn) -> APIRouter:
    router = desk_router(sign_in.pages)

    @router.get(SIGN_IN_PATH)
    async def form(request: Request, next: str = "") -> Response:  # noqa: A002 - the query's name
        return await sign_in.form(request, next)

    @router.post(SIGN_IN_PATH)
    async def ask(
        request: Request,
        email: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = "",  # noqa: A002
    ) -> Response:
        return await sign_in.ask(request, email, next)

    @router.get(SIGN_IN_PATH + "/{token}")
    async def confirm_page(request: Request, token: str, next: str = "") -> Response:  # noqa: A002
        return await sign_in.confirm_page(request, token, next)

    @router.post(SIGN_IN_PATH + "/{token}")
    async def enter(request: Request, token: str, next: Annotated[str, Form()] = "") -> Response:  # noqa: A002
        return await sign_in.enter(request, token, next)

    @router.post("/desk/sign-out", dependencies=[Depends(_check_origin)])
    async def sign_out() -> Response:
        answer = RedirectResponse(SIGN_IN_PATH, 303)
        end_session(answer)
        return answer

    return router

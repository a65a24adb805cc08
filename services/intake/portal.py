"""What the pages about needs share: who visits, how a form is shown, and what a refusal looks like."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.intake.access import holds_link
from services.intake.domain.lexicon import Lexicon
from services.intake.form import CHOICES, HARD, NeedForm, places, role_choices
from services.intake.letters import Letters
from services.intake.needs import Needs
from services.intake.posted import FormTooLarge
from services.intake.spam import FormGuard
from services.intake.store import Document
from services.intake.words import SCRIPT_WORDS, words
from shared.events.vocabulary import Locale
from shared.outage import is_outage
from shared.settings import Settings
from shared.web.pages import Pages, page_router
from shared.web.problems import RETRY_AFTER_SECONDS, Problem
from shared.web.session import Session, session_of
from shared.web.session import same_origin as surely_same_origin

Limit = Callable[[Request], None]


class Refused(Exception):  # noqa: N818 - what happened
    """The answer is a page with a message: `key` names its words."""

    def __init__(self, key: str, status: int, headers: dict[str, str] | None = None) -> None:
        super().__init__(key)
        self.key, self.status, self.headers = key, status, headers or {}


@dataclass(frozen=True)
class Visit:
    """A need, and who looks at it: its client by the link in `token`, or a signed-in consultant in `by`."""

    document: Document
    token: str
    by: str | None

    @property
    def need_id(self) -> str:
        return str(self.document["_id"])


class Portal:
    def __init__(
        self, needs: Needs, letters: Letters, settings: Settings, limit: Limit, seconds_to_fill: float
    ) -> None:
        self.needs = needs
        self.letters = letters
        self.limit = limit
        self.guard = FormGuard(needs.tokens, seconds_to_fill)
        self.pages = Pages("intake", Path(__file__).parent / "templates", words(), settings)
        self._settings = settings

    @property
    def lexicon(self) -> Lexicon:
        return self.needs.knowledge.lexicon

    def router(self) -> APIRouter:
        """A router whose refusals and outages are pages, in the visitor's language."""
        return page_router(self._refused)

    async def visit(self, request: Request, need_id: str) -> Visit:
        """The need. Raises Refused for who has neither its link nor a session, and another site's form."""
        by_link = holds_link(request, self.needs.tokens, need_id)
        session = None if by_link else session_of(request)
        if not by_link and session is None:
            raise Refused("bad_link", 404)
        self.require_own_form(request, session)
        self.needs.knowledge.require_store()
        document = await self.needs.store.find(need_id)
        if document is None:
            raise Refused("bad_link", 404)
        token = request.query_params.get("t", "") if by_link else ""
        return Visit(document, token, session.consultant_id if session else None)

    def require_own_form(self, request: Request, session: Session | None) -> None:
        """Raise Refused for a form of another site. What comes with a session also has to say where from."""
        if request.method in {"GET", "HEAD"}:
            return
        if not (surely_same_origin(request) if session else same_origin(request, self._settings)):
            raise Refused("cross_site", 403)

    def show_form(
        self, form: NeedForm, locale: Locale, *, status: int = 200, notice: str | None = None, **values: Any
    ) -> HTMLResponse:
        """The form of a new need; with `template` another one around the same fields."""
        shown = {
            "template": "need_form.html",
            "key": f"form-{secrets.token_urlsafe(18)}",
            "shown": self.guard.stamp(),
        } | values
        response = self.pages.render(
            shown.pop("template"),
            locale,
            status=status,
            form=form,
            notice=notice,
            choices=CHOICES,
            hard=[must.value for must in HARD],
            places=places(),
            roles=role_choices(self.lexicon, locale),
            script_words=self.script_words(locale),
            **shown,
        )
        if status == 503:
            response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response

    def script_words(self, locale: Locale) -> dict[str, str]:
        """What the scripts say. Their {…} are filled in there."""
        return {
            key.removeprefix("js_"): text[locale.value]
            for key, text in words().items()
            if key.startswith(SCRIPT_WORDS)
        }

    def message(
        self, locale: Locale, key: str, status: int = 200, headers: dict[str, str] | None = None
    ) -> HTMLResponse:
        response = self.pages.render("message.html", locale, status=status, key=key)
        response.headers.update(headers or {})
        return response

    def _refused(self, locale: Locale, error: Exception) -> HTMLResponse | None:
        """The page for an error, None for one that is not a visitor's affair."""
        if isinstance(error, Refused):
            return self.message(locale, error.key, error.status, error.headers)
        if isinstance(error, FormTooLarge):
            return self.message(locale, "too_large", 413, {"Connection": "close"})
        if is_outage(error):
            return self.message(locale, "away", 503, {"Retry-After": str(RETRY_AFTER_SECONDS)})
        keys = {429: "too_many", 403: "cross_site"} if isinstance(error, Problem) else {400: "unreadable"}
        status = getattr(error, "status", None) or getattr(error, "status_code", None)
        headers = error.headers if isinstance(error, Problem) else {}
        return self.message(locale, keys[status], status, headers) if status in keys else None


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

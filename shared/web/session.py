"""A consultant's session: notifier's desk signs people in, every service knows the cookie.

The cookie holds a token of the one kind (`shared/tokens.py`), so it needs no store. Since it comes by itself
with each request, whatever changes something also has to come from a page of ours (`same_origin`).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from shared.events.vocabulary import Locale
from shared.settings import Settings
from shared.tokens import BadToken, Tokens
from shared.web.problems import Problem

COOKIE = "desk_session"
PURPOSE = "desk-session"
LIFETIME = timedelta(hours=10)
"""A working day: who leaves the agency is out by the evening, without a list that all services read."""
SIGN_IN_PATH = "/desk/sign-in"
_ADMIN = "admin"
_LOCALE = "locale:"


@dataclass(frozen=True)
class Session:
    """A signed-in consultant. `admin` may manage colleagues and see all needs."""

    consultant_id: str
    admin: bool = False
    locale: Locale = Locale.FR
    ends_at: datetime | None = field(default=None, compare=False)
    """Of a session that came with a request."""


class SignInNeeded(Exception):  # noqa: N818 - what is needed
    """Nobody is signed in. Pages answer with a redirect to the sign-in and back to `path`."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def start_session(answer: Response, session: Session, tokens: Tokens, settings: Settings) -> None:
    """Set the cookie on `answer`."""
    scopes = [f"{_LOCALE}{session.locale.value}", *([_ADMIN] if session.admin else [])]
    answer.set_cookie(
        COOKIE,
        tokens.issue(PURPOSE, session.consultant_id, lifetime=LIFETIME, scopes=scopes),
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        secure=settings.public_url.startswith("https:"),
        httponly=True,
        samesite="lax",  # links in mails lead to the desk
    )


def end_session(answer: Response) -> None:
    """Take the cookie back."""
    answer.delete_cookie(COOKIE, path="/")


def session_of(request: Request) -> Session | None:
    """The session that came with the request, if it is still good."""
    tokens: Tokens = request.app.state.service.tokens
    try:
        claims = tokens.verify(request.cookies.get(COOKIE, ""), PURPOSE)
    except BadToken:
        return None
    locale = next((scope[len(_LOCALE) :] for scope in claims.scopes if scope.startswith(_LOCALE)), "fr")
    return Session(claims.subject, _ADMIN in claims.scopes, Locale(locale), claims.expires_at)


def signed_in(request: Request) -> Session:
    """A FastAPI dependency for the agency's pages: the session, and for forms one that our own page sent.

    Raises SignInNeeded without a session, a 403 problem for a form from elsewhere.
    """
    session = session_of(request)
    if session is None:
        reading = request.method in {"GET", "HEAD"}
        query = f"?{request.url.query}" if reading and request.url.query else ""
        raise SignInNeeded(request.url.path + query)
    if request.method not in {"GET", "HEAD"} and not same_origin(request):
        raise Problem(403, "This form was not sent from a page of this site", kind="/problems/cross-site")
    return session


def same_origin(request: Request) -> bool:
    """Whether a form is our pages' own, by Sec-Fetch-Site or Origin; who does not say is refused."""
    settings: Settings = request.app.state.settings
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site == "same-origin"
    public = urlsplit(settings.public_url).netloc
    return origin is not None and urlsplit(origin).netloc in {request.headers.get("host"), public}


def to_sign_in(path: str) -> Response:
    """The redirect that SignInNeeded is answered with."""
    return RedirectResponse(f"{SIGN_IN_PATH}?{urlencode({'next': path})}", 303)

"""The consultant's session: one cookie that all services know, and forms from our own pages alone."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Response

from shared.events.vocabulary import Locale
from shared.metrics import Metrics
from shared.service import Service
from shared.settings import Settings
from shared.tokens import Tokens
from shared.web.session import (
    COOKIE,
    LIFETIME,
    PURPOSE,
    Session,
    end_session,
    signed_in,
    start_session,
)
from tests.support import now

SOMEBODY = Session("consultant-1", admin=True, locale=Locale.EN)
OURS = {"Sec-Fetch-Site": "same-origin"}


def service(tokens: Tokens, **changes: object) -> FastAPI:
    """A service with a page and a form for consultants, and a way in and out."""
    settings = Settings(_env_file=None, **changes)  # type: ignore[arg-type]
    router = APIRouter()

    @router.get("/enter")
    async def enter(response: Response) -> None:
        start_session(response, SOMEBODY, tokens, settings)

    @router.get("/leave")
    async def leave(response: Response) -> None:
        end_session(response)

    @router.get("/page")
    @router.post("/page")
    async def page(session: Session = Depends(signed_in)) -> dict[str, object]:
        return {"who": session.consultant_id, "admin": session.admin, "locale": session.locale}

    return Service("other", settings, Metrics(), tokens).fastapi_app(router)


def client(app: FastAPI, base_url: str = "http://test") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=base_url)


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(["a secret that is long enough for a test"])


async def test_a_session_that_one_service_started_is_known_to_another(tokens: Tokens) -> None:
    async with client(service(tokens)) as desk, client(service(tokens)) as other:
        cookies = (await desk.get("/enter")).cookies
        other.cookies = cookies
        page = await other.get("/page")
        assert page.json() == {"who": "consultant-1", "admin": True, "locale": "en"}


async def test_who_is_not_signed_in_is_led_to_the_sign_in_and_back(tokens: Tokens) -> None:
    async with client(service(tokens)) as http:
        asked = await http.get("/page?a=1&b=//x")
        assert asked.status_code == 303
        target = urlsplit(asked.headers["location"])
        assert target.path == "/desk/sign-in"
        assert parse_qs(target.query)["next"] == ["/page?a=1&b=//x"]
        # A form's address without what was sent with it: opening it again must not repeat anything.
        posted = await http.post("/page?a=1", headers=OURS)
        assert parse_qs(urlsplit(posted.headers["location"]).query)["next"] == ["/page"]


async def test_a_cookie_that_is_old_forged_or_made_for_something_else_is_nobody(tokens: Tokens) -> None:
    old = tokens.issue(PURPOSE, "c", lifetime=LIFETIME, now=now() - LIFETIME - timedelta(seconds=1))
    another = tokens.issue("desk-sign-in", "c", lifetime=LIFETIME)
    forged = Tokens(["another secret that is long enough here"]).issue(PURPOSE, "c", lifetime=LIFETIME)
    async with client(service(tokens)) as http:
        for value in (old, another, forged, "nonsense", ""):
            answer = await http.get("/page", headers={"Cookie": f"{COOKIE}={value}"})
            assert answer.status_code == 303, value


async def test_a_session_ends_where_it_is_taken_back(tokens: Tokens) -> None:
    async with client(service(tokens)) as http:
        await http.get("/enter")
        assert (await http.get("/page")).status_code == 200
        await http.get("/leave")
        assert (await http.get("/page")).status_code == 303


async def test_a_form_counts_only_from_a_page_of_ours(tokens: Tokens) -> None:
    app = service(tokens, public_url="https://agency.test")
    async with client(app, "https://agency.test") as http:
        await http.get("/enter")
        fine = [
            OURS,
            {"Origin": "https://agency.test"},
            {"Origin": "https://agency.test", "Sec-Fetch-Site": "same-origin"},
        ]
        bad = [
            {},
            {"Origin": "https://evil.test"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none"},
            # Where both speak, the browser's word counts, which no page can set.
            {"Origin": "https://agency.test", "Sec-Fetch-Site": "cross-site"},
        ]
        for headers in fine:
            assert (await http.post("/page", headers=headers)).status_code == 200, headers
        for headers in bad:
            assert (await http.post("/page", headers=headers)).status_code == 403, headers
        assert (await http.get("/page", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 200


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_plain_http(tokens: Tokens) -> None:
    async with client(service(tokens, public_url="https://agency.test")) as http:
        cookie = (await http.get("/enter")).headers["set-cookie"]
        for mark in (
            "HttpOnly",
            "Secure",
            "SameSite=lax",
            "Path=/",
            f"Max-Age={LIFETIME // timedelta(0, 1)}",
        ):
            assert mark in cookie
    async with client(service(tokens, public_url="http://localhost:8000")) as http:
        assert "Secure" not in (await http.get("/enter")).headers["set-cookie"]


async def test_what_a_session_does_not_say_is_the_lesser(tokens: Tokens) -> None:
    bare = tokens.issue(PURPOSE, "c", lifetime=LIFETIME)

    async with client(service(tokens)) as http:
        page = await http.get("/page", headers={"Cookie": f"{COOKIE}={bare}"})
        assert page.json() == {"who": "c", "admin": False, "locale": "fr"}

"""Signing in to the desk by a mailed link."""

import dataclasses
import re
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest

from services.notifier.app import build
from services.notifier.sign_in import LIFETIME, PURPOSE, local_path
from services.notifier.staff import fields_of
from shared.mongo import connect
from shared.run import Surroundings
from shared.web.session import COOKIE
from tests.notifier.desk import OURS, sign_in
from tests.notifier.making import Running, html_of, notifier, text_of
from tests.support import now, running, until

LINK = re.compile(r"https?://\S+/desk/sign-in/\S+")


async def ask(service: Running, email: str, wanted: str = "") -> httpx.Response:
    data = {"email": email, "next": wanted}
    return await service.http.post("/desk/sign-in?lang=en", data=data, headers=OURS)


async def mailed(service: Running, number: int = 1) -> str:
    """The path of the link in the mail."""
    found = LINK.search(text_of(await service.mail("sample@agency.test", number)))
    assert found is not None
    parts = urlsplit(found[0])
    return parts.path + (f"?{parts.query}" if parts.query else "")


async def test_a_mailed_link_signs_in_once_by_post_and_leads_where_one_was_going(
    given: Surroundings,
) -> None:
    async with notifier(given) as service:
        await service.consultant()
        turned_away = await service.http.get("/desk/needs/some-need?full=1")
        assert turned_away.status_code == 303
        assert turned_away.headers["location"] == "/desk/sign-in?next=%2Fdesk%2Fneeds%2Fsome-need%3Ffull%3D1"
        await ask(service, "Sample@Agency.test", "/desk/needs/some-need?full=1")
        link = await mailed(service)
        assert "/desk/sign-in/" in html_of(await service.mail("sample@agency.test"))
        # Scanners open links, more than once: that signs nobody in and uses nothing up.
        for _ in range(2):
            page = await service.http.get(link)
            assert page.status_code == 200
            assert "Sample Consultant" in page.text
            assert COOKIE not in page.cookies
        wanted = re.search(r'name="next" value="([^"]+)"', page.text)
        assert wanted is not None
        entered = await service.http.post(link, data={"next": wanted[1]}, headers=OURS)
        assert entered.status_code == 303
        assert entered.headers["location"] == "/desk/needs/some-need?full=1"
        assert "HttpOnly" in entered.headers["set-cookie"]
        assert "SameSite=lax" in entered.headers["set-cookie"]
        service.http.cookies = entered.cookies
        assert (await service.http.get("/desk")).status_code == 200
        service.http.cookies.clear()
        again = await service.http.post(link, headers=OURS)
        assert again.status_code == 403
        assert COOKIE not in again.cookies


async def test_the_answer_tells_nobody_whether_an_address_is_a_consultants(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.consultant()
        left = await service.consultant("Former Colleague")
        await service.store.change_consultant(left, fields_of(left), active=False)
        pages = {
            (await ask(service, email)).text.replace(email, "…")
            for email in ("sample@agency.test", "former@agency.test", "nobody@agency.test")
        }
        assert len(pages) == 1
        await service.settled()
        assert [mail.recipients for mail in service.mails()] == [("sample@agency.test",)]
        typo = await ask(service, "sample")
        assert typo.status_code == 422
        assert 'value="sample"' in typo.text


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/desk/needs/1?full=1#c-2", "/desk/needs/1?full=1#c-2"),
        ("/candidates/1?need=2", "/candidates/1?need=2"),
        ("//evil.test/desk", "/desk"),
        ("/\\evil.test", "/desk"),
        ("\\\\evil.test", "/desk"),
        ("/\t/evil.test", "/desk"),
        ("/\n/evil.test", "/desk"),
        ("https://evil.test/", "/desk"),
        ("javascript:alert(1)", "/desk"),
        ("", "/desk"),
        ("/desk/sign-in?next=/", "/desk"),
        ("/" + "x" * 5000, "/desk"),
    ],
)
async def test_a_sign_in_leads_to_no_other_site(given: Surroundings, wanted: str, path: str) -> None:
    assert local_path(wanted) == path


async def test_the_form_and_the_link_keep_no_foreign_address(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        token = given.tokens.issue(PURPOSE, claire.consultant_id, lifetime=LIFETIME)
        for page in (
            await service.http.get("/desk/sign-in?next=//evil.test"),
            await service.http.get(f"/desk/sign-in/{token}?next=//evil.test"),
        ):
            assert "evil.test" not in page.text
        entered = await service.http.post(
            f"/desk/sign-in/{token}", data={"next": "//evil.test"}, headers=OURS
        )
        assert entered.headers["location"] == "/desk"


async def test_links_that_are_old_foreign_or_of_nobody_are_refused(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        who = claire.consultant_id
        tokens = [
            given.tokens.issue(PURPOSE, who, lifetime=LIFETIME, now=now() - timedelta(minutes=16)),
            given.tokens.issue("decision", who, lifetime=LIFETIME),
            given.tokens.issue(PURPOSE, "nobody", lifetime=LIFETIME),
            "nonsense",
        ]
        for token in tokens:
            assert (await service.http.get(f"/desk/sign-in/{token}")).status_code == 403
            refused = await service.http.post(f"/desk/sign-in/{token}", headers=OURS)
            assert refused.status_code == 403
            assert COOKIE not in refused.cookies


async def test_forms_of_other_sites_sign_nobody_in_or_out(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        token = given.tokens.issue(PURPOSE, claire.consultant_id, lifetime=LIFETIME)
        for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.test"}):
            for path in ("/desk/sign-in", f"/desk/sign-in/{token}", "/desk/sign-out"):
                data = {"email": "sample@agency.test"}
                refused = await service.http.post(path, data=data, headers=headers)
                assert refused.status_code == 403, path
                assert "set-cookie" not in refused.headers
        await service.settled()
        assert service.mails() == []


async def test_whoever_is_deactivated_is_out_at_once_and_signing_out_ends_the_session(
    given: Surroundings,
) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        await sign_in(service, claire)
        assert (await service.http.get("/desk")).status_code == 200
        out = await service.http.post("/desk/sign-out", headers=OURS)
        assert out.status_code == 303
        assert COOKIE not in service.http.cookies
        await sign_in(service, claire)
        await service.store.change_consultant(claire, fields_of(claire), active=False)
        for path in ("/desk", "/desk/me", "/desk/needs/1"):
            gone = await service.http.get(path)
            assert gone.status_code == 303
            assert gone.headers["location"].startswith("/desk/sign-in")
        late = await service.http.post("/desk/needs/1/decisions", data={"action": "taken"}, headers=OURS)
        assert late.headers["location"].startswith("/desk/sign-in")
        # No circle: the form is shown, and takes the session back.
        form = await service.http.get("/desk/sign-in?next=/desk")
        assert form.status_code == 200
        assert COOKIE not in service.http.cookies


async def test_nobodys_inbox_is_filled_and_nobody_asks_without_end(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.consultant()
        answers = [await ask(service, "sample@agency.test") for _ in range(10)]
        assert [answer.status_code for answer in answers] == [200] * 10

        async def one_too_many() -> httpx.Response | None:
            # On a slow machine one more may have become free meanwhile.
            answer = await ask(service, "sample@agency.test")
            return answer if answer.status_code == 429 else None

        refused: httpx.Response = await until(one_too_many)
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["content-type"].startswith("text/html")
        await service.settled()
        assert len(service.mails("sample@agency.test")) == 3


async def test_two_replicas_let_a_link_in_once(given: Surroundings) -> None:
    async with notifier(given) as service, running(build(given), ready=False) as other:
        claire = await service.consultant()
        token = given.tokens.issue(PURPOSE, claire.consultant_id, lifetime=LIFETIME)
        first = await other.post(f"/desk/sign-in/{token}", headers=OURS)
        second = await service.http.post(f"/desk/sign-in/{token}", headers=OURS)
        assert (first.status_code, second.status_code) == (303, 403)


async def test_with_mongodb_away_the_sign_in_says_so_in_a_page(given: Surroundings) -> None:
    away = dataclasses.replace(given, mongo_client=connect("mongodb://127.0.0.1:1/"))
    async with running(build(away), ready=False) as http:
        data = {"email": "sample@agency.test"}
        page = await http.post("/desk/sign-in?lang=en", data=data, headers=OURS)
        assert page.status_code == 503
        assert int(page.headers["retry-after"]) > 0
        assert "does not answer" in page.text

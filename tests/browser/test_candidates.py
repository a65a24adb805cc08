"""A candidate from the registration page to a profile that counts; a consultant on the record page."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from services.intake.people_portal import people_words
from shared.events.letter import LETTERS, Letter
from tests.browser.axe import violations
from tests.browser.conftest import NARROW, WIDE, Open, Scheme, visiting
from tests.browser.people_site import PeopleSite
from tests.browser.test_layout import SMALLEST, TOO_WIDE
from tests.support import records, until

# A whole tour of pages is one test; on a busy machine it takes a while.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]

CV = """Sample PERSON
Back-end developer
12 rue des Exemples, 69003 Lyon
Tél : +33 1 99 00 12 34 - sample.person@example.com

Back-end developer, 01/2019 - 06/2024
Sample Person built payment services in Python and Docker.
Deployed on Kubernetes for 3 years.
"""


def said(key: str, lang: str = "en", **values: object) -> str:
    return people_words()[key][lang].format(**values)


@pytest.fixture(scope="module")
def people() -> Iterator[PeopleSite]:
    with PeopleSite() as site:
        yield site


@pytest.fixture
def visit(chromium: Browser, people: PeopleSite) -> Iterator[Open]:
    with visiting(chromium, people.url) as opened:
        yield opened


def letter_to(people: PeopleSite, email: str, template: str = "confirm_registration") -> Letter:
    async def found() -> Letter | None:
        sent = [one.event for one in await records(people.given.kafka_bootstrap, LETTERS) if one.event]
        return next(
            (one for one in reversed(sent) if (one.to_email, one.template) == (email, template)), None
        )

    async def waited() -> Letter:
        letter: Letter = await until(found)
        return letter

    return people.do(waited)


def fill_in(page: Page, email: str, lang: str) -> None:
    page.locator("#name").fill("Sample Person")
    page.locator("#email").fill(email)
    page.locator("#place").select_option("FR-ARA")
    page.locator("#cv").set_input_files({"name": "cv.txt", "mimeType": "text/plain", "buffer": CV.encode()})
    page.get_by_label(said("consent_box", lang)).check()


def candidate(people: PeopleSite, **changes: Any) -> str:
    """A candidate with a CV, through the API; its id."""
    body = {
        "external_id": "browser-1",
        "name": "Sample Person",
        "email": "sample.record@example.com",
        "phone": "+33 1 99 00 12 34",
        "cv_text": CV,
        "basis": {"kind": "consent", "until": "2090-01-01", "source": "form"},
    } | changes

    return str(people.post("/api/candidates", body)["candidate_id"])


@pytest.mark.parametrize("scripts", [True, False], ids=["JavaScript", "no JavaScript"])
@pytest.mark.parametrize(("lang", "width"), [("en", WIDE), ("fr", NARROW)])
def test_from_the_registration_page_to_a_profile_that_counts(
    lang: str, width: int, scripts: bool, visit: Open, people: PeopleSite
) -> None:
    email = f"sample.{lang}{width}{scripts}@example.com".lower()
    page = visit(f"/candidates/register?lang={lang}", width, java_script_enabled=scripts)
    page.get_by_role("button", name=said("register_send", lang)).click()
    expect(page.locator("#consent-error")).to_be_visible()
    fill_in(page, email, lang)
    page.get_by_role("button", name=said("register_send", lang)).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(said("review_title", lang))
    page.get_by_label("Docker", exact=True).uncheck()
    page.locator("#level-kubernetes").select_option("4")
    page.get_by_role("button", name=said("review_send", lang)).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(said("check_mail_title", lang))

    link = urlsplit(letter_to(people, email).arguments["confirm_url"])
    page.goto(f"{people.url}{link.path}?{link.query}")
    page.get_by_role("button", name=said("confirm_now", lang)).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(said("confirmed_title", lang))


@pytest.mark.parametrize("scripts", [True, False], ids=["JavaScript", "no JavaScript"])
@pytest.mark.parametrize(("lang", "width"), [("fr", WIDE), ("en", NARROW)])
def test_a_consultant_reads_corrects_and_reveals(
    lang: str, width: int, scripts: bool, visit: Open, people: PeopleSite
) -> None:
    made = candidate(
        people, external_id=f"read-{lang}{width}{scripts}", email=f"r{lang}{width}{scripts}@example.com"
    )
    need = people.need()
    page = visit(
        f"/candidates/{made}?need={need['need_id']}&lang={lang}", width,
        cookies=[people.session()], java_script_enabled=scripts,
    )  # fmt: skip
    assert "Sample" not in page.locator("main").inner_text()
    assert "PERSON" not in page.locator("main").inner_text()
    held = page.locator("#skill-kubernetes")
    held.get_by_role("link", name=said("in_text", lang)).click()
    expect(page).to_have_url(re.compile("#quote-kubernetes$"))
    page.get_by_role("link", name=said("to_skill", lang, skill="Kubernetes")).first.click()
    expect(page).to_have_url(re.compile("#skill-kubernetes$"))
    held.locator("summary").click()
    held.get_by_label(said("level", lang)).select_option("5")
    held.get_by_role("button", name=said("save", lang)).click()
    expect(page.locator("#skill-kubernetes")).to_contain_text(said("source_corrected", lang))
    page.get_by_role("button", name=said("undo", lang)).first.click()
    expect(page.locator("#skill-kubernetes")).not_to_contain_text(said("source_corrected", lang))
    page.get_by_role("button", name=said("reveal", lang)).click()
    expect(page.locator("#person")).to_contain_text("Sample Person")
    expect(page.locator(".cv")).to_contain_text("12 rue des Exemples")


PAGES = ("/candidates", "/candidates?show=waiting", "/candidates/reveals", "/candidates/duplicates",
         "/candidates/register", "/candidates/me")  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("width", [WIDE, NARROW, SMALLEST])
def test_axe_finds_no_violation_and_nothing_sticks_out(
    width: int, lang: str, visit: Open, people: PeopleSite
) -> None:
    made = candidate(people)
    candidate(people, external_id="browser-2", name="Sample Twin", phone="+33 1 99 00 55 55")
    need = people.need()
    scheme: Scheme = "dark" if lang == "fr" else "light"
    page = visit(
        f"/candidates/{made}?lang={lang}", width, scheme, cookies=[people.session()], bypass_csp=True
    )
    paths = [f"{path}{'&' if '?' in path else '?'}lang={lang}" for path in PAGES]
    for path in (f"/candidates/{made}?lang={lang}", *paths):
        page.goto(people.url + path)
        for summary in page.locator("summary").all()[:3]:
            summary.click()
        assert violations(page) == [], path
        assert page.evaluate(TOO_WIDE) == {"scrolls": False, "out": []}, path
    page.goto(f"{people.url}/candidates/{made}?lang={lang}")
    page.locator("#need").fill(need["reference"])
    page.get_by_role("button", name=said("reveal", lang)).click()
    expect(page.locator("#person")).to_contain_text("Sample Person")
    assert violations(page) == []

    email = f"sample.axe{width}{lang}@example.com"
    page.goto(f"{people.url}/candidates/register?lang={lang}")
    page.get_by_role("button", name=said("register_send", lang)).click()
    expect(page.locator("#consent-error")).to_be_visible()
    assert violations(page) == []
    fill_in(page, email, lang)
    page.get_by_role("button", name=said("register_send", lang)).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(said("review_title", lang))
    assert violations(page) == []
    assert page.evaluate(TOO_WIDE) == {"scrolls": False, "out": []}
    page.get_by_role("button", name=said("review_send", lang)).click()
    link = urlsplit(letter_to(people, email).arguments["confirm_url"])
    page.goto(f"{people.url}{link.path}?{link.query}")
    assert violations(page) == []
    page.get_by_role("button", name=said("confirm_now", lang)).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(said("confirmed_title", lang))
    page.goto(f"{people.url}/candidates/me?lang={lang}")
    page.locator("#email").fill(email)
    page.get_by_role("button", name=said("me_send", lang)).click()
    profile = urlsplit(letter_to(people, email, "change_profile").arguments["url"])
    page.goto(f"{people.url}{profile.path}?{profile.query}")
    expect(page.get_by_role("heading", level=1)).to_have_text(said("profile_title", lang))
    assert violations(page) == []
    assert page.evaluate(TOO_WIDE) == {"scrolls": False, "out": []}

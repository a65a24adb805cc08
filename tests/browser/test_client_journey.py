"""A client's way from the role page to a need that a consultant has taken, in Chromium."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from services.intake.words import words
from tests.browser.axe import violations
from tests.browser.conftest import NARROW, WIDE, Open, Scheme, visiting
from tests.browser.portal_site import PortalSite
from tests.browser.test_layout import SMALLEST, TOO_WIDE
from tests.support import WAIT_SECONDS

# A whole tour of pages is one test; on a busy machine it takes a while.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]

FORM = "/needs/new?role=back-end-developer&lang=en"
ROLE = {"en": "/roles/back-end-developer", "fr": "/fr/metiers/developpeur-back-end"}
ASK = {"en": "Tell us about your needs", "fr": "Parlez-nous de votre besoin"}


def said(key: str, lang: str = "en", **values: object) -> str:
    return words()[key][lang].format(**values)


@pytest.fixture(scope="module")
def portal() -> Iterator[PortalSite]:
    with PortalSite() as site:
        yield site


@pytest.fixture
def visit(chromium: Browser, portal: PortalSite) -> Iterator[Open]:
    with visiting(chromium, portal.url) as opened:
        yield opened


def link_to(need: dict[str, Any], page: str = "", lang: str = "en") -> str:
    token = parse_qs(urlsplit(need["tracking_url"]).query)["t"][0]
    return f"/needs/{need['need_id']}{page}?t={token}&lang={lang}"


def fill_contact(page: Page) -> None:
    page.locator("#company").fill("Sample Company")
    page.locator("#name").fill("Sample Client")
    page.locator("#email").fill("sample.client@example.com")


def send(page: Page) -> str:
    """Send the form; the id of the need whose page follows."""
    page.locator("#need .send button").click()
    page.wait_for_url(re.compile(r"/needs/[0-9a-f-]{36}\?"))
    return urlsplit(page.url).path.rsplit("/", 1)[-1]


def eventually(page: Page, script: str) -> None:
    """Wait until `script` is true. Playwright's own waiting evaluates text: the policy forbids it."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if page.evaluate(script):
            return
        page.wait_for_timeout(50)
    raise AssertionError(script)


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_from_the_role_page_to_a_consultant_who_calls(
    lang: str, width: int, visit: Open, portal: PortalSite
) -> None:
    page = visit(ROLE[lang], width)
    page.get_by_role("link", name=ASK[lang]).first.click()
    page.wait_for_url("**/needs/new?role=back-end-developer**")
    expect(page.locator(".skills .name").first).to_be_visible()
    chips = page.locator("#skills ul.skills li")
    before = chips.count()

    field = page.get_by_role("combobox", name=said("js_add_skill", lang))
    field.press_sequentially("kubef")
    page.get_by_role("option", name="Kubeflow").wait_for()
    field.press("ArrowDown")
    field.press("Enter")
    expect(chips).to_have_count(before + 1)
    page.get_by_label(f"Kubeflow : {said('indispensable', lang)}").check()
    page.get_by_label(f"Python : {said('indispensable', lang)}").check()
    doctor = page.locator(".doctor")
    expect(doctor.locator(".says")).to_contain_text(str(150))
    expect(doctor.locator(".costs")).to_contain_text("Kubeflow")

    page.locator("#description").fill("We run Terraform.")
    page.get_by_role("button", name=said("js_offer", lang, skill="Terraform")).click()
    expect(chips).to_have_count(before + 2)
    fill_contact(page)
    need_id = send(page)

    live = page.locator("#live")
    expect(live).to_contain_text(said("status_sent", lang))
    portal.take(need_id)
    expect(live).to_contain_text("Inès Moreau")
    expect(live.get_by_role("link", name="ines@agency.example")).to_be_visible()
    expect(live).to_contain_text("Terraform")

    page.get_by_role("link", name=said("edit", lang)).click()
    expect(page.locator("#skills ul.chips li")).to_have_count(before + 2)
    page.locator("#city").fill("Lyon")
    page.locator("#place").select_option("FR-ARA")
    page.get_by_role("button", name=said("save", lang)).click()
    expect(page.locator("#live")).to_contain_text(said("event_edited", lang))
    expect(page.locator(".told")).to_contain_text("Lyon, Auvergne-Rhône-Alpes")

    page.get_by_role("link", name=said("withdraw", lang)).click()
    page.get_by_role("button", name=said("withdraw_do", lang)).click()
    expect(page.locator("#live")).to_contain_text(said("next_withdrawn", lang))
    expect(page.get_by_role("link", name=said("edit", lang))).to_have_count(0)


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_same_without_javascript(lang: str, width: int, visit: Open) -> None:
    page = visit(ROLE[lang], width, java_script_enabled=False)
    page.get_by_role("link", name=ASK[lang]).first.click()
    page.locator("input[name=skill][value=java]").uncheck()
    page.locator("input[name=must_python]").check()
    page.locator("#other_skills").fill("Terraform, Basket weaving")
    page.locator("#positions").fill("2")
    page.locator("#need .send button").click()
    expect(page.get_by_role("link", name=said("wrong_email", lang))).to_be_visible()
    expect(page.locator("#other_skills")).to_have_value("Terraform, Basket weaving")
    expect(page.locator("input[name=skill][value=java]")).not_to_be_checked()
    fill_contact(page)
    send(page)
    expect(page.locator(".told")).to_contain_text("Terraform (3)")
    expect(page.locator(".told")).not_to_contain_text("Java (")
    expect(page.locator("main")).to_contain_text("Basket weaving")
    reload = page.get_by_role("link", name=said("reload", lang))

    def sent() -> bool:
        reload.click()
        return said("event_sent", lang) in (page.locator(".timeline .done").all_inner_texts()[-1])

    for _ in range(50):
        if sent():
            break
    assert sent()
    page.get_by_role("link", name=said("edit", lang)).click()
    page.locator("#city").fill("Lyon")
    page.locator("#place").select_option("FR-ARA")
    page.get_by_role("button", name=said("save", lang)).click()
    expect(page.locator(".told")).to_contain_text("Lyon")
    page.get_by_role("link", name=said("filled_some", lang)).click()
    page.locator("#filled").fill("1")
    page.get_by_role("button", name=said("filled_do", lang)).click()
    expect(page.locator("#live .notice")).to_contain_text(said("filled_count", lang, filled=1, positions=2))


def test_the_skill_field_is_a_combobox_by_keyboard_and_for_screen_readers(visit: Open) -> None:
    page = visit(FORM)
    field = page.get_by_role("combobox", name=said("js_add_skill"))
    status = page.locator("#skills [role=status]")
    chips = page.locator("#skills ul.skills li")
    expect(field).to_have_attribute("aria-expanded", "false")
    field.press_sequentially("terraf")
    options = page.locator("#skill-options [role=option]")
    expect(field).to_have_attribute("aria-expanded", "true")
    expect(status).to_contain_text("suggestion")
    assert field.get_attribute("aria-activedescendant") is None
    field.press("ArrowUp")
    last = options.count() - 1
    expect(options.nth(last)).to_have_attribute("aria-selected", "true")
    field.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    assert field.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
    field.press("Escape")
    expect(field).to_have_attribute("aria-expanded", "false")
    expect(field).to_have_value("terraf")
    field.press("Escape")
    expect(field).to_have_value("")

    before = chips.count()
    field.press_sequentially("terraf")
    options.first.wait_for()
    field.press("ArrowDown")
    field.press("Enter")
    expect(status).to_have_text("Terraform added")
    expect(chips).to_have_count(before + 1)
    field.press_sequentially("Basket weaving")
    field.press("Enter")
    expect(status).to_have_text("Basket weaving added")
    field.press_sequentially("basket weaving,")
    expect(chips).to_have_count(before + 2)
    field.press("Backspace")
    expect(status).to_have_text("Basket weaving removed")
    expect(chips).to_have_count(before + 1)
    page.get_by_role("button", name="Remove Terraform").press("Enter")
    expect(chips).to_have_count(before)
    assert page.evaluate("document.activeElement.className") == "remove", "the focus is not lost"
    page.get_by_role("button", name="Add Terraform").click()
    expect(chips).to_have_count(before + 1)
    assert options.count() == 0
    assert page.url.endswith(FORM), "Enter in the field sent nothing"


def test_a_name_left_in_the_field_is_sent_too(visit: Open) -> None:
    page = visit(FORM)
    page.locator("#other_skills").press_sequentially("terraform")
    fill_contact(page)
    send(page)
    expect(page.locator(".told")).to_contain_text("Terraform")


def test_the_form_works_with_catalog_and_matching_away(visit: Open, portal: PortalSite) -> None:
    page = visit("/needs/find?lang=en")
    page.route("**/api/skills?**", lambda route: route.fulfill(status=429))
    page.route("**/api/preview", lambda route: route.fulfill(status=429))
    page.goto(portal.url + FORM)
    expect(page.locator(".doctor .says")).to_have_text(said("js_doctor_away"))
    field = page.locator("#other_skills")
    field.press_sequentially("Terraform")
    expect(page.locator("#skills [role=status]")).to_contain_text(said("js_catalogue_away"))
    field.press("Enter")
    fill_contact(page)
    send(page)
    expect(page.locator(".told")).to_contain_text("Terraform")


def test_the_doctor_passes_over_what_matching_does_not_know(visit: Open) -> None:
    page = visit(FORM)
    page.locator("#other_skills").fill("Basket weaving")
    page.locator("#other_skills").press("Enter")
    page.locator("#start_by").fill("2020-01-01")
    page.get_by_label("The start date").check()
    page.get_by_label("Python : must have").check()
    expect(page.locator(".doctor .says")).to_contain_text("with every must-have skill")
    expect(page.locator(".doctor .costs")).to_contain_text("Without “Python”")


def test_a_draft_comes_back_its_contacts_only_in_the_same_tab_and_sending_clears_it(
    visit: Open, portal: PortalSite
) -> None:
    page = visit(FORM)
    expect(page.locator(".draft-note")).to_contain_text("7 days")
    fill_contact(page)
    page.locator("#city").fill("Lyon")
    page.locator("#place").select_option("FR-ARA")
    page.get_by_label("Freelance").check()
    page.get_by_role("button", name="Remove Java", exact=True).click()
    page.get_by_label("Python : must have").check()
    eventually(page, "(localStorage.getItem('need-draft') || '').includes('Lyon')")
    eventually(page, "JSON.parse(localStorage.getItem('need-draft')).skills.some(one => one.must)")
    stored = page.evaluate("localStorage.getItem('need-draft')")
    assert "sample.client@example.com" not in stored
    assert "Sample" not in stored

    page.reload()
    expect(page.locator(".draft")).to_contain_text("is back")
    expect(page.locator("#city")).to_have_value("Lyon")
    expect(page.locator("#email")).to_have_value("sample.client@example.com")
    expect(page.get_by_label("Freelance")).to_be_checked()
    expect(page.get_by_label("Python : must have")).to_be_checked()
    expect(page.get_by_role("button", name="Remove Java", exact=True)).to_have_count(0)

    other = page.context.new_page()
    other.goto(portal.url + FORM)
    expect(other.locator("#city")).to_have_value("Lyon")
    expect(other.locator("#email")).to_have_value("")
    other.get_by_role("button", name="Discard draft").click()
    expect(other.locator("#city")).to_have_value("")
    expect(other.get_by_role("button", name="Remove Java", exact=True)).to_have_count(1)
    assert other.evaluate("localStorage.getItem('need-draft')") is None
    other.close()

    send(page)
    eventually(page, "localStorage.getItem('need-draft') === null")
    assert page.evaluate("sessionStorage.length") == 0
    page.goto(portal.url + FORM)
    expect(page.locator(".draft")).to_be_hidden()
    expect(page.locator("#email")).to_have_value("")


def test_a_draft_stays_until_the_need_is_stored(visit: Open) -> None:
    page = visit(FORM)
    page.locator("#city").fill("Lyon")
    page.locator("#need .send button").click()
    expect(page.locator(".errors")).to_be_focused()
    eventually(page, "(localStorage.getItem('need-draft') || '').includes('Lyon')")
    fill_contact(page)
    page.locator("#place").select_option("FR-ARA")
    send(page)
    eventually(page, "localStorage.getItem('need-draft') === null")


def test_a_double_click_is_one_need(visit: Open, portal: PortalSite) -> None:
    page = visit(FORM)
    fill_contact(page)
    page.locator("#company").fill("Twice SARL")
    page.locator("#need .send button").dblclick()
    page.wait_for_url(re.compile(r"/needs/[0-9a-f-]{36}\?"))

    async def count() -> int:
        needs = portal.given.mongo_client["recruitment_intake"]["needs"]
        return int(await needs.count_documents({"need.company": "Twice SARL"}))

    assert portal.do(count) == 1


def test_the_status_page_polls_where_the_stream_is_refused(visit: Open, portal: PortalSite) -> None:
    need = portal.post_need()
    page = visit("/needs/find?lang=en")
    page.route("**/events?**", lambda route: route.fulfill(status=404, body="no"))
    page.clock.install()
    page.goto(portal.url + link_to(need))
    page.wait_for_load_state("networkidle")
    portal.take(need["need_id"])
    for _ in range(300):
        page.clock.fast_forward(10_000)
        if page.get_by_text("Inès Moreau").count():
            break
        page.wait_for_timeout(200)
    expect(page.locator("#live")).to_contain_text("Inès Moreau")


def test_an_open_status_page_keeps_the_focus_when_it_changes(visit: Open, portal: PortalSite) -> None:
    need = portal.post_need()
    page = visit(link_to(need))
    expect(page.locator("#live")).to_contain_text(said("status_sent"))
    page.get_by_role("link", name=said("withdraw")).focus()
    portal.take(need["need_id"])
    expect(page.locator("#live")).to_contain_text(said("event_taken") + " ")
    expect(page.locator("#live .notice")).to_contain_text(said("status_in_progress"))


def test_two_tabs_that_edit_the_same_need_do_not_overwrite_one_another(
    visit: Open, portal: PortalSite
) -> None:
    need = portal.post_need()
    page = visit(link_to(need, "/edit"))
    other = visit(link_to(need, "/edit"))
    other.locator("#city").fill("Grenoble")
    other.locator("#place").select_option("FR-ARA")
    other.get_by_role("button", name=said("save")).click()
    expect(other.locator(".told")).to_contain_text("Grenoble")
    page.locator("#positions").fill("5")
    page.get_by_role("button", name=said("save")).click()
    expect(page.locator("table")).to_contain_text("Grenoble")
    expect(page.locator("#positions")).to_have_value("5")


def test_lost_links_come_by_mail(visit: Open, portal: PortalSite) -> None:
    address = "lost.link@example.com"
    need = portal.post_need(contact={"name": "Sample Client", "email": address})
    page = visit("/needs/find?lang=en")
    page.get_by_label(said("email")).fill(address)
    page.get_by_role("button", name=said("find_do")).click()
    expect(page.locator("main")).to_contain_text("on their way")
    mail = portal.mail_to(address, f"{need['reference']}, ")
    body = mail.get_body(("plain",))
    assert body is not None
    link = re.search(rf"{re.escape(portal.url)}/needs/\S+", body.get_content())
    assert link is not None
    page.goto(link.group())
    expect(page.locator("main")).to_contain_text(need["reference"])


def test_a_consultant_merges_a_duplicate(visit: Open, portal: PortalSite) -> None:
    kept = portal.post_need(company="Double SAS")
    double = portal.post_need(company="DOUBLE")
    page = visit("/needs?status=duplicates&q=double&lang=en", cookies=[portal.session()])
    page.get_by_role("link", name=re.compile(kept["reference"])).click()
    page.get_by_role("button", name=f"Keep this need, close {double['reference']}").click()
    expect(page.get_by_text("Possible duplicates")).to_have_count(0)
    client = visit(link_to(double))
    expect(client.locator("main")).to_contain_text("Joined with another need")


PAGES = ("form", "form without role", "suggestions", "errors", "status", "edit", "conflict", "filled",
         "withdraw", "withdrawn", "find", "bad link", "desk list", "desk need")  # fmt: skip


def opened_at(kind: str, lang: str, visit: Open, portal: PortalSite, *given: Any, **options: Any) -> Page:
    """One kind of page, filled with something."""
    path = {
        "form": f"/needs/new?role=back-end-developer&lang={lang}",
        "form without role": f"/needs/new?lang={lang}",
        "find": f"/needs/find?lang={lang}",
        "bad link": f"/needs/0?lang={lang}",
    }.get(kind)
    if path is not None:
        return visit(path, *given, **options)
    if kind in {"suggestions", "errors"}:
        page = visit(f"/needs/new?role=back-end-developer&lang={lang}", *given, **options)
        if kind == "errors":
            page.locator("#need .send button").click()
            expect(page.locator(".errors")).to_be_visible()
        else:
            page.locator("#other_skills").press_sequentially("kube")
            page.locator("#skill-options [role=option]").first.wait_for()
            page.locator("#other_skills").press("ArrowDown")
        return page
    long = "Développeuse back-end et intégration continue " * 3
    company = f"Sample Company {kind} {lang} {given}"[:110]
    need = portal.post_need(
        title=long.strip(), company=company, description="https://example.com/" + "x" * 90
    )
    if kind.startswith("desk"):
        portal.post_need(company=company)
        path = f"/needs/{need['need_id']}?lang={lang}" if kind == "desk need" else f"/needs?lang={lang}"
        return visit(path, *given, cookies=[portal.session()], **options)
    own = {"status": "", "withdrawn": "", "conflict": "/edit"}.get(kind, f"/{kind}")
    page = visit(link_to(need, own, lang), *given, **options)
    if kind == "conflict":
        page.locator("input[name=revision]").evaluate("field => { field.value = '1' }")
        page.locator("#city").fill("Lyon")
        page.locator("#place").select_option("FR-ARA")
        page.get_by_role("button", name=said("save", lang)).click()
        page.locator("table").wait_for()
    if kind == "withdrawn":
        page.get_by_role("link", name=said("withdraw", lang)).click()
        page.get_by_role("button", name=said("withdraw_do", lang)).click()
        expect(page.locator("#live")).to_contain_text(said("status_withdrawn", lang))
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_axe_finds_no_violation(
    lang: str, width: int, scheme: Scheme, visit: Open, portal: PortalSite, axe: Path
) -> None:
    for kind in PAGES:
        page = opened_at(kind, lang, visit, portal, width, scheme, bypass_csp=True)
        assert violations(page) == [], kind
        page.close()


@pytest.mark.parametrize("width", [WIDE, NARROW, SMALLEST])
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_nothing_sticks_out(lang: str, width: int, visit: Open, portal: PortalSite) -> None:
    for kind in PAGES:
        page = opened_at(kind, lang, visit, portal, width)
        assert page.evaluate(TOO_WIDE) == {"scrolls": False, "out": []}, kind
        page.close()

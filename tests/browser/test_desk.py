"""The desk in a browser: signing in by mail, deciding, comparing, the keyboard; the page stays fresh."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from services.notifier.domain import Mark, NeedFile
from shared.events.feedback import Decision
from shared.events.shortlist import SHORTLISTS
from tests.browser.axe import violations
from tests.browser.conftest import NARROW, WIDE
from tests.browser.desk_site import EMPTY, ENGLISH, FIRST, FRENCH, SECOND, DeskSite
from tests.browser.test_layout import TOO_WIDE
from tests.notifier.making import Running, candidate_id, shortlist

pytestmark = pytest.mark.browser

Enter = Callable[..., Page]
FOCUSED = "() => document.activeElement.id"


@pytest.fixture
def desk() -> Iterator[DeskSite]:
    with DeskSite() as site:
        yield site


@pytest.fixture
def enter(chromium: Browser, desk: DeskSite) -> Iterator[Enter]:
    """`enter(email, path)`: a browser of its own, signed in by the mailed link."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def entered(email: str = FRENCH, path: str = "/desk", width: int = WIDE, **options: Any) -> Page:
        language = "en" if email == ENGLISH else "fr"
        contexts.append(
            chromium.new_context(viewport=ViewportSize(width=width, height=900), locale=language, **options)
        )
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(desk.url + path)
        page.locator("#email").fill(email)
        page.get_by_role("button", name="lien" if language == "fr" else "link").click()
        expect(page.get_by_role("status")).to_contain_text(email)
        page.goto(desk.mailed_link(email))
        page.get_by_role("button", name="Entrer" if language == "fr" else "Enter").click()
        page.wait_for_url(desk.url + path)
        return page

    yield entered
    for context in contexts:
        context.close()
    assert [each for each in complaints if "status of 4" not in each] == []


def file(desk: DeskSite, need_id: str = FIRST) -> NeedFile:
    async def read(service: Running) -> NeedFile:
        return await service.store.file(need_id)

    return desk.on(read)


def card(page: Page, number: int) -> Any:
    return page.locator(f"#c-{candidate_id(number)}")


def test_a_consultant_signs_in_takes_a_need_over_and_decides(enter: Enter, desk: DeskSite) -> None:
    page = enter(path=f"/desk/needs/{FIRST}")
    page.get_by_role("button", name="Je prends ce besoin").click()
    expect(page.get_by_role("status").filter(has_text="Ce besoin est le vôtre.")).to_be_visible()
    second = card(page, 2)
    second.get_by_text("Décider", exact=True).click()
    second.get_by_label("Note (facultative)").fill("Trop cher pour ce client.")
    second.get_by_role("button", name="Écarter").click()
    # Without a reason: what was typed is still there.
    expect(second.get_by_role("alert")).to_have_text("Choisissez une raison pour écarter ce candidat.")
    expect(second.get_by_label("Note (facultative)")).to_have_value("Trop cher pour ce client.")
    second.get_by_label("Raison pour écarter").select_option("rate")
    second.get_by_role("button", name="Écarter").click()
    declined = page.locator("#l-declined")
    expect(declined.get_by_text("Trop cher pour ce client.")).to_be_visible()
    assert page.evaluate(FOCUSED) == f"c-{candidate_id(2)}"
    first = card(page, 1)
    first.get_by_text("Décider", exact=True).click()
    first.get_by_role("button", name="Placé").click()
    expect(first.get_by_text("placé", exact=True)).to_be_visible()
    marks = {mark.candidate_id: mark.decision for mark in file(desk).marks}
    assert marks == {candidate_id(1): Decision.PLACED, candidate_id(2): Decision.DECLINED}
    page.goto(f"{desk.url}/desk/needs/{SECOND}")
    expect(card(page, 1).get_by_text("placé avec Sample Consultant sur N-2026-0042")).to_be_visible()
    page.goto(f"{desk.url}/desk/needs/{FIRST}")
    first.get_by_text("Décider", exact=True).click()
    first.get_by_role("button", name="Annuler la décision").click()
    expect(page.get_by_text("Décision annulée.")).to_be_visible()
    assert [mark.decision for mark in file(desk).marks] == [Decision.DECLINED]
    page.get_by_role("button", name="Se déconnecter").click()
    page.goto(f"{desk.url}/desk")
    expect(page.get_by_role("heading", name="Connexion au bureau")).to_be_visible()


def test_two_candidates_are_compared_side_by_side(enter: Enter) -> None:
    page = enter(ENGLISH, f"/desk/needs/{FIRST}")
    for number in (1, 2):
        card(page, number).get_by_role("checkbox").check()
    page.get_by_role("button", name="Compare those ticked").click()
    table = page.get_by_role("table")
    expect(table.get_by_role("columnheader")).to_have_count(2)
    row = table.get_by_role("row", name="Must-have skills")
    expect(row.get_by_role("cell")).to_have_count(2)
    expect(row).to_contain_text("54.0 of 60.0")
    page.get_by_role("link", name="Candidate 2222").click()
    page.wait_for_url(f"**/desk/needs/{FIRST}#c-{candidate_id(2)}")
    page.get_by_role("link", name="Every must only").click()
    expect(card(page, 1)).to_be_visible()
    expect(card(page, 2)).to_have_count(0)


def test_the_keyboard_alone_walks_decides_nothing_by_itself_and_can_be_switched_off(
    enter: Enter, desk: DeskSite
) -> None:
    page = enter(ENGLISH, "/desk?show=all")
    page.keyboard.press("j")
    assert page.evaluate(FOCUSED).startswith("n-")
    page.goto(f"{desk.url}/desk/needs/{FIRST}")
    for number, key in ((1, "j"), (2, "j"), (3, "j"), (2, "k")):
        page.keyboard.press(key)
        assert page.evaluate(FOCUSED) == f"c-{candidate_id(number)}"
    page.keyboard.press("c")
    expect(card(page, 2).get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("e")
    expect(card(page, 2).get_by_text("What shows it")).to_be_visible()
    page.keyboard.press("n")
    assert page.evaluate(FOCUSED) == f"o-{candidate_id(2)}"
    page.keyboard.type("jjkd?")
    expect(card(page, 2).get_by_role("textbox")).to_have_value("jjkd?")
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    assert page.evaluate(FOCUSED) == f"r-{candidate_id(2)}"
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    assert page.evaluate("() => document.activeElement.value") == "accepted"
    assert file(desk).marks == ()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_label("Shortcuts are on").uncheck()
    page.keyboard.press("Escape")
    before = page.evaluate(FOCUSED)
    page.keyboard.press("j")
    assert page.evaluate(FOCUSED) == before
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_label("Shortcuts are on").check()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("u")
    page.wait_for_url(f"{desk.url}/desk")


def test_the_page_keeps_itself_fresh_and_keeps_what_is_being_written(enter: Enter, desk: DeskSite) -> None:
    page = enter(ENGLISH, f"/desk/needs/{FIRST}")
    second, third = card(page, 2), card(page, 3)
    third.get_by_text("How the score adds up").click()
    second.get_by_text("Decide", exact=True).click()
    note = second.get_by_role("textbox")
    note.fill("Half a thou")
    colleague = enter(FRENCH, f"/desk/needs/{FIRST}")
    for number in (2, 3):
        card(colleague, number).get_by_text("Décider", exact=True).click()
        card(colleague, number).get_by_role("button", name="Contacté").click()
        expect(card(colleague, number).get_by_text("contacté", exact=True)).to_be_visible()

    async def rank_again(service: Running) -> None:
        newer = shortlist((3, 2, 4), revision=201, entered=(candidate_id(4),))
        await service.publish(SHORTLISTS, newer)

    desk.on(rank_again)
    expect(card(page, 4)).to_be_visible()
    expect(third.get_by_text("contacted", exact=True)).to_be_visible()
    expect(third.get_by_text("What shows it")).to_be_visible()
    expect(card(page, 1)).to_have_count(0)
    expect(second.get_by_text("This has changed meanwhile")).to_be_visible()
    expect(note).to_have_value("Half a thou")
    assert page.evaluate(FOCUSED) == f"o-{candidate_id(2)}"
    page.keyboard.type("ght")
    ids = page.locator("#l-listed > article").evaluate_all("all => all.map(one => one.id)")
    assert ids == [f"c-{candidate_id(number)}" for number in (3, 2, 4)]
    second.get_by_role("button", name="Note only").click()
    expect(second.get_by_text("Half a thought")).to_be_visible()
    expect(second.get_by_text("contacted", exact=True)).to_be_visible()


async def contacted(service: Running) -> None:
    """A colleague decides, on another replica as far as this page can tell."""
    before = await service.store.file(FIRST)
    mark = Mark(
        candidate_id=candidate_id(1),
        decision=Decision.CONTACTED,
        consultant_id="another",
        at=datetime.now(UTC),
    )
    assert await service.store.save(before, before.model_copy(update={"marks": (mark,)})) is not None


def test_a_change_comes_by_the_stream_without_asking_by_the_clock(enter: Enter, desk: DeskSite) -> None:
    page = enter(ENGLISH)
    # From here on the page's own clock stands still.
    page.clock.install()
    page.goto(f"{desk.url}/desk/needs/{FIRST}")
    page.clock.pause_at(datetime.now(UTC) + timedelta(days=1))
    card(page, 1).get_by_text("Decide", exact=True).click()
    card(page, 1).get_by_role("textbox").focus()
    desk.on(contacted)
    expect(page.locator("#lines").get_by_text("contacted")).to_have_count(0)
    expect(card(page, 1).get_by_text("This has changed meanwhile")).to_be_visible(timeout=30_000)
    assert page.evaluate(FOCUSED) == f"o-{candidate_id(1)}"


def test_where_there_is_no_stream_the_page_asks_by_the_clock(enter: Enter, desk: DeskSite) -> None:
    page = enter(ENGLISH)
    page.add_init_script("delete window.EventSource")
    page.goto(f"{desk.url}/desk/needs/{FIRST}")
    desk.on(contacted)
    expect(card(page, 1).get_by_text("contacted", exact=True)).to_be_visible(timeout=30_000)


def test_when_the_session_is_over_what_is_being_written_stays(enter: Enter, desk: DeskSite) -> None:
    page = enter(ENGLISH, f"/desk/needs/{FIRST}")
    idle = page.context.new_page()
    idle.goto(f"{desk.url}/desk")
    page.bring_to_front()
    card(page, 2).get_by_text("Decide", exact=True).click()
    note = card(page, 2).get_by_role("textbox")
    note.fill("Half a thought")
    session = page.context.cookies()
    page.context.clear_cookies()
    desk.on(contacted)
    expect(page.get_by_text("Your session is over.")).to_be_visible(timeout=60_000)
    expect(note).to_have_value("Half a thought")
    # Who is not writing is led to the sign-in.
    idle.bring_to_front()
    expect(idle.get_by_role("heading", name="Sign in")).to_be_visible(timeout=60_000)
    # As after signing in again beside it.
    page.context.add_cookies(
        [{"name": one["name"], "value": one["value"], "url": desk.url} for one in session]
    )
    page.bring_to_front()
    card(page, 2).get_by_role("button", name="Note only").click()
    expect(card(page, 2).get_by_text("Half a thought")).to_be_visible()


def test_a_candidate_is_added_by_hand(enter: Enter) -> None:
    page = enter(path=f"/desk/needs/{EMPTY}")
    field = page.get_by_label("Adresse de la fiche, ou identifiant du candidat")
    field.fill("quelqu’un")
    page.get_by_role("button", name="Ajouter", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Collez l’adresse")
    expect(field).to_have_value("quelqu’un")
    field.fill(f"https://example.com/candidates/{candidate_id(9)}?need={EMPTY}")
    page.get_by_role("button", name="Ajouter", exact=True).click()
    expect(card(page, 9).get_by_text("ajouté à la main par Sample Consultant")).to_be_visible()


def test_an_administrator_adds_a_colleague_who_then_signs_in(enter: Enter, desk: DeskSite) -> None:
    page = enter(path="/desk/consultants")
    page.get_by_role("link", name="Ajouter un consultant").click()
    page.get_by_label("Nom").fill("Third Example")
    page.get_by_label("Adresse e-mail").fill("third@agency.test")
    page.get_by_label("Régions").fill("FR-BRE")
    page.get_by_label("Langue").select_option("en")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("rowheader", name="Third Example")).to_be_visible()
    third = page.context.browser
    assert third is not None
    other = third.new_page(locale="en")
    other.goto(f"{desk.url}/desk/me")
    other.locator("#email").fill("third@agency.test")
    other.get_by_role("button", name="link").click()
    other.goto(desk.mailed_link("third@agency.test"))
    other.get_by_role("button", name="Enter").click()
    expect(other.get_by_role("heading", name="My settings")).to_be_visible()
    other.context.close()


def test_the_desk_works_without_scripts(enter: Enter, desk: DeskSite) -> None:
    page = enter(path=f"/desk/needs/{FIRST}", java_script_enabled=False)
    card(page, 1).get_by_text("Décider", exact=True).click()
    card(page, 1).get_by_role("button", name="Retenir").click()
    assert [mark.decision for mark in file(desk).marks] == [Decision.ACCEPTED]
    expect(card(page, 1).get_by_text("retenu", exact=True)).to_be_visible()
    expect(page.get_by_text("se tient à jour")).to_be_hidden()


@pytest.mark.parametrize(("email", "width", "scheme"), [(FRENCH, WIDE, "light"), (ENGLISH, NARROW, "dark")])
def test_every_page_of_the_desk_is_accessible_and_fits(
    email: str, width: int, scheme: str, enter: Enter, desk: DeskSite, axe: Path
) -> None:
    page = enter(email, "/desk", width, color_scheme=scheme, bypass_csp=True)
    both = f"c={candidate_id(1)}&c={candidate_id(2)}"
    paths = [
        "/desk?show=all",
        "/desk?show=all&q=zzz",
        f"/desk/needs/{FIRST}",
        f"/desk/needs/{EMPTY}",
        f"/desk/needs/{FIRST}/compare?{both}",
        "/desk/me",
        "/desk/needs/unknown",
        "/desk/sign-in/nonsense",
    ]
    if email == FRENCH:
        paths += ["/desk/consultants", "/desk/consultants/new", "/desk/addresses"]
    for path in paths:
        page.goto(desk.url + path)
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
        assert violations(page) == [], path
        found = page.evaluate(TOO_WIDE)
        assert not found["scrolls"], path
        assert found["out"] == [], path
    page.goto(f"{desk.url}/desk")
    page.keyboard.press("?")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="connecter" if email == FRENCH else "Sign out").click()
    assert violations(page) == []

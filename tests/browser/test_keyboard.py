"""The pages by keyboard alone, and without scripts."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, WIDE, Open

pytestmark = pytest.mark.browser

PATHS = [
    "/roles",
    "/fr/metiers/developpeur-back-end",
    "/roles/backend-devloper",
    "/roles/privacy",
    "/roles?q=zzzz",
]
STOP = """() => {
  const at = document.activeElement;
  if (at === document.body) return null;
  const all = [...document.querySelectorAll('*')];
  // A card's ring is drawn around the whole card, a graph's box around its rectangle.
  const rect = at.querySelector('rect');
  const ring = [getComputedStyle(at), getComputedStyle(at, '::after')]
    .some(style => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2)
    || (rect !== null && parseFloat(getComputedStyle(rect).strokeWidth) >= 3);
  const box = at.getBoundingClientRect();
  return {
    place: all.indexOf(at), name: (at.textContent || at.name).trim(), ring,
    seen: box.width > 0 && box.height > 0 && box.top >= -1 && box.left >= -1
      && box.bottom <= innerHeight + 1 && box.left < innerWidth,
  };
}"""


def stops(page: Page) -> list[dict[str, Any]]:
    """What Tab reaches, in its order."""
    found: list[dict[str, Any]] = []
    while True:
        page.keyboard.press("Tab")
        if (stop := page.evaluate(STOP)) is None or len(found) > 200:
            return found
        found.append(stop)


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("path", PATHS)
def test_tab_reaches_everything_in_reading_order_and_shows_where_it_is(
    path: str, width: int, open_page: Open
) -> None:
    page = open_page(path, width)
    reached = stops(page)
    places = [stop["place"] for stop in reached]
    assert places == sorted(places), "the order of the page is the order of Tab"
    shown = page.locator("a[href]:visible, button:visible, input:not([type=hidden]):visible").count()
    assert len(reached) == shown
    assert [stop for stop in reached if not stop["ring"]] == [], "the focus shows"
    assert [stop for stop in reached if not stop["seen"]] == [], "the focus is in the window"


def test_the_skip_link_comes_first_and_leads_past_the_menu(open_page: Open) -> None:
    page = open_page("/roles")
    skip = page.get_by_role("link", name="Skip to content")
    assert not in_window(page, ".skip")
    page.keyboard.press("Tab")
    assert skip.evaluate("link => link === document.activeElement")
    assert in_window(page, ".skip")
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "q"


def test_a_role_is_found_and_asked_for_by_keyboard_alone(open_page: Open) -> None:
    page = open_page("/fr/metiers")
    page.locator("#q").focus()
    page.keyboard.type("developeur bakend")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=developeur+bakend")
    first = page.locator(".card.role a").first
    assert first.inner_text() == "Développeur back-end"
    first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/fr/metiers/developpeur-back-end")
    call = page.get_by_role("link", name="Parlez-nous de votre besoin").first
    assert (call.get_attribute("href") or "").startswith("/needs/new?role=back-end-developer")


def test_searching_and_filtering_need_no_scripts(open_page: Open) -> None:
    page = open_page("/roles", java_script_enabled=False)
    page.get_by_role("link", name="Data and AI").click()
    page.wait_for_url("**family=data**")
    page.get_by_label("Role or skill").fill("spark")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**q=spark**")
    assert "family=data" in page.url
    assert "Data engineer" in page.locator(".card.role h3").all_inner_texts()


def in_window(page: Page, selector: str) -> bool:
    box = page.locator(selector).bounding_box()
    return box is not None and box["x"] >= 0 and box["y"] >= 0

"""The pages fit a phone: nothing sticks out, and what is drawn can be read."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import NARROW, WIDE, Open
from tests.browser.test_accessibility import PAGES

pytestmark = pytest.mark.browser

SMALLEST = 320
"""WCAG 2.2, 1.4.10 Reflow: no scrolling in two directions at 320 CSS pixels."""
TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  const scrolls = at => at && (getComputedStyle(at).overflowX === 'auto' || scrolls(at.parentElement));
  const out = [...document.querySelectorAll('main *, header *, footer *')].filter(at => {
    const box = at.getBoundingClientRect();
    return box.width > 0 && (box.right > room + 1 || box.left < -1) && !scrolls(at.parentElement);
  });
  return {
    scrolls: document.documentElement.scrollWidth > room,
    out: out.map(at => at.tagName + ' ' + at.textContent.trim().slice(0, 30)),
  };
}"""
GRAPH = """svg => {
  const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
  return [...svg.querySelectorAll('.box')].map(box => {
    const rect = box.querySelector('rect').getBBox(), text = box.querySelector('text').getBBox();
    return {
      title: box.textContent.trim(),
      size: scale * parseFloat(getComputedStyle(box.querySelector('text')).fontSize),
      fits: text.x >= rect.x + 4 && text.x + text.width <= rect.x + rect.width - 4
        && text.y >= rect.y && text.y + text.height <= rect.y + rect.height,
    };
  });
}"""


def sheets(page: Page) -> list[str]:
    return [link.get_attribute("href") or "" for link in page.locator(".card.role a").all()]


@pytest.mark.parametrize("width", [WIDE, NARROW, SMALLEST])
@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_nothing_sticks_out(path: str, width: int, open_page: Open) -> None:
    assert open_page(path, width).evaluate(TOO_WIDE) == {"scrolls": False, "out": []}


@pytest.mark.parametrize("path", ["/roles", "/fr/metiers"])
def test_every_sheet_fits_a_phone_and_its_graph_can_be_read(path: str, open_page: Open) -> None:
    page = open_page(path, NARROW)
    links = sheets(page)
    assert len(links) >= 30
    origin, drawn = page.url.removesuffix(path), 0
    for link in links:
        page.goto(origin + link)
        assert page.evaluate(TOO_WIDE) == {"scrolls": False, "out": []}, link
        graph = page.locator("svg.graph")
        if not graph.count():
            continue
        drawn += 1
        for box in graph.evaluate(GRAPH):
            assert box["fits"], (link, box)
            assert box["size"] >= 14, (link, box)
    assert drawn >= 30


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_call_to_action_is_in_the_first_window(width: int, open_page: Open) -> None:
    page = open_page("/roles/data-engineer", width)
    box = page.locator(".hero .button").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 900
    assert box["height"] >= 44, "large enough for a thumb"


def test_colours_follow_the_scheme(open_page: Open) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    assert open_page("/roles").evaluate(background) != open_page("/roles", scheme="dark").evaluate(background)

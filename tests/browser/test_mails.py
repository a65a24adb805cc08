"""Mails as a phone and a screen show them: nothing sticks out, all can be read, in light and in dark.

MAIL_PICTURES=folder writes a picture of each, to be looked at.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from services.notifier.mailer import Mailer
from shared.events.vocabulary import Locale
from tests.browser.axe import RULES, violations
from tests.browser.conftest import NARROW, WIDE, Scheme
from tests.notifier.making import need, shortlist
from tests.notifier.test_mailer import (
    KINDS,
    every_mail,
    hostile_need,
    hostile_shortlist,
    mailer,
    part,
)

pytestmark = pytest.mark.browser
__all__ = ["mailer"]

WIDTHS = (320, NARROW, 600, WIDE)
A_MAILS_RULES = [rule for rule in RULES if rule != "best-practice"]
"""Landmarks and the like are a page's business: a mail is an article within its reader's program."""
LONG = "Donaudampfschifffahrtsgesellschaftskapitän" * 3
TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  const out = [...document.querySelectorAll('body *')].filter(at => {
    const box = at.getBoundingClientRect();
    return box.width > 0 && (box.right > room + 1 || box.left < -1);
  });
  const scrolls = document.documentElement.scrollWidth > room;
  return [scrolls, out.map(at => at.tagName + at.textContent.slice(0, 40))];
}"""
SMALL_BUTTONS = """() => [...document.querySelectorAll('a.main, a.second')]
  .filter(at => at.getBoundingClientRect().height < 44).map(at => at.textContent)"""
"""44 CSS pixels: what a thumb hits (WCAG 2.2, 2.5.5)."""


@pytest.fixture
def sheet(chromium: Browser) -> Iterator[Page]:
    """An empty page that loads nothing from anywhere."""
    context = chromium.new_context(offline=True)
    yield context.new_page()
    context.close()


def shown(sheet: Page, html: str, width: int, scheme: Scheme) -> Page:
    sheet.emulate_media(color_scheme=scheme)
    sheet.set_viewport_size(ViewportSize(width=width, height=800))
    sheet.set_content(html)
    return sheet


def picture(sheet: Page, name: str) -> None:
    if folder := os.environ.get("MAIL_PICTURES"):
        sheet.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("locale", list(Locale))
@pytest.mark.parametrize("kind", KINDS)
def test_a_mail_fits_and_can_be_read_by_all(
    mailer: Mailer,
    sheet: Page,
    kind: str,
    locale: Locale,
) -> None:
    html = part(every_mail(mailer, locale, need(locale=locale), shortlist())[kind], "html")
    for scheme in ("light", "dark"):
        for width in WIDTHS:
            shown(sheet, html, width, scheme)
            assert sheet.evaluate(TOO_WIDE) == [False, []], (scheme, width)
            if width in {NARROW, WIDE}:
                picture(sheet, f"{kind}.{locale.value}.{scheme}.{width}")
        assert violations(shown(sheet, html, NARROW, scheme), A_MAILS_RULES) == []
    assert sheet.evaluate(SMALL_BUTTONS) == []


@pytest.mark.parametrize("kind", ["shortlist", "no_match", "digest", "privacy_notice", "links"])
@pytest.mark.parametrize("typed", [LONG, "👩\u200d🚀" * 40], ids=["a very long word", "emoji"])
def test_what_was_typed_does_not_make_a_mail_stick_out(
    mailer: Mailer,
    sheet: Page,
    kind: str,
    typed: str,
) -> None:
    mails = every_mail(mailer, Locale.FR, hostile_need(typed, Locale.FR), hostile_shortlist(typed))
    html = part(mails[kind], "html")
    for width in WIDTHS:
        assert shown(sheet, html, width, "light").evaluate(TOO_WIDE) == [False, []], width
    picture(shown(sheet, html, NARROW, "light"), f"{kind}.long.{typed[:2]}")

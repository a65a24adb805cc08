"""axe-core finds nothing wrong on any kind of page, in both languages, widths and colour schemes."""

from pathlib import Path

import pytest

from tests.browser.axe import violations
from tests.browser.conftest import NARROW, WIDE, Open

pytestmark = pytest.mark.browser

PAGES = {
    "list": "/roles",
    "list in French": "/fr/metiers",
    "sheet": "/roles/back-end-developer",
    "sheet in French": "/fr/metiers/developpeur-back-end",
    "another sheet": "/roles/data-engineer",
    "search": "/roles?q=python",
    "search in French": "/fr/metiers?q=developeur&family=software",
    "search without result": "/roles?q=zzzzqqq",
    "search without result in French": "/fr/metiers?q=zzzzqqq",
    "404": "/roles/backend-devloper",
    "404 in French": "/fr/metiers/developeur-bakend",
    "privacy": "/roles/privacy",
    "privacy in French": "/fr/metiers/donnees-personnelles",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_axe_finds_no_violation(path: str, width: int, scheme: str, open_page: Open, axe: Path) -> None:
    # Only here: everything else runs under the pages' own content security policy.
    page = open_page(path, width, scheme, bypass_csp=True)
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == (scheme == "dark")
    assert violations(page) == []

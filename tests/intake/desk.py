"""What tests of the pages about candidates share: a signed-in consultant, a CV, what a page says."""

import html
import re
from typing import Any

import httpx

from shared.run import Surroundings
from shared.web.session import COOKIE, LIFETIME, PURPOSE
from tests.intake.support import a_candidate, a_need, bearer

OURS = {"Sec-Fetch-Site": "same-origin"}

CV = """Zoé CANARI
Back-end developer
12 bis rue des Lilas, 69003 Lyon
Tél : 06 98 76 54 32 - zoe.canari@mail.example
linkedin.com/in/zoecanari

Back-end developer, 01/2019 - 06/2024
Zoé built payment services in Python and Docker.
Deployed on Kubernetes for 3 years.
"""


def consultant(
    given: Surroundings, who: str = "c-1", *, admin: bool = False, lang: str = "en"
) -> dict[str, str]:
    """The headers of a signed-in consultant's browser."""
    scopes = [f"locale:{lang}", *(["admin"] if admin else [])]
    token = given.tokens.issue(PURPOSE, who, lifetime=LIFETIME, scopes=scopes)
    return OURS | {"Cookie": f"{COOKIE}={token}"}


async def stored(client: httpx.AsyncClient, given: Surroundings, **changes: Any) -> str:
    """A candidate with a CV; its id."""
    body = a_candidate(**{"cv_text": CV, "roles": ..., "years": ...} | changes)
    answer = await client.post("/api/candidates", json=body, headers=bearer(given))
    assert answer.status_code in {200, 201}, answer.text
    return str(answer.json()["candidate_id"])


async def need(client: httpx.AsyncClient, given: Surroundings, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/api/needs", json=a_need(**changes), headers=bearer(given))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def plain(answer: httpx.Response) -> str:
    """The page's text, entities decoded, tags gone, white space single."""
    without = re.sub(r"<[^>]+>", " ", answer.text)
    return " ".join(html.unescape(without).split())


def revision(page: str) -> str:
    found = re.search(r'name="revision" value="(\d+)"', page)
    assert found
    return found.group(1)

"""The pages as a browser, a reader without scripts and a search engine meet them."""

import dataclasses
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter
from xml.etree import ElementTree

import httpx
import pytest

from services.catalog.settings import SHIPPED
from services.catalog.words import CATEGORIES, FAMILIES, WORDS
from shared.mongo import connect
from shared.run import Surroundings
from tests.catalog.support import catalog_app, changed, writer
from tests.support import running

OURS = ("/roles", "/fr", "/sitemap.xml", "/robots.txt")
BROWSER = {"Accept": "text/html,application/xhtml+xml"}


class Page(HTMLParser):
    """What a page links to and says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.ids: set[str] = set()
        self.styled: list[str] = []
        self.language = ""
        self.alternates: dict[str, str] = {}
        self.canonical = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids.add(found.get("id", ""))
        if "style" in found or tag == "style" or any(name.startswith("on") for name in found):
            self.styled.append(tag)
        if tag == "html":
            self.language = found["lang"]
        if tag == "link" and found.get("rel") == "alternate":
            self.alternates[found["hreflang"]] = found["href"]
        if tag == "link" and found.get("rel") == "canonical":
            self.canonical = found["href"]
        for name in ("href", "src", "action"):
            if name in found:
                self.links.add(found[name])


async def test_a_crawl_finds_every_sheet_in_both_languages_and_no_dead_link(given: Surroundings) -> None:
    app = catalog_app(given, SHIPPED)
    async with running(app) as client:
        waiting, seen = ["/roles", "/fr/metiers"], dict[str, Page]()
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            answer = await client.get(path, headers=BROWSER)
            assert answer.status_code == 200, path
            if "text/html" not in answer.headers["Content-Type"]:
                continue
            page = seen[path] = Page(answer.text)
            assert (
                page.language
                == answer.headers["Content-Language"]
                == ("fr" if path.startswith("/fr") else "en")
            )
            assert page.styled == [], path
            anchors = {link.removeprefix("#") for link in page.links if link.startswith("#")}
            assert anchors <= page.ids, path
            waiting += [link for link in page.links if link.startswith(OURS)]
        roles = (await client.get("/api/roles?limit=500")).json()["items"]
        sitemap = ElementTree.fromstring((await client.get("/sitemap.xml")).content)  # noqa: S314 - ours
    expected = {f"/roles/{role['slug']['en']}" for role in roles}
    expected |= {f"/fr/metiers/{role['slug']['fr']}" for role in roles}
    assert expected <= seen.keys()
    base = given.settings.public_url
    listed = {each.text for each in sitemap.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")}
    assert listed == {base + path for path in expected | {"/roles", "/fr/metiers"}}
    for path in expected:
        page = seen[path]
        assert page.canonical == base + path
        assert page.alternates[page.language] == base + path
        other = seen[page.alternates["en" if page.language == "fr" else "fr"].removeprefix(base)]
        assert other.alternates[page.language] == base + path, "hreflang works both ways or not at all"


async def test_a_sheet_shows_everything_and_leads_to_the_need_form(client: httpx.AsyncClient) -> None:
    for path, said in (
        (
            "/roles/back-end-developer",
            ["Key contacts", "Are you looking for a candidate for this job?", "Languages"],
        ),
        (
            "/fr/metiers/developpeur-back-end",
            ["Interlocuteurs clés", "Vous recherchez un candidat pour ce métier ?"],
        ),
    ):
        answer = await client.get(path)
        for text in said:
            assert text in answer.text
        language = "fr" if path.startswith("/fr") else "en"
        assert f"/needs/new?role=back-end-developer&amp;lang={language}" in answer.text
        page = Page(answer.text)
        assert {"versus", "tasks", "contacts", "skills", "soft-skills", "education", "career"} <= page.ids
        assert "<svg" in answer.text


async def test_search_engines_read_the_occupation(client: httpx.AsyncClient, given: Surroundings) -> None:
    nasty = {"fr": "</script><b>x", "en": "</script><b>x & y"}
    await changed(client, "/api/roles/back-end-developer", writer(given), versus=nasty, summary=nasty)
    text = (await client.get("/roles/back-end-developer")).text
    [block] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', text, re.S)
    occupation = json.loads(block)
    assert occupation["@type"] == "Occupation"
    assert occupation["name"] == "Back-end developer"
    assert occupation["description"] == nasty["en"]
    assert occupation["skills"] == ["Python", "Postgresql"]
    assert "<b>x" not in text


async def test_the_list_searches_and_filters_without_scripts(client: httpx.AsyncClient) -> None:
    async def found(query: str) -> set[str]:
        page = Page((await client.get(f"/fr/metiers{query}")).text)
        return {link for link in page.links if link.startswith("/fr/metiers/")}

    assert len(await found("")) == 3
    assert await found("?q=developeur+backend&family=") == {"/fr/metiers/developpeur-back-end"}
    assert await found("?q=djando") == {"/fr/metiers/tech-lead-fr"}
    assert await found("?family=management") == {"/fr/metiers/project-manager-fr"}
    nothing = await client.get("/fr/metiers?q=zzzz")
    assert "Aucun métier ne correspond" in nothing.text
    assert 'name="robots" content="noindex' in nothing.text
    assert "&lt;b&gt;" in (await client.get("/roles?q=<b>")).text


async def test_the_start_page_follows_the_browsers_language(client: httpx.AsyncClient) -> None:
    for accept, path in (("fr-FR,en;q=0.5", "/fr/metiers"), ("de,en;q=0.8", "/roles")):
        answer = await client.get("/", headers={"Accept-Language": accept})
        assert (answer.status_code, answer.headers["Location"]) == (302, path)
        assert answer.headers["Vary"] == "Accept-Language"


async def test_an_id_or_the_other_languages_address_leads_to_the_sheet(client: httpx.AsyncClient) -> None:
    answer = await client.get("/fr/metiers/back-end-developer")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/fr/metiers/developpeur-back-end")
    answer = await client.get("/roles/developpeur-back-end")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/roles/back-end-developer")


async def test_an_unknown_address_is_a_page_that_helps(client: httpx.AsyncClient) -> None:
    for path, said in (
        ("/roles/backend-devloper", "There is no such page"),
        ("/fr/metiers/developeur-backend", "Cette page n’existe pas"),
        ("/fr/a/b/c", "Cette page n’existe pas"),
    ):
        answer = await client.get(path, headers=BROWSER)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
        assert said in answer.text
        assert 'name="q"' in answer.text
    close = Page((await client.get("/fr/metiers/developeur-backend")).text)
    assert "/fr/metiers/developpeur-back-end" in close.links
    program = await client.get("/nothing", headers={"Accept": "application/json"})
    assert program.headers["Content-Type"] == "application/problem+json"


async def test_too_many_reads_from_one_address_are_asked_to_wait(given: Surroundings, data: Path) -> None:
    async with running(catalog_app(given, data, reads_per_second=0.5)) as client:
        statuses = [(await client.get("/api/roles")).status_code for _ in range(7)]
        assert statuses[:5] == [200] * 5
        assert statuses[-1] == 429
        assert (await client.get("/api/roles", headers=writer(given))).status_code == 200


@pytest.mark.parametrize("words", [WORDS, FAMILIES, CATEGORIES])
def test_every_text_is_there_in_both_languages_with_the_same_values(words: dict[str, dict[str, str]]) -> None:
    for name, texts in words.items():
        assert texts.keys() == {"fr", "en"}, name
        values = [{field for _, field, _, _ in Formatter().parse(text)} for text in texts.values()]
        assert values[0] - {None} == values[1] - {None}, name


async def test_without_a_store_reads_say_when_to_try_again(given: Surroundings, data: Path) -> None:
    away = dataclasses.replace(given, mongo_client=connect("mongodb://127.0.0.1:1/"))
    async with running(catalog_app(away, data), ready=False) as client:
        for path in ("/api/roles", "/roles/back-end-developer", "/sitemap.xml"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        skill = {"label": {"fr": "Rust", "en": "Rust"}, "category": "programming-language"}
        refused = await client.put("/api/skills/rust", json=skill, headers=writer(given))
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        helpless = await client.get("/nothing", headers=BROWSER)
        assert (helpless.status_code, helpless.headers["Content-Type"]) == (404, "text/html; charset=utf-8")

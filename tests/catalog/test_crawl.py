"""Every page of the shipped catalogue in both languages, found by following links from the start page."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from services.catalog.settings import SHIPPED
from services.catalog.words import CATEGORIES, FAMILIES, WORDS
from shared.web.pages import LAYOUT_WORDS
from tests.catalog.page import BROWSER, Page
from tests.catalog.support import catalog_app
from tests.support import embedded_surroundings, running

OTHER_SERVICES = ("/needs/", "/candidates/", "/mail", "/desk")
"""Other services answer there; under one origin, but not in this test."""
OUTSIDE = ("mailto:", "tel:", "data:")
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
XHTML = "{http://www.w3.org/1999/xhtml}"
OCCUPATION = {
    # https://schema.org/Occupation, and what it has of Thing
    "educationRequirements", "estimatedSalary", "experienceRequirements", "occupationLocation",
    "occupationalCategory", "qualifications", "responsibilities", "skills",
    "alternateName", "description", "mainEntityOfPage", "name", "url",
}  # fmt: skip
FREQUENT = {
    "fr": "le la les des du une et est dans pour avec sur qui que ce ces au aux par ou vous nous",
    "en": "the of and is are in for with on who that this these to by or you we from an",
}
"""Words that tell the languages apart."""


class Site:
    def __init__(self, base: str) -> None:
        self.base = base
        self.pages: dict[str, Page] = {}
        self.texts: dict[str, str] = {}
        self.dead: list[str] = []
        self.leaving: set[str] = set()
        self.sitemap = ElementTree.Element("empty")
        self.roles: list[dict[str, Any]] = []

    @property
    def canonical(self) -> dict[str, Page]:
        """The pages that search engines shall list."""
        return {path: page for path, page in self.pages.items() if page.canonical == self.base + path}

    def path(self, url: str) -> str:
        return url.removeprefix(self.base)


async def crawl(client: httpx.AsyncClient, base: str) -> Site:
    site = Site(base)
    site.sitemap = ElementTree.fromstring((await client.get("/sitemap.xml")).content)  # noqa: S314 - ours
    site.roles = (await client.get("/api/roles?limit=500")).json()["items"]
    waiting = [("/", "the start"), ("/fr", "the start")]
    seen: set[str] = set()
    while waiting:
        path, source = waiting.pop()
        if path in seen or path.startswith(OUTSIDE):
            continue
        seen.add(path)
        if path.startswith(OTHER_SERVICES):
            site.leaving.add(path)
            continue
        answer = await client.get(path, headers=BROWSER, follow_redirects=True)
        if answer.status_code != 200:
            site.dead.append(f"{path} on {source}: {answer.status_code}")
        elif answer.headers["Content-Type"].startswith("text/html"):
            path = answer.url.raw_path.decode()
            seen.add(path)
            page = site.pages[path] = Page(answer.text)
            site.texts[path] = answer.text
            anchors = {link.removeprefix("#") for link in page.links if link.startswith("#")}
            site.dead += [f"#{anchor} on {path}" for anchor in anchors - page.ids]
            waiting += [(site.path(link), path) for link in page.links if not link.startswith("#")]
    return site


async def crawled() -> Site:
    async with embedded_surroundings() as given, running(catalog_app(given, SHIPPED)) as client:
        return await crawl(client, given.settings.public_url)


@pytest.fixture(scope="module")
def site() -> Site:
    return asyncio.run(crawled())


def test_no_link_is_dead(site: Site) -> None:
    assert site.dead == []
    assert len(site.roles) >= 30
    assert len(site.canonical) == 2 * (len(site.roles) + 2), "the sheets, the list, the privacy page"


def test_every_sheet_leads_to_the_form_for_its_role(site: Site) -> None:
    forms = {f"/needs/new?role={role['role_id']}&lang={lang}" for role in site.roles for lang in ("fr", "en")}
    open_to_all = ("/needs/new", "/candidates/register")
    always = {f"{path}?lang={lang}" for path in open_to_all for lang in ("fr", "en")}
    assert site.leaving == forms | always


def test_every_page_names_its_language_its_address_and_its_counterpart(site: Site) -> None:
    for path, page in site.pages.items():
        assert page.language == ("fr" if path.startswith("/fr") else "en"), path
        assert page.styled == [], path
        other = "en" if page.language == "fr" else "fr"
        assert page.alternates.keys() >= {"fr", "en", "x-default"}, path
        assert page.alternates[page.language] == page.canonical, path
        counterpart = site.canonical[site.path(page.alternates[other])]
        assert counterpart.language == other
        assert counterpart.alternates[page.language] == page.canonical, (
            "hreflang works both ways or not at all"
        )
        if path in site.canonical:
            assert page.indexed, path
        else:
            assert not page.indexed, path
            assert site.path(page.canonical) in site.canonical, path


def test_the_sitemap_lists_exactly_the_canonical_pages(site: Site) -> None:
    listed = [each.text or "" for each in site.sitemap.iter(f"{SITEMAP}loc")]
    assert len(listed) == len(set(listed))
    assert {site.path(url) for url in listed} == site.canonical.keys()
    for each in site.sitemap.iter(f"{SITEMAP}url"):
        page = site.canonical[site.path(each.findtext(f"{SITEMAP}loc") or "")]
        links = {link.get("hreflang"): link.get("href") for link in each.iter(f"{XHTML}link")}
        assert links == {name: url for name, url in page.alternates.items() if name != "x-default"}


def test_no_text_is_missing_in_a_language(site: Site) -> None:
    """Every sheet says what is written in its language, and no line is in the other."""
    for role in site.roles:
        for language, path in (
            ("fr", f"/fr/metiers/{role['slug']['fr']}"),
            ("en", f"/roles/{role['slug']['en']}"),
        ):
            texts = [role["title"], role["versus"], *role["tasks"], *role["soft_skills"], *role["education"]]
            texts += [step["text"] for step in role["career"]]
            missing = {normal(text[language]) for text in texts} - set(site.pages[path].blocks)
            assert missing == set(), path
    for path, page in site.pages.items():
        foreign = [block for block in page.blocks if in_the_other_language(block, page.language)]
        assert foreign == [], path


def test_no_key_or_placeholder_is_shown(site: Site) -> None:
    keys = {key for words in (WORDS, LAYOUT_WORDS) for key in words if "_" in key}
    for path, page in site.pages.items():
        for block in page.blocks:
            assert not re.search(r"\{\w*\}|\bNone\b|\bUndefined\b", block), (path, block)
            assert block not in keys, (path, block)


def test_the_other_languages_words_do_not_show(site: Site) -> None:
    known: list[Mapping[str, Mapping[str, str]]] = [WORDS, LAYOUT_WORDS, FAMILIES, CATEGORIES]
    for path, page in site.pages.items():
        other = "en" if page.language == "fr" else "fr"
        own = {normal(texts[page.language]) for words in known for texts in words.values()}
        alien = {normal(texts[other]) for words in known for texts in words.values()} - own
        assert alien & {normal(block) for block in page.blocks} == set(), path


def test_search_engines_read_every_sheet_as_an_occupation(site: Site) -> None:
    sheets = {path: page for path, page in site.canonical.items() if page.linked_data}
    assert len(sheets) == 2 * len(site.roles)
    for path, page in sheets.items():
        [data] = page.linked_data
        assert (data["@context"], data["@type"], data["@id"]) == (
            "https://schema.org",
            "Occupation",
            page.canonical,
        )
        assert {name for name in data if not name.startswith("@")} <= OCCUPATION, path
        for name in ("name", "description", "educationRequirements", "occupationalCategory"):
            assert isinstance(data[name], str), (path, name)
            assert data[name].strip(), (path, name)
        for name in ("responsibilities", "skills"):
            assert data[name], (path, name)
            assert all(isinstance(text, str) and text for text in data[name]), (path, name)
        assert data["mainEntityOfPage"]["inLanguage"] == page.language
        for name in ("description", "educationRequirements"):
            assert not in_the_other_language(data[name], page.language), (path, name)


def in_the_other_language(text: str, language: str) -> bool:
    words = re.findall(r"[a-zà-ÿ]+", text.casefold().replace("’", " "))
    if len(words) < 6:
        return False
    other = "en" if language == "fr" else "fr"
    count = {each: sum(word in FREQUENT[each].split() for word in words) for each in FREQUENT}
    return count[other] > count[language]


def normal(text: str) -> str:
    return " ".join(text.split())

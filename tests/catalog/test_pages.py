"""The pages as a browser, a reader without scripts and a search engine meet them."""

import dataclasses
import json
import re
from pathlib import Path
from string import Formatter

import httpx
import pytest

from services.catalog.pages import PRIVACY
from services.catalog.words import CATEGORIES, FAMILIES, WORDS
from shared.events.vocabulary import Locale
from shared.mongo import connect
from shared.run import Surroundings
from tests.catalog.page import BROWSER, Page
from tests.catalog.support import catalog_app, changed, writer
from tests.support import embedded_surroundings, running


async def test_a_sheet_shows_everything_and_leads_to_the_need_form(client: httpx.AsyncClient) -> None:
    for path, said in (
        (
            "/roles/back-end-developer",
            ["Key contacts", "Are you looking for a candidate for this job?", "Languages"],
        ),
        (
            "/fr/metiers/developpeur-back-end",
            ["Interlocuteurs clés", "Vous recherchez un candidat pour ce métier\N{NO-BREAK SPACE}?"],
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
        return {link for link in page.links if link.startswith("/fr/metiers/")} - {PRIVACY[Locale.FR]}

    assert len(await found("")) == 3
    assert await found("?q=developeur+backend&family=") == {"/fr/metiers/developpeur-back-end"}
    assert await found("?q=djando") == {"/fr/metiers/tech-lead-fr"}
    assert await found("?family=management") == {"/fr/metiers/project-manager-fr"}
    assert await found("?family=unheard-of") == await found("")
    chosen = await client.get("/fr/metiers?q=developeur+backend&family=software")
    assert '<input type="hidden" name="family" value="software">' in chosen.text, "searching keeps the family"
    first, second = re.findall(r'<a class="tag" href="([^"]*)"', chosen.text)[:2]
    assert first == "/fr/metiers?q=developeur+backend", "all families"
    assert second == "/fr/metiers?q=developeur+backend&amp;family=software", "the chosen one stays in sight"
    assert "&lt;b&gt;" in (await client.get("/roles?q=<b>")).text


async def test_a_search_without_result_goes_on(client: httpx.AsyncClient) -> None:
    nothing = await client.get("/fr/metiers?q=zzzz")
    assert "Aucun métier ne correspond" in nothing.text
    assert 'name="robots" content="noindex' in nothing.text
    page = Page(nothing.text)
    assert "/needs/new?lang=fr" in page.links
    assert "/fr/metiers/tech-lead-fr" in page.links, "the roles that others name most"
    one_word = Page((await client.get("/roles?q=zzzz+djando")).text)
    assert "/roles/tech-lead" in one_word.links, "what one of the words finds"
    elsewhere = await client.get("/roles?q=djando&family=management")
    assert "Another family has a role for this search" in elsewhere.text
    assert "/roles?q=djando" in Page(elsewhere.text).links


async def test_the_privacy_page_says_what_the_settings_say(data: Path) -> None:
    async with (
        embedded_surroundings(agency_name="Alba", agency_email="dpo@alba.example") as given,
        running(catalog_app(given, data, privacy_candidate_months=7, privacy_need_months=11)) as client,
    ):
        for path, said in (
            (
                "/roles/privacy",
                ["Your personal data", "7 months", "11 months", "consent", "legitimate interest"],
            ),
            ("/fr/metiers/donnees-personnelles", ["Vos données personnelles", "7 mois", "11 mois", "CNIL"]),
        ):
            answer = await client.get(path)
            assert answer.status_code == 200
            for text in [*said, "Alba", "mailto:dpo@alba.example"]:
                assert text in answer.text
            assert path in Page((await client.get(path.rpartition("/")[0])).text).links, (
                "the footer leads to it"
            )
        assert "/roles/privacy" in (await client.get("/sitemap.xml")).text


async def test_an_agencys_own_privacy_page_takes_its_place(data: Path) -> None:
    own = "https://alba.example/privacy"
    async with (
        embedded_surroundings(privacy_url=own) as given,
        running(catalog_app(given, data)) as client,
    ):
        answer = await client.get("/roles/privacy")
        assert (answer.status_code, answer.headers["Location"]) == (302, own)
        assert own in Page((await client.get("/roles")).text).links
        assert "/roles/privacy" not in (await client.get("/sitemap.xml")).text


async def test_french_lines_do_not_begin_with_a_punctuation_mark(client: httpx.AsyncClient) -> None:
    query = {"q": "djando : « x »"}
    text = (await client.get("/fr/metiers", params=query)).text
    assert 'value="djando : « x »"' in text, "what was typed stays as it was typed"
    assert not re.search(r">[^<]* [:;?!»][^<]*<", text)
    assert "Reach us: <a" in (await client.get("/roles")).text


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
        statuses = [(await client.get("/api/roles")).status_code for _ in range(40)]
        assert statuses[:5] == [200] * 5
        assert 429 in statuses
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

"""Skill names that intake could not place: counted, listed, turned into aliases and skills."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.catalog.curation import slug_of
from services.catalog.curation_pages import COOKIE, PATH
from services.catalog.store import SKILL
from shared.events.manifest import MANIFEST
from shared.events.unmapped import UNMAPPED, UnmappedTerm
from shared.publisher import Publisher
from shared.run import Surroundings
from shared.web.access import KEY_PURPOSE
from tests.catalog.support import changed, following, key, store_of, writer
from tests.support import now, publisher, records, until

HERE = {"Origin": "http://test"}


@pytest.fixture
async def intake(given: Surroundings) -> AsyncIterator[Publisher]:
    async with publisher(given.kafka_bootstrap, "intake") as sender:
        yield sender


async def met(intake: Publisher, term: str, seen: int, revision: int = 1) -> None:
    event = UnmappedTerm(term=term, seen=seen, revision=revision, occurred_at=now())
    await intake.publish(UNMAPPED, event)


async def listed(client: httpx.AsyncClient, given: Surroundings, query: str = "") -> dict[str, int]:
    answer = await client.get(f"/api/skills/unmapped{query}", headers=writer(given))
    assert answer.status_code == 200, answer.text
    return {item["term"]: item["seen"] for item in answer.json()["items"]}


async def known(client: httpx.AsyncClient, given: Surroundings, **terms: int) -> None:
    """Wait until these terms are listed."""

    async def shown() -> bool:
        return await listed(client, given) == terms

    await until(shown)


async def decided(
    client: httpx.AsyncClient, given: Surroundings, term: str, body: dict[str, Any]
) -> httpx.Response:
    return await client.post(f"/api/skills/unmapped/{term}", json=body, headers=writer(given))


async def test_terms_are_listed_by_frequency_page_by_page(
    client: httpx.AsyncClient, given: Surroundings, intake: Publisher
) -> None:
    for term, seen in (("rustlang", 3), ("zig", 7), ("ada/spark", 3), ("haxe", 1)):
        await met(intake, term, seen)
    await known(client, given, zig=7, rustlang=3, haxe=1, **{"ada/spark": 3})
    seen_terms: list[str] = []
    after = ""
    while after is not None:
        answer = await client.get(
            "/api/skills/unmapped", params={"limit": 1, "after": after}, headers=writer(given)
        )
        seen_terms += [item["term"] for item in answer.json()["items"]]
        after = answer.json()["next"]
    assert seen_terms == ["zig", "ada/spark", "rustlang", "haxe"]
    for question, pointer in (("after=nowhere", "after"), ("state=new", "state"), ("limit=0", "limit")):
        bad = await client.get(f"/api/skills/unmapped?{question}", headers=writer(given))
        assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_a_redelivered_or_older_count_changes_nothing(
    client: httpx.AsyncClient, given: Surroundings, intake: Publisher
) -> None:
    for seen, revision in ((4, 10), (5, 20), (5, 20), (4, 10)):
        await met(intake, "zig", seen, revision)
    await met(intake, "after", 1)
    await known(client, given, zig=5, after=1)


async def test_only_a_key_with_the_scope_sees_or_decides(
    client: httpx.AsyncClient, given: Surroundings
) -> None:
    assert (await client.get("/api/skills/unmapped")).status_code == 401
    other = key(given, "needs:write")
    assert (await client.get("/api/skills/unmapped", headers=other)).status_code == 403
    refused = await client.post("/api/skills/unmapped/zig", json={"ignore": True}, headers=other)
    assert refused.status_code == 403


async def test_a_term_becomes_an_alias_and_the_manifest_moves_on(
    client: httpx.AsyncClient, given: Surroundings, intake: Publisher
) -> None:
    await met(intake, "phyton", 2)
    await known(client, given, phyton=2)
    async with following(given) as followed:
        await until(lambda: followed.seen)
        before = len(await records(given.kafka_bootstrap, MANIFEST))
        done = await decided(client, given, "phyton", {"alias_of": "python"})
        assert done.status_code == 200
        assert (done.json()["state"], done.json()["skill"]) == ("alias", "python")
        assert done.json()["decided_by"] == "key:agency"
        await until(lambda: followed.taxonomy.resolve("phyton") == "python")
        assert len(await records(given.kafka_bootstrap, MANIFEST)) == before + 1
    assert await listed(client, given) == {}
    assert await listed(client, given, "?state=alias") == {"phyton": 2}
    lines = (await client.get("/api/skills/python/history", headers=writer(given))).json()["items"]
    assert [(line["by"], line["fields"]) for line in lines] == [("key:agency", ["aliases"])]
    again = await decided(client, given, "phyton", {"alias_of": "python"})
    assert again.status_code == 200, "said twice, done once"
    assert (await store_of(given).history(SKILL, "python"))[1:] == []


async def test_a_term_becomes_a_skill_of_its_own(
    client: httpx.AsyncClient, given: Surroundings, intake: Publisher
) -> None:
    await met(intake, "objective c++", 2)
    await known(client, given, **{"objective c++": 2})
    body = {"new_skill": {"label": {"fr": "Obj-C++", "en": "Obj-C++"}, "category": "programming-language"}}
    done = await decided(client, given, "objective c++", body)
    assert (done.status_code, done.json()["skill"]) == (200, "objective-c-plus-plus")
    skill = (await client.get("/api/skills/objective-c-plus-plus")).json()
    assert (skill["label"]["en"], skill["aliases"]) == ("Obj-C++", ["objective c++"])
    assert await listed(client, given, "?state=skill") == {"objective c++": 2}


async def test_an_ignored_term_stays_ignored_however_often_it_is_met(
    client: httpx.AsyncClient, given: Surroundings, intake: Publisher
) -> None:
    await met(intake, "ponctuel", 1)
    await known(client, given, ponctuel=1)
    assert (await decided(client, given, "ponctuel", {"ignore": True})).status_code == 200
    await met(intake, "ponctuel", 2, revision=2)
    await met(intake, "next", 1)
    await known(client, given, next=1)
    assert await listed(client, given, "?state=ignored") == {"ponctuel": 2}


BAD_DECISIONS: list[tuple[dict[str, Any], str, str]] = [
    ({}, "", "exactly one"),
    ({"alias_of": "python", "ignore": True}, "", "exactly one"),
    ({"alias_of": "pythn"}, "/alias_of", "is it 'python'?"),
    ({"alias": "python"}, "/alias", "no such field"),
    ({"new_skill": {}}, "/new_skill/category", "required"),
    ({"new_skill": {"category": "x", "skill_id": "No Slug"}}, "/new_skill/skill_id", "lower-case"),
    ({"new_skill": {"category": "x", "implies": ["nothing"]}}, "/new_skill/implies/0", "no skill"),
    ({"new_skill": {"category": "x", "aliases": ["py"]}}, "/new_skill/aliases/0", "stands for python"),
]


async def test_a_bad_decision_is_refused_with_a_pointer_and_the_term_stays_open(
    client: httpx.AsyncClient, given: Surroundings, intake: Publisher
) -> None:
    await met(intake, "zig", 1)
    await known(client, given, zig=1)
    for body, pointer, detail in BAD_DECISIONS:
        answer = await decided(client, given, "zig", body)
        assert answer.status_code == 422, body
        [error] = answer.json()["errors"]
        assert error["pointer"] == pointer
        assert detail in error["detail"]
    assert await listed(client, given) == {"zig": 1}


async def test_a_skill_that_exists_or_a_term_that_does_not_is_refused(
    client: httpx.AsyncClient, given: Surroundings, intake: Publisher
) -> None:
    await met(intake, "zig", 1)
    await known(client, given, zig=1)
    taken = {"new_skill": {"category": "x", "skill_id": "cobol"}}
    assert (await decided(client, given, "zig", taken)).status_code == 412
    assert (await decided(client, given, "zag", {"ignore": True})).status_code == 404
    assert (await client.get("/api/skills/cobol")).json()["aliases"] == []


async def test_a_term_that_the_catalogue_comes_to_know_is_closed_by_itself(
    client: httpx.AsyncClient, given: Surroundings, intake: Publisher
) -> None:
    await met(intake, "cobol 85", 1)
    await known(client, given, **{"cobol 85": 1})
    await changed(client, "/api/skills/cobol", writer(given), aliases=["Cobol 85"])
    assert await listed(client, given) == {}
    [item] = (await client.get("/api/skills/unmapped?state=alias", headers=writer(given))).json()["items"]
    assert (item["skill"], item["decided_by"]) == ("cobol", None)
    # Intake may still read with the former taxonomy; and an alias may be taken away again.
    await met(intake, "cobol 85", 2, revision=2)
    await met(intake, "djando", 1)
    await met(intake, "zig", 1)
    await known(client, given, zig=1)
    await changed(client, "/api/skills/cobol", writer(given), aliases=[])
    await met(intake, "cobol 85", 3, revision=3)
    await known(client, given, zig=1, **{"cobol 85": 3})


def test_an_id_is_made_from_a_name() -> None:
    assert slug_of("Développement C++ / C#") == "developpement-c-plus-plus-c-sharp"
    assert slug_of("数据") == ""
    assert len(slug_of("x" * 200)) == 80


async def signed_in(client: httpx.AsyncClient, given: Surroundings, owner: str = "ann") -> httpx.Response:
    pasted = writer(given, owner)["Authorization"].removeprefix("Bearer ")
    return await client.post(f"{PATH}/session?lang=en", data={"key": f" {pasted} "}, headers=HERE)


async def test_the_page_asks_for_a_key_and_keeps_a_short_session(
    client: httpx.AsyncClient, given: Surroundings
) -> None:
    closed = await client.get(f"{PATH}?lang=fr")
    assert "Accès réservé" in closed.text
    refused = await client.post(f"{PATH}/session?lang=en", data={"key": "nonsense"}, headers=HERE)
    assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
    weak = key(given, "needs:write")["Authorization"].removeprefix("Bearer ")
    refused = await client.post(f"{PATH}/session?lang=en", data={"key": weak}, headers=HERE)
    assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
    entered = await signed_in(client, given)
    assert (entered.status_code, entered.headers["Location"]) == (303, f"{PATH}?lang=en")
    cookie = entered.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=strict", f"Path={PATH}", "Max-Age=3"):
        assert part in cookie
    page = await client.get(f"{PATH}?lang=en")
    assert "Signed in: ann" in page.text
    assert "Nothing to decide on" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    left = await client.post(f"{PATH}/session?lang=en", data={"leave": "1"}, headers=HERE)
    assert left.status_code == 303
    assert "Curators only" in (await client.get(f"{PATH}?lang=en")).text


async def test_a_session_is_no_key_and_a_key_is_no_session(
    client: httpx.AsyncClient, given: Surroundings
) -> None:
    await signed_in(client, given)
    session = {"Authorization": f"Bearer {client.cookies[COOKIE]}"}
    assert (await client.get("/api/skills/unmapped", headers=session)).status_code == 401
    client.cookies.clear()
    token = given.tokens.issue(KEY_PURPOSE, "ann", lifetime=timedelta(hours=1), scopes=["*"])
    page = await client.get(f"{PATH}?lang=en", headers={"Cookie": f"{COOKIE}={token}"})
    assert "Curators only" in page.text


async def test_a_form_from_elsewhere_changes_nothing(
    client: httpx.AsyncClient, given: Surroundings, intake: Publisher
) -> None:
    await met(intake, "zig", 1)
    await known(client, given, zig=1)
    await signed_in(client, given)
    elsewhere: list[dict[str, str]] = [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://test", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
    ]
    for headers in elsewhere:
        answer = await client.post(PATH, data={"term": "zig", "action": "ignore"}, headers=headers)
        assert answer.status_code == 403
    assert await listed(client, given) == {"zig": 1}


async def test_one_click_decides_and_the_page_says_who_changed_what(
    client: httpx.AsyncClient, given: Surroundings, intake: Publisher
) -> None:
    for number, term in enumerate(("postgresq", "zig", "<b>nothing</b>", "gcobol")):
        await met(intake, term, 10 - number)
    await known(client, given, postgresq=10, zig=9, gcobol=7, **{"<b>nothing</b>": 8})
    await signed_in(client, given)
    page = (await client.get(f"{PATH}?lang=en")).text
    assert re.search(r'name="skill" value="postgresql">Postgresql</button>', page), "the nearest is suggested"
    assert "<b>nothing" not in page
    [odd] = (await client.get("/api/skills/unmapped?limit=1", headers=writer(given))).json()["items"]
    assert [each["skill_id"] for each in odd["suggestions"]] == ["postgresql"]

    async def sent(**form: str) -> httpx.Response:
        return await client.post(f"{PATH}?lang=en", data=form, headers=HERE, follow_redirects=True)

    done = await sent(term="postgresq", action="alias", skill="postgresql")
    assert "“postgresq” is now an alias of Postgresql." in done.text
    done = await sent(term="gcobol", action="alias", skill="Cobol")
    assert "“gcobol” is now an alias of Cobol." in done.text
    fields = {"label_fr": "Zig", "label_en": "Zig", "category": "programming-language", "kind": "skill"}
    done = await sent(term="zig", action="skill", **fields)
    assert "“zig” is now known as Zig." in done.text
    done = await sent(term="<b>nothing</b>", action="ignore")
    assert "Nothing to decide on" in done.text
    assert "created" in done.text
    assert "key:ann" in done.text
    one = (await client.get(f"{PATH}?lang=en&of=skill/cobol")).text
    assert "Changes of skill/cobol" in one
    assert "aliases: []" in one


async def test_a_refused_click_says_what_is_wrong(
    client: httpx.AsyncClient, given: Surroundings, intake: Publisher
) -> None:
    await met(intake, "zig", 1)
    await known(client, given, zig=1)
    await signed_in(client, given)
    unknown = await client.post(
        f"{PATH}?lang=en", data={"term": "zig", "action": "alias", "skill": "<i>"}, headers=HERE
    )
    assert unknown.status_code == 422
    assert "no skill is called “&lt;i&gt;”" in unknown.text
    fields = {"label_fr": "Python", "label_en": "Zig", "category": "programming-language", "kind": "skill"}
    taken = await client.post(
        f"{PATH}?lang=en", data={"term": "zig", "action": "skill", **fields}, headers=HERE
    )
    assert taken.status_code == 422
    assert "/new_skill/label/fr" in taken.text
    assert "already stands for python" in taken.text
    for form in ({}, {"term": "zig", "action": "explode"}, {"term": "zag", "action": "ignore"}):
        assert (await client.post(PATH, data=form, headers=HERE)).status_code in {404, 422}
    client.cookies.clear()
    ended = await client.post(f"{PATH}?lang=en", data={"term": "zig", "action": "ignore"}, headers=HERE)
    assert ended.status_code == 403
    assert "Your access has ended" in ended.text
    assert await listed(client, given) == {"zig": 1}

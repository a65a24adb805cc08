"""A candidate's rights: being told, seeing, taking away, staying, erasure; by key or by their own link."""

import io
import json
import zipfile
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from services.intake.rights import PURPOSE
from shared.events.feedback import FEEDBACK, Decision
from shared.events.letter import LETTERS, Letter
from shared.run import Surroundings
from tests.intake.desk import consultant
from tests.intake.support import a_candidate, a_feedback, a_need, bearer, intake
from tests.support import now, publisher, records, until

FROM_OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}


async def save(client: httpx.AsyncClient, given: Surroundings, **changes: Any) -> str:
    response = await client.post("/api/candidates", json=a_candidate(**changes), headers=bearer(given))
    assert response.status_code in {200, 201}, response.text
    return str(response.json()["candidate_id"])


async def letters(given: Surroundings, count: int) -> list[Letter]:
    async def enough() -> list[Letter]:
        found = [record.event for record in await records(given.kafka_bootstrap, LETTERS) if record.event]
        return found if len(found) >= count else []

    found: list[Letter] = await until(enough)
    return found


async def document_of(given: Surroundings, candidate_id: str) -> dict[str, Any]:
    found: dict[str, Any] = await given.mongo_client["recruitment_intake"]["candidates"].find_one(
        {"_id": candidate_id}
    )
    return found


def link(
    given: Surroundings, candidate_id: str, *scopes: str, lifetime: timedelta = timedelta(days=1)
) -> str:
    token = given.tokens.issue(PURPOSE, candidate_id, lifetime=lifetime, scopes=scopes)
    return f"/candidates/{candidate_id}/rights?t={token}&lang=en"


async def press(client: httpx.AsyncClient, url: str, action: str, **headers: str) -> httpx.Response:
    """Send one of the page's forms, as a browser on that page does."""
    parts = urlsplit(url)
    return await client.post(
        f"{parts.path}/{action}",
        params={"lang": "en"},
        data={"t": parse_qs(parts.query)["t"][0], "sure": "yes"},
        headers=FROM_OUR_PAGE | headers,
    )


async def test_who_was_imported_is_told_once_where_their_data_came_from(given: Surroundings) -> None:
    async with intake(given) as client:
        candidate_id = await save(client, given)
        [letter] = await letters(given, 1)
        assert (letter.template, letter.to_email, letter.locale) == (
            "privacy_notice",
            "zoe.canari@mail.example",
            "fr",
        )
        assert (letter.arguments["source"], letter.arguments["until"]) == ("form", "2090-01-01")
        page = await client.get(letter.arguments["rights_url"].removeprefix("http://localhost:8000"))
        assert page.status_code == 200
        assert "Zoé Canari" in page.text
        # Neither a change, nor a restart, nor the same again makes a second one.
        await until(lambda: _informed(given, candidate_id))
        await save(client, given, day_rate=700)
        await client.patch(f"/api/candidates/{candidate_id}", json={"years": 2}, headers=bearer(given))
        other = await save(
            client, given, external_id="b", email="sample@example.test", location={"country": "DE"}
        )
        [second] = [one for one in await letters(given, 2) if one != letter]  # in any order: partitions
    assert (second.to_email, second.locale) == ("sample@example.test", "en")
    async with intake(given) as client:
        await until(lambda: _informed(given, other))
        assert len(await letters(given, 2)) == 2


async def _informed(given: Surroundings, candidate_id: str) -> bool:
    return bool((await document_of(given, candidate_id)).get("informed_at"))


async def _settled(given: Surroundings, candidate_id: str) -> dict[str, Any] | None:
    """The document, once it is published and the notice of it sent."""
    document = await document_of(given, candidate_id)
    return document if document.get("informed_at") and not document["unpublished"] else None


async def test_who_has_no_address_is_told_once_it_is_known(given: Surroundings) -> None:
    async with intake(given) as client:
        candidate_id = await save(client, given, email=...)
        assert (await document_of(given, candidate_id))["inform"] is False
        await save(client, given)
        [letter] = await letters(given, 1)
    assert letter.to_email == "zoe.canari@mail.example"


async def test_a_notice_lost_between_letter_and_note_is_not_sent_twice(given: Surroundings) -> None:
    async with intake(given) as client:
        candidate_id = await save(client, given)
        await letters(given, 1)
        await until(lambda: _informed(given, candidate_id))
    candidates = given.mongo_client["recruitment_intake"]["candidates"]
    await candidates.update_one({"_id": candidate_id}, {"$set": {"inform": True, "informed_at": None}})
    async with intake(given):
        await until(lambda: _informed(given, candidate_id))
    assert len(await letters(given, 1)) == 1


async def test_a_source_that_names_the_candidate_stays_out_of_the_letter(given: Surroundings) -> None:
    basis = a_candidate()["basis"] | {"source": "met Mme Canari at a fair"}
    async with intake(given) as client:
        await save(client, given, basis=basis)
        [letter] = await letters(given, 1)
    assert letter.arguments["source"] == "acme"


async def test_an_export_holds_all_that_is_kept_and_the_original_file(given: Surroundings) -> None:
    async with intake(given) as client:
        cv = b"Java, since 2015"
        sent = await client.post(
            "/api/candidates",
            files={"cv": ("Mon CV.txt", cv, None)},
            data={"profile": json.dumps(a_candidate())},
            headers=bearer(given),
        )
        made = sent.json()["candidate_id"]
        asked = (await client.post("/api/needs", json=a_need(), headers=bearer(given))).json()
        revealed = await client.post(
            f"/candidates/{made}/reveal", data={"need": asked["need_id"]}, headers=consultant(given, "c-7")
        )
        assert revealed.status_code == 303
        path = f"/api/candidates/{made}/export"
        assert (await client.get(path, headers=bearer(given, "other"))).status_code == 404
        assert (await client.get(path)).status_code == 401
        response = await client.get(path, headers=bearer(given))
        assert response.headers["content-type"] == "application/zip"
        assert "attachment" in response.headers["content-disposition"]
        with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
            assert sorted(archive.namelist()) == ["candidate.json", "cv/Mon CV.txt"]
            assert archive.read("cv/Mon CV.txt") == cv
            held = json.loads(archive.read("candidate.json"))
        assert held["given"]["name"] == "Zoé Canari"
        assert held["evidence"]["java"] == ["Java, since 2015"]
        assert held["exports"][0]["by"] == "key:acme"
        assert [seen["by"] for seen in held["reveals"]] == ["c-7"], "who saw their name and contacts"
        assert not {"lease", "unpublished", "search"} & set(held)
        # Each is recorded; a key sees those of its own candidates.
        listed = (await client.get("/api/candidates/exports", headers=bearer(given))).json()
        assert [(one["candidate_id"], one["by"]) for one in listed["items"]] == [
            (sent.json()["candidate_id"], "key:acme")
        ]
        assert (await client.get("/api/candidates/exports", headers=bearer(given, "other"))).json()[
            "items"
        ] == []


async def test_the_persons_link_shows_gives_keeps_and_erases_what_it_says(given: Surroundings) -> None:
    async with intake(given) as client:
        candidate_id = await save(client, given)
        url = link(given, candidate_id, "see", "keep", "erase")
        before = await until(lambda: _settled(given, candidate_id))
        page = await client.get(url)
        assert await document_of(given, candidate_id) == before, "opening the page changes nothing"
        assert all(words in page.text for words in ("Zoé Canari", "your consent, until 01/01/2090"))

        data = await press(client, url, "data")
        assert zipfile.is_zipfile(io.BytesIO(data.content))
        listed = (await client.get("/api/candidates/exports", headers=bearer(given))).json()["items"]
        assert [one["by"] for one in listed] == ["person"]

        kept = await press(client, url, "keep")
        assert kept.status_code == 303
        assert (
            "Two years without contact begin anew today" in (await client.get(kept.headers["location"])).text
        )
        assert (await document_of(given, candidate_id))["contacted_at"] > before["contacted_at"]

        gone = await press(client, url, "erase")
        assert gone.status_code == 303
        shown = await client.get(gone.headers["location"], headers={"Accept": "text/html"})
        assert "Your data are erased" in shown.text
        assert (await client.get(url)).status_code == 404
        assert (await press(client, url, "data")).status_code == 404
        assert (await document_of(given, candidate_id))["erased"] is True


@pytest.mark.parametrize(
    ("scopes", "actions"), [((), ""), (("see",), "data"), (("see", "keep"), "data keep")]
)
async def test_a_link_allows_what_its_scopes_say_and_no_more(
    given: Surroundings, scopes: tuple[str, ...], actions: str
) -> None:
    async with intake(given) as client:
        candidate_id = await save(client, given)
        url = link(given, candidate_id, *scopes)
        assert (await client.get(url)).status_code == (200 if "see" in scopes else 404)
        for action in ("data", "keep", "erase"):
            allowed = (await press(client, url, action)).status_code in {200, 303}
            assert allowed == (action in actions), action
        assert "erased" not in await document_of(given, candidate_id)


async def test_a_link_of_somebody_else_of_another_purpose_or_too_old_opens_nothing(
    given: Surroundings,
) -> None:
    async with intake(given) as client:
        mine = await save(client, given)
        other = await save(client, given, external_id="other")
        swapped = link(given, other, "see", "erase").replace(other, mine)
        old = link(given, mine, "see", "erase", lifetime=timedelta(days=-1))
        tracking = given.tokens.issue(
            "need-tracking", mine, lifetime=timedelta(days=1), scopes=["see", "erase"]
        )
        for url in (
            swapped,
            old,
            f"/candidates/{mine}/rights?t={tracking}",
            f"/candidates/{mine}/rights?t=junk",
        ):
            assert (await client.get(url)).status_code == 404
            assert (await press(client, url, "erase")).status_code == 404
        assert "erased" not in await document_of(given, mine)


async def test_a_form_that_another_site_sent_changes_nothing(given: Surroundings) -> None:
    async with intake(given) as client:
        candidate_id = await save(client, given)
        url = link(given, candidate_id, "see", "keep", "erase")
        for action in ("data", "keep", "erase"):
            answer = await press(client, url, action, **{"Sec-Fetch-Site": "cross-site"})
            assert answer.status_code == 403
            assert (
                await client.get(f"{urlsplit(url).path}/{action}?{urlsplit(url).query}")
            ).status_code == 405
        assert "erased" not in await document_of(given, candidate_id)


async def test_what_a_consultant_did_with_a_candidate_counts_as_contact(given: Surroundings) -> None:
    async with intake(given) as client, publisher(given.kafka_bootstrap) as sender:
        candidate_id = await save(client, given)
        before = (await document_of(given, candidate_id))["contacted_at"]
        for decision in (Decision.DECLINED, Decision.CONTACTED):
            await sender.publish(
                FEEDBACK,
                a_feedback(
                    "need", decision, candidate_id=candidate_id, occurred_at=now() + timedelta(hours=1)
                ),
            )
        await until(lambda: _contact_after(given, candidate_id, before + timedelta(minutes=30)))


async def _contact_after(given: Surroundings, candidate_id: str, moment: Any) -> bool:
    return bool((await document_of(given, candidate_id))["contacted_at"] > moment)

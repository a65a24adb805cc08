"""Needs from the desk: a consultant lists, files and edits them, closes spam, and merges duplicates."""

import html
from typing import Any

import httpx
import pytest

from services.intake.domain.duplicates import job_key
from shared.events.feedback import FEEDBACK, Decision
from shared.events.need import NEEDS, NeedState
from shared.run import Surroundings
from shared.web.session import COOKIE, LIFETIME, PURPOSE
from tests.intake.support import a_feedback, a_need, intake
from tests.intake.test_need_own_pages import fields_of, on_kafka
from tests.intake.test_pages import filled
from tests.support import publisher, records, until

HERE = {"Origin": "http://test"}


def signed_in(given: Surroundings, consultant: str = "c-1") -> dict[str, str]:
    token = given.tokens.issue(PURPOSE, consultant, lifetime=LIFETIME, scopes=["locale:en"])
    return HERE | {"Cookie": f"{COOKIE}={token}", "Accept-Language": "en"}


async def post(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/api/needs", json=a_need(**changes))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_list_is_for_signed_in_consultants(given: Surroundings) -> None:
    async with intake(given) as client:
        need = await post(client)
        away = await client.get("/needs?q=acme")
        assert away.status_code == 303
        assert away.headers["location"] == "/desk/sign-in?next=%2Fneeds%3Fq%3Dacme"
        assert (await client.get(f"/needs/{need['need_id']}")).status_code == 404
        shown = await client.get("/needs", headers=signed_in(given))
        assert need["reference"] in shown.text
        page = await client.get(f"/needs/{need['need_id']}", headers=signed_in(given))
        assert "ada@acme.example" in page.text


async def test_the_list_is_searched_filtered_and_paged(given: Surroundings) -> None:
    async with intake(given) as client:
        one = await post(client, company="Acme (Lyon)", title="Dev $1")
        two = await post(client, company="Zenith", title="Ops")
        await client.delete(f"/api/needs/{two['need_id']}", params=httpx.URL(two["tracking_url"]).params)
        me = signed_in(given)

        async def shown(query: str) -> set[str]:
            text = (await client.get(f"/needs?{query}", headers=me)).text
            return {need["reference"] for need in (one, two) if need["reference"] in text}

        assert await shown("") == {one["reference"]}
        assert await shown("status=withdrawn") == {two["reference"]}
        assert await shown("status=") == {one["reference"], two["reference"]}
        assert await shown("status=&q=acme+(l") == {one["reference"]}
        assert await shown("status=&q=$1") == {one["reference"]}
        assert await shown(f"status=&q={two['reference'].lower()}") == {two["reference"]}
        assert await shown("q=.*") == set()
        assert await shown(f"status=&after={two['need_id']}") == {one["reference"]}


async def test_a_consultant_files_and_edits_a_need_for_a_client_and_it_is_noted(
    given: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTAKE_FORM_SECONDS", "60")
    monkeypatch.setenv("INTAKE_RATE_BURST", "1")
    async with intake(given) as client:
        me = signed_in(given)
        form = (await client.get("/needs/new?role=back-end-developer&lang=en", headers=me)).text
        assert "filed by you for a client" in form
        await client.post("/needs", data={"company": "somebody else used the rate up"})
        sent = await client.post("/needs?lang=en", data=filled(form), headers=me)
        assert sent.status_code == 303, "no trap and no limit for who has signed in"
        assert "t=" not in sent.headers["location"]
        page = (await client.get(sent.headers["location"], headers=me)).text
        assert "Filed, consultant c-1" in page
        path = httpx.URL(sent.headers["location"]).path
        fields = fields_of((await client.get(f"{path}/edit", headers=me)).text)
        other = signed_in(given, "c-2")
        assert (
            await client.post(f"{path}/edit", data=fields | {"city": "Nice"}, headers=other)
        ).status_code == 303
        page = (await client.get(path, headers=me)).text
        assert "Edited, consultant c-2" in page
        assert "Nice" in page


async def test_a_form_with_a_session_has_to_come_from_our_own_page(given: Surroundings) -> None:
    async with intake(given) as client:
        need = await post(client)
        cookie = {"Cookie": signed_in(given)["Cookie"]}
        path = f"/needs/{need['need_id']}"
        for headers in (
            cookie,
            cookie | {"Origin": "https://evil.example"},
            cookie | {"Sec-Fetch-Site": "cross-site"},
            cookie | {"Sec-Fetch-Site": "same-site"},
            cookie | {"Sec-Fetch-Site": "none"},
        ):
            for action in ("spam", "withdraw", "filled", "edit", "merge", "distinct"):
                answer = await client.post(f"{path}/{action}", data={"filled": "1"}, headers=headers)
                assert answer.status_code == 403, (action, headers)
            assert (await client.post("/needs", data={}, headers=headers)).status_code == 403
        state = await client.get(f"/api{path}", params=httpx.URL(need["tracking_url"]).params)
        assert state.json()["status"] == "received"


async def test_spam_is_closed_and_its_author_learns_only_that_it_is_withdrawn(given: Surroundings) -> None:
    async with intake(given) as client:
        need = await post(client)
        path, link = f"/needs/{need['need_id']}", httpx.URL(need["tracking_url"]).params
        assert (await client.post(f"{path}/spam", params=link, headers=HERE)).status_code == 303
        assert (await client.get(f"/api{path}", params=link)).json()["status"] == "received", (
            "not by the link"
        )
        assert (await client.post(f"{path}/spam", headers=signed_in(given))).status_code == 303
        seen = (await client.get(f"/api{path}", params=link)).json()
        assert seen["status"] == "withdrawn"
        page = (await client.get(path, params=link)).text
        assert "spam" not in f"{seen} {page}"
        event = await on_kafka(given, seen["revision"])
        assert event.status is NeedState.WITHDRAWN
        assert (
            "closed as spam" in (await client.get("/needs?status=withdrawn", headers=signed_in(given))).text
        )
        assert (await client.post(f"{path}/spam", headers=signed_in(given))).status_code == 409


async def test_the_same_company_and_role_still_open_is_a_possible_duplicate_for_consultants_alone(
    given: Surroundings,
) -> None:
    async with intake(given) as client:
        first = await post(client, company="Acmé S.A.S.")
        second = await post(client, company="ACME", title="Something else")
        await post(client, company="Acme", role_id="data-engineer")
        await post(client, company="Other")
        me = signed_in(given)
        page = (await client.get(f"/needs/{first['need_id']}", headers=me)).text
        assert second["reference"] in page
        assert page.count('name="into"') == 2
        twins = html.unescape((await client.get("/needs?status=duplicates", headers=me)).text)
        assert twins.count("Possible duplicates: 1") == 2
        for need in (first, second):
            link = httpx.URL(need["tracking_url"]).params
            own = await client.get(f"/needs/{need['need_id']}", params=link)
            api = await client.get(f"/api/needs/{need['need_id']}", params=link)
            other = (second if need is first else first)["reference"]
            assert "uplicate" not in own.text + api.text
            assert other not in own.text + api.text


async def test_merging_closes_the_duplicate_and_points_to_the_kept_one(given: Surroundings) -> None:
    async with intake(given) as client:
        kept, double = await post(client), await post(client)
        me = signed_in(given)
        into = {"into": kept["need_id"]}
        answer = await client.post(f"/needs/{double['need_id']}/merge", data=into, headers=me)
        assert answer.headers["location"].startswith(f"/needs/{kept['need_id']}")
        link = httpx.URL(double["tracking_url"]).params
        seen = (await client.get(f"/api/needs/{double['need_id']}", params=link)).json()
        assert seen["status"] == "withdrawn"
        assert (await on_kafka(given, seen["revision"])).status is NeedState.WITHDRAWN
        client_page = (await client.get(f"/needs/{double['need_id']}", params=link)).text
        assert "Joined with another need" in client_page
        assert kept["reference"] not in client_page, "it may be a colleague's, or nobody's"
        desk_page = (await client.get(f"/needs/{double['need_id']}", headers=me)).text
        assert f'href="/needs/{kept["need_id"]}?' in desk_page
        assert "Joined with another need, consultant c-1" in desk_page
        assert 'name="into"' not in (await client.get(f"/needs/{kept['need_id']}", headers=me)).text
        for wrong in (double["need_id"], "unknown", ""):
            answer = await client.post(f"/needs/{double['need_id']}/merge", data={"into": wrong}, headers=me)
            assert answer.status_code in {404, 409}
        again = await client.post(f"/needs/{double['need_id']}/merge", data=into, headers=me)
        assert again.status_code == 409


async def test_two_needs_told_apart_are_not_offered_again(given: Surroundings) -> None:
    async with intake(given) as client:
        one, two = await post(client), await post(client)
        me = signed_in(given)
        answer = await client.post(
            f"/needs/{one['need_id']}/distinct", data={"other": two["need_id"]}, headers=me
        )
        assert answer.status_code == 303
        for need in (one, two):
            assert 'name="into"' not in (await client.get(f"/needs/{need['need_id']}", headers=me)).text
        assert "Possible duplicates: " not in (await client.get("/needs?status=duplicates", headers=me)).text


async def test_a_placement_taken_back_frees_its_position(given: Surroundings) -> None:
    async with intake(given) as client, publisher(given.kafka_bootstrap) as sender:
        need = await post(client, positions=2)
        link = httpx.URL(need["tracking_url"]).params

        async def placed(candidate: str, **changes: Any) -> None:
            event = a_feedback(need["need_id"], Decision.PLACED, candidate_id=candidate, **changes)
            await sender.publish(FEEDBACK, event)

        async def page_says(text: str) -> bool:
            return (
                text
                in (await client.get(f"/needs/{need['need_id']}", params=dict(link) | {"lang": "en"})).text
            )

        await placed("k-1", feedback_id="f1")
        await until(lambda: page_says("Positions filled: 1 of 2"))
        await placed("k-1", feedback_id="f2", undone=True)
        await until(lambda: page_says("In progress</strong></p>"))
        await placed("k-2", feedback_id="f3")
        await until(lambda: page_says("Positions filled: 1 of 2"))
        events = [record.event for record in await records(given.kafka_bootstrap, NEEDS)]
    assert {event.status for event in events if event} == {NeedState.OPEN}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("Acme", "dev", "x"), ("ACME", "dev", "y"), True),
        (("Acmé S.A.S.", "dev", "x"), ("acme sas", "dev", "x"), True),
        (("Acme GmbH & Co", None, "Dev, Java!"), ("ACME co", None, "dev java"), True),
        (("SA", None, "dev"), ("SAS", None, "dev"), False),
        (("Acme", "dev", "x"), ("Acme", "ops", "x"), False),
        (("Acme", None, "dev"), ("Acme", "dev", "dev"), False),
        (("Acme", None, "dev"), ("Acme Dev", None, ""), False),
        (("東京", None, "dev"), ("大阪", None, "dev"), False),
    ],
)
def test_two_needs_may_be_the_same_by_company_and_job(
    one: tuple[str, str | None, str], other: tuple[str, str | None, str], same: bool
) -> None:
    assert (job_key(*one) == job_key(*other)) is same

"""A need's own pages, without JavaScript: edit, positions filled, withdraw; lost links, the robots' trap."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from shared.events.letter import LETTERS
from shared.events.need import NEEDS, Need, NeedState
from shared.run import Surroundings
from tests.intake.support import a_need, bearer, intake
from tests.intake.test_pages import filled, hidden
from tests.support import records, until

OWN = {"Origin": "http://test"}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTAKE_FORM_SECONDS", "0")


class Client:
    """Somebody who has posted a need and holds its link."""

    def __init__(self, http: httpx.AsyncClient, answer: dict[str, Any]) -> None:
        self.http = http
        self.need_id = str(answer["need_id"])
        self.token = str(httpx.URL(answer["tracking_url"]).params["t"])

    async def get(self, page: str = "", lang: str = "en") -> httpx.Response:
        return await self.http.get(self.path(page), params={"t": self.token, "lang": lang})

    async def send(self, page: str, fields: dict[str, Any], lang: str = "en") -> httpx.Response:
        params = {"t": self.token, "lang": lang}
        return await self.http.post(self.path(page), params=params, data=fields, headers=OWN)

    def path(self, page: str) -> str:
        return f"/needs/{self.need_id}" + (f"/{page}" if page else "")

    async def need(self) -> dict[str, Any]:
        found: dict[str, Any] = (
            await self.http.get(f"/api/needs/{self.need_id}", params={"t": self.token})
        ).json()
        return found


@asynccontextmanager
async def a_client(given: Surroundings, **changes: Any) -> AsyncIterator[Client]:
    async with intake(given) as http:
        answer = await http.post("/api/needs", json=a_need(**changes))
        assert answer.status_code == 201, answer.text
        yield Client(http, answer.json())


def fields_of(page: str) -> dict[str, Any]:
    """What a browser would send of the page's last form that posts, untouched."""
    form = page[page.rindex('<form id="need"') :]
    fields: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        given = {name: html.unescape(value) for name, value in re.findall(r'([a-z-]+)="([^"]*)"', tag)}
        if given.get("type") == "checkbox" and " checked" not in tag:
            continue
        fields.setdefault(given["name"], []).append(given.get("value", "on"))
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', options)
        fields[html.unescape(name)] = html.unescape((chosen.group(1) or chosen.group(2)) if chosen else "")
    for name, text in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        fields[name] = html.unescape(text)
    return fields


def without_progress(need: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in need.items() if name not in {"timeline", "updated_at"}}


async def on_kafka(given: Surroundings, revision: int) -> Need:
    """The need's event of this revision; those before it may have been passed over."""

    async def there() -> Need | None:
        found = [record.event for record in await records(given.kafka_bootstrap, NEEDS)]
        return next((event for event in found if event is not None and event.revision == revision), None)

    event: Need = await until(there)
    return event


async def test_the_edit_form_shows_the_need_as_it_is_and_saving_it_untouched_changes_nothing(
    given: Surroundings,
) -> None:
    whole = {
        "skills": [{"skill": "k8s", "level": 5, "must": True}, {"skill": "Juggling", "level": 2}],
        "remote": "partial", "positions": 3, "duration_months": 6, "min_education": 5, "min_years": 4,
        "budget": {"day_rate": 900, "salary": 60000, "currency": "CHF"},
        "location": {"country": "US", "city": "Boston"},
        "languages": [{"language": one} for one in ("fr", "en", "de", "sv", "es")],
        "musts": ["location", "skills", "budget"],
    }  # fmt: skip
    async with a_client(given, **whole) as client:
        before = await client.need()
        page = await client.get("edit", lang="fr")
        assert page.status_code == 200
        fields = fields_of(page.text)
        assert fields["skill"] == ["kubernetes", "Juggling"]
        assert fields["place"] == "US"
        assert fields["language_4"] == "sv"
        assert 'value="docker"' in page.text, "what the description names is offered"
        assert 'value="docker" checked' not in page.text, "and not asked for"
        saved = await client.send("edit", fields, lang="fr")
        assert saved.status_code == 303
        after = await client.need()
    assert after["musts"] == ["location", "budget", "skills"]
    assert without_progress(after) == without_progress(before)


async def test_an_edit_is_a_new_revision_for_everybody(given: Surroundings) -> None:
    async with a_client(given) as client:
        fields = fields_of((await client.get("edit")).text)
        answer = await client.send("edit", fields | {"positions": "4", "skill": ["python", "docker"]})
        assert answer.status_code == 303
        event = await on_kafka(given, (await client.need())["revision"])
        status = await client.http.get(answer.headers["location"])
    assert event.positions == 4
    assert {one.skill for one in event.skills} == {"python", "docker"}
    assert "Need edited" in status.text
    assert "Docker" in status.text


async def test_adding_a_name_that_nobody_knows_is_kept_without_a_new_revision(given: Surroundings) -> None:
    async with a_client(given) as client:
        before = await client.need()
        fields = fields_of((await client.get("edit")).text)
        assert (await client.send("edit", fields | {"other_skills": "Basket weaving"})).status_code == 303
        after = await client.need()
    assert after["unmapped_skills"] == ["Basket weaving"]
    assert after["revision"] == before["revision"]


async def test_a_wrong_edit_keeps_what_was_typed_and_changes_nothing(given: Surroundings) -> None:
    async with a_client(given) as client:
        before = await client.need()
        fields = fields_of((await client.get("edit")).text)
        answer = await client.send("edit", fields | {"positions": "many", "company": "New <name>"})
        assert answer.status_code == 422
        assert 'value="many"' in answer.text
        assert "New &lt;name&gt;" in answer.text
        assert 'href="#positions"' in answer.text
        assert without_progress(await client.need()) == without_progress(before)


async def test_of_two_edits_the_later_one_sees_the_current_state_beside_what_was_typed(
    given: Surroundings,
) -> None:
    async with a_client(given) as client:
        mine = fields_of((await client.get("edit")).text)
        theirs = fields_of((await client.get("edit")).text)
        assert (await client.send("edit", theirs | {"city": "Grenoble"})).status_code == 303
        late = await client.send("edit", mine | {"positions": "7"})
        assert late.status_code == 412
        shown = html.unescape(late.text)
        assert "Somebody changed this need" in shown
        assert re.search(r"Place</th><td>Grenoble, [^<]*</td><td>Lyon, ", shown), "now | typed"
        assert re.search(r"Positions</th><td>1</td><td>7</td>", shown)
        assert "told_" not in shown
        again = fields_of(late.text)
        assert again["positions"] == ["7"]
        assert (await client.need())["location"]["city"] == "Grenoble"
        assert (await client.send("edit", again)).status_code == 303, "now on purpose"
        assert (await client.need())["positions"] == 7


async def test_withdrawing_asks_first_and_then_closes_the_need(given: Surroundings) -> None:
    async with a_client(given) as client:
        asked = await client.get("withdraw")
        assert "Withdraw need" in asked.text
        assert (await client.need())["status"] == "received"
        done = await client.send("withdraw", {})
        assert done.status_code == 303
        assert "we have stopped looking" in (await client.http.get(done.headers["location"])).text
        assert (await on_kafka(given, (await client.need())["revision"])).status is NeedState.WITHDRAWN
        for page in ("edit", "withdraw", "filled"):
            late = await client.get(page)
            assert late.status_code == 409, page
            assert "This need is closed" in late.text
        assert (await client.send("withdraw", {})).status_code == 303, "a double click is no error"


async def test_a_client_says_how_many_positions_are_filled_and_the_last_one_fills_the_need(
    given: Surroundings,
) -> None:
    async with a_client(given, positions=3) as client:
        for wrong in ("", "0", "4", "two", "²", "99999"):
            answer = await client.send("filled", {"filled": wrong})
            assert answer.status_code == 422, wrong
            assert "Give a number from 1 to 3" in answer.text
        before = await client.need()
        assert (await client.send("filled", {"filled": "2"})).status_code == 303
        page = (await client.get()).text
        assert "Positions filled: 2 of 3" in page
        assert (await client.need())["revision"] == before["revision"], "no fact that others rank by"
        assert (await client.send("filled", {"filled": "3"})).status_code == 303
        assert (await client.need())["status"] == "filled"
        assert (await on_kafka(given, (await client.need())["revision"])).status is NeedState.FILLED


async def test_fewer_positions_than_are_filled_already_fill_the_need(given: Surroundings) -> None:
    async with a_client(given, positions=3) as client:
        await client.send("filled", {"filled": "2"})
        fields = fields_of((await client.get("edit")).text)
        await client.send("edit", fields | {"positions": "2"})
        assert (await client.need())["status"] == "filled"


async def test_the_pages_of_a_need_are_closed_to_whoever_holds_another_link(given: Surroundings) -> None:
    async with a_client(given) as client:
        other = Client(client.http, (await client.http.post("/api/needs", json=a_need())).json())
        stranger = Client(
            client.http, {"need_id": client.need_id, "tracking_url": f"http://x/?t={other.token}"}
        )
        for page in ("", "edit", "withdraw", "filled"):
            answer = await stranger.get(page)
            assert answer.status_code == 404, page
            assert "Acme" not in answer.text
        for page in ("edit", "withdraw", "filled"):
            assert (await stranger.send(page, {"filled": "1"})).status_code == 404, page
        assert (await client.need())["status"] == "received"


async def test_lost_links_go_to_the_address_of_the_needs_and_nowhere_else(given: Surroundings) -> None:
    async with a_client(given, title="Buy <cheap> pills at evil.example") as client:
        http = client.http
        first = await http.post("/needs/find?lang=en", data={"email": "Ada@Acme.example"}, headers=OWN)
        unknown = await http.post("/needs/find?lang=en", data={"email": "nobody@acme.example"}, headers=OWN)
        assert first.status_code == unknown.status_code == 200
        assert first.text == unknown.text, "nobody learns whose address is known"
        [letter] = [record.event for record in await until(lambda: records(given.kafka_bootstrap, LETTERS))]
        assert letter is not None
        assert (letter.template, letter.to_email) == ("links", "ada@acme.example")
        [(label, url)] = letter.arguments.items()
        assert "pills" not in label, "no words of whoever typed this address"
        assert "Back-end developer" in label
        link = httpx.URL(url)
        assert (await http.get(link.path, params=dict(link.params))).status_code == 200
        wrong = await http.post("/needs/find?lang=fr", data={"email": "nobody"}, headers=OWN)
        assert wrong.status_code == 422
        assert 'value="nobody"' in wrong.text


async def test_one_address_gets_its_links_three_times_a_day_at_most(given: Surroundings) -> None:
    async with a_client(given) as client:
        for number in range(5):
            answer = await client.http.post("/needs/find", data={"email": "ada@acme.example"}, headers=OWN)
            assert answer.status_code == 200, number
        letters = given.mongo_client["recruitment_intake"]["letters"]
        assert await letters.count_documents({}) == 3

        async def asked_too_often() -> bool:
            answer = await client.http.post("/needs/find", data={"email": "x@acme.example"}, headers=OWN)
            return answer.status_code == 429

        await until(asked_too_often)


async def test_a_robot_gets_the_form_again_and_a_person_caught_by_mistake_sends_it_once_more(
    given: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTAKE_FORM_SECONDS", "60")
    async with intake(given) as http:
        page = (await http.get("/needs/new?role=back-end-developer&lang=en")).text
        typed = filled(page)
        caught = {
            "trapped": await http.post("/needs?lang=en", data=typed | {"website": "http://spam.example"}),
            "too fast": await http.post("/needs?lang=en", data=typed),
            "no stamp": await http.post("/needs?lang=en", data=typed | {"shown": ""}),
            "another's": await http.post(
                "/needs?lang=en", data=typed | {"shown": bearer(given)["Authorization"]}
            ),
        }
        for why, answer in caught.items():
            assert answer.status_code == 422, why
            assert "please check your need, then send it again" in html.unescape(answer.text).lower(), why
            assert 'value="k8s; Docker, Juggling"' in answer.text, why
            assert "spam.example" not in answer.text
            assert hidden(answer.text, "idempotency_key") == typed["idempotency_key"]
        assert await given.mongo_client["recruitment_intake"]["needs"].count_documents({}) == 0
        # Whoever has a key says who they are.
        assert (await http.post("/needs", data=typed, headers=bearer(given))).status_code == 303


async def test_a_text_is_read_for_skills_which_are_offered(given: Surroundings) -> None:
    async with intake(given) as http:
        answer = await http.post(
            "/needs/offered?lang=en", data={"text": "We use k8s and Node.js."}, headers=OWN
        )
        assert answer.json() == {
            "offered": [
                {"skill": "kubernetes", "label": "Kubernetes"},
                {"skill": "node-js", "label": "Node.js"},
            ]
        }
        foreign = {"Origin": "https://evil.example"}
        assert (await http.post("/needs/offered", data={"text": "k8s"}, headers=foreign)).status_code == 403
        assert (await http.post("/needs/offered", data={"text": "x" * 2_000_000})).status_code == 413

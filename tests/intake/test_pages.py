"""The form and the status page, as a browser without JavaScript sees them."""

import html
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.intake.domain.progress import Status
from services.intake.words import STEPS_AHEAD, TIMELINE_EVENTS, words
from shared.events.feedback import FEEDBACK, Decision
from shared.events.need import NEEDS, AskedSkill
from shared.events.vocabulary import Must
from shared.run import Surroundings
from tests.intake.support import a_feedback, intake
from tests.support import publisher, records, until


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Robots and these tests fill in a form at once; the trap for that has tests of its own."""
    monkeypatch.setenv("INTAKE_FORM_SECONDS", "0")
    # However slow the machine: nobody is let in again while a test counts.
    monkeypatch.setenv("INTAKE_RATE_PER_SECOND", "0.001")


def hidden(page: str, name: str) -> str:
    found = re.search(f'name="{name}" value="([^"]*)"', page)
    assert found, name
    return html.unescape(found.group(1))


def filled(page: str, **changes: Any) -> dict[str, Any]:
    """The fields a browser sends for a form that was filled in."""
    return {
        "idempotency_key": hidden(page, "idempotency_key"),
        "role_id": hidden(page, "role_id"),
        "shown": hidden(page, "shown"),
        "company": "Acme <b>",
        "name": "Sample Client",
        "email": "ada@acme.example",
        "title": "Back-end developer",
        "positions": "2",
        "skill": ["python", "sql"],
        "level_python": "5",
        "must_python": "on",
        "level_sql": "2",
        "other_skills": "k8s; Docker, Juggling",
        "place": "FR-ARA",
        "city": "Lyon",
        "contracts": ["freelance"],
        "day_rate": "1 200 €",
        "language_2": "en",
        "language_level_2": "C1",
        "musts": ["skills", "location", "remote"],
    } | changes


@pytest.mark.parametrize("lang", ["fr", "en"])
async def test_the_whole_journey_works_without_javascript(given: Surroundings, lang: str) -> None:
    text = {key: word[lang] for key, word in words().items()}
    async with intake(given) as client, publisher(given.kafka_bootstrap) as sender:
        page = (await client.get(f"/needs/new?role=back-end-developer&lang={lang}")).text
        assert f'<html lang="{lang}">' in page
        assert 'value="python" checked' in page
        assert text["send"] in page
        assert f'action="/needs?lang={lang}"' in page
        sent = await client.post(f"/needs?lang={lang}", data=filled(page), headers={"Origin": "http://test"})
        assert sent.status_code == 303, sent.text
        again = await client.post(f"/needs?lang={lang}", data=filled(page))
        assert again.headers["location"] == sent.headers["location"], "a double click is one need"

        status = await client.get(sent.headers["location"])
        assert status.status_code == 200
        assert status.headers["content-language"] == lang
        assert html.escape(text["event_received"]) in html.unescape(status.text)
        assert text["next_received"] in html.unescape(status.text) or "next" in status.text
        assert "Juggling" in status.text
        assert '<noscript><meta http-equiv="refresh"' in status.text
        assert "Acme &lt;b&gt;" in status.text
        [event] = [record.event for record in await until(lambda: records(given.kafka_bootstrap, NEEDS))]
        assert event is not None
        await sender.publish(FEEDBACK, a_feedback(event.need_id, Decision.TAKEN))

        async def who() -> str:
            shown = (await client.get(sent.headers["location"])).text
            return shown if "Inès Moreau" in shown else ""

        taken = await until(who)
        assert "ines@agency.example" in taken
        assert text["status_in_progress"] in taken
    assert event.locale.value == lang
    assert event.skills == (
        AskedSkill(skill="python", level=5, must=True),
        AskedSkill(skill="sql", level=2),
        AskedSkill(skill="kubernetes"),
        AskedSkill(skill="docker"),
    )
    assert event.location is not None
    assert (event.location.region, event.location.city) == ("FR-ARA", "Lyon")
    assert event.budget is not None
    assert event.budget.day_rate == 1200
    assert (event.positions, event.languages[0].language) == (2, "en")
    # Remote was ticked as hard and nothing said of it: left out, not refused.
    assert event.musts == (Must.LOCATION, Must.SKILLS)


async def test_errors_keep_what_was_typed_and_stand_at_the_field_and_in_the_summary(
    given: Surroundings,
) -> None:
    wrong = {
        "company": "",
        "email": "nobody",
        "phone": "call",
        "start_by": "2020-01-01",
        "positions": "many",
        "salary": "lots",
        "city": "Lyon",
        "place": "",
        "description": "kept <script>",
    }
    async with intake(given) as client:
        page = (await client.get("/needs/new?role=back-end-developer&lang=en")).text
        answer = await client.post("/needs?lang=en", data=filled(page, **wrong))
        assert answer.status_code == 422
        for field in ("company", "email", "phone", "positions", "salary", "place"):
            assert f'href="#{field}"' in answer.text, field
            assert f'id="{field}-error"' in answer.text, field
        assert hidden(answer.text, "idempotency_key") == hidden(page, "idempotency_key")
        assert 'value="many"' in answer.text
        assert "kept &lt;script&gt;" in answer.text
        assert 'name="must_python" checked' in answer.text
        assert 'value="k8s; Docker, Juggling"' in answer.text
        assert not await records(given.kafka_bootstrap, NEEDS)
        late = await client.post("/needs?lang=fr", data=filled(page, start_by="2020-01-01"))
        assert "Indiquez une date à venir." in html.unescape(late.text)
        fixed = await client.post("/needs?lang=en", data=filled(answer.text))
        assert fixed.status_code == 303
        changed = await client.post("/needs?lang=en", data=filled(answer.text, company="Other"))
        assert changed.status_code == 409
        assert hidden(changed.text, "idempotency_key") != hidden(page, "idempotency_key")


WRONG_IN_A_FORM: list[tuple[dict[str, Any], str, str]] = [
    # what was sent, where the error stands, and what is still in the page
    ({"level_python": "9"}, "level_1", "<option selected>9</option>"),
    ({"level_python": "abc"}, "level_1", "<option selected>abc</option>"),
    ({"level_python": "9" * 5000}, "level_1", "99999"),
    ({"must_python": "perhaps"}, "skill_1", 'name="must_python"'),
    ({"skill": ["python", "=?x?="]}, "skill_3", 'value="=?x?=" checked'),
    ({"other_skills": "=?utf-8?q?x?="}, "other_skills", 'value="=?utf-8?q?x?="'),
    ({"musts": ["location", "beauty"]}, "musts", 'value="beauty" checked'),
    ({"contracts": ["freelance", "slavery"]}, "contracts", 'value="slavery" checked'),
    ({"role_id": "no-such-role"}, "role_id", '<option value="no-such-role" selected>'),
    ({"role_id": "Not a slug!"}, "role_id", '<option value="Not a slug!" selected>'),
]


async def test_what_the_api_would_refuse_the_form_refuses_at_its_field(given: Surroundings) -> None:
    async with intake(given) as client:
        page = (await client.get("/needs/new?role=back-end-developer&lang=en")).text
        for number, (change, field, kept) in enumerate(WRONG_IN_A_FORM):
            address = {"X-Forwarded-For": f"192.0.2.{number}"}
            answer = await client.post("/needs?lang=en", data=filled(page, **change), headers=address)
            shown = html.unescape(answer.text)
            assert answer.status_code == 422, change
            assert f'<a href="#{field}">' in shown, change
            assert f'id="{field}-error"' in shown, change
            assert f'id="{field}"' in shown, change
            assert kept in shown, change
            assert 'value="Acme <b>"' in shown, change
        assert not await records(given.kafka_bootstrap, NEEDS)


async def test_a_role_that_is_not_in_the_catalogue_has_its_own_message(given: Surroundings) -> None:
    async with intake(given) as client:
        page = (await client.get("/needs/new?lang=en")).text
        for lang, said in (
            ("en", "This role sheet does not exist"),
            ("fr", "Cette fiche métier n’existe pas"),
        ):
            answer = await client.post(f"/needs?lang={lang}", data=filled(page, role_id="gone", title=""))
            assert answer.status_code == 422
            assert said in html.unescape(answer.text)
            assert "Give the job title" not in answer.text
            assert "Indiquez l’intitulé" not in answer.text


@pytest.mark.parametrize(
    ("lang", "large", "unreadable"),
    [
        ("en", "This form is too large", "This form could not be read"),
        ("fr", "Ce formulaire est trop volumineux", "Ce formulaire n’a pas pu être lu"),
    ],
)
async def test_a_form_too_large_or_with_too_many_fields_gets_a_friendly_page(
    given: Surroundings, lang: str, large: str, unreadable: str
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"description=" + b"x" * 100_000

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    tall = {"description": "x" * 1_100_000}
    too_many = {f"f{number}": "1" for number in range(700)}
    files = {"file": ("a.txt", b"a file")}
    async with intake(given) as client:
        address = f"/needs?lang={lang}"
        answers = [
            (await client.post(address, data=tall), 413, large),
            (await client.post(address, content=chunks(), headers=form), 413, large),
            (
                await client.post(address, headers=form | {"Content-Length": "99999999999"}, content=b"a=b"),
                413,
                large,
            ),
            (await client.post(address, data=too_many), 400, unreadable),
            (await client.post(address, files=files), 400, unreadable),
        ]
    for answer, status, said in answers:
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"].startswith("text/html")
        assert "content-security-policy" in answer.headers
        assert said in html.unescape(answer.text)
        assert f'<html lang="{lang}">' in answer.text


async def test_a_form_of_another_site_is_refused(given: Surroundings) -> None:
    async with intake(given) as client:
        page = (await client.get("/needs/new")).text
        fields = filled(page)
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            answer = await client.post("/needs", data=fields, headers=headers)
            assert answer.status_code == 403, headers
        same = {"Origin": given.settings.public_url}
        assert (await client.post("/needs", data=fields, headers=same)).status_code == 303


async def test_too_many_forms_from_one_address_get_a_page_that_says_so(given: Surroundings) -> None:
    async with intake(given) as client:
        answers = [await client.post("/needs", data={"company": "Acme"}) for _ in range(22)]
    assert answers[0].status_code == 422
    assert answers[-1].status_code == 429
    assert answers[-1].headers["content-type"].startswith("text/html")
    assert "retry-after" in answers[-1].headers


async def test_a_link_that_leads_nowhere_gets_a_friendly_page(given: Surroundings) -> None:
    async with intake(given) as client:
        page = (await client.get("/needs/new")).text
        sent = await client.post("/needs", data=filled(page, role_id=""))
        path = httpx.URL(sent.headers["location"]).path
        for address in (path, f"{path}?t=junk", "/needs/unknown?t=x"):
            answer = await client.get(address, headers={"Accept-Language": "en-GB,en;q=0.9"})
            assert answer.status_code == 404
            assert "This link leads to no need" in answer.text


async def test_assets_are_served_and_no_page_holds_inline_scripts_or_styles(given: Surroundings) -> None:
    async with intake(given) as client:
        pages = [(await client.get(f"/needs/new?lang={lang}")).text for lang in ("fr", "en")]
        sent = await client.post("/needs", data=filled(pages[0]))
        pages.append((await client.get(sent.headers["location"])).text)
        scripts = ("status.js", "need_form.js", "skills.js", "doctor.js", "draft.js")
        for name in ("style.css", "need.css", *scripts):
            assert (await client.get(f"/needs/assets/{name}")).status_code == 200
        assert (await client.get("/needs/assets/../pages.py")).status_code == 404
    for page in pages:
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page)


def test_every_text_is_there_in_both_languages() -> None:
    texts = words()
    assert all(set(text) == {"fr", "en"} and all(text.values()) for text in texts.values())
    for status in Status:
        assert f"status_{status.value}" in texts
        assert f"next_{status.value}" in texts
        assert all(f"event_{step}" in texts for step in STEPS_AHEAD[status])
    assert all(f"event_{event}" in texts for event in TIMELINE_EVENTS)

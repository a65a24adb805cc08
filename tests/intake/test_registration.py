"""Candidates register themselves, correct what was read, confirm by mail, and later change or withdraw it."""

import html
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from services.intake.person_form import request_of, typed_form
from shared.events.candidate import CANDIDATES, Candidate
from shared.events.letter import LETTERS, Letter
from shared.run import Surroundings
from tests.intake.desk import CV, OURS, consultant, plain, stored
from tests.intake.support import bearer, intake
from tests.support import records, until

BROWSER = OURS


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests fill in forms faster than people do."""
    monkeypatch.setenv("INTAKE_FORM_SECONDS", "0")


def hidden(page: str, name: str) -> str:
    found = re.search(f'name="{name}" value="([^"]*)"', page)
    assert found, name
    return html.unescape(found.group(1))


async def registers(
    client: httpx.AsyncClient, lang: str = "en", cv: bytes | None = CV.encode(), **changes: Any
) -> httpx.Response:
    """Fill in the form and send it as a browser does."""
    page = (await client.get(f"/candidates/register?lang={lang}")).text
    fields = {
        "shown": hidden(page, "shown"),
        "website": "",
        "name": "Sample Person",
        "email": "sample.person@example.com",
        "phone": "+33 1 99 00 12 34",
        "skills": "",
        "place": "FR-ARA",
        "city": "Lyon",
        "remote": "partial",
        "contracts": ["permanent", "freelance"],
        "day_rate": "500",
        "language_1": "fr",
        "language_level_1": "C2",
        "consent": "on",
    } | changes
    files = {"cv": ("cv.txt", cv or b"", "text/plain")} if cv is not None else {"cv": ("", b"")}
    return await client.post(f"/candidates/register?lang={lang}", data=fields, files=files, headers=BROWSER)


async def reviews(
    client: httpx.AsyncClient, location: str, drop: tuple[str, ...] = (), **changes: Any
) -> httpx.Response:
    """Send the page that shows what was read, without the skills of `drop`."""
    page = (await client.get(location)).text
    shown = re.findall(r'name="shown_skill" value="([^"]+)"', page)
    fields: dict[str, Any] = {
        "shown_skill": shown,
        "skill": [skill for skill in shown if skill not in drop],
        "more_skills": "",
    }
    for skill in shown:
        level = re.search(rf'name="level_{skill}">(.*?)</select>', page, re.DOTALL)
        chosen = re.search(r"<option selected>(\d)", level.group(1)) if level else None
        fields[f"level_{skill}"] = chosen.group(1) if chosen else ""
        years = re.search(rf'name="years_{skill}"[^>]*value="([^"]*)"', page)
        fields[f"years_{skill}"] = years.group(1) if years else ""
    return await client.post(location, data=fields | changes, headers=BROWSER)


async def letters(given: Surroundings, template: str, count: int = 1) -> list[Letter]:
    async def there() -> list[Letter]:
        found = [one.event for one in await records(given.kafka_bootstrap, LETTERS)]
        kept = [one for one in found if one is not None and one.template == template]
        return kept if len(kept) >= count else []

    found: list[Letter] = await until(there)
    return found


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


async def published(given: Surroundings) -> list[Candidate]:
    newest = {one.key: one.event for one in await records(given.kafka_bootstrap, CANDIDATES)}
    return [event for event in newest.values() if event is not None]


async def confirm_path(client: httpx.AsyncClient, given: Surroundings, **changes: Any) -> str:
    """Register up to the letter; the path of its link."""
    sent = await registers(client, **changes)
    assert sent.status_code == 303, plain(sent)
    await reviews(client, sent.headers["location"])
    [letter] = await letters(given, "confirm_registration")
    return path_of(letter.arguments["confirm_url"])


@pytest.mark.parametrize("lang", ["en", "fr"])
async def test_nothing_counts_before_the_person_has_seen_corrected_and_confirmed_it(
    given: Surroundings, lang: str
) -> None:
    async with intake(given) as client:
        sent = await registers(client, lang, skills="SQL, Juggling")
        assert sent.status_code == 303, plain(sent)
        review = sent.headers["location"]
        page = await client.get(review)
        assert page.headers["content-language"] == lang
        for said in ("Kubernetes", "Docker", "SQL", "Juggling", "Deployed on Kubernetes for 3 years."):
            assert said in plain(page), said
        answer = await reviews(client, review, drop=("docker",), level_kubernetes="5", more_skills="golang")
        assert answer.status_code == 200, plain(answer)
        assert "sample.person@example.com" in answer.text
        [letter] = await letters(given, "confirm_registration")
        assert (letter.to_email, letter.locale.value) == ("sample.person@example.com", lang)
        assert letter.arguments["confirm_url"].startswith(
            given.settings.public_url + "/candidates/confirm?t="
        )
        assert not await records(given.kafka_bootstrap, CANDIDATES)
        assert (await client.get("/candidates?show=waiting&lang=en", headers=consultant(given))).text.count(
            "Link sent on"
        ) == 1
        link = path_of(letter.arguments["confirm_url"])
        opened = await client.get(link)
        assert opened.status_code == 200
        assert not await records(given.kafka_bootstrap, CANDIDATES), "a mail program opened the link"
        done = await client.post(link, data={"do": "confirm"}, headers=BROWSER)
        assert done.status_code == 200, plain(done)
        [event] = await until(lambda: published(given))
        skills = {one.skill: one for one in event.skills}
        assert {"python", "kubernetes", "sql", "go"} <= set(skills)
        assert "docker" not in skills
        assert (skills["kubernetes"].level, skills["kubernetes"].estimated) == (5, False)
        assert (event.region, event.day_rate, event.remote) == ("FR-ARA", 500, "partial")
        assert event.languages[0].level == "C2"
        assert await letters(given, "registration_done")
        again = await client.post(link, data={"do": "confirm"}, headers=BROWSER)
        assert again.status_code == 404
        assert len(await published(given)) == 1
        found = await client.get(f"/api/candidates/{event.candidate_id}", headers=bearer(given, "x", "*"))
        assert found.json()["given"]["basis"]["kind"] == "consent"
        assert found.json()["given"]["basis"]["until"] > "2028"


async def test_confirming_twice_at_once_makes_one_candidate(given: Surroundings) -> None:
    async with intake(given) as client:
        link = await confirm_path(client, given)
        store = given.mongo("intake").collection("registrations")
        [kept] = [one async for one in store.find({})]
        assert (await client.post(link, data={"do": "confirm"}, headers=BROWSER)).status_code == 200
        # As if the first try had ended before it could forget the registration.
        await store.insert_one(kept)
        assert (await client.post(link, data={"do": "confirm"}, headers=BROWSER)).status_code == 200
        assert len(await until(lambda: published(given))) == 1


async def test_a_stranger_who_types_somebodys_address_changes_nothing_of_theirs(given: Surroundings) -> None:
    async with intake(given) as client:
        victim = await stored(client, given, email="sample.person@example.com", day_rate=700)
        before = (await client.get(f"/api/candidates/{victim}", headers=bearer(given))).json()
        link = await confirm_path(
            client, given, name="A Stranger", day_rate="1", email="Sample.Person@example.com"
        )
        assert (await client.get(f"/api/candidates/{victim}", headers=bearer(given))).json() == before
        opened = await client.get(link + "&lang=en")
        assert "We already have a profile with this address" in plain(opened)
        assert "700" not in opened.text
        gone = await client.post(link, data={"do": "discard"}, headers=BROWSER)
        assert gone.status_code == 200
        assert (await client.get(f"/api/candidates/{victim}", headers=bearer(given))).json() == before
        assert (await client.get(link)).status_code == 404
        for path in ("/candidates/register/review", "/candidates/confirm", "/candidates/profile"):
            for token in ("", "junk", parse_qs(urlsplit(link).query)["t"][0]):
                assert (await client.get(path, params={"t": token})).status_code == 404, path


async def test_who_owns_the_address_may_take_it_as_an_update(given: Surroundings) -> None:
    async with intake(given) as client:
        had = await stored(client, given, email="sample.person@example.com", basis=..., cv_text=...)
        assert not await records(given.kafka_bootstrap, CANDIDATES)
        link = await confirm_path(client, given, day_rate="650")
        assert (await client.post(link, data={"do": "confirm"}, headers=BROWSER)).status_code == 200
        [event] = await until(lambda: published(given))
        assert event.candidate_id == had
        assert event.day_rate == 650
        assert {"python", "docker", "kubernetes"} <= {one.skill for one in event.skills}


async def test_errors_keep_what_was_typed_and_store_nothing(given: Surroundings) -> None:
    async with intake(given) as client:
        wrong: dict[str, Any] = {
            "name": "",
            "email": "nobody",
            "phone": "call",
            "day_rate": "lots",
            "consent": "",
            "city": "Lyon <b>",
        }
        answer = await registers(client, **wrong)
        assert answer.status_code == 422
        for field in ("name", "email", "phone", "day_rate", "consent"):
            assert f'href="#{field}"' in answer.text, field
            assert f'id="{field}-error"' in answer.text, field
        assert 'value="Lyon &lt;b&gt;"' in answer.text
        assert 'value="lots"' in answer.text
        nothing = await registers(client, cv=None)
        assert nothing.status_code == 422
        assert "Send a CV, or name at least one skill." in nothing.text
        assert [one async for one in given.mongo("intake").collection("registrations").find({})] == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"%PDF-1.7 broken", "damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 500, "type of file is not accepted"),
        (b"x" * (10 * 1024 * 1024 + 1), "too large"),
    ],
    ids=["broken", "unsupported", "too large"],
)
async def test_an_unreadable_cv_is_named_and_all_that_was_typed_stays(
    given: Surroundings, content: bytes, said: str
) -> None:
    async with intake(given) as client:
        answer = await registers(client, cv=content, skills="Python")
        assert answer.status_code == 422, plain(answer)
        assert said in plain(answer)
        assert 'id="cv-error"' in answer.text
        assert "sample.person@example.com" in answer.text
        assert ">Python</textarea>" in answer.text
        assert [one async for one in given.mongo("intake").collection("registrations").find({})] == []


async def test_a_body_without_end_gets_a_page(given: Surroundings) -> None:
    async with intake(given) as client:
        answer = await registers(client, cv=b"x" * (25 * 1024 * 1024))
        assert answer.status_code == 413
        assert "This is too large" in answer.text


async def test_robots_and_other_sites_are_kept_out(given: Surroundings) -> None:
    async with intake(given) as client:
        trapped = await registers(client, website="https://spam.example")
        assert trapped.status_code == 422
        unseen = await registers(client, shown="made-up")
        assert unseen.status_code == 422
        assert "sample.person@example.com" in unseen.text
        page = (await client.get("/candidates/register")).text
        fields = {"shown": hidden(page, "shown"), "name": "x", "email": "x@example.com", "consent": "on"}
        for path in ("/candidates/register", "/candidates/me", "/candidates/profile", "/candidates/confirm"):
            answer = await client.post(path, data=fields, headers={"Sec-Fetch-Site": "cross-site"})
            assert answer.status_code == 403, path
            assert answer.headers["content-type"].startswith("text/html")


async def test_too_many_registrations_from_one_address_get_a_page(given: Surroundings) -> None:
    async with intake(given) as client:
        answers = [await client.post("/candidates/register", data={"name": "x"}) for _ in range(40)]
    assert answers[-1].status_code == 429
    assert "retry-after" in answers[-1].headers
    assert answers[-1].headers["content-type"].startswith("text/html")


async def test_one_address_gets_at_most_three_such_letters_a_day(given: Surroundings) -> None:
    async with intake(given) as client:
        for _ in range(5):
            sent = await registers(client)
            answer = await reviews(client, sent.headers["location"])
        assert "at most three times a day" in plain(answer)
        assert len(await letters(given, "confirm_registration", 3)) == 3


async def test_the_answer_is_the_same_whether_an_address_is_known_or_not(given: Surroundings) -> None:
    async with intake(given) as client:
        await stored(client, given, email="sample.person@example.com")
        answers = []
        for email in ("sample.person@example.com", "sample.nobody@example.com"):
            page = (await client.get("/candidates/me?lang=en")).text
            fields = {"shown": hidden(page, "shown"), "email": email, "website": ""}
            answer = await client.post("/candidates/me?lang=en", data=fields, headers=BROWSER)
            answers.append((answer.status_code, answer.text.replace(email, "")))
        assert answers[0] == answers[1]
        [letter] = await letters(given, "change_profile")
        assert letter.to_email == "sample.person@example.com"


async def profile_path(client: httpx.AsyncClient, given: Surroundings, email: str) -> str:
    page = (await client.get("/candidates/me?lang=en")).text
    fields = {"shown": hidden(page, "shown"), "email": email, "website": ""}
    await client.post("/candidates/me?lang=en", data=fields, headers=BROWSER)
    return path_of((await letters(given, "change_profile"))[-1].arguments["url"])


async def test_the_person_changes_renews_and_erases_by_the_mailed_link(given: Surroundings) -> None:
    async with intake(given) as client:
        made = await stored(client, given, email="sample.person@example.com", basis=...)
        link = await profile_path(client, given, "sample.person@example.com")
        page = await client.get(link)
        assert page.status_code == 200
        assert 'value="Zoé Canari"' in page.text
        renewed = await client.post(link, data={"do": "renew"}, headers=BROWSER)
        assert renewed.status_code == 303
        assert "renewed" in plain(await client.get(renewed.headers["location"]))
        await until(lambda: published(given))
        shown = re.findall(r'name="shown_skill" value="([^"]+)"', page.text)
        fields = {
            "name": "Sample Person", "email": "sample.person@example.com", "phone": "", "place": "BE",
            "shown_skill": shown, "skill": [one for one in shown if one != "docker"], "more_skills": "Java",
            "level_kubernetes": "5", "remote": "full",
        }  # fmt: skip
        files = {"cv": ("new.txt", b"Ten years of SQL. Docker. Kubernetes.", "text/plain")}
        changed = await client.post(link, data=fields, files=files, headers=BROWSER)
        assert changed.status_code == 303, plain(changed)

        async def current() -> Candidate | None:
            events = await published(given)
            return (
                events[0]
                if events
                and events[0].country == "BE"
                and "docker" not in {one.skill for one in events[0].skills}
                else None
            )

        event = await until(current)
        skills = {one.skill: one for one in event.skills}
        assert {"sql", "java", "python"} <= set(skills)
        assert skills["kubernetes"].level == 5
        bad = await client.post(link, data=fields | {"email": "nobody"}, headers=BROWSER)
        assert bad.status_code == 422
        assert 'value="nobody"' in bad.text
        erased = await client.post(link, data={"do": "erase"}, headers=BROWSER)
        assert erased.status_code == 303
        assert (await client.get(erased.headers["location"])).status_code == 200
        assert (await client.get(link)).status_code == 404
        assert (await client.get(f"/api/candidates/{made}", headers=bearer(given))).status_code == 404


async def test_the_file_stays_when_its_person_changes_something_else_or_renews(given: Surroundings) -> None:
    async with intake(given) as client:
        confirmed = await client.post(
            await confirm_path(client, given), data={"do": "confirm"}, headers=BROWSER
        )
        assert confirmed.status_code == 200
        [event] = await until(lambda: published(given))
        everything = bearer(given, "x", "*")
        link = await profile_path(client, given, "sample.person@example.com")
        for fields in (
            {"do": "renew"},
            {"name": "Sample Person", "email": "sample.person@example.com", "day_rate": "611"},
        ):
            changed = await client.post(link, data=fields, headers=BROWSER)
            assert changed.status_code == 303, plain(changed)
            kept = await client.get(f"/api/candidates/{event.candidate_id}/cv", headers=everything)
            assert kept.content == CV.encode(), fields


async def test_the_letter_to_an_address_that_nobody_confirmed_repeats_nothing_typed(
    given: Surroundings,
) -> None:
    async with intake(given) as client:
        await confirm_path(client, given, name="Buy At Evil Example")
        [letter] = await letters(given, "confirm_registration")
        assert "Evil" not in letter.model_dump_json()


async def test_more_skills_than_a_profile_may_hold_are_no_dead_end(given: Surroundings) -> None:
    async with intake(given) as client:
        many = [{"skill": f"Craft {number}"} for number in range(200)]
        made = await stored(client, given, email="sample.person@example.com", skills=many)
        link = await confirm_path(client, given, skills="Java")
        assert (await client.post(link, data={"do": "confirm"}, headers=BROWSER)).status_code == 200
        found = (await client.get(f"/api/candidates/{made}", headers=bearer(given))).json()
        assert "java" in {one["skill"] for one in found["skills"]}


async def test_what_cannot_be_stored_is_said_on_a_page(given: Surroundings) -> None:
    async with intake(given) as client:
        made = await stored(client, given, email="sample.person@example.com")
        link = await profile_path(client, given, "sample.person@example.com")
        nothing = dict.fromkeys(("given.skills", "given.cv_text", "given.roles"), "")
        candidates = given.mongo("intake").collection("candidates")
        await candidates.update_one({"_id": made}, {"$unset": nothing})
        answer = await client.post(f"{link}&lang=en", data={"do": "renew"}, headers=BROWSER)
        assert answer.status_code == 409
        assert "Nothing was stored" in answer.text


async def test_what_waits_under_an_erased_persons_address_is_forgotten_too(given: Surroundings) -> None:
    async with intake(given) as client:
        made = await stored(client, given, email="sample.person@example.com")
        await registers(client)
        await client.delete(f"/api/candidates/{made}", headers=bearer(given))
        assert await given.mongo("intake").collection("registrations").find_one({}) is None


async def test_what_is_never_confirmed_is_forgotten(given: Surroundings) -> None:
    async with intake(given) as client:
        sent = await registers(client)
        store = given.mongo("intake").collection("registrations")
        [kept] = [one async for one in store.find({})]
        await store.update_one(
            {"_id": kept["_id"]}, {"$set": {"created_at": kept["created_at"] - timedelta(hours=49)}}
        )
        assert (await client.get(sent.headers["location"])).status_code == 404
    async with intake(given):

        async def gone() -> bool:
            return await store.find_one({}) is None

        await until(gone)


def test_a_form_that_says_little_makes_a_request_that_says_little() -> None:
    assert request_of(typed_form([("name", "A"), ("email", "a@example.com"), ("skills", "x; y,, x\nz")])) == {
        "name": "A", "email": "a@example.com", "languages": [], "contracts": [],
        "skills": [{"skill": "x"}, {"skill": "y"}, {"skill": "z"}],
    }  # fmt: skip

"""A consultant's corrections: recorded, published at once, stronger than any reading, and undoable."""

import re
from typing import Any

import httpx

from services.intake.domain.corrections import corrected, correction, in_force, undone
from shared.events.candidate import CANDIDATES, Candidate
from shared.run import Surroundings
from tests.intake.desk import CV, OURS, consultant, plain, revision, stored
from tests.intake.support import bearer, intake, publish_catalogue, with_alias
from tests.support import now, records, until


async def corrects(
    client: httpx.AsyncClient, given: Surroundings, made: str, **fields: Any
) -> httpx.Response:
    page = (await client.get(f"/candidates/{made}?lang=en", headers=consultant(given))).text
    sent = {"revision": revision(page), "need": ""} | fields
    return await client.post(f"/candidates/{made}/corrections?lang=en", data=sent, headers=consultant(given))


async def published(given: Surroundings, made: str) -> Candidate | None:
    found = [one for one in await records(given.kafka_bootstrap, CANDIDATES) if one.key == made]
    return found[-1].event if found else None


async def until_published(given: Surroundings, made: str, skill: str, **values: Any) -> Candidate:
    async def is_there() -> Candidate | None:
        event = await published(given, made)
        held = next((one for one in event.skills if one.skill == skill), None) if event else None
        fits = held is not None and all(getattr(held, name) == value for name, value in values.items())
        return event if fits or (held is None and values == {"gone": True} and event is not None) else None

    found: Candidate = await until(is_there)
    return found


async def test_a_corrected_level_is_published_within_seconds_and_shown_with_what_was_before(
    given: Surroundings,
) -> None:
    async with intake(given) as client:
        made = await stored(client, given)
        fields = {"target": "skill:kubernetes", "level": "5", "years": "3,5", "last_used": "2024"}
        answer = await corrects(client, given, made, **fields)
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].endswith("#skill-kubernetes")
        await until_published(given, made, "kubernetes", level=5, years=3.5, last_used=2024, estimated=False)
        page = plain(await client.get(f"/candidates/{made}?lang=en", headers=consultant(given)))
        assert "level 5 of 5 corrected" in page
        assert "consultant c-1" in page
        assert re.search(r"Kubernetes: level \d of 5, 3 years[^→]* → level 5 of 5, 3.5 years, 2024", page), (
            page
        )


async def test_a_skill_is_removed_and_another_added_and_a_new_cv_does_not_bring_it_back(
    given: Surroundings,
) -> None:
    async with intake(given) as client:
        made = await stored(client, given)
        assert (await corrects(client, given, made, target="skill:docker", do="remove")).status_code == 303
        assert (
            await corrects(client, given, made, target="add_skill", skill="golang", level="4")
        ).status_code == 303
        await until_published(given, made, "docker", gone=True)
        await stored(client, given, cv_text=CV + "\nDocker, Docker, Docker. SQL.")
        event = await until_published(given, made, "sql")
        assert "docker" not in {one.skill for one in event.skills}
        assert next(one for one in event.skills if one.skill == "go").level == 4
        # Neither does a new catalogue, which has all texts read again.
        await publish_catalogue(given.kafka_bootstrap, skills=with_alias("java", "payment services"))
        event = await until_published(given, made, "java")
        assert "docker" not in {one.skill for one in event.skills}


async def test_a_correction_is_undone_and_what_counted_before_counts_again(given: Surroundings) -> None:
    async with intake(given) as client:
        made = await stored(client, given)
        before = await until(lambda: published(given, made))
        await corrects(client, given, made, target="skill:kubernetes", level="1")
        await corrects(client, given, made, target="skill:kubernetes", do="remove")
        page = (await client.get(f"/candidates/{made}?lang=en", headers=consultant(given))).text
        undo = re.findall(r'name="undo" value="([^"]+)"', page)
        assert len(undo) == 2
        await corrects(client, given, made, undo=undo[0])
        await until_published(given, made, "kubernetes", level=1)
        assert (await corrects(client, given, made, undo=undo[1])).status_code == 303
        event = await until_published(given, made, "kubernetes", estimated=True)
        assert event.skills == before.skills
        again = await corrects(client, given, made, undo=undo[1])
        assert again.status_code == 422
        assert "undone" in (await client.get(f"/candidates/{made}?lang=en", headers=consultant(given))).text


async def test_roles_years_place_and_languages_are_corrected(given: Surroundings) -> None:
    async with intake(given) as client:
        made = await stored(client, given)
        rows = {
            "role_1": "data-engineer",
            "months_1": "30",
            "until_1": "2025-03",
            "role_2": "",
            "months_2": "9",
        }
        for fields in (
            {"target": "roles"} | rows,
            {"target": "years", "years": "12"},
            {"target": "education", "education": "5"},
            {"target": "location", "place": "BE-BRU"},
            {"target": "languages", "language_1": "fr", "language_level_1": "C2", "language_2": "de"},
        ):
            answer = await corrects(client, given, made, **fields)
            assert answer.status_code == 303, (fields, answer.text)

        async def all_there() -> Candidate | None:
            event = await published(given, made)
            return event if event and event.languages and event.languages[0].language == "fr" else None

        event = await until(all_there)
        assert [(one.role, one.months, one.until) for one in event.roles] == [
            ("data-engineer", 30, "2025-03")
        ]
        assert (event.years, event.education, event.country, event.region) == (12, 5, "BE", "BE-BRU")
        assert [(one.language, one.level) for one in event.languages] == [("fr", "C2"), ("de", None)]


async def test_two_consultants_at_once_and_the_second_sees_the_current_state(given: Surroundings) -> None:
    async with intake(given) as client:
        made = await stored(client, given)
        page = (await client.get(f"/candidates/{made}", headers=consultant(given, "c-2"))).text
        await corrects(client, given, made, target="skill:kubernetes", level="5")
        late = {"revision": revision(page), "target": "skill:kubernetes", "level": "1"}
        answer = await client.post(
            f"/candidates/{made}/corrections?lang=en", data=late, headers=consultant(given, "c-2")
        )
        assert answer.status_code == 409
        assert "changed meanwhile" in answer.text
        assert revision(answer.text) != revision(page)
        await until_published(given, made, "kubernetes", level=5)


async def test_what_cannot_be_is_refused_beside_its_field(given: Surroundings) -> None:
    wrong: list[dict[str, str]] = [
        {"target": "skill:kubernetes", "level": "9"},
        {"target": "skill:kubernetes", "level": "", "years": ""},
        {"target": "skill:kubernetes", "level": "3", "years": "99"},
        {"target": "skill:kubernetes", "level": "3", "last_used": "soon"},
        {"target": "skill:no-such-skill", "level": "3"},
        {"target": "skill:java", "do": "remove"},
        {"target": "add_skill", "skill": "Juggling", "level": "3"},
        {"target": "roles", "role_1": "no-such-role", "months_1": "3"},
        {"target": "roles", "role_1": "data-engineer", "months_1": "many"},
        {"target": "roles", "role_1": "data-engineer", "months_1": "3", "until_1": "2026-13"},
        {"target": "years", "years": "nan"},
        {"target": "location", "place": "Paris"},
        {"target": "languages", "language_1": "fr", "language_level_1": "D1"},
        {"target": "facts", "level": "3"},
        {"undo": "nothing"},
        {},
    ]
    async with intake(given) as client:
        made = await stored(client, given)
        before = revision((await client.get(f"/candidates/{made}", headers=consultant(given))).text)
        for fields in wrong:
            answer = await corrects(client, given, made, **fields)
            assert answer.status_code == 422, fields
            assert revision(answer.text) == before


async def test_a_correction_from_another_site_is_refused(given: Surroundings) -> None:
    async with intake(given) as client:
        made = await stored(client, given)
        page = (await client.get(f"/candidates/{made}", headers=consultant(given))).text
        headers = consultant(given) | {"Sec-Fetch-Site": "cross-site"}
        fields = {"revision": revision(page), "target": "skill:kubernetes", "level": "5"}
        answer = await client.post(f"/candidates/{made}/corrections", data=fields, headers=headers)
        assert answer.status_code == 403
        unsigned = await client.post(f"/candidates/{made}/corrections", data=fields, headers=OURS)
        assert unsigned.status_code == 303
        assert unsigned.headers["location"].startswith("/desk/sign-in")


async def test_what_is_stated_anew_outranks_a_correction_and_the_same_statement_does_not(
    given: Surroundings,
) -> None:
    async with intake(given) as client:
        made = await stored(client, given)
        await corrects(client, given, made, target="skill:python", level="2")
        await until_published(given, made, "python", level=2)
        await stored(client, given, day_rate=600)
        await until_published(given, made, "python", level=2)
        patch = {"skills": [{"skill": "Python", "level": 5, "years": 7}]}
        await client.patch(f"/api/candidates/{made}", json=patch, headers=bearer(given))
        await until_published(given, made, "python", level=5, years=7)


def test_the_newest_correction_counts_and_undoing_it_brings_the_one_before_back() -> None:
    facts: dict[str, Any] = {
        "skills": [{"skill": "c", "level": 2, "estimated": True, "mentions": 1}],
        "years": 3,
    }
    log = [
        correction(str(level), "skill:c", {"level": level}, facts=facts, stated={}, by="c-1", at=now())
        for level in (3, 4)
    ]
    assert corrected(facts, {}, log)["skills"][0]["level"] == 4
    back = undone(log, "4", "c-1", now())
    assert back is not None
    assert corrected(facts, {}, back)["skills"][0] == facts["skills"][0] | {"level": 3, "estimated": False}
    assert undone(back, "4", "c-1", now()) is None
    assert in_force({"skill:c": {"level": 1}}, back) == {}, "stated since"
    assert corrected(facts, {}, []) == facts

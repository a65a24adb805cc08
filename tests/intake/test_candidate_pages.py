"""Candidates as a signed-in consultant sees them: found, read beside the CV, and blind until a reveal."""

import pytest

from shared.run import Surroundings
from tests.intake.desk import CV, OURS, consultant, need, plain, stored
from tests.intake.support import bearer, intake

SECRETS = (
    "Zoé",
    "Canari",
    "CANARI",
    "zoe.canari",
    "06 98 76",
    "6 98 76",
    "Lilas",
    "69003",
    "linkedin.com/in",
    "Lyon",
)


async def test_nobody_reads_a_page_about_candidates_without_signing_in(given: Surroundings) -> None:
    async with intake(given) as client:
        made = await stored(client, given)
        for path in ("", f"/{made}", "/reveals", "/duplicates", f"/{made}/file"):
            answer = await client.get(f"/candidates{path}")
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/desk/sign-in?next="), path
        for path in (f"/{made}/reveal", f"/{made}/corrections", "/duplicates"):
            answer = await client.post(f"/candidates{path}", data={"need": "x"}, headers=OURS)
            assert answer.status_code == 303, path


@pytest.mark.parametrize("lang", ["en", "fr"])
async def test_a_record_shows_what_was_read_beside_the_text_and_hides_who_it_is(
    given: Surroundings, lang: str
) -> None:
    async with intake(given) as client:
        made = await stored(client, given)
        answer = await client.get(f"/candidates/{made}?lang={lang}", headers=consultant(given))
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-language"] == lang
        for secret in SECRETS:
            assert secret not in plain(answer), secret
        page = answer.text
        for skill in ("python", "docker", "kubernetes"):
            assert f'id="skill-{skill}"' in page
            assert f'href="#quote-{skill}"' in page or skill == "python"
        assert 'id="quote-kubernetes"' in page
        assert 'href="#skill-kubernetes"' in page
        assert "<mark>" in page
        assert "Deployed on Kubernetes for 3 years." in page
        assert made[-6:].upper() in page
        listed = await client.get(f"/candidates?lang={lang}", headers=consultant(given))
        assert made[-6:].upper() in listed.text
        assert not any(secret in plain(listed) for secret in SECRETS)


async def test_candidates_are_found_by_name_skill_role_and_code(given: Surroundings) -> None:
    async with intake(given) as client:
        made = await stored(client, given)
        other = await stored(
            client, given, external_id="ats-2", name="Sample Other", email="other@mail.example",
            phone="+33 6 98 76 54 99", cv_text="Java for years.", skills=[{"skill": "Java"}],
            roles=[{"role": "data engineer", "months": 12}], basis=...,
        )  # fmt: skip
        signed_in = consultant(given)

        async def found(**query: str) -> set[str]:
            page = (await client.get("/candidates", params=query | {"lang": "en"}, headers=signed_in)).text
            return {one for one in (made, other) if f"/candidates/{one}?" in page}

        assert await found() == {made, other}
        assert await found(q="canari zoe") == set()
        assert await found(q="zoe canari") == {made}
        assert await found(q="k8s") == {made}
        assert await found(q="Data engineer") == {other}
        assert await found(q=other[-6:].upper()) == {other}
        assert await found(show="no_basis") == {other}
        nobody = await client.get("/candidates?q=nobody+like+this&lang=en", headers=signed_in)
        assert "No candidate fits." in nobody.text


async def test_the_list_goes_on_from_page_to_page(given: Surroundings) -> None:
    async with intake(given) as client:
        lines = [
            f'{{"external_id": "n-{number}", "skills": [{{"skill": "Python"}}]}}' for number in range(60)
        ]
        await client.post("/api/candidates/batch", content="\n".join(lines), headers=bearer(given))
        first = (await client.get("/candidates?lang=en", headers=consultant(given))).text
        following = first.partition("after=")[2].partition('"')[0].partition("&")[0]
        second = (await client.get(f"/candidates?lang=en&after={following}", headers=consultant(given))).text
        assert first.count("<h2>") == 50
        assert second.count("<h2>") == 10
        assert "after=" not in second


async def test_an_empty_pool_says_where_candidates_come_from(given: Surroundings) -> None:
    async with intake(given) as client:
        page = await client.get("/candidates?lang=en", headers=consultant(given))
        assert "No candidates yet" in page.text


async def test_the_original_file_is_given_only_after_a_reveal(given: Surroundings) -> None:
    async with intake(given) as client:
        sent = await client.post(
            "/api/candidates",
            data={"profile": '{"name": "Zoé Canari", "basis": {"kind": "consent", "until": "2090-01-01"}}'},
            files={"cv": ("CV Canari.txt", CV.encode(), "text/plain")},
            headers=bearer(given),
        )
        assert sent.status_code == 201, sent.text
        made = sent.json()["candidate_id"]
        asked = await need(client, given)
        path = f"/candidates/{made}/file?need={asked['need_id']}"
        before = await client.get(path, headers=consultant(given))
        assert before.status_code == 404
        assert "Canari" not in (await client.get(f"/candidates/{made}", headers=consultant(given))).text
        revealed = await client.post(
            f"/candidates/{made}/reveal", data={"need": asked["reference"]}, headers=consultant(given)
        )
        assert revealed.status_code == 303
        after = await client.get(path, headers=consultant(given))
        assert after.content == CV.encode()
        assert after.headers["content-disposition"].startswith("attachment")
        assert (await client.get(path, headers=consultant(given, "c-2"))).status_code == 404


async def test_an_unknown_candidate_has_a_friendly_page(given: Surroundings) -> None:
    async with intake(given) as client:
        answer = await client.get("/candidates/nobody?lang=fr", headers=consultant(given))
        assert answer.status_code == 404
        assert "pas ici" in answer.text

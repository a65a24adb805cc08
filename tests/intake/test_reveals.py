"""Names and contacts are revealed for an open need alone, to one consultant, and it is recorded."""

from shared.run import Surroundings
from tests.intake.desk import OURS, consultant, need, plain, stored
from tests.intake.support import bearer, intake


async def test_a_reveal_names_an_open_need_and_shows_the_person_for_it_alone(given: Surroundings) -> None:
    async with intake(given) as client:
        made, asked, other = await stored(client, given), await need(client, given), await need(client, given)
        mine, path = consultant(given), f"/candidates/{made}"
        answer = await client.post(f"{path}/reveal?lang=en", data={"need": asked["reference"]}, headers=mine)
        assert answer.status_code == 303
        shown = await client.get(answer.headers["location"], headers=mine)
        for known in (
            "Zoé Canari",
            "zoe.canari@mail.example",
            "+33 6 98 76 54 32",
            "Lyon",
            "Zoé built payment",
        ):
            assert known in plain(shown), known
        by_reference = await client.get(f"{path}?need={asked['reference']}", headers=mine)
        assert "Zoé Canari" in by_reference.text
        for blind in (f"{path}", f"{path}?need={other['need_id']}"):
            assert "Canari" not in (await client.get(blind, headers=mine)).text, blind
        assert asked["reference"] in (await client.get(path, headers=mine)).text, "the way back to it"
        theirs = await client.get(f"{path}?need={asked['need_id']}", headers=consultant(given, "c-2"))
        assert "Canari" not in theirs.text


async def test_the_record_opened_for_an_open_need_offers_to_add_the_candidate_to_it(
    given: Surroundings,
) -> None:
    async with intake(given) as client:
        made, asked, closed = (
            await stored(client, given),
            await need(client, given),
            await need(client, given),
        )
        path, mine = f"/candidates/{made}?lang=en", consultant(given)
        for purpose in (asked["need_id"], asked["reference"]):
            page = (await client.get(f"{path}&need={purpose}", headers=mine)).text
            assert f'<form method="post" action="/desk/needs/{asked["need_id"]}/candidates">' in page
            assert f'<input type="hidden" name="candidate" value="{made}">' in page
            assert f"Add to need {asked['reference']}" in page
        reveal = {"need": closed["need_id"]}
        await client.post(f"/candidates/{made}/reveal", data=reveal, headers=mine)
        await client.delete(f"/api/needs/{closed['need_id']}", headers=bearer(given))
        for purpose in ("", "nonsense", closed["need_id"]):
            page = (await client.get(f"{path}&need={purpose}", headers=mine)).text
            assert "/desk/needs/" not in page, purpose


async def test_no_reveal_without_a_need_that_exists_and_is_open(given: Surroundings) -> None:
    async with intake(given) as client:
        made, closed = await stored(client, given), await need(client, given)
        await client.delete(f"/api/needs/{closed['need_id']}", headers=bearer(given))
        for purpose in ("", "  ", "nonsense", "N-000000", closed["need_id"], closed["reference"], "x" * 3000):
            answer = await client.post(
                f"/candidates/{made}/reveal?lang=en", data={"need": purpose}, headers=consultant(given)
            )
            assert answer.status_code == 422, purpose
            assert "Give the reference of an open need." in answer.text
            assert "Canari" not in answer.text
        listed = await client.get("/api/candidates/reveals", headers=bearer(given, "a", "candidates:audit"))
        assert listed.json() == {"items": [], "next": None}


async def test_a_reveal_from_another_site_is_refused(given: Surroundings) -> None:
    async with intake(given) as client:
        made, asked = await stored(client, given), await need(client, given)
        cookie = {"Cookie": consultant(given)["Cookie"]}
        for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            answer = await client.post(
                f"/candidates/{made}/reveal", data={"need": asked["reference"]}, headers=cookie | headers
            )
            assert answer.status_code == 403, headers
        assert (
            "Canari"
            not in (
                await client.get(f"/candidates/{made}?need={asked['need_id']}", headers=OURS | cookie)
            ).text
        )


async def test_reveals_are_recorded_once_and_listed_for_their_consultant_and_for_auditors(
    given: Surroundings,
) -> None:
    async with intake(given) as client:
        made, asked = await stored(client, given), await need(client, given)
        for who in ("c-1", "c-1", "c-2"):
            await client.post(
                f"/candidates/{made}/reveal", data={"need": asked["need_id"]}, headers=consultant(given, who)
            )
        auditor = bearer(given, "audit", "candidates:audit")
        first = (await client.get("/api/candidates/reveals?limit=1", headers=auditor)).json()
        after = {"limit": "1", "after": first["next"]}
        second = (await client.get("/api/candidates/reveals", params=after, headers=auditor)).json()
        rows = [*first["items"], *second["items"]]
        assert {row["consultant_id"] for row in rows} == {"c-1", "c-2"}
        assert all((row["candidate_id"], row["reference"]) == (made, asked["reference"]) for row in rows)
        everything = (await client.get("/api/candidates/reveals", headers=bearer(given, "x", "*"))).json()
        assert len(everything["items"]) == 2, "who reveals twice is recorded once"
        assert (await client.get("/api/candidates/reveals", headers=bearer(given))).status_code == 403
        assert (await client.get("/api/candidates/reveals")).status_code == 401
        mine = plain(await client.get("/candidates/reveals?lang=en", headers=consultant(given)))
        assert mine.count(asked["reference"]) == 1
        all_of_them = plain(
            await client.get("/candidates/reveals", headers=consultant(given, "a", admin=True))
        )
        assert "c-1" in all_of_them
        assert "c-2" in all_of_them
        assert "Canari" not in mine + all_of_them

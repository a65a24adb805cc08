"""/api/consultants, /api/deliveries, the command line, /mail."""

import re

import pytest

from services.notifier.__main__ import main
from shared.embedded import EmbeddedSmtp
from shared.run import Surroundings
from tests.notifier.making import HOSTILE, NEED_ID, need, notifier, shortlist
from tests.support import embedded_surroundings, until

CLAIRE = {
    "name": "Sample Consultant",
    "email": "sample@agency.test",
    "phone": "+33 6 00 00 00 01",
    "locale": "fr",
    "practices": ["development"],
    "regions": ["FR-ARA", "BE"],
    "delivery": "daily",
    "quiet_hours": {"start": "20:00", "end": "07:30"},
    "time_zone": "Europe/Paris",
    "admin": True,
}


async def test_consultants_are_added_read_changed_and_deactivated(given: Surroundings) -> None:
    async with notifier(given) as service:
        write, reads = service.key("consultants:write"), service.key("consultants:read")
        made = await service.http.post("/api/consultants", json=CLAIRE, headers=write)
        assert made.status_code == 201
        where, etag = made.headers["location"], made.headers["etag"]
        got = await service.http.get(where, headers=reads)
        assert got.json() == made.json()
        assert got.json()["quiet_hours"] == {"start": "20:00:00", "end": "07:30:00"}

        changed = CLAIRE | {"regions": ["FR"], "delivery": "immediate"}
        no_match = await service.http.put(where, json=changed, headers=write)
        assert no_match.status_code == 428
        done = await service.http.put(where, json=changed, headers=write | {"If-Match": etag})
        assert (done.status_code, done.json()["regions"]) == (200, ["FR"])
        late = await service.http.put(where, json=changed, headers=write | {"If-Match": etag})
        assert late.status_code == 412

        assert (await service.http.delete(where, headers=write)).status_code == 204
        assert (await service.http.get(where, headers=reads)).json()["active"] is False
        again = await service.http.post("/api/consultants", json=CLAIRE, headers=write)
        assert again.status_code == 409


async def test_consultants_are_listed_page_by_page(given: Surroundings) -> None:
    async with notifier(given) as service:
        for name in ("Anna", "Bea", "Carl"):
            await service.consultant(name)
        reads = service.key("consultants:read")
        first = (await service.http.get("/api/consultants?limit=2", headers=reads)).json()
        rest = await service.http.get(f"/api/consultants?limit=2&after={first['next']}", headers=reads)
        names = [one["name"] for one in (*first["items"], *rest.json()["items"])]
        assert sorted(names) == ["Anna", "Bea", "Carl"]
        assert rest.json()["next"] is None


async def test_bad_fields_are_named_and_keys_are_needed(given: Surroundings) -> None:
    bad: dict[str, dict[str, object]] = {
        "/name": {"name": HOSTILE[0]},
        "/email": {"email": "nobody"},
        "/phone": {"phone": "call me"},
        "/locale": {"locale": "de"},
        "/practices/0": {"practices": ["Not A Slug"]},
        "/regions/0": {"regions": ["Bretagne"]},
        "/delivery": {"delivery": "hourly"},
        "/quiet_hours/start": {"quiet_hours": {"start": "25:00", "end": "07:00"}},
        "/quiet_hours/end": {"quiet_hours": {"start": "22:00", "end": "07:00Z"}},
        "/time_zone": {"time_zone": "Paris"},
        "/nickname": {"nickname": "C"},
    }
    async with notifier(given) as service:
        write = service.key("consultants:write")
        for pointer, fields in bad.items():
            answer = await service.http.post("/api/consultants", json=CLAIRE | fields, headers=write)
            assert answer.status_code == 422, pointer
            assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
        for hostile in HOSTILE[:2]:
            answer = await service.http.post(
                "/api/consultants", json=CLAIRE | {"email": hostile}, headers=write
            )
            assert answer.status_code == 422
        assert (await service.http.post("/api/consultants", content=b"{", headers=write)).status_code == 400
        assert (await service.http.post("/api/consultants", json=CLAIRE)).status_code == 401
        reads = service.key("consultants:read")
        assert (await service.http.post("/api/consultants", json=CLAIRE, headers=reads)).status_code == 403
        assert (await service.http.get("/api/consultants/none", headers=reads)).status_code == 404
        assert (await service.http.get("/api/deliveries?need_id=x", headers=reads)).status_code == 403


async def test_the_needs_of_who_leaves_pass_on(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        await service.post()
        await service.mail("sample@agency.test")
        await service.consultant("Amir Benali")
        write = service.key("consultants:write")
        await service.http.delete(f"/api/consultants/{claire.consultant_id}", headers=write)
        await service.mail("amir@agency.test")


async def test_needs_spread_over_those_who_fit(given: Surroundings) -> None:
    async with notifier(given) as service:
        await service.consultant()
        await service.consultant("Amir Benali")
        for number in range(6):
            await service.post(need(f"need-{number}"), shortlist(need_id=f"need-{number}"))
        await until(lambda: len(service.mails("@agency.test")) == 6)
        assert len(service.mails("sample")) == len(service.mails("amir")) == 3


async def test_deliveries_of_a_need_are_listed_without_addresses(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        await service.post()
        await service.mail("sample@agency.test")
        await service.settled()
        answer = await service.http.get(
            f"/api/deliveries?need_id={NEED_ID}", headers=service.key("deliveries:read")
        )
        found = {one["kind"]: one for one in answer.json()["items"]}
        assert {one["status"] for one in found.values()} == {"sent"}
        assert found["shortlist"]["recipient"] == claire.consultant_id
        assert found["acknowledgement"]["audience"] == "client"
        assert "@acme" not in answer.text
        assert "@agency" not in answer.text


async def test_the_inbox_shows_what_was_caught_and_its_links_work(given: Surroundings) -> None:
    async with notifier(given) as service:
        empty = await service.http.get("/mail?lang=en")
        assert "No mail yet" in empty.text
        await service.consultant()
        await service.post(need(company="<script>alert(1)</script>"))
        await service.mail("sample@agency.test")
        await service.settled()
        listing = await service.http.get("/mail?lang=en")
        assert "<script>" not in listing.text
        paths = re.findall(r'href="(/mail/\d+)', listing.text)
        assert len(paths) == 2
        for path in paths:
            one = await service.http.get(path)
            assert "Message-ID" in one.text
            assert f'src="{path}/html"' in one.text
            html = await service.http.get(f"{path}/html")
            policy = html.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "sandbox" in policy
            assert "'unsafe-inline'" in policy.split("style-src")[1].split(";")[0]
            assert "script-src" not in policy
            assert '<base target="_top">' in html.text
            assert "'unsafe-inline'" not in one.headers["content-security-policy"]
        assert (await service.http.get("/mail/1")).status_code == 404
        assert (await service.http.get("/mail/assets/inbox.css")).status_code == 200


async def test_without_an_inbox_a_page_says_where_mails_go() -> None:
    relay = EmbeddedSmtp()
    await relay.start()
    async with embedded_surroundings(smtp=relay) as all_of_it:
        real = Surroundings(**{**vars(all_of_it), "mailbox": None, "smtp_host": "127.0.0.1"})
        async with notifier(real) as service:
            page = await service.http.get("/mail?lang=en")
            assert "127.0.0.1" in page.text
            assert (await service.http.get("/mail/1")).status_code == 404
    await relay.stop()


def test_the_command_line_refuses_what_cannot_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MONGODB_URI", raising=False)
    add = ["consultants", "add", "--name", "Sample Consultant", "--region", "FR", "--practice", "development"]
    with pytest.raises(SystemExit):
        main([*add, "--email", "sample@agency.test", "--admin"])
    assert "set MONGODB_URI" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*add, "--email", "nobody"])
    assert "--email: is not an e-mail address" in capsys.readouterr().err
    monkeypatch.setenv("MONGODB_URI", "mongodb://127.0.0.1:9")
    with pytest.raises(SystemExit):
        main([*add, "--email", "sample@agency.test"])
    assert capsys.readouterr().err.count("\n") == 1

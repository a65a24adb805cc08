"""Consultants: the API's changes, the administrators' page, one's own settings."""

import re

import httpx

from shared.run import Surroundings
from tests.notifier.desk import NEED, OURS, sign_in
from tests.notifier.making import NEED_ID, Running, consultant, need, notifier, shortlist
from tests.support import until

PEOPLE = "/desk/consultants"


async def form_of(service: Running, path: str) -> dict[str, str | list[str]]:
    """What the form on a page would send as it stands."""
    page = await service.http.get(path)
    assert page.status_code == 200
    inputs = re.findall(r'<input [^>]*name="(\w+)"[^>]*? value="([^"]*)"', page.text)
    fields: dict[str, str | list[str]] = dict(inputs)
    fields["families"] = re.findall(r'name="families" value="([^"]+)" checked', page.text)
    fields.pop("admin", None)
    if 'name="admin" checked' in page.text:
        fields["admin"] = "on"
    for name, options in re.findall(r'<select id="\w+" name="(\w+)"[^>]*>(.*?)</select>', page.text):
        found = re.search(r'value="(\w+)" selected', options)
        assert found is not None
        fields[name] = found[1]
    return fields


async def save(service: Running, path: str, **changes: object) -> httpx.Response:
    sent = {**await form_of(service, path), **changes}
    return await service.http.post(path, data=sent, headers=OURS)


async def test_a_merge_patch_changes_what_it_names_and_nothing_else(given: Surroundings) -> None:
    async with notifier(given) as service:
        made = await service.consultant(quiet_hours={"start": "20:00", "end": "07:00"}, admin=True)
        where, write = f"/api/consultants/{made.consultant_id}", service.key("consultants:write")
        if_match = {"If-Match": f'"{made.revision}"'}
        blind = await service.http.patch(where, json={"locale": "en"}, headers=write)
        assert blind.status_code == 428
        done = await service.http.patch(
            where,
            json={"locale": "en", "phone": None, "quiet_hours": {"end": "08:00"}},
            headers=write | if_match,
        )
        assert done.status_code == 200
        changed = done.json()
        assert (changed["locale"], changed["phone"], changed["admin"]) == ("en", None, True)
        assert changed["quiet_hours"] == {"start": "20:00:00", "end": "08:00:00"}
        late = await service.http.patch(where, json={"locale": "fr"}, headers=write | if_match)
        assert late.status_code == 412
        now = {"If-Match": done.headers["etag"]}
        for patch, pointer in (
            ({"regions": ["france"]}, "/regions/0"),
            ({"colour": "red"}, "/colour"),
            ({"time_zone": "Mars"}, "/time_zone"),
            ({"email": None}, "/email"),
            ({"active": False}, "/active"),
        ):
            bad = await service.http.patch(where, json=patch, headers=write | now)
            assert bad.status_code == 422, patch
            assert bad.json()["errors"][0]["pointer"] == pointer
        assert (await service.http.patch(where, json=[], headers=write | now)).status_code == 422
        assert (await service.http.patch(where, content="{", headers=write | now)).status_code == 400
        reads = service.key("consultants:read")
        assert (await service.http.patch(where, json={}, headers=reads | now)).status_code == 403


async def test_an_administrator_adds_changes_and_deactivates_on_the_page(given: Surroundings) -> None:
    async with notifier(given) as service:
        root = await service.consultant("Root", admin=True, practices=())
        await sign_in(service, root)
        new = {
            "name": "Emma Example",
            "email": "nobody",
            "regions": "fr-ara; BE",
            "families": ["development"],
            "roles": "data-engineer",
            "quiet_from": "20:00",
        }
        bad = await service.http.post(
            PEOPLE, data={**await form_of(service, f"{PEOPLE}/new"), **new}, headers=OURS
        )
        assert bad.status_code == 422
        assert "Indiquez une adresse e-mail." in bad.text
        assert "Une heure, comme 07:30." in bad.text
        assert 'value="Emma Example"' in bad.text
        assert 'value="development" checked' in bad.text
        new |= {"email": "emma@agency.test", "quiet_to": "07:30"}
        added = await service.http.post(PEOPLE, data=new, headers=OURS)
        assert added.status_code == 303
        taken = await service.http.post(PEOPLE, data=new | {"email": "EMMA@agency.test"}, headers=OURS)
        assert "Un autre consultant a cette adresse." in taken.text
        [emma] = [one for one in await service.store.consultants() if one.name == "Emma Example"]
        assert (emma.practices, emma.regions) == (("development", "data-engineer"), ("FR-ARA", "BE"))
        assert emma.quiet_hours is not None
        assert "Emma Example" in (await service.http.get(PEOPLE)).text
        where = f"{PEOPLE}/{emma.consultant_id}"
        before = await form_of(service, where)
        assert (await save(service, where, delivery="daily", quiet_from="", quiet_to="")).status_code == 303
        changed = await service.store.consultant(emma.consultant_id)
        assert changed is not None
        assert (changed.delivery.value, changed.quiet_hours, changed.practices) == (
            "daily",
            None,
            emma.practices,
        )
        stale = await service.http.post(where, data=before, headers=OURS)
        assert stale.status_code == 409
        assert "entre-temps" in stale.text
        await service.http.post(f"{where}/deactivate", headers=OURS)
        gone = await service.store.consultant(emma.consultant_id)
        assert gone is not None
        assert not gone.active
        await service.http.post(f"{where}/activate", headers=OURS)
        back = await service.store.consultant(emma.consultant_id)
        assert back is not None
        assert back.active


async def test_whoever_is_no_administrator_manages_nobody(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        root = await service.consultant("Root", admin=True)
        await sign_in(service, claire)
        where = f"{PEOPLE}/{root.consultant_id}"
        for path in (PEOPLE, f"{PEOPLE}/new", where):
            refused = await service.http.get(path)
            assert refused.status_code == 403
            assert "root@agency.test" not in refused.text
        for path in (PEOPLE, where, f"{where}/deactivate", f"{where}/activate"):
            data = {"name": "X", "email": "x@agency.test", "admin": "on"}
            assert (await service.http.post(path, data=data, headers=OURS)).status_code == 403
        # One's own settings are the ones of the form, whatever else is sent.
        sent = {"delivery": "daily", "admin": "on", "name": "X", "email": "x@agency.test", "regions": "BE"}
        assert (await service.http.post("/desk/me", data=sent, headers=OURS)).status_code == 303
        mine = await service.store.consultant(claire.consultant_id)
        assert mine is not None
        assert (mine.delivery.value, mine.admin, mine.name, mine.regions) == (
            "daily",
            False,
            claire.name,
            claire.regions,
        )


async def test_the_last_administrator_stays_one(given: Surroundings) -> None:
    async with notifier(given) as service:
        root = await service.consultant("Root", admin=True)
        await sign_in(service, root)
        where = f"{PEOPLE}/{root.consultant_id}"
        form = await form_of(service, where)
        form.pop("admin")
        refused = await service.http.post(where, data=form, headers=OURS)
        assert refused.status_code == 409
        assert "au moins une personne qui administre" in refused.text
        assert (await service.http.post(f"{where}/deactivate", headers=OURS)).status_code == 409
        await service.consultant("Second", admin=True)
        assert (await service.http.post(where, data=form, headers=OURS)).status_code == 303
        assert (await service.http.get(PEOPLE)).status_code == 403


async def test_pausing_oneself_passes_the_open_needs_on(given: Surroundings) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        amir = await service.consultant("Amir Benali")
        await service.post(need(), shortlist())
        await service.mail("sample@agency.test")
        await sign_in(service, claire)
        assert (await save(service, "/desk/me", delivery="paused")).status_code == 303

        async def with_amir() -> bool:
            owner = (await service.store.file(NEED_ID)).owner
            return owner is not None and owner.consultant_id == amir.consultant_id

        await until(with_amir)
        assert "Amir Benali" in (await service.http.get(NEED)).text


async def test_a_change_of_language_counts_for_the_session_too(given: Surroundings) -> None:
    async with notifier(given) as service:
        await sign_in(service, await service.consultant())
        assert "Mes réglages" in (await service.http.get("/desk/me")).text
        assert (await save(service, "/desk/me", locale="en", phone="+33 1 99 00 00 05")).status_code == 303
        assert "My settings" in (await service.http.get("/desk/me")).text
        # Pages of the other services go by the cookie: here the one for an address that there is not.
        assert "nothing at this address" in (await service.http.get("/desk/needs/unknown")).text
        bad = await save(service, "/desk/me", phone="call me", time_zone="Mars")
        assert bad.status_code == 422
        assert 'value="call me"' in bad.text
        assert consultant().time_zone == "Europe/Paris"

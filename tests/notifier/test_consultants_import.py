"""`consultants add | import | export`: many at once, line by line, and a backup for spreadsheets."""

from pathlib import Path

import pytest

from services.notifier.__main__ import main
from services.notifier.consultants import Delivery
from services.notifier.consultants_command import add, bring_in, export
from services.notifier.consultants_csv import BadFile, as_csv, read_lines
from services.notifier.staff import fields_of
from services.notifier.store import Store
from shared.run import Surroundings
from shared.settings import Misconfigured
from tests.notifier.making import consultant, notifier, store_of

FILE = """\
email;name;phone;practices;regions;delivery;quiet_start;quiet_end;admin
sample@agency.test;Sample Consultant;+33 1 99 00 00 01;development data;FR-ARA BE;daily;20:00;07:30;yes
emma@agency.test;Emma Example;;development;FR;;;;
"""


async def imported(store: Store, text: str, *, dry_run: bool = False) -> int:
    return await bring_in(store, read_lines(text.encode()), dry_run=dry_run)


async def prepared(given: Surroundings) -> Store:
    store = store_of(given)
    await store.create_indexes()
    return store


async def test_a_file_adds_changes_and_leaves_alone_and_says_which_line_did_what(
    given: Surroundings, capsys: pytest.CaptureFixture[str]
) -> None:
    store = await prepared(given)
    assert await imported(store, FILE, dry_run=True) == 0
    assert await store.consultants() == []
    assert "line 2: added sample@agency.test" in capsys.readouterr().out
    assert await imported(store, FILE) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == [
        "line 2: added sample@agency.test",
        "line 3: added emma@agency.test",
        "2 added, 0 changed, 0 unchanged, 0 refused",
    ]
    sample = await store.consultant_by_email("Sample@Agency.test")
    assert sample is not None
    assert (sample.practices, sample.regions) == (("development", "data"), ("FR-ARA", "BE"))
    assert (sample.delivery, sample.admin, sample.phone) == (Delivery.DAILY, True, "+33 1 99 00 00 01")
    # Columns that a file has not stay as they are; an empty cell is the default.
    newer = "email,name,delivery,active\nSAMPLE@agency.test,Sample Consultant,,no\n"
    newer += "emma@agency.test,Emma Example,,\n"
    assert await imported(store, newer) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "0 added, 1 changed, 1 unchanged, 0 refused"
    after = await store.consultant_by_email("sample@agency.test")
    assert after is not None
    assert (after.delivery, after.active, after.regions) == (Delivery.IMMEDIATE, False, sample.regions)
    assert after.consultant_id == sample.consultant_id


async def test_a_bad_line_is_named_and_keeps_no_other_out(
    given: Surroundings, capsys: pytest.CaptureFixture[str]
) -> None:
    store = await prepared(given)
    text = (
        "email,name,regions,admin,quiet_start\n"
        "nobody,Nobody,,,\n"
        "\n"
        "a@agency.test,A,france,,\n"
        "b@agency.test,B,FR,perhaps,\n"
        "c@agency.test,C,FR,,20:00\n"
        "d@agency.test,D,FR,,\n"
        "D@agency.test,D again,FR,,\n"
    )
    assert await imported(store, text) == 1
    out = capsys.readouterr().out
    for told in (
        "line 2: refused: email: is not an e-mail address",
        "line 4: refused: regions: ",
        "line 5: refused: admin: is neither yes nor no",
        "line 6: refused: quiet_hours: ",
        "line 7: added d@agency.test",
        "line 8: refused: email: the same as on line 7",
        "1 added, 0 changed, 0 unchanged, 5 refused",
    ):
        assert told in out
    assert [one.name for one in await store.consultants()] == ["D"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no column email"),
        (b"name\nA\n", "no column email"),
        (b"email,colour\na@agency.test,red\n", "unknown column colour"),
        (b"email,email\na,b\n", "twice"),
        (b"email,name\na@agency.test\n", "line 2"),
        (b"email,name\na@agency.test,A,B\n", "line 2"),
        (b'email,name\n"a@agency.test,A\n', "unexpected end"),
        ("email,name\na@agency.test,Zoé\n".encode("latin-1"), "UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, why: str) -> None:
    with pytest.raises(BadFile, match=why):
        read_lines(content)


async def test_an_export_opens_safely_in_a_spreadsheet_and_comes_back_whole(
    given: Surroundings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = await prepared(given)
    await store.add_consultant(
        consultant("=HYPERLINK(1)", email="x@agency.test", quiet_hours={"start": "20:00", "end": "07:00"})
    )
    await store.add_consultant(consultant("@SUM(1)", email="y@agency.test", admin=True, phone=None))
    gone = await store.add_consultant(consultant("Zoé, “Z”; 'quoted'", email="z@agency.test"))
    await store.change_consultant(gone, fields_of(gone), active=False)
    path = tmp_path / "consultants.csv"
    assert await export(store, path) == 0
    assert path.stat().st_mode & 0o077 == 0, "contacts are for the owner's eyes"
    cells = [cell for line in path.read_text().splitlines() for cell in line.split(",")]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))] == []
    before = await store.consultants()
    await store.mongo.collection("consultants").delete_many({})
    assert await bring_in(store, read_lines(path.read_bytes()), dry_run=False) == 0
    after = await store.consultants()
    assert [(fields_of(one), one.active) for one in after] == [(fields_of(one), one.active) for one in before]
    assert as_csv(after) == path.read_bytes().decode()
    capsys.readouterr()


async def test_the_running_service_gives_away_the_needs_of_whom_an_import_paused(
    given: Surroundings,
) -> None:
    async with notifier(given) as service:
        claire = await service.consultant()
        amir = await service.consultant("Amir Benali")
        await service.post()
        await service.mail("sample@agency.test")
        text = f"email,delivery\n{claire.email},paused\n"
        assert await imported(service.store, text) == 0
        await service.mail(amir.email)


async def test_the_first_person_is_made_once_however_often_the_command_runs(
    given: Surroundings, capsys: pytest.CaptureFixture[str]
) -> None:
    store = await prepared(given)
    first = consultant(admin=True)
    for _ in range(2):
        assert await add(store, first) == 0
    [made] = await store.consultants()
    assert capsys.readouterr().out == f"{made.consultant_id} {made.name} <{made.email}>\n" * 2
    with pytest.raises(Misconfigured, match="with other settings"):
        await add(store, consultant(admin=False))
    await store.change_consultant(made, first, active=False)
    with pytest.raises(Misconfigured, match="with other settings"):
        await add(store, first)


def test_the_command_line_says_in_a_line_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MONGODB_URI", raising=False)
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(FILE)
    bad.write_text("colour\nred\n")
    for arguments, why in (
        (["import", str(tmp_path / "none.csv")], "No such file"),
        (["import", str(bad)], "there is no column email"),
        (["import", str(good)], "set MONGODB_URI"),
        (["export"], "set MONGODB_URI"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["consultants", *arguments])
        assert ended.value.code == 2
        told = capsys.readouterr().err
        assert why in told
        assert told.count("\n") == 1


async def test_a_file_that_is_imported_again_changes_nothing(given: Surroundings) -> None:
    store = await prepared(given)
    await imported(store, FILE)
    before = await store.consultants()
    assert await imported(store, FILE) == 0
    assert await store.consultants() == before

"""The desk's store and the consultants' commands on the MongoDB wire server."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from services.notifier.consultants_command import run
from services.notifier.decisions import decide
from services.notifier.domain import NeedFile, with_need, with_shortlist
from services.notifier.store import Store
from shared.events.feedback import Decision
from shared.kafka import Kafka
from shared.metrics import Metrics
from shared.mongo import Mongo, connect
from tests.engines.engines import MongoWireServer
from tests.notifier.making import NEED_ID, WHEN, candidate_id, consultant, need, shortlist
from tests.support import now

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]


def store_on(uri: str, database: str) -> Store:
    metrics = Metrics()
    return Store(Mongo(connect(uri), database, "notifier", metrics), Kafka("", "notifier", metrics))


async def test_the_desk_finds_what_it_shows(wire_server: MongoWireServer) -> None:
    store = store_on(wire_server.uri, "desk_finds")
    await store.create_indexes()
    made = await store.add_consultant(consultant())
    empty = await store.file(NEED_ID)
    first = with_shortlist(with_need(empty, need(), WHEN), shortlist(), 200)
    first = decide(first, made, Decision.CONTACTED, now(), feedback_id="f-1", candidate_id=candidate_id(1))
    assert await store.save(empty, first) is not None
    for feedback in first.decided:
        await store.put_feedback_back(feedback)
    other = NeedFile(need_id="other")
    second = with_shortlist(with_need(other, need("other"), WHEN), shortlist(need_id="other"), 200)
    assert await store.save(other, second) is not None
    assert {card.need_id for card in await store.desk.cards()} == {NEED_ID, "other"}
    assert list(await store.desk.elsewhere("other", second.candidates)) == [candidate_id(1)]
    assert await store.desk.elsewhere(NEED_ID, first.candidates) == {}
    assert [one.feedback_id for one in await store.desk.feedback_about(NEED_ID)] == ["f-1"]
    assert await store.desk.feedback_about("other") == []
    assert await store.desk.failures([NEED_ID, "other"]) == {}
    found = await store.consultant_by_email("SAMPLE@agency.test")
    assert found == made


async def test_a_sign_in_link_is_used_once_and_forgotten_in_time(wire_server: MongoWireServer) -> None:
    store = store_on(wire_server.uri, "desk_links")
    await store.create_indexes()
    assert await store.desk.use_link("old", now() - timedelta(days=2))
    assert await store.desk.use_link("new", now() + timedelta(minutes=15))
    assert not await store.desk.use_link("new", now() + timedelta(minutes=15))
    kept = [one["_id"] async for one in store.mongo.collection("used_links").find({})]
    assert kept == ["new"]


def test_the_commands_work_on_the_configured_server(
    wire_server: MongoWireServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MONGODB_URI", wire_server.uri)
    monkeypatch.setenv("MONGODB_DATABASE", "desk_commands")
    monkeypatch.chdir(tmp_path)
    add = ["consultants", "add", "--name", "Sample Person", "--email", "a@agency.test", "--admin"]
    assert [run(add), run(add)] == [0, 0]
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    file = tmp_path / "consultants.csv"
    assert run(["consultants", "export", str(file)]) == 0
    file.write_text(file.read_text() + "b@agency.test,Other Person" + "," * 10 + os.linesep)
    assert run(["consultants", "import", str(file)]) == 0
    assert "1 added, 0 changed, 1 unchanged, 0 refused" in capsys.readouterr().out

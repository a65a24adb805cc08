"""`replay` and `tune` on the records of a running service, and earlier revisions over HTTP."""

from pathlib import Path

import pytest

from services.matching.__main__ import main
from services.matching.commands import DIFFERENT, IDENTICAL, NOT_FOUND, replay, tune
from services.matching.history import History
from services.matching.settings import read_overrides
from shared.events.audit import AUDIT
from shared.events.feedback import Decision
from shared.settings import Misconfigured
from tests.matching.test_flow import (
    FAIR,
    GOOD,
    NEED,
    WANTED,
    Kafka,
    _quick,  # noqa: F401 - a fixture
    kafka,  # noqa: F401 - a fixture
    matching,
)
from tests.support import records, until


async def test_a_past_ranking_is_replayed_with_the_decisions_on_it(
    kafka: Kafka,  # noqa: F811 - the fixture
    capsys: pytest.CaptureFixture[str],
) -> None:
    await kafka.candidates(FAIR, GOOD)
    await kafka.needs(WANTED)
    history = History(kafka.bootstrap)
    async with matching(kafka) as client:
        (first,) = await kafka.revisions(1)
        await kafka.decide("good", Decision.DECLINED)
        _, second = await kafka.revisions(2)
        earlier = await client.get(f"/api/shortlists/{NEED}?revision={first.revision}")
        assert earlier.json() == first.model_dump(mode="json", exclude_none=True)
        current = await client.get(f"/api/shortlists/{NEED}?revision={second.revision}")
        assert current.json() == second.model_dump(mode="json", exclude_none=True)
        assert (await client.get(f"/api/shortlists/{NEED}?revision=5")).status_code == 404

    assert await replay(history, NEED, first.revision) == IDENTICAL
    said = capsys.readouterr().out
    assert "\nidentical\n" in said
    assert f"{first.engine}, weights {first.weights}" in said
    assert "declined (rate): good, place 1" in said
    assert await replay(history, NEED, second.revision) == IDENTICAL
    assert "declined (rate): good, not listed" in capsys.readouterr().out
    assert await replay(history, NEED, 5) == NOT_FOUND
    assert await replay(history, "nobody", first.revision) == NOT_FOUND


async def test_an_altered_record_is_said_to_differ_and_where(
    kafka: Kafka,  # noqa: F811 - the fixture
    capsys: pytest.CaptureFixture[str],
) -> None:
    await kafka.candidates(FAIR, GOOD)
    await kafka.needs(WANTED)
    async with matching(kafka):
        (first,) = await kafka.revisions(1)
    (record,) = [one.event for one in await records(kafka.bootstrap, AUDIT)]
    assert record is not None
    better = record.candidates[1].model_copy(update={"skills": GOOD.skills})
    await kafka.out.publish(AUDIT, record.model_copy(update={"candidates": (record.candidates[0], better)}))
    assert await replay(History(kafka.bootstrap), NEED, first.revision) == DIFFERENT
    said = capsys.readouterr().out
    assert " differences:" in said
    assert "  entries/1/score: published" in said


async def test_tune_compares_weights_and_publishes_nothing(
    kafka: Kafka,  # noqa: F811 - the fixture
    capsys: pytest.CaptureFixture[str],
) -> None:
    await kafka.candidates(FAIR, GOOD)
    await kafka.needs(WANTED)
    history = History(kafka.bootstrap)
    async with matching(kafka):
        await kafka.revisions(1)
        assert await tune(history, {}) == IDENTICAL
        assert "nothing to compare" in capsys.readouterr().out
        await kafka.decide("good", Decision.ACCEPTED)
        await kafka.decide("fair", Decision.PLACED)
        await until(lambda: kafka.count(AUDIT, 1))
    assert await tune(history, {}) == IDENTICAL
    assert "nothing to compare" in capsys.readouterr().out, "both are welcome"


def test_a_file_of_weights_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "weights.yaml"
    file.write_text("default: {skills: 60}\ndata: {role_fit: 30}\n")
    assert read_overrides(file) == {"default": {"skills": 60.0}, "data": {"role_fit": 30.0}}
    for wrong, said in (
        ("data: {luck: 3}", "luck is not a weight"),
        ("data: {skills: -1}", "skills is not a number from 0 to 1000"),
        ("data: {skills: many}", "skills is not a number"),
        ("[1, 2]", "names with weights under each"),
        ("{", "weights.yaml"),
    ):
        file.write_text(wrong)
        with pytest.raises(Misconfigured, match=said):
            read_overrides(file)


def test_commands_need_a_kafka(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["replay", NEED, "1"])
    assert ended.value.code == 2
    assert "KAFKA_BOOTSTRAP_SERVERS is not set" in capsys.readouterr().err

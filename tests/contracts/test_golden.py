"""Golden messages: what was once on a topic must stay readable. Files are added, never edited."""

import json
from pathlib import Path

import pytest

from shared.events.candidate import Candidate
from shared.events.registry import TOPICS
from shared.events.topic import Topic
from shared.events.wire import decode, encode
from tests.contracts.golden import FOLDER, golden_files


def test_every_topic_has_a_golden_message() -> None:
    assert {topic.name for topic in TOPICS} == {path.parent.name for path in golden_files()}


@pytest.mark.parametrize("path", golden_files(), ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_golden_message_is_readable_and_loses_nothing(path: Path) -> None:
    topic: Topic = next(topic for topic in TOPICS if topic.name == path.parent.name)  # type: ignore[type-arg]
    golden = json.loads(path.read_text())
    body = json.dumps(golden["body"]).encode()
    headers = [(name, value.encode()) for name, value in golden["headers"].items()]
    record = decode(topic, golden["key"].encode(), body, headers)
    assert record.event is not None
    written = json.loads(record.event.model_dump_json(exclude_none=True))
    assert _contains(written, golden["body"]), "a field of the golden message was lost or changed"
    again = encode(topic, record.event, source=topic.producers[0])
    assert dict(again[2]).keys() <= {name for name, _ in headers} | {"traceparent"}


def _contains(whole: object, part: object) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            _contains(whole.get(key), value) for key, value in part.items()
        )
    if isinstance(part, list):
        same_length = isinstance(whole, list) and len(whole) == len(part)
        return same_length and all(map(_contains, whole, part))  # type: ignore[call-overload]
    return whole == part


def test_topics_follow_the_agreed_pattern() -> None:
    for topic in TOPICS:
        assert topic.name.endswith(".v1")
        assert topic.compacted != (topic.retention is not None), "compacted or kept for a time, not both"
        assert topic.key in topic.event.model_fields
        assert {"revision", "occurred_at"} <= topic.event.model_fields.keys()
        assert topic.settings()
    partitions = {topic.name: topic.partitions for topic in TOPICS}
    assert partitions["intake.needs.v1"] == partitions["matching.shortlists.v1"], "matching relies on it"


def test_no_candidate_event_can_carry_what_could_discriminate() -> None:
    fields = _property_names(Candidate.model_json_schema())
    assert {"skills", "region", "languages"} <= fields, "the schema is looked through"
    personal = {"gender", "age", "birth_date", "nationality", "photo", "school"}
    personal |= {"name", "street", "email", "phone", "text"}
    assert not fields & personal


def _property_names(schema: object) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(_property_names, schema))
    if not isinstance(schema, dict):
        return set()
    return set(schema.get("properties", {})).union(*map(_property_names, schema.values()))

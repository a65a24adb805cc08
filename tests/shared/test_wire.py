from datetime import UTC, datetime

import pytest

from shared.events.need import NEEDS
from shared.events.skill import SKILLS
from shared.events.unmapped import UNMAPPED, UnmappedTerm
from shared.events.wire import BadRecord, decode, encode, encode_tombstone

WHEN = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def term(revision: int = 7) -> UnmappedTerm:
    return UnmappedTerm(revision=revision, occurred_at=WHEN, term="cobol 85", seen=3)


def test_an_event_comes_back_as_it_was_sent() -> None:
    sent = term()
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    key, value, headers = encode(UNMAPPED, sent, source="intake", traceparent=trace)
    read = decode(UNMAPPED, key, value, headers)
    assert read.event == sent
    assert (read.key, read.revision) == ("cobol 85", 7)
    assert read.traceparent == trace


def test_headers_are_cloudevents_in_binary_mode() -> None:
    headers = dict(encode(UNMAPPED, term(), source="intake")[2])
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_source"] == b"/intake"
    assert headers["ce_type"] == b"intake.unmapped.v1"
    assert headers["content-type"] == b"application/json"
    assert headers["ce_time"].endswith(b"Z")
    assert {"ce_id"} <= headers.keys()


def test_a_tombstone_carries_its_revision_in_a_header() -> None:
    key, value, headers = encode_tombstone(SKILLS, "php", 12, source="catalog")
    read = decode(SKILLS, key, value, headers)
    assert (read.key, read.revision, read.event) == ("php", 12, None)


def test_fields_of_newer_producers_are_ignored() -> None:
    key, value, headers = encode(UNMAPPED, term(), source="intake")
    newer = value[:-1] + b',"colour":"blue"}'
    assert decode(UNMAPPED, key, newer, headers).event is not None


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        (None, b"{}", "key is null"),
        (b"\xff", b"{}", "not UTF-8"),
        (b"x", b"not json", "Invalid JSON"),
        (b"x", b"{}", "revision"),
        (b"x", None, "not compacted"),
        (b"other", term().model_dump_json().encode(), "key is not the event's term"),
    ],
)
def test_a_record_at_fault_is_told_apart_with_its_reason(
    key: bytes | None, value: bytes | None, why: str
) -> None:
    with pytest.raises(BadRecord, match=why):
        decode(UNMAPPED, key, value, ())


@pytest.mark.parametrize("revision", [None, b"", b"soon", b"\xff"])
def test_a_tombstone_without_a_readable_revision_is_at_fault(revision: bytes | None) -> None:
    headers = () if revision is None else (("revision", revision),)
    with pytest.raises(BadRecord, match="revision header"):
        decode(NEEDS, b"n", None, headers)


def test_the_reason_of_a_bad_record_does_not_repeat_its_values() -> None:
    body = b'{"revision": 1, "occurred_at": "jane.canary@example.com", "term": "x", "seen": 1}'
    with pytest.raises(BadRecord) as caught:
        decode(UNMAPPED, b"x", body, ())
    assert "canary" not in str(caught.value)

import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    OperationFailure,
    ServerSelectionTimeoutError,
)

from shared.outage import Refused, Unavailable, is_outage, reason


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("gone"),
        ServerSelectionTimeoutError("none"),
        KafkaConnectionError("none"),
        TopicAuthorizationFailedError("no right"),
        OperationFailure("Authentication failed.", 18),
        OperationFailure("out of disk space", 14031),
        BulkWriteError({"writeErrors": [{"index": 0, "code": 14031}], "writeConcernErrors": []}),
        BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64}]}),
        Unavailable("the catalogue is not read yet"),
        ConnectionRefusedError(),
    ],
)
def test_what_a_dependency_does_to_us_is_an_outage(error: Exception) -> None:
    assert is_outage(error)


@pytest.mark.parametrize(
    "error",
    [
        KeyError("x"),
        ValueError("x"),
        Refused("x"),
        DuplicateKeyError("x"),
        OperationFailure("bad", 2),
        BulkWriteError({"writeErrors": [{"index": 0, "code": 2}]}),
    ],
)
def test_what_is_the_records_or_our_own_fault_is_none(error: Exception) -> None:
    assert not is_outage(error)


def test_an_outage_behind_another_error_is_found() -> None:
    outer = RuntimeError("writing failed")
    outer.__cause__ = AutoReconnect("gone")
    assert is_outage(outer)


def test_a_reason_is_one_short_line() -> None:
    driver = ServerSelectionTimeoutError(
        "127.0.0.1:9: refused (configured timeouts: …), Timeout: 3s, Topology Description: <…>"
    )
    assert reason(driver) == "no MongoDB server answers: 127.0.0.1:9: refused"
    assert reason(KafkaConnectionError("no broker")).count("KafkaConnectionError") == 1

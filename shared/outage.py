"""Tells what is our dependencies' fault from what is the record's or ours.

An outage is waited for without end and never dead-lettered; anything else is retried a few times and then
dead-lettered. See docs/decisions/0003.
"""

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    ProducerClosed,
    TopicAuthorizationFailedError,
)
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
)


class Unavailable(Exception):  # noqa: N818 - the condition, as HTTP's 503 names it
    """Something this needs is away or not ready yet; trying later will help. The message names it."""


class Refused(Exception):  # noqa: N818 - what the domain did with the record
    """The domain refuses this record; trying again will not help. The message says why."""


_OUTAGES = (
    Unavailable,
    ConnectionError,
    TimeoutError,
    ConnectionFailure,
    ExecutionTimeout,
    WriteConcernError,
    KafkaConnectionError,
    KafkaTimeoutError,
    # Rights that were taken away are given back; until then no record is to blame.
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    ProducerClosed,
)

_SERVER_CODES = frozenset({13, 18, 8000, 14031})
"""MongoDB's answers that say nothing of the record: not authorized, authentication failed (8000 is Atlas's),
out of disk space."""


def is_outage(error: BaseException) -> bool:
    """Whether `error`, or what caused it, says that something we depend on is away."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, _OUTAGES):
            return True
        if isinstance(current, KafkaError) and current.retriable:
            return True
        if isinstance(current, OperationFailure) and current.code in _SERVER_CODES:
            return True
        if isinstance(current, BulkWriteError) and _met_an_outage(current):
            return True
        if isinstance(current, PyMongoError) and current.has_error_label("RetryableWriteError"):
            return True
        current = current.__cause__
    return False


def _met_an_outage(error: BulkWriteError) -> bool:
    """A bulk's error has a code of its own; what its writes met stands in the details."""
    details = error.details or {}
    failed = details.get("writeErrors") or []
    return bool(failed or details.get("writeConcernErrors")) and all(
        one.get("code") in _SERVER_CODES for one in failed
    )


def reason(error: BaseException) -> str:
    """One line for a person: what went wrong, without the values that were handled."""
    if isinstance(error, ServerSelectionTimeoutError):
        # The driver appends its view of the whole topology.
        return f"no MongoDB server answers: {str(error).partition(' (configured')[0][:200]}"
    text = str(error).split("\n", 1)[0][:300].removeprefix(f"{type(error).__name__}: ")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__

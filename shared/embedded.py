"""Engines inside this process, for trying and testing. Nothing of them is kept, and no image carries them.

Kafka is librdkafka's in-process cluster (real wire protocol, in memory, about 5 MB a partition), MongoDB is
mongomock-motor, the mail relay is a real SMTP server that keeps what it accepts.
"""

import asyncio
import ctypes
import email
import email.policy
import socket
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import confluent_kafka
from aiosmtpd.smtp import SMTP, Envelope, Session
from mongomock.collection import BulkOperationBuilder, Collection
from mongomock.filtering import filter_applies
from mongomock_motor import AsyncMongoMockClient

from shared.events.registry import DEAD_LETTERS, TOPICS

_PRODUCER = 0
_KEEP_MAILS = 2000


class EmbeddedKafka:
    """librdkafka's mock cluster, through its C interface: it alone sets partitions and faults.

    CreateTopics is refused by it, so all topics of the registry are made here. `bootstrap` is its address.
    """

    def __init__(self, brokers: int = 1) -> None:
        self._library = _librdkafka()
        complaint = ctypes.create_string_buffer(512)
        configuration = self._library.rd_kafka_conf_new()
        self._library.rd_kafka_conf_set(configuration, b"log_level", b"0", complaint, len(complaint))
        # The cluster hangs on a client handle that is otherwise unused.
        self._handle = self._library.rd_kafka_new(_PRODUCER, configuration, complaint, len(complaint))
        if not self._handle:
            raise RuntimeError(f"the embedded Kafka did not start: {complaint.value.decode()}")
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._handle, brokers)
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        self.bootstrap: str = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()
        topics = [(topic.name, topic.partitions) for topic in TOPICS]
        topics += [(dead.name, dead.partitions) for dead in DEAD_LETTERS.values()]

        def create_all() -> None:
            for name, partitions in topics:
                self._create(name, partitions)

        self._order(create_all)

    def create_topic(self, name: str, partitions: int) -> None:
        self._order(lambda: self._create(name, partitions))

    def empty_topic(self, name: str, partitions: int) -> None:
        """Delete a topic with all its records and make it anew."""
        self._order(lambda: self._library.rd_kafka_mock_topic_delete(self._cluster, name.encode()))
        self.create_topic(name, partitions)

    def set_down(self, broker: int = 1) -> None:
        """Take a broker away: its connections close and new ones are refused."""
        self._order(lambda: self._library.rd_kafka_mock_broker_set_down(self._cluster, broker))

    def set_up(self, broker: int = 1) -> None:
        self._order(lambda: self._library.rd_kafka_mock_broker_set_up(self._cluster, broker))

    def stop(self) -> None:
        """End the cluster. Idempotent."""
        if self._cluster:
            self._order(lambda: self._library.rd_kafka_mock_cluster_destroy(self._cluster))
            self._library.rd_kafka_destroy(self._handle)
            self._cluster = None

    def _create(self, name: str, partitions: int) -> None:
        code = self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1)
        if code:
            raise RuntimeError(f"the embedded Kafka refused topic {name}: code {code}")

    def _order(self, order: Callable[[], object]) -> None:
        """Give the cluster an order and wait until it is done.

        Its thread sometimes sleeps through one for a second; a new connection wakes it.
        """
        host, _, port = self.bootstrap.partition(",")[0].rpartition(":")
        with ThreadPoolExecutor(1) as threads:
            done = threads.submit(order)
            while not done.done():
                with suppress(OSError):
                    socket.create_connection((host, int(port)), timeout=1).close()
                with suppress(TimeoutError):
                    done.result(timeout=0.005)
            done.result()


def _librdkafka() -> ctypes.CDLL:
    """The library that the confluent-kafka wheel bundles."""
    package = Path(confluent_kafka.__file__).parent
    bundled = [
        *package.parent.glob("confluent_kafka.libs/librdkafka*"),
        *package.glob(".dylibs/librdkafka*"),
        *package.glob("cimpl*.so"),
    ]
    library = ctypes.CDLL(str(bundled[0]))
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "rd_kafka_conf_new": (pointer, []),
        "rd_kafka_conf_set": (number, [pointer, text, text, text, ctypes.c_size_t]),
        "rd_kafka_new": (pointer, [number, pointer, text, ctypes.c_size_t]),
        "rd_kafka_destroy": (None, [pointer]),
        "rd_kafka_mock_cluster_new": (pointer, [pointer, number]),
        "rd_kafka_mock_cluster_destroy": (None, [pointer]),
        "rd_kafka_mock_cluster_bootstraps": (text, [pointer]),
        "rd_kafka_mock_topic_create": (number, [pointer, text, number, number]),
        "rd_kafka_mock_topic_delete": (number, [pointer, text]),
        "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_broker_set_down": (number, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_broker_set_up": (number, [pointer, ctypes.c_int32]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def embedded_mongo() -> Any:
    """An in-memory MongoDB client with motor's interface."""
    _let_bulk_writes_through()
    _take_ids_directly()
    return AsyncMongoMockClient()


def _let_bulk_writes_through() -> None:
    """pymongo >= 4.11 passes `sort` to bulk operations, which mongomock refuses (mongomock#912)."""
    for name in ("add_update", "add_replace"):
        original: Callable[..., Any] = getattr(BulkOperationBuilder, name)
        if getattr(original, "swallows_sort", False):
            continue

        def tolerant(
            *arguments: Any, original: Callable[..., Any] = original, sort: Any = None, **named: Any
        ) -> Any:
            return original(*arguments, **named)

        tolerant.swallows_sort = True  # type: ignore[attr-defined]
        setattr(BulkOperationBuilder, name, tolerant)


def _take_ids_directly() -> None:
    """mongomock compares every document even where the filter names an `_id`: 5 ms among 2,000."""
    original: Callable[..., Any] = Collection._iter_documents
    if getattr(original, "takes_ids_directly", False):
        return

    def matching(collection: Collection, criteria: Any) -> Any:
        key = criteria.get("_id") if isinstance(criteria, dict) else None
        keys = key["$in"] if isinstance(key, dict) and {*key} == {"$in"} else [key]
        store = collection._store
        if store.is_empty or not all(isinstance(each, str) for each in keys):
            return original(collection, criteria)
        rest = {name: value for name, value in criteria.items() if name != "_id"}
        found = [store[each] for each in dict.fromkeys(keys) if each in store]
        return (document for document in found if filter_applies(rest, document))

    matching.takes_ids_directly = True  # type: ignore[attr-defined]
    Collection._iter_documents = matching  # type: ignore[method-assign]


@dataclass(frozen=True)
class CaughtMail:
    """A mail that the embedded relay accepted."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    accepted_at: datetime

    @property
    def message(self) -> EmailMessage:
        parsed = email.message_from_bytes(self.raw, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)  # noqa: S101 - policy.default makes no other kind
        return parsed


class EmbeddedSmtp:
    """A real SMTP server on loopback that accepts every mail and keeps the last ones in `mails`."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        self.mails: deque[CaughtMail] = deque(maxlen=_KEEP_MAILS)
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> None:
        """Listen; `port` 0 takes a free one."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, enable_SMTPUTF8=True, hostname="localhost", loop=loop), self.host, port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """aiosmtpd's hook, called after the final dot."""
        content = envelope.original_content or b""
        self.mails.append(
            CaughtMail(
                envelope.mail_from or "",
                tuple(envelope.rcpt_tos),
                content if isinstance(content, bytes) else content.encode(),
                datetime.now(UTC),
            )
        )
        return "250 Message accepted"

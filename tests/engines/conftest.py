"""Real Kafka and the MongoDB wire server, one of each for a whole run."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from shared.embedded import EmbeddedSmtp
from tests.engines.engines import MongoWireServer, RealKafka, missing


@pytest.fixture(scope="session")
def real_kafka() -> Iterator[RealKafka]:
    if problem := missing():
        pytest.fail(problem)
    with RealKafka() as kafka:
        yield kafka


@pytest.fixture(scope="session")
def wire_server() -> Iterator[MongoWireServer]:
    if problem := missing():
        pytest.fail(problem)
    with MongoWireServer() as server:
        yield server


@pytest.fixture
async def smtp() -> AsyncIterator[EmbeddedSmtp]:
    server = EmbeddedSmtp()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path

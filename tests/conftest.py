"""Fixtures for all tests: the embedded engines, fresh for each test."""

from collections.abc import AsyncIterator

import pytest

from shared.log import configure_logging
from shared.run import Surroundings
from tests.support import embedded_surroundings


@pytest.fixture(autouse=True, scope="session")
def _logging() -> None:
    configure_logging("WARNING", json_lines=False)


@pytest.fixture
async def given() -> AsyncIterator[Surroundings]:
    async with embedded_surroundings() as surroundings:
        yield surroundings

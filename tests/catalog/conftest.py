"""Fixtures of catalog's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from shared.run import Surroundings
from tests.catalog.support import catalog_app, folder_with, small
from tests.support import running


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return folder_with(small(), tmp_path / "data")


@pytest.fixture
async def client(given: Surroundings, data: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with running(catalog_app(given, data)) as client:
        yield client

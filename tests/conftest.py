"""Fixtures for all tests: the embedded engines, fresh for each test."""

import os
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, settings

from shared.log import configure_logging
from shared.run import Surroundings
from tests.support import embedded_surroundings

# The same examples in every run, however slow the machine is: a property that fails does so for everybody.
# HYPOTHESIS_PROFILE=search looks for new ones.
_patient = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], print_blob=True
)
settings.register_profile("same", _patient, derandomize=True, database=None)
settings.register_profile("search", _patient, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(autouse=True, scope="session")
def _logging() -> None:
    configure_logging("WARNING", json_lines=False)


@pytest.fixture
async def given() -> AsyncIterator[Surroundings]:
    async with embedded_surroundings() as surroundings:
        yield surroundings

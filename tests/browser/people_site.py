"""Intake alone with a small catalogue, as candidates' and consultants' browsers meet it."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, ClassVar

from fastapi import FastAPI

from services.intake.app import build
from tests.browser.live_site import LiveSite
from tests.intake.support import a_need, publish_catalogue


class PeopleSite(LiveSite):
    variables: ClassVar[Mapping[str, str]] = {
        # Tests fill in forms at once, and all come from one address.
        "INTAKE_FORM_SECONDS": "0",
        "INTAKE_RATE_BURST": "1000",
        "INTAKE_RATE_PER_SECOND": "100",
    }

    async def build(self, stack: AsyncExitStack) -> FastAPI:
        await publish_catalogue(self.given.kafka_bootstrap)
        return build(self.given)

    def need(self) -> dict[str, Any]:
        return self.post("/api/needs", a_need())

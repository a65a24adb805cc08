"""Publishes the model that all replicas rank with. One replica does: the holder of needs partition 0."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

from services.matching.pool import SERVICE, Pool
from services.matching.ranker import Ranker
from services.matching.rarity import due, model_of
from services.matching.settings import MatchingSettings
from shared.events.model import MODEL
from shared.events.wire import Record
from shared.log import get_logger
from shared.publisher import Publisher


class Modeller:
    def __init__(self, pool: Pool, ranker: Ranker, publisher: Publisher, settings: MatchingSettings) -> None:
        self._pool = pool
        self._ranker = ranker
        self._publisher = publisher
        self._settings = settings
        self._weights, self._overrides = settings.weighing()

    async def run(self) -> None:
        """Renew the model whenever it is due, until cancelled; see `rarity.due`."""
        for table in (self._pool.candidates, self._pool.models):
            await table.until_caught_up()
        await self._pool.catalogue.until_seen()
        while True:
            self._ranker.assigned.clear()
            if self._ranker.leads:
                await self._renew()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.model_check_seconds):
                    await self._ranker.assigned.wait()

    async def _renew(self) -> None:
        await self._pool.models.until_current()
        now = datetime.now(UTC)
        candidates = await self._pool.in_index(self._pool.index.__len__)
        if not due(self._pool.model, candidates, now.date(), self._weights, self._overrides):
            return
        frequency = await self._pool.in_index(
            self._pool.index.document_frequency, self._pool.catalogue.taxonomy
        )
        model = model_of(frequency, candidates, self._weights, self._pool.model, now, self._overrides)
        await self._publisher.publish(MODEL, model)
        self._pool.models.apply(Record("model", model.revision, model))
        get_logger(SERVICE).info("model_published", candidates=candidates, skills=len(model.rarity))

"""Skill names that the taxonomy does not know: screened, counted, published for the catalogue's keepers."""

from collections.abc import Iterable
from typing import Any

from services.intake.domain.lexicon import publishable
from services.intake.store import TermStore
from shared.events.unmapped import UNMAPPED, UnmappedTerm
from shared.kafka import Kafka
from shared.mongo import Mongo
from shared.outbox import Outbox


class Terms:
    def __init__(self, mongo: Mongo, kafka: Kafka) -> None:
        self.store = TermStore(mongo)
        self.outbox: Outbox[UnmappedTerm] = Outbox(self.store.collection, UNMAPPED, kafka, _event_of)

    async def met(self, terms: Iterable[str], private: Iterable[str | None]) -> None:
        """Count each term once, but for those that could say something of a person."""
        for term in publishable(terms, private):
            await self.store.count(term, 1, self.outbox.stamp())
            self.outbox.publish_soon(term)


def _event_of(document: dict[str, Any]) -> UnmappedTerm:
    return UnmappedTerm(
        term=document["_id"],
        seen=document["seen"],
        revision=document["revision"],
        occurred_at=document["occurred_at"],
    )

"""Skill names that the taxonomy does not know: screened, counted, published for the catalogue's keepers."""

import asyncio
from collections.abc import Iterable
from typing import Any

from services.intake.domain.lexicon import publishable
from services.intake.store import TermStore, digest
from shared.events.unmapped import UNMAPPED, UnmappedTerm
from shared.kafka import Kafka
from shared.mongo import Mongo
from shared.outbox import Outbox


class Terms:
    def __init__(self, mongo: Mongo, kafka: Kafka) -> None:
        self.store = TermStore(mongo)
        self.outbox: Outbox[UnmappedTerm] = Outbox(self.store.collection, UNMAPPED, kafka, _event_of)

    async def met(self, terms: Iterable[str], private: Iterable[str | None], entity_id: str) -> None:
        """Count each term once, but for those that could say something of a person.

        `entity_id` is the need or candidate that used them.
        """
        await asyncio.gather(*(self._count(term, entity_id) for term in publishable(terms, private)))

    async def _count(self, term: str, entity_id: str) -> None:
        # Hashed with the term: what one entity used cannot be put together again.
        await self.store.count(term, digest(term, entity_id), self.outbox.stamp())
        self.outbox.publish_soon(term)


def _event_of(document: dict[str, Any]) -> UnmappedTerm | None:
    """None until two different needs or candidates have used the term.

    No filter tells every name of a third person ("Jean Dupont") from the name of a skill. What only one
    client or candidate ever wrote may be such a name, and helps the catalogue's keepers little; a skill that
    is missing from the taxonomy is asked for again.
    """
    if "user_2" not in document and document.get("published_revision") is None:
        return None
    return UnmappedTerm(
        term=document["_id"],
        seen=document["seen"],
        revision=document["revision"],
        occurred_at=document["occurred_at"],
    )

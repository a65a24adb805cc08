"""Skill names that intake could not place, as kept for the curators: how often and when they were met.

Taken from the stream alone, which holds 90 days of them; what was decided of a term is kept here only.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from shared.events.unmapped import UnmappedTerm
from shared.mongo import Collection, Mongo
from shared.outbox import Document


class State(StrEnum):
    """What became of a term: still open, a name of a skill, a skill of its own, or none of our business."""

    OPEN = "open"
    ALIAS = "alias"
    SKILL = "skill"
    IGNORED = "ignored"


class TermStore:
    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._collection: Collection = mongo.collection("unmapped")

    async def create_indexes(self) -> None:
        await self._collection.create_index([("state", 1), ("seen", -1), ("_id", 1)])

    async def note(self, event: UnmappedTerm) -> Document | None:
        """Count what `event` says of its term. The term as it is now; None where that was known already."""
        first: Document = {
            "seen": event.seen,
            "first_seen_at": event.occurred_at,
            "last_seen_at": event.occurred_at,
            "revision": -1,
            "state": State.OPEN.value,
        }
        await self._collection.update_one({"_id": event.term}, {"$setOnInsert": first}, upsert=True)
        newer = {"seen": event.seen, "last_seen_at": event.occurred_at, "revision": event.revision}
        older = {"_id": event.term, "revision": {"$lt": event.revision}}
        result = await self._collection.update_one(older, {"$set": newer})
        return await self.find(event.term) if result.matched_count else None

    async def find(self, term: str) -> Document | None:
        self._mongo.require()
        found: Document | None = await self._collection.find_one({"_id": term})
        return found

    async def decide(self, term: str, state: State, skill: str | None, by: str | None) -> None:
        """`by` None: nobody did, the catalogue itself came to know the term or lost it."""
        decided: Mapping[str, Any] = {
            "state": state.value,
            "skill": skill,
            "decided_by": by,
            "decided_at": None if state is State.OPEN else datetime.now(UTC),
        }
        await self._collection.update_one({"_id": term}, {"$set": decided})

    async def is_empty(self) -> bool:
        return await self._collection.find_one({}, {"_id": 1}) is None

    async def all_open(self) -> list[str]:
        found = self._collection.find({"state": State.OPEN.value}, {"_id": 1})
        return [str(each["_id"]) async for each in found]

    async def count_open(self) -> int:
        self._mongo.require()
        return int(await self._collection.count_documents({"state": State.OPEN.value}))

    async def page(self, state: State, limit: int, after: tuple[int, str] | None) -> list[Document]:
        """The most frequent first, then by name; `after` is the (seen, term) that ended the page before."""
        self._mongo.require()
        wanted: Document = {"state": state.value}
        if after is not None:
            seen, term = after
            wanted["$or"] = [{"seen": {"$lt": seen}}, {"seen": seen, "_id": {"$gt": term}}]
        found = self._collection.find(wanted).sort([("seen", -1), ("_id", 1)]).limit(limit)
        documents: list[Document] = await found.to_list(limit)
        return documents

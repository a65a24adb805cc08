"""What rights and retention ask of the collections: who is to be told, who is due, what is still open."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from uuid_utils import uuid7

from services.intake.store_entities import Document, now
from shared.events.erasure import Subject
from shared.events.need import NeedState
from shared.mongo import Mongo

_ALIVE: Document = {"erased": {"$exists": False}}


class RightsStore:
    def __init__(self, mongo: Mongo) -> None:
        self._candidates = mongo.collection("candidates")
        self._needs = mongo.collection("needs")
        self._exports = mongo.collection("exports")
        self._reveals = mongo.collection("reveals")

    async def create_indexes(self) -> None:
        for field in ("inform", "contacted_at", "erased"):
            await self._candidates.create_index(field)
        await self._needs.create_index("erased")
        await self._needs.create_index([("need.status", 1), ("occurred_at", 1)])
        await self._exports.create_index("candidate_id")

    async def to_inform(self, limit: int) -> list[Document]:
        """Candidates who were not told yet that somebody else gave their data."""
        cursor = self._candidates.find({"inform": True} | _ALIVE).limit(limit)
        return [document async for document in cursor]

    async def set_aside(self, candidate_id: str, fields: Mapping[str, Any]) -> None:
        """Set fields that are no part of the revision: what was told to the person, and when."""
        await self._candidates.update_one({"_id": candidate_id} | _ALIVE, {"$set": dict(fields)})

    async def to_warn(self, since: datetime, limit: int) -> list[Document]:
        """Candidates whose last contact was before `since`, and who were not told what follows from it."""
        condition = {"contacted_at": {"$lt": since}, "warned_at": None}
        cursor = self._candidates.find(condition | _ALIVE).limit(limit)
        return [document async for document in cursor]

    async def due(self, since: datetime, warned: datetime, limit: int) -> list[Document]:
        """As `to_warn`, for those who were told before `warned`."""
        condition = {"contacted_at": {"$lt": since}, "warned_at": {"$lt": warned}}
        cursor = self._candidates.find(condition | _ALIVE).limit(limit)
        return [document async for document in cursor]

    async def date_contacts(self) -> None:
        """Who has no noted contact (restored, or stored by an older version) counts from their arrival."""
        undated: Document = {"contacted_at": None}
        async for document in self._candidates.find(undated | _ALIVE, {"created_at": 1}):
            await self._candidates.update_one(
                {"_id": document["_id"]} | undated | _ALIVE,
                {"$set": {"contacted_at": document["created_at"]}},
            )

    async def closed_needs(self, before: datetime, limit: int) -> list[Document]:
        condition = {"need.status": {"$ne": NeedState.OPEN.value}, "occurred_at": {"$lt": before}}
        return [document async for document in self._needs.find(condition | _ALIVE).limit(limit)]

    async def unconfirmed(self, limit: int) -> list[tuple[Subject, Document]]:
        """Stubs of which intake has not said itself yet that nothing more is held."""
        condition = {"erased": True, "confirmed.intake": {"$exists": False}}
        found: list[tuple[Subject, Document]] = []
        for subject, collection in (
            (Subject.CANDIDATE, self._candidates),
            (Subject.NEED, self._needs),
        ):
            async for stub in collection.find(condition, {"revision": 1}).limit(limit):
                found.append((subject, stub))
        return found

    async def confirmed(self, subject: Subject, key: str, at: datetime) -> None:
        collection = self._candidates if subject is Subject.CANDIDATE else self._needs
        await collection.update_one({"_id": key, "erased": True}, {"$set": {"confirmed.intake": at}})

    async def named_files(self, candidate_ids: list[str]) -> set[str]:
        """The ids of the files that these candidates' documents name."""
        found = self._candidates.find({"_id": {"$in": candidate_ids}}, {"file": 1})
        return {document["file"]["id"] async for document in found if document.get("file")}

    async def note_export(self, candidate_id: str, owner: str | None, by: str) -> None:
        """`by` is `key:<owner>` or `person`. Ids alone: the record outlives an erasure."""
        record = {"candidate_id": candidate_id, "owner": owner, "by": by, "at": now()}
        await self._exports.insert_one({"_id": str(uuid7())} | record)

    async def reveals(self, candidate_id: str) -> list[Document]:
        """Who of the agency saw the candidate's name and contacts, oldest first."""
        cursor = self._reveals.find({"candidate_id": candidate_id}).sort("at", 1).limit(1000)
        return [record async for record in cursor]

    async def exports(self, condition: Document, after: str | None, limit: int) -> list[Document]:
        """Newest first."""
        if after:
            condition = condition | {"_id": {"$lt": after}}
        cursor = self._exports.find(condition).sort("_id", -1).limit(limit)
        return [record async for record in cursor]

"""Candidates in MongoDB, and which of them an owner's external id stands for."""

import re
from datetime import datetime
from typing import ClassVar

from pymongo.errors import DuplicateKeyError

from services.intake.store_entities import Document, Entities, digest, pattern_of
from shared.mongo import Mongo

MOST_MERGES = 20
"""One after the other; nobody is merged so often."""


class CandidateStore(Entities):
    """Candidates, and which of them an owner's external id stands for."""

    readable: ClassVar[Document] = {"given": {"$ne": None}}

    def __init__(self, mongo: Mongo) -> None:
        super().__init__(mongo.collection("candidates"))
        self.external_ids = mongo.collection("external_ids")

    async def create_indexes(self) -> None:
        await self.collection.create_index([("owner", 1), ("_id", -1)])
        await self.collection.create_index([("listed", 1), ("basis_until", 1)])
        await self.collection.create_index("read_with")
        await self.collection.create_index("inform")
        await self.collection.create_index("contacted_at")
        await self.collection.create_index("erased")
        await self.external_ids.create_index("candidate_id")

    async def claim_external_id(self, owner: str, external_id: str, candidate_id: str) -> str:
        """The candidate that the external id stands for: `candidate_id`, or the one that had it before."""
        key = digest(owner, external_id)
        try:
            await self.external_ids.insert_one({"_id": key, "candidate_id": candidate_id})
        except DuplicateKeyError:
            found = await self.external_ids.find_one({"_id": key})
            return str(found["candidate_id"]) if found else candidate_id
        return candidate_id

    async def release_external_id(self, owner: str, external_id: str, candidate_id: str) -> None:
        await self.external_ids.delete_one({"_id": digest(owner, external_id), "candidate_id": candidate_id})

    async def release_external_ids(self, candidate_id: str) -> None:
        """Let go of whatever stands for a candidate that is erased."""
        await self.external_ids.delete_many({"candidate_id": candidate_id})

    async def note_contact(self, candidate_id: str, at: datetime) -> None:
        """A later contact than the one noted. Outside of the revision: nothing of it leaves intake."""
        await self.collection.update_one(
            {"_id": candidate_id, "contacted_at": {"$not": {"$gte": at}}, "erased": {"$exists": False}},
            {"$set": {"contacted_at": at, "warned_at": None}},
        )

    async def pass_external_ids(self, candidate_id: str, to: str) -> None:
        """What stood for one candidate stands for another: their feeds update that one from now on."""
        await self.external_ids.update_many({"candidate_id": candidate_id}, {"$set": {"candidate_id": to}})

    async def note_merged(self, candidate_id: str, into: str) -> None:
        """The stub of a merged candidate points to the one that was kept."""
        stub = {"_id": candidate_id, "erased": True}
        await self.collection.update_one(stub, {"$set": {"merged_into": into}})

    async def find_merged(self, candidate_id: str) -> Document | None:
        """The candidate, or the one that it was merged into."""
        for _ in range(MOST_MERGES):
            found = await self.find(candidate_id)
            stub = None if found is not None else await self.find_stub(candidate_id)
            if stub is None or not stub.get("merged_into"):
                return found
            candidate_id = stub["merged_into"]
        return None

    async def note_consent(self, candidate_id: str, at: datetime) -> None:
        """The person consented themselves, just now: they need no notice that we have their data."""
        await self.collection.update_one(
            {"_id": candidate_id, "erased": {"$exists": False}},
            {"$set": {"registered": True, "inform": False, "consented_at": at}},
        )

    async def people(
        self,
        text: str,
        skill: str | None,
        role: str | None,
        *,
        listed: bool | None,
        after: str | None,
        limit: int,
    ) -> list[Document]:
        """Everybody whose name, contacts, ids, skills or roles fit; `text` as `loose` makes it, or empty."""
        condition: Document = {} if listed is None else {"listed": listed}
        if text:
            either: list[Document] = [{"search": {"$regex": pattern_of(text)}}]
            either += [{"facts.skills.skill": skill}] if skill else []
            either += [{"facts.roles.role": role}] if role else []
            if re.fullmatch(r"[0-9a-f ]{4,36}", text):
                # The code that pages and mails call a candidate by is the end of the id.
                either.append({"_id": {"$regex": f"{text.replace(' ', '-')}$"}})
            condition["$or"] = either
        return await self.page(condition, after, limit)

    async def ended_bases(self, today: str) -> list[Document]:
        cursor = self.collection.find(
            {"listed": True, "basis_until": {"$lt": today}}, {"revision": 1, "occurred_at": 1}
        )
        return [document async for document in cursor]

    async def search(
        self, owner: str | None, text: str | None, skill: str | None, after: str | None, limit: int
    ) -> list[Document]:
        """An owner's candidates (all with None) that hold `text` in name, ids or contacts, or `skill`."""
        condition: Document = {} if owner is None else {"owner": owner}
        if text:
            either: list[Document] = [{"search": {"$regex": pattern_of(text)}}]
            if skill:
                either.append({"facts.skills.skill": skill})
            condition["$or"] = either
        return await self.page(condition, after, limit)

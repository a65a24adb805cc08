"""What intake keeps in MongoDB: needs, candidates, its copy of the catalogue, unknown skill names."""

from collections.abc import Mapping
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from services.intake.store_candidates import CandidateStore
from services.intake.store_entities import Document, digest, now
from services.intake.store_needs import NeedStore
from shared.mongo import Mongo

__all__ = ["CandidateStore", "CatalogueStore", "Document", "NeedStore", "TermStore", "digest", "now"]


class CatalogueStore:
    """The last complete catalogue, so that needs are accepted with Kafka away."""

    def __init__(self, mongo: Mongo) -> None:
        self.collection = mongo.collection("catalogue")

    async def save(self, version: str, roles: list[str], skills: list[str]) -> None:
        """`roles` and `skills` are events as JSON. A newer version that another replica wrote stays."""
        revision = int(version.partition("-")[0])
        content = {"version": version, "revision": revision, "roles": roles, "skills": skills}
        try:
            await self.collection.update_one(
                {"_id": "catalogue", "revision": {"$lt": revision}}, {"$set": content}, upsert=True
            )
        except DuplicateKeyError:
            return

    async def load(self) -> Document | None:
        return await self.collection.find_one({"_id": "catalogue"})


class TermStore:
    """Skill names that the taxonomy does not know, how often each was met, and two of its users, hashed."""

    def __init__(self, mongo: Mongo) -> None:
        self.collection = mongo.collection("unmapped_terms")

    async def count(self, term: str, user: str, stamp: Mapping[str, Any]) -> None:
        """Add one. The revision grows with each: it is also the newest of two writes in a millisecond."""
        await self._note_user(term, user)
        done = await self.collection.find_one_and_update(
            {"_id": term, "revision": {"$lt": stamp["revision"]}},
            {"$inc": {"seen": 1}, "$set": dict(stamp)},
            upsert=False,
            return_document=ReturnDocument.AFTER,
        )
        if done is not None:
            return
        try:
            await self.collection.insert_one({"_id": term, "seen": 1, "user_1": user, **stamp})
        except DuplicateKeyError:
            await self._note_user(term, user)
            await self.collection.update_one(
                {"_id": term}, {"$inc": {"seen": 1, "revision": 1}, "$set": {"unpublished": True}}
            )

    async def forget_user(self, entity_id: str) -> None:
        """Forget the terms that an erased need or candidate alone has used: one may be somebody's name."""
        async for found in self.collection.find({"user_2": {"$exists": False}}, {"user_1": 1}):
            if found["user_1"] == digest(found["_id"], entity_id):
                await self.collection.delete_one(
                    {"_id": found["_id"], "user_1": found["user_1"], "user_2": {"$exists": False}}
                )

    async def _note_user(self, term: str, user: str) -> None:
        """Two fields and no list: it is bounded by its shape, and the second is written once."""
        await self.collection.update_one(
            {"_id": term, "user_1": {"$ne": user}, "user_2": {"$exists": False}}, {"$set": {"user_2": user}}
        )

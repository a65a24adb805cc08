"""Reveals, registrations that wait for their confirmation, and pairs of candidates that may be one person."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from services.intake.store_entities import Document, digest
from shared.mongo import Mongo

_ALIVE: Document = {"erased": {"$exists": False}}
_COMPARED: Document = {"keys": 1, "given.name": 1, "posts": 1, "facts.roles": 1}
_MOST_SHARING = 1000
"""Candidates noted for one key: an address in every line of an import says nothing of a person."""


class RevealStore:
    """Who saw whose name and contacts, when, and for which need. Ids alone: an erasure leaves them."""

    def __init__(self, mongo: Mongo) -> None:
        self.collection = mongo.collection("reveals")

    async def create_indexes(self) -> None:
        await self.collection.create_index([("candidate_id", 1), ("consultant_id", 1)])
        await self.collection.create_index([("consultant_id", 1), ("at", -1)])
        await self.collection.create_index("at")

    async def add(self, candidate_id: str, need: Document, consultant_id: str, at: datetime) -> bool:
        """Once for each candidate, need and consultant; False where it was recorded before."""
        try:
            await self.collection.insert_one(
                {
                    "_id": digest(candidate_id, need["_id"], consultant_id),
                    "candidate_id": candidate_id,
                    "need_id": need["_id"],
                    "reference": need["reference"],
                    "consultant_id": consultant_id,
                    "at": at,
                }
            )
        except DuplicateKeyError:
            return False
        return True

    async def of(self, candidate_id: str, consultant_id: str) -> list[Document]:
        found = self.collection.find({"candidate_id": candidate_id, "consultant_id": consultant_id})
        return [one async for one in found.sort("at", -1)]

    async def page(
        self, consultant_id: str | None, candidate_id: str | None, before: datetime | None, limit: int
    ) -> list[Document]:
        """Newest first; of one consultant, or of all with None."""
        condition: Document = {}
        if consultant_id is not None:
            condition["consultant_id"] = consultant_id
        if candidate_id is not None:
            condition["candidate_id"] = candidate_id
        if before is not None:
            condition["at"] = {"$lt": before}
        return [one async for one in self.collection.find(condition).sort("at", -1).limit(limit)]


class RegistrationStore:
    """What somebody typed about themselves: kept apart, and forgotten unless it is confirmed in time."""

    def __init__(self, mongo: Mongo) -> None:
        self.collection = mongo.collection("registrations")

    async def create_indexes(self) -> None:
        await self.collection.create_index("created_at")
        await self.collection.create_index("state")
        await self.collection.create_index("email_key")

    async def insert(self, document: Document) -> None:
        await self.collection.insert_one(dict(document))

    async def find(self, key: str) -> Document | None:
        return await self.collection.find_one({"_id": key})

    async def change(self, key: str, step: int, changes: Document) -> bool:
        """Set fields if it is still at `step`; False where somebody was faster."""
        done = await self.collection.update_one({"_id": key, "step": step}, {"$set": changes})
        return bool(done.matched_count)

    async def forget(self, key: str) -> None:
        await self.collection.delete_one({"_id": key})

    async def forget_email(self, email_key: str) -> None:
        """What somebody typed under the address of a person who is erased."""
        await self.collection.delete_many({"email_key": email_key})

    async def forget_older(self, before: datetime) -> None:
        await self.collection.delete_many({"created_at": {"$lt": before}})

    async def waiting(self, limit: int) -> list[Document]:
        """Those whose letter has gone out, newest first, without what was typed."""
        shown = {"created_at": 1, "mailed_at": 1, "skills": 1}
        found = self.collection.find({"state": "mailed"}, shown).sort("created_at", -1).limit(limit)
        return [one async for one in found]

    async def count_waiting(self) -> int:
        return await self.collection.count_documents({"state": "mailed"})


class TwinStore:
    """Pairs of candidates that may be one person: what a consultant has said of each pair is remembered."""

    def __init__(self, mongo: Mongo) -> None:
        self.collection = mongo.collection("twins")
        self._candidates = mongo.collection("candidates")
        self._keys = mongo.collection("candidate_keys")

    async def create_indexes(self) -> None:
        await self.collection.create_index([("state", 1), ("at", -1)])
        await self.collection.create_index("one")
        await self.collection.create_index("other")

    async def alike(self, candidate_id: str, keys: Mapping[str, Any], limit: int) -> list[Document]:
        """Other candidates that share a key, with what tells whether they are one person (`same_person`).

        Each key is noted for who comes later.
        A document a key, found by its `_id`: no write costs more than a look-up, however many there are.
        """
        sharing: dict[str, None] = {}
        for key in _key_ids(keys):
            sharing |= dict.fromkeys(await self._note(key, candidate_id))
        sharing.pop(candidate_id, None)
        ids = list(sharing)[-limit:]
        if not ids:
            return []
        found = self._candidates.find({"_id": {"$in": ids}} | _ALIVE, _COMPARED)
        alike = {one["_id"]: one async for one in found}
        return [alike[one] for one in ids if one in alike]

    async def with_email(self, email_key: str) -> list[Document]:
        """Candidates with this address, oldest first."""
        [key] = _key_ids({"email": email_key})
        noted = await self._keys.find_one({"_id": key})
        found = [
            await self._candidates.find_one({"_id": one} | _ALIVE)
            for one in (sorted(noted["candidates"]) if noted else [])
        ]
        return [one for one in found if one and one.get("keys", {}).get("email") == email_key]

    async def forget_keys(self, candidate_id: str, keys: Mapping[str, Any]) -> None:
        for key in _key_ids(keys):
            await self._keys.update_one({"_id": key}, {"$pull": {"candidates": candidate_id}})
            await self._keys.delete_one({"_id": key, "candidates": []})

    async def _note(self, key: str, candidate_id: str) -> list[str]:
        """Who had the key before; from now on this candidate too."""
        add = {"$addToSet": {"candidates": candidate_id}}
        room = {"_id": key, f"candidates.{_MOST_SHARING - 1}": {"$exists": False}}
        had = await self._keys.find_one_and_update(room, add, return_document=ReturnDocument.BEFORE)
        if had is not None:
            return list(had["candidates"])
        try:
            await self._keys.insert_one({"_id": key, "candidates": [candidate_id]})
        except DuplicateKeyError:
            full = await self._keys.find_one({"_id": key})
            if full is not None and len(full["candidates"]) >= _MOST_SHARING:
                return list(full["candidates"])
            return await self._note(key, candidate_id)
        return []

    async def offer(self, one: str, other: str, why: Sequence[str], at: datetime) -> None:
        """Remember that these may be one person; what was decided of the pair stays."""
        pair = sorted((one, other))
        try:
            await self.collection.insert_one(
                {"_id": ":".join(pair), "one": pair[0], "other": pair[1], "why": list(why), "state": "open",
                 "at": at}
            )  # fmt: skip
        except DuplicateKeyError:
            await self.collection.update_one(
                {"_id": ":".join(pair), "state": "open"}, {"$set": {"why": list(why)}}
            )

    async def find(self, pair_id: str) -> Document | None:
        return await self.collection.find_one({"_id": pair_id})

    async def withdraw(self, candidate_id: str, but: Sequence[str]) -> None:
        """Forget open pairs of this candidate whose reason is gone; `but` are those it still is like."""
        async for pair in self.collection.find(_of(candidate_id) | {"state": "open"}):
            other = pair["other"] if pair["one"] == candidate_id else pair["one"]
            if other not in but:
                await self.collection.delete_one({"_id": pair["_id"], "state": "open"})

    async def decide(self, pair_id: str, state: str, by: str, at: datetime) -> bool:
        done = await self.collection.update_one(
            {"_id": pair_id, "state": "open"}, {"$set": {"state": state, "by": by, "decided_at": at}}
        )
        return bool(done.matched_count)

    async def open_pairs(self, limit: int) -> list[Document]:
        found = self.collection.find({"state": "open"}).sort("at", -1).limit(limit)
        return [one async for one in found]

    async def open_pairs_of(self, candidate_id: str) -> list[Document]:
        found = self.collection.find(_of(candidate_id) | {"state": "open"}).limit(20)
        return [one async for one in found]

    async def count_open(self) -> int:
        return await self.collection.count_documents({"state": "open"})

    async def forget(self, candidate_id: str) -> None:
        """Nothing of a pair outlives one of its candidates."""
        await self.collection.delete_many(_of(candidate_id))


def _key_ids(keys: Mapping[str, Any]) -> list[str]:
    """Digests: a key's document says nothing of a person."""
    found = []
    for name, value in keys.items():
        found += [digest("key", name, one) for one in (value if isinstance(value, list) else [value]) if one]
    return found


def _of(candidate_id: str) -> Document:
    return {"$or": [{"one": candidate_id}, {"other": candidate_id}]}

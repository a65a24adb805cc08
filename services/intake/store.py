"""What intake keeps in MongoDB: needs, candidates, keys, its copy of the catalogue, unknown skill names.

No joins, no transactions: each write is one document, guarded by its revision or by a unique `_id`.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, ClassVar

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from services.intake.domain.progress import News, sources_of
from shared.mongo import Collection, Mongo

Document = dict[str, Any]

_OF_THE_OUTBOX = frozenset(
    {"_id", "revision", "occurred_at", "unpublished", "lease", "published_revision", "published_at"}
)
_ALIVE = {"erased": {"$exists": False}}


def digest(*parts: str | None) -> str:
    """One id of several parts, none of which can be read from it."""
    return sha256("\0".join(part or "" for part in parts).encode()).hexdigest()


class Entities:
    """A collection of documents that an outbox publishes."""

    readable: ClassVar[Document]
    """Those that are read again when the catalogue changes."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection

    async def insert(self, document: Document) -> bool:
        """False where a document with this id is there already (it may be an erased one's stub)."""
        try:
            await self.collection.insert_one(dict(document))
        except DuplicateKeyError:
            return False
        return True

    async def find(self, key: str) -> Document | None:
        """The document, None where there is none or its entity is erased."""
        return await self.collection.find_one({"_id": key} | _ALIVE)

    async def find_stub(self, key: str) -> Document | None:
        """What is left of an erased entity."""
        return await self.collection.find_one({"_id": key, "erased": True})

    async def exists(self, key: str) -> bool:
        """Whether the entity was ever stored, erased or not."""
        return await self.collection.find_one({"_id": key}, {"_id": 1}) is not None

    async def change(self, key: str, revision: int, changes: Mapping[str, Any]) -> bool:
        """Set fields if the document is still at `revision`; False where somebody was faster."""
        done = await self.collection.update_one(
            {"_id": key, "revision": revision} | _ALIVE, {"$set": changes}
        )
        return bool(done.matched_count)

    async def read_before(self, catalogue: int, limit: int) -> list[Document]:
        """Up to `limit` that were read with an older catalogue than the one of this revision."""
        older = [{"read_with": {"$exists": False}}, {"read_with": {"$lt": catalogue}}]
        cursor = self.collection.find(self.readable | {"$or": older} | _ALIVE).limit(limit)
        return [document async for document in cursor]

    async def note_read(self, document: Document, changes: Mapping[str, Any]) -> bool:
        """As `change`; False also where another replica has read it with another catalogue meanwhile."""
        known = {name: document.get(name) for name in ("_id", "revision", "read_with")}
        done = await self.collection.update_one(known | _ALIVE, {"$set": changes})
        return bool(done.matched_count)

    async def erase(self, document: Document, stamp: Mapping[str, Any]) -> bool:
        """Leave a stub. What the outbox keeps stays: an older state may be on its way under a lease."""
        gone = {name: "" for name in document if name not in _OF_THE_OUTBOX}
        done = await self.collection.update_one(
            {"_id": document["_id"], "revision": document["revision"]},
            {"$set": {**stamp, "erased": True, "confirmed": {}}, "$unset": gone},
        )
        return bool(done.matched_count)

    async def confirm_erasure(self, key: str, service: str, at: datetime) -> None:
        await self.collection.update_one(
            {"_id": key, "erased": True, f"confirmed.{service}": {"$exists": False}},
            {"$set": {f"confirmed.{service}": at}},
        )

    async def page(self, condition: Document, after: str | None, limit: int) -> list[Document]:
        """Up to `limit` documents, newest id first, older than `after`."""
        if after:
            condition = condition | {"_id": {"$lt": after}}
        cursor = self.collection.find(condition | _ALIVE).sort("_id", -1).limit(limit)
        return [document async for document in cursor]


class NeedStore(Entities):
    """Needs, and the answers given under an Idempotency-Key."""

    readable: ClassVar[Document] = {"need.status": "open"}

    def __init__(self, mongo: Mongo) -> None:
        super().__init__(mongo.collection("needs"))
        self.keys = mongo.collection("idempotency_keys")

    async def create_indexes(self) -> None:
        await self.collection.create_index("owner")
        await self.collection.create_index("reference")
        await self.collection.create_index("read_with")
        await self.keys.create_index("created_at")

    async def reference_taken(self, reference: str) -> bool:
        return await self.collection.find_one({"reference": reference}, {"_id": 1}) is not None

    async def find_key(self, key: str) -> Document | None:
        return await self.keys.find_one({"_id": key})

    async def claim_key(self, document: Document) -> Document:
        """The key's document: this one, or that of whoever came first with the same key."""
        try:
            await self.keys.insert_one(dict(document))
        except DuplicateKeyError:
            return await self.keys.find_one({"_id": document["_id"]}) or document
        return document

    async def forget_keys(self, before: datetime) -> None:
        await self.keys.delete_many({"created_at": {"$lt": before}})

    async def note(self, need_id: str, news: News) -> None:
        """Add what an event says. Each part is idempotent by itself; the revision stays as it is."""
        known = {"_id": need_id, "status": {"$exists": True}}
        if news.entry_id is not None:
            field = f"timeline.{news.entry_id}"
            entry = {"event": news.event, "at": news.at, **news.details}
            await self.collection.update_one(known | {field: {"$exists": False}}, {"$set": {field: entry}})
        # Before the status: who sees a need in progress sees by whom.
        if news.consultant is not None or news.passed_on:
            since = int(news.at.timestamp() * 1000)
            consultant = news.consultant.model_dump() if news.consultant else None
            await self.collection.update_one(
                known | {"consultant_since": {"$lt": since}},
                {"$set": {"consultant": consultant, "consultant_since": since}},
            )
        if news.to is not None:
            movable = known | {"status": {"$in": [*sources_of(news.to), news.to]}}
            moved: Document = {"status": news.to}
            if news.shortlist_revision is not None:
                movable["shortlist_revision"] = {"$lt": news.shortlist_revision}
                moved["shortlist_revision"] = news.shortlist_revision
            await self.collection.update_one(movable, {"$set": moved})
        if news.placed is not None:
            await self.collection.update_one(known, {"$set": {f"placed.{news.placed}": True}})

    async def restored(self) -> bool:
        """Whether there are needs that came back from their topic without their timeline."""
        return await self.collection.find_one({"restored": True}, {"_id": 1}) is not None

    async def restored_done(self) -> None:
        await self.collection.update_many({"restored": True}, {"$set": {"restored": False}})


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
            either: list[Document] = [{"search": {"$regex": re.escape(text)}}]
            if skill:
                either.append({"facts.skills.skill": skill})
            condition["$or"] = either
        return await self.page(condition, after, limit)


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

    async def _note_user(self, term: str, user: str) -> None:
        """Two fields and no list: it is bounded by its shape, and the second is written once."""
        await self.collection.update_one(
            {"_id": term, "user_1": {"$ne": user}, "user_2": {"$exists": False}}, {"$set": {"user_2": user}}
        )


def now() -> datetime:
    return datetime.now(UTC)

"""Needs in MongoDB, and the answers given under an Idempotency-Key."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import ClassVar

from pymongo.errors import DuplicateKeyError

from services.intake.domain.progress import News, sources_of
from services.intake.store_entities import Document, Entities, pattern_of
from shared.mongo import Mongo

_SEARCHED = ("reference", "need.title", "need.company", "need.contact.name", "client")


class NeedStore(Entities):
    """Needs, and the answers given under an Idempotency-Key."""

    readable: ClassVar[Document] = {"need.status": "open"}

    def __init__(self, mongo: Mongo) -> None:
        super().__init__(mongo.collection("needs"))
        self.keys = mongo.collection("idempotency_keys")
        self.references = mongo.collection("need_references")
        self.colleagues = mongo.collection("colleagues")

    async def create_indexes(self) -> None:
        await self.collection.create_index("owner")
        await self.collection.create_index("reference")
        await self.collection.create_index("client")
        await self.collection.create_index("job_key")
        await self.collection.create_index([("need.status", 1), ("_id", -1)])
        await self.collection.create_index("read_with")
        await self.keys.create_index("created_at")

    async def claim_block(self, block: int) -> bool:
        """Whether nobody has claimed this block of references before."""
        try:
            await self.references.insert_one({"_id": f"block-{block}"})
        except DuplicateKeyError:
            return False
        return True

    async def references_in_use(self, references: list[str]) -> set[str]:
        """Those that a need has, or had: before there were blocks each was claimed by itself."""
        claimed = self.references.find({"_id": {"$in": references}}, {"_id": 1})
        needs = self.collection.find({"reference": {"$in": references}}, {"reference": 1})
        return {one["_id"] async for one in claimed} | {one["reference"] async for one in needs}

    async def of_client(self, email: str, limit: int) -> list[Document]:
        """The newest needs with this address as their contact's."""
        return await self.page({"client": email.casefold()}, None, limit)

    async def possible_duplicates(self, document: Document, limit: int) -> list[Document]:
        """Other open needs of the same company for the same job, but for those found to be distinct."""
        same = {"job_key": document.get("job_key", ""), "need.status": "open"}
        found = await self.page(same, None, limit + 1)
        distinct = document.get("distinct", {})
        others = [
            other for other in found if other["_id"] != document["_id"] and other["_id"] not in distinct
        ]
        return others[:limit]

    async def of_the_same_jobs(self, job_keys: list[str], limit: int = 1000) -> list[Document]:
        """What tells possible duplicates among open needs: ids, keys and what was found distinct."""
        wanted = {"job_key": {"$in": job_keys}, "need.status": "open"}
        cursor = self.collection.find(wanted, {"job_key": 1, "distinct": 1}).limit(limit)
        return [document async for document in cursor]

    async def search(
        self, text: str | None, status: str | None, after: str | None, limit: int
    ) -> list[Document]:
        """Needs, newest first, in whose reference, title, company or contact `text` stands."""
        condition: Document = {"need.status": status} if status else {}
        if text:
            pattern = {"$regex": pattern_of(text), "$options": "i"}
            condition["$or"] = [{field: pattern} for field in _SEARCHED]
        return await self.page(condition, after, limit)

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
        if news.unplaced is not None:
            await self.collection.update_one(known, {"$unset": {f"placed.{news.unplaced}": ""}})
        if news.placed is not None:
            await self.collection.update_one(known, {"$set": {f"placed.{news.placed}": True}})

    async def note_colleague(self, consultant_id: str, name: str, at: datetime) -> None:
        """What a consultant is called, as the newest decision of theirs says."""
        newer = {"_id": consultant_id, "at": {"$lt": at}}
        # One that is as new is there already.
        with suppress(DuplicateKeyError):
            await self.colleagues.update_one(newer, {"$set": {"name": name, "at": at}}, upsert=True)

    async def colleague_names(self, consultant_ids: Iterable[str]) -> dict[str, str]:
        """Names by id, of those who have decided anything: consultants are on no topic."""
        found = self.colleagues.find({"_id": {"$in": list(set(consultant_ids))}})
        return {one["_id"]: one["name"] async for one in found}

    async def restored(self) -> bool:
        """Whether there are needs that came back from their topic without their timeline."""
        return await self.collection.find_one({"restored": True}, {"_id": 1}) is not None

    async def restored_done(self) -> None:
        await self.collection.update_many({"restored": True}, {"$set": {"restored": False}})

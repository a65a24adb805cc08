"""What the stores of needs and candidates have in common.

No joins, no transactions: each write is one document, guarded by its revision or by a unique `_id`.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, ClassVar

from shared.mongo import Collection

Document = dict[str, Any]

_OF_THE_OUTBOX = frozenset(
    {"_id", "revision", "occurred_at", "unpublished", "lease", "published_revision", "published_at"}
)
_ALIVE = {"erased": {"$exists": False}}


def digest(*parts: str | None) -> str:
    """One id of several parts, none of which can be read from it."""
    return sha256("\0".join(part or "" for part in parts).encode()).hexdigest()


def pattern_of(text: str) -> str:
    """A regular expression for the text as it stands. MongoDB takes none with a null character."""
    return re.escape(text.replace("\0", ""))


def now() -> datetime:
    return datetime.now(UTC)


class Entities:
    """A collection of documents that an outbox publishes."""

    readable: ClassVar[Document]
    """Those that are read again when the catalogue changes."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection

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

    async def confirm_erasure(self, key: str, service: str, at: datetime, revision: int) -> None:
        """A confirmation of an earlier tombstone (a legal basis had ended) is not one of the erasure."""
        await self.collection.update_one(
            {
                "_id": key,
                "erased": True,
                "revision": {"$lte": revision},
                f"confirmed.{service}": {"$exists": False},
            },
            {"$set": {f"confirmed.{service}": at}},
        )

    async def page(self, condition: Document, after: str | None, limit: int) -> list[Document]:
        """Up to `limit` documents, newest id first, older than `after`."""
        if after:
            condition = condition | {"_id": {"$lt": after}}
        cursor = self.collection.find(condition | _ALIVE).sort("_id", -1).limit(limit)
        return [document async for document in cursor]

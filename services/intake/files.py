"""The files that candidates sent, as they came: one document each, so that no part can be missing.

A file is written before the candidate's document names it, and dropped after the document names another: what
a crash leaves between the two is named by nobody, and swept.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from uuid_utils import uuid7

from services.intake.store_entities import Document, now
from shared.mongo import Mongo

FILE_BYTES: Final = 10 * 1024 * 1024
"""Below MongoDB's limit of 16 MB a document, with room to spare."""
MEDIA_TYPES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "text": "text/plain; charset=utf-8",
}
_ENDINGS = {"pdf": ".pdf", "docx": ".docx", "text": ".txt"}
LEFT_BEHIND = timedelta(hours=1)
"""A file that nobody names after this time was left by a crash."""

Reference = dict[str, Any]
"""What a candidate's document says of its file: `id`, `name`, `kind`, `size`, `digest`."""


@dataclass(frozen=True)
class Upload:
    """A file that came with a request. `kind` is what its content shows it to be: pdf, docx or text."""

    content: bytes
    name: str
    kind: str

    @property
    def digest(self) -> str:
        return sha256(self.content).hexdigest()


class Files:
    def __init__(self, mongo: Mongo) -> None:
        self.collection = mongo.collection("files")

    async def create_indexes(self) -> None:
        await self.collection.create_index("candidate_id")

    async def put(self, candidate_id: str, upload: Upload) -> Reference:
        """Store a file; the reference to put into the candidate's document."""
        reference: Reference = {
            "id": str(uuid7()),
            "name": safe_name(upload.name, upload.kind),
            "kind": upload.kind,
            "size": len(upload.content),
            "digest": upload.digest,
        }
        await self.collection.insert_one(
            {
                "_id": reference["id"],
                "candidate_id": candidate_id,
                "content": upload.content,
                "created_at": now(),
            }
        )
        return reference

    async def content(self, reference: Reference | None) -> bytes | None:
        if reference is None:
            return None
        found = await self.collection.find_one({"_id": reference["id"]})
        return bytes(found["content"]) if found else None

    async def drop(self, reference: Reference | None) -> None:
        if reference is not None:
            await self.collection.delete_one({"_id": reference["id"]})

    async def forget(self, candidate_id: str) -> None:
        """Drop whatever there is of a candidate."""
        await self.collection.delete_many({"candidate_id": candidate_id})

    async def written_before(self, before: datetime, after: str | None, limit: int) -> list[Document]:
        """`_id` and `candidate_id` of up to `limit` files, in the order of their ids, after `after`."""
        older: Document = {"created_at": {"$lt": before}}
        if after is not None:
            older["_id"] = {"$gt": after}
        cursor = self.collection.find(older, {"candidate_id": 1}).sort("_id", 1).limit(limit)
        return [document async for document in cursor]


def safe_name(name: str, kind: str) -> str:
    """A file's name without path and controls, with the ending of what it is."""
    bare = name.replace("\\", "/").rpartition("/")[2]
    printable = "".join(char for char in bare if char.isprintable() and char not in '<>:"|?*').strip(" .")
    stem, dot, ending = printable.rpartition(".")
    if not dot or len(ending) > 5:
        stem = printable
    return (stem[:100] or "cv") + _ENDINGS[kind]

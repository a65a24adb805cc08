"""Letters on their way to Kafka. What was published is forgotten after a few days, with its address."""

from datetime import datetime

from shared.mongo import Mongo


class LetterStore:
    def __init__(self, mongo: Mongo) -> None:
        self.collection = mongo.collection("letters")

    async def create_indexes(self) -> None:
        await self.collection.create_index([("addressee", 1), ("template", 1), ("created_at", 1)])
        await self.collection.create_index("created_at")

    async def count_since(self, addressee: str, template: str, since: datetime) -> int:
        """How many letters of a template went to an address since then; `addressee` is its digest."""
        return await self.collection.count_documents(
            {"addressee": addressee, "template": template, "created_at": {"$gte": since}}
        )

    async def forget_addressee(self, addressee: str) -> None:
        await self.collection.delete_many({"addressee": addressee})

    async def forget(self, before: datetime) -> None:
        await self.collection.delete_many({"created_at": {"$lt": before}, "unpublished": False})

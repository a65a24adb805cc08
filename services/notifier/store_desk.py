"""What the desk reads across needs, and the sign-in links that were used. Consultants, needs: store.py."""

import json
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError

from services.notifier.desk import Card, active_marks, card_of
from services.notifier.domain import Mark, NeedFile
from services.notifier.letterhead import RowState
from shared.events.feedback import Feedback
from shared.mongo import Mongo
from shared.outbox import Document

_KEEP_USED = timedelta(days=1)
"""Far longer than a link works: no clock may differ by so much."""


class DeskStore:
    """The desk's queries."""

    def __init__(self, mongo: Mongo) -> None:
        self._needs = mongo.collection("needs")
        self._ledger = mongo.collection("ledger")
        self._feedback = mongo.collection("feedback")
        self._used = mongo.collection("used_links")

    async def create_indexes(self) -> None:
        await self._needs.create_index("active")
        await self._needs.create_index([("open", ASCENDING), ("version", ASCENDING)])
        await self._feedback.create_index("event.need_id")
        await self._used.create_index("expires_at")

    async def cards(self) -> list[Card]:
        """All open needs."""
        found = self._needs.find({"open": True}, {"desk": 1})
        return [Card.model_validate(one["desk"]) async for one in found if one.get("desk")]

    async def versions(self, need_ids: Collection[str]) -> dict[str, int]:
        """Need -> how often what is held of it was written."""
        if not need_ids:
            return {}
        found = self._needs.find({"_id": {"$in": list(need_ids)}}, {"version": 1})
        return {str(one["_id"]): int(one["version"]) async for one in found}

    async def version_of_all(self) -> tuple[int, int]:
        """Another one whenever an open need was written, came or was closed."""
        # Two questions: FerretDB counts only one sum of a group.
        summed = self._needs.aggregate(
            [{"$match": {"open": True}}, {"$group": {"_id": None, "versions": {"$sum": "$version"}}}]
        )
        versions = sum([int(one["versions"]) async for one in summed])
        return versions, await self._needs.count_documents({"open": True})

    async def elsewhere(
        self, need_id: str, candidate_ids: Collection[str]
    ) -> dict[str, list[tuple[Card, Mark]]]:
        """Candidate -> the other needs that they are at work for."""
        if not candidate_ids:
            return {}
        wanted = {"active": {"$in": sorted(candidate_ids)}, "_id": {"$ne": need_id}}
        found: dict[str, list[tuple[Card, Mark]]] = {}
        async for one in self._needs.find(wanted, {"desk": 1}):
            card = Card.model_validate(one["desk"])
            for mark in card.active:
                if mark.candidate_id in candidate_ids:
                    found.setdefault(mark.candidate_id, []).append((card, mark))
        return found

    async def failures(self, need_ids: Collection[str]) -> dict[str, int]:
        """Need -> how many of its mails ended as a permanent failure."""
        wanted = {"state": RowState.FAILED.value, "subject": {"$in": list(need_ids)}}
        found: dict[str, int] = {}
        async for row in self._ledger.find(wanted, {"subject": 1}):
            found[row["subject"]] = found.get(row["subject"], 0) + 1
        return found

    async def feedback_about(self, need_id: str) -> list[Feedback]:
        """Every decision there was, oldest first."""
        found = self._feedback.find({"event.need_id": need_id}).sort("revision", ASCENDING)
        return [Feedback.model_validate(one["event"]) async for one in found]

    async def use_link(self, token_id: str, expires_at: datetime) -> bool:
        """Note that a link was used: False where it was before, by whichever replica."""
        try:
            await self._used.insert_one({"_id": token_id, "expires_at": expires_at})
        except DuplicateKeyError:
            return False
        await self._used.delete_many({"expires_at": {"$lt": datetime.now(UTC) - _KEEP_USED}})
        return True


def desk_fields(file: NeedFile) -> Document:
    """What the document of a need carries for these queries."""
    card = card_of(file)
    return {
        "active": [mark.candidate_id for mark in active_marks(file)],
        # Through JSON: MongoDB knows no dates without a time.
        "desk": json.loads(card.model_dump_json()) if card else None,
    }

"""Addresses that we met, as hashes: which are not written to for now, and how many mails one got today.

What is kept of an address says whether it is a certain one, not which it is.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from pymongo import DESCENDING
from pymongo.errors import DuplicateKeyError

from services.notifier.letterhead import LedgerRow, address
from shared.events.topic import Fact
from shared.mongo import Mongo
from shared.outbox import Document

SUPPRESSED = timedelta(days=30)
"""How long an address that does not work is not written to: by then somebody may have mended it."""

KEEP_SHARES = timedelta(days=7)
"""Longer than a mail is tried: each keeps its place of the day on which it first had one."""

SHOWN = 200


class What(StrEnum):
    BLOCKED = "blocked"
    LIFTED = "lifted"


class Happened(Fact):
    """One line of an address's history. `by` is the consultant who lifted it."""

    what: What
    at: datetime
    by: str | None = None


class Blocked(Fact):
    """An address that is or was not written to, and the mail that came back last: see LedgerRow."""

    addressed: str
    until: datetime
    kind: str = ""
    subject: str = ""
    recipient: str = ""
    events: tuple[Happened, ...] = ()


class Addresses:
    """Queries about addresses."""

    def __init__(self, mongo: Mongo) -> None:
        self._suppressed = mongo.collection("suppressed")
        self._shares = mongo.collection("shares")

    async def create_indexes(self) -> None:
        await self._suppressed.create_index("touched_at")
        await self._shares.create_index("day")
        await self._shares.create_index("row")

    async def suppress(self, addressed: str, row: LedgerRow, now: datetime) -> None:
        """Mails to an address come back; `addressed` is its hash, as rows have it. It is blocked for a while,
        from now on if it was before."""
        until = {"until": now + SUPPRESSED, "touched_at": now}
        about = {"kind": row.kind, "subject": row.subject, "recipient": row.recipient}
        blocked = {"what": What.BLOCKED.value, "at": now}
        over = {"_id": addressed, "until": {"$lte": now}}
        done = await self._suppressed.update_one(over, {"$set": until | about, "$push": {"events": blocked}})
        if done.matched_count:
            return
        try:
            await self._suppressed.insert_one({"_id": addressed, "events": [blocked]} | until | about)
        except DuplicateKeyError:
            await self._suppressed.update_one({"_id": addressed}, {"$set": until})

    async def suppressed(self, address: str, now: datetime) -> bool:
        found = await self._suppressed.find_one({"_id": hashed(address)})
        return found is not None and found["until"] > now

    async def lift(self, addressed: str, by: str, now: datetime) -> bool:
        """Write to an address again. False where it was not blocked."""
        lifted = {"what": What.LIFTED.value, "at": now, "by": by}
        done = await self._suppressed.update_one(
            {"_id": addressed, "until": {"$gt": now}},
            {"$set": {"until": now, "touched_at": now}, "$push": {"events": lifted}},
        )
        return bool(done.matched_count)

    async def about(self, address: str) -> Blocked | None:
        found = await self._suppressed.find_one({"_id": hashed(address)})
        return _blocked(found) if found else None

    async def met(self) -> list[Blocked]:
        """Those that are or were blocked, the latest first."""
        found = self._suppressed.find({}).sort("touched_at", DESCENDING).limit(SHOWN)
        return [_blocked(one) async for one in found]

    async def forget_before(self, moment: datetime, today: date) -> None:
        """Drop the history of addresses that nothing happened to since, and the shares of past days."""
        await self._suppressed.delete_many({"until": {"$lt": moment}})
        await self._shares.delete_many({"day": {"$lt": (today - KEEP_SHARES).isoformat()}})

    async def take_share(self, address: str, row_id: str, day: date, most: int) -> bool:
        """Whether this row is one of the `most` mails that an address gets a day; each keeps its place."""
        owner = hashed(address)
        if await self._shares.find_one({"owner": owner, "row": row_id}):
            return True
        for place in range(most):
            share = {"_id": f"{owner}/{day}/{place}", "owner": owner, "row": row_id, "day": day.isoformat()}
            try:
                await self._shares.insert_one(share)
            except DuplicateKeyError:
                continue
            return True
        return False


def hashed(written: str) -> str:
    """Of an address, however its domain is written."""
    with suppress(ValueError):
        written = address(written)
    return hashlib.sha256(written.strip().casefold().encode()).hexdigest()


def _blocked(document: Mapping[str, Any]) -> Blocked:
    fields: Document = {**document, "addressed": document["_id"]}
    return Blocked.model_validate(fields)

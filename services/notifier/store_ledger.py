"""The ledger: a row for each mail there ever was or is to be; and the letters that are still to be sent."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from services.notifier.domain import CLIENT
from services.notifier.letterhead import DIGEST, LETTER, WAITING, LedgerRow, RowState
from services.notifier.store_addresses import hashed
from shared.events.delivery import DELIVERIES, Audience, Delivery, DeliveryKind, DeliveryStatus
from shared.events.letter import Letter
from shared.events.topic import next_revision
from shared.kafka import Kafka
from shared.mongo import Mongo
from shared.outbox import Document, Outbox

Items = Mapping[str, tuple[str, str | None]]
"""Row -> recipient, and the digest that claimed it."""


class Ledger:
    """Queries of the ledger, which is its own outbox (`deliveries`)."""

    def __init__(self, mongo: Mongo, kafka: Kafka) -> None:
        self._rows = mongo.collection("ledger")
        self._letters = mongo.collection("letters")
        self.deliveries = Outbox(self._rows, DELIVERIES, kafka, _delivery)

    async def create_indexes(self) -> None:
        await self.deliveries.create_indexes()
        claim = [(name, ASCENDING) for name in ("recipient", "kind", "subject", "subject_revision")]
        await self._rows.create_index(claim, unique=True)
        await self._rows.create_index([("state", ASCENDING), ("next_try_at", ASCENDING)])
        await self._rows.create_index("subject")
        await self._rows.create_index("created_at")

    async def add_row(self, row: LedgerRow) -> bool:
        """Claim a mail: False where the same one was claimed before."""
        return await self._insert_row(row, self._stamp(row.kind, row.revision))

    async def put_row_back(self, row: LedgerRow) -> None:
        """A row whose outcome is on the topic already."""
        stamp = {"revision": row.revision, "occurred_at": row.created_at, "unpublished": False}
        await self._insert_row(row, stamp | {"published_revision": row.revision})

    async def _insert_row(self, row: LedgerRow, stamp: Document) -> bool:
        document = row.model_dump(exclude={"row_id", "revision"}) | {"_id": row.row_id}
        document |= {"state": row.state.value, "news": list(row.news), "gone": list(row.gone), "sender": None}
        try:
            await self._rows.insert_one(document | stamp)
        except DuplicateKeyError:
            return False
        return True

    async def due_rows(self, now: datetime, limit: int, without: Iterable[str] = ()) -> list[LedgerRow]:
        """What may be sent now: fresh mails before retries, newest first."""
        wanted = {
            "state": RowState.QUEUED.value,
            "next_try_at": {"$lte": now},
            "_id": {"$nin": list(without)},
        }
        order = [("attempts", ASCENDING), ("created_at", DESCENDING)]
        return [_row(found) async for found in self._rows.find(wanted).sort(order).limit(limit)]

    async def next_due(self) -> datetime | None:
        found = (
            await self._rows.find({"state": RowState.QUEUED.value}, {"next_try_at": 1})
            .sort("next_try_at", ASCENDING)
            .limit(1)
            .to_list(1)
        )
        return found[0]["next_try_at"] if found else None

    async def held_rows(self) -> dict[str, str]:
        """Rows that somebody is sending -> the token of who does."""
        found = self._rows.find({"state": RowState.SENDING.value}, {"sender": 1})
        return {str(one["_id"]): str(one["sender"]) async for one in found}

    async def waiting(self) -> int:
        return await self._rows.count_documents({"state": {"$in": [state.value for state in WAITING]}})

    async def take_row(self, row_id: str, held: str | None, token: str) -> LedgerRow | None:
        """Take a row for sending: a queued one (`held` None), or one that its holder left behind."""
        state = RowState.SENDING if held else RowState.QUEUED
        found: Document | None = await self._rows.find_one_and_update(
            {"_id": row_id, "state": state.value, "sender": held},
            {"$set": {"state": RowState.SENDING.value, "sender": token}, "$inc": {"attempts": 1}},
            return_document=ReturnDocument.AFTER,
        )
        return _row(found) if found else None

    async def thread(self, row: LedgerRow) -> list[LedgerRow]:
        """All rows of the same recipient about the same subject, this one too."""
        return await self.rows_to(row.recipient, row.subject)

    async def rows_to(self, recipient: str, subject: str) -> list[LedgerRow]:
        found = self._rows.find({"recipient": recipient, "subject": subject})
        return [_row(one) async for one in found]

    async def collect(self, row: LedgerRow, token: str) -> None:
        """The row waits for its reader's next digest; not a try."""
        change: Document = {"state": RowState.COLLECTED.value, "sender": None, "attempts": row.attempts - 1}
        await self._rows.update_one({"_id": row.row_id, "sender": token}, {"$set": change})

    async def claim_items(self, recipient: str, digest: str) -> list[LedgerRow]:
        """All that waits for a digest to `recipient`, for this one. What another has claimed stays with that:
        nobody knows whether it arrived."""
        waiting = {
            "recipient": recipient,
            "state": RowState.COLLECTED.value,
            "sender": {"$in": [None, digest]},
        }
        await self._rows.update_many(waiting, {"$set": {"sender": digest}})
        return await self.items_of(digest)

    async def items_of(self, digest: str) -> list[LedgerRow]:
        found = self._rows.find({"state": RowState.COLLECTED.value, "sender": digest})
        return [_row(one) async for one in found]

    async def collected_items(self) -> Items:
        """All that is set aside for digests."""
        found = self._rows.find({"state": RowState.COLLECTED.value}, {"recipient": 1, "sender": 1})
        return {str(one["_id"]): (str(one["recipient"]), one["sender"]) async for one in found}

    async def stranded_among(self, items: Items) -> Items:
        """Those whose digest is over, or whose recipient has none to come."""
        if not items:
            return {}
        open_states = [RowState.QUEUED.value, RowState.SENDING.value]
        coming = self._rows.find({"kind": DIGEST, "state": {"$in": open_states}}, {"recipient": 1})
        digests = {str(one["_id"]): str(one["recipient"]) async for one in coming}
        served = set(digests.values())
        return {
            row: (recipient, held)
            for row, (recipient, held) in items.items()
            if (held not in digests if held else recipient not in served)
        }

    async def release_item(self, row_id: str, held: str | None) -> None:
        key = {"_id": row_id, "state": RowState.COLLECTED.value, "sender": held}
        await self._rows.update_one(key, {"$set": {"state": RowState.QUEUED.value, "sender": None}})

    async def row(self, row_id: str) -> LedgerRow | None:
        found = await self._rows.find_one({"_id": row_id})
        return _row(found) if found else None

    async def note_bounce(self, row: LedgerRow, failure: str) -> bool:
        """A mail that was sent came back. False where that was noted before."""
        change: Document = {"state": RowState.FAILED.value, "failure": failure}
        change |= self._stamp(row.kind, next_revision(row.revision, datetime.now(UTC)))
        done = await self._rows.update_one(
            {"_id": row.row_id, "state": RowState.SENT.value}, {"$set": change}
        )
        return bool(done.matched_count)

    async def put_back(
        self, row: LedgerRow, token: str, next_try_at: datetime, *, failure: str | None, counted: bool
    ) -> None:
        """The row waits for another try; one that is not `counted` was none."""
        change: Document = {
            "$set": {
                "state": RowState.QUEUED.value,
                "sender": None,
                "next_try_at": next_try_at,
                "failure": failure,
                "attempts": row.attempts if counted else row.attempts - 1,
            }
        }
        await self._rows.update_one({"_id": row.row_id, "sender": token}, change)

    async def close_row(
        self,
        row: LedgerRow,
        token: str,
        state: RowState,
        *,
        failure: str | None = None,
        address: str | None = None,
    ) -> bool:
        """Note the outcome, to be published. False where the row is no longer ours."""
        now = datetime.now(UTC)
        fields: Document = {"state": state.value, "sender": None, "failure": failure}
        if address is not None:
            fields["addressed"] = hashed(address)
        if state is RowState.SENT:
            fields["sent_at"] = now
        fields |= self._stamp(row.kind, next_revision(row.revision, now))
        done = await self._rows.update_one({"_id": row.row_id, "sender": token}, {"$set": fields})
        return bool(done.matched_count)

    def publish_outcome(self, row: LedgerRow) -> None:
        """Publish what became of a mail about a need, at once; what fails is left to the sweeper."""
        if row.kind in set(DeliveryKind):
            self.deliveries.publish_soon(row.row_id)

    def _stamp(self, kind: str, revision: int) -> Document:
        """A letter's outcome is not published: it belongs to no need."""
        stamp = self.deliveries.stamp() | {"revision": revision}
        return stamp if kind in set(DeliveryKind) else stamp | {"unpublished": False}

    async def rows_about(self, need_id: str) -> list[LedgerRow]:
        return await self.rows(need_id, None)

    async def rows(
        self, subject: str | None, state: RowState | None, after: str = "", limit: int = 500
    ) -> list[LedgerRow]:
        """By id, those beyond `after`; of one subject, of all in one state, or both."""
        wanted: Document = {"_id": {"$gt": after}}
        wanted |= {"subject": subject} if subject is not None else {}
        wanted |= {"state": state.value} if state is not None else {}
        found = self._rows.find(wanted).sort("_id", ASCENDING)
        return [_row(one) async for one in found.limit(limit)]

    # What is old

    async def ended_before(self, moment: datetime, after: str, limit: int) -> list[LedgerRow]:
        """Rows that are done with, and that the world outside knows of; by id, those beyond `after`."""
        done = [state.value for state in RowState if state not in WAITING]
        wanted: Document = {"created_at": {"$lt": moment}, "state": {"$in": done}, "_id": {"$gt": after}}
        wanted["unpublished"] = {"$ne": True}
        found = self._rows.find(wanted).sort("_id", ASCENDING).limit(limit)
        return [_row(one) async for one in found]

    async def drop(self, rows: Sequence[LedgerRow]) -> None:
        """Forget rows, and the stubs of letters first: a row that is still there keeps its letter done."""
        ids = [row.row_id for row in rows]
        await self._letters.delete_many({"_id": {"$in": [row.subject for row in rows if row.kind == LETTER]}})
        await self._rows.delete_many({"_id": {"$in": ids}})

    # Letters

    async def keep_letter(self, letter: Letter) -> None:
        # As text: its arguments are named freely, and not every store takes a full stop in a field's name.
        with suppress(DuplicateKeyError):
            await self._letters.insert_one({"_id": letter.letter_id, "letter": letter.model_dump_json()})

    async def letter(self, letter_id: str) -> Letter | None:
        found = await self._letters.find_one({"_id": letter_id})
        return Letter.model_validate_json(found["letter"]) if found and found["letter"] else None

    async def forget_letter(self, letter_id: str) -> None:
        """Its row is done: no address is kept longer. The stub keeps a late record from reviving it."""
        await self._letters.update_one({"_id": letter_id}, {"$set": {"letter": None}})


def _row(document: Mapping[str, Any]) -> LedgerRow:
    return LedgerRow.model_validate({**document, "row_id": document["_id"]})


def _delivery(row: Document) -> Delivery:
    # Being sent or collected is still queued for the world outside.
    state = RowState(row["state"])
    state = RowState.QUEUED if state in WAITING else state
    return Delivery(
        delivery_id=row["_id"],
        need_id=row["subject"],
        kind=DeliveryKind(row["kind"]),
        audience=Audience.CLIENT if row["recipient"] == CLIENT else Audience.CONSULTANT,
        status=DeliveryStatus(state.value),
        subject_revision=row["subject_revision"],
        failure=row["failure"],
        revision=row["revision"],
        occurred_at=row["occurred_at"],
    )

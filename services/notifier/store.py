"""Notifier's MongoDB: consultants, what it holds of each need, the ledger of mails, letters, outboxes."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError
from uuid_utils import uuid7

from services.notifier.consultants import Consultant, ConsultantFields
from services.notifier.domain import CLIENT, NeedFile, worth_mailing
from services.notifier.letterhead import WAITING, LedgerRow, RowState
from shared.events.delivery import DELIVERIES, Audience, Delivery, DeliveryKind, DeliveryStatus
from shared.events.erasure import ERASURES, Erasure, Subject
from shared.events.feedback import FEEDBACK, Feedback
from shared.events.letter import Letter
from shared.events.topic import next_revision
from shared.kafka import Kafka
from shared.mongo import Mongo
from shared.outbox import Document, Outbox


class EmailTaken(Exception):  # noqa: N818 - what is wrong
    """Another consultant has this e-mail address."""


class Store:
    """All of notifier's queries. Outboxes: `deliveries` (the ledger itself), `feedback`, `erasures`."""

    def __init__(self, mongo: Mongo, kafka: Kafka) -> None:
        self.mongo = mongo
        self._consultants = mongo.collection("consultants")
        self._needs = mongo.collection("needs")
        self._ledger = mongo.collection("ledger")
        self._letters = mongo.collection("letters")
        self._marks = mongo.collection("marks")
        self.deliveries = Outbox(self._ledger, DELIVERIES, kafka, _delivery)
        self.feedback = Outbox(mongo.collection("feedback"), FEEDBACK, kafka, _feedback)
        self.erasures = Outbox(mongo.collection("erasures"), ERASURES, kafka, _erasure)

    async def create_indexes(self) -> None:
        for outbox in (self.deliveries, self.feedback, self.erasures):
            await outbox.create_indexes()
        await self._consultants.create_index("email_key", unique=True)
        await self._needs.create_index([("open", ASCENDING), ("owner", ASCENDING)])
        await self._needs.create_index("candidates")
        await self._needs.create_index("unfinished")
        claim = [(name, ASCENDING) for name in ("recipient", "kind", "subject", "subject_revision")]
        await self._ledger.create_index(claim, unique=True)
        await self._ledger.create_index([("state", ASCENDING), ("next_try_at", ASCENDING)])
        await self._ledger.create_index("subject")

    # Consultants

    async def add_consultant(self, fields: ConsultantFields) -> Consultant:
        """Raises EmailTaken."""
        revision = next_revision(0, datetime.now(UTC))
        made = Consultant(**fields.model_dump(), consultant_id=str(uuid7()), revision=revision)
        try:
            await self._consultants.insert_one(_of_consultant(made))
        except DuplicateKeyError as error:
            raise EmailTaken from error
        return made

    async def change_consultant(
        self, before: Consultant, fields: ConsultantFields, *, active: bool
    ) -> Consultant | None:
        """None where somebody else changed it meanwhile. Raises EmailTaken."""
        after = Consultant(
            **fields.model_dump(),
            consultant_id=before.consultant_id,
            revision=next_revision(before.revision, datetime.now(UTC)),
            active=active,
            last_assigned_at=before.last_assigned_at,
        )
        key = {"_id": before.consultant_id, "revision": before.revision}
        try:
            done = await self._consultants.replace_one(key, _of_consultant(after))
        except DuplicateKeyError as error:
            raise EmailTaken from error
        return after if done.matched_count else None

    async def consultant(self, consultant_id: str) -> Consultant | None:
        found = await self._consultants.find_one({"_id": consultant_id})
        return Consultant.model_validate(found["consultant"] | _idle(found)) if found else None

    async def consultants(
        self, *, active_only: bool = False, after: str = "", limit: int = 0
    ) -> list[Consultant]:
        """By id, those beyond `after`; limit 0 means all."""
        wanted: Document = {"_id": {"$gt": after}}
        if active_only:
            wanted["active"] = True
        found = self._consultants.find(wanted).sort("_id", ASCENDING).limit(limit)
        return [Consultant.model_validate(one["consultant"] | _idle(one)) async for one in found]

    async def note_assigned(self, consultant_id: str, when: datetime) -> None:
        await self._consultants.update_one({"_id": consultant_id}, {"$set": {"last_assigned_at": when}})

    # Needs

    async def file(self, need_id: str) -> NeedFile:
        """What is held of a need; an empty file where nothing is."""
        found = await self._needs.find_one({"_id": need_id})
        if found is None:
            return NeedFile(need_id=need_id)
        unfinished = {"due": found["due"], "decided": found["decided"]}
        return NeedFile.model_validate(json.loads(found["file"]) | unfinished)

    async def save(self, before: NeedFile, after: NeedFile) -> NeedFile | None:
        """Compare and set: None where somebody else wrote the file since `before` was read."""
        saved = after.model_copy(update={"version": before.version + 1})
        document = {
            "version": saved.version,
            "open": saved.open,
            "owner": saved.owner.consultant_id if saved.owner else None,
            "candidates": sorted(saved.candidates),
            "unfinished": bool(saved.due or saved.decided) or worth_mailing(saved),
            "need_revision": saved.need.revision if saved.need else saved.erased_revision,
            "shortlist_revision": saved.shortlist_revision,
            "due": [mail.model_dump(mode="json") for mail in saved.due],
            "decided": [feedback.model_dump(mode="json") for feedback in saved.decided],
            # As text: nobody queries inside, its maps have free keys, and it is copied and sent faster.
            "file": saved.model_dump_json(exclude={"due", "decided"}),
        }
        if before.version == 0:
            try:
                await self._needs.insert_one({"_id": saved.need_id, **document})
            except DuplicateKeyError:
                return None
            return saved
        key = {"_id": saved.need_id, "version": before.version}
        done = await self._needs.replace_one(key, document)
        return saved if done.matched_count else None

    async def finish(self, file: NeedFile) -> None:
        """Note that all of this file's `due` and `decided` is carried out. A newer file is left alone."""
        nothing: Document = {"unfinished": worth_mailing(file), "due": [], "decided": []}
        key = {"_id": file.need_id, "version": file.version}
        await self._needs.update_one(key, {"$set": nothing})

    async def unfinished_needs(self) -> list[str]:
        return [str(one["_id"]) async for one in self._needs.find({"unfinished": True}, {"_id": 1})]

    async def needs_of(self, consultant_id: str) -> list[str]:
        found = self._needs.find({"open": True, "owner": consultant_id}, {"_id": 1})
        return [str(one["_id"]) async for one in found]

    async def needs_with(self, candidate_id: str) -> list[str]:
        return [str(one["_id"]) async for one in self._needs.find({"candidates": candidate_id}, {"_id": 1})]

    async def open_needs(self) -> dict[str, int]:
        """How many open needs each consultant has."""
        counted = self._needs.aggregate(
            [
                {"$match": {"open": True, "owner": {"$ne": None}}},
                {"$group": {"_id": "$owner", "needs": {"$sum": 1}}},
            ]
        )
        return {str(one["_id"]): int(one["needs"]) async for one in counted}

    # The ledger

    async def add_row(self, row: LedgerRow) -> bool:
        """Claim a mail: False where the same one was claimed before."""
        return await self._insert_row(row, self._stamp(row.kind, row.revision))

    async def put_row_back(self, row: LedgerRow) -> None:
        """A row whose outcome is on the topic already."""
        stamp = {"revision": row.revision, "occurred_at": row.created_at, "unpublished": False}
        await self._insert_row(row, stamp | {"published_revision": row.revision})

    async def _insert_row(self, row: LedgerRow, stamp: Document) -> bool:
        document = row.model_dump(exclude={"row_id", "revision"}) | {"_id": row.row_id}
        document |= {"state": row.state.value, "news": list(row.news), "sender": None}
        try:
            await self._ledger.insert_one(document | stamp)
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
        return [_row(found) async for found in self._ledger.find(wanted).sort(order).limit(limit)]

    async def next_due(self) -> datetime | None:
        found = (
            await self._ledger.find({"state": RowState.QUEUED.value}, {"next_try_at": 1})
            .sort("next_try_at", ASCENDING)
            .limit(1)
            .to_list(1)
        )
        return found[0]["next_try_at"] if found else None

    async def held_rows(self) -> dict[str, str]:
        """Rows that somebody is sending -> the token of who does."""
        found = self._ledger.find({"state": RowState.SENDING.value}, {"sender": 1})
        return {str(one["_id"]): str(one["sender"]) async for one in found}

    async def waiting(self) -> int:
        return await self._ledger.count_documents({"state": {"$in": [state.value for state in WAITING]}})

    async def take_row(self, row_id: str, held: str | None, token: str) -> LedgerRow | None:
        """Take a row for sending: a queued one (`held` None), or one that its holder left behind."""
        state = RowState.SENDING if held else RowState.QUEUED
        found: Document | None = await self._ledger.find_one_and_update(
            {"_id": row_id, "state": state.value, "sender": held},
            {"$set": {"state": RowState.SENDING.value, "sender": token}, "$inc": {"attempts": 1}},
            return_document=ReturnDocument.AFTER,
        )
        return _row(found) if found else None

    async def thread(self, row: LedgerRow) -> list[LedgerRow]:
        """All rows of the same recipient about the same subject, this one too."""
        found = self._ledger.find({"recipient": row.recipient, "subject": row.subject})
        return [_row(one) async for one in found]

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
        await self._ledger.update_one({"_id": row.row_id, "sender": token}, change)

    async def close_row(
        self, row: LedgerRow, token: str, state: RowState, *, failure: str | None = None
    ) -> bool:
        """Note the outcome, and publish it. False where the row is no longer ours."""
        now = datetime.now(UTC)
        fields: Document = {"state": state.value, "sender": None, "failure": failure}
        if state is RowState.SENT:
            fields["sent_at"] = now
        fields |= self._stamp(row.kind, next_revision(row.revision, now))
        done = await self._ledger.update_one({"_id": row.row_id, "sender": token}, {"$set": fields})
        return bool(done.matched_count)

    def _stamp(self, kind: str, revision: int) -> Document:
        """A letter's outcome is not published: it belongs to no need."""
        stamp = self.deliveries.stamp() | {"revision": revision}
        return stamp if kind in set(DeliveryKind) else stamp | {"unpublished": False}

    async def rows_about(self, need_id: str, after: str = "", limit: int = 500) -> list[LedgerRow]:
        found = self._ledger.find({"subject": need_id, "_id": {"$gt": after}}).sort("_id", ASCENDING)
        return [_row(one) async for one in found.limit(limit)]

    # Letters, erasures

    async def keep_letter(self, letter: Letter) -> None:
        document = {"letter": letter.model_dump(mode="json")}
        await self._letters.update_one({"_id": letter.letter_id}, {"$setOnInsert": document}, upsert=True)

    async def letter(self, letter_id: str) -> Letter | None:
        found = await self._letters.find_one({"_id": letter_id})
        return Letter.model_validate(found["letter"]) if found and found["letter"] else None

    async def forget_letter(self, letter_id: str) -> None:
        """Its row is done: no address is kept longer. The stub keeps a late record from reviving it."""
        await self._letters.update_one({"_id": letter_id}, {"$set": {"letter": None}})

    async def erased_among(self, candidate_ids: Iterable[str]) -> set[str]:
        found = self.erasures.collection.find({"_id": {"$in": list(candidate_ids)}})
        return {str(one["_id"]) async for one in found if _in_force(one)}

    async def note_erasure(self, subject_id: str, subject: Subject, revision: int) -> bool:
        """Remember an erasure (before what is held goes, so that nothing of it comes back).

        False where it is overtaken: by a newer one, or by a state from after it.
        """
        erasures, key = self.erasures.collection, {"_id": subject_id}
        newer = {"revision": revision, "occurred_at": datetime.now(UTC), "unpublished": False}
        # Not $setOnInsert: FerretDB drops fields that are None there.
        with suppress(DuplicateKeyError):
            await erasures.insert_one(key | newer | {"subject": subject.value})
        await erasures.update_one(key | {"revision": {"$lt": revision}}, {"$set": newer})
        found = await erasures.find_one(key)
        return found is not None and found["revision"] == revision and _in_force(found)

    async def lift_erasure(self, subject_id: str, revision: int) -> None:
        """A state of this revision is to be known: an older erasure is in force no more."""
        await self.erasures.collection.update_one({"_id": subject_id}, {"$max": {"lifted_by": revision}})

    async def confirm_erasure(self, subject_id: str, revision: int) -> None:
        """Publish, once, that nothing from before this tombstone is held any more."""
        key = {"_id": subject_id, "revision": revision, "published_revision": {"$ne": revision}}
        await self.erasures.collection.update_one(key, {"$set": {"unpublished": True}})
        self.erasures.publish_soon(subject_id)

    async def add_feedback(self, feedback: Feedback) -> None:
        document = {"_id": feedback.feedback_id, "event": feedback.model_dump(mode="json")}
        document |= self.feedback.stamp() | {"revision": feedback.revision}
        try:
            await self.feedback.collection.insert_one(document)
        except DuplicateKeyError:
            return
        self.feedback.publish_soon(feedback.feedback_id)

    async def marked(self, name: str) -> bool:
        """Whether a step that is done once a store was done."""
        return await self._marks.find_one({"_id": name}) is not None

    async def mark(self, name: str) -> None:
        await self._marks.update_one({"_id": name}, {"$set": {"done": True}}, upsert=True)


def _of_consultant(consultant: Consultant) -> Document:
    return {
        "_id": consultant.consultant_id,
        "revision": consultant.revision,
        "email_key": consultant.email.casefold(),
        "active": consultant.active,
        "last_assigned_at": consultant.last_assigned_at,
        "consultant": consultant.model_dump(mode="json", exclude={"last_assigned_at"}),
    }


def _idle(document: Mapping[str, Any]) -> Document:
    return {"last_assigned_at": document.get("last_assigned_at")}


def _in_force(erasure: Mapping[str, Any]) -> bool:
    return int(erasure["revision"]) >= int(erasure.get("lifted_by", -1))


def _row(document: Mapping[str, Any]) -> LedgerRow:
    return LedgerRow.model_validate({**document, "row_id": document["_id"]})


def _delivery(row: Document) -> Delivery:
    # Being sent is still queued for the world outside.
    state = RowState.QUEUED if row["state"] == RowState.SENDING else RowState(row["state"])
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


def _feedback(document: Document) -> Feedback:
    return Feedback.model_validate(document["event"])


def _erasure(document: Document) -> Erasure:
    return Erasure(
        subject_id=document["_id"],
        subject=document["subject"],
        service="notifier",
        revision=document["revision"],
        occurred_at=document["occurred_at"],
    )

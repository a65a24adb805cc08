"""Notifier's MongoDB: consultants, what it holds of each need, feedback, erasures. Mails: store_ledger.py."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError
from uuid_utils import uuid7

from services.notifier.consultants import Consultant, ConsultantFields
from services.notifier.domain import NeedFile, worth_mailing
from services.notifier.store_addresses import Addresses
from services.notifier.store_desk import DeskStore, desk_fields
from services.notifier.store_ledger import Ledger
from shared.events.erasure import ERASURES, Erasure, Subject
from shared.events.feedback import FEEDBACK, Feedback
from shared.events.topic import next_revision
from shared.kafka import Kafka
from shared.mongo import Mongo
from shared.outbox import Document, Outbox


class EmailTaken(Exception):  # noqa: N818 - what is wrong
    """Another consultant has this e-mail address."""


class Store:
    """Notifier's queries. Outboxes: `feedback`, `erasures`; `ledger` has a third, `deliveries`."""

    def __init__(self, mongo: Mongo, kafka: Kafka) -> None:
        self.mongo = mongo
        self._consultants = mongo.collection("consultants")
        self._needs = mongo.collection("needs")
        self._marks = mongo.collection("marks")
        self.ledger = Ledger(mongo, kafka)
        self.addresses = Addresses(mongo)
        self.desk = DeskStore(mongo)
        self.feedback = Outbox(mongo.collection("feedback"), FEEDBACK, kafka, _feedback)
        self.erasures = Outbox(mongo.collection("erasures"), ERASURES, kafka, _erasure)

    async def create_indexes(self) -> None:
        await self.ledger.create_indexes()
        await self.addresses.create_indexes()
        await self.desk.create_indexes()
        for outbox in (self.feedback, self.erasures):
            await outbox.create_indexes()
        await self._consultants.create_index("email_key", unique=True)
        await self._needs.create_index([("open", ASCENDING), ("owner", ASCENDING)])
        await self._needs.create_index([("open", ASCENDING), ("answer_by", ASCENDING)])
        await self._needs.create_index("candidates")
        await self._needs.create_index("unfinished")

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

    async def consultant_by_email(self, email: str) -> Consultant | None:
        found = await self._consultants.find_one({"email_key": email.casefold()})
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

    async def available(self) -> list[Consultant]:
        """Those to whom needs may be given."""
        return [one for one in await self.consultants(active_only=True) if one.available]

    async def note_assigned(self, consultant_id: str, when: datetime) -> None:
        await self._consultants.update_one({"_id": consultant_id}, {"$set": {"last_assigned_at": when}})

    async def note_unreachable(self, consultant_id: str) -> None:
        await self._consultants.update_one({"_id": consultant_id}, {"$set": {"unreachable": True}})

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
            **desk_fields(saved),
            "answer_by": saved.answer_by,
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

    async def overdue_needs(self, now: datetime) -> list[str]:
        """Whose owners did not answer in time."""
        found = self._needs.find({"open": True, "answer_by": {"$ne": None, "$lte": now}}, {"_id": 1})
        return [str(one["_id"]) async for one in found]

    async def needs_of(self, consultant_ids: list[str]) -> list[str]:
        found = self._needs.find({"open": True, "owner": {"$in": consultant_ids}}, {"_id": 1})
        return [str(one["_id"]) async for one in found]

    async def needs_with(self, candidate_id: str) -> list[str]:
        return [str(one["_id"]) async for one in self._needs.find({"candidates": candidate_id}, {"_id": 1})]

    async def open_among(self, need_ids: Iterable[str]) -> set[str]:
        wanted = {"_id": {"$in": list(need_ids)}, "open": True}
        return {str(one["_id"]) async for one in self._needs.find(wanted, {"_id": 1})}

    async def open_needs(self) -> dict[str, int]:
        """How many open needs each consultant has."""
        counted = self._needs.aggregate(
            [
                {"$match": {"open": True, "owner": {"$ne": None}}},
                {"$group": {"_id": "$owner", "needs": {"$sum": 1}}},
            ]
        )
        return {str(one["_id"]): int(one["needs"]) async for one in counted}

    # Erasures, feedback

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

    async def put_feedback_back(self, feedback: Feedback) -> None:
        """A decision that is on the topic already."""
        document: Document = {
            "_id": feedback.feedback_id,
            "event": feedback.model_dump(mode="json"),
            "revision": feedback.revision,
            "published_revision": feedback.revision,
            "occurred_at": feedback.occurred_at,
            "unpublished": False,
        }
        with suppress(DuplicateKeyError):
            await self.feedback.collection.insert_one(document)

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
        "unreachable": consultant.unreachable,
        "consultant": consultant.model_dump(mode="json", exclude={"last_assigned_at", "unreachable"}),
    }


def _idle(document: Mapping[str, Any]) -> Document:
    return {
        "last_assigned_at": document.get("last_assigned_at"),
        "unreachable": document.get("unreachable", False),
    }


def _in_force(erasure: Mapping[str, Any]) -> bool:
    return int(erasure["revision"]) >= int(erasure.get("lifted_by", -1))


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

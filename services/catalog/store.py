"""Roles, skills and their manifest in MongoDB, and who changed what.

A role's or skill's document is its content with `_id`, who wrote it last, and the outbox's fields; an erased
one is a stub. `seeded` stays on what the seed put into an empty store until somebody changes it. Until the
seed was agreed on with Kafka such a document gives way to what the topic has. It is published without a write
of its own: thousands of them would take a slow server minutes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from pymongo.errors import BulkWriteError, DuplicateKeyError
from uuid_utils import uuid7

from services.catalog.domain import Catalogue, changed_fields, content
from shared.events.role import ROLES
from shared.events.skill import SKILLS
from shared.events.topic import Event, Topic
from shared.events.wire import Record
from shared.mongo import Collection, Mongo
from shared.outbox import Document, erased, stamp

E = TypeVar("E", bound=Event)

LOADER = "loader"
"""Writes what the YAML files say; `load` may change it again."""
RESTORED = "restored"
"""Came back from the topic: who wrote it first is not known, or not known yet."""
UNKNOWN = "unknown"

_NEWCOMER = 11000
_CHANGES = {"_id": "changes"}
_SEED = {"_id": "seed"}


@dataclass(frozen=True)
class Kind(Generic[E]):
    """Roles or skills."""

    name: str
    topic: Topic[E]

    def event(self, document: Mapping[str, Any]) -> E:
        return self.topic.event.model_validate(document)


ROLE = Kind("role", ROLES)
SKILL = Kind("skill", SKILLS)
KINDS: tuple[Kind[Any], ...] = (ROLE, SKILL)


@dataclass(frozen=True)
class Standing:
    """Which revisions the store holds, and how many documents are not on Kafka as they stand here."""

    roles: Mapping[str, int]
    skills: Mapping[str, int]
    waiting: int


class Store:
    """The catalog's collections. Every write of a role or skill is a compare-and-set on its revision."""

    def __init__(self, mongo: Mongo, history_kept: int) -> None:
        self._mongo = mongo
        self._history_kept = history_kept
        self._entities = {ROLE.name: mongo.collection("roles"), SKILL.name: mongo.collection("skills")}
        self.manifest = mongo.collection("manifest")
        self._history = mongo.collection("history")
        self._marks = mongo.collection("marks")

    @property
    def away(self) -> bool:
        return self._mongo.away is not None

    def collection(self, kind: Kind[Any]) -> Collection:
        return self._entities[kind.name]

    async def create_indexes(self) -> None:
        await self._history.create_index([("kind", 1), ("key", 1), ("_id", -1)])

    async def find(self, kind: Kind[Any], key: str) -> Document | None:
        """The document, or the stub of an erased one."""
        self._mongo.require()
        found: Document | None = await self.collection(kind).find_one({"_id": key})
        return found

    async def documents(self, kind: Kind[Any]) -> dict[str, Document]:
        """Every document, stubs too."""
        found: list[Document] = await self.collection(kind).find({}).to_list(None)
        return {str(document["_id"]): document for document in found}

    async def catalogue(self) -> Catalogue:
        roles, skills = await self.documents(ROLE), await self.documents(SKILL)
        return Catalogue(
            {key: ROLE.event(found) for key, found in roles.items() if not found.get("erased")},
            {key: SKILL.event(found) for key, found in skills.items() if not found.get("erased")},
        )

    async def save(self, kind: Kind[E], event: E, previous: Document | None, by: str) -> E | None:
        """Write `event`'s content over `previous`. None where another write came first."""
        document = content(event) | stamp(previous) | {"written_by": by}
        written = await self._write(kind, kind.topic.key_of(event), document, previous)
        return kind.event(document) if written else None

    async def erase(self, kind: Kind[Any], key: str, previous: Document, by: str) -> bool:
        """Leave a stub, to be published as a tombstone. False where another write came first."""
        stub = erased(stamp(previous)["revision"]) | {"unpublished": True, "written_by": by}
        return await self._write(kind, key, stub, previous)

    async def _write(self, kind: Kind[Any], key: str, document: Document, previous: Document | None) -> bool:
        self._mongo.require()
        # The history first: no change is without its line there. A write that fails takes it back.
        line = await self._remember(kind, key, document, previous)
        if not await self._compare_and_set(self.collection(kind), key, document, previous):
            await self._history.delete_one({"_id": line})
            return False
        await self.note_change()
        await self._forget_oldest(kind, key)
        return True

    async def _compare_and_set(
        self, collection: Collection, key: str, document: Document, previous: Document | None
    ) -> bool:
        if previous is None:
            try:
                await collection.insert_one({"_id": key, **document, "lease": None})
            except DuplicateKeyError:
                return False
            return True
        # An update keeps the outbox's lease, which another may hold this moment; a replacement would lose it.
        lost = {name: "" for name in previous if name not in document and name not in _OUTBOX}
        change: Document = {"$set": document} | ({"$unset": lost} if lost else {})
        result = await collection.update_one({"_id": key, "revision": previous["revision"]}, change)
        return bool(result.matched_count)

    async def _remember(
        self, kind: Kind[Any], key: str, document: Document, previous: Document | None
    ) -> str:
        before = _content_of(previous)
        after = _content_of(document)
        line = str(uuid7())
        await self._history.insert_one(
            {
                "_id": line,
                "kind": kind.name,
                "key": key,
                "revision": document["revision"],
                "by": document["written_by"],
                "at": document["occurred_at"],
                "action": "deleted" if after is None else "created" if before is None else "changed",
                "fields": changed_fields(before or {}, after or {}),
                "before": before,
            }
        )
        return line

    async def _forget_oldest(self, kind: Kind[Any], key: str) -> None:
        old = self._history.find({"kind": kind.name, "key": key}, {"_id": 1}).sort("_id", -1)
        beyond = [line["_id"] async for line in old.skip(self._history_kept)]
        if beyond:
            await self._history.delete_many({"_id": {"$in": beyond}})

    async def history(self, kind: Kind[Any], key: str) -> list[Document]:
        """Who changed it when, newest first."""
        self._mongo.require()
        found = self._history.find({"kind": kind.name, "key": key}).sort("_id", -1)
        lines: list[Document] = await found.to_list(self._history_kept)
        return lines

    async def latest_changes(self, limit: int) -> list[Document]:
        """The last changes of any role or skill, newest first: the ids of the lines are in order of time."""
        self._mongo.require()
        lines: list[Document] = await self._history.find({}).sort("_id", -1).limit(limit).to_list(limit)
        return lines

    async def note_change(self) -> None:
        """Tell every replica that something changed."""
        await self._marks.update_one(_CHANGES, {"$inc": {"count": 1}}, upsert=True)

    async def changes(self) -> int:
        """Grows with every change; a look at it is cheap."""
        found = await self._marks.find_one(_CHANGES)
        return int(found["count"]) if found else 0

    async def revisions(self, kind: Kind[Any]) -> dict[str, int]:
        """Revision by id, without the erased ones."""
        found = self.collection(kind).find({}, {"revision": 1, "erased": 1})
        return {str(each["_id"]): int(each["revision"]) async for each in found if not each.get("erased")}

    async def some(self, kind: Kind[E], keys: Sequence[str]) -> list[E]:
        """Those of `keys` that are there."""
        found = self.collection(kind).find({"_id": {"$in": list(keys)}})
        return [kind.event(document) async for document in found if not document.get("erased")]

    async def standing(self) -> Standing:
        agreed = await self.seed_agreed()
        waiting = 0
        revisions: dict[str, dict[str, int]] = {}
        for kind in KINDS:
            fields = {"revision": 1, "erased": 1, "unpublished": 1, "seeded": 1}
            live = revisions.setdefault(kind.name, {})
            async for found in self.collection(kind).find({}, fields):
                waiting += bool(found.get("unpublished") or (found.get("seeded") and not agreed))
                if not found.get("erased"):
                    live[str(found["_id"])] = int(found["revision"])
        return Standing(revisions[ROLE.name], revisions[SKILL.name], waiting)

    async def write_manifest(self, described: Document, previous: Document | None) -> bool:
        """False where another replica wrote it first."""
        document = {"manifest_id": "catalogue", **described, **stamp(previous)}
        return await self._compare_and_set(self.manifest, "catalogue", document, previous)

    async def needs_seed(self) -> bool:
        """Whether nothing was ever put here, or all of it is gone. A seed that was cut short is repeated."""
        if await self._marks.find_one(_SEED) is None:
            return not [
                kind for kind in KINDS if await self.collection(kind).find_one({"seeded": {"$ne": True}})
            ]
        return not [kind for kind in KINDS if await self.collection(kind).find_one({})]

    async def seed(self, catalogue: Catalogue) -> None:
        """Put the catalogue into an empty store; of what is there already nothing is changed."""
        for kind, events in ((ROLE, catalogue.roles), (SKILL, catalogue.skills)):
            extra = {"written_by": LOADER, "seeded": True, "unpublished": False, "lease": None}
            documents = [{"_id": key, **content(event), **stamp(), **extra} for key, event in events.items()]
            await _insert_missing(self.collection(kind), documents)
        mark = {"at": datetime.now(UTC), "agreed": False}
        await self._marks.update_one(_SEED, {"$set": mark}, upsert=True)
        await self.note_change()

    async def seed_agreed(self) -> bool:
        """Whether what was seeded has been held against the topics, and published where they lacked it."""
        mark = await self._marks.find_one(_SEED)
        return mark is None or bool(mark["agreed"])

    async def agree_on_seed(self) -> None:
        await self._marks.update_one(_SEED, {"$set": {"agreed": True}})
        await self.note_change()

    async def seeded(self, kind: Kind[E]) -> list[E]:
        """What is still as it was seeded."""
        found = self.collection(kind).find({"seeded": True})
        return [kind.event(document) async for document in found]

    async def prefer(self, kind: Kind[E], record: Record[E], seeded_revision: int) -> None:
        """Take what the topic has in place of a seeded document that nobody has changed since."""
        unchanged = {"_id": record.key, "seeded": True, "revision": seeded_revision}
        if record.event is None:
            document = erased(record.revision) | {"written_by": UNKNOWN}
        else:
            document = restored(record.event) | record.event.model_dump(include={"revision", "occurred_at"})
        await self.collection(kind).replace_one(unchanged, document | {"unpublished": False})

    async def publish_again(self, kind: Kind[Any], sent: Mapping[str, int]) -> None:
        """Have those published again that are no longer at the revision that was sent: it could come last."""
        found = self.collection(kind).find({}, {"revision": 1})
        now = {str(each["_id"]): int(each["revision"]) async for each in found}
        for key in [key for key, revision in sent.items() if now.get(key, revision) != revision]:
            await self.collection(kind).update_one({"_id": key}, {"$set": {"unpublished": True}})

    async def restored_documents(self, kind: Kind[E]) -> list[E]:
        found = self.collection(kind).find({"written_by": RESTORED})
        return [kind.event(document) async for document in found]

    async def attribute(self, kind: Kind[Any], keys: Iterable[str], by: str) -> None:
        """Name the last writer of restored documents."""
        wanted = {"_id": {"$in": list(keys)}, "written_by": RESTORED}
        await self.collection(kind).update_many(wanted, {"$set": {"written_by": by}})


_OUTBOX = frozenset({"_id", "lease", "published_revision", "published_at"})
_OWN = _OUTBOX | {"revision", "occurred_at", "unpublished", "written_by", "seeded", "erased"}


def restored(event: Event) -> Document:
    """The document of an event that only the topic still has."""
    return {**content(event), "written_by": RESTORED, "lease": None}


def _content_of(document: Document | None) -> Document | None:
    if document is None or document.get("erased"):
        return None
    return {name: value for name, value in document.items() if name not in _OWN}


async def _insert_missing(collection: Collection, documents: list[Document]) -> None:
    if not documents:
        return
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        details: Any = error.details
        if any(problem["code"] != _NEWCOMER for problem in details["writeErrors"]):
            raise

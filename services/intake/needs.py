"""What clients and consultants do with needs: post, edit, withdraw, fill. The API and the pages call this."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from uuid_utils import uuid7

from services.intake.domain.need import NeedRequest, ReadNeed, new_reference, read_need, request_of
from services.intake.domain.progress import Status, status_of
from services.intake.knowledge import Knowledge
from services.intake.store import Document, NeedStore, digest, now
from services.intake.terms import Terms
from shared.events.need import Need, NeedState
from shared.links import tracking_url
from shared.metrics import Metrics
from shared.outbox import Outbox
from shared.settings import Settings
from shared.tokens import Tokens


class KeyReused(Exception):  # noqa: N818 - what happened
    """The Idempotency-Key came with another body before."""


class Changed(Exception):  # noqa: N818 - what happened
    """Somebody changed the need meanwhile: it is no longer at the revision the caller knows."""


class Closed(Exception):  # noqa: N818 - what happened
    """The need is withdrawn or filled and changes no more."""


class Feed:
    """Tells the open status pages of this replica that a need changed; other replicas' pages poll."""

    def __init__(self) -> None:
        self._watching: dict[str, set[asyncio.Event]] = {}

    def changed(self, need_id: str) -> None:
        for event in self._watching.get(need_id, ()):
            event.set()

    @contextmanager
    def watch(self, need_id: str) -> Iterator[asyncio.Event]:
        event = asyncio.Event()
        self._watching.setdefault(need_id, set()).add(event)
        try:
            yield event
        finally:
            self._watching[need_id].discard(event)
            if not self._watching[need_id]:
                del self._watching[need_id]


@dataclass
class Needs:
    store: NeedStore
    outbox: Outbox[Need]
    knowledge: Knowledge
    terms: Terms
    tokens: Tokens
    settings: Settings
    metrics: Metrics
    feed: Feed = field(default_factory=Feed)

    async def post(self, request: NeedRequest, owner: str | None, key: str | None) -> dict[str, Any]:
        """Store a new need and publish it; the answer of the API.

        With a `key`, the same request gives the same need and answer however often and however concurrently
        it comes. Raises KeyReused, Refusal, Unavailable.
        """
        self.knowledge.require()
        if key is not None:
            return await self._post_once(request, owner, key)
        document = await self._new(request, owner, now())
        await self._keep(document, request)
        return self._answer(document, request)

    async def edit(self, document: Document, patch: Mapping[str, Any]) -> Document:
        """Apply a merge patch (RFC 7396) to the request as the client made it: a new revision.

        Raises pydantic's ValidationError, Refusal, Closed, Changed.
        """
        lexicon = self.knowledge.require()
        if document["need"]["status"] != NeedState.OPEN:
            raise Closed
        request = NeedRequest.model_validate_json(json.dumps(merge_patch(document["asked"], patch)))
        began = document["need"].get("start_by")
        read = read_need(
            request, lexicon, datetime.now(UTC).date(), date.fromisoformat(began) if began else None
        )
        facts = read.facts | {"status": NeedState.OPEN.value}
        if facts == document["need"]:
            return document
        stamp = self.outbox.stamp(document)
        edited = {"event": "edited", "at": stamp["occurred_at"], "revision": stamp["revision"]}
        changes = stamp | {
            "need": facts,
            "asked": _asked(request),
            "unmapped": read.unmapped,
            "offered": read.offered,
            "read_with": read.read_with,
            f"timeline.edited-{stamp['revision']}": edited,
        }
        await self._change(document, changes, "edited")
        await self.terms.met(
            set(read.unmapped) - set(document["unmapped"]), _private(request), document["_id"]
        )
        return await self.store.find(document["_id"]) or document

    async def close(self, document: Document, state: NeedState) -> Document:
        """Withdrawn or filled: a new revision; matching ranks it no more. Raises Closed, Changed."""
        if document["need"]["status"] == state:
            return document
        if document["need"]["status"] != NeedState.OPEN:
            raise Closed
        stamp = self.outbox.stamp(document)
        changes = stamp | {
            "need.status": state.value,
            "status": Status(state.value).value,
            f"timeline.{state.value}": {"event": state.value, "at": stamp["occurred_at"]},
        }
        await self._change(document, changes, state.value)
        return await self.store.find(document["_id"]) or document

    async def fill_if_placed(self, need_id: str) -> None:
        """Fill the need once as many candidates are placed as there are positions."""
        while (document := await self.store.find(need_id)) is not None:
            positions = document["need"].get("positions", 1)
            if document["need"]["status"] != NeedState.OPEN or len(document["placed"]) < positions:
                return
            try:
                await self.close(document, NeedState.FILLED)
            except Changed:
                continue

    async def _post_once(self, request: NeedRequest, owner: str | None, key: str) -> dict[str, Any]:
        """The key's document is written first: whoever claims it decides the need's id and the answer."""
        key_id, body = digest(owner, key), digest(request.model_dump_json())
        known = await self.store.find_key(key_id)
        if known is None:
            document = await self._new(request, owner, now())
            answer = self._answer(document, request)
            known = await self.store.claim_key(
                {"_id": key_id, "body": body, "answer": answer, "created_at": document["created_at"]}
            )
            if known["answer"]["need_id"] == document["_id"]:
                await self._keep(document, request)
                return answer
        if known["body"] != body:
            raise KeyReused
        answer = dict(known["answer"])
        self._count("repeated")
        if not await self.store.exists(answer["need_id"]):
            # Who claimed the key died before storing the need, or is about to: both store the same one.
            await self._keep(await self._new(request, owner, known["created_at"], answer), request)
        return answer

    async def _keep(self, document: Document, request: NeedRequest) -> None:
        if await self.store.insert(document):
            self.outbox.publish_soon(document["_id"])
            self._count("posted")
            await self.terms.met(document["unmapped"], _private(request), document["_id"])

    async def _change(self, document: Document, changes: Mapping[str, Any], action: str) -> None:
        if not await self.store.change(document["_id"], document["revision"], changes):
            raise Changed
        self.outbox.publish_soon(document["_id"])
        self._count(action)
        self.feed.changed(document["_id"])

    async def _new(
        self, request: NeedRequest, owner: str | None, at: datetime, answer: Mapping[str, Any] | None = None
    ) -> Document:
        """A need's first document; with `answer` the one that this answer was given for."""
        read = read_need(request, self.knowledge.lexicon, at.date())
        stamp = self.outbox.stamp()
        if answer is not None:
            stamp |= {"revision": answer["revision"], "occurred_at": at}
        identity = {
            "_id": answer["need_id"] if answer else str(uuid7()),
            "reference": answer["reference"] if answer else await self._unused_reference(),
            "created_at": stamp["occurred_at"],
        }
        return (
            _first_document(read, request, owner)
            | identity
            | stamp
            | _begun(Status.RECEIVED, stamp["occurred_at"])
        )

    async def _unused_reference(self) -> str:
        while await self.store.reference_taken(reference := new_reference()):
            pass
        return reference

    def _answer(self, document: Document, request: NeedRequest) -> dict[str, Any]:
        return {
            "need_id": document["_id"],
            "reference": document["reference"],
            "revision": document["revision"],
            "status": document["status"],
            "tracking_url": tracking_url(self.settings, self.tokens, document["_id"], request.locale),
            "unmapped_skills": document["unmapped"],
        }

    def _count(self, action: str) -> None:
        self.metrics.needs.labels("intake", action).inc()


def event_of(document: Document) -> Need:
    return Need.model_validate(
        document["need"]
        | {
            "need_id": document["_id"],
            "reference": document["reference"],
            "revision": document["revision"],
            "occurred_at": document["occurred_at"],
        }
    )


def restored(need: Need) -> Document:
    """The document of a need that only its topic still has; the other topics bring its timeline back."""
    asked = request_of(need)
    return {
        "reference": need.reference,
        "owner": None,
        "need": asked | {"status": need.status.value},
        "asked": asked,
        "unmapped": [],
        "offered": [],
        "created_at": need.occurred_at,
        "restored": True,
    } | _begun(status_of(need.status), need.occurred_at)


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396: null removes, objects merge, all else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def _first_document(read: ReadNeed, request: NeedRequest, owner: str | None) -> Document:
    return {
        "owner": owner,
        "need": read.facts | {"status": NeedState.OPEN.value},
        "asked": _asked(request),
        "unmapped": read.unmapped,
        "offered": read.offered,
        "read_with": read.read_with,
    }


def _begun(status: Status, at: datetime) -> Document:
    return {
        "status": status.value,
        "shortlist_revision": 0,
        "consultant": None,
        "consultant_since": 0,
        "placed": {},
        "timeline": {"received": {"event": "received", "at": at}},
    }


def _asked(request: NeedRequest) -> dict[str, Any]:
    return request.model_dump(mode="json", exclude_none=True)


def _private(request: NeedRequest) -> tuple[str | None, ...]:
    return (request.company, request.contact.name, request.contact.email, request.contact.phone)

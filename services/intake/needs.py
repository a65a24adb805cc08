"""What clients and consultants do with needs: post, edit, withdraw, fill. The API and the pages call this."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from uuid_utils import uuid7

from services.intake.domain.need import NeedRequest, read_need
from services.intake.domain.progress import Status
from services.intake.knowledge import Knowledge
from services.intake.need_documents import begun, merge_patch, private, read_fields
from services.intake.references import References
from services.intake.store import Document, NeedStore, digest, now
from services.intake.terms import Terms
from shared.events.need import Need, NeedState
from shared.links import tracking_url
from shared.metrics import Metrics
from shared.outbox import Outbox
from shared.settings import Settings
from shared.tokens import Tokens
from shared.web.stream import Feed


class KeyReused(Exception):  # noqa: N818 - what happened
    """The Idempotency-Key came with another body before."""


class Changed(Exception):  # noqa: N818 - what happened
    """Somebody changed the need meanwhile: it is no longer at the revision the caller knows."""


class Closed(Exception):  # noqa: N818 - what happened
    """The need is withdrawn or filled and changes no more."""


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

    def __post_init__(self) -> None:
        self.references = References(self.store)

    async def post(
        self, request: NeedRequest, owner: str | None, key: str | None, *, filed_by: str | None = None
    ) -> dict[str, Any]:
        """Store a new need and publish it; the answer of the API.

        With a `key`, the same request gives the same need and answer however often and however concurrently
        it comes. `filed_by` is the consultant who wrote it down for a client. Raises KeyReused, Refusal,
        Unavailable.
        """
        self.knowledge.require()
        if key is not None:
            return await self._post_once(request, owner, key, filed_by)
        document = await self._new(request, owner, now(), filed_by=filed_by)
        await self._keep(document, request)
        return self._answer(document, request)

    async def edit(self, document: Document, patch: Mapping[str, Any]) -> Document:
        """Apply a merge patch (RFC 7396) to the request as the client made it: a new revision.

        Raises pydantic's ValidationError, Refusal, Closed, Changed.
        """
        if document["need"]["status"] != NeedState.OPEN:
            raise Closed
        merged = merge_patch(document["asked"], patch)
        return await self.replace(document, NeedRequest.model_validate_json(json.dumps(merged)))

    async def replace(self, document: Document, request: NeedRequest, *, by: str | None = None) -> Document:
        """Put `request` in the place of the one before: a new revision. `by` is the consultant, if one.

        Raises Refusal, Closed, Changed.
        """
        lexicon = self.knowledge.require()
        if document["need"]["status"] != NeedState.OPEN:
            raise Closed
        began = document["need"].get("start_by")
        read = read_need(
            request, lexicon, datetime.now(UTC).date(), date.fromisoformat(began) if began else None
        )
        fields = read_fields(read, request)
        if fields["asked"] == document["asked"]:
            return document
        changes = dict(fields)
        if fields["need"] != document["need"]:
            # Else only a skill's name that nobody knows was changed: nothing that others rank by.
            stamp = self.outbox.stamp(document)
            edited = {"event": "edited", "at": stamp["occurred_at"], "revision": stamp["revision"]}
            changes |= stamp | {f"timeline.edited-{stamp['revision']}": edited}
        await self.change(document, changes, "edited", by)
        await self.terms.met(
            set(read.unmapped) - set(document["unmapped"]), private(request), document["_id"]
        )
        await self.fill_if_placed(document["_id"])
        return await self.store.find(document["_id"]) or document

    async def close(
        self,
        document: Document,
        state: NeedState,
        *,
        event: str | None = None,
        action: str | None = None,
        by: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Document:
        """Withdrawn or filled: a new revision; matching ranks it no more. Raises Closed, Changed.

        `event` is what the timeline says instead of the state, `action` what is recorded of the consultant
        in `by`; `more` are other fields that are set with it.
        """
        if document["need"]["status"] == state and not more:
            return document
        if document["need"]["status"] != NeedState.OPEN:
            raise Closed
        stamp = self.outbox.stamp(document)
        said = event or state.value
        changes = stamp | {
            "need.status": state.value,
            "status": Status(state.value).value,
            f"timeline.{said}": {"event": said, "at": stamp["occurred_at"]},
            **(more or {}),
        }
        await self.change(document, changes, action or said, by)
        return await self.store.find(document["_id"]) or document

    async def note_filled(self, document: Document, filled: int, *, by: str | None = None) -> Document:
        """So many of its positions are filled, whoever filled them; the need is, once all are.

        Raises Closed, Changed.
        """
        if document["need"]["status"] != NeedState.OPEN:
            raise Closed
        if filled >= document["need"].get("positions", 1):
            return await self.close(document, NeedState.FILLED, by=by, more={"filled": filled})
        at = now()
        said = {"event": "positions_filled", "at": at, "filled": filled}
        # The client's own count beside the agency's placements: no fact that others rank by.
        changes = {"filled": filled, f"timeline.filled-{filled}": said}
        await self.change(document, changes, "positions_filled", by)
        return await self.store.find(document["_id"]) or document

    async def fill_if_placed(self, need_id: str) -> None:
        """Fill the need once as many candidates are placed as there are positions."""
        while (document := await self.store.find(need_id)) is not None:
            positions = document["need"].get("positions", 1)
            if document["need"]["status"] != NeedState.OPEN or filled_positions(document) < positions:
                return
            try:
                await self.close(document, NeedState.FILLED)
            except Changed:
                continue

    async def change(
        self, document: Document, changes: Mapping[str, Any], action: str, by: str | None = None
    ) -> None:
        """Write `changes` if the document is as it was read, and say so. Raises Changed."""
        at = now()
        done = {f"desk.{int(at.timestamp() * 1000)}": {"by": by, "action": action, "at": at}} if by else {}
        if not await self.store.change(document["_id"], document["revision"], {**changes, **done}):
            raise Changed
        if "unpublished" in changes:
            self.outbox.publish_soon(document["_id"])
        self._count(action)
        self.feed.changed(document["_id"])

    async def _post_once(
        self, request: NeedRequest, owner: str | None, key: str, filed_by: str | None
    ) -> dict[str, Any]:
        """The key's document is written first: whoever claims it decides the need's id and the answer."""
        key_id, body = digest(owner, key), digest(request.model_dump_json())
        known = await self.store.find_key(key_id)
        if known is None:
            document = await self._new(request, owner, now(), filed_by=filed_by)
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
            document = await self._new(request, owner, known["created_at"], answer, filed_by=filed_by)
            await self._keep(document, request)
        return answer

    async def _keep(self, document: Document, request: NeedRequest) -> None:
        if await self.outbox.insert(document):
            self._count("posted")
            await self.terms.met(document["unmapped"], private(request), document["_id"])

    async def _new(
        self,
        request: NeedRequest,
        owner: str | None,
        at: datetime,
        answer: Mapping[str, Any] | None = None,
        *,
        filed_by: str | None,
    ) -> Document:
        """A need's first document; with `answer` the one that this answer was given for."""
        read = read_need(request, self.knowledge.lexicon, at.date())
        stamp = self.outbox.stamp()
        if answer is not None:
            stamp |= {"revision": answer["revision"], "occurred_at": at}
        need_id = answer["need_id"] if answer else str(uuid7())
        identity = {
            "_id": need_id,
            "reference": answer["reference"] if answer else await self.references.next(),
            "owner": owner,
            "created_at": stamp["occurred_at"],
        }
        filed = {"by": filed_by, "action": "posted", "at": stamp["occurred_at"]}
        desk = {"desk": {str(stamp["revision"]): filed}} if filed_by else {}
        return (
            read_fields(read, request)
            | identity
            | stamp
            | begun(Status.RECEIVED, stamp["occurred_at"])
            | desk
        )

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


def filled_positions(document: Document) -> int:
    """The larger of what consultants placed and what the client says."""
    return max(len(document["placed"]), int(document.get("filled", 0)))

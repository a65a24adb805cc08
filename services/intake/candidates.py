"""What agencies' systems do with candidates: store, update, erase; and the end of a legal basis."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from uuid_utils import uuid7

from services.intake.domain.candidate import CandidateRequest, Profile, facts_of, read_candidate
from services.intake.knowledge import Knowledge
from services.intake.needs import Changed, merge_patch
from services.intake.store import CandidateStore, Document
from services.intake.terms import Terms
from shared.events.candidate import Candidate
from shared.metrics import Metrics
from shared.outbox import Outbox
from shared.taxonomy import loose

_TRIES = 20


@dataclass
class Candidates:
    store: CandidateStore
    outbox: Outbox[Candidate]
    knowledge: Knowledge
    terms: Terms
    metrics: Metrics

    def read(self, request: CandidateRequest) -> Profile:
        """What would count, without storing anything. Raises Refusal, Unavailable."""
        return read_candidate(request, self.knowledge.require(), datetime.now(UTC).date())

    async def save(self, request: CandidateRequest, owner: str) -> tuple[Document, bool]:
        """Store a candidate, or update the one with the same external id; whether it is new.

        Raises Refusal, Unavailable.
        """
        profile = self.read(request)
        for _ in range(_TRIES):
            candidate_id = str(uuid7())
            if request.external_id is not None:
                claimed = await self.store.claim_external_id(owner, request.external_id, candidate_id)
                if claimed != candidate_id:
                    candidate_id = claimed
                    had = await self.store.find(candidate_id)
                    if had is not None:
                        return await self._update(had, request, profile), False
                    if await self.store.find_stub(candidate_id) is not None:
                        # Erased, and its external id not yet let go: what comes now is a new candidate.
                        await self.store.release_external_id(owner, request.external_id, candidate_id)
                        continue
            document = self._new(candidate_id, request, profile, owner)
            if await self.store.insert(document):
                await self._stored(document, request, "created")
                return document, True
        raise Changed

    async def patch(self, document: Document, patch: Mapping[str, Any]) -> Document:
        """Apply a merge patch (RFC 7396) to what was given; what is stated outranks what was read.

        Raises pydantic's ValidationError, Refusal, Changed, Unavailable.
        """
        request = CandidateRequest.model_validate_json(
            json.dumps(merge_patch(document["given"] or {}, patch))
        )
        profile = self.read(request)
        old, new = (document["given"] or {}).get("external_id"), request.external_id
        if new is not None and new != old:
            claimed = await self.store.claim_external_id(document["owner"], new, document["_id"])
            if claimed != document["_id"]:
                raise ExternalIdTaken
        changed = await self._replace(document, request, profile)
        if old is not None and old != new:
            await self.store.release_external_id(document["owner"], old, document["_id"])
        return changed

    async def erase(self, document: Document) -> Document:
        """Leave a stub and publish a tombstone. Raises Changed."""
        stamp = self.outbox.stamp(document)
        if not await self.store.erase(document, stamp):
            raise Changed
        external_id = (document["given"] or {}).get("external_id")
        if external_id is not None:
            await self.store.release_external_id(document["owner"], external_id, document["_id"])
        if document.get("published_revision") is None and document.get("lease") is None:
            # Nobody else ever heard of it.
            for service in ("matching", "notifier"):
                await self.store.confirm_erasure(document["_id"], service, stamp["occurred_at"])
        await self.store.confirm_erasure(document["_id"], "intake", stamp["occurred_at"])
        self.outbox.publish_soon(document["_id"])
        self._count("erased")
        return await self.store.find_stub(document["_id"]) or document

    async def unlist_ended(self) -> None:
        """Publish a tombstone for everybody whose legal basis has ended; they stay stored."""
        today = datetime.now(UTC).date().isoformat()
        for document in await self.store.ended_bases(today):
            changes = self.outbox.stamp(document) | {"listed": False}
            if await self.store.change(document["_id"], document["revision"], changes):
                self.outbox.publish_soon(document["_id"])
                self._count("basis_ended")

    async def _update(self, had: Document, request: CandidateRequest, profile: Profile) -> Document:
        """Replace what was given; again from the start where somebody else wrote meanwhile."""
        for _ in range(_TRIES):
            try:
                return await self._replace(had, request, profile)
            except Changed:
                found = await self.store.find(had["_id"])
                if found is None:
                    raise
                had = found
        raise Changed

    async def _replace(self, had: Document, request: CandidateRequest, profile: Profile) -> Document:
        fields = fields_of(request, profile)
        if all(had.get(name) == value for name, value in fields.items()):
            return had
        changes = fields | self.outbox.stamp(had) | {"restored": False, "read_with": profile.read_with}
        if not await self.store.change(had["_id"], had["revision"], changes):
            raise Changed
        document = had | changes
        await self._stored(document, request, "updated")
        return document

    def _new(self, candidate_id: str, request: CandidateRequest, profile: Profile, owner: str) -> Document:
        stamp = self.outbox.stamp()
        identity = {"_id": candidate_id, "owner": owner, "created_at": stamp["occurred_at"]}
        return identity | fields_of(request, profile) | stamp | {"read_with": profile.read_with}

    async def _stored(self, document: Document, request: CandidateRequest, action: str) -> None:
        self.outbox.publish_soon(document["_id"])
        self._count(action)
        private = (request.name, request.email, request.phone, request.external_id)
        await self.terms.met(document["unmapped"], private, document["_id"])

    def _count(self, action: str) -> None:
        self.metrics.candidates.labels("intake", action).inc()


class ExternalIdTaken(Exception):  # noqa: N818 - what happened
    """Another candidate of the same owner has this external id."""


def event_of(document: Document) -> Candidate | None:
    """The pseudonymous event; None without a legal basis, which makes a tombstone of one published before."""
    if not document["listed"]:
        return None
    return Candidate.model_validate(
        document["facts"]
        | {
            "candidate_id": document["_id"],
            "revision": document["revision"],
            "occurred_at": document["occurred_at"],
        }
    )


def restored(candidate: Candidate) -> Document:
    """The document of a candidate that only its topic still has: nobody's, nameless, and still ranked."""
    return {
        "owner": None,
        "given": None,
        "facts": facts_of(candidate),
        "evidence": {},
        "unmapped": [],
        "warnings": ["restored from its published event: names, contacts and texts are lost"],
        "listed": True,
        "basis_until": None,
        "search": "",
        "created_at": candidate.occurred_at,
        "restored": True,
    }


def fields_of(request: CandidateRequest, profile: Profile) -> Document:
    """What is stored of a request. `given` holds the person; only `facts` leave intake."""
    searched = (request.name, request.external_id, request.email, request.phone)
    return {
        "given": request.model_dump(mode="json", exclude_none=True),
        "facts": profile.facts,
        "evidence": profile.evidence,
        "unmapped": profile.unmapped,
        "warnings": profile.warnings,
        "listed": profile.listed,
        "basis_until": request.basis.until.isoformat() if request.basis else None,
        "search": loose(" ".join(filter(None, searched))),
    }

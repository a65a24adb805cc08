"""What agencies' systems do with candidates: store, update, erase; and the end of a legal basis."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from uuid_utils import uuid7

from services.intake.candidate_documents import fields_of
from services.intake.domain.availability import placements, stated_at
from services.intake.domain.candidate import (
    CandidateRequest,
    Profile,
    read_candidate,
    refuse_impossible,
)
from services.intake.domain.corrections import Correction
from services.intake.domain.lexicon import Lexicon
from services.intake.domain.merging import union
from services.intake.files import Files, Reference, Upload
from services.intake.knowledge import Knowledge
from services.intake.need_documents import merge_patch
from services.intake.needs import Changed
from services.intake.reading.found import CvDocument
from services.intake.reading.workers import CvWorkers
from services.intake.store import CandidateStore, Document, now
from services.intake.terms import Terms
from shared.events.candidate import Candidate
from shared.events.feedback import Feedback
from shared.metrics import Metrics
from shared.outbox import Outbox

_TRIES = 20


@dataclass
class Candidates:
    store: CandidateStore
    outbox: Outbox[Candidate]
    knowledge: Knowledge
    terms: Terms
    metrics: Metrics
    workers: CvWorkers
    files: Files
    before_erasing: list[Callable[[Document], Awaitable[None]]] = field(default_factory=list)
    """What forgets something that only the whole document leads to. Each may run twice."""
    after_erasing: list[Callable[[str], Awaitable[None]]] = field(default_factory=list)
    """Run with the id once only the stub is left."""
    after_storing: list[Callable[[Document], Awaitable[None]]] = field(default_factory=list)
    """Run with each document as it was stored."""

    async def read(self, request: CandidateRequest, cv: bytes | None = None) -> Profile:
        """What would count, without storing anything; `cv` is a PDF, a DOCX or a text file.

        Raises Refusal (Unreadable, for the file), Unavailable.
        """
        return await self._read(request, self.knowledge.require(), cv)

    async def read_again(self, document: Document, request: CandidateRequest, lexicon: Lexicon) -> Profile:
        """As `read`, for the text that is stored already. Raises Refusal."""
        profile = await self._read(request, lexicon)
        had = document.get("cv")
        if had is None or request.cv_text != (document["given"] or {}).get("cv_text"):
            return profile
        file = CvDocument(request.cv_text or "", had["kind"], tuple(had["warnings"]), had["pages"])
        return replace(profile, document=file, warnings=[*profile.warnings, *file.warnings])

    async def _read(self, request: CandidateRequest, lexicon: Lexicon, cv: bytes | None = None) -> Profile:
        today = datetime.now(UTC).date()
        refuse_impossible(request, cv=cv is not None)
        if cv is None:
            return read_candidate(
                request, await self.workers.read_text(request.cv_text, lexicon, today), lexicon, today
            )
        file, reading = await self.workers.read_file(cv, lexicon, today)
        return read_candidate(request, reading, lexicon, today, file)

    async def save(
        self,
        request: CandidateRequest,
        owner: str,
        cv: bytes | None = None,
        cv_name: str = "cv",
        *,
        registered: bool = False,
        corrections: Sequence[Correction] = (),
    ) -> tuple[Document, bool]:
        """Store a candidate, or update the one with the same external id; whether it is new.

        Of a file the text is stored too, as `cv_text`. `registered`: by the person, who so knows of it,
        and has corrected what was read.
        Raises Refusal (Unreadable, for the file), Unavailable.
        """
        profile = await self.read(request, cv)
        request, upload = _with_file(request, profile, cv, cv_name)
        for _ in range(_TRIES):
            candidate_id = str(uuid7())
            if request.external_id is not None:
                claimed = await self.store.claim_external_id(owner, request.external_id, candidate_id)
                if claimed != candidate_id:
                    candidate_id = claimed
                    had = await self.store.find(candidate_id)
                    if had is not None and (had.get("merged") or not _is_own(had, owner, request)):
                        return await self._add(had, request, owner, cv, cv_name), False
                    if had is not None:
                        return await self._update(had, request, upload, profile), False
                    if await self.store.find_stub(candidate_id) is not None:
                        # Erased, and its external id not yet let go: what comes now is a new candidate.
                        await self.store.release_external_id(owner, request.external_id, candidate_id)
                        continue
            document = self._new(candidate_id, request, profile, owner, corrections)
            document |= {"registered": registered, "inform": not registered and request.email is not None}
            document["file"] = await self.files.put(candidate_id, upload) if upload else None
            if await self.outbox.insert(document):
                await self._stored(document, request, "created")
                return document, True
        raise Changed

    async def update(
        self, had: Document, request: CandidateRequest, cv: bytes | None = None, cv_name: str = "cv"
    ) -> Document:
        """Replace what was given of a candidate. Raises Refusal, Changed, Unavailable."""
        profile = await self.read(request, cv)
        return await self._update(had, *_with_file(request, profile, cv, cv_name), profile)

    async def patch(self, document: Document, patch: Mapping[str, Any]) -> Document:
        """Apply a merge patch (RFC 7396) to what was given; what is stated outranks what was read.

        Raises pydantic's ValidationError, Refusal, Changed, Unavailable.
        """
        request = CandidateRequest.model_validate_json(
            json.dumps(merge_patch(document["given"] or {}, patch))
        )
        profile = await self.read_again(document, request, self.knowledge.require())
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
        for forget in self.before_erasing:
            await forget(document)
        stamp = self.outbox.stamp(document)
        if not await self.store.erase(document, stamp):
            raise Changed
        if document.get("published_revision") is None and document.get("lease") is None:
            # Nobody else ever heard of it.
            for service in ("matching", "notifier"):
                await self.store.confirm_erasure(
                    document["_id"], service, stamp["occurred_at"], stamp["revision"]
                )
        self.outbox.publish_soon(document["_id"])
        self._count("erased")
        for follow in self.after_erasing:
            await follow(document["_id"])
        return await self.store.find_stub(document["_id"]) or document

    async def unlist_ended(self) -> None:
        """Publish a tombstone for everybody whose legal basis has ended; they stay stored."""
        today = datetime.now(UTC).date().isoformat()
        for document in await self.store.ended_bases(today):
            changes = self.outbox.stamp(document) | {"listed": False}
            if await self.store.change(document["_id"], document["revision"], changes):
                self.outbox.publish_soon(document["_id"])
                self._count("basis_ended")

    async def note_decision(self, decision: Feedback) -> None:
        """Note a placement, or its end: a new revision, since it may change what others know."""
        candidate_id = decision.candidate_id or ""
        while (had := await self.store.find_merged(candidate_id)) is not None:
            placed = placements(had, decision)
            if placed == had.get("placements", {}):
                return
            known = had.get("availability_stated_at") or had["occurred_at"]
            changes: Document = {"placements": placed, "availability_stated_at": known}
            # Stamped even where others are told the same: two decisions at once must see each other.
            changes |= self.outbox.stamp(had)
            if await self.store.change(had["_id"], had["revision"], changes):
                self.outbox.publish_soon(had["_id"])
                return

    async def contacted(self, candidate_id: str) -> None:
        """Note that the person was in contact with the agency just now: retention begins anew."""
        await self.store.note_contact(candidate_id, now())

    async def _add(
        self, had: Document, request: CandidateRequest, owner: str, cv: bytes | None, name: str
    ) -> Document:
        """What comes for a candidate who was merged. Raises Refusal, Changed, Unavailable.

        What is said under the candidate's own id stands; what comes under the id of one that was merged into
        it adds what is missing. Neither takes anything away: else two lines of feeds would undo each other
        every night.
        """
        line = request.model_dump(mode="json", exclude_none=True)

        async def add(had: Document) -> Document:
            given = had["given"] or {}
            own = _is_own(had, owner, request)
            file = cv if own or not (had.get("file") or given.get("cv_text")) else None
            said = union(line, given) if own else union(given, line)
            if file is not None:
                # The file says it; `save` has put its text into the line.
                said.pop("cv_text", None)
            both = CandidateRequest.model_validate_json(json.dumps(said))
            profile = await self.read(both, file)
            both, upload = _with_file(both, profile, file, name)
            return await self._replace_keeping(had, both, profile, upload)

        return await self._on_newest(had, add)

    async def _update(
        self, had: Document, request: CandidateRequest, upload: Upload | None, profile: Profile
    ) -> Document:
        """Replace what was given."""
        return await self._on_newest(
            had, lambda newest: self._replace_keeping(newest, request, profile, upload)
        )

    async def _on_newest(self, had: Document, change: Callable[[Document], Awaitable[Document]]) -> Document:
        """`change` what there is; again from the start where somebody else wrote meanwhile."""
        for _ in range(_TRIES):
            try:
                return await change(had)
            except Changed:
                found = await self.store.find(had["_id"])
                if found is None:
                    raise
                had = found
        raise Changed

    async def _replace_keeping(
        self, had: Document, request: CandidateRequest, profile: Profile, upload: Upload | None
    ) -> Document:
        """Replace what was given. Who sends no CV, or the text of the one that was sent before, keeps that
        one with its file."""
        text = (had["given"] or {}).get("cv_text")
        if had.get("file") and upload is None and request.cv_text in (None, text):
            request = request.model_copy(update={"cv_text": text})
            profile = await self.read_again(had, request, self.knowledge.require())
        return await self._replace(had, request, profile, upload)

    async def _replace(
        self, had: Document, request: CandidateRequest, profile: Profile, upload: Upload | None = None
    ) -> Document:
        fields = fields_of(request, profile, self.knowledge.lexicon, had.get("corrections", ()))
        fields["file"] = await self._file(had, profile, upload)
        if all(had.get(name) == value for name, value in fields.items()):
            return had
        if request.email is not None and not (had.get("registered") or had.get("informed_at")):
            fields["inform"] = True
        if fields["basis_until"] and fields["basis_until"] != had["basis_until"]:
            # Whoever has a new basis has it from the person, or has told them.
            fields |= {"contacted_at": now(), "warned_at": None}
        changes = fields | self.outbox.stamp(had) | {"restored": False, "read_with": profile.read_with}
        changes["availability_stated_at"] = stated_at(had, fields, changes["occurred_at"])
        if not await self.store.change(had["_id"], had["revision"], changes):
            raise Changed
        self.outbox.publish_soon(had["_id"])
        document = had | changes
        if had.get("file") != document["file"]:
            await self.files.drop(had.get("file"))
        await self._stored(document, request, "updated")
        return document

    async def _file(self, had: Document, profile: Profile, upload: Upload | None) -> Reference | None:
        """The reference to what is the candidate's file from now on; a new one is stored."""
        before: Reference | None = had.get("file")
        if upload is None:
            return before if profile.document is not None else None
        if before is not None and before["digest"] == upload.digest:
            return before
        return await self.files.put(had["_id"], upload)

    def _new(
        self,
        candidate_id: str,
        request: CandidateRequest,
        profile: Profile,
        owner: str,
        corrections: Sequence[Correction],
    ) -> Document:
        stamp = self.outbox.stamp()
        identity = {"_id": candidate_id, "owner": owner, "created_at": stamp["occurred_at"]}
        identity["contacted_at"] = stamp["occurred_at"]
        fields = fields_of(request, profile, self.knowledge.lexicon, corrections)
        if corrections:
            fields["corrections"] = list(corrections)
        fields["availability_stated_at"] = stated_at(None, fields, stamp["occurred_at"])
        return identity | fields | stamp | {"read_with": profile.read_with}

    async def _stored(self, document: Document, request: CandidateRequest, action: str) -> None:
        self._count(action)
        private = (request.name, request.email, request.phone, request.external_id)
        await self.terms.met(document["unmapped"], private, document["_id"])
        for follow in self.after_storing:
            await follow(document)

    def _count(self, action: str) -> None:
        self.metrics.candidates.labels("intake", action).inc()


def _with_file(
    request: CandidateRequest, profile: Profile, cv: bytes | None, name: str
) -> tuple[CandidateRequest, Upload | None]:
    """The request with its file's text, and the file to be stored; as it is where there is no file."""
    if cv is None or profile.document is None:
        return request, None
    with_text = request.model_copy(update={"cv_text": profile.document.text})
    return with_text, Upload(cv, name, profile.document.kind)


def _is_own(had: Document, owner: str, request: CandidateRequest) -> bool:
    """Whether this is the feed's line that the candidate has been updated by all along."""
    given = had["given"]
    return given is None or (had["owner"], given.get("external_id")) == (owner, request.external_id)


class ExternalIdTaken(Exception):  # noqa: N818 - what happened
    """Another candidate of the same owner has this external id."""

"""Stored texts are read again when the catalogue moves on: who wrote a name before it was known counts too.

Each document remembers the revision of the catalogue that it was read with, so a stopped pass goes on where
it was, and replicas share the work. A replica whose catalogue is behind leaves alone what another has read.
"""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from services.intake.candidate_documents import fields_of
from services.intake.candidates import Candidates
from services.intake.domain.candidate import CandidateRequest
from services.intake.domain.fields import Refusal
from services.intake.domain.lexicon import Lexicon
from services.intake.domain.need import newly_known
from services.intake.needs import Needs
from services.intake.store import Document
from shared.log import get_logger
from shared.outage import is_outage

BATCH = 100
PAUSE_SECONDS = 0.02
"""Between batches: requests come first."""
LOOK_AGAIN_SECONDS = 60.0
"""For what a replica with an older catalogue wrote after this one had passed."""


@dataclass
class Rereading:
    needs: Needs
    candidates: Candidates

    async def run(self) -> None:
        """Read again with each new version; runs until cancelled."""
        knowledge = self.candidates.knowledge
        while True:
            knowledge.moved_on.clear()
            if knowledge.catalogue.seen:
                await self._pass()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                    await knowledge.moved_on.wait()

    async def _pass(self) -> None:
        # The lexicon is asked for anew with each batch: a yet newer catalogue may come meanwhile.
        for store, read in (
            (self.needs.store, self._need),
            (self.candidates.store, self._candidate),
        ):
            lexicon = self.candidates.knowledge.lexicon
            while batch := await store.read_before(lexicon.revision, BATCH):
                for document in batch:
                    await read(document, lexicon)
                await asyncio.sleep(PAUSE_SECONDS)
                lexicon = self.candidates.knowledge.lexicon

    async def _candidate(self, document: Document, lexicon: Lexicon) -> None:
        """From what was given, so that corrections and stated levels outrank the text as before."""
        changes: dict[str, Any] = {}
        try:
            request = CandidateRequest.model_validate_json(json.dumps(document["given"]))
            profile = await self.candidates.read_again(document, request, lexicon)
        except (ValidationError, Refusal):
            # Taken by an earlier version of this service: it stays as it was read then.
            get_logger("intake").warning("not_readable_again", candidate=document["_id"])
        except Exception as error:
            if is_outage(error):
                raise
            # Our own fault: one text must not keep all others from being read again.
            get_logger("intake").exception("rereading_failed", candidate=document["_id"])
        else:
            changes = fields_of(request, profile, lexicon, document.get("corrections", ()))
        counts = any(name in changes and changes[name] != document[name] for name in ("facts", "listed"))
        if counts:
            # The sweeper publishes: a whole pool may have changed.
            changes |= self.candidates.outbox.stamp(document)
        changes["read_with"] = lexicon.revision
        if await self.candidates.store.note_read(document, changes) and counts:
            self.candidates.metrics.candidates.labels("intake", "reread").inc()

    async def _need(self, document: Document, lexicon: Lexicon) -> None:
        """Only names that nobody knew are looked up again; what the client was shown stays."""
        names = document["unmapped"]
        skills, still_unknown = newly_known(document["asked"].get("skills", ()), names, lexicon)
        changes: dict[str, Any] = {"read_with": lexicon.revision, "unmapped": still_unknown}
        has = {one["skill"] for one in document["need"].get("skills", ())}
        new = [one.model_dump(mode="json") for one in skills if one.skill not in has]
        if still_unknown != names:
            # Or the client's next edit, which reads the request anew, would make musts of them.
            changes["asked.skills"] = [
                one | {"must": False} if one["skill"] in names and one["skill"] not in still_unknown else one
                for one in document["asked"].get("skills", ())
            ]
        if new:
            known = {one["skill"] for one in new}
            changes["need.skills"] = [*document["need"].get("skills", ()), *new]
            changes["offered"] = [skill for skill in document["offered"] if skill not in known]
            changes |= self.needs.outbox.stamp(document)
        if await self.needs.store.note_read(document, changes) and new:
            self.needs.outbox.publish_soon(document["_id"])
            self.needs.metrics.needs.labels("intake", "reread").inc()
            self.needs.feed.changed(document["_id"])

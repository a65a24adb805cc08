"""Consultants correct what was read of a candidate. Each correction is recorded, outranks later readings, can
be undone, and is published at once.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from uuid_utils import uuid7

from services.intake.candidates import Candidates
from services.intake.domain.corrections import (
    LONGEST_LOG,
    REMOVED,
    SKILL,
    corrected,
    correction,
    undone,
    value_in,
)
from services.intake.needs import Changed
from services.intake.store import Document
from shared.events.candidate import Candidate


class NotCorrectable(Exception):  # noqa: N818 - what it is
    """The correction cannot be taken; the message is the key of its words."""


@dataclass
class Corrections:
    candidates: Candidates

    async def correct(self, document: Document, target: str, value: Any, by: str) -> Document:
        """Record a correction and publish what counts now. `document` is as the consultant saw it.

        Raises NotCorrectable, Changed where it changed since.
        """
        skill_id = target.removeprefix(SKILL) if target.startswith(SKILL) else None
        if skill_id is not None and skill_id not in self.candidates.knowledge.lexicon.taxonomy.skills:
            raise NotCorrectable("wrong_skill_name")
        if value == REMOVED and value_in(document["facts"], target) is None:
            raise NotCorrectable("wrong_skill_name")
        log = list(document.get("corrections", ()))
        if len(log) >= LONGEST_LOG:
            raise NotCorrectable("too_many_corrections")
        stamp = self.candidates.outbox.stamp(document)
        entry = correction(
            str(uuid7()), target, value,
            facts=document["facts"], stated=document.get("stated", {}), by=by, at=stamp["occurred_at"],
        )  # fmt: skip
        return await self._write(document, [*log, entry], stamp)

    async def undo(self, document: Document, correction_id: str, by: str) -> Document:
        """What counted before counts again. Raises NotCorrectable, Changed."""
        stamp = self.candidates.outbox.stamp(document)
        log = undone(document.get("corrections", ()), correction_id, by, stamp["occurred_at"])
        if log is None:
            raise NotCorrectable("wrong_correction")
        return await self._write(document, log, stamp)

    async def _write(self, document: Document, log: list[Any], stamp: Document) -> Document:
        # A candidate that only its topic had has no reading of its own: its facts stand for that.
        as_read = document.get("as_read") or document["facts"]
        facts = corrected(as_read, document.get("stated", {}), log)
        changes = {"corrections": log, "facts": facts, "as_read": as_read} | stamp
        try:
            Candidate.model_validate(facts | {"candidate_id": document["_id"]} | _head(stamp))
        except ValidationError as error:
            raise NotCorrectable("wrong_value") from error
        if not await self.candidates.store.change(document["_id"], document["revision"], changes):
            raise Changed
        self.candidates.outbox.publish_soon(document["_id"])
        self.candidates.metrics.candidates.labels("intake", "corrected").inc()
        return document | changes


def _head(stamp: Document) -> Document:
    return {name: stamp[name] for name in ("revision", "occurred_at")}

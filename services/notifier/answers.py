"""Carries out what a consultant confirmed, on the desk or on the page that a link led to."""

from dataclasses import dataclass
from datetime import datetime

from uuid_utils import uuid7

from services.notifier.actions import Permit
from services.notifier.by_hand import with_candidate, with_note
from services.notifier.casework import Casework
from services.notifier.consultants import Consultant
from services.notifier.decisions import NotPossible, Why, decide, undo
from services.notifier.domain import NeedFile, assigned
from services.notifier.metrics_of_answers import count_decision
from services.notifier.notes import Addition, Note
from shared.events.feedback import Decision, DeclineReason
from shared.metrics import Metrics


@dataclass
class Answers:
    casework: Casework
    metrics: Metrics

    async def decide(
        self,
        permit: Permit,
        by: Consultant,
        decision: Decision,
        reason: DeclineReason | None = None,
        *,
        note: str = "",
        overrule: bool = False,
    ) -> NeedFile:
        """Record a decision once, however often it is confirmed, and the note that goes with it.

        Raises NotPossible, TooMany for a note.
        """
        about = None if decision in {Decision.TAKEN, Decision.PASSED_ON} else permit.candidate_id
        now, feedback_id = self.casework.now(), str(uuid7())
        seen: tuple[NeedFile, NeedFile] | None = None

        def change(file: NeedFile) -> NeedFile:
            nonlocal seen
            after = decide(
                file,
                by,
                decision,
                now,
                feedback_id=feedback_id,
                candidate_id=about,
                reason=reason,
                shortlist_revision=permit.shortlist_revision,
                overrule=overrule,
            )
            seen = (file, after) if after is not file else None
            return with_note(after, _note(by, now, note, about, decision)) if note else after

        file = await self.casework.update(permit.need_id, change)
        if seen is not None:
            count_decision(self.metrics, *seen, decision, about, reason)
        if decision is Decision.TAKEN and file.reader != by.consultant_id:
            raise NotPossible(Why.NOT_AVAILABLE)
        return file

    async def undo(self, need_id: str, by: Consultant, candidate_id: str, *, overrule: bool) -> NeedFile:
        """Take back what was decided about a candidate. Raises NotPossible."""
        now, feedback_id = self.casework.now(), str(uuid7())
        return await self.casework.update(
            need_id,
            lambda file: undo(file, by, candidate_id, now, feedback_id=feedback_id, overrule=overrule),
        )

    async def note(self, need_id: str, by: Consultant, text: str, candidate_id: str | None) -> NeedFile:
        """Raises NotPossible, TooMany."""
        written = _note(by, self.casework.now(), text, candidate_id, None)
        return await self.casework.update(need_id, lambda file: with_note(file, written))

    async def add_candidate(self, need_id: str, by: Consultant, candidate_id: str) -> NeedFile:
        """Raises NotPossible (also for a candidate who was erased), TooMany."""
        if await self.casework.store.erased_among([candidate_id]):
            raise NotPossible(Why.CANDIDATE_GONE)
        added = Addition(candidate_id=candidate_id, consultant_id=by.consultant_id, at=self.casework.now())
        return await self.casework.update(need_id, lambda file: with_candidate(file, added))

    async def assign(self, permit: Permit, to: Consultant, *, overrule: bool = False) -> NeedFile:
        """The agency gives a need to somebody.

        Raises NotPossible where somebody has it meanwhile (with `overrule` it is taken from them), or where
        `to` cannot have it.
        """
        now = self.casework.now()

        def change(file: NeedFile) -> NeedFile:
            if not file.open:
                raise NotPossible(Why.CLOSED)
            if not to.available:
                raise NotPossible(Why.NOT_AVAILABLE)
            owner = file.owner
            if owner is not None and owner.consultant_id != to.consultant_id and not overrule:
                raise NotPossible(Why.WITH_COLLEAGUE)
            return assigned(file, to.consultant_id, now)

        file = await self.casework.update(permit.need_id, change)
        if file.reader != to.consultant_id:
            # It was theirs for a moment, in which they paused.
            raise NotPossible(Why.NOT_AVAILABLE)
        return file


def _note(
    by: Consultant, at: datetime, text: str, candidate_id: str | None, decision: Decision | None
) -> Note:
    return Note(
        consultant_id=by.consultant_id, at=at, text=text, candidate_id=candidate_id, decision=decision
    )

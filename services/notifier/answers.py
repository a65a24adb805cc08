"""Carries out what a consultant confirmed on the page that a link led to."""

from dataclasses import dataclass
from datetime import UTC, datetime

from uuid_utils import uuid7

from services.notifier.actions import Permit
from services.notifier.casework import Casework
from services.notifier.consultants import Consultant
from services.notifier.decisions import NotPossible, Why, decide
from services.notifier.domain import NeedFile, assigned
from shared.events.feedback import Decision, DeclineReason
from shared.metrics import Metrics


@dataclass
class Answers:
    casework: Casework
    metrics: Metrics

    async def decide(
        self, permit: Permit, by: Consultant, decision: Decision, reason: DeclineReason | None = None
    ) -> NeedFile:
        """Record a decision once, however often it is confirmed. Raises NotPossible."""
        about_need = decision in {Decision.TAKEN, Decision.PASSED_ON}
        now, feedback_id = datetime.now(UTC), str(uuid7())
        fresh = False

        def change(file: NeedFile) -> NeedFile:
            nonlocal fresh
            after = decide(
                file,
                by,
                decision,
                now,
                feedback_id=feedback_id,
                candidate_id=None if about_need else permit.candidate_id,
                reason=reason,
                shortlist_revision=permit.shortlist_revision,
            )
            fresh = after is not file
            return after

        file = await self.casework.update(permit.need_id, change)
        if fresh:
            self.metrics.decisions.labels("notifier", decision.value).inc()
        return file

    async def assign(self, permit: Permit, to: Consultant) -> NeedFile:
        """The agency gives a need to somebody. Raises NotPossible where somebody has taken it meanwhile."""
        now = datetime.now(UTC)

        def change(file: NeedFile) -> NeedFile:
            if not file.open:
                raise NotPossible(Why.CLOSED)
            if file.owner is not None and file.owner.consultant_id != to.consultant_id:
                raise NotPossible(Why.WITH_COLLEAGUE)
            return assigned(file, to.consultant_id, now)

        return await self.casework.update(permit.need_id, change)

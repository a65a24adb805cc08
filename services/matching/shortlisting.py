"""From a ranking to the shortlist that is published, and to the record from which it can be recomputed."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from services.matching import explain
from services.matching.domain import LISTED, NEAR_MISSES, departures, entered
from services.matching.index import Index, Ranking
from services.matching.scoring import Plan, assess
from shared.events.audit import AuditRecord
from shared.events.need import Need
from shared.events.shortlist import Entry, NearMiss, Outcome, Shortlist


@dataclass(frozen=True)
class Ranked:
    """A ranking put into words. `why_left`: of those listed before, who left for another reason than rank."""

    ranking: Ranking
    entries: tuple[Entry, ...]
    near_misses: tuple[NearMiss, ...]
    why_left: dict[str, str]


@dataclass(frozen=True)
class Watch:
    """What tells whether a changed candidate can matter to a need: those named, and the scores to reach."""

    need_id: str
    plan: Plan
    named: frozenset[str]
    floor: int
    near_floor: int

    def concerns(self, index: Index, candidate_id: str) -> bool:
        """Whether this candidate is named in the shortlist, or could enter it."""
        if candidate_id in self.named:
            return True
        profile = index.profiles.get(candidate_id)
        if profile is None:
            return False
        assessment = assess(self.plan, profile)
        if not assessment.belongs or assessment.misses > 1:
            return False
        return assessment.score >= (self.near_floor if assessment.misses else self.floor)


def rank(index: Index, plan: Plan, declined: Collection[str], listed_before: Collection[str]) -> Ranked:
    """Rank for a shortlist, and explain. `listed_before` are asked about: why did they leave?"""
    ranking = index.rank(plan, limit=LISTED, near_limit=NEAR_MISSES, excluded=declined)
    listed = {profile.candidate_id for profile, _ in ranking.listed}
    return Ranked(
        ranking,
        tuple(explain.entry(plan, profile, assessment) for profile, assessment in ranking.listed),
        tuple(explain.near_miss(plan, profile, assessment) for profile, assessment in ranking.near),
        {
            candidate_id: why
            for candidate_id in listed_before
            if candidate_id not in listed and (why := _why_left(index, plan, declined, candidate_id))
        },
    )


def _why_left(index: Index, plan: Plan, declined: Collection[str], candidate_id: str) -> str | None:
    profile = index.profiles.get(candidate_id)
    if profile is None:
        return "erased"
    if candidate_id in declined:
        return "declined"
    return "ineligible" if assess(plan, profile).misses else None


def watch_of(need_id: str, plan: Plan, ranking: Ranking) -> Watch:
    listed, near = ranking.listed, ranking.near
    return Watch(
        need_id,
        plan,
        frozenset(profile.candidate_id for profile, _ in (*listed, *near)),
        floor=listed[-1][1].score if len(listed) == LISTED else 0,
        near_floor=near[-1][1].score if len(near) == NEAR_MISSES else 0,
    )


def shortlist_of(
    need: Need, plan: Plan, ranked: Ranked, before: Shortlist | None, revision: int, now: datetime
) -> Shortlist:
    """The shortlist as published at `revision`; `before` is the one it follows."""
    listed = [entry.candidate_id for entry in ranked.entries]
    census = ranked.ranking.census
    return Shortlist(
        revision=revision,
        occurred_at=now,
        need_id=need.need_id,
        need_revision=need.revision,
        reference=need.reference,
        title=need.title,
        role_id=plan.role.role_id if plan.role else None,
        region=need.location.region if need.location else None,
        outcome=Outcome.MATCHED if listed else Outcome.NO_MATCH,
        engine=plan.engine,
        taxonomy=plan.knowledge.version,
        weights=plan.model.weights_version,
        model=plan.model.revision,
        input_hash=input_hash(plan, ranked.ranking),
        eligible=census.eligible,
        candidates=census.candidates,
        entries=ranked.entries,
        near_misses=ranked.near_misses,
        relaxed=census.relaxed,
        entered=entered(before, listed),
        left=departures(before, listed, ranked.why_left),
    )


def input_hash(plan: Plan, ranking: Ranking) -> str:
    """SHA-256 over what the listed scores rest on: need, versions, and the candidates' revisions."""
    inputs = {
        "criteria": plan.criteria.model_dump(mode="json"),
        "engine": plan.engine,
        "taxonomy": plan.knowledge.version,
        "model": plan.model.revision,
        "weights": plan.model.weights,
        "candidates": sorted(
            [profile.candidate_id, profile.candidate.revision]
            for profile, _ in (*ranking.listed, *ranking.near)
        ),
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def audit_of(
    shortlist: Shortlist, plan: Plan, ranking: Ranking, watermark: dict[int, int], catalogue_hash: str
) -> AuditRecord:
    """The record of a published shortlist. `watermark`: last offset read of each candidates' partition."""
    return AuditRecord(
        revision=shortlist.revision,
        occurred_at=shortlist.occurred_at,
        need_id=shortlist.need_id,
        criteria=plan.criteria,
        shortlist=shortlist,
        model=plan.model,
        candidates=tuple(profile.candidate for profile, _ in (*ranking.listed, *ranking.near)),
        catalogue_hash=catalogue_hash,
        watermark={str(partition): offset for partition, offset in sorted(watermark.items())},
    )

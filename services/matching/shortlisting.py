"""From a ranking to the shortlist that is published, and to the record from which it can be recomputed."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from services.matching import explain
from services.matching.decisions import still_placed
from services.matching.domain import LISTED, NEAR_MISSES, Profile, departures, entered
from services.matching.entering import Bar, to_enter
from services.matching.index import Index, Ranking
from services.matching.listing import Scored
from services.matching.scoring import Plan, assess
from services.matching.weights import PPM
from shared.events.need import Need
from shared.events.shortlist import Entry, NearMiss, Outcome, Shortlist

NOBODY_PLACED: Mapping[str, datetime] = MappingProxyType({})


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
    showing: frozenset[str]
    """Skills that show one of those asked."""

    def concerns(self, candidate_id: str, profile: Profile | None) -> bool:
        """Whether this candidate, who is now as `profile` says or gone, is named in the shortlist or could
        enter it."""
        if candidate_id in self.named:
            return True
        if profile is None or not self._belongs(profile):
            return False
        assessment = assess(self.plan, profile)
        if assessment.misses > 1:
            return False
        return assessment.score >= (self.near_floor if assessment.misses else self.floor)

    def _belongs(self, profile: Profile) -> bool:
        """As `Assessment.belongs`, for a small part of the work: most who change belong to few needs."""
        return not (self.showing.isdisjoint(profile.skills) and self.plan.family.isdisjoint(profile.roles))


def rank(
    index: Index,
    plan: Plan,
    declined: Collection[str],
    listed_before: Collection[str],
    placed: Mapping[str, datetime] = NOBODY_PLACED,
) -> Ranked:
    """Rank for a shortlist, and explain. `listed_before` are asked about: why did they leave?"""
    ranking = available(index, plan, placed, limit=LISTED, declined=declined)
    listed = {profile.candidate_id for profile, _ in ranking.listed}
    bar = bar_of(ranking.listed)
    return Ranked(
        ranking,
        tuple(explain.entry(plan, profile, assessment) for profile, assessment in ranking.listed),
        tuple(
            explain.near_miss(plan, profile, assessment, to_enter(plan, profile, assessment, bar))
            for profile, assessment in ranking.near
        ),
        {
            candidate_id: why
            for candidate_id in listed_before
            if candidate_id not in listed and (why := _why_left(index, plan, declined, placed, candidate_id))
        },
    )


def available(
    index: Index,
    plan: Plan,
    placed: Mapping[str, datetime],
    *,
    limit: int,
    declined: Collection[str] = (),
    everybody: bool = False,
) -> Ranking:
    """The ranking without those placed with another need and not free again (see `still_placed`)."""
    excluded = set(declined)
    while True:
        ranking = index.rank(
            plan, limit=limit, near_limit=NEAR_MISSES, excluded=excluded, everybody=everybody
        )
        if not any(still_placed(one.facts, placed) for one, _ in (*ranking.listed, *ranking.near)):
            return ranking
        # All of them, so that a list of many who are placed takes one more ranking rather than many.
        profiles = ((candidate_id, index.profile(candidate_id)) for candidate_id in placed)
        excluded |= {key for key, one in profiles if one and still_placed(one.facts, placed)}


def bar_of(listed: Sequence[Scored]) -> Bar | None:
    """Whom to outdo: the tenth. None while the list has room."""
    if len(listed) < LISTED:
        return None
    profile, assessment = listed[LISTED - 1]
    return Bar(assessment.score, profile.candidate_id)


def _why_left(
    index: Index,
    plan: Plan,
    declined: Collection[str],
    placed: Mapping[str, datetime],
    candidate_id: str,
) -> str | None:
    profile = index.profiles.get(candidate_id)
    if profile is None:
        return "erased"
    if candidate_id in declined:
        return "declined"
    if still_placed(profile.facts, placed):
        return "placed"
    return "ineligible" if assess(plan, profile).misses else None


def watch_of(need_id: str, plan: Plan, ranking: Ranking) -> Watch:
    listed, near = ranking.listed, ranking.near
    return Watch(
        need_id,
        plan,
        frozenset(profile.candidate_id for profile, _ in (*listed, *near)),
        floor=listed[-1][1].score if len(listed) == LISTED else 0,
        near_floor=near[-1][1].score if len(near) == NEAR_MISSES else 0,
        showing=frozenset(
            skill
            for skill, touch in plan.touches.items()
            if any(credit == PPM for _, credit in touch.credits)
        ),
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
        weights=plan.weights_version,
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
    people = (profile for profile, _ in (*ranking.listed, *ranking.near))
    return hash_of(plan, people, plan.knowledge.version)


def hash_of(plan: Plan, people: Iterable[Profile], taxonomy: str) -> str:
    """The same, of the candidates `people` at this version of the catalogue."""
    inputs = {
        "criteria": plan.criteria.model_dump(mode="json"),
        "named": [one.skill for one in plan.asked if one.criterion == "named_skills"],
        "title": [sorted(plan.text.in_title), plan.text.role],
        "engine": plan.engine,
        "taxonomy": taxonomy,
        "model": plan.model.revision,
        "weights": plan.weights_version,
        "candidates": sorted([profile.candidate_id, profile.facts.revision] for profile in people),
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()

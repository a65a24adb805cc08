"""Ranking over HTTP: ranks and previews that are kept nowhere, and the shortlists as published."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Depends, Request

from services.matching import explain
from services.matching.asking import BadNeed, NeedRequest, PreviewRequest, RankRequest, criteria_of
from services.matching.domain import NEAR_MISSES
from services.matching.index import Scored
from services.matching.pool import Pool
from services.matching.scoring import Plan, plan_of
from services.matching.settings import MatchingSettings
from shared.events.shortlist import Entry
from shared.outage import Unavailable
from shared.web.access import caller_of, requires
from shared.web.problems import Problem, field_problem, not_found, parse_json, unavailable

SCOPE = "shortlists:read"
EXPLAINED_AT_ONCE = 100
"""Explanations run beside the event loop in portions, so that no other request waits for a long list."""


def ranking_routes(pool: Pool, settings: MatchingSettings, limit: Callable[[Request], None]) -> APIRouter:
    router = APIRouter(tags=["ranking"])
    queue = Queue(settings.rank_queue)
    may_read = Depends(requires(SCOPE))

    @router.post("/api/rank", dependencies=[may_read])
    async def rank(request: Request) -> dict[str, Any]:
        asked = parse_json(await request.body(), RankRequest)
        plan = _plan(pool, asked.need)
        async with queue.place():
            ranking = await pool.in_index(
                pool.index.rank, plan, limit=asked.limit, near_limit=NEAR_MISSES, everybody=True
            )
            entries = await _explained(plan, ranking.listed)
        return {
            "engine": plan.engine,
            "taxonomy": plan.knowledge.version,
            "weights": plan.model.weights_version,
            "model": plan.model.revision,
            "index": {"candidates": ranking.census.candidates, "as_of": plan.model.as_of.isoformat()},
            "eligible": ranking.census.eligible,
            "relaxed": ranking.census.relaxed,
            "shortlist": [_json(entry) for entry in entries],
            "near_misses": [
                _json(explain.near_miss(plan, profile, assessment)) for profile, assessment in ranking.near
            ],
        }

    @router.post("/api/preview", dependencies=[Depends(limit)])
    async def preview(request: Request) -> dict[str, Any]:
        asked = parse_json(await request.body(), PreviewRequest)
        plan = _plan(pool, asked.need)
        async with queue.place():
            census = await pool.in_index(pool.index.census, plan)
        caller = caller_of(request)
        figure = _exact if caller is not None and caller.allows(SCOPE) else rounded
        return {
            "eligible": figure(census.eligible),
            "covering_musts": figure(census.covering),
            "without": {must: figure(more) for must, more in census.relaxed.items()},
            "without_skill": {skill: figure(more) for skill, more in census.without_skill.items()},
        }

    @router.get("/api/shortlists/{need_id}", dependencies=[may_read])
    async def shortlist(need_id: str, revision: int | None = None) -> dict[str, Any]:
        if not pool.shortlists.caught_up:
            raise unavailable("the shortlists are still being read")
        found = pool.shortlists.rows.get(need_id)
        if found is None:
            raise not_found("shortlist")
        if revision is not None and revision != found.revision:
            raise not_found("revision of this shortlist")
        return _json(found)

    return router


class Queue:
    """So many requests may wait for the index; further ones are told to come back."""

    def __init__(self, places: int) -> None:
        self._free = places

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        if self._free <= 0:
            raise Problem(
                429,
                "Too many rankings are waiting; please try again in a moment",
                kind="/problems/too-many-requests",
                headers={"Retry-After": "1"},
            )
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


def rounded(count: int) -> int | str:
    """For callers without a key: 0, "fewer than 5", or the next lower step of 5."""
    if count == 0:
        return 0
    return "fewer than 5" if count < 5 else count - count % 5


def _exact(count: int) -> int | str:
    return count


def _plan(pool: Pool, need: NeedRequest) -> Plan:
    """Compile a request's need. Raises Problem: 503 until ready, 422 for what the catalogue refuses."""
    try:
        knowledge, model = pool.ranking_inputs()
    except Unavailable as error:
        raise unavailable(str(error)) from error
    try:
        criteria = criteria_of(need, knowledge, datetime.now(UTC).date())
    except BadNeed as error:
        raise field_problem(*error.errors) from error
    return plan_of(criteria, knowledge, model)


async def _explained(plan: Plan, listed: tuple[Scored, ...]) -> list[Entry]:
    entries: list[Entry] = []
    for start in range(0, len(listed), EXPLAINED_AT_ONCE):
        portion = listed[start : start + EXPLAINED_AT_ONCE]
        entries += await asyncio.to_thread(_explain, plan, portion)
    return entries


def _explain(plan: Plan, portion: tuple[Scored, ...]) -> list[Entry]:
    return [explain.entry(plan, profile, assessment) for profile, assessment in portion]


def _json(fact: Any) -> dict[str, Any]:
    shown: dict[str, Any] = fact.model_dump(mode="json", exclude_none=True)
    return shown

"""Ranking over HTTP: ranks and previews that are kept nowhere, and the shortlists as published."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.matching import explain
from services.matching.asking import BadNeed, NeedRequest, PreviewRequest, RankRequest, criteria_of
from services.matching.domain import LISTED, understood
from services.matching.entering import to_enter
from services.matching.history import History
from services.matching.index import Ranking
from services.matching.pool import Pool
from services.matching.scoring import Plan, plan_of
from services.matching.settings import MatchingSettings
from services.matching.shortlisting import available, bar_of
from services.matching.weights import problems_of
from shared.events.shortlist import Shortlist
from shared.outage import Unavailable, is_outage
from shared.web.access import caller_of, requires
from shared.web.docs import json_body
from shared.web.problems import Problem, field_problem, not_found, parse_json, unavailable

T = TypeVar("T")

SCOPE = "shortlists:read"
JUST_BELOW = 10
"""How many of those who come after the best ten are told what would bring them in."""
EXPLAINED_AT_ONCE = 100
"""Explanations run beside the event loop in portions, so that no other request waits for a long list."""


def ranking_routes(
    pool: Pool, settings: MatchingSettings, limit: Callable[[Request], None], history: History
) -> APIRouter:
    router = APIRouter(tags=["ranking"])
    places = Places(settings.rank_queue, settings.rank_timeout_seconds)
    may_read = Depends(requires(SCOPE))

    @router.post("/api/rank", dependencies=[may_read], openapi_extra=json_body(RankRequest))
    async def rank(request: Request) -> Response:
        """Rank everybody who is eligible, with the parts of each score; nothing is stored or sent."""
        asked = parse_json(await request.body(), RankRequest)
        plan = _plan(pool, asked.need, asked.weights)
        body = await places.run(_ranked(pool, plan, asked.limit))
        return Response(body, media_type="application/json")

    @router.post("/api/preview", dependencies=[Depends(limit)], openapi_extra=json_body(PreviewRequest))
    async def preview(request: Request) -> dict[str, Any]:
        """How many are eligible, and what each must costs; in steps for who has no key."""
        asked = parse_json(await request.body(), PreviewRequest)
        plan = _plan(pool, asked.need, {})
        census = await places.run(pool.in_index(pool.index.census, plan))
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
        """The current shortlist of a need, or an earlier revision of it, as the audit's topic has it."""
        if not pool.shortlists.caught_up:
            raise unavailable("the shortlists are still being read")
        found = pool.shortlists.rows.get(need_id)
        if found is None:
            raise not_found("shortlist")
        if revision is not None and revision != found.revision:
            found = await places.run(_earlier(history, need_id, revision))
        return _json(found)

    return router


class Places:
    """So many rankings at once; who comes on top is told to come back, so that no queue grows.

    A place is free again when its work is done, also where whoever asked has gone or was told to wait.
    """

    def __init__(self, places: int, timeout_seconds: float) -> None:
        self.free = places
        self._timeout = timeout_seconds

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The outcome of `work`. Raises Problem: 429 where no place is free, 503 where it takes too long."""
        if self.free <= 0:
            work.close()
            raise Problem(
                429,
                "Too many rankings are under way; please try again in a moment",
                kind="/problems/too-many-requests",
                headers={"Retry-After": "1"},
            )
        self.free -= 1
        task = asyncio.create_task(work)
        task.add_done_callback(self._release)
        try:
            async with asyncio.timeout(self._timeout):
                return await asyncio.shield(task)
        except TimeoutError as error:
            raise unavailable(f"this ranking takes longer than {self._timeout:g} s") from error

    def _release(self, task: asyncio.Task[Any]) -> None:
        self.free += 1
        if not task.cancelled():
            task.exception()


async def _ranked(pool: Pool, plan: Plan, limit: int) -> bytes:
    placed = pool.decisions.placed_elsewhere()
    # At least ten, whatever the limit: they are what near misses are measured by.
    ranking = await pool.in_index(
        available, pool.index, plan, placed, limit=max(limit, LISTED), everybody=True
    )
    entries: list[str] = []
    for start in range(0, min(limit, len(ranking.listed)), EXPLAINED_AT_ONCE):
        entries += await asyncio.to_thread(_explained, plan, ranking, start, limit)
    near_misses = await asyncio.to_thread(_near, plan, ranking)
    head = {
        "engine": plan.engine,
        "taxonomy": plan.knowledge.version,
        "weights": plan.weights_version,
        "model": plan.model.revision,
        "index": {"candidates": ranking.census.candidates, "as_of": plan.model.as_of.isoformat()},
        "eligible": ranking.census.eligible,
        "relaxed": ranking.census.relaxed,
    }
    lists = f',"shortlist":[{",".join(entries)}],"near_misses":[{",".join(near_misses)}]}}'
    return (json.dumps(head, separators=(",", ":"))[:-1] + lists).encode()


def _explained(plan: Plan, ranking: Ranking, start: int, limit: int) -> list[str]:
    """A portion of the list; of the ten that stand just below, what would bring each of them in."""
    bar = bar_of(ranking.listed)
    portion = ranking.listed[start : min(limit, start + EXPLAINED_AT_ONCE)]
    return [
        explain.entry(
            plan,
            profile,
            assessment,
            to_enter(plan, profile, assessment, bar) if LISTED <= place < LISTED + JUST_BELOW else None,
        ).model_dump_json(exclude_none=True)
        for place, (profile, assessment) in enumerate(portion, start)
    ]


def _near(plan: Plan, ranking: Ranking) -> list[str]:
    bar = bar_of(ranking.listed)
    return [
        explain.near_miss(
            plan, profile, assessment, to_enter(plan, profile, assessment, bar)
        ).model_dump_json(exclude_none=True)
        for profile, assessment in ranking.near
    ]


async def _earlier(history: History, need_id: str, revision: int) -> Shortlist:
    try:
        record = await history.ranking(need_id, revision)
    except Exception as error:
        if not is_outage(error):
            raise
        raise unavailable("earlier revisions cannot be read just now") from error
    if record is None:
        raise not_found("revision of this shortlist")
    return record.shortlist


def rounded(count: int) -> int | str:
    """For callers without a key: 0, "fewer than 5", or the next lower step of 5."""
    if count == 0:
        return 0
    return "fewer than 5" if count < 5 else count - count % 5


def _exact(count: int) -> int | str:
    return count


def _plan(pool: Pool, need: NeedRequest, weights: Mapping[str, float]) -> Plan:
    """Compile a request's need. Raises Problem: 503 until ready, 422 for what the catalogue refuses."""
    try:
        knowledge, model = pool.ranking_inputs()
    except Unavailable as error:
        raise unavailable(str(error)) from error
    problems = [(f"/weights/{name}", problem) for name, problem in problems_of(weights).items()]
    if problems:
        raise field_problem(*problems)
    try:
        criteria = criteria_of(need, knowledge, datetime.now(UTC).date())
    except BadNeed as error:
        raise field_problem(*error.errors) from error
    criteria, text = understood(criteria, need.description, knowledge)
    return plan_of(criteria, knowledge, model, text, override=weights)


def _json(fact: Any) -> dict[str, Any]:
    shown: dict[str, Any] = fact.model_dump(mode="json", exclude_none=True)
    return shown

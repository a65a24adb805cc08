"""Keeps the shortlists of this replica's needs what they should be.

A need is ranked again when it, a candidate that matters to it, the catalogue or the model changes: at once
where nothing else happens, at most once in `rest_seconds` while changes pour in. Whatever could be missed
while a need changes hands is made good when its partition is taken over: then every open need of it is
ranked, and where the content is the same nothing is published.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from services.matching.audit import audit_of
from services.matching.domain import content, criteria_of, listed_in, understood, without
from services.matching.pool import SERVICE, Pool
from services.matching.scoring import Plan, plan_of
from services.matching.settings import MatchingSettings
from services.matching.shortlisting import Ranked, Watch, rank, shortlist_of, watch_of
from shared.events.audit import AUDIT
from shared.events.erasure import ERASURES, Erasure, Subject
from shared.events.need import Need, NeedState
from shared.events.shortlist import SHORTLISTS, Outcome, Shortlist
from shared.events.topic import next_revision
from shared.events.wire import Record
from shared.log import get_logger
from shared.metrics import Metrics
from shared.outage import is_outage, reason
from shared.publisher import Publisher
from shared.trace import traced

AT_ONCE = 16
"""Needs ranked side by side: one is published while the next is computed."""
MANY_CANDIDATES = 500
"""From this many changed candidates on, ranking every need again costs less than asking which one matters."""
AFTER_OUTAGE_SECONDS = 1.0
AFTER_FAILURE_SECONDS = 30.0


class Ranker:
    """`partition_of` gives the partition of a need's id; `take` and `release` say which ones are ours."""

    def __init__(
        self,
        pool: Pool,
        publisher: Publisher,
        settings: MatchingSettings,
        metrics: Metrics,
        partition_of: Callable[[str], int],
    ) -> None:
        self.pool = pool
        self.held: set[int] = set()
        """Partitions of needs that are ours and taken over."""
        self.assigned = asyncio.Event()
        """Set whenever partitions are given to us."""
        self._arriving: set[int] = set()
        self._assignment = 0
        self._publisher = publisher
        self._settings = settings
        self._metrics = metrics
        self._partition_of = partition_of
        self._due: dict[str, float] = {}
        self._ranked_at: dict[str, float] = {}
        self._changed_at: dict[str, float] = {}
        self._traces: dict[str, str | None] = {}
        self._watches: dict[str, Watch] = {}
        self._plans: dict[str, tuple[int, Plan]] = {}
        self._began = 0.0
        self._passing = asyncio.Lock()
        self._log = get_logger(SERVICE)

    def take(self, partitions: Iterable[int]) -> None:
        """These partitions of needs are ours from now on."""
        self._assignment += 1
        self._arriving |= set(partitions) - self.held
        self.assigned.set()
        self.pool.changed.set()

    async def release(self, partitions: Iterable[int]) -> None:
        """These partitions are no longer ours. Returns when nothing is published for them any more."""
        gone = set(partitions)
        self._assignment += 1
        self.held -= gone
        self._arriving -= gone
        async with self._passing:
            for need_id in [one for one in self._known() if self._partition_of(one) in gone]:
                self._forget(need_id)

    @property
    def leads(self) -> bool:
        """Whether this replica does what one of them has to: the holder of needs partition 0."""
        return 0 in self.held or 0 in self._arriving

    def note_trace(self, need_id: str, traceparent: str | None) -> None:
        """The next ranking of this need belongs to this trace."""
        self._traces[need_id] = traceparent

    async def run(self) -> None:
        """Rank whenever there is something to rank, until cancelled. Nothing before all tables are whole."""
        await self.pool.until_complete()
        self._began = self._began or _now()
        while True:
            await self._until_work()
            self.pool.changed.clear()
            await self._take_over()
            async with self._passing:
                try:
                    await self._pass()
                except BaseException:
                    # What it had noticed is lost: take everything over anew.
                    self._arriving |= self.held
                    self.held = set()
                    self.pool.changed.set()
                    raise

    async def _until_work(self) -> None:
        wake_at = min(self._due.values(), default=None)
        timeout = None if wake_at is None else max(0.0, wake_at - _now())
        # Not wait_for: in Python 3.11 it may swallow a cancellation that comes as the wait ends.
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self.pool.changed.wait()

    async def _pass(self) -> None:
        self._notice_needs()
        self._notice_knowledge()
        await self._notice_candidates()
        now = _now()
        due = [need_id for need_id, when in self._due.items() if when <= now]
        for start in range(0, len(due), AT_ONCE):
            await asyncio.gather(*(self._rank_safely(need_id) for need_id in due[start : start + AT_ONCE]))
        await self._confirm_candidates()

    async def _take_over(self) -> None:
        """Read the shortlists (and needs) to their end, then have every need of the new partitions ranked."""
        arriving, assignment = set(self._arriving), self._assignment
        if not arriving:
            return
        await self.pool.shortlists.until_current()
        await self.pool.needs.until_current()
        if assignment != self._assignment:
            # The group moved on meanwhile: what was read may be older than what another replica published.
            self.pool.changed.set()
            return
        self._arriving -= arriving
        self.held |= arriving
        now = _now()
        for need_id in self.pool.needs.revisions:
            if self._partition_of(need_id) in arriving:
                self._due[need_id] = now

    def _notice_needs(self) -> None:
        now = _now()
        changed, self.pool.needs_changed = self.pool.needs_changed, set()
        # Also of needs that are not ours: they may be, before they settle.
        settling = now - self._settings.settling_seconds
        self._changed_at = {need_id: at for need_id, at in self._changed_at.items() if at > settling}
        for need_id in changed:
            self._changed_at[need_id] = now
            if self._ours(need_id):
                self._due[need_id] = now

    def _notice_knowledge(self) -> None:
        if self.pool.knowledge_changed:
            self.pool.knowledge_changed = False
            self._plans.clear()
            self._soon(need_id for need_id in self.pool.needs.rows if self._ours(need_id))

    async def _notice_candidates(self) -> None:
        changed, self.pool.candidates_changed = self.pool.candidates_changed, set()
        if not changed:
            return
        if len(changed) > MANY_CANDIDATES:
            await self.pool.in_index(lambda: None)
            self._soon(list(self._watches))
        else:
            watches = list(self._watches.values())
            self._soon(await self.pool.in_index(self._concerned, watches, changed))
        # Needs that are not ranked any more still name whom they named.
        for candidate_id in changed & self.pool.erased_candidates.keys():
            self._soon(need_id for need_id in self.pool.listings.get(candidate_id, ()) if self._ours(need_id))

    def _concerned(self, watches: list[Watch], changed: set[str]) -> list[str]:
        profiles = [(one, self.pool.index.profile(one)) for one in changed]
        return [watch.need_id for watch in watches if any(watch.concerns(*one) for one in profiles)]

    def _soon(self, need_ids: Iterable[str]) -> None:
        """Due now, or when the need has rested from its last ranking."""
        now = _now()
        for need_id in need_ids:
            rested = self._ranked_at.get(need_id, 0.0) + self._settings.rest_seconds
            self._due[need_id] = min(self._due.get(need_id, float("inf")), max(now, rested))

    def _ours(self, need_id: str) -> bool:
        return self._partition_of(need_id) in self.held

    @property
    def _kept(self) -> tuple[dict[str, Any], ...]:
        return self._due, self._ranked_at, self._changed_at, self._traces, self._watches, self._plans

    def _known(self) -> set[str]:
        return {need_id for kept in self._kept for need_id in kept}

    def _forget(self, need_id: str) -> None:
        for kept in self._kept:
            kept.pop(need_id, None)

    async def _rank_safely(self, need_id: str) -> None:
        """Rank one need; where that fails it stays due, and the others are ranked all the same."""
        self._due.pop(need_id, None)
        if not self._ours(need_id):
            return
        try:
            with traced(self._traces.get(need_id), need_id=need_id):
                await self._bring_up_to_date(need_id)
        except Exception as error:
            away = is_outage(error)
            self._due[need_id] = _now() + (AFTER_OUTAGE_SECONDS if away else AFTER_FAILURE_SECONDS)
            self._count("failed")
            if away:
                self._log.warning("ranking_waits", need_id=need_id, why=reason(error))
            else:
                self._log.exception("ranking_failed", need_id=need_id)
        else:
            self._traces.pop(need_id, None)

    async def _bring_up_to_date(self, need_id: str) -> None:
        need = self.pool.needs.rows.get(need_id)
        if need is None:
            await self._erase_need(need_id)
        elif need.status is NeedState.OPEN:
            await self._rank(need)
        else:
            await self._strip(need_id)
            self._forget(need_id)

    async def _rank(self, need: Need) -> None:
        plan = self._plan(need)
        before = self.pool.shortlists.rows.get(need.need_id)
        named = [entry.candidate_id for entry in before.entries] if before else []
        declined = self.pool.decisions.declined(need.need_id)
        placed = self.pool.decisions.placed_elsewhere(need.need_id)
        watermark = dict(self.pool.candidates.watermark)
        started = time.perf_counter()
        ranked = await self.pool.in_index(rank, self.pool.index, plan, declined, named, placed)
        self._metrics.rank_seconds.labels(SERVICE).observe(time.perf_counter() - started)
        self._ranked_at[need.need_id] = _now()
        self._watches[need.need_id] = watch_of(need.need_id, plan, ranked.ranking)
        if self._must_settle(need.need_id, before, ranked):
            return
        now = datetime.now(UTC)
        revision = next_revision(self.pool.shortlists.revisions.get(need.need_id, 0), now)
        shortlist = shortlist_of(need, plan, ranked, before, revision, now)
        if before is not None and content(before) == content(shortlist):
            self._count("unchanged")
            return
        if not self._ours(need.need_id):
            return
        manifest = self.pool.catalogue.manifest_table.rows.get("catalogue")
        record = audit_of(shortlist, plan, ranked.ranking, watermark, manifest.hash if manifest else "")
        # The audit first: a shortlist without its record must not be, the other way round does no harm.
        await self._publisher.publish(AUDIT, record)
        await self._publish(shortlist)
        self._count(shortlist.outcome.value)

    def _plan(self, need: Need) -> Plan:
        kept = self._plans.get(need.need_id)
        if kept is not None and kept[0] == need.revision:
            return kept[1]
        knowledge, model = self.pool.ranking_inputs()
        criteria, text = understood(criteria_of(need), need.description, knowledge)
        plan = plan_of(criteria, knowledge, model, text, need.need_id)
        self._plans[need.need_id] = (need.revision, plan)
        return plan

    def _must_settle(self, need_id: str, before: Shortlist | None, ranked: Ranked) -> bool:
        """Whether "nobody" is said too early: the pool may still be filling."""
        if ranked.entries or (before is not None and before.outcome is Outcome.NO_MATCH):
            return False
        since = max(self._began, self._changed_at.get(need_id, 0.0))
        settled = since + self._settings.settling_seconds
        if _now() >= settled:
            return False
        self._due[need_id] = settled
        self._count("settling")
        return True

    async def _publish(self, shortlist: Shortlist) -> None:
        await self._publisher.publish(SHORTLISTS, shortlist)
        # Known at once, not only when the table reads it back: the next ranking compares with it.
        self.pool.shortlists.apply(Record(shortlist.need_id, shortlist.revision, shortlist))

    async def _strip(self, need_id: str) -> None:
        """Take erased candidates out of the shortlist of a need that is not ranked any more."""
        before = self.pool.shortlists.rows.get(need_id)
        if before is None:
            return
        # The index has all arrivals once this returns.
        known = await self.pool.in_index(lambda: listed_in(before) & self.pool.index.profiles.keys())
        erased = listed_in(before) - known
        if not erased or not self._ours(need_id):
            return
        now = datetime.now(UTC)
        changes = without(before, erased) | {
            "revision": next_revision(before.revision, now),
            "occurred_at": now,
        }
        await self._publish(before.model_copy(update=changes))
        self._count("stripped")

    async def _erase_need(self, need_id: str) -> None:
        tombstone = self.pool.needs.revisions.get(need_id)
        if tombstone is None:
            return
        if need_id in self.pool.shortlists.rows:
            revision = next_revision(self.pool.shortlists.revisions[need_id], datetime.now(UTC))
            await self._publisher.publish_tombstone(SHORTLISTS, need_id, revision)
            self.pool.shortlists.apply(Record(need_id, revision, None))
            self._count("erased")
        await self._confirm(need_id, Subject.NEED, tombstone)
        self._forget(need_id)

    async def _confirm_candidates(self) -> None:
        """Once no shortlist of any replica names an erased candidate, say so; one replica does."""
        if not self.leads or not self.pool.erased_candidates:
            return
        for candidate_id, revision in list(self.pool.erased_candidates.items()):
            if candidate_id in self.pool.listings or candidate_id in self.pool.index:
                continue
            await self._confirm(candidate_id, Subject.CANDIDATE, revision)
            self.pool.erased_candidates.pop(candidate_id, None)

    async def _confirm(self, subject_id: str, subject: Subject, revision: int) -> None:
        if (subject_id, revision) in self.pool.confirmed:
            return
        confirmation = Erasure(
            subject_id=subject_id,
            subject=subject,
            service=SERVICE,
            revision=revision,
            occurred_at=datetime.now(UTC),
        )
        await self._publisher.publish(ERASURES, confirmation)
        self.pool.confirmed.add((subject_id, revision))

    def _count(self, outcome: str) -> None:
        self._metrics.shortlists.labels(SERVICE, outcome).inc()


def _now() -> float:
    return asyncio.get_running_loop().time()

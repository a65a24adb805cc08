"""What matching knows: the tables it follows, and the index that one thread alone touches."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from services.matching.arrivals import Candidates, Changes
from services.matching.decisions import Decisions
from services.matching.domain import Knowledge, listed_in
from services.matching.index import Index
from shared.catalogue import Catalogue
from shared.events.erasure import ERASURES, Erasure
from shared.events.feedback import FEEDBACK, Feedback
from shared.events.model import MODEL, RankingModel
from shared.events.need import NEEDS, Need
from shared.events.shortlist import SHORTLISTS, Shortlist
from shared.metrics import Metrics
from shared.outage import Unavailable
from shared.table import Log, Table

P = ParamSpec("P")
T = TypeVar("T")

SERVICE = "matching"
RANKED_AT_ONCE = 2
"""More threads than cores only make each ranking slower."""


class Pool:
    """Tables, whole in every replica. `changed` is set whenever something may have to be ranked again.

    One thread changes the index, as candidates arrive; rankings run in others, on the index of one moment.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self.index = Index()
        self.changed = asyncio.Event()
        self.candidates_changed: set[str] = set()
        self.needs_changed: set[str] = set()
        self.knowledge: Knowledge | None = None
        self.knowledge_changed = False
        self.erased_candidates: dict[str, int] = {}
        """Candidate -> revision of the tombstone, until the erasure is confirmed."""
        self.confirmed: set[tuple[str, int]] = set()
        self.listings: dict[str, set[str]] = defaultdict(set)
        """Candidate -> needs whose shortlist names them."""
        self.decisions = Decisions()

        self.catalogue = Catalogue(SERVICE, metrics, on_change=self._on_catalogue)
        self.needs: Table[Need] = Table(NEEDS, service=SERVICE, metrics=metrics, on_change=self._on_need)
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="index")
        self._readers = ThreadPoolExecutor(max_workers=RANKED_AT_ONCE, thread_name_prefix="ranking")
        self.candidates = Candidates(SERVICE, metrics, self.index, self._writer, self._on_candidates)
        self.shortlists: Table[Shortlist] = Table(
            SHORTLISTS, service=SERVICE, metrics=metrics, on_change=self._on_shortlist
        )
        self.models: Table[RankingModel] = Table(
            MODEL, service=SERVICE, metrics=metrics, on_change=self._on_model
        )
        self.feedback: Table[Feedback] = Log(
            FEEDBACK, service=SERVICE, metrics=metrics, on_change=self._on_feedback
        )
        self.erasures: Table[Erasure] = Log(
            ERASURES, service=SERVICE, metrics=metrics, on_change=self._on_erasure
        )

    @property
    def tables(self) -> list[Table[Any]]:
        return [
            *self.catalogue.tables,
            self.needs,
            self.candidates,
            self.shortlists,
            self.models,
            self.feedback,
            self.erasures,
        ]

    @property
    def model(self) -> RankingModel | None:
        return self.models.rows.get("model")

    def missing_model(self) -> str | None:
        return None if self.model else "no ranking model was published yet"

    async def until_complete(self) -> None:
        """Return once every table has caught up and the catalogue and a model are there."""
        for table in self.tables:
            await table.until_caught_up()
        await self.catalogue.until_seen()
        await self.models.until(lambda models: "model" in models.rows)

    def ranking_inputs(self) -> tuple[Knowledge, RankingModel]:
        """The catalogue and model to rank with. Raises Unavailable while something is missing."""
        for table in self.tables:
            if not table.caught_up:
                raise Unavailable(f"the table of {table.topic.name} is still being read")
        if self.knowledge is None or self.model is None:
            raise Unavailable(self.catalogue.missing() or self.missing_model() or "not ready")
        return self.knowledge, self.model

    async def in_index(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Run `work` beside the event loop; the index has all candidates that were reported as changed."""
        return await asyncio.get_running_loop().run_in_executor(
            self._readers, partial(work, *arguments, **named)
        )

    def _on_catalogue(self, catalogue: Catalogue) -> None:
        self.knowledge = Knowledge(
            catalogue.taxonomy, catalogue.roles, catalogue.role_names, catalogue.version
        )
        self.knowledge_changed = True
        self.changed.set()

    def _on_model(self, _key: str, _had: RankingModel | None, _has: RankingModel | None) -> None:
        self.knowledge_changed = True
        self.changed.set()

    def _on_need(self, key: str, _had: Need | None, _has: Need | None) -> None:
        self.needs_changed.add(key)
        self.changed.set()

    def _on_candidates(self, changes: Changes) -> None:
        self.candidates_changed |= {*changes.changed, *changes.erased}
        for candidate_id in changes.changed:
            self.erased_candidates.pop(candidate_id, None)
        for candidate_id, revision in changes.erased.items():
            self.erased_candidates.pop(candidate_id, None)
            if (candidate_id, revision) not in self.confirmed:
                self.erased_candidates[candidate_id] = revision
        self._metrics.index_candidates.labels(SERVICE).set(len(self.index))
        self.changed.set()

    def _on_shortlist(self, key: str, had: Shortlist | None, has: Shortlist | None) -> None:
        for candidate_id in listed_in(had) - listed_in(has):
            self.listings[candidate_id].discard(key)
            if not self.listings[candidate_id]:
                del self.listings[candidate_id]
        for candidate_id in listed_in(has):
            self.listings[candidate_id].add(key)
        if self.erased_candidates:
            self.changed.set()

    def _on_feedback(self, _key: str, _had: Feedback | None, has: Feedback | None) -> None:
        if has is None or not self.decisions.note(has):
            return
        self.needs_changed |= {has.need_id, *self.listings.get(has.candidate_id or "", ())}
        if has.candidate_id is not None and has.candidate_id in self.index:
            # Who is free again stands in no list that would tell which needs it matters to.
            self.candidates_changed.add(has.candidate_id)
        self.changed.set()

    def _on_erasure(self, key: str, _had: Erasure | None, has: Erasure | None) -> None:
        if has is not None and has.service == SERVICE:
            self.confirmed.add((key, has.revision))
            if self.erased_candidates.get(key) == has.revision:
                del self.erased_candidates[key]

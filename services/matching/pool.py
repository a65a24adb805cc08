"""What matching knows: the tables it follows, and the index that one thread alone touches."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from services.matching.domain import Knowledge, listed_in
from services.matching.index import Index
from shared.catalogue import Catalogue
from shared.events.candidate import CANDIDATES, Candidate
from shared.events.erasure import ERASURES, Erasure
from shared.events.feedback import FEEDBACK, Decision, Feedback
from shared.events.model import MODEL, RankingModel
from shared.events.need import NEEDS, Need
from shared.events.shortlist import SHORTLISTS, Shortlist
from shared.metrics import Metrics
from shared.outage import Unavailable
from shared.table import Log, Table

P = ParamSpec("P")
T = TypeVar("T")

SERVICE = "matching"


class Pool:
    """Tables, whole in every replica. `changed` is set whenever something may have to be ranked again.

    Candidates' changes wait in `arrivals` until the index's thread takes them: so it needs no lock.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self.index = Index()
        self.changed = asyncio.Event()
        self.arrivals: list[tuple[str, Candidate | None]] = []
        self.candidates_changed: set[str] = set()
        self.needs_changed: set[str] = set()
        self.knowledge: Knowledge | None = None
        self.knowledge_changed = False
        self.erased_candidates: dict[str, int] = {}
        """Candidate -> revision of the tombstone, until the erasure is confirmed."""
        self.confirmed: set[tuple[str, int]] = set()
        self.listings: dict[str, set[str]] = defaultdict(set)
        """Candidate -> needs whose shortlist names them."""
        self._decisions: dict[tuple[str, str], Feedback] = {}
        self._declined: dict[str, set[str]] = defaultdict(set)

        self.catalogue = Catalogue(SERVICE, metrics, on_change=self._on_catalogue)
        self.needs: Table[Need] = Table(NEEDS, service=SERVICE, metrics=metrics, on_change=self._on_need)
        self.candidates: Table[Candidate] = Table(
            CANDIDATES, service=SERVICE, metrics=metrics, on_change=self._on_candidate, keep=False
        )
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
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="index")

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
        """Run `work` in the index's thread, after what has arrived for the index so far."""
        arrivals, self.arrivals = self.arrivals, []

        def run() -> T:
            if arrivals:
                self.index.apply(arrivals)
            return work(*arguments, **named)

        result = await asyncio.get_running_loop().run_in_executor(self._thread, run)
        self._metrics.index_candidates.labels(SERVICE).set(len(self.index))
        return result

    def declined(self, need_id: str) -> frozenset[str]:
        """Candidates whom a consultant declined for this need."""
        return frozenset(self._declined.get(need_id, ()))

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

    def _on_candidate(self, key: str, _had: Candidate | None, has: Candidate | None) -> None:
        self.arrivals.append((key, has))
        self.candidates_changed.add(key)
        self.erased_candidates.pop(key, None)
        if has is None and (key, self.candidates.revisions[key]) not in self.confirmed:
            self.erased_candidates[key] = self.candidates.revisions[key]
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
        if has is None or has.candidate_id is None:
            return
        about = (has.need_id, has.candidate_id)
        known = self._decisions.get(about)
        if known is not None and known.occurred_at >= has.occurred_at:
            return
        self._decisions[about] = has
        declined = self._declined[has.need_id]
        if (has.candidate_id in declined) is (has.decision is Decision.DECLINED):
            return
        if has.decision is Decision.DECLINED:
            declined.add(has.candidate_id)
        else:
            declined.discard(has.candidate_id)
        self.needs_changed.add(has.need_id)
        self.changed.set()

    def _on_erasure(self, key: str, _had: Erasure | None, has: Erasure | None) -> None:
        if has is not None and has.service == SERVICE:
            self.confirmed.add((key, has.revision))
            if self.erased_candidates.get(key) == has.revision:
                del self.erased_candidates[key]

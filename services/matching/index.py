"""The candidates in memory, and the best of them for a plan.

The one class that a search engine's retrieval would replace; how well somebody fits is `scoring.py`'s.
Exact: a candidate is passed over only where a bound shows that it cannot be among the best. One thread may
change the index while any number of threads rank: each ranking sees the candidates of one moment.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.matching.columns import Columns, View
from services.matching.compiled import Wanted, compiled
from services.matching.decoding import Reader
from services.matching.domain import Knowledge, Profile
from services.matching.fragments import Batches
from services.matching.frequency import document_frequency
from services.matching.heaps import Heap
from services.matching.judging import Facts
from services.matching.listing import Lister, Scored
from services.matching.odd_ids import OddIds
from services.matching.packing import Packed, pack
from services.matching.scoring import Plan, plan_of
from services.matching.search import search
from services.matching.sweeping import count
from services.matching.unpacking import Row, Unpacked
from services.matching.vocabulary import Sizes, somebody
from shared.events.candidate import Candidate, HeldSkill
from shared.events.model import RankingModel
from shared.events.need import AskedSkill, Criteria
from shared.events.vocabulary import Must
from shared.taxonomy import RoleNames, Taxonomy

Counts = npt.NDArray[np.int64]
MOST_COMPILED = 64
"""Plans that are kept compiled: a need in a burst of changes is ranked again and again."""


@dataclass(frozen=True)
class Census:
    """How many there are. `relaxed`: how many more would be eligible without each hard constraint.

    `without_skill`: how many more would cover every must skill, of those eligible, without this one.
    """

    candidates: int
    eligible: int
    covering: int
    relaxed: dict[str, int]
    without_skill: dict[str, int]


@dataclass(frozen=True)
class Ranking:
    census: Census
    listed: tuple[Scored, ...]
    near: tuple[Scored, ...]


class Index:
    def __init__(self) -> None:
        self.columns = Columns()
        self.profiles = Profiles(self)
        self._facts = Facts(self.columns.vocabulary)
        self._odd_ids = OddIds(self.columns.vocabulary.odd_ids)
        self._compiling = threading.Lock()
        self._compiled_plans: OrderedDict[tuple[int, bool], _Compiled] = OrderedDict()
        self.year = 0
        """On which recency is judged where nobody says another: that of the last model ranked with."""

    def __len__(self) -> int:
        return len(self.columns)

    def __contains__(self, candidate_id: object) -> bool:
        return candidate_id in self.columns

    def put(self, candidate: Candidate) -> None:
        self.apply([(candidate.candidate_id, candidate)])

    def remove(self, candidate_id: str) -> None:
        self.columns.remove([candidate_id])

    def apply(self, changes: Iterable[tuple[str, Candidate | None]]) -> None:
        """Take changes over, in order, whatever their revision; None removes."""
        for candidate_id, candidate in changes:
            self.columns.remove([candidate_id])
            if candidate is not None:
                packed = Packed()
                pack(candidate, packed, self.columns.vocabulary)
                self.columns.put(packed)
        self.columns.tidy()

    @classmethod
    def compile(cls) -> None:
        """Have everything compiled that rankings and changes run; it is kept on disk."""
        index = cls()
        packed = Packed()
        for name in ("00000000-0000-7000-8000-000000000000", "another kind of id"):
            skill = HeldSkill.model_construct(skill="skill", mentions=1)
            one = somebody(candidate_id=name, revision=1, skills=(skill,))
            pack(one, packed, index.columns.vocabulary)
        index.columns.put(packed)
        taxonomy = Taxonomy({})
        stamp = datetime(1970, 1, 1, tzinfo=UTC)
        written = [
            Candidate(candidate_id=name, revision=2, occurred_at=stamp, skills=(HeldSkill(skill="skill"),))
            for name in packed.ids
        ]
        rows, read = Batches(index.columns.vocabulary, Reader()).read(
            [one.candidate_id.encode() for one in written],
            [one.model_dump_json(exclude_none=True).encode() for one in written],
        )
        index.columns.put_rows(rows)
        index.columns.put_rows(rows.chosen(read))
        index.columns.row(packed.ids[0])
        index.columns.make_room(1 << 13)
        model = RankingModel(
            revision=0, occurred_at=stamp, as_of=stamp.date(), candidates=0, weights_version="", weights={}
        )
        asked = (AskedSkill(skill="skill", must=True),)
        criteria = Criteria(title="", skills=asked, min_years=1, musts=(Must.MIN_YEARS,))
        plan = plan_of(criteria, Knowledge(taxonomy, {}, RoleNames({}), ""), model)
        for _ in range(2):
            index.rank(plan, limit=1, near_limit=1)
            index.census(plan)
            index.document_frequency(taxonomy)
            index.columns.seal()
        list(index.profiles)
        index.remove(packed.ids[0])

    def document_frequency(self, taxonomy: Taxonomy) -> Counter[str]:
        """How many candidates show each skill, by itself or by one that implies it."""
        view = self.columns.view
        return document_frequency(view, self.columns.vocabulary, taxonomy)

    def judge_recency_in(self, year: int) -> None:
        """The year of the as-of day. Nothing is made anew: recency is judged when it is asked for."""
        self.year = year

    def profile(self, candidate_id: str, year: int | None = None) -> Profile | None:
        """A candidate as compared, or None where there is no such candidate."""
        row = self.columns.row(candidate_id)
        return None if row is None else Unpacked(row, self.columns.vocabulary, year or self.year)

    def rank(
        self,
        plan: Plan,
        *,
        limit: int,
        near_limit: int,
        excluded: Collection[str] = (),
        everybody: bool = False,
    ) -> Ranking:
        """The best `limit` of those eligible who belong (see `Assessment`), or of all who are eligible."""
        self.year = plan.model.as_of.year
        view = self.columns.view
        _, _, wanted, lister = self._compiled(plan, everybody=everybody)
        census = np.zeros(4 + len(plan.hard) + len(plan.asked), np.int64)
        # So many more, that the excluded may be left out of what was found.
        best, almost = (
            _Best(min(most + len(excluded), view.candidates) if most > 0 else 0)
            for most in (limit, near_limit)
        )
        best.held, almost.held = search(
            view.table, wanted.plan, wanted.misses, wanted.payload, census, best.heap, almost.heap
        )  # fmt: skip
        found = self._chosen(view, best, excluded, limit)
        number = len(found)
        found += self._chosen(view, almost, excluded, near_limit)
        scored = lister.scored(view.table, found)
        return Ranking(_census(plan, census), tuple(scored[:number]), tuple(scored[number:]))

    def census(self, plan: Plan) -> Census:
        """All counts, in one pass."""
        view = self.columns.view
        _, _, wanted, _ = self._compiled(plan, everybody=False)
        census = np.zeros(4 + len(plan.hard) + len(plan.asked), np.int64)
        count(view.table, wanted.plan, wanted.misses, census)
        return _census(plan, census)

    def _compiled(self, plan: Plan, *, everybody: bool) -> "_Compiled":
        """Kept for as long as no code is added: what a plan says of the codes there are does not change."""
        vocabulary, kept, key = self.columns.vocabulary, self._compiled_plans, (id(plan), everybody)
        with self._compiling:
            sizes = vocabulary.sizes
            known = kept.pop(key, None)
            # An id is used again once its plan is gone, but not while the plan is kept here.
            if known is None or known.sizes != sizes:
                judged = {
                    name: self._facts.judged(name, judge, plan.criteria, plan.margin_percent)
                    for name, judge in plan.judges.items()
                }
                made = compiled(plan, vocabulary, judged, self._odd_ids.keys(), everybody=everybody)
                known = _Compiled(plan, sizes, made, Lister(plan, vocabulary, made, judged))
            kept[key] = known
            if len(kept) > MOST_COMPILED:
                kept.popitem(last=False)
            return known

    def _chosen(
        self, view: View, best: "_Best", excluded: Collection[str], limit: int
    ) -> list[tuple[int, Row]]:
        """Places and rows of the best `limit` that are not excluded."""
        places = best.in_order()
        rows = zip(places.tolist(), self.columns.rows_at(view.table, places), strict=True)
        return list(islice((one for one in rows if one[1].candidate_id not in excluded), limit))


class _Compiled(NamedTuple):
    plan: Plan
    sizes: Sizes
    wanted: Wanted
    lister: Lister


class _Best:
    """A heap for the kernel, and how many it holds."""

    def __init__(self, limit: int) -> None:
        self.held = 0
        self.heap = Heap(
            np.zeros(limit, np.int64), np.zeros((limit, 3), np.uint64), np.zeros(limit, np.int64)
        )

    def in_order(self) -> Counts:
        """Block << 16 | row, best first."""
        scores, keys, places = self.heap
        order = np.lexsort((*keys[: self.held].T[::-1], -scores[: self.held]))
        found: Counts = places[: self.held][order]
        return found


class Profiles(Mapping[str, Profile]):
    """Everybody by id, unpacked when asked for."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def __len__(self) -> int:
        return len(self._index)

    def __contains__(self, candidate_id: object) -> bool:
        return candidate_id in self._index

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._index.columns.ids()))

    def __getitem__(self, candidate_id: str) -> Profile:
        found = self._index.profile(candidate_id)
        if found is None:
            raise KeyError(candidate_id)
        return found


def _census(plan: Plan, census: Counts) -> Census:
    candidates, eligible, covering, lacking = (int(count) for count in census[:4])
    hard = len(plan.hard)
    relaxed = {must.value: int(census[4 + at]) for at, (must, _) in enumerate(plan.hard)}
    if plan.all_musts and plan.must_bits:
        relaxed[Must.SKILLS.value] = lacking
    return Census(
        candidates,
        eligible,
        covering,
        relaxed,
        {asked.skill: int(census[4 + hard + at]) for at, asked in enumerate(plan.asked) if asked.must},
    )

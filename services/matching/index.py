"""The candidates in memory, by skill and by role, and the best of them for a plan.

The one class that a faster engine (or a search engine's retrieval) replaces. It is not thread-safe: one
thread applies the changes and ranks. Exact: a candidate is passed over only where a bound shows that it
cannot be among the best.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from services.matching.constraints import Fit
from services.matching.domain import Profile, profile_of
from services.matching.scoring import Assessment, Plan, assess
from services.matching.weights import PPM
from shared.events.candidate import Candidate
from shared.events.vocabulary import Must
from shared.taxonomy import Taxonomy

Scored = tuple[Profile, Assessment]


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
        self.profiles: dict[str, Profile] = {}
        self._by_skill: dict[str, set[str]] = defaultdict(set)
        self._by_role: dict[str, set[str]] = defaultdict(set)
        self._without_role: set[str] = set()
        self._year = 0

    def __len__(self) -> int:
        return len(self.profiles)

    def __contains__(self, candidate_id: object) -> bool:
        return candidate_id in self.profiles

    def put(self, candidate: Candidate) -> None:
        self.remove(candidate.candidate_id)
        profile = profile_of(candidate, self._year)
        self.profiles[profile.candidate_id] = profile
        for skill in profile.skills:
            self._by_skill[skill].add(profile.candidate_id)
        for role in profile.months:
            self._by_role[role].add(profile.candidate_id)
        if not profile.months:
            self._without_role.add(profile.candidate_id)

    def remove(self, candidate_id: str) -> None:
        profile = self.profiles.pop(candidate_id, None)
        if profile is None:
            return
        for skill in profile.skills:
            self._by_skill[skill].discard(candidate_id)
        for role in profile.months:
            self._by_role[role].discard(candidate_id)
        self._without_role.discard(candidate_id)

    def apply(self, changes: Iterable[tuple[str, Candidate | None]]) -> None:
        """Take changes over, in order; None removes."""
        for candidate_id, candidate in changes:
            if candidate is None:
                self.remove(candidate_id)
            else:
                self.put(candidate)

    def document_frequency(self, taxonomy: Taxonomy) -> Counter[str]:
        """How many candidates show each skill, by itself or by one that implies it."""
        frequency: Counter[str] = Counter()
        for profile in self.profiles.values():
            frequency.update(set().union(*(taxonomy.shows(skill) for skill in profile.skills)))
        return frequency

    def judge_recency_in(self, year: int) -> None:
        """The year of the as-of day; another one makes every profile anew."""
        if year != self._year:
            self._year = year
            self.profiles = {
                candidate_id: profile_of(profile.candidate, year)
                for candidate_id, profile in self.profiles.items()
            }

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
        self.judge_recency_in(plan.model.as_of.year)
        missed = self._missed(plan)
        by_bound = self._by_bound(plan)
        eligible = [(bound, key) for bound, key in by_bound if not missed.get(key) and key not in excluded]
        near = [
            (bound, key) for bound, key in by_bound if len(missed.get(key, ())) == 1 and key not in excluded
        ]
        if everybody and limit > 0:
            touched = {key for _, key in by_bound}
            floor = sum(plan.weights.values())
            eligible += [
                (floor, key)
                for key in self.profiles
                if key not in touched and not missed.get(key) and key not in excluded
            ]
            eligible.sort(key=lambda pair: -pair[0])
        return Ranking(
            self._census(plan, missed),
            self._best(plan, eligible, limit, everybody),
            self._best(plan, near, near_limit, everybody=False),
        )

    def census(self, plan: Plan) -> Census:
        self.judge_recency_in(plan.model.as_of.year)
        return self._census(plan, self._missed(plan))

    def _best(
        self, plan: Plan, bounded: Sequence[tuple[int, str]], limit: int, everybody: bool
    ) -> tuple[Scored, ...]:
        """`bounded` comes highest bound first: below the last listed score nobody else can enter."""
        if limit <= 0:
            return ()
        found: list[tuple[int, str, Assessment]] = []
        scores: list[int] = []
        for bound, key in bounded:
            if len(scores) == limit and bound < scores[0]:
                break
            assessment = assess(plan, self.profiles[key])
            if not (everybody or assessment.belongs):
                continue
            if len(scores) < limit:
                heapq.heappush(scores, assessment.score)
            elif assessment.score < scores[0]:
                continue
            else:
                heapq.heapreplace(scores, assessment.score)
            found.append((-assessment.score, key, assessment))
        found.sort(key=lambda item: item[:2])
        return tuple((self.profiles[key], assessment) for _, key, assessment in found[:limit])

    def _by_bound(self, plan: Plan) -> list[tuple[int, str]]:
        """(the most units that are possible, candidate) of all who may belong, highest bound first.

        A skill's bound is its credit at full level; the parts that depend on roles count in full for whom
        they may count; all other parts count in full for everybody.
        """
        units: dict[str, int] = defaultdict(int)
        for asked in plan.asked:
            weight = plan.weights["must_skills" if asked.must else "nice_skills"]
            seen: set[str] = set()
            for held, credit in sorted(asked.credits.items(), key=lambda pair: -pair[1]):
                holders = self._by_skill.get(held)
                if not holders:
                    continue
                worth = weight * asked.share // PPM * credit // PPM + 2
                for key in holders - seen:
                    units[key] += worth
                seen |= holders
        for role in plan.family:
            for key in self._by_role.get(role, ()):
                units[key] += 0
        by_role = 0
        if plan.role is not None:
            by_role = plan.weights.get("role_experience", 0) + plan.weights.get("role_fit", 0) // 2
        rest = sum(plan.weights.values()) + 2 * len(plan.weights) - by_role
        rest -= plan.weights.get("must_skills", 0) + plan.weights.get("nice_skills", 0)
        with_role = set(self._without_role)
        for role in plan.affinity:
            with_role |= self._by_role.get(role, set())
        bounded = [(bound + rest + (by_role if key in with_role else 0), key) for key, bound in units.items()]
        bounded.sort(key=lambda pair: -pair[0])
        return bounded

    def _missed(self, plan: Plan) -> dict[str, list[str]]:
        """Candidate -> hard constraints missed, a `skills:<id>` for each must skill where they are a must."""
        missed: dict[str, list[str]] = {}
        for must, judge in plan.hard:
            for key, profile in self.profiles.items():
                if judge(profile.candidate)[0] is Fit.MISSES:
                    missed.setdefault(key, []).append(must.value)
        if plan.all_musts:
            for skill, holders in self._showing(plan).items():
                for key in self.profiles.keys() - holders:
                    missed.setdefault(key, []).append(f"{Must.SKILLS.value}:{skill}")
        return missed

    def _showing(self, plan: Plan) -> dict[str, set[str]]:
        """Must skill -> all who show it."""
        return {
            asked.skill: set().union(
                *(self._by_skill.get(held, ()) for held, credit in asked.credits.items() if credit == PPM)
            )
            for asked in plan.asked
            if asked.must
        }

    def _census(self, plan: Plan, missed: dict[str, list[str]]) -> Census:
        relaxed = {must.value: 0 for must, _ in plan.hard}
        if plan.all_musts and plan.must_bits:
            relaxed[Must.SKILLS.value] = 0
        barred_otherwise: set[str] = set()
        for key, reasons in missed.items():
            kinds = {reason.partition(":")[0] for reason in reasons} if len(reasons) > 1 else reasons
            kind, *others = kinds
            if not others:
                relaxed[kind.partition(":")[0]] += 1
            if others or not kind.startswith(Must.SKILLS.value):
                barred_otherwise.add(key)
        pool = self.profiles.keys() - barred_otherwise
        showing = self._showing(plan)
        covering = set(pool).intersection(*showing.values())
        without_skill = {
            skill: len(set(pool).intersection(*(held for other, held in showing.items() if other != skill)))
            - len(covering)
            for skill in showing
        }
        return Census(
            len(self.profiles), len(self.profiles) - len(missed), len(covering), relaxed, without_skill
        )

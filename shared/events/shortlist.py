"""matching.shortlists.v1: who fits a need, in which order, and the arithmetic that says why."""

from enum import StrEnum

from pydantic import Field

from shared.events.topic import Event, Fact, Topic
from shared.events.vocabulary import Level, LocalizedText, Must, Region, Slug


class Outcome(StrEnum):
    MATCHED = "matched"
    NO_MATCH = "no_match"


class Evidence(Fact):
    """What one part of a score rests on. Which fields are set depends on the part's criterion.

    `via` is the skill or role that stood in for the asked one, `credit` what it earned of it (0 to 1).
    `estimated` marks a level derived from mentions, years and recency. `share` is what this evidence adds to
    its part's value (0 to 1).
    """

    skill: Slug | None = None
    role: Slug | None = None
    asked: str | None = None
    found: str | None = None
    level: Level | None = None
    estimated: bool = False
    years: float | None = None
    months: int | None = None
    last_used: int | None = None
    mentions: int | None = None
    via: Slug | None = None
    credit: float | None = None
    rarity: float | None = None
    share: float | None = None


class Part(Fact):
    """One criterion of a score: `points` = 100 x `weight` x `value`; the weights of one need add up to 1.

    `told` says it in a sentence where the figures alone would not be understood.
    """

    criterion: str
    weight: float
    value: float
    points: float
    evidence: tuple[Evidence, ...] = ()
    told: LocalizedText | None = None


class Change(Fact):
    """One thing that would raise a score if it were so, and by how many points together with those before."""

    criterion: str
    skill: Slug | None = None
    level: Level | None = None
    points: float


class ToEnter(Fact):
    """What would have to be otherwise for a candidate to stand in the shortlist, computed by ranking anew.

    `short_by`: points up to the last one listed, before any change. `changes` are those that count most, as
    few as lead there; where `enough` is false, not even all of them do.
    """

    short_by: float
    changes: tuple[Change, ...] = ()
    enough: bool
    told: LocalizedText


class Gap(Fact):
    """Something to ask the candidate, in words. `kind`: missing, level, unknown, related or dated."""

    kind: str
    criterion: str
    skill: Slug | None = None
    question: LocalizedText


class Entry(Fact):
    """A listed candidate. `score` is 0 to 100; `must_coverage` is the share of must skills shown, 0 to 1."""

    candidate_id: str
    score: float
    must_coverage: float
    missing_musts: tuple[Slug, ...] = ()
    parts: tuple[Part, ...] = ()
    gaps: tuple[Gap, ...] = ()
    to_enter: ToEnter | None = None
    """Of who stands just below the shortlist, in the answer of `/api/rank` alone."""


class NearMiss(Fact):
    """Who misses exactly one hard constraint, and which: a must of the need, or one must skill."""

    candidate_id: str
    score: float
    must_coverage: float
    missed: Must
    skill: Slug | None = None
    reason: LocalizedText
    to_enter: ToEnter | None = None


class Departure(Fact):
    """Who left the shortlist since the last revision, and why.

    outranked, ineligible, erased, declined (for this need) or placed (with another one).
    """

    candidate_id: str
    why: str


class Shortlist(Event):
    """`eligible` counts all who meet the hard constraints, also who was declined or is placed; `entries` are
    the best ten of those who fit and are free.
    """

    need_id: str
    need_revision: int
    reference: str
    title: str
    role_id: Slug | None = None
    region: Region | None = None
    outcome: Outcome
    engine: str
    taxonomy: str
    weights: str
    model: int
    input_hash: str
    eligible: int = Field(ge=0)
    candidates: int = Field(ge=0)
    entries: tuple[Entry, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    relaxed: dict[str, int] = Field(default_factory=dict)
    """How many more would be eligible without each hard constraint."""
    entered: tuple[str, ...] = ()
    left: tuple[Departure, ...] = ()


SHORTLISTS = Topic(
    "matching.shortlists.v1",
    Shortlist,
    key="need_id",
    partitions=12,
    compacted=True,
    producers=("matching",),
    consumers=("notifier", "intake", "matching"),
)

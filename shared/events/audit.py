"""matching.audit.v1: a ranking that can be recomputed from its record alone."""

from datetime import timedelta

from pydantic import Field

from shared.events.candidate import Candidate
from shared.events.model import RankingModel
from shared.events.need import Criteria
from shared.events.shortlist import Shortlist
from shared.events.topic import Event, Topic


class AuditRecord(Event):
    """The shortlist, and what it was computed from.

    `candidates` are the listed candidates as matching knew them; `catalogue_hash` is the manifest's.
    """

    need_id: str
    criteria: Criteria
    shortlist: Shortlist
    model: RankingModel
    candidates: tuple[Candidate, ...] = ()
    catalogue_hash: str = ""
    watermark: dict[str, int] = Field(default_factory=dict)
    """Last offset read of each partition of the candidates' topic."""


AUDIT = Topic(
    "matching.audit.v1",
    AuditRecord,
    key="need_id",
    partitions=12,
    retention=timedelta(days=400),
    producers=("matching",),
    consumers=("auditors",),
)

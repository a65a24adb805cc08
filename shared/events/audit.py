"""matching.audit.v1: a ranking that can be recomputed from its record alone."""

from datetime import timedelta

from pydantic import Field

from shared.events.candidate import Candidate
from shared.events.model import RankingModel
from shared.events.need import Criteria
from shared.events.role import Role
from shared.events.shortlist import Shortlist
from shared.events.skill import Skill
from shared.events.topic import Event, Topic
from shared.events.vocabulary import Slug


class AuditRecord(Event):
    """The shortlist, and all that it was computed from.

    `criteria` has the role as it was understood, `named` the skills that the need's text names without
    asking for them; `in_title` are the skills that its title names, `title_role` the role. `candidates` are
    the listed candidates as matching knew them; `catalogue_hash` is the manifest's, and `roles` and `skills`
    are what the ranking read of that catalogue: sheets and skills without the texts that no figure rests on.
    """

    need_id: str
    criteria: Criteria
    shortlist: Shortlist
    model: RankingModel
    candidates: tuple[Candidate, ...] = ()
    catalogue_hash: str = ""
    watermark: dict[str, int] = Field(default_factory=dict)
    """Last offset read of each partition of the candidates' topic."""
    named: tuple[Slug, ...] = ()
    in_title: tuple[Slug, ...] = ()
    title_role: Slug | None = None
    roles: tuple[Role, ...] = ()
    skills: tuple[Skill, ...] = ()


AUDIT = Topic(
    "matching.audit.v1",
    AuditRecord,
    key="need_id",
    partitions=12,
    retention=timedelta(days=400),
    producers=("matching",),
    consumers=("auditors",),
)

"""catalog.skills.v1: the skill taxonomy."""

from pydantic import Field

from shared.events.topic import Event, Fact, Topic
from shared.events.vocabulary import LocalizedText, SkillKind, Slug


class RelatedSkill(Fact):
    """Partial credit that `skill` earns where this one is asked, and the other way round."""

    skill: Slug
    credit: float = Field(gt=0, lt=1)


class AmbiguousAlias(Fact):
    """An alias that is also an everyday word or another skill: it counts only near one of `context`."""

    alias: str
    context: tuple[str, ...]


class Skill(Event):
    skill_id: Slug
    label: LocalizedText
    kind: SkillKind = SkillKind.SKILL
    category: Slug
    aliases: tuple[str, ...] = ()
    implies: tuple[Slug, ...] = ()
    related: tuple[RelatedSkill, ...] = ()
    broader: Slug | None = None
    ambiguous: tuple[AmbiguousAlias, ...] = ()
    external: dict[str, str] = Field(default_factory=dict)


SKILLS = Topic(
    "catalog.skills.v1",
    Skill,
    key="skill_id",
    partitions=1,
    compacted=True,
    producers=("catalog",),
    consumers=("intake", "matching", "notifier"),
)

"""catalog.roles.v1: the agency's role sheets."""

from pydantic import Field

from shared.events.topic import Event, Fact, Topic
from shared.events.vocabulary import CareerPath, Level, LocalizedText, Slug


class RoleSlug(Fact):
    """The last part of the sheet's address in each language."""

    fr: Slug
    en: Slug


class RoleAliases(Fact):
    """Other titles of the same role, as clients and CVs write them."""

    fr: tuple[str, ...] = ()
    en: tuple[str, ...] = ()


class RoleSkill(Fact):
    skill: Slug
    level: Level = 3


class CareerStep(Fact):
    path: CareerPath
    role: Slug
    text: LocalizedText


class RelatedRole(Fact):
    """How well experience in `role` counts for this one: 0 not at all, 1 as its own."""

    role: Slug
    closeness: float = Field(gt=0, lt=1)


class Role(Event):
    role_id: Slug
    slug: RoleSlug
    title: LocalizedText
    aliases: RoleAliases = RoleAliases()
    family: Slug
    summary: LocalizedText
    versus: LocalizedText
    tasks: tuple[LocalizedText, ...] = ()
    contacts: tuple[Slug, ...] = ()
    skills: tuple[RoleSkill, ...] = ()
    soft_skills: tuple[LocalizedText, ...] = ()
    education: tuple[LocalizedText, ...] = ()
    career: tuple[CareerStep, ...] = ()
    related: tuple[RelatedRole, ...] = ()


ROLES = Topic(
    "catalog.roles.v1",
    Role,
    key="role_id",
    partitions=1,
    compacted=True,
    producers=("catalog",),
    consumers=("intake", "matching", "notifier"),
)

"""The record of a ranking, and the ranking from its record alone. Pure.

`audit_of` writes down what a published shortlist was computed from: the need as understood, the model, the
candidates listed, and the slice of the catalogue that can have mattered to them. `differences` ranks from
that again and says where the outcome is not what was published.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from services.matching import explain
from services.matching.domain import InText, Knowledge, Profile, profile_of
from services.matching.entering import to_enter
from services.matching.index import Ranking
from services.matching.scoring import Assessment, Plan, assess, plan_of
from services.matching.shortlisting import bar_of, hash_of
from services.matching.weights import ENGINE
from shared.events.audit import AuditRecord
from shared.events.role import Role, RoleAliases
from shared.events.shortlist import Shortlist
from shared.events.skill import Skill
from shared.taxonomy import RoleNames, Taxonomy

Scored = tuple[Profile, Assessment]


def audit_of(
    shortlist: Shortlist, plan: Plan, ranking: Ranking, watermark: Mapping[int, int], catalogue_hash: str
) -> AuditRecord:
    """The record of a published shortlist. `watermark`: last offset read of each candidates' partition."""
    people = [profile for profile, _ in (*ranking.listed, *ranking.near)]
    roles = _roles(plan, people)
    return AuditRecord(
        revision=shortlist.revision,
        occurred_at=shortlist.occurred_at,
        need_id=shortlist.need_id,
        criteria=plan.criteria,
        named=tuple(one.skill for one in plan.asked if one.criterion == "named_skills"),
        in_title=plan.text.in_title,
        title_role=plan.text.role,
        shortlist=shortlist,
        model=plan.model,
        candidates=tuple(profile.candidate for profile in people),
        catalogue_hash=catalogue_hash,
        watermark={str(partition): offset for partition, offset in sorted(watermark.items())},
        roles=roles,
        skills=_skills(plan, people, roles),
    )


def differences(record: AuditRecord) -> list[str]:
    """Where ranking from the record alone differs from the shortlist in it; empty where nothing does."""
    shortlist, model = record.shortlist, record.model
    plan = plan_of(record.criteria, knowledge_of(record), model, text_of(record), record.need_id)
    found = [
        f"{what}: the record says {said}, this program {has}"
        for what, said, has in (
            ("engine", shortlist.engine, ENGINE),
            ("weights", shortlist.weights, plan.weights_version),
            ("model", shortlist.model, model.revision),
        )
        if said != has
    ]
    scored = [_scored(plan, profile_of(one, model.as_of.year)) for one in record.candidates]
    scored.sort(key=lambda pair: (-pair[1].score, pair[0].candidate_id))
    listed = [pair for pair in scored if not pair[1].misses]
    near = [pair for pair in scored if pair[1].misses == 1]
    bar = bar_of(listed)
    again = {
        "entries": [explain.entry(plan, *pair).model_dump(mode="json", exclude_none=True) for pair in listed],
        "near_misses": [
            explain.near_miss(plan, *pair, to_enter(plan, *pair, bar)).model_dump(
                mode="json", exclude_none=True
            )
            for pair in near
        ],
        "input_hash": hash_of(plan, (profile for profile, _ in scored), shortlist.taxonomy),
    }
    published = shortlist.model_dump(mode="json", exclude_none=True, include=set(again))
    return found + list(_unlike("", published, again))


def knowledge_of(record: AuditRecord) -> Knowledge:
    """The slice of the catalogue in the record."""
    taxonomy = Taxonomy({one.skill_id: one for one in record.skills}, record.shortlist.taxonomy)
    roles = {one.role_id: one for one in record.roles}
    return Knowledge(taxonomy, roles, RoleNames({}), record.shortlist.taxonomy)


def text_of(record: AuditRecord) -> InText:
    """What the need's text said, in the record."""
    return InText(record.named, record.in_title, record.title_role)


def _scored(plan: Plan, profile: Profile) -> Scored:
    return profile, assess(plan, profile)


def _unlike(where: str, published: Any, again: Any) -> Iterator[str]:
    """A line for each value that differs, with its place, as `entries/0/parts/2/points`."""
    if isinstance(published, dict) and isinstance(again, dict):
        for name in sorted(published.keys() | again.keys()):
            yield from _unlike(f"{where}/{name}", published.get(name), again.get(name))
    elif isinstance(published, list) and isinstance(again, list) and len(published) == len(again):
        for at, (one, other) in enumerate(zip(published, again, strict=True)):
            yield from _unlike(f"{where}/{at}", one, other)
    elif isinstance(published, list) and isinstance(again, list):
        yield f"{where.lstrip('/')}: published {len(published)}, recomputed {len(again)}"
    elif published != again:
        yield f"{where.lstrip('/')}: published {published}, recomputed {again}"


def _roles(plan: Plan, people: Iterable[Profile]) -> tuple[Role, ...]:
    """The asked role, the adjacent ones, those of its family and those held; sheets where they are read."""
    if plan.role is None:
        return ()
    read = {plan.role.role_id} | {related.role for related in plan.role.related}
    wanted = read | plan.family | {role for profile in people for role in profile.roles}
    known = plan.knowledge.roles
    return tuple(_bare_role(known[one], sheet=one in read) for one in sorted(wanted & known.keys()))


def _bare_role(role: Role, *, sheet: bool) -> Role:
    unread = {"aliases": RoleAliases(), "summary": role.title, "versus": role.title}
    lists = (
        "tasks",
        "contacts",
        "soft_skills",
        "education",
        "career",
        *(() if sheet else ("skills", "related")),
    )
    return role.model_copy(update={**unread, **dict.fromkeys(lists, ())})


def _skills(plan: Plan, people: Iterable[Profile], roles: Iterable[Role]) -> tuple[Skill, ...]:
    """The skills asked, held, or on a sheet, with all that they imply, and what is related among those."""
    known = plan.knowledge.taxonomy
    wanted = {one.skill for one in plan.asked} | {one for profile in people for one in profile.skills}
    wanted |= {one.skill for role in roles for one in role.skills}
    closed = {reached for one in wanted for reached in known.shows(one)} & known.skills.keys()
    return tuple(_bare_skill(known.skills[one], closed) for one in sorted(closed))


def _bare_skill(skill: Skill, kept: set[str]) -> Skill:
    related = tuple(one for one in skill.related if one.skill in kept)
    return skill.model_copy(update={"aliases": (), "ambiguous": (), "external": {}, "related": related})

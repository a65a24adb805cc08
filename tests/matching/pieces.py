"""What the tests of matching are made of: a small catalogue, candidates, needs, and ways to rank them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from services.matching.domain import Knowledge, understood
from services.matching.explain import entry
from services.matching.index import Index, Ranking
from services.matching.scoring import Plan, assess, plan_of
from services.matching.weights import Weights, version_of
from shared.events.candidate import Candidate, HeldSkill
from shared.events.manifest import Manifest, fingerprint
from shared.events.model import RankingModel
from shared.events.need import AskedSkill, Contact, Criteria, Need
from shared.events.role import Role
from shared.events.shortlist import Entry
from shared.events.skill import Skill
from shared.taxonomy import RoleNames, Taxonomy

THEN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DATA = Path(__file__).parents[2] / "services" / "catalog" / "data"


def skill(skill_id: str, *, implies: Iterable[str] = (), related: Mapping[str, float] | None = None) -> Skill:
    name = skill_id.replace("-", " ").capitalize()
    return Skill.model_validate(
        {
            "skill_id": skill_id,
            "label": {"fr": name, "en": name},
            "category": "test",
            "implies": tuple(implies),
            "related": [{"skill": other, "credit": credit} for other, credit in (related or {}).items()],
            "revision": 1,
            "occurred_at": THEN,
        }
    )


def role(
    role_id: str, family: str, skills: Mapping[str, int], related: Mapping[str, float] | None = None
) -> Role:
    title = role_id.replace("-", " ").capitalize()
    text = {"fr": title, "en": title}
    return Role.model_validate(
        {
            "role_id": role_id,
            "slug": {"fr": role_id, "en": role_id},
            "title": text,
            "family": family,
            "summary": text,
            "versus": text,
            "skills": [{"skill": name, "level": level} for name, level in skills.items()],
            "related": [{"role": other, "closeness": near} for other, near in (related or {}).items()],
            "revision": 1,
            "occurred_at": THEN,
        }
    )


SKILLS = {
    found.skill_id: found
    for found in (
        skill("python"),
        skill("django", implies=["python"]),
        skill("sql"),
        skill("mysql", implies=["sql"], related={"postgresql": 0.6, "mariadb": 0.8}),
        skill("postgresql", implies=["sql"], related={"mysql": 0.6}),
        skill("mariadb", implies=["sql"], related={"mysql": 0.8}),
        skill("docker", related={"kubernetes": 0.3}),
        skill("kubernetes", related={"docker": 0.3}),
        skill("rest"),
        skill("git"),
        skill("excel"),
        skill("figma"),
    )
}
ROLES = {
    found.role_id: found
    for found in (
        role(
            "back-end-developer",
            "software",
            {"python": 4, "sql": 3, "rest": 4, "git": 3, "docker": 2},
            {"full-stack-developer": 0.8},
        ),
        role("full-stack-developer", "software", {"python": 3, "figma": 1}, {"back-end-developer": 0.8}),
        role("qa-engineer", "software", {"git": 2}),
        role("accountant", "office", {"excel": 4}),
    )
}
KNOWLEDGE = Knowledge(Taxonomy(SKILLS, "test"), ROLES, RoleNames(ROLES), "test")
MODEL = RankingModel(
    revision=1,
    occurred_at=THEN,
    as_of=date(2026, 11, 23),
    candidates=0,
    weights_version=version_of(Weights()),
    weights=Weights().as_mapping(),
)


@cache
def shipped_catalogue() -> tuple[dict[str, Role], dict[str, Skill]]:
    """The sheets and the taxonomy as they ship."""
    stamp = {"revision": 1, "occurred_at": THEN}
    roles = [
        Role.model_validate(yaml.safe_load(path.read_text()) | stamp)
        for path in sorted((DATA / "roles").glob("*.yaml"))
    ]
    skills = [
        Skill.model_validate({**sheet, "skill_id": sheet["id"]} | stamp)
        for path in sorted((DATA / "skills").glob("*.yaml"))
        for sheet in yaml.safe_load(path.read_text())
    ]
    return {one.role_id: one for one in roles}, {one.skill_id: one for one in skills}


def manifest(roles: Mapping[str, Role] = ROLES, skills: Mapping[str, Skill] = SKILLS) -> Manifest:
    revisions = (
        {key: one.revision for key, one in roles.items()},
        {key: one.revision for key, one in skills.items()},
    )
    return Manifest(
        revision=1,
        occurred_at=THEN,
        roles=len(roles),
        skills=len(skills),
        hash=fingerprint(*revisions),
    )


def held(name: str, level: int | None = 3, **more: Any) -> HeldSkill:
    return HeldSkill(skill=name, level=level, **more)


def candidate(candidate_id: str, *skills: HeldSkill | str, revision: int = 1, **more: Any) -> Candidate:
    """Skills given by name alone are held at level 3; `roles` as {role: months}."""
    roles = more.pop("roles", {})
    return Candidate.model_validate(
        {
            "candidate_id": candidate_id,
            "revision": revision,
            "occurred_at": THEN,
            "skills": tuple(held(one) if isinstance(one, str) else one for one in skills),
            "roles": [{"role": name, "months": months} for name, months in roles.items()],
            **more,
        }
    )


def asked(name: str, level: int = 3, *, must: bool = False) -> AskedSkill:
    return AskedSkill(skill=name, level=level, must=must)


def criteria(*skills: AskedSkill, role_id: str | None = "back-end-developer", **more: Any) -> Criteria:
    return Criteria.model_validate(
        {"role_id": role_id, "title": more.pop("title", "Wanted"), "skills": skills, **more}
    )


def need(need_id: str, *skills: AskedSkill, revision: int = 1, **more: Any) -> Need:
    return Need.model_validate(
        {
            "need_id": need_id,
            "reference": "N-TEST01",
            "company": "Acme",
            "contact": Contact(name="Ada", email="ada@example.com"),
            "title": "Wanted",
            "role_id": "back-end-developer",
            "skills": skills,
            "revision": revision,
            "occurred_at": THEN,
            **more,
        }
    )


def plan(wanted: Criteria, model: RankingModel = MODEL, named: Sequence[str] = ()) -> Plan:
    """`named`: skills that the need's description names."""
    _, text = understood(wanted, None, KNOWLEDGE)
    return plan_of(wanted, KNOWLEDGE, model, text._replace(named=tuple(named)))


def index_of(*candidates: Candidate) -> Index:
    index = Index()
    index.apply((one.candidate_id, one) for one in candidates)
    return index


def ranking(wanted: Criteria, *candidates: Candidate, limit: int = 10, **more: Any) -> Ranking:
    return index_of(*candidates).rank(plan(wanted), limit=limit, near_limit=5, **more)


def listed(wanted: Criteria, *candidates: Candidate) -> list[str]:
    return [profile.candidate_id for profile, _ in ranking(wanted, *candidates).listed]


def explained(
    wanted: Criteria, one: Candidate, model: RankingModel = MODEL, named: Sequence[str] = ()
) -> Entry:
    """One candidate's entry, listed or not."""
    compiled = plan(wanted, model, named)
    index = index_of(one)
    index.judge_recency_in(model.as_of.year)
    profile = index.profiles[one.candidate_id]
    return entry(compiled, profile, assess(compiled, profile))


def score(wanted: Criteria, one: Candidate, model: RankingModel = MODEL, named: Sequence[str] = ()) -> float:
    return explained(wanted, one, model, named).score

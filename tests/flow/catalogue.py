"""A small catalogue cut from the shipped one: the roles that the tests ask for, and the skills they name."""

from pathlib import Path

from services.catalog import sheets
from services.catalog.domain import Catalogue
from services.catalog.settings import SHIPPED
from shared.events.role import Role

ROLES = {"back-end-developer", "python-developer", "full-stack-developer"}
NAMED_BY_TESTS = {"python", "django", "kubernetes", "postgresql", "sql"}


def write_small_catalogue(folder: Path) -> Path:
    """Write it to `folder`, which CATALOG_DATA then names. Services start on it in a fraction of the time."""
    whole = sheets.parse(SHIPPED)
    roles = {role_id: _among_themselves(whole.roles[role_id]) for role_id in sorted(ROLES)}
    wanted = NAMED_BY_TESTS | {held.skill for role in roles.values() for held in role.skills}
    waiting = list(wanted)
    while waiting:
        skill = whole.skills[waiting.pop()]
        above = {*skill.implies, *([skill.broader] if skill.broader else [])} - wanted
        wanted |= above
        waiting += above
    skills = {
        skill_id: skill.model_copy(
            update={"related": tuple(other for other in skill.related if other.skill in wanted)}
        )
        for skill_id, skill in whole.skills.items()
        if skill_id in wanted
    }
    sheets.write(Catalogue(roles, skills), folder)
    return folder


def _among_themselves(role: Role) -> Role:
    """The sheet without what leads to roles that are left out."""
    return role.model_copy(
        update={
            "contacts": tuple(other for other in role.contacts if other in ROLES),
            "career": tuple(step for step in role.career if step.role in ROLES),
            "related": tuple(other for other in role.related if other.role in ROLES),
        }
    )

"""Which role a set of skills points to, by the roles' sheets. Pure: built from role events."""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import log

from shared.events.role import Role
from shared.taxonomy import Taxonomy

_SCALE = 1000


class RoleSheets:
    """The sheets of one version of the catalogue.

    A skill speaks for a role by its level on the role's sheet, and the more the fewer sheets it stands on;
    a skill that implies another speaks for both.
    """

    def __init__(self, taxonomy: Taxonomy, roles: Mapping[str, Role]) -> None:
        self._taxonomy = taxonomy
        on_sheets = Counter(skill.skill for role in roles.values() for skill in role.skills)
        self._speaks: dict[str, dict[str, int]] = {}
        for role_id in sorted(roles):
            for skill in roles[role_id].skills:
                rare = _SCALE * (log(len(roles) / on_sheets[skill.skill]) + 0.3)
                self._speaks.setdefault(skill.skill, {})[role_id] = round(skill.level * rare)

    def closest(self, skills: Iterable[str], least: int) -> str | None:
        """The role that the skills, each as often as it is given, speak for most.

        Of equal ones the first id; None where fewer than `least` different ones speak for it.
        """
        times: dict[str, int] = {}
        given: Counter[str] = Counter()
        for skill, count in Counter(skills).items():
            all_shown = self._taxonomy.shows(skill)
            for shown in all_shown:
                times[shown] = max(times.get(shown, 0), count)
            given.update({role_id for shown in all_shown for role_id in self._speaks.get(shown, ())})
        spoken: Counter[str] = Counter()
        for skill, count in times.items():
            often = round(_SCALE * (1 + log(count)))
            for role_id, weight in self._speaks.get(skill, {}).items():
                spoken[role_id] += weight * often
        best = min(spoken, key=lambda role_id: (-spoken[role_id], role_id), default=None)
        return best if best is not None and given[best] >= least else None

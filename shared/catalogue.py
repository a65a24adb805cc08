"""The catalogue as other services hold it: the tables of roles and skills, complete as the manifest says."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from shared.events.manifest import MANIFEST, Manifest, fingerprint
from shared.events.role import ROLES, Role
from shared.events.skill import SKILLS, Skill
from shared.metrics import Metrics
from shared.table import Table
from shared.taxonomy import RoleNames, Taxonomy


class Catalogue:
    """Roles and skills from Kafka. `on_change` is called after each change of what `complete` holds.

    `taxonomy` and `role_names` are made anew when the tables agree with a newer manifest; until then the
    former ones stay in use, so that nobody ranks with half of an update.
    """

    def __init__(
        self, service: str, metrics: Metrics, on_change: Callable[["Catalogue"], None] | None = None
    ) -> None:
        self.role_table: Table[Role] = Table(
            ROLES, service=service, metrics=metrics, on_change=self._table_changed
        )
        self.skill_table: Table[Skill] = Table(
            SKILLS, service=service, metrics=metrics, on_change=self._table_changed
        )
        self.manifest_table: Table[Manifest] = Table(
            MANIFEST, service=service, metrics=metrics, on_change=self._table_changed
        )
        self.roles: Mapping[str, Role] = {}
        self.taxonomy = Taxonomy({})
        self.role_names = RoleNames({})
        self.version = ""
        """The manifest's revision and the start of its hash; empty while no complete catalogue was seen."""
        self._on_change = on_change
        self._seen = asyncio.Event()

    @property
    def tables(self) -> list[Table[Any]]:
        return [self.role_table, self.skill_table, self.manifest_table]

    @property
    def seen(self) -> bool:
        """Whether a complete catalogue is in use."""
        return bool(self.version)

    def missing(self) -> str | None:
        """Why there is no complete catalogue yet, for /readyz."""
        if self.seen:
            return None
        if "catalogue" not in self.manifest_table.rows:
            return "no manifest of the catalogue was read yet"
        return "the tables of roles and skills do not agree with the catalogue's manifest yet"

    def use(self, roles: Mapping[str, Role], skills: Mapping[str, Skill], version: str) -> None:
        """Take a catalogue from elsewhere (a stored copy) into use."""
        self.roles = dict(roles)
        self.taxonomy = Taxonomy(skills, version)
        self.role_names = RoleNames(roles)
        self.version = version
        self._seen.set()
        if self._on_change is not None:
            self._on_change(self)

    async def until_seen(self) -> None:
        """Return once a complete catalogue is in use."""
        await self._seen.wait()

    def _table_changed(self, _key: str, _had: object, _has: object) -> None:
        self._refresh()

    def _refresh(self) -> None:
        """Take the tables into use if they agree with the manifest; counts are compared first, as cheaper."""
        manifest = self.manifest_table.rows.get("catalogue")
        if manifest is None:
            return
        version = f"{manifest.revision}-{manifest.hash[:12]}"
        if version == self.version:
            return
        roles, skills = self.role_table.rows, self.skill_table.rows
        if len(roles) != manifest.roles or len(skills) != manifest.skills:
            return
        revisions = (
            {key: role.revision for key, role in roles.items()},
            {key: skill.revision for key, skill in skills.items()},
        )
        if fingerprint(*revisions) != manifest.hash:
            return
        self.use(roles, skills, version)

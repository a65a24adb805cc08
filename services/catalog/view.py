"""The catalogue in memory, as reads are answered from.

A replica's own writes show at once, another's within `refresh_seconds` (a count of changes is looked at), or
within a minute where that replica died in the middle of one. While MongoDB is away, what was last seen stays.
"""

import asyncio
import hashlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from services.catalog.domain import Catalogue, names_of, titles_of
from services.catalog.search import Index
from services.catalog.store import ROLE, SKILL, Kind, Store
from shared.events.manifest import fingerprint
from shared.events.role import Role
from shared.events.skill import Skill
from shared.events.topic import E
from shared.events.vocabulary import Locale
from shared.outage import Unavailable, is_outage
from shared.taxonomy import Taxonomy

FULL_LOOK_SECONDS = 60.0


@dataclass(frozen=True)
class Shown:
    """The catalogue at one moment, and what is derived from it when first asked for."""

    catalogue: Catalogue

    @property
    def roles(self) -> Mapping[str, Role]:
        return self.catalogue.roles

    @property
    def skills(self) -> Mapping[str, Skill]:
        return self.catalogue.skills

    @cached_property
    def version(self) -> str:
        """Changes with anything that lists show."""
        return fingerprint(
            {key: role.revision for key, role in self.roles.items()},
            {key: skill.revision for key, skill in self.skills.items()},
        )[:16]

    @cached_property
    def by_slug(self) -> Mapping[tuple[Locale, str], Role]:
        return {
            (locale, getattr(role.slug, locale)): role for role in self.roles.values() for locale in Locale
        }

    @cached_property
    def taxonomy(self) -> Taxonomy:
        return Taxonomy(self.skills, self.version)

    @cached_property
    def _role_index(self) -> Index:
        return Index({key: _titles_first(role) for key, role in self.roles.items()})

    @cached_property
    def _skill_index(self) -> Index:
        return Index({key: [name for _, name in names_of(skill)] for key, skill in self.skills.items()})

    def find_roles(self, query: str) -> list[Role]:
        """By title or alias, best first; then by a skill that they ask for, the highest level first."""
        found = [key for key, _ in self._role_index.find(query)]
        skill = self.taxonomy.resolve(query)
        levels = {
            key: asked.level
            for key, role in self.roles.items()
            for asked in role.skills
            if asked.skill == skill
        }
        found += sorted(levels.keys() - set(found), key=lambda key: (-levels[key], key))
        return [self.roles[key] for key in found]

    def find_skills(self, query: str) -> list[Skill]:
        return [self.skills[key] for key, _ in self._skill_index.find(query)]


class View:
    def __init__(self, store: Store, refresh_seconds: float) -> None:
        self._store = store
        self._refresh_seconds = refresh_seconds
        self._shown: Shown | None = None
        self._changes = -1
        self._looked_at = 0.0
        self._full_look_at = 0.0
        self._lock = asyncio.Lock()

    @property
    def missing(self) -> str | None:
        """Why there is nothing to show, for /readyz."""
        return None if self._shown is not None else "the catalogue was not read from the store yet"

    async def shown(self) -> Shown:
        """What to answer a read from. Raises Unavailable while nothing was ever read."""
        if self._shown is None:
            raise Unavailable("the catalogue is being read")
        if time.monotonic() - self._looked_at > self._refresh_seconds and not self._store.away:
            try:
                await self.refresh()
            except Exception as error:
                if not is_outage(error):
                    raise
                self._looked_at = time.monotonic()
        return self._shown

    async def refresh(self) -> Shown:
        """Take over what changed in the store since the last look. Raises for an outage."""
        async with self._lock:
            now = time.monotonic()
            changes = await self._store.changes()
            if self._shown is None:
                self._shown = Shown(await self._store.catalogue())
                self._full_look_at = now
            elif changes != self._changes or now - self._full_look_at > FULL_LOOK_SECONDS:
                self._shown = await self._brought_up(self._shown)
                self._full_look_at = now
            self._changes, self._looked_at = changes, now
            return self._shown

    async def _brought_up(self, shown: Shown) -> Shown:
        parts: dict[str, Mapping[str, Any]] = {}
        for kind, had in ((ROLE, shown.roles), (SKILL, shown.skills)):
            parts[kind.name] = await self._changed(kind, had)
        if parts[ROLE.name] is shown.roles and parts[SKILL.name] is shown.skills:
            return shown
        return Shown(Catalogue(parts[ROLE.name], parts[SKILL.name]))

    async def _changed(self, kind: Kind[E], had: Mapping[str, E]) -> Mapping[str, E]:
        revisions = await self._store.revisions(kind)
        newer = [
            key for key, revision in revisions.items() if key not in had or had[key].revision != revision
        ]
        if not newer and len(revisions) == len(had):
            return had
        fresh = {kind.topic.key_of(event): event for event in await self._store.some(kind, newer)}
        return {key: event for key, event in {**had, **fresh}.items() if key in revisions}


def list_tag(shown: Shown, *query: object) -> str:
    """The weak entity tag of a list: of the catalogue and the question."""
    asked = hashlib.sha256(repr(query).encode()).hexdigest()[:8]
    return f'W/"{shown.version}-{asked}"'


def _titles_first(role: Role) -> Iterable[str]:
    names = [role.title.fr, role.title.en]
    return names + [name for _, name in titles_of(role) if name not in names]

"""The catalogue in use: followed on Kafka, with a copy in MongoDB for the time that Kafka is away."""

import asyncio

from pydantic import ValidationError

from services.intake.domain.lexicon import Lexicon
from services.intake.reading.cv import CvReader
from services.intake.store import CatalogueStore
from shared.catalogue import Catalogue
from shared.events.role import Role
from shared.events.skill import Skill
from shared.log import get_logger
from shared.metrics import Metrics
from shared.mongo import Mongo
from shared.outage import Unavailable


class Knowledge:
    """Holds the lexicon that requests are read with."""

    def __init__(self, mongo: Mongo, metrics: Metrics) -> None:
        self.lexicon = Lexicon()
        self.catalogue = Catalogue("intake", metrics, on_change=self._take)
        self._mongo = mongo
        self._copy = CatalogueStore(mongo)
        self.moved_on = asyncio.Event()
        """Set with each new version, for whoever reads stored texts again."""
        self._changed = asyncio.Event()
        self._saved = ""

    def require(self) -> Lexicon:
        """The lexicon. Raises Unavailable where MongoDB is away or no catalogue was ever seen."""
        self._mongo.require()
        if not self.catalogue.seen:
            raise Unavailable("no complete catalogue of roles and skills was seen yet")
        return self.lexicon

    def require_store(self) -> None:
        """Raise Unavailable while MongoDB is known to be away."""
        self._mongo.require()

    async def load_copy(self) -> None:
        """Take the stored copy into use; the topics bring what is newer."""
        found = await self._copy.load()
        if found is None or self.catalogue.seen:
            return
        try:
            roles = [Role.model_validate_json(text) for text in found["roles"]]
            skills = [Skill.model_validate_json(text) for text in found["skills"]]
        except ValidationError:
            # Written by another version of this service: the topics will bring a readable one.
            get_logger("intake").warning("catalogue_copy_unreadable", version=found["version"])
            return
        self._saved = found["version"]
        self.catalogue.use(
            {role.role_id: role for role in roles}, {skill.skill_id: skill for skill in skills}, self._saved
        )

    async def keep_copy(self) -> None:
        """Store each new version; runs until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            catalogue = self.catalogue
            if catalogue.version == self._saved:
                continue
            try:
                await self._copy.save(
                    catalogue.version,
                    [role.model_dump_json(exclude_none=True) for role in catalogue.roles.values()],
                    [
                        skill.model_dump_json(exclude_none=True)
                        for skill in catalogue.taxonomy.skills.values()
                    ],
                )
            except Exception:
                self._changed.set()
                raise
            self._saved = catalogue.version

    def _take(self, catalogue: Catalogue) -> None:
        self.lexicon = Lexicon(
            taxonomy=catalogue.taxonomy,
            roles=catalogue.roles,
            role_names=catalogue.role_names,
            cv=CvReader(catalogue.taxonomy, catalogue.roles),
        )
        self._changed.set()
        self.moved_on.set()

"""The catalogue as requests are read with it: one version, taken whole."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.intake.reading.cv import CvReader
from services.intake.reading.skills import SkillReader
from shared.events.role import Role
from shared.taxonomy import RoleNames, Taxonomy

_MANY_DIGITS = re.compile(r"(?:\d[ .\-/()]?){7,}")
_LINK = re.compile(r"https?:|www\.|@", re.IGNORECASE)
LONGEST_TERM = 80


@dataclass(frozen=True)
class Lexicon:
    taxonomy: Taxonomy = field(default_factory=lambda: Taxonomy({}))
    roles: Mapping[str, Role] = field(default_factory=dict)
    role_names: RoleNames = field(default_factory=lambda: RoleNames({}))
    cv: CvReader = field(default_factory=lambda: CvReader(Taxonomy({}), {}))

    @property
    def reader(self) -> SkillReader:
        """Finds skills in free text of any kind."""
        return self.cv.skills

    @property
    def version(self) -> str:
        return self.taxonomy.version

    @property
    def revision(self) -> int:
        """The manifest's revision, which grows from version to version; 0 without a catalogue."""
        return int(self.version.partition("-")[0] or 0)


def publishable(terms: Iterable[str], private: Iterable[str | None]) -> list[str]:
    """Unknown skill names that may leave intake: no address, phone number or link, nothing of `private`.

    `private` are the names and addresses that came with them: who types a person's name into a skill field
    must not see it on a topic. Terms come out in lower case, each once.
    """
    secret = {part for value in private if value for part in re.findall(r"[^\W_]{3,}", value.casefold())}
    kept: dict[str, None] = {}
    for raw in terms:
        term = " ".join(raw.casefold().split())
        if not term or len(term) > LONGEST_TERM or _LINK.search(term) or _MANY_DIGITS.search(term):
            continue
        if secret & set(re.findall(r"[^\W_]+", term)):
            continue
        kept[term] = None
    return list(kept)

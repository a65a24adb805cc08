"""catalog.manifest.v1: what complete tables of roles and skills must show."""

import hashlib
from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from shared.events.topic import Event, Topic


class Manifest(Event):
    """`hash` is `fingerprint` over the roles' and the skills' revisions."""

    manifest_id: Literal["catalogue"] = "catalogue"
    roles: int = Field(ge=0)
    skills: int = Field(ge=0)
    hash: str


def fingerprint(roles: Mapping[str, int], skills: Mapping[str, int]) -> str:
    """SHA-256 over `kind/id@revision` lines in order: equal exactly where both tables are equal."""
    lines = [f"role/{key}@{revision}" for key, revision in roles.items()]
    lines += [f"skill/{key}@{revision}" for key, revision in skills.items()]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


MANIFEST = Topic(
    "catalog.manifest.v1",
    Manifest,
    key="manifest_id",
    partitions=1,
    compacted=True,
    producers=("catalog",),
    consumers=("intake", "matching", "notifier"),
)

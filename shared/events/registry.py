"""Every topic there is. Topic creation, consumers, manifests and AsyncAPI are read from here."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.events.audit import AUDIT
from shared.events.candidate import CANDIDATES
from shared.events.delivery import DELIVERIES
from shared.events.erasure import ERASURES
from shared.events.feedback import FEEDBACK
from shared.events.letter import LETTERS
from shared.events.manifest import MANIFEST
from shared.events.model import MODEL
from shared.events.need import NEEDS
from shared.events.role import ROLES
from shared.events.shortlist import SHORTLISTS
from shared.events.skill import SKILLS
from shared.events.topic import Topic
from shared.events.unmapped import UNMAPPED

TOPICS: tuple[Topic[Any], ...] = (
    ROLES,
    SKILLS,
    MANIFEST,
    NEEDS,
    CANDIDATES,
    UNMAPPED,
    LETTERS,
    MODEL,
    SHORTLISTS,
    AUDIT,
    DELIVERIES,
    FEEDBACK,
    ERASURES,
)

SERVICES = ("catalog", "intake", "matching", "notifier")


@dataclass(frozen=True)
class DeadLetterTopic:
    """Where one service puts the records it could not handle, bytes as they came."""

    service: str
    partitions: int = 1
    retention: timedelta = timedelta(days=14)

    @property
    def name(self) -> str:
        return f"{self.service}.dead.v1"

    def settings(self) -> dict[str, str]:
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(int(self.retention.total_seconds() * 1000)),
        }


DEAD_LETTERS = {service: DeadLetterTopic(service) for service in SERVICES}


def topics_of(service: str) -> list[Topic[Any]]:
    """The topics that a service writes or reads."""
    return [topic for topic in TOPICS if service in topic.producers or service in topic.consumers]

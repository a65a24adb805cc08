"""A person's name and contacts are shown for a need's sake alone, and who saw them is recorded."""

from dataclasses import dataclass
from typing import Any

from services.intake.needs import Needs
from services.intake.store import Document, now
from services.intake.store_people import RevealStore
from services.intake.views import rfc3339
from shared.events.need import NeedState
from shared.web.session import Session


class NoOpenNeed(Exception):  # noqa: N818 - what is missing
    """A reveal names an open need as its purpose; this is none."""


@dataclass
class Reveals:
    store: RevealStore
    needs: Needs

    async def reveal(self, candidate_id: str, purpose: str, session: Session) -> Document:
        """Record that this consultant sees the candidate for a need, named by id or reference; the need.

        Raises NoOpenNeed.
        """
        need = await self.need_of(purpose)
        if need is None or need["need"]["status"] != NeedState.OPEN:
            raise NoOpenNeed
        await self.store.add(candidate_id, need, session.consultant_id, now())
        return need

    async def need_of(self, purpose: str) -> Document | None:
        """The need with this id or reference."""
        named = purpose.strip()
        if not named or len(named) > 100:
            return None
        found = await self.needs.store.find(named)
        if found is not None:
            return found
        pages = await self.needs.store.page({"reference": named.upper()}, None, 1)
        return pages[0] if pages else None

    async def of(self, candidate_id: str, session: Session) -> list[Document]:
        """This consultant's reveals of a candidate, newest first."""
        return await self.store.of(candidate_id, session.consultant_id)


def reveal_view(document: Document) -> dict[str, Any]:
    """A reveal as JSON."""
    return {
        "candidate_id": document["candidate_id"],
        "need_id": document["need_id"],
        "reference": document["reference"],
        "consultant_id": document["consultant_id"],
        "at": rfc3339(document["at"]),
    }

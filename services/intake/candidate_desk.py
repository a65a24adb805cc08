"""A candidate's record as the desk's pages find and show it."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends
from fastapi.responses import HTMLResponse, RedirectResponse

from services.intake.duplicates import Duplicates
from services.intake.people_portal import Message, PeoplePortal
from services.intake.record import record_of
from services.intake.reveals import Reveals, reveal_view
from services.intake.store import Document
from shared.events.need import NeedState
from shared.events.vocabulary import Locale
from shared.taxonomy import loose
from shared.web.session import Session, signed_in

PAGE = 50
Consultant = Annotated[Session, Depends(signed_in)]


class Desk:
    def __init__(self, portal: PeoplePortal, reveals: Reveals, duplicates: Duplicates) -> None:
        self.portal, self.reveals, self.duplicates = portal, reveals, duplicates

    async def find(self, candidate_id: str) -> Document:
        """The candidate, or the one that it was merged into. Raises Message."""
        self.portal.candidates.knowledge.require_store()
        store = self.portal.candidates.store
        document = await store.find(candidate_id)
        if document is None:
            stub = await store.find_stub(candidate_id)
            document = await store.find(stub["merged_into"]) if stub and stub.get("merged_into") else None
        if document is None:
            raise Message("candidate_gone", 404)
        return document

    async def search(self, text: str, show: str, after: str) -> list[Document]:
        lexicon = self.portal.lexicon
        typed = text.strip()
        return await self.portal.candidates.store.people(
            loose(typed),
            lexicon.taxonomy.resolve(typed) if typed else None,
            lexicon.role_names.resolve(typed) if typed else None,
            listed=False if show == "no_basis" else None,
            after=after or None,
            limit=PAGE,
        )

    async def is_revealed(self, document: Document, consultant: Session, need: str) -> bool:
        found = await self.reveals.of(document["_id"], consultant)
        return any(need and need in (one["need_id"], one["reference"]) for one in found)

    async def show(
        self,
        document: Document,
        locale: Locale,
        consultant: Session,
        need: str,
        *,
        status: int = 200,
        notice: str = "",
        wrong: dict[str, str] | None = None,
        typed: dict[str, str] | None = None,
    ) -> HTMLResponse:
        """The record; names and contacts only where this consultant revealed them for this need."""
        mine = await self.reveals.of(document["_id"], consultant)
        revealed = any(need and need in (one["need_id"], one["reference"]) for one in mine)
        purpose = await self.reveals.need_of(need) if need else None
        log = document.get("corrections", ())
        colleagues = await self.reveals.needs.store.colleague_names(one["by"] for one in log)
        if purpose is not None and purpose["need"]["status"] != NeedState.OPEN and not revealed:
            purpose = None
        return self.portal.show(
            "candidate_record.html", locale, status=status,
            record=record_of(document, self.portal.lexicon, locale, revealed=revealed),
            revealed=revealed, reveals=[reveal_view(one) for one in mine],
            colleagues=colleagues, need=need, purpose=purpose["reference"] if purpose else "",
            add_to=purpose["_id"] if purpose and purpose["need"]["status"] == NeedState.OPEN else "",
            pairs=await self.duplicates.of(document["_id"]),
            notice=notice, wrong=wrong or {}, typed=typed or {},
            **self.portal.names(locale),
        )  # fmt: skip


def to_record(candidate_id: str, need: str, locale: Locale, anchor: str) -> RedirectResponse:
    query = {"lang": locale.value} | ({"need": need} if need else {})
    return RedirectResponse(f"/candidates/{candidate_id}?{urlencode(query)}{anchor}", 303)

"""The unmapped terms over HTTP, for keys of the scope `roles:write`. Before `/api/skills/{skill_id}`."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response

from services.catalog.api import WRITE, Limit
from services.catalog.curation import Curation, Decision
from services.catalog.terms import State
from shared.outbox import Document
from shared.web.access import Caller, requires
from shared.web.problems import field_problem, parse_json

Writer = Annotated[Caller, Depends(requires(WRITE))]
Cursor = Annotated[str, Query(max_length=120)]


def router(curation: Curation) -> APIRouter:
    api = APIRouter(prefix="/api/skills/unmapped")

    @api.get("")
    async def unmapped(
        _: Writer, state: State = State.OPEN, limit: Limit = 50, after: Cursor = ""
    ) -> Response:
        """Terms, the most frequent first, each with the skills whose names come nearest."""
        await curation.close_known()
        found = await curation.terms.page(state, limit + 1, _cursor(after) if after else None)
        page = found[:limit]
        items = [_item(each) | {"suggestions": await _suggested(curation, each)} for each in page]
        last = f"{page[-1]['seen']}:{page[-1]['_id']}" if len(found) > limit else None
        return JSONResponse({"items": items, "next": last})

    @api.post("/{term:path}")
    async def decide(term: str, request: Request, caller: Writer) -> Response:
        """Make the term an alias or a skill, or ignore it; the term as it is then."""
        decision = parse_json(await request.body(), Decision)
        return JSONResponse(_item(await curation.decide(term, decision, f"key:{caller.owner}")))

    return api


def _cursor(after: str) -> tuple[int, str]:
    seen, colon, term = after.partition(":")
    if not colon or not (seen.isascii() and seen.isdigit() and len(seen) <= 15):
        raise field_problem(("after", "is not the end of a page of this list"))
    return int(seen), term


def _item(document: Document) -> dict[str, Any]:
    decided = document.get("decided_at")
    return {
        "term": document["_id"],
        "seen": document["seen"],
        "first_seen_at": document["first_seen_at"].isoformat(),
        "last_seen_at": document["last_seen_at"].isoformat(),
        "state": document["state"],
        "skill": document.get("skill"),
        "decided_by": document.get("decided_by"),
        "decided_at": decided.isoformat() if decided else None,
    }


async def _suggested(curation: Curation, document: Document) -> list[dict[str, str]]:
    found = await curation.suggestions(document["_id"])
    return [{"skill_id": skill.skill_id, "fr": skill.label.fr, "en": skill.label.en} for skill in found]

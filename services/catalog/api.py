"""The JSON interface to roles and skills: open to read, changed with a key of the scope `roles:write`."""

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import JSONResponse, Response

from services.catalog.domain import etag
from services.catalog.editing import Conditions, Editor
from services.catalog.search import LONGEST_QUERY
from services.catalog.store import ROLE, SKILL, Kind, Store
from services.catalog.view import View, list_tag
from shared.events.topic import E
from shared.events.vocabulary import SkillKind
from shared.web.access import Caller, requires
from shared.web.problems import field_problem, not_found

WRITE = "roles:write"
NO_CACHE = {"Cache-Control": "no-cache"}
"""May be kept, but is asked about every time: an ETag that still holds is answered with 304."""

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
Limit = Annotated[int, Query(ge=1, le=500)]
Search = Annotated[str, Query(max_length=LONGEST_QUERY)]
Cursor = Annotated[str, Query(max_length=80)]
Filter = Annotated[str, Query(max_length=80)]
Tag = Annotated[str | None, Header()]
Writer = Annotated[Caller, Depends(requires(WRITE))]


def router(view: View, store: Store, editor: Editor, limited: Callable[[Request], None]) -> APIRouter:
    api = APIRouter(prefix="/api")
    reads = APIRouter(dependencies=[Depends(limited)])
    _add_reads(reads, view)
    for kind, plural in ((ROLE, "roles"), (SKILL, "skills")):
        _add_writes(api, kind, plural, store, editor)
    api.include_router(reads)
    return api


def _add_reads(reads: APIRouter, view: View) -> None:
    @reads.get("/roles")
    async def roles(
        q: Search = "", family: Filter = "", limit: Limit = 50, after: Cursor = "", if_none_match: Tag = None
    ) -> Response:
        """Roles in the order of their ids, or the best matches first where `q` searches."""
        shown = await view.shown()
        found = shown.find_roles(q) if q else [shown.roles[key] for key in sorted(shown.roles)]
        kept = [role for role in found if not family or role.family == family]
        tag = list_tag(shown, "roles", q, family, limit, after)
        return _page(ROLE, _after(ROLE, kept, after, ranked=bool(q)), limit, tag, if_none_match)

    @reads.get("/skills")
    async def skills(
        q: Search = "",
        category: Filter = "",
        kind: SkillKind | None = None,
        limit: Limit = 50,
        after: Cursor = "",
        if_none_match: Tag = None,
    ) -> Response:
        """Skills in the order of their ids, or the best matches first where `q` searches."""
        shown = await view.shown()
        found = shown.find_skills(q) if q else [shown.skills[key] for key in sorted(shown.skills)]
        kept = [
            skill
            for skill in found
            if (not category or skill.category == category) and (kind is None or skill.kind is kind)
        ]
        tag = list_tag(shown, "skills", q, category, kind, limit, after)
        return _page(SKILL, _after(SKILL, kept, after, ranked=bool(q)), limit, tag, if_none_match)

    @reads.get("/roles/{role_id}")
    async def role(role_id: str, if_none_match: Tag = None) -> Response:
        return _one(ROLE, (await view.shown()).roles.get(role_id), if_none_match)

    @reads.get("/skills/{skill_id}")
    async def skill(skill_id: str, if_none_match: Tag = None) -> Response:
        return _one(SKILL, (await view.shown()).skills.get(skill_id), if_none_match)


def _add_writes(api: APIRouter, kind: Kind[Any], plural: str, store: Store, editor: Editor) -> None:
    address = f"/{plural}/{{key}}"

    @api.put(address, name=f"put_{kind.name}")
    async def put(
        key: str, request: Request, caller: Writer, if_match: Tag = None, if_none_match: Tag = None
    ) -> Response:
        """Create (201), or change what If-Match names (200)."""
        if len(key) > 80 or not _SLUG.fullmatch(key):
            raise field_problem((f"/{kind.topic.key}", "is lower-case letters, digits and single hyphens"))
        conditions = Conditions(if_match, if_none_match)
        event, new = await editor.put(kind, key, await request.body(), conditions, _by(caller))
        headers = {"ETag": etag(event.revision)} | ({"Location": f"/api/{plural}/{key}"} if new else {})
        return JSONResponse(event.model_dump(mode="json"), 201 if new else 200, headers=headers)

    @api.delete(address, name=f"delete_{kind.name}", status_code=204)
    async def delete(key: str, caller: Writer, if_match: Tag = None) -> Response:
        """Erase; refused (409) while others refer to it."""
        await editor.delete(kind, key, Conditions(if_match, None), _by(caller))
        return Response(status_code=204)

    @api.get(f"{address}/history", name=f"history_of_{kind.name}")
    async def history(key: str, caller: Writer) -> Response:
        """Who changed it when, which fields, and what it said before; newest first."""
        lines = await store.history(kind, key)
        items = [
            {
                "revision": line["revision"],
                "at": line["at"].isoformat(),
                "by": line["by"],
                "action": line["action"],
                "fields": line["fields"],
                "before": line["before"],
            }
            for line in lines
        ]
        return JSONResponse({"items": items, "next": None})


def _by(caller: Caller) -> str:
    return f"key:{caller.owner}"


def _after(kind: Kind[E], found: Sequence[E], after: str, *, ranked: bool) -> Sequence[E]:
    """What follows the id that the page before ended with; in the order of ids it may be gone meanwhile."""
    if not after:
        return found
    ids = [kind.topic.key_of(event) for event in found]
    if not ranked:
        return found[bisect_right(ids, after) :]
    if after not in ids:
        raise field_problem(("after", "is not the end of a page of this list"))
    return found[ids.index(after) + 1 :]


def _page(kind: Kind[E], found: Sequence[E], limit: int, tag: str, if_none_match: str | None) -> Response:
    headers = {"ETag": tag, **NO_CACHE}
    if _holds(if_none_match, tag):
        return Response(status_code=304, headers=headers)
    page = found[:limit]
    end = json.dumps(kind.topic.key_of(page[-1]) if len(found) > limit else None)
    # As text: to make objects of hundreds of events first takes several times as long.
    items = ",".join(event.model_dump_json() for event in page)
    return _json(f'{{"items":[{items}],"next":{end}}}', headers)


def _one(kind: Kind[E], event: E | None, if_none_match: str | None) -> Response:
    if event is None:
        raise not_found(kind.name)
    headers = {"ETag": etag(event.revision), **NO_CACHE}
    if _holds(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return _json(event.model_dump_json(), headers)


def _json(text: str, headers: dict[str, str]) -> Response:
    return Response(text, headers=headers, media_type="application/json")


def _holds(if_none_match: str | None, tag: str) -> bool:
    """RFC 9110's weak comparison."""
    if if_none_match is None:
        return False
    tags = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
    return "*" in tags or tag.removeprefix("W/") in tags

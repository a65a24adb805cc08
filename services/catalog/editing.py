"""Changing a role or a skill: preconditions, validation beside the others, one write, publication."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue

from services.catalog.domain import (
    Catalogue,
    Problem,
    content,
    etag,
    mirrored,
    referring_to_role,
    referring_to_skill,
    role_problems,
    skill_problems,
    unknown_fields,
)
from services.catalog.publishing import Publishing
from services.catalog.store import ROLE, SKILL, Kind, Store
from services.catalog.view import Shown, View
from shared.events.topic import E
from shared.outage import Unavailable
from shared.outbox import Document
from shared.web import problems as web
from shared.web.problems import field_problem, not_found, parse_json

MEND_SECONDS = 60.0
MENDER = "mender"
"""Named as the writer where nobody knows for whom a relation is mended."""


class _AnyObject(BaseModel):
    model_config = ConfigDict(extra="allow")


@dataclass(frozen=True)
class Conditions:
    """The preconditions of RFC 9110 as a request states them."""

    if_match: str | None
    if_none_match: str | None

    def check(self, kind: Kind[Any], document: Document | None) -> None:
        """Raise 428 where an existing entity would be changed unseen, 412 where another was seen."""
        tag = etag(document["revision"]) if document is not None else None
        if tag is None:
            if self.if_match is not None:
                raise _failed(kind, f"There is no such {kind.name} to match", None)
        elif self.if_none_match is not None and _names(self.if_none_match, tag):
            raise _failed(kind, f"The {kind.name} exists already", document)
        elif self.if_match is None:
            raise web.Problem(
                428,
                f"If-Match is needed: the ETag of the {kind.name} as you read it",
                kind="/problems/precondition-required",
                headers={"ETag": tag},
            )
        elif not _names(self.if_match, tag):
            raise _failed(kind, f"The {kind.name} has changed since you read it", document)


@dataclass(frozen=True)
class Editor:
    """One replica's way to change things; its edits run one after the other."""

    store: Store
    view: View
    publishing: Publishing
    lock: asyncio.Lock

    async def put(
        self, kind: Kind[E], key: str, body: bytes, conditions: Conditions, by: str
    ) -> tuple[E, bool]:
        """Create or change; (the entity as it is now, whether it is new). What says the same changes nothing.

        Raises problems: 400, 412, 422, 428.
        """
        wanted = _read(kind, key, body)
        async with self.lock:
            document = await self.store.find(kind, key)
            live = document if document is not None and not document.get("erased") else None
            conditions.check(kind, live)
            catalogue = (await self._seen()).catalogue
            if found := _CHECKS[kind.name](wanted, catalogue):
                raise field_problem(*found)
            if live is not None and content(kind.event(live)) == content(wanted):
                return kind.event(live), False
            written = await self.store.save(kind, wanted, document, by)
            if written is None:
                raise _failed(
                    kind, f"The {kind.name} changed at this moment", await self.store.find(kind, key)
                )
            await self._follow_up(kind, key, by)
        return written, live is None

    async def delete(self, kind: Kind[Any], key: str, conditions: Conditions, by: str) -> None:
        """Erase. Raises problems: 404, 409 naming who refers to it, 412, 428."""
        async with self.lock:
            document = await self.store.find(kind, key)
            if document is None or document.get("erased"):
                raise not_found(kind.name)
            conditions.check(kind, document)
            catalogue = (await self._seen()).catalogue
            if referring := _REFERRING[kind.name](key, catalogue):
                raise web.Problem(
                    409,
                    f"The {kind.name} is still referred to",
                    kind="/problems/still-referred-to",
                    extra={"referred_to_by": referring},
                )
            if not await self.store.erase(kind, key, document, by):
                raise _failed(
                    kind, f"The {kind.name} changed at this moment", await self.store.find(kind, key)
                )
            await self._follow_up(kind, key, by)

    async def _seen(self) -> Shown:
        """The view as of now, for validation."""
        if self.view.missing:
            raise Unavailable("the catalogue is being read")
        return await self.view.refresh()

    async def run_mender(self) -> None:
        """Mend relations that a replica left with one end when it died; runs until cancelled."""
        while True:
            await asyncio.sleep(MEND_SECONDS)
            async with self.lock:
                if not self.view.missing and (mended := await self._mend(MENDER)):
                    self.publishing.soon(SKILL, mended)

    async def _follow_up(self, kind: Kind[Any], key: str, by: str) -> None:
        """Show the change, mend the other ends of a skill's relations, publish all of it."""
        await self.view.refresh()
        mended = await self._mend(by) if kind is SKILL else []
        self.publishing.soon(kind, [key, *mended])

    async def _mend(self, by: str) -> list[str]:
        """Give every relation both ends; the skills that were changed for it."""
        shown = await self.view.refresh()
        mended = []
        for key, skill in mirrored(shown.catalogue).items():
            document = await self.store.find(SKILL, key)
            # Where another was quicker, its own follow-up mends what is still amiss.
            newest = document is not None and document["revision"] == skill.revision
            if newest and await self.store.save(SKILL, skill, document, by) is not None:
                mended.append(key)
        if mended:
            await self.view.refresh()
        return mended


def _read(kind: Kind[E], key: str, body: bytes) -> E:
    """The entity that a PUT's body states. `revision` and `occurred_at` may stand in it, as it was read."""
    sent: dict[str, JsonValue] = dict(parse_json(body, _AnyObject).model_extra or {})
    sent.pop("revision", None)
    sent.pop("occurred_at", None)
    if sent.setdefault(kind.topic.key, key) != key:
        raise field_problem((f"/{kind.topic.key}", "is not the one in the address"))
    stamped = sent | {"revision": 0, "occurred_at": datetime.now(UTC).isoformat()}
    wanted = parse_json(json.dumps(stamped).encode(), kind.topic.event)
    understood = wanted.model_dump(mode="json", exclude_unset=True)
    if unknown := unknown_fields(sent, understood):
        raise field_problem(*unknown)
    return wanted


def _names(condition: str, tag: str) -> bool:
    """Whether If-Match's or If-None-Match's list has the tag; `*` has any. A weak tag never matches here."""
    return condition.strip() == "*" or tag in [part.strip() for part in condition.split(",")]


def _failed(kind: Kind[Any], title: str, document: Document | None) -> web.Problem:
    current = kind.event(document) if document is not None and not document.get("erased") else None
    return web.Problem(
        412,
        title,
        kind="/problems/precondition-failed",
        headers={"ETag": etag(current.revision)} if current is not None else None,
        extra={"current": current.model_dump(mode="json")} if current is not None else None,
    )


_CHECKS: dict[str, Callable[[Any, Catalogue], list[Problem]]] = {
    ROLE.name: role_problems,
    SKILL.name: skill_problems,
}
_REFERRING: dict[str, Callable[[str, Catalogue], list[str]]] = {
    ROLE.name: referring_to_role,
    SKILL.name: referring_to_skill,
}

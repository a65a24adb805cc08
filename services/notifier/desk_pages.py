"""/desk: the open needs, a need with its candidates, two or three of them side by side. Reading only."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Depends, Query, Request, Response

from services.notifier.actions import ABOUT_CANDIDATE
from services.notifier.consultant_words import CONSULTANT_WORDS
from services.notifier.consultants import Consultant
from services.notifier.desk import Show, belongs, by_urgency, counts, found
from services.notifier.desk_history import blocked_view, failed_mails, history_view
from services.notifier.desk_routes import colleague_of, desk_router
from services.notifier.desk_view import (
    Reader,
    card_view,
    changes_view,
    criteria,
    need_view,
    people_view,
)
from services.notifier.desk_words import DESK_WORDS
from services.notifier.domain import NeedFile
from services.notifier.store import Store
from services.notifier.wording import Wording
from shared.catalogue import Catalogue
from shared.events.feedback import Decision, DeclineReason
from shared.web.pages import Pages
from shared.web.problems import not_found

PAGE = 50
"""Needs on one page of the list."""
COMPARED = (2, 3)
GROUPS = ("listed", "other", "near", "declined")


@dataclass(frozen=True)
class Typed:
    """What was typed into a form that could not be accepted, and the words that say why."""

    problem: str
    about: str = ""
    """The candidate's id; empty for the need itself, `add` for the form that adds a candidate."""
    note: str = ""
    reason: str = ""
    candidate: str = ""


@dataclass
class Desk:
    pages: Pages
    store: Store
    catalogue: Catalogue
    nothing: Typed = field(default_factory=lambda: Typed(""))

    async def reader(self, me: Consultant) -> Reader:
        everybody = await self.store.consultants()
        wording = Wording(me.locale, self.catalogue.taxonomy, self.catalogue.roles)
        names = {one.consultant_id: one.name for one in everybody}
        return Reader(me, wording, datetime.now(UTC), names)

    async def overview(
        self, request: Request, me: Consultant, show: Show | None, query: str, page: int
    ) -> Response:
        reader = await self.reader(me)
        cards = await self.store.desk.cards()
        numbers = counts(cards, me.consultant_id)
        chosen = show or (Show.MINE if numbers[Show.MINE] else Show.ALL)
        wanted = [card for card in found(cards, query) if belongs(card, chosen, me.consultant_id)]
        shown = by_urgency(wanted)[(page - 1) * PAGE : page * PAGE]
        failures = await self.store.desk.failures([card.need_id for card in shown])
        return self.page(
            request,
            "desk.html",
            me,
            cards=[card_view(card, reader, failures) for card in shown],
            show=chosen.value,
            shows=[(one.value, numbers[one]) for one in Show],
            query=query,
            next_page=page + 1 if page * PAGE < len(wanted) else 0,
            section="needs",
        )

    async def need(
        self,
        request: Request,
        me: Consultant,
        need_id: str,
        *,
        full: bool = False,
        typed: Typed | None = None,
    ) -> Response:
        """The page of a need; 422 where it shows what was `typed`."""
        file = await self.store.file(need_id)
        if file.need is None:
            raise not_found("need")
        reader = await self.reader(me)
        people = await self._people(file, reader)
        rows = await self.store.ledger.rows_about(need_id)
        feedback = await self.store.desk.feedback_about(need_id)
        address = await self.store.addresses.about(file.need.contact.email)
        codes = {one["id"]: one["code"] for one in people}
        decides = may_decide(file, me)
        return self.page(
            request,
            "desk_need.html",
            me,
            status=422 if typed and typed.problem else 200,
            need=need_view(file.need, reader),
            state=self._state(file, reader),
            people={group: _of_group(people, group, full=full) for group in GROUPS},
            full=full,
            changes=changes_view(file, codes),
            history=history_view(file, feedback, rows, codes, reader, address),
            failures=failed_mails(rows, reader),
            blocked=blocked_view(address, reader),
            decides=decides,
            decisions=[one.value for one in ABOUT_CANDIDATE if one is not Decision.DECLINED],
            reasons=[one.value for one in DeclineReason],
            colleagues=await self.store.available() if me.admin and file.open else [],
            typed=typed or self.nothing,
            did=did(request),
            shortlist=file.shortlist.revision if file.shortlist else "",
            section="needs",
        )

    async def compare(
        self, request: Request, me: Consultant, need_id: str, wanted: Sequence[str]
    ) -> Response:
        """Two or three candidates in columns."""
        file = await self.store.file(need_id)
        if file.need is None:
            raise not_found("need")
        reader = await self.reader(me)
        everybody = {one["id"]: one for one in await self._people(file, reader)}
        people = [everybody[one] for one in dict.fromkeys(wanted) if one in everybody][: COMPARED[1]]
        for person in people:
            person["by_criterion"] = {part["criterion"]: part for part in person["parts"]}
        return self.page(
            request,
            "desk_compare.html",
            me,
            need=need_view(file.need, reader),
            people=people if len(people) >= COMPARED[0] else [],
            criteria=criteria(people),
            section="needs",
        )

    async def _people(self, file: NeedFile, reader: Reader) -> list[dict[str, Any]]:
        elsewhere = await self.store.desk.elsewhere(file.need_id, file.candidates)
        return people_view(file, reader, elsewhere)

    def _state(self, file: NeedFile, reader: Reader) -> dict[str, Any]:
        owner, me = file.owner, reader.me.consultant_id
        mine = owner is not None and owner.consultant_id == me
        taken = owner is not None and owner.taken_at is not None
        since = (owner.taken_at or owner.since) if owner else file.history[-1].at if file.history else None
        return {
            "open": file.open,
            "situation": "taken" if taken else "waiting" if owner else "unowned",
            "since": reader.since(since or file.came_at or reader.now),
            "owner": reader.name(owner.consultant_id) if owner else "",
            "mine": mine,
            "answer_by": reader.moment(file.answer_by) if file.answer_by and not taken else None,
            "may_take": file.open and not taken,
            "may_pass_on": file.open and mine,
            "ranked": file.shortlist is not None,
        }

    def page(
        self, request: Request, template: str, me: Consultant, *, status: int = 200, **values: Any
    ) -> Response:
        """A page, or 304 where the one that the script has is the same still."""
        page = self.pages.render(template, me.locale, status=status, me=me, **values)
        tag = f'"{hashlib.sha256(page.body).hexdigest()[:20]}"'
        page.headers["ETag"] = tag
        if status == 200 and request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"ETag": tag})
        return page


def may_decide(file: NeedFile, me: Consultant) -> bool:
    """Once a need is taken over, its owner decides, or an administrator."""
    taken = file.owner is not None and file.owner.taken_at is not None
    mine = file.owner is not None and file.owner.consultant_id == me.consultant_id
    return file.open and (mine or me.admin or not taken)


def did(request: Request) -> str:
    """The key of the words for what was just done; anybody can write anything into an address."""
    key = f"did_{request.query_params.get('did', '')}"
    return key if key in DESK_WORDS or key in CONSULTANT_WORDS else ""


def _of_group(people: Sequence[Mapping[str, Any]], group: str, *, full: bool) -> list[Mapping[str, Any]]:
    return [one for one in people if one["group"] == group and (one["covers"] or not full)]


def desk_routes(desk: Desk) -> APIRouter:
    router = desk_router(desk.pages)
    colleague = colleague_of(desk.store)

    @router.get("/desk")
    async def overview(
        request: Request,
        show: str = "",
        q: str = Query("", max_length=200),
        page: int = Query(1, ge=1, le=1000),
        me: Consultant = Depends(colleague),
    ) -> Response:
        chosen = Show(show) if show in set(Show) else None
        return await desk.overview(request, me, chosen, q.strip(), page)

    @router.get("/desk/needs/{need_id}")
    async def need(
        request: Request, need_id: str, full: bool = False, me: Consultant = Depends(colleague)
    ) -> Response:
        return await desk.need(request, me, need_id, full=full)

    @router.get("/desk/needs/{need_id}/compare")
    async def compare(
        request: Request,
        need_id: str,
        c: list[str] = Query(default=[], max_length=20),
        me: Consultant = Depends(colleague),
    ) -> Response:
        return await desk.compare(request, me, need_id, c)

    return router

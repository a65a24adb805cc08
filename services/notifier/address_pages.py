"""/desk/addresses: which addresses are not written to since their mails came back; administrators lift it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from services.notifier.consultants import Consultant
from services.notifier.desk_pages import Desk, did
from services.notifier.desk_routes import colleague_of, desk_router
from services.notifier.desk_view import Reader
from services.notifier.domain import AGENCY, CLIENT
from services.notifier.hours import Clock, utc_now
from services.notifier.letterhead import LETTER, one_line
from services.notifier.sign_in import local_path
from services.notifier.staff import Staff, fields_of
from services.notifier.store_addresses import Blocked, hashed

ADDRESSES = "/desk/addresses"
WHOSE = {CLIENT: "client", AGENCY: "agency"}


@dataclass
class AddressPages:
    desk: Desk
    staff: Staff
    now: Clock = utc_now

    async def met(self, request: Request, me: Consultant, *, typed: str = "", problem: str = "") -> Response:
        """Those that are blocked, and what happened to the others lately."""
        store, now = self.desk.store, self.now()
        reader = await self.desk.reader(me)
        found = await store.addresses.met()
        needs = {one.subject for one in found if one.recipient == CLIENT}
        references = {need_id: await self._reference(need_id) for need_id in sorted(needs)}
        views = [address_view(one, reader, references, now) for one in found]
        return self.desk.page(
            request,
            "desk_addresses.html",
            me,
            status=422 if problem else 200,
            blocked=[one for one in views if one["blocked"]],
            lifted=[one for one in views if not one["blocked"]],
            did=did(request),
            typed=typed,
            problem=problem,
            section="consultants",
        )

    async def lift(self, request: Request, me: Consultant, addressed: str, email: str, back: str) -> Response:
        """`addressed` is a hash, as the page has it; or somebody typed the address itself."""
        typed = email.strip()[:254]
        which = hashed(typed) if typed else addressed
        done = await self.desk.store.addresses.lift(which, me.consultant_id, self.now())
        for one in await self.desk.store.consultants():
            if one.unreachable and hashed(one.email) == which:
                # Their mails wait for more than the address: they were given no needs either.
                await self.staff.change(one, fields_of(one), active=one.active)
                done = True
        if not done and (typed or not addressed):
            return await self.met(request, me, typed=typed, problem="address_not_blocked")
        # Pressed twice, or by two: it is lifted all the same.
        to = local_path(back) if back else ADDRESSES
        return RedirectResponse(f"{to}?did=lifted", 303)

    async def _reference(self, need_id: str) -> str:
        need = (await self.desk.store.file(need_id)).need
        return one_line(need.reference) if need else ""


def address_view(one: Blocked, reader: Reader, references: dict[str, str], now: datetime) -> dict[str, Any]:
    """Whose address it is, as far as the mail that came back tells; of the address itself nobody knows."""
    reference = references.get(one.subject, "")
    whose = "letter" if one.kind == LETTER else WHOSE.get(one.recipient, "consultant")
    if whose == "client" and not reference:
        whose = "client_gone"
    return {
        "addressed": one.addressed,
        "blocked": one.until > now,
        "until": reader.moment(one.until),
        "whose": f"address_{whose}",
        "name": reference if one.recipient == CLIENT else reader.name(one.recipient),
        "need_id": one.subject if reference else "",
        "events": events_view(one, reader),
    }


def events_view(one: Blocked, reader: Reader) -> Sequence[dict[str, Any]]:
    """What happened to it, newest first."""
    return [
        {"what": f"address_{event.what.value}", "who": reader.name(event.by), "at": reader.moment(event.at)}
        for event in reversed(one.events)
    ]


def address_routes(pages: AddressPages) -> APIRouter:
    router = desk_router(pages.desk.pages)
    admin = colleague_of(pages.desk.store, admin=True)

    @router.get(ADDRESSES)
    async def met(request: Request, me: Consultant = Depends(admin)) -> Response:
        return await pages.met(request, me)

    @router.post(ADDRESSES)
    async def lift(
        request: Request,
        addressed: Annotated[str, Form()] = "",
        email: Annotated[str, Form()] = "",
        back: Annotated[str, Form()] = "",
        me: Consultant = Depends(admin),
    ) -> Response:
        return await pages.lift(request, me, addressed, email, back)

    return router

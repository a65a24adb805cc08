"""What all pages of the desk share: who is signed in, and errors as pages for a person."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from services.notifier.consultants import Consultant
from services.notifier.store import Store
from shared.log import get_logger
from shared.outage import is_outage, reason
from shared.web.pages import Pages, locale_of
from shared.web.problems import RETRY_AFTER_SECONDS, Problem
from shared.web.session import SignInNeeded, session_of, signed_in

Dependency = Callable[[Request], Awaitable[Consultant]]
_TOLD = {403: "desk_forbidden", 404: "desk_not_found", 429: "desk_too_many", 503: "desk_outage"}


def colleague_of(store: Store, *, admin: bool = False) -> Dependency:
    """A FastAPI dependency: the consultant who is signed in, as the store knows them now.

    Whoever was deactivated meanwhile is signed out. Raises SignInNeeded, a 403 problem where `admin` is asked
    for, and what `signed_in` raises.
    """

    async def colleague(request: Request) -> Consultant:
        session = signed_in(request)
        found = await store.consultant(session.consultant_id)
        if found is None or not found.active:
            raise SignInNeeded("/desk")
        if admin and not found.admin:
            raise Problem(403, "This page is for administrators", kind="/problems/not-yours")
        return found

    return colleague


def desk_router(pages: Pages) -> APIRouter:
    """A router whose problems and outages are pages, in the language of who is signed in."""

    class DeskRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Any]:
            handle = super().get_route_handler()

            async def guarded(request: Request) -> Response:
                try:
                    return await handle(request)
                except Problem as problem:
                    return _page(pages, request, problem.status, problem.headers)
                except RequestValidationError:
                    return _page(pages, request, 422, {})
                except Exception as error:
                    if not is_outage(error):
                        raise
                    route = getattr(request.scope.get("route"), "path", "unmatched")
                    get_logger("notifier").warning("page_waits", route=route, why=reason(error))
                    return _page(pages, request, 503, {"Retry-After": str(RETRY_AFTER_SECONDS)})

            return guarded

    return APIRouter(include_in_schema=False, route_class=DeskRoute)


def _page(pages: Pages, request: Request, status: int, headers: dict[str, str]) -> Response:
    session = session_of(request)
    locale = session.locale if session else locale_of(request)
    told = _TOLD.get(status, "desk_bad_request")
    page = pages.render("desk_problem.html", locale, status=status, told=told, me=None)
    page.headers.update(headers)
    return page

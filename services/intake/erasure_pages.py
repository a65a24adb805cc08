"""A candidate's own pages, by links from letters: what is held, staying, being erased, and how far that is.

The token in the link says which candidate it is and what its holder may do. Opening a page changes nothing;
what changes something is a form, sent from our own page.
"""

from pathlib import Path
from typing import Annotated

import yaml
from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from services.intake.needs import Changed
from services.intake.rights import ERASE, KEEP, SEE, Rights
from services.intake.rights_api import exported
from services.intake.store import Document
from services.intake.views import erasure_view
from shared.events.vocabulary import Locale
from shared.outage import is_outage
from shared.web.pages import Pages, locale_of, page_router
from shared.web.problems import RETRY_AFTER_SECONDS, Problem, not_found
from shared.web.session import same_origin

_HERE = Path(__file__).parent
Token = Annotated[str, Query(max_length=2000)]
FormToken = Annotated[str, Form(alias="t", max_length=2000)]


def erasure_page_routes(rights: Rights) -> APIRouter:
    texts = yaml.safe_load((_HERE / "words_rights.yaml").read_text("utf-8"))
    pages = Pages("intake", _HERE / "templates", texts, rights.settings)
    router = APIRouter(include_in_schema=False)
    forms = page_router(lambda locale, error: _refused(pages, locale, error))

    @router.get("/candidates/{candidate_id}/erasure")
    async def erasure(request: Request, candidate_id: str, t: Token = "") -> Response:
        """How far an erasure is, for whoever holds its link: a page for browsers, JSON for everyone else."""
        as_page = "text/html" in request.headers.get("accept", "")
        try:
            stub = await rights.stub_of(t, candidate_id)
        except Exception as error:
            if not as_page or not is_outage(error):
                raise
            return _message(pages, locale_of(request), "away", 503)
        if stub is None:
            if as_page:
                return _message(pages, locale_of(request), "unknown", 404)
            raise not_found("erasure")
        view, headers = erasure_view(stub), {"Vary": "Accept"}
        if not as_page:
            return JSONResponse(view, headers=headers)
        page = pages.render("erasure.html", locale_of(request), erasure=view, erased_at=stub["occurred_at"])
        page.headers.update(headers)
        return page

    @forms.get("/candidates/{candidate_id}/rights")
    async def rights_page(request: Request, candidate_id: str, t: Token = "") -> Response:
        """What is held, and what the link's holder may do about it."""
        locale = locale_of(request)
        document = await _of_link(rights, candidate_id, t, SEE)
        if document is None:
            return _message(pages, locale, "unknown", 404)
        return pages.render(
            "rights.html",
            locale,
            candidate=document,
            given=document["given"] or {},
            token=t,
            may=rights.scopes_of(t, candidate_id),
            kept=request.query_params.get("kept") is not None,
        )

    @forms.post("/candidates/{candidate_id}/rights/data")
    async def data(request: Request, candidate_id: str, t: FormToken = "") -> Response:
        """All that is held, to take away."""
        document = await _asked(rights, request, candidate_id, t, SEE)
        if document is None:
            return _message(pages, locale_of(request), "unknown", 404)
        return await exported(rights, document, "person")

    @forms.post("/candidates/{candidate_id}/rights/keep")
    async def keep(request: Request, candidate_id: str, t: FormToken = "") -> Response:
        """The person stays: the time without contact begins anew."""
        document = await _asked(rights, request, candidate_id, t, KEEP)
        if document is None:
            return _message(pages, locale_of(request), "unknown", 404)
        await rights.candidates.contacted(candidate_id)
        query = f"t={t}&kept=1&lang={locale_of(request).value}"
        return RedirectResponse(f"/candidates/{candidate_id}/rights?{query}", 303)

    @forms.post("/candidates/{candidate_id}/rights/erase")
    async def erase(request: Request, candidate_id: str, t: FormToken = "") -> Response:
        """Erased at once; the page shows how far the other services are."""
        while True:
            document = await _asked(rights, request, candidate_id, t, ERASE)
            if document is None:
                return _message(pages, locale_of(request), "unknown", 404)
            try:
                await rights.candidates.erase(document)
            except Changed:
                continue
            path = f"{rights.erasure_path(candidate_id)}&lang={locale_of(request).value}"
            return RedirectResponse(path, 303)

    router.include_router(forms)
    return router


async def _of_link(rights: Rights, candidate_id: str, token: str, scope: str) -> Document | None:
    """The candidate, where the link is good for this. Raises Unavailable."""
    if scope not in rights.scopes_of(token, candidate_id):
        return None
    rights.candidates.knowledge.require_store()
    return await rights.candidates.store.find(candidate_id)


async def _asked(
    rights: Rights, request: Request, candidate_id: str, token: str, scope: str
) -> Document | None:
    """As `_of_link`, for a form. Raises a 403 problem for one that no page of ours sent."""
    if not same_origin(request):
        raise Problem(403, "This form was not sent from a page of this site", kind="/problems/cross-site")
    return await _of_link(rights, candidate_id, token, scope)


def _refused(pages: Pages, locale: Locale, error: Exception) -> HTMLResponse | None:
    if is_outage(error):
        return _message(pages, locale, "away", 503)
    if isinstance(error, Problem) and error.status == 403:
        return _message(pages, locale, "cross_site", 403)
    return None


def _message(pages: Pages, locale: Locale, key: str, status: int) -> HTMLResponse:
    page = pages.render("rights_message.html", locale, status=status, key=key)
    if status == 503:
        page.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return page

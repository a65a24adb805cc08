"""Puts the catalog service together."""

import asyncio

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from services.catalog import api, curation_api, curation_pages, handlers, pages
from services.catalog.curation import Curation
from services.catalog.curation_pages import CurationPages
from services.catalog.editing import Editor
from services.catalog.loader import attribute_restored, seed_if_empty
from services.catalog.pages import RolePages
from services.catalog.publishing import Publishing
from services.catalog.settings import CatalogSettings
from services.catalog.store import Store
from services.catalog.terms import TermStore
from services.catalog.view import View
from shared.events.vocabulary import Locale
from shared.outage import Unavailable
from shared.run import Surroundings
from shared.service import Service
from shared.settings import load
from shared.web.access import ClientAddress, RateLimit, rate_limited
from shared.web.pages import asset_routes, locale_of
from shared.web.problems import Problem

NAME = "catalog"


def build(given: Surroundings, settings: CatalogSettings | None = None) -> FastAPI:
    settings = settings or load(CatalogSettings)
    kafka = given.kafka(NAME)
    mongo = given.mongo(NAME)
    store = Store(mongo, settings.history_kept)
    view = View(store, settings.refresh_seconds)
    publishing = Publishing(store, kafka)
    editor = Editor(store, view, publishing, asyncio.Lock())
    curation = Curation(TermStore(mongo), view, editor)
    handlers.subscribe(kafka, curation)
    folder = settings.data

    async def prepare_store() -> None:
        await store.create_indexes()
        await publishing.create_indexes()
        await curation.terms.create_indexes()
        await seed_if_empty(store, folder)
        await view.refresh()

    async def agree_with_kafka() -> None:
        await publishing.reconcile()
        await attribute_restored(store, folder)
        await publishing.publish_waiting()
        await view.refresh()
        await curation.rebuild(given.kafka_bootstrap)

    service = Service(
        NAME,
        given.settings,
        given.metrics,
        given.tokens,
        kafka=kafka,
        mongo=mongo,
        when_stored=[prepare_store],
        before_consuming=[agree_with_kafka],
        loops={
            "publishing": publishing.run,
            "manifest outbox": publishing.manifest.run_sweeper,
            "reconciler": publishing.run_reconciler,
            "relations": editor.run_mender,
            "unmapped terms": curation.run,
        },
        checks={"catalogue": lambda: view.missing},
    )
    role_pages = RolePages(given.settings, settings)
    limit = RateLimit(per_second=settings.reads_per_second, burst=int(10 * settings.reads_per_second) or 1)
    limited = rate_limited(limit, ClientAddress(given.settings.trusted_proxies))
    app = service.fastapi_app(
        # The assets and the curators' addresses first: a role's or a skill's would take theirs.
        asset_routes(NAME, pages.HERE / "assets"),
        curation_api.router(curation),
        curation_pages.router(curation, store, CurationPages(given.settings), limited),
        api.router(view, store, editor, limited),
        pages.router(view, role_pages, limited),
    )
    _answer_missing_pages(app, view, role_pages)
    return app


def _answer_missing_pages(app: FastAPI, view: View, role_pages: RolePages) -> None:
    """An address that nothing answers: a page for browsers, a problem for everyone else."""

    async def missing(request: Request, error: Exception) -> Response:
        path = request.url.path
        if path.startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
            title = error.detail if isinstance(error, HTTPException) else "There is no such page"
            return Problem(404, title, kind="/problems/not-found").response()
        try:
            shown = await view.shown()
        except Unavailable:
            shown = None
        return role_pages.missing_page(shown, _language_of(request), path)

    app.add_exception_handler(404, missing)


def _language_of(request: Request) -> Locale:
    """French under /fr, English under /roles, else what the browser asks for."""
    for locale, prefix in ((Locale.FR, "/fr"), (Locale.EN, "/roles")):
        if request.url.path == prefix or request.url.path.startswith(prefix + "/"):
            return locale
    return locale_of(request)

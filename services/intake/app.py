"""Composes the intake service."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

from fastapi import FastAPI

from services.intake import candidate_documents, need_documents
from services.intake.api import need_routes
from services.intake.batch import BATCH_PATH, batch_routes
from services.intake.candidate_body import DRAINED_BYTES
from services.intake.candidates import Candidates
from services.intake.candidates_api import candidate_routes
from services.intake.desk_pages import desk_routes
from services.intake.erasure_pages import erasure_page_routes
from services.intake.files import Files
from services.intake.finding import finding_routes
from services.intake.handlers import bring_timelines_back, subscribe
from services.intake.knowledge import Knowledge
from services.intake.letters import Letters
from services.intake.needs import Needs
from services.intake.pages import form_routes
from services.intake.people import UPLOADS, people
from services.intake.portal import Limit, Portal
from services.intake.posted import NO_LIMIT
from services.intake.reading.workers import CvWorkers, ReadingLimits
from services.intake.rereading import Rereading
from services.intake.retention import Retention
from services.intake.rights import Rights, sweep_files
from services.intake.rights_api import rights_routes
from services.intake.settings import IntakeSettings
from services.intake.status_pages import status_routes
from services.intake.store import CandidateStore, NeedStore, now
from services.intake.store_rights import RightsStore
from services.intake.terms import Terms
from shared.events.candidate import CANDIDATES
from shared.events.need import NEEDS
from shared.outbox import Outbox
from shared.run import Surroundings
from shared.service import Service
from shared.settings import load
from shared.web.access import ClientAddress, RateLimit, rate_limited
from shared.web.middleware import MAX_BODY
from shared.web.pages import asset_routes

NAME = "intake"
HERE = Path(__file__).parent


def build(given: Surroundings, clock: Callable[[], datetime] = now) -> FastAPI:
    """The service; `clock` is what retention goes by."""
    settings = load(IntakeSettings)
    kafka = given.kafka(NAME)
    mongo = given.mongo(NAME)
    knowledge = Knowledge(mongo, given.metrics)
    terms = Terms(mongo, kafka)
    letters = Letters(mongo, kafka)
    workers = CvWorkers(
        ReadingLimits(settings.read_seconds, settings.read_megabytes * 1024 * 1024, settings.read_workers)
    )

    need_store = NeedStore(mongo)
    need_outbox = Outbox(
        need_store.collection, NEEDS, kafka, need_documents.event_of, need_documents.restored
    )
    needs = Needs(need_store, need_outbox, knowledge, terms, given.tokens, given.settings, given.metrics)

    candidate_store = CandidateStore(mongo)
    candidate_outbox = Outbox(
        candidate_store.collection,
        CANDIDATES,
        kafka,
        candidate_documents.event_of,
        candidate_documents.restored,
    )
    files = Files(mongo)
    candidates = Candidates(
        candidate_store, candidate_outbox, knowledge, terms, given.metrics, workers, files
    )
    rights = Rights(candidates, RightsStore(mongo), letters, given.tokens, given.settings, kafka)
    retention = Retention(rights, needs, settings, clock)
    subscribe(kafka, needs, candidates)

    service = Service(NAME, given.settings, given.metrics, given.tokens, kafka=kafka, mongo=mongo)
    service.tables += knowledge.catalogue.tables
    service.when_stopped.append(workers.close)
    service.checks["catalogue"] = knowledge.catalogue.missing
    service.when_stored += [need_store.create_indexes, candidate_store.create_indexes]
    service.when_stored += [outbox.create_indexes for outbox in (need_outbox, candidate_outbox, terms.outbox)]
    service.when_stored += [knowledge.load_copy, letters.create_indexes]
    service.when_stored += [files.create_indexes, rights.store.create_indexes]
    service.before_consuming += [need_outbox.reconcile, candidate_outbox.reconcile]
    service.before_consuming.append(lambda: bring_timelines_back(kafka, needs))
    service.loops |= {
        "needs sweeper": need_outbox.run_sweeper,
        "candidates sweeper": candidate_outbox.run_sweeper,
        "terms sweeper": terms.outbox.run_sweeper,
        "letters sweeper": letters.outbox.run_sweeper,
        "needs reconciler": need_outbox.run_reconciler,
        "candidates reconciler": candidate_outbox.run_reconciler,
        "catalogue copy": knowledge.keep_copy,
        "rereading": Rereading(needs, candidates).run,
        "rights": rights.run,
        "housekeeping": lambda: _keep_house(needs, letters, rights, retention, settings),
    }

    limit = _limited(given, settings.rate_per_second, settings.rate_burst)
    portal = Portal(needs, letters, given.settings, limit, settings.form_seconds)
    entering = _limited(given, 0.2, settings.rate_burst)
    persons = people(given, settings, mongo, needs, letters, rights, entering)
    service.when_stored += persons.when_stored
    service.loops["registrations"] = lambda: _every(settings.housekeeping_seconds, persons.keep_house)
    app = service.fastapi_app(
        asset_routes(NAME, HERE / "assets"),
        need_routes(needs, settings, limit),
        batch_routes(candidates, rights.soon),
        rights_routes(rights),
        *persons.routers,
        candidate_routes(candidates, rights),
        erasure_page_routes(rights),
        form_routes(portal, _limited(given, 2, 60)),
        finding_routes(portal, _limited(given, 0.05, 5)),
        desk_routes(portal),
        status_routes(portal),
    )
    app.state.larger_bodies |= dict.fromkeys(UPLOADS, NO_LIMIT)
    app.state.larger_bodies |= {BATCH_PATH: settings.batch_bytes, "/needs": NO_LIMIT}
    app.state.larger_bodies |= {"/api/candidates": DRAINED_BYTES, "/api/candidates/": MAX_BODY}
    return app


def _limited(given: Surroundings, per_second: float, burst: int) -> Limit:
    addresses = ClientAddress(given.settings.trusted_proxies)
    return rate_limited(RateLimit(per_second=per_second, burst=burst), addresses)


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await work()
        await asyncio.sleep(seconds)


async def _keep_house(
    needs: Needs, letters: Letters, rights: Rights, retention: Retention, settings: IntakeSettings
) -> None:
    while True:
        await rights.candidates.unlist_ended()
        await retention.run_once()
        await sweep_files(rights.candidates.files, rights.store)
        await letters.keep_house()
        await needs.store.forget_keys(now() - timedelta(days=settings.idempotency_days))
        await asyncio.sleep(settings.housekeeping_seconds)

"""Composes the intake service."""

import asyncio
from datetime import timedelta
from pathlib import Path

from fastapi import FastAPI

from services.intake import candidates as candidate_documents
from services.intake import needs as need_documents
from services.intake.api import need_routes
from services.intake.batch import BATCH_PATH, batch_routes
from services.intake.candidates import Candidates
from services.intake.candidates_api import candidate_routes, erasure_routes
from services.intake.handlers import bring_timelines_back, subscribe
from services.intake.knowledge import Knowledge
from services.intake.needs import Needs
from services.intake.pages import page_routes
from services.intake.posted import NO_LIMIT
from services.intake.rereading import Rereading
from services.intake.settings import IntakeSettings
from services.intake.store import CandidateStore, NeedStore, now
from services.intake.terms import Terms
from shared.events.candidate import CANDIDATES
from shared.events.need import NEEDS
from shared.outbox import Outbox
from shared.run import Surroundings
from shared.service import Service
from shared.settings import load
from shared.web.access import ClientAddress, RateLimit, rate_limited
from shared.web.pages import asset_routes

NAME = "intake"
HERE = Path(__file__).parent


def build(given: Surroundings) -> FastAPI:
    settings = load(IntakeSettings)
    kafka = given.kafka(NAME)
    mongo = given.mongo(NAME)
    knowledge = Knowledge(mongo, given.metrics)
    terms = Terms(mongo, kafka)

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
    candidates = Candidates(candidate_store, candidate_outbox, knowledge, terms, given.metrics)
    subscribe(kafka, needs, candidate_store)

    service = Service(NAME, given.settings, given.metrics, given.tokens, kafka=kafka, mongo=mongo)
    service.tables += knowledge.catalogue.tables
    service.checks["catalogue"] = knowledge.catalogue.missing
    service.when_stored += [need_store.create_indexes, candidate_store.create_indexes]
    service.when_stored += [outbox.create_indexes for outbox in (need_outbox, candidate_outbox, terms.outbox)]
    service.when_stored.append(knowledge.load_copy)
    service.before_consuming += [need_outbox.reconcile, candidate_outbox.reconcile]
    service.before_consuming.append(lambda: bring_timelines_back(kafka, needs))
    service.loops |= {
        "needs sweeper": need_outbox.run_sweeper,
        "candidates sweeper": candidate_outbox.run_sweeper,
        "terms sweeper": terms.outbox.run_sweeper,
        "needs reconciler": need_outbox.run_reconciler,
        "candidates reconciler": candidate_outbox.run_reconciler,
        "catalogue copy": knowledge.keep_copy,
        "rereading": Rereading(needs, candidates).run,
        "housekeeping": lambda: _keep_house(needs, candidates, settings),
    }

    limit = rate_limited(
        RateLimit(per_second=settings.rate_per_second, burst=settings.rate_burst),
        ClientAddress(given.settings.trusted_proxies),
    )
    app = service.fastapi_app(
        asset_routes(NAME, HERE / "assets"),
        need_routes(needs, settings, limit),
        batch_routes(candidates),
        candidate_routes(candidates, given.tokens, given.settings),
        erasure_routes(candidates, given.tokens),
        page_routes(needs, given.settings, limit),
    )
    app.state.larger_bodies |= {BATCH_PATH: settings.batch_bytes, "/needs": NO_LIMIT}
    return app


async def _keep_house(needs: Needs, candidates: Candidates, settings: IntakeSettings) -> None:
    while True:
        await candidates.unlist_ended()
        await needs.store.forget_keys(now() - timedelta(days=settings.idempotency_days))
        await asyncio.sleep(settings.housekeeping_seconds)

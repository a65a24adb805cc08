"""Composes the matching service."""

from fastapi import FastAPI

from services.matching.api import ranking_routes
from services.matching.handlers import partition_of, subscribe
from services.matching.history import History
from services.matching.modelling import Modeller
from services.matching.pool import SERVICE, Pool
from services.matching.ranker import Ranker
from services.matching.settings import MatchingSettings
from shared.run import Surroundings
from shared.service import Service
from shared.settings import load
from shared.web.access import ClientAddress, RateLimit, rate_limited


def build(given: Surroundings) -> FastAPI:
    settings = load(MatchingSettings)
    kafka = given.kafka(SERVICE)
    pool = Pool(given.metrics)
    ranker = Ranker(pool, kafka.publisher, settings, given.metrics, partition_of)
    modeller = Modeller(pool, ranker, kafka.publisher, settings)
    subscribe(kafka, ranker)

    service = Service(SERVICE, given.settings, given.metrics, given.tokens, kafka=kafka)
    service.tables += pool.tables
    service.checks |= {"catalogue": pool.catalogue.missing, "model": pool.missing_model}
    service.loops |= {"ranker": ranker.run, "model": modeller.run}

    limit = rate_limited(
        RateLimit(per_second=settings.preview_per_second, burst=settings.preview_burst),
        ClientAddress(given.settings.trusted_proxies),
    )
    return service.fastapi_app(ranking_routes(pool, settings, limit, History(given.kafka_bootstrap)))

"""Composes the notifier: what it reads, what it holds, what it sends, and its pages."""

import asyncio
from pathlib import Path

from fastapi import FastAPI

from services.notifier.answers import Answers
from services.notifier.api import routes
from services.notifier.casework import Casework
from services.notifier.handlers import subscribe
from services.notifier.inbox import Inbox, inbox_routes
from services.notifier.mailer import Mailer
from services.notifier.pages import ActPages, act_routes, make_pages
from services.notifier.rebuild import Rebuild
from services.notifier.relay import Relay
from services.notifier.sender import Sender
from services.notifier.settings import NotifierSettings
from services.notifier.store import Store
from shared.catalogue import Catalogue
from shared.run import Surroundings
from shared.service import Service
from shared.settings import load
from shared.web.pages import asset_routes

ASSETS = Path(__file__).parent / "assets"


def build(given: Surroundings) -> FastAPI:
    settings, own = given.settings, load(NotifierSettings)
    kafka = given.kafka("notifier")
    mongo = given.mongo("notifier")
    catalogue = Catalogue("notifier", given.metrics)
    store = Store(mongo, kafka)
    wake = asyncio.Event()
    relay = Relay(
        given.smtp_host, given.smtp_port, settings, given.metrics, own.smtp_seconds, on_back=wake.set
    )
    domain = settings.agency_email.rpartition("@")[2]
    casework = Casework(store, catalogue, wake, domain, own.settle)
    mailer = Mailer(store, catalogue, settings, own, given.tokens)
    sender = Sender(store, mailer, relay, given.metrics, own, wake)
    subscribe(kafka, casework, settings.public_url)
    service = Service(
        "notifier",
        settings,
        given.metrics,
        given.tokens,
        kafka=kafka,
        mongo=mongo,
        tables=catalogue.tables,
        when_stored=[store.create_indexes],
        before_consuming=[Rebuild(kafka.bootstrap, store, casework).run],
        loops={
            "sender": sender.run,
            "relay watch": relay.watch,
            "unfinished needs": casework.run_sweeper,
            "deliveries sweeper": store.deliveries.run_sweeper,
            "feedback sweeper": store.feedback.run_sweeper,
            "erasures sweeper": store.erasures.run_sweeper,
        },
        checks={"catalogue": catalogue.missing},
        # A relay that is away keeps nobody from answering, nor the ledger from growing: ready all the same.
        notices={"smtp": lambda: relay.away},
    )
    pages = make_pages(settings)
    act = ActPages(pages, store, given.tokens, Answers(casework, given.metrics), own)
    return service.fastapi_app(
        routes(store, casework),
        asset_routes("notifier", ASSETS),
        act_routes(act),
        inbox_routes(Inbox(pages, given.mailbox, relay)),
    )

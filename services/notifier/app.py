"""Composes the notifier: what it reads, what it holds, what it sends, and its pages."""

import asyncio
from pathlib import Path

from fastapi import FastAPI

from services.notifier.address_pages import AddressPages, address_routes
from services.notifier.answers import Answers
from services.notifier.api import routes
from services.notifier.bounces import Bounces, ReturnPath
from services.notifier.casework import Casework
from services.notifier.consultant_pages import ConsultantPages, consultant_routes
from services.notifier.desk_answers import DeskAnswers, answer_routes
from services.notifier.desk_pages import Desk, desk_routes
from services.notifier.desk_stream import DeskFeed, stream_routes
from services.notifier.digests import Digests
from services.notifier.handlers import subscribe
from services.notifier.hours import Clock, utc_now
from services.notifier.inbox import Inbox, inbox_routes
from services.notifier.mailer import Mailer
from services.notifier.pages import ActPages, act_routes, make_pages
from services.notifier.pause import PausePages, pause_routes
from services.notifier.rebuild import Rebuild
from services.notifier.relay import Relay
from services.notifier.retention import Retention
from services.notifier.sender import Sender
from services.notifier.settings import NotifierSettings
from services.notifier.sign_in import SignIn, sign_in_routes
from services.notifier.staff import Staff
from services.notifier.store import Store
from services.notifier.undeliverable import Undeliverable
from shared.catalogue import Catalogue
from shared.run import Surroundings
from shared.service import Service
from shared.settings import load
from shared.web.access import ClientAddress
from shared.web.pages import asset_routes

ASSETS = Path(__file__).parent / "assets"


def build(given: Surroundings, now: Clock = utc_now) -> FastAPI:
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
    hours = own.hours()
    casework = Casework(store, catalogue, wake, domain, own.settle, hours, own.answer, now)
    digests = Digests(store, hours, domain, now)
    undeliverable = Undeliverable(store, casework, now)
    path = ReturnPath(own.bounce_address or f"bounces@{domain}", given.tokens)
    reads_bounces = own.bounce_maildir is not None
    mailer = Mailer(
        store,
        catalogue,
        settings,
        own,
        given.tokens,
        digests,
        return_path=path if reads_bounces else None,
        now=now,
    )
    sender = Sender(store, mailer, digests, undeliverable, relay, given.metrics, own, wake, now)
    bounces = Bounces(own.bounce_maildir or Path(), path, store, undeliverable)
    feed = DeskFeed(store.desk)
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
            **({"bounces": bounces.run} if reads_bounces else {}),
            "unfinished needs": casework.run_sweeper,
            "desk feed": feed.run,
            "retention": Retention(store, own.ledger, now).run,
            "deliveries sweeper": store.ledger.deliveries.run_sweeper,
            "feedback sweeper": store.feedback.run_sweeper,
            "erasures sweeper": store.erasures.run_sweeper,
        },
        checks={"catalogue": catalogue.missing},
        # A relay that is away keeps nobody from answering, nor the ledger from growing: ready all the same.
        notices={"smtp": lambda: relay.away},
    )
    pages = make_pages(settings)
    answers = Answers(casework, given.metrics)
    act = ActPages(pages, store, given.tokens, answers, own)
    desk = Desk(pages, store, catalogue)
    staff = Staff(store, casework)
    addresses = ClientAddress(settings.trusted_proxies)
    sign_in = SignIn(pages, store, casework, given.tokens, settings, addresses)
    return service.fastapi_app(
        routes(store, staff),
        asset_routes("notifier", ASSETS),
        act_routes(act),
        pause_routes(PausePages(pages, store, casework, given.tokens)),
        sign_in_routes(sign_in),
        desk_routes(desk),
        stream_routes(desk, feed),
        answer_routes(DeskAnswers(desk, answers)),
        consultant_routes(ConsultantPages(desk, staff, given.tokens, settings)),
        address_routes(AddressPages(desk, staff, now)),
        inbox_routes(Inbox(pages, given.mailbox, relay)),
    )

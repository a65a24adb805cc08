"""`python -m services.notifier`: runs the service; `consultants add` makes a consultant."""

import argparse
import asyncio
import sys

from pydantic import ValidationError

from services.notifier.app import build
from services.notifier.consultants import Consultant, ConsultantFields
from services.notifier.store import EmailTaken, Store
from shared.kafka import Kafka
from shared.metrics import Metrics
from shared.mongo import Mongo, connect
from shared.outage import is_outage, reason
from shared.run import run_alone
from shared.settings import Misconfigured, Settings, fail, load
from shared.web.problems import as_field_errors


def main(arguments: list[str]) -> None:
    if arguments[:1] in ([], ["dead"]):
        run_alone("notifier", build, ("kafka", "mongodb", "smtp"))
        return
    given = _parser().parse_args(arguments)
    try:
        fields = ConsultantFields(
            name=given.name,
            email=given.email,
            phone=given.phone,
            locale=given.locale,
            practices=tuple(given.practice),
            regions=tuple(given.region),
            time_zone=given.time_zone,
            admin=given.admin,
        )
    except ValidationError as error:
        fail("; ".join(f"--{pointer.split('/')[1]}: {why}" for pointer, why in as_field_errors(error)))
        return
    try:
        made = asyncio.run(_add(load(Settings), fields))
    except Misconfigured as problem:
        fail(str(problem))
        return
    sys.stdout.write(f"{made.consultant_id} {made.name} <{made.email}>\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.notifier")
    add = (
        parser.add_subparsers(required=True, metavar="consultants")
        .add_parser("consultants", help="who gets the shortlists")
        .add_subparsers(required=True, metavar="add")
        .add_parser("add", help="add one")
    )
    add.add_argument("--name", required=True)
    add.add_argument("--email", required=True)
    add.add_argument("--phone")
    add.add_argument("--practice", action="append", default=[], help="a role's id or family; repeatable")
    add.add_argument("--region", action="append", default=[], help="FR or FR-ARA; repeatable")
    add.add_argument("--locale", choices=("fr", "en"), default="fr")
    add.add_argument("--time-zone", default="Europe/Paris")
    add.add_argument("--admin", action="store_true")
    return parser


async def _add(settings: Settings, fields: ConsultantFields) -> Consultant:
    """Raises Misconfigured."""
    if settings.mongodb_uri is None:
        raise Misconfigured("set MONGODB_URI: the embedded database keeps nothing once this command ends")
    client = connect(settings.mongodb_uri.get_secret_value())
    metrics = Metrics()
    mongo = Mongo(client, settings.mongodb_database, "notifier", metrics)
    store = Store(mongo, Kafka("", "notifier", metrics))
    try:
        await store.create_indexes()
        return await store.add_consultant(fields)
    except EmailTaken as error:
        raise Misconfigured("--email: another consultant has this e-mail address") from error
    except Exception as error:
        if is_outage(error):
            raise Misconfigured(f"MONGODB_URI: {reason(error)}") from error
        raise
    finally:
        client.close()


if __name__ == "__main__":
    main(sys.argv[1:])

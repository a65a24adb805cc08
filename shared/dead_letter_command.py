"""`python -m services.<name> dead`: look at a service's dead letters, and put them back when mended."""

import argparse
import asyncio
import sys

from shared.dead_letter import read_dead_letters, replay
from shared.metrics import Metrics
from shared.outage import is_outage, reason
from shared.publisher import Publisher
from shared.settings import Misconfigured, Settings


def parser(service: str) -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog=f"python -m services.{service} dead", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="a line each: place, where it came from, why it is here")
    back = commands.add_parser("replay", help="put letters back on their topics, bytes as they came")
    back.add_argument("place", nargs="*", help="places as `list` shows them")
    back.add_argument("--all", action="store_true", help="every letter")
    return top


def dead_letter_command(service: str, settings: Settings, words: list[str]) -> None:
    """Run the command. Raises Misconfigured where no Kafka is configured, or a place does not exist."""
    arguments = parser(service).parse_args(words)
    if not settings.kafka_bootstrap_servers:
        raise Misconfigured("KAFKA_BOOTSTRAP_SERVERS is not set: the embedded Kafka keeps no dead letters")
    if arguments.command == "replay" and not (arguments.place or arguments.all):
        raise Misconfigured("name the places to replay, or --all")
    try:
        if arguments.command == "list":
            asyncio.run(_list(service, settings.brokers()))
        else:
            places = None if arguments.all else arguments.place
            asyncio.run(_replay(service, settings.brokers(), places))
    except Exception as error:
        if not is_outage(error):
            raise
        raise Misconfigured(f"KAFKA_BOOTSTRAP_SERVERS: {reason(error)}") from error


async def _list(service: str, bootstrap: str) -> None:
    letters = await read_dead_letters(bootstrap, service)
    for letter in letters:
        sys.stdout.write(f"{letter.place}\t{letter.topic} {letter.origin}\t{letter.reason}\n")
    sys.stderr.write(f"{len(letters)} dead letters\n")


async def _replay(service: str, bootstrap: str, places: list[str] | None) -> None:
    letters = {letter.place: letter for letter in await read_dead_letters(bootstrap, service)}
    unknown = [place for place in places or () if place not in letters]
    if unknown:
        raise Misconfigured(f"no dead letter at {', '.join(unknown)}; see: dead list")
    publisher = Publisher(bootstrap, service, Metrics())
    await publisher.start()
    try:
        for place in places if places is not None else list(letters):
            await replay(publisher, letters[place])
            sys.stdout.write(f"{place}\tback on {letters[place].topic}\n")
    finally:
        await publisher.stop()

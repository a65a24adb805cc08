"""`python -m services.notifier consultants add | import | export`, on the configured MongoDB.

The running service notices by itself who pauses or leaves, and gives their open needs to others.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from services.notifier.consultants import Consultant, ConsultantFields
from services.notifier.consultants_csv import BadFile, BadLine, Line, as_csv, change_of, read_lines
from services.notifier.staff import fields_of
from services.notifier.store import EmailTaken, Store
from shared.kafka import Kafka
from shared.metrics import Metrics
from shared.mongo import Mongo, connect
from shared.outage import is_outage, reason
from shared.settings import Misconfigured, Settings, load
from shared.web.problems import as_field_errors

MAX_FILE = 10 * 1024 * 1024


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m services.notifier")
    commands = (
        top.add_subparsers(required=True, metavar="consultants")
        .add_parser("consultants", help="who gets the shortlists")
        .add_subparsers(dest="command", required=True)
    )
    add = commands.add_parser("add", help="add one")
    add.add_argument("--name", required=True)
    add.add_argument("--email", required=True)
    add.add_argument("--phone")
    add.add_argument("--practice", action="append", default=[], help="a role's id or family; repeatable")
    add.add_argument("--region", action="append", default=[], help="FR or FR-ARA; repeatable")
    add.add_argument("--locale", choices=("fr", "en"), default="fr")
    add.add_argument("--time-zone", default="Europe/Paris")
    add.add_argument("--admin", action="store_true", help="may manage consultants and all needs")
    bring = commands.add_parser("import", help="add and change many from CSV; known by e-mail")
    bring.add_argument("file", type=Path)
    bring.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    take = commands.add_parser("export", help="all as CSV, for a backup or a spreadsheet")
    take.add_argument("file", type=Path, nargs="?", help="default: standard output")
    return top


def run(arguments: Sequence[str]) -> int:
    """Returns the exit status: 1 where a line was refused. Raises Misconfigured with one line to show."""
    given = parser().parse_args(arguments)
    if given.command == "add":
        fields = _fields(given)
        return asyncio.run(_with_store(lambda store: add(store, fields)))
    if given.command == "import":
        try:
            lines = read_lines(_content(given.file))
        except BadFile as problem:
            raise Misconfigured(f"{given.file}: {problem}") from problem
        return asyncio.run(_with_store(lambda store: bring_in(store, lines, dry_run=given.dry_run)))
    return asyncio.run(_with_store(lambda store: export(store, given.file)))


def _fields(given: argparse.Namespace) -> ConsultantFields:
    try:
        return ConsultantFields(
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
        told = (f"{_option(pointer)}: {why}" for pointer, why in as_field_errors(error))
        raise Misconfigured("; ".join(told)) from error


def _option(pointer: str) -> str:
    name = pointer.split("/")[1]
    return "--" + {"practices": "practice", "regions": "region"}.get(name, name.replace("_", "-"))


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE:
            raise BadFile(f"is larger than {MAX_FILE // 1024 // 1024} MB")
        return path.read_bytes()
    except OSError as error:
        raise BadFile(error.strerror or "cannot be read") from error


async def _with_store(work: Callable[[Store], Awaitable[int]]) -> int:
    """Raises Misconfigured, also where MongoDB does not answer."""
    settings = load(Settings)
    if settings.mongodb_uri is None:
        raise Misconfigured("set MONGODB_URI: the embedded database keeps nothing once this command ends")
    client = connect(settings.mongodb_uri.get_secret_value())
    metrics = Metrics()
    store = Store(
        Mongo(client, settings.mongodb_database, "notifier", metrics), Kafka("", "notifier", metrics)
    )
    try:
        await store.create_indexes()
        return await work(store)
    except Exception as error:
        if is_outage(error):
            raise Misconfigured(f"MONGODB_URI: {reason(error)}") from error
        raise
    finally:
        client.close()


async def add(store: Store, fields: ConsultantFields) -> int:
    """Add one; the same command again changes nothing."""
    try:
        made = await store.add_consultant(fields)
    except EmailTaken as error:
        found = await store.consultant_by_email(fields.email)
        if found is None or not found.active or fields_of(found) != fields:
            raise Misconfigured(
                "--email: a consultant with this address is there, with other settings; change them on the "
                "desk, or with `consultants import`"
            ) from error
        made = found
    _say(f"{made.consultant_id} {made.name} <{made.email}>")
    return 0


async def bring_in(store: Store, lines: Sequence[Line], *, dry_run: bool) -> int:
    """Each line by itself: a bad one keeps no other from being taken."""
    counts = dict.fromkeys(("added", "changed", "unchanged", "refused"), 0)
    seen: dict[str, int] = {}
    for line in lines:
        email = line.email.casefold()
        try:
            if email in seen:
                raise BadLine(f"email: the same as on line {seen[email]}")
            seen[email] = line.number
            outcome = await _take(store, line, dry_run=dry_run)
        except BadLine as problem:
            outcome = "refused"
            _say(f"line {line.number}: refused: {problem}")
        else:
            _say(f"line {line.number}: {outcome} {line.email}")
        counts[outcome] += 1
    total = ", ".join(f"{number} {what}" for what, number in counts.items())
    _say(f"{total}{' (dry run: nothing was changed)' if dry_run else ''}")
    return 1 if counts["refused"] else 0


async def _take(store: Store, line: Line, *, dry_run: bool) -> str:
    before = await store.consultant_by_email(line.email) if line.email else None
    wanted = change_of(line, before)
    if before is None:
        if not dry_run:
            made = await _added(store, wanted.fields)
            if not wanted.active:
                await store.change_consultant(made, wanted.fields, active=False)
        return "added"
    if (fields_of(before), before.active) == (wanted.fields, wanted.active):
        return "unchanged"
    if not dry_run and await store.change_consultant(before, wanted.fields, active=wanted.active) is None:
        raise BadLine("somebody else changed this consultant at the same moment; import again")
    return "changed"


async def _added(store: Store, fields: ConsultantFields) -> Consultant:
    try:
        return await store.add_consultant(fields)
    except EmailTaken as error:
        raise BadLine("email: another consultant has this address") from error


async def export(store: Store, path: Path | None) -> int:
    text = as_csv(await store.consultants())
    if path is None:
        sys.stdout.write(text)
    else:
        await asyncio.to_thread(_write, path, text)
    return 0


def _write(path: Path, text: str) -> None:
    try:
        # Contacts of people: for the owner's eyes, like any backup.
        path.touch(mode=0o600)
        path.write_text(text, "utf-8", newline="")
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}") from error


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")

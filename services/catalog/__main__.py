"""`python -m services.catalog` runs the service; the commands work on its sheets and its store."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from services.catalog import importing, loader, sheets
from services.catalog.app import NAME, build
from services.catalog.settings import CatalogSettings
from services.catalog.store import Store
from shared.metrics import Metrics
from shared.mongo import Mongo, connect
from shared.outage import is_outage, reason
from shared.run import run_alone
from shared.settings import Misconfigured, Settings, fail, load

COMMANDS = {
    "load": "bring MongoDB up to the YAML files; what curators changed is left alone and listed",
    "check": "say what is wrong with the YAML files, a line each",
    "export": "write MongoDB's roles and skills to the YAML files",
}
IMPORT = "give skills the ids and names of an official list; `export` then writes them to the YAML files"


def main(arguments: list[str]) -> int:
    if arguments[:1] in ([], ["dead"]):
        run_alone(NAME, build, ("kafka", "mongodb"))
        return 0
    parser = argparse.ArgumentParser(prog="python -m services.catalog", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, help_text in COMMANDS.items():
        command = commands.add_parser(name, help=help_text)
        command.add_argument("--data", type=Path, help="the folder with roles/ and skills/ (CATALOG_DATA)")
    _add_import(commands.add_parser("import-skills", help=IMPORT))
    asked = parser.parse_args(arguments)
    try:
        if asked.command == "import-skills":
            entries = importing.read_entries(asked.format, asked.files)
            return asyncio.run(_with_store(lambda store: _import(store, entries, asked)))
        folder = asked.data or load(CatalogSettings).data
        if asked.command == "check":
            return check(folder)
        work = _load if asked.command == "load" else _export
        return asyncio.run(_with_store(lambda store: work(store, folder)))
    except importing.BadList as bad:
        fail(str(bad))
    except sheets.BadSheets as bad:
        sys.stderr.writelines(f"{problem}\n" for problem in bad.problems)
        return 1
    except Misconfigured as problem:
        fail(str(problem))
    except Exception as error:
        if not is_outage(error):
            raise
        fail(f"MongoDB does not answer: {reason(error)}")
    return 2


def check(folder: Path) -> int:
    """Raises BadSheets."""
    catalogue = sheets.read(folder)
    sys.stdout.write(f"{len(catalogue.roles)} roles and {len(catalogue.skills)} skills hold together\n")
    return 0


async def _with_store(work: Callable[[Store], Awaitable[int]]) -> int:
    settings, own = load(Settings), load(CatalogSettings)
    if settings.mongodb_uri is None:
        raise Misconfigured(
            "MONGODB_URI is not set: the embedded MongoDB of another process cannot be reached"
        )
    client = connect(settings.mongodb_uri.get_secret_value())
    store = Store(Mongo(client, settings.mongodb_database, NAME, Metrics()), own.history_kept)
    try:
        return await work(store)
    finally:
        client.close()


async def _load(store: Store, folder: Path) -> int:
    report = await loader.load(store, sheets.read(folder))
    sys.stdout.write(report_text(report))
    return 0 if not report.overtaken else 1


async def _export(store: Store, folder: Path) -> int:
    touched = await loader.export(store, folder)
    sys.stdout.writelines(f"{path}\n" for path in sorted(touched))
    sys.stdout.write(f"{len(touched)} files changed in {folder}\n")
    return 0


async def _import(store: Store, entries: Sequence[importing.Entry], asked: argparse.Namespace) -> int:
    merged = importing.merge(await store.catalogue(), entries, asked.format)
    overtaken = [] if asked.dry_run else await loader.store_merged(store, merged, f"import:{asked.format}")
    sys.stdout.write(import_text(merged, len(entries), overtaken, dry_run=asked.dry_run))
    return 1 if overtaken else 0


def _add_import(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=importing.FORMATS, required=True)
    command.add_argument("--dry-run", action="store_true", help="say what would be done, change nothing")
    command.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="the official CSV, such as skills_fr.csv"
    )


def import_text(
    merged: importing.Merge, read: int, overtaken: Sequence[str], *, dry_run: bool = False
) -> str:
    """The import's report for people; what found no place comes last but for the counts."""
    lines = [f"placed {line}" for line in merged.placed]
    lines += [f"placed by an alias, worth a look {line}" for line in merged.by_alias]
    lines += [f"alias not added {line}" for line in merged.not_added]
    lines += [f"not placed {line}" for line in merged.unplaced]
    lines += [f"changed by another at this moment, run again: {name}" for name in overtaken]
    placed = len(merged.placed) + len(merged.by_alias)
    lines.append(
        f"{read} read: {placed} placed ({len(merged.by_alias)} by an alias, {merged.aliases} aliases added), "
        f"{merged.unchanged} as they were, {len(merged.unplaced)} not placed"
    )
    return "\n".join([*lines, *(["nothing was changed: --dry-run"] if dry_run else [])]) + "\n"


def report_text(report: loader.Report) -> str:
    """The load's report for people; what it left alone comes last."""
    lines = [f"created {name}" for name in report.created]
    lines += [f"changed {name}" for name in report.changed]
    lines += [f"left alone {name}" for name in (*report.kept, *report.gone)]
    lines += [f"changed by another at this moment, run again: {name}" for name in report.overtaken]
    counts = f"{len(report.created)} created, {len(report.changed)} changed, {report.unchanged} as they were"
    return "\n".join([*lines, f"{counts}, {len(report.kept) + len(report.gone)} left alone"]) + "\n"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

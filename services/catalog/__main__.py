"""`python -m services.catalog` runs the service; `load`, `check` and `export` work on its sheets."""

import argparse
import asyncio
import sys
from pathlib import Path

from services.catalog import loader, sheets
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


def main(arguments: list[str]) -> int:
    if arguments[:1] in ([], ["dead"]):
        run_alone(NAME, build, ("kafka", "mongodb"))
        return 0
    parser = argparse.ArgumentParser(prog="python -m services.catalog", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, help_text in COMMANDS.items():
        command = commands.add_parser(name, help=help_text)
        command.add_argument("--data", type=Path, help="the folder with roles/ and skills/ (CATALOG_DATA)")
    asked = parser.parse_args(arguments)
    try:
        folder = asked.data or load(CatalogSettings).data
        if asked.command == "check":
            return check(folder)
        return asyncio.run(_with_store(asked.command, folder))
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


async def _with_store(command: str, folder: Path) -> int:
    settings, own = load(Settings), load(CatalogSettings)
    if settings.mongodb_uri is None:
        raise Misconfigured(
            "MONGODB_URI is not set: the embedded MongoDB of another process cannot be reached"
        )
    client = connect(settings.mongodb_uri.get_secret_value())
    store = Store(Mongo(client, settings.mongodb_database, NAME, Metrics()), own.history_kept)
    try:
        if command == "load":
            report = await loader.load(store, sheets.read(folder))
            sys.stdout.write(report_text(report))
            return 0 if not report.overtaken else 1
        touched = await loader.export(store, folder)
        sys.stdout.writelines(f"{path}\n" for path in sorted(touched))
        sys.stdout.write(f"{len(touched)} files changed in {folder}\n")
        return 0
    finally:
        client.close()


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

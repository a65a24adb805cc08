"""`python -m services.matching replay NEED REVISION` and `tune`: look at rankings of the past."""

import argparse
import asyncio
import sys
from pathlib import Path

from services.matching.audit import differences
from services.matching.history import History
from services.matching.settings import read_overrides
from services.matching.tuning import DEPTHS, Row, judged, precision, variants
from services.matching.weights import Weights
from shared.events.audit import AuditRecord
from shared.events.feedback import Feedback
from shared.outage import is_outage, reason
from shared.settings import Misconfigured, Settings, load

IDENTICAL, DIFFERENT, NOT_FOUND = 0, 1, 3


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m services.matching", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    replay = commands.add_parser(
        "replay",
        help="rank again from the audit record alone: say what differs (status 1) or that nothing does (0)",
    )
    replay.add_argument("need", help="the need's id")
    replay.add_argument("revision", type=int, help="the shortlist's revision")
    commands.add_parser("compile", help="compile the search, which is kept on disk: a start is then quick")
    tune = commands.add_parser(
        "tune", help="precision at k of several sets of weights on what consultants decided; changes nothing"
    )
    tune.add_argument("--weights", type=Path, help="a YAML file of sets to try: name -> weights that differ")
    return top


def run(words: list[str]) -> int:
    """Run a command; its exit status. Raises Misconfigured."""
    arguments = parser().parse_args(words)
    settings = load(Settings)
    if not settings.kafka_bootstrap_servers:
        raise Misconfigured("KAFKA_BOOTSTRAP_SERVERS is not set: the embedded Kafka keeps no rankings")
    history = History(settings.brokers())
    try:
        if arguments.command == "replay":
            return asyncio.run(replay(history, arguments.need, arguments.revision))
        sets = read_overrides(arguments.weights) if arguments.weights else {}
        return asyncio.run(tune(history, {name: Weights.of(weights) for name, weights in sets.items()}))
    except Exception as error:
        if not is_outage(error):
            raise
        raise Misconfigured(f"KAFKA_BOOTSTRAP_SERVERS: {reason(error)}") from error


async def replay(history: History, need_id: str, revision: int) -> int:
    """Print whether the ranking is the same from its record alone, and what people decided on it."""
    record = await history.ranking(need_id, revision)
    if record is None:
        sys.stderr.write(f"no ranking of {need_id} at revision {revision}; records are kept for 400 days\n")
        return NOT_FOUND
    _say(*_about(record))
    found = differences(record)
    _say("identical" if not found else f"{len(found)} differences:", *(f"  {line}" for line in found))
    decisions = [one for one in await history.decisions(need_id) if one.candidate_id is not None]
    _say(*(_decided(one, record) for one in decisions))
    return DIFFERENT if found else IDENTICAL


def _about(record: AuditRecord) -> list[str]:
    shortlist = record.shortlist
    return [
        f"{shortlist.reference} {shortlist.title}, revision {record.revision}, "
        f"{record.occurred_at:%Y-%m-%d %H:%M} UTC",
        f"engine {shortlist.engine}, weights {shortlist.weights}, catalogue {shortlist.taxonomy}, "
        f"model of {record.model.as_of}, inputs {shortlist.input_hash[:16]}",
        f"{shortlist.candidates} candidates, {shortlist.eligible} eligible, {len(shortlist.entries)} listed",
    ]


def _decided(one: Feedback, record: AuditRecord) -> str:
    places = [entry.candidate_id for entry in record.shortlist.entries]
    place = f"place {places.index(one.candidate_id) + 1}" if one.candidate_id in places else "not listed"
    why = f" ({one.reason})" if one.reason else ""
    back = ", taken back" if one.undone else ""
    return f"{one.occurred_at:%Y-%m-%d %H:%M} {one.decision}{why}{back}: {one.candidate_id}, {place}"


async def tune(history: History, extra: dict[str, Weights]) -> int:
    """Print a table: a set of weights a row."""
    records = [record async for record in history.rankings()]
    judgements = judged(records, await history.decisions())
    if not judgements:
        _say("no need has both a welcome and a declined candidate yet: nothing to compare")
        return IDENTICAL
    newest = max(records, key=lambda record: record.revision)
    now = Weights.of(newest.model.weights)
    rows = precision(judgements, variants(now) | extra)
    decided = sum(len(one.welcome) for one in judgements)
    _say(f"{len(judgements)} needs, {decided} decisions; share of welcome candidates among the first k")
    _say(f"{'':<28}" + "".join(f"{f'P@{depth}':>8}" for depth in DEPTHS))
    _say(*map(_line, rows[:1] + sorted(rows[1:], key=lambda row: row.precision, reverse=True)))
    return IDENTICAL


def _line(row: Row) -> str:
    return f"{row.name:<28}" + "".join(f"{value:>8.3f}" for value in row.precision)


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))

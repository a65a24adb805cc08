"""The time to rank generated candidates for a need and to explain the best 50, beside other ways to do it.

    python bench/matching.py [--candidates 1000000] [--table] [--peer opensearch|tantivy|numpy ...]

The peers rank the same candidates for the same needs to the same k, by less: a weight for each asked or
related skill at each level, for the role's titles, the region and the seniority, under the same hard
filters; no role fit, no dates, prices or languages, no exact counts of who else would be eligible, no
explanation. OpenSearch 2.19 is fetched by Maven into .cache/opensearch, started, loaded, asked and stopped.
Times are medians of wall clock in one thread (OpenSearch: its own `took`); beside ours, the thread's own
CPU time, which a busy machine disturbs less.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from aiokafka import ConsumerRecord

from bench.candidates import Packer, World, chunks, model, needs, sample, world
from bench.peers import PEERS, Weighted, weighted
from services.matching import explain
from services.matching.arrivals import Candidates
from services.matching.index import Index
from services.matching.rarity import rarity_of
from services.matching.scoring import Plan, plan_of
from shared.events.candidate import CANDIDATES
from shared.events.wire import Headers, encode
from shared.interpreter import look_seldom
from shared.metrics import Metrics
from shared.reader import RawRecord
from shared.table import LIVE_BATCH

K = 50
NEEDS = 60
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)


def filled(made: World, candidates: int) -> tuple[Index, float]:
    """(the index, seconds that putting packed rows into it took)."""
    index, spent = Index(), 0.0
    packer = Packer(made, index.columns.vocabulary)
    for chunk in chunks(made, candidates):
        packed = packer.packed(chunk)
        started = time.perf_counter()
        index.columns.put(packed)
        while index.columns.tidy():
            pass
        spent += time.perf_counter() - started
    # As the service does once it has caught up.
    look_seldom()
    return index, spent


def plans_for(made: World, index: Index) -> list[Plan]:
    frequency = index.document_frequency(made.knowledge.taxonomy)
    rarity = {skill: rarity_of(holders, len(index)) for skill, holders in sorted(frequency.items())}
    published = model().model_copy(update={"rarity": rarity, "candidates": len(index)})
    return [plan_of(wanted, made.knowledge, published) for wanted in needs(made, NEEDS)]


def rank(index: Index, plan: Plan) -> tuple[float, float]:
    """Milliseconds of (ranking, explaining) the best 50."""
    started = time.perf_counter()
    ranking = index.rank(plan, limit=K, near_limit=5, everybody=True)
    ranked = time.perf_counter()
    for profile, assessment in ranking.listed:
        explain.entry(plan, profile, assessment)
    return (ranked - started) * 1000, (time.perf_counter() - ranked) * 1000


def measured(index: Index, plans: list[Plan]) -> dict[str, float]:
    for plan in plans[:5]:
        rank(index, plan)
    took, cpu = [], []
    for plan in plans:
        before = time.thread_time()
        took.append(rank(index, plan))
        cpu.append((time.thread_time() - before) * 1000)
    whole = sorted(ranked + explained for ranked, explained in took)
    return {
        "ms": statistics.median(whole),
        "ms_rank": statistics.median(ranked for ranked, _ in took),
        "ms_explain": statistics.median(explained for _, explained in took),
        "ms_cpu": statistics.median(cpu),
        "ms_p95": whole[int(len(whole) * 0.95)],
        "bytes_per_candidate": index.columns.nbytes / len(index),
    }


def batches_of(made: World, updates: int) -> list[list[RawRecord]]:
    """Records as intake writes them, in batches as the table reads them: a thousand candidates, again and
    again, with higher revisions."""
    written = [(one.revision, *encode(CANDIDATES, one, source="intake")) for one in sample(made, 1000)]

    def record(key: bytes, value: bytes, headers: Headers, had: int, has: int) -> RawRecord:
        raised = value.replace(b'"revision":%d,' % had, b'"revision":%d,' % has, 1)
        return ConsumerRecord(CANDIDATES.name, 0, 0, 0, 0, key, raised, None, 0, 0, headers)

    records = [
        record(key, value or b"", headers, had, had + 1 + round_)
        for round_ in range(updates // len(written))
        for had, key, value, headers in written
    ]
    return [records[first : first + LIVE_BATCH] for first in range(0, len(records), LIVE_BATCH)]


def waited_for_a_core() -> float:
    """Milliseconds that this thread could have run but had no core, where Linux tells."""
    told = Path("/proc/thread-self/schedstat")
    return int(told.read_text().split()[1]) / 1e6 if told.exists() else 0.0


def timed(index: Index, plan: Plan) -> tuple[float, float]:
    """Milliseconds of (ranking and explaining, the same without the wait for a core)."""
    before = waited_for_a_core()
    took = sum(rank(index, plan))
    return took, took - (waited_for_a_core() - before)


def under_changes(made: World, index: Index, plans: list[Plan], updates: int) -> dict[str, float]:
    """A reader's times while the writer's thread takes records in without a rest.

    A pause is how much longer a ranking took than the same one does alone (the median of three), without the
    waits for a core: those are the machine's, and are in all other times.
    """
    batches = batches_of(made, updates)
    spent = 0.0

    def write(table: Candidates) -> None:
        nonlocal spent
        for batch in batches:
            before = time.thread_time()
            table.absorb(batch)
            spent += time.thread_time() - before

    with ThreadPoolExecutor(1) as writer:
        table = Candidates("matching", Metrics(), index, writer, lambda _: None)
        asyncio.run(table.complete())
        alone = np.array([[timed(index, plan) for plan in plans] for _ in range(3)])
        usual = np.median(alone[:, :, 1], axis=0)
        writing = writer.submit(write, table)
        rounds = []
        while not writing.done():
            rounds.append([timed(index, plan) for plan in plans])
        writing.result()
    during = np.array(rounds)
    pauses = during[:, :, 1] - usual
    return {
        "alone_p99": float(np.percentile(alone[:, :, 0], 99)),
        "during_p50": float(np.median(during[:, :, 0])),
        "during_p99": float(np.percentile(during[:, :, 0], 99)),
        "during_max": float(during[:, :, 0].max()),
        "pause_alone_p99": float(np.percentile(alone[:, :, 1] - usual, 99)),
        "pause_p50": float(np.median(pauses)),
        "pause_p99": float(np.percentile(pauses, 99)),
        "pause_max": float(pauses.max()),
        "us_per_update": spent / updates * 1e6,
    }


def compared(made: World, candidates: int, plans: list[Plan], peers: list[str]) -> dict[str, float]:
    """Median milliseconds of each peer on the same candidates and needs."""
    found = {}
    asked: list[Weighted] = [weighted(plan) for plan in plans]
    for name in peers:
        with PEERS[name]() as peer:
            started = time.perf_counter()
            peer.load(made, chunks(made, candidates))
            print(f"{name}: loaded in {time.perf_counter() - started:.0f} s", flush=True)
            # A whole round first: a server on a JVM answers slowly until its code is compiled.
            for need in asked:
                peer.ask(need, K)
            found[name] = statistics.median(peer.ask(need, K) for need in asked)
    return found


def row(candidates: int, found: dict[str, float], loading: float) -> str:
    return (
        f"{candidates:>11,}{found['ms']:>11.2f}{found['ms_rank']:>11.2f}{found['ms_explain']:>11.2f}"
        f"{found['ms_p95']:>11.2f}{found['ms_cpu']:>11.2f}{found['bytes_per_candidate']:>11.1f}"
        f"{candidates / loading:>13,.0f}"
    )


def main(candidates: int, table: bool, peers: list[str], updates: int) -> None:
    made = world()
    Index.compile()
    print(
        f"{'candidates':>11}{'ms, whole':>11}{'ranking':>11}{'explain 50':>11}{'p95':>11}{'CPU':>11}"
        f"{'bytes each':>11}{'rows in/s':>13}"
    )
    result: dict[str, Any] = {}
    for size in SIZES if table else (candidates,):
        index, loading = filled(made, size)
        plans = plans_for(made, index)
        found = measured(index, plans)
        print(row(size, found, loading), flush=True)
        result[str(size)] = {name: round(value, 3) for name, value in found.items()}
        if size != candidates:
            continue
        changing = under_changes(made, index, plans, updates)
        print(f"while {updates:,} updates go on: " + ", ".join(f"{k} {v:.1f}" for k, v in changing.items()))
        mine, kept = found, plans
        result["changes"] = {name: round(value, 2) for name, value in changing.items()}
        del index
    others = compared(made, candidates, kept, peers)
    for name, value in others.items():
        print(f"{name:>12}: {value:8.2f} ms, {value / mine['ms']:.1f} times ours")
    first = peers[0] if peers else ""
    print(
        json.dumps(
            {
                "bench": "matching",
                "value": round(mine["ms"], 3),
                "unit": "ms to rank and explain 50",
                "peer": first,
                "peer_value": round(others.get(first, 0.0), 3),
                "ratio": round(others.get(first, 0.0) / mine["ms"], 2),
                "candidates": candidates,
                "peers": {name: round(value, 3) for name, value in others.items()},
                "sizes": result,
            }
        )
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--candidates", type=int, default=1_000_000)
    parser.add_argument("--table", action="store_true", help="10 thousand to 10 million")
    parser.add_argument("--peer", action="append", choices=sorted(PEERS), help="may be given several times")
    parser.add_argument("--updates", type=int, default=100_000, help="changes while a reader ranks")
    given = parser.parse_args()
    main(given.candidates, given.table, given.peer or ["tantivy", "numpy"], given.updates)

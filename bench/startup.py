"""From a topic full of candidates on real Kafka to a matching service that is ready to rank them.

    python bench/startup.py [--candidates 1000000]

The candidates are published first, as intake publishes them (JSON, keyed, headers, LZ4). Then the table of
candidates follows the topic into an empty index, until it has caught up and the first ranking is done. The
peer is aiokafka alone, which fetches the same records and does nothing with them. Needs `python -m
tests.engines.engines fetch` once.
"""

import argparse
import asyncio
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from confluent_kafka import Producer

from bench.candidates import candidate_id, chunks, event, model, needs, world
from services.matching.arrivals import Candidates, Changes
from services.matching.index import Index
from services.matching.scoring import plan_of
from shared.events.candidate import CANDIDATES
from shared.kafka import create_topics
from shared.log import configure_logging
from shared.metrics import Metrics
from shared.reader import read_all
from tests.engines.engines import RealKafka


def published(bootstrap: str, candidates: int) -> int:
    """Put the candidates on their topic; bytes of all values."""
    made, whole = world(), 0
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "compression.type": "lz4",
            "linger.ms": 50,
            "batch.size": 500_000,
            "queue.buffering.max.messages": 200_000,
            "partitioner": "murmur2_random",
        }
    )
    for chunk in chunks(made, candidates):
        for row in range(len(chunk)):
            key = candidate_id(chunk.start + row)
            value = json.dumps(event(made, chunk, row), separators=(",", ":")).encode()
            whole += len(value)
            headers: list[tuple[str, str | bytes | None]] = [
                ("ce_specversion", b"1.0"),
                ("ce_id", f"{CANDIDATES.name}/{key}/1".encode()),
                ("ce_type", CANDIDATES.name.encode()),
                ("ce_source", b"/intake"),
                ("ce_time", b"2026-11-23T09:00:00Z"),
                ("content-type", b"application/json"),
                ("revision", b"1"),
            ]
            while True:
                try:
                    producer.produce(CANDIDATES.name, value, key, headers=headers)
                    break
                except BufferError:
                    producer.poll(0.1)
        producer.poll(0)
    producer.flush()
    return whole


async def fetched(bootstrap: str) -> tuple[int, float]:
    started = time.perf_counter()
    number = 0
    async for _ in read_all(bootstrap, CANDIDATES.name):
        number += 1
    return number, time.perf_counter() - started


async def brought_up(bootstrap: str) -> tuple[Index, float, float]:
    """(the index, seconds and CPU seconds until the table had caught up and a need was ranked)."""
    index, seen = Index(), 0

    def note(changes: Changes) -> None:
        nonlocal seen
        seen += len(changes.changed)

    with ThreadPoolExecutor(1) as writer:
        table = Candidates("matching", Metrics(), index, writer, note)
        made = world()
        plan = plan_of(needs(made, 1)[0], made.knowledge, model())
        started, cpu = time.perf_counter(), time.process_time()
        following = asyncio.create_task(table.run(bootstrap))
        await table.until_caught_up()
        await asyncio.to_thread(index.rank, plan, limit=50, near_limit=5)
        took, cpu = time.perf_counter() - started, time.process_time() - cpu
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert seen == len(index)
    return index, took, cpu


async def main(candidates: int) -> None:
    configure_logging("ERROR")
    Index.compile()
    with RealKafka() as kafka:
        await create_topics(kafka.bootstrap, "intake")
        started = time.perf_counter()
        size = await asyncio.to_thread(published, kafka.bootstrap, candidates)
        print(f"published {candidates:,} candidates, {size / candidates:.0f} bytes each, "
              f"in {time.perf_counter() - started:.0f} s", flush=True)  # fmt: skip
        number, seconds = await fetched(kafka.bootstrap)
        assert number == candidates
        index, took, cpu = await brought_up(kafka.bootstrap)
    assert len(index) == candidates
    rate, peer = candidates / took, number / seconds
    print(f"to ready: {took:.1f} s, {rate:,.0f} candidates/s ({cpu:.1f} s of CPU); aim: 50,000")
    print(f"aiokafka alone: {seconds:.1f} s, {peer:,.0f} records/s")
    print(
        json.dumps(
            {
                "bench": "startup",
                "value": round(rate),
                "unit": "candidates/s to ready",
                "peer": "aiokafka fetch alone",
                "peer_value": round(peer),
                "ratio": round(rate / peer, 3),
                "candidates": candidates,
                "seconds": round(took, 2),
                "cpu_seconds": round(cpu, 2),
            }
        )
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--candidates", type=int, default=1_000_000)
    asyncio.run(main(parser.parse_args().candidates))

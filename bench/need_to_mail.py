"""From POST /api/needs to the consultant's mail accepted by the relay, beside raw Kafka hops.

    python bench/need_to_mail.py                  embedded engines
    python bench/need_to_mail.py --engine kafka   real Kafka (needs Java and Maven once, to fetch it)

The peer does what cannot be left out: two records through two topics (a need, a shortlist), each produced
with acks=all by an idempotent producer and fetched by a consumer, with nothing else done. Both run one after
the other on the same broker in the same run, one need at a time, so that nothing queues.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.system import system
from services import sample_data
from shared.events.need import NEEDS
from shared.events.shortlist import SHORTLISTS
from shared.log import configure_logging
from shared.run import Surroundings
from tests.engines.engines import RealKafka
from tests.support import until

CANDIDATES = 600


async def fill(client: httpx.AsyncClient) -> None:
    """The demo's consultants and candidates."""
    for consultant in sample_data.consultants():
        (await client.post("/api/consultants", json=consultant)).raise_for_status()
    roles = (await client.get("/api/roles", params={"limit": 500})).json()["items"]
    people = sample_data.candidates(roles, {}, CANDIDATES, datetime.now(UTC).date())
    body = "\n".join(json.dumps(person) for person in people)
    (await client.post("/api/candidates/batch", content=body)).raise_for_status()

    async def indexed() -> bool:
        answer = await client.post("/api/rank", json={"need": {"title": "any"}, "limit": 1})
        return answer.status_code == 200 and answer.json()["index"]["candidates"] >= CANDIDATES

    await until(indexed, seconds=60)


def need(number: int) -> dict[str, Any]:
    return {
        "role_id": "back-end-developer",
        "title": f"Back-end developer {number}",
        "company": f"Sample Company {number}",
        "contact": {"name": "Sample Client", "email": f"sample.client.{number}@example.com"},
        "skills": [{"skill": "Python", "level": 4, "must": True}, {"skill": "Django"}, {"skill": "SQL"}],
        "location": {"country": "FR", "region": "FR-ARA"},
        "locale": "fr",
    }


async def timed(runs: int, once: Callable[[int], Awaitable[None]]) -> list[float]:
    """Milliseconds of each run, after a tenth of them as warm-up."""
    for number in range(runs // 10):
        await once(-1 - number)
    took = []
    for number in range(runs):
        started = time.perf_counter()
        await once(number)
        took.append((time.perf_counter() - started) * 1000)
        await asyncio.sleep(0.02)  # idle again: a wait between measurements, not for a condition
    return took


async def measure_path(given: Surroundings, client: httpx.AsyncClient, runs: int) -> list[float]:
    mailbox = given.mailbox
    assert mailbox is not None

    async def once(number: int) -> None:
        before = len(mailbox.mails)
        answer = await client.post("/api/needs", json=need(number))
        assert answer.status_code == 201, answer.text
        reference = answer.json()["reference"].encode()
        while not any(
            reference in mail.raw and mail.recipients[0].startswith("sample.consultant")
            for mail in list(mailbox.mails)[before:]
        ):
            await asyncio.sleep(0.0005)

    return await timed(runs, once)


async def measure_hops(given: Surroundings, runs: int) -> list[float]:
    """Two produce-to-consume hops with nothing between."""
    first, second = TopicPartition(NEEDS.name, 0), TopicPartition(SHORTLISTS.name, 0)
    producer = AIOKafkaProducer(
        bootstrap_servers=given.kafka_bootstrap, acks="all", enable_idempotence=True, linger_ms=0
    )
    consumers = [
        AIOKafkaConsumer(
            bootstrap_servers=given.kafka_bootstrap, fetch_max_wait_ms=given.kafka_timing.fetch_wait
        )
        for _ in range(2)
    ]
    await producer.start()
    for consumer, partition in zip(consumers, (first, second), strict=True):
        await consumer.start()
        consumer.assign([partition])
        await consumer.seek_to_end(partition)
        await consumer.position(partition)
    body = b"x" * 1000

    async def once(_number: int) -> None:
        await producer.send_and_wait(first.topic, body, partition=0, key=b"k")
        await consumers[0].getone()
        await producer.send_and_wait(second.topic, body, partition=0, key=b"k")
        await consumers[1].getone()

    try:
        return await timed(runs, once)
    finally:
        for consumer in consumers:
            await consumer.stop()
        await producer.stop()


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


async def main(engine: str, runs: int) -> None:
    configure_logging("ERROR")
    async with AsyncExitStack() as stack:
        kafka = stack.enter_context(RealKafka()) if engine == "kafka" else None
        given, _, client = await stack.enter_async_context(system(kafka))
        await fill(client)
        path = await measure_path(given, client, runs)
        hops = await measure_hops(given, runs)
    median, peer = statistics.median(path), statistics.median(hops)
    print(f"engine {engine}, {runs} needs one at a time, {CANDIDATES} candidates\n")
    print(f"{'':<34}{'median':>10}{'p99':>10}")
    print(f"{'POST to mail accepted':<34}{median:>8.1f}ms{quantile(path, 0.99):>8.1f}ms")
    print(f"{'two raw aiokafka hops':<34}{peer:>8.1f}ms{quantile(hops, 0.99):>8.1f}ms")
    print(f"\nratio of the medians: {median / peer:.1f} (aim: at most 8)\n")
    result = {
        "bench": "need_to_mail",
        "engine": engine,
        "value": round(median, 2),
        "p99": round(quantile(path, 0.99), 2),
        "unit": "ms",
        "peer": "two raw aiokafka hops",
        "peer_value": round(peer, 2),
        "peer_p99": round(quantile(hops, 0.99), 2),
        "ratio": round(median / peer, 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", choices=("embedded", "kafka"), default="embedded")
    parser.add_argument("--runs", type=int, default=100)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.engine, arguments.runs))

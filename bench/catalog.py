"""Pages, reads and searches of the whole shipped catalogue, beside a bare FastAPI route.

    python bench/catalog.py [--seconds 2]

Each application is called as a server calls it (ASGI, in this process), one request at a time, so that no
client's or socket's time is counted. The peer answers a small JSON object from a FastAPI route, with nothing
else done; it is measured first and last, and the better of the two counts.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

sys.path.insert(0, str(Path(__file__).parent.parent))

from fastapi import FastAPI

from services.catalog import sheets
from services.catalog.app import build
from services.catalog.settings import SHIPPED, CatalogSettings
from services.catalog.view import Shown
from shared.log import configure_logging
from tests.support import embedded_surroundings, running

QUERIES = (
    "python",
    "dévelopeur",
    "back-end developer",
    "base de données",
    "kubernets",
    "chef de projet",
    "amazon web services",
    "machine lerning",
    "c++",
    "gestion de projet",
    "postgre",
    "architecte cloud",
)
ROLES = ("back-end-developer", "data-engineer", "scrum-master", "tech-lead", "devops-engineer")
PEER = "bare FastAPI route"


def asked() -> dict[str, list[str]]:
    """What is measured: a name, and the addresses that are asked in turn."""
    words = [quote(query) for query in QUERIES]
    return {
        "role page": [f"/roles/{role}" for role in ROLES],
        "list page": ["/roles", "/fr/metiers"],
        "list page, searched": [f"/fr/metiers?q={word}" for word in words],
        "GET /api/roles/{id}": [f"/api/roles/{role}" for role in ROLES],
        "GET /api/roles?q=": [f"/api/roles?limit=10&q={word}" for word in words],
        "GET /api/skills?q=": [f"/api/skills?limit=10&q={word}" for word in words],
    }


def bare() -> FastAPI:
    app = FastAPI()

    @app.get("/thing")
    async def thing() -> dict[str, str]:
        return {"thing": "bare"}

    return app


async def call(app: Any, address: str) -> int:
    """One GET; the size of its body. Fails where the answer is not 200."""
    parts = urlsplit(address)
    size = status = 0
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(b"host", b"bench"), (b"accept", b"*/*")],
        "client": ("127.0.0.1", 1),
        "server": ("bench", 80),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal size, status
        status = message.get("status", status)
        size += len(message.get("body", b""))

    await app(scope, receive, send)
    assert status == 200, f"{address}: {status}"
    return size


async def measure(app: Any, addresses: Sequence[str], seconds: float) -> tuple[float, float, int]:
    """(requests a second, median milliseconds, bytes of the largest body), after each address once."""
    largest = max([await call(app, address) for address in addresses])
    took: list[float] = []
    ends = time.perf_counter() + seconds
    for address in cycle(addresses):
        started = time.perf_counter()
        await call(app, address)
        took.append(time.perf_counter() - started)
        if started > ends:
            break
    return len(took) / sum(took), statistics.median(took) * 1000, largest


def slowest_search() -> tuple[str, float]:
    """The query whose search of roles and skills takes longest: milliseconds of CPU, best of five."""
    shown = Shown(sheets.parse(SHIPPED))
    found = {}
    for query in (QUERIES[0], *QUERIES):  # the first one also pays for the index
        tries = []
        for _ in range(5):
            started = time.process_time()
            shown.find_roles(query)
            shown.find_skills(query)
            tries.append((time.process_time() - started) * 1000)
        found[query] = min(tries)
    return max(found.items(), key=lambda each: each[1])


async def main(seconds: float) -> None:
    configure_logging("ERROR")
    async with embedded_surroundings(public_url="http://bench") as given:
        unlimited: dict[str, Any] = {"_env_file": None, "reads_per_second": 1e9}
        app = build(given, CatalogSettings(**unlimited))
        async with running(app):
            peers = [await measure(bare(), ["/thing"], seconds)]
            rows = {name: await measure(app, paths, seconds) for name, paths in asked().items()}
            peers.append(await measure(bare(), ["/thing"], seconds))
    query, slowest = slowest_search()
    peer = max(peers)
    print(f"{'':<24}{'requests/s':>12}{'median':>12}{'largest':>12}{'of the peer':>14}")
    for name, (rate, median, largest) in {**rows, PEER: peer}.items():
        print(f"{name:<24}{rate:>12.0f}{median:>10.2f}ms{largest:>11}B{rate / peer[0]:>13.0%}")
    print(f"\nslowest query, roles and skills together: {query!r}, {slowest:.1f} ms of CPU (aim: under 10)\n")
    result = {
        "bench": "catalog",
        "value": round(rows["role page"][0], 1),
        "unit": "role pages/s",
        "peer": PEER,
        "peer_value": round(peer[0], 1),
        "ratio": round(rows["role page"][0] / peer[0], 4),
        "searches_per_second": round(rows["GET /api/skills?q="][0], 1),
        "slowest_search_ms": round(slowest, 2),
        "rates": {name: round(rate, 1) for name, (rate, _, _) in rows.items()},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=2.0, help="of each row")
    asyncio.run(main(parser.parse_args().seconds))

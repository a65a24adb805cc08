"""Needs accepted, CVs read and candidates imported a second, beside what could not be left out.

    python bench/intake.py                              embedded engines
    python bench/intake.py --engine --candidates 100000 real Kafka (needs Java once), the store a process

Needs: POST /api/needs as a server calls it (ASGI, in this process), `--at-once` requests side by side; the
clock stops when all of them are on Kafka too. The peer is a bare FastAPI route that checks as many fields
by pydantic and inserts one document into the same MongoDB with the same write concern. The two are measured
in turns, and the median of each counts.
CVs: PDF, DOCX and text, from the multipart request to the stored candidate. Import: `python -m
services.intake import` of a file of candidates; with --engine intake is a process of its own, and the peak
memory of intake and importer is what the kernel says (VmHWM). The store is then bench/memory_store.py, behind
the wire protocol: FerretDB on SQLite, the engine of the tests, reads a whole collection for each update.
"""

import argparse
import asyncio
import io
import json
import os
import platform
import re
import statistics
import string
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import httpx
from docx import Document as Docx
from fastapi import FastAPI
from pydantic import BaseModel, EmailStr
from reportlab.pdfgen.canvas import Canvas
from uuid_utils import uuid7

from services import sample_data
from services.catalog import sheets
from services.catalog.settings import SHIPPED
from services.intake.app import build
from shared.events.need import NEEDS
from shared.kafka import create_topics
from shared.log import configure_logging
from shared.mongo import Mongo, connect
from shared.run import Surroundings, listen
from shared.tokens import Tokens
from shared.web.access import KEY_PURPOSE
from tests.engines.engines import RealKafka
from tests.intake.support import publish_catalogue, serving
from tests.support import embedded_surroundings, running, until

PEER = "bare FastAPI + one insert"
SECRET = "of-the-benchmark-alone-" + "0" * 20
ROOT = Path(__file__).parent.parent
CV = """Sample Person
Back-end developer, Lyon

Experience
03/2019 - 09/2026  Back-end developer, Example Bank
- Designed REST services in Python (Django, FastAPI) on PostgreSQL, deployed on Kubernetes by GitLab CI.
- Moved a monolith to 14 services over Kafka; on call for payments.
- Tutored four juniors; code reviews, tests with pytest.
06/2014 - 02/2019  Software engineer, Example Retail
- Java 8 and Spring Boot, Oracle, Jenkins. Search with Elasticsearch.
- Front end in TypeScript and Angular for the shops' tool.

Skills
Python (7 years), Django, FastAPI, SQL, PostgreSQL, Docker, Kubernetes, Kafka, Linux, Git, Java, Spring Boot

Languages: French (native), English (C1)
Education: Master in computer science, 2014
"""


class _Contact(BaseModel):
    name: str
    email: EmailStr
    phone: str | None = None


class _Skill(BaseModel):
    skill: str
    level: int = 3
    must: bool = False


class _Need(BaseModel):
    role_id: str
    title: str
    company: str
    contact: _Contact
    skills: list[_Skill]
    location: dict[str, str]
    description: str
    locale: str


def need(number: int) -> bytes:
    return json.dumps(
        {
            "role_id": "back-end-developer",
            "title": f"Back-end developer {number}",
            "company": f"Sample Company {number}",
            "contact": {"name": "Sample Client", "email": f"sample.client.{number}@example.com"},
            "skills": [{"skill": "Python", "level": 4, "must": True}, {"skill": "Django"}, {"skill": "SQL"}],
            "location": {"country": "FR", "region": "FR-ARA"},
            "description": "Payments, Docker, and a small team.",
            "locale": "fr",
        }
    ).encode()


def bare(mongo: Mongo) -> FastAPI:
    app = FastAPI()

    @app.post("/api/needs", status_code=201)
    async def post(body: _Need) -> dict[str, str]:
        need_id = str(uuid7())
        await mongo.collection("bare").insert_one({"_id": need_id, **body.model_dump()})
        return {"need_id": need_id}

    return app


async def call(app: Any, body: bytes, key: str) -> None:
    """One POST /api/needs. Fails where the answer is not 201."""
    status = 0
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/needs",
        "raw_path": b"/api/needs",
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"bench"),
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"authorization", f"Bearer {key}".encode()),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("bench", 80),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    await app(scope, receive, send)
    assert status == 201, status


async def per_second(seconds: float, at_once: int, once: Callable[[int], Awaitable[None]]) -> float:
    """How often `once` is done a second, `at_once` side by side."""
    count, began = 0, time.perf_counter()

    async def work() -> None:
        nonlocal count
        while time.perf_counter() - began < seconds:
            count += 1
            await once(count)

    await asyncio.gather(*(work() for _ in range(at_once)))
    return count / (time.perf_counter() - began)


async def measure_needs(
    given: Surroundings, app: FastAPI, key: str, seconds: float, at_once: int
) -> tuple[float, float]:
    """(needs a second, inserts of the peer a second): the medians of five turns each."""
    peer = bare(given.mongo("bench"))
    ours: list[float] = []
    theirs: list[float] = []
    waiting = given.mongo("intake").collection("needs")

    def sent() -> float:
        # By the counter: to look into the store again and again would be measured too.
        labels = {"service": "intake", "topic": NEEDS.name}
        return given.metrics.registry.get_sample_value("published_total", labels) or 0.0

    async def noted() -> bool:
        return await waiting.find_one({"unpublished": True}) is None

    for turn in range(6):
        before, posted = sent(), 0

        async def post(number: int) -> None:
            nonlocal posted
            posted += 1
            await call(app, need(number), key)

        began = time.perf_counter()
        rate = await per_second(seconds, at_once, post)
        # What was accepted must also be on Kafka, and noted as such, before the clock stops.
        took = time.perf_counter() - began
        await until(lambda: sent() - before >= posted, seconds=60)  # noqa: B023 - awaited in this turn
        await until(noted, seconds=60)
        rate *= took / (time.perf_counter() - began)
        other = await per_second(seconds, at_once, lambda number: call(peer, need(number), key))
        if turn:  # the first one warms up
            ours.append(rate)
            theirs.append(other)
    return statistics.median(ours), statistics.median(theirs)


def cvs() -> list[tuple[str, bytes]]:
    pdf, docx, document = io.BytesIO(), io.BytesIO(), Docx()
    page = Canvas(pdf)
    for number, line in enumerate(CV.splitlines()):
        page.drawString(60, 790 - 16 * number, line)
        document.add_paragraph(line)
    page.save()
    document.save(docx)
    return [("cv.pdf", pdf.getvalue()), ("cv.docx", docx.getvalue()), ("cv.txt", CV.encode())]


async def measure_cvs(app: FastAPI, key: str, seconds: float) -> dict[str, float]:
    """CVs stored a second by kind; four at once keep both workers busy."""
    found = {}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://bench", headers={"Authorization": f"Bearer {key}"}
    ) as client:
        for name, content in cvs():

            async def once(number: int, name: str = name, content: bytes = content) -> None:
                profile = json.dumps({"external_id": f"{name}-{number}"})
                files: dict[str, tuple[str | None, str | bytes]] = {
                    "profile": (None, profile),
                    "cv": (name, content),
                }
                (await client.post("/api/candidates", files=files)).raise_for_status()

            await once(0)
            found[name.removeprefix("cv.")] = await per_second(seconds, 4, once)
    return found


def write_candidates(file: Path, count: int) -> None:
    roles = [json.loads(role.model_dump_json()) for role in sheets.parse(SHIPPED).roles.values()]
    people = sample_data.candidates(roles, {}, min(count, 2000), datetime.now(UTC).date())
    with file.open("w", encoding="utf-8") as opened:
        for number in range(count):
            person = people[number % len(people)] | who(number)
            opened.write(json.dumps(person, ensure_ascii=False) + "\n")


def who(number: int) -> dict[str, str]:
    """A name and an address of their own: names often begin alike, and hardly two are one person."""
    left, word = number * 7_368_787 % 26**5, ""
    for _ in range(5):
        left, letter = divmod(left, 26)
        word += string.ascii_lowercase[letter]
    name = f"Sample {word.capitalize()}"
    return {"external_id": f"bench-{number}", "name": name, "email": f"sample.{word}@example.com"}


async def run_import(file: Path, url: str, key: str) -> tuple[float, int, int]:
    """(seconds, candidates accepted, the importer's peak memory in bytes)."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.intake", "import", str(file), "--url", url, "--key", key,
        cwd=ROOT, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    peak = asyncio.create_task(_peak_while_running(process))
    _, said = await process.communicate()
    seconds = time.perf_counter() - began
    # The last one: lines of progress come before it.
    counts = re.findall(rb"(\d+) accepted, 0 refused, \d+ already there; \d+ sent", said)
    assert counts, said.decode()
    return seconds, int(counts[-1]), await peak


async def _peak_while_running(process: asyncio.subprocess.Process) -> int:
    peak = 0
    while process.returncode is None:
        peak = max(peak, peak_memory(process.pid))
        await asyncio.sleep(0.05)
    return peak


def peak_memory(pid: int) -> int:
    """Bytes; 0 where the process is gone or the system does not tell."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


@asynccontextmanager
async def store_process() -> AsyncIterator[str]:
    """The embedded MongoDB in a process of its own; its address."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(ROOT / "bench" / "memory_store.py"), str(port), cwd=ROOT
    )
    try:
        yield f"mongodb://127.0.0.1:{port}/"
    finally:
        process.terminate()
        await process.wait()


def free_port() -> int:
    listener = listen("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    listener.close()
    return port


@asynccontextmanager
async def intake_process(kafka: RealKafka, mongo_uri: str) -> AsyncIterator[tuple[str, int]]:
    """Intake as it runs in production, alone; its address and process id."""
    port = free_port()
    environment = os.environ | {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
        "MONGODB_URI": mongo_uri,
        "MONGODB_DATABASE": "bench_import",
        "TOKEN_SECRETS": SECRET,
        "PORT": str(port),
        "LOG_LEVEL": "ERROR",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.intake", cwd=ROOT, env=environment
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=url) as client:
            await until(lambda: _ready(client), seconds=60)
        yield url, process.pid
    finally:
        process.terminate()
        await process.wait()


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False


def table(rows: list[tuple[str, str, str]]) -> None:
    for name, value, note in rows:
        print(f"{name:<34}{value:>16}  {note}")


async def main(options: argparse.Namespace) -> None:
    configure_logging("ERROR")
    catalogue = sheets.parse(SHIPPED)
    stamp = {"revision": 1, "occurred_at": datetime.now(UTC)}
    roles = tuple(role.model_copy(update=stamp) for role in catalogue.roles.values())
    skills = tuple(skill.model_copy(update=stamp) for skill in catalogue.skills.values())
    async with AsyncExitStack() as stack:
        kafka = client = None
        if options.engine:
            kafka = stack.enter_context(RealKafka())
            client = connect(await stack.enter_async_context(store_process()))
        given = await stack.enter_async_context(
            embedded_surroundings(
                kafka=kafka, mongo_client=client, public_url="http://bench", token_secrets=SECRET
            )
        )
        key = Tokens([SECRET]).issue(KEY_PURPOSE, "bench", lifetime=timedelta(hours=3), scopes=["*"])
        app = build(given)
        if options.engine:
            await create_topics(given.kafka_bootstrap, "catalog")
        await publish_catalogue(given.kafka_bootstrap, roles, skills)
        async with running(app):
            rate, peer = await measure_needs(given, app, key, options.seconds, options.at_once)
            read = await measure_cvs(app, key, options.seconds)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "people.jsonl"
            write_candidates(file, options.candidates)
            server_peak = 0
            if kafka is not None:
                async with store_process() as uri, intake_process(kafka, uri) as (url, pid):
                    seconds, accepted, client_peak = await run_import(file, url, key)
                    server_peak = peak_memory(pid)
            else:
                async with serving(build(given), given) as url:
                    seconds, accepted, client_peak = await run_import(file, url, key)
    megabyte = 1024 * 1024
    engines = "Kafka, the store a process" if options.engine else "embedded engines"
    print(f"{engines}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    table(
        [
            ("needs accepted and published", f"{rate:,.0f}/s", f"{rate / peer:.0%} of the peer (aim: 60 %)"),
            (PEER, f"{peer:,.0f}/s", ""),
            *((f"CVs read and stored, {kind}", f"{one:,.1f}/s", "") for kind, one in read.items()),
            ("candidates imported", f"{accepted / seconds:,.0f}/s", f"{accepted:,} in {seconds:.0f} s"),
            ("peak memory of the importer", f"{client_peak / megabyte:,.0f} MB", ""),
            ("peak memory of intake", f"{server_peak / megabyte:,.0f} MB" if server_peak else "-",
             "" if server_peak else "the embedded store is in it: use --engine"),
        ]
    )  # fmt: skip
    result = {
        "bench": "intake",
        "value": round(rate, 1),
        "unit": "needs/s",
        "peer": PEER,
        "peer_value": round(peer, 1),
        "ratio": round(rate / peer, 4),
        "engine": engines,
        "cvs_per_second": {kind: round(one, 1) for kind, one in read.items()},
        "imported": accepted,
        "imported_per_second": round(accepted / seconds, 1),
        "importer_peak_mb": round(client_peak / megabyte, 1),
        "intake_peak_mb": round(server_peak / megabyte, 1) or None,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", action="store_true", help="real Kafka, the store a process")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each turn")
    parser.add_argument("--at-once", type=int, default=16, help="needs side by side")
    parser.add_argument("--candidates", type=int, default=5000, help="to import")
    asyncio.run(main(parser.parse_args()))

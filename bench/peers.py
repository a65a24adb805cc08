"""The peers of bench/matching.py: what each of them needs to load the candidates and to rank for a need."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import tantivy

from bench.candidates import REGIONS, SENIORITIES, Drawn, World
from services.matching.scoring import Plan
from services.matching.weights import PPM
from shared.events.vocabulary import Must

MOST_TERMS = 60
VERSION = "2.19.0"
CACHE = Path(__file__).parents[1] / ".cache" / "opensearch"


@dataclass(frozen=True)
class Weighted:
    """A need as weighted terms: (token, weight); `region` where it is a must."""

    terms: tuple[tuple[str, float], ...]
    region: str | None


def weighted(plan: Plan) -> Weighted:
    """The plan's weights as far as terms can say them, the sixty heaviest."""
    found: dict[str, float] = {}
    for asked in plan.asked:
        weight = plan.weights.get(asked.criterion, 0) * asked.share / PPM / PPM
        for held, credit in asked.credits.items():
            for level in range(1, 6):
                token = f"{held}|{level}"
                earned = weight * min(level * 100, asked.level) / asked.level * credit / PPM
                found[token] = max(found.get(token, 0.0), earned)
    for role, affinity in plan.affinity.items():
        found[f"role|{role}"] = plan.weights.get("role_experience", 0) / PPM * affinity / PPM
    criteria = plan.criteria
    if criteria.seniority:
        found[f"seniority|{criteria.seniority}"] = plan.weights.get("seniority", 0) / PPM
    region = criteria.location.region if criteria.location else None
    must = Must.LOCATION in criteria.musts
    if region and not must:
        found[f"region|{region}"] = plan.weights.get("location", 0) / PPM
    heaviest = sorted(found.items(), key=lambda pair: -pair[1])[:MOST_TERMS]
    return Weighted(tuple((token, weight) for token, weight in heaviest if weight), region if must else None)


def tokens(world: World, chunk: Drawn) -> Iterator[list[str]]:
    """What each candidate of a chunk is found by."""
    for row in range(len(chunk)):
        held = range(chunk.first[row], chunk.first[row + 1])
        found = [f"{world.skills[chunk.skill[at]]}|{chunk.level[at]}" for at in held]
        titles = chunk.role[chunk.role_first[row] : chunk.role_first[row + 1]]
        found += {f"role|{world.roles[title]}" for title in titles}
        if chunk.seniority[row] >= 0:
            found.append(f"seniority|{SENIORITIES[chunk.seniority[row]]}")
        found.append(f"region|{REGIONS[chunk.region[row]]}")
        yield found


class Peer(Protocol):
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def load(self, world: World, drawn: Iterator[Drawn]) -> None: ...

    def ask(self, need: Weighted, k: int) -> float:
        """Milliseconds to have the best k."""


class PlainNumpy:
    """Postings as arrays, one float an entry of the pool, argpartition."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._postings: dict[str, Any] = {}

    def load(self, world: World, drawn: Iterator[Drawn]) -> None:
        parts: dict[str, list[Any]] = {}
        keyed: tuple[tuple[Any, Any, Callable[[int], str]], ...]
        size = 0
        for chunk in drawn:
            owner = np.repeat(np.arange(len(chunk)), np.diff(chunk.first)) + size
            titled = np.repeat(np.arange(len(chunk)), np.diff(chunk.role_first)) + size
            rows = np.arange(len(chunk)) + size
            keyed = (
                (chunk.skill * 8 + chunk.level, owner, lambda key: f"{world.skills[key // 8]}|{key % 8}"),
                (chunk.role, titled, lambda key: f"role|{world.roles[key]}"),
                (chunk.region, rows, lambda key: f"region|{REGIONS[key]}"),
                (chunk.seniority, rows, lambda key: f"seniority|{SENIORITIES[key]}" if key >= 0 else ""),
            )
            for key, who, name in keyed:
                order = np.argsort(key, kind="stable")
                distinct, start = np.unique(key[order], return_index=True)
                for value, found in zip(distinct, np.split(who[order], start[1:]), strict=True):
                    parts.setdefault(name(int(value)), []).append(found.astype(np.int32))
            size += len(chunk)
        self._size = size
        self._postings = {token: np.unique(np.concatenate(found)) for token, found in parts.items()}

    def ask(self, need: Weighted, k: int) -> float:
        started = time.perf_counter()
        scores = np.zeros(self._size, np.float32)
        for token, weight in need.terms:
            found = self._postings.get(token)
            if found is not None:
                scores[found] += weight
        if need.region:
            kept = np.zeros(self._size, np.bool_)
            kept[self._postings[f"region|{need.region}"]] = True
            scores[~kept] = -1
        best = np.argpartition(scores, -k)[-k:]
        best[np.argsort(-scores[best])].tolist()
        return (time.perf_counter() - started) * 1000


class Tantivy:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        del self._index

    def load(self, world: World, drawn: Iterator[Drawn]) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("term", stored=False, tokenizer_name="raw", index_option="basic")
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema)
        writer = self._index.writer(512_000_000, 1)
        for chunk in drawn:
            for found in tokens(world, chunk):
                document = tantivy.Document()
                for token in found:
                    document.add_text("term", token)
                writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()

    def ask(self, need: Weighted, k: int) -> float:
        query, occur = tantivy.Query, tantivy.Occur

        def term(token: str) -> Any:
            return query.term_query(self._schema, "term", token, "basic")

        started = time.perf_counter()
        clauses = [
            (occur.Should, query.const_score_query(term(token), weight)) for token, weight in need.terms
        ]
        asked = query.boolean_query(clauses)
        if need.region:
            within = query.const_score_query(term(f"region|{need.region}"), 0.0)
            asked = query.boolean_query([(occur.Must, within), (occur.Must, asked)])
        self._index.searcher().search(asked, k, count=False)
        return (time.perf_counter() - started) * 1000


class OpenSearch:
    """A server of its own in .cache/opensearch, single node, 2 GB of heap; it does not run as root."""

    def __enter__(self) -> Self:
        fetched = self._fetched()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._place = Path(tempfile.mkdtemp(prefix="opensearch-bench-"))
        # A copy: it writes beside its programs too, and whom it runs as may not be let into the checkout.
        home = self._place / "home"
        shutil.copytree(fetched, home)
        (home / "config" / "opensearch.yml").write_text(
            f"discovery.type: single-node\nnetwork.host: 127.0.0.1\n"
            f"http.port: {self._port}\ntransport.port: 0\n"
        )
        java = subprocess.run(
            ["java", "-XshowSettings:properties", "-version"], capture_output=True, text=True, check=True
        ).stderr
        java_home = next(line.split("=")[1].strip() for line in java.splitlines() if "java.home" in line)
        command = ["bash", str(home / "bin" / "opensearch")]
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", "nobody", str(self._place)], check=True)
            command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
        environment = {
            **os.environ, "OPENSEARCH_JAVA_HOME": java_home, "OPENSEARCH_JAVA_OPTS": "-Xms2g -Xmx2g",
            "OPENSEARCH_TMPDIR": str(self._place),
        }  # fmt: skip
        self._log = (self._place / "out.log").open("w")
        self._process = subprocess.Popen(
            command, env=environment, cwd=self._place, stdout=self._log, stderr=subprocess.STDOUT
        )
        ends = time.monotonic() + 180
        while True:
            try:
                self._call("GET", "/_cluster/health?wait_for_status=yellow&timeout=5s")
                return self
            except OSError:
                if self._process.poll() is not None or time.monotonic() > ends:
                    said = (self._place / "out.log").read_text()[-2000:]
                    self.__exit__()
                    raise RuntimeError(f"OpenSearch did not start:\n{said}") from None
                time.sleep(1)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        shutil.rmtree(self._place, ignore_errors=True)

    def load(self, world: World, drawn: Iterator[Drawn]) -> None:
        field = {"type": "keyword", "norms": False}
        body = {
            "settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": -1},
            "mappings": {"_source": {"enabled": False}, "properties": {"term": field, "region": field}},
        }
        self._call("PUT", "/candidates", body)
        for chunk in drawn:
            lines: list[str] = []
            for row, found in enumerate(tokens(world, chunk)):
                document = {"term": found, "region": REGIONS[chunk.region[row]]}
                lines += [f'{{"index":{{"_id":"{chunk.start + row}"}}}}', json.dumps(document)]
                if len(lines) >= 10_000:
                    self._bulk(lines)
                    lines = []
            self._bulk(lines)
        self._call("POST", "/candidates/_refresh")
        self._call("POST", "/candidates/_forcemerge?max_num_segments=1")
        self._call("POST", "/candidates/_refresh")

    def _bulk(self, lines: list[str]) -> None:
        if lines:
            answer = self._call("POST", "/candidates/_bulk", "\n".join(lines) + "\n")
            assert not answer["errors"]

    def ask(self, need: Weighted, k: int) -> float:
        functions = [{"filter": {"term": {"term": token}}, "weight": weight} for token, weight in need.terms]
        within = [{"term": {"region": need.region}}] if need.region else []
        body = {
            "size": k,
            "_source": False,
            "track_total_hits": False,
            "query": {
                "function_score": {
                    "query": {"bool": {"filter": within}} if within else {"match_all": {}},
                    # Nothing for who meets no term; without the last one OpenSearch would give them 1.
                    "functions": [*functions, {"weight": 0}],
                    "score_mode": "sum",
                    "boost_mode": "replace",
                }
            },
        }
        answer = self._call("POST", "/candidates/_search?request_cache=false", body)
        assert len(answer["hits"]["hits"]) == k
        return float(answer["took"])

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode() if body else None
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{path}",
            content,
            {"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=600) as answer:  # noqa: S310
            return json.loads(answer.read())

    @staticmethod
    def _fetched() -> Path:
        home = CACHE / f"opensearch-{VERSION}"
        if (home / "bin" / "opensearch").exists():
            return home
        print(f"fetching OpenSearch {VERSION} by Maven into {CACHE} ...", flush=True)
        CACHE.mkdir(parents=True, exist_ok=True)
        artifact = f"org.opensearch.distribution.integ-test-zip:opensearch:{VERSION}:zip"
        subprocess.run(
            ["mvn", "-q", "-B", "dependency:get", f"-Dartifact={artifact}", "-Dtransitive=false"], check=True
        )
        subprocess.run(
            ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={CACHE}"],
            check=True,
        )
        with zipfile.ZipFile(CACHE / f"opensearch-{VERSION}.zip") as archive:
            archive.extractall(CACHE)
        for path in (home / "bin").iterdir():
            path.chmod(0o755)
        return home


PEERS: dict[str, Any] = {"numpy": PlainNumpy, "opensearch": OpenSearch, "tantivy": Tantivy}

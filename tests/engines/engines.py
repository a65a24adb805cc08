"""Real engines for tests, without Docker: Apache Kafka on the JVM, and MongoDB's wire protocol by FerretDB.

    python -m tests.engines.engines fetch          # once: fetches and builds into .cache/engines/

    with RealKafka(brokers=3) as kafka, MongoWireServer() as mongo:
        ...                                        # kafka.bootstrap, mongo.uri
        kafka.kill(2)                              # kill -9 of one broker
        kafka.start_again()                        # the same ports and data

Everything listens on 127.0.0.1 alone and keeps its data in a temporary directory. Whatever ends this
process, kill -9 included, a keeper process then ends the engines and removes their data. All methods block:
from a coroutine call them with `asyncio.to_thread`.

Needed: Java 17 or newer; to fetch also Maven, and Go 1.22 or newer. Runs on Linux and macOS.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Any, Self

import pymongo
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from pymongo.errors import PyMongoError

SOURCES = Path(__file__).resolve().parent
CACHE = SOURCES.parents[1] / ".cache" / "engines"
# Two busy cores start three brokers in about 10 s; past this something is wrong.
START_SECONDS = 180.0
# An engine that has not ended this long after SIGTERM is killed.
STOP_SECONDS = 30.0


class EnginesMissingError(RuntimeError):
    """What the engines need is not on this machine, or is not fetched; the message says what to do."""


class FetchError(RuntimeError):
    """Maven or Go failed; the message ends with the tail of its output."""


class StartError(RuntimeError):
    """An engine ended or did not answer in time; the message ends with the tail of its log."""


class PortTakenError(StartError):
    """Another process listens on a port of this engine."""


# --- Fetching ---


@dataclass(frozen=True)
class _Tool:
    name: str
    home_variable: str  # a directory whose bin/ is looked at before PATH
    version_arguments: tuple[str, ...]
    version: re.Pattern[str]
    at_least: tuple[int, ...]
    install: str

    def path(self) -> str | None:
        home = os.environ.get(self.home_variable)
        found = shutil.which(self.name, path=str(Path(home) / "bin")) if home else None
        return found or shutil.which(self.name)

    def complaint(self) -> str | None:
        """What to install where this tool is absent or too old."""
        wanted = f"{self.name} {'.'.join(map(str, self.at_least))} or newer"
        path = self.path()
        if path is None:
            return f"{wanted} is not installed ({self.install})"
        run = subprocess.run([path, *self.version_arguments], capture_output=True, text=True, check=False)
        found = self.version.search(run.stdout + run.stderr)
        if found is None:
            return f"{wanted} is needed, and {path} does not tell its version ({self.install})"
        if tuple(map(int, found[1].split("."))) < self.at_least:
            return f"{wanted} is needed, and {path} is {found[1]} ({self.install})"
        return None


_JAVA = _Tool(
    "java",
    "JAVA_HOME",
    ("-version",),
    re.compile(r'version "(\d+(?:\.\d+)*)'),
    (17,),
    "Debian, Ubuntu: apt-get install default-jre-headless; macOS: brew install openjdk and set JAVA_HOME",
)
_MAVEN = _Tool(
    "mvn",
    "MAVEN_HOME",
    ("-version",),
    re.compile(r"Apache Maven (\d+(?:\.\d+)*)"),
    (3, 6),
    "Debian, Ubuntu: apt-get install maven; macOS: brew install maven",
)
_GO = _Tool(
    "go",
    "GOROOT",
    ("version",),
    re.compile(r"go version go(\d+(?:\.\d+)*)"),
    (1, 22),
    "Debian 13, Ubuntu 24.04: apt-get install golang-go; macOS: brew install go",
)


@dataclass(frozen=True)
class _Part:
    """One engine in the cache: the files that say what it is made of, and the command that makes it."""

    name: str
    version_of: re.Pattern[str]
    inputs: tuple[str, ...]
    hint: str
    made_with: _Tool
    runs_on: tuple[_Tool, ...]
    command: Callable[[Path], list[str]]
    environment: Mapping[str, str]

    @property
    def place(self) -> Path:
        return CACHE / self.name

    @property
    def sources(self) -> Path:
        return SOURCES / self.name

    def stamp(self) -> str:
        """The version, and a digest of everything that the result depends on in this repository."""
        digest = hashlib.sha256()
        version = None
        for name in self.inputs:
            content = (self.sources / name).read_bytes()
            digest.update(content)
            version = version or self.version_of.search(content.decode())
        assert version is not None, f"{self.sources} does not name a version of {self.name}"
        return f"{version[1]} {digest.hexdigest()[:16]}"


def _maven(into: Path) -> list[str]:
    # -C: a jar whose checksum differs is an error, not a warning.
    arguments = ["-q", "-B", "-C", "-f", str(SOURCES / "kafka" / "pom.xml"), "dependency:copy-dependencies"]
    return [_MAVEN.path() or "mvn", *arguments, "-DincludeScope=runtime", f"-DoutputDirectory={into}"]


def _go_build(into: Path) -> list[str]:
    build = [_GO.path() or "go", "build", "-C", str(SOURCES / "ferretdb"), "-o", str(into / "ferretdb")]
    # readonly: what is built is what go.sum names. SQLite here is pure Go, so no C compiler is needed.
    options = ["-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags=-s -w"]
    return [*build, *options, "-tags=ferretdb_no_postgresql"]


_KAFKA = _Part(
    name="kafka",
    version_of=re.compile(r"<artifactId>kafka_2\.13</artifactId>\s*<version>([^<]+)"),
    inputs=("pom.xml",),
    hint="jars by Maven and a first start, about 30 s",
    made_with=_MAVEN,
    runs_on=(_JAVA,),
    command=_maven,
    environment={},
)
_FERRETDB = _Part(
    name="ferretdb",
    version_of=re.compile(r"github\.com/FerretDB/FerretDB v(\S+)"),
    inputs=("go.mod", "go.sum", "main.go", "relay.go"),
    hint="built by Go, 2-3 min the first time",
    made_with=_GO,
    runs_on=(),
    command=_go_build,
    environment={"CGO_ENABLED": "0", "GOWORK": "off"},
)
_PARTS = (_KAFKA, _FERRETDB)
_MARKER = CACHE / "versions.json"
_CLASSES = _KAFKA.place / "classes.jsa"


def _fetched() -> dict[str, str]:
    """The stamps of the parts in the cache, by name; empty where nothing was fetched."""
    try:
        marker = json.loads(_MARKER.read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(stamp) for name, stamp in marker.items()} if isinstance(marker, dict) else {}


def _stale(parts: Iterable[_Part] = _PARTS) -> list[_Part]:
    fetched = _fetched()
    return [part for part in parts if fetched.get(part.name) != part.stamp() or not part.place.is_dir()]


def missing() -> str | None:
    """Why the engines cannot start here, with what to do about it; None where they can.

    A look at a few files: quick enough for a fixture that wants to skip or fail early.
    """
    return _missing(_PARTS)


def _missing(parts: Iterable[_Part]) -> str | None:
    for tool in (tool for part in parts for tool in part.runs_on):
        if tool.path() is None:
            return tool.complaint()
    if stale := _stale(parts):
        names = " and ".join(part.name for part in stale)
        return f"{names}: not fetched, or changed since; run `python -m tests.engines.engines fetch`"
    return None


def fetch(say: Callable[[str], None]) -> None:
    """Fetch and build what is not in the cache yet; `say` gets lines of progress.

    Safe to run from several processes at once. Raises EnginesMissingError, which names every tool that is
    absent or too old, and FetchError.
    """
    started = time.monotonic()
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "fetch.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another fetch to end ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        stale = _stale()
        tools = [*(tool for part in _PARTS for tool in part.runs_on), *(part.made_with for part in stale)]
        if complaints := [complaint for tool in tools if (complaint := tool.complaint())]:
            raise EnginesMissingError("; ".join(complaints))
        for number, part in enumerate(_PARTS, start=1):
            title = f"[{number}/{len(_PARTS)}] {part.name} {part.stamp().split()[0]}"
            if part in stale:
                say(f"{title}: {part.hint} ...")
                _make(part, title, say)
                if part is _KAFKA:
                    _archive_classes()
            else:
                say(f"{title}: in the cache")
    say(f"engines ready in {CACHE} ({time.monotonic() - started:.0f} s)")


def _make(part: _Part, title: str, say: Callable[[str], None]) -> None:
    fresh = CACHE / f"{part.name}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    started = time.monotonic()
    _run(
        part.command(fresh),
        CACHE / f"{part.name}.log",
        part.environment,
        lambda: say(f"{title}: still at it after {time.monotonic() - started:.0f} s ..."),
    )
    # The stamp is written after this: an interrupted fetch starts over.
    shutil.rmtree(part.place, ignore_errors=True)
    fresh.rename(part.place)
    marker = _MARKER.with_suffix(".new")
    marker.write_text(json.dumps({**_fetched(), part.name: part.stamp()}, indent=2) + "\n")
    marker.replace(_MARKER)


def _run(command: list[str], log: Path, environment: Mapping[str, str], still: Callable[[], None]) -> None:
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )
        try:
            while process.poll() is None:
                try:
                    process.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    still()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode:
        raise FetchError(f"{Path(command[0]).name} ended with {process.returncode}:\n{_tail(log)}")


# --- Processes ---

# Ends the engines when the process that started them is gone. Not PR_SET_PDEATHSIG: that fires when the
# *thread* that forked ends, so a broker started through asyncio.to_thread would die with its event loop; and
# macOS has none. Arguments: the parent's process id, the directory to remove. Standard input: "+PID" for a
# process to end, "-PID" for one that has ended. A fork of the parent may hold the pipe open: hence getppid.
_KEEPER = """
import os, select, shutil, signal, sys, time
parent, directory, running, rest = int(sys.argv[1]), sys.argv[2], set(), b""
while True:
    # Looked at before the pipe, so that nothing the parent wrote is missed.
    parent_ended = os.getppid() != parent
    if not select.select([0], [], [], 0 if parent_ended else 0.5)[0]:
        if parent_ended:
            break
        continue
    received = os.read(0, 4096)
    if not received:
        break
    *lines, rest = (rest + received).split(b"\\n")
    for line in lines:
        (running.add if line[:1] == b"+" else running.discard)(int(line[1:]))
for pid in running:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
deadline = time.monotonic() + 10
while os.path.exists(directory) and time.monotonic() < deadline:
    shutil.rmtree(directory, ignore_errors=True)
    time.sleep(0.02)
"""


class _Place:
    """A temporary directory, and the keeper that ends this place's processes and removes it after us."""

    def __init__(self, name: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=f"{name}-"))
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _KEEPER, str(os.getpid()), str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            bufsize=0,
            # Out of reach of a Ctrl-C, or of a kill of the whole process group, that ends the parent.
            start_new_session=True,
        )

    def tell_keeper(self, sign: str, pid: int) -> None:
        assert self._keeper.stdin is not None
        self._keeper.stdin.write(f"{sign}{pid}\n".encode())

    def remove(self) -> None:
        """Remove the directory; every process of this place must have ended."""
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        self._keeper.wait()


class _Process:
    """One process in a place, its output appended to a log file. Signals go to its pid while it is ours."""

    def __init__(self, place: _Place, command: Iterable[str], log: Path) -> None:
        self._place = place
        self.log = log
        with log.open("ab") as output:
            # The shell becomes the command only once the keeper knows the pid: at no moment would a kill -9
            # of this process leave an engine behind.
            self._popen = subprocess.Popen(
                ["/bin/sh", "-c", 'read go && exec "$@"', "sh", *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=place.path,
                start_new_session=True,  # Ctrl-C is for the tests; they end the engines in their order
            )
        self._reaped = False
        assert self._popen.stdin is not None
        place.tell_keeper("+", self.pid)
        self._popen.stdin.write(b"go\n")
        self._popen.stdin.close()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def running(self) -> bool:
        if self._popen.poll() is None:
            return True
        if not self._reaped:
            self._reaped = True
            # The pid may be another's from now on.
            with contextlib.suppress(BrokenPipeError, ValueError):
                self._place.tell_keeper("-", self.pid)
        return False

    @property
    def exit_code(self) -> int | None:
        return None if self.running else self._popen.returncode

    def signal(self, number: signal.Signals) -> None:
        if self.running:
            self._popen.send_signal(number)

    def freeze(self) -> None:
        """kill -STOP, and wait until every thread has stopped: one may be in the middle of an answer."""
        self.signal(signal.SIGSTOP)
        deadline = time.monotonic() + 10
        while self.running and set(self._thread_states()) != {"T"}:
            if time.monotonic() > deadline:
                raise TimeoutError(f"process {self._popen.pid} does not stop")
            time.sleep(0.001)

    def _thread_states(self) -> list[str]:
        threads = Path(f"/proc/{self._popen.pid}/task").glob("*/stat")
        # "pid (name) state …": a name may hold spaces and parentheses.
        return [thread.read_text().rpartition(")")[2].split()[0] for thread in threads]

    def kill(self) -> None:
        """kill -9, and wait for the end; a frozen process ends, too."""
        self.signal(signal.SIGKILL)
        self._popen.wait()
        assert not self.running

    def end_by(self, deadline: float) -> None:
        """Wait for the end; at the deadline (time.monotonic() seconds) kill."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout=max(0.0, deadline - time.monotonic()))
        self.kill()


def _tail(log: Path, lines: int = 30) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError as error:
        return str(error)


def _start_error(what: str, log: Path) -> StartError:
    tail = _tail(log)
    kind = PortTakenError if "address already in use" in tail.lower() else StartError
    return kind(f"{what}. The end of its log:\n{tail}")


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nothing listens on now.

    From below the range of ephemeral ports, so not what binding to port 0 gives: while an engine is down, its
    clients' next connection could otherwise take its port as their own end (even be connected to itself).
    """
    ports: list[int] = []
    for port in random.sample(range(20_000, 32_000), 2_000):
        with socket.socket() as probe:
            # As the engines do: a connection that is closing does not hold the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
        if len(ports) == count:
            return ports
    raise StartError(f"no {count} free ports between 20000 and 32000")


class _Engine:
    """What both engines share: a place, a start that looks for other ports on a clash, a context manager."""

    _part: _Part

    def __init__(self) -> None:
        self._place: _Place | None = None

    def start(self) -> Self:
        """Start and return when the engine answers its clients.

        Raises EnginesMissingError where it is not fetched, StartError where it does not come up.
        """
        if why := _missing([self._part]):
            raise EnginesMissingError(why)
        if self._place is not None:
            raise RuntimeError(
                f"{self._part.name} is started already; start_again() follows stop() or kill()"
            )
        for attempts_left in (2, 1, 0):
            self._place = _Place(self._part.name)
            try:
                self._first_start(self._place)
            except BaseException as error:
                self.close()
                # Between our look and the engine's bind another process took the port.
                if isinstance(error, PortTakenError) and attempts_left:
                    continue
                raise
            break
        return self

    def close(self) -> None:
        """Kill what runs and remove the data. Does nothing the second time."""
        if self._place is not None:
            for process in self._processes():
                process.kill()
            self._place.remove()
            self._place = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _first_start(self, place: _Place) -> None:
        raise NotImplementedError

    def _processes(self) -> Iterable[_Process]:
        raise NotImplementedError

    def _started(self) -> _Place:
        if self._place is None:
            raise RuntimeError(
                f"{self._part.name} is not started; use it as a context manager or call start()"
            )
        return self._place


# --- Kafka ---


class RealKafka(_Engine):
    """Apache Kafka with `brokers` nodes, numbered from 1, each broker and KRaft controller in one JVM.

    On three nodes a topic has by default three replicas, of which two must have a record (acks=all); one node
    may die. Topics are not created by themselves. `properties` are added to every node's server.properties
    and win over those of kafka/server.properties.template, e.g. {"log.cleaner.backoff.ms": 100} for tests of
    compaction. A node takes about 250 MB of memory.
    """

    _part = _KAFKA
    _class_sharing = f"-XX:SharedArchiveFile={_CLASSES}"

    def __init__(self, brokers: int = 1, properties: Mapping[str, str | int] | None = None) -> None:
        super().__init__()
        if brokers < 1:
            raise ValueError("a Kafka cluster has at least one broker")
        self.brokers = brokers
        self.properties = dict(properties or {})
        self._cluster = ""
        self._ports: dict[int, int] = {}
        self._nodes: dict[int, _Process] = {}
        self._frozen: set[int] = set()

    @property
    def bootstrap(self) -> str:
        """bootstrap.servers: "127.0.0.1:PORT", comma-separated for several nodes; kept over restarts."""
        self._started()
        return ",".join(f"127.0.0.1:{port}" for port in self._ports.values())

    def pid(self, node: int = 1) -> int:
        """The process id of a node's JVM."""
        return self._node(node).pid

    def exit_code(self, node: int = 1) -> int | None:
        """How a node's JVM ended: 143 after an orderly stop, -9 when killed; None where it runs."""
        return self._node(node).exit_code

    def log(self, node: int = 1) -> Path:
        """The file with a node's warnings and errors, over all its starts; gone after close()."""
        return self._node(node).log

    def stop(self) -> None:
        """Orderly stop of all nodes (SIGTERM); data and ports are kept. A frozen node is thawed first."""
        self._started()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._nodes.values():
            process.signal(signal.SIGTERM)
            process.signal(signal.SIGCONT)
        self._frozen.clear()
        for process in self._nodes.values():
            process.end_by(deadline)

    def kill(self, node: int = 1) -> None:
        """kill -9 of a node."""
        self._node(node).kill()
        self._frozen.discard(node)

    def freeze(self, node: int = 1) -> None:
        """kill -STOP of a node: its connections stay open and nothing answers."""
        self._node(node).freeze()
        self._frozen.add(node)

    def thaw(self, node: int = 1) -> None:
        """kill -CONT of a frozen node. Use wait_until_ready() where the test needs it back in the cluster."""
        self._node(node).signal(signal.SIGCONT)
        self._frozen.discard(node)

    def start_again(self) -> None:
        """Start every node that does not run, on its old ports and data, and wait until it is ready."""
        place = self._started()
        for node, process in self._nodes.items():
            if not process.running:
                self._nodes[node] = self._spawn(place, node)
        self.wait_until_ready()

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait until every running node says, in its metadata, that all running nodes are in the cluster.

        Where all nodes run, also until no partition is without a leader. A frozen node does not count as
        running. Raises StartError, with the tail of the log, where a node ends or the time is up.
        """
        self._started()
        deadline = time.monotonic() + seconds
        expected = {
            node for node, process in self._nodes.items() if process.running and node not in self._frozen
        }
        for node in sorted(expected):
            client = AdminClient(
                {
                    "bootstrap.servers": f"127.0.0.1:{self._ports[node]}",
                    "reconnect.backoff.ms": 50,
                    "reconnect.backoff.max.ms": 100,
                    "log_level": 0,  # that nobody listens yet is no news
                }
            )
            while not self._sees(client, expected):
                for other in expected:
                    process = self._nodes[other]
                    if not process.running:
                        raise _start_error(f"Kafka node {other} ended with {process.exit_code}", process.log)
                if time.monotonic() > deadline:
                    log = self._nodes[node].log
                    raise _start_error(f"Kafka node {node} was not ready in {seconds:.0f} s", log)
                time.sleep(0.05)

    def _sees(self, client: AdminClient, expected: set[int]) -> bool:
        try:
            metadata: Any = client.list_topics(timeout=0.5)
        except KafkaException:
            return False
        # By the id, for the one that answers on our port may be another's broker.
        if metadata.cluster_id != self._cluster or not expected <= set(metadata.brokers):
            return False
        partitions = [p for topic in metadata.topics.values() for p in topic.partitions.values()]
        return len(expected) < self.brokers or all(p.leader in expected for p in partitions)

    def _first_start(self, place: _Place) -> None:
        nodes = range(1, self.brokers + 1)
        ports = free_ports(2 * self.brokers)
        self._ports = dict(zip(nodes, ports[: self.brokers], strict=True))
        controllers = dict(zip(nodes, ports[self.brokers :], strict=True))
        # 16 bytes in 22 characters, as of Kafka's own random-uuid; a dash in front would read as an option.
        self._cluster = base64.urlsafe_b64encode(b"\0" + os.urandom(15)).decode().rstrip("=")
        for node in nodes:
            self._write_properties(place, node, controllers)
        formats = {}
        for node in nodes:
            command = [*self._java("kafka.tools.StorageTool"), "format"]
            options = ["-t", self._cluster, "-c", self._file(place, node)]
            formats[node] = _Process(place, [*command, *options], place.path / f"node-{node}-format.log")
        self._nodes = formats  # so that close() ends them if a wait below is interrupted
        deadline = time.monotonic() + START_SECONDS
        for node, process in formats.items():
            process.end_by(deadline)
            if process.exit_code:
                raise _start_error(f"the storage of Kafka node {node} could not be formatted", process.log)
        self._nodes = {node: self._spawn(place, node) for node in nodes}
        self.wait_until_ready()

    def _write_properties(self, place: _Place, node: int, controllers: Mapping[int, int]) -> None:
        (place.path / "tmp").mkdir(exist_ok=True)
        template = Template((SOURCES / "kafka" / "server.properties.template").read_text())
        lines = template.substitute(
            node=node,
            voters=",".join(f"{voter}@127.0.0.1:{port}" for voter, port in controllers.items()),
            port=self._ports[node],
            controller_port=controllers[node],
            data=place.path / f"node-{node}",
            replicas=min(3, self.brokers),
            in_sync=2 if self.brokers >= 3 else 1,
        )
        # Of two lines with one key Java keeps the later.
        more = "".join(f"{key}={value}\n" for key, value in self.properties.items())
        Path(self._file(place, node)).write_text(lines + more)

    def _spawn(self, place: _Place, node: int) -> _Process:
        command = [*self._java("kafka.Kafka"), self._file(place, node)]
        return _Process(place, command, place.path / f"node-{node}.log")

    @staticmethod
    def _file(place: _Place, node: int) -> str:
        return str(place.path / f"node-{node}.properties")

    def _java(self, main: str) -> list[str]:
        return [
            _JAVA.path() or "java",
            "-Xmx384m",
            # Quick to start and light beside others on two cores; peak throughput is not what tests need.
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            # Loaded classes of an earlier broker; where they do not fit this JVM, it goes without.
            self._class_sharing,
            # Neither a performance file nor unpacked native libraries stay behind in /tmp after a kill -9.
            "-XX:-UsePerfData",
            "-Djava.io.tmpdir=tmp",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
            "-cp",
            f"{_KAFKA.place}/*",
            main,
        ]

    def _node(self, node: int) -> _Process:
        self._started()
        if node not in self._nodes:
            raise ValueError(f"there is no node {node}: they are 1 to {self.brokers}")
        return self._nodes[node]

    def _processes(self) -> Iterable[_Process]:
        return self._nodes.values()


def _archive_classes() -> None:
    """Run a broker once, so that the next ones find its classes loaded and verified (Java's AppCDS).

    Halves the CPU time of a start, from 4 s to 2 s. A JVM that cannot do this starts brokers all the same.
    """
    fresh = _CLASSES.with_suffix(".new")
    kafka = RealKafka()
    kafka._class_sharing = f"-XX:ArchiveClassesAtExit={fresh}"
    with contextlib.suppress(StartError), kafka:
        kafka.stop()
        # By SIGTERM, so the archive is complete.
        if kafka.exit_code() == 128 + signal.SIGTERM and fresh.exists():
            fresh.replace(_CLASSES)


# --- MongoDB's wire protocol ---


class MongoWireServer(_Engine):
    """FerretDB on SQLite: a server that MongoDB's clients talk to, with a good part of what a mongod does.

    Has: unique, compound and sparse indexes, upserts, find_one_and_update, bulk_write, $push, $addToSet, $in,
    $elemMatch, regular expressions, sort, skip, limit, $group, distinct. Has not: TTL, partial and text
    indexes, $expr, updates by pipeline, collation, transactions, change streams. Takes about 40 MB of memory.

    A command that writes is atomic, as a write to one document is on mongod: ferretdb/relay.go sees to it.
    """

    _part = _FERRETDB

    def __init__(self) -> None:
        super().__init__()
        self._port = 0
        self._server: _Process | None = None

    @property
    def uri(self) -> str:
        """mongodb://127.0.0.1:PORT/, kept over restarts."""
        self._started()
        return f"mongodb://127.0.0.1:{self._port}/"

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._process().pid

    @property
    def log(self) -> Path:
        """The file with the server's warnings and errors, over all its starts; gone after close()."""
        return self._process().log

    def stop(self) -> None:
        """Orderly stop (SIGTERM): commands under way are answered; data and port are kept."""
        process = self._process()
        process.signal(signal.SIGTERM)
        process.signal(signal.SIGCONT)
        process.end_by(time.monotonic() + STOP_SECONDS)

    def kill(self) -> None:
        """kill -9."""
        self._process().kill()

    def freeze(self) -> None:
        """kill -STOP: connections stay open and nothing answers."""
        self._process().freeze()

    def thaw(self) -> None:
        """kill -CONT."""
        self._process().signal(signal.SIGCONT)

    def start_again(self) -> None:
        """Start on the old port and data, and wait until it is ready; does nothing where it runs."""
        place = self._started()
        if not self._process().running:
            self._server = self._spawn(place)
        self.wait_until_ready()

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait until the server answers; raises StartError where it ends before, or after so many seconds."""
        process = self._process()
        deadline = time.monotonic() + seconds
        while not self._answers(process.pid):
            if not process.running:
                raise _start_error(f"FerretDB ended with {process.exit_code}", process.log)
            if time.monotonic() > deadline:
                raise _start_error(f"FerretDB was not ready in {seconds:.0f} s", process.log)
            time.sleep(0.02)

    def _answers(self, pid: int) -> bool:
        # A refused connection would cost the client half a second before it tries again.
        try:
            socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
        except OSError:
            return False
        client: pymongo.MongoClient[dict[str, Any]]
        with pymongo.MongoClient(self.uri, serverSelectionTimeoutMS=1000, socketTimeoutMS=1000) as client:
            try:
                status = client.admin.command("serverStatus")
            except PyMongoError:
                return False
        # By the pid, for the one that answers on our port may be another's server.
        return bool(status["pid"] == pid)

    def _first_start(self, place: _Place) -> None:
        (place.path / "data").mkdir()
        [self._port] = free_ports(1)
        self._server = self._spawn(place)
        self.wait_until_ready()

    def _spawn(self, place: _Place) -> _Process:
        binary = _FERRETDB.place / "ferretdb"
        command = [str(binary), "-listen", f"127.0.0.1:{self._port}", "-data", str(place.path / "data")]
        return _Process(place, command, place.path / "ferretdb.log")

    def _process(self) -> _Process:
        self._started()
        assert self._server is not None
        return self._server

    def _processes(self) -> Iterable[_Process]:
        return [self._server] if self._server else []


def main(arguments: list[str]) -> int:
    """`fetch`; exits with 2 where a tool is missing and 1 where Maven or Go failed."""

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    if arguments != ["fetch"]:
        sys.stderr.write("usage: python -m tests.engines.engines fetch\n")
        return 2
    try:
        fetch(say)
    except EnginesMissingError as error:
        sys.stderr.write(f"engines: {error}\n")
        return 2
    except FetchError as error:
        sys.stderr.write(f"engines: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Reads CVs in processes of their own: the event loop never parses, and a hostile file takes down no service.

Each worker is a fresh interpreter that imports the reading alone. It is started when first needed and kept
warm, learns the catalogue once a version, and is killed and replaced when a job takes too long or too much.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from services.intake.domain.lexicon import Lexicon
from services.intake.reading import worker
from services.intake.reading.found import CvDocument, Reading, Unreadable, UnreadableKind
from shared.log import get_logger

INLINE_CHARACTERS = 1000
"""A text up to this length is read at once, in a few milliseconds."""
START_SECONDS = 60.0
_ROOT = Path(__file__).parents[3]
_DOCUMENT = TypeAdapter(CvDocument)
_READING = TypeAdapter(Reading)


@dataclass(frozen=True)
class ReadingLimits:
    """What one file may take. Memory is address space in bytes, the interpreter and the taxonomy included."""

    seconds: float = 20.0
    memory: int = 512 * 1024 * 1024
    workers: int = 2


class CvWorkers:
    """Texts and files in, readings out."""

    def __init__(self, limits: ReadingLimits | None = None) -> None:
        self._limits = limits or ReadingLimits()
        self._slots = asyncio.Semaphore(self._limits.workers)
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._catalogue: tuple[str, bytes] = ("", b"")

    async def read_file(self, data: bytes, lexicon: Lexicon, today: date) -> tuple[CvDocument, Reading]:
        """Raises Unreadable."""
        answer = await self._ask({"do": "read", "file": True, "today": today.isoformat()}, data, lexicon)
        return _DOCUMENT.validate_python(answer["document"]), _READING.validate_python(answer["reading"])

    async def read_text(self, text: str | None, lexicon: Lexicon, today: date) -> Reading:
        """Raises Unreadable where the text takes too long."""
        if not text:
            return Reading()
        if len(text) <= INLINE_CHARACTERS:
            return lexicon.cv.read(text, today)
        header = {"do": "read", "file": False, "today": today.isoformat()}
        answer = await self._ask(header, text.encode(), lexicon)
        return _READING.validate_python(answer["reading"])

    async def close(self) -> None:
        """End the workers; what they were doing is lost."""
        for one in list(self._all):
            await self._end(one)

    async def _ask(self, header: Any, payload: bytes, lexicon: Lexicon) -> Any:
        async with self._slots:
            one = await self._ready()
            try:
                if one.knows != lexicon.version:
                    async with asyncio.timeout(START_SECONDS):
                        await one.ask({"do": "learn"}, self._catalogue_of(lexicon))
                    one.knows = lexicon.version
                async with asyncio.timeout(self._limits.seconds):
                    answer = await one.ask(header, payload)
            except TimeoutError as error:
                await self._end(one)
                raise Unreadable(UnreadableKind.TIMED_OUT) from error
            except (OSError, asyncio.IncompleteReadError) as error:
                status = await self._end(one, patience=1.0)
                get_logger("intake").warning("reading_worker_died", status=status)
                hungry = status == worker.OUT_OF_MEMORY
                raise Unreadable(UnreadableKind.BOMB if hungry else UnreadableKind.BROKEN) from error
            except BaseException:
                # Who asked went away: an answer is still to come, so the next one could not trust the pipe.
                await self._end(one)
                raise
            self._idle.append(one)
        if "unreadable" in answer:
            raise Unreadable(answer["unreadable"])
        if "failed" in answer:
            get_logger("intake").warning("reading_failed", error=answer["failed"])
            raise Unreadable(UnreadableKind.BROKEN)
        return answer

    async def _ready(self) -> "_Worker":
        while self._idle:
            one = self._idle.pop()
            if one.process.returncode is None:
                return one
            # It died between two jobs, for want of memory on the machine perhaps.
            self._all.discard(one)
        return await self._start()

    async def _start(self) -> "_Worker":
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            worker.__name__,
            str(self._limits.memory),
            stdin=PIPE,
            stdout=PIPE,
            # A parser's traceback can hold a CV's text.
            stderr=DEVNULL,
            cwd=_ROOT,
            # No secrets of the service: a worker needs none.
            env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(_ROOT), "MALLOC_ARENA_MAX": "2"},
        )
        one = _Worker(process)
        self._all.add(one)
        return one

    async def _end(self, one: "_Worker", patience: float = 0.0) -> int | None:
        """The status it ended with; `patience` is for one that ends by itself, in seconds."""
        self._all.discard(one)
        if one in self._idle:
            self._idle.remove(one)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await one.process.wait()
        with suppress(ProcessLookupError):
            one.process.kill()
        await one.process.communicate()
        return one.process.returncode

    def _catalogue_of(self, lexicon: Lexicon) -> bytes:
        if self._catalogue[0] != lexicon.version or not self._catalogue[1]:
            content = {
                "version": lexicon.version,
                "skills": [one.model_dump_json() for one in lexicon.taxonomy.skills.values()],
                "roles": [one.model_dump_json() for one in lexicon.roles.values()],
            }
            self._catalogue = (lexicon.version, json.dumps(content).encode())
        return self._catalogue[1]


@dataclass(eq=False)
class _Worker:
    process: Process
    knows: str | None = None
    """The version of the catalogue that it has learnt."""

    async def ask(self, header: Any, payload: bytes) -> Any:
        source, target = self.process.stdout, self.process.stdin
        assert source is not None and target is not None  # noqa: S101, PT018 - both are PIPE
        target.write(worker.frame(header, payload))
        await target.drain()
        head, rest = worker.FRAME.unpack(await source.readexactly(worker.FRAME.size))
        answer = json.loads(await source.readexactly(head))
        await source.readexactly(rest)
        return answer

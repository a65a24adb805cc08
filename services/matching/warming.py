"""Has the search compiled before anybody needs it, in a process of its own.

Compiling is half a minute of Python: in our own process it would keep the event loop waiting for the
interpreter's lock, until Kafka takes us for dead. What is compiled is kept on disk, so it is once a version.
"""

import asyncio
import fcntl
import sys
from contextlib import suppress
from pathlib import Path

from numba import config

from services.matching.compiling import SOURCES
from services.matching.index import Index
from shared.log import get_logger

ROOT = Path(__file__).parents[2]


def _folder() -> Path:
    return Path(str(vars(config)["CACHE_DIR"]))


def _done() -> Path:
    return _folder() / f"complete-{SOURCES}"


def is_compiled() -> bool:
    """Whether the machine code of this version is on disk."""
    return _done().exists()


def compile_here() -> None:
    """Compile what is not on disk yet. Of several processes one does, the others wait for it."""
    _folder().mkdir(parents=True, exist_ok=True)
    with (_folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_compiled():
            Index.compile()
            _done().touch()


async def compile_elsewhere() -> None:
    """Have another process compile what is not on disk yet; it ends with us. Where it fails, whoever runs the
    search first compiles it here."""
    if is_compiled():
        return
    log = get_logger("matching")
    log.info("compiling_search", hint="once a version; takes about a minute", folder=str(_folder()))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.matching", "compile", cwd=ROOT
    )
    try:
        status = await process.wait()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    log.info("compiled_search", status=status)

# Numba decides the types of compiled code; the annotations are for the reader.
# mypy: disable-error-code="return-value,assignment,no-any-return,attr-defined,call-arg"
"""Compiled functions: where their machine code is kept, and how they reach a block's memory.

Compiling takes half a minute, so the machine code is kept on disk: in the checkout's .cache where that can be
written, else below the temporary directory (a container's only writable place). The directory's name has a
hash of the kernels' sources, because numba notices changes of a function's own file only.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic

HERE = Path(__file__).parent
KERNELS = (
    "compiling",
    "kernels",
    "wanted",
    "parsing",
    "postings",
    "assessing",
    "heaps",
    "sweeping",
    "search",
)


SOURCES = hashlib.sha256(b"".join((HERE / f"{name}.py").read_bytes() for name in KERNELS)).hexdigest()[:12]


def _cache_directory() -> Path:
    checkout = HERE.parents[1]
    if os.access(checkout, os.W_OK):
        return checkout / ".cache" / "numba" / SOURCES
    return Path(tempfile.gettempdir()) / f"numba-{SOURCES}"


if not numba.config.CACHE_DIR:
    numba.config.CACHE_DIR = str(_cache_directory())

kernel: Callable[[Callable[..., Any]], Callable[..., Any]] = numba.njit(
    cache=True, nogil=True, error_model="numpy"
)
"""Compiles on the first call, runs without the interpreter's lock, and checks no bounds."""


@intrinsic
def _pointer(_context: Any, _address: Any) -> Any:
    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), generate


@intrinsic
def word_at(_context: Any, _address: Any) -> Any:
    """Eight bytes as one number, wherever they begin."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.load(builder.inttoptr(arguments[0], cgutils.intp_t.as_pointer()), align=1)

    return types.uint64(types.int64), generate


@kernel
def as_u64(address: int, size: int) -> Any:
    return numba.carray(_pointer(address), (size,), np.uint64)


@kernel
def as_i64(address: int, size: int) -> Any:
    return numba.carray(_pointer(address), (size,), np.int64)


@kernel
def as_u32(address: int, size: int) -> Any:
    return numba.carray(_pointer(address), (size,), np.uint32)


@kernel
def as_u16(address: int, size: int) -> Any:
    return numba.carray(_pointer(address), (size,), np.uint16)


@kernel
def as_u8(address: int, size: int) -> Any:
    return numba.carray(_pointer(address), (size,), np.uint8)


@kernel
def ones(word: Any) -> Any:
    """How many bits of a 64-bit word are set."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@kernel
def lowest(word: Any) -> Any:
    """The number of the lowest bit set; `word` is not 0."""
    return ones((word & (~word + np.uint64(1))) - np.uint64(1))


@kernel
def varint_at(content: Any, at: int) -> tuple[int, int]:
    """(number, where the next one begins). Without a branch up to 16383: which length comes is no habit.

    Reads one byte more than the number has.
    """
    first, second = np.int64(content[at]), np.int64(content[at + 1])
    longer = first >> 7
    number = (first & 127) | (second & 127 & -longer) << 7
    at += 1 + longer
    if longer & (second >> 7):
        shift = 14
        while True:
            byte = np.int64(content[at])
            at += 1
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
    return number, at

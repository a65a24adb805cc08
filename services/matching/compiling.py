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
    "careers",
    "postings",
    "assessing",
    "details",
    "heaps",
    "sweeping",
    "bounding",
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


def _reader(bits: int, kind: Any) -> Any:
    """So many bits as a number, wherever they begin; given the address of an array and a place in it.

    Plain loads: an array that is handed from function to function costs the counting of its references.
    """

    @intrinsic
    def read(_context: Any, _address: Any, _place: Any) -> Any:
        def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
            offset = builder.mul(arguments[1], arguments[1].type(bits // 8))
            pointer = builder.inttoptr(
                builder.add(arguments[0], offset), cgutils.ir.IntType(bits).as_pointer()
            )
            return builder.zext(builder.load(pointer, align=1), arguments[0].type)

        return kind(types.int64, types.int64), generate

    return read


u8_at, u32_at, i64_at = (_reader(bits, types.int64) for bits in (8, 32, 64))
u64_at = _reader(64, types.uint64)


@intrinsic
def put_u64(_context: Any, _address: Any, _value: Any) -> Any:
    """Write eight bytes, wherever they begin."""

    def generate(context: Any, builder: Any, __: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], cgutils.ir.IntType(64).as_pointer())
        builder.store(arguments[1], pointer, align=1)
        return context.get_dummy_value()

    return types.none(types.int64, types.uint64), generate


@kernel
def word_at(address: int) -> Any:
    return u64_at(address, 0)


@kernel
def address_of(array: Any) -> int:
    """Where its first element is; the array is to be kept as long as that is used."""
    return np.int64(array.ctypes.data)


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


SPARE = 8
"""Bytes behind the last number that may be looked at by who reads it."""
LONG = 3
"""From so many bytes on a number is read one by one."""


@kernel
def varint_at(address: int) -> tuple[int, int]:
    """(number, where the next one begins). Without a branch up to 16383: which length comes is no habit."""
    number, _, size = short_varint(u64_at(address, 0))
    return (number, address + size) if size < LONG else long_varint(address)


@kernel
def short_varint(bytes_: Any) -> tuple[int, Any, int]:
    """(number, the bytes behind it, its own) of the lowest bytes; of `LONG` or more bytes not the number."""
    longer = bytes_ >> np.uint64(7) & np.uint64(1)
    more = bytes_ >> np.uint64(8)
    number = bytes_ & np.uint64(127) | (more & np.uint64(127) & (np.uint64(0) - longer)) << np.uint64(7)
    size = np.uint64(1) + longer + (longer & (more >> np.uint64(7)))
    return np.int64(number), bytes_ >> (np.uint64(8) << longer), np.int64(size)


@kernel
def long_varint(address: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = u8_at(address, 0)
        address += 1
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return number, address

"""W3C trace context: taken from what comes in, carried on in what goes out, and shown in every log line."""

import re
import secrets
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterator

_CURRENT: ContextVar[str | None] = ContextVar("traceparent", default=None)
_FORM = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


def current_traceparent() -> str | None:
    return _CURRENT.get()


@contextmanager
def traced(incoming: str | None, **log_fields: str) -> "Iterator[None]":
    """Work within the trace of `incoming`; a missing or malformed one starts a new trace.

    `log_fields` (such as need_id) stand in every log line written inside.
    """
    match = _FORM.fullmatch(incoming or "")
    trace_id = match.group(1) if match else secrets.token_hex(16)
    token = _CURRENT.set(f"00-{trace_id}-{secrets.token_hex(8)}-01")
    try:
        with structlog.contextvars.bound_contextvars(trace_id=trace_id, **log_fields):
            yield
    finally:
        _CURRENT.reset(token)

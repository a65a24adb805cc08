"""What every request passes: trace, size limit, security headers, timing, and errors as problems."""

import time
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.metrics import Metrics
from shared.settings import Settings
from shared.trace import traced
from shared.web.problems import HANDLERS, Problem, answer_failure
from shared.web.session import SignInNeeded, to_sign_in

MAX_BODY = 1024 * 1024
"""Bytes. A route that takes more (an upload) is named in `larger_bodies`; the longest prefix decides."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

Next = Callable[[Request], Awaitable[Response]]


def install(
    app: FastAPI,
    service: str,
    settings: Settings,
    metrics: Metrics,
    larger_bodies: dict[str, int] | None = None,
) -> None:
    """Add the middleware and the error handlers to `app`. `larger_bodies`: path prefix -> bytes."""
    app.state.settings = settings
    app.state.metrics = metrics
    app.state.larger_bodies = dict(larger_bodies or {})
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)
    app.add_exception_handler(SignInNeeded, _sign_in)
    app.add_middleware(_Edge, service=service, metrics=metrics, state=app)


async def _sign_in(_request: Request, error: Exception) -> Response:
    return to_sign_in(getattr(error, "path", "/desk"))


class _TooLarge(Exception):  # noqa: N818
    pass


class _Edge:
    """The outermost layer. Plain ASGI, so that streams (SSE) pass through unbuffered."""

    def __init__(self, app: ASGIApp, service: str, metrics: Metrics, state: FastAPI) -> None:
        self.app = app
        self.service = service
        self.metrics = metrics
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value for name, value in scope["headers"]}
        traceparent = headers.get("traceparent", b"").decode("latin-1")
        limit = self._limit(scope["path"])
        started = time.perf_counter()
        status = 0
        read = 0

        async def limited_receive() -> Message:
            nonlocal read
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > limit:
                    raise _TooLarge
            return message

        async def noting_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                out = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    out.setdefault(name, value)
                if "cache-control" not in out:
                    out["Cache-Control"] = "no-store"
            await send(message)

        with traced(traceparent):
            try:
                declared = headers.get("content-length", b"0")
                if not declared.isdigit() or int(declared) > limit:
                    raise _TooLarge
                await self.app(scope, limited_receive, noting_send)
            except Exception as error:
                if status:
                    raise
                response = (
                    _too_large(limit)
                    if isinstance(error, _TooLarge)
                    else await answer_failure(Request(scope), error)
                )
                await response(scope, receive, noting_send)
            finally:
                route = getattr(scope.get("route"), "path", "unmatched")
                # A method is whatever the caller writes: only the known ones become labels.
                method = scope["method"] if scope["method"] in METHODS else "OTHER"
                self.metrics.http_seconds.labels(self.service, method, route, status).observe(
                    time.perf_counter() - started
                )

    def _limit(self, path: str) -> int:
        larger: dict[str, int] = self.state.state.larger_bodies
        longest = max((prefix for prefix in larger if path.startswith(prefix)), key=len, default=None)
        return MAX_BODY if longest is None else larger[longest]


def _too_large(limit: int) -> Response:
    return Problem(
        413,
        f"The request is larger than {limit // 1024} KiB",
        kind="/problems/too-large",
        errors=[{"pointer": "", "detail": f"at most {limit} bytes are accepted here"}],
        headers={"Connection": "close"},
    ).response()

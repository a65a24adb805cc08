"""All four services under one origin: requests go by path to the service that answers there."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.metrics import Metrics
from shared.service import Service

PREFIXES = (
    ("/api/needs", "intake"),
    ("/api/candidates", "intake"),
    ("/needs", "intake"),
    ("/candidates", "intake"),
    ("/api/rank", "matching"),
    ("/api/preview", "matching"),
    ("/api/shortlists", "matching"),
    ("/desk", "notifier"),
    ("/mail", "notifier"),
    ("/api/consultants", "notifier"),
    ("/api/deliveries", "notifier"),
)
"""Path prefix -> service; everything else is catalog's. The ingress of deploy/k8s says the same."""


class Together:
    """An ASGI application made of the four. `/<service>/livez` and the like reach one of them."""

    def __init__(self, apps: Mapping[str, FastAPI], metrics: Metrics) -> None:
        self._apps = apps
        self._services: dict[str, Service] = {name: app.state.service for name, app in apps.items()}
        self._front = FastAPI(lifespan=self._lifespan, docs_url=None, redoc_url=None, openapi_url=None)
        self._front.add_api_route("/livez", self._livez)
        self._front.add_api_route("/readyz", self._readyz)
        self._front.add_api_route("/metrics", self._metrics)
        self._shared_metrics = metrics

    @property
    def services(self) -> Mapping[str, Service]:
        return self._services

    def app_of(self, name: str) -> FastAPI:
        return self._apps[name]

    def missing(self) -> dict[str, dict[str, str]]:
        """What keeps each service from being ready; empty means all are."""
        return {name: found for name, service in self._services.items() if (found := service.missing())}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app, scope = self._route(scope)
        await app(scope, receive, send)

    def _route(self, scope: Scope) -> tuple[ASGIApp, Scope]:
        path = scope.get("path", "")
        if scope["type"] == "lifespan" or path in {"/livez", "/readyz", "/metrics"}:
            return self._front, scope
        first, _, rest = path.lstrip("/").partition("/")
        if first in self._apps and rest in {"livez", "readyz", "metrics", "docs", "openapi.json"}:
            # root_path makes the docs page look for its openapi.json under the same prefix.
            return self._apps[first], {**scope, "root_path": f"/{first}"}
        for prefix, name in PREFIXES:
            if path == prefix or path.startswith(f"{prefix}/"):
                return self._apps[name], scope
        return self._apps["catalog"], scope

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for app in self._apps.values():
                await stack.enter_async_context(app.router.lifespan_context(app))
            yield

    async def _livez(self) -> Response:
        ended = {name: service.ended() for name, service in self._services.items() if service.ended()}
        return JSONResponse({"alive": not ended, "ended": ended}, status_code=503 if ended else 200)

    async def _readyz(self) -> Response:
        found = self.missing()
        away = {name: noticed for name, service in self._services.items() if (noticed := service.noticed())}
        body = {"ready": not found, "missing": found, "away": away}
        return JSONResponse(body, status_code=503 if found else 200)

    async def _metrics(self) -> Response:
        for service in self._services.values():
            service.note_readiness()
        return Response(
            self._shared_metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

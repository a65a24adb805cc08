"""Who is calling: API keys, and addresses for the rate limits of what is open to all."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

from shared.settings import Misconfigured
from shared.tokens import BadToken, Tokens
from shared.web.problems import Problem

KEY_PURPOSE = "api-key"
_ADDRESSES = 50_000


@dataclass(frozen=True)
class Caller:
    """A machine caller. An owner sees what is its own; `*` among the scopes sees all."""

    owner: str
    scopes: frozenset[str]

    def allows(self, scope: str) -> bool:
        return "*" in self.scopes or scope in self.scopes


def caller_of(request: Request) -> Caller | None:
    """The caller whose key came with the request, None without one. Raises a 401 problem for a bad key."""
    # A route and what it depends on ask alike: the signature is looked at once.
    if not hasattr(request.state, "caller"):
        request.state.caller = _caller_of(request)
    caller: Caller | None = request.state.caller
    return caller


def _caller_of(request: Request) -> Caller | None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if not kind:
        return None
    if kind.lower() != "bearer":
        raise _unauthorized("Authorization must be: Bearer <key>")
    tokens: Tokens = request.app.state.service.tokens
    try:
        claims = tokens.verify(token.strip(), KEY_PURPOSE)
    except BadToken as error:
        raise _unauthorized(f"The key is not accepted: {error}") from error
    return Caller(claims.subject, claims.scopes)


def requires(scope: str) -> Callable[[Request], Caller]:
    """A FastAPI dependency: the caller's key must carry `scope`. 401 without a key, 403 without the scope."""

    def check(request: Request) -> Caller:
        caller = caller_of(request)
        if caller is None:
            raise _unauthorized("A key is needed: Authorization: Bearer <key>")
        if not caller.allows(scope):
            raise Problem(403, f"This key does not carry the scope {scope}", kind="/problems/missing-scope")
        return caller

    return check


def _unauthorized(title: str) -> Problem:
    return Problem(401, title, kind="/problems/unauthorized", headers={"WWW-Authenticate": "Bearer"})


class ClientAddress:
    """Finds the address a request came from. X-Forwarded-For is believed of trusted proxies alone."""

    def __init__(self, trusted_proxies: str) -> None:
        try:
            self._trusted = [
                ipaddress.ip_network(part.strip(), strict=False)
                for part in trusted_proxies.split(",")
                if part.strip()
            ]
        except ValueError as error:
            raise Misconfigured(f"TRUSTED_PROXIES: {error}") from error

    def of(self, request: Request) -> str:
        address = request.client.host if request.client else "unknown"
        forwarded = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",")]
        # From the right: the first address that is not a proxy of ours is the caller's.
        while self._is_proxy(address) and forwarded and forwarded[-1]:
            address = forwarded.pop()
        return address

    def _is_proxy(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)


class RateLimit:
    """A token bucket an address: `burst` at once, then one each `1 / per_second` seconds."""

    def __init__(self, *, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def seconds_to_wait(self, address: str) -> float:
        """0 where the request may pass (and is counted), else how long until one may."""
        now = self._clock()
        level, then = self._buckets.pop(address, (float(self._burst), now))
        level = min(self._burst, level + (now - then) * self._per_second)
        allowed = level >= 1
        self._buckets[address] = (level - 1 if allowed else level, now)
        if len(self._buckets) > _ADDRESSES:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - level) / self._per_second


def rate_limited(limit: RateLimit, addresses: ClientAddress) -> Callable[[Request], None]:
    """A FastAPI dependency: 429 with Retry-After over the limit. Callers with a key are not limited."""

    def check(request: Request) -> None:
        if caller_of(request) is not None:
            return
        wait = limit.seconds_to_wait(addresses.of(request))
        if wait:
            service = request.app.state.service
            service.metrics.rate_limited.labels(service.name, request.url.path).inc()
            raise Problem(
                429,
                "Too many requests from this address; please wait a moment",
                kind="/problems/too-many-requests",
                headers={"Retry-After": str(int(wait) + 1)},
            )

    return check

"""Errors as RFC 9457 problem details (`application/problem+json`)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from shared.log import get_logger
from shared.outage import is_outage, reason

RETRY_AFTER_SECONDS = 5

P = TypeVar("P", bound=BaseModel)


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """An error for the caller. `errors` name bad fields by JSON pointer (RFC 6901)."""

    def __init__(
        self,
        status: int,
        title: str,
        *,
        kind: str = "about:blank",
        detail: str | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.body: dict[str, Any] = {"type": kind, "title": title, "status": status}
        if detail:
            self.body["detail"] = detail
        if errors:
            self.body["errors"] = [dict(error) for error in errors]
        self.body |= extra or {}
        self.headers = dict(headers or {})

    def response(self) -> Response:
        return JSONResponse(
            self.body, self.status, headers=self.headers, media_type="application/problem+json"
        )


def field_problem(*errors: tuple[str, str]) -> Problem:
    """422 for bad fields, each as (JSON pointer, what is wrong with it)."""
    return Problem(
        422,
        "The request has fields that cannot be accepted",
        kind="/problems/invalid-fields",
        errors=[{"pointer": pointer, "detail": detail} for pointer, detail in errors],
    )


def not_found(what: str) -> Problem:
    return Problem(404, f"There is no such {what}", kind="/problems/not-found")


def unavailable(detail: str) -> Problem:
    """503 with Retry-After: nothing was kept, and trying again later will help."""
    return Problem(
        503,
        "This cannot be done right now; nothing was stored. Please try again",
        kind="/problems/unavailable",
        detail=detail,
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def pointer_of(location: Iterable[Any]) -> str:
    """The JSON pointer of a pydantic error's location."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)


def as_field_errors(error: ValidationError) -> list[tuple[str, str]]:
    """Pydantic's errors as (pointer, what is wrong), without the values that were sent."""
    return [
        (pointer_of(found["loc"]), _plain(found["msg"], found["type"]))
        for found in error.errors(include_input=False, include_url=False, include_context=False)
    ]


def _plain(message: str, kind: str) -> str:
    if kind == "extra_forbidden":
        return "there is no such field"
    return message.removeprefix("Value error, ").removeprefix("Assertion failed, ")


def parse_json(body: bytes, model: type[P]) -> P:
    """Read a request's body as `model`. Raises a 400 problem for bad JSON, 422 for bad fields."""
    try:
        # json.loads first: pydantic's own parser reports a syntax error as a field error.
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        where = (
            f" at line {error.lineno} column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        )
        raise Problem(
            400,
            f"The body is not JSON{where}",
            kind="/problems/not-json",
            errors=[{"pointer": "", "detail": "the body must be a JSON object in UTF-8"}],
        ) from error
    try:
        return model.model_validate_json(body) if isinstance(content, dict) else model.model_validate(content)
    except ValidationError as error:
        raise field_problem(*as_field_errors(error)) from error


async def _on_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for it alone
    return error.response()


async def _on_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it alone
    errors = [
        (
            pointer_of(found["loc"][1:]) if found["loc"][:1] == ("body",) else str(found["loc"][-1]),
            found["msg"],
        )
        for found in error.errors()
    ]
    return field_problem(*errors).response()


async def _on_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    return Problem(error.status_code, str(error.detail), headers=error.headers).response()


async def _on_other(request: Request, error: Exception) -> Response:
    service = request.app.state.service.name
    if is_outage(error):
        # The route, not the path: a path can hold a token.
        route = getattr(request.scope.get("route"), "path", "unmatched")
        get_logger(service).warning("request_refused", route=route, why=reason(error))
        return unavailable("A part of the service is away").response()
    get_logger(service).error("request_failed", exc_info=error)
    return Problem(500, "Something went wrong on our side", kind="/problems/internal").response()


HANDLERS = {
    Problem: _on_problem,
    RequestValidationError: _on_invalid,
    HTTPException: _on_http,
}
"""Exception class -> handler; what none of them takes goes to `answer_failure`."""

answer_failure = _on_other

"""The body of POST /api/candidates: JSON, or multipart with the same JSON in `profile` and a file in `cv`."""

from typing import Any, Final, NamedTuple

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.types import Message

from services.intake.domain.candidate import CandidateRequest
from services.intake.files import FILE_BYTES
from shared.web.docs import schema_of
from shared.web.middleware import MAX_BODY
from shared.web.problems import Problem, field_problem

UPLOAD_BYTES: Final = FILE_BYTES + MAX_BODY + 64 * 1024
"""The largest multipart body: the file, the profile, and what lies between."""
DRAINED_BYTES: Final = 64 * 1024 * 1024
"""A larger body than is accepted is read up to here and dropped: most clients send all before they listen."""
_PARTS = frozenset({"profile", "cv"})
_SCHEMA = schema_of(CandidateRequest)
OPENAPI: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _SCHEMA},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["profile"],
                    "properties": {
                        "profile": _SCHEMA,
                        "cv": {
                            "type": "string",
                            "contentMediaType": "application/octet-stream",
                            "description": "A PDF, a DOCX or a text file, known by its content; up to 10 MB",
                        },
                    },
                },
                "encoding": {"profile": {"contentType": "application/json"}},
            },
        },
    }
}


class Sent(NamedTuple):
    """A profile as JSON, and the file that came with it."""

    profile: bytes
    cv: bytes | None = None
    cv_name: str = "cv"


async def read_sent(request: Request) -> Sent:
    """Raises a problem: 400 for what is no such body, 413 for one that is too large, 422 for other parts."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        return Sent(await _bounded(request, MAX_BODY).body())
    # Larger parts than a megabyte wait in a temporary file, not in memory.
    async with _bounded(request, UPLOAD_BYTES).form(
        max_files=2, max_fields=2, max_part_size=MAX_BODY
    ) as form:
        parts = form.multi_items()
        for name, _ in parts:
            if name not in _PARTS:
                raise field_problem((f"/{name}", "there is no such part: profile and cv are accepted"))
        if len({name for name, _ in parts}) < len(parts):
            raise field_problem(("", "each part comes once"))
        found = {name: await _content(name, part) for name, part in parts}
    if "profile" not in found:
        raise field_problem(("/profile", "the candidate's JSON is required in this part"))
    cv_name, cv = found.get("cv", ("", b""))
    if not cv and not cv_name:
        return Sent(found["profile"][1])  # a form whose file was not chosen
    return Sent(found["profile"][1], cv, cv_name or "cv")


async def _content(name: str, part: UploadFile | str) -> tuple[str, bytes]:
    """A part's file name and bytes."""
    if isinstance(part, str):
        return "", part.encode()
    limit = FILE_BYTES if name == "cv" else MAX_BODY
    if (part.size or 0) > limit:
        raise _too_large(limit, f"/{name}")
    return part.filename or "", await part.read()


def _bounded(request: Request, limit: int) -> Request:
    """The request, whose body raises a 413 problem past `limit` bytes, once what else comes was dropped."""
    size = 0

    async def receive() -> Message:
        nonlocal size
        message = await request.receive()
        size += len(message.get("body", b""))
        if size <= limit:
            return message
        while message.get("more_body"):
            message = await request.receive()
        raise _too_large(limit, "")

    return Request(request.scope, receive)


def _too_large(limit: int, pointer: str) -> Problem:
    return Problem(
        413,
        "The file is too large" if pointer else "The request is too large",
        kind="/problems/too-large",
        errors=[{"pointer": pointer, "detail": f"at most {limit:,} bytes are accepted here"}],
        headers={"Connection": "close"},
    )

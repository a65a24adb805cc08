"""A form with a file, as it is posted: bounded here, so that who sends too much gets a page saying so."""

from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.types import Message

from services.intake.posted import FormTooLarge, texts_of

READ_AT_MOST = 24 * 1024 * 1024
"""A larger body is not read to its end. What is larger than a CV may be is refused by whoever reads it."""
_MAX_FIELDS = 900


@dataclass(frozen=True)
class PostedFile:
    name: str
    content: bytes


async def read_upload(request: Request) -> tuple[list[tuple[str, str]], PostedFile | None]:
    """The fields in their order, and the file where one was chosen.

    Raises FormTooLarge, or HTTPException for what is no form of ours.
    """
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared[:20]) > READ_AT_MOST:
        raise FormTooLarge
    size = 0
    receive = request.receive

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > READ_AT_MOST:
            raise FormTooLarge
        return message

    async with Request(request.scope, counted).form(max_fields=_MAX_FIELDS, max_files=1) as form:
        fields = texts_of(form)
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        content = await files[0].read() if files else b""
        # A browser sends an empty file where none was chosen.
        chosen = bool(files) and bool(content or files[0].filename)
        return fields, PostedFile(files[0].filename or "cv", content) if chosen else None

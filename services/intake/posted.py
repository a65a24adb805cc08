"""A form as it is posted: bounded here, so that a person whose form is refused gets a page that says so."""

from fastapi import Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.types import Message

from shared.web.middleware import MAX_BODY

NO_LIMIT = 2**62
"""For the path of the form in `larger_bodies`: this module judges its size."""
_MAX_FIELDS = 600
_READ_AT_MOST = 16 * MAX_BODY
"""A larger body is not read to its end; a smaller one is, as browsers send all before showing an answer."""


class FormTooLarge(Exception):  # noqa: N818 - what happened
    """The form has more bytes than any filled-in one could."""


async def read_form(request: Request) -> list[tuple[str, str]]:
    """The fields in their order. Raises FormTooLarge, or HTTPException for what is no form of ours."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared[:20]) > _READ_AT_MOST:
        raise FormTooLarge
    size = 0
    receive = request.receive

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        while size > MAX_BODY:
            if size > _READ_AT_MOST or not message.get("more_body"):
                raise FormTooLarge
            message = await receive()
            size += len(message.get("body", b""))
        return message

    form = await Request(request.scope, counted).form(max_fields=_MAX_FIELDS, max_files=0)
    return texts_of(form)


def texts_of(form: FormData) -> list[tuple[str, str]]:
    """The fields that are no files. Raises HTTPException for lone surrogates, which nothing stores."""
    found = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    if any("\ud800" <= char <= "\udfff" for pair in found for text in pair for char in text):
        raise HTTPException(400, "The form holds characters that are none")
    return found

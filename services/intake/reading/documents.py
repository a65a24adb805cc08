"""A file's text, typed by its content: never by a name or a declared type."""

from dataclasses import replace

from services.intake.domain.fields import free_text
from services.intake.reading.docx import read_docx
from services.intake.reading.found import CvDocument, Unreadable, UnreadableKind
from services.intake.reading.pdf import MAX_CHARACTERS, read_pdf
from services.intake.reading.plain import read_plain

MAX_BYTES = 10 * 1024 * 1024
_PDF_HEAD = 1024
"""A PDF may begin with other bytes: readers look for its mark among the first 1,024 (ISO 32000-1, H.3)."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")


def extract(data: bytes) -> CvDocument:
    """The file's text in reading order. Raises Unreadable."""
    if len(data) > MAX_BYTES:
        raise Unreadable(UnreadableKind.TOO_LARGE)
    if not data.strip():
        raise Unreadable(UnreadableKind.EMPTY)
    if b"%PDF-" in data[:_PDF_HEAD]:
        found = read_pdf(data)
    elif data.startswith(b"PK\x03\x04"):
        found = read_docx(data)
    elif data.startswith(_OLE):
        # Word writes a document with a password as an OLE file around the encrypted package.
        locked = _ENCRYPTED_PACKAGE in data
        raise Unreadable(UnreadableKind.ENCRYPTED if locked else UnreadableKind.UNSUPPORTED)
    else:
        found = read_plain(data)
    return replace(found, text=_clean(found.text))


def _clean(text: str) -> str:
    """As the text of a request: no control characters. Raises Unreadable for none and for too much."""
    if len(text) > MAX_CHARACTERS:
        raise Unreadable(UnreadableKind.TOO_LONG)
    clean = free_text(MAX_CHARACTERS)(text)
    if not any(char.isalnum() for char in clean):
        raise Unreadable(UnreadableKind.EMPTY)
    return clean

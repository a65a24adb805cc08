"""A text file's text."""

import codecs

from services.intake.reading.found import CvDocument, DocumentKind, Unreadable, UnreadableKind

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_NO_TEXT = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1b")


def read_plain(data: bytes) -> CvDocument:
    """UTF-8, UTF-16 with its mark, or Windows-1252. Raises Unreadable."""
    coding = next((name for bom, name in _BOMS if data.startswith(bom)), None)
    if coding is None and (data.startswith(b"{\\rtf") or any(byte in _NO_TEXT for byte in set(data[:65536]))):
        raise Unreadable(UnreadableKind.UNSUPPORTED)
    for name in [coding] if coding else ["utf-8", "cp1252"]:
        try:
            return CvDocument(data.decode(name), DocumentKind.TEXT)
        except UnicodeDecodeError:
            continue
    raise Unreadable(UnreadableKind.UNSUPPORTED)

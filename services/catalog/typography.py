"""French typography: no line begins with a punctuation mark that has a space before it. Pure."""

import re

_TEXT = re.compile(r">[^<]+<")
_BEFORE = re.compile(r" (?=[;:!?»%])")
_AFTER = re.compile(r"(?<=«) ")
_NO_BREAK = "\N{NO-BREAK SPACE}"


def unbroken(page: str) -> str:
    """`page` (HTML) with no-break spaces where French typography has them; attributes stay as they are."""
    return _TEXT.sub(lambda text: _AFTER.sub(_NO_BREAK, _BEFORE.sub(_NO_BREAK, text[0])), page)

"""A PDF's visible text in reading order, with pdfium.

What a person would not see does not count: invisible render modes, tiny or off-page glyphs, and words whose
place on the rendered page shows nothing of them (white on white, covered by something, fully transparent).
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2
import pypdfium2.raw as pdfium

from services.intake.reading.found import CvDocument, DocumentKind, Unreadable, UnreadableKind
from services.intake.reading.layout import Word, in_reading_order, without_repeats

MAX_PAGES = 40
MAX_CHARACTERS = 200_000
HIDDEN = "the file holds hidden text (white, tiny, covered or off the page); it was ignored"
_SMALLEST_GLYPH = 2.0
_INVISIBLE_MODES = frozenset({pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP})
_MOST_PIXELS = 4_000_000
_CONTRAST = 20
"""Grey levels of 255 between a word and its ground below which nobody reads it."""
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
_NO_PASSWORD = 4


@dataclass(frozen=True)
class _Style:
    """What the glyphs of one text object share. `grey` is the luminance of the fill, 0 to 255."""

    invisible: bool
    grey: float


def read_pdf(data: bytes) -> CvDocument:
    """Raises Unreadable."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) == _NO_PASSWORD or "password" in str(error).lower()
        raise Unreadable(UnreadableKind.ENCRYPTED if locked else UnreadableKind.BROKEN) from error
    try:
        if len(document) > MAX_PAGES:
            raise Unreadable(UnreadableKind.TOO_LONG)
        pages, hidden, pictures = _pages(document)
    finally:
        document.close()
    text = "\n\n".join(without_repeats(pages))
    if not any(char.isalnum() for char in text):
        raise Unreadable(UnreadableKind.SCANNED if pictures or hidden else UnreadableKind.EMPTY)
    if len(text) > MAX_CHARACTERS:
        raise Unreadable(UnreadableKind.TOO_LONG)
    return CvDocument(text, DocumentKind.PDF, (HIDDEN,) if hidden else (), len(pages))


def _pages(document: pypdfium2.PdfDocument) -> tuple[list[list[str]], bool, bool]:
    """The lines of each page; whether any text was hidden, whether there are pictures."""
    pages: list[list[str]] = []
    hidden = pictures = False
    glyphs = 0
    for number in range(len(document)):
        try:
            page = document[number]
        except pypdfium2.PdfiumError as error:
            raise Unreadable(UnreadableKind.BROKEN) from error
        textpage = page.get_textpage()
        glyphs += textpage.count_chars()
        if glyphs > 2 * MAX_CHARACTERS:
            raise Unreadable(UnreadableKind.TOO_LONG)
        words, some_hidden = _visible(page, list(_words(page, textpage)))
        pages.append(in_reading_order(words))
        hidden = hidden or some_hidden
        pictures = pictures or any(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3))
        textpage.close()
        page.close()
    return pages, hidden, pictures


def _words(page: pypdfium2.PdfPage, textpage: pypdfium2.PdfTextPage) -> Iterator[tuple[Word, _Style]]:
    """Runs of glyphs that stand side by side on one baseline, in the order of the content stream."""
    left, bottom, right, top = page.get_cropbox()
    raw = textpage.raw
    styles: dict[int, _Style] = {}
    rect = pdfium.FS_RECTF()
    characters: list[str] = []
    box: list[float] = []
    style = _Style(invisible=False, grey=0)
    for index in range(textpage.count_chars()):
        code = pdfium.FPDFText_GetUnicode(raw, index)
        char = "-" if code == 2 else chr(code) if code < 0x110000 else ""  # 2: a hyphen at a line's end
        pdfium.FPDFText_GetLooseCharBox(raw, index, ctypes.byref(rect))
        x0, y0, x1, y1 = rect.left, rect.bottom, rect.right, rect.top
        size = y1 - y0
        blank = char.isspace() or not char or (code < 32 and code != 2)
        apart = bool(box) and (
            abs(y0 - box[1]) > 0.4 * max(size, box[3] - box[1])
            or x0 - box[2] > 0.22 * size
            or x0 < box[2] - 0.7 * max(size, 1)
        )
        if characters and (blank or apart):
            yield Word("".join(characters), *box), style
            characters, box = [], []
        if blank:
            continue
        here = _style_of(raw, index, styles)
        outside = x1 <= left or x0 >= right or y1 <= bottom or y0 >= top
        if outside or size < _SMALLEST_GLYPH:
            here = _Style(invisible=True, grey=0)
        if characters and here != style:
            yield Word("".join(characters), *box), style
            characters, box = [], []
        style = here
        characters.append(_LIGATURES.get(char, char))
        box = (
            [min(box[0], x0), min(box[1], y0), max(box[2], x1), max(box[3], y1)] if box else [x0, y0, x1, y1]
        )
    if characters:
        yield Word("".join(characters), *box), style


def _style_of(raw: pdfium.FPDF_TEXTPAGE, index: int, known: dict[int, _Style]) -> _Style:
    holder = pdfium.FPDFText_GetTextObject(raw, index)
    key = ctypes.cast(holder, ctypes.c_void_p).value or 0
    if key not in known:
        colour = [ctypes.c_uint() for _ in range(4)]
        pdfium.FPDFPageObj_GetFillColor(holder, *(ctypes.byref(part) for part in colour))
        red, green, blue, alpha = (part.value for part in colour)
        mode = pdfium.FPDFTextObj_GetTextRenderMode(holder)
        invisible = mode in _INVISIBLE_MODES or alpha < _CONTRAST
        known[key] = _Style(invisible, 0.299 * red + 0.587 * green + 0.114 * blue)
    return known[key]


def _visible(page: pypdfium2.PdfPage, words: list[tuple[Word, _Style]]) -> tuple[list[Word], bool]:
    """The words that the rendered page shows, and whether there were others."""
    if not words:
        return [], False
    width, height = page.get_size()
    scale = min(1.0, (_MOST_PIXELS / max(width * height, 1)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True, may_draw_forms=False)
    picture = _Picture(bytes(bitmap.buffer), bitmap.width, bitmap.height, bitmap.stride, scale)
    left, _, _, top = page.get_cropbox()
    seen = [
        word
        for word, style in words
        if not style.invisible
        and picture.shows(word.x0 - left, top - word.y1, word.x1 - left, top - word.y0, style.grey)
    ]
    bitmap.close()
    hidden = any(char.isalnum() for word, _ in words for char in word.text) and len(seen) < len(words)
    return seen, hidden


@dataclass(frozen=True)
class _Picture:
    """The page as drawn, a byte of grey a pixel."""

    pixels: bytes
    width: int
    height: int
    stride: int
    scale: float

    def shows(self, x0: float, y0: float, x1: float, y1: float, grey: float) -> bool:
        """Whether something stands out in this box (points, from the top left), in a colour that may."""
        left, right = max(0, int(x0 * self.scale) - 1), min(self.width, int(x1 * self.scale) + 2)
        upper, lower = max(0, int(y0 * self.scale) - 1), min(self.height, int(y1 * self.scale) + 2)
        if left >= right or upper >= lower:
            return False
        rows = [self.pixels[y * self.stride + left : y * self.stride + right] for y in range(upper, lower)]
        edge = rows[0] + rows[-1] + bytes(row[0] for row in rows) + bytes(row[-1] for row in rows)
        ground = max(set(edge), key=edge.count)
        if abs(grey - ground) < _CONTRAST:
            return False
        return any(abs(value - ground) >= _CONTRAST for row in rows for value in (min(row), max(row)))

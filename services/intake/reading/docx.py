"""A Word document's visible text in order: body, tables, text boxes, headers and footers.

Its XML is read as it is, with limits set before anything is inflated and no DTD or entity allowed.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from services.intake.reading.found import CvDocument, DocumentKind, Unreadable, UnreadableKind

MAX_INFLATED = 80 * 1024 * 1024
MAX_XML = 8 * 1024 * 1024
MAX_RATIO = 200
MAX_ENTRIES = 5000
HIDDEN = "the file holds hidden text (white, tiny or marked as hidden); it was ignored"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_BODY = "word/document.xml"
_SMALLEST_HALF_POINTS = 4
_LIGHT = re.compile(r"[fF][a-fA-F0-9]{1}[fF][a-fA-F0-9]{1}[fF][a-fA-F0-9]{1}")
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, UnicodeDecodeError)
_OFF = frozenset({"0", "false", "off"})


def read_docx(data: bytes) -> CvDocument:
    """Raises Unreadable."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(archive)
    except (*_DAMAGED, ParseError, KeyError, EOFError, OSError) as error:
        raise Unreadable(UnreadableKind.BROKEN) from error
    except DefusedXmlException as error:
        raise Unreadable(UnreadableKind.BOMB) from error
    except RuntimeError as error:
        # What zipfile raises for an entry with a password.
        raise Unreadable(UnreadableKind.ENCRYPTED) from error


def _read(archive: zipfile.ZipFile) -> CvDocument:
    _weigh(archive)
    names = archive.namelist()
    if _BODY not in names:
        raise Unreadable(UnreadableKind.UNSUPPORTED)
    reader = _Reader(_styles(archive) if "word/styles.xml" in names else {})
    heads = sorted(name for name in names if re.fullmatch(r"word/header\d*\.xml", name))
    feet = sorted(name for name in names if re.fullmatch(r"word/footer\d*\.xml", name))
    lines: dict[str, None] = {}
    head = [line for name in heads for line in reader.lines(fromstring(archive.read(name)))]
    body = list(reader.lines(fromstring(archive.read(_BODY))))
    foot = [line for name in feet for line in reader.lines(fromstring(archive.read(name)))]
    # First page, other pages, even pages: a header may come three times.
    lines = dict.fromkeys(line for line in head if line.strip())
    tail = dict.fromkeys(line for line in foot if line.strip() and line not in lines)
    text = "\n".join((*lines, *body, *tail))
    if not any(char.isalnum() for char in text):
        pictures = any(name.startswith("word/media/") for name in names)
        raise Unreadable(UnreadableKind.SCANNED if pictures else UnreadableKind.EMPTY)
    return CvDocument(text, DocumentKind.DOCX, (HIDDEN,) if reader.hidden else ())


def _weigh(archive: zipfile.ZipFile) -> None:
    """By what the directory declares: zipfile inflates no entry beyond that."""
    entries = archive.infolist()
    inflated = sum(one.file_size for one in entries)
    packed = sum(one.compress_size for one in entries)
    xml = max((one.file_size for one in entries if one.filename.endswith(".xml")), default=0)
    if inflated > MAX_INFLATED or xml > MAX_XML or len(entries) > MAX_ENTRIES:
        raise Unreadable(UnreadableKind.BOMB)
    if inflated > 1024 * 1024 and inflated > MAX_RATIO * max(packed, 1):
        raise Unreadable(UnreadableKind.BOMB)
    if any(one.flag_bits & 1 for one in entries):
        raise Unreadable(UnreadableKind.ENCRYPTED)


def _styles(archive: zipfile.ZipFile) -> dict[str, Element]:
    """The run properties of each style, by its id."""
    found = {}
    for style in fromstring(archive.read("word/styles.xml")).iter(f"{_W}style"):
        properties = style.find(f"{_W}rPr")
        if properties is not None:
            found[style.get(f"{_W}styleId", "")] = properties
    return found


class _Reader:
    def __init__(self, styles: dict[str, Element]) -> None:
        self._styles = styles
        self.hidden = False

    def lines(self, root: Element, *, shaded: bool = False) -> Iterator[str]:
        """The lines of a body, a cell, a text box, a header: paragraphs and tables in order."""
        for child in root:
            if child.tag == f"{_W}p":
                yield from self._paragraph(child, shaded=shaded)
            elif child.tag == f"{_W}tbl":
                yield from self._table(child, shaded=shaded)
            elif child.tag != _FALLBACK:
                yield from self.lines(child, shaded=shaded)

    def _paragraph(self, paragraph: Element, *, shaded: bool) -> Iterator[str]:
        properties = paragraph.find(f"{_W}pPr")
        shaded = shaded or _is_shaded(properties)
        style = properties.find(f"{_W}pStyle") if properties is not None else None
        inherited = self._styles.get(style.get(f"{_W}val", "")) if style is not None else None
        listed = properties is not None and properties.find(f"{_W}numPr") is not None
        boxes: list[Element] = []
        text = "".join(self._runs(paragraph, inherited, boxes, shaded=shaded))
        yield f"• {text}" if listed and text.strip() else text
        for box in boxes:
            # A box may be filled with any colour: white letters in it are no sign of hiding.
            yield from self.lines(box, shaded=True)

    def _runs(
        self, element: Element, inherited: Element | None, boxes: list[Element], *, shaded: bool
    ) -> Iterator[str]:
        for child in element:
            if child.tag == f"{_W}r":
                yield from self._run(child, inherited, boxes, shaded=shaded)
            elif child.tag not in {f"{_W}pPr", f"{_W}del", _FALLBACK}:
                yield from self._runs(child, inherited, boxes, shaded=shaded)

    def _run(
        self, run: Element, inherited: Element | None, boxes: list[Element], *, shaded: bool
    ) -> Iterator[str]:
        parts = []
        for child in run.iter():
            if child.tag == f"{_W}t":
                parts.append(child.text or "")
            elif child.tag in {f"{_W}tab", f"{_W}ptab"}:
                parts.append("\t")
            elif child.tag in {f"{_W}br", f"{_W}cr"}:
                parts.append("\n")
            elif child.tag == f"{_W}noBreakHyphen":
                parts.append("-")
            elif child.tag == f"{_W}txbxContent":
                break
        box = next((one for one in _boxes(run)), None)
        if box is not None:
            boxes.append(box)
        text = "".join(parts)
        if text.strip() and self._unseen(run.find(f"{_W}rPr"), inherited, shaded=shaded):
            self.hidden = True
            return
        yield text

    def _unseen(self, own: Element | None, inherited: Element | None, *, shaded: bool) -> bool:
        character = own.find(f"{_W}rStyle") if own is not None else None
        styled = self._styles.get(character.get(f"{_W}val", "")) if character is not None else None
        found: dict[str, Element] = {}
        for properties in (own, styled, inherited):
            for child in properties if properties is not None else ():
                found.setdefault(child.tag.removeprefix(_W), child)
        vanish = found.get("vanish")
        if vanish is not None and vanish.get(f"{_W}val", "1") not in _OFF:
            return True
        size = found["sz"].get(f"{_W}val", "") if "sz" in found else ""
        if size.isdigit() and int(size) < _SMALLEST_HALF_POINTS:
            return True
        colour = found["color"].get(f"{_W}val", "") if "color" in found else ""
        lit = shaded or "highlight" in found or _filled(found.get("shd"))
        return bool(_LIGHT.fullmatch(colour)) and not lit

    def _table(self, table: Element, *, shaded: bool) -> Iterator[str]:
        """A row of short cells is one line; cells of several lines are read one after the other."""
        # Not `iter`, which would read the rows of tables in cells twice.
        wrapped = table.findall(f"{_W}sdt/{_W}sdtContent/{_W}tr")
        for row in (*table.findall(f"{_W}tr"), *wrapped):
            cells = []
            for cell in row.findall(f"{_W}tc"):
                filled = shaded or _is_shaded(cell.find(f"{_W}tcPr"))
                cells.append([line for line in self.lines(cell, shaded=filled) if line.strip()])
            cells = [cell for cell in cells if cell]
            if not cells:
                continue
            if len(cells[0]) == 1 and len(cells[0][0]) <= 40:
                yield "\t".join(cell[0] for cell in cells if len(cell) == 1 or cell is cells[-1])
                yield from (line for cell in cells[1:-1] if len(cell) > 1 for line in cell)
                yield from cells[-1][1:] if len(cells) > 1 else ()
            else:
                yield from (line for cell in cells for line in cell)


def _boxes(run: Element) -> Iterator[Element]:
    """Text boxes of a run; the older form that repeats one for older versions of Word is left out."""
    for child in run:
        if child.tag == f"{_W}txbxContent":
            yield child
        elif child.tag != _FALLBACK:
            yield from _boxes(child)


def _is_shaded(properties: Element | None) -> bool:
    return properties is not None and _filled(properties.find(f"{_W}shd"))


def _filled(shading: Element | None) -> bool:
    fill = shading.get(f"{_W}fill", "auto") if shading is not None else "auto"
    return fill.lower() not in {"auto", "ffffff"}

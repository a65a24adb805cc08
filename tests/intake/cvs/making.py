"""Files in the layouts of real life, made of texts: PDF with reportlab, DOCX with its own XML."""

import io
from collections.abc import Sequence
from typing import Any

import docx
from PIL import Image, ImageDraw
from reportlab.lib import colors
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    FrameBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

WIDTH, HEIGHT = A4
BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=9.5, leading=12)
JUSTIFIED = ParagraphStyle("justified", parent=BODY, alignment=TA_JUSTIFY)
WHITE = ParagraphStyle("white", parent=BODY, textColor=colors.white)
HEADING = ParagraphStyle("heading", parent=BODY, fontName="Helvetica-Bold", fontSize=12, leading=18)


def flowing(text: str, style: ParagraphStyle = BODY) -> list[Flowable]:
    """A line a paragraph; `# ` begins a heading, a blank line is some white."""
    found: list[Flowable] = []
    for line in text.strip("\n").split("\n"):
        if not line.strip():
            found.append(Spacer(1, 8))
        elif line.startswith("# "):
            heading = ParagraphStyle("h", parent=HEADING, textColor=style.textColor)
            found.append(Paragraph(_escaped(line[2:]), heading))
        else:
            found.append(Paragraph(_escaped(line), style))
    return found


def one_column(text: str, *, footer: str | None = None, style: ParagraphStyle = BODY) -> bytes:
    frame = Frame(50, 50, WIDTH - 100, HEIGHT - 100)
    return _built([frame], flowing(text, style), footer=footer)


def two_columns(head: str, left: str, right: str, *, dark: bool = False, narrow: float = 170) -> bytes:
    """A head over the whole width, then two columns; `dark` paints the left one, with white letters."""
    low = HEIGHT - 130
    frames = [
        Frame(50, low, WIDTH - 100, 90, id="head"),
        Frame(30, 40, narrow, low - 40, id="left"),
        Frame(narrow + 50, 40, WIDTH - narrow - 80, low - 40, id="right"),
    ]

    def paint(canvas: Canvas, _: Any) -> None:
        if dark:
            canvas.setFillColor(colors.HexColor("#1d2b3a"))
            canvas.rect(20, 30, narrow + 15, low - 20, stroke=0, fill=1)

    story = [
        *flowing(head),
        FrameBreak(),
        *flowing(left, WHITE if dark else BODY),
        FrameBreak(),
        *flowing(right),
    ]
    return _built(frames, story, paint=paint)


def table(head: str, rows: Sequence[Sequence[str]], widths: Sequence[float], tail: str = "") -> bytes:
    cells = [[flowing(cell) for cell in row] for row in rows]
    grid = Table(cells, colWidths=list(widths), style=TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP")]))
    frame = Frame(50, 50, WIDTH - 100, HEIGHT - 100)
    return _built([frame], [*flowing(head), grid, *(flowing(tail) if tail else [])])


def drawn(draw: Any) -> bytes:
    """One page that `draw(canvas)` fills."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4)
    draw(canvas)
    canvas.save()
    return target.getvalue()


def scanned(text: str) -> bytes:
    """A page that is a picture of text."""
    picture = Image.new("L", (1000, 1400), 255)
    ImageDraw.Draw(picture).multiline_text((80, 80), text, fill=0)

    def draw(canvas: Canvas) -> None:
        canvas.drawImage(ImageReader(picture), 0, 0, WIDTH, HEIGHT)

    return drawn(draw)


def word(text: str, *, tables: Sequence[Sequence[Sequence[str]]] = (), header: str | None = None) -> bytes:
    """A DOCX: `# ` begins a heading, `- ` an item, `[table]` stands where the next table goes."""
    document = docx.Document()
    waiting = list(tables)
    if header:
        document.sections[0].header.paragraphs[0].text = header
    for line in text.strip("\n").split("\n"):
        if line.startswith("# "):
            document.add_heading(line[2:], level=1)
        elif line.startswith("- "):
            document.add_paragraph(line[2:], style="List Bullet")
        elif line == "[table]":
            rows = waiting.pop(0)
            grid = document.add_table(rows=0, cols=len(rows[0]))
            for row in rows:
                for cell, content in zip(grid.add_row().cells, row, strict=True):
                    cell.text = content
        else:
            document.add_paragraph(line)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;")


def _built(
    frames: list[Frame], story: list[Flowable], *, footer: str | None = None, paint: Any = None
) -> bytes:
    target = io.BytesIO()

    def on_page(canvas: Canvas, document: Any) -> None:
        if paint is not None:
            paint(canvas, document)
        if footer:
            canvas.setFont("Helvetica", 8)
            canvas.drawString(50, 30, footer.format(page=document.page))

    template = PageTemplate(frames=frames, onPage=on_page)
    BaseDocTemplate(target, pagesize=A4, pageTemplates=[template]).build(story)
    return target.getvalue()

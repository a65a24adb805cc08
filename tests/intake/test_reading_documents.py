"""Files into text: the order of real layouts, what nobody sees, and files that are refused."""

import io
import random
import zipfile
from contextlib import suppress
from typing import Any

import docx
import pytest
from docx.shared import Pt, RGBColor
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from services.intake.reading.documents import MAX_BYTES, extract
from services.intake.reading.found import DocumentKind, Unreadable, UnreadableKind
from tests.intake.cvs.making import JUSTIFIED, drawn, one_column, scanned, table, two_columns, word

LEFT = "# Skills\nJava\nKafka\nLinux\nDocker\n# Contact\nsample@example.com"
RIGHT = (
    "# Experience\nBack-end developer – Acme\nMarch 2019 – today\n"
    "Wrote the payment services of a retailer in Java and Spring, with seven other people "
    "in three countries.\n"
    "• Brought Kafka in\n• Moved all of it to containers"
)


def lines(data: bytes) -> list[str]:
    return [line for line in extract(data).text.split("\n") if line.strip()]


@pytest.mark.parametrize("dark", [False, True])
def test_columns_are_read_one_after_the_other(dark: bool) -> None:
    found = lines(two_columns("# Sample Person\nDeveloper", LEFT, RIGHT, dark=dark))
    assert found[:9] == [
        "Sample Person", "Developer", "Skills", "Java", "Kafka", "Linux", "Docker", "Contact",
        "sample@example.com",
    ]  # fmt: skip
    assert found[9:12] == ["Experience", "Back-end developer – Acme", "March 2019 – today"]
    assert found[12].endswith("with seven other people in three countries.")


def test_a_table_of_dates_is_read_row_by_row() -> None:
    rows = [
        ["2019 – 2022", "Java developer\nServices in Java\nKafka"],
        ["2015 – 2018", "PHP developer\nSymfony"],
    ]
    found = lines(table("# Experience", rows, [90, 300]))
    assert found[1] == "2019 – 2022\tJava developer"
    assert found[4] == "2015 – 2018\tPHP developer"


def test_a_table_of_levels_is_read_row_by_row() -> None:
    rows = [["Java", "Expert", "8 years"], ["Kafka", "Good", "3 years"], ["Scala", "Basic", "1 year"]]
    assert lines(table("# Skills", rows, [100, 100, 100]))[1:] == ["\t".join(row) for row in rows]


def test_wrapped_lines_are_one_line_again_and_items_stay_apart() -> None:
    prose = (
        "Wrote services in Java for many years and cared for their operation on several clusters of machines "
        * 3
    )
    found = lines(one_column(f"# Sample Person\n{prose}\n• One\n• Two", style=JUSTIFIED))
    assert found == ["Sample Person", " ".join(prose.split()), "• One", "• Two"]


def test_hyphenated_words_are_whole_again() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(50, 700, "Ten years of work on Kuber-")
        canvas.drawString(50, 686, "netes clusters in large com-")
        canvas.drawString(50, 672, "panies")

    assert lines(drawn(draw)) == ["Ten years of work on Kubernetes clusters in large companies"]


def test_what_stands_on_each_page_stands_once() -> None:
    text = "\n".join(f"# Section {number}\n" + "Word after word. " * 60 for number in range(14))
    document = extract(one_column(text, footer="Sample Person – page {page}"))
    assert document.pages > 1
    assert document.text.count("Sample Person") == 1


def hide(draw: Any) -> str:
    """The text of a page with something visible and what `draw` adds, which has to be flagged."""

    def both(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 10)
        canvas.drawString(50, 750, "Java developer")
        draw(canvas)

    document = extract(drawn(both))
    assert document.warnings
    return document.text


def test_hidden_text_of_a_pdf_is_ignored_and_flagged() -> None:
    def white(canvas: Canvas) -> None:
        canvas.setFillColorRGB(1, 1, 1)
        canvas.drawString(50, 700, "Kubernetes")

    def nearly_white(canvas: Canvas) -> None:
        canvas.setFillColorRGB(0.97, 0.98, 0.97)
        canvas.drawString(50, 700, "Kubernetes")

    def tiny(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 1)
        canvas.drawString(50, 700, "Kubernetes")

    def off_page(canvas: Canvas) -> None:
        canvas.drawString(-300, 700, "Kubernetes")

    def covered(canvas: Canvas) -> None:
        canvas.drawString(50, 700, "Kubernetes")
        canvas.setFillColorRGB(1, 1, 1)
        canvas.rect(40, 690, 200, 30, stroke=0, fill=1)

    def on_its_own_colour(canvas: Canvas) -> None:
        canvas.setFillColorRGB(0.1, 0.3, 0.5)
        canvas.rect(40, 690, 200, 30, stroke=0, fill=1)
        canvas.drawString(50, 700, "Kubernetes")

    def transparent(canvas: Canvas) -> None:
        canvas.setFillAlpha(0)
        canvas.drawString(50, 700, "Kubernetes")

    def invisible(canvas: Canvas) -> None:
        text = canvas.beginText(50, 700)
        text.setTextRenderMode(3)
        text.textLine("Kubernetes")
        canvas.drawText(text)

    for way in (white, nearly_white, tiny, off_page, covered, on_its_own_colour, transparent, invisible):
        assert hide(way) == "Java developer", way.__name__


def test_light_letters_on_a_dark_ground_and_small_grey_ones_are_read() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.rect(0, 600, 600, 300, stroke=0, fill=1)
        canvas.setFillColorRGB(1, 1, 1)
        canvas.drawString(50, 700, "Java")
        canvas.setFillColorRGB(0.6, 0.6, 0.6)
        canvas.setFont("Helvetica", 6)
        canvas.drawString(50, 500, "Kafka")
        canvas.setFont("Helvetica-Bold", 40)
        canvas.drawString(50, 400, "III")

    document = extract(drawn(draw))
    assert document.text.split() == ["Java", "Kafka", "III"]
    assert document.warnings == ()


def test_a_word_document_is_read_in_order_with_tables_lists_and_headers() -> None:
    data = word(
        "# Skills\n[table]\n- First item\nEnd",
        tables=[[["Languages", "Java, Scala"], ["Tools", "Git"]]],
        header="Sample Person",
    )
    document = extract(data)
    assert document.kind is DocumentKind.DOCX
    assert document.text.split("\n") == [
        "Sample Person", "Skills", "Languages\tJava, Scala", "Tools\tGit", "First item", "End",
    ] or document.text.split("\n") == [
        "Sample Person", "Skills", "Languages\tJava, Scala", "Tools\tGit", "• First item", "End",
    ]  # fmt: skip


def test_hidden_text_of_a_word_document_is_ignored_and_flagged() -> None:
    document = docx.Document()
    document.add_paragraph("Java developer")
    hidden = document.add_paragraph()
    hidden.add_run("Kubernetes").font.color.rgb = RGBColor(255, 255, 255)
    hidden.add_run("Scala").font.size = Pt(1)
    hidden.add_run("Rust").font.hidden = True
    target = io.BytesIO()
    document.save(target)
    found = extract(target.getvalue())
    assert found.text == "Java developer"
    assert found.warnings


def boxed(paragraphs: str) -> bytes:
    """A DOCX of this XML, for what python-docx does not write."""
    spaces = (
        'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(
            "word/document.xml", f"<w:document {spaces}><w:body>{paragraphs}</w:body></w:document>"
        )
    return target.getvalue()


def test_a_text_box_is_read_once_and_deleted_words_never() -> None:
    box = "<w:txbxContent><w:p><w:r><w:t>Kafka</w:t></w:r></w:p></w:txbxContent>"
    data = boxed(
        "<w:p><w:r><w:t>Java</w:t></w:r><w:r><mc:AlternateContent>"
        f"<mc:Choice><wps:txbx>{box}</wps:txbx></mc:Choice><mc:Fallback>{box}</mc:Fallback>"
        "</mc:AlternateContent></w:r><w:del><w:r><w:delText>Cobol</w:delText></w:r></w:del></w:p>"
        "<w:sdt><w:sdtContent><w:p><w:ins><w:r><w:t>Python</w:t></w:r></w:ins></w:p></w:sdtContent></w:sdt>"
    )
    assert extract(data).text.split() == ["Java", "Kafka", "Python"]


def test_whatever_is_cut_out_of_a_file_it_is_read_or_refused() -> None:
    digits = random.Random(7)
    for whole in (one_column("# Sample Person\nJava, Kafka"), word("Java\n[table]", tables=[[["a", "b"]]])):
        for _ in range(60):
            damaged = bytearray(whole)
            for _ in range(digits.randint(1, 30)):
                damaged[digits.randrange(20, len(damaged))] = digits.randrange(256)
            if digits.random() < 0.5:
                del damaged[digits.randrange(100, len(damaged)) :]
            with suppress(Unreadable):
                extract(bytes(damaged))


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_files_are_read_whatever_their_coding(coding: str) -> None:
    assert extract("Développeuse, œuvre".encode(coding)).text == "Développeuse, œuvre"


def encrypted() -> bytes:
    target = io.BytesIO()
    canvas = Canvas(target, encrypt=StandardEncryption("secret", ownerPassword="other"))
    canvas.drawString(50, 700, "Java")
    canvas.save()
    return target.getvalue()


def bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b" " * (60 * 1024 * 1024))
    return target.getvalue()


def entities() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        declared = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "ha"}">' for n in range(12))
        archive.writestr("word/document.xml", f"<!DOCTYPE d [{declared}]><d>&a11;</d>")
    return target.getvalue()


def many_pages() -> bytes:
    def draw(canvas: Canvas) -> None:
        for _ in range(60):
            canvas.drawString(50, 700, "Java")
            canvas.showPage()

    return drawn(draw)


REFUSED: list[tuple[UnreadableKind, bytes]] = [
    (UnreadableKind.SCANNED, scanned("Java developer")),
    (UnreadableKind.ENCRYPTED, encrypted()),
    (UnreadableKind.ENCRYPTED, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")),
    (UnreadableKind.BROKEN, b"%PDF-1.7\nnothing of the kind"),
    (UnreadableKind.BROKEN, word("Java")[:2000]),
    (UnreadableKind.TOO_LARGE, b"%PDF-1.7" + b" " * (30 * 1024 * 1024)),
    (UnreadableKind.TOO_LARGE, b"x" * (MAX_BYTES + 1)),
    (UnreadableKind.TOO_LONG, many_pages()),
    (UnreadableKind.TOO_LONG, b"Java " * 50_000),
    (UnreadableKind.BOMB, bomb()),
    (UnreadableKind.BOMB, entities()),
    (UnreadableKind.UNSUPPORTED, b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
    (UnreadableKind.UNSUPPORTED, b"{\\rtf1\\ansi Java}"),
    (UnreadableKind.UNSUPPORTED, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 an old Word document"),
    (UnreadableKind.EMPTY, b" \n\n "),
    (UnreadableKind.EMPTY, drawn(lambda canvas: canvas.showPage())),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "data"), REFUSED, ids=[f"{kind}-{n}" for n, (kind, _) in enumerate(REFUSED)]
)
def test_a_file_that_cannot_be_read_is_refused_with_its_reason_in_both_languages(
    kind: UnreadableKind, data: bytes
) -> None:
    with pytest.raises(Unreadable) as refused:
        extract(data)
    assert refused.value.kind is kind
    assert refused.value.fr != refused.value.en
    assert refused.value.errors == [("/cv", refused.value.en)]


def test_the_type_of_a_file_is_that_of_its_content() -> None:
    assert extract(word("Java")).kind is DocumentKind.DOCX
    assert extract(one_column("Java")).kind is DocumentKind.PDF
    assert extract(b"Java").kind is DocumentKind.TEXT

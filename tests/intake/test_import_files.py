"""What an import makes of files: CSV in many forms, column maps, folders, and reports for spreadsheets."""

import csv
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.intake.import_columns import ColumnMap, Unreadable
from services.intake.import_files import LONGEST_LINE, Item, UnusableFile, folder, json_lines, rows
from services.intake.import_report import Report, cell


def read(file: Path, columns: str | Path | None = None, **extra: Any) -> list[Item]:
    loaded = ColumnMap.load(Path(columns)) if columns is not None else None
    return list(rows(file, loaded, extra, None, None))


def contents(items: list[Item]) -> list[dict[str, Any]]:
    return [json.loads(item.body) for item in items if not item.errors]


HEADER = "external_id;name;skills;years;salary;location.country;languages\n"
ROW = "a-1;Hélène Exemple;Python:4, Java|C++;7,5;45 000 €;FR;fr:c2,en\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_csv_file_is_read_whatever_its_encoding(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "c.csv"
    file.write_bytes((HEADER + ROW).encode(encoding))
    assert contents(read(file)) == [
        {
            "external_id": "a-1",
            "name": "Hélène Exemple",
            "skills": [{"skill": "Python", "level": 4}, {"skill": "Java"}, {"skill": "C++"}],
            "years": 7.5,
            "salary": 45000,
            "location": {"country": "FR"},
            "languages": [{"language": "fr", "level": "C2"}, {"language": "en"}],
        }
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(tmp_path: Path, delimiter: str) -> None:
    file = tmp_path / "c.csv"
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened, delimiter=delimiter)
        writer.writerow(["external_id", "name", "cv_text"])
        writer.writerow(["1", "Sample Person", f"two\nlines, and a {delimiter} in a cell"])
    [one] = contents(read(file))
    assert one["cv_text"] == f"two\nlines, and a {delimiter} in a cell"


def test_bad_rows_are_named_by_the_line_they_begin_on(tmp_path: Path) -> None:
    file = tmp_path / "c.csv"
    lines = ['1,Sample Person,"two', 'lines",', "", "2,A,B,,too many", "3,Other Person,Java,x"]
    file.write_text("external_id,name,skills,years\n" + "\n".join(lines) + "\n")
    items = read(file)
    assert [(item.number, [error["pointer"] for error in item.errors]) for item in items] == [
        (2, []),
        (5, [""]),
        (6, ["/years"]),
    ]
    assert "5 fields, but the header has 4" in items[1].errors[0]["detail"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nom;prénom\n", "no field is called 'nom', 'prénom'"),
        ("name,name\n", "same name"),
        ("skills\nJava\n", "no column for a name or an external_id"),
        ("", "no column for a name"),
    ],
)
def test_a_file_without_usable_columns_is_refused_as_a_whole(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "c.csv"
    file.write_text(text)
    with pytest.raises(UnusableFile, match=why):
        read(file)


def test_both_exports_of_opencats_are_understood_by_the_shipped_map(tmp_path: Path) -> None:
    short, grid = tmp_path / "export.csv", tmp_path / "grid.csv"
    short.write_bytes(
        b"candidateID,lastName,firstName,phoneHome,phoneCell,email1,keySkills\r\n"
        b'"17","Exemple","Sample","","n/a","sample@example.test","Java, SQL; Docker"\r\n'
    )
    # As OpenCATS sends it: a byte order mark that its Content-Length does not count, so the end is cut off.
    grid.write_bytes(
        b"\xef\xbb\xbfFirst Name,Last Name,E-Mail,2nd E-Mail,Home Phone,Cell Phone,Work Phone,Address,City,"
        b"State,Zip,Misc Notes,Web Site,Key Skills,Recent Status,Source,Available,Current Employer,"
        b"Current Pay,Desired Pay,Can Relocate,Owner,Created,Modified,Tags\r\n"
        b'"Sample","Exemple","not an address","","","+33 1 99 00 11 22","","1 rue","Lyon","","69000",'
        b'"says ""C++""","","Java","","fair","12-01-26","","","48,000","No","","01-02-26","2026-01-02","'
    )
    [first] = contents(read(short, "opencats"))
    assert first == {
        "external_id": "opencats-17",
        "name": "Sample Exemple",
        "email": "sample@example.test",
        "skills": [{"skill": "Java"}, {"skill": "SQL"}, {"skill": "Docker"}],
    }
    [item] = read(grid, "opencats", basis={"kind": "consent", "until": "2030-01-01"})
    second = json.loads(item.body)
    assert second.pop("external_id").startswith("import-")
    assert second == {
        "basis": {"kind": "consent", "until": "2030-01-01"},
        "name": "Sample Exemple",
        "phone": "+33 1 99 00 11 22",
        "skills": [{"skill": "Java"}],
        "cv_text": 'says "C++"',
        "available_from": "2026-12-01",
        "salary": 48000,
    }
    assert [warning.split(":")[0] for warning in item.warnings] == ["/email was left out"]


def test_a_map_may_translate_values_and_add_constants(tmp_path: Path) -> None:
    chart = tmp_path / "map.yaml"
    chart.write_text(
        "columns:\n  external_id: Nr\n  remote: {from: Home office, values: {ja: full, nein: none}}\n"
        "  skills: {from: [Kann, Auch], join: ',', split: ','}\n"
        "constants:\n  basis: {kind: consent, until: '2030-01-01'}\n"
    )
    file = tmp_path / "c.csv"
    file.write_text("Nr,Home office,Kann,Auch,Rest\n1,JA,Java,SQL,-\n2,vielleicht,Java,,\n")
    items = read(file, chart)
    assert contents(items) == [
        {
            "external_id": "1",
            "remote": "full",
            "skills": [{"skill": "Java"}, {"skill": "SQL"}],
            "basis": {"kind": "consent", "until": "2030-01-01"},
        }
    ]
    assert items[1].errors[0]["pointer"] == "/remote"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("columns: {shoe_size: A}", "no field shoe_size"),
        ("columns: {name: {from: A, colour: red}}", "name.colour"),
        ("columns: {name: A}\nrows: 3", "neither columns nor constants"),
        ("just words", "not a column map"),
        ("{", "not a column map"),
    ],
)
def test_a_map_that_cannot_be_meant_is_refused_with_its_fault(tmp_path: Path, text: str, why: str) -> None:
    chart = tmp_path / "map.yaml"
    chart.write_text(text)
    with pytest.raises(Unreadable, match=why):
        ColumnMap.load(chart)
    with pytest.raises(Unreadable, match="nor is it one of opencats"):
        ColumnMap.load(tmp_path / "other.yaml")


def test_a_line_without_id_is_known_again_by_name_and_contact_though_its_skills_changed(
    tmp_path: Path,
) -> None:
    file = tmp_path / "c.jsonl"
    person = {"name": "Sample Person", "email": "sample@example.test"}
    others = [{"name": "Sample Person"}, person | {"name": "Other Person"}]
    lines = [person | {"cv_text": "Java"}, person | {"cv_text": "Java, SQL"}, *others]
    file.write_text("\n".join(map(json.dumps, lines)))
    ids = [one["external_id"] for one in contents(list(json_lines(file, {})))]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_files_of_a_folder_are_known_by_their_names(tmp_path: Path) -> None:
    for name in ("b.pdf", "a.docx", "a.txt", ".hidden", "c.txt"):
        (tmp_path / name).write_bytes(b"x")
    items = list(folder(tmp_path, {"basis": None}))
    assert [(item.number, item.cv.name if item.cv else None) for item in items] == [
        (1, "a.docx"),
        (2, None),
        (3, "b.pdf"),
        (4, "c.txt"),
    ]
    assert "same external_id" in items[1].errors[0]["detail"]


def test_a_file_is_read_as_a_stream(tmp_path: Path) -> None:
    """A line without an end is refused unread, and 20,000 lines take no more memory than ten do."""

    def lines() -> Iterator[bytes]:
        for number in range(20_000):
            yield b'{"external_id": "x-%d", "cv_text": "%s"}\n' % (number, b"Python, " * 100)
        yield b"x" * (5 * LONGEST_LINE)
        yield b'\n{"external_id": "last", "cv_text": "Java"}\n'

    file = tmp_path / "c.jsonl"
    with file.open("wb") as opened:
        opened.writelines(lines())
    count = 0
    tracemalloc.start()
    try:
        for item in json_lines(file, {}):
            count += 1
            last = item
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (count, last.number, last.errors) == (20_002, 20_002, [])
    assert peak < 5 * LONGEST_LINE < file.stat().st_size / 2


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\t", "\r=", "\n@", "  ="])
def test_a_cell_that_a_spreadsheet_would_run_is_made_text(start: str) -> None:
    assert cell(f"{start}1+1") == f"'{start}1+1"
    assert cell("1+1") == "1+1"


def test_a_report_for_a_spreadsheet_runs_nothing_and_lets_an_import_go_on(tmp_path: Path) -> None:
    file = tmp_path / "report.csv"
    report = Report(file, going_on=True)
    formula = '=HYPERLINK("http://example.test";"x")'
    report.write({"line": 1, "status": 201, "candidate_id": "c", "unmapped_skills": [formula]}, "ab")
    report.write({"line": 2, "status": 422, "errors": [{"pointer": "/name", "detail": "\t=1"}]}, "cd")
    report.close()
    with file.open(newline="") as opened:
        [one, two] = csv.DictReader(opened)
    assert one["unmapped_skills"] == f"'{formula}"
    assert two["refused"] == "/name: \t=1"
    with file.open("a") as opened:
        opened.write("3,201,c")
    again = Report(file, going_on=True)
    again.write({"line": 4, "status": 201, "candidate_id": "d"}, "ef")
    again.close()
    final = Report(file, going_on=True)
    final.close()
    assert final.done == {1: 0xAB, 4: 0xEF}

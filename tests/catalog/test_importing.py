"""Official lists of skills, in their columns; the rows are made up."""

from pathlib import Path

import pytest

from services.catalog import loader
from services.catalog.__main__ import import_text, main
from services.catalog.domain import Catalogue, content
from services.catalog.importing import BadList, Merge, merge, read_entries
from services.catalog.store import SKILL
from shared.run import Surroundings
from tests.catalog.support import a_skill, catalog_app, following, small, store_of
from tests.support import running, until

ESCO = (
    "conceptType,conceptUri,skillType,reuseLevel,preferredLabel,altLabels,hiddenLabels,status,modifiedDate,"
    "scopeNote,definition,inScheme,description\n"
)
URI = "http://data.europa.eu/esco/skill/"


def esco_row(
    number: int, label: str, others: str = "", hidden: str = "", status: str = "released", kind: str = ""
) -> str:
    kind = kind or "KnowledgeSkillCompetence"
    cells = [kind, f"{URI}{number}", "knowledge", "cross-sector", label, others, hidden, status]
    cells += ["2026-01-01T00:00:00Z", "", "", "http://data.europa.eu/esco/concept-scheme/skills", "Made up."]
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\n"


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def merged(path: Path, list_format: str = "esco", catalogue: Catalogue | None = None) -> Merge:
    return merge(catalogue or small(), read_entries(list_format, [path]), list_format)


def test_esco_skills_are_placed_by_label_in_both_languages(tmp_path: Path) -> None:
    english = ESCO + esco_row(1, "Python (computer programming)", "python scripting\nPython 3.x")
    english += esco_row(2, "grow vegetables", "cultivate vegetables")
    french = ESCO + esco_row(
        1, "Python (programmation informatique)", "programmation en Python\r\nPython 3.x"
    )
    files = [written(tmp_path / "skills_en.csv", english), written(tmp_path / "skills_fr.csv", french)]
    found = merge(small(), read_entries("esco", files), "esco")
    python = found.changed["python"]
    assert python.external == {"esco": f"{URI}1"}
    assert python.aliases == (
        "py",
        "Python (computer programming)",
        "Python (programmation informatique)",
        "python scripting",
        "Python 3.x",
        "programmation en Python",
    )
    assert found.changed.keys() == {"python"}
    assert found.unplaced == [f"grow vegetables ({URI}2): no skill is called so"]


@pytest.mark.parametrize(("encoding", "separator"), [("utf-8", ","), ("utf-8-sig", ";"), ("utf-8-sig", ",")])
def test_byte_order_marks_and_semicolons_are_understood(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    header = separator.join(ESCO.strip().split(","))
    row = ["KnowledgeSkillCompetence", f"{URI}1", "", "", "Cobol", '"cobol ; 85\nCobol, ISO"', "", "released"]
    text = f"{header}\r\n{separator.join([*row, '', '', '', '', ''])}\r\n"
    found = merged(written(tmp_path / "list.csv", text, encoding))
    assert found.changed["cobol"].aliases == ("cobol ; 85", "Cobol, ISO")


def test_an_entry_is_placed_by_its_other_names_and_that_is_said(tmp_path: Path) -> None:
    rows = esco_row(1, "web framework in snakes", "djando") + esco_row(2, "Django")
    found = merged(written(tmp_path / "list.csv", ESCO + rows))
    assert found.changed["django"].external == {"esco": f"{URI}2"}, "the label goes before a mere alias"
    assert found.unplaced == [
        f"web framework in snakes ({URI}1): django already stands for another esco id",
    ]
    alone = merged(written(tmp_path / "list.csv", ESCO + esco_row(1, "web framework in snakes", "djando")))
    assert len(alone.by_alias) == 1
    assert alone.changed["django"].aliases == ("djando", "web framework in snakes")


def test_what_may_be_several_skills_is_placed_on_none(tmp_path: Path) -> None:
    ruled = a_skill("go", aliases=["board game"], ambiguous=[{"alias": "board game", "context": ["channel"]}])
    rows = esco_row(1, "databases", "mysql\npostgresql") + esco_row(2, "weiqi", "board game")
    found = merged(written(tmp_path / "list.csv", ESCO + rows), catalogue=small().with_skill(ruled))
    assert found.changed == {}
    assert found.unplaced == [
        f"databases ({URI}1): may be mysql, postgresql",
        f"weiqi ({URI}2): no skill is called so",
    ]


def test_names_that_other_skills_bear_and_broken_ones_are_not_added(tmp_path: Path) -> None:
    row = esco_row(1, "Cobol", "py\nstray |\nCOBOL\n" + "x" * 121)
    found = merged(written(tmp_path / "list.csv", ESCO + row))
    assert found.changed["cobol"].aliases == ()
    assert [line.split("' ", 1)[1] for line in found.not_added] == [
        "already stands for python",
        "begins or ends with '|'",
        "is longer than 120 characters",
    ]


def test_what_is_no_skill_or_not_in_force_is_passed_over(tmp_path: Path) -> None:
    rows = esco_row(1, "Cobol", status="obsolete") + esco_row(2, "Python", kind="Occupation")
    assert read_entries("esco", [written(tmp_path / "list.csv", ESCO + rows)]) == []


COMPETENCES = (
    "code_ogr,nature,libelle_competence,definition,code_ogr_macro_comp,code_macro_comp,cat_comp,sous_cat_comp,"
    "transition_eco,transition_num,libelle_heterogeneite\n"
)
SAVOIRS = (
    "code_ogr_savoir,libelle_savoir,categorie_savoir,sous_categorie_savoir,transition_eco,transition_num\n"
)


@pytest.mark.parametrize(
    "text",
    [
        COMPETENCES + "101,X,Django,,1,1,,,N,O,\n102,X,Tailler des haies,,1,1,,,O,N,\n",
        SAVOIRS + '101,Django,"Informatique, télécoms",,N,O\n102,Tailler des haies,Jardins,,O,N\n',
        "code_ogr_competence;libelle_competence;code_type_competence;libelle_type_competence;statut\n"
        "101;Django;2;Savoirs;1\n102;Tailler des haies;2;Savoirs;1\n",
    ],
)
def test_rome_skills_are_placed_by_label(tmp_path: Path, text: str) -> None:
    found = merged(written(tmp_path / "unix_referentiel_v460_utf8.csv", text), "rome")
    assert found.changed["django"].external == {"rome": "101"}
    assert found.changed["django"].aliases == ("djando",)
    assert found.unplaced == ["Tailler des haies (102): no skill is called so"]


def test_an_import_that_is_repeated_changes_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "list.csv", ESCO + esco_row(1, "Cobol", "cobol 85") + esco_row(2, "Nothing"))
    first = merged(path)
    again = merged(path, catalogue=small().with_skill(first.changed["cobol"]))
    assert (again.changed, again.unchanged, again.aliases) == ({}, 1, 0)
    # The id stays where it is, though the labels have moved on.
    renamed = written(tmp_path / "list.csv", ESCO + esco_row(1, "Python", "cobol 2026"))
    moved = merged(renamed, catalogue=small().with_skill(first.changed["cobol"]))
    assert moved.changed["cobol"].aliases == ("cobol 85", "cobol 2026")


@pytest.mark.parametrize(
    ("content_of_file", "complaint"),
    [
        (b"", "the header lacks columns: concepttype, concepturi, preferredlabel"),
        (b"label,code\nx,1\n", "the header lacks columns"),
        (ESCO.encode() + esco_row(1, "Développer").encode("latin-1"), "is not UTF-8"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content_of_file: bytes, complaint: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content_of_file)
    with pytest.raises(BadList, match=complaint):
        read_entries("esco", [path])
    with pytest.raises(BadList, match="No such file"):
        read_entries("esco", [tmp_path / "none.csv"])


async def test_an_import_is_written_with_history_and_published(
    given: Surroundings, data: Path, tmp_path: Path
) -> None:
    path = written(tmp_path / "list.csv", ESCO + esco_row(1, "Cobol", "cobol 85"))
    async with running(catalog_app(given, data)), following(given) as followed:
        await until(lambda: followed.seen)
        store = store_of(given)
        found = merge(await store.catalogue(), read_entries("esco", [path]), "esco")
        assert "cobol 85" not in (await store.catalogue()).skills["cobol"].aliases, "merging writes nothing"
        assert await loader.store_merged(store, found, "import:esco") == []
        await until(lambda: followed.taxonomy.resolve("cobol 85") == "cobol")
        assert followed.taxonomy.skills["cobol"].external == {"esco": f"{URI}1"}
        [line] = await store.history(SKILL, "cobol")
        assert (line["by"], line["fields"]) == ("import:esco", ["aliases", "external"])
        assert await loader.store_merged(store, found, "import:esco") == ["skill/cobol"], "the older state"
        assert content((await store.catalogue()).skills["cobol"]) == content(found.changed["cobol"])


def test_the_report_ends_with_the_counts(tmp_path: Path) -> None:
    rows = esco_row(1, "Cobol", "cobol 85") + esco_row(2, "snakes", "djando") + esco_row(3, "nothing")
    lines = import_text(merged(written(tmp_path / "l.csv", ESCO + rows)), 3, [], dry_run=True).splitlines()
    assert lines == [
        f"placed skill/cobol: Cobol ({URI}1), aliases cobol 85",
        f"placed by an alias, worth a look skill/django: snakes ({URI}2), aliases snakes",
        f"not placed nothing ({URI}3): no skill is called so",
        "3 read: 2 placed (1 by an alias, 2 aliases added), 0 as they were, 1 not placed",
        "nothing was changed: --dry-run",
    ]


def test_the_command_says_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MONGODB_URI", raising=False)
    path = written(tmp_path / "list.csv", ESCO)
    with pytest.raises(SystemExit):
        main(["import-skills", "--format", "esco", str(path), "--dry-run"])
    assert "MONGODB_URI is not set" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["import-skills", "--format", "rome", str(path)])
    assert "the header lacks columns" in capsys.readouterr().err

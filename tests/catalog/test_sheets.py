"""The YAML files, above all those that are shipped."""

from pathlib import Path

import pytest

from services.catalog import sheets
from services.catalog.__main__ import main
from services.catalog.domain import Catalogue, catalogue_problems, content
from services.catalog.settings import SHIPPED
from services.catalog.words import CATEGORIES, FAMILIES
from shared.events.vocabulary import CareerPath, SkillKind
from tests.catalog.support import a_role, a_skill, small

NAMED_BY_THE_REFERENCE_SHEET = {
    "front-end-developer",
    "full-stack-developer",
    "product-owner",
    "scrum-master",
    "web-architect",
    "database-administrator",
    "tech-lead",
    "project-manager",
    "php-symfony-developer",
    "information-systems-architect",
    "graphic-designer",
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """What is shipped."""
    return sheets.parse(SHIPPED)


def test_the_shipped_catalogue_is_wide_and_holds_together(catalogue: Catalogue) -> None:
    assert catalogue_problems(catalogue) == []
    assert len(catalogue.roles) >= 30
    assert sum(skill.kind is SkillKind.SKILL for skill in catalogue.skills.values()) >= 600
    assert {skill.kind for skill in catalogue.skills.values()} == set(SkillKind)
    assert catalogue.roles.keys() >= NAMED_BY_THE_REFERENCE_SHEET
    assert {role.family for role in catalogue.roles.values()} <= FAMILIES.keys()
    assert {skill.category for skill in catalogue.skills.values()} <= CATEGORIES.keys()
    for role in catalogue.roles.values():
        assert len(role.tasks) >= 5, role.role_id
        assert len(role.skills) >= 12, role.role_id
        assert len(role.contacts) >= 4, role.role_id
        assert {step.path for step in role.career} == set(CareerPath), role.role_id


def test_what_is_written_reads_back_as_it_was(catalogue: Catalogue, tmp_path: Path) -> None:
    some = {"database", "devops", "security"}
    skills = {key: skill for key, skill in catalogue.skills.items() if skill.category in some}
    part = Catalogue(catalogue.roles, skills)
    sheets.write(part, tmp_path)
    assert sheets.parse(tmp_path) == part
    assert sheets.write(part, tmp_path) == []


def test_texts_that_yaml_could_misread_survive(tmp_path: Path) -> None:
    odd = [
        "no",
        "On",
        "3ds",
        "1e3",
        "0x1F",
        "2026-01-01",
        "~",
        "c#",
        "a: b",
        "a #b",
        "- x",
        "'q'",
        '"',
        "é’è",
        "@x",
    ]
    odd += [
        "null",
        "12:30",
        "!x",
        "&x",
        "*x",
        "%x",
        "[x]",
        "{x}",
        "x,y",
        "| x",
        "> x",
        "?",
        "y|",
        "a:",
        ":a",
        "É",
    ]
    skill = a_skill("odd", aliases=odd, label={"fr": "yes", "en": ".net"})
    role = a_role(
        "odd", tasks=[{"fr": f"{text} fr", "en": text} for text in odd], title={"fr": "a: b", "en": "# c"}
    )
    catalogue = Catalogue({"odd": role}, {"odd": skill})
    sheets.write(catalogue, tmp_path)
    read = sheets.parse(tmp_path)
    assert content(read.skills["odd"]) == content(skill)
    assert content(read.roles["odd"]) == content(role)


def test_only_files_of_what_changed_are_written(tmp_path: Path) -> None:
    catalogue = small()
    sheets.write(catalogue, tmp_path)
    fewer = {key: role for key, role in catalogue.roles.items() if key != "back-end-developer"}
    lead = fewer["tech-lead"].model_copy(update={"skills": ()})
    changed = type(catalogue)({**fewer, "tech-lead": lead}, catalogue.skills)
    touched = sheets.write(changed, tmp_path)
    assert sorted(path.name for path in touched) == ["back-end-developer.yaml", "tech-lead.yaml"]
    assert content(sheets.read(tmp_path).roles["tech-lead"]) == content(lead)


def test_check_says_each_problem_on_a_line_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheets.write(small(), tmp_path)
    assert main(["check", "--data", str(tmp_path)]) == 0
    role = tmp_path / "roles" / "tech-lead.yaml"
    role.write_text(role.read_text().replace("skill: django", "skill: djago"))
    (tmp_path / "skills" / "programming-language.yaml").open("a").write(
        "- id: perl\n  label: {en: Perl, fr: Perl}\n  category: programming-language\n  aliases: [py]\n"
    )
    assert main(["check", "--data", str(tmp_path)]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "role tech-lead: /skills/0/skill: there is no skill 'djago'; is it 'django'?",
        "skill python: /aliases/0: 'py' already stands for perl; an `ambiguous` rule must tell them apart",
        "skill perl: /aliases/0: 'py' already stands for python; an `ambiguous` rule must tell them apart",
    ]


def test_check_names_the_file_of_a_sheet_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheets.write(small(), tmp_path)
    (tmp_path / "roles" / "broken.yaml").write_text("role_id: [")
    (tmp_path / "roles" / "odd.yaml").write_text("role_id: odd\nslug: {fr: odd, en: odd}\nlevel: 9\n")
    assert main(["check", "--data", str(tmp_path)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("roles/broken.yaml: ")
    assert "roles/odd.yaml: odd: /title: Field required" in lines


def test_a_field_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    sheets.write(small(), tmp_path)
    path = tmp_path / "roles" / "tech-lead.yaml"
    path.write_text(path.read_text() + "salary: 1\n")
    with pytest.raises(sheets.BadSheets) as bad:
        sheets.read(tmp_path)
    assert bad.value.problems == ["roles/tech-lead.yaml: tech-lead: /salary: there is no such field"]

"""Skills in running text."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

import services.catalog
from services.intake.domain.candidate import estimated_level
from services.intake.domain.lexicon import publishable
from services.intake.reading import SkillReader
from shared.events.skill import Skill
from shared.taxonomy import Taxonomy
from tests.intake.support import SKILL_EVENTS


@pytest.fixture(scope="module")
def reader() -> SkillReader:
    return SkillReader(Taxonomy({skill.skill_id: skill for skill in SKILL_EVENTS}))


HARD_CASES: list[tuple[str, set[str]]] = [
    ("C++, C#, .NET", {"c-plus-plus", "c-sharp", "dot-net"}),
    ("R, Go, Python.", {"r", "go", "python"}),
    ("Node.js, CI/CD", {"node-js", "ci-cd"}),
    ("Développeur C++/C sous Linux", {"c-plus-plus", "c"}),
    ("ASP.NET et .NET", {"asp-net", "dot-net"}),
    ("expert C++17", {"c-plus-plus"}),
    ("CI / CD, continuous-integration", {"ci-cd"}),
    ("L’API REST, d'Docker", {"rest", "docker"}),
    ("PYTHON3 et nodejs", {"python", "node-js"}),
    ("Nous faisons du Python.Java aussi", {"python", "java"}),
    ("Javascript, Pythonesque, Dockers", set()),
    ("Let's go to the beach", set()),
    ("Go live of the Docker platform", {"docker"}),
    ("We go further with Python", {"python"}),
    ("backend services in Go", {"go"}),
    ("R&D on Python", {"python"}),
    ("M. R. Dupont, Python", {"python"}),
    ("Statistics with R", {"r"}),
    ("un CV sans rien de tel : c'est tout, langage soutenu", set()),
    ("C", set()),
    ("", set()),
    ("Fluent English", set()),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), HARD_CASES)
def test_names_are_whole_words_and_everyday_words_need_their_context(
    reader: SkillReader, text: str, expected: set[str]
) -> None:
    assert set(reader.read(text)) == expected


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("Java (5 ans), Python (3 ans)", {"java": 5.0, "python": 3.0}),
        ("7 years of experience in Kubernetes", {"kubernetes": 7.0}),
        ("5+ years Python; Java", {"python": 5.0, "java": None}),
        ("10 ans de Java, Docker", {"java": 10.0, "docker": None}),
        ("Python 3 ans, puis Python 6 ans", {"python": 6.0}),
        ("Java depuis 1999 ans", {"java": None}),
    ],
)
def test_years_are_those_beside_the_name(
    reader: SkillReader, text: str, years: dict[str, float | None]
) -> None:
    assert {skill: found.years for skill, found in reader.read(text).items()} == years


def test_mentions_are_counted_and_the_sentences_kept(reader: SkillReader) -> None:
    text = "I like tea. Docker at work! Docker at home.\nAnd Docker\nand Docker again."
    found = reader.read(text)["docker"]
    assert found.count == 4
    assert found.evidence == ["Docker at work!", "Docker at home.", "And Docker"]


def test_a_sentence_without_end_is_cut(reader: SkillReader) -> None:
    [sentence] = reader.read("word " * 500 + "Docker " + "word " * 500)["docker"].evidence
    assert len(sentence) <= 240
    assert "Docker" in sentence


def test_the_agencys_own_taxonomy_reads_its_hard_cases() -> None:
    skills = {}
    data = Path(str(services.catalog.__file__)).parent / "data" / "skills"
    for name in ("programming-language", "framework", "devops"):
        for entry in yaml.load((data / f"{name}.yaml").read_text("utf-8"), yaml.CSafeLoader):
            fields: dict[str, Any] = {"skill_id": entry.pop("id"), **entry}
            skills[fields["skill_id"]] = Skill(revision=1, occurred_at=datetime.now(UTC), **fields)
    reader = SkillReader(Taxonomy(skills))
    found = reader.read(
        "C++, C#, .NET, Node.js, CI/CD, R, Go, Python. PL/SQL, VB.NET. Let's go to the R&D lab"
    )
    assert set(found) == {
        "c-plus-plus", "c-sharp", "dot-net", "node-js", "ci-cd", "r", "go", "python", "pl-sql", "vb-net",
    }  # fmt: skip
    assert found["go"].count == 1


def test_an_estimated_level_grows_with_years_and_mentions_and_never_says_expert() -> None:
    levels = [estimated_level(years, mentions) for years, mentions in ((None, 1), (1, 1), (3, 1), (9, 50))]
    assert levels == [2, 2, 3, 4]
    assert estimated_level(None, 5) > estimated_level(None, 1)


def test_a_term_that_could_say_something_of_a_person_is_not_published() -> None:
    terms = [
        "Quantum  Knitting", "quantum knitting", "a@b.example", "06 12 34 56 78", "www.me.example", "x" * 81,
        "Ada's favourite", "http://x", "",
    ]  # fmt: skip
    assert publishable(terms, ["Ada Lovelace", None]) == ["quantum knitting"]

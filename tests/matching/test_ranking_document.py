"""docs/ranking.md says what the program does: its worked example and its weights are computed here."""

import re
from pathlib import Path

from services.matching.weights import Weights
from tests.matching.pieces import asked, candidate, criteria, explained, held

TEXT = (Path(__file__).parents[2] / "docs" / "ranking.md").read_text()
NAMES = {
    "must-have skills": "must_skills",
    "nice-to-haves": "nice_skills",
    "role fit": "role_fit",
    "place": "location",
}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    section = TEXT.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("*") for cell in line] for line in lines[2:]]


def test_the_worked_example_is_computed() -> None:
    wanted = criteria(
        asked("python", 4, must=True), asked("docker", 2), role_id=None, location={"country": "FR"}
    )
    entry = explained(wanted, candidate("c1", held("python", 2), held("excel", 3), country="FR"))
    *parts, total = rows("A worked example")
    assert [
        (NAMES[name], float(weight) / 100, float(value), float(points))
        for name, weight, value, points, _ in parts
    ] == [(part.criterion, part.weight, part.value, part.points) for part in entry.parts]
    assert float(total[3]) == entry.score
    assert entry.must_coverage == 1.0
    assert entry.gaps[0].question.en in " ".join(TEXT.split())
    assert [gap.skill for gap in entry.gaps] == ["python", "docker"]


def test_the_weights_in_the_table_are_those_in_the_program() -> None:
    usual = Weights()
    said = {name: weight for name, weight, _ in rows("The criteria")}
    for name, weight in (
        ("role fit", usual.role_fit),
        ("experience in the role", usual.role_experience),
        ("seniority", usual.seniority),
        ("the role's other usual skills", usual.role_skills),
        ("must-have skills, nice-to-haves, skills named in the text", usual.skills),
    ):
        assert float(said[name].split()[0]) == weight, name
    (constraints,) = [name for name in said if name.startswith("place")]
    assert [float(figure) for figure in re.findall(r"\d+", constraints)] == [
        usual.location,
        usual.remote,
        usual.start_by,
        usual.contracts,
        usual.budget,
        usual.languages,
        usual.min_years,
        usual.min_education,
    ]

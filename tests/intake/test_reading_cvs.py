"""Whole CVs, written for the purpose in the layouts of real life: what was read beside what they say."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

import services.catalog
from services.catalog import sheets
from services.intake.domain.candidate import CandidateRequest, read_candidate
from services.intake.domain.lexicon import Lexicon
from services.intake.reading.cv import CvReader
from services.intake.reading.documents import extract
from services.intake.reading.found import Reading
from shared.taxonomy import RoleNames, Taxonomy
from tests.intake.cvs.making import JUSTIFIED, one_column, table, two_columns, word

TODAY = date(2026, 11, 23)
CVS = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))
    for path in sorted((Path(__file__).parent / "cvs").glob("*.yaml"))
}


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    shipped = sheets.parse(Path(str(services.catalog.__file__)).parent / "data")
    taxonomy = Taxonomy(shipped.skills, "1-shipped")
    return Lexicon(taxonomy, shipped.roles, RoleNames(shipped.roles), CvReader(taxonomy, shipped.roles))


@pytest.fixture(scope="module")
def readings(lexicon: Lexicon) -> dict[str, Reading]:
    return {name: lexicon.cv.read(extract(document(cv)).text, TODAY) for name, cv in CVS.items()}


def document(cv: dict[str, Any]) -> bytes:  # noqa: PLR0911 - a line a layout
    match cv["layout"]:
        case "one_column":
            return one_column(cv["text"], footer=cv.get("footer"))
        case "justified":
            return one_column(cv["text"], style=JUSTIFIED)
        case "two_columns":
            return two_columns(cv["head"], cv["left"], cv["right"])
        case "sidebar_dark":
            return two_columns(cv["head"], cv["left"], cv["right"], dark=True)
        case "table":
            return table(cv["head"], cv["rows"], cv["widths"], cv["tail"])
        case "docx":
            return word(cv["text"], tables=cv.get("tables", ()), header=cv.get("header"))
    assert cv["layout"] == "text"
    return str(cv["text"]).encode()


def shown(reading: Reading) -> dict[str, Any]:
    return {one.skill: one for one in reading.skills}


@pytest.mark.parametrize("name", CVS)
def test_the_skills_of_a_cv_are_found_and_no_others(name: str, readings: dict[str, Reading]) -> None:
    expected = CVS[name]["expected"]
    found = set(shown(readings[name]))
    assert set(expected["skills"]) <= found
    assert not found & set(expected.get("absent", ()))
    # What a title or an activity names beside the tools is neither asked for nor wrong.
    assert found <= {*expected["skills"], *expected.get("tolerated", ())}


def test_over_all_cvs_precision_and_recall_are_high(readings: dict[str, Reading], lexicon: Lexicon) -> None:
    right = wrong = missed = 0
    for name, cv in CVS.items():
        expected, found = cv["expected"], set(shown(readings[name]))
        assert set(expected["skills"]) <= set(lexicon.taxonomy.skills)
        assert set(expected.get("absent", ())) <= set(lexicon.taxonomy.skills)
        right += len(found & set(expected["skills"]))
        wrong += len(found - {*expected["skills"], *expected.get("tolerated", ())})
        missed += len(set(expected["skills"]) - found)
    assert right / (right + wrong) >= 0.97
    assert right / (right + missed) >= 0.97
    assert len(CVS) >= 14


@pytest.mark.parametrize("name", CVS)
def test_levels_years_and_last_use_are_those_stated_or_worked(
    name: str, readings: dict[str, Reading]
) -> None:
    expected, skills = CVS[name]["expected"], shown(readings[name])
    for field, values in (
        ("level", "levels"),
        ("years", "years"),
        ("last_used", "last_used"),
        ("mentions", "mentions"),
    ):
        wanted = expected.get(values, {})
        assert {skill: getattr(skills[skill], field) for skill in wanted} == wanted


@pytest.mark.parametrize("name", CVS)
def test_roles_languages_education_and_wishes_are_read(
    name: str, readings: dict[str, Reading], lexicon: Lexicon
) -> None:
    expected, reading = CVS[name]["expected"], readings[name]
    facts = read_candidate(CandidateRequest(name="x", cv_text="x"), reading, lexicon, TODAY).facts
    # Titles named without dates have no months.
    dated = {role["role"]: role["months"] for role in facts["roles"] if role["months"]}
    assert dated == expected.get("roles", {})
    assert reading.years == expected.get("total_years")
    assert reading.seniority == expected.get("seniority")
    assert {one.language: one.level for one in reading.languages} == expected.get("languages", {})
    assert reading.education == expected.get("education")
    region = expected.get("region")
    assert (reading.country, reading.region) == (expected.get("country", region and region[:2]), region)
    wishes = (reading.remote, reading.available_from, list(reading.contracts), reading.day_rate)
    wanted = [expected.get(name) for name in ("remote", "available_from", "contracts", "day_rate")]
    assert wishes == (wanted[0], wanted[1], wanted[2] or [], wanted[3])
    assert list(reading.unmapped) == expected.get("unmapped", [])


def test_the_sentences_that_show_a_skill_are_quotes_of_the_text(readings: dict[str, Reading]) -> None:
    [python] = [one for one in readings["en_two_columns"].skills if one.skill == "python"]
    assert python.evidence[0] == "Senior Python developer, Acme Ltd"
    text = " ".join(extract(document(CVS["en_two_columns"])).text.split())
    assert all(quote in text for one in readings["en_two_columns"].skills for quote in one.evidence)


PERSONS: list[dict[str, str]] = [
    {
        "name": "Julia Perlman",
        "title": "Développeuse Python confirmée",
        "born": "Née le 12/03/1990, nationalité française",
        "street": "12 rue Ada Lovelace",
        "mark": "Mme",
        "school": "EPITA",
    },
    {
        "name": "Swift Nancy",
        "title": "Développeur Python confirmé",
        "born": "Né le 01/01/1971, marocain, célibataire, 55 ans",
        "street": "3 place Kotlin",
        "mark": "M.",
        "school": "Université de Rennes",
    },
    {
        "name": "Rémi Go",
        "title": "Développeur·se Python confirmé·e",
        "born": "[photo]",
        "street": "8 bis avenue du Docker",
        "mark": "",
        "school": "Sup'Info École 42",
    },
]
ALIKE = """{name}
{title}
{mark}
{street}
69003 Lyon
{born}
julia.perl@example.com – github.com/{name}

Expérience
{title} – Acme – 01/2020 à 12/2023
Développement de services en Python et Django
Formation
Master informatique, {school}, 2019
Page 1 – {name}
"""


def test_two_cvs_alike_but_for_the_person_give_the_same_facts(lexicon: Lexicon) -> None:
    facts = []
    for person in PERSONS:
        text = ALIKE.format(**person)
        request = CandidateRequest(name=person["name"], cv_text=text)
        facts.append(read_candidate(request, lexicon.cv.read(text, TODAY), lexicon, TODAY).facts)
    assert facts[0] == facts[1] == facts[2]
    assert facts[0]["region"] == "FR-ARA"
    assert {one["skill"] for one in facts[0]["skills"]} == {"python", "django"}
    assert facts[0]["roles"] == [{"role": "python-developer", "months": 48, "until": "2023-12"}]


def test_the_facts_hold_nothing_that_says_who_somebody_is(lexicon: Lexicon) -> None:
    text = ALIKE.format(**PERSONS[0])
    request = CandidateRequest(name=PERSONS[0]["name"], cv_text=text)
    profile = read_candidate(request, lexicon.cv.read(text, TODAY), lexicon, TODAY)
    written = str(profile.facts).casefold()
    assert not any(
        word in written for word in ("julia", "perlman", "1990", "lovelace", "epita", "lyon", "mme", "acme")
    )


def test_what_was_stated_outranks_what_was_read(lexicon: Lexicon) -> None:
    text = str(CVS["fr_negation"]["text"])
    request = CandidateRequest.model_validate_json(
        '{"name": "x", "cv_text": "x", "years": 9,'
        ' "skills": [{"skill": "PHP", "level": 2}, {"skill": "Angular"}],'
        ' "roles": [{"role": "php-symfony-developer", "months": 7}], "contracts": ["freelance"]}'
    )
    facts = read_candidate(request, lexicon.cv.read(text, TODAY), lexicon, TODAY).facts
    skills = {one["skill"]: one for one in facts["skills"]}
    assert (skills["php"]["level"], skills["php"]["estimated"], skills["php"]["years"]) == (2, False, 2.5)
    assert skills["wordpress"]["level"] == 4
    assert "angular" in skills
    assert (facts["years"], facts["contracts"]) == (9, ["freelance"])
    assert facts["roles"] == [{"role": "php-symfony-developer", "months": 7}]
    assert facts["seniority"] == "junior"

"""CVs that have lost their lines or are years old, and titles as people write them."""

from datetime import date
from pathlib import Path

import pytest

import services.catalog
from services.catalog import sheets
from services.intake.domain.candidate import CandidateRequest, read_candidate
from services.intake.domain.lexicon import Lexicon
from services.intake.reading.cv import CvReader
from services.intake.reading.sections import Section, sectioned
from shared.taxonomy import RoleNames, Taxonomy

TODAY = date(2026, 11, 23)
LINES = [
    "Java Developer",
    "Professional Summary",
    "Five years of back-end work for insurers and retailers, with care for tests and for those on call",
    "Work Experience",
    "Sr. Java Developer Sample Insurance - Lyon, FR March 2024 to Present",
    "Built claim services with Spring Boot and Hibernate for the partners of the house",
    "Database Administrator Sample Retail - Paris, FR January 2021 to February 2024",
    "Tuned the Oracle databases of forty shops and took care of their nightly backups",
    "Education",
    "Bachelor's in Computer Science Sample University September 2017 to June 2020",
    "Skills",
    "Java, Spring Boot, Hibernate, Oracle, Git, Jenkins",
]
FLAT = " ".join(LINES)


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    shipped = sheets.parse(Path(str(services.catalog.__file__)).parent / "data")
    taxonomy = Taxonomy(shipped.skills, "1-shipped")
    return Lexicon(taxonomy, shipped.roles, RoleNames(shipped.roles), CvReader(taxonomy, shipped.roles))


def roles(lexicon: Lexicon, text: str) -> list[tuple[str, str | None]]:
    """(role, until) as the event has them."""
    profile = read_candidate(CandidateRequest(cv_text=text), lexicon.cv.read(text, TODAY), lexicon, TODAY)
    return [(held["role"], held.get("until")) for held in profile.facts["roles"]]


def test_a_cv_in_one_long_line_tells_the_same_jobs(lexicon: Lexicon) -> None:
    found = lexicon.cv.read(FLAT, TODAY)
    assert [(post.role, post.begin, post.until) for post in found.posts] == [
        ("java-developer", "2024-03", None),
        ("database-administrator", "2021-01", "2024-02"),
    ]
    assert {one.skill: one.last_used for one in found.skills}["spring-boot"] == 2026


def test_dates_that_stand_before_the_titles_part_the_jobs_too(lexicon: Lexicon) -> None:
    flat = (
        "Profil : développeuse à Nantes. 2021 - 2024 Développeuse Python chez Sample Studio. Des API Django "
        "et leurs tests, la migration des traitements de nuit, la revue du code des juniors. 2017 - 2021 "
        "Administratrice systèmes chez Sample Telecom. Des serveurs Linux à jour, leurs sauvegardes, la "
        "supervision et les astreintes du parc. Formation : master d'informatique à Nantes, et aussi des "
        "cours du soir suivis chaque année pour apprendre autre chose que son métier."
    )
    assert [(post.role, post.begin[:4]) for post in lexicon.cv.read(flat, TODAY).posts] == [
        ("python-developer", "2021"),
        ("linux-administrator", "2017"),
    ]


def test_the_lines_that_are_found_again_keep_their_places() -> None:
    cv = sectioned(FLAT)
    assert all(FLAT[line.start : line.end] == line.text for line in cv.lines)
    assert [line.section for line in cv.lines if line.heading] == [
        Section.SUMMARY,
        Section.EXPERIENCE,
        Section.EDUCATION,
        Section.SKILLS,
    ]


def test_a_capital_amid_a_sentence_is_no_heading() -> None:
    prose = (
        "I worked for the Department of Education, taught Skills for Life and ran the Experience team of "
        "a retailer that sells to half of Europe. " + "There was a lot to do and we did it well. " * 8
    )
    assert not [line for line in sectioned(prose).lines if line.heading]


def test_the_last_job_of_an_old_cv_is_not_taken_for_one_that_was_left(lexicon: Lexicon) -> None:
    old = "Experience\nJava developer, Sample Bank\n01/2016 - 06/2019\nDBA, Sample Shop\n01/2012 - 12/2015\n"
    assert roles(lexicon, old) == [("java-developer", None), ("database-administrator", "2015-12")]
    newer = old.replace("Experience\n", "Experience\nSales manager, Sample Motors\n07/2019 - today\n")
    assert ("java-developer", "2019-06") in roles(lexicon, newer)
    recent = old.replace("06/2019", "06/2025")
    assert ("java-developer", "2025-06") in roles(lexicon, recent)


@pytest.mark.parametrize(
    ("title", "role"),
    [
        ("Java/JEE developer", "java-developer"),
        ("Ingénieur d'études java", "java-developer"),
        ("Ingénieur d'études et développement Java/JEE", "java-developer"),
        ("Sr. Java Developer", "java-developer"),
        ("Full-Stack Java", "java-developer"),
        ("Senior Software Engineer - Java", "java-developer"),
        ("Développeuse Front-End (React)", "front-end-developer"),
        ("Front End Web Developer", "front-end-developer"),
        ("Software engineer", "full-stack-developer"),
        ("AWS DevOps Engineer", "devops-engineer"),
        ("Android Application Developer", "android-developer"),
        ("IT Technician, Sample Motors", "support-engineer"),
        ("Sales manager", None),
        ("Ingénieur d'études", None),
    ],
)
def test_a_title_is_known_in_whatever_order_it_is_written(
    lexicon: Lexicon, title: str, role: str | None
) -> None:
    text = f"Experience\n{title}\nJanuary 2020 to today\n"
    assert [post.role for post in lexicon.cv.read(text, TODAY).posts] == [role]


@pytest.mark.parametrize("space", ["\t", "\u00a0", "\r", " \u00a0", "\u00a0 "])
def test_whatever_white_space_stands_before_a_period_a_long_line_is_read(
    lexicon: Lexicon, space: str
) -> None:
    text = (
        "Java developer who builds things and cares for them beyond " * 8 + space + "2019 - 2020 Sample Bank"
    )
    assert "java" in {one.skill for one in lexicon.cv.read(text, TODAY).skills}


@pytest.mark.parametrize(
    "private", ["jean.canary@mail.example", "@jean.canary@social.example", "x@y@canary.example"]
)
def test_an_address_stands_in_no_sentence_that_shows_a_skill(lexicon: Lexicon, private: str) -> None:
    reading = lexicon.cv.read(f"Python for years ({private}), {private} in teams", TODAY)
    [python] = reading.skills
    assert "canary" not in str(python)

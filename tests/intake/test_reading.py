"""Skills in running text."""

from datetime import date
from pathlib import Path

import pytest

import services.catalog
from services.catalog import sheets
from services.intake.domain.candidate import estimated_level
from services.intake.domain.lexicon import publishable
from services.intake.reading import SkillReader
from services.intake.reading.cv import CvReader
from services.intake.reading.found import SkillFound
from shared.taxonomy import Taxonomy
from tests.intake.support import SKILL_EVENTS

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def shipped() -> CvReader:
    """With the agency's own catalogue."""
    catalogue = sheets.parse(Path(str(services.catalog.__file__)).parent / "data")
    return CvReader(Taxonomy(catalogue.skills, "1-shipped"), catalogue.roles)


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


def test_the_agencys_own_taxonomy_reads_its_hard_cases(shipped: CvReader) -> None:
    text = "C++, C#, .NET, Node.js, CI/CD, R, Go, Python. PL/SQL, VB.NET. Let's go to the R&D lab. C-level"
    found = shipped.skills.read(text)
    assert set(found) == {
        "c-plus-plus", "c-sharp", "dot-net", "node-js", "ci-cd", "r", "go", "python", "pl-sql", "vb-net",
    }  # fmt: skip
    assert len(found["go"]) == 1


def test_a_word_means_the_skill_throughout_a_text_once_its_context_shows_it(shipped: CvReader) -> None:
    far = "One more word. " * 8
    text = f"React, Redux and TypeScript. {far} We had to react to outages. {far} A new shop in React."
    assert [text[one.start : one.end] for one in shipped.skills.read(text)["react"]] == ["React", "React"]
    assert "react" not in shipped.skills.read("We had to react to outages. A shop in React.")


def read(reader: CvReader, text: str) -> dict[str, SkillFound]:
    return {one.skill: one for one in reader.read(text, TODAY).skills}


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("Java (5 ans), Python (3 ans)", {"java": 5, "python": 3}),
        ("7 years of experience in Kubernetes", {"kubernetes": 7}),
        ("5+ years Python; Java", {"python": 5, "java": None}),
        ("10 ans de Java, Docker", {"java": 10, "docker": None}),
        ("Python : 3 ans, puis encore Python pendant 6 ans", {"python": 6}),
        ("Java (2016-2021), Python depuis 2021", {"java": 5, "python": 5.4}),
        ("Java et Python avec 8 ans d'expérience en tout", {"java": None, "python": None}),
    ],
)
def test_years_are_those_beside_the_name(
    shipped: CvReader, text: str, years: dict[str, float | None]
) -> None:
    assert {skill: found.years for skill, found in read(shipped, text).items()} == years


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("Java (expert), Python : avancé, Kafka - notions", {"java": 5, "python": 4, "kafka": 1}),
        ("Java 4/5, Python 9/10, Kafka 40 %", {"java": 4, "python": 4, "kafka": 2}),
        ("Java ●●●○○\nPython ★★★★★\nKafka ★★", {"java": 3, "python": 5, "kafka": 2}),
        ("Expert en Java, Python et Kafka. Docker", {"java": 5, "python": 5, "kafka": 5, "docker": None}),
        ("Expert Java, Python", {"java": 5, "python": None}),
        ("Avancé : Java, Python\nNotions : Kafka", {"java": 4, "python": 4, "kafka": 1}),
        ("Advanced\nJava, Python\nBeginner\nKafka", {"java": 4, "python": 4, "kafka": 1}),
        ("Good knowledge of Java. Basic Python.", {"java": 3, "python": 2}),
        ("Java\tIntermediate\t5 years", {"java": 3}),
        ("Visual Basic, Java", {"visual-basic": None, "java": None}),
    ],
)
def test_levels_are_those_stated(shipped: CvReader, text: str, levels: dict[str, int | None]) -> None:
    assert {skill: found.level for skill, found in read(shipped, text).items()} == levels


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("No experience with Kafka, Pulsar or NATS but strong in RabbitMQ", {"rabbitmq"}),
        ("Never used PHP, I prefer Python", {"python"}),
        ("Pas d'expérience en Java ni en Scala. Kubernetes en production", {"kubernetes"}),
        ("Je souhaite apprendre Ansible, mais je maîtrise Python", {"python"}),
        ("Wish to learn Terraform. Docker", {"docker"}),
        ("Docker, Kubernetes (à apprendre), Kafka : notions à acquérir", {"docker"}),
        ("Souhaite monter en compétence sur Kubernetes\nDocker", {"docker"}),
        ("Not only Java but Python", {"java", "python"}),
        ("Deployed without Docker. Kubernetes : aucune", set()),
        ("We are looking for a Java developer with Kafka. Python here", {"python"}),
        ("The client uses Java. Python here", {"python"}),
    ],
)
def test_what_is_denied_wished_for_or_said_of_others_does_not_count(
    shipped: CvReader, text: str, held: set[str]
) -> None:
    assert set(read(shipped, text)) == held


def test_mentions_are_counted_and_the_sentences_kept(shipped: CvReader) -> None:
    text = "I like tea. Docker at work, all day! And Docker at home too.\nWith Docker at sea\nDocker, Python"
    found = read(shipped, text)["docker"]
    assert found.mentions == 4
    assert found.evidence == ("Docker at work, all day!", "And Docker at home too.", "With Docker at sea")


def test_a_list_of_names_counts_once_however_often_it_names_them(shipped: CvReader) -> None:
    once = read(shipped, "Skills\nJava, Python, Kafka, Docker")["java"]
    stuffed = read(shipped, "Skills\n" + "Java, Python, Kafka, Docker, Java\n" * 30)["java"]
    assert (once.mentions, stuffed.mentions) == (1, 1)
    assert estimated_level(stuffed.years, stuffed.mentions) == estimated_level(once.years, once.mentions)


def test_a_sentence_without_end_is_cut(shipped: CvReader) -> None:
    [sentence] = read(shipped, "word " * 500 + "Docker " + "word " * 500)["docker"].evidence
    assert len(sentence) <= 240
    assert "Docker" in sentence


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("01/2019 – 03/2022", ("2019-01", "2022-03", 39)),
        ("janv. 2019 à aujourd'hui", ("2019-01", None, 95)),
        ("Since 2020", ("2020-07", None, 77)),
        ("2018-2020", ("2018-07", "2020-06", 24)),
        ("Mar 2019 - Present", ("2019-03", None, 93)),
        ("Summer 2016", ("2016-06", "2016-08", 3)),
        ("mars - juin 2019", ("2019-03", "2019-06", 4)),
        ("From January 2015 to March 2016", ("2015-01", "2016-03", 15)),
        ("15/03/2019 - 20/04/2020", ("2019-03", "2020-04", 14)),
        ("1er février 2019 au 31 août 2019", ("2019-02", "2019-08", 7)),
        ("2019-03 → 2020-05", ("2019-03", "2020-05", 15)),
        ("sept. 19 – déc. 20", ("2019-09", "2020-12", 16)),
        ("Jan 2030 - Dec 2031", None),
        ("+33 1 99 00 20 19", None),
    ],
)
def test_periods_are_read_in_the_ways_of_cvs(
    shipped: CvReader, text: str, period: tuple[str, str | None, int] | None
) -> None:
    posts = shipped.read(f"Experience\nJava developer, Acme, {text}", TODAY).posts
    assert [(post.begin, post.until, post.months) for post in posts] == ([period] if period else [])


@pytest.mark.parametrize(
    "title",
    [
        "Développeur back-end", "Développeuse back-end", "Développeur·se back-end",
        "développeur(euse) backend", "Développeur/se back end", "Senior back-end developer",
        "Développeuse back-end senior",
        "BACKEND ENGINEER",
    ],
)  # fmt: skip
def test_a_title_is_one_role_whatever_its_gender_rank_and_spelling(shipped: CvReader, title: str) -> None:
    [post] = shipped.read(f"Expérience\n{title} – Acme – 2019 à 2021", TODAY).posts
    assert post.role == "back-end-developer"


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        (
            "Je suis développeuse Android chez Acme depuis 2019. Avant, administrateur Linux (2015-2019).",
            [("android-developer", 89), ("linux-administrator", 48)],
        ),
        (
            "I have been a QA engineer at Acme since 2018. Before that I was a data engineer (2014 to 2018).",
            [("qa-engineer", 101), ("data-engineer", 48)],
        ),
        (
            "REF 12|Développeur Java\n2017||Développeur Java|Spring; Kafka\n2013|2017|Data engineer|Spark",
            [("java-developer", 113), ("data-engineer", 48)],
        ),
        ("We are looking for a Java developer since 2019.", []),
    ],
)
def test_jobs_are_found_in_prose_and_in_other_systems_rows(
    shipped: CvReader, text: str, roles: list[tuple[str, int]]
) -> None:
    assert [(post.role, post.months) for post in shipped.read(text, TODAY).posts] == roles


def test_a_title_without_dates_is_a_role_of_unknown_length_unless_somebody_else_is_meant(
    shipped: CvReader,
) -> None:
    named = shipped.read(
        "Sample Person\nData engineer\nWe are looking for a Java developer.", TODAY
    ).named_roles
    assert named == ("data-engineer",)


@pytest.mark.parametrize(
    ("text", "languages"),
    [
        ("Langues\nAnglais : courant\nAllemand (B1)", {"en": "C1", "de": "B1"}),
        ("Languages: English (TOEIC 820), Spanish, native Italian", {"en": "B2", "es": None, "it": "C2"}),
        ("Anglais lu, écrit, parlé", {"en": "B1"}),
        ("I know the German market and French customers.", {}),
        ("IELTS 7.5", {"en": "C1"}),
    ],
)
def test_languages_have_the_level_that_is_stated(
    shipped: CvReader, text: str, languages: dict[str, str | None]
) -> None:
    assert {one.language: one.level for one in shipped.read(text, TODAY).languages} == languages


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("Formation\nMaster informatique", 5),
        ("Education\nBSc Computer Science", 3),
        ("Formation\nBUT informatique", 3),
        ("Bac+4", 4),
        ("Diplôme d'ingénieur", 5),
        ("Education\nPhD in physics\nMSc", 8),
        ("Scrum Master, ingénieur système", None),
        ("Good, but slow. Licence GPL", None),
    ],
)
def test_education_is_read_in_years_after_the_baccalaureat(
    shipped: CvReader, text: str, years: int | None
) -> None:
    assert shipped.read(text, TODAY).education == years


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Sample Person\n12 rue des Lilas, 69003 Lyon", ("FR", "FR-ARA")),
        ("Sample Person\nNantes | sample@example.com", ("FR", "FR-PDL")),
        ("Sample Person\nProfile\nBased in Berlin", ("DE", None)),
        ("Sample Person\nMobile en Île-de-France", ("FR", "FR-IDF")),
        ("Nancy Laval\nJava developer", (None, None)),
        ("Sample Person\nExperience\nJava developer, Acme, Lyon, 2019 - 2021", (None, None)),
    ],
)
def test_a_place_counts_where_it_is_the_persons_own(
    shipped: CvReader, text: str, place: tuple[str | None, str | None]
) -> None:
    reading = shipped.read(text, TODAY)
    assert (reading.country, reading.region) == place


def test_names_that_nobody_knows_are_kept_from_lists_of_skills_alone(shipped: CvReader) -> None:
    text = (
        "Sample Person\nSkills\nJava (expert), FooBarJS, Wibble DB 3; Sample Person, a sentence on things\n"
        "Experience\nJava developer, Acme, 2019 - 2021\nTools: Quuxify, Git\nWith Jane Example at Initech"
    )
    assert shipped.read(text, TODAY).unmapped == ("FooBarJS", "Wibble DB 3", "Quuxify")


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "piece",
    [
        "Java, Python (5 ans) ; expert en Kafka, jamais utilisé Docker. ",
        "Education Skills Experience 2018 - 2020 Work Experience ",
        "x",
        "2019 ",
        "a@",
        "a:",
        "a/",
        "12 rue ",
        "Abc ",
    ],
)
def test_no_text_of_the_longest_size_is_read_for_ever(shipped: CvReader, piece: str) -> None:
    """Each of them takes seconds; what looks again from each place on takes many minutes."""
    text = "Java\n" + (piece * 200_000)[:199_990]
    assert "java" in read(shipped, text)


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


def test_an_export_with_its_details_is_read_by_its_own_headings(shipped: CvReader) -> None:
    text = (
        "Languages: Core Java. A quick learner.Education Details \n BSc IT   Mumbai University\n"
        "Automation Tester \n\n"
        "Automation and Manual Tester\nSkill Details \nJAVA- Exprience - 24 months\n"
        "SELENIUM- Exprience - 6 monthsCompany Details \ncompany - Example Ltd\ndescription - Manual testing"
    )
    read = shipped.read(text, TODAY)
    assert read.named_roles == ("qa-engineer",)
    years = {one.skill: one.years for one in read.skills}
    assert (years["java"], years["selenium"]) == (2.0, 0.5)


def test_a_label_over_skills_is_no_title(shipped: CvReader) -> None:
    assert shipped.read("Projects\nDevOps: Docker, Jenkins\nShop", TODAY).named_roles == ()
    assert shipped.read("DevOps engineer\nDocker, Jenkins", TODAY).named_roles == ("devops-engineer",)


def test_whole_dates_begin_and_end_a_job(shipped: CvReader) -> None:
    text = "Experience\nJava developer – Example\n2017-08-31 – 2019-01-31\nSpring"
    assert [(post.role, post.begin, post.until) for post in shipped.read(text, TODAY).posts] == [
        ("java-developer", "2017-08", "2019-01")
    ]

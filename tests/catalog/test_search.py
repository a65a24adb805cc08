"""Names are found in spite of how they are typed."""

import pytest

from services.catalog.search import Index

INDEX = Index(
    {
        "javascript": ["javascript", "JavaScript", "js"],
        "java": ["java", "Java"],
        "postgresql": ["postgresql", "PostgreSQL", "postgre"],
        "symfony": ["symfony", "Symfony", "symphony"],
        "c": ["c", "C"],
        "c-plus-plus": ["c-plus-plus", "C++"],
        "data-analyst": ["data-analyst", "Analyste de données", "Data analyst"],
        "machine-learning": ["machine-learning", "Apprentissage automatique"],
    }
)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("java script", "javascript"),
        ("JAVA", "java"),
        ("postgrse", "postgresql"),
        ("postgr", "postgresql"),
        ("symphonie", "symfony"),
        ("C++", "c-plus-plus"),
        ("c", "c"),
        ("donnees analyste", "data-analyst"),
        ("apprentisage automatique", "machine-learning"),
        ("Machine   Lerning", "machine-learning"),
    ],
)
def test_the_best_match_is_what_was_meant(typed: str, meant: str) -> None:
    assert INDEX.find(typed)[0][0] == meant


@pytest.mark.parametrize("typed", ["", "   ", "zzzzzz", "-/_", "\x00", "🦄"])
def test_nothing_is_found_for_nonsense(typed: str) -> None:
    assert INDEX.find(typed) == []


def test_the_same_question_is_answered_alike() -> None:
    assert INDEX.find("java") == INDEX.find("java")
    assert [found for found, _ in INDEX.find("java")][:2] == ["java", "javascript"]

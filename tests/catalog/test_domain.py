"""What makes a role or a skill acceptable."""

from pydantic import JsonValue

from services.catalog.domain import (
    Catalogue,
    catalogue_problems,
    mirrored,
    referring_to_role,
    referring_to_skill,
    role_problems,
    skill_problems,
    unknown_fields,
)
from shared.events.skill import Skill
from tests.catalog.support import a_role, a_skill, small


def with_skill(catalogue: Catalogue, skill: Skill) -> Catalogue:
    return Catalogue(catalogue.roles, {**catalogue.skills, skill.skill_id: skill})


def test_a_catalogue_that_holds_together_has_no_problems() -> None:
    assert catalogue_problems(small()) == []


def test_an_unknown_skill_is_named_with_what_was_probably_meant() -> None:
    role = a_role("tester", skills=[{"skill": "python"}, {"skill": "pyton"}])
    assert role_problems(role, small()) == [("/skills/1/skill", "there is no skill 'pyton'; is it 'python'?")]


def test_every_broken_relation_of_a_role_is_named() -> None:
    role = a_role(
        "tester",
        contacts=["nobody", "tester"],
        career=[{"path": "technical", "role": "gone", "text": {"fr": "a", "en": "b"}}],
        related=[{"role": "tech-lead", "closeness": 0.5}, {"role": "tech-lead", "closeness": 0.6}],
    )
    assert [pointer for pointer, _ in role_problems(role, small())] == [
        "/contacts/0",
        "/contacts/1",
        "/career/0/role",
        "/related/1/role",
    ]


def test_two_roles_cannot_bear_one_title_or_address() -> None:
    role = a_role(
        "tester",
        slug={"fr": "developpeur-back-end", "en": "assets"},
        aliases={"en": ["Server side developer"]},
    )
    assert [pointer for pointer, _ in role_problems(role, small())] == [
        "/slug/en",
        "/slug/fr",
        "/aliases/en/0",
    ]


def test_an_alias_of_two_skills_needs_a_rule() -> None:
    plain = a_skill("cython", aliases=["Py"])
    problems = skill_problems(plain, small())
    assert problems == [
        ("/aliases/0", "'Py' already stands for python; an `ambiguous` rule must tell them apart")
    ]
    ruled = a_skill("cython", aliases=["Py"], ambiguous=[{"alias": "py", "context": ["c extension"]}])
    assert skill_problems(ruled, small()) == []
    assert skill_problems(small().skills["python"], with_skill(small(), ruled)) == []


def test_a_rule_is_for_a_name_of_the_skill_and_has_a_context() -> None:
    skill = a_skill(
        "go", ambiguous=[{"alias": "golang", "context": ["channel"]}, {"alias": "go", "context": []}]
    )
    assert [pointer for pointer, _ in skill_problems(skill, small())] == [
        "/ambiguous/0/alias",
        "/ambiguous/1/context",
    ]


def test_implies_and_broader_never_go_round_in_a_circle() -> None:
    catalogue = with_skill(small(), a_skill("scripting", implies=["django"]))
    [(pointer, detail)] = skill_problems(a_skill("python", broader="scripting"), catalogue)
    assert pointer == "/implies"
    assert detail.endswith("python → scripting → django → python")


def test_of_a_relation_with_two_opinions_the_newer_end_is_right() -> None:
    newer = a_skill("postgresql", revision=9, related=[{"skill": "cobol", "credit": 0.1}])
    mended = mirrored(with_skill(small(), newer))
    assert {key: [(each.skill, each.credit) for each in skill.related] for key, skill in mended.items()} == {
        "mysql": [],
        "cobol": [("postgresql", 0.1)],
    }
    whole = Catalogue(small().roles, {**small().skills, **mended, "postgresql": newer})
    assert mirrored(whole) == {}
    one_sided = catalogue_problems(with_skill(small(), newer))
    assert sorted(line.split(":")[0] for line in one_sided) == ["skill cobol", "skill mysql"]


def test_texts_are_printable_and_bounded() -> None:
    skill = a_skill("x", label={"fr": "a\nb", "en": "  "}, aliases=["y" * 121])
    assert {pointer for pointer, _ in skill_problems(skill, small())} == {
        "/label/fr",
        "/label/en",
        "/aliases/0",
    }


def test_names_neither_begin_nor_end_with_what_slipped_in() -> None:
    for stray in ("statistician |", "| x", "x,", "x;", ":x", '"x', "x/", " x", "x\t", "x\x07y"):
        assert [pointer for pointer, _ in skill_problems(a_skill("x", aliases=[stray]), small())] == [
            "/aliases/0"
        ], stray
        role = a_role("tester", aliases={"en": [stray]}, title={"fr": stray, "en": "Tester"})
        assert [pointer for pointer, _ in role_problems(role, small())] == ["/title/fr", "/aliases/en/0"]
    right = ["C++", "C#", ".NET", "Aha!", "$universe", "@testing-library", "a.i.", "SQL (T-SQL)", "CI/CD"]
    assert skill_problems(a_skill("x", aliases=right), small()) == []


def test_who_refers_to_a_role_or_skill_is_named() -> None:
    assert referring_to_role("tech-lead", small()) == ["role back-end-developer: contacts, career, related"]
    assert referring_to_skill("postgresql", small()) == [
        "role back-end-developer: skills",
        "skill mysql: related",
    ]
    assert referring_to_skill("cobol", small()) == []


def test_unknown_fields_are_found_at_any_depth() -> None:
    sent: JsonValue = {"a": 1, "list": [{"b": 1, "typo": 2}], "other": {}}
    assert unknown_fields(sent, {"a": 1, "list": [{"b": 1}]}) == [
        ("/list/0/typo", "there is no such field"),
        ("/other", "there is no such field"),
    ]

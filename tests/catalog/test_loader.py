"""From YAML to the store and back."""

from pathlib import Path

import pytest

from services.catalog import loader, sheets
from services.catalog.__main__ import main, report_text
from services.catalog.domain import Catalogue, content
from services.catalog.store import LOADER, ROLE, SKILL, Store
from shared.events.role import Role
from shared.events.skill import Skill
from shared.run import Surroundings
from tests.catalog.support import a_skill, catalog_app, changed, following, small, store_of, writer
from tests.support import running, until


@pytest.fixture
async def store(given: Surroundings) -> Store:
    """A store that was seeded with the small catalogue."""
    seeded = store_of(given)
    await loader.load(seeded, small())
    return seeded


def replacing(*entities: Role | Skill) -> Catalogue:
    catalogue = small()
    for entity in entities:
        catalogue = catalogue.with_role(entity) if isinstance(entity, Role) else catalogue.with_skill(entity)
    return catalogue


async def curate_skill(store: Store, skill_id: str, **fields: object) -> None:
    document = await store.find(SKILL, skill_id)
    assert document is not None
    skill = SKILL.event(document).model_copy(update=fields)
    assert await store.save(SKILL, skill, document, "key:ann") is not None


async def test_loading_twice_changes_nothing(store: Store) -> None:
    before = await store.documents(ROLE), await store.documents(SKILL)
    report = await loader.load(store, small())
    assert (report.created, report.changed, report.kept, report.gone) == ([], [], [], [])
    assert report.unchanged == len(small().roles) + len(small().skills)
    assert (await store.documents(ROLE), await store.documents(SKILL)) == before


async def test_a_load_follows_the_files(store: Store) -> None:
    shipped = replacing(a_skill("cobol", aliases=["cob"]), a_skill("zig"))
    report = await loader.load(store, shipped)
    assert (report.created, report.changed) == (["skill/zig"], ["skill/cobol"])
    assert content((await store.catalogue()).skills["cobol"]) == content(shipped.skills["cobol"])


async def test_what_a_curator_changed_or_deleted_is_left_alone_and_listed(store: Store) -> None:
    await curate_skill(store, "cobol", aliases=("cob",))
    django = await store.find(SKILL, "django")
    tech_lead = await store.find(ROLE, "tech-lead")
    assert django is not None
    assert tech_lead is not None
    role = ROLE.event(tech_lead).model_copy(update={"skills": ()})
    await store.save(ROLE, role, tech_lead, "key:ann")
    await store.erase(SKILL, "django", django, "key:ben")
    shipped = replacing(a_skill("cobol", aliases=["Cobol 85"]), a_skill("python", aliases=["py", "pyth"]))
    report = await loader.load(store, shipped)
    assert report.changed == ["skill/python"]
    text = report_text(report)
    assert "left alone skill/cobol: changed " in text
    assert "by key:ann" in text
    assert "left alone skill/django: deleted " in text
    kept = await store.catalogue()
    assert kept.skills["cobol"].aliases == ("cob",)
    assert "django" not in kept.skills
    assert kept.roles["tech-lead"].skills == ()


async def test_a_load_that_would_break_the_rest_changes_nothing(store: Store) -> None:
    document = await store.find(SKILL, "cobol")
    assert document is not None
    await store.erase(SKILL, "cobol", document, "key:ann")
    shipped = replacing(a_skill("mysql", category="database", implies=["cobol"]))
    with pytest.raises(sheets.BadSheets) as bad:
        await loader.load(store, shipped)
    assert any("there is no skill 'cobol'" in problem for problem in bad.value.problems)
    assert (await loader.load(store, small())).unchanged == len(small().roles) + len(small().skills) - 1


async def test_a_curators_relation_outlives_a_load(store: Store) -> None:
    await curate_skill(store, "mysql", related=())
    await curate_skill(store, "postgresql", related=())
    shipped = replacing(a_skill("cobol", related=[{"skill": "mysql", "credit": 0.2}]))
    with_both_ends = shipped.with_skill(
        a_skill(
            "mysql",
            category="database",
            related=[{"skill": "postgresql", "credit": 0.7}, {"skill": "cobol", "credit": 0.2}],
        )
    )
    report = await loader.load(store, with_both_ends)
    assert [line.split(":")[0] for line in report.kept] == ["skill/postgresql", "skill/mysql"]
    assert (await store.catalogue()).skills["cobol"].related == ()


async def test_what_is_in_no_file_any_more_is_listed(store: Store) -> None:
    shipped = small()
    fewer = {key: skill for key, skill in shipped.skills.items() if key != "cobol"}
    report = await loader.load(store, Catalogue(shipped.roles, fewer))
    assert report.gone == ["skill/cobol: in no file any more"]
    assert "cobol" in (await store.catalogue()).skills


async def test_an_export_writes_what_curators_changed(store: Store, data: Path) -> None:
    assert await loader.export(store, data) == []
    await curate_skill(store, "cobol", aliases=("cob",))
    assert [path.name for path in await loader.export(store, data)] == ["programming-language.yaml"]
    assert sheets.read(data).skills["cobol"].aliases == ("cob",)
    assert (await loader.load(store, sheets.read(data))).kept == []


async def test_a_load_beside_a_running_service_is_shown_and_published(
    given: Surroundings, data: Path
) -> None:
    async with (
        running(catalog_app(given, data, refresh_seconds=0.05)) as client,
        following(given) as followed,
    ):
        await until(lambda: followed.seen)
        await changed(client, "/api/skills/cobol", writer(given), aliases=["cob"])
        report = await loader.load(store_of(given), replacing(a_skill("zig")))
        assert (report.created, len(report.kept)) == (["skill/zig"], 1)

        async def shown() -> bool:
            return (await client.get("/api/skills/zig")).status_code == 200

        await until(shown)
        await until(lambda: {"zig"} <= followed.taxonomy.skills.keys())
        assert (await store_of(given).documents(SKILL))["zig"]["written_by"] == LOADER


def test_a_load_without_a_mongodb_says_which_variable_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MONGODB_URI", raising=False)
    with pytest.raises(SystemExit):
        main(["load"])
    assert "MONGODB_URI is not set" in capsys.readouterr().err
    monkeypatch.setenv("MONGODB_URI", "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100")
    with pytest.raises(SystemExit):
        main(["export"])
    assert "MongoDB does not answer" in capsys.readouterr().err

"""From YAML to the store and back. YAML seeds an empty store; from then on MongoDB is the truth."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.catalog import sheets
from services.catalog.domain import Catalogue, catalogue_problems, content, mirrored
from services.catalog.importing import Merge
from services.catalog.store import KINDS, LOADER, ROLE, SKILL, UNKNOWN, Kind, Store
from shared.events.topic import Event
from shared.log import get_logger
from shared.outbox import Document


@dataclass
class Report:
    """What a load did: `role/tech-lead` style names. `kept` and `gone` say why they were left alone."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    overtaken: list[str] = field(default_factory=list)
    unchanged: int = 0


async def seed_if_empty(store: Store, folder: Path) -> None:
    """Fill a store that has nothing. Raises BadSheets where a sheet cannot be read."""
    if not await store.needs_seed():
        return
    shipped = await asyncio.to_thread(sheets.parse, folder)
    # A broken relation between sheets is no reason to show none of them.
    if problems := await asyncio.to_thread(catalogue_problems, shipped):
        get_logger("catalog").error("sheets_do_not_agree", problems=len(problems), first=problems[:5])
    await store.seed(shipped)
    get_logger("catalog").info("seeded", roles=len(shipped.roles), skills=len(shipped.skills))


async def attribute_restored(store: Store, folder: Path) -> None:
    """What came back from the topic just as the files have it is the loader's; of the rest nobody knows."""
    restored = {kind.name: await store.restored_documents(kind) for kind in KINDS}
    if not any(restored.values()):
        return
    shipped = await asyncio.to_thread(sheets.parse, folder)
    for kind in KINDS:
        ours = _of(kind, shipped)
        events = {kind.topic.key_of(event): event for event in restored[kind.name]}
        same = {key for key, event in events.items() if key in ours and content(ours[key]) == content(event)}
        await store.attribute(kind, same, LOADER)
        await store.attribute(kind, events.keys() - same, UNKNOWN)


async def load(store: Store, shipped: Catalogue) -> Report:
    """Bring the store's documents that the loader wrote last up to `shipped`; list the others that differ.

    Raises BadSheets where the result would not hold together; then nothing was changed.
    """
    if await store.needs_seed():
        await store.seed(shipped)
        names = [f"role/{key}" for key in shipped.roles] + [f"skill/{key}" for key in shipped.skills]
        return Report(created=names)
    stored = {kind.name: await store.documents(kind) for kind in KINDS}
    report = Report()
    merged = Catalogue(
        _merge(ROLE, shipped.roles, stored[ROLE.name], report),
        _merge(SKILL, shipped.skills, stored[SKILL.name], report),
    )
    # Files have revision 0, so where a curated skill and a file disagree on a relation, the curator is right.
    merged = Catalogue(merged.roles, {**merged.skills, **mirrored(merged)})
    if problems := catalogue_problems(merged):
        raise sheets.BadSheets(problems)
    for kind in (SKILL, ROLE):
        for key, event in _of(kind, merged).items():
            await _load_one(store, kind, key, event, stored[kind.name].get(key), report)
    return report


async def export(store: Store, folder: Path) -> list[Path]:
    """Write the store's roles and skills to `folder`. Gives the files that changed."""
    return sheets.write(await store.catalogue(), folder)


async def store_merged(store: Store, merged: Merge, by: str) -> list[str]:
    """Write what an import changed; the names of those that somebody else changed meanwhile."""
    stored = await store.documents(SKILL)
    overtaken = []
    for key, skill in merged.changed.items():
        document = stored.get(key)
        untouched = document is not None and document["revision"] == skill.revision
        if not untouched or await store.save(SKILL, skill, document, by) is None:
            overtaken.append(f"skill/{key}")
    return overtaken


def _of(kind: Kind[Any], catalogue: Catalogue) -> Mapping[str, Event]:
    return catalogue.roles if kind is ROLE else catalogue.skills


def _merge(
    kind: Kind[Any], shipped: Mapping[str, Any], stored: Mapping[str, Document], report: Report
) -> dict[str, Any]:
    """The catalogue after the load: the files' entities, and the store's where those go first."""
    merged = dict(shipped)
    for key, document in stored.items():
        name, by = f"{kind.name}/{key}", document.get("written_by", UNKNOWN)
        when = f"{document['occurred_at']:%Y-%m-%d %H:%M} UTC by {by}"
        if document.get("erased"):
            if by != LOADER and merged.pop(key, None) is not None:
                report.kept.append(f"{name}: deleted {when}")
            continue
        event = kind.event(document)
        if key not in shipped:
            merged[key] = event
            if by == LOADER:
                report.gone.append(f"{name}: in no file any more")
        elif content(event) == content(shipped[key]):
            merged[key] = event
        elif by != LOADER:
            merged[key] = event
            report.kept.append(f"{name}: changed {when}")
    return merged


async def _load_one(
    store: Store, kind: Kind[Any], key: str, event: Event, document: Document | None, report: Report
) -> None:
    live = document is not None and not document.get("erased")
    if document is not None and live and content(kind.event(document)) == content(event):
        report.unchanged += 1
        return
    if await store.save(kind, event, document, LOADER) is None:
        report.overtaken.append(f"{kind.name}/{key}")
    elif not live:
        report.created.append(f"{kind.name}/{key}")
    else:
        report.changed.append(f"{kind.name}/{key}")

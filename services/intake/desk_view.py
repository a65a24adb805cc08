"""What a consultant sees of a need beside what its client sees."""

from typing import Any

from services.intake.needs import Needs
from services.intake.store import Document
from services.intake.views import rfc3339

_MOST_DUPLICATES = 20


async def desk_values(needs: Needs, document: Document) -> dict[str, Any]:
    """The need's possible duplicates, where it was merged into, and what consultants did with it."""
    is_open = document["need"]["status"] == "open"
    duplicates = await needs.store.possible_duplicates(document, _MOST_DUPLICATES) if is_open else []
    kept = await needs.store.find(document["merged_into"]) if document.get("merged_into") else None
    done = sorted(document.get("desk", {}).values(), key=lambda entry: entry["at"])
    names = await needs.store.colleague_names(entry["by"] for entry in done)
    return {
        "contact": document["need"]["contact"],
        "duplicates": [line(other) for other in duplicates],
        "kept": line(kept) if kept else None,
        "done": [
            entry | {"at": rfc3339(entry["at"]), "by": names.get(entry["by"], entry["by"])} for entry in done
        ],
    }


def line(document: Document) -> dict[str, Any]:
    """A need as one line of a list."""
    need = document["need"]
    return {
        "need_id": document["_id"],
        "reference": document["reference"],
        "title": need["title"],
        "company": need["company"],
        "contact": need["contact"]["name"],
        "status": document["status"],
        "closed_as": document.get("closed_as"),
        "consultant": (document["consultant"] or {}).get("name"),
        "created_at": rfc3339(document["created_at"]),
    }

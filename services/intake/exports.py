"""What is held of a candidate, for the candidate (GDPR articles 15 and 20): JSON and the original file."""

import io
import json
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.intake.files import Files
from services.intake.store import Document
from services.intake.store_rights import RightsStore
from services.intake.views import rfc3339

_OURS = frozenset({"_id", "unpublished", "lease", "search", "read_with", "inform", "as_read", "stated"})
"""What says nothing of the person: the outbox's fields, and copies for searching and reading again."""


async def export_of(document: Document, files: Files, store: RightsStore) -> bytes:
    """A zip with candidate.json, and under cv/ the file as it was sent."""
    records = await store.exports({"candidate_id": document["_id"]}, None, 500)
    held = {"candidate_id": document["_id"]} | {
        name: value
        for name, value in document.items()
        if name not in _OURS and not name.startswith("published")
    }
    held["exports"] = [{"at": record["at"], "by": record["by"]} for record in reversed(records)]
    reveals = await store.reveals(document["_id"])
    held["reveals"] = [{"at": seen["at"], "by": seen["consultant_id"]} for seen in reveals]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        text = json.dumps(held, ensure_ascii=False, indent=2, default=_plain)
        archive.writestr("candidate.json", text)
        content = await files.content(document.get("file"))
        if content is not None:
            archive.writestr(f"cv/{document['file']['name']}", content)
    return packed.getvalue()


def record_views(records: Sequence[Document]) -> list[dict[str, Any]]:
    return [
        {"candidate_id": record["candidate_id"], "by": record["by"], "at": rfc3339(record["at"])}
        for record in records
    ]


def _plain(value: object) -> str:
    return rfc3339(value) if isinstance(value, datetime) else str(value)

"""A need as it is stored: what a request becomes, and the event that a document is published as. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.intake.domain.duplicates import job_key
from services.intake.domain.need import NeedRequest, ReadNeed, request_of
from services.intake.domain.progress import Status, status_of
from shared.events.need import Need, NeedState

Document = dict[str, Any]


def event_of(document: Document) -> Need:
    return Need.model_validate(
        document["need"]
        | {
            "need_id": document["_id"],
            "reference": document["reference"],
            "revision": document["revision"],
            "occurred_at": document["occurred_at"],
        }
    )


def restored(need: Need) -> Document:
    """The document of a need that only its topic still has; the other topics bring its timeline back."""
    asked = request_of(need)
    return (
        {
            "reference": need.reference,
            "owner": None,
            "need": asked | {"status": need.status.value},
            "asked": asked,
            "unmapped": [],
            "offered": [],
            "created_at": need.occurred_at,
            "restored": True,
        }
        | found_by(asked)
        | begun(status_of(need.status), need.occurred_at)
    )


def read_fields(read: ReadNeed, request: NeedRequest) -> Document:
    """What a document holds of an open need's request."""
    return {
        "need": read.facts | {"status": NeedState.OPEN.value},
        "asked": request.model_dump(mode="json", exclude_none=True),
        "unmapped": read.unmapped,
        "offered": read.offered,
        "read_with": read.read_with,
    } | found_by(read.facts)


def found_by(facts: Mapping[str, Any]) -> Document:
    """What needs are looked up by: the client's address, and the company's job for duplicates."""
    return {
        "client": facts["contact"]["email"].casefold(),
        "job_key": job_key(facts["company"], facts.get("role_id"), facts["title"]),
    }


def begun(status: Status, at: datetime) -> Document:
    """Progress that is intake's own, at its beginning."""
    return {
        "status": status.value,
        "shortlist_revision": 0,
        "consultant": None,
        "consultant_since": 0,
        "placed": {},
        "timeline": {"received": {"event": "received", "at": at}},
    }


def private(request: NeedRequest) -> tuple[str | None, ...]:
    """What must not leave intake inside a skill's name."""
    return (request.company, request.contact.name, request.contact.email, request.contact.phone)


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396: null removes, objects merge, all else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged

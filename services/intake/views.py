"""How needs and candidates look from outside: JSON values, the same in the API, the stream and the pages."""

from datetime import UTC, datetime
from typing import Any

from services.intake.store import Document

SHARED = "a consultant has merged this candidate with another source's: what was sent adds what was missing"
_ERASING_SERVICES = ("intake", "matching", "notifier")


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def etag(document: Document) -> str:
    return f'"{document["revision"]}"'


def need_view(document: Document) -> dict[str, Any]:
    """A need, its status and its timeline, oldest entry first."""
    return {
        "need_id": document["_id"],
        "reference": document["reference"],
        "revision": document["revision"],
        "status": document["status"],
        "timeline": timeline(document),
        "consultant": _consultant(document),
        **{name: value for name, value in document["need"].items() if name != "status"},
        "unmapped_skills": document["unmapped"],
        "created_at": rfc3339(document["created_at"]),
        "updated_at": rfc3339(document["occurred_at"]),
    }


def timeline(document: Document) -> list[dict[str, Any]]:
    entries = list(document["timeline"].values())
    if document.get("published_at"):
        revision = document["published_revision"]
        entries.append({"event": "published", "at": document["published_at"], "revision": revision})
    entries.sort(key=lambda entry: entry["at"])
    return [entry | {"at": rfc3339(entry["at"])} for entry in entries]


def _consultant(document: Document) -> dict[str, Any] | None:
    consultant = document["consultant"]
    return {name: consultant.get(name) for name in ("name", "email", "phone")} if consultant else None


def candidate_answer(document: Document) -> dict[str, Any]:
    """What will count of a candidate, and what is not understood."""
    facts, evidence = document["facts"], document["evidence"]
    return {
        "candidate_id": document["_id"],
        "skills": [
            {
                "skill": held["skill"],
                "level": held.get("level"),
                "estimated": held.get("estimated", False),
                "years": held.get("years"),
                "evidence": evidence.get(held["skill"], []),
            }
            for held in facts.get("skills", [])
        ],
        "roles": facts.get("roles", []),
        "languages": facts.get("languages", []),
        "years": facts.get("years"),
        "unmapped_skills": document["unmapped"],
        "warnings": document["warnings"],
    }


def shared_answer(document: Document) -> dict[str, Any]:
    """As `candidate_answer`, for whose word was added to another owner's candidate: nothing of that one's."""
    return {
        "candidate_id": document["_id"],
        "skills": [],
        "roles": [],
        "languages": [],
        "years": None,
        "unmapped_skills": [],
        "warnings": [SHARED],
    }


def candidate_view(document: Document) -> dict[str, Any]:
    """A candidate as their owner sees them: what was given, and what counts of it."""
    return {
        **candidate_answer(document),
        "revision": document["revision"],
        "given": document["given"],
        "ranked": document["listed"],
        "created_at": rfc3339(document["created_at"]),
        "updated_at": rfc3339(document["occurred_at"]),
    }


def erasure_view(stub: Document) -> dict[str, Any]:
    """Which services have confirmed that they hold nothing more of an erased candidate."""
    confirmed = stub.get("confirmed", {})
    services = {
        service: rfc3339(confirmed[service]) if service in confirmed else None
        for service in _ERASING_SERVICES
    }
    return {
        "candidate_id": stub["_id"],
        "erased_at": rfc3339(stub["occurred_at"]),
        "confirmed": services,
        "complete": all(services.values()),
    }

"""A candidate as it is stored: what a request becomes, and the event that a document makes. Pure."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from services.intake.domain.availability import known_outside
from services.intake.domain.candidate import CandidateRequest, Profile, facts_of
from services.intake.domain.corrections import Correction, corrected, stated_of
from services.intake.domain.lexicon import Lexicon
from services.intake.domain.same_person import keys_of
from shared.events.candidate import Candidate
from shared.taxonomy import loose

Document = dict[str, Any]


def event_of(document: Document) -> Candidate | None:
    """The pseudonymous event; None without a legal basis, which makes a tombstone of one published before."""
    if not document["listed"]:
        return None
    return Candidate.model_validate(
        known_outside(document)
        | {
            "candidate_id": document["_id"],
            "revision": document["revision"],
            "occurred_at": document["occurred_at"],
        }
    )


RESTORED_DAYS = 30


def restored(candidate: Candidate) -> Document:
    """The document of a candidate that only its topic still has: nobody's, nameless, and still ranked.

    The end of its legal basis was never on Kafka, so it stays ranked only for as long as finding the store's
    backup may take.
    """
    return {
        "owner": None,
        "given": None,
        "facts": facts_of(candidate),
        "evidence": {},
        "unmapped": [],
        "warnings": ["restored from its published event: names, contacts and texts are lost"],
        "listed": True,
        "basis_until": (datetime.now(UTC).date() + timedelta(days=RESTORED_DAYS)).isoformat(),
        "search": "",
        "created_at": candidate.occurred_at,
        "restored": True,
    }


def fields_of(
    request: CandidateRequest, profile: Profile, lexicon: Lexicon, corrections: Sequence[Correction] = ()
) -> Document:
    """What is stored of a request. `given` holds the person; only `facts` leave intake.

    `as_read` is what stated and read facts say before a consultant's corrections.
    """
    stated = stated_of(request, lexicon.taxonomy.resolve)
    file = profile.document
    searched = (request.name, request.external_id, request.email, request.phone)
    return {
        "given": request.model_dump(mode="json", exclude_none=True),
        "facts": corrected(profile.facts, stated, corrections),
        "as_read": profile.facts,
        "stated": stated,
        "evidence": profile.evidence,
        "posts": [asdict(post) for post in profile.reading.posts],
        "cv": {"kind": file.kind, "pages": file.pages, "warnings": list(file.warnings)} if file else None,
        "unmapped": profile.unmapped,
        "warnings": profile.warnings,
        "listed": profile.listed,
        "basis_until": request.basis.until.isoformat() if request.basis else None,
        "search": loose(" ".join(filter(None, searched))),
        "keys": keys_of(request.model_dump(mode="json", include={"name", "email", "phone", "location"})),
    }

"""Candidates who may be one person: found when one is stored, and merged by a consultant alone."""

import json
from dataclasses import dataclass

from pydantic import ValidationError

from services.intake.candidates import Candidates
from services.intake.domain.availability import all_placements
from services.intake.domain.candidate import CandidateRequest
from services.intake.domain.merging import union
from services.intake.domain.same_person import reasons
from services.intake.needs import Changed
from services.intake.store import Document, now
from services.intake.store_people import TwinStore

MOST = 50
"""So many others that share a key are looked at: a common name has many."""


class NoSuchPair(Exception):  # noqa: N818 - what is missing
    """The pair is not there or no longer open."""


@dataclass
class Duplicates:
    store: TwinStore
    candidates: Candidates

    async def look(self, document: Document) -> None:
        """Offer whoever may be the same person as this candidate, and withdraw what was offered wrongly."""
        keys = document.get("keys") or {}
        alike = await self.store.alike(document["_id"], keys, MOST)
        is_new = document["created_at"] == document["occurred_at"]
        kept = []
        for other in alike:
            if why := reasons(document, other):
                await self.store.offer(document["_id"], other["_id"], why, now())
                kept.append(other["_id"])
        if not is_new:
            await self.store.withdraw(document["_id"], kept)

    async def erasing(self, document: Document) -> None:
        """Forget by which keys a candidate was found."""
        await self.store.forget_keys(document["_id"], document.get("keys") or {})

    async def of(self, candidate_id: str) -> list[Document]:
        """The open pairs of a candidate."""
        return await self.store.open_pairs_of(candidate_id)

    async def listed(self, limit: int) -> list[tuple[Document, Document, Document]]:
        """Open pairs, each with its two candidates."""
        found = []
        for pair in await self.store.open_pairs(limit):
            one, other = await self._both(pair)
            if one is None or other is None:
                await self.store.forget(pair["one"] if one is None else pair["other"])
            else:
                found.append((pair, one, other))
        return found

    async def tell_apart(self, pair_id: str, by: str) -> None:
        """Not the same person: remembered. Raises NoSuchPair."""
        if not await self.store.decide(pair_id, "distinct", by, now()):
            raise NoSuchPair

    async def merge(self, pair_id: str, keep: str, by: str) -> Document:
        """One candidate with what either knew; of the other a stub that points here, and a tombstone.

        Each step may be done again: the pair is open until the other candidate is gone.
        Raises NoSuchPair, Changed where one of them was changed meanwhile.
        """
        pair = await self.store.find(pair_id)
        if pair is None or pair["state"] != "open" or keep not in (pair["one"], pair["other"]):
            raise NoSuchPair
        one, other = await self._both(pair)
        if one is None or other is None:
            raise NoSuchPair
        kept, gone = (one, other) if one["_id"] == keep else (other, one)
        merged = await self._fill(kept, gone, by)
        # Before the erasure, which lets go of what still stands for the other.
        await self.candidates.store.pass_external_ids(gone["_id"], kept["_id"])
        await self.candidates.erase(gone)
        await self.candidates.store.note_merged(gone["_id"], kept["_id"])
        if gone.get("consented_at"):
            await self.candidates.store.note_consent(kept["_id"], gone["consented_at"])
        await self.store.forget(gone["_id"])
        await self.look(merged)
        return merged

    async def _both(self, pair: Document) -> tuple[Document | None, Document | None]:
        find = self.candidates.store.find
        return await find(pair["one"]), await find(pair["other"])

    async def _fill(self, kept: Document, gone: Document, by: str) -> Document:
        """The kept one, with what only the other had: skills, a CV, contacts, a later basis."""
        try:
            both = union(kept["given"] or {}, gone["given"] or {})
            request = CandidateRequest.model_validate_json(json.dumps(both))
        except ValidationError as error:
            raise Changed from error
        has_cv = kept.get("file") or (kept["given"] or {}).get("cv_text")
        content = None if has_cv else await self.candidates.files.content(gone.get("file"))
        name = gone["file"]["name"] if content is not None else "cv"
        if content is not None:
            request = request.model_copy(update={"cv_text": None})
        had = await self.candidates.store.find(kept["_id"])
        if had is None or had["revision"] != kept["revision"]:
            raise Changed
        log = [*had.get("corrections", ()), *_others_corrections(had, gone)]
        merged = [*had.get("merged", ()), {"candidate_id": gone["_id"], "by": by, "at": now()}]
        changes = {
            "corrections": log,
            "merged": merged,
            "placements": all_placements(had, gone),
            **self.candidates.outbox.stamp(had),
        }
        if not await self.candidates.store.change(kept["_id"], had["revision"], changes):
            raise Changed
        return await self.candidates.update(had | changes, request, content, name)


def _others_corrections(kept: Document, gone: Document) -> list[Document]:
    own = {one["target"] for one in kept.get("corrections", ())}
    known = {one["id"] for one in kept.get("corrections", ())}
    return [one for one in gone.get("corrections", ()) if one["target"] not in own and one["id"] not in known]

"""Candidates register themselves. What they type is kept apart until the link in a letter is opened and the
page there confirmed: nothing is published before, and who types a stranger's address changes nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from uuid_utils import uuid7

from services.intake.candidates import Candidates
from services.intake.domain.candidate import MOST_SKILLS, Basis, BasisKind, CandidateRequest
from services.intake.domain.corrections import Correction, corrected, correction, stated_of
from services.intake.domain.same_person import email_key
from services.intake.letters import Letters
from services.intake.needs import Changed
from services.intake.store import Document, now
from services.intake.store_people import RegistrationStore, TwinStore
from services.intake.uploads import PostedFile
from services.intake.views import rfc3339
from shared.events.vocabulary import Locale
from shared.settings import Settings
from shared.tokens import BadToken, Tokens

REGISTERED = "(registered)"
"""The owner of who registered on the page: no API key's."""
PERSON = "person"
"""Who corrected, where it was the candidate."""
SOURCE = "registration form"
REVIEW_PURPOSE = "candidate-registration"
CONFIRM_PURPOSE = "candidate-confirmation"
PROFILE_PURPOSE = "candidate-profile"
KEPT = timedelta(hours=48)
"""How long a registration waits for its confirmation."""
PROFILE_LIFETIME = timedelta(hours=24)


@dataclass
class Registrations:
    store: RegistrationStore
    twins: TwinStore
    candidates: Candidates
    letters: Letters
    tokens: Tokens
    settings: Settings
    consent_months: int

    async def begin(self, request: CandidateRequest, cv: PostedFile | None, locale: Locale) -> Document:
        """Read what came and keep it apart. Raises Refusal (Unreadable, for the file), Unavailable."""
        profile = await self.candidates.read(request, cv.content if cv else None)
        stated = stated_of(request, self.candidates.knowledge.lexicon.taxonomy.resolve)
        document: Document = {
            "_id": str(uuid7()),
            "step": 1,
            "state": "read",
            "request": request.model_dump(mode="json", exclude_none=True),
            "cv": cv.content if cv else None,
            "cv_name": cv.name if cv else None,
            "locale": locale.value,
            "email_key": email_key(request.email),
            "as_read": profile.facts,
            "stated": stated,
            "facts": profile.facts,
            "evidence": profile.evidence,
            "unmapped": profile.unmapped,
            "skills": len(profile.facts["skills"]),
            "corrections": [],
            "created_at": now(),
        }
        await self.store.insert(document)
        return document

    def review_path(self, document: Document, locale: Locale) -> str:
        """The page that shows what was read; the token is its only key."""
        token = self.tokens.issue(REVIEW_PURPOSE, document["_id"], lifetime=KEPT)
        return f"/candidates/register/review?{urlencode({'t': token, 'lang': locale.value})}"

    async def of_token(self, token: str, purpose: str) -> Document | None:
        """The registration that a link is for, while it waits."""
        try:
            key = self.tokens.verify(token, purpose).subject
        except BadToken:
            return None
        found = await self.store.find(key)
        return found if found is not None and found["created_at"] > now() - KEPT else None

    async def correct(
        self, document: Document, changes: Sequence[tuple[str, Any]], skills: Sequence[str]
    ) -> Document:
        """Keep what the person changed of what was read, and added. Raises Changed, Refusal."""
        request = CandidateRequest.model_validate_json(json.dumps(document["request"]))
        if skills:
            said = document["request"] | {
                "skills": [*document["request"].get("skills", ()), *({"skill": name} for name in skills)]
            }
            request = CandidateRequest.model_validate_json(json.dumps(said))
        profile = await self.candidates.read(request, document["cv"])
        stated = stated_of(request, self.candidates.knowledge.lexicon.taxonomy.resolve)
        log = [*document["corrections"], *corrections_of(changes, document["facts"], stated, now())]
        changed = {
            "request": request.model_dump(mode="json", exclude_none=True),
            "as_read": profile.facts,
            "stated": stated,
            "corrections": log,
            "facts": corrected(profile.facts, stated, log),
            "evidence": profile.evidence,
            "unmapped": profile.unmapped,
            "step": document["step"] + 1,
        }
        if not await self.store.change(document["_id"], document["step"], changed):
            raise Changed
        return document | changed

    async def mail(self, document: Document, locale: Locale) -> bool:
        """Send the link that confirms. False where this address had its share of such letters today."""
        token = self.tokens.issue(CONFIRM_PURPOSE, document["_id"], lifetime=KEPT)
        query = urlencode({"t": token, "lang": locale.value})
        until = document["created_at"] + KEPT
        arguments = {
            "confirm_url": f"{self.settings.public_url}/candidates/confirm?{query}",
            "until": rfc3339(until),
        }
        sent = await self.letters.send(
            "confirm_registration", locale, document["request"]["email"], arguments
        )
        if sent:
            changes = {"state": "mailed", "mailed_at": now(), "step": document["step"] + 1}
            await self.store.change(document["_id"], document["step"], changes)
        return sent

    async def known(self, document: Document) -> Document | None:
        """The candidate who has this address already; only for who opened the letter to it."""
        found = await self.twins.with_email(email_key(document["request"]["email"]) or "")
        # Not what a first click on this very link made.
        others = [one for one in found if (one["given"] or {}).get("external_id") != document["_id"]]
        registered = [one for one in others if one.get("registered")]
        return next(iter(registered or others), None)

    async def confirm(self, document: Document) -> Document:
        """From now on the candidate counts; confirming twice makes one. Raises Refusal, Unavailable."""
        request = self._request(document["request"] | {"external_id": document["_id"]})
        made, _ = await self.candidates.save(
            request, REGISTERED, document["cv"], document["cv_name"] or "cv",
            registered=True, corrections=document["corrections"],
        )  # fmt: skip
        await self._done(document, made)
        return made

    async def confirm_update(self, document: Document, had: Document) -> Document:
        """As `confirm`, for who is known: what was typed now replaces what was given before."""
        before = had["given"] or {}
        said = before | document["request"]
        said["skills"] = _one_each([*before.get("skills", ()), *document["request"].get("skills", ())])
        if document["cv"] is not None:
            said.pop("cv_text", None)
        request = self._request({name: value for name, value in said.items() if value not in (None, [])})
        changed = await self.candidates.update(had, request, document["cv"], document["cv_name"] or "cv")
        if document["corrections"]:
            changed = await self._corrected(changed, document["corrections"])
        await self._done(document, changed)
        return changed

    async def change(
        self,
        had: Document,
        said: dict[str, Any],
        changes: Sequence[tuple[str, Any]],
        cv: PostedFile | None,
    ) -> Document:
        """What the person changed on their own page. Raises Refusal, Changed, Unavailable."""
        before = had["given"] or {}
        said["skills"] = _one_each([*before.get("skills", ()), *said.get("skills", ())])
        kept = ("external_id", "roles", "education", "currency", "basis", *(() if cv else ("cv_text",)))
        said |= {name: before[name] for name in kept if before.get(name)}
        request = CandidateRequest.model_validate_json(json.dumps(said))
        content, name = (cv.content, cv.name) if cv else (None, "cv")
        changed = await self.candidates.update(had, request, content, name)
        if changes:
            log = corrections_of(changes, changed["facts"], changed["stated"], now())
            changed = await self._corrected(changed, log)
        await self.candidates.contacted(changed["_id"])
        return changed

    async def renew(self, had: Document) -> Document:
        """The consent holds for another period from today."""
        changed = await self.candidates.update(had, self._request(had["given"] or {}))
        await self.candidates.store.note_consent(changed["_id"], now())
        await self.candidates.contacted(changed["_id"])
        return changed

    async def write_profile_link(self, email: str, locale: Locale) -> None:
        """Mail the link to the person's own page, if the address is known. Says nothing either way."""
        for document in await self.twins.with_email(email_key(email) or ""):
            token = self.tokens.issue(PROFILE_PURPOSE, document["_id"], lifetime=PROFILE_LIFETIME)
            query = urlencode({"t": token, "lang": locale.value})
            arguments = {
                "url": f"{self.settings.public_url}/candidates/profile?{query}",
                "until": rfc3339(now() + PROFILE_LIFETIME),
            }
            await self.letters.send("change_profile", locale, document["given"]["email"], arguments)
            return

    async def profile_of(self, token: str) -> Document | None:
        """The candidate whose own page a link opens."""
        try:
            key = self.tokens.verify(token, PROFILE_PURPOSE).subject
        except BadToken:
            return None
        return await self.candidates.store.find(key)

    async def erased(self, document: Document) -> None:
        """Forget what waits under the address of a candidate who is being erased."""
        if key := email_key((document["given"] or {}).get("email")):
            await self.store.forget_email(key)

    async def keep_house(self) -> None:
        """Forget what nobody confirmed in time."""
        await self.store.forget_older(now() - KEPT)

    def consent_until(self, today: date | None = None) -> date:
        """The last day of a consent that is given today."""
        start = today or datetime.now(UTC).date()
        months = start.month - 1 + self.consent_months
        year, month = start.year + months // 12, months % 12 + 1
        for day in range(start.day, start.day - 4, -1):
            try:
                return date(year, month, day)
            except ValueError:
                continue
        raise AssertionError("every month has 28 days")

    def _request(self, said: dict[str, Any]) -> CandidateRequest:
        basis = Basis(kind=BasisKind.CONSENT, until=self.consent_until(), source=SOURCE)
        content = {name: value for name, value in said.items() if name != "basis"}
        return CandidateRequest.model_validate_json(json.dumps(content)).model_copy(update={"basis": basis})

    async def _corrected(self, document: Document, log: Sequence[Correction]) -> Document:
        whole = [*document.get("corrections", ()), *log]
        changes = self.candidates.outbox.stamp(document) | {
            "corrections": whole,
            "facts": corrected(document["as_read"], document["stated"], whole),
        }
        if not await self.candidates.store.change(document["_id"], document["revision"], changes):
            raise Changed
        self.candidates.outbox.publish_soon(document["_id"])
        return document | changes

    async def _done(self, document: Document, candidate: Document) -> None:
        await self.candidates.store.note_consent(candidate["_id"], now())
        await self.candidates.contacted(candidate["_id"])
        arguments = {
            "url": f"{self.settings.public_url}/candidates/me?{urlencode({'lang': document['locale']})}",
            "until": candidate["given"]["basis"]["until"],
        }
        await self.letters.send(
            "registration_done", Locale(document["locale"]), document["request"]["email"], arguments
        )
        await self.store.forget(document["_id"])


def corrections_of(
    changes: Sequence[tuple[str, Any]], facts: dict[str, Any], stated: dict[str, Any], at: datetime
) -> list[Correction]:
    """The person's own corrections."""
    return [
        correction(str(uuid7()), target, value, facts=facts, stated=stated, by=PERSON, at=at)
        for target, value in changes
    ]


def _one_each(skills: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each once, as said last; the newest where they are more than a request may hold."""
    return list({one["skill"].casefold(): one for one in skills}.values())[-MOST_SKILLS:]

"""A candidate's rights (GDPR): to be told (article 14), to see (15), to be erased (17), and each recorded.

What is due is marked in the candidate's document or follows from its stub, and done by one loop: a crash, or
an hour without Kafka, delays it and loses nothing.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

from services.intake.candidates import Candidates
from services.intake.files import LEFT_BEHIND, Files
from services.intake.letters import Letters
from services.intake.store import Document, now
from services.intake.store_rights import RightsStore
from shared.events.erasure import ERASURES, Erasure, Subject
from shared.events.vocabulary import Locale
from shared.kafka import Kafka
from shared.settings import Settings
from shared.taxonomy import loose
from shared.tokens import BadToken, Tokens

PURPOSE = "candidate-rights"
ERASURE_PURPOSE = "candidate-erasure"
ERASURE_LIFETIME = timedelta(days=60)
NOTICE_LIFETIME = timedelta(days=400)
SEE, KEEP, ERASE = "see", "keep", "erase"
BATCH = 200
LOOK_SECONDS = 15.0
"""How often to look for what another replica, or a run that ended, left undone."""
_FRENCH = frozenset({"FR", "BE", "LU", "MC", "CH", "CI", "SN", "MA", "TN", "DZ"})


@dataclass
class Rights:
    candidates: Candidates
    store: RightsStore
    letters: Letters
    tokens: Tokens
    settings: Settings
    kafka: Kafka
    _due: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.candidates.before_erasing.append(self._forget_letters)
        self.candidates.after_erasing.append(self._erased)

    def soon(self) -> None:
        """Look at once for what is due."""
        self._due.set()

    async def run(self) -> None:
        """Tell who is to be told, and confirm erasures; runs until cancelled."""
        while True:
            self._due.clear()
            await self.inform()
            await self.confirm_erasures()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._due.wait()

    async def inform(self) -> None:
        """GDPR article 14: once, to who did not give us their data themselves and whose address we have."""
        while batch := await self.store.to_inform(BATCH):
            for document in batch:
                await self._inform(document)

    async def confirm_erasures(self) -> None:
        """Forget whatever else hangs on an erased id, then say so on `erasures.v1`, as every service does."""
        while batch := await self.store.unconfirmed(BATCH):
            for subject, stub in batch:
                await self._confirm(subject, stub)

    def rights_url(
        self, candidate_id: str, locale: Locale, *scopes: str, lifetime: timedelta = NOTICE_LIFETIME
    ) -> str:
        """The person's own page. It says what they may do there; opening it changes nothing."""
        token = self.tokens.issue(PURPOSE, candidate_id, lifetime=lifetime, scopes=scopes)
        query = urlencode({"t": token, "lang": locale.value})
        return f"{self.settings.public_url}/candidates/{candidate_id}/rights?{query}"

    def erasure_path(self, candidate_id: str) -> str:
        """Where the progress of an erasure is shown."""
        token = self.tokens.issue(ERASURE_PURPOSE, candidate_id, lifetime=ERASURE_LIFETIME)
        return f"/candidates/{candidate_id}/erasure?{urlencode({'t': token})}"

    def scopes_of(self, token: str, candidate_id: str) -> frozenset[str]:
        """What the holder of a rights link may do with this candidate; nothing where it is not a good one."""
        try:
            claims = self.tokens.verify(token, PURPOSE)
        except BadToken:
            return frozenset()
        return claims.scopes if claims.subject == candidate_id else frozenset()

    async def stub_of(self, token: str, candidate_id: str) -> Document | None:
        """The erased candidate's stub, for the holder of its erasure link."""
        try:
            known = self.tokens.verify(token, ERASURE_PURPOSE).subject == candidate_id
        except BadToken:
            return None
        return await self.candidates.store.find_stub(candidate_id) if known else None

    async def write(
        self, template: str, document: Document, arguments: Mapping[str, str], occasion: str
    ) -> None:
        """A letter to the candidate; the same occasion makes the same letter, sent once."""
        await self.letters.send(
            template,
            locale_of(document),
            document["given"]["email"],
            arguments,
            at_most=None,
            letter_id=str(uuid5(NAMESPACE_URL, f"{template}:{document['_id']}:{occasion}")),
        )

    async def _inform(self, document: Document) -> None:
        given, told = document["given"] or {}, {"inform": False}
        if given.get("email") is None:
            await self.store.set_aside(document["_id"], told)
            return
        basis = given.get("basis") or {}
        arguments = {
            "source": _source(given, document["owner"] or ""),
            "until": basis.get("until") or "",
            "rights_url": self.rights_url(document["_id"], locale_of(document), SEE, KEEP, ERASE),
        }
        await self.write("privacy_notice", document, arguments, "once")
        await self.store.set_aside(document["_id"], told | {"informed_at": now()})

    async def _confirm(self, subject: Subject, stub: Document) -> None:
        key, at = str(stub["_id"]), now()
        if subject is Subject.CANDIDATE:
            for forget in self.candidates.after_erasing:
                await forget(key)
            await self.candidates.files.forget(key)
        await self.candidates.terms.store.forget_user(key)
        event = Erasure(
            subject_id=key, subject=subject, service="intake", revision=stub["revision"], occurred_at=at
        )
        await self.kafka.publisher.publish(ERASURES, event)
        await self.store.confirmed(subject, key, at)

    async def _forget_letters(self, document: Document) -> None:
        email = (document["given"] or {}).get("email")
        if email is not None:
            await self.letters.forget(email)

    async def _erased(self, candidate_id: str) -> None:
        """At once what the next request may meet again; the rest follows in the loop."""
        await self.candidates.store.release_external_ids(candidate_id)
        self.soon()


async def sweep_files(files: Files, store: RightsStore) -> None:
    """Drop files that no candidate's document names: a crash came between the two writes."""
    before, after = now() - LEFT_BEHIND, None
    while batch := await files.written_before(before, after, BATCH):
        after = batch[-1]["_id"]
        named = await store.named_files(list({file["candidate_id"] for file in batch}))
        for file in batch:
            if file["_id"] not in named:
                await files.drop({"id": file["_id"]})


def _source(given: Mapping[str, Any], owner: str) -> str:
    """Who the data came from, as the basis says; not where that names the candidate: letters are events."""
    said = (given.get("basis") or {}).get("source") or owner
    named = {word for word in loose(given.get("name") or "").split() if len(word) > 2}
    return owner if named & set(loose(said).split()) else str(said)


def locale_of(document: Document) -> Locale:
    """The language to write to a candidate in: their own choice, else that of where they live."""
    if document.get("locale"):
        return Locale(document["locale"])
    country = document["facts"].get("country")
    return Locale.EN if country is not None and country not in _FRENCH else Locale.FR

"""Changes what is held of a need, and carries out what follows: ledger rows and feedback events."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from services.notifier.consultants import Consultant
from services.notifier.domain import (
    DueMail,
    NeedFile,
    Step,
    announce,
    assigned,
    choose_owner,
    given_longer,
    released,
    unanswered,
    without_candidate,
    without_need,
)
from services.notifier.hours import Clock, Hours, utc_now
from services.notifier.letterhead import WAITING, LedgerRow, RowState, message_id, row_id, thread_id
from services.notifier.store import Store
from shared.catalogue import Catalogue
from shared.events.erasure import Subject
from shared.events.need import Need
from shared.events.topic import next_revision
from shared.log import get_logger
from shared.outage import Unavailable, is_outage, reason

SWEEP_SECONDS = 2.0

Change = Callable[[NeedFile], NeedFile]


@dataclass
class Casework:
    """`wake` starts the sender; `domain` is the right-hand side of our Message-IDs."""

    store: Store
    catalogue: Catalogue
    wake: asyncio.Event
    domain: str
    settle: timedelta
    hours: Hours
    answer: timedelta
    """Working time after which a need passes on."""
    now: Clock = utc_now
    _choosing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def update(self, need_id: str, change: Change) -> NeedFile:
        """Apply `change` by compare and set, find an owner and mails where it asks for them, carry them out.

        What `change` raises goes to the caller, with nothing changed. Raises Unavailable where an owner is
        wanted and there is no catalogue yet: all else is done then, and the sweeper goes on with it.
        """
        while True:
            before = await self.store.file(need_id)
            after = change(before)
            saved = await self._settle(before, after)
            if saved is not None and await self._is_given_in_vain(before, saved):
                # Before any mail of it: whoever passes on the needs of those who pause may have looked
                # just before it was theirs.
                change = self._taken_back(saved)
                continue
            if saved is not None:
                await self.carry_out(saved)
                if saved.wants_owner and not self.catalogue.seen:
                    raise Unavailable("no catalogue was read yet: owners are chosen by families of roles")
                return saved

    async def _settle(self, before: NeedFile, after: NeedFile) -> NeedFile | None:
        """The file as saved, with an owner and mails where it wants them; None where it was overtaken."""
        if not after.wants_owner:
            return await self._save(before, self._announced(await self._with_deadline(after)))
        if not self.catalogue.seen:
            return await self._save(before, after)
        # One at a time, so that each choice sees the needs that the one before gave away.
        async with self._choosing:
            given = await self._with_deadline(await self._with_owner(after))
            return await self._save(before, self._announced(given))

    async def _is_given_in_vain(self, before: NeedFile, after: NeedFile) -> bool:
        """Whether the need has just gone to somebody who paused, left or became unreachable meanwhile."""
        owner = after.owner
        if owner is None or (before.owner and before.owner.consultant_id == owner.consultant_id):
            return False
        found = await self.store.consultant(owner.consultant_id)
        return found is None or not found.available

    def _taken_back(self, file: NeedFile) -> Change:
        who, now = file.reader, self.now()
        return lambda newest: released(newest, who, Step.WITHDRAWN, now)

    def _announced(self, file: NeedFile) -> NeedFile:
        return announce(file, self.now(), self.settle)

    async def _save(self, before: NeedFile, after: NeedFile) -> NeedFile | None:
        return before if after is before else await self.store.save(before, after)

    async def _with_owner(self, file: NeedFile) -> NeedFile:
        if file.need is None:
            return file
        chosen = choose_owner(
            await self.store.consultants(active_only=True),
            await self.store.open_needs(),
            self.practices(file.need),
            file.need.location,
            without=file.passed_by,
        )
        if chosen is None:
            get_logger("notifier").info("need_without_owner", need_id=file.need_id)
            return file
        now = self.now()
        await self.store.note_assigned(chosen.consultant_id, now)
        return assigned(file, chosen.consultant_id, now)

    async def _with_deadline(self, file: NeedFile) -> NeedFile:
        """An owner has so long to answer, from when the mail reaches them."""
        owner = file.owner
        if owner is None or owner.taken_at or owner.answer_by or not file.open or file.shortlist is None:
            return file
        reader = await self.store.consultant(owner.consultant_id)
        if reader is None:
            return file
        mailed = self.hours.mailed_at(reader, max(owner.since, self.now()))
        until = self.hours.after_working(reader, mailed, self.answer)
        return file.model_copy(update={"owner": owner.model_copy(update={"answer_by": until})})

    def practices(self, need: Need) -> set[str]:
        """The role's id and family; of a need in words alone, those of the role that its title names."""
        role_id = need.role_id or self.catalogue.role_names.resolve(need.title)
        role = self.catalogue.roles.get(role_id or "")
        return {role.role_id, role.family} if role else {role_id} - {None} if role_id else set()

    async def carry_out(self, file: NeedFile) -> None:
        """Write the rows and events that the file still has to bring about. Any of it may be done already."""
        if not (file.due or file.decided):
            return
        for feedback in file.decided:
            await self.store.add_feedback(feedback)
        for mail in file.due:
            row = self._row(file.need_id, mail)
            if await self.store.ledger.add_row(row):
                self.store.ledger.deliveries.publish_soon(row.row_id)
        await self.store.finish(file)
        self.wake.set()

    def _row(self, need_id: str, mail: DueMail) -> LedgerRow:
        made = row_id(mail.recipient, mail.kind, need_id, mail.subject_revision)
        return LedgerRow(
            row_id=made,
            recipient=mail.recipient,
            kind=mail.kind.value,
            subject=need_id,
            subject_revision=mail.subject_revision,
            state=RowState.QUEUED,
            revision=next_revision(0, mail.at),
            message_id=message_id(made, self.domain),
            thread=thread_id(need_id, self.domain),
            created_at=mail.at,
            next_try_at=mail.not_before,
            news=mail.news,
            gone=mail.gone,
            edited=mail.edited,
        )

    async def pass_on_all(self, consultant: Consultant) -> None:
        """Give the open needs of a consultant who left or paused to others."""
        now, who = self.now(), consultant.consultant_id
        for need_id in await self.store.needs_of([who]):
            await self.update(need_id, lambda file: released(file, who, Step.WITHDRAWN, now))

    async def pass_on_unanswered(self) -> None:
        """Give to others what its owner did not answer in time, or has no owner who could answer."""
        now = self.now()
        for need_id in await self.store.overdue_needs(now):
            if await self._is_unread(await self.store.file(need_id)):
                await self.update(need_id, lambda file: given_longer(file, now))
                continue
            await self.update(need_id, lambda file: unanswered(file, now))
            get_logger("notifier").info("need_unanswered", need_id=need_id)
        absent = [one for one in await self.store.consultants() if not one.available]
        if await self.store.needs_of([one.consultant_id for one in absent]):
            for consultant in absent:
                await self.pass_on_all(consultant)

    async def _is_unread(self, file: NeedFile) -> bool:
        """Whether its owner could have no mail of it yet, since the relay is away: the next one would hear as
        little. Whose mail was refused for now does not count: another may well be reached."""
        owner = file.owner
        if owner is None:
            return False
        rows = await self.store.ledger.rows_to(owner.consultant_id, file.need_id)
        mine = [row for row in rows if row.created_at >= owner.since]
        if any(row.state is RowState.SENT for row in mine):
            return False
        return any(row.state in WAITING and row.attempts == 0 for row in mine)

    async def forget_candidate(self, candidate_id: str, revision: int) -> None:
        """Noted first, so that a shortlist that comes late does not bring the candidate back."""
        if not await self.store.note_erasure(candidate_id, Subject.CANDIDATE, revision):
            return
        for need_id in await self.store.needs_with(candidate_id):
            await self.update(need_id, lambda file: without_candidate(file, candidate_id))
        await self.store.confirm_erasure(candidate_id, revision)

    async def forget_need(self, need_id: str, revision: int) -> None:
        await self.store.note_erasure(need_id, Subject.NEED, revision)
        await self.update(need_id, lambda file: without_need(file, revision))
        await self.store.confirm_erasure(need_id, revision)

    async def run_sweeper(self) -> None:
        """Finish what a process that died left unfinished; runs until cancelled."""
        while True:
            try:
                for need_id in await self.store.unfinished_needs():
                    await self.update(need_id, lambda file: file)
                await self.pass_on_unanswered()
            except Exception as error:
                if not is_outage(error):
                    raise
                get_logger("notifier").info("sweep_waits", why=reason(error))
            await asyncio.sleep(SWEEP_SECONDS)

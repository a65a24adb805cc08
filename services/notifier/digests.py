"""Mails that wait for their reader: until quiet hours end, or for the one digest of a day.

A digest is a ledger row of its own, one a consultant and moment at which their digests go. What is due for
somebody who gets digests is set aside as its item; the digest claims the items when it is written, from what
the needs' files say then: a need that was edited since shows its newest state, one that went elsewhere does
not show. The items end as it ends.

Whoever changes their time zone, or whose digests go at another hour from now on, may have two to come: the
one that goes first takes everything, and the other has nothing to show. Whoever wants mails at once again
gets at once what was set aside.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.notifier.consultants import Consultant, Delivery
from services.notifier.domain import NeedFile
from services.notifier.hours import Clock, Hours, utc_now
from services.notifier.letterhead import (
    DIGEST,
    LedgerRow,
    RowState,
    message_id,
    newest,
    row_id,
    thread_id,
)
from services.notifier.store import Store
from services.notifier.store_ledger import Items
from shared.events.delivery import DeliveryKind
from shared.events.topic import next_revision

SHORTLISTS = frozenset({DeliveryKind.SHORTLIST.value, DeliveryKind.NO_MATCH.value})


@dataclass(frozen=True)
class Item:
    """A need in a digest: as it is now, with the row that stands for it (the newest of that need)."""

    row: LedgerRow
    file: NeedFile


@dataclass
class Digests:
    """`domain` is the right-hand side of our Message-IDs."""

    store: Store
    hours: Hours
    domain: str
    now: Clock = field(default=utc_now)

    async def set_aside(self, row: LedgerRow, token: str) -> bool:
        """Whether a row that we hold is not to go now: it waits for the quiet hours' end, or for a digest."""
        if row.kind not in SHORTLISTS | {DIGEST}:
            return False
        reader = await self.store.consultant(row.recipient)
        if reader is None:
            return False
        now = self.now()
        if row.kind in SHORTLISTS and reader.delivery is Delivery.DAILY:
            # The digest first: an item without one to come would wait for nothing.
            await self.store.ledger.add_row(self._row(reader, self.hours.next_digest(reader, now)))
            await self.store.ledger.collect(row, token)
            return True
        opens = self.hours.may_mail(reader, now)
        if opens > now:
            await self.store.ledger.put_back(row, token, opens, failure=row.failure, counted=False)
        return opens > now

    async def items(self, digest: LedgerRow) -> list[Item]:
        """What the digest shows, by need; what is overtaken is closed here and now."""
        about: dict[str, list[LedgerRow]] = {}
        for row in await self.store.ledger.claim_items(digest.recipient, digest.row_id):
            about.setdefault(row.subject, []).append(row)
        found = []
        for need_id, rows in sorted(about.items()):
            file = await self.store.file(need_id)
            shown = file.open and file.reader == digest.recipient and file.shortlist is not None
            last = newest(rows)
            # While the digest waited for another try, its reader may have had a newer mail at once.
            others = await self.store.ledger.rows_to(digest.recipient, need_id)
            shown = shown and not any(
                other.state in {RowState.SENT, RowState.SENDING} and other.rank > last.rank
                for other in others
            )
            overtaken = [row for row in rows if row is not last or not shown]
            for row in overtaken:
                await self._close(row, digest, RowState.SUPERSEDED)
            if shown:
                news = tuple(dict.fromkeys(candidate for row in rows for candidate in row.news))
                found.append(Item(last.model_copy(update={"news": news}), file))
        return found

    async def close_items(self, digest: LedgerRow, state: RowState, failure: str | None) -> list[LedgerRow]:
        """The items end as their digest did. Those that did."""
        rows = await self.store.ledger.items_of(digest.row_id)
        for row in rows:
            await self._close(row, digest, state, failure)
        return rows

    async def tidy(self) -> None:
        """Finish what a sender left undone: items whose digest is over, or never came to be; and let go what
        was set aside for somebody who gets no digests any more."""
        items = await self.store.ledger.collected_items()
        for row in await self._not_for_digests(items):
            await self.store.ledger.release_item(row, None)
        for row, (_, held) in (await self.store.ledger.stranded_among(items)).items():
            digest = await self.store.ledger.row(held) if held else None
            if digest is not None and digest.state in {RowState.SENT, RowState.FAILED}:
                await self.close_items(digest, digest.state, digest.failure)
            else:
                await self.store.ledger.release_item(row, held)

    async def _not_for_digests(self, items: Items) -> list[str]:
        """What a digest has claimed stays with it: it may be in the reader's inbox already."""
        recipients = {recipient for recipient, held in items.values() if held is None}
        readers = [await self.store.consultant(one) for one in recipients]
        daily = {one.consultant_id for one in readers if one and one.delivery is Delivery.DAILY}
        return [row for row, (recipient, held) in items.items() if held is None and recipient not in daily]

    async def _close(
        self, row: LedgerRow, digest: LedgerRow, state: RowState, failure: str | None = None
    ) -> None:
        if await self.store.ledger.close_row(row, digest.row_id, state, failure=failure):
            self.store.ledger.publish_outcome(row)

    def _row(self, reader: Consultant, at: datetime) -> LedgerRow:
        # Not the day alone: with another time zone or hour, a day that had its digest gets one more.
        number = int(at.strftime("%Y%m%d%H%M"))
        made = row_id(reader.consultant_id, DIGEST, reader.consultant_id, number)
        return LedgerRow(
            row_id=made,
            recipient=reader.consultant_id,
            kind=DIGEST,
            subject=reader.consultant_id,
            subject_revision=number,
            state=RowState.QUEUED,
            revision=next_revision(0, datetime.now(UTC)),
            message_id=message_id(made, self.domain),
            thread=thread_id(f"{DIGEST}-{reader.consultant_id}-{number}", self.domain),
            created_at=at,
            next_try_at=at,
        )

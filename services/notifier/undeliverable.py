"""What follows a mail that can never be delivered: its need goes to somebody who can be reached."""

from dataclasses import dataclass
from datetime import datetime

from services.notifier.casework import Casework
from services.notifier.domain import NeedFile, Step, released
from services.notifier.hours import Clock, utc_now
from services.notifier.letterhead import DIGEST, LedgerRow
from services.notifier.store import Store


@dataclass
class Undeliverable:
    store: Store
    casework: Casework
    now: Clock = utc_now

    async def note(self, row: LedgerRow, *, bad_address: str | None) -> None:
        """`bad_address`: the hash of an address that does not work at all; nothing more is sent there.

        A consultant's needs go on then, or the one that this mail was about. A client's, a candidate's or the
        agency's own failure is there to be seen. Any of it may be done already.
        """
        if bad_address is not None:
            await self.store.addresses.suppress(bad_address, row, self.now())
        reader = await self.store.consultant(row.recipient)
        if reader is None:
            return
        if bad_address is not None:
            await self.store.note_unreachable(reader.consultant_id)
            await self.casework.pass_on_all(reader)
        elif row.kind != DIGEST:
            now = self.now()
            await self.casework.update(row.subject, lambda file: _unread(file, reader.consultant_id, now))


def _unread(file: NeedFile, consultant_id: str, now: datetime) -> NeedFile:
    """Who has taken a need over knows of it without this mail."""
    taken = file.owner is not None and file.owner.taken_at is not None
    return file if taken else released(file, consultant_id, Step.WITHDRAWN, now)

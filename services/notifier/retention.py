"""What the ledger may forget: old rows of needs that are closed, letters' and digests'.

A row keeps its mail from being sent again when whatever led to it is read again. So it may go once that can
come no more, or finds it done elsewhere:

- a need or a shortlist can come for ever, since its topic is compacted; but the need's file has its
  revision, and whether it was acknowledged, announced and told as filled. A row of an open need stays all the
  same, since a newer mail looks at those before it;
- a letter has no file: its topic keeps it for days, and the dead letters, from where it can be replayed, for
  days more. The least that may be set (NOTIFIER_LEDGER_DAYS) is longer than both and a segment of each;
- a digest's row is of a moment that is past.

A store that is filled anew from the topics knows only the outcomes that are on notifier.deliveries.v1 still,
whatever was kept here.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from services.notifier.hours import Clock, utc_now
from services.notifier.store import Store
from shared.events.delivery import DeliveryKind
from shared.log import get_logger
from shared.outage import is_outage, reason

EVERY_SECONDS = 3600.0
BATCH = 500


@dataclass
class Retention:
    store: Store
    keep: timedelta
    now: Clock = utc_now

    async def run(self) -> None:
        """Look every hour until cancelled; several replicas may do so at once."""
        while True:
            try:
                await self.sweep()
            except Exception as error:
                if not is_outage(error):
                    raise
                get_logger("notifier").info("retention_waits", why=reason(error))
            await asyncio.sleep(EVERY_SECONDS)

    async def sweep(self) -> int:
        """How many rows were dropped."""
        moment, after, dropped = self.now() - self.keep, "", 0
        while rows := await self.store.ledger.ended_before(moment, after, BATCH):
            after = rows[-1].row_id
            needs = {row.subject for row in rows if row.kind in set(DeliveryKind)}
            still_open = await self.store.open_among(needs)
            old = [row for row in rows if row.subject not in still_open]
            await self.store.ledger.drop(old)
            dropped += len(old)
        await self.store.addresses.forget_before(moment, self.now().date())
        if dropped:
            get_logger("notifier").info("ledger_shortened", rows=dropped)
        return dropped

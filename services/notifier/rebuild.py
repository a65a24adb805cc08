"""A store that was emptied is filled again from the topics, so that nobody gets a mail a second time.

The ledger's row ids are functions of what each row is about, and notifier.deliveries.v1 names them: rows that
had an outcome are put back with it, then needs, decisions and shortlists are taken in as if they came anew.
Consultants are in no topic: without them the open needs go to the agency's inbox.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

from services.notifier.casework import Casework
from services.notifier.decisions import replayed
from services.notifier.domain import AGENCY, NeedFile, with_need, with_shortlist
from services.notifier.letterhead import LedgerRow, RowState, message_id, thread_id
from services.notifier.store import Store
from shared.events.delivery import DELIVERIES, Audience, Delivery, DeliveryStatus
from shared.events.feedback import FEEDBACK, Feedback
from shared.events.need import NEEDS, Need
from shared.events.shortlist import SHORTLISTS, Shortlist
from shared.events.topic import E, Topic
from shared.events.wire import BadRecord, Record, decode
from shared.log import get_logger
from shared.reader import read_all
from shared.table import read_to_end

_DONE = "read from the topics"


@dataclass
class Rebuild:
    bootstrap: str
    store: Store
    casework: Casework

    async def run(self) -> None:
        """Once a store. It may be cut short and begun again: every step can be repeated."""
        if await self.store.marked(_DONE):
            return
        deliveries = await everything(self.bootstrap, DELIVERIES)
        if not deliveries:
            # Nothing was ever mailed: what is on the topics is for the consumers to read.
            await self.store.mark(_DONE)
            return
        for delivery in {one.delivery_id: one for one in deliveries}.values():
            if delivery.status is not DeliveryStatus.QUEUED:
                await self.store.ledger.put_row_back(_row(delivery, self.casework.domain))
        decisions: dict[str, list[Feedback]] = defaultdict(list)
        for feedback in await everything(self.bootstrap, FEEDBACK):
            await self.store.put_feedback_back(feedback)
            decisions[feedback.need_id].append(feedback)
        shortlists = await read_to_end(self.bootstrap, SHORTLISTS)
        needs = await read_to_end(self.bootstrap, NEEDS)
        for need_id, record in needs.items():
            if record.event is not None:
                await self._restore(record.event, shortlists.get(need_id), decisions[need_id])
        await self.store.mark(_DONE)
        get_logger("notifier").warning("store_rebuilt", needs=len(needs), deliveries=len(deliveries))

    async def _restore(self, need: Need, listed: Record[Shortlist] | None, decided: list[Feedback]) -> None:
        now = datetime.now(UTC)
        consultants = await self.store.consultants()
        known = {one.consultant_id for one in consultants if one.available}
        # Whom the mails went to is not on the topic.
        readers = frozenset({AGENCY, *(one.consultant_id for one in consultants)})

        def change(file: NeedFile) -> NeedFile:
            file = with_need(file, need, now).model_copy(update={"readers": readers})
            for feedback in decided:
                file = replayed(file, feedback, known)
            return with_shortlist(file, listed.event, listed.revision) if listed else file

        await self.casework.update(need.need_id, change)


async def everything(bootstrap: str, topic: Topic[E]) -> list[E]:
    """Every event of a topic, oldest first within a key; what cannot be read is passed over."""
    found = []
    async for raw in read_all(bootstrap, topic.name):
        try:
            event = decode(topic, raw.key, raw.value, raw.headers).event
        except BadRecord:
            continue
        if event is not None:
            found.append(event)
    return found


def _row(delivery: Delivery, domain: str) -> LedgerRow:
    """To whom it went is not in the event; its id alone keeps it from being claimed again."""
    client = delivery.audience is Audience.CLIENT
    return LedgerRow(
        row_id=delivery.delivery_id,
        recipient="client" if client else f"forgotten/{delivery.delivery_id}",
        kind=delivery.kind.value,
        subject=delivery.need_id,
        subject_revision=delivery.subject_revision,
        state=RowState(delivery.status.value),
        revision=delivery.revision,
        message_id=message_id(delivery.delivery_id, domain),
        thread=thread_id(delivery.need_id, domain),
        created_at=delivery.occurred_at,
        next_try_at=delivery.occurred_at,
        sent_at=delivery.occurred_at if delivery.status is DeliveryStatus.SENT else None,
        failure=delivery.failure,
    )

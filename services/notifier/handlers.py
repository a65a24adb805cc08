"""What comes in: needs, shortlists, letters, erased candidates. Handlers write rows, the sender mails."""

from services.notifier.casework import Casework
from services.notifier.domain import listed_in, with_need, with_shortlist
from services.notifier.letters import queue_letter
from shared.events.candidate import CANDIDATES, Candidate
from shared.events.letter import LETTERS, Letter
from shared.events.need import NEEDS, Need
from shared.events.shortlist import SHORTLISTS, Shortlist
from shared.events.wire import Record
from shared.kafka import Kafka


def subscribe(kafka: Kafka, casework: Casework, public_url: str) -> None:
    """Register the consumers. Each may be handed anything again, from the beginning."""

    @kafka.subscribe(NEEDS)
    async def on_need(record: Record[Need]) -> None:
        await take_need(casework, record)

    @kafka.subscribe(SHORTLISTS)
    async def on_shortlist(record: Record[Shortlist]) -> None:
        await take_shortlist(casework, record)

    @kafka.subscribe(LETTERS)
    async def on_letter(record: Record[Letter]) -> None:
        if record.event is not None:
            await queue_letter(casework, record.event, public_url)

    @kafka.subscribe(CANDIDATES)
    async def on_candidate(record: Record[Candidate]) -> None:
        if record.event is None:
            await casework.forget_candidate(record.key, record.revision)
        else:
            # A legal basis that ended can be renewed.
            await casework.store.lift_erasure(record.key, record.revision)


async def take_need(casework: Casework, record: Record[Need]) -> None:
    need = record.event
    if need is None:
        await casework.forget_need(record.key, record.revision)
        return
    now = casework.now()
    await casework.update(need.need_id, lambda file: with_need(file, need, now))


async def take_shortlist(casework: Casework, record: Record[Shortlist]) -> None:
    shortlist = record.event
    listed = listed_in(shortlist) if shortlist else ()
    erased = await casework.store.erased_among(listed)
    await casework.update(record.key, lambda file: with_shortlist(file, shortlist, record.revision, erased))

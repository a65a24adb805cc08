"""What comes in: the skill names that intake could not place."""

from services.catalog.curation import Curation
from shared.events.unmapped import UNMAPPED, UnmappedTerm
from shared.events.wire import Record
from shared.kafka import Kafka


def subscribe(kafka: Kafka, curation: Curation) -> None:
    """Register the consumer. It may be handed anything again."""

    @kafka.subscribe(UNMAPPED)
    async def on_unmapped(record: Record[UnmappedTerm]) -> None:
        if record.event is not None:
            await curation.note(record.event)

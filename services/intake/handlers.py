"""Events in: what matching and notifier say of a need, and who confirms an erasure."""

from collections.abc import Callable

from services.intake.candidates import Candidates
from services.intake.domain.progress import News, news_of_delivery, news_of_feedback, news_of_shortlist
from services.intake.needs import Needs
from services.intake.store import CandidateStore
from shared.events.delivery import DELIVERIES, Delivery
from shared.events.erasure import ERASURES, Erasure, Subject
from shared.events.feedback import FEEDBACK, Decision, Feedback
from shared.events.shortlist import SHORTLISTS, Shortlist
from shared.events.topic import E, Topic
from shared.events.wire import BadRecord, Record, decode
from shared.kafka import Kafka
from shared.reader import read_all

_CONTACTS = frozenset({Decision.CONTACTED, Decision.PRESENTED, Decision.PLACED})


def subscribe(kafka: Kafka, needs: Needs, candidates: Candidates) -> None:
    @kafka.subscribe(SHORTLISTS)
    async def shortlisted(record: Record[Shortlist]) -> None:
        if record.event is not None:
            await note(needs, record.key, news_of_shortlist(record.event))

    @kafka.subscribe(DELIVERIES)
    async def delivered(record: Record[Delivery]) -> None:
        if record.event is not None:
            await note(needs, record.key, news_of_delivery(record.event))

    @kafka.subscribe(FEEDBACK)
    async def decided(record: Record[Feedback]) -> None:
        if record.event is not None:
            await note(needs, record.key, news_of_feedback(record.event))
            who = record.event.consultant
            await needs.store.note_colleague(who.consultant_id, who.name, record.event.occurred_at)
            await note_contact(candidates.store, record.event)
            await candidates.note_decision(record.event)

    @kafka.subscribe(ERASURES)
    async def erased(record: Record[Erasure]) -> None:
        event = record.event
        if event is not None:
            store = candidates.store if event.subject is Subject.CANDIDATE else needs.store
            await store.confirm_erasure(event.subject_id, event.service, event.occurred_at, event.revision)


async def note(needs: Needs, need_id: str, news: News | None) -> None:
    """Write what an event says of a need; one that this store does not know is nobody's here."""
    if news is None:
        return
    await needs.store.note(need_id, news)
    if news.placed is not None:
        await needs.fill_if_placed(need_id)
    needs.feed.changed(need_id)


async def note_contact(candidates: CandidateStore, feedback: Feedback) -> None:
    """A consultant who spoke with a candidate begins the time without contact anew."""
    if feedback.decision in _CONTACTS and feedback.candidate_id is not None:
        await candidates.note_contact(feedback.candidate_id, feedback.occurred_at)


async def bring_timelines_back(kafka: Kafka, needs: Needs) -> None:
    """Needs restored from their topic have no timeline: read again what was said of them.

    The consumer groups are past those records, so this reads without a group; every step is idempotent.
    """
    if not await needs.store.restored():
        return
    await _replay(kafka, needs, SHORTLISTS, news_of_shortlist)
    await _replay(kafka, needs, DELIVERIES, news_of_delivery)
    await _replay(kafka, needs, FEEDBACK, news_of_feedback)
    await needs.store.restored_done()


async def _replay(kafka: Kafka, needs: Needs, topic: Topic[E], news_of: Callable[[E], News | None]) -> None:
    async for raw in read_all(kafka.bootstrap, topic.name):
        try:
            record = decode(topic, raw.key, raw.value, raw.headers)
        except BadRecord:
            continue
        if record.event is not None:
            await note(needs, record.key, news_of(record.event))

"""The desk's list: what it shows of each open need, and in which order. Pure."""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum

from services.notifier.domain import Mark, NeedFile
from shared.events.feedback import Decision
from shared.events.shortlist import Outcome
from shared.events.topic import Fact
from shared.events.vocabulary import Location

ACTIVE = frozenset({Decision.ACCEPTED, Decision.CONTACTED, Decision.PRESENTED, Decision.PLACED})
"""A candidate about whom one of these was decided is at work for that need."""


class Situation(StrEnum):
    """How far a need got, most urgent first."""

    UNOWNED = "unowned"
    WAITING = "waiting"
    """It has an owner, who has not answered yet."""
    TAKEN = "taken"


class Show(StrEnum):
    MINE = "mine"
    UNOWNED = "unowned"
    WAITING = "waiting"
    ALL = "all"


class Card(Fact):
    """A need in the list. `listed` candidates are on the shortlist, `covering` of them show every must."""

    need_id: str
    reference: str
    title: str
    company: str
    location: Location | None = None
    start_by: date | None = None
    came_at: datetime
    outcome: Outcome | None = None
    listed: int = 0
    covering: int = 0
    owner: str | None = None
    since: datetime
    """Since when it has been waiting for somebody's answer, or is taken."""
    answer_by: datetime | None = None
    """Without an answer by then it passes on."""
    taken: bool = False
    open: bool = True
    active: tuple[Mark, ...] = ()
    declined: int = 0

    @property
    def situation(self) -> Situation:
        if self.owner is None:
            return Situation.UNOWNED
        return Situation.TAKEN if self.taken else Situation.WAITING


def card_of(file: NeedFile) -> Card | None:
    """None where nothing is known of the need."""
    need, shortlist, owner = file.need, file.shortlist, file.owner
    if need is None:
        return None
    came_at = file.came_at or need.occurred_at
    entries = shortlist.entries if shortlist else ()
    if owner is not None:
        since = owner.taken_at or owner.since
    else:
        since = file.history[-1].at if file.history else came_at
    return Card(
        need_id=file.need_id,
        reference=need.reference,
        title=need.title,
        company=need.company,
        location=need.location,
        start_by=need.start_by,
        came_at=came_at,
        outcome=shortlist.outcome if shortlist else None,
        listed=len(entries),
        covering=sum(not entry.missing_musts for entry in entries),
        owner=owner.consultant_id if owner else None,
        since=since,
        answer_by=None if owner and owner.taken_at else file.answer_by,
        taken=bool(owner and owner.taken_at),
        open=file.open,
        active=active_marks(file),
        declined=len(file.declined),
    )


def active_marks(file: NeedFile) -> tuple[Mark, ...]:
    """Who is at work for this need; whoever was placed stays so when the need is closed."""
    return tuple(
        mark
        for mark in file.marks
        if mark.decision in ACTIVE and (file.open or mark.decision is Decision.PLACED)
    )


def by_urgency(cards: Iterable[Card]) -> list[Card]:
    """Without an owner first, then without an answer, each by how long it waits; then what starts first."""
    order = list(Situation)

    def urgency(card: Card) -> tuple[int, datetime, date, str]:
        rank, start = order.index(card.situation), card.start_by or date.max
        # What is taken waits for nobody: it goes by its start date alone.
        waits = datetime.min.replace(tzinfo=UTC) if card.taken else card.since
        return (rank, waits, start, card.need_id)

    return sorted(cards, key=urgency)


def belongs(card: Card, show: Show, me: str) -> bool:
    match show:
        case Show.MINE:
            return card.owner == me
        case Show.UNOWNED:
            return card.situation is Situation.UNOWNED
        case Show.WAITING:
            return card.situation is not Situation.TAKEN
        case Show.ALL:
            return True


def counts(cards: Sequence[Card], me: str) -> dict[Show, int]:
    return {show: sum(belongs(card, show, me) for card in cards) for show in Show}


def found(cards: Iterable[Card], query: str) -> list[Card]:
    """Those that have every word of `query` in title, company, reference or place, accents aside."""
    words = _plain(query).split()
    return [card for card in cards if all(word in _searched(card) for word in words)]


def _searched(card: Card) -> str:
    place = card.location
    parts = [card.title, card.company, card.reference]
    parts += [place.city or "", place.region or "", place.country] if place else []
    return _plain(" ".join(parts))


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))

"""Who gets a need, what of it is worth a mail, and what a consultant's answer changes. Pure.

A `NeedFile` is all that notifier holds of one need. It is changed by functions from file to file, stored as
one document, and carries in `due` and `decided` what has yet to become a ledger row or a feedback event: so
one write decides, and whatever follows can be done again without doing anything twice.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from services.notifier.consultants import Consultant
from services.notifier.notes import Addition, Note
from shared.events.delivery import DeliveryKind
from shared.events.feedback import Decision, DeclineReason, Feedback
from shared.events.need import Need, NeedState
from shared.events.shortlist import Departure, Outcome, Shortlist
from shared.events.topic import Fact, next_revision
from shared.events.vocabulary import Location

CLIENT = "client"
AGENCY = "agency"
"""Recipients that are not a consultant's id: the client of the need, the agency's own inbox."""

BEST = 10
"""A newcomer further down is not worth a mail."""

_NEVER = datetime.min.replace(tzinfo=UTC)


class DueMail(Fact):
    """A ledger row to be. `news` are the candidates that no earlier mail of the need had, `gone` those of the
    last one who are listed no more; `edited`: the client changed the need since.

    `subject_revision` is the shortlist's, or a higher one: see `_mail_revision`.
    """

    recipient: str
    kind: DeliveryKind
    subject_revision: int
    at: datetime
    not_before: datetime
    news: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    edited: bool = False


class Owner(Fact):
    consultant_id: str
    since: datetime
    taken_at: datetime | None = None
    answer_by: datetime | None = None
    """When the need passes on, if nothing was heard of it."""


class Step(StrEnum):
    ASSIGNED = "assigned"
    TAKEN = "taken"
    PASSED_ON = "passed_on"
    WITHDRAWN = "withdrawn"
    """Taken from a consultant who left, paused or cannot be reached."""
    UNANSWERED = "unanswered"
    """Taken from a consultant who did not answer in time."""


class Passage(Fact):
    """One line of a need's history: who did or got what, when."""

    consultant_id: str
    step: Step
    at: datetime


class Mark(Fact):
    """The last decision about one candidate for this need."""

    candidate_id: str
    decision: Decision
    consultant_id: str
    at: datetime
    reason: DeclineReason | None = None


class Announced(Fact):
    """What mails told so far: to whom, of which shortlist, for which revision of the need, and of whom.

    `revision` is the highest that any mail had, whoever it went to.
    """

    to: str
    revision: int
    need_revision: int
    outcome: Outcome
    candidates: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    """Of the last mail alone; `candidates` are those of all."""


class NeedFile(Fact):
    """What notifier holds of one need. `version` counts its writes: each is a compare and set on it."""

    need_id: str
    version: int = 0
    need: Need | None = None
    came_at: datetime | None = None
    """When the client wrote the first revision that was seen here."""
    shortlist: Shortlist | None = None
    shortlist_revision: int = -1
    departed: tuple[Departure, ...] = ()
    """Why each candidate who is listed no more left, the last time."""
    erased_revision: int | None = None
    acknowledged: bool = False
    filled_told: bool = False
    announced: Announced | None = None
    readers: frozenset[str] = frozenset()
    """Everybody who was mailed a shortlist of this need, or may have been before the store was lost."""
    owner: Owner | None = None
    passed_by: tuple[str, ...] = ()
    history: tuple[Passage, ...] = ()
    marks: tuple[Mark, ...] = ()
    notes: tuple[Note, ...] = ()
    by_hand: tuple[Addition, ...] = ()
    due: tuple[DueMail, ...] = ()
    decided: tuple[Feedback, ...] = ()

    @property
    def open(self) -> bool:
        return self.need is not None and self.need.status is NeedState.OPEN

    @property
    def reader(self) -> str:
        """Who gets the shortlists: the owner, or the agency's inbox."""
        return self.owner.consultant_id if self.owner else AGENCY

    @property
    def wants_owner(self) -> bool:
        return self.open and self.shortlist is not None and self.owner is None

    @property
    def answer_by(self) -> datetime | None:
        """When the need passes on; None once its owner took it over or decided on a candidate."""
        owner = self.owner
        if not self.open or owner is None or owner.taken_at is not None:
            return None
        mine = (mark for mark in self.marks if mark.consultant_id == owner.consultant_id)
        return None if any(mark.at >= owner.since for mark in mine) else owner.answer_by

    @property
    def declined(self) -> frozenset[str]:
        return frozenset(mark.candidate_id for mark in self.marks if mark.decision is Decision.DECLINED)

    @property
    def candidates(self) -> frozenset[str]:
        """Every candidate whose id this file holds."""
        listed = listed_in(self.shortlist) if self.shortlist else ()
        told = self.announced.candidates if self.announced else ()
        added = (one.candidate_id for one in self.by_hand)
        noted = (one.candidate_id for one in self.notes if one.candidate_id)
        left = (one.candidate_id for one in self.departed)
        return frozenset([*listed, *told, *added, *noted, *left, *(mark.candidate_id for mark in self.marks)])

    def mark_of(self, candidate_id: str) -> Mark | None:
        return next((mark for mark in self.marks if mark.candidate_id == candidate_id), None)


def listed_in(shortlist: Shortlist) -> tuple[str, ...]:
    """Every candidate that a shortlist names, near misses among them."""
    entries = (entry.candidate_id for entry in shortlist.entries)
    return (*entries, *(near.candidate_id for near in shortlist.near_misses))


# Owners


def fits(consultant: Consultant, practices: Collection[str], location: Location | None) -> bool:
    """Whether a need in `location`, of a role whose id and family are `practices`, is this consultant's."""
    if not consultant.available:
        return False
    return not set(practices).isdisjoint(consultant.practices) and _covers(consultant.regions, location)


def _covers(regions: Iterable[str], location: Location | None) -> bool:
    """A country covers its regions; a need that names a country alone is any of its regions' need."""
    if location is None:
        return True
    wanted = {location.country, location.region}
    return any(
        region in wanted or (location.region is None and region.startswith(f"{location.country}-"))
        for region in regions
    )


def choose_owner(
    consultants: Iterable[Consultant],
    open_needs: Mapping[str, int],
    practices: Collection[str],
    location: Location | None,
    without: Collection[str] = (),
) -> Consultant | None:
    """Of those who fit, who has the fewest open needs; then who got none for longest; then by id."""
    fitting = [
        consultant
        for consultant in consultants
        if consultant.consultant_id not in without and fits(consultant, practices, location)
    ]
    return min(
        fitting,
        key=lambda found: (
            open_needs.get(found.consultant_id, 0),
            found.last_assigned_at or _NEVER,
            found.consultant_id,
        ),
        default=None,
    )


def assigned(file: NeedFile, consultant_id: str, now: datetime) -> NeedFile:
    """The need goes to a consultant, who may have passed it on earlier."""
    if file.owner is not None and file.owner.consultant_id == consultant_id:
        return file
    return file.model_copy(
        update={
            "owner": Owner(consultant_id=consultant_id, since=now),
            "passed_by": tuple(one for one in file.passed_by if one != consultant_id),
            "history": longer(file, consultant_id, Step.ASSIGNED, now),
        }
    )


def released(file: NeedFile, consultant_id: str, step: Step, now: datetime) -> NeedFile:
    """The need leaves its owner, and does not come back by itself."""
    if file.owner is None or file.owner.consultant_id != consultant_id:
        return file
    return file.model_copy(
        update={
            "owner": None,
            "passed_by": (*file.passed_by, consultant_id),
            "history": longer(file, consultant_id, step, now),
        }
    )


def unanswered(file: NeedFile, now: datetime) -> NeedFile:
    """The need leaves an owner of whom nothing was heard in time."""
    if file.owner is None or file.answer_by is None or file.answer_by > now:
        return file
    return released(file, file.owner.consultant_id, Step.UNANSWERED, now)


def given_longer(file: NeedFile, now: datetime) -> NeedFile:
    """The time for an answer that ran out begins again."""
    if file.owner is None or file.answer_by is None or file.answer_by > now:
        return file
    return file.model_copy(update={"owner": file.owner.model_copy(update={"answer_by": None})})


def longer(file: NeedFile, consultant_id: str, step: Step, now: datetime) -> tuple[Passage, ...]:
    return (*file.history, Passage(consultant_id=consultant_id, step=step, at=now))


# What comes in


def with_need(file: NeedFile, need: Need, now: datetime) -> NeedFile:
    """Take over a newer state of the need. The client hears once that it came, and that it is filled."""
    if file.erased_revision is not None or (file.need and need.revision <= file.need.revision):
        return file
    filled = need.status is NeedState.FILLED
    due = list(file.due)
    if need.status is NeedState.OPEN and not file.acknowledged:
        # Revision 0: once a need, whichever of its revisions is seen first.
        due.append(to_client(DeliveryKind.ACKNOWLEDGEMENT, 0, now))
    if filled and not file.filled_told:
        due.append(to_client(DeliveryKind.FILLED, need.revision, now))
    return file.model_copy(
        update={
            "need": need,
            "came_at": file.came_at or need.occurred_at,
            "acknowledged": file.acknowledged or need.status is NeedState.OPEN,
            "filled_told": filled,
            "due": tuple(due),
        }
    )


def to_client(kind: DeliveryKind, revision: int, now: datetime) -> DueMail:
    return DueMail(recipient=CLIENT, kind=kind, subject_revision=revision, at=now, not_before=now)


def with_shortlist(
    file: NeedFile, shortlist: Shortlist | None, revision: int, erased: Collection[str] = ()
) -> NeedFile:
    """Take over a newer shortlist, or that there is none any more. `erased` candidates are left out."""
    if file.erased_revision is not None or revision <= file.shortlist_revision:
        return file
    newer = None if shortlist is None else _without(shortlist, erased)
    return file.model_copy(
        update={"shortlist": newer, "shortlist_revision": revision, "departed": _departed(file, newer)}
    )


def _departed(file: NeedFile, shortlist: Shortlist | None) -> tuple[Departure, ...]:
    """Between two mails there may be several shortlists, each of which knows who left with it alone."""
    if shortlist is None:
        return file.departed
    why = {one.candidate_id: one for one in (*file.departed, *shortlist.left)}
    listed = {entry.candidate_id for entry in shortlist.entries}
    return tuple(one for candidate_id, one in why.items() if candidate_id not in listed)


def without_need(file: NeedFile, revision: int) -> NeedFile:
    """Forget all but that there was a need, so that a late record does not revive it."""
    return NeedFile(need_id=file.need_id, version=file.version, erased_revision=revision)


def without_candidate(file: NeedFile, candidate_id: str) -> NeedFile:
    """Forget an erased candidate."""
    told = file.announced
    return file.model_copy(
        update={
            "shortlist": file.shortlist and _without(file.shortlist, {candidate_id}),
            "announced": told
            and told.model_copy(
                update={
                    "candidates": tuple(one for one in told.candidates if one != candidate_id),
                    "listed": tuple(one for one in told.listed if one != candidate_id),
                }
            ),
            "departed": tuple(one for one in file.departed if one.candidate_id != candidate_id),
            "marks": tuple(mark for mark in file.marks if mark.candidate_id != candidate_id),
            "notes": tuple(note for note in file.notes if note.candidate_id != candidate_id),
            "by_hand": tuple(one for one in file.by_hand if one.candidate_id != candidate_id),
        }
    )


def _without(shortlist: Shortlist, erased: Collection[str]) -> Shortlist:
    return shortlist.model_copy(
        update={
            "entries": tuple(one for one in shortlist.entries if one.candidate_id not in erased),
            "near_misses": tuple(one for one in shortlist.near_misses if one.candidate_id not in erased),
            "entered": tuple(one for one in shortlist.entered if one not in erased),
            "left": tuple(one for one in shortlist.left if one.candidate_id not in erased),
        }
    )


# What is worth a mail


def worth_mailing(file: NeedFile) -> bool:
    """The first shortlist; then a new reader, a need the client edited, somebody where there was nobody (or
    the other way round), or a new candidate among the best ten. Who was declined does not count."""
    if not file.open or file.shortlist is None:
        return False
    told = file.announced
    if told is None or told.to != file.reader or told.outcome is not file.shortlist.outcome:
        return True
    return file.shortlist.need_revision > told.need_revision or bool(_newcomers(file))


def _newcomers(file: NeedFile) -> tuple[str, ...]:
    known = set(file.announced.candidates if file.announced else ()) | file.declined
    entries = file.shortlist.entries[:BEST] if file.shortlist else ()
    return tuple(entry.candidate_id for entry in entries if entry.candidate_id not in known)


def announce(file: NeedFile, now: datetime, settle: timedelta) -> NeedFile:
    """Add the mail that the present shortlist is worth, if any. That nobody fits waits for `settle`."""
    if not worth_mailing(file) or file.shortlist is None:
        return file
    shortlist, newcomers = file.shortlist, _newcomers(file)
    nobody = shortlist.outcome is Outcome.NO_MATCH
    listed = tuple(entry.candidate_id for entry in shortlist.entries[:BEST])
    before = file.announced
    mail = DueMail(
        recipient=file.reader,
        kind=DeliveryKind.NO_MATCH if nobody else DeliveryKind.SHORTLIST,
        subject_revision=_mail_revision(file, shortlist, now),
        at=now,
        not_before=now + settle if nobody else now,
        news=newcomers if before else (),
        gone=tuple(one for one in before.listed if one not in {*listed, *file.declined}) if before else (),
        edited=before is not None and shortlist.need_revision > before.need_revision,
    )
    told = Announced(
        to=file.reader,
        revision=max(mail.subject_revision, before.revision if before else 0),
        need_revision=shortlist.need_revision,
        outcome=shortlist.outcome,
        candidates=(*(before.candidates if before else ()), *newcomers),
        listed=listed,
    )
    return file.model_copy(
        update={"announced": told, "readers": file.readers | {file.reader}, "due": (*file.due, mail)}
    )


def _mail_revision(file: NeedFile, shortlist: Shortlist, now: datetime) -> int:
    """The shortlist's revision; a higher one where the reader had a mail of it, and has the need again.

    It is part of a ledger row's identity: with the same one again the mail would count as sent. By the clock,
    so that not even turns which a lost store has forgotten had the same.
    """
    told = file.announced
    if told is None or file.reader not in file.readers or shortlist.revision > told.revision:
        return shortlist.revision
    return next_revision(told.revision, now)

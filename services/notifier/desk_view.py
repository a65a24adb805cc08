"""What the desk's pages show of needs and candidates: values for the templates, in the reader's language."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.notifier.actions import short_codes
from services.notifier.consultants import Consultant
from services.notifier.desk import Card, Situation
from services.notifier.domain import Mark, NeedFile
from services.notifier.letterhead import one_line
from services.notifier.shortlist_view import left_why
from services.notifier.wording import Wording
from shared.events.feedback import Decision
from shared.events.need import Need
from shared.events.shortlist import Entry, Evidence, NearMiss, Outcome, Part

SOON = timedelta(days=21)
"""A start that is as near as this is marked."""

Elsewhere = Mapping[str, Sequence[tuple[Card, Mark]]]
View = dict[str, Any]


@dataclass(frozen=True)
class Reader:
    """Who looks, when, and what their colleagues are called."""

    me: Consultant
    wording: Wording
    now: datetime
    names: Mapping[str, str]

    def moment(self, when: datetime) -> View:
        """For a `<time>`: the machine's form, and the reader's own day and hour."""
        local = when.astimezone(ZoneInfo(self.me.time_zone))
        return {
            "iso": when.isoformat(timespec="seconds"),
            "day": self.wording.date(local.date()),
            "hour": f"{local:%H:%M}",
        }

    def since(self, when: datetime) -> str:
        """How long ago, in the largest unit that says enough."""
        minutes = max(1, int((self.now - when).total_seconds() // 60))
        if minutes < 60:
            return f"{minutes}\u00a0min"
        if minutes < 48 * 60:
            return f"{minutes // 60}\u00a0h"
        return f"{minutes // (24 * 60)}\u00a0{'j' if self.wording.locale.value == 'fr' else 'd'}"

    def name(self, consultant_id: str | None) -> str:
        return one_line(self.names.get(consultant_id or "", ""))


def card_view(card: Card, reader: Reader, failures: Mapping[str, int]) -> View:
    soon = card.start_by is not None and card.start_by <= (reader.now + SOON).date()
    return {
        "need_id": card.need_id,
        "reference": one_line(card.reference),
        "title": one_line(card.title),
        "company": one_line(card.company),
        "place": reader.wording.place(card.location) if card.location else "",
        "start": reader.wording.date(card.start_by) if card.start_by else "",
        "soon": soon,
        "situation": card.situation.value,
        "since": reader.since(card.since),
        "since_at": card.since.isoformat(timespec="seconds"),
        "owner": reader.name(card.owner),
        "mine": card.owner == reader.me.consultant_id,
        "no_match": card.outcome is Outcome.NO_MATCH,
        "ranked": card.outcome is not None,
        "listed": card.listed,
        "covering": card.covering,
        "active": len(card.active),
        "failures": failures.get(card.need_id, 0),
        "answer_by": reader.moment(card.answer_by) if card.answer_by else None,
        "late": card.situation is not Situation.TAKEN and reader.now - card.since > timedelta(hours=4),
    }


def need_view(need: Need, reader: Reader) -> View:
    wording = reader.wording
    return {
        "need_id": need.need_id,
        "reference": one_line(need.reference),
        "title": one_line(need.title),
        "company": one_line(need.company),
        "line": wording.need_line(need),
        "musts": wording.skills_line(need, must=True),
        "wishes": wording.skills_line(need, must=False),
        "hard": ", ".join(wording.must(must.value) for must in need.musts),
        "contact": {
            "name": one_line(need.contact.name),
            "email": one_line(need.contact.email),
            "phone": one_line(need.contact.phone or ""),
        },
        "description": (need.description or "").strip(),
        "locale": need.locale.value,
    }


def people_view(file: NeedFile, reader: Reader, elsewhere: Elsewhere) -> list[View]:
    """Everybody of the need: the shortlist in its order, near misses, who was added, who left it."""
    shortlist = file.shortlist
    entries = {one.candidate_id: one for one in shortlist.entries} if shortlist else {}
    near = {one.candidate_id: one for one in shortlist.near_misses} if shortlist else {}
    added = [one.candidate_id for one in file.by_hand]
    order = dict.fromkeys([*entries, *near, *added, *(mark.candidate_id for mark in file.marks)])
    codes = short_codes(order)
    return [
        _person_view(one, codes[one], file, reader, elsewhere, entries.get(one), near.get(one))
        for one in order
    ]


def _person_view(
    candidate_id: str,
    code: str,
    file: NeedFile,
    reader: Reader,
    elsewhere: Elsewhere,
    entry: Entry | None,
    near: NearMiss | None,
) -> View:
    mark = file.mark_of(candidate_id)
    by_hand = next((one for one in file.by_hand if one.candidate_id == candidate_id), None)
    declined = mark is not None and mark.decision is Decision.DECLINED
    group = "declined" if declined else "listed" if entry else "near" if near and not mark else "other"
    return {
        "id": candidate_id,
        "code": code,
        "group": group,
        "entered": candidate_id in newcomers(file),
        "by_hand": reader.name(by_hand.consultant_id) if by_hand else None,
        "unlisted": entry is None,
        "near": one_line(near.reason.in_(reader.wording.locale)) if near else "",
        "to_enter": one_line(near.to_enter.told.in_(reader.wording.locale)) if near and near.to_enter else "",
        "mark": _mark_view(mark, reader) if mark else None,
        "elsewhere": [
            {
                "who": reader.name(other.consultant_id),
                "decision": other.decision.value,
                "need_id": card.need_id,
                "reference": one_line(card.reference),
            }
            for card, other in elsewhere.get(candidate_id, ())
        ],
        "notes": [
            {"text": note.text, "who": reader.name(note.consultant_id), "at": reader.moment(note.at)}
            for note in file.notes
            if note.candidate_id == candidate_id
        ],
        **(_entry_view(entry, file, reader) if entry else _bare_view(near)),
    }


def _mark_view(mark: Mark, reader: Reader) -> View:
    return {
        "decision": mark.decision.value,
        "reason": mark.reason.value if mark.reason else "",
        "who": reader.name(mark.consultant_id),
        "at": reader.moment(mark.at),
    }


def _bare_view(near: NearMiss | None) -> View:
    return {
        "score": round(near.score) if near else None,
        "have": None,
        "asked": 0,
        "covers": False,
        "missing": "",
        "parts": [],
        "questions": [],
    }


def _entry_view(entry: Entry, file: NeedFile, reader: Reader) -> View:
    asked = len({skill.skill for skill in file.need.skills if skill.must}) if file.need else 0
    wording = reader.wording
    return {
        "score": round(entry.score),
        "have": round(entry.must_coverage * asked),
        "asked": asked,
        "covers": not entry.missing_musts,
        "missing": ", ".join(wording.skill(skill) for skill in entry.missing_musts),
        "parts": [_part_view(part, wording) for part in entry.parts],
        "questions": [one_line(gap.question.in_(wording.locale)) for gap in entry.gaps],
    }


def _part_view(part: Part, wording: Wording) -> View:
    return {
        "criterion": part.criterion,
        "name": wording.name(part.criterion),
        "told": one_line(part.told.in_(wording.locale)) if part.told else "",
        "points": _number(part.points, wording),
        "most": _number(100 * part.weight, wording),
        "share": max(0, min(100, round(100 * part.value))),
        "evidence": list(dict.fromkeys(_evidence(part.criterion, one, wording) for one in part.evidence)),
    }


def _evidence(criterion: str, one: Evidence, wording: Wording) -> tuple[str, str]:
    """A line of evidence, and the key of the words to put it in: none where it speaks for itself."""
    text, name = wording.evidence(criterion, one), wording.name(criterion)
    if one.skill and not one.share and one.level is None:
        return ("evidence_lacks", text)
    if text == name:
        return ("evidence_unknown", "")
    # The row says already what it is about.
    details = text.removeprefix(name).lstrip("\u00a0 :") if text.startswith(name) else text
    return ("", details)


def _number(value: float, wording: Wording) -> str:
    shown = f"{value:.1f}"
    return shown.replace(".", ",") if wording.locale.value == "fr" else shown


def criteria(people: Iterable[View]) -> list[View]:
    """The rows of a comparison: every criterion that counts for one of them, in the order they stand."""
    found: dict[str, View] = {}
    for person in people:
        for part in person["parts"]:
            found.setdefault(part["criterion"], {"criterion": part["criterion"], "name": part["name"]})
    return list(found.values())


def newcomers(file: NeedFile) -> frozenset[str]:
    """Who entered with the shortlist's present revision; nobody is new in a first list."""
    shortlist = file.shortlist
    if shortlist is None or len(shortlist.entered) == len(shortlist.entries):
        return frozenset()
    return frozenset(shortlist.entered)


def changes_view(file: NeedFile, codes: Mapping[str, str]) -> View:
    """Who entered and who left with the shortlist's present revision. Who left has no card to go to."""
    shortlist = file.shortlist
    if shortlist is None:
        return {"entered": [], "left": []}
    every = short_codes({*codes, *(one.candidate_id for one in shortlist.left)})
    return {
        "entered": [every[one] for one in shortlist.entered if one in codes and one in newcomers(file)],
        "left": [{"code": every[one.candidate_id], "why": left_why(one.why)} for one in shortlist.left],
    }

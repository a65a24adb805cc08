"""What a shortlist's mail shows: values for its templates, in the reader's language, naming no candidate."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from services.notifier.actions import (
    ABOUT_CANDIDATE,
    ABOUT_NEED,
    ASSIGN,
    Permit,
    issue,
    link,
    short_codes,
)
from services.notifier.domain import AGENCY, BEST, NeedFile
from services.notifier.letterhead import LedgerRow, RowState, address, brief, one_line
from services.notifier.wording import Wording
from shared.events.need import Need
from shared.events.shortlist import Entry, NearMiss, Shortlist
from shared.tokens import Tokens

QUESTIONS = 4
NEAR_MISSES = 5
NAME, SENTENCE = 150, 240
"""The most bytes shown of what somebody typed."""


@dataclass(frozen=True)
class Links:
    """Makes the links of one mail, all for the same reader and need."""

    tokens: Tokens
    public_url: str
    who: str
    need_id: str
    shortlist_revision: int
    made: datetime
    lifetime: timedelta

    def to(self, *actions: str, candidate_id: str | None = None) -> str:
        """Where there are several, the page asks which."""
        permit = Permit(self.who, self.need_id, tuple(actions), candidate_id, self.shortlist_revision)
        return link(self.public_url, issue(self.tokens, permit, self.made, self.lifetime))


@dataclass(frozen=True)
class Changes:
    """What a reader has not seen yet: candidates who came or went, and that the client edited the need."""

    news: frozenset[str] = frozenset()
    gone: tuple[str, ...] = ()
    edited: bool = False


def changes(row: LedgerRow, thread: Iterable[LedgerRow]) -> Changes:
    """Of this row and of those since the last mail that it stands for; nothing in a first mail."""
    others = [other for other in thread if other.row_id != row.row_id]
    sent = [other.rank for other in others if other.state is RowState.SENT]
    if not sent:
        return Changes()
    unsent = [row, *(other for other in others if max(sent) < other.rank < row.rank)]
    return Changes(
        news=frozenset(candidate for other in unsent for candidate in other.news),
        gone=tuple(dict.fromkeys(candidate for other in unsent for candidate in other.gone)),
        edited=any(other.edited for other in unsent),
    )


LEFT = frozenset({"outranked", "ineligible", "erased", "declined", "placed"})


def left_why(why: str) -> str:
    """The key of the words for why somebody left a shortlist; a newer matching may know more reasons."""
    return f"left_{why}" if why in LEFT else "left_other"


def shortlist_view(
    file: NeedFile, wording: Wording, links: Links, changed: Changes, best: int | None = None
) -> dict[str, Any]:
    """Whoever was declined is left out; `best` is how many candidates to show of those listed."""
    need, shortlist = file.need, file.shortlist
    assert need is not None and shortlist is not None  # noqa: S101, PT018 - the caller has looked
    entries = [one for one in shortlist.entries[:BEST] if one.candidate_id not in file.declined]
    near = [one for one in shortlist.near_misses if one.candidate_id not in file.declined][:NEAR_MISSES]
    shown = {*(one.candidate_id for one in entries), *(one.candidate_id for one in near)}
    known = file.announced.candidates if file.announced else ()
    gone = [one for one in changed.gone if one in known and one not in shown]
    why = {one.candidate_id: one.why for one in file.departed}
    codes = short_codes({*shown, *gone})
    answers = links.who != AGENCY
    return {
        "need": _need_view(need, wording),
        "orphan": not answers,
        "buttons": _need_buttons(links) if answers else [{"action": ASSIGN, "url": links.to(ASSIGN)}],
        "listed": len(entries),
        "candidates": [_entry_view(one, file, wording, links, codes, changed.news) for one in entries[:best]],
        "news": [codes[one.candidate_id] for one in entries if one.candidate_id in changed.news],
        "gone": [(codes[one], left_why(why.get(one, ""))) for one in gone],
        "edited": changed.edited,
        "near_misses": [_near_view(one, wording, codes) for one in near],
        "relaxed": _relaxed(shortlist, wording),
    }


def _need_view(need: Need, wording: Wording) -> dict[str, Any]:
    phone = brief(need.contact.phone or "", 40)
    email = one_line(need.contact.email)
    return {
        "line": wording.need_line(need),
        "title": brief(need.title, NAME),
        "facts": wording.need_facts(need),
        "musts": wording.skills_line(need, must=True),
        "wishes": wording.skills_line(need, must=False),
        "company": brief(need.company, NAME),
        "contact": brief(need.contact.name, NAME),
        "phone": phone,
        "phone_url": f"tel:{re.sub('[^0-9+]', '', phone)}",
        "email": email,
        "email_url": _mailto(email),
    }


def _mailto(email: str) -> str:
    """Empty where it is no address: it is shown then, but leads nowhere."""
    try:
        return f"mailto:{quote(address(email), safe='@+')}"
    except ValueError:
        return ""


def _need_buttons(links: Links) -> list[dict[str, str]]:
    return [{"action": action.value, "url": links.to(action.value)} for action in ABOUT_NEED]


def _entry_view(
    entry: Entry,
    file: NeedFile,
    wording: Wording,
    links: Links,
    codes: dict[str, str],
    news: frozenset[str],
) -> dict[str, Any]:
    candidate_id = entry.candidate_id
    mark = file.mark_of(candidate_id)
    answers = links.who != AGENCY
    actions = [action.value for action in ABOUT_CANDIDATE]
    return {
        "code": codes[candidate_id],
        "new": candidate_id in news,
        "score": round(entry.score),
        **_coverage(entry, file, wording),
        "reasons": wording.reasons(entry),
        "questions": [brief(gap.question.in_(wording.locale), SENTENCE) for gap in entry.gaps[:QUESTIONS]],
        "decision": mark.decision.value if mark else "",
        "buttons": [
            {"action": action, "url": links.to(action, candidate_id=candidate_id)}
            for action in (actions if answers else [])
        ],
        "answer_url": links.to(*actions, candidate_id=candidate_id) if answers else "",
    }


def _coverage(entry: Entry, file: NeedFile, wording: Wording) -> dict[str, Any]:
    asked = len({skill.skill for skill in file.need.skills if skill.must}) if file.need else 0
    have = round(entry.must_coverage * asked)
    return {
        "asked": asked,
        "have": have,
        "coverage": _coverage_words(have, asked),
        "missing": ", ".join(wording.skill(skill) for skill in entry.missing_musts),
    }


def _coverage_words(have: int, asked: int) -> str:
    if have == asked:
        return "musts_all_one" if asked == 1 else "musts_all"
    if asked == 1:
        return "musts_some_asked_one"
    return "musts_some_have_one" if have <= 1 else "musts_some"


def _near_view(near: NearMiss, wording: Wording, codes: dict[str, str]) -> dict[str, Any]:
    return {
        "code": codes[near.candidate_id],
        "score": round(near.score),
        "reason": brief(near.reason.in_(wording.locale), SENTENCE),
        "to_enter": _to_enter(near, wording),
    }


def _to_enter(near: NearMiss, wording: Wording) -> str:
    """What would have to change; that one constraint stands in the way is said by the reason already."""
    found = near.to_enter
    return brief(found.told.in_(wording.locale), SENTENCE) if found and found.changes else ""


def _relaxed(shortlist: Shortlist, wording: Wording) -> list[dict[str, Any]]:
    """Most first."""
    useful = [(number, key) for key, number in shortlist.relaxed.items() if number > 0]
    return [
        {"must": wording.must(key), "more": wording.amount(number)}
        for number, key in sorted(useful, key=lambda one: (-one[0], one[1]))
    ]

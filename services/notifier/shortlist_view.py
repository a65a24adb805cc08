"""What a shortlist's mail shows: values for its templates, in the reader's language, naming no candidate."""

import re
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
from services.notifier.letterhead import address, one_line
from services.notifier.wording import Wording
from shared.events.need import Need
from shared.events.shortlist import Entry, NearMiss, Shortlist
from shared.tokens import Tokens

QUESTIONS = 4
NEAR_MISSES = 5


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


def shortlist_view(file: NeedFile, wording: Wording, links: Links, news: frozenset[str]) -> dict[str, Any]:
    """`news` are the candidates to mark as new. Whoever was declined is left out."""
    need, shortlist = file.need, file.shortlist
    assert need is not None and shortlist is not None  # noqa: S101, PT018 - the caller has looked
    entries = [one for one in shortlist.entries[:BEST] if one.candidate_id not in file.declined]
    near = [one for one in shortlist.near_misses if one.candidate_id not in file.declined][:NEAR_MISSES]
    codes = short_codes({*(one.candidate_id for one in entries), *(one.candidate_id for one in near)})
    answers = links.who != AGENCY
    return {
        "need": _need_view(need, wording),
        "eligible": wording.amount(shortlist.eligible),
        "pool": wording.amount(shortlist.candidates),
        "orphan": not answers,
        "buttons": _need_buttons(links) if answers else [{"action": ASSIGN, "url": links.to(ASSIGN)}],
        "candidates": [_entry_view(one, file, wording, links, codes, news) for one in entries],
        "news": [codes[one.candidate_id] for one in entries if one.candidate_id in news],
        "near_misses": [_near_view(one, wording, codes) for one in near],
        "relaxed": _relaxed(shortlist, wording),
    }


def _need_view(need: Need, wording: Wording) -> dict[str, Any]:
    phone = one_line(need.contact.phone or "")
    email = one_line(need.contact.email)
    return {
        "line": wording.need_line(need),
        "musts": wording.skills_line(need, must=True),
        "wishes": wording.skills_line(need, must=False),
        "company": one_line(need.company),
        "contact": one_line(need.contact.name),
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
        "questions": [one_line(gap.question.in_(wording.locale)) for gap in entry.gaps[:QUESTIONS]],
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
        "reason": one_line(near.reason.in_(wording.locale)),
    }


def _relaxed(shortlist: Shortlist, wording: Wording) -> list[dict[str, Any]]:
    """Most first."""
    useful = [(number, key) for key, number in shortlist.relaxed.items() if number > 0]
    return [
        {"must": wording.must(key), "more": wording.amount(number)}
        for number, key in sorted(useful, key=lambda one: (-one[0], one[1]))
    ]

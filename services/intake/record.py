"""A candidate's record as a consultant reads it: the CV's text beside what was read, blind until a reveal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from services.intake.domain.corrections import SKILL, in_force
from services.intake.domain.lexicon import Lexicon
from services.intake.domain.masking import HIDDEN, Mask
from services.intake.store import Document
from services.intake.views import rfc3339
from shared.events.vocabulary import Locale
from shared.taxonomy import loose

_FACTS: dict[str, Any] = {
    "years": None, "country": None, "region": None, "education": None, "remote": None, "contracts": (),
    "available_from": None, "day_rate": None, "salary": None,
}  # fmt: skip


@dataclass(frozen=True)
class Segment:
    """A stretch of the CV’s text. `skills` are those whose evidence it belongs to; quotes of `starts` begin
    here, those of `ends` end here. A hidden one shows no more than that something is hidden."""

    text: str
    skills: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    hidden: bool = False


def code_of(candidate_id: str) -> str:
    """What people call a candidate who has no name yet."""
    return candidate_id[-6:].upper()


def mask_of(document: Document, lexicon: Lexicon) -> Mask:
    given = document["given"] or {}
    titles = {
        word
        for role in lexicon.roles.values()
        for name in (role.title.fr, role.title.en, *role.aliases.fr, *role.aliases.en)
        for word in loose(name).split()
    }
    return Mask(
        [given.get("name")],
        [given.get("email")],
        [given.get("phone")],
        cv_text=given.get("cv_text", ""),
        is_known=lambda word: word in titles or lexicon.taxonomy.resolve(word) is not None,
    )


def record_of(document: Document, lexicon: Lexicon, locale: Locale, *, revealed: bool) -> dict[str, Any]:
    """What the record page shows. Unless `revealed`, names and contacts are hidden wherever they stand."""
    given, facts = document["given"] or {}, document["facts"]
    mask = mask_of(document, lexicon)
    text = given.get("cv_text", "")
    quotes = {held["skill"]: document["evidence"].get(held["skill"], []) for held in facts.get("skills", [])}
    location = given.get("location") or {}

    hidden = [] if revealed else mask.spans(text)
    squeezed = _squeezed(text)
    segments = _segments(text, quotes, hidden)

    def shown(words: str) -> str:
        # By its place in the text where it has one: a quote may be cut in the middle of a phone number.
        for start, end in [] if revealed else _places(squeezed, [words]):
            words = _without(text, hidden, start, end)
        return words if revealed else mask.apply(words)

    return {
        "candidate_id": document["_id"],
        "code": code_of(document["_id"]),
        "revision": document["revision"],
        "person": {
            **{name: given.get(name) for name in ("name", "email", "phone", "external_id")},
            "city": location.get("city"),
        }
        if revealed
        else None,
        "ranked": document["listed"],
        "basis": given.get("basis"),
        "skills": _skills(document, lexicon, locale, shown),
        "roles": [
            {"until": None} | held | {"title": _role_title(lexicon, held["role"], locale)}
            for held in facts.get("roles", [])
        ],
        "posts": [post | {"title": shown(post["title"])} for post in document.get("posts", [])],
        "facts": _FACTS
        | facts
        | {"languages": [{"level": None} | one for one in facts.get("languages", [])]},
        "segments": segments,
        "located": {skill for part in segments for skill in part.starts},
        "unmapped": [shown(term) for term in document["unmapped"]],
        "warnings": document["warnings"],
        "file": document.get("file"),
        "names": {skill: _label(lexicon, skill, locale) for skill in quotes},
        "corrected": sorted(in_force(document.get("stated", {}), document.get("corrections", ()))),
        "log": [_entry(one, lexicon, locale) for one in reversed(document.get("corrections", []))],
        "updated_at": rfc3339(document["occurred_at"]),
    }


def line_of(document: Document, lexicon: Lexicon, locale: Locale) -> dict[str, Any]:
    """A candidate as one line of a list: nothing that names anybody."""
    facts = document["facts"]
    skills = sorted(facts.get("skills", []), key=lambda held: (-(held.get("level") or 0), held["skill"]))
    roles = sorted(facts.get("roles", []), key=lambda held: -held["months"])
    return {
        "candidate_id": document["_id"],
        "code": code_of(document["_id"]),
        "roles": list(dict.fromkeys(_role_title(lexicon, held["role"], locale) for held in roles))[:2],
        "skills": [_label(lexicon, held["skill"], locale) for held in skills[:6]],
        "more": max(0, len(skills) - 6),
        "years": facts.get("years"),
        "region": facts.get("region") or facts.get("country"),
        "ranked": document["listed"],
        "updated_at": rfc3339(document["occurred_at"]),
    }


def _skills(document: Document, lexicon: Lexicon, locale: Locale, shown: Any) -> list[dict[str, Any]]:
    """Best levels first, then by label."""
    stated = document.get("stated", {})
    corrected = in_force(stated, document.get("corrections", ()))
    rows = []
    for held in document["facts"].get("skills", []):
        target = SKILL + held["skill"]
        source = "corrected" if target in corrected else "stated" if target in stated else "read"
        rows.append(
            {"level": None, "years": None, "last_used": None, "mentions": 0, "estimated": False}
            | held
            | {
                "label": _label(lexicon, held["skill"], locale),
                "source": source,
                "evidence": [shown(quote) for quote in document["evidence"].get(held["skill"], [])],
            }
        )
    return sorted(rows, key=lambda row: (-(row.get("level") or 0), row["label"].casefold()))


def _entry(one: Document, lexicon: Lexicon, locale: Locale) -> dict[str, Any]:
    target = one["target"]
    skill = target.removeprefix(SKILL) if target.startswith(SKILL) else None
    return {
        "id": one["id"],
        "field": "skill" if skill else target,
        "label": _label(lexicon, skill, locale) if skill else None,
        "value": one["value"],
        "before": one["before"],
        "by": one["by"],
        "at": rfc3339(one["at"]),
        "undone": "undone_at" in one,
    }


def _segments(
    text: str, quotes: Mapping[str, Sequence[str]], hidden: Sequence[tuple[int, int]]
) -> list[Segment]:
    """The text cut where a quote or something hidden begins or ends."""
    squeezed = _squeezed(text)
    spans = [(skill, span) for skill, found in quotes.items() for span in _places(squeezed, found)]
    ends_of = [at for span in (*hidden, *(span for _, span in spans)) for at in span]
    cuts = sorted({0, len(text), *ends_of})
    masked = dict(hidden)
    begun: set[str] = set()
    out: list[Segment] = []
    covered_until = 0
    for start, end in pairwise(cuts):
        if start in masked:
            covered_until = masked[start]
        inside = tuple(skill for skill, (first, last) in spans if first <= start and end <= last)
        starts = tuple(dict.fromkeys(one for one, (first, _) in spans if first == start and one not in begun))
        begun.update(starts)
        ends = tuple(dict.fromkeys(skill for skill, (_, last) in spans if last == end))
        is_hidden = start < covered_until
        # What is hidden is shown as one mark, however it is cut.
        if is_hidden and out and out[-1].hidden and start not in masked:
            shown = ""
        else:
            shown = HIDDEN if is_hidden else text[start:end]
        out.append(Segment(shown, tuple(dict.fromkeys(inside)), starts, ends, is_hidden))
    return out


def _places(squeezed: "_Squeezed", quotes: Sequence[str]) -> list[tuple[int, int]]:
    """Where the quotes stand; they were taken with their white space made single."""
    text, places = squeezed
    found = []
    for quote in filter(None, (" ".join(one.split()) for one in quotes)):
        at = text.find(quote)
        if at >= 0:
            found.append((places[at], places[at + len(quote) - 1] + 1))
    return found


_Squeezed = tuple[str, list[int]]


def _squeezed(text: str) -> _Squeezed:
    """The text with single spaces, and where each of its characters was."""
    out: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        if char.isspace() and out and out[-1] == " ":
            continue
        out.append(" " if char.isspace() else char)
        places.append(place)
    return "".join(out), places


def _without(text: str, hidden: Sequence[tuple[int, int]], start: int, end: int) -> str:
    """A stretch of the text, with what is hidden of it as one mark each."""
    out, at = [], start
    for first, last in hidden:
        if last <= start or first >= end:
            continue
        out += [text[at : max(at, first)], HIDDEN]
        at = last
    return "".join([*out, text[at:end]])


def _label(lexicon: Lexicon, skill_id: str, locale: Locale) -> str:
    skill = lexicon.taxonomy.skills.get(skill_id)
    return skill.label.in_(locale) if skill else skill_id


def _role_title(lexicon: Lexicon, role_id: str, locale: Locale) -> str:
    role = lexicon.roles.get(role_id)
    return role.title.in_(locale) if role else role_id


def review_of(document: Document, lexicon: Lexicon, locale: Locale) -> dict[str, Any]:
    """What was read of a person, as they see it themselves: nothing is hidden."""
    facts = document["facts"]
    return {
        "skills": _skills(document, lexicon, locale, lambda words: words),
        "roles": [{"until": None} | held for held in facts.get("roles", [])],
        "languages": facts.get("languages", []),
        "years": facts.get("years"),
        "unmapped": document["unmapped"],
    }

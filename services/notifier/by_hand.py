"""What a consultant adds to a need by hand: a note, a candidate whom the ranking did not list. Pure."""

import re

from services.notifier.decisions import NotPossible, Why
from services.notifier.domain import NeedFile
from services.notifier.notes import MAX_NOTE, Addition, Note

MAX_NOTES = 300
"""A need has as many at most: all of them are in its one document."""
MAX_ADDED = 50
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RECORD = re.compile(rf"[^?#]*/candidates/({_ID.pattern})/?(?:[?#]|$)")


class TooMany(Exception):  # noqa: N818 - what is wrong
    """A need has no room for another note or candidate."""


def with_note(file: NeedFile, note: Note) -> NeedFile:
    """Add a note; what was written twice (a form sent again) is there once. Raises TooMany, NotPossible."""
    if file.need is None:
        raise NotPossible(Why.CLOSED)
    if note.candidate_id is not None and note.candidate_id not in file.candidates:
        raise NotPossible(Why.CANDIDATE_GONE)
    same = (note.consultant_id, note.text, note.candidate_id, note.decision)
    if any((one.consultant_id, one.text, one.candidate_id, one.decision) == same for one in file.notes[-3:]):
        return file
    if len(file.notes) >= MAX_NOTES:
        raise TooMany
    return file.model_copy(update={"notes": (*file.notes, note)})


def with_candidate(file: NeedFile, added: Addition) -> NeedFile:
    """Put a candidate beside the shortlist. Raises TooMany, NotPossible."""
    if not file.open:
        raise NotPossible(Why.CLOSED)
    if any(one.candidate_id == added.candidate_id for one in file.by_hand):
        return file
    if len(file.by_hand) >= MAX_ADDED:
        raise TooMany
    return file.model_copy(update={"by_hand": (*file.by_hand, added)})


def candidate_in(text: str) -> str | None:
    """The candidate's id in what was typed: the id itself, or the address of the candidate's record."""
    typed = text.strip().lower()
    if _ID.fullmatch(typed):
        return typed
    found = _RECORD.match(typed)
    return found[1] if found else None


def cleaned(text: str) -> str:
    """A note as it is kept: without control characters, with its line breaks, cut to the longest allowed."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    # No-break spaces, too, are none that `isprintable` lets pass.
    spaced = (" " if char.isspace() and char != "\n" else char for char in lines)
    return "".join(char for char in spaced if char == "\n" or char.isprintable()).strip()[:MAX_NOTE]

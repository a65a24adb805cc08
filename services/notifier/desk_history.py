"""Who did what about a need, and what was mailed: one list, newest first. Values for the template."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from services.notifier.desk_view import Reader
from services.notifier.desk_words import DESK_WORDS
from services.notifier.domain import AGENCY, CLIENT, NeedFile
from services.notifier.letterhead import LedgerRow, RowState, one_line
from services.notifier.store_addresses import Blocked, What
from shared.events.feedback import Feedback

_LINE = {"who": "", "code": "", "text": "", "reason": "", "bad": False}
_TOLD = frozenset({RowState.SENT, RowState.FAILED})


def history_view(
    file: NeedFile,
    feedback: Iterable[Feedback],
    rows: Iterable[LedgerRow],
    codes: Mapping[str, str],
    reader: Reader,
    address: Blocked | None = None,
) -> list[dict[str, Any]]:
    """Each line has `at`, `what` (a key of the desk's words), `who`, and what that kind of line needs.

    `address` is the client's, where it was ever blocked.
    """
    lines: list[tuple[datetime, dict[str, Any]]] = []

    def add(at: datetime, what: str, **values: Any) -> None:
        lines.append((at, _LINE | {"what": what, "at": reader.moment(at)} | values))

    if file.came_at is not None:
        add(file.came_at, "came")
    for passage in file.history:
        add(passage.at, f"step_{passage.step.value}", who=reader.name(passage.consultant_id))
    # Taking and passing on are steps already.
    for one in feedback:
        if one.candidate_id is not None:
            add(
                one.occurred_at,
                "undid" if one.undone else "decided",
                who=one_line(one.consultant.name),
                code=codes.get(one.candidate_id),
                decision=one.decision.value,
                reason=one.reason.value if one.reason else "",
            )
    for note in file.notes:
        code = codes.get(note.candidate_id) if note.candidate_id else ""
        add(note.at, "noted", who=reader.name(note.consultant_id), code=code, text=note.text)
    for added in file.by_hand:
        add(added.at, "added", who=reader.name(added.consultant_id), code=codes.get(added.candidate_id))
    for event in address.events if address else ():
        bad = event.what is What.BLOCKED
        add(event.at, f"address_{event.what.value}", who=reader.name(event.by), bad=bad)
    for row in rows:
        if row.state in _TOLD:
            add(
                row.sent_at or row.created_at,
                f"mail_{row.state.value}",
                **_mail_words(row, reader),
                text=row.failure or "" if row.state is RowState.FAILED else "",
                bad=row.state is RowState.FAILED,
            )
    return [line for _, line in sorted(lines, key=lambda one: one[0], reverse=True)]


def failed_mails(rows: Iterable[LedgerRow], reader: Reader) -> list[dict[str, Any]]:
    """Mails that ended as permanent failures: somebody has to reach these people another way."""
    return [
        {"failure": row.failure or "", **_mail_words(row, reader)}
        for row in rows
        if row.state is RowState.FAILED
    ]


def blocked_view(address: Blocked | None, reader: Reader) -> dict[str, Any] | None:
    """None where the client is written to."""
    if address is None or address.until <= reader.now:
        return None
    return {"addressed": address.addressed, "until": reader.moment(address.until)}


def _mail_words(row: LedgerRow, reader: Reader) -> dict[str, str]:
    """Which mail to whom, as keys of the desk's words; a rebuilt row no longer knows to which consultant."""
    kind = f"mail_{row.kind}"
    name = reader.name(row.recipient)
    known = f"who_{row.recipient}" if row.recipient in {CLIENT, AGENCY} else "who_consultant"
    return {
        "kind": kind if kind in DESK_WORDS else "mail_other",
        "to": known if name or known != "who_consultant" else "who_forgotten",
        "to_name": name,
    }

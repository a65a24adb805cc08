"""The rules of a mail as such: ledger rows, ids, what replaces what, retries, safe headers. Pure."""

import random
import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from email_validator import EmailNotValidError, validate_email
from pydantic import BaseModel, ConfigDict

from shared.events.delivery import DeliveryKind

LETTER = "letter"
"""The kind of a mail outside the path of a need."""
DIGEST = "digest"
"""The kind of a day's mail to one consultant; its subject is the consultant, its revision when it goes."""

_ROWS = UUID("0b8f9a53-7e52-4b41-9a70-31f5b7f1c0de")


class RowState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    COLLECTED = "collected"
    """Waits for the digest that will show it."""


WAITING = (RowState.QUEUED, RowState.SENDING, RowState.COLLECTED)


class LedgerRow(BaseModel):
    """One mail. `news` are the candidates that no earlier mail had, `gone` those that the last one had and
    the shortlist has no more; `edited` says that the client changed the need since.

    `recipient` is a consultant's id, or a word (client, agency, addressee) for who is looked up
    when it is sent, so that a row holds no address. `subject` is the need's or the letter's id."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    row_id: str
    recipient: str
    kind: str
    subject: str
    subject_revision: int
    state: RowState
    revision: int
    message_id: str
    thread: str
    created_at: datetime
    next_try_at: datetime
    attempts: int = 0
    sent_at: datetime | None = None
    failure: str | None = None
    news: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    edited: bool = False
    addressed: str | None = None
    """A hash of the address that it was sent to."""

    @property
    def rank(self) -> tuple[int, int]:
        """Of two rows of one recipient about one subject, the lower one is superseded."""
        return (_STAGES.get(self.kind, 0), self.subject_revision)


_STAGES: dict[str, int] = {
    DeliveryKind.ACKNOWLEDGEMENT: 0,
    DeliveryKind.TAKEN: 1,
    DeliveryKind.FILLED: 2,
}
"""What the client hears, in this order; shortlists and no_match go by the shortlist's revision alone."""


def row_id(recipient: str, kind: str, subject: str, subject_revision: int) -> str:
    """A function of the four, so that a ledger that was lost is rebuilt with the same ids."""
    return str(uuid5(_ROWS, f"{recipient}\n{kind}\n{subject}\n{subject_revision}"))


def message_id(row: str, domain: str) -> str:
    """RFC 5322 msg-id of a ledger row: a repeat of the row is recognised as the same mail."""
    return f"<{row}@{domain}>"


def thread_id(subject: str, domain: str) -> str:
    """What all mails about a need refer to, so that mail clients show them as one thread."""
    return f"<thread.{re.sub('[^A-Za-z0-9-]', '', subject)}@{domain}>"


def newest(rows: Iterable[LedgerRow]) -> LedgerRow:
    return max(rows, key=lambda row: (row.rank, row.created_at))


# Failures and retries


class FailureKind(StrEnum):
    RELAY_AWAY = "relay_away"
    """No connection, no greeting, no login: no mail's own fault."""
    CONNECTION = "connection"
    """Lost before the content was sent."""
    UNCLEAR = "unclear"
    """Lost after the content: it may have been kept."""
    TEMPORARY = "temporary"
    GREYLISTED = "greylisted"
    PERMANENT = "permanent"
    TOO_LARGE = "too_large"
    UNSAFE = "unsafe"
    """The address cannot be mailed to, or a header would not be safe."""
    NO_SUCH_ADDRESS = "no_such_address"
    """The address is known not to work: it is not written to any more."""


FINAL = frozenset(
    {FailureKind.PERMANENT, FailureKind.TOO_LARGE, FailureKind.UNSAFE, FailureKind.NO_SUCH_ADDRESS}
)


class NotSent(Exception):  # noqa: N818 - what happened to the mail
    """A mail was not accepted, as far as we know. The message has no address in it."""

    def __init__(self, kind: FailureKind, text: str) -> None:
        super().__init__(_masked(text))
        self.kind = kind

    @property
    def reason(self) -> str:
        return f"{self.kind.value}: {self}"


_BAD_ADDRESS = r"\b5\.(1\.(0|1|2|3|6|10)|2\.1|4\.4)\b"
"""Enhanced status codes (RFC 3463, RFC 7505) that say of the address itself that it does not work. A full
mailbox, a mail too large or one taken for spam says nothing of the kind."""


def is_bad_address(status: str) -> bool:
    """Whether an enhanced status code means that the address does not work."""
    return re.fullmatch(_BAD_ADDRESS, status.strip()) is not None


def refused(code: int, text: str) -> NotSent:
    """What a relay's answer means (RFC 5321 section 4.2.1; greylisting as RFC 6647 describes it)."""
    said = f"{code} {text}"
    if code in {530, 534, 535, 538}:
        # RFC 4954, RFC 3207: it wants a password or TLS first, which is a matter of configuration.
        return NotSent(FailureKind.RELAY_AWAY, said)
    if code in {550, 551, 553} and re.search(_BAD_ADDRESS, text):
        return NotSent(FailureKind.NO_SUCH_ADDRESS, said)
    if code >= 500:
        large = code == 552 or "5.3.4" in text or "5.2.3" in text
        return NotSent(FailureKind.TOO_LARGE if large else FailureKind.PERMANENT, said)
    if code == 421:
        return NotSent(FailureKind.CONNECTION, said)
    grey = code in {450, 451} and ("4.7." in text or "grey" in text.lower() or "gray" in text.lower())
    return NotSent(FailureKind.GREYLISTED if grey else FailureKind.TEMPORARY, said)


_BACKOFF: dict[FailureKind, tuple[float, float]] = {
    FailureKind.RELAY_AWAY: (1, 60),
    FailureKind.CONNECTION: (2, 15 * 60),
    FailureKind.UNCLEAR: (20, 30 * 60),
    FailureKind.TEMPORARY: (30, 2 * 3600),
    FailureKind.GREYLISTED: (120, 3600),
}
"""Seconds: the first pause and the longest. Greylisting wants minutes; a lost connection may pass at once."""


def backoff(kind: FailureKind, attempt: int, unit: float = 1.0, draw: float | None = None) -> timedelta:
    """The pause after the `attempt`-th try (from 1): doubled each time, between half and all of it at random
    (`draw`, 0 to 1), so that what failed together is not tried together. `unit` scales seconds."""
    first, longest = _BACKOFF[kind]
    pause = min(longest, first * 2.0 ** min(attempt - 1, 20))
    share = random.random() if draw is None else draw
    return timedelta(seconds=pause * unit * (0.5 + 0.5 * share))


def _masked(text: str) -> str:
    """Relays repeat the address they refuse."""
    return re.sub(r"<?[^\s<>]+@[^\s<>]+>?", "<address>", one_line(text))[:200]


# Headers


class UnsafeHeader(ValueError):  # noqa: N818 - what it is
    pass


def header_safe(value: str) -> str:
    """`value`, if it may stand in a header.

    Raises UnsafeHeader for control characters and for `=?`: Python's email package decodes an encoded word
    in a value that it is given, line breaks included, and so writes headers that nobody meant.
    """
    if "=?" in value:
        raise UnsafeHeader("must not contain =?")
    if any(unicodedata.category(char) in {"Cc", "Zl", "Zp", "Cs"} for char in value):
        raise UnsafeHeader("must not contain control characters or line breaks")
    return value


def is_header_safe(value: str) -> bool:
    try:
        header_safe(value)
    except UnsafeHeader:
        return False
    return True


def address(value: str) -> str:
    """An e-mail address as it goes to the relay: the domain in ASCII. Raises ValueError."""
    header_safe(value)
    try:
        checked = validate_email(
            value, check_deliverability=False, globally_deliverable=False, test_environment=True
        )
    except EmailNotValidError as error:
        raise ValueError("is not an e-mail address") from error
    return checked.ascii_email or checked.normalized


def brief(text: str, most: int) -> str:
    """`text` in one line, cut to `most` bytes of UTF-8: a mail has to stay small whatever was typed."""
    line = one_line(text)
    if len(line.encode()) <= most:
        return line
    return line.encode()[: most - 3].decode(errors="ignore").rstrip() + "…"


def one_line(text: str) -> str:
    """Text in one line, without control characters and without marks that turn the direction of writing."""
    if text.isprintable():
        # As nearly all is: none of those, and no space but the plain one.
        return " ".join(text.split())
    spaced = "".join(" " if char.isspace() else char for char in text)
    return " ".join(
        "".join(char for char in spaced if unicodedata.category(char) not in {"Cc", "Cf", "Cs"}).split()
    )

"""Letters: mails outside the path of a need, written by template from intake.letters.v1."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from services.notifier.casework import Casework
from services.notifier.letterhead import (
    LETTER,
    LedgerRow,
    RowState,
    address,
    message_id,
    one_line,
    row_id,
    thread_id,
)
from shared.events.letter import Letter
from shared.events.topic import next_revision
from shared.outage import Refused

ADDRESSEE = "addressee"


def check_links(arguments: Mapping[str, str], public_url: str) -> None:
    """`links`: each argument is a text and the page of ours that it leads to."""
    if not arguments:
        raise Refused("the letter links has no link")
    ours = public_url.rstrip("/") + "/"
    if not all(url.startswith(ours) and url == one_line(url) for url in arguments.values()):
        raise Refused("the letter links takes addresses under PUBLIC_URL alone")


TEMPLATES: dict[str, Callable[[Mapping[str, str], str], None]] = {"links": check_links}
"""The letters there are, each with a check of its arguments. The words are in templates/mail/."""


async def queue_letter(casework: Casework, letter: Letter, public_url: str) -> None:
    """Store a letter and claim its mail. Raises Refused for one that cannot be written."""
    check = TEMPLATES.get(letter.template)
    if check is None:
        raise Refused(f"there is no letter {letter.template[:40]!r}")
    check(letter.arguments, public_url)
    try:
        address(letter.to_email)
    except ValueError as error:
        raise Refused("the letter's address is not one that mail can be sent to") from error
    await casework.store.keep_letter(letter)
    if await casework.store.add_row(_row(letter, casework.domain)):
        casework.wake.set()


def _row(letter: Letter, domain: str) -> LedgerRow:
    made = row_id(ADDRESSEE, LETTER, letter.letter_id, letter.revision)
    now = datetime.now(UTC)
    return LedgerRow(
        row_id=made,
        recipient=ADDRESSEE,
        kind=LETTER,
        subject=letter.letter_id,
        subject_revision=letter.revision,
        state=RowState.QUEUED,
        revision=next_revision(0, now),
        message_id=message_id(made, domain),
        thread=thread_id(letter.letter_id, domain),
        created_at=now,
        next_try_at=now,
    )

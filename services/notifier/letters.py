"""Letters: mails outside the path of a need, written by template from intake.letters.v1."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.notifier.casework import Casework
from services.notifier.letterhead import (
    LETTER,
    LedgerRow,
    RowState,
    address,
    brief,
    message_id,
    one_line,
    row_id,
    thread_id,
)
from services.notifier.wording import day_in_words
from services.notifier.words import MAIL_WORDS
from services.notifier.words_letters import LETTER_WORDS
from shared.events.letter import Letter
from shared.events.topic import next_revision
from shared.events.vocabulary import Locale
from shared.outage import Refused

ADDRESSEE = "addressee"
LINKS = "links"
"""The one letter whose arguments are named by its sender: each is a text, and the page that it leads to."""
MAX_TEXT = 300


@dataclass(frozen=True)
class Form:
    """What a letter takes: pages of ours, days or instants (ISO 8601), plain texts. Words: words_letters.py.

    Each of `lines` is a paragraph, left out where an argument that it names is empty.
    """

    urls: tuple[str, ...]
    dates: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    may_be_empty: tuple[str, ...] = ()
    lines: tuple[str, ...] = ("lead", "text")


FORMS: dict[str, Form] = {
    "sign_in": Form(urls=("url",), lines=("lead",)),
    "confirm_registration": Form(urls=("confirm_url",), dates=("until",)),
    "change_profile": Form(urls=("url",), dates=("until",)),
    "registration_done": Form(urls=("url",), dates=("until",)),
    "privacy_notice": Form(
        urls=("rights_url",),
        dates=("until",),
        texts=("source",),
        may_be_empty=("until",),
        lines=("lead", "source", "use", "until", "kept", "text"),
    ),
    "retention_warning": Form(urls=("keep_url", "erase_url"), dates=("until",)),
}


def check(letter: Letter, public_url: str) -> None:
    """Raises Refused for a letter that there is not, or for arguments that are not its own."""
    if letter.template == LINKS:
        if not letter.arguments:
            raise Refused("the letter links has no link")
        _check_urls(LINKS, letter.arguments, letter.arguments, public_url)
        return
    form = FORMS.get(letter.template)
    if form is None:
        raise Refused(f"there is no letter {letter.template[:40]!r}")
    wanted = {*form.urls, *form.dates, *form.texts}
    if letter.arguments.keys() != wanted:
        raise Refused(f"the letter {letter.template} takes {', '.join(sorted(wanted))}")
    _check_urls(letter.template, form.urls, letter.arguments, public_url)
    for name in form.dates:
        text = letter.arguments[name]
        if _moment(text) is None and not (text == "" and name in form.may_be_empty):
            raise Refused(f"{name} of the letter {letter.template} is no ISO 8601 date")


def _check_urls(template: str, names: Any, arguments: Mapping[str, str], public_url: str) -> None:
    ours = public_url.rstrip("/") + "/"
    for name in names:
        url = arguments[name]
        if not url.startswith(ours) or url != one_line(url) or " " in url:
            raise Refused(f"the letter {template} takes addresses under PUBLIC_URL alone")


def _moment(text: str) -> date | datetime | None:
    """A day, or an instant in UTC; None for what is neither."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def letter_view(letter: Letter, zone: str) -> dict[str, Any]:
    """Values for the template `letter`: the subject, paragraphs, buttons (text and url), a closing note.

    `zone` is the time zone in which instants are told.
    """
    locale, key = letter.locale, letter.template
    if letter.template == LINKS:
        buttons = [{"text": brief(name, MAX_TEXT), "url": url} for name, url in letter.arguments.items()]
        return _shown(locale, key, ("lead",), {}, buttons)
    form = FORMS[letter.template]
    values = {name: brief(letter.arguments[name], MAX_TEXT) for name in form.texts}
    values |= {name: _told(letter.arguments[name], locale, zone) for name in form.dates}
    left_out = {name for name, value in values.items() if not value}
    # One of the two says how long it is kept.
    left_out |= set() if "until" in left_out else {"kept"}
    lines = tuple(line for line in form.lines if line not in left_out)
    buttons = [{"text": _words(locale, f"{key}_{name}"), "url": letter.arguments[name]} for name in form.urls]
    return _shown(locale, key, lines, values, buttons)


def _shown(
    locale: Locale,
    key: str,
    lines: tuple[str, ...],
    values: Mapping[str, str],
    buttons: list[dict[str, str]],
) -> dict[str, Any]:
    return {
        "subject": _words(locale, f"subject_{key}", **values),
        "lines": [_words(locale, f"{key}_{line}", **values) for line in lines],
        "buttons": buttons,
        "note": _words(locale, f"{key}_note") if f"{key}_note" in LETTER_WORDS else "",
    }


def _told(text: str, locale: Locale, zone: str) -> str:
    found = _moment(text)
    if found is None:
        return ""
    if not isinstance(found, datetime):
        return day_in_words(found, locale)
    local = found.astimezone(ZoneInfo(zone))
    city = zone.rpartition("/")[2].replace("_", " ")
    day, time = day_in_words(local.date(), locale), local.strftime("%H:%M")
    return _words(locale, "until_time", date=day, time=time, zone=city)


def _words(locale: Locale, key: str, **values: str) -> str:
    words = LETTER_WORDS.get(key) or MAIL_WORDS[key]
    return words[locale.value].format(**values)


async def queue_letter(casework: Casework, letter: Letter, public_url: str) -> None:
    """Store a letter and claim its mail. Raises Refused for one that cannot be written."""
    check(letter, public_url)
    try:
        address(letter.to_email)
    except ValueError as error:
        raise Refused("the letter's address is not one that mail can be sent to") from error
    await casework.store.ledger.keep_letter(letter)
    if await casework.store.ledger.add_row(_row(letter, casework.domain, casework.now())):
        casework.wake.set()


def _row(letter: Letter, domain: str, now: datetime) -> LedgerRow:
    made = row_id(ADDRESSEE, LETTER, letter.letter_id, letter.revision)
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

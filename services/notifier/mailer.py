"""Writes the mail of a ledger row, from the store's newest state at the moment it is sent."""

from dataclasses import dataclass
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.notifier.consultants import Consultant
from services.notifier.domain import AGENCY, CLIENT, NeedFile
from services.notifier.letterhead import (
    LETTER,
    FailureKind,
    LedgerRow,
    NotSent,
    RowState,
    address,
    is_header_safe,
    one_line,
)
from services.notifier.settings import NotifierSettings
from services.notifier.shortlist_view import Links, shortlist_view
from services.notifier.store import Store
from services.notifier.wording import Wording
from services.notifier.words import MAIL_WORDS
from shared.catalogue import Catalogue
from shared.events.delivery import DeliveryKind
from shared.events.letter import Letter
from shared.events.need import Need, NeedState
from shared.events.shortlist import Outcome
from shared.events.vocabulary import Locale
from shared.links import tracking_url
from shared.outage import Unavailable
from shared.settings import Settings
from shared.tokens import Tokens

TEMPLATES = Path(__file__).parent / "templates" / "mail"
_SHORTLISTS = {DeliveryKind.SHORTLIST: Outcome.MATCHED, DeliveryKind.NO_MATCH: Outcome.NO_MATCH}


@dataclass(frozen=True)
class Mail:
    """What goes to the relay: envelope addresses and the message's bytes."""

    sender: str
    recipient: str
    content: bytes


@dataclass(frozen=True)
class Envelope:
    """Whom a mail is for, what it is about, and who gets the answer."""

    to_email: str
    to_name: str | None
    locale: Locale
    subject: str
    reply_to: str


class Mailer:
    """Composes from what the store holds now; nothing of a mail's content is in its ledger row."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        settings: Settings,
        own: NotifierSettings,
        tokens: Tokens,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._settings = settings
        self._own = own
        self._tokens = tokens
        self._text = _environment(autoescape=False)
        self._html = _environment(autoescape=True)

    async def compose(self, row: LedgerRow, thread: list[LedgerRow]) -> Mail | None:
        """The mail of a row, None where it is overtaken by what happened since.

        Raises NotSent where the address or a header cannot be used, Unavailable without a catalogue.
        """
        if row.kind == LETTER:
            letter = await self._store.letter(row.subject)
            return self.letter(row, letter) if letter else None
        file = await self._store.file(row.subject)
        if file.need is None:
            return None
        if row.recipient == CLIENT:
            owner = await self._store.consultant(file.owner.consultant_id) if file.owner else None
            return self.to_client(row, file, owner)
        if row.recipient != file.reader or not file.open:
            return None
        reader = None if row.recipient == AGENCY else await self._store.consultant(row.recipient)
        return self.to_reader(row, file, reader, thread)

    def to_client(self, row: LedgerRow, file: NeedFile, owner: Consultant | None) -> Mail | None:
        """Acknowledgement, taken over, filled.

        Repeats nothing of what was typed, the name neither: anybody can enter somebody else's address, and
        would have us mail their text to it.
        """
        need = file.need
        if need is None or (row.kind == DeliveryKind.FILLED) is not (need.status is NeedState.FILLED):
            return None
        if not file.open and row.kind != DeliveryKind.FILLED:
            return None
        taken = owner if file.owner and file.owner.taken_at else None
        if row.kind == DeliveryKind.TAKEN and taken is None:
            return None
        name = taken.name if taken else self._settings.agency_name
        reference = _reference(need)
        envelope = Envelope(
            to_email=need.contact.email,
            to_name=None,
            locale=need.locale,
            subject=_words(need.locale, f"subject_{row.kind}", reference=reference, name=one_line(name)),
            reply_to=taken.email if taken else self._settings.agency_email,
        )
        url = tracking_url(self._settings, self._tokens, need.need_id, need.locale, row.created_at)
        return self._mail(row, envelope, row.kind, reference=reference, tracking_url=url, owner=taken)

    def to_reader(
        self, row: LedgerRow, file: NeedFile, reader: Consultant | None, thread: list[LedgerRow]
    ) -> Mail | None:
        """A shortlist, or that nobody fits: to the owning consultant, or to the agency's inbox."""
        need, shortlist = file.need, file.shortlist
        if need is None or shortlist is None or _SHORTLISTS[DeliveryKind(row.kind)] is not shortlist.outcome:
            return None
        if not self._catalogue.seen:
            raise Unavailable("the catalogue was not read yet")
        locale = reader.locale if reader else self._own.agency_locale
        links = Links(
            self._tokens,
            self._settings.public_url,
            who=reader.consultant_id if reader else AGENCY,
            need_id=need.need_id,
            shortlist_revision=shortlist.revision,
            made=row.created_at,
            lifetime=timedelta(days=self._own.link_days),
        )
        wording = Wording(locale, self._catalogue.taxonomy, self._catalogue.roles)
        view = shortlist_view(file, wording, links, _news(row, thread))
        what = ", ".join(text for text in map(one_line, (need.title, need.company)) if is_header_safe(text))
        count = _count(locale, len(view["candidates"]))
        envelope = Envelope(
            to_email=reader.email if reader else self._settings.agency_email,
            to_name=reader.name if reader else self._settings.agency_name,
            locale=locale,
            subject=_words(
                locale, f"subject_{row.kind}", count=count, what=what[:120], reference=_reference(need)
            ),
            reply_to=self._settings.agency_email,
        )
        name = one_line(reader.name) if reader else ""
        view["news"] = [_words(locale, "candidate", code=code) for code in view["news"]]
        view |= {"count": count, "reference": _reference(need), "days": self._own.link_days}
        return self._mail(row, envelope, row.kind, name=name, **view)

    def letter(self, row: LedgerRow, letter: Letter) -> Mail:
        envelope = Envelope(
            to_email=letter.to_email,
            to_name=None,
            locale=letter.locale,
            subject=_words(letter.locale, f"subject_{letter.template}"),
            reply_to=self._settings.agency_email,
        )
        arguments = {one_line(key): one_line(value) for key, value in letter.arguments.items()}
        return self._mail(row, envelope, letter.template, arguments=arguments)

    def _mail(self, row: LedgerRow, envelope: Envelope, template: str, **values: Any) -> Mail:
        def t(key: str, **arguments: object) -> str:
            return _words(envelope.locale, key, **arguments)

        shown = values | {
            "t": t,
            "locale": envelope.locale.value,
            "subject": envelope.subject,
            "agency": self._settings.agency_name,
            "agency_phone": self._settings.agency_phone,
            "reply_to": envelope.reply_to,
        }
        message = self._headed(row, envelope)
        message.set_content(self._text.get_template(f"{template}.txt").render(shown), cte="quoted-printable")
        html = self._html.get_template(f"{template}.html").render(shown)
        message.add_alternative(html, subtype="html", cte="quoted-printable")
        # Else random: a repeat should be the same mail to the byte.
        message.set_boundary(f"=_{row.row_id}")
        recipient = address(envelope.to_email)
        content = message.as_bytes(policy=SMTP if recipient.isascii() else SMTPUTF8)
        return Mail(self._settings.agency_email, recipient, content)

    def _headed(self, row: LedgerRow, envelope: Envelope) -> EmailMessage:
        message = EmailMessage(policy=SMTPUTF8)
        try:
            message["From"] = _mailbox(self._settings.agency_name, self._settings.agency_email)
            message["To"] = _mailbox(envelope.to_name, envelope.to_email)
            message["Reply-To"] = _mailbox(None, envelope.reply_to)
        except ValueError as error:
            raise NotSent(FailureKind.UNSAFE, "an address that mail cannot be sent to") from error
        # A hostile title never keeps the mail from being sent.
        message["Subject"] = (
            envelope.subject if is_header_safe(envelope.subject) else self._settings.agency_name
        )
        message["Date"] = format_datetime(row.created_at)
        message["Message-ID"] = row.message_id
        message["References"] = row.thread
        message["In-Reply-To"] = row.thread
        # RFC 3834: no automatic answers, please.
        message["Auto-Submitted"] = "auto-generated"
        return message


def _mailbox(name: str | None, email: str) -> Address:
    """Raises ValueError for an address that is none; a name that is not safe is left out."""
    local, _, domain = address(email).rpartition("@")
    shown = one_line(name or "")
    return Address(display_name=shown if is_header_safe(shown) else "", username=local, domain=domain)


def _environment(*, autoescape: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=autoescape,  # noqa: S701 - off for the text part alone
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    for name in environment.list_templates():
        # Compiled at start: the first mail is as fast as the others.
        environment.get_template(name)
    return environment


def _words(locale: Locale, key: str, **values: object) -> str:
    return MAIL_WORDS[key][locale.value].format(**values)


def _reference(need: Need) -> str:
    """The need's reference, or the end of its id where that could not stand in a subject."""
    reference = one_line(need.reference)
    return reference if reference and is_header_safe(reference) else need.need_id[-8:]


def _count(locale: Locale, number: int) -> str:
    key = "candidates_none" if number == 0 else "candidates_one" if number == 1 else "candidates_many"
    return _words(locale, key, n=number)


def _news(row: LedgerRow, thread: list[LedgerRow]) -> frozenset[str]:
    """Who is new to the reader: of this row and of those it superseded; nobody in a first mail."""
    if not any(other.state is RowState.SENT for other in thread):
        return frozenset()
    unsent = (other for other in thread if other.state is not RowState.SENT)
    return frozenset(candidate for other in unsent for candidate in other.news)

"""Writes the mail of a ledger row, from the store's newest state at the moment it is sent."""

from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.notifier.actions import issue_pause, pause_link
from services.notifier.bounces import ReturnPath
from services.notifier.consultants import Consultant
from services.notifier.digests import Digests, Item
from services.notifier.domain import AGENCY, CLIENT, NeedFile
from services.notifier.envelope import Envelope, Mail, sealed
from services.notifier.hours import Clock, utc_now
from services.notifier.letterhead import (
    DIGEST,
    LETTER,
    FailureKind,
    LedgerRow,
    NotSent,
    brief,
    is_header_safe,
    one_line,
)
from services.notifier.letters import ADDRESSEE, letter_view
from services.notifier.settings import NotifierSettings
from services.notifier.shortlist_view import Links, changes, shortlist_view
from services.notifier.store import Store
from services.notifier.wording import Wording
from services.notifier.words import MAIL_WORDS
from services.notifier.words_letters import LETTER_WORDS
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
WORDS = {**MAIL_WORDS, **LETTER_WORDS}
RECEIVED_A_DAY = 3
"""Acknowledgements to one address: a form that anybody can fill in must not flood somebody's mailbox."""
DIGEST_NEEDS = 20
"""Shown with their candidates; what else a digest has is a line each."""
DIGEST_BEST = 3
_SHORTLISTS = {DeliveryKind.SHORTLIST: Outcome.MATCHED, DeliveryKind.NO_MATCH: Outcome.NO_MATCH}


class Mailer:
    """Composes from what the store holds now; nothing of a mail's content is in its ledger row."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        settings: Settings,
        own: NotifierSettings,
        tokens: Tokens,
        digests: Digests,
        *,
        return_path: ReturnPath | None = None,
        now: Clock = utc_now,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._settings = settings
        self._own = own
        self._tokens = tokens
        self._digests = digests
        self._return_path = return_path
        self._now = now
        self._text = _environment(autoescape=False)
        self._html = _environment(autoescape=True)

    async def compose(self, row: LedgerRow, thread: list[LedgerRow]) -> Mail | None:
        """The mail of a row, None where it is overtaken by what happened since.

        Raises NotSent where the address or a header cannot be used, Unavailable without a catalogue.
        """
        mail = await self._written(row, thread)
        if mail is None or row.recipient not in {CLIENT, ADDRESSEE}:
            return mail
        now = self._now()
        if await self._store.addresses.suppressed(mail.recipient, now):
            raise NotSent(FailureKind.NO_SUCH_ADDRESS, "mails to this address come back")
        if row.kind != DeliveryKind.ACKNOWLEDGEMENT:
            return mail
        share = await self._store.addresses.take_share(mail.recipient, row.row_id, now.date(), RECEIVED_A_DAY)
        return mail if share else None

    async def _written(self, row: LedgerRow, thread: list[LedgerRow]) -> Mail | None:
        if row.kind == LETTER:
            letter = await self._store.ledger.letter(row.subject)
            return self.letter(row, letter) if letter else None
        if row.kind == DIGEST:
            return await self._digest(row)
        file = await self._store.file(row.subject)
        if file.need is None:
            return None
        if row.recipient == CLIENT:
            owner = await self._store.consultant(file.owner.consultant_id) if file.owner else None
            return self.to_client(row, file, owner)
        if row.recipient != file.reader or not file.open:
            return None
        reader = None if row.recipient == AGENCY else await self._store.consultant(row.recipient)
        _check_available(reader)
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
        envelope = self._envelope(
            row,
            need.contact.email,
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
        view = self._need_view(row, file, reader, thread)
        named = (brief(need.title, 80), brief(need.company, 60))
        what = ", ".join(text for text in named if is_header_safe(text))
        subject = _words(
            view["locale"],
            f"subject_{row.kind}",
            count=view["count"],
            what=what,
            reference=_reference(need),
        )
        envelope = self._to_colleague(row, reader, subject)
        return self._mail(row, envelope, row.kind, one=view, days=self._own.link_days)

    async def _digest(self, row: LedgerRow) -> Mail | None:
        reader = await self._store.consultant(row.recipient)
        items = await self._digests.items(row) if reader else []
        if items:
            _check_available(reader)
        threads = [await self._store.ledger.thread(item.row) for item in items]
        return self.digest(row, reader, items, threads) if reader and items else None

    def digest(
        self,
        row: LedgerRow,
        reader: Consultant,
        items: Iterable[Item],
        threads: Iterable[list[LedgerRow]],
    ) -> Mail:
        """All that became due for one consultant, newest needs first."""
        pairs = sorted(
            zip(items, threads, strict=True), key=lambda pair: pair[0].row.created_at, reverse=True
        )
        views = [
            self._need_view(item.row, item.file, reader, thread, best=DIGEST_BEST) for item, thread in pairs
        ]
        count = _count(reader.locale, "needs", len(views))
        envelope = self._to_colleague(row, reader, _words(reader.locale, "subject_digest", count=count))
        return self._mail(
            row,
            envelope,
            DIGEST,
            name=one_line(reader.name),
            count=count,
            needs=views[:DIGEST_NEEDS],
            others=views[DIGEST_NEEDS:],
            days=self._own.link_days,
        )

    def _need_view(
        self,
        row: LedgerRow,
        file: NeedFile,
        reader: Consultant | None,
        thread: list[LedgerRow],
        *,
        best: int | None = None,
    ) -> dict[str, Any]:
        """What a mail shows of one need. Raises Unavailable without a catalogue."""
        if not self._catalogue.seen:
            raise Unavailable("the catalogue was not read yet")
        assert file.need is not None and file.shortlist is not None  # noqa: S101, PT018 - callers have looked
        locale = reader.locale if reader else self._own.agency_locale
        links = Links(
            self._tokens,
            self._settings.public_url,
            who=reader.consultant_id if reader else AGENCY,
            need_id=file.need_id,
            shortlist_revision=file.shortlist.revision,
            made=row.created_at,
            lifetime=timedelta(days=self._own.link_days),
        )
        wording = Wording(locale, self._catalogue.taxonomy, self._catalogue.roles)
        view = shortlist_view(file, wording, links, changes(row, thread), best=best)
        return view | {
            "locale": locale,
            "count": _count(locale, "candidates", view["listed"]),
            "pool": self._pool(locale, wording, file),
            "reference": _reference(file.need),
            "news": [_words(locale, "candidate", code=code) for code in view["news"]],
            "gone": [
                f"{_words(locale, 'candidate', code=code)} ({_words(locale, why)})"
                for code, why in view["gone"]
            ],
            "desk_url": f"{self._settings.public_url}/desk/needs/{file.need_id}" if reader else "",
        }

    def _pool(self, locale: Locale, wording: Wording, file: NeedFile) -> str:
        shortlist = file.shortlist
        assert shortlist is not None  # noqa: S101 - the caller has looked
        key = {0: "pool_none", 1: "pool_one"}.get(shortlist.eligible, "pool_many")
        eligible, pool = wording.amount(shortlist.eligible), wording.amount(shortlist.candidates)
        return _words(locale, key, eligible=eligible, candidates=pool)

    def letter(self, row: LedgerRow, letter: Letter) -> Mail:
        view = letter_view(letter, self._own.agency_time_zone)
        envelope = self._envelope(
            row,
            letter.to_email,
            locale=letter.locale,
            subject=view.pop("subject"),
            reply_to=self._settings.agency_email,
        )
        return self._mail(row, envelope, LETTER, **view)

    def _to_colleague(self, row: LedgerRow, reader: Consultant | None, subject: str) -> Envelope:
        pause = issue_pause(self._tokens, reader.consultant_id, row.created_at) if reader else ""
        return self._envelope(
            row,
            reader.email if reader else self._settings.agency_email,
            to_name=reader.name if reader else self._settings.agency_name,
            locale=reader.locale if reader else self._own.agency_locale,
            subject=subject,
            reply_to=self._settings.agency_email,
            pause_url=pause_link(self._settings.public_url, pause) if reader else "",
        )

    def _envelope(
        self,
        row: LedgerRow,
        to_email: str,
        *,
        locale: Locale,
        subject: str,
        reply_to: str,
        to_name: str | None = None,
        pause_url: str = "",
    ) -> Envelope:
        agency = self._settings.agency_email
        return Envelope(
            from_name=self._settings.agency_name,
            from_email=agency,
            return_path=self._return_path.of(row.row_id) if self._return_path else agency,
            to_email=to_email,
            to_name=to_name,
            locale=locale,
            subject=subject,
            reply_to=reply_to,
            pause_url=pause_url,
        )

    def _mail(self, row: LedgerRow, envelope: Envelope, template: str, **values: Any) -> Mail:
        def t(key: str, **arguments: object) -> str:
            return _words(envelope.locale, key, **arguments)

        shown = values | {
            "t": t,
            "locale": envelope.locale.value,
            "colon": "\u00a0: " if envelope.locale is Locale.FR else ": ",
            "subject": envelope.subject,
            "agency": self._settings.agency_name,
            "agency_phone": self._settings.agency_phone,
            "reply_to": envelope.reply_to,
            "pause_url": envelope.pause_url,
        }
        text = self._text.get_template(f"{template}.txt").render(shown)
        html = self._html.get_template(f"{template}.html").render(shown)
        return sealed(row, envelope, text, html)


@cache
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


def _check_available(reader: Consultant | None) -> None:
    """Whoever has just paused gets no mail in the moment until their needs are passed on.

    Raises Unavailable: then the mail is overtaken.
    """
    if reader is not None and not reader.available:
        raise Unavailable("the need is about to be passed on")


def _words(locale: Locale, key: str, **values: object) -> str:
    return WORDS[key][locale.value].format(**values)


def _reference(need: Need) -> str:
    """The need's reference, or the end of its id where that could not stand in a subject."""
    reference = brief(need.reference, 40)
    return reference if reference and is_header_safe(reference) else need.need_id[-8:]


def _count(locale: Locale, what: str, number: int) -> str:
    """`what` is candidates or needs; "nobody" and "one" have words of their own."""
    key = {0: f"{what}_none", 1: f"{what}_one"}.get(number, f"{what}_many")
    return _words(locale, key, n=number)

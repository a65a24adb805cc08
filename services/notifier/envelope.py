"""A mail's headers and MIME form: nothing that somebody typed may become a header of its own."""

import base64
from binascii import b2a_qp
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

from services.notifier.letterhead import FailureKind, LedgerRow, NotSent, address, is_header_safe, one_line
from shared.events.vocabulary import Locale

_ASCII = bytes(range(128))


@dataclass(frozen=True)
class Mail:
    """What goes to the relay: envelope addresses and the message's bytes."""

    sender: str
    recipient: str
    content: bytes


@dataclass(frozen=True)
class Envelope:
    """From whom a mail is, whom it is for, what it is about, and who gets the answer.

    `pause_url` is where one POST stops the mails (RFC 8058), for those who get them by subscription.
    """

    from_name: str
    from_email: str
    return_path: str
    to_email: str
    to_name: str | None
    locale: Locale
    subject: str
    reply_to: str
    pause_url: str = ""


def sealed(row: LedgerRow, envelope: Envelope, text: str, html: str) -> Mail:
    """The mail of a row, the same to the byte each time. Raises NotSent for an address that is none."""
    message, recipient = _headed(row, envelope), address(envelope.to_email)
    headers = message.as_bytes(policy=SMTP if recipient.isascii() else SMTPUTF8)
    # Not random: a repeat should be the same mail to the byte.
    boundary = f"=_{row.row_id}"
    # Put together by hand: the standard library's way takes as long as all else about a mail.
    content = (
        headers.removesuffix(b"\r\n")
        + f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'.encode()
        + _part(boundary, "plain", text)
        + _part(boundary, "html", html)
        + f"--{boundary}--\r\n".encode()
    )
    return Mail(envelope.return_path, recipient, content)


def _part(boundary: str, subtype: str, text: str) -> bytes:
    """RFC 2045. Quoted-printable reads well in a log and takes three bytes for each that is not ASCII."""
    raw = text.encode()
    if 6 * len(raw.translate(None, _ASCII)) > len(raw):
        encoding, body = "base64", base64.encodebytes(raw).replace(b"\n", b"\r\n")
    else:
        encoding, body = "quoted-printable", b2a_qp(raw.replace(b"\n", b"\r\n"))
    head = (
        f"--{boundary}\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
    )
    return head.encode() + body + b"\r\n"


def _headed(row: LedgerRow, envelope: Envelope) -> EmailMessage:
    message = EmailMessage(policy=SMTPUTF8)
    try:
        message["From"] = _mailbox(envelope.from_name, envelope.from_email)
        message["To"] = _mailbox(envelope.to_name, envelope.to_email)
        message["Reply-To"] = _mailbox(None, envelope.reply_to)
    except ValueError as error:
        raise NotSent(FailureKind.UNSAFE, "an address that mail cannot be sent to") from error
    # A hostile title never keeps the mail from being sent.
    message["Subject"] = envelope.subject if is_header_safe(envelope.subject) else envelope.from_name
    message["Date"] = format_datetime(row.created_at)
    message["Message-ID"] = row.message_id
    message["References"] = row.thread
    message["In-Reply-To"] = row.thread
    # RFC 3834: no automatic answers, please.
    message["Auto-Submitted"] = "auto-generated"
    if envelope.pause_url:
        message["List-Unsubscribe"] = f"<{envelope.pause_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return message


def _mailbox(name: str | None, email: str) -> Address:
    """Raises ValueError for an address that is none; a name that is not safe is left out."""
    local, _, domain = address(email).rpartition("@")
    shown = one_line(name or "")
    return Address(display_name=shown if is_header_safe(shown) else "", username=local, domain=domain)

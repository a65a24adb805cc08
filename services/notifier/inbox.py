"""/mail: where the mails go, and the inbox of those that the embedded relay caught."""

import email.policy
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.notifier.relay import Relay
from shared.web.pages import Pages, locale_of
from shared.web.problems import not_found

if TYPE_CHECKING:
    from shared.embedded import CaughtMail, EmbeddedSmtp

SHOWN = 200
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-top-navigation-by-user-activation allow-popups "
    "allow-popups-to-escape-sandbox"
)
"""A mail's HTML is somebody's text: no script, no form, nothing from elsewhere. Mails style inline, so that
alone is allowed, for this one answer. Its links lead the whole window, or a new one, to pages that work."""


@dataclass
class Inbox:
    pages: Pages
    mailbox: "EmbeddedSmtp | None"
    relay: Relay

    def overview(self, request: Request) -> HTMLResponse:
        locale = locale_of(request)
        if self.mailbox is None:
            relay = self.relay
            return self.pages.render(
                "mail_away.html", locale, host=relay.host, port=relay.port, away=bool(relay.away)
            )
        newest = list(self.mailbox.mails)[-SHOWN:][::-1]
        return self.pages.render("mail_list.html", locale, mails=[_summary(mail) for mail in newest])

    def one(self, request: Request, mail_id: str) -> HTMLResponse:
        mail = self._find(mail_id)
        message = mail.message
        return self.pages.render(
            "mail_one.html",
            locale_of(request),
            **_summary(mail),
            sender=str(message["From"]),
            text=_part(message, "plain"),
            has_html=bool(_part(message, "html")),
            headers=[(name, str(value)) for name, value in message.items()],
        )

    def html(self, mail_id: str) -> HTMLResponse:
        """The HTML part as it was sent, its links led to the whole window."""
        content = _part(self._find(mail_id).message, "html")
        if not content:
            raise not_found("HTML part")
        shown = content.replace("<head>", '<head><base target="_top">', 1)
        return HTMLResponse(shown, headers={"Content-Security-Policy": MAIL_POLICY})

    def _find(self, mail_id: str) -> "CaughtMail":
        for mail in self.mailbox.mails if self.mailbox else ():
            if _id(mail) == mail_id:
                return mail
        raise not_found("mail")


def _id(mail: "CaughtMail") -> str:
    return str(int(mail.accepted_at.timestamp() * 1_000_000))


def _summary(mail: "CaughtMail") -> dict[str, Any]:
    # The headers alone: a page of large mails takes seconds to parse in full.
    message = BytesHeaderParser(policy=email.policy.default).parsebytes(mail.raw)
    return {
        "id": _id(mail),
        "to": ", ".join(mail.recipients),
        "subject": str(message["Subject"] or ""),
        "at": mail.accepted_at,
    }


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    content = part.get_content() if part is not None else ""
    return content if isinstance(content, str) else ""


def inbox_routes(inbox: Inbox) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/mail")
    async def overview(request: Request) -> HTMLResponse:
        return inbox.overview(request)

    @router.get("/mail/{mail_id}")
    async def one(request: Request, mail_id: str) -> HTMLResponse:
        return inbox.one(request, mail_id)

    @router.get("/mail/{mail_id}/html")
    async def html(mail_id: str) -> HTMLResponse:
        return inbox.html(mail_id)

    return router

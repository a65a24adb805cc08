"""Mails that come back: delivery status notifications (RFC 3464), read from a maildir.

Each mail has an envelope address of its own (VERP), `bounces+<row>.<mac>@…`, so that what comes back is
matched by where it was sent to, whatever it says; the mac keeps strangers from reporting bounces.
"""

import asyncio
import email
import email.policy
import mailbox
import re
from dataclasses import dataclass
from email.message import Message
from email.utils import getaddresses
from pathlib import Path
from uuid import UUID

from services.notifier.letterhead import FailureKind, LedgerRow, RowState, is_bad_address, one_line
from services.notifier.store import Store
from services.notifier.undeliverable import Undeliverable
from shared.log import get_logger
from shared.outage import is_outage, reason
from shared.tokens import Tokens

LOOK_SECONDS = 2.0
_PURPOSE = "bounce"
_LOCAL = re.compile(r"^(?P<name>.+)\+(?P<row>[0-9a-f]{32})\.(?P<mac>[0-9a-f]{12})$", re.IGNORECASE)
_MAX_BYTES = 1_000_000
_SEEN_BY = ("Delivered-To", "X-Original-To", "Envelope-To", "To")


@dataclass(frozen=True)
class ReturnPath:
    """Envelope addresses that name their mail. `address` is where all of them arrive, without the `+…`."""

    address: str
    tokens: Tokens

    def of(self, row_id: str) -> str:
        name, _, domain = self.address.rpartition("@")
        row = UUID(row_id).hex
        return f"{name}+{row}.{self.tokens.mark(_PURPOSE, row)[0]}@{domain}"

    def row_of(self, envelope: str) -> str | None:
        """The row whose mail had this envelope address; None for one that we did not make."""
        local, _, domain = envelope.strip().rpartition("@")
        found = _LOCAL.match(local)
        if found is None or f"{found['name']}@{domain}".casefold() != self.address.casefold():
            return None
        row, mac = found["row"].lower(), found["mac"].lower()
        return str(UUID(row)) if mac in self.tokens.mark(_PURPOSE, row) else None


@dataclass(frozen=True)
class Bounce:
    """What a notification says. `status` is an enhanced status code (RFC 3463)."""

    row_id: str
    status: str
    failed: bool

    @property
    def hard(self) -> bool:
        """Whether the address does not work: not for now, not for this mail, but at all."""
        return self.failed and is_bad_address(self.status)


def read_bounce(raw: bytes, path: ReturnPath) -> Bounce | None:
    """None for what is no notification about a mail of ours. Any bytes may come."""
    message = email.message_from_bytes(raw[:_MAX_BYTES], policy=email.policy.compat32)
    addresses = getaddresses([str(value) for name in _SEEN_BY for value in message.get_all(name, [])])
    rows = (path.row_of(address) for _, address in addresses)
    row = next((found for found in rows if found), None)
    if row is None:
        return None
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status":
            return _bounce(row, part)
    return None


def _bounce(row_id: str, report: Message) -> Bounce:
    """The fields of the recipient: the first block is about the message as a whole."""
    blocks = report.get_payload()
    about = [block for block in blocks if isinstance(block, Message)] if isinstance(blocks, list) else []
    for block in about:
        action = one_line(str(block.get("Action", ""))).casefold()
        if action:
            status = re.search(r"[245]\.\d{1,3}\.\d{1,3}", str(block.get("Status", "")))
            return Bounce(row_id, status[0] if status else "5.0.0", failed=action == "failed")
    return Bounce(row_id, "", failed=False)


@dataclass
class Bounces:
    """Reads the maildir every few seconds; what was read is marked as seen, and stays."""

    maildir: Path
    path: ReturnPath
    store: Store
    undeliverable: Undeliverable

    async def run(self) -> None:
        while True:
            try:
                await self.read()
            except OSError as error:
                get_logger("notifier").warning("bounces_wait", why=reason(error))
            except Exception as error:
                if not is_outage(error):
                    raise
                get_logger("notifier").info("bounces_wait", why=reason(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def read(self) -> None:
        """Take in what is new. A notification that was read before changes nothing."""
        box = await asyncio.to_thread(_open, self.maildir)
        for key, raw in await asyncio.to_thread(_new_ones, box, self.maildir):
            bounce = read_bounce(raw, self.path)
            if bounce is None or await self._take(bounce):
                await asyncio.to_thread(_mark_seen, box, key)

    async def _take(self, bounce: Bounce) -> bool:
        """False where it came before we noted that the mail went: to be read again."""
        row = await self.store.ledger.row(bounce.row_id)
        log = get_logger("notifier").bind(row=bounce.row_id, status=bounce.status)
        if row is None or not bounce.failed:
            # Delayed, relayed, expanded: it may still arrive.
            log.info("bounce_passed_over")
            return True
        if row.state in {RowState.QUEUED, RowState.SENDING}:
            return False
        log.warning("mail_bounced", hard=bounce.hard)
        await self._note(row, bounce)
        return True

    async def _note(self, row: LedgerRow, bounce: Bounce) -> None:
        kind = FailureKind.NO_SUCH_ADDRESS if bounce.hard else FailureKind.PERMANENT
        if await self.store.ledger.note_bounce(row, f"{kind.value}: came back, {bounce.status}"):
            self.store.ledger.publish_outcome(row)
        # Again where that was noted before: whoever noted it may have died before this.
        await self.undeliverable.note(row, bad_address=row.addressed if bounce.hard else None)


def _open(path: Path) -> mailbox.Maildir:
    return mailbox.Maildir(path, create=True)


def _new_ones(box: mailbox.Maildir, folder: Path) -> list[tuple[str, bytes]]:
    """By the flags in the files' names: what was read stays, and is not opened again."""
    found = []
    for path in (*(folder / "new").iterdir(), *(folder / "cur").iterdir()):
        key, _, flags = path.name.partition(box.colon)
        if "S" in flags or key.startswith("."):
            continue
        try:
            found.append((key, box.get_bytes(key)))
        except (KeyError, FileNotFoundError):
            # Another replica has just moved it.
            continue
    return found


def _mark_seen(box: mailbox.Maildir, key: str) -> None:
    try:
        message = box.get_message(key)
        message.set_subdir("cur")
        message.add_flag("S")
        box[key] = message
    except (KeyError, FileNotFoundError):
        return

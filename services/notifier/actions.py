"""Links in mails: signed, for one person, one need and what may be done there, and only for a while.

Opening a link changes nothing (mail scanners open every link); the page it leads to has a form that does.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlencode
from uuid import UUID

from shared.events.feedback import Decision
from shared.tokens import Tokens

PURPOSE = "decision"
PAUSE_PURPOSE = "pause"
PAUSE_LIFETIME = timedelta(days=400)
"""Whoever finds an old mail of ours must still be able to stop them."""
ASSIGN = "assign"
"""What the agency's own inbox may do with a need that nobody fits: give it to somebody."""

ABOUT_CANDIDATE = (
    Decision.ACCEPTED,
    Decision.CONTACTED,
    Decision.PRESENTED,
    Decision.PLACED,
    Decision.DECLINED,
)
ABOUT_NEED = (Decision.TAKEN, Decision.PASSED_ON)
_ACTIONS = ("taken", "passed_on", "accepted", "contacted", "presented", "placed", "declined", ASSIGN)
"""Each is a bit in a token: only append."""
_NO_REVISION = 2**48 - 1


@dataclass(frozen=True)
class Permit:
    """What a link allows. `who` is a consultant's id, or the agency."""

    who: str
    need_id: str
    actions: tuple[str, ...]
    candidate_id: str | None = None
    shortlist_revision: int | None = None


def issue(tokens: Tokens, permit: Permit, made: datetime, lifetime: timedelta) -> str:
    """The same permit of the same moment gives the same token, so that a repeated mail is the same mail."""
    allowed = sum(1 << _ACTIONS.index(action) for action in permit.actions)
    revision = _NO_REVISION if permit.shortlist_revision is None else permit.shortlist_revision
    ids = [permit.who, permit.need_id, *([permit.candidate_id] if permit.candidate_id else [])]
    content = allowed.to_bytes(2, "big") + revision.to_bytes(6, "big") + _packed(ids)
    return tokens.seal(PURPOSE, content, made + lifetime)


def read(tokens: Tokens, token: str, now: datetime) -> Permit:
    """Raises BadToken."""
    content = tokens.unseal(token, PURPOSE, now)
    allowed, revision = int.from_bytes(content[:2], "big"), int.from_bytes(content[2:8], "big")
    who, need_id, *about = _unpacked(content[8:])
    return Permit(
        who=who,
        need_id=need_id,
        actions=tuple(action for number, action in enumerate(_ACTIONS) if allowed >> number & 1),
        candidate_id=about[0] if about else None,
        shortlist_revision=None if revision == _NO_REVISION else revision,
    )


def issue_pause(tokens: Tokens, consultant_id: str, made: datetime) -> str:
    """For one consultant, to pause their own mails."""
    return tokens.seal(PAUSE_PURPOSE, _packed([consultant_id]), made + PAUSE_LIFETIME)


def read_pause(tokens: Tokens, token: str, now: datetime) -> str:
    """The consultant's id. Raises BadToken."""
    return _unpacked(tokens.unseal(token, PAUSE_PURPOSE, now))[0]


def _packed(ids: Sequence[str]) -> bytes:
    """Our ids are UUIDs, 16 bytes each; any other text has its length before it (255 bytes at most)."""
    return b"".join(map(_packed_id, ids))


@lru_cache(maxsize=1024)
def _packed_id(one: str) -> bytes:
    """Cached: a mail's many links are about the same few."""
    raw = one.encode()
    return b"\x00" + UUID(one).bytes if _is_uuid(one) else bytes([len(raw)]) + raw


def _unpacked(packed: bytes) -> list[str]:
    found = []
    while packed:
        end = 1 + (packed[0] or 16)
        found.append(packed[1:end].decode() if packed[0] else str(UUID(bytes=packed[1:end])))
        packed = packed[end:]
    return found


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def link(public_url: str, token: str, action: str | None = None) -> str:
    query = f"?{urlencode({'do': action})}" if action else ""
    return f"{public_url.rstrip('/')}/mail/act/{token}{query}"


def pause_link(public_url: str, token: str) -> str:
    return f"{public_url.rstrip('/')}/mail/pause/{token}"


def short_codes(candidate_ids: Collection[str]) -> dict[str, str]:
    """A name for each candidate that says nothing of the person: the end of the random id, as in `A7F3`.

    Where two of a mail would be alike, all are longer.
    """
    bare = {one: "".join(char for char in one if char.isalnum()).upper() for one in candidate_ids}
    for length in (4, 6, 8, 12):
        codes = {one: text[-length:] for one, text in bare.items()}
        if len(set(codes.values())) == len(codes):
            return codes
    return {one: one for one in candidate_ids}


def short_code(candidate_id: str) -> str:
    return short_codes([candidate_id])[candidate_id]

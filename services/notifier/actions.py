"""Links in mails: signed, for one person, one need and what may be done there, and only for a while.

Opening a link changes nothing (mail scanners open every link); the page it leads to has a form that does.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from shared.events.feedback import Decision
from shared.tokens import BadToken, Claims, Tokens

PURPOSE = "decision"
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
    scopes = [f"need:{permit.need_id}", *(f"action:{action}" for action in permit.actions)]
    if permit.candidate_id is not None:
        scopes.append(f"candidate:{permit.candidate_id}")
    if permit.shortlist_revision is not None:
        scopes.append(f"shortlist:{permit.shortlist_revision}")
    token_id = hashlib.sha256("\n".join([permit.who, made.isoformat(), *scopes]).encode()).hexdigest()[:16]
    return tokens.issue(PURPOSE, permit.who, lifetime=lifetime, scopes=scopes, token_id=token_id, now=made)


def read(tokens: Tokens, token: str) -> Permit:
    """Raises BadToken."""
    claims = tokens.verify(token, PURPOSE)
    need, actions = _scope(claims, "need"), _scope(claims, "action")
    if len(need) != 1 or not actions:
        raise BadToken("names no need or nothing to do")
    revision = _scope(claims, "shortlist")
    return Permit(
        who=claims.subject,
        need_id=need[0],
        actions=tuple(actions),
        candidate_id=next(iter(_scope(claims, "candidate")), None),
        shortlist_revision=int(revision[0]) if revision else None,
    )


def _scope(claims: Claims, name: str) -> list[str]:
    prefix = f"{name}:"
    return sorted(scope.removeprefix(prefix) for scope in claims.scopes if scope.startswith(prefix))


def link(public_url: str, token: str, action: str | None = None) -> str:
    query = f"?{urlencode({'do': action})}" if action else ""
    return f"{public_url.rstrip('/')}/mail/act/{token}{query}"


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

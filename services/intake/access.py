"""Who may see and change a need: its client by the link, its owner's key, or a key that reads all."""

from dataclasses import dataclass

from fastapi import Request

from services.intake.needs import Needs
from services.intake.store import Document
from shared.links import TRACKING_PURPOSE
from shared.tokens import BadToken, Tokens
from shared.web.access import Caller, caller_of
from shared.web.problems import Problem, not_found


@dataclass(frozen=True)
class Access:
    """A need that the caller may see, and whether they may change it."""

    document: Document
    may_write: bool


def holds_link(request: Request, tokens: Tokens, need_id: str) -> bool:
    """Whether the request carries the need's tracking token, in `t` or as a bearer."""
    kind, _, bearer = request.headers.get("authorization", "").partition(" ")
    presented = [request.query_params.get("t", "")]
    if kind.lower() == "bearer":
        presented.append(bearer.strip())
    for token in filter(None, presented):
        try:
            return tokens.verify(token, TRACKING_PURPOSE).subject == need_id
        except BadToken:
            continue
    return False


async def open_need(request: Request, needs: Needs, need_id: str, *, to_write: bool = False) -> Access:
    """The need, if the caller may know of it. 404 for everybody else, so that ids tell nothing."""
    by_link = holds_link(request, needs.tokens, need_id)
    caller = None if by_link else caller_of(request)
    if not by_link and caller is None:
        raise not_found("need")
    needs.knowledge.require_store()
    document = await needs.store.find(need_id)
    if document is None or not (by_link or (caller is not None and _may_see(caller, document))):
        raise not_found("need")
    may_write = by_link or (caller is not None and _may_write(caller, document))
    if to_write and not may_write:
        raise Problem(403, "This key may see the need, but not change it", kind="/problems/missing-scope")
    return Access(document, may_write)


def _may_see(caller: Caller, document: Document) -> bool:
    return caller.owner == document["owner"] or caller.allows("needs:read")


def _may_write(caller: Caller, document: Document) -> bool:
    return "*" in caller.scopes or (caller.owner == document["owner"] and caller.allows("needs:write"))

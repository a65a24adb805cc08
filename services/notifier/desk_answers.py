"""The desk's forms about a need: take over, pass on, give, decide, undo, note, add by hand."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from services.notifier.actions import ABOUT_CANDIDATE, ABOUT_NEED, ASSIGN, Permit
from services.notifier.answers import Answers
from services.notifier.by_hand import TooMany, candidate_in, cleaned
from services.notifier.consultants import Consultant
from services.notifier.decisions import NotPossible
from services.notifier.desk_pages import Desk, Typed
from services.notifier.desk_routes import colleague_of, desk_router
from shared.events.feedback import Decision, DeclineReason
from shared.web.problems import Problem

UNDO, NOTE = "undo", "note"


class Invalid(Exception):  # noqa: N818 - what the form is
    """The form lacks something; the message is the key of the words that say what."""


@dataclass(frozen=True)
class Filled:
    """A form about a candidate, or with an empty `candidate_id` about the need."""

    action: str
    candidate_id: str = ""
    reason: str = ""
    note: str = ""
    to: str = ""
    shortlist_revision: int | None = None


@dataclass
class DeskAnswers:
    desk: Desk
    answers: Answers

    async def take(self, request: Request, me: Consultant, need_id: str, filled: Filled) -> Response:
        """Do what a form asks for, and lead back to where it stood; or show it again with what was wrong."""
        typed = Typed("", about=filled.candidate_id, note=filled.note, reason=filled.reason)
        try:
            did = await self._carry_out(me, need_id, filled)
        except Invalid as problem:
            return await self._again(request, me, need_id, typed, str(problem))
        except TooMany:
            return await self._again(request, me, need_id, typed, "too_many")
        except NotPossible as problem:
            return await self._again(request, me, need_id, typed, f"why_{problem.why.value}")
        return _back(need_id, did, filled.candidate_id)

    async def add(self, request: Request, me: Consultant, need_id: str, text: str) -> Response:
        typed = Typed("", about="add", candidate=text[:500])
        candidate_id = candidate_in(text)
        if candidate_id is None:
            return await self._again(request, me, need_id, typed, "add_bad")
        try:
            await self.answers.add_candidate(need_id, me, candidate_id)
        except TooMany:
            return await self._again(request, me, need_id, typed, "too_many")
        except NotPossible as problem:
            return await self._again(request, me, need_id, typed, f"why_{problem.why.value}")
        return _back(need_id, "added", candidate_id)

    async def _again(
        self, request: Request, me: Consultant, need_id: str, typed: Typed, problem: str
    ) -> Response:
        shown = Typed(problem, typed.about, typed.note, typed.reason, typed.candidate)
        return await self.desk.need(request, me, need_id, typed=shown)

    async def _carry_out(self, me: Consultant, need_id: str, filled: Filled) -> str:
        """What was done, as a key of the words that say so."""
        note, candidate_id = cleaned(filled.note), filled.candidate_id or None
        if filled.action == NOTE:
            if not note:
                raise Invalid("note_needed")
            await self.answers.note(need_id, me, note, candidate_id)
            return "noted"
        if filled.action == UNDO and candidate_id:
            await self.answers.undo(need_id, me, candidate_id, overrule=me.admin)
            return "undone"
        if filled.action == ASSIGN:
            return await self._give(me, need_id, filled.to)
        return await self._decide(me, need_id, filled, note)

    async def _decide(self, me: Consultant, need_id: str, filled: Filled, note: str) -> str:
        possible = ABOUT_CANDIDATE if filled.candidate_id else ABOUT_NEED
        decision = next((one for one in possible if one.value == filled.action), None)
        if decision is None:
            raise Invalid("decision_needed")
        reason = None
        if decision is Decision.DECLINED:
            if filled.reason not in set(DeclineReason):
                raise Invalid("reason_needed")
            reason = DeclineReason(filled.reason)
        permit = Permit(
            me.consultant_id,
            need_id,
            (filled.action,),
            filled.candidate_id or None,
            filled.shortlist_revision,
        )
        await self.answers.decide(permit, me, decision, reason, note=note, overrule=me.admin)
        return "decided" if filled.candidate_id else decision.value

    async def _give(self, me: Consultant, need_id: str, to: str) -> str:
        if not me.admin:
            raise Problem(403, "Only an administrator gives needs away", kind="/problems/not-yours")
        colleague = await self.desk.store.consultant(to)
        if colleague is None or not colleague.active:
            raise Invalid("act_consultant_needed")
        await self.answers.assign(Permit(me.consultant_id, need_id, (ASSIGN,)), colleague, overrule=True)
        return "given"


def _back(need_id: str, did: str, candidate_id: str) -> Response:
    at = f"#c-{candidate_id}" if candidate_id else ""
    return RedirectResponse(f"/desk/needs/{need_id}?{urlencode({'did': did})}{at}", 303)


def answer_routes(forms: DeskAnswers) -> APIRouter:
    router = desk_router(forms.desk.pages)
    colleague = colleague_of(forms.desk.store)

    @router.post("/desk/needs/{need_id}/decisions")
    async def decide(
        request: Request,
        need_id: str,
        action: Annotated[str, Form()] = "",
        candidate: Annotated[str, Form()] = "",
        reason: Annotated[str, Form()] = "",
        note: Annotated[str, Form()] = "",
        to: Annotated[str, Form()] = "",
        shortlist: Annotated[str, Form()] = "",
        me: Consultant = Depends(colleague),
    ) -> Response:
        revision = int(shortlist) if shortlist.isdecimal() and len(shortlist) < 19 else None
        filled = Filled(action, candidate, reason, note, to, revision)
        return await forms.take(request, me, need_id, filled)

    @router.post("/desk/needs/{need_id}/candidates")
    async def add(
        request: Request,
        need_id: str,
        candidate: Annotated[str, Form()] = "",
        me: Consultant = Depends(colleague),
    ) -> Response:
        return await forms.add(request, me, need_id, candidate)

    return router

"""What a signed-in consultant does with a candidate: reveal, correct, merge or tell apart."""

from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.intake.candidate_desk import PAGE, Consultant, Desk, to_record
from services.intake.correction_form import WrongValue, value_of
from services.intake.corrections import Corrections, NotCorrectable
from services.intake.domain.fields import Refusal
from services.intake.duplicates import NoSuchPair
from services.intake.needs import Changed
from services.intake.people_portal import Message
from services.intake.posted import read_form
from services.intake.record import line_of
from services.intake.reveals import NoOpenNeed
from shared.web.pages import locale_of


def candidate_action_routes(desk: Desk, corrections: Corrections) -> APIRouter:
    """Before the record's own route: /candidates/duplicates is no candidate."""
    router = desk.portal.router()

    @router.get("/candidates/duplicates")
    async def pairs(request: Request, consultant: Consultant) -> HTMLResponse:
        """Candidates who may be one person, two by two."""
        locale, lexicon = locale_of(request, consultant.locale), desk.portal.lexicon
        desk.portal.candidates.knowledge.require_store()
        found = [
            {
                "pair_id": pair["_id"],
                "why": pair["why"],
                "both": [line_of(each, lexicon, locale) for each in both],
            }
            for pair, *both in await desk.duplicates.listed(PAGE)
        ]
        return desk.portal.show("candidate_duplicates.html", locale, pairs=found)

    @router.post("/candidates/duplicates")
    async def decide(request: Request, consultant: Consultant) -> Response:
        """Merge a pair into the candidate in `keep`, or with none tell the two apart."""
        locale, fields = locale_of(request, consultant.locale), dict(await read_form(request))
        desk.portal.candidates.knowledge.require_store()
        pair_id, keep = fields.get("pair", "")[:200], fields.get("keep", "")
        try:
            if not keep:
                await desk.duplicates.tell_apart(pair_id, consultant.consultant_id)
                return RedirectResponse(f"/candidates/duplicates?lang={locale.value}", 303)
            kept = await desk.duplicates.merge(pair_id, keep, consultant.consultant_id)
        except NoSuchPair as error:
            raise Message("pair_gone", 409) from error
        except (Changed, Refusal) as error:
            raise Message("pair_changed", 409) from error
        return to_record(kept["_id"], "", locale, "")

    @router.post("/candidates/{candidate_id}/reveal")
    async def reveal(request: Request, candidate_id: str, consultant: Consultant) -> Response:
        """Show this person's name and contacts for the need that the form names; recorded."""
        locale = locale_of(request, consultant.locale)
        document, fields = await desk.find(candidate_id), dict(await read_form(request))
        try:
            need = await desk.reveals.reveal(document["_id"], fields.get("need", ""), consultant)
        except NoOpenNeed:
            return await desk.show(document, locale, consultant, "", status=422, wrong={"need": "wrong_need"})
        return to_record(document["_id"], need["_id"], locale, "#person")

    @router.post("/candidates/{candidate_id}/corrections")
    async def correct(request: Request, candidate_id: str, consultant: Consultant) -> Response:
        """Correct one thing, or with `undo` take a correction back."""
        locale = locale_of(request, consultant.locale)
        document, fields = await desk.find(candidate_id), dict(await read_form(request))
        need = fields.get("need", "")[:100]
        try:
            if fields.get("revision") != str(document["revision"]):
                raise Changed
            if undo := fields.get("undo"):
                await corrections.undo(document, undo, consultant.consultant_id)
                return to_record(document["_id"], need, locale, "#log")
            target, value = value_of(fields, desk.portal.lexicon)
            await corrections.correct(document, target, value, consultant.consultant_id)
        except Changed:
            now = await desk.find(candidate_id)
            return await desk.show(now, locale, consultant, need, status=409, notice="record_changed")
        except (WrongValue, NotCorrectable) as wrong:
            errors = {fields.get("target", "")[:100]: str(wrong)}
            return await desk.show(document, locale, consultant, need, status=422, wrong=errors, typed=fields)
        anchor = target.replace("skill:", "skill-") if fields.get("do") != "remove" else "skills"
        return to_record(document["_id"], need, locale, f"#{quote(anchor)}")

    return router

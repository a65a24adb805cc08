"""HTTP for a candidate's rights: the original file, the export of all that is held, erasure."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from services.intake.api import After, Limit
from services.intake.candidates_api import Writer, own_candidate
from services.intake.exports import export_of, record_views
from services.intake.files import MEDIA_TYPES
from services.intake.needs import Changed
from services.intake.rights import Rights
from services.intake.store import Document
from services.intake.views import erasure_view
from shared.web.problems import not_found


def rights_routes(rights: Rights) -> APIRouter:
    """Before the candidates' own routes, whose ids would take `exports`."""
    router = APIRouter(prefix="/api/candidates", tags=["candidates"])
    candidates = rights.candidates

    @router.get("/exports")
    async def exports(caller: Writer, limit: Limit = 50, after: After = None) -> dict[str, Any]:
        """Who was given the data of the caller's candidates, and when; newest first."""
        candidates.knowledge.require_store()
        condition = {} if "*" in caller.scopes else {"owner": caller.owner}
        records = await rights.store.exports(condition, after, limit)
        following = records[-1]["_id"] if len(records) == limit else None
        return {"items": record_views(records), "next": following}

    @router.get("/{candidate_id}/cv")
    async def cv(candidate_id: str, caller: Writer) -> Response:
        """The file as it was sent."""
        document = await own_candidate(candidates, candidate_id, caller)
        content = await candidates.files.content(document.get("file"))
        if content is None:
            raise not_found("file")
        return attachment(content, f"{candidate_id}", document["file"]["kind"])

    @router.get("/{candidate_id}/export")
    async def export(candidate_id: str, caller: Writer) -> Response:
        """All that is held of the candidate: a zip with JSON and the original file. It is recorded."""
        document = await own_candidate(candidates, candidate_id, caller)
        return await exported(rights, document, f"key:{caller.owner}")

    @router.delete("/{candidate_id}", status_code=202)
    async def erase(candidate_id: str, caller: Writer) -> Response:
        """Erase the candidate. 202 with a link that shows which services have confirmed."""
        while True:
            document = await own_candidate(candidates, candidate_id, caller)
            try:
                stub = await candidates.erase(document)
            except Changed:
                continue
            path = rights.erasure_path(candidate_id)
            answer = erasure_view(stub) | {"link": rights.settings.public_url + path}
            return JSONResponse(answer, 202, {"Location": path})

    return router


async def exported(rights: Rights, document: Document, by: str) -> Response:
    """The zip of all that is held; `by` is who gets it, and is recorded first."""
    await rights.store.note_export(document["_id"], document["owner"], by)
    packed = await export_of(document, rights.candidates.files, rights.store)
    return attachment(packed, f"candidate-{document['_id']}", "zip")


def attachment(content: bytes, name: str, kind: str) -> Response:
    """A download: never shown by the browser, whatever it holds."""
    ending = "txt" if kind == "text" else kind
    return Response(
        content,
        media_type=MEDIA_TYPES.get(kind, "application/zip"),
        headers={"Content-Disposition": f'attachment; filename="{name}.{ending}"'},
    )

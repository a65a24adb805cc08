"""`/docs`: what a service answers, as a plain page. No script, so the strict policy holds."""

from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse
from pydantic import BaseModel


def docs_routes(app: FastAPI) -> APIRouter:
    """A page that lists the operations of `app`, made from its OpenAPI document."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def docs() -> HTMLResponse:
        rows = "".join(
            f"<tr><td><code>{method.upper()} {escape(path)}</code></td>"
            f"<td>{escape(operation.get('description') or operation.get('summary') or '')}</td></tr>"
            for path, operations in app.openapi().get("paths", {}).items()
            for method, operation in operations.items()
        )
        return HTMLResponse(
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(app.title)}</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1"></head><body>'
            f"<h1>{escape(app.title)}</h1>"
            "<p>Errors are problem details (RFC 9457). Keys: <code>Authorization: Bearer &lt;key&gt;</code>. "
            'The same for machines: <a href="openapi.json">openapi.json</a>.</p>'
            f"<table><tr><th>Operation</th><th>What it does</th></tr>{rows}</table></body></html>"
        )

    return router


def json_body(model: type[BaseModel], media: str = "application/json") -> dict[str, Any]:
    """`openapi_extra` of a route that reads its body itself, so that the description shows its fields."""
    return {"requestBody": {"required": True, "content": {media: {"schema": schema_of(model)}}}}


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """A model's JSON schema in one piece: a reference to `$defs` would mean another place in OpenAPI."""
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})

    def whole(node: Any) -> Any:
        if isinstance(node, list):
            return [whole(one) for one in node]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        if reference is not None:
            return whole(parts[reference.rpartition("/")[2]]) | {
                name: whole(value) for name, value in node.items() if name != "$ref"
            }
        return {name: whole(value) for name, value in node.items()}

    made: dict[str, Any] = whole(schema)
    return made

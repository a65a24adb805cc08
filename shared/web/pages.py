"""Server-rendered pages: one layout, two languages, one stylesheet."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from fastapi.routing import APIRoute
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined

from shared.events.vocabulary import Locale
from shared.settings import Settings
from shared.web.problems import not_found

HERE = Path(__file__).parent
STYLESHEET = HERE / "style.css"


class Pages:
    """Renders a service's templates inside the shared layout.

    `words` are the service's texts: key -> {"fr": …, "en": …}; templates say `t("key", name=value)`.
    """

    def __init__(
        self, service: str, templates: Path, words: Mapping[str, Mapping[str, str]], settings: Settings
    ) -> None:
        self._words = {**LAYOUT_WORDS, **words}
        self._environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(templates), FileSystemLoader(HERE / "templates")]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {
            "agency": settings.agency_name,
            "agency_email": settings.agency_email,
            "agency_phone": settings.agency_phone,
            "privacy_url": settings.privacy_url,
            "stylesheet": ASSET_PATHS[service] + "/style.css",
            "assets": ASSET_PATHS[service],
        }

    def text(self, locale: Locale, key: str, **values: object) -> str:
        """A text of this service in `locale`. Raises KeyError for one that does not exist."""
        return self._words[key][locale.value].format(**values)

    def render(self, template: str, locale: Locale, *, status: int = 200, **values: Any) -> HTMLResponse:
        """`template` in `locale`. It sees `locale`, `t` and `values`."""

        def t(key: str, **arguments: object) -> str:
            return self.text(locale, key, **arguments)

        body = self._environment.get_template(template).render(locale=locale.value, t=t, **values)
        return HTMLResponse(body, status_code=status, headers={"Content-Language": locale.value})


ASSET_PATHS = {
    "catalog": "/roles/assets",
    "intake": "/needs/assets",
    "notifier": "/mail/assets",
}
"""Assets lie under each service's own prefix, since all answer under one origin."""


def asset_routes(service: str, folder: Path | None = None) -> APIRouter:
    """Serves the stylesheet, `live.js`, and the service's own files of `folder` (scripts)."""
    router = APIRouter(include_in_schema=False)
    files = {"style.css": STYLESHEET, "live.js": HERE / "live.js"}
    if folder is not None and folder.is_dir():
        files |= {path.name: path for path in folder.iterdir() if path.suffix in {".js", ".css", ".svg"}}

    @router.get(ASSET_PATHS[service] + "/{name}")
    async def asset(name: str) -> FileResponse:
        if name not in files:
            raise not_found("file")
        return FileResponse(files[name], headers={"Cache-Control": "public, max-age=3600"})

    return router


def locale_of(request: Request, default: Locale = Locale.FR) -> Locale:
    """`?lang=` where given, else the best of Accept-Language, else the default."""
    asked = request.query_params.get("lang")
    if asked in {"fr", "en"}:
        return Locale(asked)
    best, best_weight = default, 0.0
    for part in request.headers.get("accept-language", "").split(","):
        tag, _, weight_text = part.strip().partition(";q=")
        try:
            weight = float(weight_text) if weight_text else 1.0
        except ValueError:
            continue
        language = tag.split("-")[0].lower()
        if language in {"fr", "en"} and weight > best_weight:
            best, best_weight = Locale(language), weight
    return best


def page_router(page_of: Callable[[Locale, Exception], Response | None]) -> APIRouter:
    """A router whose errors are pages in the visitor's language, where `page_of` has one for them."""

    class PageRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
            handler = super().get_route_handler()

            async def with_pages(request: Request) -> Response:
                try:
                    return await handler(request)
                except Exception as error:
                    page = page_of(locale_of(request), error)
                    if page is None:
                        raise
                    return page

            return with_pages

    return APIRouter(include_in_schema=False, route_class=PageRoute)


LAYOUT_WORDS: dict[str, dict[str, str]] = {
    "skip": {"fr": "Aller au contenu", "en": "Skip to content"},
    "roles": {"fr": "Métiers", "en": "Roles"},
    "post_need": {"fr": "Décrire un besoin", "en": "Describe a need"},
    "menu": {"fr": "Menu principal", "en": "Main menu"},
    "contact": {"fr": "Nous joindre :", "en": "Reach us:"},
    "privacy": {"fr": "Données personnelles", "en": "Privacy"},
    "register": {"fr": "S’inscrire comme candidat", "en": "Register as a candidate"},
}

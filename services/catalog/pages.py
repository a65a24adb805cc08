"""The agency's shop window: the list, a page for each role in two languages, what search engines read."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.catalog.graph import career_graph
from services.catalog.listing import LISTS, SUGGESTIONS, families, query_string, suggested
from services.catalog.occupation import occupation
from services.catalog.privacy import privacy
from services.catalog.search import LONGEST_QUERY
from services.catalog.settings import CatalogSettings
from services.catalog.typography import unbroken
from services.catalog.view import Shown, View
from services.catalog.words import CATEGORIES, FAMILIES, WORDS, name_of
from shared.events.role import Role
from shared.events.vocabulary import Locale
from shared.links import need_form_path, role_path
from shared.settings import Settings
from shared.taxonomy import loose
from shared.web.pages import Pages, locale_of

HERE = Path(__file__).parent
PRIVACY = {Locale.FR: "/fr/metiers/donnees-personnelles", Locale.EN: "/roles/privacy"}
"""The layout's footer links there, from every service's pages."""
FRESH = {"Cache-Control": "public, max-age=60"}
_OTHER_NAMES = 5


class RolePages:
    """Renders the pages from what the view shows."""

    def __init__(self, shared: Settings, settings: CatalogSettings) -> None:
        self._base = shared.public_url.rstrip("/")
        self._privacy_url = shared.privacy_url
        self._kept = {
            "agency": shared.agency_name,
            "candidate_months": settings.privacy_candidate_months,
            "need_months": settings.privacy_need_months,
        }
        self._privacy = privacy()
        self._pages = Pages("catalog", HERE / "templates", WORDS, shared)
        self._rendered: dict[tuple[str, Locale], bytes] = {}
        self._rendered_of = ""

    def _render(self, template: str, locale: Locale, *, status: int = 200, **values: Any) -> HTMLResponse:
        page = self._pages.render(template, locale, status=status, **values)
        if locale is Locale.EN:
            return page
        return HTMLResponse(unbroken(bytes(page.body).decode()), status, {"Content-Language": locale.value})

    def list_page(self, shown: Shown, locale: Locale, query: str, family: str) -> HTMLResponse:
        found = shown.find_roles(query) if query else sorted(shown.roles.values(), key=_by_title(locale))
        family = family if any(role.family == family for role in shown.roles.values()) else ""
        kept = [role for role in found if not family or role.family == family]
        asked = query_string(query, family)
        page = self._render(
            "roles.html",
            locale,
            roles=[self._card(role, locale) for role in kept],
            query=query,
            family=family,
            families=families(found, query, family, locale),
            suggested=[self._card(role, locale) for role in suggested(shown, query, kept)],
            elsewhere=len(found) if family and not kept else 0,
            indexed=not asked,
            **self._addresses(LISTS, locale, asked),
        )
        page.headers.update(FRESH)
        return page

    def privacy_page(self, locale: Locale) -> Response:
        """The agency's own page where it has one."""
        if self._privacy_url:
            return RedirectResponse(self._privacy_url, 302)
        page = self._render(
            "privacy.html",
            locale,
            text=lambda text: text.in_(locale).format(**self._kept),
            privacy=self._privacy,
            **self._addresses(PRIVACY, locale),
        )
        page.headers.update(FRESH)
        return page

    def role_page(self, shown: Shown, role: Role, locale: Locale) -> HTMLResponse:
        """A sheet's page: a function of the catalogue's version alone, so rendered once for each."""
        if self._rendered_of != shown.version:
            self._rendered_of, self._rendered = shown.version, {}
        body = self._rendered.get((role.role_id, locale))
        if body is None:
            body = bytes(self._new_role_page(shown, role, locale).body)
            self._rendered[role.role_id, locale] = body
        return HTMLResponse(body, headers={"Content-Language": locale.value, **FRESH})

    def _new_role_page(self, shown: Shown, role: Role, locale: Locale) -> HTMLResponse:
        paths = {each: role_path(getattr(role.slug, each.value), each) for each in Locale}
        addresses = self._addresses(paths, locale)
        hrefs = {key: _path(other, locale) for key, other in shown.roles.items()}
        return self._render(
            "role.html",
            locale,
            role=role,
            title=role.title.in_(locale),
            aliases=_other_names(role, locale),
            summary=_lead_and_rest(role.summary.in_(locale)),
            family=(role.family, name_of(FAMILIES, role.family, locale)),
            contacts=self._cards(shown, role.contacts, locale),
            related=self._cards(shown, [other.role for other in role.related], locale),
            skills=_skills(shown, role, locale),
            graph=career_graph(role, shown.roles, locale, hrefs),
            steps=_steps(shown, role, locale),
            occupation=occupation(role, shown.skills, locale, addresses["canonical"]),
            form=need_form_path(role.role_id, locale),
            **addresses,
        )

    def missing_page(self, shown: Shown | None, locale: Locale, path: str) -> HTMLResponse:
        """404 with a search and what the address comes near to."""
        words = path.rstrip("/").rpartition("/")[2].replace("-", " ")[:LONGEST_QUERY]
        close = shown.find_roles(words)[:SUGGESTIONS] if shown is not None else []
        return self._render(
            "missing.html",
            locale,
            status=404,
            query=words,
            roles=[self._card(role, locale) for role in close],
            **self._addresses(LISTS, locale),
        )

    def sitemap(self, shown: Shown) -> Response:
        """sitemaps.org 0.9, with each page's other language as Google's hreflang extension has it."""
        pages: list[dict[str, Any]] = [{"paths": LISTS, "changed": None}]
        if not self._privacy_url:
            pages.append({"paths": PRIVACY, "changed": None})
        for role in sorted(shown.roles.values(), key=lambda role: role.role_id):
            paths = {each: role_path(getattr(role.slug, each.value), each) for each in Locale}
            pages.append({"paths": paths, "changed": role.occurred_at.astimezone(UTC).date().isoformat()})
        rendered = self._render("sitemap.xml", Locale.FR, base=self._base, pages=pages)
        return Response(rendered.body, media_type="application/xml", headers=FRESH)

    def robots(self) -> Response:
        closed = ("/api/", "/desk", "/mail", "/candidates/", "/needs/")
        lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed), "Allow: /"]
        return Response(
            "\n".join([*lines, "", f"Sitemap: {self._base}/sitemap.xml", ""]),
            media_type="text/plain",
            headers=FRESH,
        )

    def _addresses(self, paths: dict[Locale, str], locale: Locale, asked: str = "") -> dict[str, Any]:
        other = Locale.EN if locale is Locale.FR else Locale.FR
        return {
            "canonical": self._base + paths[locale],
            "alternates": [(each.value, self._base + path) for each, path in paths.items()],
            "default": self._base + paths[Locale.EN],
            "other_locale": other.value,
            "other_path": paths[other] + asked,
            "list_path": LISTS[locale],
        }

    def _cards(self, shown: Shown, role_ids: Sequence[str], locale: Locale) -> list[dict[str, str]]:
        return [self._card(shown.roles[key], locale) for key in role_ids if key in shown.roles]

    def _card(self, role: Role, locale: Locale) -> dict[str, str]:
        return {
            "href": _path(role, locale),
            "title": role.title.in_(locale),
            "family": name_of(FAMILIES, role.family, locale),
            "text": _lead_and_rest(role.summary.in_(locale))[0],
        }


def router(view: View, pages: RolePages, limited: Callable[[Request], None]) -> APIRouter:
    routes = APIRouter(include_in_schema=False, dependencies=[Depends(limited)])

    @routes.get("/")
    async def home(request: Request) -> Response:
        return RedirectResponse(LISTS[locale_of(request)], 302, headers={"Vary": "Accept-Language"})

    @routes.get("/fr")
    async def french_home() -> Response:
        return RedirectResponse(LISTS[Locale.FR], 301)

    @routes.get("/robots.txt")
    async def robots() -> Response:
        return pages.robots()

    @routes.get("/sitemap.xml")
    async def sitemap() -> Response:
        return pages.sitemap(await view.shown())

    for locale, path in LISTS.items():
        _add_language(routes, view, pages, locale, path)
    return routes


def _add_language(routes: APIRouter, view: View, pages: RolePages, locale: Locale, path: str) -> None:
    @routes.get(path, name=f"roles_{locale.value}")
    async def roles(q: str = "", family: str = "") -> Response:
        query = " ".join(q[:LONGEST_QUERY].split())
        return pages.list_page(await view.shown(), locale, query, family[:80])

    # Before the sheets: one of them would take the address.
    @routes.get(PRIVACY[locale], name=f"privacy_{locale.value}")
    async def privacy_text() -> Response:
        return pages.privacy_page(locale)

    @routes.get(path + "/{slug}", name=f"role_{locale.value}")
    async def role(slug: str, request: Request) -> Response:
        shown = await view.shown()
        if found := shown.by_slug.get((locale, slug)):
            return pages.role_page(shown, found, locale)
        # An id, or the other language's address, still says which role is meant.
        other = shown.roles.get(slug) or next(
            (shown.by_slug[each, slug] for each in Locale if (each, slug) in shown.by_slug), None
        )
        if other is not None:
            return RedirectResponse(_path(other, locale), 301)
        return pages.missing_page(shown, locale, request.url.path)


def _path(role: Role, locale: Locale) -> str:
    return quote(role_path(getattr(role.slug, locale.value), locale))


def _by_title(locale: Locale) -> Callable[[Role], str]:
    return lambda role: role.title.in_(locale).casefold().lstrip(".")


def _skills(shown: Shown, role: Role, locale: Locale) -> list[tuple[str, list[tuple[str, int]]]]:
    """(category, [(label, level)]) in the order of CATEGORIES, the highest level first."""
    groups: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for asked in role.skills:
        if (skill := shown.skills.get(asked.skill)) is not None:
            groups[skill.category].append((skill.label.in_(locale), asked.level))
    order = [*CATEGORIES, *sorted(groups.keys() - CATEGORIES.keys())]
    return [
        (name_of(CATEGORIES, category, locale), sorted(groups[category], key=lambda each: -each[1]))
        for category in order
        if category in groups
    ]


def _steps(shown: Shown, role: Role, locale: Locale) -> list[dict[str, Any]]:
    return [
        {
            "path": step.path.value,
            "href": _path(shown.roles[step.role], locale),
            "title": shown.roles[step.role].title.in_(locale),
            "text": step.text.in_(locale),
        }
        for step in role.career
        if step.role in shown.roles
    ]


def _other_names(role: Role, locale: Locale) -> list[str]:
    """A few other titles; those that are the title again in another spelling say nothing to a reader."""
    said, names = {_spelt(role.title.in_(locale))}, []
    for name in getattr(role.aliases, locale.value):
        if _spelt(name) not in said:
            said.add(_spelt(name))
            names.append(name)
    return names[:_OTHER_NAMES]


def _spelt(name: str) -> str:
    return loose(name).replace(" ", "")


def _lead_and_rest(text: str) -> tuple[str, str]:
    """The first sentence, and the others."""
    first, end, rest = text.partition(". ")
    return first + end.strip(), rest

"""The curators' page: terms to decide on, and who changed what. Works without JavaScript.

There are no accounts here: who pastes an API key with `roles:write` gets a session of an hour at most, in a
cookie that only this page's addresses see. It carries the key's own id, so that revoking the key ends it too.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.catalog.api import WRITE
from services.catalog.curation import Curation, Decision
from services.catalog.curation_words import CURATION_WORDS
from services.catalog.pages import HERE
from services.catalog.store import KINDS, Store
from services.catalog.terms import State
from services.catalog.view import Shown
from services.catalog.words import CATEGORIES, name_of
from shared.events.vocabulary import Locale, SkillKind
from shared.outage import is_outage
from shared.outbox import Document
from shared.settings import Settings
from shared.tokens import BadToken, Claims, Tokens
from shared.web.access import KEY_PURPOSE
from shared.web.pages import Pages, locale_of
from shared.web.problems import RETRY_AFTER_SECONDS, Problem
from shared.web.session import same_origin

PATH = "/roles/unmapped"
COOKIE = "catalog_curator"
SESSION_PURPOSE = "catalog-curator"
SESSION = timedelta(hours=1)
_TERMS = 25
_CHANGES = 20


class CurationPages:
    """Renders the page and keeps the session."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pages = Pages("catalog", HERE / "templates", CURATION_WORDS, settings)

    def text(self, locale: Locale, key: str, **values: object) -> str:
        return self._pages.text(locale, key, **values)

    def sign_in(self, locale: Locale, status: int, notice: str | None = None) -> HTMLResponse:
        """The form that asks for a key. It leaves the cookie alone: links from elsewhere come without it."""
        return self._render("curation_sign_in.html", locale, status, notice=notice)

    def away(self, locale: Locale) -> HTMLResponse:
        page = self.sign_in(locale, 503, "away")
        page.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return page

    def start(self, tokens: Tokens, key: str, locale: Locale) -> Response | None:
        """A redirect with the session's cookie, None where the key is not one of a curator."""
        try:
            claims = tokens.verify(key.strip(), KEY_PURPOSE)
        except BadToken:
            return None
        if not claims.allows(WRITE):
            return None
        lifetime = min(SESSION, claims.expires_at - datetime.now(UTC))
        session = tokens.issue(
            SESSION_PURPOSE, claims.subject, lifetime=lifetime, scopes=[WRITE], token_id=claims.token_id
        )
        answer = RedirectResponse(f"{PATH}?lang={locale}", 303)
        answer.set_cookie(
            COOKIE,
            session,
            max_age=int(lifetime.total_seconds()),
            path=PATH,
            secure=self._settings.public_url.startswith("https:"),
            httponly=True,
            samesite="strict",
        )
        return answer

    async def page(
        self,
        curation: Curation,
        store: Store,
        claims: Claims,
        request: Request,
        *,
        status: int = 200,
        refused: tuple[str, list[str]] | None = None,
    ) -> HTMLResponse:
        """The terms, and the latest changes or those of one role or skill (`?of=skill/python`)."""
        locale, asked = locale_of(request), request.query_params
        shown = await curation.view.shown()
        await curation.close_known()
        found = await curation.terms.page(State.OPEN, _TERMS + 1, _place(asked.get("after", "")))
        documents = found[:_TERMS]
        kind, _, key = asked.get("of", "").partition("/")
        one = next((each for each in KINDS if each.name == kind), None)
        changes = await store.history(one, key) if one and key else await store.latest_changes(_CHANGES)
        last = documents[-1] if len(found) > _TERMS else None
        return self._render(
            "unmapped.html",
            locale,
            status,
            owner=claims.subject,
            terms=[await self._term(curation, each, locale) for each in documents],
            count=await curation.terms.count_open(),
            more=f"{PATH}?" + urlencode({"lang": locale.value, "after": f"{last['seen']}:{last['_id']}"})
            if last
            else None,
            done=await self._done(curation, shown, asked.get("done"), locale),
            refused=refused,
            categories=[(slug, name_of(CATEGORIES, slug, locale)) for slug in CATEGORIES],
            kinds=[each.value for each in SkillKind],
            changes=[_change(line, detailed=bool(one and key)) for line in changes],
            of=f"{kind}/{key}" if one and key else None,
        )

    async def _term(self, curation: Curation, document: Document, locale: Locale) -> dict[str, Any]:
        term = document["_id"]
        return {
            "term": term,
            "seen": document["seen"],
            "first": document["first_seen_at"].date().isoformat(),
            "last": document["last_seen_at"].date().isoformat(),
            "suggestions": [
                (skill.skill_id, skill.label.in_(locale)) for skill in await curation.suggestions(term)
            ],
        }

    async def _done(self, curation: Curation, shown: Shown, term: str | None, locale: Locale) -> str | None:
        """What was decided of the term last sent, as it stands."""
        document = await curation.terms.find(term) if term else None
        if document is None or document["state"] == State.OPEN:
            return None
        skill = shown.skills.get(document.get("skill") or "")
        label = skill.label.in_(locale) if skill else document.get("skill")
        return self.text(locale, f"as_{document['state']}", term=document["_id"], skill=label)

    def _render(self, template: str, locale: Locale, status: int, **values: Any) -> HTMLResponse:
        other = Locale.EN if locale is Locale.FR else Locale.FR
        values |= {"path": PATH, "other_locale": other.value}
        return self._pages.render(template, locale, status=status, **values)


def router(
    curation: Curation, store: Store, pages: CurationPages, limited: Callable[[Request], None]
) -> APIRouter:
    routes = APIRouter(include_in_schema=False, dependencies=[Depends(limited)])

    @routes.get(PATH)
    async def unmapped(request: Request) -> Response:
        locale = locale_of(request)
        if (claims := _session(request)) is None:
            return pages.sign_in(locale, 200)
        try:
            return await pages.page(curation, store, claims, request)
        except Exception as error:
            if not is_outage(error):
                raise
            return pages.away(locale)

    @routes.post(f"{PATH}/session")
    async def session(request: Request) -> Response:
        locale = locale_of(request)
        if not same_origin(request):
            return pages.sign_in(locale, 403, "cross_site")
        form = await _form(request)
        if form.get("leave"):
            left = RedirectResponse(f"{PATH}?lang={locale}", 303)
            left.delete_cookie(COOKIE, path=PATH)
            return left
        tokens: Tokens = request.app.state.service.tokens
        return pages.start(tokens, form.get("key", ""), locale) or pages.sign_in(locale, 403, "bad_key")

    @routes.post(PATH)
    async def decide(request: Request) -> Response:
        locale = locale_of(request)
        if not same_origin(request):
            return pages.sign_in(locale, 403, "cross_site")
        if (claims := _session(request)) is None:
            return pages.sign_in(locale, 403, "signed_out")
        form = await _form(request)
        term = form.get("term", "")
        try:
            problem = await _carry_out(curation, pages, form, f"key:{claims.subject}", locale)
            if problem is not None:
                return await pages.page(
                    curation, store, claims, request, status=problem[0], refused=(term, problem[1])
                )
        except Exception as error:
            if not is_outage(error):
                raise
            return pages.away(locale)
        return RedirectResponse(f"{PATH}?" + urlencode({"lang": locale.value, "done": term}), 303)

    return routes


async def _carry_out(
    curation: Curation, pages: CurationPages, form: dict[str, str], by: str, locale: Locale
) -> tuple[int, list[str]] | None:
    """Do what the form asks; (status, what is wrong) where that is refused."""
    if form.get("action") == "alias":
        name = form.get("skill", "").strip()[:120]
        resolved = (await curation.view.shown()).taxonomy.resolve(name)
        if resolved is None:
            return 422, [pages.text(locale, "unknown_skill", name=name)]
        decision = Decision(alias_of=resolved)
    elif form.get("action") == "skill":
        label = {each: " ".join(form.get(f"label_{each}", "").split()) for each in ("fr", "en")}
        fields = {name: form.get(name, "") for name in ("category", "kind")}
        decision = Decision(new_skill={"label": dict(label), **fields})
    elif form.get("action") == "ignore":
        decision = Decision(ignore=True)
    else:
        return 422, []
    try:
        await curation.decide(form.get("term", ""), decision, by)
    except Problem as problem:
        errors = problem.body.get("errors", [])
        return problem.status, [f"{each['pointer']}: {each['detail']}" for each in errors] or [str(problem)]
    return None


def _session(request: Request) -> Claims | None:
    tokens: Tokens = request.app.state.service.tokens
    try:
        claims = tokens.verify(request.cookies.get(COOKIE, ""), SESSION_PURPOSE)
    except BadToken:
        return None
    return claims if claims.allows(WRITE) else None


async def _form(request: Request) -> dict[str, str]:
    body = (await request.body()).decode("utf-8", "replace")
    return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=50))


def _place(after: str) -> tuple[int, str] | None:
    seen, colon, term = after.partition(":")
    readable = colon and seen.isascii() and seen.isdigit() and len(seen) <= 15
    return (int(seen), term) if readable else None


def _change(line: Document, *, detailed: bool) -> dict[str, Any]:
    """A line of the history; in detail with what the changed fields said before."""
    before = line["before"] or {}
    said = {name: before[name] for name in line["fields"] if name in before} if detailed else {}
    return {
        "at": f"{line['at']:%Y-%m-%d %H:%M}",
        "by": line["by"],
        "action": line["action"],
        "of": f"{line['kind']}/{line['key']}",
        "fields": line["fields"],
        "before": [(name, json.dumps(value, ensure_ascii=False)) for name, value in said.items()],
    }

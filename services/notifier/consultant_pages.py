"""/desk/consultants for administrators, /desk/me for everybody."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from services.notifier.consultant_forms import (
    TIME_ZONES,
    BadForm,
    Form,
    as_fields,
    own_settings,
    shown,
    typed_form,
)
from services.notifier.consultants import Consultant
from services.notifier.desk_pages import Desk, did
from services.notifier.desk_routes import colleague_of, desk_router
from services.notifier.sign_in import session_for
from services.notifier.staff import LastAdmin, Staff, fields_of
from services.notifier.store import EmailTaken
from shared.settings import Settings
from shared.tokens import Tokens
from shared.web.problems import not_found
from shared.web.session import start_session

PEOPLE, ME = "/desk/consultants", "/desk/me"


@dataclass
class ConsultantPages:
    desk: Desk
    staff: Staff
    tokens: Tokens
    settings: Settings

    @property
    def families(self) -> list[str]:
        return sorted({role.family for role in self.desk.catalogue.roles.values()})

    async def everybody(self, request: Request, me: Consultant) -> Response:
        people = sorted(
            await self.staff.store.consultants(), key=lambda one: (not one.active, one.name.casefold())
        )
        needs = await self.staff.store.open_needs()
        return self.desk.page(
            request,
            "desk_consultants.html",
            me,
            people=people,
            needs=needs,
            did=did(request),
            section="consultants",
        )

    async def one(self, request: Request, me: Consultant, consultant_id: str) -> Response:
        who = await self._existing(consultant_id)
        return self._form(request, me, who, shown(who, self.families), revision=who.revision)

    def new(self, request: Request, me: Consultant) -> Response:
        return self._form(request, me, None, shown(None, self.families))

    async def add(self, request: Request, me: Consultant) -> Response:
        form = typed_form(await request.form(), self.families)
        try:
            await self.staff.store.add_consultant(as_fields(form))
        except BadForm as problem:
            return self._form(request, me, None, form, errors=problem.words)
        except EmailTaken:
            return self._form(request, me, None, form, errors={"email": "person_email_taken"})
        return _saved(PEOPLE)

    async def change(self, request: Request, me: Consultant, consultant_id: str) -> Response:
        typed = await request.form()
        form, who = typed_form(typed, self.families), await self._existing(consultant_id)
        # Saved over what was read: whoever changed it since is not overwritten unseen.
        if str(typed.get("revision", "")) != str(who.revision):
            return self._form(request, me, who, form, problem="person_changed", revision=who.revision)
        return await self._save(request, me, who, form, PEOPLE)

    async def activate(
        self, request: Request, me: Consultant, consultant_id: str, *, active: bool
    ) -> Response:
        who = await self._existing(consultant_id)
        try:
            await self.staff.keep_an_admin(who, admin=who.admin and active)
        except LastAdmin:
            form = shown(who, self.families)
            return self._form(request, me, who, form, problem="person_last_admin", revision=who.revision)
        await self.staff.change(who, fields_of(who), active=active)
        return _saved(PEOPLE)

    def my_settings(self, request: Request, me: Consultant) -> Response:
        return self._form(request, me, me, shown(me, self.families), own=True, revision=me.revision)

    async def change_mine(self, request: Request, me: Consultant) -> Response:
        form = typed_form(await request.form(), self.families)
        return await self._save(request, me, me, own_settings(form, me, self.families), ME)

    async def _save(
        self, request: Request, me: Consultant, who: Consultant, form: Form, back: str
    ) -> Response:
        own = back == ME
        errors: Mapping[str, str] = {}
        problem = ""
        try:
            await self.staff.keep_an_admin(who, admin=form["admin"])
            after = await self.staff.change(who, as_fields(form), active=who.active)
            if after is not None:
                return self._done(me, after, back)
            problem = "person_changed"
        except BadForm as bad:
            errors = bad.words
        except EmailTaken:
            errors = {"email": "person_email_taken"}
        except LastAdmin:
            problem = "person_last_admin"
        newest = await self._existing(who.consultant_id)
        return self._form(
            request, me, who, form, own=own, errors=errors, problem=problem, revision=newest.revision
        )

    def _done(self, me: Consultant, after: Consultant, back: str) -> Response:
        answer = _saved(back)
        if after.consultant_id == me.consultant_id:
            # The other services know language and rights from the session alone.
            start_session(answer, session_for(after), self.tokens, self.settings)
        return answer

    async def _existing(self, consultant_id: str) -> Consultant:
        found = await self.staff.store.consultant(consultant_id)
        if found is None:
            raise not_found("consultant")
        return found

    def _form(
        self,
        request: Request,
        me: Consultant,
        who: Consultant | None,
        form: Form,
        *,
        own: bool = False,
        errors: Mapping[str, str] | None = None,
        problem: str = "",
        revision: int = 0,
    ) -> Response:
        words = {name: self.desk.pages.text(me.locale, key) for name, key in (errors or {}).items()}
        return self.desk.page(
            request,
            "desk_consultant.html",
            me,
            status=422 if errors else 409 if problem else 200,
            who=who,
            form=form,
            own=own,
            errors=words,
            problem=problem,
            revision=revision,
            families=self.families,
            zones=TIME_ZONES,
            did=did(request),
            section="me" if own else "consultants",
        )


def _saved(back: str) -> Response:
    return RedirectResponse(f"{back}?did=saved", 303)


def consultant_routes(people: ConsultantPages) -> APIRouter:
    router = desk_router(people.desk.pages)
    colleague = colleague_of(people.desk.store)
    admin = colleague_of(people.desk.store, admin=True)

    @router.get(PEOPLE)
    async def everybody(request: Request, me: Consultant = Depends(admin)) -> Response:
        return await people.everybody(request, me)

    @router.post(PEOPLE)
    async def add(request: Request, me: Consultant = Depends(admin)) -> Response:
        return await people.add(request, me)

    @router.get(PEOPLE + "/new")
    async def new(request: Request, me: Consultant = Depends(admin)) -> Response:
        return people.new(request, me)

    @router.get(PEOPLE + "/{consultant_id}")
    async def one(request: Request, consultant_id: str, me: Consultant = Depends(admin)) -> Response:
        return await people.one(request, me, consultant_id)

    @router.post(PEOPLE + "/{consultant_id}")
    async def change(request: Request, consultant_id: str, me: Consultant = Depends(admin)) -> Response:
        return await people.change(request, me, consultant_id)

    @router.post(PEOPLE + "/{consultant_id}/deactivate")
    async def deactivate(request: Request, consultant_id: str, me: Consultant = Depends(admin)) -> Response:
        return await people.activate(request, me, consultant_id, active=False)

    @router.post(PEOPLE + "/{consultant_id}/activate")
    async def activate(request: Request, consultant_id: str, me: Consultant = Depends(admin)) -> Response:
        return await people.activate(request, me, consultant_id, active=True)

    @router.get(ME)
    async def my_settings(request: Request, me: Consultant = Depends(colleague)) -> Response:
        return people.my_settings(request, me)

    @router.post(ME)
    async def change_mine(request: Request, me: Consultant = Depends(colleague)) -> Response:
        return await people.change_mine(request, me)

    return router

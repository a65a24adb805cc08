"""How the forms of registering candidates are shown, and where on them each error stands."""

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from services.intake.domain.fields import Refusal
from services.intake.people_portal import PeoplePortal
from services.intake.person_form import LANGUAGE_ROWS, PersonForm, field_of
from services.intake.portal import same_origin
from services.intake.reading.found import Unreadable
from services.intake.record import review_of
from services.intake.registration import Registrations
from services.intake.spam import FormGuard
from shared.events.vocabulary import Locale
from shared.web.problems import RETRY_AFTER_SECONDS, Problem


class Forms:
    def __init__(self, portal: PeoplePortal, registrations: Registrations, guard: FormGuard) -> None:
        self.portal, self.registrations, self.guard = portal, registrations, guard

    def form(self, form: PersonForm, locale: Locale, *, status: int = 200, notice: str = "") -> HTMLResponse:
        page = self.portal.show(
            "register_form.html", locale, status=status, form=form, notice=notice,
            shown=self.guard.stamp(), language_rows=range(1, LANGUAGE_ROWS + 1),
            months=self.registrations.consent_months, until=self.registrations.consent_until(),
        )  # fmt: skip
        if status == 503:
            page.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return page

    def review(
        self, document: dict[str, Any], locale: Locale, *, status: int = 200, wrong: str = ""
    ) -> HTMLResponse:
        return self.portal.show(
            "register_review.html", locale, status=status, wrong=wrong,
            review=review_of(document, self.portal.lexicon, locale),
            action=self.registrations.review_path(document, locale),
            switch={other: self.registrations.review_path(document, Locale(other)) for other in ("fr", "en")},
            **self.portal.names(locale),
        )  # fmt: skip

    def confirm(self, document: dict[str, Any], known: bool, locale: Locale, token: str) -> HTMLResponse:
        return self.portal.show(
            "register_confirm.html", locale, known=known, token=token,
            review=review_of(document, self.portal.lexicon, locale),
            months=self.registrations.consent_months, until=self.registrations.consent_until(),
        )  # fmt: skip

    def profile(
        self,
        document: dict[str, Any],
        form: PersonForm,
        locale: Locale,
        query: Any,
        *,
        status: int = 200,
        notice: str = "",
    ) -> HTMLResponse:
        basis = (document["given"] or {}).get("basis") or {}
        return self.portal.show(
            "register_profile.html", locale, status=status, form=form, notice=notice,
            did=query.get("did", ""), token=query.get("t", ""), listed=document["listed"],
            language_rows=range(1, LANGUAGE_ROWS + 1), months=self.registrations.consent_months,
            basis_until=basis.get("until"), has_file=bool(document.get("file")),
            review=review_of(document, self.portal.lexicon, locale), **self.portal.names(locale),
        )  # fmt: skip


def own_form(portal: PeoplePortal, request: Request) -> None:
    if not same_origin(request, portal.settings):
        raise Problem(403, "This form was not sent from a page of this site")


def note_fields(form: PersonForm, errors: list[tuple[str, str]]) -> None:
    for pointer, _detail in errors:
        name = field_of(pointer)
        form.errors.setdefault(name, f"wrong_{name.rstrip('_0123456789')}")


def note_refusal(form: PersonForm, refusal: Refusal, locale: Locale) -> None:
    if isinstance(refusal, Unreadable):
        form.errors["cv"] = refusal.fr if locale is Locale.FR else refusal.en
        return
    for pointer, _detail in refusal.errors:
        # Neither skills nor a CV: the page says so at the file.
        name = "cv" if pointer == "/skills" else field_of(pointer)
        form.errors.setdefault(
            name, "wrong_nothing" if name == "cv" else f"wrong_{name.rstrip('_0123456789')}"
        )

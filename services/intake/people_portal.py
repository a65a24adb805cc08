"""What the pages about candidates share: their words, refusals as pages, and the forms' labels."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml
from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from services.intake.candidates import Candidates
from services.intake.domain.codes import PLACES
from services.intake.domain.fields import Refusal
from services.intake.domain.lexicon import Lexicon
from services.intake.form import CHOICES, role_choices
from services.intake.needs import Changed
from services.intake.posted import FormTooLarge
from services.intake.words import words
from shared.events.vocabulary import Locale
from shared.outage import is_outage
from shared.settings import Settings
from shared.web.pages import Pages, page_router
from shared.web.problems import RETRY_AFTER_SECONDS, Problem

_HERE = Path(__file__).parent


class Message(Exception):  # noqa: N818 - what is answered
    """The answer is a page with a message: `key` names its words."""

    def __init__(self, key: str, status: int) -> None:
        super().__init__(key)
        self.key, self.status = key, status


@cache
def people_words() -> dict[str, dict[str, str]]:
    """The texts of the pages about candidates, beside those about needs."""
    own: dict[str, dict[str, str]] = yaml.safe_load((_HERE / "words_people.yaml").read_text("utf-8"))
    return words() | own


class PeoplePortal:
    def __init__(self, candidates: Candidates, settings: Settings) -> None:
        self.candidates = candidates
        self.settings = settings
        self.pages = Pages("intake", _HERE / "templates", people_words(), settings)

    @property
    def lexicon(self) -> Lexicon:
        return self.candidates.knowledge.lexicon

    def router(self) -> APIRouter:
        """A router whose refusals and outages are pages, in the visitor's language."""
        return page_router(self._refused)

    def show(self, template: str, locale: Locale, *, status: int = 200, **values: Any) -> HTMLResponse:
        return self.pages.render(
            template,
            locale,
            status=status,
            choices=CHOICES,
            places=list(PLACES.items()),
            shown_at=shown_at,
            shown_day=partial(shown_day, locale=locale),
            spell_years=partial(self._years, locale=locale),
            place_name=partial(self._place, locale=locale),
            **values,
        )

    def names(self, locale: Locale) -> dict[str, Any]:
        """What the forms offer of the catalogue."""
        labels = {skill.label.in_(locale) for skill in self.lexicon.taxonomy.skills.values()}
        return {
            "roles": role_choices(self.lexicon, locale),
            "labels": sorted(labels, key=str.casefold),
        }

    def message(self, locale: Locale, key: str, status: int = 200, **values: Any) -> HTMLResponse:
        return self.show("candidate_message.html", locale, status=status, key=key, values=values)

    def _years(self, years: float, locale: Locale) -> str:
        """`1 year`, `5.5 years`; in French the plural begins at two."""
        single = years < 2 if locale is Locale.FR else years == 1
        number = f"{round(years, 1):g}".replace(".", "," if locale is Locale.FR else ".")
        return self.text(locale, "year_one" if single else "years_many", years=number)

    def _place(self, code: str, locale: Locale) -> str:
        """A region's or country's name, the code where the forms do not offer it."""
        country = code.partition("-")[0]
        if code in PLACES:
            return self.text(locale, f"country_{code}")
        return PLACES.get(country, {}).get(code, code)

    def text(self, locale: Locale, key: str, **values: object) -> str:
        return self.pages.text(locale, key, **values)

    def _refused(self, locale: Locale, error: Exception) -> HTMLResponse | None:
        """The page for an error, None for one that is not a visitor's affair."""
        said = _said(error)
        if said is None:
            return None
        key, status, headers = said
        page = self.message(locale, key, status)
        page.headers.update(headers)
        return page


def _said(error: Exception) -> tuple[str, int, Mapping[str, str]] | None:
    """An error as the key of its words, a status, and headers."""
    said: tuple[str, int, Mapping[str, str]] | None = None
    if isinstance(error, Message):
        said = error.key, error.status, {}
    elif isinstance(error, FormTooLarge):
        said = "person_too_large", 413, {"Connection": "close"}
    elif isinstance(error, Problem) and error.status == 429:
        said = "person_too_many", 429, error.headers
    elif isinstance(error, Problem) and error.status == 403:
        said = "person_cross_site", 403, {}
    elif isinstance(error, HTTPException) and error.status_code == 400:
        said = "person_unreadable", 400, {}
    elif isinstance(error, Changed | Refusal):
        said = "person_changed", 409, {}
    elif is_outage(error):
        said = "person_away", 503, {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return said


def shown_day(day: date | str, locale: Locale) -> str:
    when = day if isinstance(day, date) else date.fromisoformat(day)
    return when.strftime("%d/%m/%Y") if locale is Locale.FR else f"{when.day} {when:%B %Y}"


def shown_at(moment: str | datetime) -> str:
    """A time for those without JavaScript; the script shows it in the reader's own zone."""
    when = moment if isinstance(moment, datetime) else datetime.fromisoformat(moment)
    return when.strftime("%d/%m/%Y %H:%M UTC")

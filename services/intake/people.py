"""Puts together what candidates and consultants do with candidates: its pages, and what it keeps."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from services.intake.candidate_actions import candidate_action_routes
from services.intake.candidate_desk import Desk
from services.intake.candidate_pages import candidate_page_routes, reveal_api_routes
from services.intake.corrections import Corrections
from services.intake.duplicates import Duplicates
from services.intake.letters import Letters
from services.intake.needs import Changed, Needs
from services.intake.people_portal import PeoplePortal
from services.intake.portal import Limit
from services.intake.profile_pages import profile_routes
from services.intake.registration import Registrations
from services.intake.registration_forms import Forms
from services.intake.registration_pages import confirmation_routes, registration_routes
from services.intake.reveals import Reveals
from services.intake.rights import Rights
from services.intake.settings import IntakeSettings
from services.intake.spam import FormGuard
from services.intake.store_people import RegistrationStore, RevealStore, TwinStore
from shared.mongo import Mongo
from shared.run import Surroundings

UPLOADS = ("/candidates/register", "/candidates/profile")
"""Where a CV may come: these judge the size of a body themselves."""


@dataclass(frozen=True)
class People:
    routers: list[APIRouter]
    """To be asked before those of /api/candidates/{id}."""
    when_stored: list[Callable[[], Awaitable[Any]]]
    keep_house: Callable[[], Awaitable[None]]


def people(
    given: Surroundings,
    settings: IntakeSettings,
    mongo: Mongo,
    needs: Needs,
    letters: Letters,
    rights: Rights,
    limit: Limit,
) -> People:
    candidates = rights.candidates
    twins, reveal_store, waiting = TwinStore(mongo), RevealStore(mongo), RegistrationStore(mongo)
    duplicates, reveals = Duplicates(twins, candidates), Reveals(reveal_store, needs)
    registrations = Registrations(
        waiting, twins, candidates, letters, given.tokens, given.settings, settings.consent_months
    )
    candidates.after_storing.append(duplicates.look)
    candidates.before_erasing += [registrations.erased, duplicates.erasing]
    candidates.after_erasing.append(twins.forget)
    portal = PeoplePortal(candidates, given.settings)
    desk = Desk(portal, reveals, duplicates)
    forms = Forms(portal, registrations, FormGuard(given.tokens, settings.form_seconds))

    async def erase(candidate_id: str) -> str:
        while (document := await candidates.store.find(candidate_id)) is not None:
            try:
                await candidates.erase(document)
            except Changed:
                continue
        return rights.erasure_path(candidate_id)

    return People(
        [
            reveal_api_routes(reveals),
            registration_routes(portal, registrations, forms, limit),
            confirmation_routes(portal, registrations, forms),
            profile_routes(portal, registrations, forms, limit, erase),
            candidate_action_routes(desk, Corrections(candidates)),
            candidate_page_routes(desk, registrations),
        ],
        [twins.create_indexes, reveal_store.create_indexes, waiting.create_indexes],
        registrations.keep_house,
    )

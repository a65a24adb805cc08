"""What bad input gets: 4xx with a pointer, and nothing is stored."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.intake.domain.candidate import CandidateRequest
from services.intake.domain.fields import Refusal
from services.intake.domain.lexicon import Lexicon
from services.intake.domain.need import NeedRequest, read_need
from shared.run import Surroundings
from shared.taxonomy import RoleNames
from shared.web.problems import as_field_errors
from tests.intake.support import ROLE_EVENTS, a_candidate, a_need, bearer, intake

TITLED = '{"title": "x", "company": "y", "contact": {"name": "z", "email": "EMAIL"}}'
CONTACT: dict[str, Any] = {"name": "Ada", "email": "ada@acme.example"}

BAD_NEEDS: list[tuple[dict[str, Any], str]] = [
    ({"company": ...}, "/company"),
    ({"company": "  "}, "/company"),
    ({"company": "Acme\r\nBcc: x@y.example"}, "/company"),
    ({"company": "Acme\n"}, "/company"),
    ({"company": "=?utf-8?q?Hi=0D=0ABcc:_v@x.test?="}, "/company"),
    ({"company": "A" * 121}, "/company"),
    ({"company": "Acme \u202e reversed"}, "/company"),
    ({"company": "Acme \u2028 line"}, "/company"),
    ({"title": "Dev\tops\x00"}, "/title"),
    ({"title": "=?x?="}, "/title"),
    ({"title": "x" * 161}, "/title"),
    ({"title": ..., "role_id": ...}, "/role_id"),
    ({"role_id": "no-such-role"}, "/role_id"),
    ({"role_id": "Not A Slug"}, "/role_id"),
    ({"contact": ...}, "/contact"),
    ({"contact": CONTACT | {"email": "ada@acme.example\r\nBcc: x@y.example"}}, "/contact/email"),
    ({"contact": CONTACT | {"email": "=?utf-8?q?a?=@acme.example"}}, "/contact/email"),
    ({"contact": CONTACT | {"email": "nobody"}}, "/contact/email"),
    ({"contact": CONTACT | {"email": "a" * 300 + "@acme.example"}}, "/contact/email"),
    ({"contact": CONTACT | {"name": "Ada\nBcc: x"}}, "/contact/name"),
    ({"contact": CONTACT | {"phone": "call me"}}, "/contact/phone"),
    ({"contact": CONTACT | {"phone": "+33\r\n1"}}, "/contact/phone"),
    ({"contact": CONTACT | {"fax": "1"}}, "/contact/fax"),
    ({"surprise": True}, "/surprise"),
    ({"skills": [{"skill": "Python", "level": 9}]}, "/skills/0/level"),
    ({"skills": [{"skill": "Python", "level": 0}]}, "/skills/0/level"),
    ({"skills": [{"skill": "Python", "level": "4"}]}, "/skills/0/level"),
    ({"skills": [{"skill": "Python", "level": 2.5}]}, "/skills/0/level"),
    ({"skills": [{"skill": "Python"}, {"skill": ""}]}, "/skills/1/skill"),
    ({"skills": [{"skill": "x" * 81}]}, "/skills/0/skill"),
    ({"skills": [{"name": "Python"}]}, "/skills/0/skill"),
    ({"skills": [{"skill": "Python"}] * 61}, "/skills"),
    ({"skills": "Python"}, "/skills"),
    ({"seniority": "guru"}, "/seniority"),
    ({"min_years": -1}, "/min_years"),
    ({"location": {"country": "FRA"}}, "/location/country"),
    ({"location": {"country": "XX"}}, "/location/country"),
    ({"location": {"country": "FR", "region": "BE-BRU"}}, "/location/region"),
    ({"location": {"country": "FR", "region": "Lyon"}}, "/location/region"),
    ({"location": {"country": "FR", "planet": "Mars"}}, "/location/planet"),
    ({"remote": "sometimes"}, "/remote"),
    ({"positions": 0}, "/positions"),
    ({"positions": True}, "/positions"),
    ({"start_by": "2020-01-15"}, "/start_by"),
    ({"start_by": (date.today() - timedelta(days=2)).isoformat()}, "/start_by"),
    ({"start_by": "soon"}, "/start_by"),
    ({"start_by": "2027-02-30"}, "/start_by"),
    ({"duration_months": 0}, "/duration_months"),
    ({"min_education": 99}, "/min_education"),
    ({"contracts": ["slavery"]}, "/contracts/0"),
    ({"budget": {}}, "/budget"),
    ({"budget": {"day_rate": -5}}, "/budget/day_rate"),
    ({"budget": {"day_rate": 500, "currency": "euro"}}, "/budget/currency"),
    ({"languages": [{"language": "français"}]}, "/languages/0/language"),
    ({"languages": [{"language": "xx"}]}, "/languages/0/language"),
    ({"languages": [{"language": "fr", "level": "D1"}]}, "/languages/0/level"),
    ({"musts": ["beauty"]}, "/musts/0"),
    ({"description": "x" * 20_001}, "/description"),
    ({"description": 5}, "/description"),
    ({"locale": "tlh"}, "/locale"),
]

BAD_CANDIDATES: list[tuple[dict[str, Any], str]] = [
    ({"name": ..., "external_id": ...}, "/name"),
    ({"skills": ..., "roles": ..., "cv_text": ...}, "/skills"),
    ({"external_id": "zoe@mail.example"}, "/external_id"),
    ({"external_id": "a\nb"}, "/external_id"),
    ({"name": "Zoé\r\nBcc: x"}, "/name"),
    ({"name": "=?utf-8?q?x?="}, "/name"),
    ({"email": "zoe"}, "/email"),
    ({"phone": "none"}, "/phone"),
    ({"skills": [{"skill": "Python", "level": 9}]}, "/skills/0/level"),
    ({"skills": [{"skill": "Python", "years": 99}]}, "/skills/0/years"),
    ({"roles": [{"role": "dev", "months": -1}]}, "/roles/0/months"),
    ({"roles": [{"role": "dev", "months": 1, "until": "2026-13"}]}, "/roles/0/until"),
    ({"basis": {"kind": "consent"}}, "/basis/until"),
    ({"basis": {"kind": "habit", "until": "2090-01-01"}}, "/basis/kind"),
    ({"location": {"country": "FR", "region": "DE-BE"}}, "/location/region"),
    ({"birth_date": "1990-01-01"}, "/birth_date"),
    ({"cv_text": "x" * 200_001}, "/cv_text"),
]


async def test_every_bad_need_is_refused_at_its_field_and_nothing_is_stored(given: Surroundings) -> None:
    async with intake(given) as client:
        for change, pointer in BAD_NEEDS:
            response = await client.post("/api/needs", json=a_need(**change), headers=bearer(given))
            assert response.status_code == 422, (change, response.text)
            assert response.headers["content-type"] == "application/problem+json"
            assert pointer in [error["pointer"] for error in response.json()["errors"]], (
                change,
                response.text,
            )
        assert await given.mongo_client["recruitment_intake"]["needs"].count_documents({}) == 0


async def test_every_bad_candidate_is_refused_at_its_field_and_nothing_is_stored(given: Surroundings) -> None:
    async with intake(given) as client:
        for change, pointer in BAD_CANDIDATES:
            response = await client.post("/api/candidates", json=a_candidate(**change), headers=bearer(given))
            assert response.status_code == 422, (change, response.text)
            assert pointer in [error["pointer"] for error in response.json()["errors"]], (
                change,
                response.text,
            )
        assert await given.mongo_client["recruitment_intake"]["candidates"].count_documents({}) == 0


async def test_what_is_not_json_or_too_large_is_refused(given: Surroundings) -> None:
    async with intake(given) as client:
        bodies = (b"", b"{", b"\xff\xfe", b'{"company": NaN', b"[" * 5000, b'"text"', b"[]", b"null")
        for body in bodies:
            response = await client.post("/api/needs", content=body, headers=bearer(given))
            assert response.status_code in {400, 422}, body[:20]
            assert response.json()["errors"][0]["pointer"] == ""
        large = await client.post(
            "/api/needs", json=a_need(description="x" * 2_000_000), headers=bearer(given)
        )
        assert large.status_code == 413
        assert large.json()["errors"][0]["pointer"] == ""
        for key in ("", "x" * 256, "with blank", "caf\u00e9"):
            headers = [*bearer(given).items(), ("Idempotency-Key", key)]
            raw = [(name.encode(), value.encode()) for name, value in headers]
            answer = await client.post("/api/needs", json=a_need(), headers=raw)
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["pointer"] == "Idempotency-Key"
        for header in ("Basic abc", "Bearer junk"):
            bad_key = await client.post("/api/needs", json=a_need(), headers={"Authorization": header})
            assert bad_key.status_code == 401


@pytest.mark.parametrize("value", ["ada@bücher.example", "Ada.Lovelace+x@acme.example"])
def test_a_good_address_is_taken_in_the_form_that_mail_servers_know(value: str) -> None:
    request = NeedRequest.model_validate_json(TITLED.replace("EMAIL", value))
    assert request.contact.email.isascii()


def test_text_is_trimmed_and_its_control_characters_dropped() -> None:
    request = CandidateRequest.model_validate_json(
        '{"name": " Zo\\u00e9   Canari ", "cv_text": "a\\r\\nb\\u0000\\u0007c\\fd"}'
    )
    assert request.name == "Zoé Canari"
    assert request.cv_text == "a\nbc\nd"


def test_a_start_date_that_has_passed_since_may_stay_as_it_was() -> None:
    roles = {one.role_id: one for one in ROLE_EVENTS}
    lexicon = Lexicon(roles=roles, role_names=RoleNames(roles))
    request = NeedRequest.model_validate_json(
        TITLED.replace("EMAIL", "a@b.example").replace("{", '{"start_by": "2026-01-05", ', 1)
    )
    today = datetime(2026, 1, 6, tzinfo=UTC).date()
    assert read_need(request, lexicon, today, start_before=date(2026, 1, 5)).facts["start_by"] == "2026-01-05"
    assert read_need(request, lexicon, date(2026, 1, 5)).facts["start_by"] == "2026-01-05"
    with pytest.raises(Refusal):
        read_need(request, lexicon, today)


def test_an_error_never_repeats_what_was_sent() -> None:
    with pytest.raises(ValidationError) as caught:
        NeedRequest.model_validate_json(
            '{"title": "x", "company": "y", "contact": {"name": "z", "email": "secret"}}'
        )
    assert "secret" not in str(as_field_errors(caught.value))

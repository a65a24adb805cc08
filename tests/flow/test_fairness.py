"""Two CVs alike but for what could discriminate rank byte for byte alike, through the whole path."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.events.candidate import CANDIDATES
from tests.flow.catalogue import write_small_catalogue
from tests.flow.platform import Embedded, Platform
from tests.support import records, until

BASIS = {"kind": "consent", "until": "2100-01-01"}

CV = """{photo}{name}
{born}
{address}
{email}

{title}, 8 ans d'expérience

EXPÉRIENCE PROFESSIONNELLE
03/2019 - aujourd'hui : {title}, Sample Bank
- Conception d'API REST en Python et Django pour la banque en ligne
- Modélisation de bases PostgreSQL, requêtes SQL
01/2017 - 02/2019 : {title}, Sample Retail
- Maintenance d'un back-office en Python

FORMATION
2016 : Master informatique, {school}

COMPÉTENCES
Python (8 ans), Django, PostgreSQL, SQL, Git, Docker

LANGUES
Français, anglais B2
"""
ONE = {
    "photo": "",
    "name": "M. Sample Dupont",
    "born": "Né le 3 mai 1990, marié",
    "address": "12 rue de l'Exemple, 69003 Lyon",
    "email": "sample.dupont@example.com",
    "title": "Développeur Python",
    "school": "Université de l'Exemple",
}
OTHER = {
    "photo": "[photo]\n",
    "name": "Mme Exemple Nguyen-Diallo",
    "born": "Née le 21 octobre 1968, nationalité belge",
    "address": "4 bis avenue du Spécimen, 69100 Villeurbanne",
    "email": "exemple.nd@example.org",
    "title": "Développeuse Python",
    "school": "École privée du Modèle, promotion 1991",
}
NEEDS: list[dict[str, Any]] = [
    {"role_id": "python-developer", "skills": [{"skill": "Python", "level": 4, "must": True}]},
    {
        "role_id": "back-end-developer",
        "title": "Back-end developer",
        "description": "Python, Django, Kubernetes",
        "skills": [{"skill": "PostgreSQL"}, {"skill": "Docker", "must": True}],
        "seniority": "senior",
        "location": {"country": "FR", "region": "FR-ARA"},
        "languages": [{"language": "en", "level": "B2"}],
        "min_years": 5,
        "min_education": 5,
        "musts": ["location", "min_years"],
    },
]


@pytest.fixture
async def platform(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Platform]:
    folder: Path = write_small_catalogue(tmp_path_factory.mktemp("catalogue"))
    monkeypatch.setenv("CATALOG_DATA", str(folder))
    made = Embedded()
    await made.smtp.start()
    async with made.running() as running:
        yield running
    await made.smtp.stop()
    made.kafka.stop()


async def post(platform: Platform, person: dict[str, str], number: int) -> str:
    body = {
        "external_id": f"fair-{number}",
        "name": person["name"],
        "email": person["email"],
        "cv_text": CV.format(**person),
        "basis": BASIS,
    }
    answer = await platform.http.post("/api/candidates", json=body)
    assert answer.status_code == 201, answer.text
    candidate_id: str = answer.json()["candidate_id"]
    return candidate_id


async def test_name_gender_age_school_address_and_photo_change_no_byte_of_a_ranking(
    platform: Platform,
) -> None:
    one, other = await asyncio.gather(post(platform, ONE, 1), post(platform, OTHER, 2))

    async def both_ranked() -> bool:
        answer = await platform.http.post("/api/rank", json={"need": NEEDS[0]})
        return answer.status_code == 200 and answer.json()["index"]["candidates"] == 2

    await until(both_ranked)
    events = {record.key: record.event for record in await records(platform.bootstrap, CANDIDATES)}
    facts = [
        event.model_dump(mode="json", exclude={"candidate_id", "revision", "occurred_at"})
        for event in (events[one], events[other])
        if event is not None
    ]
    assert facts[0] == facts[1], "what leaves intake is the same"
    assert facts[0]["roles"], "the CV was read"
    for need in NEEDS:
        ranked = (await platform.http.post("/api/rank", json={"need": need})).json()
        entries = {entry.pop("candidate_id"): json.dumps(entry) for entry in ranked["shortlist"]}
        assert entries.keys() == {one, other}, need
        assert entries[one] == entries[other]
    need = {
        "company": "Sample Client",
        "contact": {"name": "Sample Client", "email": "c@example.com"},
        **NEEDS[1],
    }
    posted = (await platform.public.post("/api/needs", json=need)).json()

    async def shortlist() -> Any:
        answer = await platform.http.get(f"/api/shortlists/{posted['need_id']}")
        return answer.json() if answer.status_code == 200 else None

    published = await until(shortlist)
    listed = [{**entry, "candidate_id": ""} for entry in published["entries"]]
    assert len(listed) == 2
    assert json.dumps(listed[0]) == json.dumps(listed[1])

"""Made-up candidates, consultants and a need, for the demo. The same every time; addresses at example.com."""

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

Json = dict[str, Any]

REGIONS = ("FR-IDF", "FR-ARA", "FR-PAC", "FR-OCC", "FR-NAQ", "FR-BRE", "FR-HDF", "FR-GES")

CV_FRENCH = (
    "Exemple de CV. {years} ans d'expérience comme {title}. "
    "Projet récent : conception et mise en production avec {first}, {second} et {third}. "
    "Depuis plusieurs années, usage quotidien de {first}. Notions de {fourth}."
)
CV_ENGLISH = (
    "Sample CV. {years} years of experience as {title}. "
    "Recent project: designed and shipped with {first}, {second} and {third}. "
    "Daily use of {first} for several years. Some knowledge of {fourth}."
)


def candidates(roles: Sequence[Json], labels: Mapping[str, str], count: int, today: date) -> list[Json]:
    """`count` candidates spread over `roles` (as GET /api/roles gives them), most of them software people.

    `labels` are the skills' labels by id. One in four is known only by a CV text.
    """
    chance = random.Random(20261123)
    weights = [4 if role["family"] == "software" else 1 for role in roles]
    return [
        _candidate(number, chance.choices(roles, weights)[0], roles, labels, today, chance)
        for number in range(1, count + 1)
    ]


def _candidate(
    number: int,
    role: Json,
    roles: Sequence[Json],
    labels: Mapping[str, str],
    today: date,
    chance: random.Random,
) -> Json:
    years = min(30, max(1, int(chance.gammavariate(2.2, 3.0))))
    person: Json = {
        "external_id": f"sample-{number:04}",
        "name": f"Sample Person {number:04}",
        "basis": {
            "kind": "consent",
            "until": (today + timedelta(days=700)).isoformat(),
            "source": "made-up sample",
        },
    }
    if number % 100 == 1:
        # Who has an address is told of the import (GDPR, article 14): a few such letters show it.
        person["email"] = f"sample.person.{number:04}@example.com"
    known = [held for held in role["skills"] if chance.random() < 0.65] or role["skills"][:3]
    if number % 4 == 0:
        names = [labels.get(held["skill"], held["skill"]) for held in known]
        names += [names[0]] * max(0, 4 - len(names))
        template = chance.choice((CV_FRENCH, CV_ENGLISH))
        title = role["title"]["fr" if template is CV_FRENCH else "en"]
        first, second, third, fourth = names[:4]
        person["cv_text"] = template.format(
            years=years, title=title, first=first, second=second, third=third, fourth=fourth
        )
        person["roles"] = [{"role": role["role_id"], "months": years * 12}]
        return person
    person["skills"] = [
        {
            "skill": held["skill"],
            "level": max(1, min(5, held["level"] + chance.choice((-2, -1, -1, 0, 0, 1)))),
            "years": min(years, chance.randint(1, 8)),
        }
        for held in known
    ]
    person["roles"] = _history(role, roles, years, today, chance)
    person["years"] = years
    if chance.random() < 0.9:
        person["location"] = {"country": "FR", "region": chance.choice(REGIONS)}
    if chance.random() < 0.8:
        person["remote"] = chance.choice(("none", "partial", "partial", "full"))
    if chance.random() < 0.8:
        person["available_from"] = (today + timedelta(days=chance.randint(0, 120))).isoformat()
    freelance = chance.random() < 0.4
    person["contracts"] = ["freelance"] if freelance else ["permanent", "fixed_term"][: chance.randint(1, 2)]
    if chance.random() < 0.7:
        if freelance:
            person["day_rate"] = 250 + years * 22 + chance.randint(-4, 8) * 10
        else:
            person["salary"] = 30000 + years * 2400 + chance.randint(-3, 6) * 1000
    person["languages"] = [{"language": "fr", "level": chance.choice(("B2", "C1", "C2", "C2"))}]
    if chance.random() < 0.7:
        person["languages"].append({"language": "en", "level": chance.choice(("B1", "B2", "C1"))})
    person["education"] = chance.choice((2, 3, 3, 5, 5, 5, 8))
    return person


def _history(role: Json, roles: Sequence[Json], years: int, today: date, chance: random.Random) -> list[Json]:
    months = years * 12
    here = max(6, int(months * chance.uniform(0.4, 1.0)))
    held: list[Json] = [{"role": role["role_id"], "months": here}]
    if months - here > 6:
        earlier = chance.choice([related["role"] for related in role["related"]] or [roles[0]["role_id"]])
        ended = today - timedelta(days=here * 30)
        held.append({"role": earlier, "months": months - here, "until": f"{ended:%Y-%m}"})
    return held


def consultants() -> list[Json]:
    """Six consultants whose practices and regions cover the sheets between them; the first administers."""
    practices = (
        (["software"], ["FR-ARA", "FR-PAC"], "fr"),
        (["software"], ["FR-IDF"], "fr"),
        (["data", "architecture"], ["FR"], "fr"),
        (["infrastructure", "security"], ["FR"], "en"),
        (["product", "design", "quality", "management"], ["FR"], "fr"),
        (["software", "enterprise"], ["FR"], "en"),
    )
    return [
        {
            "name": f"Sample Consultant {number}",
            "email": f"sample.consultant.{number}@example.com",
            "phone": f"+33 1 99 00 00 0{number}",
            "locale": locale,
            "practices": families,
            "regions": regions,
            "delivery": "immediate",
            "admin": number == 1,
        }
        for number, (families, regions, locale) in enumerate(practices, start=1)
    ]


def form(today: date) -> dict[str, list[str]]:
    """What a made-up client types into the form of the back-end developer, field by field."""
    return {
        "company": ["Sample Company"],
        "name": ["Sample Client"],
        "email": ["sample.client@example.com"],
        "phone": ["+33 1 99 00 00 99"],
        "title": ["Développeur back-end, paiements"],
        "skill": ["python", "django", "sql", "rest", "kubernetes"],
        "level_python": ["4"],
        "must_python": ["on"],
        "must_django": ["on"],
        "place": ["FR-ARA"],
        "city": ["Lyon"],
        "remote": ["partial"],
        "start_by": [(today + timedelta(days=60)).isoformat()],
        "contracts": ["permanent", "freelance"],
        "seniority": ["senior"],
        "language_1": ["fr"],
        "language_level_1": ["B2"],
        "musts": ["languages"],
    }

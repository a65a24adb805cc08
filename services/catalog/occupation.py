"""A role as search engines read it. Pure."""

from collections.abc import Mapping
from typing import Any

from services.catalog.words import FAMILIES, name_of
from shared.events.role import Role
from shared.events.skill import Skill
from shared.events.vocabulary import Locale


def occupation(role: Role, skills: Mapping[str, Skill], locale: Locale, url: str) -> dict[str, Any]:
    """https://schema.org/Occupation as JSON-LD. `url` is the page's canonical address."""
    return {
        "@context": "https://schema.org",
        "@type": "Occupation",
        "@id": url,
        "name": role.title.in_(locale),
        "alternateName": list(getattr(role.aliases, locale.value)),
        "description": role.summary.in_(locale),
        "mainEntityOfPage": {"@type": "WebPage", "@id": url, "inLanguage": locale.value},
        "responsibilities": [task.in_(locale) for task in role.tasks],
        "skills": [skills[asked.skill].label.in_(locale) for asked in role.skills if asked.skill in skills],
        "educationRequirements": " ".join(text.in_(locale) for text in role.education),
        "occupationalCategory": name_of(FAMILIES, role.family, locale),
    }

"""The sentences of an explanation, in French and English; `explain.py` decides which are said."""

import re
from functools import cache

from services.matching.bare import maker_of
from services.matching.practice import OTHERWISE, PRACTICE
from shared.events.need import Budget, Criteria
from shared.events.vocabulary import Contract, LocalizedText, Must, Remote, Seniority

SENIORITY = {
    Seniority.JUNIOR: ("junior", "junior"),
    Seniority.MIDDLE: ("confirmé", "mid-level"),
    Seniority.SENIOR: ("senior", "senior"),
    Seniority.LEAD: ("lead", "lead"),
}
REMOTE = {
    Remote.NONE: ("sur site", "on site"),
    Remote.PARTIAL: ("en télétravail partiel", "partly remote"),
    Remote.FULL: ("entièrement à distance", "fully remote"),
}
CONTRACT = {
    Contract.PERMANENT: ("CDI", "permanent"),
    Contract.FIXED_TERM: ("CDD", "fixed term"),
    Contract.FREELANCE: ("freelance", "freelance"),
    Contract.APPRENTICESHIP: ("alternance", "apprenticeship"),
}


_ASKS = re.compile(r"(?:\bl’|\by )?\b(?:a-t|peut)-elle")


_text = maker_of(LocalizedText)


def both(fr: str, en: str) -> LocalizedText:
    return _text({"fr": fr, "en": en})


def missing_skill(label: LocalizedText, level: int, category: str) -> LocalizedText:
    fr, en = _practice(category)
    return both(
        f"{label.fr} est demandé au niveau {level} et rien ne le montre : {fr}",
        f"{label.en} is asked at level {level} and nothing shows it: {en}",
    )


def related_skill(
    label: LocalizedText, level: int, via: LocalizedText, category: str, *, read: bool
) -> LocalizedText:
    """`read`: what stands in for the skill was read in a CV."""
    fr, en = _practice(category)
    where_fr, where_en = ("le CV", "the CV") if read else ("le profil", "the profile")
    return both(
        f"{label.fr} est demandé au niveau {level} ; {where_fr} montre {via.fr} : {fr}",
        f"{label.en} is asked at level {level}; {where_en} shows {via.en}: {en}",
    )


def lower_level(label: LocalizedText, level: int, shown: int, *, estimated: bool) -> LocalizedText:
    if estimated:
        return both(
            f"{label.fr} est demandé au niveau {level} ; le CV laisse supposer environ {shown} : "
            "quelle est la pratique réelle ?",
            f"{label.en} is asked at level {level}; the CV suggests about {shown}: "
            "how much practice is there?",
        )
    return both(
        f"{label.fr} est demandé au niveau {level} ; le profil indique {shown} : la mission peut-elle s’en "
        "contenter ?",
        f"{label.en} is asked at level {level}; the profile says {shown}: is that enough for this job?",
    )


def dated_skill(label: LocalizedText, year: int) -> LocalizedText:
    return both(
        f"{label.fr} n’apparaît plus après {year} : cette pratique est-elle encore à jour ?",
        f"{label.en} does not appear after {year}: is this practice still up to date?",
    )


@cache
def _practice(category: str) -> tuple[str, str]:
    fr, en = PRACTICE.get(category, OTHERWISE)
    return _ASKS.sub(r"cette personne \g<0>", fr, count=1), en


def unknown_language(code: str, level: str | None) -> LocalizedText:
    if level:
        return both(
            f"Quel est le niveau dans la langue « {code} » ? {level} est demandé.",
            f"What is the level in the language “{code}”? {level} is asked.",
        )
    return both(f"La langue « {code} » est-elle parlée ?", f"Is the language “{code}” spoken?")


def role_unknown(title: LocalizedText) -> LocalizedText:
    return both(
        f"Aucun poste n’est connu : quelle expérience comme {title.fr} ?",
        f"No role is known: how much experience as {title.en}?",
    )


def unknown(criterion: str, criteria: Criteria) -> LocalizedText:
    """The question for a criterion of which the candidate's side is not known."""
    fr, en = asked_words(criterion, criteria)
    questions = {
        "seniority": ("Quelle est la séniorité ?", "How senior is this person?"),
        "location": ("Où cette personne peut-elle travailler ?", "Where can this person work?"),
        "remote": ("Quel rythme de télétravail convient ?", "How much remote work suits this person?"),
        "start_by": ("À partir de quand est-elle disponible ?", "From when is this person available?"),
        "contracts": ("Quels contrats conviennent ?", "Which contracts suit this person?"),
        "budget": ("Quelles sont les prétentions ?", "Which rate or salary is expected?"),
        "min_years": ("Combien d’années d’expérience ?", "How many years of experience?"),
        "min_education": ("Quel niveau d’études ?", "Which level of education?"),
    }
    question_fr, question_en = questions[criterion]
    return both(f"{question_fr} Demandé : {fr}.", f"{question_en} Asked: {en}.")


def miss(must: Must, criteria: Criteria, found: str) -> LocalizedText:
    """Why a hard constraint is missed."""
    fr, en = asked_words(must.value, criteria)
    names = {
        Must.LOCATION: ("Lieu", "Location"),
        Must.REMOTE: ("Télétravail", "Remote work"),
        Must.START_BY: ("Disponibilité", "Availability"),
        Must.CONTRACTS: ("Contrat", "Contract"),
        Must.BUDGET: ("Budget", "Budget"),
        Must.LANGUAGES: ("Langues", "Languages"),
        Must.MIN_YEARS: ("Années d’expérience", "Years of experience"),
        Must.MIN_EDUCATION: ("Études", "Education"),
        Must.SKILLS: ("Compétences", "Skills"),
    }
    name_fr, name_en = names[must]
    return both(f"{name_fr} : {found} ; demandé : {fr}.", f"{name_en}: {found}; asked: {en}.")


def lacking_skill(label: LocalizedText) -> LocalizedText:
    return both(
        f"Rien ne montre {label.fr}, qui est indispensable.",
        f"Nothing shows {label.en}, which is a must.",
    )


def asked_words(criterion: str, criteria: Criteria) -> tuple[str, str]:
    """What the need asks of a criterion, in French and English."""
    if criterion == "seniority" and criteria.seniority:
        return SENIORITY[criteria.seniority]
    if criterion == "remote" and criteria.remote:
        return REMOTE[criteria.remote]
    if criterion == "contracts":
        pairs = [CONTRACT[contract] for contract in sorted(set(criteria.contracts))]
        return ", ".join(fr for fr, _ in pairs), ", ".join(en for _, en in pairs)
    if criterion == "budget" and criteria.budget:
        return _budget_words(criteria.budget)
    plain = asked_plain(criterion, criteria)
    fr, en = {"min_years": ("{} ans", "{} years"), "min_education": ("Bac+{}", "Bac+{}")}.get(
        criterion, ("{}", "{}")
    )
    return fr.format(plain), en.format(plain)


def _budget_words(budget: Budget) -> tuple[str, str]:
    fr, en = [], []
    if budget.day_rate:
        fr.append(f"{budget.day_rate} {budget.currency} par jour, marge comprise")
        en.append(f"{budget.day_rate} {budget.currency} a day, margin included")
    if budget.salary:
        fr.append(f"{budget.salary} {budget.currency} brut par an")
        en.append(f"{budget.salary} {budget.currency} gross a year")
    return " ; ".join(fr), "; ".join(en)


def asked_plain(criterion: str, criteria: Criteria) -> str:
    """What the need asks of a criterion, in codes and figures."""
    budget = criteria.budget
    plain: dict[str, object] = {
        "seniority": criteria.seniority,
        "location": (criteria.location.region or criteria.location.country) if criteria.location else None,
        "remote": criteria.remote,
        "start_by": criteria.start_by,
        "contracts": ", ".join(sorted(set(criteria.contracts))),
        "budget": f"{(budget.day_rate or '-')}/{(budget.salary or '-')} {budget.currency}"
        if budget
        else None,
        "languages": ", ".join(
            f"{language.language} {language.level or ''}".strip()
            for language in sorted(
                set(criteria.languages), key=lambda spoken: (spoken.language, spoken.level or "")
            )
        ),
        "min_years": criteria.min_years,
        "min_education": criteria.min_education,
    }
    return str(plain[criterion])

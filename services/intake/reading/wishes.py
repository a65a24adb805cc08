"""What the candidate asks for: remote work, a date, contracts, a day rate. Never from a job's description."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from services.intake.reading.periods import MONTH, MONTH_OF
from services.intake.reading.sections import Line
from shared.events.vocabulary import Contract, Remote

_NO_REMOTE = re.compile(
    r"(?:pas de|sans|aucun|no) (?:teletravail|remote)|presentiel (?:uniquement|seulement)"
    r"|100 ?% (?:presentiel|sur site)"
    r"|on-?site only|office only"
)
_FULL = re.compile(
    r"full[ -]remote|100 ?% (?:remote|teletravail|a distance)|(?:remote|teletravail) (?:a )?(?:100 ?%"
    r"|complet|total"
    r"|uniquement|only)|fully remote|remote only|entierement a distance|tout a distance"
)
_PARTIAL = re.compile(
    r"(?:remote|teletravail) partiel|partial(?:ly)? remote|hybrid[e]?|\d(?: a \d| ou \d)? jours? (?:de"
    r"|par semaine de|en)? ?"
    r"(?:teletravail|remote)|\d(?:-\d)? days? (?:of )?(?:remote|from home)|(?:remote"
    r"|teletravail) (?:possible|souhaite)"
)
_NOW = re.compile(
    r"disponible (?:immediatement|de suite|tout de suite|sans preavis|des maintenant)"
    r"|disponibilite\s?: (?:immediate|de suite)"
    r"|disponibilite immediate|immediate(?:ly)? availab(?:le|ility)|available (?:immediately|now|asap)"
    r"|dispo immediate"
    r"|availability\s?: immediate"
)
_FROM = re.compile(
    r"(?:disponible|disponibilite|available|availability|dispo|libre)\s?:?\s?(?:a partir d[ue]"
    r"|a compter d[ue]|des|from"
    r"|as of|starting|en|in|le|the|on)?\s?(?:le |l')?"
    rf"(?:(?P<day>\d{{1,2}})(?:er|st|nd|rd|th)?[ /.-])?(?:(?P<name>{MONTH})|(?P<month>0?[1-9]|1[0-2])[/.-])"
    r"(?:\.?,?\s?(?P<day2>\d{1,2})(?:st|nd|rd|th)?,?)?\s?(?P<year>20\d\d)"
)
_NOTICE = re.compile(
    r"(?:preavis|notice(?: period)?)\s?:?\s?(?:de |of )?(?P<count>\d{1,2}) ?(?P<unit>mois|months?"
    r"|semaines?|weeks?|jours?|days?)"
    r"|(?P<count2>\d{1,2}) ?(?P<unit2>mois|months?'?|semaines?|weeks?'?) (?:de preavis|notice|of notice)"
)
_CONTRACTS = (
    (Contract.PERMANENT, re.compile(r"(?<!\w)(?:cdi|permanent (?:position|contract|role|job)"
                                    r"|full-time employment)(?!\w)")),
    (Contract.FIXED_TERM, re.compile(r"(?<!\w)(?:cdd|fixed[- ]term(?: contract)?|interim)(?!\w)")),
    (Contract.FREELANCE, re.compile(
        r"(?<!\w)(?:freelances?|free-lance|independante?|auto-?entrepreneure?|micro-?entreprise"
        r"|portage salarial"
        r"|self-employed|contractor)(?!\w)")),
    (Contract.APPRENTICESHIP, re.compile(
        r"(?<!\w)(?:alternance|alternante?|apprentissage|contrat de professionnalisation"
        r"|apprenticeship)(?!\w)")),
)  # fmt: skip
_RATE = re.compile(
    r"(?:(?:tjm|tarif(?: journalier)?(?: moyen)?|daily rate|day rate|rate)\s?:?\s?(?:de |of |a partir de "
    r"|from )?(?:€|eur)?\s?"
    r"(?P<rate>\d{3,4})\s?(?:€|euros?|eur)?)"
    r"|(?:(?P<rate2>\d{3,4})\s?(?:€|euros?|eur)\s?(?:ht)?\s?(?:/|par|a|per|the)\s?(?:j(?:our)?|day)(?!\w))"
    r"|(?:(?:€|eur)\s?(?P<rate3>\d{3,4})\s?(?:/|per|a)\s?day)"
)


@dataclass(frozen=True)
class Wishes:
    remote: Remote | None = None
    available_from: str | None = None
    contracts: tuple[Contract, ...] = ()
    day_rate: int | None = None


def wishes(lines: Iterable[Line], today: date) -> Wishes:
    """`lines` are those outside jobs and education. The day rate is in euros, before VAT."""
    text = "\n".join(line.folded for line in lines)
    return Wishes(
        remote=_remote(text),
        available_from=_available(text, today),
        contracts=tuple(contract for contract, words in _CONTRACTS if words.search(text)),
        day_rate=_rate(text),
    )


def _remote(text: str) -> Remote | None:
    for remote, words in ((Remote.NONE, _NO_REMOTE), (Remote.FULL, _FULL), (Remote.PARTIAL, _PARTIAL)):
        if words.search(text):
            return remote
    return None


def _available(text: str, today: date) -> str | None:
    if (match := _FROM.search(text)) is not None:
        month = MONTH_OF[match["name"]] if match["name"] else int(match["month"])
        day = int(match["day"] or match["day2"] or 1)
        try:
            return date(int(match["year"]), month, day).isoformat()
        except ValueError:
            return date(int(match["year"]), month, 1).isoformat()
    if (notice := _NOTICE.search(text)) is not None:
        count, unit = int(notice["count"] or notice["count2"]), notice["unit"] or notice["unit2"]
        days = 30 if unit.startswith("mo") else 7 if unit[0] in "sw" else 1
        return (today + timedelta(days=count * days)).isoformat()
    return today.isoformat() if _NOW.search(text) else None


def _rate(text: str) -> int | None:
    match = _RATE.search(text)
    if match is None:
        return None
    rate = int(match["rate"] or match["rate2"] or match["rate3"])
    return rate if 80 <= rate <= 3000 else None

"""Parts of a score, and what would raise it, in sentences that need no knowledge of the arithmetic."""

from collections.abc import Sequence

from services.matching.words import both
from shared.events.vocabulary import LocalizedText

RARE = 1400
"""From this rarity, in thousandths, on a skill is told as rare."""


def skills_told(shown: int, asked: int, rare: Sequence[LocalizedText], *, must: bool) -> LocalizedText:
    """How many of the skills asked are shown, and which of them are rare in the pool."""
    kind_fr, kind_en = ("indispensables", "must-have") if must else ("souhaitées", "nice-to-have")
    fr = f"{shown} des {asked} compétences {kind_fr} montrées"
    en = f"{shown} of the {asked} {kind_en} skills shown"
    return _with_rare(fr, en, rare)


def named_told(shown: int, named: int, rare: Sequence[LocalizedText]) -> LocalizedText:
    fr = f"{shown} des {named} compétences citées dans le texte, sans être demandées"
    en = f"{shown} of the {named} skills that the text names without asking for them"
    return _with_rare(fr, en, rare)


def _with_rare(fr: str, en: str, rare: Sequence[LocalizedText]) -> LocalizedText:
    if not rare:
        return both(f"{fr}.", f"{en}.")
    names_fr, names_en = ", ".join(one.fr for one in rare), ", ".join(one.en for one in rare)
    return both(
        f"{fr} ; rare parmi nos candidats, donc plus décisif : {names_fr}.",
        f"{en}; rare among our candidates, so it says more: {names_en}.",
    )


def fit_told(
    percent: int, title: LocalizedText | None, closeness: int, role: LocalizedText | None
) -> LocalizedText:
    """`percent` of the profile belongs to the job; `title` is the closest held, `closeness` percent of it."""
    fr = f"{percent} % du profil relève de ce métier"
    en = f"{percent} % of the profile belongs to this job"
    if role is None:
        return both(f"{fr}.", f"{en}.")
    if title is None:
        return both(f"{fr} ; aucun poste connu.", f"{en}; no role is known.")
    same = (title.fr, title.en) == (role.fr, role.en)
    if closeness < 100 and same:
        return both(
            f"{fr} ; a tenu le poste il y a quelque temps : compté à {closeness} %.",
            f"{en}; held this role some time ago: counted as {closeness} %.",
        )
    if closeness >= 100:
        post, held = "a déjà tenu le poste", "has held this very role"
        if not same:
            post, held = "a tenu le poste que nomme l’intitulé", "has held the role that the title names"
        return both(f"{fr} ; {post} : {title.fr}.", f"{en}; {held}: {title.en}.")
    if not closeness:
        return both(
            f"{fr} ; aucun poste proche de {role.fr} n’est connu.", f"{en}; no role near {role.en} is known."
        )
    return both(
        f"{fr} ; poste le plus proche : {title.fr}, compté à {closeness} % de {role.fr}.",
        f"{en}; closest role held: {title.en}, counted as {closeness} % of {role.en}.",
    )


def experience_told(months: int, role: LocalizedText) -> LocalizedText:
    """`months` in the role, those in adjacent ones by their closeness."""
    if not months:
        return both(f"Aucune expérience connue comme {role.fr}.", f"No known experience as {role.en}.")
    return both(
        f"L’équivalent de {months} mois comme {role.fr}, métiers voisins compris en partie.",
        f"The equivalent of {months} months as {role.en}, adjacent roles counted in part.",
    )


def sheet_told(shown: int, sheet: int, role: LocalizedText) -> LocalizedText:
    return both(
        f"{shown} des {sheet} autres compétences habituelles du métier {role.fr} ; il suffit de la moitié.",
        f"{shown} of the {sheet} other usual skills of the role {role.en}; half of them is enough.",
    )


def to_enter_told(
    short_by: float, changes: Sequence[tuple[LocalizedText, float]], *, enough: bool, barred: bool
) -> LocalizedText:
    """`barred`: a hard constraint keeps the candidate out whatever the points."""
    fr_list = " ; ".join(f"{name.fr} (+{_figure(points, ',')})" for name, points in changes)
    en_list = "; ".join(f"{name.en} (+{_figure(points, '.')})" for name, points in changes)
    if barred:
        fr, en = "Écarté par un critère éliminatoire seulement", "Kept out by one hard constraint"
    else:
        fr = f"Il manque {_figure(short_by, ',')} point(s) pour entrer dans la liste"
        en = f"{_figure(short_by, '.')} point(s) short of the shortlist"
    if not changes:
        return both(f"{fr}.", f"{en}.")
    if enough:
        return both(f"{fr}. Entrerait avec : {fr_list}.", f"{en}. Would enter with: {en_list}.")
    return both(
        f"{fr}. N’entrerait pas même avec : {fr_list}.", f"{en}. Would not enter even with: {en_list}."
    )


def skill_change(label: LocalizedText, level: int) -> LocalizedText:
    return both(f"{label.fr} au niveau {level}", f"{label.en} at level {level}")


def criterion_change(criterion: str) -> LocalizedText:
    names = {
        "seniority": ("séniorité conforme", "seniority as asked"),
        "location": ("lieu conforme", "location as asked"),
        "remote": ("télétravail conforme", "remote work as asked"),
        "start_by": ("disponibilité à temps", "available in time"),
        "contracts": ("contrat conforme", "contract as asked"),
        "budget": ("prétentions dans le budget", "within the budget"),
        "languages": ("langues au niveau demandé", "languages at the level asked"),
        "min_years": ("années d’expérience suffisantes", "enough years of experience"),
        "min_education": ("niveau d’études suffisant", "education as asked"),
    }
    return both(*names[criterion])


def _figure(points: float, mark: str) -> str:
    return f"{points:.1f}".replace(".", mark)

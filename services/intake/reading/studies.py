"""Education, in years after the French baccalauréat. No school, no subject, no year leaves this."""

import re

from services.intake.reading.sections import Section, Sectioned

_STATED = re.compile(r"(?<!\w)bac\s?(?:\+|plus)\s?(\d)(?!\d)")
_ANYWHERE: tuple[tuple[int, str], ...] = (
    (8, r"doctorat|ph\.?\s?d\.?|doctorate|these de doctorat|docteure? en"),
    (5, r"diplomee? d'ingenieur|diplome d'ingenieure?|titre d'ingenieure?|cycle ingenieur"
        r"|ingenieure? diplomee?"
        r"|ecole d'ingenieure?s?|master'?s degree|master (?:of science|in computer|en informatique"
        r"|informatique)"
        r"|m\.?sc\.? in|mba|master (?:2|ii|pro|recherche)"),
    (3, r"bachelor'?s? (?:degree|of|in)|b\.?sc\.? in|licence (?:pro\w*|informatique|en informatique)"),
    (2, r"dut informatique|bts (?:sio|sn|informatique|ig|services)"),
)  # fmt: skip
_IN_EDUCATION: tuple[tuple[int, str], ...] = (
    (8, r"doctorat|ph\.?\s?d\.?|doctorate|these|docteure?"),
    (5, r"masters?|mastere|master'?s|m\.?sc\.?|m2|m\.?eng\.?|mba|dea|dess|ingenieure?s?|engineering degree"
        r"|degree in engineering|diplome d'ingenieur|magistere|grande ecole"),
    (4, r"maitrise|m1"),
    (3, r"licence|bachelor'?s?|b\.?sc\.?|b\.?a\.?|b\.?eng\.?|but|l3|undergraduate degree|bsc"
        r"|rncp (?:niveau )?6"
        r"|concepteur developpeur d'applications|concepteur-developpeur"),
    (2, r"dut|bts|deug|deust|hnd|associate'?s? degree|classes? preparatoires?|cpge|l2"
        r"|developpeur web et web mobile|foundation degree"),
    (1, r"l1"),
    (0, r"bac(?:calaureat)?|a-levels?|high school(?: diploma)?|abitur|lycee"),
)  # fmt: skip


def _compiled(table: tuple[tuple[int, str], ...]) -> list[tuple[int, re.Pattern[str]]]:
    return [(years, re.compile(rf"(?<![\w+])(?:{words})(?![\w+])")) for years, words in table]


_SAID_ANYWHERE = _compiled(_ANYWHERE)
_SAID_IN_EDUCATION = _compiled(_IN_EDUCATION)
_ENGLISH_BUT = re.compile(r"\b(?:BUT|But)\b")


def education(cv: Sectioned) -> int | None:
    """The highest level that the text states."""
    found: list[int] = []
    for line in cv.lines:
        if line.blank or line.section in {Section.ADVERTISEMENT, Section.WISHES}:
            continue
        own = (line.section is Section.EDUCATION and not line.heading) or line.label is Section.EDUCATION
        stated = _STATED.search(line.folded)
        if stated is not None:
            found.append(int(stated[1]))
            continue
        for years, words in _SAID_IN_EDUCATION if own else _SAID_ANYWHERE:
            match = words.search(line.folded)
            if match is not None and (match.group() != "but" or _ENGLISH_BUT.search(line.text)):
                found.append(years)
                break
    return max(found, default=None)

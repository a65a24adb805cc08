"""Human languages and their levels (CEFR), as stated or as a test's score says."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from services.intake.reading.found import LanguageFound
from services.intake.reading.sections import Line, Section, Sectioned
from shared.events.vocabulary import Cefr

_WORDS = yaml.safe_load((Path(__file__).parent / "tongues.yaml").read_text("utf-8"))
_CODE_OF = {name: code for code, names in _WORDS["languages"].items() for name in names}
_NAME = re.compile(
    rf"(?<![\w-])(?:{'|'.join(sorted(map(re.escape, _CODE_OF), key=len, reverse=True))})(?![\w])"
)
_CEFR = re.compile(r"(?<!\w)([abc][12])\b(?:\s?[+/-]\s?[abc][12]\b)?")
_SAID = [
    (Cefr(level), re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)"))
    for level, words in _WORDS["levels"].items()
]
_SCORES: tuple[tuple[re.Pattern[str], str, tuple[tuple[float, Cefr], ...]], ...] = (
    # ETS: minimum scores by level (TOEIC Listening & Reading, TOEFL iBT); IELTS: its own comparison.
    (re.compile(r"toeic\D{0,25}?(\d{3})(?!\d)"), "en",
     ((945, Cefr.C1), (785, Cefr.B2), (550, Cefr.B1), (225, Cefr.A2), (120, Cefr.A1))),
    (re.compile(r"toefl\D{0,25}?(\d{2,3})(?!\d)"), "en",
     ((95, Cefr.C1), (72, Cefr.B2), (42, Cefr.B1))),
    (re.compile(r"ielts\D{0,25}?(\d(?:[.,]\d)?)(?![\d.])"), "en",
     ((8.5, Cefr.C2), (7, Cefr.C1), (5.5, Cefr.B2), (4, Cefr.B1))),
)  # fmt: skip
_ORDER = list(Cefr)


def languages(cv: Sectioned) -> tuple[LanguageFound, ...]:
    """In the order of the text, each once with its highest level.

    Outside the section of languages a name counts only with a level: "the German market" says nothing.
    """
    found: dict[str, Cefr | None] = {}
    for line in cv.lines:
        if line.blank or line.section is Section.ADVERTISEMENT:
            continue
        own = line.section is Section.LANGUAGES or line.label is Section.LANGUAGES
        for code, level in _of_line(line, own=own):
            if code in found and level is None:
                continue
            had = found.get(code)
            better = level is not None and (had is None or _ORDER.index(level) > _ORDER.index(had))
            found[code] = level if better else had
    return tuple(LanguageFound(code, level) for code, level in found.items())


def _of_line(line: Line, *, own: bool) -> Iterator[tuple[str, Cefr | None]]:
    text = line.folded
    names = list(_NAME.finditer(text))
    for number, match in enumerate(names):
        end = names[number + 1].start() if number + 1 < len(names) else len(text)
        start = names[number - 1].end() if number else 0
        after = text[match.end() : end]
        if number + 1 < len(names):
            # What stands right before the next name is that one's: `English, native Greek`.
            after = after[: max(after.rfind(mark) for mark in ",;|•/") + 1] or after
        level = _level(after) or _level_before(text[start : match.start()])
        if level is not None or own:
            yield _CODE_OF[match.group()], level
    if not any(test in text for test in ("toe", "iel")):
        return
    for pattern, code, steps in _SCORES:
        if (score := pattern.search(text)) is not None:
            number_read = float(score[1].replace(",", "."))
            level = next((level for least, level in steps if number_read >= least), None)
            if level is not None:
                yield code, level


def _level(after: str) -> Cefr | None:
    """In what follows a name, up to the next one; outside brackets only in the same item of a list."""
    item = re.split(r"[;|•\n]", after)[0]
    if (stated := _CEFR.search(item)) is not None:
        return Cefr(stated[1].upper())
    near = item[:60]
    return next((level for level, words in _SAID if words.search(near)), None)


def _level_before(before: str) -> Cefr | None:
    """`Fluent English`, `bilingual French`: the word right before a name."""
    near = re.split(r"[,;|•:(\n.]|\band\b|\bet\b", before)[-1]
    return next(
        (level for level, words in _SAID if re.search(rf"(?:{words.pattern})\W*(?:in |en )?$", near)), None
    )

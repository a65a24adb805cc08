"""The jobs of a CV: title, role and period, and which lines tell of each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.intake.reading.cues import is_advertisement
from services.intake.reading.flat import BULLETS
from services.intake.reading.found import Post
from services.intake.reading.periods import Dated, Period, dated, month_name, this_month
from services.intake.reading.sections import Line, Section, Sectioned
from services.intake.reading.titles import Titles

_JOBS = frozenset({Section.EXPERIENCE, Section.PROJECTS})
_MAYBE_JOBS = frozenset({Section.HEAD, Section.SUMMARY})
_STUDIES = (
    "master", "licence", "bachelor", "bac+", "bac +", "diplom", "dut ", "bts ", "but ", "universit", "ecole",
    "school", "college", "degree", "phd", "doctorat", "lycee", "ingenieur diplome", "certif", "mba",
)  # fmt: skip
_DIGIT = re.compile(r"\d\d")
_LONGEST_TITLE = 110
_WORDS = 22
_BESIDE = 70
"""Characters to either side of a period in which a title makes it that of a job, in a long line."""
_NEAR = 2


@dataclass(frozen=True)
class Job:
    """A post with the lines (first, one past the last) that tell of it."""

    post: Post
    period: Period
    first: int
    last: int
    header: int


def jobs(cv: Sectioned, titles: Titles, today: date) -> list[Job]:
    """In the order of the text."""
    headers = list(_headers(cv, titles, today))
    above = _titles_stand_above(cv, titles, headers)
    found: list[Job] = []
    first_lines = [_title_line(cv, titles, line, above=above) for line, _ in headers]
    for place, (line, period) in enumerate(headers):
        title = first_lines[place]
        begin = min(line.number, title.number if title else line.number)
        if place + 1 < len(headers):
            following, its_title = headers[place + 1][0], first_lines[place + 1]
            end = min(following.number, its_title.number if its_title else following.number)
        else:
            end = len(cv.lines)
        # Where no heading says that jobs are listed, a blank line ends what is said of one.
        loose = line.section in _MAYBE_JOBS
        rest = cv.lines[line.number + 1 : end]
        end = next((one.number for one in rest if one.heading or (loose and one.blank)), end)
        found.append(_job(titles, title, line, period, begin, max(end, line.number + 1)))
    return found


def _job(titles: Titles, title: Line | None, line: Line, dates: Dated, first: int, last: int) -> Job:
    role = titles.role(title.text) if title else None
    period = dates.period
    written = title.text if title else line.text
    if title is line or title is None:
        written = line.text[: dates.start] + line.text[dates.stop :]
    post = Post(
        title=" ".join(written.split()).strip(f" -–—|,:;\t{BULLETS}")[:160],
        role=role,
        begin=month_name(period.begin),
        until=None if period.open else month_name(period.end - 1),
        months=min(period.months, 720),
    )
    return Job(post, period, first, last, line.number)


def _headers(cv: Sectioned, titles: Titles, today: date) -> list[tuple[Line, Dated]]:
    """Lines that begin a job: they hold a period, and are no sentence about something else."""
    known = cv.has(Section.EXPERIENCE)
    found: list[tuple[Line, Dated]] = []
    now = this_month(today)
    for line in cv.lines:
        if line.blank or line.heading or not _DIGIT.search(line.text):
            continue
        if line.section not in _JOBS and not (line.section in _MAYBE_JOBS and not known):
            continue
        dates = next((one for one in dated(line.folded, today) if one.period.begin <= now), None)
        if (
            dates is None
            or is_advertisement(line.text)
            or not _begins_a_job(line, dates, cv, titles, known=known)
        ):
            continue
        found.append((line, dates))
    return found


def _begins_a_job(line: Line, dates: Dated, cv: Sectioned, titles: Titles, *, known: bool) -> bool:
    rest = line.folded[: dates.start] + line.folded[dates.stop :]
    listed = line.text.lstrip()[:1] in BULLETS or line.text.lstrip().startswith(("- ", "– "))
    names_one = titles.names_a_job(line.text)
    if any(word in rest for word in _STUDIES) and not (known and names_one):
        return False
    if dates.single:
        # `Projet X (2020)` in a job's description; a job of a single date names itself.
        return (
            names_one and len(rest) <= _LONGEST_TITLE and not listed and line.section is not Section.PROJECTS
        )
    beside = line.text[max(0, dates.start - _BESIDE) : dates.stop + _BESIDE]
    if (len(rest.split()) > _WORDS and titles.role(beside) is None) or (listed and not names_one):
        return False
    if line.section in _MAYBE_JOBS or line.section is Section.PROJECTS:
        near = cv.lines[max(0, line.number - 1) : line.number + _NEAR]
        return any(titles.role(one.text) for one in near if one.section is line.section)
    return True


def _title_line(cv: Sectioned, titles: Titles, line: Line, *, above: bool) -> Line | None:
    """The line with the job's title: its own, the one above, or one of the next two."""
    if titles.role(line.text) is not None:
        return line
    before = _short(cv.lines[max(0, line.number - _NEAR) : line.number][::-1])
    after = _short(cv.lines[line.number + 1 : line.number + 1 + _NEAR])
    if titles.names_a_job(line.text):
        return line
    for side in (before, after) if above else (after, before):
        for test in (titles.role, titles.names_a_job):
            one = next((one for one in side if test(one.text)), None)
            if one is not None:
                return one
    return None


def _titles_stand_above(cv: Sectioned, titles: Titles, headers: Sequence[tuple[Line, Dated]]) -> bool:
    """How this CV does it, by its jobs whose title is not on the line of the dates."""
    above = below = 0
    for line, _ in headers:
        if titles.role(line.text) is None and not titles.names_a_job(line.text):
            before = _short(cv.lines[max(0, line.number - 1) : line.number])
            after = _short(cv.lines[line.number + 1 : line.number + 2])
            above += any(titles.names_a_job(one.text) for one in before)
            below += any(titles.names_a_job(one.text) for one in after)
    return above >= below


def _short(lines: Sequence[Line]) -> list[Line]:
    """Those that can be a title: up to a heading or a blank line, no item of a list, no sentence."""
    found = []
    for line in lines:
        if line.heading or line.blank:
            break
        text = line.text.strip()
        item = text[:1] in BULLETS or text.startswith(("- ", "– ", "* "))
        if not item and len(text) <= _LONGEST_TITLE and not text.endswith("."):
            found.append(line)
    return found

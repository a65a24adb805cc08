"""A CV's text into what counts. Pure: the same text, catalogue and day give the same reading."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from services.intake.reading.cues import Hint, hints, is_advertisement, not_held
from services.intake.reading.flat import Flat, fold
from services.intake.reading.found import Reading, SkillFound
from services.intake.reading.named import roles_named
from services.intake.reading.periods import Period, dated, month_name, total
from services.intake.reading.places import place
from services.intake.reading.posts import Job, jobs
from services.intake.reading.sections import Line, Section, Sectioned, sectioned
from services.intake.reading.sentences import Sentences, is_list
from services.intake.reading.skills import Mention, SkillReader
from services.intake.reading.studies import education
from services.intake.reading.titles import Titles, seniority
from services.intake.reading.tongues import languages
from services.intake.reading.unknown import unknown_names
from services.intake.reading.wishes import wishes
from shared.events.role import Role
from shared.events.vocabulary import Seniority
from shared.taxonomy import Taxonomy

MOST_MENTIONS = 20
EVIDENCE_KEPT = 3
_PRIVATE = re.compile(
    r"(?<!\S)@*+[^\s@]++@\S+|(?:https?://|www\.)\S+|(?<!\w)(?:linkedin|github|gitlab)\.(?:com|io)\S*",
    re.IGNORECASE,
)
_STREET = re.compile(
    r"(?<!\w)\d{1,4}(?:\s?(?:bis|ter|[a-d]))?,?\s+(?:rue|avenue|av\.|boulevard|bd|place|chemin|allée|impasse|quai|cours"
    r"|route|square|villa|passage|faubourg|résidence)\s[^\n|•;,\d]*"
    r"|(?<!\w)\d{1,4},?\s+(?:[^\W\d_]+\s){1,3}(?:street|road|lane|avenue|drive|close|way|square|court)(?!\w)",
    re.IGNORECASE,
)
_PROFILE_LINKS = frozenset({"github", "gitlab", "linkedin", "stack-overflow", "skype", "bitbucket"})
_NAME_LINE = re.compile(
    r"^(?:(?:M\.|Mme|Mr\.?|Mrs\.?|Ms\.?|Dr\.?)\s+)?(?:[^\W\d_][^\W\d_.'’-]*+[.\s'’-]*+){2,5}$"
)
_EXPERIENCE = re.compile(
    r"(?<![\d.])(\d{1,2})\s?\+?\s(?:ans|annees|years|yrs)['’]?\s(?:d'|of |de )?(?:\w+ ){0,2}?experience"
    r"(?!s?\s+(?:en|in|with|avec|sur|on)\s)|experience\s?: (\d{1,2})\+? (?:ans|years)"
)
_DOING = frozenset({Section.HEAD, Section.SUMMARY, Section.EXPERIENCE, Section.PROJECTS})
_DATE = re.compile(r"\d\d")
_HEADLINE = 6
_LONGEST_HEADLINE = 120
_MAKING = re.compile(r"develop|program|cod(?:e|ing)|open.?source|raspberry|arduino|contribut|projet|project")
_MOVING = frozenset({"mobile-development"})
_NOT_TITLES = frozenset(
    [
        Section.ADVERTISEMENT, Section.REFERENCES, Section.WISHES, Section.INTERESTS, Section.SKILLS,
        Section.SOFT, Section.CERTIFICATIONS, Section.LANGUAGES,
    ]
)  # fmt: skip
_GLUED = re.compile(r"(?<=\S)(?=(?:Education|Skill|Company) Details\s*$)", re.MULTILINE)
"""Headings that an export writes behind the last word of what goes before."""
_PERSONAL = frozenset({Section.HEAD, Section.CONTACT, Section.WISHES, Section.SUMMARY})


@dataclass
class _Shown:
    """What a text shows of one skill, while it is read."""

    plain: set[str] = field(default_factory=set)
    listed: bool = False
    jobs: dict[int, set[str]] = field(default_factory=dict)
    hint: Hint = field(default_factory=Hint)
    evidence: dict[str, None] = field(default_factory=dict)


class CvReader:
    """Reads texts by one version of the catalogue."""

    def __init__(self, taxonomy: Taxonomy, roles: Mapping[str, Role]) -> None:
        self.skills = SkillReader(taxonomy)
        self._titles = Titles(roles)

    def read(self, text: str, today: date) -> Reading:
        try:
            return self._read(_GLUED.sub("\n", text), today)
        finally:
            self._titles.forget()

    def _read(self, text: str, today: date) -> Reading:
        name = _name_of(text, self._titles)
        visible = _without_the_person(text, name)
        cv = sectioned(visible)
        flat = self.skills.flat(visible)
        mentions = _counted(cv, self.skills.mentions(flat))
        held = jobs(cv, self._titles, today)
        skills = _skills(cv, flat, mentions, held, today)
        outside = _outside(cv, held)
        asked = wishes(outside, today)
        country, region = place(cv)
        return Reading(
            skills=skills,
            posts=tuple(job.post for job in held),
            named_roles=roles_named(_own_words(cv), self._titles, [job.post.role for job in held]),
            told_until=_told_until(cv, today),
            years=_years(held, outside),
            seniority=_seniority(cv, held, self._titles),
            languages=languages(cv),
            education=education(cv),
            country=country,
            region=region,
            remote=asked.remote,
            available_from=asked.available_from,
            contracts=asked.contracts,
            day_rate=asked.day_rate,
            unmapped=unknown_names(cv, mentions, frozenset(re.findall(r"[^\W_]{2,}", fold(name or "")))),
        )


def _without_the_person(text: str, name: str | None) -> str:
    """The text with names, addresses and links blanked, each place kept: they show no skill."""
    named = [re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)] if name else []
    blanked = text
    for private in (*named, _PRIVATE, _STREET):
        blanked = private.sub(lambda match: " " * len(match.group()), blanked)
    return blanked


def _name_of(text: str, titles: Titles) -> str | None:
    """The first line, where it reads as a person's name."""
    first = next((line.strip() for line in text.split("\n") if line.strip()), "")
    if not _NAME_LINE.match(first) or titles.names_a_job(first):
        return None
    words = first.split()
    capitals = all(word[0].isupper() for word in words if len(word) > 3)
    return first if 2 <= len(words) <= 5 and capitals and fold(first) not in _NO_NAMES else None


_NO_NAMES = frozenset({"curriculum vitae", "dossier de competences", "profil technique", "skills summary"})


def _counted(cv: Sectioned, mentions: Sequence[Mention]) -> list[Mention]:
    """Without those in advertisements, headings and labels, everyday words among hobbies, profile links."""
    kept = []
    place_of = _LineOf(cv.lines)
    for one in mentions:
        line = place_of(one.start)
        section = line.section
        # `Bases de données : PostgreSQL`
        named = line.heading or (line.label is Section.SKILLS and ":" in line.text[one.end - line.start :])
        hobby = section is Section.INTERESTS and not _MAKING.search(line.folded)
        moving = one.skill in _MOVING and section in _PERSONAL and line.folded.lstrip().startswith("mobil")
        link = section in {Section.HEAD, Section.CONTACT} and one.skill in _PROFILE_LINKS
        if section is not Section.ADVERTISEMENT and not (hobby or link or named or moving):
            kept.append(one)
    return kept


class _LineOf:
    """The line of a place in the text; places are asked for from left to right."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines
        self._number = 0

    def __call__(self, place: int) -> Line:
        if self._lines[self._number].start > place:
            self._number = 0
        while self._number + 1 < len(self._lines) and self._lines[self._number + 1].start <= place:
            self._number += 1
        return self._lines[self._number]


def _skills(
    cv: Sectioned, flat: Flat, mentions: Sequence[Mention], held: Sequence[Job], today: date
) -> tuple[SkillFound, ...]:
    without = not_held(flat, mentions)
    hinted = hints(flat, mentions, today)
    job_of = {number: place for place, job in enumerate(held) for number in range(job.first, job.last)}
    line_of = _LineOf(cv.lines)
    sentences = Sentences(flat.text)
    lists: dict[int, bool] = {}
    shown: dict[str, _Shown] = {}
    for number, one in enumerate(mentions):
        if number in without:
            continue
        line = line_of(one.start)
        skill = shown.setdefault(one.skill, _Shown())
        sentence = sentences.around(one.start, one.end)
        job = job_of.get(line.number)
        if line.number not in lists:
            lists[line.number] = line.section is Section.SKILLS or is_list(line.text)
        listed = lists[line.number]
        if job is not None:
            skill.jobs.setdefault(job, set()).add("" if listed else sentence)
        elif listed:
            skill.listed = True
        else:
            skill.plain.add(sentence)
        if number in hinted:
            skill.hint = _stronger(skill.hint, hinted[number])
        skill.evidence.setdefault(sentence)
    return tuple(_found(skill_id, one, held) for skill_id, one in shown.items())


def _stronger(one: Hint, other: Hint) -> Hint:
    return Hint(
        max(filter(None, (one.level, other.level)), default=None),
        max(filter(None, (one.years, other.years)), default=None),
        max(filter(None, (one.last_used, other.last_used)), default=None),
    )


def _found(skill_id: str, one: _Shown, held: Sequence[Job]) -> SkillFound:
    """Years are those stated, else those of the jobs that name the skill; a list counts once."""
    periods = [held[place].period for place in one.jobs]
    worked = round(total(periods) / 12, 1) if periods else None
    ends = [(period.end - 1) // 12 for period in periods]
    if one.hint.last_used is not None:
        ends.append(one.hint.last_used)
    mentions = int(one.listed) + len(one.plain) + sum(len(places) for places in one.jobs.values())
    return SkillFound(
        skill=skill_id,
        mentions=min(mentions, MOST_MENTIONS),
        level=one.hint.level,
        years=one.hint.years or worked,
        last_used=max(ends, default=None),
        # Sentences first, then lists; of very many, the first.
        evidence=tuple(sorted(islice(one.evidence, 50), key=is_list))[:EVIDENCE_KEPT],
    )


def _outside(cv: Sectioned, held: Sequence[Job]) -> list[Line]:
    """The lines where the person speaks of today and of wishes: not of jobs, studies or others."""
    told = {number for job in held for number in range(job.first, job.last)}
    here = {Section.HEAD, Section.SUMMARY, Section.WISHES, Section.CONTACT}
    return [line for line in cv.lines if line.section in here and line.number not in told and not line.blank]


def _own_words(cv: Sectioned) -> list[Line]:
    """Without what others say of somebody else, what the person may become one day, and lists of skills."""
    return [line for line in cv.lines if line.section not in _NOT_TITLES and not is_advertisement(line.text)]


def _told_until(cv: Sectioned, today: date) -> str | None:
    """The newest month of what the person did, under whatever title: nothing says what came after it."""
    newest = 0
    for line in cv.lines:
        if line.section not in _DOING or not _DATE.search(line.text):
            continue
        for one in dated(line.folded, today):
            if one.period.open:
                return None
            # A year alone may be a product's: `SQL Server 2019`.
            newest = max(newest, 0 if one.single else one.period.end)
    return month_name(newest - 1) if newest else None


def _years(held: Sequence[Job], outside: Sequence[Line]) -> float | None:
    """Of all jobs together, overlapping ones once; without jobs, what the text states."""
    periods: list[Period] = [job.period for job in held]
    if periods:
        return round(min(total(periods) / 12, 60), 1)
    for line in outside:
        if (match := _EXPERIENCE.search(line.folded)) is not None:
            return float(min(60, int(match[1] or match[2])))
    return None


def _seniority(cv: Sectioned, held: Sequence[Job], titles: Titles) -> Seniority | None:
    """As the head of the CV states it beside a title, else the title of the newest job."""
    head = [line for line in cv.lines if not line.blank and line.section is not Section.EXPERIENCE][
        :_HEADLINE
    ]
    for line in (*head, *cv.of(Section.SUMMARY)[:1]):
        if (
            len(line.text) <= _LONGEST_HEADLINE
            and titles.names_a_job(line.text)
            and (rank := seniority(line.text))
        ):
            return rank
    newest = max(held, key=lambda job: (job.period.end, job.period.begin), default=None)
    return seniority(newest.post.title) if newest else None

"""A CV's lines and the sections that they stand in, by their headings in French and English."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import yaml

from services.intake.reading.flat import BULLETS, fold
from services.intake.reading.unfolding import FLATTENED, pattern_of, unfolded


class Section(StrEnum):
    HEAD = "head"
    SUMMARY = "summary"
    SKILLS = "skills"
    SOFT = "soft"
    EXPERIENCE = "experience"
    PROJECTS = "projects"
    EDUCATION = "education"
    CERTIFICATIONS = "certifications"
    LANGUAGES = "languages"
    INTERESTS = "interests"
    CONTACT = "contact"
    WISHES = "wishes"
    REFERENCES = "references"
    ADVERTISEMENT = "advertisement"


_HEADINGS = yaml.safe_load((Path(__file__).parent / "headings.yaml").read_text("utf-8"))
_SECTION_OF = {name: Section(section) for section, names in _HEADINGS["sections"].items() for name in names}
_HEADING = pattern_of(_SECTION_OF)
_LABELS_OF_A_JOB = frozenset(_HEADINGS["labels_of_a_job"])
_INLINE = re.compile(r"^([^:]{3,45}?)\s*:\s*(\S.*)$")
_SPACED = re.compile(r"^(?:[^\W\d_]\s){4,}[^\W\d_]$")
_AROUND = f" \t{BULLETS}-–—_=#*:.|>~▬"
_AND = re.compile(r"\s*(?:&|/|\+|,|\bet\b|\band\b)\s*")
_PARAGRAPH = 60
_SENTENCE = re.compile(r"(?<=[.!?])\s(?=[^\W\d_a-zà-ÿ])")


@dataclass(frozen=True)
class Line:
    """A line of the text: `start` is its place in the text, `label` the section that its own label names."""

    text: str
    folded: str
    start: int
    number: int
    section: Section
    heading: bool = False
    label: Section | None = None

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def blank(self) -> bool:
        return not self.text.strip()


@dataclass
class Sectioned:
    lines: list[Line] = field(default_factory=list)

    def of(self, *sections: Section) -> list[Line]:
        """The lines of these sections, headings and blank ones left out."""
        return [
            line for line in self.lines if line.section in sections and not line.heading and not line.blank
        ]

    def has(self, section: Section) -> bool:
        return any(line.section is section for line in self.lines)


def sectioned(text: str) -> Sectioned:
    found = Sectioned()
    current = Section.HEAD
    start = 0
    for number, line in enumerate(_lines(text)):
        folded = fold(line)
        section = _heading(line, folded, current)
        if section is not None:
            current = section
        label = None
        if section is None and (inline := _INLINE.match(folded)) is not None:
            label = _named(inline[1])
        found.lines.append(Line(line, folded, start, number, current, section is not None, label))
        start += len(line) + 1
    return found


def _lines(text: str) -> Iterator[str]:
    """The lines; of a paragraph each sentence: one may tell of one job, the next of another."""
    for line in text.split("\n"):
        if len(line) < _PARAGRAPH:
            yield line
        else:
            # As long together as the line was: each place in the text stays what it is.
            for one in unfolded(line, _HEADING) if len(line) > FLATTENED else (line,):
                yield from _SENTENCE.split(one)


def _heading(line: str, folded: str, current: Section) -> Section | None:
    if len(folded) > 70:
        return None
    bare = folded.strip(_AROUND)
    if _SPACED.match(bare):
        # C O M P E T E N C E S
        bare = bare.replace(" ", "")
    section = _named(bare)
    if section is None:
        return None
    in_a_job = current in {Section.EXPERIENCE, Section.PROJECTS}
    if in_a_job and not line.isupper() and bare in _LABELS_OF_A_JOB and _could_be_a_label(folded):
        return None
    return section


def _could_be_a_label(folded: str) -> bool:
    bare = folded.strip()
    return bare.endswith(":") or bare[:1] in BULLETS or bare.split(" ")[0] not in {"competences", "skills"}


def is_heading(folded: str) -> bool:
    """Whether these words head a section somewhere."""
    return _named(folded) is not None


def _named(name: str) -> Section | None:
    plain = " ".join(name.replace("-", " ").strip(_AROUND).split())
    if plain in _SECTION_OF:
        return _SECTION_OF[plain]
    parts = [part for part in _AND.split(plain) if part]
    if 2 <= len(parts) <= 3:
        sections = [_SECTION_OF.get(part) for part in parts]
        if sections[0] is not None and all(sections):
            return sections[0]
    return None

"""What reading finds, in JSON's types: it crosses from a worker process to the service as JSON."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.intake.domain.fields import Refusal
from shared.events.vocabulary import Cefr, Contract, Remote, Seniority


class DocumentKind(StrEnum):
    PDF = "pdf"
    DOCX = "docx"
    TEXT = "text"


@dataclass(frozen=True)
class CvDocument:
    """A file's text in reading order. `warnings` are English sentences; `pages` is 1 where there are none."""

    text: str
    kind: DocumentKind
    warnings: tuple[str, ...] = ()
    pages: int = 1


class UnreadableKind(StrEnum):
    SCANNED = "scanned"
    ENCRYPTED = "encrypted"
    BROKEN = "broken"
    TOO_LARGE = "too_large"
    TOO_LONG = "too_long"
    BOMB = "bomb"
    UNSUPPORTED = "unsupported"
    TIMED_OUT = "timed_out"
    EMPTY = "empty"


_SENTENCES: Final[dict[UnreadableKind, tuple[str, str]]] = {
    UnreadableKind.SCANNED: (
        "Ce PDF ne contient que des images : son texte ne peut pas être lu. "
        "Envoyez le fichier d’origine (Word ou PDF exporté) ou collez le texte.",
        "This PDF holds pictures only, so its text cannot be read. "
        "Send the original file (Word, or an exported PDF), or paste the text.",
    ),
    UnreadableKind.ENCRYPTED: (
        "Ce fichier est protégé par un mot de passe. Envoyez-le sans protection.",
        "This file is protected by a password. Send it without one.",
    ),
    UnreadableKind.BROKEN: (
        "Ce fichier est endommagé et ne peut pas être ouvert. Enregistrez-le à nouveau, puis renvoyez-le.",
        "This file is damaged and cannot be opened. Save it again and send it once more.",
    ),
    UnreadableKind.TOO_LARGE: (
        "Ce fichier est trop volumineux : 10 Mo au plus.",
        "This file is too large: at most 10 MB are accepted.",
    ),
    UnreadableKind.TOO_LONG: (
        "Ce document est trop long pour un CV : 40 pages et 200 000 caractères au plus.",
        "This document is too long for a CV: at most 40 pages and 200,000 characters are accepted.",
    ),
    UnreadableKind.BOMB: (
        "Ce fichier demande beaucoup trop de mémoire une fois ouvert : il est refusé.",
        "This file takes far too much memory once opened, so it is refused.",
    ),
    UnreadableKind.UNSUPPORTED: (
        "Ce type de fichier n’est pas accepté : envoyez un PDF, un document Word (.docx) ou un texte.",
        "This type of file is not accepted: send a PDF, a Word document (.docx) or a text file.",
    ),
    UnreadableKind.TIMED_OUT: (
        "La lecture de ce fichier prend trop de temps : il est refusé. Essayez un export PDF plus simple.",
        "Reading this file takes too long, so it is refused. Try a simpler PDF export.",
    ),
    UnreadableKind.EMPTY: (
        "Ce fichier ne contient aucun texte.",
        "This file holds no text.",
    ),
}


class Unreadable(Refusal):
    """The file is not read, and nothing of it is kept. `kind` is stable; `fr` and `en` are for people."""

    def __init__(self, kind: UnreadableKind) -> None:
        self.kind = UnreadableKind(kind)
        self.fr, self.en = _SENTENCES[self.kind]
        super().__init__([("/cv", self.en)])


@dataclass(frozen=True)
class SkillFound:
    """What a text says of one skill.

    `level` (1-5) is what the text states, None where it states none; `last_used` is a year; `evidence` are
    the sentences that show it, at most three.
    """

    skill: str
    mentions: int
    level: int | None = None
    years: float | None = None
    last_used: int | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Post:
    """A dated job. `role` is the catalogue's role, None for a title that it does not know.

    `title` is as written; `begin` and `until` are months (`2019-03`); `until` is None where it goes on.
    """

    title: str
    role: str | None
    begin: str
    until: str | None
    months: int


@dataclass(frozen=True)
class LanguageFound:
    """ISO 639-1, and the CEFR level where one is stated or follows from a test or a word."""

    language: str
    level: Cefr | None = None


@dataclass(frozen=True)
class Reading:
    """What a CV's text says, by one version of the catalogue. Nothing in it names or describes the person.

    `named_roles` are roles that the text names without dates, those of the posts left out.
    Exceptions: `posts[].title` and `skills[].evidence` are quotes, and `unmapped` are names as written: they
    stay in the store.
    """

    skills: tuple[SkillFound, ...] = ()
    posts: tuple[Post, ...] = ()
    named_roles: tuple[str, ...] = ()
    """Roles held that the text names without saying when, those of `posts` apart."""
    told_until: str | None = None
    """The newest month that the text tells of; None where something goes on today, or no date is told."""
    years: float | None = None
    seniority: Seniority | None = None
    languages: tuple[LanguageFound, ...] = ()
    education: int | None = None
    country: str | None = None
    region: str | None = None
    remote: Remote | None = None
    available_from: str | None = None
    contracts: tuple[Contract, ...] = ()
    day_rate: int | None = None
    unmapped: tuple[str, ...] = ()

"""The texts of the privacy page: what is stored, why, for how long, and how to object."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from shared.events.vocabulary import LocalizedText

_TEXTS = Path(__file__).parent / "privacy.yaml"


class Section(BaseModel):
    """Paragraphs, then the items of a list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    title: LocalizedText
    text: list[LocalizedText] = Field(default_factory=list)
    items: list[LocalizedText] = Field(default_factory=list)


class Privacy(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: LocalizedText
    lead: LocalizedText
    sections: list[Section]
    contact: LocalizedText


def privacy() -> Privacy:
    """The texts of privacy.yaml, their values not filled in yet."""
    return Privacy.model_validate(yaml.safe_load(_TEXTS.read_text("utf-8")))

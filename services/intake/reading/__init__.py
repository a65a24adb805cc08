"""Reads CVs: files into text, text into what counts. Pure, but for `workers`, which runs it elsewhere."""

from services.intake.reading.skills import SkillReader, offered

__all__ = ["SkillReader", "offered"]

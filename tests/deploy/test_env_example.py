"""`.env.example` lists every variable that the code reads, and no other."""

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, TypeAdapter
from pydantic_settings import BaseSettings

from shared.settings import Settings
from tests.deploy.files import ROOT, SERVICES

# "#NAME=value" is a variable that is not set; "# words" is a comment.
VARIABLE = re.compile(r"^#?([A-Z][A-Z0-9_]*)=(.*)$")
LINES = (ROOT / ".env.example").read_text().splitlines()
LISTED = {found[1]: found[2] for line in LINES if (found := VARIABLE.match(line))}


def settings_classes() -> list[type[BaseSettings]]:
    """The shared settings, and those of each service's `settings` module."""
    found: list[type[BaseSettings]] = [Settings]
    for service in SERVICES:
        name = f"services.{service}.settings"
        if find_spec(name) is None:
            continue
        found += [
            thing
            for thing in vars(import_module(name)).values()
            if isinstance(thing, type) and issubclass(thing, BaseSettings) and thing.__module__ == name
        ]
    return found


def variables(settings: type[BaseSettings]) -> dict[str, str]:
    """Name of each environment variable -> the field that it fills."""
    prefix = settings.model_config.get("env_prefix", "")
    return {f"{prefix}{field}".upper(): field for field in settings.model_fields}


@pytest.mark.parametrize("settings", settings_classes(), ids=lambda settings: settings.__name__)
def test_every_setting_is_listed(settings: type[BaseSettings]) -> None:
    assert variables(settings).keys() - LISTED.keys() == set()


@pytest.mark.parametrize("settings", settings_classes(), ids=lambda settings: settings.__name__)
def test_the_value_shown_is_the_default(settings: type[BaseSettings]) -> None:
    for name, field_name in variables(settings).items():
        field = settings.model_fields[field_name]
        if field.default is None or isinstance(field.default, SecretStr | Path):
            continue  # an example, or a secret that has none
        kind: Any = field.annotation
        assert TypeAdapter(kind).validate_python(LISTED[name]) == field.default, name


def test_nothing_is_listed_that_no_one_reads() -> None:
    assert LISTED.keys() - {name for settings in settings_classes() for name in variables(settings)} == set()


def test_every_variable_has_a_comment_above_it() -> None:
    for number, line in enumerate(LINES):
        if VARIABLE.match(line):
            above = next(before for before in reversed(LINES[:number]) if not VARIABLE.match(before))
            assert re.match(r"# [^-]", above), line


def test_a_copy_changes_nothing() -> None:
    assert [line for line in LINES if line and not line.startswith("#")] == []

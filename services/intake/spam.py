"""A trap for robots in place of a captcha: a field no person sees, and the time it takes to fill in a form.

Who is caught gets the form again with all that was typed, so a person caught by mistake loses one click.
"""

from datetime import UTC, datetime, timedelta
from typing import Protocol

from shared.tokens import BadToken, Tokens

TRAP = "website"
SHOWN = "shown"
_PURPOSE = "need-form"
_LIFETIME = timedelta(days=2)


class TypedForm(Protocol):
    values: dict[str, str]

    def value(self, name: str) -> str: ...


class FormGuard:
    def __init__(self, tokens: Tokens, seconds: float) -> None:
        """`seconds`: the shortest time in which a person fills in the form."""
        self._tokens = tokens
        self._least = timedelta(seconds=seconds)

    def stamp(self) -> str:
        """Says, signed, when the form was shown; it goes into a hidden field."""
        shown_at = f"{datetime.now(UTC).timestamp():.3f}"
        return self._tokens.issue(_PURPOSE, shown_at, lifetime=_LIFETIME)

    def objection(self, form: TypedForm) -> str | None:
        """The key of the notice for who looks like a robot, None for everybody else."""
        if form.value(TRAP):
            form.values[TRAP] = ""
            return "trapped"
        try:
            shown_at = float(self._tokens.verify(form.value(SHOWN), _PURPOSE).subject)
        except (BadToken, ValueError):
            return "not_shown"
        taken = datetime.now(UTC) - datetime.fromtimestamp(shown_at, UTC)
        return "too_fast" if taken < self._least else None

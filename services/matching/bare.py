"""Events of values that were computed here from validated ones, made without validating them again."""

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel

from shared.events.topic import Fact

F = TypeVar("F", bound=Fact)

# A third of what `object.__setattr__` takes, and past the check that the event is frozen, as that is.
_set_dict, _set_fields, _set_extra, _set_private = (
    BaseModel.__dict__[name].__set__
    for name in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


def maker_of(kind: type[F]) -> Callable[[dict[str, Any]], F]:
    """As `kind.model_construct`, in a tenth of the time; the values have every field, and belong to it."""
    # One set for all: events are frozen, and copying one copies its set.
    fields = set(kind.model_fields)
    new = kind.__new__

    def make(values: dict[str, Any]) -> F:
        made = new(kind)
        _set_dict(made, values)
        _set_fields(made, fields)
        _set_extra(made, None)
        _set_private(made, None)
        return made

    return make

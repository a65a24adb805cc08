"""The form of a consultant: what it shows, and what was typed into it as fields. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from pydantic import ValidationError

from services.notifier.consultants import Consultant, ConsultantFields, Delivery
from shared.events.vocabulary import Locale
from shared.web.problems import as_field_errors

Form = dict[str, Any]
TEXTS = ("name", "email", "phone", "roles", "regions", "quiet_from", "quiet_to", "time_zone")
OWN = ("phone", "locale", "delivery", "quiet_from", "quiet_to", "time_zone")
"""What consultants set themselves."""
TIME_ZONES = (
    "Europe/Paris",
    "Europe/Brussels",
    "Europe/Zurich",
    "Europe/London",
    "Europe/Madrid",
    "Europe/Lisbon",
    "Europe/Berlin",
    "America/Guadeloupe",
    "America/Montreal",
    "Indian/Reunion",
    "Indian/Mauritius",
    "Africa/Casablanca",
    "UTC",
)
"""Offered first; any other of the IANA database can be typed."""


class Typed(Protocol):
    """What a browser sent: names with one value or several."""

    def get(self, key: str, default: Any = None) -> Any: ...

    def getlist(self, key: Any) -> Sequence[Any]: ...


class BadForm(Exception):  # noqa: N818 - what it is
    """`words`: field of the form -> key of the desk's words that say what is wrong with it."""

    def __init__(self, fields: Iterable[str]) -> None:
        self.words = {name: f"bad_{name if name in TEXTS else 'other'}" for name in fields}
        super().__init__(", ".join(self.words))


def shown(consultant: Consultant | None, families: Sequence[str]) -> Form:
    """The form filled with a consultant as stored, or empty for a new one."""
    if consultant is None:
        return typed_form({}, families)
    quiet = consultant.quiet_hours
    return {
        "name": consultant.name,
        "email": consultant.email,
        "phone": consultant.phone or "",
        "locale": consultant.locale.value,
        "families": [one for one in consultant.practices if one in families],
        "roles": ", ".join(one for one in consultant.practices if one not in families),
        "regions": ", ".join(consultant.regions),
        "delivery": consultant.delivery.value,
        "quiet_from": f"{quiet.start:%H:%M}" if quiet else "",
        "quiet_to": f"{quiet.end:%H:%M}" if quiet else "",
        "time_zone": consultant.time_zone,
        "admin": consultant.admin,
    }


def typed_form(typed: Typed | Mapping[str, Any], families: Sequence[str]) -> Form:
    """The form as it was typed, to be shown again."""
    several = typed.getlist("families") if hasattr(typed, "getlist") else []
    form: Form = {name: str(typed.get(name) or "").strip()[:2000] for name in TEXTS}
    return form | {
        "locale": _one_of(typed.get("locale"), [one.value for one in Locale], Locale.FR.value),
        "delivery": _one_of(typed.get("delivery"), [one.value for one in Delivery], Delivery.IMMEDIATE.value),
        "families": [one for one in several if one in families],
        "time_zone": form["time_zone"] or TIME_ZONES[0],
        "admin": typed.get("admin") == "on",
    }


def _one_of(value: Any, known: Sequence[str], default: str) -> str:
    return value if value in known else default


def as_fields(form: Form) -> ConsultantFields:
    """Raises BadForm."""
    quiet = {"start": form["quiet_from"] or None, "end": form["quiet_to"] or None}
    values = {
        "name": form["name"],
        "email": form["email"],
        "phone": form["phone"] or None,
        "locale": form["locale"],
        "practices": [*form["families"], *_listed(form["roles"])],
        "regions": [region.upper() for region in _listed(form["regions"])],
        "delivery": form["delivery"],
        "quiet_hours": quiet if any(quiet.values()) else None,
        "time_zone": form["time_zone"],
        "admin": form["admin"],
    }
    try:
        return ConsultantFields.model_validate(values)
    except ValidationError as error:
        raise BadForm(_field(pointer) for pointer, _ in as_field_errors(error)) from error


def own_settings(form: Form, before: Consultant, families: Sequence[str]) -> Form:
    """What consultants may set themselves from `form`, all else as it is."""
    return shown(before, families) | {name: form[name] for name in OWN}


def _field(pointer: str) -> str:
    """The form's field of an error's JSON pointer."""
    first, *rest = pointer.strip("/").split("/")
    if first == "practices":
        return "roles"
    if first == "quiet_hours":
        return "quiet_to" if rest[:1] == ["end"] else "quiet_from"
    return first


def _listed(text: str) -> list[str]:
    return [part for part in text.replace(",", " ").replace(";", " ").split() if part]

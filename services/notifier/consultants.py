"""A consultant as notifier knows them. Pure."""

from datetime import datetime, time
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from services.notifier.letterhead import address, header_safe
from shared.events.vocabulary import Locale, Slug


class Delivery(StrEnum):
    IMMEDIATE = "immediate"
    DAILY = "daily"
    PAUSED = "paused"


def known_zone(name: str) -> str:
    """The name of a time zone that there is. Raises ValueError."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("is not a time zone of the IANA database, such as Europe/Paris") from error
    return name


PlaceCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
"""A country (ISO 3166-1 alpha-2) or one of its regions (ISO 3166-2)."""


def local_time(value: time) -> time:
    """Raises ValueError for a time that names its zone: the consultant's own counts."""
    if value.tzinfo is not None:
        raise ValueError("is a local time such as 22:00, without a time zone")
    return value


LocalTime = Annotated[time, AfterValidator(local_time)]


class QuietHours(BaseModel):
    """No mail from `start` to `end`, local time; over midnight where `end` is before `start`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: LocalTime
    end: LocalTime


class ConsultantFields(BaseModel):
    """What may be set of a consultant. `practices` are role ids or families of roles."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=120), AfterValidator(header_safe)]
    email: Annotated[str, Field(max_length=254), AfterValidator(address)]
    phone: str | None = Field(default=None, pattern=r"^\+?[0-9 ().-]{3,30}$")
    locale: Locale = Locale.FR
    practices: tuple[Slug, ...] = Field(default=(), max_length=100)
    regions: tuple[PlaceCode, ...] = Field(default=(), max_length=300)
    delivery: Delivery = Delivery.IMMEDIATE
    quiet_hours: QuietHours | None = None
    time_zone: Annotated[str, AfterValidator(known_zone)] = "Europe/Paris"
    admin: bool = False


class Consultant(ConsultantFields):
    model_config = ConfigDict(frozen=True, extra="ignore")

    consultant_id: str
    revision: int
    active: bool = True
    last_assigned_at: datetime | None = None
    unreachable: bool = False
    """Mails to the address came back; saving the consultant again lifts it."""

    @property
    def available(self) -> bool:
        """Whether needs may be given to them."""
        return self.active and self.delivery is not Delivery.PAUSED and not self.unreachable

"""Notifier's own configuration; what all services share is in shared/settings.py."""

from datetime import time, timedelta
from pathlib import Path
from typing import Annotated

import holidays
from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.notifier.consultants import known_zone
from services.notifier.hours import Hours
from shared.events.vocabulary import Locale


class NotifierSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="NOTIFIER_", env_file=".env", extra="ignore", frozen=True)

    smtp_seconds: float = Field(default=60, gt=0)
    """How long one mail may take, connection to final answer. A lease on a row lives half as long again."""
    connections: int = Field(default=4, ge=1, le=50)
    """Connections to the relay, and so mails in flight, of one replica."""
    settle_seconds: float = Field(default=30, ge=0)
    """How long "nobody fits" must hold before it is mailed."""
    retry_unit: float = Field(default=1.0, gt=0)
    """Scales the pauses between tries; 1 is seconds to hours."""
    give_up_hours: float = Field(default=72, gt=0)
    """A mail that the relay keeps putting off for so long is a permanent failure."""
    link_days: int = Field(default=30, ge=1)
    """How long the links in a mail work."""
    agency_locale: Locale = Locale.FR
    """The language of mails to the agency's own inbox."""

    working_day_start: time = time(9)
    working_day_end: time = time(18)
    """A consultant's working day, Monday to Friday, in their time zone."""
    holidays: str = Field(default="FR", pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$")
    """Whose public holidays are no working days: a country (ISO 3166-1) or region (ISO 3166-2), or none."""
    answer_hours: float = Field(default=4, gt=0)
    """Working hours after which a need that its consultant did not answer passes on."""
    digest_at: time = time(8)
    """When daily digests go, in the consultant's time zone."""
    mails_per_minute: float = Field(default=6000, gt=0)
    """The most mails that one replica hands to the relay."""
    bounce_maildir: Path | None = None
    """Where the mail server puts what comes back (RFC 3464). Without one, it goes to the agency's inbox."""
    bounce_address: str | None = None
    """Where mails come back to, such as bounces@example.com: each mail adds +… to its local part. By default
    `bounces` at the domain of AGENCY_EMAIL."""

    ledger_days: int = Field(default=400, ge=60)
    """How long it is known which mails there were about a need that is closed, and which letters."""

    agency_time_zone: Annotated[str, AfterValidator(known_zone)] = "Europe/Paris"
    """In which letters tell the time."""

    @property
    def settle(self) -> timedelta:
        return timedelta(seconds=self.settle_seconds)

    @property
    def ledger(self) -> timedelta:
        return timedelta(days=self.ledger_days)

    @property
    def answer(self) -> timedelta:
        return timedelta(hours=self.answer_hours)

    @model_validator(mode="after")
    def _working_day(self) -> "NotifierSettings":
        if self.working_day_end <= self.working_day_start:
            raise ValueError("WORKING_DAY_END must be after WORKING_DAY_START")
        self.hours()
        return self

    def hours(self) -> Hours:
        """Raises ValueError where the public holidays are not known."""
        country, _, region = self.holidays.partition("-")
        try:
            days = holidays.country_holidays(country, subdiv=region or None) if country else {}
        except NotImplementedError as error:
            raise ValueError(f"the public holidays of {self.holidays} are not known") from error
        return Hours(self.working_day_start, self.working_day_end, self.digest_at, days)

    @property
    def lease_seconds(self) -> float:
        return 1.5 * self.smtp_seconds

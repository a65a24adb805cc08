"""Notifier's own configuration; what all services share is in shared/settings.py."""

from datetime import timedelta

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

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

    @property
    def settle(self) -> timedelta:
        return timedelta(seconds=self.settle_seconds)

    @property
    def lease_seconds(self) -> float:
        return 1.5 * self.smtp_seconds

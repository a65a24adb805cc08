"""Intake's own configuration: environment variables with the prefix INTAKE_."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class IntakeSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="INTAKE_", env_file=".env", extra="ignore", frozen=True)

    rate_burst: int = Field(default=20, ge=1)
    """How many needs one address may post at once, without a key."""
    rate_per_second: float = Field(default=1.0, gt=0)
    """How many more it may post each second after that."""
    idempotency_days: int = Field(default=7, ge=1)
    """How long the answer to an Idempotency-Key is kept."""
    batch_bytes: int = Field(default=16 * 1024 * 1024, ge=1024)
    """The largest body of POST /api/candidates/batch."""
    stream_poll_seconds: float = Field(default=0.5, gt=0)
    """How often an open status page looks for what another replica wrote."""
    stream_heartbeat_seconds: float = Field(default=15.0, gt=0)
    housekeeping_seconds: float = Field(default=600.0, gt=0)
    """How often ended legal bases and old idempotency keys are swept."""

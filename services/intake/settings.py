"""Intake's own configuration: environment variables with the prefix INTAKE_."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class IntakeSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="INTAKE_", env_file=".env", extra="ignore", frozen=True)

    rate_burst: int = Field(default=20, ge=1)
    """How many needs one address may post at once, without a key."""
    rate_per_second: float = Field(default=1.0, gt=0)
    """How many more it may post each second after that."""
    form_seconds: float = Field(default=2.0, ge=0)
    """The shortest time in which a person fills in the need form; who is faster is asked to send it again."""
    idempotency_days: int = Field(default=7, ge=1)
    """How long the answer to an Idempotency-Key is kept."""
    batch_bytes: int = Field(default=16 * 1024 * 1024, ge=1024)
    """The largest body of POST /api/candidates/batch."""
    read_workers: int = Field(default=2, ge=1, le=16)
    """Processes that read CVs."""
    read_seconds: float = Field(default=20.0, gt=0)
    """The longest that one file may take to read."""
    read_megabytes: int = Field(default=512, ge=256)
    """The most address space that a process that reads CVs may take."""
    consent_months: int = Field(default=24, ge=1, le=60)
    """How long a candidate's consent holds; the privacy page of catalog announces the same."""
    stream_poll_seconds: float = Field(default=0.5, gt=0)
    """How often an open status page looks for what another replica wrote."""
    stream_heartbeat_seconds: float = Field(default=15.0, gt=0)
    housekeeping_seconds: float = Field(default=600.0, gt=0)
    """How often ended legal bases and old idempotency keys are swept."""
    candidate_months: int = Field(default=24, ge=1)
    """How long candidates are kept after the last contact with them; the privacy page announces it."""
    need_months: int = Field(default=36, ge=1)
    """How long needs are kept after they were closed."""
    warning_days: int = Field(default=30, ge=1)
    """How long before their erasure candidates are told of it."""

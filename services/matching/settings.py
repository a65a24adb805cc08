"""Matching's own configuration: variables with the prefix MATCHING_."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class MatchingSettings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", env_prefix="MATCHING_", extra="ignore", frozen=True)

    settling_seconds: float = Field(default=3.0, ge=0)
    """How long after a need (or a start) "nobody is eligible" waits: the pool may still be filling."""
    rest_seconds: float = Field(default=1.0, ge=0)
    """A need is ranked again at most this often while candidates pour in."""
    margin_percent: float = Field(default=15, ge=0, le=100)
    """The agency's margin on a day rate. Published with the model, so that all replicas rank with one."""
    model_check_seconds: float = Field(default=60.0, gt=0)
    """How often to look whether the model is due: daily, or when the pool has grown."""
    preview_per_second: float = Field(default=2.0, gt=0)
    preview_burst: int = Field(default=20, ge=1)
    rank_queue: int = Field(default=16, ge=1)
    """Requests to rank that may wait at once; more get 429."""

"""Catalog's own configuration, from variables that begin with CATALOG_."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

SHIPPED = Path(__file__).parent / "data"


class CatalogSettings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", env_prefix="CATALOG_", extra="ignore", frozen=True)

    data: Path = SHIPPED
    """The folder with roles/*.yaml and skills/*.yaml that an empty store is seeded from."""
    refresh_seconds: float = Field(default=2.0, gt=0)
    """How long another replica's changes may take to show in reads."""
    history_kept: int = Field(default=50, ge=1)
    """Changes remembered of each role and skill."""
    reads_per_second: float = Field(default=20.0, gt=0)
    """Sustained reads an address may make without a key; a burst of ten times as many is let through."""
    privacy_candidate_months: int = Field(default=24, ge=1)
    """How long after the last contact a candidate's data are kept, as the privacy page says."""
    privacy_need_months: int = Field(default=36, ge=1)
    """How long after a need was closed its client's data are kept, as the privacy page says."""

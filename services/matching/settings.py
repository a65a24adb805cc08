"""Matching's own configuration: variables with the prefix MATCHING_."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.matching.weights import Overrides, Weights, problems_of
from shared.settings import Misconfigured


class MatchingSettings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", env_prefix="MATCHING_", extra="ignore", frozen=True)

    settling_seconds: float = Field(default=3.0, ge=0)
    """How long after a need (or a start) "nobody is eligible" waits: the pool may still be filling."""
    rest_seconds: float = Field(default=1.0, ge=0)
    """A need is ranked again at most this often while candidates pour in."""
    margin_percent: float = Field(default=15, ge=0, le=100)
    """The agency's margin on a day rate. Published with the model, so that all replicas rank with one."""
    weights: Path | None = None
    """A YAML file of weights that differ from the defaults: under `default`, or under a family's, a role's or
    a need's id for those alone. Published with the model."""
    model_check_seconds: float = Field(default=60.0, gt=0)
    """How often to look whether the model is due: daily, or when the pool has grown."""
    preview_per_second: float = Field(default=2.0, gt=0)
    preview_burst: int = Field(default=20, ge=1)
    rank_queue: int = Field(default=16, ge=1)
    """Rankings and previews under way at once for callers; more get 429."""
    rank_timeout_seconds: float = Field(default=30.0, gt=0)

    def weighing(self) -> tuple[Weights, Overrides]:
        """The weights to publish, and those that differ for some needs. Raises Misconfigured."""
        overrides = read_overrides(self.weights) if self.weights else {}
        defaults = dict(overrides.pop("default", {}))
        return replace(Weights(margin_percent=self.margin_percent), **defaults), overrides


def read_overrides(path: Path) -> dict[str, Mapping[str, float]]:
    """A YAML file of name -> weight -> number. Raises Misconfigured naming what is wrong."""
    try:
        found: Any = yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Misconfigured(f"{path}: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        raise Misconfigured(f"{path}: names with weights under each are expected")
    for name, weights in found.items():
        for weight, problem in problems_of(weights).items():
            raise Misconfigured(f"{path}, {name}: {weight} {problem}")
    return {
        str(name): {key: float(value) for key, value in weights.items()} for name, weights in found.items()
    }

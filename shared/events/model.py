"""matching.model.v1: what all replicas of matching rank with, recomputed daily by one of them."""

from datetime import date
from typing import Literal

from pydantic import Field

from shared.events.topic import Event, Topic


class RankingModel(Event):
    """`rarity` is a factor per skill, 1 where absent; `candidates` is the size of the pool it was taken from.

    `as_of` is the day that recency and availability are judged on.
    """

    model_id: Literal["model"] = "model"
    as_of: date
    candidates: int = Field(ge=0)
    rarity: dict[str, float] = Field(default_factory=dict)
    weights_version: str
    weights: dict[str, float] = Field(default_factory=dict)
    overrides: dict[str, dict[str, float]] = Field(default_factory=dict)
    """A family's, a role's or a need's id -> the weights that differ for it."""


MODEL = Topic(
    "matching.model.v1",
    RankingModel,
    key="model_id",
    partitions=1,
    compacted=True,
    producers=("matching",),
    consumers=("matching",),
)

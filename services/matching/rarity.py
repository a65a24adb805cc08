"""The published model: how rare each skill is in the pool, the weights, and the day recency is judged on."""

from collections.abc import Mapping
from datetime import date, datetime
from math import log
from types import MappingProxyType

from services.matching.weights import Overrides, Weights, version_of
from shared.events.model import RankingModel
from shared.events.topic import next_revision

SMOOTHING = 10
FIRST_POOL = 100
"""Below this many candidates a pool says little of rarity: the model is renewed when it gets there."""
GROWTH = 10
NO_OVERRIDES: Overrides = MappingProxyType({})


def rarity_of(holders: int, candidates: int) -> float:
    """1 for a skill that everybody has, towards 2 for the rarest: 1 + log((N + 10) / (n + 10)) / log(N + 10).

    An inverse document frequency, bounded so that one rare skill weighs at most two common ones, and
    smoothed so that small pools tell skills apart only a little.
    """
    whole = candidates + SMOOTHING
    return round(1 + log(whole / (min(holders, candidates) + SMOOTHING)) / log(whole), 3)


def due(
    model: RankingModel | None,
    candidates: int,
    today: date,
    weights: Weights,
    overrides: Overrides = NO_OVERRIDES,
) -> bool:
    """Whether a new model is to be published.

    Daily; when there is none (even for an empty pool, so that ranking can begin); when the pool first has
    100 candidates, and when it has grown tenfold since; when the weights are others.
    """
    if model is None or model.as_of < today:
        return True
    if model.weights_version != version_of(weights) or model.weights != weights.as_mapping():
        return True
    if model.overrides != overrides:
        return True
    return candidates >= max(FIRST_POOL, GROWTH * model.candidates) or (
        model.candidates < FIRST_POOL <= candidates
    )


def model_of(
    frequency: Mapping[str, int],
    candidates: int,
    weights: Weights,
    previous: RankingModel | None,
    now: datetime,
    overrides: Overrides = NO_OVERRIDES,
) -> RankingModel:
    """A model of the pool as it is. Below 100 candidates all skills count alike."""
    rarity = (
        {skill: rarity_of(holders, candidates) for skill, holders in sorted(frequency.items())}
        if candidates >= FIRST_POOL
        else {}
    )
    return RankingModel(
        revision=next_revision(previous.revision if previous else 0, now),
        occurred_at=now,
        as_of=now.date(),
        candidates=candidates,
        rarity=rarity,
        weights_version=version_of(weights),
        weights=weights.as_mapping(),
        overrides={name: dict(differing) for name, differing in overrides.items()},
    )

"""The ranking's numbers, in this one place. A change of any of them is a new `VERSION`.

All arithmetic of the ranking is on integers, so that the same inputs give the same bytes everywhere:
values and weights are parts per million (PPM), points are ten-thousandths of a point, levels hundredths.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

VERSION = "1"
ENGINE = "python-1"
"""Version of the code that ranks; a change of the arithmetic itself changes it."""

PPM = 1_000_000
UNITS_PER_POINT = 10_000

UNKNOWN = 500_000
"""What an unknown fact earns: below who is known to fit, above who is known not to."""
CLOSE_MISS = 400_000
"""The most that a known misfit earns, however close it comes."""
UNKNOWN_EXPERIENCE = 250_000
"""What a candidate of whom no role is known earns for experience and for titles."""

RELATED_CAP = 900_000
"""A related skill never earns more of the asked one than this, whatever the taxonomy says."""
ESTIMATED_PERCENT = 95
"""What an estimated level counts of the same level stated."""

FULL_EXPERIENCE_MONTHS = 60
SHEET_RELEVANCE = 700
"""Of 1000: how much a skill of the role's sheet that was not asked belongs to the profile looked for."""
NEIGHBOUR_RELEVANCE = 500
FAMILY_AFFINITY = 250_000
"""What a title of the same family earns that is neither the asked role nor adjacent to it."""
THIN_PROFILE = 150
"""Salience added below the line of the profile's share, so that one lone skill makes no specialist."""
SHEET_SKILLS_UP_TO = 5
"""From this many asked skills on, the role's own usual skills add nothing."""


@dataclass(frozen=True)
class Weights:
    """What each criterion weighs before those not asked about are left out and the rest is scaled to 1.

    `skills` is shared by must and nice-to-have skills: a must weighs `must_factor` times a nice-to-have, each
    multiplied by its rarity. `role_skills` counts once for each skill that the client named fewer than
    `SHEET_SKILLS_UP_TO`. `margin_percent` is the agency's margin on a day rate.
    """

    skills: float = 50
    must_factor: float = 3
    role_experience: float = 12
    role_fit: float = 18
    role_skills: float = 2
    seniority: float = 6
    location: float = 5
    remote: float = 3
    start_by: float = 4
    contracts: float = 4
    budget: float = 5
    languages: float = 5
    min_years: float = 5
    min_education: float = 3
    margin_percent: float = 15

    def as_mapping(self) -> dict[str, float]:
        """As the published model carries them."""
        return {name: float(value) for name, value in asdict(self).items()}

    @classmethod
    def of(cls, published: Mapping[str, float]) -> "Weights":
        """From a published model; what it does not name keeps its default, what we do not know is left."""
        known = cls().as_mapping()
        return cls(**{name: published.get(name, default) for name, default in known.items()})


def apportion(total: int, shares: Sequence[int]) -> list[int]:
    """Whole parts of `total` in proportion to `shares`, adding up to it exactly (largest remainder).

    Equal remainders go to the earlier one. All parts are 0 where all shares are.
    """
    whole = sum(shares)
    if not whole:
        return [0] * len(shares)
    parts = [total * share // whole for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda at: (-(total * shares[at] % whole), at))
    for at in by_remainder[: total - sum(parts)]:
        parts[at] += 1
    return parts

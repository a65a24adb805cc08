"""The ranking's numbers, in this one place. Whenever one of them changes, `version_of` gives another version.

All arithmetic of the ranking is on integers, so that the same inputs give the same bytes everywhere:
values and weights are parts per million (PPM), points are ten-thousandths of a point, levels hundredths.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from math import log
from typing import Any

ENGINE = "python-3"
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
ROLE_RECENCY = (100, 100, 100, 85, 70, 55, 40, 30)
"""Percent that a role counts for, by the calendar years since it ended; the last one from there on."""
SHEET_RELEVANCE = 700
"""Of 1000: how much a skill of the role's sheet that was not asked belongs to the profile looked for."""
NEIGHBOUR_RELEVANCE = 500
FAMILY_AFFINITY = 250_000
"""What a title of the same family earns that is neither the asked role nor adjacent to it."""
FIT_SHARE = 400
"""Of 1000: how much of role fit is the share of the profile; the rest is the closest title."""
THIN_PROFILE = 80
"""Salience added below the line of the profile's share, so that one lone skill makes no specialist."""
SALIENCE = tuple(round(40 * (1 + log(max(1, shown)))) for shown in range(33))
"""How much of a profile a skill is, by mentions plus years: 40 for one, 95 for four, 151 for sixteen."""
NAMED_LEVEL = 300
"""The level, in hundredths, at which a skill counts in full that the need only names."""
TITLE_COUNTS = 4
"""How many skills that only the description names one counts for that the title names."""
SHEET_SKILLS_UP_TO = 5
"""From this many asked skills on, the role's own usual skills add nothing."""
NAMED_COUNTS = 0.5
"""A skill that is only named counts as so much of one there."""
SHEET_FULL = 2
"""The role's usual skills earn all where one in so many of them is shown."""
TOP_LEVEL = 500
"""Level 5, in hundredths."""
MAX_CLOSENESS = 950_000
"""An adjacent role's title is never worth more of the asked one's than this, whatever the sheet says."""

LEAST_ESTIMATE, MOST_ESTIMATE = 200, 450
"""Bounds of a level that is estimated, in hundredths; as the others below."""
FIRST_YEAR_AND_MORE = (160, 60)
"""A level by years: what the first makes, and each further one adds."""
FIRST_MENTION_AND_MORE = (200, 25)
"""A level by mentions: what the first makes, and each further one adds."""
UNUSED_YEARS, UNUSED_A_YEAR, MOST_UNUSED = 3, 20, 100
"""After so many years of disuse a level loses so much a year, so much at most."""

LATE_DAYS = 90
"""A later start than this earns nothing."""
SENIORITY_STEPS = {0: PPM, 1: 900_000, 2: 700_000, 3: 600_000, -1: CLOSE_MISS, -2: 100_000, -3: 0}
"""By how many steps the candidate stands above (or below) the asked seniority."""
ESTIMATED_SENIORITY_PERCENT = 90
MIDDLE_FROM_YEARS, SENIOR_FROM_YEARS = 2, 5
"""Seniority by years of work, where nobody stated it."""
PLACE_MISS = CLOSE_MISS // 2
"""Another region of the same country."""
PRICE_FLOOR = 0.5
"""A price of which the budget covers only this share, or less, earns nothing."""


@dataclass(frozen=True)
class Weights:
    """What each criterion weighs before those not asked about are left out and the rest is scaled to 1.

    `skills` is shared by must skills, nice-to-haves and those that title and description merely name: a must
    weighs `must_factor` times a nice-to-have and a named one `named_factor` times, each multiplied by its
    rarity; the named ones together weigh at most `named_most` times what the asked ones do. `role_skills`
    counts once for each skill that the client asked fewer than `SHEET_SKILLS_UP_TO`. `margin_percent` is the
    agency's margin on a day rate.
    """

    skills: float = 35
    must_factor: float = 3
    named_factor: float = 0.5
    named_most: float = 0.5
    role_experience: float = 6
    role_fit: float = 60
    role_skills: float = 1
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


Overrides = Mapping[str, Mapping[str, float]]
"""A family's, a role's or a need's id -> the weights that differ for it."""
HEAVIEST = 1000


def problems_of(weights: Mapping[Any, Any]) -> dict[str, str]:
    """What is wrong with weights that somebody wrote, by name."""
    known = Weights().as_mapping()
    found: dict[str, str] = {}
    for name, value in weights.items():
        if name not in known:
            found[str(name)] = f"is not a weight; there are {', '.join(known)}"
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= HEAVIEST:
            found[name] = f"is not a number from 0 to {HEAVIEST}"
    return found


@cache
def version_of(weights: Weights) -> str:
    """A version that is another one whenever a weight or a number of this file is.

    What the arithmetic does with them is versioned by `ENGINE`; rarities, by the model's revision.
    """
    numbers = {name: value for name, value in globals().items() if name.isupper() and name != "ENGINE"}
    told = sorted({**numbers, **weights.as_mapping()}.items())
    return f"2-{sha256(repr(told).encode()).hexdigest()[:8]}"


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

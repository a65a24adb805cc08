"""Generated candidates and needs for the benchmarks, over the shipped catalogue: the same for one seed.

Skills are held by Zipf's law, with a third of each profile from the sheet of the person's own role; 11 on
average. Half of the profiles come from a form (stated levels and years), half from a CV (levels derived,
years, last use, mentions). Everything is drawn as columns, so that ten million take a minute, and can be
had as packed rows of the index or as events.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from services.matching.compiling import kernel
from services.matching.domain import Knowledge
from services.matching.packing import Packed
from services.matching.parsing import write_varint
from services.matching.vocabulary import (
    CONTRACT_SHIFT,
    EDUCATION_SHIFT,
    MOST_SUMMED,
    REMOTE_SHIFT,
    STATED_YEARS,
    Vocabulary,
    derived_seniority,
)
from services.matching.wanted import RECENT_MONTH
from services.matching.weights import Weights, version_of
from shared.events.candidate import Candidate
from shared.events.model import RankingModel
from shared.events.need import Criteria
from shared.taxonomy import RoleNames, Taxonomy
from tests.matching.pieces import shipped_catalogue

Ints = npt.NDArray[np.int64]
THEN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CHUNK = 16384
REVISION = 1_795_000_000_000
REGIONS = ("FR-IDF", "FR-ARA", "FR-OCC", "FR-NAQ", "FR-PAC", "FR-HDF", "FR-BRE", "FR-GES", "BE-BRU", "BE-WAL")
LANGUAGES = ("fr", "en", "de", "es", "it")
CEFR = ("A2", "B1", "B2", "C1", "C2", None)
SENIORITIES = ("junior", "middle", "senior", "lead")
REMOTES = ("none", "partial", "full")
CONTRACTS = ("permanent", "fixed_term", "freelance")
MOST_SKILLS = 30


@dataclass(frozen=True)
class World:
    """The shipped catalogue; skills and roles in a fixed order, each role's own skills as numbers."""

    knowledge: Knowledge
    skills: tuple[str, ...]
    roles: tuple[str, ...]
    sheets: tuple[Ints, ...]
    popularity: npt.NDArray[np.float64]


def world() -> World:
    roles, skills = shipped_catalogue()
    dice = np.random.default_rng(1)
    names = [str(name) for name in dice.permutation(sorted(skills))]
    # What sheets name is what many people have: it comes first in Zipf's order, in no order of its own.
    named = {one.skill for role in roles.values() for one in role.skills}
    names.sort(key=lambda name: name not in named)
    number = {name: at for at, name in enumerate(names)}
    popularity = 1 / np.arange(1, len(names) + 1)
    return World(
        Knowledge(Taxonomy(skills, "shipped"), roles, RoleNames(roles), "shipped"),
        tuple(names),
        tuple(sorted(roles)),
        tuple(
            np.array([number[one.skill] for one in roles[role].skills], np.int64) for role in sorted(roles)
        ),
        np.cumsum(popularity / popularity.sum()),
    )


@dataclass(frozen=True)
class Drawn:
    """A chunk of candidates as columns; skills flat, those of row i from `first[i]` to `first[i + 1]`."""

    start: int
    first: Ints
    skill: Ints
    level: Ints
    estimated: npt.NDArray[np.bool_]
    years: Ints
    last_used: Ints
    mentions: Ints
    role_first: Ints
    role: Ints
    months: Ints
    until: Ints
    region: Ints
    total_years: Ints
    seniority: Ints
    remote: Ints
    available: Ints
    contract: Ints
    day_rate: Ints
    salary: Ints
    english: Ints
    other: Ints
    education: Ints

    def __len__(self) -> int:
        return len(self.first) - 1


def drawn(world: World, start: int, size: int) -> Drawn:
    """Candidates `start` to `start + size`; -1 stands for what is not known."""
    dice = np.random.default_rng([7, start])
    own = dice.integers(0, len(world.roles), size)
    wanted = np.clip(dice.poisson(12.4, size), 2, MOST_SKILLS)
    first = np.concatenate([[0], np.cumsum(wanted)])
    owner = np.repeat(np.arange(size), wanted)
    skill = np.searchsorted(world.popularity, dice.random(len(owner)))
    longest = max(len(sheet) for sheet in world.sheets)
    sheets = np.array([np.resize(sheet, longest) for sheet in world.sheets])
    lengths = np.array([len(sheet) for sheet in world.sheets])
    from_sheet = dice.random(len(owner)) < 0.35
    slot = (dice.random(len(owner)) * lengths[own[owner]]).astype(np.int64)
    skill = np.where(from_sheet, sheets[own[owner], slot], skill)
    # Each skill once: of two alike the first stays.
    _, kept = np.unique(owner * 4096 + skill, return_index=True)
    kept.sort()
    owner, skill = owner[kept], skill[kept]
    first = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=size))])
    number = len(owner)
    career = np.clip(dice.gamma(2.0, 4.0, size), 0, 35).astype(np.int64)
    from_cv = dice.random(size) < 0.5
    cv = from_cv[owner]
    years = np.minimum(dice.geometric(0.3, number) - 1, career[owner])
    held = np.where(career >= 3, dice.integers(1, 4, size), 1) * (dice.random(size) < 0.9)
    role_first = np.concatenate([[0], np.cumsum(held)])
    role_owner = np.repeat(np.arange(size), held)
    nearby = dice.integers(0, len(world.roles), len(role_owner))
    role = np.where(dice.random(len(role_owner)) < 0.7, own[role_owner], nearby)
    freelance = dice.random(size) < 0.3
    return Drawn(
        start=start,
        first=first,
        skill=skill,
        level=np.clip(dice.normal(2.2, 0.9, number) + years / 4, 1, 5).astype(np.int64),
        estimated=cv,
        years=np.where(cv & (dice.random(number) < 0.3), -1, years),
        last_used=np.where(cv, 2026 - np.minimum(dice.geometric(0.35, number) - 1, 12), -1),
        mentions=np.where(cv, np.minimum(dice.geometric(0.4, number), 15), 0),
        role_first=role_first,
        role=role,
        months=np.clip(dice.gamma(2.0, 18.0, len(role_owner)), 1, 400).astype(np.int64),
        until=np.where(
            dice.random(len(role_owner)) < 0.4, 0, (2026 * 12 + 10) - dice.integers(0, 120, len(role_owner))
        ),
        region=np.minimum(dice.geometric(0.3, size) - 1, len(REGIONS) - 1),
        total_years=np.where(dice.random(size) < 0.7, career, -1),
        seniority=np.where(dice.random(size) < 0.5, np.digitize(career, [2, 5, 12]), -1),
        remote=dice.integers(-1, 3, size),
        available=np.where(dice.random(size) < 0.6, dice.integers(0, 26, size) * 7, -1),
        contract=np.where(freelance, 4, dice.integers(0, 4, size)),
        day_rate=np.where(freelance, dice.integers(30, 95, size) * 10, 0),
        salary=np.where(freelance, 0, dice.integers(56, 180, size) * 500),
        english=dice.integers(-1, len(CEFR), size),
        other=dice.integers(-1, 12, size),
        education=np.where(dice.random(size) < 0.7, dice.choice([2, 3, 5, 5, 8], size), -1),
    )


def candidate_id(number: int) -> str:
    """A version 7 UUID with its bits spread as those of real ones are."""
    spread = (number * 0x9E3779B97F4A7C15F39CC0605CEDC835 + 1) & (1 << 74) - 1
    whole = (
        0x019AAF000000 + number // 40 << 80 | 7 << 76 | spread >> 62 << 64 | 2 << 62 | spread & (1 << 62) - 1
    )
    digits = f"{whole:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def event(world: World, chunk: Drawn, row: int) -> dict[str, Any]:
    """One candidate as intake publishes it, as JSON."""
    skills = [
        {
            "skill": world.skills[chunk.skill[at]],
            "level": int(chunk.level[at]),
            "estimated": bool(chunk.estimated[at]),
            "mentions": int(chunk.mentions[at]),
        }
        | ({"years": float(chunk.years[at])} if chunk.years[at] >= 0 else {})
        | ({"last_used": int(chunk.last_used[at])} if chunk.last_used[at] >= 0 else {})
        for at in range(chunk.first[row], chunk.first[row + 1])
    ]
    roles = [
        {"role": world.roles[chunk.role[at]], "months": int(chunk.months[at])}
        | ({"until": _month(int(chunk.until[at]))} if chunk.until[at] else {})
        for at in range(chunk.role_first[row], chunk.role_first[row + 1])
    ]
    made: dict[str, Any] = {
        "revision": REVISION + chunk.start + row,
        "occurred_at": "2026-11-23T09:00:00Z",
        "candidate_id": candidate_id(chunk.start + row),
        "skills": skills,
        "roles": roles,
        "country": REGIONS[chunk.region[row]][:2],
        "region": REGIONS[chunk.region[row]],
        "contracts": [name for at, name in enumerate(CONTRACTS) if chunk.contract[row] >> at & 1],
        "currency": "EUR",
        "languages": _languages(int(chunk.english[row]), int(chunk.other[row])),
    }
    known = {
        "years": float(chunk.total_years[row]) if chunk.total_years[row] >= 0 else None,
        "seniority": SENIORITIES[chunk.seniority[row]] if chunk.seniority[row] >= 0 else None,
        "remote": REMOTES[chunk.remote[row]] if chunk.remote[row] >= 0 else None,
        "available_from": _day(int(chunk.available[row])) if chunk.available[row] >= 0 else None,
        "day_rate": int(chunk.day_rate[row]) or None,
        "salary": int(chunk.salary[row]) or None,
        "education": int(chunk.education[row]) if chunk.education[row] >= 0 else None,
    }
    return made | {name: value for name, value in known.items() if value is not None}


def _month(number: int) -> str:
    year, month = divmod(number - 1, 12)
    return f"{year:04}-{month + 1:02}"


def _day(days: int) -> str:
    return (date(2026, 11, 23) + timedelta(days=days)).isoformat()


def _languages(english: int, other: int) -> list[dict[str, str]]:
    spoken: list[dict[str, str]] = []
    if english >= 0:
        level = CEFR[english]
        spoken.append({"language": "en"} | ({"level": level} if level else {}))
    if other >= 0:
        spoken.append({"language": LANGUAGES[other % 5], "level": CEFR[other % 4] or "B2"})
    return spoken


def chunks(world: World, candidates: int) -> Iterator[Drawn]:
    for start in range(0, candidates, CHUNK):
        yield drawn(world, start, min(CHUNK, candidates - start))


class Packer:
    """Chunks as rows of an index, with no event made on the way; the same as `pack` makes of the events."""

    def __init__(self, world: World, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._world = world
        self._skills = np.array([vocabulary.skills[name] for name in world.skills])
        self._roles = np.array([vocabulary.roles[name] for name in world.roles])
        self._payloads = np.full(6 * 2 * 40 * 80 * 16, -1, np.int64)

    def packed(self, chunk: Drawn) -> Packed:
        vocabulary, into = self._vocabulary, Packed()
        years = np.where(chunk.years >= 0, chunk.years, 39)
        last = np.where(chunk.last_used >= 0, chunk.last_used - 1950, 79)
        key = (((chunk.level * 2 + chunk.estimated) * 40 + years) * 80 + last) * 16 + chunk.mentions
        for new in np.unique(key[self._payloads[key] < 0]):
            (at, *_) = np.flatnonzero(key == new)
            tenths = int(chunk.years[at]) * 10 if chunk.years[at] >= 0 else -1
            used = max(0, int(chunk.last_used[at]))
            payload = (int(chunk.level[at]), bool(chunk.estimated[at]), tenths, used, int(chunk.mentions[at]))
            self._payloads[new] = vocabulary.payloads[payload]
        size = len(chunk)
        content = np.zeros(len(key) * 8 + len(chunk.role) * 10 + size * 4, np.uint8)
        ends = np.zeros(size, np.int64)
        write_rows(
            chunk.first, self._skills[chunk.skill], self._payloads[key], chunk.role_first,
            self._roles[chunk.role], chunk.months, _month_codes(chunk.until), content, ends,
        )  # fmt: skip
        whole, begin = content.tobytes(), 0
        for row, end in enumerate(ends.tolist()):
            into.rows.append(whole[begin:end])
            begin = end
            into.ids.append(candidate_id(chunk.start + row))
        into.revisions = (np.arange(size) + REVISION + chunk.start).tolist()
        self._codes(chunk, into)
        return into

    def _codes(self, chunk: Drawn, into: Packed) -> None:
        vocabulary = self._vocabulary
        months = np.zeros(len(chunk), np.int64)
        np.add.at(months, np.repeat(np.arange(len(chunk)), np.diff(chunk.role_first)), chunk.months)
        years = np.where(
            chunk.total_years >= 0, chunk.total_years * 10, np.minimum(MOST_SUMMED, STATED_YEARS + months)
        )
        derived = np.array([derived_seniority(code) for code in range(MOST_SUMMED + 1)])
        unknown = (chunk.total_years < 0) & (np.diff(chunk.role_first) == 0)
        seniority = np.where(chunk.seniority >= 0, chunk.seniority + 1, np.where(unknown, 0, derived[years]))
        traits = seniority | (chunk.remote + 1) << REMOTE_SHIFT | chunk.contract << CONTRACT_SHIFT
        traits |= (chunk.education + 1) << EDUCATION_SHIFT
        into.years, into.traits = years.tolist(), traits.tolist()
        into.places = _coded(chunk.region, lambda one: vocabulary.places[(REGIONS[one][:2], REGIONS[one])])
        into.days = _coded(
            chunk.available, lambda one: vocabulary.days[date.fromisoformat(_day(one)) if one >= 0 else None]
        )
        into.prices = _coded(
            chunk.day_rate * 1_000_000 + chunk.salary,
            lambda one: vocabulary.prices[(one // 1_000_000, one % 1_000_000, "EUR")],
        )
        into.tongues = _coded(
            (chunk.english + 1) * 16 + chunk.other + 1,
            lambda one: vocabulary.tongues[
                tuple(
                    sorted(
                        {
                            (each["language"], each.get("level", ""))
                            for each in _languages(one // 16 - 1, one % 16 - 1)
                        }
                    )
                )
            ],
        )


def _coded(values: Ints, code: Callable[[int], int]) -> list[int]:
    distinct, which = np.unique(values, return_inverse=True)
    codes = np.array([code(int(value)) for value in distinct])
    found: list[int] = codes[which].tolist()
    return found


def _month_codes(until: Ints) -> Ints:
    """As `packing.month_code`; 0 stands for a role that is held."""
    away = until - RECENT_MONTH
    return np.where(until == 0, 0, 1 + np.where(away >= 0, 2 * away, -2 * away - 1))


@kernel
def write_rows(
    first: Any, skill: Any, payload: Any, role_first: Any, role: Any, months: Any, until: Any, content: Any,
    ends: Any,
) -> None:  # fmt: skip
    at = 0
    for row in range(first.size - 1):
        at = write_varint(first[row + 1] - first[row], content, at)
        for held in range(first[row], first[row + 1]):
            at = write_varint(skill[held], content, at)
            at = write_varint(payload[held], content, at)
        at = write_varint(role_first[row + 1] - role_first[row], content, at)
        for held in range(role_first[row], role_first[row + 1]):
            at = write_varint(role[held], content, at)
            at = write_varint(months[held], content, at)
            at = write_varint(until[held], content, at)
        ends[row] = at


def model() -> RankingModel:
    return RankingModel(
        revision=1,
        occurred_at=THEN,
        as_of=THEN.date(),
        candidates=0,
        weights_version=version_of(Weights()),
        weights=Weights().as_mapping(),
    )


def needs(world: World, number: int) -> list[Criteria]:
    """Needs such as clients post: a role, four to eight skills, mostly of its sheet, and some constraints."""
    dice = np.random.default_rng(3)
    found = []
    for _ in range(number):
        role = int(dice.integers(0, len(world.roles)))
        sheet = dice.permutation(world.sheets[role])
        wanted = list(dict.fromkeys([*sheet[:5], *np.searchsorted(world.popularity, dice.random(4))]))
        asked = wanted[: int(dice.integers(4, 9))]
        asking: dict[str, Any] = {
            "role_id": world.roles[role],
            "title": world.roles[role],
            "skills": [
                {"skill": world.skills[skill], "level": int(dice.integers(2, 5)), "must": at < 3}
                for at, skill in enumerate(asked)
            ],
            "seniority": SENIORITIES[dice.integers(1, 4)],
            "location": {"country": "FR", "region": REGIONS[dice.integers(0, 6)]},
        }
        optional: dict[str, Any] = {
            "remote": REMOTES[dice.integers(0, 3)],
            "start_by": date(2027, 1, 15),
            "contracts": ["permanent"],
            "budget": {"salary": 55000, "day_rate": 600},
            "languages": [{"language": "en", "level": "B2"}],
            "min_years": 4,
            "min_education": 3,
        }
        for name in dice.permutation(sorted(optional))[: int(dice.integers(0, 4))]:
            asking[str(name)] = optional[str(name)]
        if dice.random() < 0.5:
            asking["musts"] = ["location"]
        found.append(Criteria.model_validate(asking))
    return found


def sample(world: World, number: int) -> list[Candidate]:
    """Some of them as events, to be updated with."""
    chunk = drawn(world, 0, number)
    return [Candidate.model_validate(event(world, chunk, row)) for row in range(number)]

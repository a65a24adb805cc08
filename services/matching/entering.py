"""What would have to be otherwise for a candidate to stand in the shortlist: tried out by scoring anew.

Each change that could be tried makes one thing as asked: a skill held at the asked level, or a criterion that
is unknown or missed met in full. The one that raises the score most comes first, until it is enough.
"""

from dataclasses import dataclass, replace

from services.matching import telling
from services.matching.domain import Profile, Shown
from services.matching.gaps import label
from services.matching.scoring import Assessment, Plan, assess, units_of
from services.matching.weights import PPM, SALIENCE, UNITS_PER_POINT
from shared.events.shortlist import Change, ToEnter
from shared.events.vocabulary import LocalizedText, Must

MOST_CHANGES = 3


@dataclass(frozen=True)
class Bar:
    """The last one listed: who stands before them is in. `score` in units."""

    score: int
    candidate_id: str

    def lets_in(self, score: int, candidate_id: str) -> bool:
        return (-score, candidate_id) < (-self.score, self.candidate_id)


@dataclass(frozen=True)
class _Tried:
    """A candidate with things assumed: the skills in `profile`, the criteria in `met`."""

    profile: Profile
    met: frozenset[str]
    score: int
    misses: int


def to_enter(plan: Plan, profile: Profile, assessment: Assessment, bar: Bar | None) -> ToEnter:
    """For who is not listed. Without a bar the list has room: only hard constraints keep anybody out."""
    now = _Tried(profile, frozenset(), assessment.score, assessment.misses)
    barred = now.misses > 0
    needed = _needed(plan, assessment)
    changes: list[tuple[Change, LocalizedText]] = []
    while len(changes) < MOST_CHANGES + len(needed) and not _in(now, bar):
        tries = [
            (change, tried) for change, tried in _tries(plan, now) if not needed or _names(change) in needed
        ]
        better = max(tries, key=lambda pair: (pair[1].score, _names(pair[0])), default=None)
        if better is None or (better[1].score <= now.score and better[1].misses >= now.misses):
            break
        change, tried = better
        needed -= {_names(change)}
        gained = (tried.score - now.score) / UNITS_PER_POINT
        changes.append((change.model_copy(update={"points": gained}), _told(plan, change)))
        now = tried
    short = max(0, bar.score - assessment.score) if bar is not None else 0
    enough = _in(now, bar)
    told = telling.to_enter_told(
        short / UNITS_PER_POINT,
        [(words, change.points) for change, words in changes],
        enough=enough,
        barred=barred,
    )
    return ToEnter(
        short_by=short / UNITS_PER_POINT, changes=tuple(one for one, _ in changes), enough=enough, told=told
    )


def _in(now: _Tried, bar: Bar | None) -> bool:
    return now.misses == 0 and (bar is None or bar.lets_in(now.score, now.profile.candidate_id))


def _needed(plan: Plan, assessment: Assessment) -> set[str]:
    """What must change before anything else counts: the hard constraints missed."""
    needed = {must.value for must in assessment.missed}
    if plan.all_musts:
        needed |= {
            f"skill:{asked.skill}"
            for at, asked in enumerate(plan.asked)
            if asked.must and not assessment.shown >> at & 1
        }
    return needed


def _names(change: Change) -> str:
    return f"skill:{change.skill}" if change.skill else change.criterion


def _tries(plan: Plan, now: _Tried) -> list[tuple[Change, _Tried]]:
    found: list[tuple[Change, _Tried]] = []
    for asked in plan.asked:
        level = asked.level // 100
        change = Change(criterion=asked.criterion, skill=asked.skill, level=level, points=0)
        found.append((change, _scored(plan, _with_skill(now.profile, asked.skill, level), now.met)))
    for criterion in plan.judges:
        if criterion not in now.met:
            change = Change(criterion=criterion, points=0)
            found.append((change, _scored(plan, now.profile, now.met | {criterion})))
    return found


def _with_skill(profile: Profile, skill: str, level: int) -> Profile:
    """The profile where this skill is stated at this level, its mentions and years as they are."""
    had = profile.skills.get(skill)
    if had is not None and had.level >= level * 100 and not had.estimated:
        return profile
    before = had or Shown(0, False, SALIENCE[0])
    shown = replace(before, level=level * 100, estimated=False, stated=level)
    skills = dict(sorted({**profile.skills, skill: shown}.items()))
    salience = profile.salience + (0 if had else shown.salience)
    return Profile(profile.facts, skills, salience, profile.roles, profile.known)


def _scored(plan: Plan, profile: Profile, met: frozenset[str]) -> _Tried:
    found = assess(plan, profile)
    values = [
        PPM if criterion in met else value
        for criterion, value in zip(plan.weights, found.values, strict=True)
    ]
    missed = [must for must in found.missed if must.value not in met and must is not Must.SKILLS]
    return _Tried(profile, met, sum(units_of(plan, values)), len(missed) + found.lacking)


def _told(plan: Plan, change: Change) -> LocalizedText:
    if change.skill is not None and change.level is not None:
        return telling.skill_change(label(plan, change.skill), change.level)
    return telling.criterion_change(change.criterion)

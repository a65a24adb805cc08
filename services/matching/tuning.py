"""How other weights would have ordered what consultants decided on. Reports, and changes nothing. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from services.matching.audit import knowledge_of, text_of
from services.matching.domain import profile_of
from services.matching.scoring import assess, plan_of
from services.matching.weights import Weights
from shared.events.audit import AuditRecord
from shared.events.feedback import Decision, DeclineReason, Feedback

DEPTHS = (1, 3, 5)
WELCOME = frozenset({Decision.ACCEPTED, Decision.CONTACTED, Decision.PRESENTED, Decision.PLACED})
SAYS_NOTHING_OF_FIT = frozenset(
    {DeclineReason.AVAILABILITY, DeclineReason.NOT_INTERESTED, DeclineReason.RATE, DeclineReason.OTHER}
)
"""Declined for one of these, a candidate may well have fitted: such a decision is left out."""
STEPS = (0.5, 1.5)


@dataclass(frozen=True)
class Row:
    """Of one set of weights: the mean share of welcome candidates among the first 1, 3 and 5 decided on."""

    name: str
    precision: tuple[float, ...]


@dataclass(frozen=True)
class Judged:
    """A ranking with what was decided: candidate -> whether they were welcome."""

    record: AuditRecord
    welcome: Mapping[str, bool]


def judged(records: Iterable[AuditRecord], decisions: Iterable[Feedback]) -> list[Judged]:
    """The last ranking of each need with at least one welcome and one unwelcome candidate among its own.

    The last decision about a candidate counts, unless it was taken back.
    """
    last: dict[str, AuditRecord] = {}
    for record in records:
        known = last.get(record.need_id)
        if known is None or record.revision > known.revision:
            last[record.need_id] = record
    verdicts: dict[str, dict[str, bool | None]] = {}
    for decision in sorted(decisions, key=lambda one: (one.occurred_at, one.feedback_id)):
        if decision.candidate_id is not None:
            verdicts.setdefault(decision.need_id, {})[decision.candidate_id] = _welcome(decision)
    found: list[Judged] = []
    for need_id in sorted(last.keys() & verdicts.keys()):
        recorded = {one.candidate_id for one in last[need_id].candidates}
        welcome = {
            one: said for one, said in verdicts[need_id].items() if said is not None and one in recorded
        }
        if len(set(welcome.values())) > 1:
            found.append(Judged(last[need_id], welcome))
    return found


def _welcome(decision: Feedback) -> bool | None:
    if decision.undone or (decision.reason in SAYS_NOTHING_OF_FIT):
        return None
    if decision.decision is Decision.DECLINED:
        return False
    return True if decision.decision in WELCOME else None


def variants(now: Weights) -> dict[str, Weights]:
    """The weights as they are, the defaults, and each one by half and by half more."""
    sets = {"as published": now, "defaults": Weights()}
    for name, value in asdict(now).items():
        if name != "margin_percent":
            sets |= {f"{name} x {step}": replace(now, **{name: value * step}) for step in STEPS}
    return sets


def precision(judgements: Sequence[Judged], sets: Mapping[str, Weights]) -> list[Row]:
    """A row for each set of weights, in their order."""
    return [
        Row(
            name,
            tuple(
                sum(_precision(order, depth) for order in orders) / max(1, len(orders)) for depth in DEPTHS
            ),
        )
        for name, weights in sets.items()
        for orders in [[_ordered(one, weights) for one in judgements]]
    ]


def _ordered(one: Judged, weights: Weights) -> list[bool]:
    """Whether welcome, of those decided on, in the order that these weights give."""
    record = one.record
    model = record.model
    plan = plan_of(
        record.criteria, knowledge_of(record), model, text_of(record), override=weights.as_mapping()
    )
    scored = [
        (-assess(plan, profile_of(candidate, model.as_of.year)).score, candidate.candidate_id)
        for candidate in record.candidates
        if candidate.candidate_id in one.welcome
    ]
    return [one.welcome[candidate_id] for _, candidate_id in sorted(scored)]


def _precision(order: Sequence[bool], depth: int) -> float:
    first = order[:depth]
    return sum(first) / len(first)

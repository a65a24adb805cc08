"""Other weights on what consultants decided: the figures by hand, and which decisions count."""

from services.matching.tuning import Judged, judged, precision, variants
from services.matching.weights import Weights
from shared.events.feedback import Decision, DeclineReason
from tests.matching.pieces import asked, candidate, criteria, held
from tests.matching.test_audit import recorded
from tests.matching.test_decisions import decided

SKILLED = candidate("skilled", held("python", 4), held("rest", 4), *("excel", "figma", "kubernetes", "mysql"))
TITLED = candidate("titled", held("git", 2), roles={"back-end-developer": 60})
RECORD = recorded(criteria(asked("python", 4, must=True), asked("rest", 4)), SKILLED, TITLED)


def test_precision_by_hand() -> None:
    judgement = Judged(RECORD, {"skilled": True, "titled": False})
    sets = {"skills": Weights(role_fit=0, role_experience=0), "roles": Weights(skills=0)}
    skills, roles = precision([judgement], sets)
    assert (skills.name, skills.precision) == ("skills", (1.0, 0.5, 0.5))
    assert (roles.name, roles.precision) == ("roles", (0.0, 0.5, 0.5))


def test_only_decisions_that_say_something_of_the_fit_count() -> None:
    declined = decided(Decision.DECLINED, 2, candidate_id="titled")
    accepted = decided(Decision.ACCEPTED, 1, candidate_id="skilled")
    (found,) = judged([RECORD], [accepted, declined])
    assert found.welcome == {"skilled": True, "titled": False}
    for other in (
        declined.model_copy(update={"reason": DeclineReason.AVAILABILITY}),
        declined.model_copy(update={"undone": True}),
        declined.model_copy(update={"need_id": "n2"}),
        declined.model_copy(update={"candidate_id": "nobody"}),
    ):
        assert judged([RECORD], [accepted, other]) == []
    back = decided(Decision.PRESENTED, 3, candidate_id="titled")
    assert judged([RECORD], [accepted, declined, back]) == [], "the last decision counts"


def test_the_newest_ranking_of_a_need_is_judged() -> None:
    older = RECORD.model_copy(update={"revision": 1, "candidates": ()})
    decisions = [
        decided(Decision.ACCEPTED, 1, candidate_id="skilled"),
        decided(Decision.DECLINED, 2, candidate_id="titled"),
    ]
    assert [one.record for one in judged([RECORD, older], decisions)] == [RECORD]


def test_variants_move_one_weight_at_a_time() -> None:
    now = Weights(skills=40)
    sets = variants(now)
    assert sets["as published"] == now
    assert sets["role_fit x 0.5"] == Weights(skills=40, role_fit=now.role_fit / 2)
    assert not any(name.startswith("margin_percent") for name in sets)

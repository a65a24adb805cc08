"""The desk's rules apart from any page: what is urgent, what may be added, how answers are counted."""

import re
from datetime import timedelta
from typing import Any

import pytest

from services.notifier.by_hand import (
    MAX_ADDED,
    MAX_NOTES,
    TooMany,
    candidate_in,
    cleaned,
    with_candidate,
    with_note,
)
from services.notifier.consultant_forms import TEXTS
from services.notifier.consultant_words import CONSULTANT_WORDS
from services.notifier.consultants import Consultant, Delivery
from services.notifier.decisions import NotPossible, Why, decide, undo
from services.notifier.desk import Card, Show, Situation, belongs, by_urgency, card_of, found
from services.notifier.desk_words import DESK_WORDS
from services.notifier.domain import NeedFile, Step, assigned, with_need, with_shortlist, without_candidate
from services.notifier.metrics_of_answers import count_decision, is_first_answer, place_of
from services.notifier.notes import MAX_NOTE, Addition, Note
from services.notifier.pages import TEMPLATES
from services.notifier.shortlist_view import LEFT, left_why
from services.notifier.words import MAIL_WORDS, PAGE_WORDS
from services.notifier.words_letters import LETTER_WORDS
from shared.events.delivery import DeliveryKind
from shared.events.feedback import Decision, DeclineReason
from shared.events.need import NeedState
from shared.events.vocabulary import Locale
from shared.metrics import Metrics
from shared.web.pages import LAYOUT_WORDS
from tests.notifier.making import NEED_ID, WHEN, candidate_id, consultant, need, shortlist

LATER = WHEN + timedelta(minutes=30)


def colleague(name: str, **changes: Any) -> Consultant:
    fields = consultant(name, **changes)
    return Consultant(**fields.model_dump(), consultant_id=name.casefold(), revision=1)


CLAIRE = colleague("Sample Consultant")
ADMIN = colleague("Root", admin=True)


def file(**changes: Any) -> NeedFile:
    made = with_need(NeedFile(need_id=NEED_ID), need(**changes), WHEN)
    return with_shortlist(made, shortlist(), 200)


def decided(before: NeedFile, decision: Decision, number: int | None = 1, **changes: Any) -> NeedFile:
    about = candidate_id(number) if number else None
    return decide(before, CLAIRE, decision, LATER, feedback_id="f", candidate_id=about, **changes)


def card(name: str, **changes: Any) -> Card:
    fields = {"need_id": name, "reference": name, "title": name, "company": "Acme", "came_at": WHEN}
    return Card(**({"since": WHEN, **fields} | changes))


def test_what_waits_for_somebody_comes_first_and_of_those_what_waits_longest() -> None:
    cards = [
        card("taken-later", owner="c", taken=True, start_by="2027-03-01"),
        card("taken-soon", owner="c", taken=True, start_by="2026-12-01", since=LATER),
        card("taken-whenever", owner="c", taken=True),
        card("waits-short", owner="c", since=LATER),
        card("waits-long", owner="c"),
        card("nobodys-short", since=LATER),
        card("nobodys-long"),
    ]
    order = [one.need_id for one in by_urgency(cards)]
    assert order == [
        "nobodys-long",
        "nobodys-short",
        "waits-long",
        "waits-short",
        "taken-soon",
        "taken-later",
        "taken-whenever",
    ]
    mine = [one.need_id for one in cards if belongs(one, Show.MINE, "c")]
    assert "nobodys-long" not in mine
    assert len(mine) == 5


def test_a_search_ignores_accents_and_case_and_wants_every_word() -> None:
    cards = [card("1", title="Développeur Éléonore"), card("2", title="Data engineer", company="Société")]
    assert [one.need_id for one in found(cards, "DEVELOPPEUR eleo")] == ["1"]
    assert [one.need_id for one in found(cards, "societe data")] == ["2"]
    assert found(cards, "data eleonore") == []
    assert len(found(cards, "  ")) == 2


def test_a_card_counts_from_the_moment_that_somebody_is_waited_for() -> None:
    unowned = card_of(file())
    assert unowned is not None
    assert (unowned.since, unowned.listed, unowned.covering) == (WHEN, 3, 2)
    owned = assigned(file(), CLAIRE.consultant_id, LATER)
    waiting = card_of(owned)
    assert waiting is not None
    assert (waiting.since, waiting.taken) == (LATER, False)
    placed = decided(owned, Decision.PLACED)
    closed = card_of(with_need(placed, need(status=NeedState.FILLED, revision=101), LATER))
    assert closed is not None
    assert [mark.candidate_id for mark in closed.active] == [candidate_id(1)], "placed stays placed"
    contacted = decided(owned, Decision.CONTACTED)
    over = card_of(with_need(contacted, need(status=NeedState.WITHDRAWN, revision=101), LATER))
    assert over is not None
    assert over.active == ()
    assert card_of(NeedFile(need_id="x")) is None


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        (candidate_id(1), candidate_id(1)),
        (f"  {candidate_id(1).upper()} ", candidate_id(1)),
        (f"https://agency.test/candidates/{candidate_id(1)}", candidate_id(1)),
        (f"/candidates/{candidate_id(1)}/?need=x#cv", candidate_id(1)),
        (f"https://agency.test/needs/{candidate_id(1)}", None),
        (f"/candidates/{candidate_id(1)}/reveal", None),
        ("A7F3", None),
        ("", None),
        ("http://[bad", None),
    ],
)
def test_a_candidate_is_known_by_id_or_by_the_address_of_the_record(typed: str, wanted: str | None) -> None:
    assert candidate_in(typed) == wanted


def test_a_note_keeps_its_lines_and_nothing_that_is_no_text() -> None:
    assert cleaned("900\u00a0€") == "900 €"
    assert cleaned(" a\r\nb\rc\x00\x07\u202e\t ") == "a\nb\nc"
    assert len(cleaned("x" * 5000)) == MAX_NOTE
    assert cleaned("\n \n") == ""


def test_a_need_takes_so_many_notes_and_candidates_and_no_more() -> None:
    full = file()
    for number in range(MAX_NOTES):
        full = with_note(full, Note(consultant_id="c", at=WHEN, text=str(number)))
    with pytest.raises(TooMany):
        with_note(full, Note(consultant_id="c", at=WHEN, text="one more"))
    for number in range(MAX_ADDED):
        full = with_candidate(full, Addition(candidate_id=str(number), consultant_id="c", at=WHEN))
    with pytest.raises(TooMany):
        with_candidate(full, Addition(candidate_id="one more", consultant_id="c", at=WHEN))
    with pytest.raises(NotPossible):
        with_note(file(), Note(consultant_id="c", at=WHEN, text="x", candidate_id="nobody"))
    with pytest.raises(NotPossible):
        with_candidate(
            file(status=NeedState.WITHDRAWN), Addition(candidate_id="x", consultant_id="c", at=WHEN)
        )


def test_forgetting_a_candidate_forgets_the_notes_and_that_somebody_added_them() -> None:
    whole = with_candidate(file(), Addition(candidate_id="x", consultant_id="c", at=WHEN))
    whole = with_note(whole, Note(consultant_id="c", at=WHEN, text="about x", candidate_id="x"))
    whole = with_note(whole, Note(consultant_id="c", at=WHEN, text="about the need"))
    left = without_candidate(whole, "x")
    assert "x" in whole.candidates
    assert "x" not in left.candidates
    assert [note.text for note in left.notes] == ["about the need"]


def test_an_administrator_decides_in_a_colleagues_place_but_takes_nothing_over_unseen() -> None:
    taken = decided(file(), Decision.TAKEN, None)
    for decision, about in ((Decision.TAKEN, None), (Decision.PASSED_ON, None)):
        with pytest.raises(NotPossible):
            decide(taken, ADMIN, decision, LATER, feedback_id="f", candidate_id=about, overrule=True)
    with pytest.raises(NotPossible):
        decide(taken, ADMIN, Decision.PLACED, LATER, feedback_id="f", candidate_id=candidate_id(1))
    after = decide(
        taken, ADMIN, Decision.PLACED, LATER, feedback_id="f", candidate_id=candidate_id(1), overrule=True
    )
    assert after.marks[0].consultant_id == ADMIN.consultant_id
    with pytest.raises(NotPossible):
        undo(after, colleague("Other"), candidate_id(1), LATER, feedback_id="g")
    assert undo(after, CLAIRE, candidate_id(1), LATER, feedback_id="g").marks == ()
    assert undo(taken, CLAIRE, candidate_id(1), LATER, feedback_id="g") is taken, "nothing to take back"


def test_a_candidate_counts_once_by_the_first_answer_and_where_it_stood() -> None:
    metrics = Metrics()
    start = file()

    def answered(before: NeedFile, decision: Decision, number: int) -> NeedFile:
        reason = DeclineReason.RATE if decision is Decision.DECLINED else None
        after = decided(before, decision, number, reason=reason)
        count_decision(metrics, before, after, decision, candidate_id(number), reason)
        return after

    now = answered(start, Decision.DECLINED, 1)
    now = answered(now, Decision.CONTACTED, 1)
    now = answered(now, Decision.ACCEPTED, 2)
    now = answered(now, Decision.PRESENTED, 60)

    def value(name: str, **labels: str) -> float:
        return metrics.registry.get_sample_value(name, {"service": "notifier"} | labels) or 0

    assert value("answers_total", answer="declined", place="1-5") == 1
    assert value("answers_total", answer="accepted", place="1-5") == 1
    assert value("answers_total", answer="accepted", place="near_miss") == 1
    assert value("decline_reasons_total", reason="rate") == 1
    assert value("first_answer_seconds_count") == 1
    assert value("first_answer_seconds_sum") == 30 * 60


def test_passing_on_is_no_answer_to_the_client() -> None:
    owned = assigned(file(), CLAIRE.consultant_id, WHEN)
    assert not is_first_answer(owned, Decision.PASSED_ON)
    assert is_first_answer(decided(owned, Decision.PASSED_ON, None), Decision.TAKEN)
    assert not is_first_answer(decided(owned, Decision.TAKEN, None), Decision.ACCEPTED)


def test_a_place_is_the_one_of_the_list_that_was_answered() -> None:
    long = with_shortlist(file(), shortlist(tuple(range(1, 8)), revision=201), 201)
    long = with_candidate(long, Addition(candidate_id="x", consultant_id="c", at=WHEN))
    places = [place_of(long, one) for one in (candidate_id(5), candidate_id(6), "x", "y")]
    assert places == ["1-5", "6-10", "by_hand", "unlisted"]


def test_whatever_a_page_may_show_has_its_words_in_both_languages() -> None:
    words = {**MAIL_WORDS, **LETTER_WORDS, **PAGE_WORDS, **DESK_WORDS, **CONSULTANT_WORDS, **LAYOUT_WORDS}
    about_candidates = set(Decision) - {Decision.TAKEN, Decision.PASSED_ON}
    wanted = {
        *(f"h_step_{step.value}" for step in Step),
        *(f"do_{decision.value}" for decision in Decision),
        *(f"is_{decision.value}" for decision in about_candidates),
        *(f"reason_{reason.value}" for reason in DeclineReason),
        *(f"state_{situation.value}" for situation in Situation),
        *(f"show_{show.value}" for show in Show),
        *(f"mail_{kind.value}" for kind in DeliveryKind),
        *(f"delivery_{delivery.value}" for delivery in Delivery),
        *(f"why_{why.value}" for why in Why),
        *(f"lang_{locale.value}_name" for locale in Locale),
        *(left_why(why) for why in (*LEFT, "")),
        *(f"bad_{name}" for name in TEXTS),
    }
    for template in TEMPLATES.glob("desk*.html"):
        wanted |= set(re.findall(r'\bt\("(\w+)"[,)]', template.read_text()))
    assert wanted - set(words) == set()
    assert [key for key in wanted if set(words[key]) != {"fr", "en"}] == []

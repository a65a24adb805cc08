"""Owners, what is worth a mail, retries, safe headers: pure functions."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from services.notifier.actions import short_codes
from services.notifier.consultants import Consultant
from services.notifier.decisions import NotPossible, Why, decide
from services.notifier.domain import (
    AGENCY,
    NeedFile,
    Step,
    announce,
    assigned,
    choose_owner,
    fits,
    released,
    with_need,
    with_shortlist,
    without_candidate,
    worth_mailing,
)
from services.notifier.letterhead import (
    FailureKind,
    UnsafeHeader,
    address,
    backoff,
    header_safe,
    message_id,
    one_line,
    refused,
    row_id,
    thread_id,
)
from shared.events.feedback import Decision, DeclineReason
from shared.events.need import NeedState
from shared.events.shortlist import Departure, Shortlist
from shared.events.vocabulary import Location
from tests.notifier.making import HOSTILE, WHEN, candidate_id, consultant, need, shortlist

LYON = Location(country="FR", region="FR-ARA", city="Lyon")
ANYWHERE_IN_FRANCE = Location(country="FR")


def person(consultant_id: str = "c-1", *, idle_days: int | None = None, **changes: object) -> Consultant:
    fields = consultant().model_dump() | changes
    last = WHEN - timedelta(days=idle_days) if idle_days is not None else None
    return Consultant(**fields, consultant_id=consultant_id, revision=1, last_assigned_at=last)


@pytest.mark.parametrize(
    ("practices", "regions", "location", "expected"),
    [
        (("development",), ("FR",), LYON, True),
        (("back-end-developer",), ("FR-ARA",), LYON, True),
        (("data",), ("FR",), LYON, False),
        (("development",), ("FR-IDF",), LYON, False),
        (("development",), ("BE",), LYON, False),
        (("development",), ("FR-IDF",), ANYWHERE_IN_FRANCE, True),
        (("development",), ("BE-BRU",), ANYWHERE_IN_FRANCE, False),
        (("development",), ("BE",), None, True),
        (("development",), (), LYON, False),
        ((), ("FR",), LYON, False),
    ],
)
def test_who_fits_covers_the_role_or_its_family_and_the_region(
    practices: tuple[str, ...], regions: tuple[str, ...], location: Location | None, expected: bool
) -> None:
    found = fits(
        person(practices=practices, regions=regions), {"back-end-developer", "development"}, location
    )
    assert found is expected


def test_who_left_or_paused_gets_nothing() -> None:
    assert not fits(person().model_copy(update={"active": False}), {"development"}, LYON)
    assert not fits(person(delivery="paused"), {"development"}, LYON)


@pytest.mark.parametrize(
    ("load", "expected"),
    [({"a": 1, "b": 1, "c": 1}, "b"), ({"a": 0, "b": 2, "c": 1}, "a"), ({"a": 3, "b": 3}, "c")],
)
def test_the_owner_has_the_fewest_needs_then_was_idle_longest(load: Mapping[str, int], expected: str) -> None:
    people = [person("a", idle_days=1), person("b", idle_days=9), person("c", idle_days=2)]
    chosen = choose_owner(people, load, {"development"}, LYON)
    assert chosen is not None
    assert chosen.consultant_id == expected


def test_ties_go_to_who_never_had_a_need_then_by_id() -> None:
    people = [person("b"), person("a"), person("0", idle_days=400)]
    assert choose_owner(people, {}, {"development"}, LYON) == people[1]
    assert choose_owner(people, {}, {"development"}, LYON, without={"a", "b", "0"}) is None


def told(listed: Shortlist | None = None) -> NeedFile:
    """A need whose first shortlist was announced."""
    file = with_need(NeedFile(need_id=need().need_id), need(), WHEN)
    first = listed or shortlist((1, 2, 3))
    file = assigned(with_shortlist(file, first, first.revision), "c-1", WHEN)
    return announce(file, WHEN, timedelta(0)).model_copy(update={"due": ()})


def after(file: NeedFile, listed: Shortlist) -> NeedFile:
    return with_shortlist(file, listed, listed.revision)


def test_the_first_shortlist_is_worth_a_mail_and_an_older_or_equal_one_is_none() -> None:
    file = told()
    assert not worth_mailing(file)
    assert after(file, shortlist((7, 8), revision=200)) is file
    assert after(file, shortlist((7, 8), revision=199)) is file


@pytest.mark.parametrize(
    ("numbers", "worth"),
    [((3, 2, 1), False), ((1, 2), False), ((1, 2, 4), True), ((), True)],
)
def test_a_newer_shortlist_is_worth_a_mail_for_a_newcomer_or_another_outcome(
    numbers: tuple[int, ...], worth: bool
) -> None:
    assert worth_mailing(after(told(), shortlist(numbers, revision=201))) is worth


def test_a_newcomer_below_the_best_ten_is_not_worth_a_mail() -> None:
    ten = tuple(range(1, 11))
    assert not worth_mailing(after(told(shortlist(ten)), shortlist((*ten, 11), revision=201)))


def test_who_left_and_came_back_is_not_new() -> None:
    gone = announce(after(told(), shortlist((1, 2), revision=201)), WHEN, timedelta(0))
    assert not worth_mailing(after(gone, shortlist((1, 2, 3), revision=202)))


def test_a_need_the_client_edited_is_worth_a_mail() -> None:
    assert worth_mailing(after(told(), shortlist((1, 2, 3), revision=201, need_revision=101)))


def test_a_closed_need_is_never_worth_a_mail() -> None:
    closed = with_need(told(), need(status=NeedState.WITHDRAWN, revision=101), WHEN)
    assert not worth_mailing(after(closed, shortlist((7,), revision=201)))


def test_a_declined_candidate_who_is_listed_again_is_not_new() -> None:
    file = decided(told(), Decision.DECLINED, 4, DeclineReason.RATE)
    assert not worth_mailing(after(file, shortlist((1, 2, 3, 4), revision=202)))


def decided(
    file: NeedFile, decision: Decision, number: int | None = None, reason: DeclineReason | None = None
) -> NeedFile:
    known = file if number is None else after(file, shortlist((1, 2, 3, number), revision=201))
    who = candidate_id(number) if number else None
    return decide(known, person(), decision, WHEN, feedback_id="f", candidate_id=who, reason=reason)


def test_a_decision_in_force_is_recorded_once_and_a_changed_one_again() -> None:
    once = decided(told(), Decision.ACCEPTED, 1)
    assert decided(once, Decision.ACCEPTED, 1).decided == once.decided
    changed = decided(once, Decision.DECLINED, 1, DeclineReason.SKILLS)
    assert len(changed.decided) == 2
    assert len(decided(changed, Decision.DECLINED, 1, DeclineReason.RATE).decided) == 3


def test_a_decision_about_somebody_who_was_never_listed_is_not_possible() -> None:
    with pytest.raises(NotPossible) as problem:
        decide(told(), person(), Decision.ACCEPTED, WHEN, feedback_id="f", candidate_id="stranger")
    assert problem.value.why is Why.CANDIDATE_GONE


def test_only_the_owner_passes_on() -> None:
    with pytest.raises(NotPossible) as problem:
        decide(told(), person("c-2"), Decision.PASSED_ON, WHEN, feedback_id="f")
    assert problem.value.why is Why.WITH_COLLEAGUE
    passed = decide(told(), person(), Decision.PASSED_ON, WHEN, feedback_id="f")
    assert passed.owner is None
    with pytest.raises(NotPossible) as problem:
        decide(passed, person(), Decision.PASSED_ON, WHEN, feedback_id="f")
    assert problem.value.why is Why.ALREADY_PASSED_ON


def test_a_file_survives_being_stored() -> None:
    file = decided(told(), Decision.DECLINED, 1, DeclineReason.RATE)
    assert NeedFile.model_validate(file.model_dump(mode="json")) == file


# Ledger rows and headers


def test_the_message_id_is_a_function_of_the_row() -> None:
    one = row_id("c-1", "shortlist", "need", 1)
    assert one == row_id("c-1", "shortlist", "need", 1)
    others = {row_id("c-2", "shortlist", "need", 1), row_id("c-1", "no_match", "need", 1)}
    others |= {row_id("c-1", "shortlist", "other", 1), row_id("c-1", "shortlist", "need", 2)}
    assert one not in others
    assert len(others) == 4
    assert message_id(one, "agency.test") == f"<{one}@agency.test>"
    assert thread_id("a>\r\nb@c", "agency.test") == "<thread.abc@agency.test>"


@pytest.mark.parametrize("kind", [FailureKind.CONNECTION, FailureKind.TEMPORARY, FailureKind.GREYLISTED])
def test_pauses_double_up_to_hours_and_are_spread(kind: FailureKind) -> None:
    pauses = [backoff(kind, attempt, draw=1.0) for attempt in range(1, 40)]
    assert pauses == sorted(pauses)
    assert pauses[1] == 2 * pauses[0]
    assert pauses[-1] == pauses[-2] <= timedelta(hours=2)
    assert backoff(kind, 3, draw=0.0) == backoff(kind, 3, draw=1.0) / 2
    assert backoff(FailureKind.GREYLISTED, 1, draw=0.0) >= timedelta(seconds=60)


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        (450, "4.2.1 busy", FailureKind.TEMPORARY),
        (451, "4.7.1 try again", FailureKind.GREYLISTED),
        (450, "Greylisted", FailureKind.GREYLISTED),
        (421, "closing", FailureKind.CONNECTION),
        (530, "5.7.0 Authentication required", FailureKind.RELAY_AWAY),
        (550, "5.1.1 unknown", FailureKind.NO_SUCH_ADDRESS),
        (550, "5.7.1 taken for spam", FailureKind.PERMANENT),
        (550, "user unknown", FailureKind.PERMANENT),
        (552, "too big", FailureKind.TOO_LARGE),
        (554, "5.3.4 too big", FailureKind.TOO_LARGE),
    ],
)
def test_what_a_relays_answer_means(code: int, text: str, kind: FailureKind) -> None:
    assert refused(code, text).kind is kind
    assert "a@b.test" not in str(refused(code, f"<a@b.test>: {text}"))


@pytest.mark.parametrize("hostile", [*HOSTILE[:2], HOSTILE[4], "a\tb", "a\x7fb", "a\u2028b", "=?x"])
def test_values_that_could_write_headers_are_refused(hostile: str) -> None:
    with pytest.raises(UnsafeHeader):
        header_safe(hostile)
    with pytest.raises(ValueError, match=r"must not|not an e-mail"):
        address(hostile)


@examples(st.text())
def test_one_line_has_no_breaks_and_no_controls(anything: str) -> None:
    line = one_line(anything)
    assert len(line.splitlines()) <= 1
    assert one_line(line) == line


@examples(st.sets(st.uuids(version=4).map(str), min_size=1, max_size=15))
def test_short_codes_of_one_mail_differ(ids: set[str]) -> None:
    codes = short_codes(ids)
    assert len(set(codes.values())) == len(ids)
    assert all(len(code) >= 4 for code in codes.values())


def test_a_mail_to_somebody_who_had_this_shortlist_is_another_mail_and_never_a_lower_one() -> None:
    def turn(file: NeedFile, to: str | None) -> NeedFile:
        if file.owner:
            file = released(file, file.owner.consultant_id, Step.PASSED_ON, WHEN)
        return announce(assigned(file, to, WHEN) if to else file, WHEN, timedelta(0))

    file = with_need(NeedFile(need_id="n"), need(), WHEN)
    file = with_shortlist(file, shortlist(), 200)
    for to in ("anna", "bea", None, "anna", "anna-s-colleague", "bea", None):
        file = turn(file, to)
    file = announce(with_shortlist(file, shortlist((1, 2, 3, 4), revision=201), 201), WHEN, timedelta(0))
    mails = [mail for mail in file.due if mail.kind == "shortlist"]
    # Whoever gets it for the first time gets the shortlist's own revision: a lost ledger is rebuilt by it.
    assert [mail.subject_revision == 200 for mail in mails] == [
        True,
        True,
        True,
        False,
        True,
        False,
        False,
        False,
    ]
    for reader in ("anna", "bea", AGENCY):
        revisions = [mail.subject_revision for mail in mails if mail.recipient == reader]
        assert len(revisions) > 1
        assert revisions == sorted(set(revisions))
    assert announce(file, WHEN, timedelta(0)) is file


def test_a_newer_shortlist_to_the_same_reader_keeps_its_own_revision() -> None:
    file = with_need(NeedFile(need_id="n"), need(), WHEN)
    for revision, numbers in ((200, (1,)), (201, (1, 2)), (202, (1, 2, 3))):
        file = with_shortlist(file, shortlist(numbers, revision=revision), revision)
        file = announce(assigned(file, "anna", WHEN), WHEN, timedelta(0))
    assert [mail.subject_revision for mail in file.due if mail.recipient == "anna"] == [200, 201, 202]


def test_an_erased_candidate_who_had_left_the_list_before_leaves_nothing() -> None:
    gone = candidate_id(1)
    file = with_shortlist(with_need(NeedFile(need_id="n"), need("n"), WHEN), shortlist((1, 2), "n"), 200)
    left = (Departure(candidate_id=gone, why="outranked"), Departure(candidate_id=candidate_id(3), why="x"))
    file = with_shortlist(file, shortlist((2,), "n", revision=201, left=left), 201)
    assert gone in file.candidates
    after = without_candidate(file, gone)
    assert gone not in after.model_dump_json()
    assert [one.candidate_id for one in after.departed] == [candidate_id(3)]
    # Whoever comes back has not left.
    assert with_shortlist(after, shortlist((3,), "n", revision=202), 202).departed == ()

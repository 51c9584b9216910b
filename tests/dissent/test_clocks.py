"""Clocks follow moments: started from before the case was made, stopped, passed, and not known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from councils import calendars
from councils.management.commands.renew_closed_days import document
from councils.models import Person
from dissent import actions
from dissent.actions.clocks import work_out_what_was_not_known
from dissent.models import Clock, Decision, Dissent, LedgerEntry, Letter, Notice, Proposal
from tests.dissent.together import at_once
from tests.world import ENDED, RECORDED, World, when

pytestmark = pytest.mark.django_db

FORM_DUE = when("2026-03-04 12:00")
MOMENT = dt.timedelta(microseconds=1)


@pytest.fixture
def world() -> World:
    return World(quick=True)


def clock(dissent: Dissent, rule: str) -> Clock:
    return Clock.objects.select_related("started", "stopped").get(dissent=dissent, rule=rule)


def end_of(day: str) -> dt.datetime:
    return when(f"{day} 23:59:59") + dt.timedelta(microseconds=999_999)


def told_that_a_clock_passed(dissent: Dissent) -> set[Person]:
    return {notice.to for notice in Notice.objects.filter(dissent=dissent, occasion="clock_passed")}


def tell_whom(dissent: Dissent, rule: str) -> list[Person]:
    once = f"passed-{clock(dissent, rule).pk}:"
    return [notice.to for notice in Notice.objects.filter(once__startswith=once)]


# --- the form: 24 hours from the conference's end ----------------------------------------------------


@pytest.mark.rule("ST-08")
def test_the_forms_clock_runs_from_the_conferences_end_before_the_case_was_made(world: World) -> None:
    dissent = world.raised()
    running = clock(dissent, "form")
    assert running.started.happened_at == ENDED < dissent.raised_at
    assert running.due_at == FORM_DUE
    assert (dissent.due_is_known, Dissent.objects.get().next_due_at) == (True, FORM_DUE)


@pytest.mark.rule("ST-08")
def test_twenty_four_hours_are_hours_across_the_change_of_the_clocks(world: World) -> None:
    conference = world.conference(
        held_at=when("2026-03-28 10:00"), ended_at=when("2026-03-28 12:00"), at=when("2026-03-28 12:30")
    )
    dissent = world.raised(conference, at=when("2026-03-28 12:30"))
    assert clock(dissent, "form").due_at == when("2026-03-29 13:00")


@pytest.mark.rule("ST-08")
def test_a_clock_can_be_late_when_it_is_born(world: World) -> None:
    recorded = when("2026-03-06 09:00")
    dissent = world.raised(world.conference(at=recorded), at=recorded)
    running = clock(dissent, "form")
    assert running.due_at == FORM_DUE
    assert running.is_late(recorded)
    assert actions.pass_clocks(at=recorded) == 1
    assert clock(dissent, "form").passed_at == recorded


@pytest.mark.rule("ST-08")
def test_it_stops_when_the_form_is_sent_and_what_was_in_time_is_never_late(world: World) -> None:
    dissent = world.filed(at=FORM_DUE)
    stopped = clock(dissent, "form")
    assert stopped.stopped
    assert stopped.stopped.name == "filed"
    assert not stopped.is_late(when("2030-01-01 00:00"))
    assert actions.pass_clocks(at=when("2026-06-01 09:00")) == 0
    assert not told_that_a_clock_passed(dissent)


@pytest.mark.rule("ST-08")
def test_when_it_passes_dissenter_chair_and_service_manager_are_told_and_nobody_else(world: World) -> None:
    dissent = world.raised()
    assert actions.pass_clocks(at=FORM_DUE) == 0
    assert actions.pass_clocks(at=FORM_DUE + MOMENT) == 1
    told = tell_whom(dissent, "form")
    assert sorted(told, key=str) == sorted([world.teacher, world.chair, world.service_manager], key=str)
    dissent.refresh_from_db()
    assert dissent.state == "raised"
    assert clock(dissent, "form").is_running
    assert clock(dissent, "form").is_late(FORM_DUE + MOMENT)
    assert dissent.next_due_at == FORM_DUE


@pytest.mark.rule("ST-08")
def test_a_late_form_stops_the_clock_and_it_stays_late(world: World) -> None:
    dissent = world.filed(at=FORM_DUE + MOMENT, late_because="Why.")
    assert not clock(dissent, "form").is_running
    assert clock(dissent, "form").is_late(FORM_DUE + MOMENT)


def test_a_clock_passes_once_however_often_it_is_looked_at(world: World) -> None:
    dissent = world.raised()
    late = when("2026-03-05 09:00")
    assert [actions.pass_clocks(at=late + dt.timedelta(minutes=each)) for each in range(3)] == [1, 0, 0]
    assert clock(dissent, "form").passed_at == late
    assert LedgerEntry.objects.filter(verb="clock_passed").count() == 1
    assert Notice.objects.filter(occasion="clock_passed").count() == 3


def test_the_ledger_says_when_it_ran_out_and_when_we_saw_it(world: World) -> None:
    world.raised()
    seen = when("2026-03-05 09:00")
    actions.pass_clocks(at=seen)
    entry = LedgerEntry.objects.get(verb="clock_passed")
    assert (entry.happened_at, entry.recorded_at, entry.by) == (FORM_DUE, seen, None)


# --- the answer, and the offer -----------------------------------------------------------------------


@pytest.mark.rule("ST-11")
def test_a_resolution_left_unanswered_for_five_working_days_offers_the_panel(world: World) -> None:
    dissent = world.proposed(at=when("2026-03-05 11:00"))
    due = clock(dissent, "answer").due_at
    assert due == end_of("2026-03-12")
    assert actions.pass_clocks(at=due) == 0
    assert actions.pass_clocks(at=due + MOMENT) == 1
    dissent.refresh_from_db()
    assert (dissent.state, dissent.stage, dissent.offered_at) == ("decided", "review", due + MOMENT)
    assert Proposal.objects.get().answer == "silent"
    assert [finding.outcome for finding in Decision.objects.get().findings.all()] == ["unresolved"]
    assert set(tell_whom(dissent, "answer")) == {world.teacher, world.service_manager}
    assert LedgerEntry.objects.get(verb="leave_resolution_unanswered").by is None
    answered = clock(dissent, "answer")
    assert answered.stopped
    assert answered.is_late(due + MOMENT)
    assert clock(dissent, "offer").is_running


@pytest.mark.rule("ST-11")
def test_an_offer_that_nobody_takes_up_in_ten_working_days_ends_and_the_case_closes(world: World) -> None:
    dissent = world.offered(at=when("2026-03-05 11:00"))
    due = clock(dissent, "offer").due_at
    assert due == end_of("2026-03-19")
    assert actions.pass_clocks(at=due) == 0
    assert actions.pass_clocks(at=due + MOMENT) == 1
    dissent.refresh_from_db()
    assert (dissent.state, dissent.closed_at) == ("closed", due + MOMENT)
    assert not Clock.objects.filter(dissent=dissent, stopped=None).exists()
    assert set(tell_whom(dissent, "offer")) == {world.teacher, world.service_manager}
    assert LedgerEntry.objects.get(verb="end_offer").by is None


@pytest.mark.rule("ST-11")
def test_silence_to_both_leads_from_the_proposal_to_the_end_by_itself(world: World) -> None:
    dissent = world.proposed(at=when("2026-03-05 11:00"))
    assert actions.pass_clocks(at=when("2026-03-13 02:00")) == 1
    assert clock(dissent, "offer").due_at == end_of("2026-03-27")
    assert actions.pass_clocks(at=when("2026-03-28 02:00")) == 1
    assert Dissent.objects.get().state == "closed"


def test_an_answer_in_time_leaves_the_sweep_nothing_to_do(world: World) -> None:
    dissent = world.proposed()
    actions.agree_to_resolution(dissent=dissent, by=world.teacher, at=when("2026-03-06 09:00"))
    assert actions.pass_clocks(at=when("2026-06-01 09:00")) == 0


def test_an_offer_taken_up_does_not_end(world: World) -> None:
    dissent = world.escalated(at=when("2026-03-06 09:00"))
    assert actions.pass_clocks(at=when("2026-03-20 09:00")) == 0
    dissent.refresh_from_db()
    assert (dissent.state, dissent.stage) == ("at_stage", "panel")


# --- the panel's feedback ----------------------------------------------------------------------------


@pytest.mark.rule("ST-13")
def test_feedback_is_due_twenty_working_days_from_the_escalation(world: World) -> None:
    dissent = world.escalated(at=when("2026-03-06 09:00"))
    running = clock(dissent, "feedback")
    assert running.started.name == "stage_entered"
    assert running.started.happened_at == when("2026-03-06 09:00")
    assert running.due_at == end_of("2026-04-07")  # over Good Friday and Easter Monday
    skipped = {day["why"] for day in running.derivation["skipped"]}
    assert {"Good Friday", "Easter Monday", "Saturday", "Sunday"} <= skipped


@pytest.mark.rule("ST-13")
def test_it_does_not_stop_at_the_decision_nor_at_the_release_but_at_the_last_letter_issued(
    world: World,
) -> None:
    conference = world.conference()
    actions.add_attendance(
        conference=conference,
        name="Posty Testshire",
        capacity="professional",
        present=True,
        agency=world.agency("Police"),
        by=world.conference_administrator,
        at=RECORDED,
    )
    dissent = world.escalated(world.offered(world.reviewed(world.filed(world.raised(conference)))))
    dissent = world.decided(world.sat(world.convened(dissent)), outcome="not_upheld")
    assert clock(dissent, "feedback").is_running
    dissent = world.released(dissent)
    assert clock(dissent, "feedback").is_running
    handed = when("2026-04-08 09:00")
    actions.hand_over(letter=Letter.objects.get(to=None), by=world.business_manager, at=handed)
    stopped = clock(dissent, "feedback")
    assert stopped.stopped
    assert (stopped.stopped.name, stopped.stopped.happened_at) == (
        "letters_issued",
        handed,
    )
    assert stopped.is_late(handed)
    assert world.on_record(Dissent.objects.get()).state == "closed"


@pytest.mark.rule("ST-13")
def test_late_feedback_is_shown_as_late_and_changes_nothing_else(world: World) -> None:
    dissent = world.decided()
    assert actions.pass_clocks(at=when("2026-04-08 00:00")) == 1
    dissent.refresh_from_db()
    assert dissent.state == "reconvening"
    assert clock(dissent, "feedback").is_running
    assert set(tell_whom(dissent, "feedback")) == {world.business_manager, world.service_manager}


# --- many at once ------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_do_everything_once() -> None:
    world = World(quick=True)
    conference = world.conference()
    form = world.raised(conference, who="officer")
    dissent = world.proposed(world.reviewed(world.filed(world.raised(conference))))
    offered = world.offered(world.reviewed(world.filed(world.raised(conference, who="nurse"))))
    late = when("2026-03-20 09:00")
    first, second = at_once(*[lambda: actions.pass_clocks(at=late)] * 2)
    assert first + second == 3, (first, second)
    assert LedgerEntry.objects.filter(verb="clock_passed").count() == 3
    assert Decision.objects.filter(dissent=dissent).count() == 1
    assert {Dissent.objects.get(pk=each.pk).state for each in (form, dissent, offered)} == {
        "raised",
        "decided",
        "closed",
    }


def test_one_clock_that_cannot_pass_stops_no_other_and_is_tried_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    broken = world.proposed()
    Proposal.objects.all().delete()
    sound = world.offered()
    late = when("2026-03-20 09:00")
    assert actions.pass_clocks(at=late) == 1
    assert "clock not passed" in caplog.text
    assert Dissent.objects.get(pk=sound.pk).state == "closed"
    assert clock(broken, "answer").passed_at is None
    assert Dissent.objects.get(pk=broken.pk).state == "proposed"


def test_a_sweep_with_nothing_due_asks_two_questions_however_many_cases_there_are(world: World) -> None:
    for _ in range(3):
        world.raised()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert actions.pass_clocks(at=RECORDED) == 0
    assert len(asked) == 2


# --- dates that nobody has published yet -------------------------------------------------------------


@pytest.fixture
def extend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """The file of closed days as a later release ships it, one year further."""

    def forget() -> None:
        calendars._shipped.cache_clear()
        calendars.seed.cache_clear()

    def publish() -> None:
        later = tmp_path / "closed_days.toml"
        later.write_text(document(confirmed_through=2029), encoding="utf-8")
        monkeypatch.setattr(calendars, "SHIPPED", later)
        forget()

    yield publish
    monkeypatch.undo()
    forget()


DECEMBER = when("2028-12-27 12:00")
"""The confirmed holidays end with 2028: ten working days from here nobody knows."""


def offered_in_december(world: World) -> Dissent:
    conference = world.conference(
        held_at=when("2028-12-20 10:00"), ended_at=when("2028-12-20 12:00"), at=when("2028-12-20 12:30")
    )
    dissent = world.filed(world.raised(conference, at=when("2028-12-20 12:30")), at=when("2028-12-20 15:00"))
    return world.offered(world.reviewed(dissent, at=DECEMBER), at=DECEMBER)


def test_past_the_confirmed_holidays_the_act_goes_through_and_nobody_guesses(world: World) -> None:
    dissent = offered_in_december(world)
    assert dissent.state == "decided"
    waiting = clock(dissent, "offer")
    assert waiting.due_at is None
    assert "are confirmed up to 31 December 2028" in waiting.derivation["not_known"]
    assert not waiting.is_late(when("2035-01-01 00:00"))
    assert (dissent.due_is_known, dissent.next_due_at) == (False, None)


def test_hours_rest_on_no_calendar(world: World) -> None:
    conference = world.conference(
        held_at=when("2035-12-20 10:00"), ended_at=when("2035-12-20 12:00"), at=when("2035-12-20 12:30")
    )
    dissent = world.raised(conference, at=when("2035-12-20 12:30"))
    assert clock(dissent, "form").due_at == when("2035-12-21 12:00")


def test_what_has_no_known_date_comes_first_in_the_queue(world: World) -> None:
    known = world.raised()
    unknown = offered_in_december(world)
    later = world.offered(world.reviewed(world.filed(world.raised())))
    assert list(Dissent.objects.open().in_order_of_the_next_thing_due()) == [unknown, known, later]


def test_the_administrator_is_told_once_a_year_that_is_missing(world: World) -> None:
    offered_in_december(world)
    offered_in_december(world)
    actions.pass_clocks(at=DECEMBER)
    told = Notice.objects.filter(occasion="calendar_not_published")
    assert [notice.to for notice in told] == [world.administrator]


def test_when_the_calendar_is_extended_the_date_is_worked_out(
    world: World, extend: Callable[[], None]
) -> None:
    dissent = offered_in_december(world)
    actions.pass_clocks(at=DECEMBER)
    assert clock(dissent, "offer").due_at is None
    extend()
    actions.pass_clocks(at=DECEMBER)
    known = clock(dissent, "offer")
    assert known.due_at == end_of("2029-01-11")
    assert "not_known" not in known.derivation
    dissent.refresh_from_db()
    assert (dissent.due_is_known, dissent.next_due_at) == (True, end_of("2029-01-11"))


def test_a_clock_that_turns_out_to_have_run_out_passes_at_the_next_sweep(
    world: World, extend: Callable[[], None]
) -> None:
    dissent = offered_in_december(world)
    extend()
    late = when("2029-02-01 09:00")
    assert [actions.pass_clocks(at=late) for _ in range(3)] == [0, 1, 0]
    assert Dissent.objects.get(pk=dissent.pk).state == "closed"


@pytest.mark.django_db(transaction=True)
def test_a_clock_that_stops_while_its_date_is_worked_out_stays_stopped(extend: Callable[[], None]) -> None:
    world = World(quick=True)
    dissent = offered_in_december(world)
    extend()
    answered: list[Any] = []

    def answer_after_the_first_look(execute: Any, sql: str, *rest: Any) -> Any:
        found = execute(sql, *rest)
        if not answered and "dissent_clock" in sql:
            answered.append(None)
            answered[0] = at_once(lambda: actions.accept(dissent=dissent, by=world.teacher, at=DECEMBER))
        return found

    with connection.execute_wrapper(answer_after_the_first_look):
        work_out_what_was_not_known(at=DECEMBER)
    assert not isinstance(answered[0][0], Exception), answered
    assert clock(dissent, "offer").stopped is not None
    assert Dissent.objects.get().next_due_at is None


def test_a_day_that_a_council_closes_by_itself_moves_only_its_own_deadlines(world: World) -> None:
    elsewhere = World(key="elsewhere", quick=True)
    world.council.closed_days.create(on=dt.date(2026, 3, 9), why="Flood", source="Notice of the council")
    there, here = elsewhere.proposed(), world.proposed()
    assert clock(here, "answer").due_at == end_of("2026-03-13")
    assert clock(there, "answer").due_at == end_of("2026-03-12")
    assert {"on": "2026-03-09", "why": "Flood"} in clock(here, "answer").derivation["skipped"]

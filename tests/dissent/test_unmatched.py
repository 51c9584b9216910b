"""A dissent whose conference was not on record: nobody is shut out, and nobody gets in by saying so."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django_fsm import TransitionNotAllowed

from councils.models import Agency, Person
from dissent import actions
from dissent.actions import Refused
from dissent.actions.conference import NoProcedure, SentBefore
from dissent.actions.core import InTheFuture
from dissent.actions.dissent import AlreadyRaised, MayNotDissent, ReasonMissing
from dissent.actions.sweep import pass_clocks
from dissent.models import Clock, Conference, Dissent, LedgerEntry, Notice
from dissent.permissions import reads
from tests.world import ENDED, RECORDED, World, when

pytestmark = pytest.mark.django_db

SENT = when("2026-03-03 15:00")
MATCHED = when("2026-03-03 16:00")
ANSWERED = when("2026-03-04 10:00")
SETTLED = when("2026-03-05 10:00")


@pytest.fixture
def world() -> World:
    return World(quick=True)


def told(dissent: Dissent, occasion: str) -> set[Person]:
    return {notice.to for notice in Notice.objects.filter(dissent=dissent, occasion=occasion)}


def fresh(dissent: Dissent) -> Dissent:
    return Dissent.objects.get(pk=dissent.pk)


def can_see(world: World, dissent: Dissent, at: dt.datetime = SETTLED) -> set[str]:
    return {
        name
        for name, person in world.people.items()
        if Dissent.objects.visible_to(person, at=at).filter(pk=dissent.pk).exists()
    }


def settle(world: World, dissent: Dissent, *, let_in: bool, **said: Any) -> Dissent:
    facts = {
        "heard": "She said it aloud, and was cut short.",
        "heard_at": when("2026-03-05 09:00"),
        "reasons": "Two others heard it too.",
        "by": world.service_manager,
        "at": SETTLED,
        **said,
    }
    if not let_in:
        return actions.turn_away(dissent=dissent, **facts)
    facts.setdefault("children", dissent.conference.children.all())
    return actions.let_in(dissent=dissent, **facts)


# --- begun -----------------------------------------------------------------------------------------


def test_what_is_begun_is_the_dissenters_alone_until_it_is_sent(world: World) -> None:
    world.conference()
    dissent = world.filled_in(world.begun())
    assert dissent.state == "begun"
    assert can_see(world, dissent) == {"newcomer"}
    assert not Notice.objects.exists()
    assert not dissent.clocks.exists()


def test_whoever_begins_gets_the_name_that_they_give_and_nobody_else_is_renamed(world: World) -> None:
    world.begun(name="  Newcomer Testshire ", job="Teacher")
    assert (world.newcomer.name, world.newcomer.job) == ("Newcomer Testshire", "Teacher")
    world.begun(name="Somebody Else", at=when("2026-03-03 14:00"))
    assert Person.objects.get(pk=world.newcomer.pk).name == "Newcomer Testshire"


def test_somebody_who_proved_an_address_and_said_no_more_is_named_by_the_next_record(world: World) -> None:
    Person.objects.known_by("teacher@testshire.example")
    conference = world.conference()
    teacher = conference.attendances.get(email="teacher@testshire.example").person
    assert (teacher.name, teacher.agency.name) == ("Teacher Testshire", "School")


def test_pressing_twice_begins_one_dissent_and_a_changed_page_is_not_lost_silently(world: World) -> None:
    once = uuid.uuid4()
    first = world.begun(once=once)
    assert world.begun(once=once) == first
    with pytest.raises(SentBefore):
        world.begun(once=once, which="Another family.")
    assert Dissent.objects.count() == 1


@pytest.mark.parametrize("missing", ["name", "job", "which"])
def test_nothing_begins_without_who_it_is_and_which_conference(world: World, missing: str) -> None:
    with pytest.raises(Refused) as refused:
        world.begun(**{missing: "   "})
    assert refused.value.field == missing
    assert not Dissent.objects.exists()


def test_an_agency_is_chosen_or_named(world: World) -> None:
    with pytest.raises(Refused) as refused:
        world.begun(agency=None)
    assert refused.value.field == "agency"
    dissent = world.begun(agency=None, agency_name="Hospice of Nowhere")
    assert dissent.claim.works_for == "Hospice of Nowhere"
    assert world.begun(agency_name="Left over").claim.works_for == "School"
    elsewhere = World(key="elsewhere", quick=True)
    with pytest.raises(Refused, match="agency of this council"):
        world.begun(agency=elsewhere.agency("School"))


def test_the_conference_has_ended_and_a_procedure_was_in_force(world: World) -> None:
    with pytest.raises(InTheFuture):
        world.begun(ended_at=when("2026-03-03 13:10"))
    with pytest.raises(NoProcedure) as refused:
        world.begun(ended_at=when("1999-03-03 13:10"))
    assert refused.value.field == "ended_at"


def test_what_is_said_of_the_conference_can_be_changed_until_the_form_is_sent(world: World) -> None:
    dissent = world.begun()
    said = {"name": "N", "job": "J", "agency_name": "Hospice", "ended_at": ENDED, "which": "Another one."}
    changed = actions.change_claim(dissent=dissent, by=world.newcomer, at=SENT, **said)
    assert (changed.claim.which, changed.claim.works_for) == ("Another one.", "Hospice")
    world.unmatched(dissent)
    with pytest.raises(TransitionNotAllowed):
        actions.change_claim(dissent=dissent, by=world.newcomer, at=SENT, **said)


# --- sent ------------------------------------------------------------------------------------------


def test_the_form_is_filed_at_that_moment_and_reaches_the_service_manager_at_once(world: World) -> None:
    world.conference()
    dissent = world.unmatched()
    assert (dissent.state, dissent.filed_at, dissent.conference) == ("unmatched", SENT, None)
    assert told(dissent, "filed") >= {world.service_manager}
    assert told(dissent, "unmatched") == {world.conference_administrator}
    assert can_see(world, dissent) == {
        "newcomer",
        "service_manager",
        "nominated_manager",
        "conference_administrator",
    }
    other = world.filed(world.raised(who="officer"))
    queue = Dissent.objects.read_by(world.service_manager, at=SENT).open().in_order_of_the_next_thing_due()
    assert list(queue) == [dissent, other]


def test_a_form_that_is_late_by_the_dissenters_own_account_says_why(world: World) -> None:
    dissent = world.filled_in(world.begun())
    a_day_after = ENDED + dt.timedelta(hours=24)
    with pytest.raises(ReasonMissing):
        actions.file_dissent(dissent=dissent, by=world.newcomer, at=a_day_after + dt.timedelta(seconds=1))
    assert actions.file_dissent(dissent=dissent, by=world.newcomer, at=a_day_after).late_because == ""


def test_where_no_calendar_says_when_it_is_due_nobody_is_asked_why_it_is_late(world: World) -> None:
    world.follow(_form_in_working_days)
    begun = world.begun(at=when("2099-03-04 12:00"), ended_at=when("2099-03-03 12:00"))
    assert world.unmatched(begun, at=when("2099-03-30 12:00")).state == "unmatched"


def _form_in_working_days(rules: dict[str, Any]) -> None:
    (form,) = (clock for clock in rules["clocks"] if clock["until"] == "filed")
    form["limit"] = "1 working day"


def test_it_can_be_withdrawn_before_anybody_knows_which_conference_it_was(world: World) -> None:
    dissent = world.unmatched()
    closed = actions.withdraw(dissent=dissent, reasons="Solved.", by=world.newcomer, at=MATCHED)
    assert closed.state == "closed"
    assert told(dissent, "withdrawn") >= {world.service_manager}
    assert closed.answers.exists()


# --- matched ---------------------------------------------------------------------------------------


def test_once_it_is_matched_the_chair_is_asked_for_two_working_days(world: World) -> None:
    conference = world.conference()
    dissent = world.matched(conference=conference)
    assert (dissent.state, dissent.conference, dissent.attendance) == ("matched", conference, None)
    assert told(dissent, "matched") == {world.chair}
    clock = dissent.clocks.get(stopped=None)
    assert (clock.rule, clock.due_at) == ("raising", when("2026-03-05 23:59:59.999999"))
    dissent.stand_as(world.chair, at=MATCHED)
    assert dissent.can("confirm_raised")
    assert dissent.can("deny_raised")


def test_the_form_is_not_the_chairs_to_read_before_it_is_let_in(world: World) -> None:
    dissent = world.matched()
    assert "form" not in reads(dissent.relations(world.chair, at=MATCHED))
    assert "form" in reads(world.confirmed(dissent).relations(world.chair, at=ANSWERED))


def test_a_conference_elsewhere_or_of_the_dissenters_own_chair_is_no_match(world: World) -> None:
    elsewhere = World(key="elsewhere", quick=True)
    dissent = world.unmatched()
    with pytest.raises(Refused) as refused:
        world.matched(dissent, conference=elsewhere.conference())
    assert refused.value.field == "conference"
    world.chair.email = "unused@testshire.example"
    world.chair.save()
    own = world.unmatched(world.begun(who="chairing"))
    conference = world.conference()
    Conference.objects.filter(pk=conference.pk).update(chair=world.chairing)
    with pytest.raises(Refused, match="chaired this conference"):
        world.matched(own, conference=conference)
    assert fresh(dissent).state == fresh(own).state == "unmatched"


def test_a_wrong_match_is_put_right_and_what_its_chair_said_counts_no_more(world: World) -> None:
    wrong, right = world.conference(), world.conference()
    other = world.appoint("chair", "Another Chair", key="other_chair")
    Conference.objects.filter(pk=right.pk).update(chair=other)
    denied = world.denied(world.matched(conference=wrong))
    again = world.matched(denied, conference=right, at=SETTLED)
    assert (again.state, again.claim.raised_there, again.claim.statement) == ("matched", None, "")
    assert "chair" not in can_see(world, again)
    assert "other_chair" in can_see(world, again)
    asked = again.clocks.get(stopped=None)
    assert asked.started.happened_at == SETTLED
    assert [each.replaced_at for each in again.moments.filter(name="matched").order_by("recorded_at")] == [
        SETTLED,
        None,
    ]
    with pytest.raises(Refused, match="already"):
        world.matched(again, conference=right, at=SETTLED)


def test_where_the_chair_recorded_it_meanwhile_the_form_goes_to_that_record(world: World) -> None:
    sent = world.unmatched(world.begun(who="teacher"))
    conference = world.conference()
    recorded = world.raised(conference, at=when("2026-03-03 15:30"))
    led_to = world.matched(sent, conference=conference)
    assert led_to == recorded
    assert (led_to.state, led_to.filed_at, led_to.late_because) == ("at_stage", SENT, "")
    assert led_to.answers_by_question() == sent.answers_by_question()
    closed = fresh(sent)
    assert (closed.state, closed.continued_in, closed.closed_at) == ("closed", recorded, MATCHED)
    assert not closed.clocks.filter(stopped=None).exists()
    assert told(recorded, "filed") >= {world.service_manager}
    with pytest.raises(TransitionNotAllowed):
        world.filed(recorded)


def test_the_chair_is_sent_to_the_form_that_came_instead_of_recording_it_twice(world: World) -> None:
    conference = world.conference()
    sent = world.matched(world.unmatched(world.begun(who="teacher")), conference=conference)
    with pytest.raises(AlreadyRaised) as refused:
        world.raised(conference)
    assert refused.value.first == sent


# --- the chair says --------------------------------------------------------------------------------


def test_what_the_chair_confirms_goes_on_as_what_the_chair_recorded(world: World) -> None:
    conference = world.conference(children=2)
    child = conference.children.first()
    matched = world.matched(conference=conference)
    dissent = actions.confirm_raised(dissent=matched, children=[child], by=world.chair, at=ANSWERED)
    assert (dissent.state, dissent.stage) == ("at_stage", dissent.rules.stages[0].key)
    assert list(dissent.children.all()) == [child]
    there = dissent.attendance
    assert (there.person, there.name, there.present, there.capacity, there.agency.name) == (
        world.newcomer,
        "Newcomer Testshire",
        True,
        "professional",
        "School",
    )
    assert told(dissent, "raising_answered") == {world.service_manager, world.newcomer}
    in_order = dissent.moments.order_by("recorded_at", "id").values_list("name", flat=True)
    assert set(in_order) == {"filed", "matched", "raising_answered", "raised", "stage_entered"}
    assert world.newcomer not in told(dissent, "raised")


def test_its_clocks_are_those_of_any_dissent_sent_at_that_time(world: World) -> None:
    """What happened before anybody knew the conference counts from when it happened."""
    conference = world.conference()
    usual = world.filed(world.raised(conference), at=SENT)
    late_found = world.confirmed(world.matched(conference=conference))
    of = {each.rule: each for each in late_found.clocks.exclude(rule="raising")}
    same = {each.rule: each for each in usual.clocks.all()}
    assert of.keys() == same.keys()
    form = next(rule.key for rule in usual.rules.clocks if rule.until == "filed")
    assert of[form].due_at == same[form].due_at
    assert of[form].stopped.happened_at == SENT
    assert not of[form].is_late(SETTLED)


def test_somebody_known_by_name_alone_is_known_from_then_on(world: World) -> None:
    conference = world.conference()
    by_name = actions.add_attendance(
        conference=conference,
        name="N. Testshire",
        capacity="professional",
        present=True,
        agency=world.agency("School"),
        by=world.conference_administrator,
        at=RECORDED,
    )
    dissent = world.confirmed(world.matched(conference=conference), attendance=by_name)
    assert dissent.attendance == by_name
    assert (dissent.attendance.person, dissent.attendance.email) == (world.newcomer, world.newcomer.email)
    assert conference.attendances.filter(person=world.newcomer).count() == 1


def test_nobody_is_taken_for_somebody_whom_the_record_knows_already(world: World) -> None:
    conference = world.conference()
    teacher = conference.attendances.get(person=world.teacher)
    matched = world.matched(conference=conference)
    with pytest.raises(Refused) as refused:
        world.confirmed(matched, attendance=teacher)
    assert refused.value.field == "attendance"
    assert fresh(matched).state == "matched"


@pytest.mark.rule("ST-02")
def test_whoever_was_absent_cannot_dissent_by_the_second_way_in_either(world: World) -> None:
    conference = world.conference()
    matched = world.matched(world.unmatched(world.begun(who="absentee")), conference=conference)
    with pytest.raises(MayNotDissent, match="did not attend"):
        world.confirmed(matched)
    with pytest.raises(MayNotDissent):
        settle(world, world.denied(matched), let_in=True)
    assert settle(world, fresh(matched), let_in=False).state == "closed"


def test_whoever_was_recorded_as_absent_by_mistake_is_let_in_once_the_record_is_put_right(
    world: World,
) -> None:
    conference = world.conference()
    matched = world.matched(world.unmatched(world.begun(who="absentee")), conference=conference)
    wrong = conference.attendances.get(person=world.absentee)
    actions.correct_attendance(
        attendance=wrong,
        name=wrong.name,
        capacity="professional",
        present=True,
        agency=wrong.agency,
        job=wrong.job,
        because="She came late.",
        by=world.conference_administrator,
        at=ANSWERED,
    )
    dissent = world.confirmed(matched, at=ANSWERED)
    assert dissent.attendance != wrong
    assert dissent.attendance.replaced_at is None


def test_an_agency_that_is_not_on_the_list_is_added_to_it_or_known_as_another_with_the_match(
    world: World,
) -> None:
    conference = world.conference()
    called = {"agency": None, "agency_name": "Hospice of Nowhere"}
    added = world.confirmed(world.matched(world.unmatched(world.begun(**called)), conference=conference))
    assert added.attendance.agency == Agency.objects.get(council=world.council, name="Hospice of Nowhere")
    again = world.matched(world.unmatched(world.begun(who="second", **called)), conference=conference)
    assert again.claim.agency == added.attendance.agency
    third = world.unmatched(world.begun(who="third", agency=None, agency_name="The school"))
    elsewhere = World(key="elsewhere", quick=True)
    with pytest.raises(Refused, match="agency of this council"):
        world.matched(third, conference=conference, agency=elsewhere.agency("School"))
    known = world.confirmed(world.matched(third, conference=conference, agency=world.agency("Police")))
    assert known.attendance.agency.name == "Police"
    assert LedgerEntry.objects.filter(verb="add_agency").count() == 1


@pytest.mark.parametrize("field", ["heard", "reasons"])
def test_an_address_on_the_record_stands_in_nothing_that_the_dissenter_reads(
    world: World, field: str
) -> None:
    conference = world.conference()
    child = conference.children.get()
    world.relative(child, contact="post", details="7 Hidden Lane\nHollow Town")
    matched = world.matched(conference=conference)
    placed = "They live at 7 hidden  lane."
    with pytest.raises(Refused, match="An address on the record") as refused:
        actions.deny_raised(dissent=matched, statement=placed, by=world.chair, at=ANSWERED)
    assert refused.value.field == "statement"
    for let_in in (True, False):
        with pytest.raises(Refused, match="An address on the record") as refused:
            settle(
                world,
                world.denied(fresh(matched)) if let_in else fresh(matched),
                let_in=let_in,
                **{field: placed},
            )
        assert refused.value.field == field


def test_whom_of_their_management_the_dissenter_told_goes_along_to_the_record_of_the_chair(
    world: World,
) -> None:
    sent = world.unmatched(world.begun(who="teacher"))
    told_on = {"name": "Head Mistress", "email": "", "told_on": SENT.date()}
    actions.tell_management(dissent=sent, by=world.teacher, at=SENT, **told_on)
    conference = world.conference()
    recorded = world.raised(conference)
    world.matched(fresh(sent), conference=conference)
    assert (fresh(recorded).manager_name, fresh(recorded).manager_told_on) == ("Head Mistress", SENT.date())


def test_the_dissenter_is_heard_after_the_chair_answered_and_not_before(world: World) -> None:
    denied = world.denied()
    with pytest.raises(Refused, match="after the chair answered"):
        settle(world, denied, let_in=True, heard_at=ANSWERED - dt.timedelta(minutes=1))
    assert settle(world, denied, let_in=True, heard_at=ANSWERED).state == "at_stage"


def test_it_is_about_children_of_the_conference_and_of_each_once(world: World) -> None:
    conference = world.conference()
    matched = world.matched(conference=conference)
    for children in ([], list(world.conference().children.all())):
        with pytest.raises(Refused, match="which children"):
            actions.confirm_raised(dissent=matched, children=children, by=world.chair, at=ANSWERED)
    world.confirmed(matched)
    second = world.matched(world.unmatched(world.begun()), conference=conference)
    with pytest.raises(AlreadyRaised):
        world.confirmed(second)


def test_a_form_in_time_by_the_dissenters_account_and_late_by_the_record_waits_to_be_let_in(
    world: World,
) -> None:
    conference = world.conference(ended_at=when("2026-03-03 10:30"))
    begun = world.begun(ended_at=when("2026-03-03 12:30"))
    sent = world.unmatched(begun, at=when("2026-03-04 12:00"))
    matched = world.matched(sent, conference=conference, at=when("2026-03-04 13:00"))
    dissent = world.confirmed(matched, at=when("2026-03-04 14:00"))
    assert (dissent.state, dissent.late_because) == ("awaiting_admission", "")
    admitted = actions.admit(
        dissent=dissent, reasons="It was near enough.", by=world.service_manager, at=SETTLED
    )
    assert admitted.state == "at_stage"


def test_a_denial_ends_nothing_and_says_what_is_known(world: World) -> None:
    matched = world.matched()
    with pytest.raises(Refused) as refused:
        actions.deny_raised(dissent=matched, statement=" ", by=world.chair, at=ANSWERED)
    assert refused.value.field == "statement"
    dissent = world.denied(matched)
    assert (dissent.state, dissent.claim.raised_there, dissent.claim.stated_by) == (
        "doubted",
        False,
        world.chair,
    )
    assert told(dissent, "raising_answered") == {world.service_manager, world.newcomer}
    assert not dissent.clocks.filter(rule="raising", stopped=None).exists()
    assert not fresh(dissent).due_is_known


def test_silence_for_two_working_days_leaves_it_to_the_service_manager(world: World) -> None:
    dissent = world.matched()
    due_at = dissent.clocks.get(rule="raising").due_at
    pass_clocks(at=due_at)
    assert fresh(dissent).state == "matched"
    pass_clocks(at=due_at + dt.timedelta(seconds=1))
    doubted = fresh(dissent)
    assert (doubted.state, doubted.claim.stated_at) == ("doubted", None)
    assert told(dissent, "raising_answered") == {world.service_manager, world.newcomer}
    assert world.chair in told(dissent, "clock_passed")
    with pytest.raises(TransitionNotAllowed):
        world.confirmed(dissent, at=due_at + dt.timedelta(hours=1))
    later = due_at + dt.timedelta(hours=2)
    assert settle(world, doubted, let_in=True, heard_at=later, at=later).state == "at_stage"


# --- settled ---------------------------------------------------------------------------------------


def test_the_service_manager_lets_it_in_with_reasons_after_hearing_the_dissenter(world: World) -> None:
    dissent = settle(world, world.denied(), let_in=True)
    assert (dissent.state, dissent.claim.settled_by) == ("at_stage", world.service_manager)
    assert dissent.attendance.person == world.newcomer
    assert told(dissent, "entry_settled") == {world.newcomer, world.chair}
    assert dissent.due_is_known


def test_refused_is_refused_with_the_reason_and_kept(world: World) -> None:
    dissent = settle(world, world.denied(), let_in=False, reasons="Nobody heard it.")
    assert (dissent.state, dissent.was_turned_away, dissent.claim.reasons) == (
        "closed",
        True,
        "Nobody heard it.",
    )
    assert dissent.form_as_sent()
    assert told(dissent, "entry_settled") == {world.newcomer, world.chair}
    assert not Clock.objects.filter(dissent=dissent, stopped=None).exists()
    with pytest.raises(TransitionNotAllowed):
        world.matched(dissent)


def test_one_whose_conference_nobody_finds_can_be_refused_too(world: World) -> None:
    dissent = settle(world, world.unmatched(), let_in=False)
    assert (dissent.state, dissent.conference, dissent.was_turned_away) == ("closed", None, True)


@pytest.mark.parametrize("let_in", [True, False])
@pytest.mark.parametrize(
    ("field", "wrong"),
    [("heard", " "), ("reasons", ""), ("heard_at", SENT - dt.timedelta(hours=1))],
)
def test_nothing_is_settled_without_reasons_or_before_the_dissenter_was_heard(
    world: World, let_in: bool, field: str, wrong: Any
) -> None:
    denied = world.denied()
    with pytest.raises(Refused) as refused:
        settle(world, denied, let_in=let_in, **{field: wrong})
    assert refused.value.field == field
    with pytest.raises(InTheFuture):
        settle(world, denied, let_in=let_in, heard_at=SETTLED + dt.timedelta(hours=1))
    assert fresh(denied).state == "doubted"


def test_nobody_settles_their_own(world: World) -> None:
    world.people["newcomer"] = world.nominated_manager
    begun = actions.begin_dissent(
        council=world.council,
        by=world.nominated_manager,
        at=when("2026-03-03 13:00"),
        name="Nominated Manager",
        job="Manager",
        agency=world.unit,
        ended_at=ENDED,
        which="The Testson children.",
    )
    denied = world.denied(world.matched(world.unmatched(begun)))
    with pytest.raises(PermissionDenied):
        settle(world, denied, let_in=True, by=world.nominated_manager)


def test_from_the_second_way_in_a_dissent_goes_all_the_way(world: World) -> None:
    dissent = world.confirmed()
    assert dissent.state == "at_stage"
    sat = dissent
    for step in (world.reviewed, world.offered, world.escalated, world.convened, world.sat):
        sat = step(sat)
    assert world.released(world.decided(sat, outcome="not_upheld")).state == "closed"


def test_every_act_is_in_the_ledger_and_names_nothing_that_was_typed(world: World) -> None:
    dissent = settle(world, world.denied(), let_in=True)
    verbs = set(LedgerEntry.objects.filter(case_id=dissent.pk).values_list("verb", flat=True))
    assert verbs >= {"begin_dissent", "file", "match_dissent", "deny_raised", "let_in", "add_attendance"}
    rows = LedgerEntry.objects.filter(case_id=dissent.pk).values()
    assert not [row for row in rows if "Two others heard" in str(row) or "Newcomer" in str(row)]

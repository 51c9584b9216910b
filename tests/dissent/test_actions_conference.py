"""What is done to a conference and its record: who may, what is refused, and in which words."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied

from councils.models import Agency, ProcedureVersion
from dissent import actions
from dissent.actions import Refused
from dissent.actions.conference import NoProcedure, RecordIsClosed, SentBefore
from dissent.actions.core import InTheFuture
from dissent.models import (
    Attendance,
    Child,
    Conference,
    LedgerEntry,
    Moment,
    Paper,
    PaperContent,
    Relative,
)
from dissent.pdf.check import NotAPdf
from tests.world import ENDED, HELD, RECORDED, World, a_pdf, when

pytestmark = pytest.mark.django_db

INSTEAD = "use the referral pathway"
"""What every refusal of a dissent says: where to go instead."""


@pytest.fixture
def world() -> World:
    return World(quick=True)


def recorded(world: World, **changed: Any) -> Conference:
    facts: dict[str, Any] = {
        "council": world.council,
        "kind": "initial",
        "held_at": HELD,
        "ended_at": ENDED,
        "chair": world.chair,
        "by": world.conference_administrator,
        "at": RECORDED,
    }
    return actions.record_conference(**{**facts, **changed})


def child_of(world: World, conference: Conference, **changed: Any) -> Child:
    facts: dict[str, Any] = {
        "conference": conference,
        "name": "Child Testson",
        "born_on": dt.date(2018, 5, 1),
        "due_on": None,
        "decision": "made",
        "category": "neglect",
        "by": world.conference_administrator,
        "at": RECORDED,
    }
    return actions.add_child(**{**facts, **changed})


def relative_of(world: World, child: Child, **changed: Any) -> Relative:
    facts: dict[str, Any] = {"name": "Mum Testson", "relation": "Mother"}
    return actions.add_relative(
        child=child, by=world.conference_administrator, at=RECORDED, **{**facts, **changed}
    )


def somebody_at(world: World, conference: Conference, **changed: Any) -> Attendance:
    facts: dict[str, Any] = {
        "conference": conference,
        "name": "Somebody",
        "capacity": "professional",
        "present": True,
        "agency": world.agency("Police"),
        "email": "somebody@police.example",
        "by": world.conference_administrator,
        "at": RECORDED,
    }
    return actions.add_attendance(**{**facts, **changed})


def paper_of(world: World, conference: Conference, **changed: Any) -> Paper:
    facts: dict[str, Any] = {
        "conference": conference,
        "kind": "minutes",
        "file_name": "minutes.pdf",
        "data": a_pdf(),
        "by": world.conference_administrator,
        "at": RECORDED,
    }
    return actions.attach_paper(**{**facts, **changed})


# --- the conference itself -------------------------------------------------------------------------


def test_a_conference_keeps_what_was_said_and_its_two_moments(world: World) -> None:
    conference = recorded(world)
    assert (conference.held_at, conference.ended_at, conference.chair) == (HELD, ENDED, world.chair)
    assert (conference.recorded_at, conference.recorded_by) == (RECORDED, world.conference_administrator)
    moments = Moment.objects.filter(conference=conference).values_list("name", "happened_at", "recorded_at")
    assert list(moments) == [("conference_held", HELD, RECORDED), ("conference_ended", ENDED, RECORDED)]
    entry = LedgerEntry.objects.get(verb="record_conference")
    assert (entry.case_id, entry.by) == (conference.pk, world.conference_administrator)


@pytest.mark.parametrize("who", ["chair", "service_manager", "administrator", "business_manager"])
def test_only_a_conference_administrator_records_one(world: World, who: str) -> None:
    with pytest.raises(PermissionDenied):
        recorded(world, by=world.people[who])


def test_an_administrator_of_another_council_records_none_here(world: World) -> None:
    elsewhere = World(key="elsewhere", quick=True)
    with pytest.raises(PermissionDenied):
        recorded(world, by=elsewhere.conference_administrator)


def test_an_administrator_whose_appointment_has_ended_records_none(world: World) -> None:
    world.council.appointments.filter(role="conference_administrator").update(until_on=dt.date(2026, 3, 2))
    with pytest.raises(PermissionDenied):
        recorded(world)


@pytest.mark.parametrize("moment", ["held_at", "ended_at"])
def test_a_conference_that_has_not_happened_yet_is_refused(world: World, moment: str) -> None:
    with pytest.raises(InTheFuture, match="has not come yet") as refused:
        recorded(world, **{"held_at": HELD, moment: RECORDED + dt.timedelta(minutes=1)})
    assert refused.value.field == moment


@pytest.mark.parametrize("ended_at", [HELD, HELD - dt.timedelta(minutes=1)])
def test_a_conference_cannot_end_before_it_began(world: World, ended_at: dt.datetime) -> None:
    with pytest.raises(Refused, match="cannot have ended before it began") as refused:
        recorded(world, ended_at=ended_at)
    assert refused.value.field == "ended_at"


def test_only_somebody_appointed_to_chair_here_is_taken_as_the_chair(world: World) -> None:
    with pytest.raises(Refused, match="not appointed to chair") as refused:
        recorded(world, chair=world.service_manager)
    assert refused.value.field == "chair"


def test_before_any_procedure_was_in_force_no_conference_is_recorded(world: World) -> None:
    with pytest.raises(NoProcedure, match="No dissent procedure was in force here on that day") as refused:
        recorded(world, held_at=when("2023-12-29 10:00"), ended_at=when("2023-12-29 12:00"))
    assert refused.value.field == "held_at"


def test_a_conference_is_pinned_to_the_procedure_of_its_own_day_not_of_the_recording(world: World) -> None:
    later = world.version.rules.model_copy(update={"version": 2, "in_force_from": dt.date(2026, 3, 3)})
    second = actions.publish_procedure(procedure=later, by=None, at=when("2026-02-01 09:00"))
    before = recorded(world, held_at=when("2026-03-02 10:00"), ended_at=when("2026-03-02 12:00"))
    after = recorded(world)
    assert (before.procedure, after.procedure) == (world.version, second)
    later = later.model_copy(update={"version": 3, "in_force_from": dt.date(2026, 3, 1)})
    actions.publish_procedure(procedure=later, by=None, at=RECORDED)
    before.refresh_from_db()
    assert before.procedure == world.version
    assert ProcedureVersion.objects.count() == 3


def test_one_page_sent_twice_is_one_conference(world: World) -> None:
    once = uuid4()
    assert recorded(world, once=once) == recorded(world, once=once)
    with pytest.raises(SentBefore, match="You sent this page before"):
        recorded(world, once=once, kind="review")
    assert LedgerEntry.objects.filter(verb="record_conference").count() == 1


# --- who and what is on the record -----------------------------------------------------------------


def test_a_child_is_recorded_with_the_decision_about_that_child(world: World) -> None:
    conference = recorded(world)
    one = child_of(world, conference, name=" Ann ", record_number=" 12 ")
    two = child_of(world, conference, name="Ben", decision="ended", category="")
    assert (one.name, one.record_number, one.decision, one.category) == ("Ann", "12", "made", "neglect")
    assert (two.decision, two.category) == ("ended", "")
    assert set(conference.children.all()) == {one, two}


def test_an_unborn_child_is_expected_and_may_have_no_name(world: World) -> None:
    child = child_of(world, recorded(world), name="", born_on=None, due_on=dt.date(2026, 6, 1))
    assert str(child) == "Unborn child"


def test_the_record_number_may_be_unknown_when_the_child_is_recorded(world: World) -> None:
    assert child_of(world, recorded(world)).record_number == ""


@pytest.mark.rule("ST-06")
@pytest.mark.parametrize("who", ["teacher", "chair", "service_manager"])
def test_the_record_number_is_filled_in_by_the_conference_administrator_alone(world: World, who: str) -> None:
    conference = world.conference()
    assert child_of(world, conference, name="Ann", record_number="12").record_number == "12"
    with pytest.raises(PermissionDenied):
        child_of(world, conference, name="Ben", record_number="13", by=world.people[who])
    assert not conference.children.filter(record_number="13").exists()


@pytest.mark.parametrize(
    ("changed", "says", "field"),
    [
        ({"due_on": dt.date(2026, 6, 1)}, "and not both", "born_on"),
        ({"born_on": None}, "Give a date of birth, or the date", "born_on"),
        ({"name": "  "}, "Give the child's name", "name"),
        ({"born_on": dt.date(2026, 3, 4)}, "has not come yet", "born_on"),
        ({"category": ""}, "under which category", "category"),
        ({"decision": "continued", "category": ""}, "under which category", "category"),
        ({"decision": "not_made"}, "No plan was made for this child", "category"),
        ({"born_on": dt.date(1000, 5, 1)}, "more than 25 years before", "born_on"),
        ({"born_on": dt.date(2001, 2, 1)}, "more than 25 years before", "born_on"),
        ({"born_on": None, "due_on": dt.date(1066, 10, 14)}, "Check the year", "due_on"),
        ({"born_on": None, "due_on": dt.date(2026, 1, 30)}, "at most 31 days", "due_on"),
        ({"born_on": None, "due_on": dt.date(2026, 12, 29)}, "at most 300 days after", "due_on"),
        ({"born_on": None, "due_on": dt.date(9999, 1, 1)}, "Check the year", "due_on"),
    ],
)
def test_a_child_is_refused_with_the_reason(
    world: World, changed: dict[str, Any], says: str, field: str
) -> None:
    with pytest.raises(Refused, match=says) as refused:
        child_of(world, recorded(world), **changed)
    assert refused.value.field == field


@pytest.mark.parametrize(
    "facts",
    [
        {"born_on": dt.date(2001, 4, 1)},
        {"born_on": None, "due_on": dt.date(2026, 1, 31)},
        {"born_on": None, "due_on": dt.date(2026, 12, 28)},
        {"decision": "ended"},
        {"decision": "ended", "category": ""},
        {"decision": "not_made", "category": ""},
    ],
)
def test_a_child_that_can_just_be_is_taken(world: World, facts: dict[str, Any]) -> None:
    child = child_of(world, recorded(world), **facts)
    assert {name: getattr(child, name) for name in facts} == facts


def test_a_child_born_on_the_day_of_the_recording_is_taken(world: World) -> None:
    assert child_of(world, recorded(world), born_on=dt.date(2026, 3, 3)).born_on == dt.date(2026, 3, 3)


def test_somebody_who_matters_to_a_child_is_recorded_and_nothing_is_assumed(world: World) -> None:
    relative = relative_of(world, child_of(world, recorded(world)))
    assert (relative.may_be_told, relative.contact, relative.parental_responsibility) == ("", "", None)


@pytest.mark.parametrize(
    ("facts", "says", "field"),
    [
        ({"may_be_told": "yes"}, "Say who said so", "may_be_told_said_by"),
        ({"contact": "post"}, "confirmed that this contact is safe", "contact_confirmed_safe_by"),
        (
            {"contact": "post", "contact_confirmed_safe_by": "Ms Worker"},
            "and when",
            "contact_confirmed_safe_by",
        ),
    ],
)
def test_what_a_relative_may_be_told_needs_somebody_who_said_so(
    world: World, facts: dict[str, Any], says: str, field: str
) -> None:
    with pytest.raises(Refused, match=says) as refused:
        relative_of(world, child_of(world, recorded(world)), **facts)
    assert refused.value.field == field


def test_a_professional_with_an_address_can_sign_in_and_others_cannot(world: World) -> None:
    conference = recorded(world)
    professional = somebody_at(world, conference, email=" Somebody@Police.example ")
    without = somebody_at(world, conference, name="Posty", email="")
    observer = somebody_at(world, conference, name="Looker", capacity="observer", email="looker@x.example")
    parent = somebody_at(world, conference, name="Parent", capacity="family", agency=None, email="")
    assert professional.person
    assert professional.person.email == "somebody@police.example"
    assert not professional.person.has_usable_password()
    assert (without.person, observer.person, parent.person) == (None, None, None)


def test_somebody_known_already_is_the_same_person_at_the_next_conference(world: World) -> None:
    first = somebody_at(world, recorded(world))
    again = somebody_at(world, recorded(world), email="SOMEBODY@police.example", name="Some Body")
    assert again.person == first.person
    assert again.name == "Some Body"


@pytest.mark.parametrize(
    ("changed", "says", "field"),
    [
        ({"agency": None}, "for which agency", "agency"),
        ({"email": "teacher@testshire.example"}, "is recorded at this conference", "email"),
        ({"email": "Chair@testshire.example"}, "This is the chair of the conference", "email"),
    ],
)
def test_an_attendance_is_refused_with_the_reason(
    world: World, changed: dict[str, Any], says: str, field: str
) -> None:
    with pytest.raises(Refused, match=says) as refused:
        somebody_at(world, world.conference(), **changed)
    assert refused.value.field == field


def test_an_agency_of_another_council_is_refused(world: World) -> None:
    elsewhere = World(key="elsewhere", quick=True)
    agency = Agency.objects.get(council=elsewhere.council, name="Police")
    conference = recorded(world)
    with pytest.raises(Refused, match="of this council"):
        somebody_at(world, conference, agency=agency)
    with pytest.raises(Refused, match="of this council"):
        paper_of(world, conference, kind="agency_report", agency=agency)


def test_the_papers_are_kept_byte_for_byte_under_their_hash(world: World) -> None:
    conference = recorded(world)
    paper = paper_of(world, conference, kind="agency_report", agency=world.agency("Police"))
    assert bytes(PaperContent.objects.get(paper=paper).data) == a_pdf()
    assert (paper.size, paper.kind, len(paper.sha256)) == (len(a_pdf()), "agency_report", 64)


def test_papers_of_another_kind_and_reports_of_nobody_are_refused(world: World) -> None:
    conference = recorded(world)
    with pytest.raises(NotAPdf, match="PDF"):
        paper_of(world, conference, data=b"PK\x03\x04 a word document", file_name="minutes.docx")
    with pytest.raises(Refused, match="which agency wrote the report") as refused:
        paper_of(world, conference, kind="agency_report")
    assert refused.value.field == "agency"
    assert not Paper.objects.exists()


@pytest.mark.parametrize("make", [child_of, somebody_at, paper_of])
def test_one_page_sent_twice_is_one_row(world: World, make: Any) -> None:
    conference, once = recorded(world), uuid4()
    entries = LedgerEntry.objects.count()
    assert make(world, conference, once=once) == make(world, conference, once=once)
    assert LedgerEntry.objects.count() == entries + 1


@pytest.mark.parametrize("make", [child_of, somebody_at, paper_of])
@pytest.mark.parametrize("who", ["chair", "service_manager", "administrator"])
def test_only_a_conference_administrator_describes_a_conference(world: World, make: Any, who: str) -> None:
    conference = recorded(world)
    with pytest.raises(PermissionDenied):
        make(world, conference, by=world.people[who])


# --- explained, and closed -------------------------------------------------------------------------


@pytest.mark.rule("ST-04")
def test_the_chair_confirms_once_that_the_process_was_explained(world: World) -> None:
    conference = recorded(world)
    actions.confirm_explained(conference=conference, by=world.chair, at=RECORDED)
    later = RECORDED + dt.timedelta(hours=1)
    actions.confirm_explained(conference=conference, by=world.chair, at=later)
    conference.refresh_from_db()
    assert (conference.explained_at, conference.explained_by) == (RECORDED, world.chair)
    assert LedgerEntry.objects.filter(verb="confirm_explained").count() == 1


@pytest.mark.rule("ST-04")
@pytest.mark.parametrize("act", [actions.confirm_explained, actions.close_record])
@pytest.mark.parametrize("who", ["conference_administrator", "service_manager", "other_chair"])
def test_only_the_chair_of_this_conference_explains_and_closes(world: World, act: Any, who: str) -> None:
    world.appoint("chair", "Another Chair", key="other_chair")
    conference = world.conference()
    with pytest.raises(PermissionDenied):
        act(conference=conference, by=world.people[who], at=RECORDED)


def closed(world: World) -> Conference:
    conference = world.conference()
    actions.confirm_explained(conference=conference, by=world.chair, at=RECORDED)
    return actions.close_record(conference=conference, by=world.chair, at=RECORDED)


@pytest.mark.rule("ST-04")
def test_a_record_is_not_closed_before_the_process_was_said_to_be_explained(world: World) -> None:
    with pytest.raises(Refused, match="was explained"):
        actions.close_record(conference=world.conference(), by=world.chair, at=RECORDED)


def test_a_record_without_children_or_without_anybody_present_is_not_closed(world: World) -> None:
    conference = recorded(world)
    actions.confirm_explained(conference=conference, by=world.chair, at=RECORDED)
    with pytest.raises(Refused) as refused:
        actions.close_record(conference=conference, by=world.chair, at=RECORDED)
    assert "child" in str(refused.value)
    child_of(world, conference)
    somebody_at(world, conference, present=False)
    with pytest.raises(Refused) as refused:
        actions.close_record(conference=conference, by=world.chair, at=RECORDED)
    assert "present" in str(refused.value)


@pytest.mark.rule("ST-02")
def test_a_closed_record_takes_no_more_and_says_where_to_go_instead(world: World) -> None:
    conference = closed(world)
    assert (conference.closed_at, conference.closed_by) == (RECORDED, world.chair)
    child = conference.children.get()
    for make in (
        lambda: child_of(world, conference),
        lambda: relative_of(world, child),
        lambda: somebody_at(world, conference),
        lambda: actions.confirm_explained(conference=conference, by=world.chair, at=RECORDED),
        lambda: actions.close_record(conference=conference, by=world.chair, at=RECORDED),
        lambda: world.raised(conference),
    ):
        with pytest.raises(RecordIsClosed, match=INSTEAD):
            make()


def test_a_closed_record_still_takes_papers(world: World) -> None:
    """Minutes are often finished afterwards."""
    assert paper_of(world, closed(world)).kind == "minutes"


def test_time_alone_never_closes_a_record(world: World) -> None:
    conference = world.conference()
    actions.pass_clocks(at=when("2027-03-03 12:00"))
    conference.refresh_from_db()
    assert not conference.is_closed

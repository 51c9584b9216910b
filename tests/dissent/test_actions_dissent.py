"""A dissent before anybody decides it: raised in the conference, written, sent, let in."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django_fsm import TransitionNotAllowed

from councils.models import Person
from dissent import actions, permissions
from dissent.actions import Refused
from dissent.actions.dissent import AlreadyRaised, AnswersMissing, MayNotDissent, ReasonMissing
from dissent.models import Answer, Conference, Dissent, LedgerEntry, Moment, Notice, Reader
from tests.world import ENDED, RECORDED, World, when

pytestmark = pytest.mark.django_db

IN_TIME = when("2026-03-04 12:00")
"""24 hours after the conference's end, to the second."""
LATE = IN_TIME + dt.timedelta(seconds=1)


OBSERVED = "Observer Testshire was there as an observer, and only professionals dissent."
OF_THE_FAMILY = "Parent Testson was there as a family member, and only professionals dissent."


@pytest.fixture
def world() -> World:
    return World(quick=True)


def told(dissent: Dissent, occasion: str) -> set[Person]:
    return {notice.to for notice in Notice.objects.filter(dissent=dissent, occasion=occasion)}


# --- raised in the conference ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("capacities", "says"),
    [
        (("professional",), "a family member, and only professionals dissent."),
        (("professional", "observer"), "a family member, and only professionals and observers dissent."),
    ],
)
def test_who_may_dissent_is_said_as_the_procedure_has_it(
    world: World, capacities: tuple[str, ...], says: str
) -> None:
    parent = world.conference().attendances.get(capacity="family")
    rules = world.version.rules.raising.model_copy(update={"capacities": capacities})
    assert actions.why_not(parent, rules).endswith(says)


@pytest.mark.rule("ST-02", "ST-05")
def test_the_chair_records_who_dissented_about_which_children(world: World) -> None:
    conference = world.conference(children=3)
    first, second, _ = conference.children.all()
    dissent = world.raised(conference, children=[first, second])
    assert (dissent.state, dissent.dissenter, dissent.raised_by) == ("raised", world.teacher, world.chair)
    assert set(dissent.children.all()) == {first, second}
    assert conference.dissents.get() == dissent
    assert dissent.procedure == conference.procedure
    assert told(dissent, "raised") == {world.teacher}
    assert Moment.objects.get(dissent=dissent).name == "raised"


@pytest.mark.rule("ST-01", "ST-02")
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Absentee Testshire", "Absentee Testshire did not attend the conference."),
        (
            "Observer Testshire",
            OBSERVED,
        ),
        ("Parent Testson", OF_THE_FAMILY),
    ],
)
def test_who_was_absent_observing_or_of_the_family_cannot_dissent(world: World, name: str, says: str) -> None:
    conference = world.conference()
    with pytest.raises(MayNotDissent) as refused:
        actions.raise_dissent(
            conference=conference,
            attendance=conference.attendances.get(name=name),
            children=conference.children.all(),
            by=world.chair,
            at=RECORDED,
        )
    assert str(refused.value) == f"{says} {conference.procedure.rules.raising.refused}"
    assert refused.value.field == "attendance"
    assert not Dissent.objects.exists()


@pytest.mark.rule("ST-02", "ST-04")
@pytest.mark.parametrize("who", ["conference_administrator", "service_manager", "teacher", "other_chair"])
def test_only_the_chair_of_the_conference_records_a_dissent(world: World, who: str) -> None:
    world.appoint("chair", "Another Chair", key="other_chair")
    conference = world.conference()
    with pytest.raises(PermissionDenied):
        actions.raise_dissent(
            conference=conference,
            attendance=conference.attendances.get(person=world.teacher),
            children=conference.children.all(),
            by=world.people[who],
            at=RECORDED,
        )


def test_a_dissent_is_about_a_child_of_its_conference(world: World) -> None:
    other = world.conference()
    conference = Conference.objects.get(pk=_second_conference(world).pk)
    for children in ([], list(other.children.all())):
        with pytest.raises(Refused, match="Say about which children") as refused:
            actions.raise_dissent(
                conference=conference,
                attendance=conference.attendances.get(person=world.teacher),
                children=children,
                by=world.chair,
                at=RECORDED,
            )
        assert refused.value.field == "children"


def _second_conference(world: World) -> Conference:
    return world.conference(held_at=when("2026-03-02 10:00"), ended_at=when("2026-03-02 12:00"))


def test_a_second_try_about_the_same_child_is_told_of_the_first(world: World) -> None:
    conference = world.conference(children=2)
    one, two = conference.children.all()
    first = world.raised(conference, children=[one])
    with pytest.raises(AlreadyRaised, match=first.reference) as refused:
        world.raised(conference, children=[one, two])
    assert refused.value.first == first
    assert world.raised(conference, children=[two]) != first
    assert world.raised(conference, who="officer", children=[one]) != first


def test_somebody_without_an_address_cannot_be_reached_and_the_chair_is_told_so(world: World) -> None:
    conference = world.conference()
    attendance = actions.add_attendance(
        conference=conference,
        name="Posty Testshire",
        capacity="professional",
        present=True,
        agency=world.agency("Police"),
        by=world.conference_administrator,
        at=RECORDED,
    )
    with pytest.raises(Refused, match="No e-mail address is recorded for Posty Testshire") as refused:
        actions.raise_dissent(
            conference=conference,
            attendance=attendance,
            children=conference.children.all(),
            by=world.chair,
            at=RECORDED,
        )
    assert refused.value.field == "attendance"


@pytest.mark.rule("ST-09")
def test_the_unit_reads_a_dissent_from_the_start_and_the_partnership_does_not(world: World) -> None:
    dissent = world.raised()
    roles = set(Reader.objects.filter(dissent=dissent).values_list("role", flat=True))
    assert roles == {"service_manager", "nominated_manager"}


# --- written ---------------------------------------------------------------------------------------


def test_what_is_typed_is_kept_as_typed_and_the_last_word_counts(world: World) -> None:
    dissent = world.raised()
    text = "  {{7*7}} <script>\r\n\u202e " + "x" * 100_000
    for typed in ("first", text):
        actions.keep_answer(dissent=dissent, question="reason", text=typed, by=world.teacher, at=RECORDED)
    assert Answer.objects.get(dissent=dissent, question="reason").text == text


def test_there_is_nowhere_to_keep_what_no_question_asks(world: World) -> None:
    with pytest.raises(Refused, match="no such question"):
        actions.keep_answer(
            dissent=world.raised(), question="plan_status", text="x", by=world.teacher, at=RECORDED
        )


@pytest.mark.parametrize("who", ["chair", "service_manager", "officer", "conference_administrator"])
def test_nobody_else_writes_or_sends_the_form(world: World, who: str) -> None:
    dissent = world.filled_in(world.raised())
    with pytest.raises(PermissionDenied):
        actions.keep_answer(dissent=dissent, question="reason", text="x", by=world.people[who], at=RECORDED)
    with pytest.raises(PermissionDenied):
        actions.file_dissent(dissent=dissent, by=world.people[who], at=RECORDED)


@pytest.mark.rule("ST-06", "ST-15")
def test_the_form_asks_for_reason_and_views_and_never_for_the_record_number(world: World) -> None:
    asked = [question.key for question in world.version.rules.filing.questions]
    assert asked == [
        "telephone",
        "reason",
        "evidence",
        "passage",
        "view",
        "plan_would_change",
        "other_involvement",
    ]
    assert permissions.MAY["describe"] == {"conference_administrator"}


@pytest.mark.rule("ST-03", "ST-15")
@pytest.mark.parametrize(
    "question", ["telephone", "reason", "evidence", "passage", "view", "plan_would_change"]
)
@pytest.mark.parametrize("left", ["", " \n"])
def test_every_question_that_is_asked_has_to_be_answered(world: World, question: str, left: str) -> None:
    dissent = world.filled_in(world.raised(), **{question: left})
    with pytest.raises(AnswersMissing) as refused:
        actions.file_dissent(dissent=dissent, by=world.teacher, at=RECORDED)
    assert question in refused.value.questions
    assert Dissent.objects.get().state == "raised"


@pytest.mark.rule("ST-15")
@pytest.mark.parametrize(
    ("view", "asked"),
    [
        ("plan", {"plan_would_change"}),
        ("no_plan", {"other_involvement"}),
        ("differs", {"plan_would_change", "other_involvement"}),
    ],
)
def test_what_a_plan_would_change_is_asked_of_who_wants_one_and_what_else_would_help_of_who_does_not(
    world: World, view: str, asked: set[str]
) -> None:
    dissent = world.filled_in(world.raised(), view=view, plan_would_change="")
    with pytest.raises(AnswersMissing) as refused:
        actions.file_dissent(dissent=dissent, by=world.teacher, at=RECORDED)
    assert set(refused.value.questions) == asked


# --- sent ------------------------------------------------------------------------------------------


@pytest.mark.rule("ST-08", "ST-09")
def test_a_form_sent_in_the_last_second_is_in_time_and_goes_to_the_service_manager(world: World) -> None:
    dissent = world.filed(at=IN_TIME)
    assert (dissent.state, dissent.stage, dissent.filed_at) == ("at_stage", "review", IN_TIME)
    assert dissent.late_because == ""
    assert told(dissent, "filed") == {world.service_manager, world.chair}


@pytest.mark.rule("ST-09")
def test_in_the_service_managers_absence_the_nominated_manager_is_told(world: World) -> None:
    world.council.appointments.filter(role="service_manager").update(until_on=dt.date(2026, 1, 1))
    assert told(world.filed(), "filed") == {world.nominated_manager, world.chair}


def test_where_nobody_of_the_unit_is_appointed_the_administrator_is_told(world: World) -> None:
    world.council.appointments.filter(role__in=["service_manager", "nominated_manager"]).delete()
    assert told(world.filed(), "filed") == {world.administrator, world.chair}


@pytest.mark.rule("ST-08")
def test_a_second_later_the_form_needs_a_reason(world: World) -> None:
    dissent = world.filled_in(world.raised())
    for reason in ("", "  "):
        actions.keep_answer(
            dissent=dissent, question="late_because", text=reason, by=world.teacher, at=RECORDED
        )
        with pytest.raises(ReasonMissing, match="Say why the form is sent after its time") as refused:
            actions.file_dissent(dissent=dissent, by=world.teacher, at=LATE)
        assert refused.value.field == "late_because"
    assert Dissent.objects.get().filed_at is None


@pytest.mark.rule("ST-08")
def test_a_late_form_is_taken_with_its_reason_and_waits(world: World) -> None:
    dissent = world.filed(at=LATE, late_because="The school was shut.")
    assert (dissent.state, dissent.stage) == ("awaiting_admission", "")
    assert (dissent.filed_at, dissent.late_because) == (LATE, "The school was shut.")
    assert told(dissent, "filed") == {world.service_manager, world.chair}


@pytest.mark.rule("ST-08")
def test_a_reason_typed_for_nothing_does_not_make_a_form_late(world: World) -> None:
    dissent = world.filed(at=IN_TIME, late_because="I thought it was late.")
    assert (dissent.state, dissent.late_because) == ("at_stage", "")


def test_a_form_is_sent_once_and_then_takes_no_more(world: World) -> None:
    dissent = world.filed()
    with pytest.raises(TransitionNotAllowed):
        actions.file_dissent(dissent=dissent, by=world.teacher, at=RECORDED)
    with pytest.raises(TransitionNotAllowed):
        actions.keep_answer(dissent=dissent, question="reason", text="x", by=world.teacher, at=RECORDED)
    assert Answer.objects.get(question="reason").text == "The reason as the teacher wrote it."


# --- let in, or not --------------------------------------------------------------------------------


@pytest.mark.rule("ST-08")
@pytest.mark.parametrize("who", ["service_manager", "nominated_manager"])
def test_the_service_manager_or_the_nominated_one_lets_a_late_form_in(world: World, who: str) -> None:
    dissent = world.filed(at=LATE, late_because="Why.")
    dissent = actions.admit(dissent=dissent, reasons=" Worth hearing. ", by=world.people[who], at=LATE)
    assert (dissent.state, dissent.stage) == ("at_stage", "review")
    assert (dissent.admitted_by, dissent.admitted_at) == (world.people[who], LATE)
    assert dissent.admission_reasons == "Worth hearing."
    assert told(dissent, "admission_decided") == {world.teacher, world.chair}


@pytest.mark.rule("ST-08")
def test_a_late_form_that_is_refused_closes_the_case_stops_its_clocks_and_keeps_what_was_typed(
    world: World,
) -> None:
    dissent = world.filed(at=LATE, late_because="Why.")
    dissent = actions.refuse_late(dissent=dissent, reasons="Too late.", by=world.service_manager, at=LATE)
    assert (dissent.state, dissent.closed_at, dissent.admission_reasons) == ("closed", LATE, "Too late.")
    assert not dissent.clocks.filter(stopped=None).exists()
    assert dissent.next_due_at is None
    assert dissent.answers.count() == 7
    assert told(dissent, "admission_decided") == {world.teacher, world.chair}


@pytest.mark.rule("ST-08")
@pytest.mark.parametrize("act", [actions.admit, actions.refuse_late])
def test_whether_a_late_form_goes_on_is_said_with_reasons_by_the_manager_and_nobody_else(
    world: World, act: object
) -> None:
    dissent = world.filed(at=LATE, late_because="Why.")
    with pytest.raises(Refused, match="Give your reasons") as refused:
        act(dissent=dissent, reasons=" ", by=world.service_manager, at=LATE)
    assert refused.value.field == "reasons"
    for who in ("teacher", "chair", "business_manager", "conference_administrator"):
        with pytest.raises(PermissionDenied):
            act(dissent=dissent, reasons="Why.", by=world.people[who], at=LATE)
    assert Dissent.objects.get().state == "awaiting_admission"


def test_a_form_that_was_in_time_needs_no_letting_in(world: World) -> None:
    dissent = world.filed()
    for act in (actions.admit, actions.refuse_late):
        with pytest.raises(TransitionNotAllowed):
            act(dissent=dissent, reasons="Why.", by=world.service_manager, at=RECORDED)


@pytest.mark.rule("ST-04")
def test_the_chair_of_the_conference_lets_nothing_in_whatever_else_they_are(world: World) -> None:
    world.council.appointments.create(person=world.chair, role="service_manager", from_on=dt.date(2020, 1, 1))
    dissent = world.filed(at=LATE, late_because="Why.")
    with pytest.raises(PermissionDenied):
        actions.admit(dissent=dissent, reasons="Why.", by=world.chair, at=LATE)


# --- the dissenter's own management ----------------------------------------------------------------


@pytest.mark.rule("ST-07")
def test_the_dissenter_says_whom_of_their_management_they_told_and_when(world: World) -> None:
    dissent = actions.tell_management(
        dissent=world.raised(),
        name=" Head Teacher ",
        email=" Head@School.example ",
        told_on=ENDED.date(),
        by=world.teacher,
        at=RECORDED,
    )
    assert dissent.manager_name == "Head Teacher"
    assert dissent.manager_email == "head@school.example"
    assert dissent.manager_told_on == ENDED.date()
    assert LedgerEntry.objects.filter(verb="tell_management", by=world.teacher).count() == 1


@pytest.mark.rule("ST-07")
def test_a_form_can_be_sent_before_management_is_told_since_the_text_says_should(world: World) -> None:
    assert world.filed().manager_told_on is None


@pytest.mark.rule("ST-07")
def test_telling_management_tomorrow_is_not_taken_today(world: World) -> None:
    with pytest.raises(Refused, match="has not come yet") as refused:
        actions.tell_management(
            dissent=world.raised(),
            name="Head",
            email="",
            told_on=dt.date(2026, 3, 4),
            by=world.teacher,
            at=RECORDED,
        )
    assert refused.value.field == "told_on"

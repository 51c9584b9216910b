"""Naming a panel, its page, its meeting and its decision, as people see them."""

import datetime as dt
import itertools
import uuid
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from councils.models import Appointment
from dissent import actions
from dissent.actions import Found, Refused
from dissent.models import Attendance, Child, Dissent, LedgerEntry, Notice, Panel, Seat
from tests.world import World, a_pdf, when

pytestmark = pytest.mark.django_db

HOSTILE = "{{7*7}} <script>alert(1)</script>\nline two \u202eright to left"
ESCAPED = "{{7*7}} &lt;script&gt;alert(1)&lt;/script&gt;\nline two \u202eright to left"
UPHELD = {
    "outcome": "upheld",
    "ground": "B",
    "reasons": "A report was missing.",
    "plain_reasons": "A paper was not there.",
}
NOT_UPHELD = {
    "outcome": "not_upheld",
    "reasons": "Everything was there.",
    "plain_reasons": "It was all there.",
}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def see(client):
    """Return a function that opens an address as a person, and gives the answer with what it `said`."""

    def open_as(person, address, data=None, *, status=200):
        client.force_login(person)
        answer = client.get(address) if data is None else client.post(address, data)
        answer.said = answer.content.decode(errors="replace")
        assert answer.status_code == status, answer.said[-3000:]
        return answer

    return open_as


def again(dissent: Dissent) -> Dissent:
    return Dissent.objects.get(pk=dissent.pk)


def convene(dissent: Dissent) -> str:
    return reverse("convene", args=[dissent.pk])


def page_of(dissent: Dissent) -> str:
    return reverse("panel", args=[again(dissent).panel_id])


def sitting(dissent: Dissent) -> str:
    return reverse("record_sitting", args=[again(dissent).panel_id])


def decide(dissent: Dissent) -> str:
    return reverse("panel_decide", args=[dissent.pk])


def replace(seat: Seat) -> str:
    return reverse("replace_member", args=[seat.panel_id, seat.pk])


def named(chair, *members) -> dict:
    return {"chair": str(chair.pk), "members": [str(member.pk) for member in members]}


def meeting(*seats: Seat, at: dt.datetime = when("2026-03-16 12:00")) -> dict:
    return {
        "sat_at_day": at.day,
        "sat_at_month": at.month,
        "sat_at_year": at.year,
        "sat_at_time": f"{at:%H:%M}",
        "present": [str(seat.pk) for seat in seats],
    }


def declared(dissent: Dissent, *people) -> None:
    for person in people:
        actions.declare(dissent=dissent, independent=True, by=person, at=when("2026-03-10 09:00"))


def plans() -> list[tuple]:
    return list(Child.objects.order_by("pk").values_list("pk", "decision", "category"))


# --- the whole of it -------------------------------------------------------------------------------


@pytest.mark.rule("ST-12", "ST-17", "ST-21", "ST-25")
def test_a_panel_is_named_declares_itself_meets_and_decides(world: World, see) -> None:
    dissent = world.escalated()
    chair, *members = world.panellists()
    before = plans()

    page = see(world.business_manager, convene(dissent))
    assert "The quorum is 3" in page.said
    assert "The Children&#x27;s Standards Unit is always represented" in page.said
    assert dissent.reference in page.said
    answer = see(world.business_manager, convene(dissent), named(chair, *members), status=302)
    panel = Panel.objects.get()
    assert answer.url == reverse("panel", args=[panel.pk])
    assert {notice.to for notice in Notice.objects.filter(occasion="panel_convened")} == {chair, *members}
    Panel.objects.update(convened_at=timezone.now() - dt.timedelta(hours=2))
    Seat.objects.update(named_at=timezone.now() - dt.timedelta(hours=2))

    for person in (chair, *members):
        see(person, page_of(dissent), {"independent": "yes"}, status=302)
    today = timezone.localtime().replace(hour=0, minute=0)  # they declared themselves today, and not after
    an_hour_ago = max(timezone.localtime() - dt.timedelta(hours=1), today)
    see(chair, sitting(dissent), meeting(*panel.seats.all(), at=an_hour_ago), status=302)
    assert decide(dissent) in see(chair, page_of(dissent)).said

    check = see(chair, decide(dissent), {**UPHELD, "then": "check"})
    assert "Check the decision before you record it" in check.said
    assert "A report was missing." in check.said
    assert again(dissent).state == "at_stage"
    see(chair, decide(dissent), {**UPHELD, "then": "decide"}, status=302)
    assert again(dissent).state == "reconvening"
    assert "A report was missing." in see(chair, page_of(dissent)).said
    assert plans() == before


# --- naming it -------------------------------------------------------------------------------------


@pytest.mark.rule("ST-12", "ST-17")
def test_who_may_not_sit_is_listed_with_the_reason_and_cannot_be_chosen(world: World, see) -> None:
    dissent = world.escalated()
    world.panellists()
    Appointment.objects.create(
        council=world.council, person=world.officer, role="panel_member", from_on=dt.date(2020, 1, 1)
    )
    Appointment.objects.create(
        council=world.council, person=world.chair, role="panel_member", from_on=dt.date(2020, 1, 1)
    )
    Appointment.objects.create(
        council=world.council, person=world.teacher, role="panel_member", from_on=dt.date(2020, 1, 1)
    )
    manager = world.appoint("panel_member", "Head Teacher", "School", key="head_teacher")
    elsewhere = world.appoint("panel_member", "Housing Director", "Housing", key="housing_director")
    actions.tell_management(
        dissent=dissent,
        name="Somebody",
        email="HEAD_TEACHER@testshire.example",
        told_on=dt.date(2026, 3, 4),
        by=world.teacher,
        at=when("2026-03-06 10:00"),
    )
    why = {
        world.officer: "Officer Testshire was at the conference and took part in its decision.",
        world.chair: "Chair chaired the conference.",
        world.teacher: "Teacher Testshire raised a dissent that this panel hears.",
        manager: "Head Teacher manages the dissenter.",
        elsewhere: "Housing Director is from Housing, which was not represented at the conference.",
    }
    page = see(world.business_manager, convene(dissent))
    for person, reason in why.items():
        assert reason in page.said
        assert f'value="{person.pk}"' not in page.said

    superintendent, head_nurse, unit = world.panellists()
    for person, reason in why.items():
        forged = see(
            world.business_manager, convene(dissent), named(superintendent, unit, person), status=422
        )
        assert forged.context["form"].errors["members"] == [reason]
        forged = see(world.business_manager, convene(dissent), named(person, head_nurse, unit), status=422)
        assert forged.context["form"].errors["chair"] == [reason]
    assert not Panel.objects.exists()


@pytest.mark.rule("ST-12")
def test_somebody_without_a_seat_to_be_named_for_is_refused_by_the_action_too(world: World) -> None:
    dissent = world.escalated()
    superintendent, head_nurse, unit = world.panellists()
    outsider = world.person("outsider", "Outsider", "Police")
    with pytest.raises(Refused, match="is not on record as somebody who may sit"):
        actions.convene_panel(
            dissent=dissent,
            chair=superintendent,
            members=[head_nurse, unit, outsider],
            by=world.business_manager,
            at=when("2026-03-09 09:00"),
        )
    assert not Panel.objects.exists()


@pytest.mark.rule("ST-12")
def test_the_one_who_reviewed_may_sit_for_the_unit_and_it_is_shown(world: World, see) -> None:
    dissent = world.escalated()
    superintendent, head_nurse, _ = world.panellists()
    page = see(world.business_manager, convene(dissent))
    assert "Looked at this dissent at an earlier stage, and may still sit" in page.said
    assert "The published text leaves this open" in page.said
    see(
        world.business_manager,
        convene(dissent),
        named(superintendent, head_nurse, world.service_manager),
        status=302,
    )
    assert "Reviewed this dissent at an earlier stage" in see(superintendent, page_of(dissent)).said


@pytest.mark.rule("ST-12")
def test_one_who_reviewed_and_is_not_of_the_unit_may_not_sit(world: World, see) -> None:
    dissent = world.escalated()
    superintendent, head_nurse, unit = world.panellists()
    Appointment.objects.filter(person=world.service_manager).update(role="panel_member")
    reason = "Service Manager looked at the dissent at an earlier stage."
    assert reason in see(world.business_manager, convene(dissent)).said
    forged = named(superintendent, head_nurse, unit, world.service_manager)
    answer = see(world.business_manager, convene(dissent), forged, status=422)
    assert answer.context["form"].errors["members"] == [reason]


@pytest.mark.rule("ST-17")
@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (("superintendent", "unit_representative"), "Name at least 3 people"),
        (("superintendent", "head_nurse", "inspector"), "it is always represented"),
    ],
)
def test_a_panel_that_could_never_decide_is_not_named(world: World, see, keys, says) -> None:
    dissent = world.escalated()
    world.panellists()
    world.appoint("panel_member", "Inspector", "Police", key="inspector")
    chair, *members = (world.people[key] for key in keys)
    answer = see(world.business_manager, convene(dissent), named(chair, *members), status=422)
    assert says in answer.context["form"].errors["members"][0]
    assert f'value="{chair.pk}" checked' in answer.said
    assert not Panel.objects.exists()


def test_nothing_chosen_is_said_at_the_fields(world: World, see) -> None:
    answer = see(world.business_manager, convene(world.escalated()), {}, status=422)
    assert answer.context["form"].errors == {
        "chair": ["Choose who chairs the panel"],
        "members": ["Choose who else sits on the panel"],
    }


def test_only_the_convener_names_a_panel(world: World, see) -> None:
    dissent = world.escalated()
    chair, *members = world.panellists()
    others = [world.service_manager, world.teacher, world.chair, world.conference_administrator, chair]
    for person in [*others, World(key="elsewhere").business_manager]:
        see(person, convene(dissent), status=404)
        see(person, convene(dissent), named(chair, *members), status=404)
    assert not Panel.objects.exists()


def test_a_second_panel_for_the_same_dissent_is_told_that_the_case_has_moved_on(world: World, see) -> None:
    dissent = world.convened()
    chair, *members = world.panellists()
    assert see(world.business_manager, convene(dissent), status=302).url == page_of(dissent)
    answer = see(world.business_manager, convene(dissent), named(chair, *members), status=409)
    assert "This case has moved on" in answer.said
    assert Panel.objects.count() == 1


def two_escalated(world: World) -> tuple[Dissent, Dissent]:
    conference = world.conference()
    raised = [world.raised(conference, who=who) for who in ("teacher", "nurse")]
    first, second = (world.escalated(world.offered(world.reviewed(world.filed(one)))) for one in raised)
    return first, second


@pytest.mark.rule("ST-12")
def test_one_panel_hears_every_dissent_about_the_conference_that_waits(world: World, see) -> None:
    first, second = two_escalated(world)
    chair, *members = world.panellists()
    page = see(world.business_manager, convene(first))
    assert first.reference in page.said
    assert second.reference in page.said
    see(world.business_manager, convene(first), named(chair, *members), status=302)
    assert again(first).panel == again(second).panel
    declared(again(first), chair, *members)
    page = see(chair, page_of(first))
    assert {each["reference"] for each in page.context["hears"]} == {first.reference, second.reference}

    panel = Panel.objects.get()
    at = when("2026-03-16 12:00")
    Panel.objects.update(convened_at=when("2026-03-09 09:00"))
    Seat.objects.update(named_at=when("2026-03-09 09:00"))
    actions.record_sitting(dissent=again(first), present=panel.seats.all(), sat_at=at, by=chair, at=at)
    see(chair, decide(first), {**NOT_UPHELD, "then": "decide"}, status=302)
    assert (again(first).state, again(second).state) == ("decided", "at_stage")
    page = see(chair, page_of(first))
    assert decide(second) in page.said
    assert decide(first) not in page.said
    member = see(members[0], page_of(first))
    assert [each["reference"] for each in member.context["hears"]] == [second.reference]
    assert first.reference not in member.said
    see(chair, decide(second), {**UPHELD, "then": "decide"}, status=302)
    see(members[0], page_of(first), status=404)


def test_a_later_dissent_can_be_given_to_a_panel_that_has_not_met(world: World, see) -> None:
    conference = world.conference()
    first, second = (world.raised(conference, who=who) for who in ("teacher", "nurse"))
    first = world.convened(world.escalated(world.offered(world.reviewed(world.filed(first)))))
    second = world.escalated(world.offered(world.reviewed(world.filed(second))))
    join = reverse("join_panel", args=[second.pk, first.panel_id])
    page = see(world.business_manager, convene(second))
    assert join in page.said
    assert f"hear {first.reference}" in page.said
    see(world.business_manager, join, status=404)
    see(world.service_manager, join, {}, status=404)
    see(world.business_manager, join, {}, status=302)
    assert again(second).panel_id == first.panel_id
    see(world.business_manager, join, {}, status=409)


def test_a_later_dissent_is_not_given_to_a_panel_with_its_dissenters_manager(world: World, see) -> None:
    conference = world.conference()
    first, second = (world.raised(conference, who=who) for who in ("teacher", "nurse"))
    first = world.convened(world.escalated(world.offered(world.reviewed(world.filed(first)))))
    second = world.escalated(world.offered(world.reviewed(world.filed(second))))
    actions.tell_management(
        dissent=second,
        name="head nurse",
        email="",
        told_on=dt.date(2026, 3, 4),
        by=world.nurse,
        at=when("2026-03-10 10:00"),
    )
    join = reverse("join_panel", args=[second.pk, first.panel_id])
    assert see(world.business_manager, join, {}, status=302).url == convene(second)
    assert "Head Nurse manages the dissenter." in see(world.business_manager, convene(second)).said
    assert again(second).panel is None


# --- its page --------------------------------------------------------------------------------------


@pytest.mark.rule("ST-18", "ST-25")
def test_a_member_reads_nothing_before_declaring_themselves_independent(world: World, see) -> None:
    dissent = world.convened()
    papers = [reverse("paper", args=[paper.pk]) for paper in dissent.conference.papers.all()]
    summary = actions.attach_paper(
        conference=dissent.conference,
        kind="summary",
        file_name="summary.pdf",
        data=a_pdf(),
        by=world.conference_administrator,
        at=when("2026-03-09 10:00"),
    )
    page = see(world.superintendent, page_of(dissent))
    assert page.said.index("strictly confidential") < page.said.index("Before you read anything")
    assert "Teacher Testshire" in page.said
    assert "The reason as the teacher wrote it." not in page.said
    for paper in papers:
        assert paper not in page.said
        see(world.superintendent, paper, status=404)

    see(world.superintendent, page_of(dissent), {"independent": "yes"}, status=302)
    page = see(world.superintendent, page_of(dissent))
    assert page.said.index("strictly confidential") < page.said.index("The reason as the teacher wrote it.")
    for paper in papers:
        assert paper in page.said
        see(world.superintendent, paper)
    # The chair's summary is not among the panel's papers.
    assert str(summary.pk) not in page.said
    see(world.superintendent, reverse("paper", args=[summary.pk]), status=404)
    read = LedgerEntry.objects.filter(by=world.superintendent).values_list("verb", flat=True)
    assert sorted(read) == ["declare", "read_panel", "read_panel_notice", "read_paper", "read_paper"]


@pytest.mark.rule("ST-18", "ST-26")
def test_a_member_is_shown_what_binds_them_before_declaring_and_after(world: World, see) -> None:
    dissent = world.convened()
    rules = dissent.rules.stage("panel").panel
    within = [term for term in rules.terms if "procedures on child protection and on thresholds" in term]
    assert len(within) == 1
    for declares, read_next in ((True, "Before you read anything"), (False, "Dissent form,")):
        said = unescape(see(world.superintendent, page_of(dissent)).said)
        for words in (rules.confidentiality, *within):
            assert said.index(words) < said.index(read_next)
        if declares:
            see(world.superintendent, page_of(dissent), {"independent": "yes"}, status=302)


@pytest.mark.rule("ST-25")
def test_a_member_reads_the_form_the_minutes_the_reports_and_nothing_else(world: World, see) -> None:
    dissent = world.convened()
    for kind in ("summary", "other"):
        actions.attach_paper(
            conference=dissent.conference,
            kind=kind,
            file_name=f"{kind}.pdf",
            data=a_pdf(),
            by=world.conference_administrator,
            at=when("2026-03-09 10:00"),
        )
    see(world.superintendent, page_of(dissent), {"independent": "yes"}, status=302)
    said = see(world.superintendent, page_of(dissent)).said
    assert "The reason as the teacher wrote it." in said
    read = {"minutes", "agency_report"}
    for paper in dissent.conference.papers.all():
        address = reverse("paper", args=[paper.pk])
        assert (address in said) is (paper.kind in read)
        see(world.superintendent, address, status=200 if paper.kind in read else 404)
    assert see(world.superintendent, reverse("dissent", args=[dissent.pk]), status=302).url == page_of(
        dissent
    )
    see(world.superintendent, reverse("conference", args=[dissent.conference_id]), status=404)
    see(world.superintendent, reverse("letters", args=[dissent.pk]), status=404)


@pytest.mark.rule("ST-12")
def test_a_member_with_a_conflict_says_which_loses_the_page_and_is_replaced(world: World, see) -> None:
    dissent = world.convened()
    address = page_of(dissent)
    answer = see(world.head_nurse, address, {"independent": "no", "conflict": " "}, status=422)
    assert "Say what the conflict is" in answer.context["form"].errors["conflict"][0]
    see(world.head_nurse, address, {"independent": "no", "conflict": HOSTILE}, status=302)
    see(world.head_nurse, address, status=404)
    assert {notice.to for notice in Notice.objects.filter(occasion="conflict_declared")} == {
        world.business_manager
    }

    seat = Seat.objects.get(person=world.head_nurse)
    convener = see(world.business_manager, address).said
    assert "{{7*7}} &lt;script&gt;" in convener
    assert "Name at least 3 people" in convener
    assert replace(seat) in convener
    other = see(world.superintendent, address).said
    assert "To be replaced" in other
    assert "7*7" not in other
    assert replace(seat) not in other

    inspector = world.appoint("panel_member", "Inspector", "Police", key="inspector")
    assert ESCAPED in see(world.business_manager, replace(seat)).said
    for person in (world.superintendent, world.service_manager, inspector, world.head_nurse):
        see(person, replace(seat), status=404)
        see(person, replace(seat), {"person": str(inspector.pk)}, status=404)
    refused = see(world.business_manager, replace(seat), {"person": str(world.officer.pk)}, status=422)
    assert refused.context["form"].errors["person"]
    see(world.business_manager, replace(seat), {"person": str(inspector.pk)}, status=302)
    assert "Before you read anything" in see(inspector, address).said
    see(world.business_manager, replace(seat), {"person": str(inspector.pk)}, status=404)


def test_declaring_twice_is_told_that_it_was_done(world: World, see) -> None:
    dissent = world.convened()
    see(world.superintendent, page_of(dissent), {"independent": "yes"}, status=302)
    late = {"independent": "no", "conflict": "I know the family."}
    answer = see(world.superintendent, page_of(dissent), late, status=409)
    assert "You have declared already." in answer.said
    assert "I know the family." in answer.said
    see(world.service_manager, page_of(dissent), {"independent": "yes"}, status=404)
    assert Seat.objects.get(person=world.superintendent).independent


def test_nothing_said_about_independence_is_said_at_the_question(world: World, see) -> None:
    address = page_of(world.convened())
    answer = see(world.superintendent, address, {"conflict": "Typed."}, status=422)
    assert answer.context["form"].errors["independent"] == [
        "Choose yes if you are independent of the decision"
    ]
    assert "Typed.</textarea>" in answer.said


def test_a_panels_page_is_found_by_those_on_it_and_those_who_read_the_case_alone(world: World, see) -> None:
    dissent = world.convened()
    readers = ("superintendent", "head_nurse", "unit_representative", "business_manager", "service_manager")
    for key in readers:
        see(world.people[key], page_of(dissent))
    strangers = [World(key="elsewhere").business_manager, world.person("other", "Other", "Police")]
    for key in ("teacher", "chair", "officer", "conference_administrator", "absentee", "administrator"):
        strangers.append(world.people[key])
    for person in strangers:
        see(person, page_of(dissent), status=404)


@pytest.mark.rule("ST-16")
def test_a_chair_whose_number_nobody_knows_is_asked_for_it_and_the_letters_say_it(world: World, see) -> None:
    dissent = world.sat()
    chair = world.superintendent
    assert "mobile" not in see(chair, decide(dissent)).context["form"].fields
    chair.mobile = ""
    chair.save()
    answer = see(chair, decide(dissent), {**UPHELD, "then": "check"}, status=422)
    assert answer.context["form"].errors == {"mobile": ["Enter your mobile number"]}
    said = {**UPHELD, "mobile": "01632 960<9>"}
    assert 'value="01632 960&lt;9&gt;"' in see(chair, decide(dissent), {**said, "then": "change"}).said
    assert "01632 960&lt;9&gt;" in see(chair, decide(dissent), {**said, "then": "check"}).said
    see(chair, decide(dissent), {**said, "then": "decide"}, status=302)
    chair.refresh_from_db()
    assert chair.mobile == "01632 960<9>"
    says = [letter.says["signatory"]["mobile"] for letter in dissent.letters.all()]
    assert says
    assert set(says) == {"01632 960<9>"}


@pytest.mark.rule("ST-16")
def test_the_number_is_kept_when_the_way_of_deciding_changes(world: World, see) -> None:
    dissent = world.sat(
        world.convened(
            world.escalated(
                world.offered(
                    world.reviewed(world.filed(world.raised(world.conference(children=2)))),
                )
            )
        )
    )
    chair = world.superintendent
    chair.mobile = ""
    chair.save()
    for by_child, then in (("", "each"), ("yes", "same")):
        sent = {**UPHELD, "mobile": "01632 960 9", "by_child": by_child, "then": then}
        assert 'value="01632 960 9"' in see(chair, decide(dissent), sent).said


@pytest.mark.rule("ST-25")
def test_members_lose_the_page_with_the_decision_and_the_chair_with_the_letters(world: World, see) -> None:
    dissent = world.decided(outcome="not_upheld")
    paper = reverse("paper", args=[dissent.conference.papers.first().pk])
    for key in ("head_nurse", "unit_representative"):
        see(world.people[key], page_of(dissent), status=404)
        see(world.people[key], paper, status=404)
    see(world.superintendent, page_of(dissent))
    see(world.superintendent, paper)
    dissent = world.released(dissent)
    for address in (page_of(dissent), paper, sitting(dissent), decide(dissent)):
        see(world.superintendent, address, status=404)
    see(world.business_manager, page_of(dissent))


# --- its meeting -----------------------------------------------------------------------------------


@pytest.mark.rule("ST-17")
def test_only_members_who_declared_can_have_sat(world: World, see) -> None:
    dissent = world.convened()
    declared(dissent, world.superintendent, world.unit_representative)
    seats = list(dissent.panel.seats.all())
    page = see(world.superintendent, sitting(dissent))
    assert "cannot sit before they do" in page.said
    nurse = dissent.panel.seats.get(person=world.head_nurse)
    assert f'value="{nurse.pk}"' not in page.said
    answer = see(world.superintendent, sitting(dissent), meeting(*seats), status=422)
    assert answer.context["form"].errors["present"] == [
        "Head Nurse has not declared themselves independent, and cannot sit before that."
    ]
    assert Panel.objects.get().sat_at is None


def test_a_meeting_has_its_time_and_its_people(world: World, see) -> None:
    dissent = world.convened()
    declared(dissent, *world.panellists())
    seats = list(dissent.panel.seats.all())
    chair = world.superintendent
    answer = see(chair, sitting(dissent), {}, status=422)
    assert set(answer.context["form"].errors) == {"sat_at", "present"}
    tomorrow = timezone.localtime() + dt.timedelta(days=1)
    answer = see(chair, sitting(dissent), meeting(*seats, at=tomorrow), status=422)
    assert "has not come yet" in answer.context["form"].errors["sat_at"][0]
    answer = see(chair, sitting(dissent), meeting(*seats, at=when("2026-03-08 09:00")), status=422)
    assert "before it was convened" in answer.context["form"].errors["sat_at"][0]
    for person in (world.head_nurse, world.business_manager, world.teacher):
        see(person, sitting(dissent), status=404)
        see(person, sitting(dissent), meeting(*seats), status=404)


@pytest.mark.rule("ST-12", "ST-17")
@pytest.mark.parametrize(
    ("absent", "says"),
    [("head_nurse", "2 sat, and the quorum is 3."), ("unit_representative", "it is always represented.")],
)
def test_a_panel_that_lacks_somebody_says_so_and_does_not_decide(world: World, see, absent, says) -> None:
    dissent = world.escalated()
    chair, *members = world.panellists()
    inspector = world.appoint("panel_member", "Inspector", "Police", key="inspector")
    extra = [inspector] if absent == "unit_representative" else []
    actions.convene_panel(
        dissent=dissent,
        chair=chair,
        members=[*members, *extra],
        by=world.business_manager,
        at=when("2026-03-09 09:00"),
    )
    dissent = world.sat(again(dissent), absent=(absent,))
    page = see(chair, page_of(dissent))
    assert says in page.said
    assert decide(dissent) not in page.said
    page = see(chair, decide(dissent))
    assert says in page.said
    assert "<textarea" not in page.said
    for then in ("check", "decide"):
        answer = see(chair, decide(dissent), {**UPHELD, "then": then}, status=422)
        assert says in answer.context["form"].errors["__all__"][0]
    assert again(dissent).state == "at_stage"

    there = [str(seat.pk) for seat in dissent.panel.seats.all() if seat.person != world.people[absent]]
    assert see(chair, sitting(dissent)).context["form"]["present"].value() == there
    see(chair, sitting(dissent), meeting(*dissent.panel.seats.all()), status=302)
    see(chair, decide(dissent), {**UPHELD, "then": "decide"}, status=302)


@pytest.mark.rule("ST-17")
def test_a_member_who_did_not_sit_can_be_replaced_until_the_decision_and_one_who_sat_cannot(
    world: World, see
) -> None:
    dissent = world.sat(absent=("head_nurse",))
    inspector = world.appoint("panel_member", "Inspector", "Police", key="inspector")
    sat, absent = (Seat.objects.get(person=world.people[key]) for key in ("superintendent", "head_nurse"))
    page = see(world.business_manager, page_of(dissent)).said
    assert replace(absent) in page
    assert replace(sat) not in page
    see(world.business_manager, replace(sat), {"person": str(inspector.pk)}, status=409)
    see(world.business_manager, replace(absent), {"person": str(inspector.pk)}, status=302)
    declared(dissent, inspector)
    everybody = Seat.objects.filter(left_at=None)
    answer = see(world.superintendent, sitting(dissent), meeting(*everybody), status=422)
    assert "Inspector was named for the panel only after this time" in answer.said
    met_again = meeting(*everybody, at=timezone.localtime())
    see(world.superintendent, sitting(dissent), met_again, status=302)
    see(world.superintendent, decide(dissent), {**UPHELD, "then": "decide"}, status=302)


# --- its decision ----------------------------------------------------------------------------------


@pytest.mark.rule("ST-21")
@pytest.mark.parametrize("decision", [UPHELD, NOT_UPHELD])
def test_a_decision_says_uphold_or_not_and_leaves_every_plan_alone(world: World, see, decision) -> None:
    dissent = world.sat()
    before = plans()
    page = see(world.superintendent, decide(dissent))
    asked = page.context["form"]
    assert [value for value, _ in asked.fields["outcome"].choices] == ["upheld", "not_upheld"]
    assert set(asked.fields) == {"outcome", "ground", "reasons", "plain_reasons"}
    assert "only a conference can do that" in page.said
    sent = {**decision, "then": "decide", "decision": "made", "category": "neglect"}
    see(world.superintendent, decide(dissent), sent, status=302)
    finding = again(dissent).decision_in_force().findings.get()
    assert finding.outcome == decision["outcome"]
    assert plans() == before


@pytest.mark.rule("ST-21")
@pytest.mark.parametrize("outcome", ["resolved", "plan_made", ""])
def test_no_other_outcome_can_be_sent(world: World, see, outcome) -> None:
    dissent = world.sat()
    sent = {**UPHELD, "outcome": outcome, "then": "decide"}
    answer = see(world.superintendent, decide(dissent), sent, status=422)
    assert answer.context["form"].errors["outcome"]
    assert "A report was missing.</textarea>" in answer.said
    assert again(dissent).state == "at_stage"


@pytest.mark.rule("ST-16")
def test_upheld_needs_a_ground_and_not_upheld_forgets_one(world: World, see) -> None:
    dissent = world.sat()
    answer = see(world.superintendent, decide(dissent), {"outcome": "upheld", "reasons": "R"}, status=422)
    assert answer.context["form"].errors["ground"] == ["Choose the ground on which the dissent is upheld"]
    answer = see(world.superintendent, decide(dissent), {"outcome": "upheld", "ground": "A"}, status=422)
    assert answer.context["form"].errors["reasons"] == ["Give the panel’s reasons"]
    assert answer.context["form"].errors["plain_reasons"] == [
        "Give the reasons in plain words for the family"
    ]
    see(world.superintendent, decide(dissent), {**NOT_UPHELD, "ground": "A", "then": "decide"}, status=302)
    assert again(dissent).decision_in_force().findings.get().ground == ""


def test_a_decision_can_differ_by_child_and_nothing_typed_is_lost_on_the_way(world: World, see) -> None:
    dissent = world.sat(world.convened(world.escalated(world.offered(world.reviewed(world.filed(
        world.raised(world.conference(children=2))
    ))))))  # fmt: skip
    chair = world.superintendent
    each = see(chair, decide(dissent), {**UPHELD, "then": "each"})
    assert each.said.count("A report was missing.</textarea>") == 2
    assert set(each.context["form"].fields) == {
        f"{name}_{number}"
        for name, number in itertools.product(("outcome", "ground", "reasons", "plain_reasons"), (1, 2))
    }
    sent = {
        "by_child": "yes",
        "outcome_1": "upheld",
        "ground_1": "A",
        "reasons_1": HOSTILE,
        "plain_reasons_1": "Plainly.",
        "outcome_2": "not_upheld",
        "reasons_2": "Everything was there.",
        "plain_reasons_2": "Plainly.",
    }
    assert "Choose the ground" in see(chair, decide(dissent), {**sent, "ground_1": ""}, status=422).said
    check = see(chair, decide(dissent), {**sent, "then": "check"})
    assert ESCAPED in check.said
    change = see(chair, decide(dissent), {**sent, "then": "change"})
    assert ESCAPED in change.said
    assert "Check the decision" not in change.said
    same = see(chair, decide(dissent), {**sent, "then": "same"})
    assert same.context["form"]["reasons"].value() == HOSTILE
    see(chair, decide(dissent), {**sent, "then": "decide"}, status=302)
    found = {
        finding.child_id: (finding.outcome, finding.ground, finding.reasons)
        for finding in again(dissent).decision_in_force().findings.all()
    }
    first, second = dissent.children.all()
    assert found[first.pk] == ("upheld", "A", HOSTILE)
    assert found[second.pk] == ("not_upheld", "", "Everything was there.")
    shown = see(chair, page_of(dissent)).said
    assert ESCAPED in shown


def test_the_same_for_every_child_is_one_question(world: World, see) -> None:
    dissent = world.sat(world.convened(world.escalated(world.offered(world.reviewed(world.filed(
        world.raised(world.conference(children=3))
    ))))))  # fmt: skip
    see(world.superintendent, decide(dissent), {**UPHELD, "then": "decide"}, status=302)
    found = again(dissent).decision_in_force().findings.all()
    assert {(one.outcome, one.ground, one.reasons, one.plain_reasons) for one in found} == {
        tuple(UPHELD.values())
    }
    assert len(found) == 3


def test_a_second_press_is_told_that_the_case_has_moved_on_and_keeps_what_was_typed(
    world: World, see
) -> None:
    dissent = world.decided()
    answer = see(world.superintendent, decide(dissent), {**NOT_UPHELD, "then": "decide"}, status=409)
    assert "Everything was there." in answer.said
    assert again(dissent).decision_in_force().findings.get().outcome == "upheld"
    see(world.superintendent, sitting(dissent), meeting(*dissent.panel.seats.all()), status=409)
    home = f"/dissents/{dissent.pk}/"  # which finds the page that is the reader's
    assert see(world.superintendent, decide(dissent), status=302).url == home
    assert see(world.superintendent, home, status=302).url == page_of(dissent)
    with pytest.raises(Exception, match="decide is not possible"):
        actions.decide(
            dissent=dissent,
            findings={child: Found("upheld", "Again.", "A") for child in dissent.children.all()},
            by=world.superintendent,
            at=when("2026-03-16 14:00"),
        )


def test_nobody_but_the_panels_chair_decides(world: World, see) -> None:
    dissent = world.sat()
    for key in ("head_nurse", "business_manager", "service_manager", "teacher", "chair"):
        see(world.people[key], decide(dissent), status=404)
        see(world.people[key], decide(dissent), {**UPHELD, "then": "decide"}, status=404)
    assert again(dissent).state == "at_stage"


# --- what it costs ---------------------------------------------------------------------------------


def crowd(world: World, dissent: Dissent, number: int) -> None:
    """Add so many people who may be named, people who came, papers, and members of the panel."""
    conference, start = dissent.conference, Attendance.objects.count()
    for n in range(start, start + number):
        person = world.appoint("panel_member", f"Manager {n}", "Police", key=f"manager{n}")
        if dissent.panel:
            seat = Seat.objects.filter(panel=dissent.panel, is_chair=False).first()
            seat.pk, seat.person, seat.conflict = uuid.uuid4(), person, "" if seat.independent else "Typed."
            seat.save(force_insert=True)
    Attendance.objects.bulk_create(
        Attendance(
            council=world.council,
            conference=conference,
            name=f"Guest {n}",
            agency=world.agency("School"),
            capacity="professional",
            present=True,
            added_at=conference.recorded_at,
        )
        for n in range(number)
    )
    paper = conference.papers.first()
    for _ in range(number):
        paper.pk = uuid.uuid4()
        paper.save(force_insert=True)


def test_a_page_asks_the_database_the_same_however_many_there_are(world: World, client) -> None:
    counts: dict[str, list[int]] = {}

    def count(name, person, address) -> None:
        client.force_login(person)
        client.get(address)  # the first page of a session writes when it began
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        # The savepoint of the ledger's transaction is the test's own: it runs inside another one.
        queries = [each["sql"] for each in asked if "SAVEPOINT" not in each["sql"]]
        counts.setdefault(name, []).append(len(queries))

    dissent = world.escalated()
    world.panellists()
    for number in (3, 27):
        crowd(world, dissent, number)
        count("convene", world.business_manager, convene(dissent))
    dissent = world.convened(dissent)
    replaced = Seat.objects.filter(is_chair=False).first()
    for number in (3, 27):
        crowd(world, dissent, number)
        count("undeclared", world.superintendent, page_of(dissent))
        count("convener", world.business_manager, page_of(dissent))
        count("replace", world.business_manager, replace(replaced))
    declared(dissent, *world.panellists())
    for number in (3, 27):
        crowd(world, dissent, number)
        count("member", world.superintendent, page_of(dissent))
        count("sitting", world.superintendent, sitting(dissent))
    Seat.objects.exclude(person__in=world.panellists()).delete()
    dissent = world.sat(dissent)
    for _ in range(2):
        count("decide", world.superintendent, decide(dissent))
    dissent = world.decided(dissent)
    for _ in range(2):
        count("decided", world.superintendent, page_of(dissent))
    assert {name: found[0] for name, found in counts.items()} == {
        name: found[1] for name, found in counts.items()
    }
    assert max(itertools.chain(*counts.values())) <= 15, counts

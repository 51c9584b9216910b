"""The panel: who may sit, who has to, what it may decide, and what follows from it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django_fsm import TransitionNotAllowed

from councils.models import Person
from dissent import actions
from dissent.actions import Found, Refused
from dissent.actions.core import InTheFuture
from dissent.actions.panel import MayNotSit, who_may_be_named
from dissent.actions.review import NotAnOutcome, PanelCannotDecide
from dissent.models import Decision, Dissent, Finding, LedgerEntry, Notice, Panel, Seat
from tests.world import World, when

pytestmark = pytest.mark.django_db

NAMED = when("2026-03-09 09:00")
SAT = when("2026-03-16 12:00")


@pytest.fixture
def world() -> World:
    world = World(quick=True)
    world.panellists()
    return world


def convene(world: World, dissent: Dissent, *keys: str, by: str = "business_manager") -> Panel:
    chair, *members = [
        world.people[key] for key in keys or ("superintendent", "head_nurse", "unit_representative")
    ]
    return actions.convene_panel(dissent=dissent, chair=chair, members=members, by=world.people[by], at=NAMED)


def escalated_by(world: World, who: str, conference: Any) -> Dissent:
    dissent = world.filed(world.raised(conference, who=who))
    return world.escalated(world.offered(world.reviewed(dissent)))


def decide(
    dissent: Dissent, outcome: str, ground: str = "", *, by: Person, reasons: str = "Why."
) -> Decision:
    found = Found(outcome=outcome, reasons=reasons, ground=ground, plain_reasons="Plainly.")
    findings = dict.fromkeys(dissent.children.all(), found)
    return actions.decide(dissent=dissent, findings=findings, by=by, at=SAT)


def told(dissent: Dissent, occasion: str) -> set[Person]:
    return {notice.to for notice in Notice.objects.filter(dissent=dissent, occasion=occasion)}


# --- named -----------------------------------------------------------------------------------------


@pytest.mark.rule("ST-12", "ST-17")
def test_the_business_manager_names_a_chair_for_the_case_and_members_and_they_are_told(
    world: World,
) -> None:
    dissent = world.convened()
    seats = {seat.person: seat for seat in dissent.panel.seats.all()}
    assert set(seats) == {world.superintendent, world.head_nurse, world.unit_representative}
    assert [person for person, seat in seats.items() if seat.is_chair] == [world.superintendent]
    assert [person for person, seat in seats.items() if seat.for_the_unit] == [world.unit_representative]
    assert told(dissent, "panel_convened") == set(seats)


@pytest.mark.rule("ST-12")
def test_nobody_else_names_a_panel(world: World) -> None:
    dissent = world.escalated()
    for who in ("service_manager", "chair", "teacher", "superintendent", "administrator"):
        with pytest.raises(PermissionDenied):
            convene(world, dissent, by=who)


def test_one_case_has_one_panel(world: World) -> None:
    with pytest.raises(TransitionNotAllowed):
        convene(world, world.convened())


def manager_of_the_dissenter(world: World, **told_of: str) -> str:
    dissent = Dissent.objects.get()
    facts = {"name": "", "email": "", **told_of}
    actions.tell_management(dissent=dissent, told_on=NAMED.date(), by=dissent.dissenter, at=NAMED, **facts)
    return "head_nurse"


def somebody_who_was_there(world: World) -> str:
    world.council.appointments.create(person=world.nurse, role="panel_member", from_on=dt.date(2020, 1, 1))
    return "nurse"


def the_dissenter(world: World) -> str:
    world.council.appointments.create(person=world.teacher, role="panel_member", from_on=dt.date(2020, 1, 1))
    return "teacher"


def the_chair_of_the_conference(world: World) -> str:
    world.council.appointments.create(
        person=world.chair, role="unit_representative", from_on=dt.date(2020, 1, 1)
    )
    return "chair"


def somebody_of_an_agency_that_was_not_there(world: World) -> str:
    world.appoint("panel_member", "Head of Housing", "Housing", key="head_of_housing")
    return "head_of_housing"


def somebody_whose_agency_sent_only_somebody_who_did_not_come(world: World) -> str:
    world.head_nurse.agency = world.agency("Housing")
    world.head_nurse.save()
    return "head_nurse"


def somebody_without_an_agency(world: World) -> str:
    world.head_nurse.agency = None
    world.head_nurse.save()
    return "head_nurse"


def somebody_not_appointed(world: World) -> str:
    world.council.appointments.filter(person=world.head_nurse).update(until_on=dt.date(2026, 3, 8))
    return "head_nurse"


@pytest.mark.rule("ST-12", "ST-17")
@pytest.mark.parametrize(
    ("who", "why"),
    [
        (somebody_who_was_there, "was at the conference and took part in its decision."),
        (the_dissenter, "raised a dissent that this panel hears."),
        (the_chair_of_the_conference, "chaired the conference."),
        (
            lambda world: manager_of_the_dissenter(world, email="HEAD_NURSE@testshire.example"),
            "manages the dissenter.",
        ),
        (lambda world: manager_of_the_dissenter(world, name="head nurse "), "manages the dissenter."),
        (
            somebody_of_an_agency_that_was_not_there,
            "is from Housing, which was not represented at the conference.",
        ),
        (
            somebody_whose_agency_sent_only_somebody_who_did_not_come,
            "is from Housing, which was not represented at the conference.",
        ),
        (
            somebody_without_an_agency,
            "has no agency on record, so nobody can tell whether it was represented.",
        ),
        (somebody_not_appointed, "is not on record as somebody who may sit on panels here."),
    ],
)
@pytest.mark.parametrize("place", ["chair", "members"])
def test_the_reason_stands_at_the_name_of_whoever_may_not_sit(
    world: World, who: Any, why: str, place: str
) -> None:
    dissent = world.escalated()
    key = who(world)
    named = (key, "superintendent") if place == "chair" else ("superintendent", key)
    with pytest.raises(MayNotSit) as refused:
        convene(world, dissent, *named, "unit_representative")
    assert str(refused.value) == f"{world.people[key].name} {why}"
    assert (refused.value.person, refused.value.field) == (world.people[key], place)
    assert not Panel.objects.exists()
    offered = {each.person: each.why_not for each in who_may_be_named(dissent, at=NAMED)}
    assert offered.get(world.people[key], str(refused.value)) == str(refused.value)


@pytest.mark.rule("ST-12")
def test_the_units_own_seat_may_have_reviewed_at_first_and_it_is_shown(world: World) -> None:
    """The text says that it is usually the Service Manager."""
    panel = convene(world, world.escalated(), "superintendent", "head_nurse", "service_manager")
    seat = panel.seats.get(person=world.service_manager)
    assert (seat.for_the_unit, seat.reviewed_before) == (True, True)
    assert not panel.seats.exclude(pk=seat.pk).filter(reviewed_before=True).exists()


@pytest.mark.rule("ST-12")
def test_somebody_else_who_took_part_in_the_first_review_does_not_sit(world: World) -> None:
    dissent = world.reviewed()
    manager = world.nominated_manager
    manager.agency = world.agency("Police")
    manager.save()
    dissent.steps.update(recorded_by=manager)  # the deputy of that day, since moved to the police
    dissent = world.escalated(world.offered(dissent))
    world.council.appointments.filter(person=manager).update(role="panel_member")
    with pytest.raises(MayNotSit, match="looked at the dissent at an earlier stage"):
        convene(world, dissent, "superintendent", "nominated_manager", "unit_representative")


@pytest.mark.rule("ST-17")
@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (("superintendent", "unit_representative"), "Name at least 3 people, the chair included"),
        (("superintendent", "head_nurse", "sergeant"), "Name somebody for the Children's Standards Unit"),
    ],
)
def test_a_panel_that_could_never_decide_is_not_named(world: World, keys: tuple[str, ...], says: str) -> None:
    world.appoint("panel_member", "Police Sergeant", "Police", key="sergeant")
    with pytest.raises(Refused, match=says) as refused:
        convene(world, world.escalated(), *keys)
    assert refused.value.field == "members"
    assert not Panel.objects.exists()


@pytest.mark.rule("ST-17")
def test_the_chair_of_the_panel_counts_as_one_of_the_three(world: World) -> None:
    panel = convene(
        world, world.escalated(), "superintendent", "superintendent", "head_nurse", "unit_representative"
    )
    assert panel.seats.count() == 3


@pytest.mark.rule("ST-17")
def test_one_panel_hears_every_dissent_about_the_conference_that_waits(world: World) -> None:
    conference = world.conference()
    first, second = (escalated_by(world, who, conference) for who in ("teacher", "officer"))
    waiting_elsewhere = world.escalated()
    panel = convene(world, first)
    assert set(panel.dissents.all()) == {first, second}
    waiting_elsewhere.refresh_from_db()
    assert waiting_elsewhere.panel is None


def test_a_later_dissent_joins_the_panel_until_it_has_sat(world: World) -> None:
    conference = world.conference()
    first = world.convened(escalated_by(world, "teacher", conference))
    second = escalated_by(world, "officer", conference)
    joined = actions.join_panel(dissent=second, panel=first.panel, by=world.business_manager, at=NAMED)
    assert joined.panel == first.panel
    world.sat(first)
    happened = LedgerEntry.objects.filter(verb__in=["join_panel", "declare", "record_sitting"])
    in_each = [
        list(happened.filter(case_id=each.pk).values_list("verb", flat=True)) for each in (first, second)
    ]
    assert in_each[0] == in_each[1] == ["join_panel", *["declare"] * 3, "record_sitting"]
    third = escalated_by(world, "nurse", conference)
    panel = Panel.objects.get()
    with pytest.raises(TransitionNotAllowed):
        actions.join_panel(dissent=third, panel=panel, by=world.business_manager, at=NAMED)
    assert convene(world, third) != panel


@pytest.mark.rule("ST-12", "ST-18")
def test_whoever_declared_themselves_independent_is_asked_again_about_a_dissent_that_joins(
    world: World,
) -> None:
    conference = world.conference()
    first = world.convened(escalated_by(world, "teacher", conference))
    for person in (world.superintendent, world.head_nurse):
        actions.declare(dissent=first, independent=True, by=person, at=NAMED)
    second = escalated_by(world, "officer", conference)
    joined = actions.join_panel(dissent=second, panel=first.panel, by=world.business_manager, at=NAMED)
    for person in (world.superintendent, world.head_nurse):
        assert joined.relations(person, at=NAMED) == {"panel_named"}
    told = Notice.objects.filter(occasion="panel_joined", dissent=second)
    assert {notice.to for notice in told} == set(world.panellists())
    actions.declare(dissent=second, independent=True, by=world.head_nurse, at=NAMED)
    assert "panel_member" in joined.relations(world.head_nurse, at=NAMED)


def test_a_dissent_joins_no_panel_of_another_conference_and_none_that_its_manager_sits_on(
    world: World,
) -> None:
    first = world.convened()
    second = world.escalated()
    with pytest.raises(TransitionNotAllowed):
        actions.join_panel(dissent=second, panel=first.panel, by=world.business_manager, at=NAMED)
    third = escalated_by(world, "officer", first.conference)
    actions.tell_management(
        dissent=third, name="Head Nurse", email="", told_on=NAMED.date(), by=world.officer, at=NAMED
    )
    with pytest.raises(MayNotSit, match="manages the dissenter"):
        actions.join_panel(dissent=third, panel=first.panel, by=world.business_manager, at=NAMED)


# --- independent, or replaced ----------------------------------------------------------------------


@pytest.mark.rule("ST-12")
def test_each_declares_for_themselves_and_only_once(world: World) -> None:
    dissent = world.convened()
    seat = actions.declare(dissent=dissent, independent=True, by=world.head_nurse, at=NAMED)
    assert (seat.independent, seat.declared_at) == (True, NAMED)
    with pytest.raises(TransitionNotAllowed, match="declared already"):
        actions.declare(dissent=dissent, independent=False, conflict="x", by=world.head_nurse, at=NAMED)
    with pytest.raises(PermissionDenied):
        actions.declare(dissent=dissent, independent=True, by=world.business_manager, at=NAMED)


@pytest.mark.rule("ST-12")
def test_a_conflict_is_named_and_its_holder_is_out_of_the_case_until_replaced(world: World) -> None:
    dissent = world.convened()
    with pytest.raises(Refused, match="Say what the conflict is") as refused:
        actions.declare(dissent=dissent, independent=False, conflict=" ", by=world.head_nurse, at=NAMED)
    assert refused.value.field == "conflict"
    seat = actions.declare(
        dissent=dissent, independent=False, conflict="My cousin.", by=world.head_nurse, at=NAMED
    )
    assert told(dissent, "conflict_declared") == {world.business_manager}
    assert "panel_member" not in dissent.relations(world.head_nurse, at=NAMED)
    world.appoint("panel_member", "Deputy Nurse", "Health Trust", key="deputy_nurse")
    fresh = actions.replace_member(
        dissent=dissent, seat=seat, person=world.deputy_nurse, by=world.business_manager, at=NAMED
    )
    seat.refresh_from_db()
    assert (seat.left_at, seat.conflict) == (NAMED, "My cousin.")
    assert (fresh.is_chair, fresh.declared_at) == (False, None)
    assert world.deputy_nurse in told(dissent, "panel_convened")


def test_a_chair_who_is_replaced_hands_on_the_chair(world: World) -> None:
    dissent = world.convened()
    world.appoint("panel_member", "Deputy Nurse", "Health Trust", key="deputy_nurse")
    seat = dissent.panel.seats.get(is_chair=True)
    fresh = actions.replace_member(
        dissent=dissent, seat=seat, person=world.deputy_nurse, by=world.business_manager, at=NAMED
    )
    assert fresh.is_chair
    assert "panel_chair" not in dissent.relations(world.superintendent, at=NAMED)


def test_a_replacement_is_asked_the_same_as_everybody(world: World) -> None:
    dissent = world.convened()
    seat = dissent.panel.seats.get(person=world.head_nurse)
    outsider = world.people[somebody_of_an_agency_that_was_not_there(world)]
    with pytest.raises(MayNotSit, match="was not represented") as refused:
        actions.replace_member(
            dissent=dissent, seat=seat, person=outsider, by=world.business_manager, at=NAMED
        )
    assert refused.value.field == "person"
    with pytest.raises(MayNotSit, match="already on the panel"):
        actions.replace_member(
            dissent=dissent, seat=seat, person=world.superintendent, by=world.business_manager, at=NAMED
        )
    assert dissent.panel.seats.filter(left_at=None).count() == 3


def test_a_seat_that_was_replaced_already_is_told_that_the_case_has_moved_on(world: World) -> None:
    dissent = world.convened()
    world.appoint("panel_member", "Deputy Nurse", "Health Trust", key="deputy_nurse")
    world.appoint("panel_member", "Police Sergeant", "Police", key="sergeant")
    seat = dissent.panel.seats.get(person=world.head_nurse)
    replace = {"dissent": dissent, "seat": seat, "by": world.business_manager, "at": NAMED}
    actions.replace_member(person=world.deputy_nurse, **replace)
    with pytest.raises(TransitionNotAllowed):
        actions.replace_member(person=world.sergeant, **replace)


def test_whoever_has_sat_is_not_replaced(world: World) -> None:
    dissent = world.sat()
    world.appoint("panel_member", "Deputy Nurse", "Health Trust", key="deputy_nurse")
    with pytest.raises(TransitionNotAllowed, match="until they have sat"):
        actions.replace_member(
            dissent=dissent,
            seat=dissent.panel.seats.get(person=world.head_nurse),
            person=world.deputy_nurse,
            by=world.business_manager,
            at=SAT,
        )


# --- sat -------------------------------------------------------------------------------------------


def sit(
    world: World, dissent: Dissent, *present: str, by: str = "superintendent", sat_at: Any = SAT
) -> Panel:
    seats = [dissent.panel.seats.get(person=world.people[key], left_at=None) for key in present]
    return actions.record_sitting(dissent=dissent, present=seats, sat_at=sat_at, by=world.people[by], at=SAT)


def declared(world: World) -> Dissent:
    dissent = world.convened()
    for seat in dissent.panel.seats.all():
        actions.declare(dissent=dissent, independent=True, by=seat.person, at=NAMED)
    return dissent


def test_the_panels_chair_records_who_sat_and_nobody_else(world: World) -> None:
    dissent = declared(world)
    everybody = ("superintendent", "head_nurse", "unit_representative")
    for who in ("head_nurse", "business_manager", "service_manager"):
        with pytest.raises(PermissionDenied):
            sit(world, dissent, *everybody, by=who)
    panel = sit(world, dissent, *everybody)
    assert (panel.sat_at, panel.sat_recorded_by) == (SAT, world.superintendent)
    assert len(panel.present()) == 3


@pytest.mark.rule("ST-12")
def test_nobody_sits_who_has_not_declared_themselves_independent(world: World) -> None:
    dissent = world.convened()
    actions.declare(dissent=dissent, independent=True, by=world.superintendent, at=NAMED)
    with pytest.raises(Refused, match="Head Nurse has not declared themselves independent") as refused:
        sit(world, dissent, "superintendent", "head_nurse")
    assert refused.value.field == "present"
    assert Panel.objects.get().sat_at is None


@pytest.mark.parametrize(
    ("sat_at", "kind", "says"),
    [
        (SAT + dt.timedelta(minutes=1), InTheFuture, "has not come yet"),
        (NAMED - dt.timedelta(minutes=1), Refused, "before it was convened"),
    ],
)
def test_a_sitting_is_refused_with_the_reason(world: World, sat_at: Any, kind: type, says: str) -> None:
    with pytest.raises(kind, match=says) as refused:
        sit(world, declared(world), "superintendent", sat_at=sat_at)
    assert refused.value.field == "sat_at"


def replaced(world: World, *, at: dt.datetime) -> Dissent:
    """The head nurse gave way to a deputy, who declared themselves independent at once."""
    dissent = declared(world)
    deputy = world.appoint("panel_member", "Deputy Nurse", "Health Trust", key="deputy_nurse")
    actions.replace_member(
        dissent=dissent,
        seat=dissent.panel.seats.get(person=world.head_nurse),
        person=deputy,
        by=world.business_manager,
        at=at,
    )
    actions.declare(dissent=dissent, independent=True, by=deputy, at=at)
    return dissent


@pytest.mark.rule("ST-12")
def test_nobody_sat_who_was_named_after_the_panel_had_met(world: World) -> None:
    dissent = replaced(world, at=SAT)
    with pytest.raises(Refused, match="Deputy Nurse was named for the panel only after this time") as refused:
        sit(world, dissent, "superintendent", "deputy_nurse", sat_at=SAT - dt.timedelta(minutes=1))
    assert refused.value.field == "present"
    assert Panel.objects.get().sat_at is None
    assert not dissent.panel.seats.filter(sat=True).exists()


def test_whoever_was_named_in_the_minute_in_which_the_panel_met_sat(world: World) -> None:
    dissent = replaced(world, at=SAT)
    sit(world, dissent, "superintendent", "deputy_nurse", sat_at=SAT.replace(second=0, microsecond=0))
    assert dissent.panel.seats.get(person=world.deputy_nurse).sat


@pytest.mark.rule("ST-12")
def test_nobody_sat_who_declared_themselves_independent_on_a_later_day(world: World) -> None:
    dissent = world.convened()
    for key, on in (("superintendent", NAMED), ("head_nurse", SAT)):
        actions.declare(dissent=dissent, independent=True, by=world.people[key], at=on)
    with pytest.raises(Refused, match="Head Nurse declared themselves independent only after that day"):
        sit(world, dissent, "superintendent", "head_nurse", sat_at=SAT - dt.timedelta(days=1))
    sit(world, dissent, "superintendent", "head_nurse", sat_at=SAT - dt.timedelta(hours=1))
    assert len(Panel.objects.get().present()) == 2


@pytest.mark.rule("ST-17")
@pytest.mark.parametrize(
    ("absent", "says"),
    [
        (("head_nurse",), "2 sat, and the quorum is 3."),
        (
            ("unit_representative",),
            "2 sat, and the quorum is 3. Nobody sat for the Children's Standards Unit, and it is always "
            "represented.",
        ),
    ],
)
def test_without_its_quorum_a_panel_cannot_decide(world: World, absent: tuple[str, ...], says: str) -> None:
    dissent = world.sat(absent=absent)
    with pytest.raises(PanelCannotDecide) as refused:
        decide(dissent, "not_upheld", by=world.superintendent)
    assert str(refused.value) == says
    assert not Decision.objects.filter(stage="panel").exists()


@pytest.mark.rule("ST-12", "ST-17")
def test_a_panel_without_the_units_seat_cannot_decide_however_many_sat(world: World) -> None:
    world.appoint("panel_member", "Police Sergeant", "Police", key="sergeant")
    dissent = world.escalated()
    convene(world, dissent, "superintendent", "head_nurse", "sergeant", "unit_representative")
    dissent = world.sat(Dissent.objects.get(), absent=("unit_representative",))
    with pytest.raises(PanelCannotDecide, match="always represented"):
        decide(dissent, "not_upheld", by=world.superintendent)


def test_before_it_has_sat_a_panel_cannot_decide(world: World) -> None:
    dissent = declared(world)
    with pytest.raises(PanelCannotDecide, match="Nobody has recorded who sat"):
        decide(dissent, "not_upheld", by=world.superintendent)


@pytest.mark.rule("ST-17")
def test_a_sitting_that_fell_short_can_be_followed_by_one_that_does_not(world: World) -> None:
    dissent = world.sat(absent=("head_nurse",))
    dissent = world.sat(dissent, at=SAT + dt.timedelta(days=1))
    assert decide(dissent, "not_upheld", by=world.superintendent).panel == dissent.panel


# --- decided ---------------------------------------------------------------------------------------


@pytest.mark.rule("ST-21")
def test_a_panel_upholds_the_grounds_or_does_not_and_nothing_else(world: World) -> None:
    dissent = world.sat()
    assert [outcome.key for outcome in dissent.rules_of_stage.outcomes] == ["upheld", "not_upheld"]
    for other in ("resolved", "unresolved", "plan_made", ""):
        with pytest.raises(NotAnOutcome):
            decide(dissent, other, by=world.superintendent)
    fields = {field.name for model in (Decision, Finding) for field in model._meta.get_fields()}
    assert not fields & {"plan", "status", "category", "child_protection_plan"}


@pytest.mark.rule("ST-16")
@pytest.mark.parametrize("ground", ["", "C"])
def test_upholding_needs_one_of_the_two_grounds(world: World, ground: str) -> None:
    with pytest.raises(Refused, match="Choose the ground") as refused:
        decide(world.sat(), "upheld", ground, by=world.superintendent)
    assert refused.value.field == "ground"


@pytest.mark.rule("ST-16")
@pytest.mark.parametrize(("outcome", "ground"), [("upheld", "A"), ("upheld", "B"), ("not_upheld", "")])
def test_free_text_always_goes_with_it(world: World, outcome: str, ground: str) -> None:
    dissent = world.sat()
    with pytest.raises(Refused, match="Give the reasons") as refused:
        decide(dissent, outcome, ground, by=world.superintendent, reasons=" ")
    assert refused.value.field == "reasons"
    decision = decide(dissent, outcome, ground, by=world.superintendent)
    assert [(each.outcome, each.ground, each.reasons) for each in decision.findings.all()] == [
        (outcome, ground, "Why.")
    ]


@pytest.mark.rule("ST-16")
def test_no_ground_goes_with_a_dissent_that_is_not_upheld(world: World) -> None:
    with pytest.raises(Refused, match="only to a dissent that is upheld"):
        decide(world.sat(), "not_upheld", "A", by=world.superintendent)


def test_the_panels_chair_decides_for_it(world: World) -> None:
    dissent = world.sat()
    for who in ("head_nurse", "unit_representative", "business_manager", "service_manager", "chair"):
        with pytest.raises(PermissionDenied):
            decide(dissent, "not_upheld", by=world.people[who])


@pytest.mark.rule("ST-17", "ST-21")
def test_a_panel_decides_each_dissent_and_each_child_by_itself(world: World) -> None:
    conference = world.conference(children=2)
    one, two = conference.children.all()
    first, second = (escalated_by(world, who, conference) for who in ("teacher", "officer"))
    world.convened(first)
    first = world.sat(Dissent.objects.get(pk=first.pk))
    second = Dissent.objects.get(pk=second.pk)
    findings = {
        one: Found(outcome="upheld", reasons="For Ann.", ground="A", plain_reasons="Plainly."),
        two: Found(outcome="not_upheld", reasons="For Ben.", plain_reasons="Plainly."),
    }
    actions.decide(dissent=first, findings=findings, by=world.superintendent, at=SAT)
    second.refresh_from_db()
    assert second.state == "at_stage"
    decide(second, "not_upheld", by=world.superintendent)
    said = Finding.objects.filter(decision__dissent=first, decision__stage="panel")
    assert dict(said.values_list("child", "outcome")) == {one.pk: "upheld", two.pk: "not_upheld"}
    assert Dissent.objects.get(pk=first.pk).state == "reconvening"
    assert Dissent.objects.get(pk=second.pk).state == "decided"


@pytest.mark.rule("ST-14")
def test_the_panels_word_is_final_here(world: World) -> None:
    dissent = world.decided(outcome="not_upheld")
    assert dissent.offered_at is not None
    assert dissent.offer_answered_at is not None
    for act in (actions.take_further, actions.accept):
        with pytest.raises(TransitionNotAllowed):
            act(dissent=dissent, by=world.teacher, at=SAT)
    assert dissent.rules.stage_after("panel") is None


# --- the further conference ------------------------------------------------------------------------


def rehear(world: World, dissent: Dissent, **changed: Any) -> Any:
    facts: dict[str, Any] = {
        "held_at": when("2026-04-01 09:00"),
        "ended_at": when("2026-04-01 11:00"),
        "chair": world.chair,
        "by": world.service_manager,
        "at": when("2026-04-01 12:00"),
    }
    return actions.record_further_conference(dissent=dissent, **{**facts, **changed})


@pytest.mark.rule("ST-22")
@pytest.mark.parametrize("lead", ["service_manager", "nominated_manager", "unit_representative"])
def test_upheld_ends_with_a_further_conference_that_the_unit_leads(world: World, lead: str) -> None:
    dissent = world.released(outcome="upheld")
    assert dissent.state == "reconvening"
    further = rehear(world, dissent, by=world.people[lead])
    assert (further.answers, further.led_by) == (dissent.conference, world.people[lead])
    dissent.refresh_from_db()
    assert (dissent.state, dissent.closed_at) == ("closed", when("2026-04-01 12:00"))
    assert told(dissent, "further_conference_held") == {world.teacher, world.chair}


@pytest.mark.rule("ST-22")
@pytest.mark.parametrize("who", ["business_manager", "conference_administrator", "chair", "superintendent"])
def test_nobody_else_leads_it(world: World, who: str) -> None:
    with pytest.raises(PermissionDenied):
        rehear(world, world.released(outcome="upheld"), by=world.people[who])


@pytest.mark.rule("ST-22")
def test_a_dissent_that_is_not_upheld_asks_for_none(world: World) -> None:
    with pytest.raises(TransitionNotAllowed):
        rehear(world, world.decided(outcome="not_upheld"))


@pytest.mark.rule("ST-22")
def test_one_further_conference_answers_every_dissent_about_the_first(world: World) -> None:
    conference = world.conference()
    first, second = (escalated_by(world, who, conference) for who in ("teacher", "officer"))
    world.convened(first)
    first = world.sat(Dissent.objects.get(pk=first.pk))
    for each in (first, Dissent.objects.get(pk=second.pk)):
        decide(each, "upheld", "A", by=world.superintendent)
        world.released(each)
    rehear(world, second)
    assert set(Dissent.objects.values_list("state", flat=True)) == {"closed"}
    with pytest.raises(TransitionNotAllowed):
        rehear(world, first)


@pytest.mark.rule("ST-22")
def test_the_case_stays_open_until_the_letters_are_out_as_well(world: World) -> None:
    dissent = world.decided(outcome="upheld")
    rehear(world, dissent)
    dissent.refresh_from_db()
    assert dissent.state == "reconvening"
    with pytest.raises(Refused, match="recorded already"):
        rehear(world, dissent)
    assert world.released(dissent).state == "closed"


@pytest.mark.parametrize(
    ("changed", "says", "field"),
    [
        (
            {"held_at": when("2026-03-16 11:00"), "ended_at": when("2026-03-16 12:00")},
            "after the decision",
            "held_at",
        ),
        ({"ended_at": when("2026-04-01 08:00")}, "ended before it began", "ended_at"),
        ({"at": when("2026-04-01 08:00")}, "has not come yet", "held_at"),
    ],
)
def test_a_further_conference_is_refused_with_the_reason(
    world: World, changed: dict[str, Any], says: str, field: str
) -> None:
    with pytest.raises(Refused, match=says) as refused:
        rehear(world, world.released(outcome="upheld"), **changed)
    assert refused.value.field == field
    assert Seat.objects.filter(left_at=None).count() == 3


def test_no_address_on_the_record_stands_in_the_reasons(world: World) -> None:
    """They go to every professional who was there."""
    conference = world.conference()
    world.relative(conference.children.get(), contact="post", details="7 Hidden Lane\nHollow Town")
    dissent = world.sat_about(conference)
    found = Found(outcome="not_upheld", reasons="She lives at 7 hidden lane.", plain_reasons="Plainly.")
    with pytest.raises(Refused, match="An address on the record") as refused:
        actions.decide(
            dissent=dissent,
            findings=dict.fromkeys(dissent.children.all(), found),
            by=world.superintendent,
            at=when("2026-03-16 13:00"),
        )
    assert refused.value.field == "reasons"

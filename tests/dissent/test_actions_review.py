"""The first review: two steps in order, then a resolution that is answered, or the panel offered."""

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
from dissent.actions.review import NotAnOutcome, StepsMissing
from dissent.models import Child, Conference, Decision, Dissent, Letter, Notice, Proposal, Reader, StepRecord
from tests.world import World, when

pytestmark = pytest.mark.django_db

NOW = when("2026-03-05 10:00")
FILED = when("2026-03-03 15:00")


@pytest.fixture
def world() -> World:
    return World(quick=True)


def step(world: World, dissent: Dissent, key: str, **changed: Any) -> StepRecord:
    facts: dict[str, Any] = {
        "note": "What was said.",
        "happened_at": NOW,
        "by": world.service_manager,
        "at": NOW,
    }
    return actions.record_step(dissent=dissent, step=key, **{**facts, **changed})


def decide(world: World, dissent: Dissent, outcome: str = "unresolved", **changed: Any) -> Decision:
    found = Found(outcome=outcome, reasons=changed.pop("reasons", "No agreement."), **changed)
    return actions.decide(
        dissent=dissent,
        findings=dict.fromkeys(dissent.children.all(), found),
        by=world.service_manager,
        at=NOW,
    )


def propose(world: World, dissent: Dissent, text: str = "What.") -> Proposal:
    return actions.propose_resolution(dissent=dissent, text=text, by=world.service_manager, at=NOW)


def told(dissent: Dissent, occasion: str) -> set[Person]:
    return {notice.to for notice in Notice.objects.filter(dissent=dissent, occasion=occasion)}


# --- the two steps ---------------------------------------------------------------------------------


@pytest.mark.rule("ST-10")
def test_the_review_with_the_chair_comes_before_the_discussion_with_the_dissenter(world: World) -> None:
    dissent = world.filed()
    with pytest.raises(StepsMissing) as refused:
        step(world, dissent, "discussed_with_dissenter")
    assert refused.value.steps == ["Went through the information with the chair of the conference"]
    step(world, dissent, "reviewed_with_chair")
    step(world, dissent, "discussed_with_dissenter")
    assert list(dissent.steps.values_list("step", flat=True)) == [
        "reviewed_with_chair",
        "discussed_with_dissenter",
    ]


@pytest.mark.rule("ST-10")
def test_the_discussion_cannot_be_said_to_have_happened_before_the_review(world: World) -> None:
    dissent = world.filed()
    step(world, dissent, "reviewed_with_chair", happened_at=NOW - dt.timedelta(hours=1))
    with pytest.raises(Refused, match="This comes after “Went through the information") as refused:
        step(world, dissent, "discussed_with_dissenter", happened_at=NOW - dt.timedelta(hours=2))
    assert refused.value.field == "happened_at"


@pytest.mark.rule("ST-10")
@pytest.mark.parametrize("done", [[], ["reviewed_with_chair"]])
@pytest.mark.parametrize("act", [propose, decide])
def test_no_outcome_before_both_steps(world: World, done: list[str], act: Any) -> None:
    dissent = world.filed()
    for key in done:
        step(world, dissent, key)
    with pytest.raises(StepsMissing) as refused:
        act(world, dissent)
    assert refused.value.steps[-1] == "Talked it over with the dissenter"
    assert str(refused.value).startswith("First record: ")


@pytest.mark.rule("ST-09")
def test_the_nominated_manager_reviews_in_the_service_managers_absence(world: World) -> None:
    recorded = step(world, world.filed(), "reviewed_with_chair", by=world.nominated_manager)
    assert recorded.recorded_by == world.nominated_manager


@pytest.mark.parametrize(
    ("changed", "kind", "says", "field"),
    [
        ({"step": "tea"}, Refused, "no such step", ""),
        ({"happened_at": NOW + dt.timedelta(minutes=1)}, InTheFuture, "has not come yet", "happened_at"),
        (
            {"happened_at": FILED - dt.timedelta(minutes=1)},
            Refused,
            "before the form was sent",
            "happened_at",
        ),
        ({"note": " "}, Refused, "what was discussed", "note"),
    ],
)
def test_a_step_is_refused_with_the_reason(
    world: World, changed: dict[str, Any], kind: type[Refused], says: str, field: str
) -> None:
    changed = {"step": "reviewed_with_chair", **changed}
    with pytest.raises(kind, match=says) as refused:
        step(world, world.filed(at=FILED), changed.pop("step"), **changed)
    assert refused.value.field == field


def test_a_step_is_recorded_once(world: World) -> None:
    dissent = world.filed()
    step(world, dissent, "reviewed_with_chair")
    with pytest.raises(Refused, match="already recorded"):
        step(world, dissent, "reviewed_with_chair")


@pytest.mark.rule("ST-09")
@pytest.mark.parametrize("who", ["chair", "teacher", "business_manager", "conference_administrator"])
def test_nobody_else_reviews(world: World, who: str) -> None:
    with pytest.raises(PermissionDenied):
        step(world, world.filed(), "reviewed_with_chair", by=world.people[who])


@pytest.mark.parametrize("who", ["chair", "teacher"])
def test_chair_and_dissenter_never_review_their_own_case_whatever_else_they_are(
    world: World, who: str
) -> None:
    dissent = world.filed()
    world.council.appointments.create(
        person=world.people[who], role="service_manager", from_on=dt.date(2020, 1, 1)
    )
    with pytest.raises(PermissionDenied):
        step(world, dissent, "reviewed_with_chair", by=world.people[who])


# --- a resolution, answered ------------------------------------------------------------------------


@pytest.mark.rule("ST-11")
def test_a_resolution_is_put_in_writing_and_the_dissenter_is_told(world: World) -> None:
    dissent = world.proposed()
    proposal = Proposal.objects.get()
    assert (proposal.text, proposal.answered_at, proposal.proposed_by) == (
        "What is proposed.",
        None,
        world.service_manager,
    )
    assert dissent.state == "proposed"
    assert told(dissent, "resolution_proposed") == {world.teacher}


def test_an_empty_resolution_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="Write what you propose") as refused:
        propose(world, world.reviewed(), " ")
    assert refused.value.field == "text"


@pytest.mark.rule("ST-11")
def test_only_the_dissenter_can_say_that_it_is_resolved(world: World) -> None:
    dissent = world.reviewed()
    with pytest.raises(NotAnOutcome, match="agreed with the dissenter first") as refused:
        decide(world, dissent, "resolved")
    assert refused.value.field == "outcome"
    dissent = world.proposed(dissent)
    for who in ("service_manager", "chair"):
        with pytest.raises(PermissionDenied):
            actions.agree_to_resolution(dissent=dissent, by=world.people[who], at=NOW)


@pytest.mark.rule("ST-11")
def test_on_agreement_dissenter_and_chair_have_it_in_writing_and_then_the_case_closes(world: World) -> None:
    dissent = actions.agree_to_resolution(dissent=world.proposed(), by=world.teacher, at=NOW)
    assert Proposal.objects.get().answer == "agreed"
    decision = Decision.objects.get()
    assert [finding.outcome for finding in decision.findings.all()] == ["resolved"]
    assert decision.decided_by == world.service_manager
    assert {letter.to for letter in Letter.objects.all()} == {world.teacher, world.chair}
    assert all("What is proposed." in str(letter.says) for letter in Letter.objects.all())
    assert Dissent.objects.get().state == "decided"
    world.made()
    dissent.refresh_from_db()
    assert (dissent.state, dissent.offered_at) == ("closed", None)


@pytest.mark.rule("ST-11")
def test_a_refused_resolution_offers_the_panel(world: World) -> None:
    dissent = actions.refuse_resolution(
        dissent=world.proposed(), words="Not enough.", by=world.teacher, at=NOW
    )
    proposal = Proposal.objects.get()
    assert (proposal.answer, proposal.words) == ("refused", "Not enough.")
    assert [finding.outcome for finding in Decision.objects.get().findings.all()] == ["unresolved"]
    assert (dissent.state, dissent.offered_at) == ("decided", NOW)
    assert told(dissent, "escalation_offered") == {world.teacher}
    assert not Letter.objects.exists()


# --- the panel, offered ----------------------------------------------------------------------------


@pytest.mark.rule("ST-11", "ST-12")
def test_taking_it_up_is_the_dissenters_choice_and_goes_to_the_business_manager(world: World) -> None:
    dissent = world.offered()
    for who in ("service_manager", "chair", "business_manager"):
        with pytest.raises(PermissionDenied):
            actions.take_further(dissent=dissent, by=world.people[who], at=NOW)
    dissent = actions.take_further(dissent=dissent, by=world.teacher, at=NOW)
    assert (dissent.state, dissent.stage) == ("at_stage", "panel")
    assert told(dissent, "stage_entered") == {world.business_manager}
    assert told(dissent, "escalation_answered") == {world.service_manager, world.chair}
    assert Reader.objects.filter(dissent=dissent, role="business_manager").exists()


@pytest.mark.rule("ST-11")
def test_leaving_it_there_closes_the_case_since_nothing_is_owed(world: World) -> None:
    actions.accept(dissent=world.offered(), by=world.teacher, at=NOW)
    dissent = Dissent.objects.get()
    assert (dissent.state, dissent.closed_at, dissent.next_due_at) == ("closed", NOW, None)


def test_an_offer_is_answered_once(world: World) -> None:
    dissent = world.offered()
    actions.take_further(dissent=dissent, by=world.teacher, at=NOW)
    for act in (actions.take_further, actions.accept):
        with pytest.raises(TransitionNotAllowed):
            act(dissent=dissent, by=world.teacher, at=NOW)


# --- what a decision must say ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kind", "says", "field"),
    [
        ({"outcome": "upheld"}, NotAnOutcome, "cannot end like that", "outcome"),
        ({"outcome": "plan_made"}, NotAnOutcome, "cannot end like that", "outcome"),
        ({"ground": "A"}, Refused, "only to a dissent that is upheld", "ground"),
        ({"reasons": "\n"}, Refused, "reasons in your own words", "reasons"),
    ],
)
def test_a_decision_is_refused_with_the_reason(
    world: World, said: dict[str, str], kind: type[Refused], says: str, field: str
) -> None:
    with pytest.raises(kind, match=says) as refused:
        decide(world, world.reviewed(), **said)
    assert refused.value.field == field
    assert not Decision.objects.exists()


def test_each_child_is_decided_and_no_other(world: World) -> None:
    conference = world.conference(children=3)
    first, second, third = conference.children.all()
    dissent = world.reviewed(world.filed(world.raised(conference, children=[first, second])))
    found = Found(outcome="unresolved", reasons="Why.")
    for children in ([first], [first, second, third], []):
        with pytest.raises(Refused, match="Decide for each child, and for no other"):
            actions.decide(
                dissent=dissent, findings=dict.fromkeys(children, found), by=world.service_manager, at=NOW
            )


@pytest.mark.rule("ST-21")
def test_no_way_through_a_dissent_touches_what_the_conference_decided_about_a_plan(world: World) -> None:
    def plans() -> list[Any]:
        decided = ("pk", "name", "born_on", "due_on", "decision", "category", "conference")
        return list(Child.objects.order_by("pk").values(*decided)), list(
            Conference.objects.filter(answers=None).values("kind", "held_at", "chair")
        )

    conference = world.conference()
    before = plans()
    dissent = world.escalated(world.offered(world.reviewed(world.filed(world.raised(conference)))))
    dissent = world.released(world.decided(world.sat(world.convened(dissent))))
    world.reheard(dissent)
    assert plans() == before
    assert conference.further.get().children.count() == 0

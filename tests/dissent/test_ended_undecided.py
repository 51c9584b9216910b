"""A dissent that ends before anybody decides it: withdrawn by its dissenter, or lapsed by somebody named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client
from django_fsm import TransitionNotAllowed

from dissent import actions
from dissent.actions import Found, Refused
from dissent.actions.core import InTheFuture
from dissent.models import Dissent, LedgerEntry, Notice
from tests.dissent.test_actions_panel import escalated_by
from tests.world import World, when

pytestmark = pytest.mark.django_db

NOW = when("2026-03-20 12:00")


@pytest.fixture
def world() -> World:
    return World(quick=True)


OPEN: dict[str, Callable[[World], Dissent]] = {
    "raised": lambda world: world.filled_in(world.raised()),
    "sent late": lambda world: world.filed(at=when("2026-03-05 09:00"), late_because="Ill."),
    "filed": lambda world: world.filed(),
    "proposed": lambda world: world.proposed(),
    "escalated": lambda world: world.escalated(),
    "convened": lambda world: world.convened(),
    "sat": lambda world: world.sat(),
}
UNIT = {"chair", "service_manager"}
PARTNERSHIP = {*UNIT, "business_manager"}
TOLD = {
    "escalated": PARTNERSHIP,
    "convened": {*PARTNERSHIP, "superintendent", "head_nurse", "unit_representative"},
    "sat": {*PARTNERSHIP, "superintendent", "head_nurse", "unit_representative"},
}


# --- withdrawn -------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", OPEN)
def test_withdrawing_closes_the_case_stops_every_clock_and_loses_nothing_that_was_typed(
    world: World, state: str
) -> None:
    dissent = OPEN[state](world)
    typed = dissent.answers_by_question()
    gone = world.withdrawn(dissent, at=NOW)
    assert (gone.state, gone.withdrawn_at, gone.closed_at) == ("closed", NOW, NOW)
    assert gone.withdrawal_reasons == "We talked about it."
    assert dissent.clocks.exists()
    assert not dissent.clocks.filter(stopped=None).exists()
    assert (gone.next_due_at, gone.due_is_known) == (None, True)
    assert Dissent.objects.get().answers_by_question() == typed
    assert typed
    moment = dissent.moments.get(name="withdrawn")
    assert (moment.by, moment.happened_at, moment.stage) == (world.teacher, NOW, gone.stage)


@pytest.mark.parametrize("state", OPEN)
def test_those_who_have_it_in_hand_are_told_and_can_open_what_they_are_sent(
    world: World, client: Client, state: str
) -> None:
    dissent = world.withdrawn(OPEN[state](world), at=NOW)
    told = list(Notice.objects.filter(occasion="withdrawn").select_related("to"))
    assert {notice.to for notice in told} == {world.people[who] for who in TOLD.get(state, UNIT)}
    assert len(told) == len(TOLD.get(state, UNIT))
    for notice in told:
        client.force_login(notice.to)
        page = client.get(notice.path)
        assert page.status_code == 200, notice.to
        assert "Withdrawn by the dissenter on 20 March 2026" in page.content.decode()
        assert notice.path == f"/dissents/{dissent.pk}/"


def test_a_member_with_a_conflict_is_not_told_and_finds_nothing(world: World, client: Client) -> None:
    dissent = world.convened()
    actions.declare(dissent=dissent, independent=False, conflict="My cousin.", by=world.head_nurse, at=NOW)
    world.withdrawn(dissent, at=NOW)
    assert not Notice.objects.filter(occasion="withdrawn", to=world.head_nurse).exists()
    client.force_login(world.head_nurse)
    assert client.get(f"/dissents/{dissent.pk}/").status_code == 404


def test_reasons_may_be_left_out(world: World) -> None:
    gone = actions.withdraw(dissent=world.raised(), reasons="", by=world.teacher, at=NOW)
    assert gone.withdrawal_reasons == ""


def test_nothing_that_runs_out_later_moves_a_withdrawn_case(world: World) -> None:
    world.withdrawn(world.proposed(), at=when("2026-03-06 09:00"))
    before = LedgerEntry.objects.count()
    assert actions.pass_clocks(at=when("2027-03-06 09:00")) == 0
    assert LedgerEntry.objects.count() == before


@pytest.mark.parametrize("act", ["decide", "declare", "record_sitting"])
def test_a_panel_that_acts_after_it_was_withdrawn_is_told_that_the_case_has_moved_on(
    world: World, act: str
) -> None:
    dissent = world.withdrawn(world.sat(), at=NOW)
    found = dict.fromkeys(
        dissent.children.all(), Found(outcome="not_upheld", reasons="Why.", plain_reasons="Plainly.")
    )
    acts: dict[str, dict[str, Any]] = {
        "decide": {"findings": found},
        "declare": {"independent": True},
        "record_sitting": {"present": list(dissent.panel.seats.all()), "sat_at": NOW},
    }
    with pytest.raises(TransitionNotAllowed):
        getattr(actions, act)(dissent=dissent, by=world.superintendent, at=NOW, **acts[act])


def test_a_panel_goes_on_with_the_dissents_that_were_not_withdrawn(world: World) -> None:
    conference = world.conference()
    first, second = (escalated_by(world, who, conference) for who in ("teacher", "officer"))
    first = world.convened(first)
    world.withdrawn(first, at=when("2026-03-09 12:00"))
    last = LedgerEntry.objects.last()
    # Whoever manages the dissenter who has gone is no conflict for the other.
    Dissent.objects.filter(pk=first.pk).update(manager_name="Head Nurse")
    decided = world.decided(world.sat(Dissent.objects.get(pk=second.pk)), outcome="not_upheld")
    assert decided.decision_in_force()
    assert last
    since = LedgerEntry.objects.filter(sequence__gt=last.sequence, case_id=first.pk)
    assert not since.exists()


def test_other_dissents_about_the_conference_go_on(world: World) -> None:
    conference = world.conference()
    first, second = (world.filed(world.raised(conference, who=who)) for who in ("teacher", "officer"))
    world.withdrawn(first, at=NOW)
    assert Dissent.objects.get(pk=second.pk).state == "at_stage"


# --- lapsed ----------------------------------------------------------------------------------------

TRIED: dict[str, Any] = {
    "tried": "I phoned the school, and they have left.",
    "tried_at": when("2026-03-19 10:00"),
    "reasons": "Nobody can send the form.",
}


def test_a_lapse_says_who_why_and_how_the_dissenter_was_looked_for(world: World) -> None:
    dissent = world.filled_in(world.raised())
    typed = dissent.answers_by_question()
    actions.lapse(dissent=dissent, by=world.service_manager, at=NOW, **TRIED)
    gone = Dissent.objects.get()
    assert (gone.state, gone.lapsed_at, gone.lapsed_by) == ("closed", NOW, world.service_manager)
    assert (gone.lapse_reasons, gone.tried) == (TRIED["reasons"], TRIED["tried"])
    assert gone.tried_at == TRIED["tried_at"]
    assert not gone.clocks.filter(stopped=None).exists()
    assert gone.answers_by_question() == typed
    entry = LedgerEntry.objects.get(verb="lapse")
    assert entry.by == world.service_manager
    assert entry.values.values["tried"] == TRIED["tried"]


def test_the_dissenter_and_the_chair_are_told_of_a_lapse(world: World, client: Client) -> None:
    world.lapsed(at=NOW)
    told = list(Notice.objects.filter(occasion="lapsed"))
    assert {notice.to for notice in told} == {world.teacher, world.chair}
    for notice in told:
        client.force_login(notice.to)
        assert "Nobody can send the form." in client.get(notice.path).content.decode()


def test_time_alone_lapses_nothing(world: World) -> None:
    world.raised()
    actions.pass_clocks(at=when("2028-03-03 12:00"))
    assert Dissent.objects.get().state == "raised"


@pytest.mark.parametrize(
    ("said", "refused", "field"),
    [
        ({"tried": "  "}, Refused, "tried"),
        ({"reasons": "  "}, Refused, "reasons"),
        ({"tried_at": NOW + dt.timedelta(minutes=1)}, InTheFuture, "tried_at"),
        ({"tried_at": when("2026-03-03 12:29")}, Refused, "tried_at"),
    ],
)
def test_nobody_lapses_a_dissent_without_having_tried_since_it_was_raised_and_without_a_reason(
    world: World, said: dict[str, Any], refused: type[Refused], field: str
) -> None:
    dissent = world.raised()
    with pytest.raises(refused) as told:
        actions.lapse(dissent=dissent, by=world.service_manager, at=NOW, **{**TRIED, **said})
    assert told.value.field == field
    assert Dissent.objects.get().state == "raised"


@pytest.mark.parametrize(
    ("at", "lapses"), [("2026-03-04 12:00", False), ("2026-03-04 12:01", True)], ids=["in time", "after it"]
)
def test_a_dissent_does_not_lapse_while_its_form_can_still_be_in_time(
    world: World, at: str, lapses: bool
) -> None:
    said = {**TRIED, "tried_at": when("2026-03-04 11:00")}
    dissent = world.raised()
    if lapses:
        assert actions.lapse(dissent=dissent, by=world.service_manager, at=when(at), **said).lapsed_at
    else:
        with pytest.raises(Refused, match="still has time"):
            actions.lapse(dissent=dissent, by=world.service_manager, at=when(at), **said)


def test_who_lapses_a_dissent_is_a_line_of_the_document(world: World) -> None:
    world.follow(lambda document: document["filing"]["lapse"].update(lapsed_by="chair"))
    dissent = world.raised()
    with pytest.raises(PermissionDenied):
        actions.lapse(dissent=dissent, by=world.service_manager, at=NOW, **TRIED)
    colleague = world.appoint("chair", "Another Chair", key="colleague")
    assert actions.lapse(dissent=dissent, by=colleague, at=NOW, **TRIED).lapsed_by == colleague


@pytest.mark.parametrize(
    "missing", [{"tried": ""}, {"tried_at": None}, {"lapse_reasons": ""}, {"lapsed_by": None}]
)
def test_the_database_refuses_a_lapse_that_does_not_say_what_was_tried_by_whom_and_why(
    world: World, missing: dict[str, Any]
) -> None:
    world.lapsed(at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Dissent.objects.update(**missing)

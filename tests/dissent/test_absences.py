"""A manager is away for some days, and somebody named has their work meanwhile (ST-09)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from councils.models import Absence, Appointment, Person
from dissent import actions
from dissent.actions import Found, Refused
from dissent.models import Dissent, LedgerEntry, Notice
from dissent.models.ledger import verify
from tests.world import World, when

pytestmark = pytest.mark.django_db

MONDAY = when("2026-03-02 09:00")
FILED = when("2026-03-03 15:00")
BACK = when("2026-03-17 09:00")
"""The day after the last of a fortnight."""


@pytest.fixture
def world() -> World:
    return World(quick=True)


@pytest.fixture
def nominee(world: World) -> Person:
    return world.appoint("unit_representative", "Nominee Testson", key="nominee")


def told_of(dissent: Dissent, occasion: str) -> set[Person]:
    return {notice.to for notice in Notice.objects.filter(dissent=dissent, occasion=occasion)}


def decide(dissent: Dissent, by: Person, at: dt.datetime) -> Any:
    found = Found(outcome="unresolved", reasons="No agreement was reached.")
    return actions.decide(
        dissent=dissent, findings=dict.fromkeys(dissent.children.all(), found), by=by, at=at
    )


@pytest.mark.rule("ST-09")
def test_whoever_is_named_has_the_queue_the_messages_and_the_decisions_in_their_own_name(
    world: World, nominee: Person
) -> None:
    world.away("service_manager", stands_in=nominee, at=MONDAY)
    dissent = world.filed(at=FILED)
    assert list(Dissent.objects.read_by(nominee, at=FILED)) == [dissent]
    assert nominee in told_of(dissent, "filed")
    assert world.service_manager not in told_of(dissent, "filed")
    for step in dissent.rules_of_stage.steps:
        said = {"step": step.key, "note": "Said.", "happened_at": when("2026-03-05 10:00")}
        actions.record_step(dissent=dissent, by=nominee, at=when("2026-03-05 10:00"), **said)
    decided = decide(Dissent.objects.get(), nominee, when("2026-03-05 11:00"))
    assert decided.decided_by == nominee
    assert {record.recorded_by for record in dissent.steps.all()} == {nominee}


@pytest.mark.rule("ST-09")
def test_before_and_after_these_days_it_is_nothing_of_theirs(world: World, nominee: Person) -> None:
    world.away("service_manager", stands_in=nominee, at=MONDAY)
    dissent = world.filed(at=FILED)
    assert not Dissent.objects.read_by(nominee, at=MONDAY - dt.timedelta(days=1)).exists()
    last = when("2026-03-16 23:59")
    assert Dissent.objects.read_by(nominee, at=last).exists()
    assert not Dissent.objects.read_by(nominee, at=BACK).exists()
    with pytest.raises(PermissionDenied):
        decide(dissent, nominee, BACK)


@pytest.mark.rule("ST-09")
def test_whoever_is_back_early_has_the_messages_again_at_once(world: World, nominee: Person) -> None:
    absence = world.away("service_manager", stands_in=nominee, at=MONDAY)
    actions.end_absence(absence=absence, by=world.service_manager, at=FILED)
    dissent = world.filed(at=FILED)
    assert not Dissent.objects.read_by(nominee, at=FILED).exists()
    assert world.service_manager in told_of(dissent, "filed")
    assert nominee not in told_of(dissent, "filed")
    with pytest.raises(Refused, match="over already"):
        actions.end_absence(absence=absence, by=world.service_manager, at=FILED)


def test_whoever_is_away_may_still_act(world: World, nominee: Person) -> None:
    """They may come in for an hour; who did what is on the record either way."""
    world.away("service_manager", stands_in=nominee, at=MONDAY)
    assert Dissent.objects.read_by(world.service_manager, at=FILED).filter(pk=world.filed().pk).exists()


@pytest.mark.rule("ST-09")
def test_where_nobody_stands_in_the_deputy_has_the_messages(world: World) -> None:
    world.away("service_manager", stands_in=None, at=MONDAY)
    dissent = world.filed(at=FILED)
    assert world.nominated_manager in told_of(dissent, "filed")
    assert world.service_manager not in told_of(dissent, "filed")


@pytest.mark.rule("ST-09")
def test_where_nobody_is_left_the_administrator_is_told(world: World) -> None:
    for role in ("service_manager", "nominated_manager"):
        world.away(role, stands_in=None, at=MONDAY)
    dissent = world.filed(at=FILED)
    (notice,) = Notice.objects.filter(dissent=dissent, occasion="filed", to=world.administrator)
    assert notice.path == "/work/"


@pytest.mark.rule("ST-09")
def test_whoever_chaired_the_conference_or_dissented_does_not_stand_in_in_that_case(world: World) -> None:
    world.away("service_manager", stands_in=world.chair, at=MONDAY)
    dissent = world.filed(at=FILED)
    assert not Dissent.objects.read_by(world.chair, at=FILED).exists()
    with pytest.raises(PermissionDenied):
        decide(dissent, world.chair, FILED)
    assert world.nominated_manager in told_of(dissent, "filed")


def test_somebody_else_at_the_council_stands_in_for_nothing(world: World, nominee: Person) -> None:
    elsewhere = World(key="elsewhere", quick=True)
    stranger = elsewhere.service_manager
    world.away("service_manager", stands_in=nominee, at=MONDAY)
    assert not Dissent.objects.read_by(nominee, at=FILED).filter(council=elsewhere.council).exists()
    with pytest.raises(Refused, match="has no role here"):
        world.away("business_manager", stands_in=stranger, at=MONDAY)


@pytest.mark.parametrize(
    ("changed", "says", "field"),
    [
        ({"until_on": dt.date(2026, 3, 1)}, "before the first", "until_on"),
        ({"from_on": dt.date(2026, 2, 1), "until_on": dt.date(2026, 2, 9)}, "are over", "until_on"),
        ({"from_on": dt.date(2019, 1, 1), "until_on": dt.date(2019, 1, 2)}, "are over", "until_on"),
        ({"stands_in": "service_manager"}, "Somebody else", "stands_in"),
        ({"stands_in": "left"}, "cannot sign in", "stands_in"),
        ({"stands_in": "stranger"}, "has no role here", "stands_in"),
        ({"stands_in": "absent"}, "is away on some of these days", "stands_in"),
        ({"stands_in": "superintendent"}, "has no role here", "stands_in"),
    ],
)
def test_an_absence_is_refused_with_the_reason(
    world: World, nominee: Person, changed: dict[str, Any], says: str, field: str
) -> None:
    left = world.appoint("unit_representative", "Left", key="left")
    left.is_active = False
    left.save()
    world.person("stranger", "Stranger")
    world.panellists()
    world.appoint("unit_representative", "Absent", key="absent")
    actions.record_absence(
        appointment=world.absent.appointments.get(),
        from_on=MONDAY.date(),
        until_on=MONDAY.date(),
        stands_in=None,
        by=world.absent,
        at=MONDAY,
    )
    days = {"from_on": MONDAY.date(), "until_on": dt.date(2026, 3, 6), "stands_in": nominee} | changed
    if isinstance(days["stands_in"], str):
        days["stands_in"] = world.people[days["stands_in"]]
    appointment = world.service_manager.appointments.get()
    with pytest.raises(Refused, match=says) as refused:
        actions.record_absence(appointment=appointment, by=world.service_manager, at=MONDAY, **days)
    assert refused.value.field == field
    assert Absence.objects.count() == 1
    assert not Appointment.objects.filter(role="service_manager").exclude(pk=appointment.pk).exists()


def test_days_that_overlap_are_refused_until_the_first_absence_is_ended(
    world: World, nominee: Person
) -> None:
    first = world.away("service_manager", stands_in=None, at=MONDAY)
    with pytest.raises(Refused, match="some of these days already"):
        world.away("service_manager", stands_in=nominee, at=when("2026-03-10 09:00"))
    actions.end_absence(absence=first, by=world.service_manager, at=MONDAY)
    assert world.away("service_manager", stands_in=nominee, at=MONDAY).stands_in


def test_only_the_person_and_the_administrator_of_the_procedure_say_who_is_away(
    world: World, nominee: Person
) -> None:
    appointment = world.service_manager.appointments.get()
    said = {"appointment": appointment, "from_on": MONDAY.date(), "until_on": MONDAY.date(), "at": MONDAY}
    for by in (world.business_manager, world.chair, nominee):
        with pytest.raises(PermissionDenied):
            actions.record_absence(stands_in=nominee, by=by, **said)
    absence = actions.record_absence(stands_in=nominee, by=world.administrator, **said)
    with pytest.raises(PermissionDenied):
        actions.end_absence(absence=absence, by=nominee, at=MONDAY)
    actions.end_absence(absence=absence, by=world.administrator, at=MONDAY)
    assert [entry.verb for entry in LedgerEntry.objects.filter(about="absence").order_by("sequence")] == [
        "record_absence",
        "end_absence",
    ]
    assert verify(world.council)[1] == []


@pytest.mark.parametrize("role", ["chair", "administrator"])
def test_nobody_stands_in_where_nobody_waits_for_whoever_is_away(
    world: World, nominee: Person, role: str
) -> None:
    with pytest.raises(Refused, match="Nobody stands in for this role"):
        world.away(role, stands_in=nominee, at=MONDAY)

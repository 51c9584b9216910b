"""What is recorded after a panel was named, or after a further conference was held, still counts."""

import datetime as dt

import pytest
from django.db import DatabaseError

from dissent import actions
from dissent.actions import Found
from dissent.actions.panel import MayNotSit
from dissent.models import Dissent, Notice
from tests.world import World, when

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World(quick=True)


def tells_management(world: World, dissent: Dissent, *, name: str, email: str = "") -> None:
    actions.tell_management(
        dissent=dissent,
        name=name,
        email=email,
        told_on=dt.date(2026, 3, 9),
        by=dissent.dissenter,
        at=when("2026-03-09 10:00"),
    )


def convene(world: World, dissent: Dissent) -> None:
    chair, *members = world.panellists()
    actions.convene_panel(
        dissent=dissent, chair=chair, members=members, by=world.business_manager, at=when("2026-03-09 09:00")
    )


@pytest.mark.rule("ST-12")
@pytest.mark.parametrize(
    ("name", "capacity", "agency", "email"),
    [
        ("Superintendent", "professional", "Police", ""),
        ("  superintendent ", "professional", "Police", "another@testshire.example"),
        ("Somebody Else", "observer", None, "SUPERINTENDENT@testshire.example"),
    ],
    ids=["no address on record", "another address, same agency", "an observer with the same address"],
)
def test_somebody_at_the_conference_may_not_sit_however_they_were_recorded(
    world: World, name: str, capacity: str, agency: str | None, email: str
) -> None:
    conference = world.conference()
    actions.add_attendance(
        conference=conference,
        name=name,
        capacity=capacity,
        present=True,
        agency=agency and world.agency(agency),
        email=email,
        by=world.conference_administrator,
        at=when("2026-03-03 12:40"),
    )
    dissent = world.raised(conference, at=when("2026-03-03 12:50"))
    dissent = world.escalated(world.offered(world.reviewed(world.filed(dissent))))
    with pytest.raises(MayNotSit, match="was at the conference"):
        convene(world, dissent)


@pytest.mark.rule("ST-12")
def test_a_namesake_of_the_line_manager_may_sit(world: World) -> None:
    dissent = world.escalated()
    tells_management(world, dissent, name="Superintendent", email="another@elsewhere.example")
    convene(world, dissent)
    assert Dissent.objects.get().panel


@pytest.mark.rule("ST-12")
def test_a_line_manager_told_after_the_panel_was_named_cannot_declare_themselves_independent(
    world: World,
) -> None:
    dissent = world.convened()
    tells_management(world, dissent, name="Head Nurse")
    with pytest.raises(MayNotSit, match="manages the dissenter"):
        actions.declare(
            dissent=dissent, independent=True, by=world.people["head_nurse"], at=when("2026-03-10 09:00")
        )
    seat = actions.declare(
        dissent=dissent,
        independent=False,
        conflict="I manage the dissenter.",
        by=world.people["head_nurse"],
        at=when("2026-03-10 09:00"),
    )
    assert seat.independent is False


@pytest.mark.rule("ST-12")
def test_a_line_manager_told_after_the_panel_sat_keeps_it_from_deciding(world: World) -> None:
    dissent = world.sat()
    tells_management(world, dissent, name="Head Nurse")
    found = Found(outcome="not_upheld", reasons="The panel's reasons.", plain_reasons="Plainly.")
    with pytest.raises(MayNotSit, match="manages the dissenter"):
        actions.decide(
            dissent=dissent,
            findings=dict.fromkeys(dissent.children.all(), found),
            by=world.people["superintendent"],
            at=when("2026-03-16 13:00"),
        )
    assert Dissent.objects.get().state == "at_stage"


@pytest.mark.rule("ST-17")
def test_a_panel_whose_chair_did_not_sit_cannot_decide(world: World) -> None:
    world.panellists()
    world.appoint("panel_member", "Fourth Member", "School", key="fourth")
    dissent = world.escalated()
    chair, *members = world.panellists()
    actions.convene_panel(
        dissent=dissent,
        chair=chair,
        members=[*members, world.people["fourth"]],
        by=world.business_manager,
        at=when("2026-03-09 09:00"),
    )
    dissent = world.sat(Dissent.objects.get(), absent=("superintendent",))
    assert dissent.panel_lacks() == ["Its chair did not sit. Whoever presided has to be named as its chair."]


@pytest.mark.rule("ST-22")
def test_a_dissent_decided_after_the_further_conference_is_owed_another(world: World) -> None:
    conference = world.conference()
    first = world.raised(conference)
    second = world.raised(conference, who="officer")
    first = world.released(
        world.decided(
            world.sat(world.convened(world.escalated(world.offered(world.reviewed(world.filed(first))))))
        )
    )
    assert world.reheard(first).state == "closed"
    second = world.escalated(world.offered(world.reviewed(world.filed(second))))
    later = when("2026-04-16 09:00")
    chair, *members = world.panellists()
    actions.convene_panel(dissent=second, chair=chair, members=members, by=world.business_manager, at=later)
    second = world.sat(Dissent.objects.get(pk=second.pk), at=later + dt.timedelta(hours=1))
    second = world.released(
        world.decided(second, at=later + dt.timedelta(hours=2)), at=later + dt.timedelta(hours=3)
    )
    assert second.state == "reconvening"
    assert "The further conference is not recorded." in second.owes()
    actions.record_further_conference(
        dissent=second,
        held_at=later + dt.timedelta(days=5),
        ended_at=later + dt.timedelta(days=5, hours=2),
        chair=world.chair,
        by=world.service_manager,
        at=later + dt.timedelta(days=6),
    )
    assert Dissent.objects.get(pk=second.pk).state == "closed"


def test_nobody_is_said_to_have_decided_what_follows_from_silence(world: World) -> None:
    dissent = world.proposed()
    actions.pass_clocks(at=when("2026-03-20 09:00"))
    decision = Dissent.objects.get(pk=dissent.pk).decisions.get()
    assert decision.decided_by is None
    assert decision.findings.get().reasons == "No answer came in time."


@pytest.mark.rule("ST-13")
def test_nobody_is_added_as_present_once_the_letters_are_made(world: World) -> None:
    dissent = world.decided()
    with pytest.raises(actions.Refused, match="Letters about this conference are made already"):
        world.attend(dissent.conference, "latecomer", "School", at=when("2026-03-17 09:00"))
    absent = world.attend(dissent.conference, "excused", "School", present=False, at=when("2026-03-17 09:00"))
    assert not absent.present


def test_a_chair_whose_appointment_ended_reads_and_does_nothing_more(world: World) -> None:
    dissent = world.raised()
    world.chair.appointments.update(until_on=dt.date(2026, 3, 10))
    at = when("2026-03-20 09:00")
    assert dissent not in Dissent.objects.visible_to(world.chair, at=at)
    assert "chair" not in dissent.conference.relations(world.chair, at=at)


def test_a_long_name_post_and_agency_fit_the_letter(world: World) -> None:
    conference = world.conference()
    actions.add_attendance(
        conference=conference,
        name="N" * 180,
        job="J" * 190,
        capacity="professional",
        present=True,
        agency=world.agency("School"),
        email="long@testshire.example",
        by=world.conference_administrator,
        at=when("2026-03-03 12:40"),
    )
    dissent = world.raised(conference, at=when("2026-03-03 12:50"))
    try:
        dissent = world.decided(
            world.sat(world.convened(world.escalated(world.offered(world.reviewed(world.filed(dissent))))))
        )
    except DatabaseError as failure:
        pytest.fail(str(failure))
    assert dissent.letters.filter(addressee__startswith="N" * 180).exists()


def test_a_message_refused_for_good_is_shown_on_the_case(world: World, client) -> None:
    dissent = world.filed()
    Notice.objects.filter(to=world.teacher).update(failed_at=when("2026-03-04 09:00"))
    client.force_login(world.service_manager)
    page = client.get(f"/dissents/{dissent.pk}/").content.decode()
    assert "A message did not arrive" in page
    assert "teacher@testshire.example" in page

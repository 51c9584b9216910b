"""One dissent from the conference to its end, through the actions."""

import pytest

from dissent.models import Clock, Dissent, Letter
from dissent.models.ledger import verify
from tests.world import World, when

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World()


def test_an_upheld_dissent_ends_with_letters_and_a_further_conference(world: World) -> None:
    dissent = world.released()
    assert dissent.state == "reconvening"
    dissent = world.reheard(dissent)
    assert dissent.state == "closed"
    assert not Clock.objects.filter(dissent=dissent, stopped=None).exists()
    assert verify(world.council)[1] == []


def test_a_dissent_that_is_not_upheld_closes_when_its_letters_are_released(world: World) -> None:
    dissent = world.released(outcome="not_upheld")
    assert dissent.state == "closed"
    present = {"teacher", "officer", "nurse", "chair"}
    assert {letter.to for letter in Letter.objects.all()} == {world.people[key] for key in present}


@pytest.mark.rule("ST-22")
def test_the_units_representative_reads_the_case_once_a_further_conference_is_theirs_to_arrange(
    world: World,
) -> None:
    decided = world.decided()
    world.appoint("unit_representative", "Another Representative", key="another")
    assert decided in Dissent.objects.visible_to(world.people["another"], at=when("2026-03-17 09:00"))
    world.appoint("panel_member", "Another Member", "Police", key="bystander")
    assert decided not in Dissent.objects.visible_to(world.people["bystander"], at=when("2026-03-17 09:00"))


@pytest.mark.rule("ST-22")
def test_the_units_representative_does_not_read_a_case_that_is_not_upheld(world: World) -> None:
    decided = world.decided(outcome="not_upheld")
    world.appoint("unit_representative", "Another Representative", key="another")
    assert decided not in Dissent.objects.visible_to(world.people["another"], at=when("2026-03-17 09:00"))

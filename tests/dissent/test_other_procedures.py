"""What South Tyneside's procedure does not do, and another partnership's may: the code asks its document."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from dissent import actions
from dissent.actions import Found
from dissent.models import Dissent, Letter, Moment, Panel
from tests.world import World, when

pytestmark = pytest.mark.django_db

NOW = when("2026-04-10 12:00")


@pytest.fixture
def world() -> World:
    return World(quick=True)


def with_a_letter_about_the_review(document: dict[str, Any]) -> None:
    """The dissenter has it in writing, at once, that the review did not resolve it."""
    letter = copy.deepcopy(next(each for each in document["letters"] if each["key"] == "resolved"))
    document["letters"].append(
        {**letter, "key": "unresolved", "meanings": ["unresolved"], "to": ["dissenter"]}
    )
    document["clocks"].append(
        {
            "key": "review_letter",
            "label": "Letter about the review",
            "limit": "20 working days",
            "from": "stage_entered",
            "until": "letters_issued",
            "stage": "review",
            "source": "process, paragraph 9",
        }
    )


def with_a_last_stage(document: dict[str, Any]) -> None:
    """A panel's refusal can be taken to the Business Manager."""
    last = copy.deepcopy(next(stage for stage in document["stages"] if stage["key"] == "panel"))
    last |= {
        "key": "last",
        "title": "Last review",
        "panel": None,
        "review": {"decided_by": "business_manager"},
    }
    document["stages"].append(last)
    panel = document["stages"][1]
    refused = next(outcome for outcome in panel["outcomes"] if outcome["key"] == "not_upheld")
    refused["leads_to"] = "offer_next"


@pytest.mark.parametrize("made", ["before it is taken further", "after it was taken further"])
def test_letters_at_two_stages_are_each_issued_and_then_the_case_closes(world: World, made: str) -> None:
    world.follow(with_a_letter_about_the_review)
    dissent = world.offered()
    if made == "before it is taken further":
        world.made()
    dissent = world.escalated(dissent)
    world.made()
    issued = Moment.objects.filter(name="letters_issued").order_by("recorded_at")
    assert [moment.stage for moment in issued] == ["review"]
    assert Dissent.objects.get().letters_issued_at is None
    world.released(world.decided(world.sat(world.convened(dissent)), outcome="not_upheld"))
    assert [moment.stage for moment in issued.all()] == ["review", "panel"]
    assert Dissent.objects.get().owes() == []
    assert Dissent.objects.get().state == "closed"
    assert Letter.objects.count() == 5


@pytest.mark.rule("ST-18")
def test_a_panel_sees_nothing_of_a_stage_that_comes_after_it(world: World) -> None:
    world.follow(with_a_last_stage)
    dissent = world.released(outcome="not_upheld")
    actions.take_further(dissent=dissent, by=world.teacher, at=NOW)
    dissent = Dissent.objects.get()
    assert (dissent.state, dissent.stage) == ("at_stage", "last")
    for person in world.panellists()[:2]:
        assert dissent.relations(person, at=NOW) == frozenset()
        assert not Dissent.objects.visible_to(person, at=NOW).exists()
        assert not Panel.objects.visible_to(person, at=NOW).exists()


def test_what_leads_to_a_conference_for_one_child_is_not_lost_where_another_is_offered_more(
    world: World,
) -> None:
    world.follow(with_a_last_stage)
    conference = world.conference(children=2)
    dissent = world.escalated(world.offered(world.reviewed(world.filed(world.raised(conference)))))
    dissent = world.sat(world.convened(dissent))
    one, two = dissent.children.all()
    found = {
        one: Found(outcome="upheld", reasons="Why.", ground="A", plain_reasons="Plainly."),
        two: Found(outcome="not_upheld", reasons="Why not.", plain_reasons="Plainly."),
    }
    actions.decide(dissent=dissent, findings=found, by=world.superintendent, at=when("2026-03-16 13:00"))
    dissent = Dissent.objects.get()
    assert (dissent.state, dissent.offered_at is not None) == ("decided", True)
    actions.accept(dissent=dissent, by=world.teacher, at=NOW)
    dissent = Dissent.objects.get()
    assert dissent.state == "reconvening"
    assert "The further conference is not recorded." in dissent.owes()
    assert dissent.can_close() is False

"""What was decided, said rightly after it was recorded of the wrong child."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django_fsm import TransitionNotAllowed

from dissent import actions
from dissent.actions import Found, Refused
from dissent.actions.corrections import what_it_brings
from dissent.models import Conference, Correction, Dissent, LedgerEntry, Letter
from dissent.models.ledger import verify
from tests.dissent.test_corrections import BORN, NOW, a_case, again, in_force, issued, told
from tests.world import PLAINLY, World, when

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World(quick=True)


UPHELD = Found(outcome="upheld", ground="B", reasons="The panel's reasons.", plain_reasons=PLAINLY)
NOT_UPHELD = Found(outcome="not_upheld", reasons="No evidence.", plain_reasons="Nothing speaks for it.")
OTHERWISE = Found(outcome="unresolved", reasons="Said of the right child.")


def decided_about_two(world: World, first: Found, second: Found) -> tuple[Conference, Dissent]:
    """Decided, told and issued, about two children with a parent each."""
    conference, dissent = a_case(world, children=2)
    findings = dict(zip(conference.children.all(), (first, second), strict=True))
    actions.decide(dissent=dissent, findings=findings, by=world.superintendent, at=when("2026-03-16 13:00"))
    return conference, world.released(again(dissent))


def put_right(world: World, dissent: Dissent, *found: Found, **facts: Any) -> Correction:
    children = dissent.conference.children.all()
    said: dict[str, Any] = {
        "findings": dict(zip(children, found, strict=True)),
        "because": "The two children were mixed up.",
        "by": world.people.get("superintendent"),
        "at": NOW,
    }
    return actions.correct_decision(dissent=dissent, **{**said, **facts})


def test_the_old_decision_stays_and_the_new_one_names_it(world: World) -> None:
    _, dissent = decided_about_two(world, UPHELD, NOT_UPHELD)
    old = dissent.decision_in_force()
    correction = put_right(world, dissent, NOT_UPHELD, UPHELD)
    new = again(dissent).decision_in_force()
    assert (new.replaces, new.decided_at, new.panel) == (old, old.decided_at, old.panel)
    assert [finding.outcome for finding in new.findings.all()] == ["not_upheld", "upheld"]
    assert [finding.outcome for finding in old.findings.all()] == ["upheld", "not_upheld"]
    assert (correction.decision, correction.dissent) == (new, dissent)
    assert verify(world.council)[1] == []


def test_every_letter_about_it_is_replaced_and_every_reader_told(world: World) -> None:
    _, dissent = decided_about_two(world, UPHELD, NOT_UPHELD)
    put_right(world, dissent, NOT_UPHELD, UPHELD)
    new = {letter.addressee.partition(",")[0]: letter for letter in in_force(dissent)}
    assert all(letter.replaces and letter.released_at is None for letter in new.values())
    assert "Nothing speaks for it." in str(new["Mo0 Testson"].says)
    assert PLAINLY in str(new["Mo1 Testson"].says)
    assert told("letter_taken_back") == set(new)


def test_a_parent_whose_letter_was_right_keeps_it(world: World) -> None:
    _, dissent = decided_about_two(world, UPHELD, NOT_UPHELD)
    other = dataclasses.replace(NOT_UPHELD, reasons="Other.")
    put_right(world, dissent, UPHELD, other)
    assert told("letter_taken_back").isdisjoint({"Mo0 Testson", "Mo1 Testson"})
    for letter in in_force(dissent):
        assert letter.is_issued == bool(letter.who)
        assert letter.decision == again(dissent).decision_in_force()


def test_feedback_that_was_wrong_is_due_again(world: World) -> None:
    """The clock on it runs on: nobody has been told yet what was decided."""
    _, dissent = decided_about_two(world, NOT_UPHELD, NOT_UPHELD)
    assert dissent.clocks.get(rule="feedback").stopped
    put_right(world, dissent, NOT_UPHELD, dataclasses.replace(NOT_UPHELD, reasons="Other."))
    dissent = again(dissent)
    assert dissent.clocks.get(rule="feedback").stopped is None
    assert dissent.next_due_at == dissent.clocks.get(rule="feedback").due_at
    world.released(dissent, at=when("2026-03-23 10:00"))
    dissent = again(dissent)
    assert dissent.clocks.get(rule="feedback").stopped.happened_at == when("2026-03-23 10:00")
    assert dissent.state == "closed"
    assert dissent.moments.filter(name="letters_issued", stage="panel", replaced_at=None).count() == 1


def test_the_decision_counts_from_the_day_on_which_it_was_taken(world: World) -> None:
    _, dissent = decided_about_two(world, UPHELD, NOT_UPHELD)
    put_right(world, dissent, NOT_UPHELD, UPHELD)
    old, new = dissent.moments.filter(name="decided", stage="panel").order_by("recorded_at")
    assert (old.replaced_at, new.replaces, new.happened_at) == (NOW, old, old.happened_at)


def test_each_child_has_to_be_told_again(world: World) -> None:
    _, dissent = decided_about_two(world, UPHELD, NOT_UPHELD)
    put_right(world, dissent, NOT_UPHELD, UPHELD)
    dissent = again(dissent)
    assert len(dissent.children_to_be_told(dissent.decision_in_force())) == 2


def test_a_further_conference_is_asked_for_exactly_where_the_right_decision_asks_for_one(
    world: World,
) -> None:
    _, dissent = decided_about_two(world, NOT_UPHELD, NOT_UPHELD)
    assert dissent.state == "closed"
    put_right(world, dissent, UPHELD, NOT_UPHELD)
    assert again(dissent).state == "reconvening"
    put_right(world, dissent, NOT_UPHELD, NOT_UPHELD, at=when("2026-03-21 10:00"))
    assert again(dissent).state == "decided"


def test_an_offer_that_stands_goes_on_standing(world: World) -> None:
    dissent = world.offered()
    clock = dissent.clocks.get(rule="offer")
    put_right(world, dissent, OTHERWISE, by=world.service_manager, at=when("2026-03-06 09:00"))
    dissent = again(dissent)
    assert (dissent.state, dissent.offered_at) == ("decided", when("2026-03-05 11:00"))
    assert dissent.clocks.get(rule="offer").due_at == clock.due_at
    actions.take_further(dissent=dissent, by=world.teacher, at=NOW)


def test_an_offer_that_was_declined_on_a_wrong_decision_is_made_again(world: World) -> None:
    dissent = world.offered()
    actions.accept(dissent=dissent, by=world.teacher, at=when("2026-03-06 09:00"))
    assert again(dissent).state == "closed"
    at = when("2026-03-09 09:00")
    put_right(world, dissent, OTHERWISE, by=world.service_manager, at=at)
    dissent = again(dissent)
    assert (dissent.state, dissent.offered_at, dissent.offer_answered_at) == ("decided", at, None)
    running = [clock.is_running for clock in dissent.clocks.filter(rule="offer").order_by("due_at")]
    assert running == [False, True]


def only_where_upheld(document: dict[str, Any]) -> None:
    (family,) = [letter for letter in document["letters"] if letter["to"] == ["family"]]
    family["meanings"] = ["uphold"]


def test_a_family_that_should_have_had_no_letter_is_told_that_it_was_sent_in_error(world: World) -> None:
    world.follow(only_where_upheld)
    _, dissent = decided_about_two(world, UPHELD, NOT_UPHELD)
    put_right(world, dissent, NOT_UPHELD, NOT_UPHELD)
    assert not [letter for letter in in_force(dissent) if letter.who]
    ended = Letter.objects.filter(dissent=dissent, who__isnull=False)
    assert {letter.addressee for letter in ended} == {"Mo0 Testson", "Mo1 Testson"}
    assert {letter.addressee for letter in ended} <= told("letter_taken_back")
    assert not any(hasattr(letter, "successor") for letter in ended)


def test_a_family_that_should_have_had_a_letter_has_one_now(world: World) -> None:
    world.follow(only_where_upheld)
    _, dissent = decided_about_two(world, NOT_UPHELD, NOT_UPHELD)
    assert not Letter.objects.filter(who__isnull=False).exists()
    put_right(world, dissent, UPHELD, NOT_UPHELD)
    new = [letter for letter in in_force(dissent) if letter.who]
    assert sorted(letter.addressee for letter in new) == ["Mo0 Testson", "Mo1 Testson"]
    assert {letter.replaces for letter in new} == {None}


def test_a_decision_on_which_the_case_went_on_is_not_corrected_any_more(world: World) -> None:
    dissent = world.convened()
    world.appoint("service_manager", "Somebody Else", key="somebody_else")
    with pytest.raises(PermissionDenied):
        put_right(world, dissent, OTHERWISE, by=world.service_manager)
    dissent = world.sat(dissent)
    with pytest.raises(Refused, match="The case has gone on"):
        put_right(world, dissent, OTHERWISE, by=world.superintendent)


def test_a_decision_that_a_further_conference_answered_is_not_corrected_any_more(world: World) -> None:
    dissent = world.reheard()
    with pytest.raises(Refused, match="A further conference was held on the strength"):
        put_right(world, dissent, NOT_UPHELD, at=when("2026-04-02 10:00"))


def test_an_agreement_is_nobodys_decision_to_correct(world: World) -> None:
    dissent = world.proposed()
    dissent = actions.agree_to_resolution(dissent=dissent, by=world.teacher, at=when("2026-03-06 09:00"))
    with pytest.raises(TransitionNotAllowed):
        put_right(world, dissent, OTHERWISE, by=world.service_manager)


@pytest.mark.parametrize(
    ("found", "facts", "says"),
    [
        ((UPHELD, NOT_UPHELD), {}, "says the same already"),
        ((NOT_UPHELD, UPHELD), {"because": " "}, "Say why"),
        ((NOT_UPHELD, Found(outcome="resolved", reasons="x")), {}, "cannot end like that"),
        ((NOT_UPHELD, Found(outcome="upheld", reasons="x", plain_reasons="x")), {}, "Choose the ground"),
    ],
)
def test_a_corrected_decision_is_one_that_the_stage_could_have_taken(
    world: World, found: tuple[Found, Found], facts: dict[str, Any], says: str
) -> None:
    _, dissent = decided_about_two(world, UPHELD, NOT_UPHELD)
    with pytest.raises(Refused, match=says):
        put_right(world, dissent, *found, **facts)


def test_whoever_puts_a_decision_right_signs_it(world: World) -> None:
    dissent = world.offered()
    put_right(world, dissent, OTHERWISE, by=world.nominated_manager)
    assert again(dissent).decision_in_force().decided_by == world.nominated_manager


# --- what it would bring ---------------------------------------------------------------------------


def test_what_a_correction_would_bring_is_read_without_doing_it(world: World) -> None:
    conference, dissent = issued(world)
    child = conference.children.get()
    last = LedgerEntry.objects.count()
    brings = what_it_brings(
        actions.correct_child,
        child=child,
        name=child.name,
        born_on=BORN,
        due_on=None,
        because="Why.",
        by=world.conference_administrator,
        at=NOW,
    )
    assert len(brings.ended) == 4
    assert {"Officer Testshire", "Business Manager"} <= set(brings.told)
    assert not Correction.objects.exists()
    assert LedgerEntry.objects.count() == last
    assert again(dissent).state == "closed"
    assert conference.children.get().born_on == dt.date(2018, 5, 1)

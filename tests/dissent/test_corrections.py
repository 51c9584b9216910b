"""Corrections: what was wrong stays and is named, what followed from it follows again, readers are told."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django_fsm import TransitionNotAllowed

from dissent import actions
from dissent.actions import Refused
from dissent.actions.corrections import mark
from dissent.models import Child, Conference, Correction, Dissent, LedgerEntry, Letter, Notice
from dissent.models.ledger import verify
from tests.world import RECORDED, World, when

pytestmark = pytest.mark.django_db

NOW = when("2026-03-20 10:00")
BORN = dt.date(2019, 5, 1)


@pytest.fixture
def world() -> World:
    return World(quick=True)


def a_case(world: World, *, children: int = 1, **parent: Any) -> tuple[Conference, Dissent]:
    """A dissent before a panel that sat; each child has a parent who is told by e-mail."""
    conference = world.conference(children=children)
    for number, child in enumerate(conference.children.all()):
        facts = {"contact": "email", "details": f"mo{number}@family.example", **parent}
        world.relative(child, f"Mo{number} Testson", **facts)
    return conference, world.sat_about(conference)


def issued(world: World, *, outcome: str = "not_upheld", **of: Any) -> tuple[Conference, Dissent]:
    conference, dissent = a_case(world, **of)
    return conference, world.released(world.decided(dissent, outcome=outcome))


def correct(world: World, child: Child, **facts: Any) -> Correction:
    said: dict[str, Any] = {
        "name": child.name,
        "born_on": BORN,
        "due_on": None,
        "because": "The year was mistyped.",
        "by": world.conference_administrator,
        "at": NOW,
    }
    return actions.correct_child(child=child, **{**said, **facts})


def in_force(dissent: Dissent) -> list[Letter]:
    return list(Letter.objects.in_force().filter(dissent=dissent))


def again(dissent: Dissent) -> Dissent:
    return Dissent.objects.get(pk=dissent.pk)


def told(occasion: str) -> set[str]:
    return {each.to.name for each in Notice.objects.filter(occasion=occasion).select_related("to")}


# --- a child's name or date ------------------------------------------------------------------------


def test_what_was_said_of_a_child_is_kept_beside_what_is_right_and_why(world: World) -> None:
    conference = world.conference()
    correction = correct(world, conference.children.get())
    child = conference.children.get()
    assert child.born_on == BORN
    assert (correction.was, correction.now) == ({"born_on": "2018-05-01"}, {"born_on": "2019-05-01"})
    assert (correction.because, correction.corrected_by) == (
        "The year was mistyped.",
        world.conference_administrator,
    )
    entry = LedgerEntry.objects.get(verb="correct_child")
    assert entry.values.values["because"] == "The year was mistyped."
    assert entry.case_id == conference.pk


def test_every_letter_that_said_it_is_replaced_by_one_that_says_it_rightly(world: World) -> None:
    conference, dissent = issued(world)
    old = {(letter.rule, letter.to_id, letter.who): letter for letter in in_force(dissent)}
    correction = correct(world, conference.children.get())
    new = in_force(dissent)
    for letter in new:
        before = old.pop((letter.rule, letter.to_id, letter.who))
        if letter.rule == "family":  # it calls the child by name, and says no date of birth
            assert letter == before
            continue
        assert letter.replaces == before
        assert letter.decision == before.decision
        assert "1 May 2019" in str(letter.says)
        assert "1 May 2018" not in str(letter.says)
        assert letter.released_at is letter.made_at is None
        assert "replaces the one of 16 March 2026" in letter.says["replaces"]
        ended = Letter.objects.get(pk=before.pk)
        assert (ended.replaced_at, ended.ended_by, ended.says) == (NOW, correction, before.says)
    assert not old


def test_a_family_has_a_new_letter_only_where_theirs_is_wrong(world: World) -> None:
    conference, dissent = issued(world, children=2)
    first, _ = conference.children.all()
    correct(world, first, name="Child Z Testson", born_on=first.born_on)
    new = {letter.addressee: letter for letter in in_force(dissent) if letter.who}
    assert "Child Z Testson" in str(new["Mo0 Testson"].says)
    assert new["Mo0 Testson"].replaces
    assert new["Mo1 Testson"].replaces is None
    assert new["Mo1 Testson"].is_issued


def test_the_old_letter_cannot_be_read_any_more_and_its_reader_is_told(world: World) -> None:
    conference, dissent = issued(world)
    assert Letter.objects.visible_to(world.officer, at=NOW).exists()
    correct(world, conference.children.get())
    assert not Letter.objects.visible_to(world.officer, at=NOW).exists()
    assert told("letter_taken_back") == {
        world.chair.name,
        *(world.people[key].name for key in ("teacher", "officer", "nurse")),
    }
    notice = Notice.objects.get(occasion="letter_taken_back", to=world.officer)
    old = Letter.objects.get(dissent=dissent, to=world.officer, made_at__isnull=False)
    assert notice.path == f"/letters/{old.pk}/"


def test_the_new_letters_go_out_as_the_first_did_released_by_a_second_person(world: World) -> None:
    conference, dissent = issued(world)
    assert again(dissent).state == "closed"
    correct(world, conference.children.get())
    dissent = again(dissent)
    assert (dissent.state, dissent.closed_at, dissent.letters_issued_at) == ("decided", None, None)
    assert {"Business Manager", "Service Manager"} <= told("letters_to_release_again")
    assert dissent.owes() == [
        "4 of 5 letters are not issued.",
        "It is not recorded that the decision is on each child’s record (1 to upload).",
    ]
    later = when("2026-03-21 10:00")
    world.made(at=later)
    actions.release_letters(dissent=dissent, by=world.business_manager, at=later)
    dissent = world.on_record(again(dissent), at=later)
    assert (dissent.state, dissent.closed_at, dissent.letters_issued_at) == ("closed", later, later)
    assert Letter.objects.visible_to(world.officer, at=later).get().replaces
    assert verify(world.council)[1] == []


def test_a_clock_on_feedback_that_was_stopped_stays_stopped(world: World) -> None:
    """They were told in time; that a date was mistyped in it makes nobody late."""
    conference, dissent = issued(world)
    before = dissent.clocks.get(rule="feedback").stopped
    correct(world, conference.children.get())
    assert dissent.clocks.get(rule="feedback").stopped == before
    world.made(at=NOW)
    actions.release_letters(dissent=dissent, by=world.business_manager, at=NOW)
    assert dissent.moments.filter(name="letters_issued").count() == 1


def test_letters_that_nobody_has_yet_are_replaced_without_a_word(world: World) -> None:
    conference, dissent = a_case(world)
    dissent = world.decided(dissent)
    correct(world, conference.children.get())
    new = [letter for letter in in_force(dissent) if letter.who is None]
    assert len(new) == 4
    assert all(letter.replaces and "replaces" not in letter.says for letter in new)
    assert "1 May 2018" not in str([letter.says for letter in in_force(dissent)])
    assert told("letter_taken_back") == set()


def test_a_second_correction_before_the_release_still_says_which_letter_it_is_that_somebody_has(
    world: World,
) -> None:
    conference, dissent = issued(world)
    child = conference.children.get()
    correct(world, child)
    correct(world, child, born_on=dt.date(2020, 5, 1), at=when("2026-03-21 10:00"))
    letter = Letter.objects.in_force().get(dissent=dissent, to=world.officer)
    assert "16 March 2026" in letter.says["replaces"]
    assert letter.replaces.replaces.is_issued
    assert Notice.objects.filter(occasion="letter_taken_back", to=world.officer).count() == 1


def test_what_else_has_changed_since_a_letter_was_written_does_not_replace_it(world: World) -> None:
    conference, dissent = issued(world, children=2)
    world.council.front_door_telephone = "01632 960777"  # which stands in every letter to a family
    world.council.save()
    first, _ = conference.children.all()
    correct(world, first, name="Child Z Testson", born_on=first.born_on)
    assert Letter.objects.in_force().get(dissent=dissent, addressee="Mo1 Testson").is_issued


def test_a_dissent_that_was_withdrawn_stays_closed(world: World) -> None:
    conference = world.conference()
    dissent = world.withdrawn(world.sat_about(conference), at=NOW)
    correct(world, conference.children.get())
    assert again(dissent).state == "closed"


def test_only_the_conference_administrator_corrects_the_record(world: World) -> None:
    conference = world.conference()
    for by in (world.chair, world.service_manager, world.administrator, world.teacher):
        with pytest.raises(PermissionDenied):
            correct(world, conference.children.get(), by=by)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"because": " "}, "Say why"),
        ({"born_on": dt.date(2018, 5, 1)}, "says the same already"),
        ({"born_on": None}, "Give a date of birth"),
        ({"name": ""}, "Give the child's name"),
        ({"born_on": dt.date(1990, 5, 1)}, "more than 25 years"),
    ],
)
def test_a_correction_says_why_changes_something_and_can_be_right(
    world: World, facts: dict[str, Any], says: str
) -> None:
    conference = world.conference()
    with pytest.raises(Refused, match=says):
        correct(world, conference.children.get(), **facts)
    assert not Correction.objects.exists()


def test_a_birth_is_no_correction(world: World) -> None:
    conference = world.conference(children=0)
    by = world.conference_administrator
    child = actions.add_child(
        conference=conference,
        name="",
        born_on=None,
        due_on=dt.date(2026, 3, 10),
        decision="not_made",
        category="",
        by=by,
        at=RECORDED,
    )
    with pytest.raises(Refused, match="born after the conference"):
        correct(world, child, name="Ann Testson", born_on=dt.date(2026, 3, 9))
    correct(world, child, name="Ann Testson", born_on=dt.date(2026, 3, 2))


def test_the_database_takes_no_correction_without_why(world: World) -> None:
    correction = correct(world, world.conference().children.get())
    with pytest.raises(IntegrityError), transaction.atomic():
        Correction.objects.filter(pk=correction.pk).update(because="")


def test_a_closed_record_is_corrected_too(world: World) -> None:
    conference = world.conference()
    actions.confirm_explained(conference=conference, by=world.chair, at=RECORDED)
    actions.close_record(conference=conference, by=world.chair, at=RECORDED)
    correct(world, conference.children.get())
    assert conference.children.get().born_on == BORN


def test_a_page_that_shows_what_was_corrected_meanwhile_corrects_nothing(world: World) -> None:
    child = world.conference().children.get()
    seen = mark(child)
    correct(world, child, seen=seen)
    with pytest.raises(TransitionNotAllowed, match="corrected this meanwhile"):
        correct(world, child, name="Child Z Testson", seen=seen)
    correct(world, child, name="Child Z Testson", seen=mark(Child.objects.get()))


def released_by_somebody(document: dict[str, Any]) -> None:
    """A letter about the review too, which a second person releases."""
    (resolved,) = [letter for letter in document["letters"] if letter["key"] == "resolved"]
    unresolved = {"key": "unresolved", "meanings": ["unresolved"], "released_by": ["business_manager"]}
    document["letters"].append({**resolved, **unresolved})


def test_a_letter_about_an_earlier_stage_is_released_again_with_those_about_the_last(world: World) -> None:
    world.follow(released_by_somebody)
    conference = world.conference()
    offered = world.offered(world.reviewed(world.filed(world.raised(conference))))
    world.made(at=when("2026-03-05 12:00"))
    actions.release_letters(dissent=offered, by=world.business_manager, at=when("2026-03-05 12:00"))
    dissent = world.decided(world.sat(world.convened(world.escalated(offered))), outcome="not_upheld")
    dissent = world.released(dissent)
    assert dissent.state == "closed"
    correct(world, conference.children.get())
    world.made(at=NOW)
    released = actions.release_letters(dissent=dissent, by=world.business_manager, at=NOW)
    assert {letter.decision.stage for letter in released} == {"review", "panel"}
    assert world.on_record(again(dissent), at=NOW).state == "closed"


def test_what_the_conference_decided_is_corrected_where_it_was_recorded_of_the_wrong_child(
    world: World,
) -> None:
    """No letter of a dissent says it, so none is replaced."""
    conference, dissent = issued(world, children=2)
    first, second = conference.children.all()
    correction = correct(world, first, born_on=first.born_on, decision="made", category="neglect")
    assert correction.was == {"decision": "not_made", "category": ""}
    assert correction.now == {"decision": "made", "category": "neglect"}
    assert told("letter_taken_back") == set()
    assert world.on_record(again(dissent), at=NOW).state == "closed"
    with pytest.raises(Refused, match="under which category"):
        correct(world, second, born_on=second.born_on, decision="made")

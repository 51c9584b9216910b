"""The end of a conference and who was there, said rightly after they had consequences."""

from __future__ import annotations

from typing import Any

import pytest
from django_fsm import TransitionNotAllowed

from dissent import actions
from dissent.actions import Refused
from dissent.models import Attendance, Conference, Correction, Dissent, LedgerEntry, Letter
from dissent.models.ledger import verify
from tests.dissent.test_corrections import NOW, again, in_force, issued, told
from tests.world import ENDED, RECORDED, World, when

pytestmark = pytest.mark.django_db

ENDED_LATER = when("2026-03-03 12:20")


@pytest.fixture
def world() -> World:
    return World(quick=True)


# --- when the conference ended ---------------------------------------------------------------------


def end(world: World, conference: Conference, **facts: Any) -> Correction:
    said: dict[str, Any] = {
        "ended_at": ENDED_LATER,
        "because": "The clock on the wall was slow.",
        "by": world.conference_administrator,
        "at": when("2026-03-03 14:00"),
    }
    return actions.correct_conference_end(conference=conference, **{**said, **facts})


def form_clock(dissent: Dissent) -> Any:
    return dissent.clocks.select_related("started").get(rule="form")


def test_the_old_end_stays_and_the_new_one_names_it(world: World) -> None:
    conference = world.conference()
    correction = end(world, conference)
    old, new = conference.moments.filter(name="conference_ended").order_by("happened_at")
    assert (old.happened_at, old.replaced_at) == (ENDED, when("2026-03-03 14:00"))
    assert (new.happened_at, new.replaces, new.replaced_at) == (ENDED_LATER, old, None)
    assert (correction.moment, correction.because) == (new, "The clock on the wall was slow.")
    assert Conference.objects.get(pk=conference.pk).ended_at == ENDED_LATER


def test_clocks_that_run_from_the_end_are_worked_out_again_for_each_dissent(world: World) -> None:
    conference = world.conference()
    both = [world.raised(conference, who=who) for who in ("teacher", "officer")]
    correction = end(world, conference)
    for dissent in both:
        clock = form_clock(dissent)
        assert clock.due_at == when("2026-03-04 12:20")
        assert clock.started == correction.moment
        assert "12:20" in str(clock.derivation)
        assert again(dissent).next_due_at == clock.due_at
    assert sorted(moved["dissent"] for moved in correction.clocks) == sorted(one.reference for one in both)
    assert LedgerEntry.objects.filter(verb="move_clock").count() == 2
    assert verify(world.council)[1] == []


def test_whoever_acts_on_a_case_whose_time_moved_is_told(world: World) -> None:
    dissent = world.raised()
    end(world, dissent.conference)
    assert told("due_time_corrected") == {"Teacher Testshire", "Chair", "Service Manager"}


def test_a_dissent_that_is_raised_afterwards_runs_from_the_corrected_end(world: World) -> None:
    conference = world.conference()
    end(world, conference)
    dissent = world.raised(conference, at=when("2026-03-03 14:00"))
    assert form_clock(dissent).due_at == when("2026-03-04 12:20")


def test_a_form_sent_in_time_by_the_old_end_stays_taken_and_is_shown_as_late(world: World) -> None:
    """Nobody takes back what was taken; lateness is derived, so the clock says it."""
    dissent = world.filed(at=when("2026-03-04 11:50"))
    end(world, dissent.conference, ended_at=when("2026-03-03 11:30"), at=NOW)
    assert again(dissent).state == "at_stage"
    assert form_clock(dissent).is_late(NOW)
    assert told("due_time_corrected") == set()


def test_a_late_form_still_waits_for_whoever_lets_it_in_who_is_told(world: World) -> None:
    dissent = world.filed(at=when("2026-03-04 12:10"), late_because="The train.")
    end(world, dissent.conference, at=NOW)
    assert again(dissent).state == "awaiting_admission"
    assert not form_clock(dissent).is_late(NOW)
    assert told("due_time_corrected") == {"Service Manager"}
    actions.admit(dissent=dissent, reasons="In time after all.", by=world.service_manager, at=NOW)


def test_a_late_form_that_was_refused_stays_refused(world: World) -> None:
    dissent = world.filed(at=when("2026-03-04 12:10"), late_because="The train.")
    actions.refuse_late(dissent=dissent, reasons="Late.", by=world.service_manager, at=NOW)
    end(world, dissent.conference, at=NOW)
    assert again(dissent).state == "closed"


def test_a_clock_that_passed_on_the_old_end_and_runs_on_passes_at_its_own_time(world: World) -> None:
    dissent = world.raised()
    actions.pass_clocks(at=when("2026-03-04 12:05"))
    assert form_clock(dissent).passed_at
    end(world, dissent.conference, at=when("2026-03-04 12:06"))
    assert form_clock(dissent).passed_at is None
    assert actions.pass_clocks(at=when("2026-03-04 12:15")) == 0
    assert actions.pass_clocks(at=when("2026-03-04 12:25")) == 1


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"because": ""}, "Say why"),
        ({"ended_at": ENDED}, "says the same already"),
        ({"ended_at": when("2026-03-03 15:00")}, "has not come yet"),
        ({"ended_at": when("2026-03-03 10:00")}, "cannot have ended before it began"),
    ],
)
def test_an_end_that_cannot_be_right_is_refused(world: World, facts: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused, match=says):
        end(world, world.conference(), **facts)


def test_a_conference_did_not_end_after_a_form_about_it_was_sent(world: World) -> None:
    dissent = world.filed(at=when("2026-03-03 13:00"))
    with pytest.raises(Refused, match=f"The form of {dissent.reference} was sent before that"):
        end(world, dissent.conference, ended_at=when("2026-03-03 13:30"))


# --- who was there ---------------------------------------------------------------------------------


def attended(world: World, key: str, **facts: Any) -> Correction:
    old = Attendance.objects.in_force().get(person=world.people[key])
    said: dict[str, Any] = {
        "name": old.name,
        "job": old.job,
        "agency": old.agency,
        "capacity": old.capacity,
        "present": old.present,
        "because": "The list was wrong.",
        "by": world.conference_administrator,
        "at": NOW,
    }
    return actions.correct_attendance(attendance=old, **{**said, **facts})


def test_the_old_row_stays_and_the_dissent_goes_with_the_new_one(world: World) -> None:
    dissent = world.filed()
    old = dissent.attendance
    correction = attended(world, "teacher", agency=world.agency("Housing"))
    new = again(dissent).attendance
    assert (new.agency, new.replaces, new.person) == (world.agency("Housing"), old, world.teacher)
    assert Attendance.objects.get(pk=old.pk).replaced_at == NOW
    assert (correction.was, correction.now) == ({"agency": "School"}, {"agency": "Housing"})
    assert correction.attendance == new


def test_a_letter_that_named_the_wrong_agency_is_replaced(world: World) -> None:
    _, dissent = issued(world)
    attended(world, "teacher", agency=world.agency("Housing"))
    to_professionals = [letter for letter in in_force(dissent) if letter.who is None]
    assert len(to_professionals) == 4
    for letter in to_professionals:
        assert letter.replaces
        assert "School" not in str(letter.says)
    assert "Teacher Testshire" in told("letter_taken_back")


def test_a_mistyped_job_replaces_only_the_letter_that_says_it(world: World) -> None:
    _, dissent = issued(world)
    attended(world, "officer", job="Sergeant")
    assert [letter.to for letter in in_force(dissent) if letter.replaces] == [world.officer]
    assert told("letter_taken_back") == {"Officer Testshire"}


def test_somebody_who_was_not_there_after_all_is_told_and_has_no_new_letter(world: World) -> None:
    _, dissent = issued(world)
    attended(world, "officer", present=False)
    assert world.officer not in {letter.to for letter in in_force(dissent)}
    assert told("letter_taken_back") == {"Officer Testshire"}
    assert [owed for owed in again(dissent).owes() if "letters" in owed] == []
    assert world.on_record(again(dissent), at=NOW).state == "closed"


def test_somebody_who_was_there_after_all_has_a_letter_too(world: World) -> None:
    _, dissent = issued(world)
    attended(world, "absentee", present=True)
    letter = Letter.objects.in_force().get(dissent=dissent, to=world.absentee)
    assert letter.replaces is None
    assert again(dissent).state == "decided"
    assert told("letter_taken_back") == set()


def test_a_letter_on_paper_follows_the_corrected_name(world: World) -> None:
    conference = world.conference()
    first = actions.add_attendance(
        conference=conference,
        name="Posty Testshire",
        capacity="professional",
        present=True,
        agency=world.agency("Police"),
        by=world.conference_administrator,
        at=RECORDED,
    )
    dissent = world.released(world.decided(world.sat_about(conference), outcome="not_upheld"))
    correction = actions.correct_attendance(
        attendance=first,
        name="Poppy Testshire",
        capacity="professional",
        present=True,
        agency=first.agency,
        because="Misheard.",
        by=world.conference_administrator,
        at=NOW,
    )
    (letter,) = [each for each in in_force(dissent) if each.replaces]
    assert (letter.attendance, letter.to) == (correction.attendance, None)
    assert letter.says["greeting"] == "Dear Poppy Testshire"


@pytest.mark.rule("ST-02")
@pytest.mark.parametrize(
    ("facts", "says"), [({"present": False}, "did not attend"), ({"capacity": "observer"}, "an observer")]
)
def test_nobody_who_dissented_becomes_somebody_who_could_not_have(
    world: World, facts: dict[str, Any], says: str
) -> None:
    dissent = world.filed()
    with pytest.raises(Refused, match=says):
        attended(world, "teacher", **facts)
    world.withdrawn(dissent)
    attended(world, "teacher", **facts)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"job": "Sergeant", "because": ""}, "Say why"),
        ({}, "says the same already"),
        ({"name": ""}, "full name"),
        ({"agency": None}, "for which agency"),
        ({"capacity": "family", "agency": None}, "A family member"),
    ],
)
def test_an_attendance_that_cannot_be_right_is_refused(
    world: World, facts: dict[str, Any], says: str
) -> None:
    world.conference()
    with pytest.raises(Refused, match=says):
        attended(world, "officer", **facts)


def test_an_agency_of_another_council_is_refused(world: World) -> None:
    elsewhere = World(key="elsewhere", quick=True)
    world.conference()
    with pytest.raises(Refused, match="an agency of this council"):
        attended(world, "officer", agency=elsewhere.agency("Police"))


def test_an_attendance_that_was_replaced_counts_no_more(world: World) -> None:
    conference = world.conference()
    old = conference.attendances.get(person=world.officer)
    attended(world, "officer", present=False)
    with pytest.raises(Attendance.DoesNotExist):
        actions.raise_dissent(
            conference=conference,
            attendance=old,
            children=conference.children.all(),
            by=world.chair,
            at=NOW,
        )
    with pytest.raises(TransitionNotAllowed, match="corrected this meanwhile"):
        actions.correct_attendance(
            attendance=old,
            name="Other",
            capacity="professional",
            present=True,
            agency=old.agency,
            because="Again.",
            by=world.conference_administrator,
            at=NOW,
        )

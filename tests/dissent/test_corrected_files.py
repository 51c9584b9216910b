"""What went onto a child's record is made and uploaded again once a correction makes it wrong."""

from __future__ import annotations

import datetime as dt

import pytest
from django_fsm import TransitionNotAllowed

from dissent import actions
from dissent.actions import Found
from dissent.models import Dissent, RecordPack
from dissent.models.uploads import children_to_be_uploaded
from tests.world import World, when

pytestmark = pytest.mark.django_db

CORRECTED = when("2026-04-02 09:00")
AFTERWARDS = when("2026-04-03 09:00")


@pytest.fixture
def world() -> World:
    return World(quick=True)


def fresh(dissent: Dissent) -> Dissent:
    return Dissent.objects.get(pk=dissent.pk)


def correct_the_birthday(world: World, dissent: Dissent, *, at: dt.datetime = CORRECTED) -> None:
    child = dissent.children.get()
    actions.correct_child(
        child=child,
        name=child.name,
        born_on=child.born_on + dt.timedelta(days=1),
        due_on=None,
        because="Mistyped.",
        by=world.conference_administrator,
        at=at,
    )


def correct_the_decision(world: World, dissent: Dissent) -> None:
    found = Found(outcome="not_upheld", reasons="Other reasons.", plain_reasons="Said plainly.")
    actions.correct_decision(
        dissent=dissent,
        findings=dict.fromkeys(dissent.children.all(), found),
        because="The wrong reasons.",
        by=world.superintendent,
        at=CORRECTED,
    )


@pytest.mark.rule("ST-24")
@pytest.mark.parametrize("correct", [correct_the_birthday, correct_the_decision])
def test_a_closed_case_is_open_again_until_the_right_file_is_uploaded(world: World, correct) -> None:
    dissent = world.released(outcome="not_upheld")
    assert dissent.state == "closed"
    correct(world, dissent)
    opened = fresh(dissent)
    assert opened.state == "decided"
    assert children_to_be_uploaded(opened) == list(dissent.children.all())
    again = world.released(opened, at=AFTERWARDS)
    assert again.state == "closed"
    old, new = RecordPack.objects.order_by("made_at")
    assert (old.overtaken_at, old.replaced_at, new.overtaken_at) == (CORRECTED, AFTERWARDS, None)
    assert old.says != new.says


def test_a_file_that_a_correction_overtook_is_not_uploaded_any_more(world: World) -> None:
    dissent = world.let_out(outcome="not_upheld")
    pack = world.packed(dissent)
    correct_the_birthday(world, dissent)
    by = world.unit_representative
    with pytest.raises(TransitionNotAllowed):
        actions.record_upload(pack=pack, uploaded_on=CORRECTED.date(), by=by, at=CORRECTED)
    assert not fresh(dissent).record_packs.filter(uploaded_on__isnull=False).exists()


def test_a_file_made_for_another_number_is_not_uploaded(world: World) -> None:
    dissent = world.let_out(outcome="not_upheld")
    pack = world.packed(dissent)
    child = dissent.children.get()
    actions.fill_in_record_number(
        child=child,
        record_number="REC 99",
        instead_of=child.record_number,
        because="It was a brother's.",
        by=world.conference_administrator,
        at=CORRECTED,
    )
    by = world.unit_representative
    with pytest.raises(TransitionNotAllowed):
        actions.record_upload(pack=pack, uploaded_on=CORRECTED.date(), by=by, at=CORRECTED)
    assert world.on_record(fresh(dissent), at=AFTERWARDS).state == "closed"


def test_what_was_put_right_stands_in_the_file(world: World) -> None:
    dissent = world.released(outcome="not_upheld")
    correct_the_birthday(world, dissent)
    again = world.released(fresh(dissent), at=AFTERWARDS)
    chronology = str(again.record_packs.in_force().get().says)
    assert "Put right: What the record says of a child" in chronology
    assert "Mistyped." not in chronology


def test_a_file_can_be_made_again_that_says_what_the_first_one_said(world: World) -> None:
    """Corrected, and then corrected back: the file on the record may be either."""
    dissent = world.released(outcome="not_upheld")
    child = dissent.children.get()
    correct_the_birthday(world, dissent)
    actions.correct_child(
        child=child,
        name=child.name,
        born_on=child.born_on,
        due_on=None,
        because="It was right before.",
        by=world.conference_administrator,
        at=CORRECTED + dt.timedelta(hours=1),
    )
    assert world.released(fresh(dissent), at=AFTERWARDS).state == "closed"


def test_what_a_correction_leaves_as_it_is_stays_uploaded(world: World) -> None:
    conference = world.conference(children=2)
    first, second = conference.children.all()
    raised = world.filed(world.raised(conference, children=[first]))
    sat = world.sat(world.convened(world.escalated(world.offered(world.reviewed(raised)))))
    closed = world.released(world.decided(sat, outcome="not_upheld"))
    assert closed.state == "closed"
    actions.correct_child(
        child=second,
        name="Child Z Testson",
        born_on=second.born_on,
        due_on=None,
        because="Misheard.",
        by=world.conference_administrator,
        at=CORRECTED,
    )
    assert fresh(closed).state == "closed"
    assert not RecordPack.objects.exclude(overtaken_at=None).exists()

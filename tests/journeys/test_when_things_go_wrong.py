"""Every other day: a manager away, a late form, a dissent withdrawn, one panel with two answers."""

from __future__ import annotations

import datetime as dt
import re
import time
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from councils.models import Person
from dissent import actions
from dissent.models import Child, Dissent, Letter, Notice
from dissent.models.ledger import verify
from tests.journeys.desk import Desk
from tests.journeys.test_one_dissent import (
    LONDON,
    People,
    answer_and_send,
    just_now,
    nothing_sticks_out,
    record_the_conference,
)
from tests.pdf_text import text_of
from tests.world import World

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def ago(**time_gone: float) -> dt.datetime:
    return timezone.localtime() - dt.timedelta(**time_gone)


@pytest.fixture
def world(transactional_db: Any) -> World:
    world = World()
    world.panellists()
    return world


@pytest.fixture
def people(live: Any, world: World, new_page: Any, mailbox: Any) -> People:
    return People(world, new_page, mailbox, nothing_sticks_out)


def raised(world: World, *, hours: float = 3, who: str = "teacher", conference: Any = None) -> Dissent:
    """Raised at a conference that ended so long ago."""
    ended = ago(hours=hours)
    conference = conference or world.conference(
        held_at=ended - dt.timedelta(hours=2), ended_at=ended, at=ended
    )
    return world.raised(conference, who=who, at=ended + dt.timedelta(minutes=5))


def step(desk: Desk, dissent: Dissent, key: str) -> None:
    desk.goto(f"/dissents/{dissent.pk}/steps/{key}/")
    desk.fill(happened_at=dt.datetime.now(LONDON), note="We talked about it.")
    desk.go_on()


def test_a_form_sent_before_its_conference_was_recorded_goes_on_once_the_chair_confirms_it(
    people: People, world: World
) -> None:
    nell = people.stranger("newcomer@hospice.example")
    nell.prove_address()
    _, ended = just_now()
    nell.fill(name="Newcomer Testshire", job="Nurse", agency="Health Trust", ended_at=ended)
    nell.fill(which="The Testson children, this morning.")
    nell.go_on()
    answer_and_send(nell)
    dissent = Dissent.objects.get()
    nell.sees(dissent.reference)
    assert dissent.state == "unmatched"
    for person in (world.service_manager, world.conference_administrator):
        assert dissent.reference in people.mailbox.latest(person.email).subject
    sunil = people.at_desk(world.service_manager)
    sunil.sees(dissent.reference)

    conference = record_the_conference(people)
    ada = people.at_desk(world.conference_administrator)
    ada.open("Say which child protection conference it was")
    ada.sees("The Testson children, this morning.")
    ada.page.get_by_role("radio").first.check()
    ada.go_on()
    clara = people.at_desk(world.chair)
    clara.open("Say whether it was raised")
    clara.fill(answer="yes")
    clara.page.get_by_label("Ava Testson").check()
    clara.go_on()
    clara.sees("The dissent goes on.")

    sunil.open(dissent.reference)
    step(sunil, dissent, "reviewed_with_chair")
    nell.goto(f"/dissents/{dissent.pk}/")
    nell.sees("Being looked at")
    dissent = Dissent.objects.get()
    assert (dissent.state, dissent.conference) == ("at_stage", conference)
    assert dissent.attendance.name == "Newcomer Testshire"
    assert verify(world.council)[1] == []


def test_a_form_whose_chair_denies_it_is_settled_with_reasons_after_hearing_the_dissenter(
    people: People, world: World
) -> None:
    ended = ago(hours=3)
    conference = world.conference(held_at=ended - dt.timedelta(hours=2), ended_at=ended, at=ended)
    begun = world.begun(who="newcomer", ended_at=ended, at=ago(hours=2))
    dissent = world.unmatched(begun, at=ago(hours=2))
    ada = people.at_desk(world.conference_administrator, f"/dissents/{dissent.pk}/match/")
    ada.fill(conference=conference.pk)
    ada.go_on()
    clara = people.at_desk(world.chair, f"/dissents/{dissent.pk}/")
    clara.open("Say whether it was raised")
    clara.fill(answer="no", statement="They were there and said nothing.")
    clara.go_on()
    nell = people.at_desk(world.newcomer, f"/dissents/{dissent.pk}/")
    nell.sees("They were there and said nothing.")
    nell.sees("You are asked for your side of it")

    sunil = people.at_desk(world.service_manager)
    sunil.open(dissent.reference)
    sunil.open("Decide whether it was raised")
    sunil.go_on()
    sunil.sees("There is a problem")
    sunil.fill(heard_at=dt.datetime.now(LONDON), heard="She spoke to the chair afterwards.", answer="refuse")
    sunil.fill(reasons="It was not said in the conference itself.")
    sunil.go_on()
    sunil.sees("The dissent is refused.")
    nell.goto(f"/dissents/{dissent.pk}/")
    nell.sees("It was not said in the conference itself.")
    nell.open("Read what you sent")
    nell.sees("The reason as the teacher wrote it.")
    assert Dissent.objects.get().state == "closed"


@pytest.mark.rule("ST-09")
def test_whoever_is_named_reviews_and_decides_while_the_service_manager_is_away(
    people: People, world: World
) -> None:
    nominee = world.unit_representative
    sunil = people.at_desk(world.service_manager)
    sunil.open("Who is away, and who stands in")
    sunil.open("Record an absence")
    today = dt.datetime.now(LONDON).date()
    sunil.page.get_by_role("radio").first.check()
    sunil.fill(from_on=today, until_on=today + dt.timedelta(days=7))
    sunil.page.locator("[name=stands_in]").select_option(label=f"{nominee.name}, {nominee.job}")
    sunil.go_on()
    sunil.sees(f"{nominee.name} stands in from")

    dissent = world.filed(raised(world), at=timezone.now())  # on a day of the absence, also after midnight
    assert dissent.reference in people.mailbox.latest(nominee.email).subject
    assert not people.mailbox.to(world.service_manager.email)
    rosa = people.at_desk(nominee)
    rosa.open(dissent.reference)
    for key in ("reviewed_with_chair", "discussed_with_dissenter"):
        step(rosa, dissent, key)
    rosa.goto(f"/dissents/{dissent.pk}/decide/")
    rosa.page.get_by_role("radio").first.check()
    rosa.fill(reasons="We do not agree on the threshold.")
    rosa.go_on()
    rosa.goto(f"/dissents/{dissent.pk}/?part=decision")
    rosa.sees(nominee.name)
    assert dissent.decisions.get().decided_by == nominee

    sunil.goto("/absences/")
    sunil.press(f"End this absence of {world.service_manager.name}")
    rosa.goto("/work/")
    assert dissent.reference not in rosa.page.content()


@pytest.mark.rule("ST-08")
@pytest.mark.parametrize("answer", ["admit", "refuse"])
def test_a_late_form_goes_with_its_reason_to_the_manager_who_lets_it_in_or_refuses_it(
    people: People, world: World, answer: str
) -> None:
    dissent = world.filled_in(raised(world, hours=30), at=ago(hours=29))
    tess = people.at_desk(world.teacher, f"/dissents/{dissent.pk}/")
    tess.sees("Form is late")
    tess.goto(f"/dissents/{dissent.pk}/form/late_because/")
    tess.page.locator("textarea").fill("The school had no electricity for a day.")
    tess.go_on()
    tess.goto(reverse("check_answers", args=[dissent.pk]))
    tess.page.locator("[name=declared]").check()
    tess.go_on()

    sunil = people.at_desk(world.service_manager)
    sunil.open(dissent.reference)
    sunil.open("Decide whether the late form is let in")
    sunil.sees("The school had no electricity for a day.")
    sunil.fill(answer=answer, reasons="Nobody could have sent it earlier.")
    sunil.go_on()
    tess.goto(f"/dissents/{dissent.pk}/")
    tess.sees("Nobody could have sent it earlier.")
    tess.sees("Being looked at" if answer == "admit" else "Your late form was not let in")
    assert Dissent.objects.get().state == ("at_stage" if answer == "admit" else "closed")


def test_a_dissent_that_is_withdrawn_is_so_for_everybody_who_had_it_in_hand(
    people: People, world: World
) -> None:
    dissent = world.filed(raised(world), at=ago(hours=2))
    tess = people.at_desk(world.teacher, f"/dissents/{dissent.pk}/withdraw/")
    tess.page.locator("textarea").fill("The report that was missing has come.")
    tess.go_on()
    tess.sees("You withdrew this dissent")
    for person in (world.service_manager, world.chair):
        assert dissent.reference in people.mailbox.latest(person.email).subject
        desk = people.at_desk(person, f"/dissents/{dissent.pk}/")
        desk.sees("The report that was missing has come.")
    assert Dissent.objects.get().state == "closed"


@pytest.mark.rule("ST-13", "ST-17")
def test_one_panel_answers_two_dissents_differently_and_each_is_told_of_both(
    people: People, world: World
) -> None:
    first = raised(world)
    second = raised(world, who="officer", conference=first.conference)
    for dissent in (first, second):
        filed = world.filed(dissent, at=ago(minutes=150))
        offered = world.offered(world.reviewed(filed, at=ago(minutes=140)), at=ago(minutes=130))
        world.escalated(offered, at=ago(minutes=120))
    world.convened(Dissent.objects.get(pk=first.pk), at=ago(minutes=100))
    world.sat(Dissent.objects.get(pk=first.pk), at=ago(minutes=60))
    petra = people.at_desk(world.superintendent, f"/panels/{Dissent.objects.get(pk=first.pk).panel_id}/")
    for dissent, outcome in ((first, "upheld"), (second, "not_upheld")):
        petra.open(f"Record what the panel decided about {dissent.reference}")
        petra.page.locator(f"input[value={outcome}]").first.check()
        if outcome == "upheld":
            petra.page.locator("input[type=radio][value=A]").first.check()
        petra.fill(reasons=f"The panel’s reasons about {dissent.reference}.", plain_reasons="In plain words.")
        petra.press("Check what you decided")
        petra.go_on()
    made = time.monotonic() + 60
    while Letter.objects.filter(made_at=None).exists() and time.monotonic() < made:
        time.sleep(0.2)
    bronwen = people.at_desk(world.business_manager)
    for dissent in (first, second):
        bronwen.goto(f"/dissents/{dissent.pk}/letters/")
        bronwen.page.locator("[name=read]").check()
        bronwen.go_on()
    nina = people.at_desk(world.nurse)
    for dissent, says in ((first, "upholds the dissent"), (second, "does not uphold the dissent")):
        letter = Letter.objects.get(dissent=dissent, to=world.nurse)
        nina.goto(f"/letters/{letter.pk}/")
        text = re.sub(r"\s+", " ", text_of(nina.download("Download the letter")))
        assert says in text
        assert f"The panel’s reasons about {dissent.reference}." in text
    assert Dissent.objects.get(pk=first.pk).state == "reconvening"
    assert verify(world.council)[1] == []


def is_told(person: Person, occasion: str) -> None:
    """Wait until the message about it has gone out."""
    until = time.monotonic() + 60
    sent = Notice.objects.filter(to=person, occasion=occasion, sent_at__isnull=False)
    while not sent.exists() and time.monotonic() < until:
        time.sleep(0.2)
    assert sent.exists()


def letters_are_made() -> None:
    until = time.monotonic() + 60
    while Letter.objects.in_force().filter(made_at=None).exists() and time.monotonic() < until:
        time.sleep(0.2)


def test_a_date_of_birth_is_corrected_after_its_letters_are_out(people: People, world: World) -> None:
    dissent = raised(world)
    world.relative(
        dissent.children.get(), "Mo Testson", contact="email", details="mo@family.example", at=ago(hours=3)
    )
    for number, to in enumerate(
        (world.filed, world.reviewed, world.offered, world.escalated, world.convened, world.sat)
    ):
        dissent = to(dissent, at=ago(minutes=150 - 10 * number))
    dissent = world.decided(dissent, outcome="not_upheld", at=ago(minutes=80))
    letters_are_made()
    dissent = world.told(dissent, at=ago(minutes=60))
    actions.release_letters(dissent=dissent, by=world.business_manager, at=timezone.now())
    dissent = world.on_record(Dissent.objects.get(), at=timezone.now())
    assert dissent.state == "closed"
    old = Letter.objects.get(dissent=dissent, to=world.nurse)
    nina = people.at_desk(world.nurse, f"/letters/{old.pk}/")
    assert "1 May 2018" in text_of(nina.download("Download the letter"))

    ada = people.at_desk(world.conference_administrator, f"/conferences/{dissent.conference_id}/")
    ada.open("Correct name or date of Child A Testson")
    ada.fill(born_on=dt.date(2017, 5, 1), because="The year was mistyped. The midwife has the record.")
    ada.press("Check what follows")
    ada.sees("4 letters to professionals taken back at once, and new ones are made.")
    assert Child.objects.get().born_on == dt.date(2018, 5, 1)
    ada.press("Correct this")
    ada.sees("The year was mistyped. The midwife has the record.")

    nina.goto(f"/letters/{old.pk}/")
    nina.sees("This letter was taken back")
    nina.sees("A new letter takes its place.")
    is_told(world.nurse, "letter_taken_back")
    subjects = [received.subject for received in people.mailbox.to(world.nurse.email)]
    assert [subject for subject in subjects if dissent.reference in subject]
    letters_are_made()
    bronwen = people.at_desk(world.business_manager)
    bronwen.open(dissent.reference)
    bronwen.open("Look at the letters and release them")
    bronwen.sees("Letters that were taken back")
    bronwen.page.locator("[name=read]").check()
    bronwen.go_on()

    nina.goto(f"/letters/{old.pk}/")
    nina.open("Open the new letter")
    text = re.sub(r"\s+", " ", text_of(nina.download("Download the letter")))
    assert "1 May 2017" in text
    assert "1 May 2018" not in text
    assert "This letter replaces the one of" in text
    assert Letter.objects.in_force().get(dissent=dissent, addressee="Mo Testson").is_issued
    rosa = people.at_desk(world.unit_representative)
    rosa.sees("Put the decision onto the record of Child A Testson")
    assert world.on_record(Dissent.objects.get(), at=timezone.now()).state == "closed"
    assert verify(world.council)[1] == []

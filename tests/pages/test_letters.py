"""Letters before they go out, and as their readers see them."""

import hashlib

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from councils.models import Person
from dissent import actions
from dissent.models import Dissent, LedgerEntry, Letter, Notice
from tests.pdf_text import text_of
from tests.world import World, when

pytestmark = pytest.mark.django_db

MADE = when("2026-03-16 13:01")
PRESENT = {"teacher", "officer", "nurse", "chair"}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def see(client):
    """Return a function that opens an address as a person, and gives the answer with what it `said`."""

    def open_as(person, address, data=None, *, status=200):
        client.force_login(person)
        answer = client.get(address) if data is None else client.post(address, data)
        answer.said = answer.content.decode(errors="replace")
        assert answer.status_code == status, answer.said[-3000:]
        return answer

    return open_as


def letters(dissent: Dissent) -> str:
    return reverse("letters", args=[dissent.pk])


def page_of(letter: Letter) -> str:
    return reverse("letter", args=[letter.pk])


def pdf_of(letter: Letter) -> str:
    return reverse("letter_pdf", args=[letter.pk])


def decided_with_somebody_without_email(world: World) -> Dissent:
    conference = world.conference()
    actions.add_attendance(
        conference=conference,
        name="Printed Nurse",
        capacity="professional",
        present=True,
        agency=world.agency("Health Trust"),
        job="Nurse",
        email="",
        by=world.conference_administrator,
        at=when("2026-03-03 12:30"),
    )
    filed = world.filed(world.raised(conference))
    return world.decided(world.sat(world.convened(world.escalated(world.offered(world.reviewed(filed))))))


def release(see, person: Person, dissent: Dissent, *, status: int = 302, **more):
    seen = see(person, letters(dissent)).context["form"]["seen"].value()
    return see(person, letters(dissent), {"read": "on", "seen": seen, **more}, status=status)


# --- before they go out ----------------------------------------------------------------------------


@pytest.mark.rule("ST-13", "ST-16")
def test_a_second_person_reads_the_letters_and_releases_the_very_bytes(world: World, see) -> None:
    dissent = world.decided()
    waiting = see(world.business_manager, letters(dissent))
    assert "4 of 4 letters cannot be read yet" in waiting.said
    assert "Release the letters" not in waiting.said
    actions.make_bytes(at=MADE)

    assert {letter.to for letter in Letter.objects.all()} == {world.people[key] for key in PRESENT}
    letter = Letter.objects.get(to=world.teacher)
    previewed = see(world.business_manager, pdf_of(letter))
    assert previewed["Content-Disposition"].startswith("attachment;")
    assert hashlib.sha256(previewed.content).hexdigest() == letter.sha256
    assert not Notice.objects.filter(occasion="letter").exists()
    see(world.teacher, page_of(letter), status=404)

    release(see, world.business_manager, dissent)
    assert {notice.to for notice in Notice.objects.filter(occasion="letter")} == {
        world.people[key] for key in PRESENT
    }
    assert Dissent.objects.get().letters_issued_at
    assert letter.sha256 in see(world.teacher, page_of(letter)).said
    assert see(world.teacher, pdf_of(letter)).content == previewed.content
    verbs = LedgerEntry.objects.filter(about_id=str(letter.pk), verb__startswith="read_").values_list(
        "verb", "by"
    )
    assert list(verbs.order_by("sequence")) == [
        ("read_letter_of_another", world.business_manager.pk),
        ("read_letter_page", world.teacher.pk),
        ("read_letter", world.teacher.pk),
    ]
    after = see(world.business_manager, letters(dissent)).said
    assert after.count("Opened by its reader.") == 1
    assert after.count("Not opened yet.") == 3


@pytest.mark.rule("ST-16")
@pytest.mark.parametrize("outcome", ["upheld", "not_upheld"])
def test_a_letter_says_what_the_record_says(world: World, see, outcome) -> None:
    dissent = world.released(world.decided(outcome=outcome))
    letter = Letter.objects.get(to=world.teacher)
    said = text_of(see(world.teacher, pdf_of(letter)).content)
    child = dissent.children.get()
    for words in (
        world.council.name,
        "16 March 2026",
        dissent.reference,
        "Teacher Testshire",
        f"{child.name} (born 1 May 2018)",
        "3 March 2026",
        "The panel's reasons.",
        "Superintendent",
        "01632 960123",
        "superintendent@testshire.example",
    ):
        assert words in said
    stage = dissent.rules.stage("panel")
    this, other = stage.outcome(outcome), next(one for one in stage.outcomes if one.key != outcome)
    assert this.letter in said
    assert other.letter not in said
    assert ("Reason B: A key agency did not provide information." in said) == (outcome == "upheld")
    assert "Officer Testshire" not in said
    assert "Parent Testson" not in said


def test_who_is_named_stands_beside_whom_it_goes_to(world: World, see) -> None:
    dissent = decided_with_somebody_without_email(world)
    actions.make_bytes(at=MADE)
    Person.objects.filter(pk=world.officer.pk).update(name="Quite Another")
    page = see(world.business_manager, letters(dissent))
    named = [(each["name"], each["role"]) for each in page.context["named"]]
    assert named[0] == ("Child A Testson", "Child")
    assert named[1] == ("Teacher Testshire", "Raised the dissent")
    assert {name for name, role in named if role == "Sat on the panel"} == {
        person.name for person in world.panellists()
    }
    assert named[-1] == ("Superintendent", "Signs the letters")

    goes_to = {each["name"]: each for each in page.context["goes_to"]}
    assert set(goes_to) == {
        "Chair",
        "Teacher Testshire",
        "Nurse Testshire",
        "Officer Testshire",
        "Printed Nurse",
    }
    assert goes_to["Nurse Testshire"]["note"] == "By a link, sent to nurse@testshire.example."
    odd = {name for name, each in goes_to.items() if each.get("words") == "Look again"}
    assert odd == {"Printed Nurse", "Officer Testshire"}
    assert "goes by another name" in goes_to["Officer Testshire"]["note"]


def test_whoever_decided_sees_why_they_cannot_release(world: World, see) -> None:
    dissent = world.escalated()
    superintendent, head_nurse, _ = world.panellists()
    actions.convene_panel(
        dissent=dissent,
        chair=world.service_manager,
        members=[superintendent, head_nurse],
        by=world.business_manager,
        at=when("2026-03-09 09:00"),
    )
    dissent = world.decided(world.sat(Dissent.objects.get()))
    actions.make_bytes(at=MADE)
    page = see(world.service_manager, letters(dissent))
    assert "You recorded this decision, so somebody else has to release its letters." in page.said
    assert page.context["form"] is None
    seen = see(world.business_manager, letters(dissent)).context["form"]["seen"].value()
    answer = see(world.service_manager, letters(dissent), {"read": "on", "seen": seen}, status=422)
    assert "somebody else has to release" in answer.context["form"].errors["__all__"][0]
    assert not Letter.objects.filter(released_at__isnull=False).exists()
    release(see, world.nominated_manager, dissent)
    assert not Letter.objects.filter(released_at=None).exists()


def test_letters_are_not_released_unread_or_other_than_listed(world: World, see) -> None:
    dissent = world.decided()
    actions.make_bytes(at=MADE)
    answer = release(see, world.business_manager, dissent, status=422, read="")
    assert answer.context["form"].errors["read"] == [
        "Tick to say that you have read the letters and the list of people they go to"
    ]
    answer = see(world.business_manager, letters(dissent), {"read": "on", "seen": "0" * 64}, status=422)
    assert "The letters have changed since you opened this page" in answer.said
    assert not Letter.objects.filter(released_at__isnull=False).exists()
    seen = answer.context["form"]["seen"].value()
    see(world.business_manager, letters(dissent), {"read": "on", "seen": seen}, status=302)


def test_letters_that_are_still_being_made_are_not_released(world: World, see) -> None:
    dissent = world.decided()
    listed = see(world.business_manager, letters(dissent), {"read": "on"}, status=422)
    seen = listed.context["form"]["seen"].value()
    answer = see(world.business_manager, letters(dissent), {"read": "on", "seen": seen}, status=422)
    assert "still being made" in answer.context["form"].errors["__all__"][0]
    see(world.business_manager, pdf_of(Letter.objects.first()), status=404)


def test_a_letter_that_could_not_be_made_says_why_and_that_it_is_tried_again(world: World, see) -> None:
    dissent = world.decided()
    bad = Letter.objects.get(to=world.officer)
    bad.says["council"]["accent"] = "red; background: url(http://127.0.0.1:1/)"
    bad.save()
    actions.make_bytes(at=MADE)
    page = see(world.business_manager, letters(dissent))
    assert "Could not be made yet" in page.said
    assert "not one of the letter assets" in page.said
    assert "It is tried again at Monday 16 March 2026, 13:06." in page.said
    assert "1 of 4 letters cannot be read yet" in page.said


def test_a_second_release_is_told_that_it_was_done(world: World, see) -> None:
    dissent = world.decided()
    actions.make_bytes(at=MADE)
    seen = see(world.business_manager, letters(dissent)).context["form"]["seen"].value()
    release(see, world.nominated_manager, dissent)
    answer = see(world.business_manager, letters(dissent), {"read": "on", "seen": seen}, status=422)
    assert "The letters have changed since you opened this page" in answer.said
    assert Notice.objects.filter(occasion="letter").count() == 4
    page = see(world.business_manager, letters(dissent))
    assert page.context["form"] is None
    assert "Released by Nominated Manager" in page.said


def test_a_letter_without_email_is_printed_and_handed_over(world: World, see) -> None:
    dissent = decided_with_somebody_without_email(world)
    actions.make_bytes(at=MADE)
    letter = Letter.objects.get(to=None)
    hand_over = reverse("hand_over_letter", args=[letter.pk])
    assert hand_over not in see(world.business_manager, letters(dissent)).said
    see(world.business_manager, hand_over, {}, status=302)
    letter.refresh_from_db()
    assert letter.handed_over_at is None

    release(see, world.business_manager, dissent)
    assert Dissent.objects.get().letters_issued_at is None
    assert hand_over in see(world.business_manager, letters(dissent)).said
    assert "Printed Nurse" in text_of(see(world.business_manager, pdf_of(letter)).content)
    for person in (world.teacher, world.chair, World(key="elsewhere").business_manager):
        see(person, hand_over, {}, status=404)
    see(world.business_manager, hand_over, status=404)
    see(world.business_manager, hand_over, {}, status=302)
    assert Dissent.objects.get().letters_issued_at
    page = see(world.business_manager, letters(dissent)).said
    assert "Handed over by Business Manager" in page
    assert hand_over not in page


def test_letters_are_listed_for_those_who_read_the_case_alone(world: World, see) -> None:
    dissent = world.decided()
    actions.make_bytes(at=MADE)
    letter = Letter.objects.get(to=world.nurse)
    strangers = [world.people[key] for key in (*PRESENT, "absentee", "superintendent", "head_nurse")]
    strangers += [
        world.conference_administrator,
        world.administrator,
        World(key="elsewhere").business_manager,
    ]
    for person in strangers:
        see(person, letters(dissent), status=404)
        see(person, letters(dissent), {"read": "on"}, status=404)
        see(person, page_of(letter), status=404)
        see(person, pdf_of(letter), status=404)
    assert not Letter.objects.filter(released_at__isnull=False).exists()


def test_the_list_asks_the_database_the_same_however_many_there_are(world: World, client) -> None:
    dissent = world.decided()
    client.force_login(world.business_manager)
    counts = []
    for number in (3, 27):
        letter = Letter.objects.get(to=world.nurse)
        for n in range(number):
            letter.pk, letter.to = None, world.person(f"guest{number}{n}", f"Guest {n}", "School")
            letter.attendance = None
            letter._state.adding = True
            letter.save()
        client.get(letters(dissent))
        with CaptureQueriesContext(connection) as asked:
            assert client.get(letters(dissent)).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 26, counts


# --- as their readers see them ---------------------------------------------------------------------


def test_a_reader_opens_their_own_letter_and_no_other(world: World, see) -> None:
    dissent = world.released()
    mine, other = (Letter.objects.get(to=world.people[key]) for key in ("nurse", "officer"))
    page = see(world.nurse, page_of(mine))
    assert dissent.reference in page.said
    assert "Download the letter" in page.said
    assert letters(dissent) not in page.said
    for address in (page_of(other), pdf_of(other), letters(dissent)):
        see(world.nurse, address, status=404)


def test_the_link_to_a_replaced_letter_works_no_more(world: World, see) -> None:
    dissent = world.released()
    letter = Letter.objects.get(to=world.nurse)
    Letter.objects.filter(pk=letter.pk).update(replaced_at=timezone.now())
    for person in (world.nurse, world.business_manager):
        see(person, page_of(letter), status=404)
        see(person, pdf_of(letter), status=404)
    assert page_of(letter) not in see(world.business_manager, letters(dissent)).said

"""Outcome letters: to whom, saying what, released by whom, and never changed."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from councils.models import Person
from councils.procedure import PLACEHOLDERS
from dissent import actions, letters
from dissent.actions import Found, Refused
from dissent.actions.letters import SecondPersonNeeded
from dissent.models import Attendance, Conference, Decision, Dissent, Letter, LetterContent, Notice
from tests.pdf_text import text_of
from tests.world import RECORDED, World, when

pytestmark = pytest.mark.django_db

NOW = when("2026-03-17 09:00")


@pytest.fixture
def world() -> World:
    return World(quick=True)


def add(world: World, conference: Conference, name: str, **changed: Any) -> Attendance:
    facts: dict[str, Any] = {
        "capacity": "professional",
        "present": True,
        "agency": world.agency("Police"),
        **changed,
    }
    return actions.add_attendance(
        conference=conference, name=name, by=world.conference_administrator, at=RECORDED, **facts
    )


def sat_about(world: World, conference: Conference) -> Dissent:
    dissent = world.escalated(world.offered(world.reviewed(world.filed(world.raised(conference)))))
    return world.sat(world.convened(dissent))


def with_somebody_without_an_address(world: World, outcome: str = "not_upheld") -> Dissent:
    conference = world.conference()
    add(world, conference, "Posty Testshire")
    return world.decided(sat_about(world, conference), outcome=outcome)


# --- to whom ---------------------------------------------------------------------------------------


@pytest.mark.rule("ST-13")
def test_each_professional_who_was_present_and_the_chair_have_one_and_nobody_else(world: World) -> None:
    conference = world.conference()
    add(world, conference, "Posty Testshire")
    add(world, conference, "Absent without Address", present=False)
    world.decided(sat_about(world, conference))
    assert {letter.to for letter in Letter.objects.all()} == {
        world.teacher,
        world.officer,
        world.nurse,
        world.chair,
        None,
    }
    assert Letter.objects.get(to=None).attendance == conference.attendances.get(name="Posty Testshire")
    assert Letter.objects.count() == 5


@pytest.mark.rule("ST-13", "ST-16")
def test_a_letter_names_its_reader_their_post_and_their_agency(world: World) -> None:
    world.decided()
    assert dict(Letter.objects.values_list("to__name", "addressee")) == {
        "Teacher Testshire": "Teacher Testshire, Teacher, School",
        "Officer Testshire": "Officer Testshire, Officer, Police",
        "Nurse Testshire": "Nurse Testshire, Nurse, Health Trust",
        "Chair": "Chair, Independent Reviewing Officer",
    }


def test_the_longest_names_that_the_record_takes_fit_into_a_letter(world: World) -> None:
    """A column too short would let no panel decide."""
    conference = world.conference()
    agency = world.agency("Housing")
    agency.name = "P" * 200
    agency.save()
    add(world, conference, "N" * 200, job="J" * 200, agency=agency)
    world.decided(sat_about(world, conference))
    addressee = Letter.objects.get(to=None).addressee
    assert addressee == f"{'N' * 200}, {'J' * 200}, {'P' * 200}"


@pytest.mark.rule("ST-13")
def test_the_first_review_makes_no_letter_unless_it_resolves(world: World) -> None:
    world.offered()
    assert not Letter.objects.exists()


def test_the_database_takes_one_letter_in_force_for_a_decision_and_an_addressee(world: World) -> None:
    with_somebody_without_an_address(world)
    for letter in (Letter.objects.get(to=world.teacher), Letter.objects.get(to=None)):
        with pytest.raises(IntegrityError), transaction.atomic():
            again(letter)
        Letter.objects.filter(pk=letter.pk).update(replaced_at=NOW)
        again(letter)


def again(letter: Letter) -> Letter:
    columns = {field.name: getattr(letter, field.name) for field in Letter._meta.concrete_fields}
    return Letter.objects.create(**{**columns, "id": uuid.uuid4()})


# --- what it says ----------------------------------------------------------------------------------


def in_letters(world: World, dissent: Dissent) -> dict[str, str]:
    """The text of each letter's PDF, by its reader's name."""
    actions.make_bytes(at=NOW)
    contents = LetterContent.objects.filter(letter__dissent=dissent).select_related("letter")
    return {each.letter.says["addressee_lines"][0]: text_of(bytes(each.pdf)) for each in contents}


def section(text: str, child: str) -> str:
    """What a letter says was decided about one child; a page may end within it."""
    _, _, rest = text.partition(f"What was decided about {child} ")
    return rest.partition("What was decided about")[0].partition("What happens next")[0]


@pytest.mark.rule("ST-16", "ST-21")
def test_the_letters_say_what_the_record_says_where_children_are_decided_differently(world: World) -> None:
    conference = world.conference(children=2)
    one, two = sorted(conference.children.all(), key=str)
    dissent = sat_about(world, conference)
    decision = actions.decide(
        dissent=dissent,
        findings={
            one: Found(
                outcome="upheld",
                reasons="Nobody had the school's report.",
                ground="B",
                plain_reasons="Plainly.",
            ),
            two: Found(outcome="not_upheld", reasons="The threshold was weighed.", plain_reasons="Plainly."),
        },
        by=world.superintendent,
        at=when("2026-03-16 13:00"),
    )
    texts = in_letters(world, dissent)
    assert set(texts) == {"Teacher Testshire", "Officer Testshire", "Nurse Testshire", "Chair"}
    for name, text in texts.items():
        for said in [
            "Testshire Council",
            "Date: 16 March 2026",
            f"Our reference: {dissent.reference}",
            f"Dear {name}",
            "What the dissent panel decided",
            "A panel met on 16 March 2026 because Teacher Testshire, School, disagreed",
            "initial conference on 3 March 2026",
            "Child A Testson (born 1 May 2018)",
            "Child B Testson (born 2 May 2018)",
            "A further conference will be arranged.",
            "referral pathway",
            "It cannot decide whether a child has a child protection plan",
            "Who sat Superintendent, Police;",
            "Head Nurse, Health Trust",
            "Unit Representative, Children's Standards Unit",
            "Yours sincerely Superintendent",
            "01632 960123",
            "superintendent@testshire.example",
        ]:
            assert said in text, (said, text)
        first, second = section(text, "Child A Testson"), section(text, "Child B Testson")
        assert "The panel upholds the dissent." in first
        assert "Reason B: A key agency did not provide information." in first
        assert "Nobody had the school's report." in first
        assert "threshold" not in first
        assert "A further conference will be arranged." in first
        assert "final here" not in first
        assert "The panel does not uphold the dissent." in second
        assert "The threshold was weighed." in second
        assert "final here" in second
        assert "further conference" not in second
        assert "Reason" not in second
        assert "Reason A" not in text
        assert "Parent Testson" not in text
        assert "Absentee" not in text
        assert "The reason as the teacher wrote it" not in text
    assert decision.findings.count() == 2


@pytest.mark.rule("ST-14", "ST-16")
@pytest.mark.parametrize(
    ("outcome", "says", "never"),
    [
        (
            "upheld",
            ["A further conference is to be held", "Reason B", "Children's Standards Unit leads"],
            ["remains appropriate", "final here"],
        ),
        (
            "not_upheld",
            ["What the conference decided remains appropriate", "final here", "referral pathway"],
            ["A further conference", "Reason A", "Reason B"],
        ),
    ],
)
def test_a_letter_says_the_one_outcome_and_never_the_other(
    world: World, outcome: str, says: list[str], never: list[str]
) -> None:
    world.decided(outcome=outcome)
    for letter in Letter.objects.all():
        text = str(letter.says)
        assert [words for words in says if words not in text] == []
        assert [words for words in never if words in text] == []
        assert "The panel's reasons." in text


@pytest.mark.rule("ST-11")
def test_a_resolution_reaches_both_sides_word_for_word(world: World) -> None:
    dissent = actions.agree_to_resolution(dissent=world.proposed(), by=world.teacher, at=NOW)
    texts = in_letters(world, dissent)
    assert set(texts) == {"Teacher Testshire", "Chair"}
    assert all("This is what was agreed: What is proposed." in text for text in texts.values())


def test_what_a_letter_says_is_fixed_with_the_decision(world: World) -> None:
    world.decided()
    before = {letter.pk: letter.says for letter in Letter.objects.all()}
    Person.objects.filter(pk=world.superintendent.pk).update(name="Somebody Else")
    world.made()
    assert {letter.pk: letter.says for letter in Letter.objects.all()} == before


def test_every_placeholder_that_wording_may_use_is_filled_in(world: World) -> None:
    actions.agree_to_resolution(dissent=world.proposed(), by=world.teacher, at=NOW)
    decision = Decision.objects.get()
    dissent = decision.dissent
    (addressee, *_) = letters.addressees(dissent, dissent.rules.letters[0])
    values = letters._values(dissent, decision, addressee, list(dissent.children.all()))
    assert set(values) == PLACEHOLDERS
    assert all(values.values())


# --- made once, and frozen -------------------------------------------------------------------------


@pytest.mark.rule("ST-16")
def test_the_bytes_are_kept_with_their_hash_and_never_made_again(world: World) -> None:
    world.decided()
    world.made()
    contents = {content.pk: bytes(content.pdf) for content in LetterContent.objects.all()}
    for letter in Letter.objects.all():
        assert letter.sha256 == hashlib.sha256(contents[letter.pk]).hexdigest()
    assert actions.make_bytes(at=when("2026-04-01 09:00")) == 0
    assert {content.pk: bytes(content.pdf) for content in LetterContent.objects.all()} == contents


def test_a_letter_that_cannot_be_kept_stops_no_other(world: World, caplog: pytest.LogCaptureFixture) -> None:
    dissent = actions.agree_to_resolution(dissent=world.proposed(), by=world.teacher, at=NOW)
    odd = dissent.letters.get(to=world.teacher)
    LetterContent.objects.create(letter=odd, pdf=b"stands in its place")
    assert actions.make_bytes(at=NOW) == 1
    assert "letter not kept" in caplog.text
    assert Letter.objects.get(made_at__isnull=False).to == world.chair


# --- released by a second person -------------------------------------------------------------------


@pytest.mark.rule("ST-13", "ST-16")
def test_nobody_has_a_letter_before_it_is_released(world: World) -> None:
    dissent = world.decided()
    world.made()
    assert not Letter.objects.visible_to(world.officer, at=NOW).exists()
    assert not Notice.objects.filter(occasion="letter").exists()
    actions.release_letters(dissent=dissent, by=world.business_manager, at=NOW)
    (own,) = Letter.objects.visible_to(world.officer, at=NOW)
    assert (own.to, own.released_by, own.released_at) == (world.officer, world.business_manager, NOW)
    told = set(Notice.objects.filter(occasion="letter").values_list("to__name", flat=True))
    assert told == {"Teacher Testshire", "Officer Testshire", "Nurse Testshire", "Chair"}


@pytest.mark.rule("ST-16")
def test_whoever_decided_does_not_release_the_letters_about_it(world: World) -> None:
    conference = world.conference()
    dissent = world.escalated(world.offered(world.reviewed(world.filed(world.raised(conference)))))
    world.panellists()
    actions.convene_panel(
        dissent=dissent,
        chair=world.service_manager,
        members=[world.superintendent, world.head_nurse],
        by=world.business_manager,
        at=when("2026-03-09 09:00"),
    )
    dissent = world.decided(world.sat(Dissent.objects.get()))
    world.made()
    with pytest.raises(SecondPersonNeeded, match="somebody else has to release"):
        actions.release_letters(dissent=dissent, by=world.service_manager, at=NOW)
    assert not Letter.objects.exclude(released_at=None).exists()
    assert len(actions.release_letters(dissent=dissent, by=world.nominated_manager, at=NOW)) == 4


def test_letters_that_are_still_being_made_are_not_released(world: World) -> None:
    dissent = world.decided()
    with pytest.raises(Refused, match="4 letters are still being made"):
        actions.release_letters(dissent=dissent, by=world.business_manager, at=NOW)


def test_letters_are_released_once(world: World) -> None:
    dissent = world.released(outcome="upheld")
    with pytest.raises(Refused, match="released already"):
        actions.release_letters(dissent=dissent, by=world.service_manager, at=NOW)


# --- handed over -----------------------------------------------------------------------------------


@pytest.mark.rule("ST-13")
def test_a_letter_to_somebody_without_an_address_holds_the_case_open_until_handed_over(world: World) -> None:
    dissent = with_somebody_without_an_address(world)
    letter = Letter.objects.get(to=None)
    with pytest.raises(Refused, match="not waiting to be handed over"):
        actions.hand_over(letter=letter, by=world.business_manager, at=NOW)
    dissent = world.released(dissent)
    assert (dissent.state, dissent.letters_issued_at) == ("decided", None)
    record = "It is not recorded that the decision is on each child’s record (1 to upload)."
    assert dissent.owes() == ["1 of 5 letters are not issued.", record, "A clock is running."]
    letter = actions.hand_over(letter=letter, by=world.service_manager, at=NOW)
    assert (letter.handed_over_at, letter.handed_over_by) == (NOW, world.service_manager)
    dissent = world.on_record(Dissent.objects.get(pk=dissent.pk))
    assert (dissent.state, dissent.letters_issued_at) == ("closed", NOW)


def test_a_letter_that_goes_by_link_is_not_handed_over_and_none_twice(world: World) -> None:
    dissent = world.released(with_somebody_without_an_address(world, "upheld"))
    by_hand = Letter.objects.get(to=None)
    with pytest.raises(Refused, match="not waiting to be handed over"):
        actions.hand_over(letter=dissent.letters.get(to=world.teacher), by=world.business_manager, at=NOW)
    actions.hand_over(letter=by_hand, by=world.business_manager, at=NOW)
    with pytest.raises(Refused, match="not waiting to be handed over"):
        actions.hand_over(letter=by_hand, by=world.business_manager, at=NOW)


def test_a_replaced_letter_can_no_longer_be_read(world: World) -> None:
    dissent = world.released(outcome="upheld")
    dissent.letters.filter(to=world.officer).update(replaced_at=NOW)
    assert not Letter.objects.visible_to(world.officer, at=NOW).exists()
    assert Decision.objects.filter(dissent=dissent, replaced_at=None).count() == 2

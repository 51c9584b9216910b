"""Letters to families: to whom, about which children, by which way, saying what, and never more."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from councils.models import Person
from dissent import actions, family_letters
from dissent.actions import Found, Refused
from dissent.models import Child, Conference, Decision, Dissent, Letter, Notice, Relative
from dissent.models.ledger import verify
from tests.world import RECORDED, World, when

pytestmark = pytest.mark.django_db

AT = when("2026-03-16 13:00")
NOW = when("2026-03-17 09:00")


@pytest.fixture
def world() -> World:
    return World(quick=True)


def named(world: World, *names: str, unborn: bool = False) -> tuple[Conference, list[Child]]:
    """A conference about these children, and where asked for one that is not born yet."""
    conference = world.conference(children=0)
    by = world.conference_administrator
    facts: dict[str, Any] = {"decision": "not_made", "category": "", "by": by, "at": RECORDED}
    children = [
        actions.add_child(
            conference=conference, name=name, born_on=dt.date(2018, 5, day), due_on=None, **facts
        )
        for day, name in enumerate(names, 1)
    ]
    if unborn:
        due_on = dt.date(2026, 6, 1)
        children.append(
            actions.add_child(conference=conference, name="", born_on=None, due_on=due_on, **facts)
        )
    return conference, children


def decided(
    world: World, conference: Conference, plain: dict[Child, str] | None = None, outcome: str = "not_upheld"
) -> Dissent:
    dissent = world.sat_about(conference)
    findings = {
        child: Found(
            outcome=outcome,
            ground="B" if outcome == "upheld" else "",
            reasons="Professional words.",
            plain_reasons=(plain or {}).get(child, "Plain words."),
        )
        for child in dissent.children.all()
    }
    actions.decide(dissent=dissent, findings=findings, by=world.superintendent, at=AT)
    return Dissent.objects.get(pk=dissent.pk)


def families(dissent: Dissent) -> dict[str, Letter]:
    return {letter.addressee: letter for letter in dissent.letters.in_force().exclude(who=None)}


def text(letter: Letter) -> str:
    return " ".join(str(letter.says).split())


def hold_back(world: World, dissent: Dissent, relative: Relative, **changed: Any) -> Any:
    said = {"kind": "police", "why": "They asked us to wait.", "by": world.business_manager, **changed}
    return actions.hold_back(dissent=dissent, who=relative.who, at=NOW, **said)


def answer(world: World, dissent: Dissent, relative: Relative, *, may: bool = True, **changed: Any) -> Any:
    said = {"said_by": "Worker", "why": "I asked.", "by": world.business_manager, **changed}
    return actions.answer_for_family(
        dissent=dissent, who=relative.who, child=relative.child, may=may, at=NOW, **said
    )


def change_contact(world: World, relative: Relative, contact: str, details: str, **changed: Any) -> Any:
    said: dict[str, Any] = {
        "contact_confirmed_safe_by": "Worker",
        "contact_confirmed_safe_on": NOW.date(),
        "because": "They moved.",
        "by": world.conference_administrator,
        **changed,
    }
    return actions.change_contact(relative=relative, contact=contact, contact_details=details, at=NOW, **said)


# --- to whom, about whom ---------------------------------------------------------------------------


@pytest.mark.rule("ST-23")
def test_each_reads_of_the_children_they_may_hear_of_and_of_no_other(world: World) -> None:
    """Half-siblings with different fathers, one child unborn, one father absent from the conference."""
    conference, (ann, ben, unborn) = named(world, "Ann Alder", "Ben Birch", unborn=True)
    mother = world.relative(ann, "Mo Alder", contact="email", details="mo@family.example")
    world.relative(ben, same_as=mother)
    world.relative(unborn, same_as=mother)
    world.relative(ann, "Al Absent", relation="father", contact="post", details="1 Safe Street\nTesttown")
    world.relative(ben, "Bo Birch", relation="father")
    world.relative(
        unborn, "Al Absent", relation="father", may_be_told="no"
    )  # nobody said that he is the same
    dissent = decided(world, conference, {ann: "Reasons one.", ben: "Reasons two.", unborn: "Reasons three."})
    letters = families(dissent)
    assert set(letters) == {"Mo Alder", "Al Absent", "Bo Birch"}
    hears = {name: {str(child) for child in letter.about.all()} for name, letter in letters.items()}
    assert hears == {
        "Mo Alder": {"Ann Alder", "Ben Birch", "Unborn child"},
        "Al Absent": {"Ann Alder"},
        "Bo Birch": {"Ben Birch"},
    }
    said = {name: text(letter) for name, letter in letters.items()}
    assert "the baby expected on 1 June 2026" in said["Mo Alder"]
    for name, own, not_own in (
        ("Al Absent", ["Ann Alder", "Reasons one."], ["Ben", "baby", "Reasons two", "Reasons three", "Mo"]),
        ("Bo Birch", ["Ben Birch", "Reasons two."], ["Ann", "baby", "Reasons one", "Reasons three", "Mo"]),
        (
            "Mo Alder",
            ["Reasons one.", "Reasons two.", "Reasons three."],
            ["Absent", "Bo Birch", "Safe Street"],
        ),
    ):
        assert all(words in said[name] for words in own), name
        assert not [words for words in not_own if words in said[name]], name


@pytest.mark.rule("ST-23")
@pytest.mark.parametrize(
    ("facts", "has_one"),
    [
        ({"may_be_told": "yes"}, True),
        ({"may_be_told": "no"}, False),
        ({"may_be_told": "ask"}, False),
        ({"may_be_told": ""}, False),
        ({"may_be_told": "yes", "court_restriction": "The court forbids it."}, False),
    ],
)
def test_only_a_yes_with_no_court_in_the_way_is_written_to(
    world: World, facts: dict[str, str], has_one: bool
) -> None:
    conference = world.conference()
    world.relative(conference.children.get(), **facts)
    dissent = world.decided(world.sat_about(conference))
    assert bool(families(dissent)) == has_one


@pytest.mark.rule("ST-23")
def test_two_people_of_one_name_are_two_unless_somebody_says_that_they_are_one(world: World) -> None:
    conference, (ann, ben) = named(world, "Ann Alder", "Ben Birch")
    world.relative(ann, "Jo Twin")
    world.relative(ben, "Jo Twin")
    dissent = decided(world, conference)
    letters = dissent.letters.in_force().exclude(who=None)
    assert sorted(len(letter.about.all()) for letter in letters) == [1, 1]


def test_the_same_person_is_taken_with_their_contact_and_not_recorded_twice(world: World) -> None:
    conference, (ann, ben) = named(world, "Ann Alder", "Ben Birch")
    mother = world.relative(ann, "Mo Alder", contact="email", details="mo@family.example")
    again = world.relative(ben, same_as=mother)
    assert (again.who, again.name, again.contact_details) == (mother.who, "Mo Alder", "mo@family.example")
    with pytest.raises(Refused, match="recorded with this child already"):
        world.relative(ben, same_as=mother)
    third = _third(world, conference)
    with pytest.raises(Refused, match="something else of this person"):
        actions.add_relative(
            child=third,
            same_as=mother,
            name="Another Name",
            relation="aunt",
            by=world.conference_administrator,
            at=NOW,
        )


def _third(world: World, conference: Conference) -> Child:
    return actions.add_child(
        conference=conference,
        name="Cal Alder",
        born_on=dt.date(2019, 1, 1),
        due_on=None,
        decision="not_made",
        category="",
        by=world.conference_administrator,
        at=RECORDED,
    )


def test_nobody_from_another_conference_is_taken_for_the_same_person(world: World) -> None:
    _, (ann,) = named(world, "Ann Alder")
    there = world.relative(ann, "Mo Alder")
    _, (ben,) = named(world, "Ben Birch")
    with pytest.raises(Refused, match="on the record of this conference"):
        world.relative(ben, same_as=there)


# --- what it says ----------------------------------------------------------------------------------


@pytest.mark.rule("ST-23", "ST-01")
def test_it_is_in_words_of_its_own_and_names_the_agency_and_no_professional(world: World) -> None:
    conference = world.conference()
    world.relative(conference.children.get())
    dissent = world.decided(world.sat_about(conference), outcome="upheld")
    said = text(families(dissent)["Mo Testson"])
    for words in (
        "School",
        "agrees that the decision should be thought over",
        "What the panel found",
        "complain",
    ):
        assert words in said
    names = [person.name for key, person in world.people.items() if key not in {"chair"}]
    for words in [*names, "The panel's reasons", "01632 960123", "@testshire.example", "Reason B"]:
        assert words not in said


@pytest.mark.rule("ST-23")
def test_the_dissenter_is_named_only_where_the_council_chose_so(world: World) -> None:
    def chosen(document: dict[str, Any]) -> None:
        letter = next(one for one in document["letters"] if one["key"] == "family")
        letter |= {"names_dissenter": True, "heading": "What {dissenter} asked about"}

    world.follow(chosen)
    conference = world.conference()
    world.relative(conference.children.get())
    said = text(families(world.decided(world.sat_about(conference)))["Mo Testson"])
    assert "What Teacher Testshire asked about" in said


@pytest.mark.rule("ST-23")
def test_a_procedure_that_writes_to_no_family_asks_for_no_plain_reasons_and_no_telling(world: World) -> None:
    def none(document: dict[str, Any]) -> None:
        document["letters"] = [one for one in document["letters"] if one["key"] != "family"]
        document["children_told"] = None

    world.follow(none)
    conference = world.conference()
    world.relative(conference.children.get())
    dissent = world.sat_about(conference)
    found = Found(outcome="not_upheld", reasons="Why.")
    actions.decide(
        dissent=dissent, findings={conference.children.get(): found}, by=world.superintendent, at=AT
    )
    assert not families(dissent)
    assert world.released(Dissent.objects.get(pk=dissent.pk)).state == "closed"


@pytest.mark.rule("ST-23")
@pytest.mark.parametrize(
    "words",
    [
        "",
        "Ann Alder was seen.",
        "We saw ANN at home.",
        "Mr Alder was not there.",
        "They live at 1 Safe Street now.",
        "Write to mo@family.example for more.",
        "As Teacher Testshire said.",
        "It was said that May was there.",
    ],
)
def test_plain_reasons_that_name_or_place_somebody_are_refused(world: World, words: str) -> None:
    conference, (ann,) = named(world, "Ann Alder")
    world.relative(ann, "Mo Alder", contact="email", details="mo@family.example")
    world.relative(ann, "Pat Birch", contact="post", details="1 Safe Street\nTesttown")
    world.relative(ann, "May Sample")
    dissent = world.sat_about(conference)
    found = Found(outcome="not_upheld", reasons="Why.", plain_reasons=words)
    with pytest.raises(Refused) as refused:
        actions.decide(dissent=dissent, findings={ann: found}, by=world.superintendent, at=AT)
    assert refused.value.field == "plain_reasons"
    assert not Decision.objects.filter(stage="panel").exists()


@pytest.mark.parametrize("words", ["You may ask us.", "The child was safe at home.", "May we explain?"])
def test_everyday_words_that_are_also_names_are_not_taken_for_somebody(world: World, words: str) -> None:
    conference, (ann,) = named(world, "Ann Alder")
    world.relative(ann, "May Sample")
    assert family_letters.named_in(words, world.raised(conference)) == []


# --- by which way ----------------------------------------------------------------------------------


def way_of(world: World, conference: Conference, name: str) -> tuple[str, str | None]:
    letter = families(world.decided(world.sat_about(conference)))[name]
    return letter.goes_by, letter.to.email if letter.to else None


@pytest.mark.rule("ST-23")
@pytest.mark.parametrize(
    ("contact", "details", "way"),
    [
        ("email", "Mo@Family.example", ("email", "mo@family.example")),
        ("post", "1 Safe Street\nTesttown", ("post", None)),
        ("by_hand", "Worker Testshire", ("by_hand", None)),
        ("", "", ("printed", None)),
    ],
)
def test_a_letter_goes_the_way_that_is_safe_and_is_printed_where_none_is(
    world: World, contact: str, details: str, way: tuple[str, str | None]
) -> None:
    conference = world.conference()
    world.relative(conference.children.get(), contact=contact, details=details)
    assert way_of(world, conference, "Mo Testson") == way


@pytest.mark.rule("ST-23")
def test_an_address_stands_only_in_the_letter_that_is_posted_to_it(world: World) -> None:
    conference = world.conference()
    child = conference.children.get()
    world.relative(child, "Pat Posted", contact="post", details="1 Safe Street\nTesttown")
    world.relative(child, "Hal Handed", contact="by_hand", details="Worker at 2 Office Road")
    letters = families(world.decided(world.sat_about(conference)))
    assert letters["Pat Posted"].says["addressee_lines"] == ["Pat Posted", "1 Safe Street", "Testtown"]
    assert letters["Hal Handed"].says["addressee_lines"] == ["Hal Handed"]
    everything = [text(letter) for letter in Letter.objects.exclude(addressee="Pat Posted")]
    assert not [said for said in everything if "Safe Street" in said or "Office Road" in said]
    assert not Letter.objects.filter(addressee__contains="Safe Street").exists()


@pytest.mark.rule("ST-23")
def test_an_address_that_could_be_somebody_elses_is_not_used(world: World) -> None:
    shared = "home@family.example"
    conference = world.conference()
    child = conference.children.get()
    world.relative(child, "Mo Testson", contact="email", details=shared)
    world.relative(child, "Fa Testson", contact="email", details=shared.upper())
    world.relative(child, "Te Testson", contact="email", details=world.nurse.email)
    world.relative(child, "Ma Testson", contact="email", details=world.business_manager.email)
    Person.objects.create_user("other@family.example", name="Somebody Else")
    world.relative(child, "Ot Testson", contact="email", details="other@family.example")
    letters = families(world.decided(world.sat_about(conference)))
    assert len(letters) == 5
    assert {(letter.to, letter.goes_by) for letter in letters.values()} == {(None, "printed")}


@pytest.mark.rule("ST-23")
def test_an_address_that_another_conference_has_for_somebody_else_is_not_used(world: World) -> None:
    _, (ann,) = named(world, "Ann Alder")
    world.relative(ann, "Somebody Else", contact="email", details="mo@family.example")
    conference = world.conference()
    world.relative(conference.children.get(), contact="email", details="mo@family.example")
    assert way_of(world, conference, "Mo Testson") == ("printed", None)


# --- released, and read ----------------------------------------------------------------------------


@pytest.mark.rule("ST-23")
def test_a_family_member_reads_their_own_letter_when_it_is_released_and_nothing_else(world: World) -> None:
    conference = world.conference()
    child = conference.children.get()
    world.relative(child, "Mo Testson", contact="email", details="mo@family.example")
    world.relative(child, "Fa Testson", contact="email", details="fa@family.example")
    dissent = world.decided(world.sat_about(conference))
    mother = Person.objects.get(email="mo@family.example")
    assert not Letter.objects.visible_to(mother, at=NOW).exists()
    world.released(dissent)
    assert [letter.to for letter in Letter.objects.visible_to(mother, at=NOW)] == [mother]
    assert not Dissent.objects.visible_to(mother, at=NOW).exists()
    assert not Conference.objects.visible_to(mother, at=NOW).exists()
    assert Notice.objects.filter(to=mother).count() == 1


@pytest.mark.rule("ST-23")
def test_a_printed_letter_is_handed_over_and_it_is_said_how(world: World) -> None:
    conference = world.conference()
    world.relative(conference.children.get())
    dissent = world.released(world.decided(world.sat_about(conference), outcome="not_upheld"))
    assert dissent.owes() == ["1 of 5 letters are not issued."]
    letter = families(dissent)["Mo Testson"]
    for how in ("", "email", "post"):
        with pytest.raises(Refused):
            actions.hand_over(letter=letter, how=how, by=world.business_manager, at=NOW)
    actions.hand_over(letter=letter, how="printed", by=world.business_manager, at=NOW)
    assert Dissent.objects.get(pk=dissent.pk).state == "closed"


@pytest.mark.rule("ST-13", "ST-23")
def test_the_clock_on_feedback_waits_for_professionals_and_for_no_family(world: World) -> None:
    conference = world.conference()
    world.relative(conference.children.get(), may_be_told="ask")
    dissent = world.released(world.decided(world.sat_about(conference), outcome="not_upheld"))
    assert dissent.letters_issued_at
    assert not dissent.clocks.filter(stopped=None).exists()
    assert dissent.owes() == ["It is not known yet whether somebody of the family may be told (1 to answer)."]


@pytest.mark.rule("ST-23")
def test_a_letter_that_the_record_does_not_bear_any_more_is_not_released(world: World) -> None:
    """An address that became a professional's since the letter was made."""
    conference = world.conference()
    world.relative(conference.children.get(), contact="email", details="mo@family.example")
    dissent = world.told(world.decided(world.sat_about(conference)))
    mother = Person.objects.get(email="mo@family.example")
    world.made()
    mother.agency = world.agency("Police")
    mother.save()
    with pytest.raises(Refused, match="Read them again"):
        actions.release_letters(dissent=dissent, by=world.business_manager, at=NOW)
    assert not Letter.objects.exclude(released_at=None).exists()
    assert families(dissent)["Mo Testson"].to is None
    world.released(dissent)
    assert not Letter.objects.visible_to(mother, at=NOW).exists()


# --- asked first -----------------------------------------------------------------------------------


@pytest.mark.rule("ST-23")
@pytest.mark.parametrize(
    "facts", [{"may_be_told": "ask"}, {"may_be_told": ""}, {"court_restriction": "Yes."}]
)
def test_once_it_is_answered_the_letter_is_made_and_waits_for_release(
    world: World, facts: dict[str, str]
) -> None:
    conference = world.conference()
    parent = world.relative(conference.children.get(), **facts)
    actions.confirm_explained(conference=conference, by=world.chair, at=RECORDED)
    dissent = world.sat_about(conference)
    actions.close_record(conference=conference, by=world.chair, at=RECORDED)
    dissent = world.released(world.decided(dissent, outcome="not_upheld"))
    assert dissent.state == "decided"
    answer(world, dissent, parent, by=world.conference_administrator)
    letter = families(dissent)["Mo Testson"]
    assert letter.released_at is None
    world.released(Dissent.objects.get(pk=dissent.pk))
    letter.refresh_from_db()
    assert letter.released_by == world.business_manager
    with pytest.raises(Refused, match="known already"):
        answer(world, dissent, parent)


@pytest.mark.rule("ST-23")
def test_a_no_makes_no_letter_and_lets_the_case_close(world: World) -> None:
    conference = world.conference()
    parent = world.relative(conference.children.get(), may_be_told="ask")
    dissent = world.released(world.decided(world.sat_about(conference), outcome="not_upheld"))
    answer(world, dissent, parent, may=False)
    assert not families(dissent)
    assert Dissent.objects.get(pk=dissent.pk).state == "closed"


@pytest.mark.rule("ST-23")
def test_a_letter_waits_until_everything_about_its_reader_is_answered(world: World) -> None:
    conference, (ann, ben) = named(world, "Ann Alder", "Ben Birch")
    mother = world.relative(ann, "Mo Alder")
    asked = world.relative(ben, same_as=mother, may_be_told="ask")
    dissent = decided(world, conference)
    assert not families(dissent)
    answer(world, dissent, asked, may=False)
    assert [str(child) for child in families(dissent)["Mo Alder"].about.all()] == ["Ann Alder"]


def test_only_whoever_releases_or_records_conferences_answers_and_says_who_said_so(world: World) -> None:
    conference = world.conference()
    parent = world.relative(conference.children.get(), may_be_told="ask")
    dissent = world.decided(world.sat_about(conference))
    for who in (world.chair, world.teacher, world.superintendent, world.unit_representative):
        with pytest.raises(PermissionDenied):
            answer(world, dissent, parent, by=who)
    for missing in ("said_by", "why"):
        with pytest.raises(Refused):
            answer(world, dissent, parent, **{missing: " "})


# --- held back -------------------------------------------------------------------------------------


@pytest.mark.rule("ST-23")
def test_whoever_is_held_back_gets_nothing_until_it_is_lifted_also_after_the_case_closed(
    world: World,
) -> None:
    conference = world.conference()
    parent = world.relative(conference.children.get(), contact="email", details="mo@family.example")
    dissent = world.decided(world.sat_about(conference), outcome="not_upheld")
    hold_back(world, dissent, parent)
    dissent = world.released(dissent)
    assert dissent.state == "closed", dissent.owes()
    mother = Person.objects.get(email="mo@family.example")
    assert not Letter.objects.visible_to(mother, at=NOW).exists()
    assert not Notice.objects.filter(to=mother).exists()
    actions.let_go(dissent=dissent, who=parent.who, because="It is over.", by=world.business_manager, at=NOW)
    actions.release_letters(dissent=dissent, by=world.business_manager, at=NOW)
    assert Letter.objects.visible_to(mother, at=NOW).count() == 1
    assert verify(world.council)[1] == []


@pytest.mark.rule("ST-23")
def test_a_printed_letter_of_somebody_held_back_is_not_handed_over(world: World) -> None:
    conference = world.conference()
    parent = world.relative(conference.children.get())
    dissent = world.released(world.decided(world.sat_about(conference)))
    hold_back(world, dissent, parent)
    with pytest.raises(Refused, match="held back"):
        actions.hand_over(
            letter=families(dissent)["Mo Testson"], how="printed", by=world.business_manager, at=NOW
        )


def test_nobody_is_held_back_without_a_reason_or_after_the_letter_went_out(world: World) -> None:
    conference = world.conference()
    parent = world.relative(conference.children.get(), contact="email", details="mo@family.example")
    dissent = world.decided(world.sat_about(conference))
    for wrong in ({"kind": "mood"}, {"why": " "}):
        with pytest.raises(Refused):
            hold_back(world, dissent, parent, **wrong)
    with pytest.raises(PermissionDenied):
        hold_back(world, dissent, parent, by=world.conference_administrator)
    dissent = world.released(dissent)
    with pytest.raises(Refused, match="gone out already"):
        hold_back(world, dissent, parent)


@pytest.mark.rule("ST-23")
def test_the_panels_chair_reads_no_longer_because_somebody_is_held_back(world: World) -> None:
    conference = world.conference()
    parent = world.relative(conference.children.get())
    dissent = world.decided(world.sat_about(conference))
    hold_back(world, dissent, parent)
    dissent = world.released(dissent)
    assert not Dissent.objects.heard_by(world.superintendent).exists()
    assert "panel_chair" not in dissent.relations(world.superintendent, at=NOW)


# --- a contact that changed ------------------------------------------------------------------------


@pytest.mark.rule("ST-23")
def test_what_was_not_issued_goes_to_the_new_contact_and_the_old_one_opens_nothing(world: World) -> None:
    conference, (ann, ben) = named(world, "Ann Alder", "Ben Birch")
    mother = world.relative(ann, "Mo Alder", contact="email", details="old@family.example")
    world.relative(ben, same_as=mother)
    dissent = decided(world, conference)
    old = Person.objects.get(email="old@family.example")
    world.made()
    new = change_contact(world, mother, "email", "new@family.example")
    assert [row.replaces.contact_details for row in new] == ["old@family.example"] * 2
    world.released(dissent)
    letter = families(Dissent.objects.get(pk=dissent.pk))["Mo Alder"]
    assert letter.to.email == "new@family.example"
    assert not Letter.objects.visible_to(old, at=NOW).exists()
    assert not Notice.objects.filter(to=old).exists()
    assert Relative.objects.filter(who=mother.who).count() == 4


def test_a_contact_changes_only_when_it_is_safe_and_said_why(world: World) -> None:
    conference = world.conference()
    parent = world.relative(conference.children.get(), contact="email", details="mo@family.example")
    for wrong in (
        {"details": "mo@family.example"},
        {"details": ""},
        {"because": ""},
        {"contact_confirmed_safe_by": ""},
        {"contact_confirmed_safe_on": None},
        {"contact": "pigeon"},
    ):
        said = {"contact": "email", "details": "new@family.example", **wrong}
        with pytest.raises(Refused):
            change_contact(world, parent, said.pop("contact"), said.pop("details"), **said)
    with pytest.raises(PermissionDenied):
        change_contact(world, parent, "", "", by=world.chair)
    assert Relative.objects.count() == 1


@pytest.mark.rule("ST-23")
def test_a_printed_letter_to_an_address_that_changed_is_not_handed_over(world: World) -> None:
    conference = world.conference()
    parent = world.relative(conference.children.get(), contact="post", details="1 Old Street\nTesttown")
    dissent = world.released(world.decided(world.sat_about(conference)))
    before = families(dissent)["Mo Testson"]
    change_contact(world, parent, "post", "2 New Street\nTesttown")
    with pytest.raises(Refused, match="not waiting to be handed over"):
        actions.hand_over(letter=before, how="post", by=world.business_manager, at=NOW)
    after = families(dissent)["Mo Testson"]
    assert "2 New Street" in text(after)
    assert after.released_at is None


# --- children --------------------------------------------------------------------------------------


def tell(world: World, dissent: Dissent, child: Child, **changed: Any) -> Any:
    said = {"told_on": NOW.date(), "told_by": "Worker", "by": world.service_manager, **changed}
    return actions.record_telling(dissent=dissent, child=child, at=NOW, **said)


@pytest.mark.rule("ST-23")
def test_the_case_closes_only_when_each_child_that_is_born_was_told_or_it_says_why_not(world: World) -> None:
    conference, (ann, ben, unborn) = named(world, "Ann Alder", "Ben Birch", unborn=True)
    dissent = decided(world, conference)
    world.made()
    actions.release_letters(dissent=dissent, by=world.business_manager, at=NOW)
    dissent = world.on_record(Dissent.objects.get(pk=dissent.pk))
    assert dissent.owes() == ["It is not recorded that the children were told (2 to record)."]
    tell(world, dissent, ann)
    with pytest.raises(Refused, match="recorded already"):
        tell(world, dissent, ann)
    with pytest.raises(Refused, match="nothing is to be recorded"):
        tell(world, dissent, unborn)
    tell(world, dissent, ben, told_on=None, told_by="", why_not="age", words="A few weeks old.")
    assert Dissent.objects.get(pk=dissent.pk).state == "closed"


@pytest.mark.rule("ST-23")
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"told_on": None}, "told_on"),
        ({"told_on": dt.date(2026, 3, 18)}, "told_on"),
        ({"told_on": dt.date(2026, 3, 15)}, "told_on"),
        ({"told_by": " "}, "told_by"),
        ({"why_not": "mood"}, "why_not"),
        ({"why_not": "risk", "words": ""}, "words"),
    ],
)
def test_a_telling_says_when_and_by_whom_or_why_not(world: World, wrong: dict[str, Any], field: str) -> None:
    dissent = world.decided()
    with pytest.raises(Refused) as refused:
        tell(world, dissent, dissent.children.get(), **wrong)
    assert refused.value.field == field


def test_only_the_unit_records_that_a_child_was_told(world: World) -> None:
    dissent = world.decided()
    for who in (world.business_manager, world.teacher, world.chair, world.conference_administrator):
        with pytest.raises(PermissionDenied):
            tell(world, dissent, dissent.children.get(), by=who)

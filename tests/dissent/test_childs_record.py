"""What goes onto a child's record: one file a child, made once, uploaded by whoever sat for the unit."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any, get_args

import pytest
from django.core.exceptions import PermissionDenied
from django_fsm import TransitionNotAllowed
from pypdf import PdfReader

from councils.procedure import Moment
from dissent import actions, childs_record
from dissent.actions import Found, Refused
from dissent.actions.childs_record import SaysTheSame
from dissent.models import Child, Conference, Dissent, LedgerEntry, Letter, RecordPack
from tests.families import A_MARK, Families
from tests.pdf_text import text_of
from tests.world import World, when

pytestmark = pytest.mark.django_db

NOW = when("2026-03-18 09:00")


@pytest.fixture
def world() -> World:
    return World(quick=True)


@pytest.mark.rule("ST-06", "ST-24")
def test_the_file_holds_form_steps_decision_letters_and_chronology_on_numbered_pages() -> None:
    world = World()
    dissent = world.let_out()
    pack = world.packed(dissent, at=NOW)
    pdf = bytes(pack.content.pdf)
    said = text_of(pdf)
    for words in (
        "LCS number: REC 0",
        "The reason as the teacher wrote it.",
        "Talked it over with the dissenter",
        "Uphold the dissent",
        "The panel's reasons.",
        "Letter to Officer Testshire, Officer, Police",
        "Dear Officer Testshire",
        "It was decided: Dissent Panel Superintendent",
        "Made by Unit Representative, 18 March 2026, 09:00. Confidential.",
    ):
        assert words in said, words
    pages = len(PdfReader(io.BytesIO(pdf)).pages)
    assert f"Page {pages} of {pages}" in said
    manifest = json.loads(bytes(pack.content.manifest))
    assert manifest["file"]["sha256"] == hashlib.sha256(pdf).hexdigest() == pack.sha256


@pytest.mark.rule("ST-24")
def test_the_case_closes_when_the_record_of_each_child_is_uploaded(world: World) -> None:
    dissent = world.let_out(outcome="not_upheld")
    assert dissent.owes() == ["It is not recorded that the decision is on each child’s record (1 to upload)."]
    pack = world.packed(dissent, at=NOW)
    by = world.unit_representative
    actions.record_upload(pack=pack, uploaded_on=NOW.date(), by=by, at=NOW)
    assert Dissent.objects.get().state == "closed"
    assert RecordPack.objects.get().upload_said_by == by
    assert LedgerEntry.objects.get(verb="record_upload").by == by


# --- whose it is -----------------------------------------------------------------------------------


def decided_about(world: World, conference: Conference, *children: Child, **answers: str) -> Dissent:
    """Decided for each of these children in words of their own, with the letters out."""
    raised = world.filled_in(world.raised(conference, children=list(children)), **answers)
    dissent = actions.file_dissent(dissent=raised, by=world.teacher, at=when("2026-03-03 15:00"))
    dissent = world.sat(world.convened(world.escalated(world.offered(world.reviewed(dissent)))))
    found = {
        child: Found(outcome="not_upheld", reasons=f"Found for {child}.", plain_reasons="Said plainly.")
        for child in children
    }
    actions.decide(dissent=dissent, findings=found, by=world.superintendent, at=when("2026-03-16 13:00"))
    dissent = world.let_out(Dissent.objects.get(pk=dissent.pk))
    world.numbered(dissent)
    return dissent


def said(pack: RecordPack) -> str:
    return json.dumps(pack.says, ensure_ascii=False)


def rows(pack: RecordPack, part: str) -> list[list[str]]:
    table = next(each["table"] for each in pack.says["parts"] if each["title"] == part)
    return table["rows"] if table else []


@pytest.mark.rule("ST-24")
def test_each_child_has_a_file_in_which_nothing_of_another_stands(world: World) -> None:
    conference = world.conference(children=3)
    first, second, third = conference.children.all()
    dissent = decided_about(world, conference, first, second)
    packs = {child: world.packed(dissent, child, at=NOW) for child in (first, second)}
    for mine, other in ((first, second), (second, first)):
        words = said(packs[mine])
        assert f"Found for {mine}." in words
        assert mine.name in words
        assert words.count("It was recorded that the child was told") == 1
        for strange in (other.name, f"Found for {other}.", third.name, "REC 2"):
            assert strange not in words
    with pytest.raises(Refused, match="not about that child"):
        world.packed(dissent, third, at=NOW)


def test_a_letter_that_speaks_of_another_child_is_listed_with_its_hash_and_is_not_put_in(
    world: World,
) -> None:
    conference = world.conference(children=2)
    dissent = decided_about(world, conference, *conference.children.all())
    pack = world.packed(dissent, at=NOW)
    assert pack.says["letters"] == []
    listed = rows(pack, "Letters")
    assert len(listed) == 4
    assert {row[2] for row in listed} == {
        "It does not speak of this child alone, so it is kept with the case."
    }
    assert {row[3] for row in listed} == set(Letter.objects.values_list("sha256", flat=True))


@pytest.mark.rule("ST-24")
def test_a_letter_to_a_family_is_listed_without_its_address_and_never_put_in(world: World) -> None:
    conference = world.conference()
    child = conference.children.get()
    address = "7 Hidden Lane\nHollow Town"
    world.relative(child, "Mo Testson", contact="post", details=address)
    world.relative(child, "Uncle Testson", relation="uncle", may_be_told="no", may_be_told_why="A secret.")
    dissent = decided_about(world, conference, child)
    letter = Letter.objects.get(who__isnull=False)
    actions.hand_over(letter=letter, how="post", by=world.business_manager, at=NOW)
    pack = world.packed(dissent, at=NOW)
    assert ["Mo Testson, mother", "18 March 2026, 09:00, by post"] in [
        row[:2] for row in rows(pack, "Letters")
    ]
    assert str(letter.pk) not in {each["id"] for each in pack.says["letters"]}
    assert len(pack.says["letters"]) == 4
    for hidden in ("Hidden Lane", "Hollow Town", "Uncle Testson", "A secret."):
        assert hidden not in said(pack)


def test_an_address_on_the_record_is_left_out_of_what_somebody_wrote_however_it_is_spaced(
    world: World,
) -> None:
    conference = world.conference(children=2)
    first, second = conference.children.all()
    world.relative(second, "Mo Testson", contact="post", details="7 Hidden Lane\nHollow Town")
    reason = "She lives at 7  hidden\nLANE, Hollow Town, and 17 Hidden Lanes is elsewhere."
    pack = world.packed(decided_about(world, conference, first, reason=reason), first, at=NOW)
    left = childs_record.LEFT_OUT
    assert f"She lives at {left}, {left}, and 17 Hidden Lanes is elsewhere." in said(pack)


def test_what_every_letter_says_and_who_brings_one_by_hand_is_no_address(world: World) -> None:
    conference = world.conference()
    child = conference.children.get()
    world.relative(child, "Mo Testson", contact="post", details="9 Other Road\nTestshire")
    world.relative(child, "Flo Testson", contact="by_hand", details="Worker Testshire")
    pack = world.packed(decided_about(world, conference, child), at=NOW)
    assert len(pack.says["letters"]) == 4
    assert pack.says["council"] == "Testshire Council"
    assert "told on 17 March 2026, by Worker Testshire" in said(pack)
    assert childs_record.LEFT_OUT not in said(pack)


def test_a_letter_in_which_an_address_stands_is_not_put_in(world: World) -> None:
    conference = world.conference()
    child = conference.children.get()
    dissent = decided_about(world, conference, child)
    actions.add_relative(
        child=child,
        name="Mo Testson",
        relation="mother",
        contact="post",
        contact_details="Found for Child A",
        contact_confirmed_safe_by="Worker",
        contact_confirmed_safe_on=NOW.date(),
        by=world.conference_administrator,
        at=NOW,
    )
    pack = world.packed(dissent, at=NOW)
    assert pack.says["letters"] == []
    assert "Found for" not in said(pack)


@pytest.mark.parametrize("seed", range(3))
def test_no_file_of_families_drawn_by_lot_holds_a_mark_that_is_another_childs_or_anybodys_address(
    world: World, seed: int
) -> None:
    families = Families(world, seed)
    for _ in range(3):
        family = families.draw()
        private = {mark for one in family.people for mark in one.own | set(A_MARK.findall(one.email))}
        named = {mark for one in family.people for mark in A_MARK.findall(one.name)}
        packs = RecordPack.objects.in_force().filter(dissent=family.dissent)
        assert {pack.child_id for pack in packs} == {child.pk for child in family.children.values()}
        for mark, child in family.children.items():
            pack = packs.get(child=child)
            found = set(A_MARK.findall(said(pack)))
            others = {other for other in family.children if other != mark}
            assert mark in found
            assert not found & others
            assert not found & {family.plain[other] for other in others}
            assert not found & (private - named), "an address"
            may_hear = {row.name for row in child.relatives.in_force()}
            strangers = {one.name for one in family.people} - may_hear
            assert not [name for name in strangers if name in said(pack)]


# --- what it is made from --------------------------------------------------------------------------


def test_the_manifest_gives_the_hash_of_each_part_and_of_each_letter_as_it_was_sent() -> None:
    world = World()
    dissent = world.let_out()
    pack = world.packed(dissent, at=NOW)
    manifest = json.loads(bytes(pack.content.manifest))
    assert hashlib.sha256(bytes(pack.content.manifest)).hexdigest() == pack.manifest_sha256
    hashes = {part["title"]: part["sha256"] for part in manifest["parts"]}
    for part in pack.says["parts"]:
        assert hashes[part["title"]] == childs_record.digest(part)
    for letter in Letter.objects.select_related("content"):
        sent = hashlib.sha256(bytes(letter.content.pdf)).hexdigest()
        assert hashes[f"Letter to {letter.addressee}"] == sent == letter.sha256
    assert manifest["record"] == "LCS number: REC 0"
    assert manifest["made_by"] == "Unit Representative, Unit Representative"
    assert LedgerEntry.objects.filter(sha256=manifest["ledger"]).exists()
    values = LedgerEntry.objects.get(verb="make_record_pack").values.values
    assert (values["sha256"], values["manifest"]) == (pack.sha256, pack.manifest_sha256)
    page = childs_record.page(pack.says, stamp=childs_record.stamp(world.unit_representative, NOW))
    letters = [bytes(Letter.objects.get(pk=each["id"]).content.pdf) for each in pack.says["letters"]]
    assert actions.childs_record.bundle(page, letters) == bytes(pack.content.pdf), "the same bytes again"


def test_the_chronology_is_in_order_and_says_when_each_thing_was_recorded_and_by_whom(world: World) -> None:
    dissent = world.let_out(world.decided(world.sat(at=when("2026-03-13 12:00"))))
    listed = rows(world.packed(dissent, at=NOW), "Chronology")
    what = [row[1] for row in listed]
    assert what[:4] == [
        "The conference began",
        "The conference ended",
        "The dissent was recorded in the conference",
        "The form was sent",
    ]
    first, second = (each.label for each in dissent.rules.stages[0].steps)
    assert what.index(first) < what.index(second) < what.index("It was decided: Dissent Panel")
    assert listed[0][2:] == ["Conference Administrator, Conference Administrator", "3 March 2026, 12:30"]
    assert what[-1] == "The last letter to a professional went out: Dissent Panel"


def test_every_moment_of_a_procedure_has_words_in_the_chronology() -> None:
    assert set(childs_record.MOMENTS) == set(get_args(Moment))


# --- made once, and again --------------------------------------------------------------------------


def test_it_is_not_made_twice_where_it_would_say_the_same(world: World) -> None:
    dissent = world.let_out()
    world.packed(dissent, at=NOW)
    with pytest.raises(SaysTheSame):
        world.packed(dissent, at=NOW)
    assert RecordPack.objects.count() == 1


def test_where_something_was_recorded_since_a_newer_one_takes_its_place_and_the_old_one_is_kept(
    world: World,
) -> None:
    dissent = world.let_out()
    old = world.packed(dissent, at=NOW)
    world.reheard(dissent)
    new = world.packed(Dissent.objects.get(), at=when("2026-04-02 09:00"))
    old.refresh_from_db()
    assert (old.replaced_at, new.replaced_at) == (when("2026-04-02 09:00"), None)
    assert bytes(old.content.manifest)
    assert "The further conference was held" in said(new)
    with pytest.raises(Refused, match="newer file has taken the place"):
        actions.record_upload(
            pack=old, uploaded_on=NOW.date(), by=world.unit_representative, at=when("2026-04-02 10:00")
        )


def test_what_is_recorded_while_it_is_made_is_not_lost(world: World) -> None:
    dissent = world.let_out(world.decided())
    world.numbered(dissent)
    child = dissent.children.get()

    def meanwhile(*_: Any) -> bytes:
        actions.fill_in_record_number(
            child=child,
            record_number="18",
            instead_of="REC 0",
            because="Mistaken.",
            by=world.conference_administrator,
            at=NOW,
        )
        return b"%PDF-"

    with pytest.raises(Refused, match="Make it again"):
        actions.childs_record._make(dissent, child, write=meanwhile, by=world.unit_representative, at=NOW)
    assert not RecordPack.objects.exists()


@pytest.mark.rule("ST-06")
def test_it_waits_for_the_number_and_for_the_letters(world: World) -> None:
    dissent = world.decided()
    child, by = dissent.children.get(), world.unit_representative
    with pytest.raises(Refused, match="LCS number of Child A Testson is not known"):
        actions.make_record_pack(dissent=dissent, child=child, by=by, at=NOW)
    world.numbered(dissent)
    with pytest.raises(Refused, match="have not gone out"):
        actions.make_record_pack(dissent=dissent, child=child, by=by, at=NOW)


@pytest.mark.rule("ST-06")
def test_the_form_of_a_dissent_that_was_withdrawn_can_go_onto_the_record_and_nothing_waits_for_it(
    world: World,
) -> None:
    dissent = world.withdrawn(world.sat())
    assert dissent.state == "closed"
    world.numbered(dissent)
    child = dissent.children.get()
    pack = actions.childs_record._make(
        dissent, child, write=lambda *_: b"%PDF-", by=world.service_manager, at=NOW
    )
    assert "The dissenter withdrew" in said(pack)
    with pytest.raises(PermissionDenied):
        actions.make_record_pack(dissent=dissent, child=child, by=world.unit_representative, at=NOW)


# --- who uploads it --------------------------------------------------------------------------------


@pytest.mark.rule("ST-24")
def test_whoever_sat_for_the_unit_uploads_it_and_where_they_are_away_whoever_reads_it_in_the_unit(
    world: World,
) -> None:
    dissent = world.let_out(outcome="not_upheld")
    world.numbered(dissent)
    world.appoint("unit_representative", "Another Representative", key="another")
    child = dissent.children.get()
    for who in ("another", "service_manager", "business_manager", "superintendent", "chair", "teacher"):
        with pytest.raises(PermissionDenied):
            actions.make_record_pack(dissent=dissent, child=child, by=world.people[who], at=NOW)
    pack = world.packed(dissent, at=NOW)
    world.away("unit_representative", stands_in=None, at=NOW)
    later = when("2026-03-20 09:00")
    with pytest.raises(PermissionDenied):
        actions.record_upload(pack=pack, uploaded_on=later.date(), by=world.another, at=later)
    actions.record_upload(pack=pack, uploaded_on=later.date(), by=world.service_manager, at=later)
    assert Dissent.objects.get().state == "closed"


def test_it_is_uploaded_on_a_day_on_which_there_was_a_file_and_that_has_come(world: World) -> None:
    pack, by = world.packed(world.let_out(), at=NOW), world.unit_representative
    for day, why in ((17, "after this day"), (19, "not come yet")):
        with pytest.raises(Refused, match=why) as refused:
            actions.record_upload(pack=pack, uploaded_on=NOW.date().replace(day=day), by=by, at=NOW)
        assert refused.value.field == "uploaded_on"
    actions.record_upload(pack=pack, uploaded_on=NOW.date(), by=by, at=NOW)
    with pytest.raises(TransitionNotAllowed):
        actions.record_upload(pack=pack, uploaded_on=NOW.date(), by=world.service_manager, at=NOW)


@pytest.mark.rule("ST-24")
def test_a_case_about_three_children_waits_for_each_of_them(world: World) -> None:
    conference = world.conference(children=3)
    dissent = decided_about(world, conference, *conference.children.all())
    for number, child in enumerate(conference.children.all()):
        again = Dissent.objects.get(pk=dissent.pk)
        assert again.owes() == [
            f"It is not recorded that the decision is on each child’s record ({3 - number} to upload)."
        ]
        pack = world.packed(again, child, at=NOW)
        actions.record_upload(pack=pack, uploaded_on=NOW.date(), by=world.unit_representative, at=NOW)
    assert Dissent.objects.get(pk=dissent.pk).state == "closed"


def test_a_procedure_that_asks_for_no_record_closes_without_one_and_shows_nobody_more(world: World) -> None:
    def without(document: dict[str, Any]) -> None:
        document["childs_record"] = None

    world.follow(without)
    dissent = world.let_out(outcome="not_upheld")
    assert dissent.state == "closed"
    assert not Dissent.objects.visible_to(world.unit_representative, at=NOW).exists()
    with pytest.raises(PermissionDenied):
        actions.make_record_pack(
            dissent=dissent, child=dissent.children.get(), by=world.service_manager, at=NOW
        )


# --- the number ------------------------------------------------------------------------------------


@pytest.mark.rule("ST-06")
@pytest.mark.parametrize("who", ["chair", "teacher", "service_manager", "business_manager", "administrator"])
def test_the_number_is_filled_in_by_the_conference_administrator_and_by_nobody_else(
    world: World, who: str
) -> None:
    child = world.raised().children.get()
    with pytest.raises(PermissionDenied):
        actions.fill_in_record_number(child=child, record_number="17", by=world.people[who], at=NOW)
    assert Child.objects.get().record_number == ""


@pytest.mark.rule("ST-06")
def test_the_number_can_be_put_right_when_the_conference_is_closed_and_the_ledger_keeps_both(
    world: World,
) -> None:
    child = world.raised().children.get()
    actions.confirm_explained(conference=child.conference, by=world.chair, at=NOW)
    actions.close_record(conference=child.conference, by=world.chair, at=NOW)
    change = {"child": child, "by": world.conference_administrator, "at": NOW}
    actions.fill_in_record_number(record_number=" 17 ", **change)
    with pytest.raises(Refused, match="Say why"):
        actions.fill_in_record_number(record_number="18", instead_of="17", **change)
    actions.fill_in_record_number(record_number="18", instead_of="17", because="Mistaken.", **change)
    kept = LedgerEntry.objects.filter(verb="fill_in_record_number").order_by("sequence").last()
    assert kept.values.values == {"record_number": "18", "instead_of": "17", "because": "Mistaken."}


@pytest.mark.parametrize(
    ("number", "seen", "why"),
    [
        (" ", "REC 0", "Enter the LCS number"),
        ("REC 0", "REC 0", "on the record already"),
        ("rec 1", "REC 0", "This is the LCS number of Child"),
        ("18", "", "Somebody else has filled in another LCS number meanwhile: REC 0"),
    ],
)
def test_a_number_that_cannot_be_is_refused_at_its_field(
    world: World, number: str, seen: str, why: str
) -> None:
    conference = world.conference(children=2)
    world.numbered(world.raised(conference))
    with pytest.raises(Refused, match=why) as refused:
        actions.fill_in_record_number(
            child=conference.children.first(),
            record_number=number,
            instead_of=seen,
            because="Why.",
            by=world.conference_administrator,
            at=NOW,
        )
    assert refused.value.field == "record_number"

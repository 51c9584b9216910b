"""The pages on which what was wrong is put right: what it is, what follows, and then the button."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dissent import actions
from dissent.models import Attendance, Child, Correction, Dissent, LedgerEntry, Letter
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World(quick=True)


class Reader:
    """Somebody at their browser: opens pages, and presses buttons."""

    def __init__(self, person: Any) -> None:
        self.client = Client()
        self.client.force_login(person)

    def get(self, address: str, status: int = 200) -> str:
        return self._said(self.client.get(address), status)

    def post(self, address: str, data: dict[str, Any], status: int = 200, follow: bool = False) -> str:
        return self._said(self.client.post(address, data, follow=follow), status)

    def typed(self, address: str) -> dict[str, str]:
        """Return what the form of a page would send if nothing were changed."""
        page = self.client.get(address).content.decode()
        sent = {}
        for tag in re.findall(r"<input[^>]*>", page):
            name, value = (re.search(rf'\b{key}="([^"]*)"', tag) for key in ("name", "value"))
            if not name or ('type="radio"' in tag and "checked" not in tag):
                continue
            sent[name[1]] = unescape(value[1]) if value else ""
        for name, text in re.findall(r'(?s)<textarea[^>]*name="([^"]+)"[^>]*>\s?(.*?)</textarea>', page):
            sent[name] = unescape(text)
        for name, options in re.findall(r'(?s)<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page):
            chosen = re.search(r'<option value="([^"]*)"[^>]*\bselected', options)
            sent[name] = chosen[1] if chosen else ""
        sent.pop("csrfmiddlewaretoken", None)
        return sent

    @staticmethod
    def _said(answer: Any, status: int) -> str:
        body = re.sub(r"(?s)<head>.*?</head>", "", answer.content.decode())
        said = " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())
        assert answer.status_code == status, said
        return said


def of_child(child: Child) -> str:
    return reverse("correct_child", args=[child.conference_id, child.pk])


def issued(world: World, *, children: int = 1) -> Dissent:
    conference = world.conference(children=children)
    for child in conference.children.all():
        world.relative(child, f"Mo of {child}", contact="email", details=f"{child.pk}@family.example")
    return world.released(world.decided(world.sat_about(conference), outcome="not_upheld"))


# --- a child ---------------------------------------------------------------------------------------


def test_the_administrator_sees_what_follows_before_the_button(world: World) -> None:
    dissent = issued(world)
    child = dissent.children.get()
    reader = Reader(world.conference_administrator)
    assert "Correct name or date of Child A Testson" in reader.get(f"/conferences/{dissent.conference_id}/")
    sent = reader.typed(of_child(child))
    assert (sent["name"], sent["born_on_day"], sent["born_on_year"]) == ("Child A Testson", "1", "2018")
    sent |= {"born_on_year": "2019", "because": "The year was mistyped."}
    said = reader.post(of_child(child), {**sent, "then": "check"})
    assert f"{dissent.reference}: 4 letters to professionals taken back at once" in said
    assert "and new ones are made. Their readers are told." in said
    assert f"{dissent.reference}: the file for a child’s record is made and uploaded again." in said
    assert "1 May 2019" in said
    assert not Correction.objects.exists()
    assert LedgerEntry.objects.filter(verb="correct_child").count() == 0
    said = reader.post(of_child(child), {**sent, "then": "correct"}, follow=True)
    assert "It is corrected, and what follows from that is done." in said
    assert "Born: 1 May 2018 Born: 1 May 2019 The year was mistyped." in said
    assert Child.objects.get().born_on.year == 2019


def test_whose_dissent_it_is_is_not_said_to_the_administrator(world: World) -> None:
    dissent = issued(world)
    child = dissent.children.get()
    reader = Reader(world.conference_administrator)
    sent = {**reader.typed(of_child(child)), "born_on_year": "2019", "because": "Why.", "then": "check"}
    assert dissent.attendance.name not in reader.post(of_child(child), sent)


def test_what_was_typed_is_there_to_be_changed(world: World) -> None:
    child = world.conference().children.get()
    reader = Reader(world.conference_administrator)
    sent = {**reader.typed(of_child(child)), "born_on_year": "2019", "because": "Typed <b>badly</b>."}
    checked = reader.client.post(of_child(child), {**sent, "then": "check"}).content.decode()
    assert 'name="because" value="Typed &lt;b&gt;badly&lt;/b&gt;."' in checked
    assert "No letter and no time limit changes." in checked
    changed = reader.client.post(of_child(child), {**sent, "then": "change"}).content.decode()
    assert "Typed &lt;b&gt;badly&lt;/b&gt;." in changed
    assert 'value="2019"' in changed


def test_a_refusal_stands_at_the_field_and_loses_nothing(world: World) -> None:
    child = world.conference().children.get()
    reader = Reader(world.conference_administrator)
    sent = {**reader.typed(of_child(child)), "because": "Nothing is wrong.", "then": "check"}
    said = reader.post(of_child(child), sent, status=422)
    assert "The record says the same already." in said
    assert "Nothing is wrong." in said
    assert "Say what was wrong" in reader.post(of_child(child), {**sent, "because": ""}, status=422)


def test_whoever_shows_what_was_corrected_meanwhile_is_told_that_the_record_moved_on(world: World) -> None:
    child = world.conference().children.get()
    first, second = (Reader(world.conference_administrator) for _ in range(2))
    sent = {**first.typed(of_child(child)), "because": "Misheard.", "then": "correct"}
    first.post(of_child(child), {**sent, "name": "Child Y Testson"}, status=302)
    said = second.post(of_child(child), {**sent, "name": "Child Z Testson"}, status=409)
    assert "Somebody else corrected this meanwhile." in said
    assert "Child Z Testson" in said
    assert Child.objects.get().name == "Child Y Testson"


def test_nobody_else_finds_the_pages(world: World) -> None:
    dissent = issued(world)
    conference, child = dissent.conference, dissent.children.get()
    attendance = dissent.attendance
    pages = [
        of_child(child),
        reverse("correct_end", args=[conference.pk]),
        reverse("correct_attendance", args=[conference.pk, attendance.pk]),
    ]
    elsewhere = World(key="elsewhere", quick=True)
    for person in (world.chair, world.service_manager, world.teacher, elsewhere.conference_administrator):
        for page in pages:
            Reader(person).get(page, status=404)
    assert "Correct" not in Reader(world.chair).get(f"/conferences/{conference.pk}/")


# --- the letter that was taken back ----------------------------------------------------------------


def corrected(world: World, dissent: Dissent) -> Letter:
    """The letter to the officer, after a child's date was corrected."""
    letter = Letter.objects.in_force().get(dissent=dissent, to=world.officer)
    child = dissent.children.first()
    actions.correct_child(
        child=child,
        name=child.name,
        born_on=child.born_on.replace(year=2019),
        due_on=None,
        because="The year was mistyped.",
        by=world.conference_administrator,
        at=timezone.now(),
    )
    return letter


def test_its_link_says_that_it_was_taken_back_and_that_another_comes(world: World) -> None:
    dissent = issued(world)
    letter = corrected(world, dissent)
    reader = Reader(world.officer)
    for page in ("letter", "letter_pdf"):
        said = reader.get(reverse(page, args=[letter.pk]), status=410)
        assert "This letter was taken back" in said
        assert "A new letter takes its place. You get a message as soon as you can read it." in said
        assert dissent.reference in said
        for content in ("Testson", "2018", "panel", "mistyped", letter.says["heading"]):
            assert content not in said
    assert LedgerEntry.objects.filter(verb="read_letter_taken_back", by=world.officer).count() == 2
    for other in (world.nurse, world.business_manager, world.chair):
        Reader(other).get(reverse("letter", args=[letter.pk]), status=404)


def test_its_link_leads_to_the_new_one_once_that_is_there(world: World) -> None:
    dissent = issued(world)
    letter = corrected(world, dissent)
    now = timezone.now()
    world.made(at=now)
    actions.release_letters(dissent=dissent, by=world.business_manager, at=now)
    new = Letter.objects.in_force().get(dissent=dissent, to=world.officer)
    reader = Reader(world.officer)
    assert "Open the new letter" in reader.get(reverse("letter", args=[letter.pk]), status=410)
    reader.get(reverse("letter", args=[new.pk]))


def test_who_should_have_had_none_is_told_so(world: World) -> None:
    dissent = issued(world)
    letter = Letter.objects.in_force().get(dissent=dissent, to=world.officer)
    attendance = Attendance.objects.get(person=world.officer)
    reader = Reader(world.conference_administrator)
    page = reverse("correct_attendance", args=[dissent.conference_id, attendance.pk])
    sent = {**reader.typed(page), "present": "no", "because": "They were ill."}
    said = reader.post(page, {**sent, "then": "check"})
    assert "1 letter to professionals taken back at once, and no other letter takes its place." in said
    reader.post(page, {**sent, "then": "correct"}, status=302)
    said = Reader(world.officer).get(reverse("letter", args=[letter.pk]), status=410)
    assert "It should not have been sent to you, and no other letter takes its place." in said
    assert "Present: Yes Present: No" in reader.get(f"/conferences/{dissent.conference_id}/")
    reader.client.get(page)  # corrected already: back to the record
    assert reader.client.get(page).status_code == 302
    assert "corrected this meanwhile" in reader.post(page, {**sent, "then": "correct"}, status=409)


def test_whoever_releases_sees_which_letters_were_taken_back_and_why(world: World) -> None:
    dissent = issued(world)
    corrected(world, dissent)
    said = Reader(world.business_manager).get(f"/dissents/{dissent.pk}/letters/")
    assert "Letters that were taken back" in said
    assert "The year was mistyped. They are told by a message, and the link says so." in said


# --- the end of the conference ---------------------------------------------------------------------


def test_the_end_is_corrected_and_the_page_says_that_a_limit_moves(world: World) -> None:
    dissent = world.raised()
    reader = Reader(world.conference_administrator)
    page = reverse("correct_end", args=[dissent.conference_id])
    sent = {**reader.typed(page), "ended_at_time": "11:45", "because": "Mistyped."}
    said = reader.post(page, {**sent, "then": "check"})
    assert f"{dissent.reference}: a time limit is worked out again. Whoever acts on it is told." in said
    assert "4 March" not in said
    reader.post(page, {**sent, "then": "correct"}, status=302)
    said = reader.get(f"/conferences/{dissent.conference_id}/")
    assert "Ended: Tuesday 3 March 2026, 11:45 Mistyped." in said


# --- a decision ------------------------------------------------------------------------------------


def test_whoever_was_in_the_chair_corrects_the_decision_and_reads_nothing_else(world: World) -> None:
    dissent = issued(world, children=2)
    reader = Reader(world.superintendent)
    page = reverse("correct_decision", args=[dissent.pk])
    for closed in (f"/dissents/{dissent.pk}/", f"/panels/{dissent.panel_id}/"):
        reader.get(closed, status=404)
    sent = reader.typed(page)
    assert (sent["outcome_1"], sent["reasons_2"]) == ("not_upheld", "The panel's reasons.")
    sent |= {"outcome_2": "upheld", "ground_2": "A", "because": "The two children were mixed up."}
    said = reader.post(page, {**sent, "then": "check"})
    assert f"{dissent.reference}: 4 letters to professionals taken back at once" in said
    assert f"{dissent.reference}: 1 letter to a family taken back at once" in said
    assert f"{dissent.reference}: a further conference is owed." in said
    assert "Mo of" not in said
    reader.post(page, {**sent, "then": "correct"}, status=302)
    assert Dissent.objects.get().state == "reconvening"
    said = Reader(world.business_manager).get(f"/dissents/{dissent.pk}/?part=decision")
    assert "It does not count any more." in said
    assert "The two children were mixed up." in said
    history = Reader(world.business_manager).get(f"/dissents/{dissent.pk}/?part=history")
    assert "What was decided about which child corrected" in history
    assert "The two children were mixed up." in history


def test_a_reviewer_finds_the_way_to_correct_their_decision_on_the_case(world: World) -> None:
    dissent = world.offered()
    reader = Reader(world.service_manager)
    page = reverse("correct_decision", args=[dissent.pk])
    assert "Correct it, where it was recorded of the wrong child" in reader.get(
        f"/dissents/{dissent.pk}/?part=decision"
    )
    sent = {**reader.typed(page), "reasons": "Said of the right child.", "because": "Mixed up."}
    reader.post(page, {**sent, "then": "correct"}, status=302)
    assert Dissent.objects.get().decision_in_force().replaces


def test_a_decision_that_was_answered_by_a_further_conference_is_not_to_be_corrected(world: World) -> None:
    dissent = world.reheard()
    reader = Reader(world.superintendent)
    page = reverse("correct_decision", args=[dissent.pk])
    assert reader.client.get(page).status_code == 302
    sent = {"outcome": "not_upheld", "reasons": "x", "plain_reasons": "x", "because": "x", "then": "correct"}
    assert "A further conference was held on the strength" in reader.post(page, sent, status=422)


def test_nobody_who_did_not_decide_finds_the_page(world: World) -> None:
    dissent = issued(world)
    page = reverse("correct_decision", args=[dissent.pk])
    for person in (world.head_nurse, world.business_manager, world.chair, world.teacher):
        Reader(person).get(page, status=404)
        assert not Dissent.objects.presided_by(person).exists()


def test_whoever_reads_the_case_is_told_who_can_correct_the_decision_and_where(world: World) -> None:
    dissent = issued(world)
    said = Reader(world.business_manager).get(f"/dissents/{dissent.pk}/?part=decision")
    assert f"ask {world.superintendent.name} to correct it at" in said
    assert reverse("correct_decision", args=[dissent.pk]) in said


def test_what_the_conference_decided_for_a_child_is_corrected_on_the_same_page(world: World) -> None:
    child = world.conference().children.get()
    reader = Reader(world.conference_administrator)
    home = f"/conferences/{child.conference_id}/"
    assert "Correct decision for Child A Testson" in reader.get(home)
    sent = {
        **reader.typed(of_child(child)),
        "decision": "made",
        "category": "neglect",
        "because": "Mixed up.",
    }
    assert "A child protection plan was made" in reader.post(of_child(child), {**sent, "then": "check"})
    reader.post(of_child(child), {**sent, "then": "correct"}, status=302)
    assert "Category: nothing Decision: A child protection plan was made; Category: Neglect" in reader.get(
        home
    )

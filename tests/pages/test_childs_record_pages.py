"""The pages of a child's record: made, read, uploaded; its number filled in by the administrator alone."""

from __future__ import annotations

import hashlib
import html
import json
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from councils.models import Person
from dissent import actions
from dissent.models import Child, Dissent, LedgerEntry, RecordPack
from tests.world import World, when

pytestmark = pytest.mark.django_db

AT = when("2026-03-18 09:00")


@pytest.fixture
def world() -> World:
    return World(quick=True)


def as_(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def text(answer) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())).split())


def home(dissent: Dissent, *rest: object) -> str:
    return f"/dissents/{dissent.pk}/record/" + "".join(f"{each}/" for each in rest)


def on(day: str) -> dict[str, str]:
    names = ("uploaded_on_day", "uploaded_on_month", "uploaded_on_year")
    return dict(zip(names, day.split(), strict=True))


def number_page(child: Child) -> str:
    return reverse("fill_in_record_number", args=[child.conference_id, child.pk])


# --- made, read, uploaded --------------------------------------------------------------------------


@pytest.mark.rule("ST-06", "ST-24")
def test_whoever_sat_for_the_unit_finds_the_task_makes_the_file_reads_it_and_says_it_is_uploaded(
    world: World,
) -> None:
    dissent = world.let_out(outcome="not_upheld")
    world.numbered(dissent)
    child = dissent.children.get()
    rosa = as_(world.unit_representative)
    assert "Put the decision onto the record of Child A Testson" in text(rosa.get("/work/"))
    assert "What goes onto the children’s records" in text(rosa.get(f"/dissents/{dissent.pk}/"))
    assert "Not made yet" in text(rosa.get(home(dissent)))
    answer = rosa.post(home(dissent, child.pk), follow=True)
    assert "It is made. Read it" in text(answer)
    pack = RecordPack.objects.get()
    file = rosa.get(reverse("record_pdf", args=[pack.pk]))
    assert file["Content-Disposition"] == f'attachment; filename="{dissent.reference}-record-REC-0.pdf"'
    assert (file["Cache-Control"], file["X-Robots-Tag"]) == ("private, no-store", "noindex, nofollow")
    assert hashlib.sha256(file.content).hexdigest() == pack.sha256
    parts = json.loads(rosa.get(reverse("record_manifest", args=[pack.pk])).content)
    assert parts["file"]["sha256"] == pack.sha256
    said = rosa.post(home(dissent, child.pk, "uploaded"), {**on("18 3 2026"), "seen": pack.pk})
    assert said.status_code == 422, "it was made today, whatever day that is"
    today = pack.made_at
    day = f"{today.day} {today.month} {today.year}"
    answer = rosa.post(home(dissent, child.pk, "uploaded"), {**on(day), "seen": pack.pk}, follow=True)
    assert "It is recorded that the record of Child A Testson was uploaded." in text(answer)
    assert Dissent.objects.get().state == "closed"
    assert rosa.get(home(dissent)).status_code == 404, "nothing of it is theirs any more"
    read = LedgerEntry.objects.filter(verb__startswith="read_record", by=world.unit_representative)
    assert {entry.verb for entry in read} == {"read_record", "read_record_file", "read_record_manifest"}
    assert {entry.case_id for entry in read} == {dissent.pk}


@pytest.mark.rule("ST-24")
def test_nobody_else_makes_it_while_whoever_sat_for_the_unit_is_there(world: World) -> None:
    dissent = world.let_out(outcome="not_upheld")
    world.numbered(dissent)
    address = home(dissent, dissent.children.get().pk)
    manager = as_(world.service_manager)
    page = manager.get(address)
    assert "Make the file" not in text(page)
    for who in ("service_manager", "business_manager", "superintendent", "chair", "teacher"):
        assert as_(world.people[who]).post(address).status_code == 404
    world.away("unit_representative", stands_in=None, at=timezone.now())
    assert "Make the file" in text(manager.get(address))


def test_the_page_says_what_the_file_waits_for(world: World) -> None:
    dissent = world.decided()
    address = home(dissent, dissent.children.get().pk)
    rosa = as_(world.unit_representative)
    assert "The LCS number of Child A Testson is not known." in text(rosa.get(address))
    world.numbered(dissent)
    assert "Letters to professionals have not gone out" in text(rosa.get(address))
    answer = rosa.post(address, follow=True)
    assert "Letters to professionals have not gone out" in text(answer)
    assert not RecordPack.objects.exists()


def test_a_file_made_before_something_was_recorded_is_to_be_made_again_and_the_old_one_stays(
    world: World,
) -> None:
    dissent = world.let_out()
    old = world.packed(dissent, at=AT)
    address = home(dissent, old.child_id)
    rosa = as_(world.unit_representative)
    assert "Say that you uploaded it" in text(rosa.get(address))
    world.reheard(dissent)
    page = text(rosa.get(address))
    assert "The case says more by now than this file." in page
    assert "Say that you uploaded it" not in page
    assert "Make a newer file" in page
    new = world.packed(Dissent.objects.get(), at=when("2026-04-02 09:00"))
    page = text(rosa.get(address))
    assert "Earlier files" in page
    for pack in (old, new):
        assert rosa.get(reverse("record_pdf", args=[pack.pk])).status_code == 200
    seen = rosa.post(home(dissent, old.child_id, "uploaded"), {**on("3 4 2026"), "seen": old.pk})
    assert seen.status_code == 422
    assert "A newer file has been made since you opened this page." in text(seen)


def test_a_day_that_cannot_be_is_refused_at_its_field_and_kept_as_typed(world: World) -> None:
    dissent = world.let_out()
    pack = world.packed(dissent, at=AT)
    rosa = as_(world.unit_representative)
    address = home(dissent, pack.child_id, "uploaded")
    for day, words in (("17 3 2026", "The file was made after this day"), ("1 1 2090", "not come yet")):
        answer = rosa.post(address, {**on(day), "seen": pack.pk})
        assert answer.status_code == 422
        assert words in text(answer)
        assert f'value="{day.split()[2]}"' in answer.content.decode()
    assert RecordPack.objects.get().uploaded_on is None


def test_what_was_said_already_is_answered_with_the_case_has_moved_on(world: World) -> None:
    dissent = world.let_out()
    pack = world.packed(dissent, at=AT)
    rosa, address = as_(world.unit_representative), home(dissent, pack.child_id, "uploaded")
    actions.record_upload(pack=pack, uploaded_on=AT.date(), by=world.unit_representative, at=AT)
    manager = as_(world.service_manager)
    assert rosa.get(address).status_code == 302  # the case is upheld, so they read it as who leads the rest
    assert manager.post(address, {**on("19 3 2026"), "seen": pack.pk}).status_code == 409


def test_names_that_somebody_wrote_of_another_child_are_shown_before_it_is_uploaded(world: World) -> None:
    conference = world.conference(children=2)
    first, second = conference.children.all()
    raised = world.filled_in(world.raised(conference, children=[first]))
    actions.keep_answer(
        dissent=raised, question="reason", text="As for Child B, too.", by=world.teacher, at=AT.replace(day=3)
    )
    raised = actions.file_dissent(dissent=raised, by=world.teacher, at=when("2026-03-03 15:00"))
    dissent = world.convened(world.escalated(world.offered(world.reviewed(raised))))
    dissent = world.let_out(world.decided(world.sat(dissent)))
    page = as_(world.unit_representative).get(home(dissent, first.pk))
    assert "Somebody wrote about another child" in text(page)
    assert second.name not in text(page)


# --- the number ------------------------------------------------------------------------------------


@pytest.mark.rule("ST-06")
def test_the_administrator_finds_each_number_that_is_missing_and_fills_it_in(world: World) -> None:
    child = world.conference().children.get()
    ada = as_(world.conference_administrator)
    assert "Fill in the LCS number" not in text(ada.get("/work/"))
    dissent = world.raised(child.conference)
    assert "Fill in the LCS number of Child A Testson" in text(ada.get("/work/"))
    page = text(ada.get(f"/conferences/{child.conference_id}/"))
    assert "Fill in the LCS number of each child 1 not known yet" in page
    answer = ada.post(number_page(child), {"seen": "", "record_number": " 17-42 "}, follow=True)
    assert "The LCS number of Child A Testson is recorded." in text(answer)
    assert Child.objects.get().record_number == "17-42"
    assert "Fill in the LCS number" not in text(ada.get("/work/"))
    manager = as_(world.service_manager)
    assert "17-42" in text(manager.get(f"/dissents/{dissent.pk}/?part=conference"))
    assert "Number of a child’s record filled in" in text(
        manager.get(f"/dissents/{dissent.pk}/?part=history")
    )


@pytest.mark.rule("ST-06")
@pytest.mark.parametrize("who", ["teacher", "chair", "service_manager", "business_manager", "administrator"])
def test_nobody_else_fills_it_in(world: World, who: str) -> None:
    child = world.raised().children.get()
    client = as_(world.people[who])
    assert client.get(number_page(child)).status_code == 404
    assert client.post(number_page(child), {"seen": "", "record_number": "17"}).status_code == 404
    assert Child.objects.get().record_number == ""
    page = client.get(f"/conferences/{child.conference_id}/")
    assert number_page(child) not in page.content.decode()


def test_a_number_that_is_put_right_says_why_and_never_overwrites_one_that_nobody_saw(world: World) -> None:
    child = world.raised().children.get()
    ada = as_(world.conference_administrator)
    ada.post(number_page(child), {"seen": "", "record_number": "17"})
    late = ada.post(number_page(child), {"seen": "", "record_number": "18", "because": "Mistaken"})
    assert late.status_code == 422
    assert "Somebody else has filled in another LCS number meanwhile: 17." in text(late)
    silent = ada.post(number_page(child), {"seen": "17", "record_number": "18"})
    assert silent.status_code == 422
    assert "Say why it is another one" in text(silent)
    assert ada.post(number_page(child), {"seen": "17", "record_number": "18", "because": "Mistaken"}).url
    assert Child.objects.get().record_number == "18"

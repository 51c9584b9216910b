"""What goes onto a child's record: one file a child, made once, uploaded by whoever sat for the unit."""

from __future__ import annotations

import hashlib
import io
import json

import pytest
from pypdf import PdfReader

from dissent import actions
from dissent.models import Dissent, LedgerEntry, RecordPack
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

"""Letters are made several at a time, and none takes another down with it."""

import hashlib

import pytest

from dissent import actions
from dissent.actions.letters import AT_ONCE, LEASE, WAIT_AFTER_FAILURE, _claim
from dissent.models import Letter
from dissent.pdf import Document, PdfFailed, render_many
from tests.world import World, when

PLAIN = "<!DOCTYPE html><html lang='en'><head><title>t</title></head><body><p>{}</p></body></html>"
FETCHES = PLAIN.format("<img alt='' src='http://127.0.0.1:1/secret.png'>")
NEVER_ENDS = PLAIN.format("<table><tr><td>" * 400 + "word " * 60_000)
DECIDED = when("2026-03-16 13:01")


def test_a_document_that_fails_costs_no_other_its_letter() -> None:
    said = render_many([Document(html, "Title") for html in (PLAIN, FETCHES, PLAIN, FETCHES, PLAIN)])
    assert [isinstance(one, bytes) for one in said] == [True, False, True, False, True]
    assert "not one of the letter assets" in str(said[1])


def test_a_document_that_takes_too_long_costs_no_other_its_letter() -> None:
    first, slow, last = render_many(
        [Document(html, "Title") for html in (PLAIN, NEVER_ENDS, PLAIN)], seconds=3
    )
    assert first.startswith(b"%PDF-")
    assert last.startswith(b"%PDF-")
    assert isinstance(slow, PdfFailed)


@pytest.mark.django_db
def test_a_letter_that_cannot_be_made_says_why_and_is_tried_again() -> None:
    world = World()
    world.decided()
    bad = Letter.objects.get(to=world.officer)
    kept = bad.says["council"]["accent"]
    bad.says["council"]["accent"] = "red; background: url(http://127.0.0.1:1/)"
    bad.save()

    assert actions.make_bytes(at=DECIDED) == 3
    bad.refresh_from_db()
    assert bad.made_at is None
    assert "not one of the letter assets" in bad.failure
    assert actions.make_bytes(at=DECIDED) == 0  # not before its time

    bad.says["council"]["accent"] = kept
    bad.save()
    assert actions.make_bytes(at=DECIDED + WAIT_AFTER_FAILURE) == 1
    bad.refresh_from_db()
    assert bad.failure == ""
    assert bad.sha256 == hashlib.sha256(bytes(bad.content.pdf)).hexdigest()


@pytest.mark.django_db
def test_letters_claimed_by_a_maker_that_died_are_made_after_their_lease() -> None:
    world = World()
    conference = world.conference()
    for number in range(4):
        world.attend(conference, f"guest{number}", "School")
    world.decided(world.sat(world.convened(world.escalated(world.offered(world.reviewed(world.filed(
        world.raised(conference)
    )))))))  # fmt: skip
    claimed = _claim(at=DECIDED, most=AT_ONCE)
    assert len(claimed) == AT_ONCE < Letter.objects.count() == 8
    assert actions.make_bytes(at=DECIDED) == 3
    assert actions.make_bytes(at=DECIDED + LEASE) == 5
    assert not Letter.objects.filter(made_at=None).exists()

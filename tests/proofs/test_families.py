"""A thousand families: nothing to anybody who is not entitled, in letters, files, pages or messages."""

from __future__ import annotations

import os
import time

import pytest

from dissent import letters
from dissent.models import Letter
from dissent.models.ledger import verify
from dissent.pdf import Document, render_many
from tests.families import A_MARK, Families
from tests.pdf_text import text_of
from tests.world import World

pytestmark = [pytest.mark.proof, pytest.mark.django_db]

FAMILIES = int(os.environ.get("PROOF_FAMILIES", "1000"))
FILES = int(os.environ.get("PROOF_FAMILY_FILES", "200"))


@pytest.mark.rule("ST-23")
def test_a_thousand_families_each_get_what_is_theirs() -> None:
    began = time.monotonic()
    families = Families(World(quick=True), seed=1000)
    families.world.conference(children=0)
    for _ in range(FAMILIES):
        families.draw()
    assert list(families.wrong()) == []
    assert verify(families.world.council)[1] == []
    written = Letter.objects.exclude(who=None)
    print(f"\n{FAMILIES} families, {written.count()} letters, {time.monotonic() - began:.0f} s")
    assert list(wrong_files(families)) == []


def wrong_files(families: Families) -> list[str]:
    """Say which files show a mark that the letter's own words do not."""
    wrong = []
    for letter in Letter.objects.exclude(who=None).order_by("?")[:FILES]:
        (pdf,) = render_many([Document(letters.page(letter), "A letter", "en-GB")])
        assert isinstance(pdf, bytes), pdf
        shown, own = set(A_MARK.findall(text_of(pdf))), set(A_MARK.findall(str(letter.says)))
        if shown - own or (own and not shown):
            wrong.append(f"{letter.addressee}: {shown} beside {own}")
    return wrong

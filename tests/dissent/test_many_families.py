"""Some twenty families with marks in every name, address and text; the thousand are in tests/proofs."""

from __future__ import annotations

import pytest

from dissent import family_letters
from dissent.models import Letter, Relative
from dissent.models import family as family_models
from dissent.models.ledger import verify
from tests.families import Families
from tests.world import World

pytestmark = pytest.mark.django_db


def drawn(number: int, seed: int = 23) -> Families:
    families = Families(World(quick=True), seed)
    families.world.conference(children=0)  # whose address nobody of a family is reached at
    for _ in range(number):
        families.draw()
    return families


@pytest.mark.rule("ST-23")
def test_nothing_goes_to_anybody_of_a_family_who_is_not_entitled_to_it() -> None:
    families = drawn(20)
    assert list(families.wrong()) == []
    assert verify(families.world.council)[1] == []
    ways = set(Letter.objects.in_force().exclude(who=None).values_list("goes_by", flat=True))
    assert ways == {"email", "post", "by_hand", "printed"}


@pytest.mark.rule("ST-23")
@pytest.mark.parametrize("broken", ["entitlement", "address", "shared"])
def test_the_search_finds_what_should_not_be_there(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if broken == "entitlement":
        monkeypatch.setattr(Relative, "may_hear", property(lambda row: True))
    elif broken == "address":
        reader = family_models.FamilyReader
        monkeypatch.setattr(
            reader, "name", property(lambda one: f"{one.rows[0].name} {one.rows[0].contact_details}")
        )
    else:
        monkeypatch.setattr(family_letters, "_why_not_by", lambda *_: "")
    assert list(drawn(8).wrong())

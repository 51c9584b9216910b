"""Some twenty families with marks in every name, address and text; the thousand are in tests/proofs."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from dissent import family_letters
from dissent.models import Dissent, Letter, Relative
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


def every_child(*about: Any) -> Any:
    reader = READER(*about)
    return dataclasses.replace(reader, hears_of=tuple(row.child for row in reader.rows))


def with_siblings(dissent: Dissent, *about: Any, **more: Any) -> dict[str, Any]:
    said = COMPOSE(dissent, *about, **more)
    said["facts"].append(["Children", ", ".join(map(str, dissent.children.all()))])
    return said


def with_address(*about: Any, **more: Any) -> dict[str, Any]:
    dissent = about[0]
    said = COMPOSE(*about, **more)
    rows = Relative.objects.filter(child__conference=dissent.conference)
    said["addressee_lines"] += list(rows.values_list("contact_details", flat=True))
    return said


READER, COMPOSE = family_models._reader, family_letters.compose
BREAKS: dict[str, tuple[Any, str, Any]] = {
    "everybody hears of every child": (family_models, "_reader", every_child),
    "a letter names the siblings": (family_letters, "compose", with_siblings),
    "a letter says every address": (family_letters, "compose", with_address),
    "a letter names the dissenter": (
        family_letters,
        "called",
        lambda child: child.conference.dissents.first().attendance.name,
    ),
}


@pytest.mark.rule("ST-23")
@pytest.mark.parametrize("broken", BREAKS)
def test_the_search_finds_what_should_not_be_there(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*BREAKS[broken])
    assert list(drawn(6).wrong())

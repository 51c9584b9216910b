"""Every address of a dissent whose conference is not known yet answers, whoever of the case opens it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from tests.pages.test_routes import _patterns
from tests.world import World

pytestmark = pytest.mark.django_db

STANDING = {
    "begun": lambda world: world.begun(),
    "unmatched": lambda world: world.unmatched(),
    "matched": lambda world: world.matched(),
    "doubted": lambda world: world.denied(),
}


def of_a_dissent() -> list[tuple[str, dict[str, str]]]:
    """Return every address that takes a dissent and at most a word more."""
    found = []
    for pattern in _patterns(get_resolver().url_patterns):
        route, takes = str(pattern.pattern), set(pattern.pattern.converters)
        if route.startswith("dissents/") and takes <= {"pk", "key", "question"}:
            found.append((pattern.name, dict.fromkeys(takes - {"pk"}, "reason")))
    return found


@pytest.mark.parametrize("standing", STANDING)
def test_every_page_of_a_dissent_without_its_conference_answers(standing: str, caplog) -> None:
    caplog.set_level("ERROR", logger="django.request")
    world = World(quick=True)
    dissent = STANDING[standing](world)
    wrong = []
    for who in ("newcomer", "service_manager", "conference_administrator", "chair", "business_manager"):
        client = Client(raise_request_exception=False)
        client.force_login(world.people[who])
        for name, more in of_a_dissent():
            address = reverse(name, kwargs={"pk": dissent.pk, **more})
            for answer in (client.get(address), client.post(address, {})):
                if answer.status_code not in (200, 204, 302, 404, 405, 409, 422):
                    wrong.append(f"{who}: {address}: {answer.status_code}")
    assert not wrong

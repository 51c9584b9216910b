"""A page that was left open while its reader signed in elsewhere gives back what was typed into it."""

import pytest
from django.test import Client

from tests.world import World

pytestmark = pytest.mark.django_db


def test_a_page_older_than_the_sign_in_gives_back_what_was_typed() -> None:
    world = World(quick=True)
    dissent = world.raised()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(dissent.dissenter)
    answer = browser.post(
        f"/dissents/{dissent.pk}/form/reason/",
        {"csrfmiddlewaretoken": "x" * 64, "answer": "Typed <b>here</b>"},
    )
    assert answer.status_code == 403
    assert b"Typed &lt;b&gt;here&lt;/b&gt;" in answer.content
    assert b"x" * 64 not in answer.content

"""The council's own number for a worry about a child, on the pages whose views know of no council."""

import datetime as dt

import pytest
from allauth.core.ratelimit import respond_429
from django.conf import settings as django_settings
from django.contrib.auth.models import AnonymousUser
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client, RequestFactory

from councils.models import Appointment, Person
from dissent.views import common
from tests.world import World

pytestmark = pytest.mark.django_db

FRONT_DOOR = "01632 960100"
WITHOUT_A_NUMBER = "phone children’s services where the child lives"
HERE = {"host": "127.0.0.1:8000"}


def opened(address: str) -> HttpResponse:
    return Client().get(address, headers=HERE)


def sent_without_its_token() -> HttpResponse:
    return Client(enforce_csrf_checks=True).post("/sign-in/", {"login": "a@b.example"})


def sent_too_large() -> HttpResponse:
    size = django_settings.REQUEST_MAX_BYTES + 1
    return Client().generic("POST", "/sign-in/", b"", CONTENT_LENGTH=str(size))


def tried_too_often() -> HttpResponse:
    request = RequestFactory().get("/sign-in/code/")
    request.user = AnonymousUser()
    return respond_429(request)


PAGES = {
    "sign-in": (lambda: opened("/sign-in/"), 200),
    "sign-in with a code": (lambda: opened("/sign-in/code/"), 200),
    "switched off": (lambda: opened("/sign-in/inactive/"), 200),
    "no such page": (lambda: opened("/nowhere/"), 404),
    "messages of the demonstration": (lambda: opened("/demonstration/messages/"), 200),
    "sent without its token": (sent_without_its_token, 403),
    "sent too large": (sent_too_large, 413),
    "tried too often": (tried_too_often, 429),
}


@pytest.fixture(params=PAGES)
def look(request, settings):
    """Return a function that opens one of the pages and gives what it says above its heading."""
    settings.DEMONSTRATION = True

    def say() -> str:
        get, status = PAGES[request.param]
        answer = get()
        assert answer.status_code == status
        return answer.content.decode().partition("<main")[0]

    return say


def test_the_only_council_is_named_with_its_number_on_every_page(look) -> None:
    World()
    said = look()
    assert "999" in said
    assert FRONT_DOOR in said


def test_where_several_councils_are_no_page_names_one_of_them(look) -> None:
    World()
    World(key="otherby")
    said = look()
    assert "999" in said
    assert WITHOUT_A_NUMBER in said
    assert FRONT_DOOR not in said


def test_without_an_answer_from_the_database_every_page_still_says_what_to_do(look, monkeypatch) -> None:
    def fails(request) -> None:
        raise OperationalError

    monkeypatch.setattr(common, "only_council", fails)
    said = look()
    assert "999" in said
    assert WITHOUT_A_NUMBER in said


def not_found(client: Client, person: Person) -> str:
    client.force_login(person)
    return client.get("/nowhere/").content.decode()


def test_of_several_councils_the_one_where_somebody_is_appointed_is_named(client: Client) -> None:
    world, other = World(), World(key="otherby")
    other.council.front_door_telephone = "01632 960777"
    other.council.save()
    assert FRONT_DOOR in not_found(client, world.service_manager)
    assert "01632 960777" in not_found(client, other.service_manager)
    nobody = world.person("nobody", "Nobody At All", "School")
    assert WITHOUT_A_NUMBER in not_found(client, nobody)
    Appointment.objects.create(
        council=other.council, person=world.service_manager, role="chair", from_on=dt.date(2020, 1, 1)
    )
    assert WITHOUT_A_NUMBER in not_found(client, world.service_manager)


def test_the_start_page_shows_somebody_who_is_appointed_the_procedure_of_their_council(
    client: Client,
) -> None:
    world = World()
    World(key="otherby")
    client.force_login(world.service_manager)
    said = client.get("/").content.decode()
    assert world.version.rules.purpose in said
    assert "Otherby Council" in said


def test_a_case_that_moved_on_is_told_in_the_name_of_its_council(client: Client) -> None:
    world = World(quick=True)
    World(key="otherby")
    offered = world.offered()
    client.force_login(offered.dissenter)
    address = f"/dissents/{offered.pk}/take-further/"
    assert client.post(address).status_code == 302
    again = client.post(address)
    assert again.status_code == 409
    assert FRONT_DOOR in again.content.decode()


def test_a_page_whose_view_gives_its_council_asks_for_no_other(client: Client, monkeypatch) -> None:
    world = World(quick=True)
    dissent = world.filed()
    client.force_login(world.service_manager)
    asked = []
    monkeypatch.setattr(common, "only_council", asked.append)
    for address in ("/work/", f"/dissents/{dissent.pk}/"):
        assert FRONT_DOOR in client.get(address).content.decode()
    assert not asked

"""Who is away, as people record it and as their colleagues see it."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from councils.models import Absence
from dissent.models import LedgerEntry
from tests.world import World

pytestmark = pytest.mark.django_db

HOME = "/absences/"
NEW = "/absences/new/"


@pytest.fixture
def world() -> World:
    return World(quick=True)


def said(world: World, stands_in: str, *, days: int = 7, who: str = "service_manager") -> dict[str, object]:
    today = timezone.localdate()
    last = today + dt.timedelta(days=days)
    return {
        "appointment": world.people[who].appointments.get().pk,
        **{f"from_on_{part}": getattr(today, part) for part in ("day", "month", "year")},
        **{f"until_on_{part}": getattr(last, part) for part in ("day", "month", "year")},
        "stands_in": world.people[stands_in].pk if stands_in in world.people else stands_in,
    }


@pytest.mark.rule("ST-09")
def test_a_manager_names_who_stands_in_and_comes_back(world: World, client) -> None:
    client.force_login(world.service_manager)
    assert HOME in client.get("/work/").content.decode()
    page = client.get(NEW).content.decode()
    assert "Service Manager, Service Manager, Children&#x27;s Standards Unit" in page
    assert "Business Manager, Business Manager</option>" in page
    answer = client.post(NEW, said(world, "business_manager"))
    assert answer.url == HOME
    listed = client.get(HOME).content.decode()
    assert "Business Manager" in listed
    absence = Absence.objects.get()
    assert (absence.stands_in.person, absence.recorded_by) == (world.business_manager, world.service_manager)
    client.post(reverse("end_absence", args=[absence.pk]))
    assert "Nobody is recorded as away." in client.get(HOME).content.decode()
    assert LedgerEntry.objects.filter(verb="read_absences").exists()


@pytest.mark.rule("ST-09")
def test_the_administrator_has_a_task_where_nobody_is_left_and_names_somebody(world: World, client) -> None:
    client.force_login(world.administrator)
    assert "is away, and nobody stands in" not in client.get("/work/").content.decode()
    for who in ("service_manager", "nominated_manager"):
        assert client.post(NEW, said(world, "nobody", who=who)).url == HOME
    task = (
        "Everybody who is appointed as Service Manager, Children&#x27;s Standards Unit is away, "
        "and nobody stands in."
    )
    assert task in client.get("/work/").content.decode()
    absence = Absence.objects.get(appointment__role="service_manager")
    client.post(reverse("end_absence", args=[absence.pk]))
    client.post(NEW, said(world, "business_manager"))
    assert task not in client.get("/work/").content.decode()


def test_what_is_wrong_is_said_at_its_place_and_nothing_is_lost(world: World, client) -> None:
    client.force_login(world.service_manager)
    answer = client.post(NEW, said(world, "service_manager"))
    assert answer.status_code == 422
    assert answer.context["form"].errors == {"stands_in": ["Somebody else has to stand in."]}
    answer = client.post(NEW, said(world, "business_manager", days=-1))
    assert set(answer.context["form"].errors) == {"until_on"}
    assert f'value="{timezone.localdate().year}"' in answer.content.decode()
    assert not Absence.objects.exists()


def test_nobody_ends_an_absence_that_is_not_theirs_to_record(world: World, client) -> None:
    absence = world.away("service_manager", stands_in=None, at=timezone.localtime())
    end = reverse("end_absence", args=[absence.pk])
    for person, status in ((world.business_manager, 422), (world.chair, 404)):
        client.force_login(person)
        assert client.post(end).status_code == 404
        assert client.post(NEW, said(world, "business_manager")).status_code == status
    assert Absence.objects.filter(ended_at=None).count() == 1

"""The start page: what everybody sees, signed in or not."""

import re
from html import unescape

import pytest
from django.test import Client

from councils import procedure as language
from councils.models import Partnership
from dissent import actions
from tests.world import World, when

pytestmark = pytest.mark.django_db

SHIPPED = (language.SHIPPED / "south_tyneside.toml").read_text(encoding="utf-8")


def text_of(response) -> str:
    return response.content.decode()


def test_what_to_do_about_danger_comes_first_with_the_councils_own_numbers(client: Client) -> None:
    council = World().council
    council.out_of_hours_telephone = "01632 960111"
    council.save()
    page = text_of(client.get("/"))
    first, _, rest = page.partition("<h1")
    assert "If a child is in danger now" in first
    assert "999" in first
    assert "Children's Front Door" in unescape(first)
    assert "01632 960100" in first
    assert "01632 960111" in first
    assert "Child in danger now?" not in rest


@pytest.mark.rule("ST-01")
def test_everybody_else_is_shown_where_their_question_belongs(client: Client) -> None:
    rules = World().version.rules
    page = client.get("/")
    assert page.context["rules"] == rules
    for route in rules.routes:
        assert route.who in unescape(text_of(page))
        assert route.to in unescape(text_of(page))
    assert rules.raising.refused in unescape(text_of(page))


@pytest.mark.rule("ST-03")
def test_the_page_says_what_a_dissent_rests_on(client: Client) -> None:
    rules = World().version.rules
    assert rules.evidence.text in text_of(client.get("/"))
    assert rules.purpose in text_of(client.get("/"))


@pytest.mark.rule("ST-08")
def test_the_time_for_the_form_is_the_procedures(client: Client) -> None:
    World()
    assert "send the dissent form, within 24 hours of the end of the conference." in text_of(client.get("/"))
    changed = SHIPPED.replace('limit = "24 hours"', 'limit = "3 working days"').replace(
        "version = 1\nin_force_from = 2024-01-01", "version = 2\nin_force_from = 2025-01-01"
    )
    actions.publish_procedure(procedure=language.parse(changed), by=None, at=when("2025-01-01 09:00"))
    page = text_of(client.get("/"))
    assert "send the dissent form, within 3 working days of the end of the conference." in page
    assert "24 hours" not in page


def test_the_steps_follow_the_stages_of_the_procedure(client: Client) -> None:
    World()
    steps = client.get("/").context["steps"]
    assert len(steps) == 4
    assert "the Independent Reviewing Officer records it" in steps[0]
    assert "It is looked at by: Service Manager" in steps[2]
    assert "you can take it further to: the Dissent Panel" in steps[3]
    assert "within 20 working days of the day on which it reaches that stage" in steps[3]


def test_several_councils_are_chosen_from_by_a_plain_form(client: Client) -> None:
    World()
    other = World(key="otherby")
    other.council.front_door_telephone = "01632 960777"
    other.council.save()
    page = text_of(client.get("/"))
    assert re.search(r'<form method="get" action="/"', page)
    assert "Testshire Council" in page
    assert "Otherby Council" in page
    assert "01632 960" not in page
    assert "phone children’s services at the council where the child lives" in page
    chosen = text_of(client.get("/", {"council": "otherby"}))
    assert "01632 960777" in chosen
    assert '<option value="otherby" selected>' in chosen
    assert other.version.rules.evidence.text in chosen


@pytest.mark.parametrize(
    ("key", "says"), [("", "Choose the council"), ("nowhere", "Choose one of the answers in the list")]
)
def test_a_council_that_is_not_there_is_an_error_at_the_field(client: Client, key: str, says: str) -> None:
    World()
    World(key="otherby")
    page = client.get("/", {"council": key})
    assert page.status_code == 422
    assert says in text_of(page)
    assert 'href="#id_council"' in text_of(page)


def test_without_any_council_the_page_still_says_what_to_do_about_danger(client: Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "999" in text_of(page)


def test_a_council_without_a_procedure_in_force_says_so(client: Client) -> None:
    council = World().council
    council.partnership = Partnership.objects.create(
        key="elsewhere", name="A partnership without a procedure"
    )
    council.save()
    page = text_of(client.get("/"))
    assert "has no procedure for dissent in force today" in page
    assert "01632 960100" in page


def test_the_way_in_is_a_code_and_for_those_signed_in_their_work(client: Client) -> None:
    world = World()
    page = text_of(client.get("/"))
    assert 'href="/sign-in/code/"' in page
    assert "lost the link" in page
    client.force_login(world.chair)
    page = text_of(client.get("/"))
    assert 'href="/sign-in/code/"' not in page
    assert "Go to your work" in page


def test_a_councils_name_is_shown_as_written(client: Client) -> None:
    council = World().council
    council.name = "<script>alert(1)</script> {{7*7}}"
    council.save()
    page = text_of(client.get("/"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{7*7}}" in page

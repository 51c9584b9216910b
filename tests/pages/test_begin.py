"""The second way in: an address is proved and a conference named, and nothing is given away."""

from __future__ import annotations

import datetime as dt
import re
import threading
from html import unescape
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from councils.models import Person
from dissent import actions
from dissent.models import Dissent
from dissent.views import begin as views
from tests.world import World

pytestmark = pytest.mark.django_db

NEW = "new@hospice.example"


@pytest.fixture
def world() -> World:
    cache.clear()
    return World(quick=True)


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Client:
    """A browser of somebody whom nobody knows; a code is sent before the answer, and not beside it."""
    monkeypatch.setattr(threading.Thread, "start", threading.Thread.run)
    return Client()


def said(answer: Any) -> str:
    text = re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(text).split())


def asked(browser: Client, email: str = NEW) -> str:
    """Ask for a code and return it; empty where none was sent."""
    mail.outbox.clear()
    answer = browser.post("/begin/", {"email": email})
    assert answer.status_code == 302
    assert answer["Location"] == "/begin/code/"
    if not mail.outbox:
        return ""
    (message,) = mail.outbox
    assert message.recipients() == [email.lower()]
    return re.search(r"is\n\n(\S+)\n", message.body)[1]


def proved(browser: Client, email: str = NEW) -> Person:
    answer = browser.post("/begin/code/", {"code": asked(browser, email)})
    assert (answer.status_code, answer["Location"]) == (302, "/begin/where/")
    return Person.objects.get(email=email)


def claim(**more: str) -> dict[str, str]:
    there = timezone.localtime(timezone.now() - dt.timedelta(hours=2))
    ended = {"day": there.day, "month": there.month, "year": there.year, "time": f"{there:%H:%M}"}
    return {
        "name": "Newcomer Testshire",
        "job": "Nurse",
        "agency_name": "Hospice of Nowhere",
        "which": "The Testson children.",
        **{f"ended_at_{box}": str(value) for box, value in ended.items()},
        **more,
    }


# --- an address is proved --------------------------------------------------------------------------


def test_the_start_page_shows_the_second_way_in(world: World) -> None:
    assert 'href="/begin/"' in Client().get("/").content.decode()


def test_whoever_has_the_code_is_signed_in_and_known_from_then_on(world: World, browser: Client) -> None:
    code = asked(browser)
    assert not Person.objects.filter(email=NEW).exists()
    answer = browser.post("/begin/code/", {"code": code})
    assert answer["Location"] == "/begin/where/"
    person = Person.objects.get(email=NEW)
    assert not person.has_usable_password()
    assert browser.get("/work/").status_code == 200
    assert browser.get("/begin/")["Location"] == browser.get("/begin/code/")["Location"] == "/begin/where/"


def test_nobody_can_tell_from_the_page_whose_address_is_known(world: World, browser: Client) -> None:
    known = world.person("known", "Known Testshire", "School")
    staff = world.service_manager
    staff.set_password("only-a-test")
    staff.save()
    gone = world.person("gone", "Gone Testshire", "School")
    gone.is_active = False
    gone.save()
    pages = {}
    for email, sent in ((NEW, True), (known.email, True), (staff.email, False), (gone.email, False)):
        one = Client()
        assert bool(asked(one, email)) is sent, email
        page = one.get("/begin/code/")
        pages[email] = said(page).replace(email, "…")
        assert said(one.post("/begin/code/", {"code": "no"})).count("not the code we sent") >= 1
    assert len(set(pages.values())) == 1


def test_an_address_with_another_case_is_the_same_person(world: World, browser: Client) -> None:
    known = world.person("known", "Known Testshire", "School")
    code = asked(browser, known.email.upper().replace("TESTSHIRE.EXAMPLE", "testshire.example"))
    assert browser.post("/begin/code/", {"code": code}).status_code == 302
    assert Person.objects.filter(email__iexact=known.email).count() == 1


def test_the_third_wrong_code_ends_it(world: World, browser: Client) -> None:
    code = asked(browser)
    for _ in range(2):
        answer = browser.post("/begin/code/", {"code": "wrong"})
        assert answer.status_code == 422
    answer = browser.post("/begin/code/", {"code": "wrong"}, follow=True)
    assert "three times" in said(answer)
    assert browser.post("/begin/code/", {"code": code})["Location"] == "/begin/"
    assert not Person.objects.filter(email=NEW).exists()


def test_an_empty_code_is_no_wrong_one(world: World, browser: Client) -> None:
    code = asked(browser)
    for _ in range(4):
        assert "Enter the code from the message" in said(browser.post("/begin/code/", {"code": " "}))
    assert browser.post("/begin/code/", {"code": code})["Location"] == "/begin/where/"


def test_a_code_runs_out_after_a_quarter_of_an_hour(
    world: World, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = asked(browser)
    later = views.time.time() + django_settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT + 1
    monkeypatch.setattr(views.time, "time", lambda: later)
    assert "has run out" in said(browser.post("/begin/code/", {"code": code}, follow=True))


def test_codes_are_not_sent_without_end(world: World, browser: Client) -> None:
    for _ in range(3):
        asked(browser)
    answer = browser.post("/begin/", {"email": NEW})
    assert answer.status_code == 422
    assert "too many tries" in said(answer)
    assert browser.post("/begin/", {"email": "not an address"}).status_code == 422


def test_the_code_of_one_browser_is_nothing_to_another(world: World, browser: Client) -> None:
    code = asked(browser)
    assert Client().post("/begin/code/", {"code": code})["Location"] == "/begin/"


# --- a conference is named -------------------------------------------------------------------------


def test_where_one_council_is_served_nobody_is_asked_which(world: World, browser: Client) -> None:
    proved(browser)
    assert browser.get("/begin/where/")["Location"] == "/begin/at/testshire/"


def test_where_several_are_served_the_dissenter_says_which(world: World, browser: Client) -> None:
    World(key="elsewhere", quick=True)
    proved(browser)
    page = browser.get("/begin/where/")
    assert "Which council held the conference?" in said(page)
    assert browser.get("/begin/where/", {"council": "elsewhere"})["Location"] == "/begin/at/elsewhere/"
    assert browser.get("/begin/where/", {"council": "nowhere"}).status_code == 422


def test_what_was_begun_or_raised_already_is_offered_first(world: World, browser: Client) -> None:
    raised = world.raised()
    world.begun(who="teacher")
    browser.force_login(world.teacher)
    page = browser.get("/begin/where/").content.decode()
    for dissent in Dissent.objects.filter(dissenter=world.teacher):
        assert f'href="/dissents/{dissent.pk}/"' in page
    assert raised.reference in page
    assert 'href="/begin/at/testshire/"' in page


def test_the_way_back_from_the_claim_says_where_it_leads(world: World, browser: Client) -> None:
    proved(browser)
    assert "Term(" not in said(browser.get("/begin/at/testshire/"))


def test_a_claim_leads_to_the_form_and_the_form_is_filed_when_it_is_sent(
    world: World, browser: Client
) -> None:
    person = proved(browser)
    answer = browser.post("/begin/at/testshire/", claim(), follow=True)
    dissent = Dissent.objects.get(dissenter=person)
    assert answer.redirect_chain[-1][0].startswith(f"/dissents/{dissent.pk}/form/")
    assert (dissent.state, dissent.claim.works_for) == ("begun", "Hospice of Nowhere")
    world.filled_in(dissent, at=timezone.now())
    check = browser.get(f"/dissents/{dissent.pk}/check/")
    assert "Hospice of Nowhere" in said(check)
    seen = re.search(r'name="seen" value="([^"]+)"', check.content.decode())[1]
    sent = browser.post(f"/dissents/{dissent.pk}/check/", {"declared": "on", "seen": seen}, follow=True)
    assert dissent.reference in said(sent)
    assert "is looked for, and its" in said(sent)
    assert Dissent.objects.get(pk=dissent.pk).state == "unmatched"


def test_the_pages_are_the_same_whether_there_is_such_a_conference_or_not(
    world: World, browser: Client
) -> None:
    proved(browser)
    _way_through(browser, world)  # which gives them their name
    before = _way_through(browser, world)
    ended = timezone.now() - dt.timedelta(hours=2)
    held = world.conference(held_at=ended - dt.timedelta(hours=1), ended_at=ended, at=ended)
    world.attend(held, "newcomer", "School", at=ended)
    assert _way_through(browser, world) == before


def _way_through(browser: Client, world: World) -> list[str]:
    """Begin and send one, and return what each page said."""
    seen = [said(browser.get("/begin/at/testshire/"))]
    once = claim()
    answer = browser.post("/begin/at/testshire/", once)
    pk = answer["Location"].split("/")[2]
    dissent = Dissent.objects.get(pk=pk)
    seen.append(said(browser.get(f"/dissents/{pk}/")))
    world.filled_in(dissent, at=timezone.now())
    actions.file_dissent(dissent=dissent, by=dissent.dissenter, at=timezone.now())
    seen += [said(browser.get(f"/dissents/{pk}/{part}")) for part in ("", "sent/")]
    times = re.compile(r"\b\d\d:\d\d\b")
    return [times.sub("…", each.replace(dissent.reference, "…")) for each in seen]


def test_pressing_twice_begins_one(world: World, browser: Client) -> None:
    proved(browser)
    page = browser.get("/begin/at/testshire/").content.decode()
    once = re.search(r'name="once" value="([^"]+)"', page)[1]
    first, second = (browser.post("/begin/at/testshire/", claim(once=once)) for _ in range(2))
    assert first["Location"] == second["Location"]
    changed = browser.post("/begin/at/testshire/", claim(once=once, which="Another family."))
    assert "You sent this page before" in said(changed)
    assert "Another family." in changed.content.decode()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": ""}, "Enter your full name"),
        ({"job": ""}, "Enter what your job is"),
        ({"agency_name": ""}, "Choose the agency you work for, or enter its name below"),
        ({"which": " "}, "Say which conference it was"),
        ({"agency": "SCHOOL"}, "Leave this empty, or choose no agency in the list above"),
        ({"ended_at_day": "45"}, "day"),
        ({"ended_at_year": "2099"}, "has not come yet"),
        ({"ended_at_year": "1999"}, "No dissent procedure was in force here on that day"),
        ({"agency": "nothing"}, "Choose"),
    ],
)
def test_what_is_missing_or_wrong_is_said_where_it_was_typed_and_nothing_is_lost(
    world: World, browser: Client, wrong: dict[str, str], sentence: str
) -> None:
    proved(browser)
    if wrong.get("agency") == "SCHOOL":
        wrong = {"agency": str(world.agency("School").pk)}
    answer = browser.post("/begin/at/testshire/", claim(**wrong))
    assert answer.status_code == 422
    assert sentence in said(answer)
    assert "govuk-error-message" in answer.content.decode()
    assert all(value in answer.content.decode() for name, value in claim(**wrong).items() if name != "agency")
    assert not Dissent.objects.exists()


def test_what_was_said_can_be_changed_until_the_form_is_sent(world: World, browser: Client) -> None:
    proved(browser)
    browser.post("/begin/at/testshire/", claim())
    dissent = Dissent.objects.get()
    home = f"/dissents/{dissent.pk}"
    assert f'href="{home}/claim/"' in browser.get(f"{home}/").content.decode()
    page = browser.get(f"{home}/claim/").content.decode()
    assert "Hospice of Nowhere" in page
    answer = browser.post(f"{home}/claim/", claim(which="Another family."), follow=True)
    assert "Another family." in said(answer)
    world.filled_in(dissent, at=timezone.now())
    actions.file_dissent(dissent=dissent, by=dissent.dissenter, at=timezone.now())
    assert browser.get(f"{home}/claim/").status_code == 302
    late = browser.post(f"{home}/claim/", claim(which="A third family."))
    assert late.status_code == 409
    assert "A third family." in said(late)


def test_a_council_without_a_procedure_says_so(world: World, browser: Client) -> None:
    from councils.models import Council, Partnership

    council = Council.objects.create(
        key="bare",
        name="Bare Council",
        partnership=Partnership.objects.create(key="bare", name="Bare"),
        nation="england",
        front_door="Door",
        front_door_telephone="01632 960100",
        address="1 Invented Square",
    )
    proved(browser)
    assert f"{council.name} has no procedure" in said(browser.get("/begin/at/bare/"))


def test_somebody_signed_out_is_led_to_the_second_way_in_again(world: World) -> None:
    answer = Client().get("/begin/where/")
    assert answer["Location"].startswith("/sign-in/")

"""What a dissenter types is kept as it is typed, in a real browser, with scripting and without."""

import datetime as dt
import re
import time

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from dissent.models import Dissent
from tests.journeys.look import land
from tests.world import World

pytestmark = pytest.mark.journey

TYPED = "The bruise was not talked about.\nNobody asked the school."


@pytest.fixture
def dissent(live) -> Dissent:
    world = World()
    then = timezone.now() - dt.timedelta(hours=2)
    held = world.conference(held_at=then - dt.timedelta(hours=2), ended_at=then, at=then)
    return world.raised(held, at=timezone.now())


@pytest.fixture
def reason(dissent: Dissent) -> str:
    return reverse("form_question", args=[dissent.pk, "reason"])


def sign_in(page: Page, mailbox, address: str) -> None:
    """Follow the way from a page that asks for it: a code by e-mail, and back to that page."""
    before = len(codes(mailbox, address))
    land(page, page.get_by_role("button", name="Send me a code"))
    page.get_by_label("Your e-mail address").fill(address)
    land(page, page.get_by_role("button", name="Send the code"))
    deadline = time.monotonic() + 15
    while len(found := codes(mailbox, address)) == before and time.monotonic() < deadline:
        time.sleep(0.05)
    page.get_by_label("Sign-in code").fill(found[-1])
    land(page, page.get_by_role("button", name="Sign in"))


def codes(mailbox, address: str) -> list[str]:
    """Return the codes that came; the message about the dissent itself has none."""
    texts = [received.text for received in mailbox.to(address)]
    return [
        found[1]
        for text in texts
        if (found := re.search(r"(?m)^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", text))
    ]


def test_what_was_typed_is_there_after_the_page_was_closed_without_continue(
    new_page, mailbox, dissent, reason
):
    first = new_page()
    first.goto(reason)
    sign_in(first, mailbox, dissent.dissenter.email)
    expect(first).to_have_url(re.compile(re.escape(reason)))
    first.get_by_role("textbox").press_sequentially(TYPED)
    expect(first.get_by_text(re.compile(r"^Saved \d\d:\d\d$"))).to_be_visible()
    first.context.close()

    later = new_page()
    later.goto(reason)
    sign_in(later, mailbox, dissent.dissenter.email)
    expect(later.get_by_role("textbox")).to_have_value(TYPED)


def test_what_was_typed_survives_a_crash_of_the_server(live, new_page, mailbox, dissent, reason):
    page = new_page()
    page.goto(reason)
    sign_in(page, mailbox, dissent.dissenter.email)
    page.get_by_role("textbox").press_sequentially(TYPED)
    expect(page.get_by_text(re.compile(r"^Saved \d\d:\d\d$"))).to_be_visible()
    live.crash()
    page.get_by_role("textbox").press_sequentially(" And then")
    expect(page.get_by_text("Not saved, still on this page")).to_be_visible()
    live.start()
    land(page, page.get_by_role("button", name="Continue"))
    expect(page).not_to_have_url(re.compile(re.escape(reason)))
    page.goto(reason)
    expect(page.get_by_role("textbox")).to_have_value(f"{TYPED} And then")


def test_a_sign_in_that_ended_loses_nothing_and_leads_back_to_the_question(
    new_page, mailbox, dissent, reason
):
    page = new_page()
    page.goto(reason)
    sign_in(page, mailbox, dissent.dissenter.email)
    page.get_by_role("textbox").fill(TYPED)
    page.context.clear_cookies(name="sessionid")
    land(page, page.get_by_role("button", name="Continue"))
    sign_in(page, mailbox, dissent.dissenter.email)
    expect(page).to_have_url(re.compile(re.escape(reason)))
    expect(page.get_by_text("You had been signed out. What you typed is kept.")).to_be_visible()
    expect(page.get_by_role("textbox")).to_have_value(TYPED)


def test_without_scripting_continue_keeps_what_was_typed(new_page, mailbox, dissent, reason):
    first = new_page(scripts=False)
    first.goto(reason)
    sign_in(first, mailbox, dissent.dissenter.email)
    first.get_by_role("textbox").fill(TYPED)
    land(first, first.get_by_role("button", name="Continue"))
    expect(first).not_to_have_url(re.compile(re.escape(reason)))
    first.context.close()

    later = new_page(scripts=False)
    later.goto(reason)
    sign_in(later, mailbox, dissent.dissenter.email)
    expect(later.get_by_role("textbox")).to_have_value(TYPED)


def test_the_next_question_can_be_gone_back_from(new_page, mailbox, dissent, reason, accessible):
    page = new_page(width=320)
    page.goto(reason)
    sign_in(page, mailbox, dissent.dissenter.email)
    page.get_by_role("textbox").fill(TYPED)
    land(page, page.get_by_role("button", name="Continue"))
    assert "/form/evidence/" in page.url
    page.go_back()
    expect(page.get_by_role("textbox")).to_have_value(TYPED)
    page.get_by_role("textbox").fill("Said differently.")
    land(page, page.get_by_role("button", name="Continue"))
    assert "/form/evidence/" in page.url
    land(page, page.get_by_role("button", name="Continue"))
    expect(page.get_by_role("link", name="Write your answer to this question")).to_be_visible()
    accessible(page)

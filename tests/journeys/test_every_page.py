"""Every page there is, as those see it who come to it: wide and narrow, by keyboard, and to axe."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.test import Client
from django.urls import get_resolver, resolve, reverse
from django.utils import timezone
from playwright.sync_api import Page

from councils.models import Appointment, Council, Person
from dissent import actions
from dissent.models import Conference, Dissent
from tests.journeys.look import fits, fits_when_spaced, land, look_at, says_what_it_is
from tests.world import World, a_pdf

pytestmark = pytest.mark.journey

NO_PAGES = {
    "dissent_form": "leads on to the first question without an answer",
    "keep_answer": "takes what is typed",
    "join_panel": "takes a button",
    "end_absence": "takes a button",
    "paper": "a download",
    "begin_code": "shown once a code was asked for; see test_when_things_go_wrong",
    "panel_bundle": "a download",
    "letter_pdf": "a download",
    "record_pdf": "a download",
    "record_manifest": "a download",
}
"""Addresses at which nobody ever sees a page, and why."""

TRUNK = ("raised", "filed", "reviewed", "offered", "escalated", "convened", "sat", "decided", "released")


class Cases:
    """One case in each of its states, at one council, of today. Each is made when it is first asked for."""

    def __init__(self) -> None:
        self.world = World(quick=True)
        self.world.panellists()
        self.now = timezone.now()

    @cached_property
    def open(self) -> Conference:
        return self.conference(paper=True)

    @cached_property
    def chosen(self) -> Dissent:
        return self.world.raised(self.open, who="nurse", at=self.now)

    @cached_property
    def closed_record(self) -> Conference:
        return actions.close_record(conference=self.conference(), by=self.world.chair, at=self.now)

    @cached_property
    def fresh(self) -> Dissent:
        return self.until("raised")

    @cached_property
    def filled(self) -> Dissent:
        return self.world.filled_in(self.until("raised"), at=self.now)

    @cached_property
    def overdue(self) -> Dissent:
        return self.until("raised", days_ago=3)

    @cached_property
    def begun(self) -> Dissent:
        begun = self.world.begun(at=self.now, ended_at=self.now - dt.timedelta(days=2))
        return self.world.filled_in(begun, at=self.now)

    @cached_property
    def unmatched(self) -> Dissent:
        ended = {"at": self.now, "ended_at": self.now - dt.timedelta(hours=3)}
        begun = self.world.begun(agency=None, agency_name="Hospice of Nowhere", **ended)
        return self.world.unmatched(begun, at=self.now)

    @cached_property
    def matched(self) -> Dissent:
        sent = self.world.unmatched(self.world.begun(at=self.now), at=self.now, late_because="No link came.")
        return self.world.matched(sent, conference=self.conference(), at=self.now)

    @cached_property
    def doubted(self) -> Dissent:
        sent = self.world.unmatched(self.world.begun(at=self.now), at=self.now, late_because="No link came.")
        matched = self.world.matched(sent, conference=self.conference(), at=self.now)
        by_name = {"capacity": "professional", "present": True, "agency": self.world.agency("School")}
        actions.add_attendance(
            conference=matched.conference,
            name="N. Testshire",
            by=self.world.conference_administrator,
            at=self.now,
            **by_name,
        )
        return self.world.denied(matched, at=self.now)

    @cached_property
    def turned_away(self) -> Dissent:
        sent = self.world.unmatched(self.world.begun(at=self.now), at=self.now, late_because="No link came.")
        matched = self.world.matched(sent, conference=self.conference(), at=self.now)
        return actions.turn_away(
            dissent=self.world.denied(matched, at=self.now),
            heard="She could not say when she said it.",
            heard_at=self.now,
            reasons="Nobody heard it.",
            by=self.world.service_manager,
            at=self.now,
        )

    @cached_property
    def lapsed(self) -> Dissent:
        overdue = self.world.filled_in(self.until("raised", days_ago=3), at=self.now)
        return self.world.lapsed(overdue, at=self.now)

    @cached_property
    def withdrawn(self) -> Dissent:
        return self.world.withdrawn(self.until("convened"), at=self.now)

    @cached_property
    def late(self) -> Dissent:
        late = self.until("raised", days_ago=3)
        return self.world.filed(late, at=self.now, late_because="I was ill.")

    @cached_property
    def review(self) -> Dissent:
        return self.until("filed")

    @cached_property
    def reviewed(self) -> Dissent:
        return self.until("reviewed")

    @cached_property
    def proposed(self) -> Dissent:
        return self.world.proposed(self.until("reviewed"), at=self.now)

    @cached_property
    def answered(self) -> Dissent:
        """One that its dissenter answers in another window."""
        return self.world.proposed(self.until("reviewed"), at=self.now)

    @cached_property
    def offered(self) -> Dissent:
        return self.until("offered")

    @cached_property
    def escalated(self) -> Dissent:
        return self.until("escalated")

    @cached_property
    def convened(self) -> Dissent:
        return self.until("convened")

    @cached_property
    def conflicted(self) -> Dissent:
        dissent = self.until("convened")
        head_nurse = self.world.people["head_nurse"]
        conflict = {"independent": False, "conflict": "I know the family."}
        actions.declare(dissent=dissent, by=head_nurse, at=self.now, **conflict)
        return dissent

    @cached_property
    def declared(self) -> Dissent:
        dissent = self.until("convened")
        for member in self.world.panellists():
            actions.declare(dissent=dissent, independent=True, by=member, at=self.now)
        return dissent

    @cached_property
    def sat(self) -> Dissent:
        return self.until("sat", paper=True)

    @cached_property
    def without_the_unit(self) -> Dissent:
        return self.world.sat(self.until("convened"), at=self.now, absent=("unit_representative",))

    @cached_property
    def decided(self) -> Dissent:
        decided = self.until("decided")
        self.world.made(at=self.now)
        return decided

    @cached_property
    def family(self) -> Dissent:
        """Decided, with somebody who is asked first and held back, and somebody whose letter is printed."""
        conference = self.conference()
        child = conference.children.first()
        uncle = self.world.relative(child, "Uncle Testson", may_be_told="ask", at=self.now)
        self.world.relative(child, "Aunt Testson", at=self.now)
        dissent = self.world.decided(self.world.sat_about(conference, at=self.now), at=self.now)
        self.world.made(at=self.now)
        by = self.world.business_manager
        actions.hold_back(dissent=dissent, who=uncle.who, kind="court", why="Wait.", by=by, at=self.now)
        return dissent

    @cached_property
    def released(self) -> Dissent:
        return self.until("released", paper=True)

    @cached_property
    def closed(self) -> Dissent:
        return self.until("released", outcome="not_upheld")

    @cached_property
    def going_up(self) -> Dissent:
        """Not upheld, with the file for the child's record made and still to be uploaded."""
        decided = self.until("decided", outcome="not_upheld")
        dissent = self.world.let_out(decided, at=self.now)
        self.world.packed(dissent, at=self.now)
        return dissent

    @cached_property
    def corrected(self) -> Dissent:
        """Closed, and opened again by a child's date that was mistyped."""
        dissent = self.until("released", outcome="not_upheld")
        child = dissent.children.first()
        actions.correct_child(
            child=child,
            name=child.name,
            born_on=child.born_on - dt.timedelta(days=365),
            due_on=None,
            because="The year was mistyped.",
            by=self.world.conference_administrator,
            at=self.now,
        )
        return Dissent.objects.get(pk=dissent.pk)

    def conference(self, *, days_ago: int = 0, paper: bool = False) -> Conference:
        ended = self.now - dt.timedelta(days=days_ago, hours=3)
        held = self.world.conference(held_at=ended - dt.timedelta(hours=2), ended_at=ended, at=ended)
        ada = self.world.conference_administrator
        if paper:
            minutes = {"kind": "minutes", "file_name": "minutes.pdf", "data": a_pdf()}
            actions.attach_paper(conference=held, by=ada, at=ended, **minutes)
        mother = {"contact": "email", "details": "parent@family.example", "at": ended}
        self.world.relative(held.children.first(), "Parent Testson", **mother)
        return actions.confirm_explained(conference=held, by=self.world.chair, at=ended)

    def until(self, state: str, *, days_ago: int = 0, paper: bool = False, outcome: str = "") -> Dissent:
        dissent: Any = self.conference(days_ago=days_ago, paper=paper)
        for place, step in enumerate(TRUNK[: TRUNK.index(state) + 1], start=1):
            at = self.now - dt.timedelta(days=days_ago, hours=3) + dt.timedelta(minutes=15 * place)
            said = {"outcome": outcome} if step == "decided" and outcome else {}
            dissent = getattr(self.world, step)(dissent, at=at, **said)
        return Dissent.objects.get(pk=dissent.pk)


Row = tuple[str, str]
"""Who opens a page, by their key in the world, and its address. Nobody is signed in as ""."""


def before_signing_in(case: Cases) -> Iterator[Row]:
    for name in ("start", "account_login", "account_request_login_code", "account_inactive", "begin"):
        yield "", reverse(name)
    yield "", "/nothing/"


def of_who_is_away(case: Cases) -> Iterator[Row]:
    case.world.away("service_manager", stands_in=None, at=case.now)
    for who in ("service_manager", "administrator"):
        yield who, reverse("absences")
        yield who, reverse("record_absence")


def of_the_conference(case: Cases) -> Iterator[Row]:
    pk, closed = case.open.pk, case.closed_record.pk
    child = case.open.children.first().pk
    ada, clara = "conference_administrator", "chair"
    yield ada, reverse("conferences")
    yield ada, reverse("record_conference")
    for who in (ada, clara):
        yield who, reverse("conference", args=[pk])
        yield who, reverse("conference", args=[closed])
    for name in ("add_child", "add_attendance", "attach_paper"):
        yield ada, reverse(name, args=[pk])
    yield ada, reverse("add_relative", args=[pk, child])
    yield ada, reverse("add_child", args=[closed])
    for name in ("confirm_explained", "raise_dissent", "close_record"):
        yield clara, reverse(name, args=[pk])
    yield clara, reverse("raise_dissent", args=[closed])
    yield clara, reverse("dissent_recorded", args=[pk, case.chosen.pk])
    yield clara, reverse("dissent", args=[case.review.pk])
    yield clara, reverse("dissent", args=[case.released.pk])
    yield ada, reverse("dissent", args=[case.review.pk])


def of_the_dissenter(case: Cases) -> Iterator[Row]:
    tess = "teacher"
    for one in (
        case.fresh,
        case.filled,
        case.overdue,
        case.late,
        case.review,
        case.proposed,
        case.offered,
        case.escalated,
        case.decided,
        case.released,
        case.closed,
        case.withdrawn,
        case.lapsed,
    ):
        yield tess, reverse("dissent", args=[one.pk])
    for one in (case.fresh, case.convened):
        yield tess, reverse("withdraw", args=[one.pk])
    for question in ("telephone", "reason", "view"):
        yield tess, reverse("form_question", args=[case.fresh.pk, question])
    yield tess, reverse("form_question", args=[case.overdue.pk, "late_because"])
    yield tess, reverse("tell_management", args=[case.fresh.pk])
    yield tess, reverse("check_answers", args=[case.fresh.pk])
    yield tess, reverse("check_answers", args=[case.filled.pk])
    yield tess, reverse("form_sent", args=[case.review.pk])
    for name in ("agree_to_resolution", "refuse_resolution"):
        yield tess, reverse(name, args=[case.proposed.pk])
    for name in ("take_further", "accept"):
        yield tess, reverse(name, args=[case.offered.pk])


def of_the_second_way_in(case: Cases) -> Iterator[Row]:
    nell, ada, clara, sunil = "newcomer", "conference_administrator", "chair", "service_manager"
    yield nell, reverse("begin_claim", args=[case.world.council.key])
    yield nell, reverse("change_claim", args=[case.begun.pk])
    yield nell, reverse("begin_where")
    for one in (case.begun, case.unmatched, case.matched, case.doubted, case.turned_away):
        yield nell, reverse("dissent", args=[one.pk])
    yield nell, reverse("check_answers", args=[case.begun.pk])
    yield nell, reverse("form_sent", args=[case.unmatched.pk])
    for one in (case.unmatched, case.matched):
        yield ada, reverse("dissent", args=[one.pk])
        yield ada, reverse("match", args=[one.pk])
    yield clara, reverse("dissent", args=[case.matched.pk])
    yield clara, reverse("raised", args=[case.matched.pk])
    for who in (ada, clara):
        yield who, reverse("work")
    for one in (case.unmatched, case.doubted, case.turned_away):
        yield sunil, reverse("dissent", args=[one.pk])
        yield sunil, reverse("dissent", args=[one.pk]) + "?part=review"
    yield sunil, reverse("dissent", args=[case.unmatched.pk]) + "?part=conference"
    for one in (case.unmatched, case.doubted):
        yield sunil, reverse("settle", args=[one.pk])


def of_the_case(case: Cases) -> Iterator[Row]:
    sunil = "service_manager"
    ended = (case.closed, case.withdrawn, case.lapsed)
    for one in (case.overdue, case.late, case.review, case.proposed, case.offered, *ended):
        yield sunil, reverse("dissent", args=[one.pk])
    for who in ("chair", "superintendent"):
        yield who, reverse("dissent", args=[case.withdrawn.pk])
    yield "business_manager", reverse("panel", args=[case.withdrawn.panel_id])
    yield sunil, reverse("lapse", args=[case.overdue.pk])
    for part in ("", "?part=form", "?part=conference", "?part=review", "?part=decision", "?part=history"):
        yield sunil, reverse("dissent", args=[case.released.pk]) + part
    yield sunil, reverse("dissent", args=[case.fresh.pk]) + "?part=form"
    yield sunil, reverse("admit", args=[case.late.pk])
    yield sunil, reverse("record_step", args=[case.review.pk, "reviewed_with_chair"])
    yield sunil, reverse("propose", args=[case.reviewed.pk])
    yield sunil, reverse("decide", args=[case.reviewed.pk])
    yield sunil, reverse("further_conference", args=[case.released.pk])


def of_the_family(case: Cases) -> Iterator[Row]:
    one, bronwen, ada = case.family, "business_manager", "conference_administrator"
    child = one.children.first()
    uncle = child.relatives.get(name="Uncle Testson")
    yield bronwen, reverse("letters", args=[one.pk])
    yield ada, reverse("work")
    for who in (bronwen, ada):
        yield who, reverse("answer_for_family", args=[one.pk, uncle.who, child.pk])
    for name in ("hold_back", "let_go"):
        yield bronwen, reverse(name, args=[one.pk, uncle.who])
    yield bronwen, reverse("hand_over_letter", args=[one.letters.get(addressee="Aunt Testson").pk])
    yield "service_manager", reverse("child_told", args=[one.pk, child.pk])
    yield ada, reverse("change_contact", args=[one.conference_id, uncle.who])


def of_the_corrections(case: Cases) -> Iterator[Row]:
    one, ada, sunil = case.corrected, "conference_administrator", "service_manager"
    conference = one.conference_id
    yield ada, reverse("conference", args=[conference])
    yield ada, reverse("correct_child", args=[conference, one.children.first().pk])
    yield ada, reverse("correct_end", args=[conference])
    yield ada, reverse("correct_attendance", args=[conference, one.attendance_id])
    for part in ("?part=conference", "?part=decision", "?part=history"):
        yield sunil, reverse("dissent", args=[one.pk]) + part
    yield sunil, reverse("correct_decision", args=[case.offered.pk])
    yield "superintendent", reverse("correct_decision", args=[case.closed.pk])
    old = one.letters.exclude(replaced_at=None).get(to=case.world.people["officer"])
    yield "officer", reverse("letter", args=[old.pk])
    yield "business_manager", reverse("letters", args=[one.pk])


def of_the_panel(case: Cases) -> Iterator[Row]:
    bronwen, petra = "business_manager", "superintendent"
    yield bronwen, reverse("dissent", args=[case.escalated.pk])
    yield bronwen, reverse("convene", args=[case.escalated.pk])
    yield petra, reverse("panel", args=[case.convened.panel_id])
    for who in (bronwen, "unit_representative"):
        yield who, reverse("panel", args=[case.conflicted.panel_id])
    seat = case.conflicted.panel.seats.get(independent=False)
    yield bronwen, reverse("replace_member", args=[case.conflicted.panel_id, seat.pk])
    for one in (case.declared, case.sat):
        yield petra, reverse("panel", args=[one.panel_id])
    yield petra, reverse("record_sitting", args=[case.sat.panel_id])
    yield petra, reverse("panel_decide", args=[case.sat.pk])
    yield petra, reverse("panel", args=[case.without_the_unit.panel_id])
    yield petra, reverse("panel_decide", args=[case.without_the_unit.pk])
    yield petra, reverse("panel", args=[case.decided.panel_id])


def of_the_letters(case: Cases) -> Iterator[Row]:
    bronwen = "business_manager"
    for one in (case.escalated, case.decided, case.released):
        yield bronwen, reverse("letters", args=[one.pk])
    letter = case.released.letters.get(to=case.world.people["officer"])
    for who in (bronwen, "officer"):
        yield who, reverse("letter", args=[letter.pk])


def of_the_record(case: Cases) -> Iterator[Row]:
    rosa, ada, one = "unit_representative", "conference_administrator", case.going_up
    child = one.children.get()
    yield rosa, reverse("work")
    yield rosa, reverse("dissent", args=[one.pk])
    yield rosa, reverse("records", args=[one.pk])
    for name in ("childs_record", "record_uploaded"):
        yield rosa, reverse(name, args=[one.pk, child.pk])
    yield "service_manager", reverse("childs_record", args=[case.closed.pk, case.closed.children.get().pk])
    yield ada, reverse("fill_in_record_number", args=[one.conference_id, child.pk])


def of_everybody(case: Cases) -> Iterator[Row]:
    for who in (
        "service_manager",
        "business_manager",
        "chair",
        "conference_administrator",
        "teacher",
        "officer",
        "superintendent",
        "administrator",
    ):
        yield who, reverse("work")
    yield "service_manager", reverse("work") + "?due=late"
    yield "service_manager", reverse("work") + "?state=closed"
    yield "service_manager", reverse("start")
    yield "service_manager", reverse("account_logout")


class Browsers:
    """Each person's browser, signed in without the pages for it."""

    def __init__(self, case: Cases, new_page: Callable[..., Page], live: Any) -> None:
        self.case, self._new_page, self._live = case, new_page, live
        self._pages: dict[str, Page] = {}

    def start(self, *parts: Callable[[Cases], Iterator[Row]]) -> list[Row]:
        """Make the cases of these pages, then start the server. Return who opens what."""
        rows = [row for part in parts for row in part(self.case)]
        self._live.start()
        return rows

    def of(self, who: str) -> Page:
        if who not in self._pages:
            self._pages[who] = self._new_page()
            if who:
                sign_in(self._pages[who], self.case.world.people[who], self._live.url)
        return self._pages[who]

    def open(self, who: str, address: str) -> Page:
        page = self.of(who)
        page.goto(address)
        return page


def sign_in(page: Page, person: Person, url: str) -> None:
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = django_settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    cookie = {"name": django_settings.SESSION_COOKIE_NAME, "value": session.session_key, "url": url}
    page.context.add_cookies([cookie])


@pytest.fixture
def case(live) -> Cases:
    """Return cases that are made while the server rests, which would send what falls due in between."""
    live.stop()
    return Cases()


@pytest.fixture
def browsers(case, new_page, live) -> Browsers:
    return Browsers(case, new_page, live)


def shown_as(page: Page, address: str, html: str) -> None:
    """Open `html` as if the server had answered so."""
    page.route(
        f"**{address}", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8")
    )
    page.goto(address)


def names(patterns: list[Any]) -> Iterator[str]:
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from names(pattern.url_patterns)
        else:
            yield pattern.name


# --- every page ------------------------------------------------------------------------------------


def test_every_page_is_clean_fits_and_goes_by_keyboard(case, browsers, accessible, settings, tmp_path):
    seen = set()
    rows = browsers.start(
        before_signing_in,
        of_who_is_away,
        of_the_conference,
        of_the_dissenter,
        of_the_second_way_in,
        of_the_case,
        of_the_family,
        of_the_corrections,
        of_the_panel,
        of_the_letters,
        of_the_record,
        of_everybody,
    )
    for who, address in rows:
        page = browsers.open(who, address)
        assert page.url.endswith(address), f"{who} is led from {address} to {page.url}"
        look_at(page, accessible)
        if address != "/nothing/":
            seen.add(resolve(urlsplit(address).path).url_name)

    page = browsers.open("", reverse("account_request_login_code"))
    page.get_by_label("Your e-mail address").fill(case.world.people["teacher"].email)
    land(page, page.get_by_role("button", name="Send the code"))
    look_at(page, accessible)
    seen.add(resolve(urlsplit(page.url).path).url_name)

    petra = browsers.open("superintendent", reverse("panel_decide", args=[case.sat.pk]))
    petra.get_by_label("Uphold", exact=False).first.check()
    petra.locator("input[value=B]").first.check()
    petra.locator("textarea").first.fill("Two reports were not shared.")
    petra.locator("textarea").last.fill("Two reports were not there.")
    land(petra, petra.get_by_role("button", name="Check what you decided"))
    assert petra.get_by_role("button", name="Record this decision").is_visible()
    look_at(petra, accessible)

    child = case.corrected.children.first()
    ada = browsers.open(
        "conference_administrator", reverse("correct_child", args=[child.conference_id, child.pk])
    )
    ada.locator("[name=name]").fill("Child Z Testson")
    ada.locator("[name=because]").fill("The name was misheard.")
    land(ada, ada.get_by_role("button", name="Check what follows"))
    assert ada.get_by_role("button", name="Correct this").is_visible()
    look_at(ada, accessible)

    for page in when_something_is_wrong(case, browsers):
        look_at(page, accessible)

    page = browsers.of("")
    shown_as(page, reverse("messages"), messages_of_the_demonstration(settings, tmp_path))
    look_at(page, accessible)
    seen.add("messages")

    for page in at_two_councils(case, browsers):
        look_at(page, accessible)

    assert seen | set(NO_PAGES) == set(names(get_resolver().url_patterns))


def when_something_is_wrong(case: Cases, browsers: Browsers) -> Iterator[Page]:
    """Open what people see where the server cannot do what they asked."""
    tess = browsers.open("teacher", reverse("refuse_resolution", args=[case.answered.pk]))
    tess.locator("textarea").fill("What I typed meanwhile.")
    actions.agree_to_resolution(dissent=case.answered, by=case.world.people["teacher"], at=timezone.now())
    submit(tess)
    assert tess.get_by_text("What I typed meanwhile.").is_visible()
    yield tess
    tess.goto(reverse("form_question", args=[case.fresh.pk, "evidence"]))
    tess.locator("textarea").fill("What I typed before.")
    tess.context.clear_cookies(name=django_settings.CSRF_COOKIE_NAME)
    submit(tess)
    assert tess.get_by_text("What I typed before.").is_visible()
    yield tess
    page = browsers.of("")
    for template in ("403.html", "413.html", "429.html", "500.html"):
        shown_as(page, f"/{template}", render_to_string(template))
        yield page


def messages_of_the_demonstration(settings: Any, folder: Any) -> str:
    settings.DEMONSTRATION = True
    settings.EMAIL_FILE_PATH = folder / "messages"
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    with get_connection() as connection:
        link = f"{settings.SITE_URL}{reverse('work')}"
        said = f"Something waits for you.\n\n{link}\n"
        EmailMessage("DIS-1", said, "tracker@dissent.example", ["a@b.example"], connection=connection).send()
    answer = Client().get(reverse("messages"), headers={"host": "127.0.0.1"})
    assert answer.status_code == 200
    return answer.content.decode()


def at_two_councils(case: Cases, browsers: Browsers) -> Iterator[Page]:
    world = case.world
    other = Council.objects.create(
        key="elsewhere", name="Elsewhere Council", partnership=world.council.partnership, nation="england"
    )
    Appointment.objects.create(
        council=other,
        person=world.people["conference_administrator"],
        role="conference_administrator",
        from_on=dt.date(2020, 1, 1),
    )
    yield browsers.open("", reverse("start"))
    yield browsers.open("", reverse("start") + "?council=testshire")
    yield browsers.open("conference_administrator", reverse("record_conference"))


# --- every form, filled in wrongly -----------------------------------------------------------------


def forms(case: Cases) -> Iterator[Row]:
    pk, child = case.open.pk, case.open.children.first().pk
    ada, tess, sunil, petra = "conference_administrator", "teacher", "service_manager", "superintendent"
    bronwen = "business_manager"
    yield "", reverse("account_login")
    yield "", reverse("account_request_login_code")
    yield ada, reverse("record_conference")
    yield sunil, reverse("record_absence")
    for name in ("add_child", "add_attendance", "attach_paper"):
        yield ada, reverse(name, args=[pk])
    yield ada, reverse("add_relative", args=[pk, child])
    yield "chair", reverse("raise_dissent", args=[pk])
    for question in ("telephone", "reason", "view"):
        yield tess, reverse("form_question", args=[case.fresh.pk, question])
    yield tess, reverse("form_question", args=[case.overdue.pk, "late_because"])
    yield tess, reverse("tell_management", args=[case.fresh.pk])
    yield tess, reverse("check_answers", args=[case.filled.pk])
    yield sunil, reverse("admit", args=[case.late.pk])
    yield sunil, reverse("lapse", args=[case.overdue.pk])
    yield sunil, reverse("record_step", args=[case.review.pk, "reviewed_with_chair"])
    yield sunil, reverse("propose", args=[case.reviewed.pk])
    yield sunil, reverse("decide", args=[case.reviewed.pk])
    yield sunil, reverse("further_conference", args=[case.released.pk])
    yield bronwen, reverse("convene", args=[case.escalated.pk])
    seat = case.conflicted.panel.seats.get(independent=False)
    yield bronwen, reverse("replace_member", args=[case.conflicted.panel_id, seat.pk])
    yield petra, reverse("panel", args=[case.convened.panel_id])
    yield petra, reverse("record_sitting", args=[case.declared.panel_id])
    yield petra, reverse("panel_decide", args=[case.sat.pk])
    yield bronwen, reverse("letters", args=[case.decided.pk])


FILL = """fields => {
  const every = [...fields.querySelectorAll("input, textarea, select")].filter(one => one.type !== "hidden");
  const text = every.filter(one => ["text", "email"].includes(one.type));
  const when = { day: "31", month: "2", year: "2026", time: "25:61", at: "25:61" };
  const part = one => one.type === "text" && when[one.name.split("_").at(-1)];
  const can_be_wrong = every.some(one => part(one) || ["email", "file"].includes(one.type));
  for (const one of text) one.value = part(one) || (one.type === "email" ? "no address" : "Typed here");
  for (const one of every) {
    if (one.tagName === "TEXTAREA") one.value = "Typed\\nhere.";
    if (one.tagName === "SELECT") one.selectedIndex = 1;
    if (can_be_wrong && one.type === "checkbox") one.checked = true;
    if (can_be_wrong && one.type === "radio") one.checked = document.getElementsByName(one.name)[0] === one;
  }
  return can_be_wrong || every.some(one => ["checkbox", "radio"].includes(one.type));
}"""
"""Everything filled in: dates and addresses wrongly, and where there are none, without what is to be chosen.
Returns whether anything is wrong then."""

SAID = """fields => [...fields.querySelectorAll("input, textarea, select")]
  .filter(one => !["hidden", "password", "file"].includes(one.type))
  .map(one => [one.id, ["radio", "checkbox"].includes(one.type) ? one.checked : one.value])"""


def test_every_form_says_what_is_wrong_at_its_place_and_loses_nothing(case, browsers, accessible):
    for who, address in browsers.start(forms):
        page = browsers.open(who, address)
        submit(page)
        says_what_is_wrong(page)
        look_at(page, accessible, wrong=True)

        page = browsers.open(who, address)
        if not page.locator(FORM).evaluate(FILL):
            continue
        said = page.locator(FORM).evaluate(SAID)
        submit(page)
        says_what_is_wrong(page)
        assert page.locator(FORM).evaluate(SAID) == said, f"{page.url} loses what was typed"
        fits(page)


FORM = "main form:has(input:not([type=hidden]), textarea, select)"


def submit(page: Page) -> None:
    land(page, page.locator(f"{FORM} >> button[type=submit]").first)


def says_what_is_wrong(page: Page) -> None:
    """See each problem in the summary and at its field, and follow each link to where it can be mended."""
    says_what_it_is(page, wrong=True)
    summary = page.locator(".govuk-error-summary")
    assert summary.evaluate("one => one === document.activeElement")
    listed = summary.locator("li").all_inner_texts()
    said = page.locator(".govuk-error-message").all_inner_texts()
    assert listed, f"{page.url} does not say what is wrong"
    assert all(one.startswith("Error:") for one in said)
    at_fields = [one.removeprefix("Error:").strip() for one in said]
    links = summary.locator("li a")
    assert sorted(links.all_inner_texts()) == sorted(at_fields), f"{page.url}: {listed}, but {at_fields}"
    for link in links.all():
        link.click()
        focused = page.evaluate("['INPUT', 'TEXTAREA', 'SELECT'].includes(document.activeElement.tagName)")
        assert focused, f"{page.url}: {link.inner_text()} leads nowhere"
        assert page.evaluate("'#' + document.activeElement.id") == link.get_attribute("href")


# --- one form by keyboard alone, and a reader's own spacing ----------------------------------------


def of_one_form(case: Cases) -> Iterator[Row]:
    yield "", reverse("dissent", args=[case.fresh.pk])


def test_a_form_can_be_filled_in_and_sent_by_keyboard_alone(case, browsers, mailbox):
    page = browsers.open(*browsers.start(of_one_form)[0])
    press_at(page, "Send me a code")
    teacher = case.world.people["teacher"]
    type_at(page, "Your e-mail address", teacher.email)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    type_at(page, "Sign-in code", code_to(mailbox, teacher.email))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    press_at(page, "Fill in the form")
    for said in ("01632 960150", "It is not safe.", "The chronology.", "Chapter one."):
        tab_to(page, "textarea, input[type=text]")
        page.keyboard.type(said)
        press_at(page, "Continue")
    tab_to(page, "input[type=radio]")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    press_at(page, "Continue")
    tab_to(page, "textarea")
    page.keyboard.type("Everybody would follow one plan.")
    press_at(page, "Continue")
    press_at(page, "Leave this for later")
    tab_to(page, "input[type=checkbox]")
    page.keyboard.press("Space")
    press_at(page, "Send the form")
    page.wait_for_url("**/sent/")
    sent = Dissent.objects.get(pk=case.fresh.pk)
    assert sent.filed_at
    assert sent.answers_by_question()["view"] == "plan"


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until something that fits `selector` has focus."""
    page.wait_for_load_state()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{page.url}: Tab does not come to {selector}")


def press_at(page: Page, words: str) -> None:
    """Tab to the link or button with these words, and press Enter."""
    page.wait_for_load_state()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.locator("a:focus, button:focus").all_inner_texts() == [words]:
            with page.expect_navigation():
                page.keyboard.press("Enter")
            return
    raise AssertionError(f"{page.url}: Tab does not come to {words}")


def type_at(page: Page, label: str, text: str) -> None:
    page.wait_for_load_state()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.get_by_label(label).evaluate("one => one === document.activeElement"):
            page.keyboard.type(text)
            return
    raise AssertionError(f"{page.url}: Tab does not come to {label}")


def code_to(mailbox: Any, address: str) -> str:
    line = re.compile(r"(?m)^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$")
    while not (found := line.search(mailbox.latest(address).text)):
        mailbox.latest(address, count=len(mailbox.to(address)) + 1)
    return found[1]


def of_three_kinds(case: Cases) -> Iterator[Row]:
    yield "service_manager", reverse("work")
    yield "service_manager", reverse("dissent", args=[case.offered.pk])
    child = case.open.children.first().pk
    yield "conference_administrator", reverse("add_relative", args=[case.open.pk, child])


def test_nothing_is_cut_off_with_a_readers_own_spacing(browsers):
    for who, address in browsers.start(of_three_kinds):
        fits_when_spaced(browsers.open(who, address))

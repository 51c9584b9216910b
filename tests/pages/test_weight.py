"""What a page weighs: the bytes of a first view, and what it asks the database however long its lists."""

from __future__ import annotations

import datetime as dt
import gzip
import http.client
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from councils.models import Person
from dissent import actions
from dissent.actions import Found
from dissent.models import Dissent, Letter, Paper
from tests.world import World, when

AT_MOST_BYTES = 200_000
AT_MOST_QUERIES = 24
FEW, MANY = 3, 30


# --- bytes -----------------------------------------------------------------------------------------

LINKED = re.compile(r"""(?:<link[^>]*?href|<(?:script|img)[^>]*?src|@import\s+)=?\s*["']([^"']+)["']""")
IN_A_SHEET = re.compile(r"""url\(\s*["']?(?!data:)([^"')]+)["']?\s*\)""")
IN_A_SCRIPT = re.compile(r"""(?:import|from)\s*["']([^"']+)["']""")


@dataclass
class Browser:
    """Fetches a page and what it needs, as a browser does that keeps nothing yet."""

    port: int
    session: str = ""

    def first_view(self, address: str) -> dict[str, int]:
        """Return the bytes that came over the wire for each address of the page and its assets."""
        body, came = self._fetch(address)
        weighs = {address: came}
        wanted = [(found, address) for found in LINKED.findall(body)]
        while wanted:
            found, of = wanted.pop()
            place = urljoin(of, found)
            assert not urlsplit(place).netloc, f"{address} asks another site for {place}"
            if place in weighs:
                continue
            body, weighs[place] = self._fetch(place)
            pattern = {"css": IN_A_SHEET, "js": IN_A_SCRIPT}.get(place.rpartition(".")[2])
            wanted += [(each, place) for each in (pattern.findall(body) if pattern else [])]
        return weighs

    def _fetch(self, address: str) -> tuple[str, int]:
        peer = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Accept-Encoding": "gzip"}
        if self.session:
            headers["Cookie"] = f"{django_settings.SESSION_COOKIE_NAME}={self.session}"
        peer.request("GET", address, headers=headers)
        answer = peer.getresponse()
        raw = answer.read()
        peer.close()
        assert answer.status == 200, f"{address}: {answer.status}"
        packed = answer.headers.get("Content-Encoding") == "gzip"
        if answer.headers["Content-Type"].startswith(("text/css", "text/javascript")):
            assert packed, f"{address} comes uncompressed"
        head = sum(len(name) + len(value) + 4 for name, value in answer.headers.items())
        return (gzip.decompress(raw) if packed else raw).decode(), len(raw) + head


def test_a_first_view_with_all_that_it_needs_is_light(live):
    world = World(quick=True)
    case = world.offered()
    ended = timezone.now() - dt.timedelta(hours=2)
    young = world.conference(held_at=ended - dt.timedelta(hours=2), ended_at=ended, at=ended)
    raised = world.raised(young, at=ended)
    for address, who in (
        ("/", None),
        ("/sign-in/", None),
        ("/sign-in/code/", None),
        (f"/dissents/{raised.pk}/form/reason/", world.teacher),
        (f"/dissents/{case.pk}/", world.service_manager),
        ("/work/", world.service_manager),
    ):
        weighs = Browser(live.port, session_of(who) if who else "").first_view(address)
        assert len(weighs) > 2, f"{address} needs no sheet and no script: {weighs}"
        assert sum(weighs.values()) < AT_MOST_BYTES, f"{address}: {sum(weighs.values())} bytes, {weighs}"


def session_of(person: Person) -> str:
    client = Client()
    client.force_login(person)
    return client.cookies[django_settings.SESSION_COOKIE_NAME].value


# --- questions to the database ---------------------------------------------------------------------


PARTS = ("", "?part=form", "?part=conference", "?part=review", "?part=decision", "?part=history")


class Crowd:
    """One conference with `number` of everything, and as many dissents about it."""

    def __init__(self, number: int) -> None:
        self.world = world = World(key=f"with{number}", quick=True)
        self.number = number
        self.conference = world.conference(children=1)
        child = self.conference.children.get()
        by = world.conference_administrator
        for count in range(number):
            at = self.conference.recorded_at
            who = f"worker{count}"
            world.attend(self.conference, who, ("Police", "Health Trust")[count % 2])
            world.people[who] = self.conference.attendances.get(email__startswith=f"{who}@").person
            actions.add_child(
                conference=self.conference,
                name=f"Child {count}",
                born_on=dt.date(2018, 5, 1),
                due_on=None,
                decision="not_made",
                category="",
                by=by,
                at=at,
            )
            actions.add_relative(child=child, name=f"Aunt {count}", relation="aunt", by=by, at=at)
            # Each paper is read in a process of its own when it is attached: rows alone do here.
            Paper.objects.create(
                council=world.council,
                conference=self.conference,
                kind="minutes",
                file_name="m.pdf",
                size=1,
                attached_at=at,
                attached_by=by,
            )
            world.appoint("panel_member", f"Member {count}", "Police", key=f"member{count}")
        world.panellists()

    def raised(self) -> None:
        children = list(self.conference.children.all())
        self.dissents = [
            self.world.raised(self.conference, who=f"worker{count}", children=children)
            for count in range(self.number)
        ]

    def each(self, step: Any) -> None:
        self.dissents = [step(dissent) for dissent in self.dissents]

    @property
    def dissent(self) -> Dissent:
        return Dissent.objects.get(pk=self.dissents[0].pk)

    def decided(self) -> None:
        found = Found(outcome="upheld", reasons="Reasons.", ground="A", plain_reasons="Plainly.")
        actions.decide(
            dissent=self.dissent,
            findings=dict.fromkeys(self.dissent.children.all(), found),
            by=self.world.superintendent,
            at=when("2026-03-16 13:00"),
        )
        self.world.made()
        assert Letter.objects.filter(dissent=self.dissent).count() > self.number


@pytest.mark.django_db
def test_a_staff_page_asks_the_database_as_much_for_thirty_rows_as_for_three():
    few, many = asked_by(Crowd(FEW)), asked_by(Crowd(MANY))
    assert few.keys() == many.keys()
    wrong = [
        f"{page}: {few[page]} questions for {FEW} and {many[page]} for {MANY}"
        for page in few
        if few[page] != many[page] or many[page] > AT_MOST_QUERIES
    ]
    assert not wrong, "\n".join(wrong)


def asked_by(crowd: Crowd) -> dict[str, int]:
    """Return how many questions each staff page asks, on the way of a case from its conference to its end."""
    asked: dict[str, int] = {}
    clients: dict[str, Client] = {}
    world, home = crowd.world, f"/conferences/{crowd.conference.pk}/"

    def look(when_: str, who: str, *addresses: str) -> None:
        client = clients.setdefault(who, Client())
        client.force_login(world.people[who])
        client.get("/sign-in/inactive/")  # the first page of a session writes when it began
        for address in addresses:
            with CaptureQueriesContext(connection) as questions:
                answer = client.get(address)
            assert answer.status_code == 200, f"{when_}: {who}: {address}: {answer.status_code}"
            name = re.sub(r"[0-9a-f-]{36}", "…", address)
            asked[f"{when_}, {who}: {name}"] = len(
                [one for one in questions if "SAVEPOINT" not in one["sql"]]
            )

    child = crowd.conference.children.first().pk
    look(
        "open",
        "conference_administrator",
        "/conferences/",
        "/conferences/new/",
        home,
        *(f"{home}{one}/new/" for one in ("children", f"children/{child}/people", "attendances", "papers")),
    )
    look("open", "chair", "/conferences/", home, f"{home}explained/", f"{home}dissents/new/", f"{home}close/")
    crowd.raised()
    case = f"/dissents/{crowd.dissent.pk}/"
    parts = [f"{case}{part}" for part in PARTS]
    look("raised", "conference_administrator", home, case)
    look("raised", "chair", home, case, f"{home}dissents/{crowd.dissent.pk}/recorded/")
    look("raised", "service_manager", "/work/", *parts)
    late = world.filed(crowd.dissents.pop(), at=when("2026-03-05 09:00"), late_because="Ill.")
    look("late", "service_manager", f"/dissents/{late.pk}/admit/")
    crowd.each(world.filed)
    look("filed", "service_manager", "/work/", *parts, f"{case}steps/reviewed_with_chair/")
    look("filed", "chair", "/work/", case)
    crowd.each(world.reviewed)
    look("reviewed", "service_manager", "/work/", *parts, f"{case}propose/", f"{case}decide/")
    crowd.each(world.offered)
    crowd.each(world.escalated)
    look("panel due", "business_manager", "/work/", *parts, f"{case}panel/convene/")
    world.convened(crowd.dissent)
    panel = f"/panels/{crowd.dissent.panel_id}/"
    seat = crowd.dissent.panel.seats.filter(is_chair=False).first().pk
    look("convened", "business_manager", "/work/", panel, f"{panel}seats/{seat}/replace/", *parts)
    look("convened", "superintendent", "/work/", panel)
    world.sat(crowd.dissent)
    look("sat", "superintendent", "/work/", panel, f"{panel}sitting/", f"{case}panel/decide/")
    look("sat", "head_nurse", "/work/", panel)
    look("sat", "service_manager", "/work/", panel, *parts)
    crowd.decided()
    look("decided", "business_manager", "/work/", panel, f"{case}letters/", *parts)
    look("decided", "superintendent", "/work/", panel)
    letter = Letter.objects.filter(dissent=crowd.dissent).first()
    actions.release_letters(dissent=crowd.dissent, by=world.business_manager, at=when("2026-03-17 09:00"))
    look("released", "business_manager", f"{case}letters/", f"/letters/{letter.pk}/", *parts)
    look("released", "service_manager", f"{case}further-conference/")
    look("released", "chair", "/work/", case, home)
    sent = [
        world.unmatched(world.begun(who=f"newcomer{count}"), late_because="Ill.")
        for count in range(crowd.number)
    ]
    found = f"/dissents/{sent[0].pk}/"
    look("unmatched", "conference_administrator", "/work/", found, f"{found}match/")
    look("unmatched", "service_manager", "/work/", found, f"{found}settle/")
    matched = [world.matched(each, conference=crowd.conference) for each in sent]
    look("matched", "chair", "/work/", home, found, f"{found}raised/")
    world.denied(matched[0])
    look("doubted", "service_manager", *(f"{found}{part}" for part in PARTS), f"{found}settle/")
    for _ in sent:
        world.begun(who="newcomer0")
    look("doubted", "newcomer0", "/work/", "/begin/where/", found)
    record = f"{case}record/"
    look("released", "conference_administrator", "/work/", home, f"{home}children/{child}/number/")
    look("released", "unit_representative", "/work/", case, record, f"{record}{child}/")
    world.packed(crowd.dissent, crowd.dissent.children.get(pk=child), at=when("2026-03-18 09:00"))
    look("record made", "unit_representative", "/work/", record, f"{record}{child}/uploaded/")
    look("record made", "service_manager", case, f"{record}{child}/")
    return asked

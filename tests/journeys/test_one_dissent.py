"""One dissent, from the conference to the letters, by its people, in a real browser."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.utils import timezone
from playwright.sync_api import Page

from councils.models import Person
from dissent.models import Conference, Dissent, Letter, Notice
from dissent.models.ledger import verify
from tests.journeys.desk import PASSWORD, Desk
from tests.pdf_text import text_of
from tests.world import World, a_pdf

pytestmark = pytest.mark.journey

LONDON = ZoneInfo("Europe/London")
REASONS = "Two reports were not shared.\nThe panel read them: {{7*7}} <b>as typed</b>."


class People:
    """Everybody's desk, at the same council."""

    def __init__(
        self,
        world: World,
        new_page: Callable[..., Page],
        mailbox: Any,
        look: Callable[[Page], None],
        **browser: Any,
    ) -> None:
        self.world, self.mailbox = world, mailbox
        self._new_page, self._look, self._browser = new_page, look, browser
        self._looked_at: set[str] = set()
        for person in world.people.values():
            # As the web server will check it, which does not know the tests' quick hasher.
            person.password = Argon2PasswordHasher().encode(PASSWORD, "salt-for-tests")
            person.save()

    def at_desk(self, person: Person, path: str = "/work/") -> Desk:
        desk = Desk(self._new_page(**self._browser), self.mailbox, person, self._look_once)
        desk.sign_in(path)
        return desk

    def stranger(self, email: str) -> Desk:
        """Somebody whom nobody has recorded, and who is not signed in."""
        return Desk(self._new_page(**self._browser), self.mailbox, Person(email=email), self._look_once)

    def _look_once(self, page: Page) -> None:
        """Look at each distinct page once, whoever comes to it first."""
        kind = re.sub(r"[0-9a-f-]{36}", "*", page.url)
        if kind not in self._looked_at:
            self._looked_at.add(kind)
            self._look(page)

    def known_as(self, key: str) -> Person:
        return Person.objects.get(email=f"{key}@testshire.example")


def nothing_sticks_out(page: Page) -> None:
    """No page is wider than the screen (WCAG 1.4.10)."""
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], f"{page.url} is {width} pixels wide"


def just_now() -> tuple[dt.datetime, dt.datetime]:
    """When the conference began and ended: on one day, a few minutes ago."""
    now = dt.datetime.now(LONDON)
    ended = now - dt.timedelta(minutes=2)
    if ended.hour == 0 and ended.minute < 10:
        ended -= dt.timedelta(minutes=ended.minute + 1)
    return ended - dt.timedelta(minutes=5), ended


def record_the_conference(people: People) -> Conference:
    ada = people.at_desk(people.world.conference_administrator)
    ada.open("Conferences")
    ada.open("Record a conference")
    held, ended = just_now()
    ada.fill(kind="initial", held_at=held, ended_at=f"{ended:%H:%M}", chair=people.world.chair.name)
    ada.go_on()
    ada.open("Add a child")
    ada.fill(name="Ava Testson", born_on=dt.date(2018, 5, 1), decision="not_made")
    ada.go_on()
    ada.open("Add a person who matters to")
    ada.fill(name="Parent Testson", relation="Mother", may_be_told="no", may_be_told_said_by="Worker")
    ada.go_on()
    ada.open("Add a person who came or was invited")
    came = [
        ("Teacher Testshire", "School", "teacher", "yes"),
        ("Officer Testshire", "Police", "officer", "yes"),
        ("Nurse Testshire", "Health Trust", "nurse", "yes"),
        ("Absentee Testshire", "Health Trust", "absentee", "no"),
    ]
    for number, (name, agency, key, present) in enumerate(came, start=1):
        ada.fill(name=name, capacity="professional", present=present, job="Their job")
        ada.fill(agency=agency, email=f"{key}@testshire.example")
        ada.press("Save" if number == len(came) else "Save and add another person")
    ada.open("Attach a paper")
    ada.fill(kind="minutes")
    ada.attach("paper", a_pdf(2), called="minutes.pdf")
    ada.go_on()
    ada.sees("Minutes of the conference")
    return Conference.objects.get()


def raise_the_dissent(people: People, conference: Conference) -> Dissent:
    clara = people.at_desk(people.world.chair, f"/conferences/{conference.pk}/")
    clara.open("Confirm that the dissent process was explained")
    clara.go_on()
    clara.open("Record a dissent")
    clara.sees("Absentee Testshire")
    clara.page.get_by_label("Teacher Testshire").check()
    clara.go_on()
    clara.sees(Dissent.objects.get().reference)
    clara.goto(f"/conferences/{conference.pk}/close/")
    clara.go_on()
    return Dissent.objects.get()


def send_the_form(people: People, dissent: Dissent) -> None:
    link = people.mailbox.latest("teacher@testshire.example").text
    path = re.search(r"http://[^/]+(/dissents/\S+)", link)[1]
    tess = people.at_desk(people.known_as("teacher"), path)
    tess.goto(f"{path}form/")
    answer_and_send(tess)
    tess.sees(dissent.reference)


def answer_and_send(tess: Desk) -> None:
    """From the first question of the form to the page that says that it was sent."""
    answers = {
        "telephone": "01632 960150",
        "reason": "Because the risk was not understood.",
        "evidence": "The chronology.",
        "passage": "The chapter on thresholds.",
    }
    for question, answer in answers.items():
        tess.page.locator(f"[name={question}], [name=answer]").first.fill(answer)
        tess.go_on()
    tess.page.get_by_label("There should be a child protection plan", exact=True).check()
    tess.go_on()
    tess.page.locator("textarea").fill("Everybody would follow one plan.")
    tess.go_on()
    if "/management/" in tess.page.url:
        tess.page.get_by_label("Yes").check()
        tess.fill(name="Head Testshire", told_on=dt.datetime.now(LONDON).date())
        tess.go_on()
    tess.sees("Because the risk was not understood.")
    tess.page.locator("[name=declared]").check()
    tess.go_on()


def review_and_offer_the_panel(people: People, dissent: Dissent) -> None:
    sunil = people.at_desk(people.world.service_manager)
    sunil.open(dissent.reference)
    for step in ("reviewed_with_chair", "discussed_with_dissenter"):
        sunil.goto(f"/dissents/{dissent.pk}/steps/{step}/")
        sunil.fill(happened_at=dt.datetime.now(LONDON), note="We talked about it.")
        sunil.go_on()
    sunil.goto(f"/dissents/{dissent.pk}/decide/")
    sunil.page.get_by_role("radio").first.check()
    sunil.fill(reasons="We do not agree on the threshold.")
    sunil.go_on()


def go_to_the_panel(people: People, dissent: Dissent) -> None:
    tess = people.at_desk(people.known_as("teacher"), f"/dissents/{dissent.pk}/")
    tess.goto(f"/dissents/{dissent.pk}/take-further/")
    tess.go_on()
    bronwen = people.at_desk(people.world.business_manager, f"/dissents/{dissent.pk}/")
    bronwen.goto(f"/dissents/{dissent.pk}/panel/convene/")
    chair, *members = people.world.panellists()
    bronwen.fill(chair=chair.pk)
    for member in members:
        bronwen.fill(members=member.pk)
    bronwen.go_on()


def let_the_panel_decide(people: People, dissent: Dissent, outcome: str) -> None:
    dissent = Dissent.objects.get(pk=dissent.pk)
    chair, *members = people.world.panellists()
    for member in (chair, *members):
        desk = people.at_desk(member, f"/panels/{dissent.panel_id}/")
        desk.page.get_by_label("Yes").check()
        desk.go_on()
        desk.sees("Because the risk was not understood.")
    petra = people.at_desk(chair, f"/panels/{dissent.panel_id}/")
    petra.open("Record when it met")
    petra.fill(sat_at=dt.datetime.now(LONDON))
    for box in petra.page.get_by_role("checkbox").all():
        box.check()
    petra.go_on()
    petra.open("Record what the panel decided")
    petra.page.get_by_label(re.compile("^Uphold" if outcome == "upheld" else "^Do not uphold")).first.check()
    if outcome == "upheld":
        petra.page.locator("input[type=radio][value=B]").first.check()
    petra.page.locator("textarea").first.fill(REASONS)
    petra.page.locator("textarea").last.fill("Two reports were not there.")
    petra.press("Check what you decided")
    petra.go_on()


def release_and_read_the_letters(people: People, dissent: Dissent, outcome: str) -> None:
    deadline = time.monotonic() + 60
    while Letter.objects.filter(made_at=None).exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    bronwen = people.at_desk(people.world.business_manager, f"/dissents/{dissent.pk}/letters/")
    for name in ("Teacher Testshire", "Officer Testshire", "Nurse Testshire", people.world.chair.name):
        bronwen.sees(name)
    world = people.world
    world.told(Dissent.objects.get(pk=dissent.pk), at=timezone.now())
    bronwen.page.locator("[name=read]").check()
    bronwen.go_on()
    for key in ("teacher", "officer", "nurse"):
        person = people.known_as(key)
        letter = Letter.objects.get(to=person)
        notice = people.mailbox.latest(person.email, count=2 if key == "teacher" else 1)
        assert "Testson" not in notice.raw.decode()
        reader = people.at_desk(person, f"/letters/{letter.pk}/")
        text = text_of(reader.download("Download the letter"))
        assert "Ava Testson" in text
        assert "Two reports were not shared." in text
        assert "{{7*7}} <b>as typed</b>" in text
        assert ("upholds the dissent" in text) == (outcome == "upheld")
        assert "Absentee" not in text


def put_it_on_the_childs_record(people: People, dissent: Dissent) -> None:
    world = people.world
    ada = people.at_desk(world.conference_administrator)
    ada.open("Fill in the LCS number of Ava Testson")
    ada.fill(record_number="17-42")
    ada.go_on()
    rosa = people.at_desk(world.unit_representative)
    rosa.open("Put the decision onto the record of Ava Testson")
    rosa.press("Make the file")
    text = text_of(rosa.download("Download the file"))
    for words in (
        "LCS number: 17-42",
        "Two reports were not shared.",
        "Dear Officer Testshire",
        "Chronology",
    ):
        assert words in text
    rosa.open("Say that you uploaded it")
    rosa.fill(uploaded_on=timezone.localdate())
    rosa.go_on()
    rosa.sees("It is recorded that the record of Ava Testson was uploaded.")


@pytest.mark.rule("ST-06", "ST-13", "ST-16", "ST-22", "ST-24")
@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param("upheld", id="upheld, with scripting"),
        pytest.param("not_upheld", id="not upheld, without scripting, on a small screen"),
    ],
)
def test_one_dissent_from_the_conference_to_the_letters(live, new_page, mailbox, outcome: str):
    world = World()
    world.panellists()
    if outcome == "upheld":
        people = People(world, new_page, mailbox, nothing_sticks_out)
    else:
        people = People(world, new_page, mailbox, nothing_sticks_out, scripts=False, width=320)
    conference = record_the_conference(people)
    dissent = raise_the_dissent(people, conference)
    send_the_form(people, dissent)
    review_and_offer_the_panel(people, dissent)
    go_to_the_panel(people, dissent)
    let_the_panel_decide(people, dissent, outcome)
    release_and_read_the_letters(people, dissent, outcome)
    put_it_on_the_childs_record(people, dissent)
    assert verify(world.council)[1] == []
    assert not Notice.objects.filter(failed_at__isnull=False).exists()
    assert Dissent.objects.get().state == ("closed" if outcome == "not_upheld" else "reconvening")

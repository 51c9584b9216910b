"""Ten people at once on `make stack`, over a year of invented cases: nothing breaks, no press is lost.

PROOF_SECONDS says for how long; five minutes where nothing is set. The year is one council's: its 25 formal
dissents, and of its some 850 conferences 60, because the others are read by nobody and cost the same each.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import re
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from councils.models import Person
from dissent.models import Answer, Attendance, Conference, Dissent, Letter, Notice
from dissent.models.dissent import AT_STAGE, DECIDED, RAISED
from dissent.models.ledger import LedgerEntry, verify
from tests.proofs.over_http import Answer as Answered
from tests.proofs.over_http import Desk
from tests.world import LONDON, World

SECONDS = float(os.environ.get("PROOF_SECONDS", "300"))
CONFERENCES, DISSENTS = 60, 25
THINKS = (0.2, 0.8)
"""Seconds between two presses of one person: some ten times as busy as people are."""
AT_MOST = 20_000
"""Requests of all together, however long it goes on."""


# --- the year --------------------------------------------------------------------------------------


def a_year(world: World) -> None:
    """Conferences on the Tuesdays of a year, and what became of the dissents about them."""
    today = timezone.localdate()
    latest = today - dt.timedelta(days=today.weekday() - 1 + 28)
    fates = [_closed, _to_be_reheard, _closed, _offered, _reviewed]
    for number in range(CONFERENCES):
        tuesday = latest - dt.timedelta(weeks=number * 48 // CONFERENCES)
        at = _hours_of(tuesday)
        conference = world.conference(at=at(0, 12.5), held_at=at(0, 10), ended_at=at(0, 12))
        if number * DISSENTS % CONFERENCES < DISSENTS:
            fates[number % len(fates)](world, world.raised(conference, at=at(0, 12.5)), at)


def _hours_of(day: dt.date) -> Callable[[int, float], dt.datetime]:
    midnight = dt.datetime.combine(day, dt.time(), LONDON)
    return lambda days, hours: midnight + dt.timedelta(days=days, hours=hours)


def _reviewed(world: World, dissent: Dissent, at: Callable[..., dt.datetime]) -> Dissent:
    return world.reviewed(world.filed(dissent, at=at(0, 15)), at=at(2, 10))


def _offered(world: World, dissent: Dissent, at: Callable[..., dt.datetime]) -> Dissent:
    return world.offered(_reviewed(world, dissent, at), at=at(2, 11))


def _released(world: World, dissent: Dissent, at: Callable[..., dt.datetime], outcome: str) -> Dissent:
    escalated = world.escalated(_offered(world, dissent, at), at=at(3, 9))
    sat = world.sat(world.convened(escalated, at=at(6, 9)), at=at(13, 12))
    return world.released(world.decided(sat, outcome, at=at(13, 13)), at=at(14, 9))


def _closed(world: World, dissent: Dissent, at: Callable[..., dt.datetime]) -> Dissent:
    return _released(world, dissent, at, "not_upheld")


def _to_be_reheard(world: World, dissent: Dissent, at: Callable[..., dt.datetime]) -> Dissent:
    return _released(world, dissent, at, "upheld")


# --- the people ------------------------------------------------------------------------------------


class Busy:
    """Somebody who reads, and does what waits for them, until it is time to stop.

    What waits is looked up in the database; it is done, and everything is read, over HTTP.
    """

    def __init__(self, stack: Any, person: Person, *acts: Callable[[Busy], None]) -> None:
        self.person, self.acts = person, acts
        self.desk = Desk(stack, person)
        self.chance = random.Random(person.email)  # noqa: S311  the same hesitations each time
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.seconds: list[float] = []
        self.acknowledged: Counter[tuple[str, Any, str]] = Counter()
        self.refused: Counter[tuple[str, int]] = Counter()
        self.typed: dict[tuple[str, str], str] = {}
        self.broke: list[str] = []

    def work(self, until: float) -> None:
        while time.monotonic() < until and len(self.seconds) < AT_MOST / 10:
            try:
                self.read() if self.chance.random() < 0.5 else self.chance.choice(self.acts)(self)
            except Exception as error:
                self.broke.append(repr(error))
                return
            finally:
                connection.close()

    def read(self) -> None:
        """Open the list of their work or a page of theirs, and now and then one that is not theirs."""
        model = self.chance.choice([Dissent, Conference, Letter, None])
        if model is None:
            self._send("GET", "/work/")
            return
        theirs = model.objects.visible_to(self.person, at=timezone.now())
        rows = model.objects.all() if self.chance.random() < 0.1 else theirs
        one = rows.order_by("?").values_list("pk", flat=True).first()
        connection.close()
        if one:
            self._send("GET", f"/{model._meta.model_name}s/{one}/")

    def press(self, verb: str, case: Any, address: str, **said: Any) -> Answered:
        """Press a button, and note what the answer says was done; `case` is None where it makes one."""
        connection.close()
        answer = self._send("POST", address, **said)
        if answer.status == 302:
            self.acknowledged[verb, self.person.pk, str(case or answer.location.split("/")[2])] += 1
        else:
            self.refused[verb or address.split("/")[3], answer.status] += 1
        return answer

    def page(self, address: str) -> str:
        connection.close()
        return self._send("GET", address).body

    def _send(self, method: str, address: str, **said: Any) -> Answered:
        time.sleep(self.chance.uniform(*THINKS))
        began = time.monotonic()
        answer = self.desk.get(address) if method == "GET" else self.desk.post(address, **said)
        self.seconds.append(time.monotonic() - began)
        self.statuses[method, answer.status] += 1
        if answer.status >= 500:
            self.broke.append(f"{method} {address}: {answer.status}")
        return answer


def boxes(name: str, at: dt.datetime) -> dict[str, str]:
    at = at.astimezone(LONDON)
    return {
        f"{name}_day": str(at.day),
        f"{name}_month": str(at.month),
        f"{name}_year": str(at.year),
        f"{name}_time": f"{at:%H:%M}",
    }


def record_a_conference(world: World) -> Callable[[Busy], None]:
    ended = timezone.now() - dt.timedelta(minutes=30)
    held = ended - dt.timedelta(minutes=20)
    agencies = {"teacher": "School", "nurse": "Health Trust", "officer": "Police"}
    offered = {key: world.agency(name).pk for key, name in agencies.items()}

    def act(busy: Busy) -> None:
        said = boxes("held_at", held)
        ended_at = f"{ended.astimezone(LONDON):%H:%M}"
        answer = busy.press(
            "record_conference",
            None,
            "/conferences/new/",
            kind="initial",
            ended_at=ended_at,
            chair=world.chair.pk,
            **said,
        )
        assert answer.status == 302, answer.words
        case, address = answer.location.split("/")[2], answer.location
        child = {"name": "Child Busy", "born_on_day": "1", "born_on_month": "5", "born_on_year": "2018"}
        busy.press("add_child", case, f"{address}children/new/", decision="not_made", **child)
        for key, agency in offered.items():
            busy.press(
                "add_attendance",
                case,
                f"{address}attendances/new/",
                name=f"{key.title()} Testshire",
                capacity="professional",
                present="yes",
                agency=agency,
                job=key.title(),
                email=f"{key}@testshire.example",
            )

    return act


def raise_a_dissent(world: World, began: dt.datetime) -> Callable[[Busy], None]:
    def act(busy: Busy) -> None:
        ready = Conference.objects.annotate(came=Count("attendances")).filter(
            council=world.council, recorded_at__gte=began, came=3, dissents=None
        )
        found = ready.first()
        if not found:
            return
        if not found.explained_at:
            busy.press("confirm_explained", found.pk, f"/conferences/{found.pk}/explained/")
        who = busy.chance.choice(["teacher", "nurse"])
        attendance = Attendance.objects.get(conference=found, person=world.people[who])
        child = found.children.get()
        answer = busy.press(
            "",
            None,
            f"/conferences/{found.pk}/dissents/new/",
            attendance=attendance.pk,
            children=[child.pk],
        )
        if answer.status == 302:  # /conferences/…/dissents/…/recorded/
            made = answer.location.split("/")[4]
            busy.acknowledged["raise_dissent", busy.person.pk, made] += 1

    return act


def in_the_hands_of(busy: Busy, **where: Any) -> QuerySet[Dissent]:
    """Return the cases that `busy` may know of and that stand so, the oldest first."""
    visible = Dissent.objects.visible_to(busy.person, at=timezone.now())
    return visible.filter(**where).order_by("raised_at").distinct()


ANSWERS = {
    "telephone": "01632 960199",
    "reason": "What was seen at home.",
    "evidence": "The chronology.",
    "passage": "Chapter one.",
    "view": "plan",
    "plan_would_change": "One plan.",
}


def send_a_form(busy: Busy) -> None:
    found = in_the_hands_of(busy, state=RAISED, dissenter=busy.person).last()
    if not found:
        return
    for question, answer in ANSWERS.items():
        said = answer if question == "view" else f"{answer} {busy.chance.random()}"
        busy.page(f"/dissents/{found.pk}/form/{question}/")
        if busy.press("", found.pk, f"/dissents/{found.pk}/form/{question}/", answer=said).status == 302:
            busy.typed[str(found.pk), question] = said
    seen = re.search(r'name="seen" value="(\w+)"', busy.page(f"/dissents/{found.pk}/check/"))
    busy.press("file", found.pk, f"/dissents/{found.pk}/check/", declared="on", seen=seen and seen[1])


def take_it_further(busy: Busy) -> None:
    if found := in_the_hands_of(busy, state=DECIDED, stage="review", dissenter=busy.person).last():
        busy.press("take_further", found.pk, f"/dissents/{found.pk}/take-further/")


def review(busy: Busy) -> None:
    """Both managers take the same case, so that one of them comes too late."""
    found = in_the_hands_of(busy, state=AT_STAGE, stage="review").last()
    if not found:
        return
    for step in found.rules_of_stage.steps:
        busy.press(
            "record_step",
            found.pk,
            f"/dissents/{found.pk}/steps/{step.key}/",
            note="We talked.",
            **boxes("happened_at", timezone.now()),
        )
    busy.press(
        "decide",
        found.pk,
        f"/dissents/{found.pk}/decide/?stage=review",
        outcome="unresolved",
        reasons=f"{busy.person.name} found it so.",
    )


def convene(world: World) -> Callable[[Busy], None]:
    chair, *members = world.panellists()
    named = {"chair": chair.pk, "members": [member.pk for member in members]}

    def act(busy: Busy) -> None:
        if found := in_the_hands_of(busy, state=AT_STAGE, stage="panel", panel=None).first():
            busy.press("convene_panel", found.pk, f"/dissents/{found.pk}/panel/convene/", **named)

    return act


def release(busy: Busy) -> None:
    unmade = Letter.objects.filter(made_at=None).values("dissent")
    due = Letter.objects.filter(released_at=None, replaced_at=None).exclude(dissent__in=unmade)
    if not (letter := due.first()):
        return
    address = f"/dissents/{letter.dissent_id}/letters/"
    if seen := re.search(r'name="seen" value="(\w+)"', busy.page(address)):
        busy.press("release_letters", letter.dissent_id, address, read="on", seen=seen[1])


def declare(busy: Busy) -> None:
    found = in_the_hands_of(
        busy,
        state=AT_STAGE,
        panel__seats__person=busy.person,
        panel__seats__left_at=None,
        panel__seats__declared_at=None,
    ).first()
    if found:
        busy.press("declare", found.pk, f"/panels/{found.panel_id}/", independent="yes")


def preside(busy: Busy) -> None:
    waiting = in_the_hands_of(busy, state=AT_STAGE, stage="panel", panel__isnull=False)
    found = waiting.exclude(panel__seats__declared_at=None).first()
    if not found:
        return
    seats = [seat.pk for seat in found.panel.seats.filter(left_at=None)]
    sat = boxes("sat_at", timezone.now())
    busy.press("record_sitting", found.pk, f"/panels/{found.panel_id}/sitting/", present=seats, **sat)
    said = {
        "outcome": busy.chance.choice(["upheld", "not_upheld"]),
        "ground": "A",
        "reasons": "It is so.",
        "plain_reasons": "So.",
    }
    busy.press("decide", found.pk, f"/dissents/{found.pk}/panel/decide/", then="decide", **said)


# --- the proof -------------------------------------------------------------------------------------


@pytest.mark.proof
@pytest.mark.stack
def test_ten_people_at_once_break_nothing_and_every_press_is_accounted_for(stack: Any, mailbox: Any) -> None:
    stack.stop()  # the demonstration is there; the year is made while nothing is drained
    world = World(quick=True)
    began = time.monotonic()
    with transaction.atomic():
        a_year(world)
        world.panellists()
    year = Dissent.objects.filter(council=world.council)
    print(
        f"a year of {CONFERENCES} conferences and {year.count()} dissents: {time.monotonic() - began:.0f} s"
    )
    assert year.count() == DISSENTS
    stack.start()

    started_at = timezone.now()
    people = [
        Busy(stack, world.conference_administrator, record_a_conference(world)),
        Busy(stack, world.chair, raise_a_dissent(world, started_at)),
        Busy(stack, world.teacher, send_a_form, take_it_further),
        Busy(stack, world.nurse, send_a_form, take_it_further),
        Busy(stack, world.service_manager, review),
        Busy(stack, world.nominated_manager, review),
        Busy(stack, world.business_manager, convene(world), release),
        Busy(stack, world.superintendent, declare, preside),
        Busy(stack, world.head_nurse, declare),
        Busy(stack, world.unit_representative, declare),
    ]
    until = time.monotonic() + SECONDS
    threads = [threading.Thread(target=busy.work, args=[until]) for busy in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    say_how_it_went(people)
    assert [fault for busy in people for fault in busy.broke] == []

    acknowledged = sum((busy.acknowledged for busy in people), Counter())
    kept_without_entry = {key for key in acknowledged if not key[0]}
    for key in kept_without_entry:
        del acknowledged[key]
    written = Counter(
        (verb, by, str(case))
        for verb, by, case in LedgerEntry.objects.filter(
            council=world.council, recorded_at__gte=started_at, verb__in={verb for verb, _, _ in acknowledged}
        ).values_list("verb", "by", "case_id")
    )
    assert written == acknowledged
    typed = {key: text for busy in people for key, text in busy.typed.items()}
    kept = Answer.objects.filter(dissent__in={pk for pk, _ in typed})
    assert {(str(one.dissent_id), one.question): one.text for one in kept} == typed
    assert verify(world.council)[1] == []

    everything_due_goes_out(mailbox)


def say_how_it_went(people: list[Busy]) -> None:
    seconds = sorted(each for busy in people for each in busy.seconds)
    statuses = sum((busy.statuses for busy in people), Counter())
    presses = Counter(
        {
            verb or "keep_answer": sum(
                n for busy in people for key, n in busy.acknowledged.items() if key[0] == verb
            )
            for verb in {key[0] for busy in people for key in busy.acknowledged}
        }
    )
    print(f"{len(seconds)} requests in {SECONDS:.0f} s: {dict(sorted(statuses.items()))}")
    median, p95 = statistics.median(seconds), seconds[int(len(seconds) * 0.95)]
    print(f"answered in {median:.2f} s (median), {p95:.2f} s (95 of 100), {seconds[-1]:.2f} s (longest)")
    refused = sum((busy.refused for busy in people), Counter())
    print(f"pressed too late, or not yet possible: {dict(refused.most_common())}")
    print(f"{sum(presses.values())} presses acknowledged: {dict(presses.most_common())}")


def everything_due_goes_out(mailbox: Any) -> None:
    deadline = time.monotonic() + 150
    letters, notices = Letter.objects.filter(made_at=None), Notice.objects.filter(sent_at=None)
    while (letters.exists() or notices.exists()) and time.monotonic() < deadline:
        time.sleep(1)
    assert (letters.count(), notices.count()) == (0, 0)
    came = Counter(received.message["Message-ID"] for received in mailbox.messages)
    assert set(came.values()) == {1}
    assert len(came) == Notice.objects.count()
    print(f"{Letter.objects.count()} letters made and {len(came)} messages sent, each once")

"""What `make stack` starts: web server, worker and beat as processes, with a real Redis between them."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from dissent.models import Dissent, Letter, LetterContent, Notice
from dissent.models.ledger import LedgerEntry, verify
from tests.proofs.over_http import Desk
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
BY_A_NUDGE = 25
"""Seconds within which a nudge has letters made and sent; the beat alone comes once a minute."""
BY_A_TICK = 100


def until(said: Callable[[], Any], *, seconds: float, what: str) -> float:
    """Wait until `said` is true. Returns the seconds that it took."""
    began = time.monotonic()
    while not said():
        if time.monotonic() - began > seconds:
            pytest.fail(f"After {seconds} seconds still not: {what}")
        time.sleep(0.1)
    return time.monotonic() - began


def ago(minutes: int) -> dt.datetime:
    return timezone.now() - dt.timedelta(minutes=minutes)


def waiting_for_the_panel(world: World) -> Dissent:
    """A dissent whose panel has met and not decided, from a conference two hours ago."""
    conference = world.conference(at=ago(110), held_at=ago(240), ended_at=ago(120))
    filed = world.filed(world.raised(conference, at=ago(105)), at=ago(100))
    offered = world.offered(world.reviewed(filed, at=ago(90)), at=ago(80))
    convened = world.convened(world.escalated(offered, at=ago(70)), at=ago(60))
    return world.sat(convened, at=ago(50))


def decide(stack: Any, world: World, case: Dissent) -> None:
    desk = Desk(stack, world.superintendent)
    said = {
        "outcome": "upheld",
        "ground": "A",
        "reasons": "It does.",
        "plain_reasons": "So.",
        "then": "decide",
    }
    assert desk.post(f"/dissents/{case.pk}/panel/decide/", **said).status == 302


def release(stack: Any, world: World, case: Dissent) -> None:
    desk = Desk(stack, world.business_manager)
    address = f"/dissents/{case.pk}/letters/"
    seen = re.search(r'name="seen" value="(\w+)"', desk.get(address).body)[1]
    assert desk.post(address, read="on", seen=seen).status == 302


def made(*cases: Dissent) -> Callable[[], bool]:
    return lambda: not Letter.objects.filter(dissent__in=cases, made_at=None).exists()


def sent(*cases: Dissent) -> Callable[[], bool]:
    return lambda: not Notice.objects.filter(dissent__in=cases, sent_at=None).exists()


def every_letter_is_there_once_and_every_message_came(mailbox: Any, *cases: Dissent, again: int = 0) -> None:
    """At most `again` messages came a second time, under the Message-ID of the first."""
    for case in cases:
        letters = Letter.objects.filter(dissent=case)
        assert letters.count() == letters.values("to").distinct().count() == 4
        assert LetterContent.objects.filter(letter__in=letters).count() == 4
        assert LedgerEntry.objects.filter(case_id=case.pk, verb="make_letter").count() == 4
        assert verify(case.council)[1] == []
    came = Counter(received.message["Message-ID"].strip("<>").split("@")[0] for received in mailbox.messages)
    due = {str(pk) for pk in Notice.objects.filter(dissent__in=cases).values_list("pk", flat=True)}
    assert due <= set(came)
    assert sum(came.values()) - len(came) <= again


@pytest.mark.stack
def test_a_decision_becomes_letters_that_are_sent_at_once_and_redis_may_forget_all(stack, mailbox) -> None:
    world = World()
    case = waiting_for_the_panel(world)
    decide(stack, world, case)
    until(made(case), seconds=BY_A_NUDGE, what="the letters are made")
    stack.redis.flush()
    release(stack, world, case)
    until(sent(case), seconds=BY_A_NUDGE, what="the messages are sent")
    every_letter_is_there_once_and_every_message_came(mailbox, case)
    processes = stack.processes()
    assert len(processes) >= 8
    stack.stop()
    stack.gone(processes)


@pytest.mark.proof
@pytest.mark.stack
def test_without_redis_everybody_goes_on_and_the_next_tick_does_what_is_due(stack, mailbox) -> None:
    stack.errors_expected = True  # the worker and the beat say that their broker is gone
    world = World()
    first, second = waiting_for_the_panel(world), waiting_for_the_panel(world)
    stack.redis.stop()
    began = time.monotonic()
    decide(stack, world, first)
    assert Desk(stack, world.business_manager).get(f"/dissents/{first.pk}/").status == 200
    print(f"a decision and a page without Redis: {time.monotonic() - began:.1f} s")
    stack.redis.start()
    took = until(made(first), seconds=BY_A_TICK, what="the letters are made by the tick after Redis is back")
    print(f"letters {took:.0f} s after Redis is back")
    decide(stack, world, second)
    until(made(second), seconds=BY_A_NUDGE, what="the nudge works again")
    stack.redis.stop()
    release(stack, world, first)
    stack.redis.start()
    until(sent(first), seconds=BY_A_TICK, what="the messages are sent")
    every_letter_is_there_once_and_every_message_came(mailbox, first, second)


@pytest.mark.proof
@pytest.mark.stack
def test_power_cuts_and_a_redis_that_forgets_lose_nothing(stack, mailbox) -> None:
    """Every process killed three times between decisions and sent messages, Redis emptied each time."""
    stack.errors_expected = True
    world = World()
    cases = [waiting_for_the_panel(world) for _ in range(6)]
    for number, case in enumerate(cases):
        decide(stack, world, case)
        if number % 2:
            time.sleep(number)  # at another point of the worker's round each time
            stack.crash()
            stack.redis.flush()
            stack.start()
    # A lease that a killed maker left lasts five minutes.
    until(made(*cases), seconds=420, what="the letters are made")
    for case in cases:
        release(stack, world, case)
    stack.crash()
    stack.redis.flush()
    stack.start()
    until(sent(*cases), seconds=300, what="the messages are sent")
    every_letter_is_there_once_and_every_message_came(mailbox, *cases, again=4 * 2)


# --- what it says where something is missing -------------------------------------------------------


def a_closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


NOWHERE = "127.0.0.1:1"
"""Where nothing listens: the same for every process of a run, which has to name its tests alike."""


@pytest.mark.parametrize(
    ("held", "says"),
    [
        ({"DISSENT_ENV": "production"}, "DISSENT_ENV is set. Invented people "),
        ({"DATABASE_URL": ""}, "DATABASE_URL is missing. Give an empty database"),
        ({"REDIS_URL": ""}, "REDIS_URL is missing. Give a Redis"),
        ({"DATABASE_URL": "sqlite:////nowhere"}, "DATABASE_URL is no PostgreSQL"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL is not understood"),
        (
            {"DATABASE_URL": f"postgres://u:secret@{NOWHERE}/d"},
            "PostgreSQL does not answer at DATABASE_URL. ",
        ),
        ({"REDIS_URL": f"redis://:secret@{NOWHERE}/0"}, "Redis does not answer at REDIS_URL. "),
        ({"REDIS_URL": "nonsense"}, "Redis does not answer at REDIS_URL. "),
    ],
    ids=str,
)
def test_it_says_what_is_missing_and_starts_nothing(held: dict[str, str], says: str) -> None:
    given = {
        "PATH": os.environ["PATH"],
        "PORT": str(a_closed_port()),
        "DATABASE_URL": f"{os.environ['POSTGRES_URL'].rpartition('/')[0]}/postgres",
        "REDIS_URL": os.environ["TEST_REDIS_URL"],
    }
    ended = subprocess.run(
        ["config/stack.sh"], cwd=ROOT, env=given | held, capture_output=True, text=True, check=False
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1
    assert said.startswith(says)
    assert "secret" not in said
    assert "Traceback" not in said


def test_it_does_not_start_where_its_port_is_taken() -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        given = {
            "PATH": os.environ["PATH"],
            "PORT": port,
            "DATABASE_URL": "postgres://",
            "REDIS_URL": "redis://",
        }
        ended = subprocess.run(
            ["config/stack.sh"], cwd=ROOT, env=given, capture_output=True, text=True, check=False
        )
    assert (ended.returncode, ended.stdout) == (
        1,
        f"Port {port} is taken by another program. Choose another:  make stack PORT=8010\n",
    )

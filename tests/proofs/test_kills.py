"""The sender killed at each point between decision and sent message, and a mail server in every mood.

Every letter and message goes out in the end, each letter exists once, and what the mail server is given a
second time carries the Message-ID of the first.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from dissent import actions, notices
from dissent.actions.letters import LEASE
from dissent.models import Dissent, Letter, Notice
from dissent.models.ledger import LedgerEntry, verify
from tests.proofs.killed import POINTS
from tests.world import World, when

ROOT = Path(__file__).resolve().parents[2]
DECIDED = when("2026-03-16 13:01")
KILLS = int(os.environ.get("PROOF_KILLS", "40"))

pytestmark = pytest.mark.django_db(transaction=True)


def drain(database_url: str, at: dt.datetime, *planted: str, blank: bool = True) -> subprocess.Popen[str]:
    """Start a drain of the database at `database_url` in a process of its own."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.proofs.killed", at.isoformat()),
            *(["--blank"] if blank else []),
            *planted,
        ],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DATABASE_URL": database_url,
            "SECRET_KEY": django_settings.SECRET_KEY,
            "SITE_URL": "https://dissent.council.example",
            "EMAIL_URL": f"smtp://127.0.0.1:{django_settings.EMAIL_PORT}",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> int:
    """Wait for it, and return how it ended; a fault of its own is the test's."""
    _, said = process.communicate(timeout=120)
    assert process.returncode in (0, -signal.SIGKILL), said
    return process.returncode


def killed_at(database_url: str, at: dt.datetime, point: str, number: int = 1, *, blank: bool = True) -> bool:
    """Say whether a drain came to the point, where it was killed; otherwise it ended by itself."""
    return (
        ended(drain(database_url, at, "--point", point, "--number", str(number), blank=blank))
        == -signal.SIGKILL
    )


def drained(database_url: str, at: dt.datetime, *, blank: bool = True) -> None:
    assert ended(drain(database_url, at, blank=blank)) == 0


def released(world: World, *cases: Dissent, at: dt.datetime) -> None:
    for case in cases:
        actions.release_letters(dissent=case, by=world.business_manager, at=at)


def everything_went_out_and_each_letter_exists_once(mailbox: Any, *cases: Dissent) -> int:
    """Returns how many messages the mail server was given a second time."""
    letters = Letter.objects.filter(dissent__in=cases).select_related("content")
    assert letters.count() == letters.values("decision", "to").distinct().count() > 0
    for letter in letters:
        assert letter.sha256 == hashlib.sha256(bytes(letter.content.pdf)).hexdigest()
        assert LedgerEntry.objects.filter(verb="make_letter", about_id=str(letter.pk)).count() == 1
        assert Notice.objects.filter(letter=letter).count() == 1
    assert not Notice.objects.filter(sent_at=None).exists()
    came = Counter(received.message["Message-ID"] for received in mailbox.messages)
    assert set(came) == {notice.message_id("dissent.council.example") for notice in Notice.objects.all()}
    for case in cases:
        assert verify(case.council)[1] == []
    return sum(came.values()) - len(came)


def test_killed_at_each_point_in_turn_everything_goes_out_in_the_end(mailbox: Any, database_url: str) -> None:
    """One case, one sender after the other, each killed at the next point."""
    world = World(quick=True)
    case = world.decided()
    at = DECIDED
    points = list(POINTS)
    for point in points[:4]:
        assert killed_at(database_url, at, point), f"no sender came to where {point}"
        at += LEASE
    drained(database_url, at)
    released(world, case, at=at)
    for point in points[4:]:
        assert killed_at(database_url, at, point), f"no sender came to where {point}"
        at += LEASE
    drained(database_url, at)
    assert everything_went_out_and_each_letter_exists_once(mailbox, case) == 1


def test_a_mail_server_that_refuses_and_hangs_and_then_accepts_is_given_everything(
    mailbox: Any, settings: Any
) -> None:
    """In its worst mood it keeps the message and never says so."""
    settings.SITE_URL, settings.EMAIL_TIMEOUT = "https://dissent.council.example", 0.5
    world = World(quick=True)
    case = world.released()
    due, at = Notice.objects.count(), when("2026-03-17 09:01")
    keep = mailbox.handle_DATA

    async def hang(*given: Any) -> str:
        await asyncio.sleep(2)
        return "451 too late"

    async def keep_and_hang(*given: Any) -> str:
        await keep(*given)
        return await hang()

    mailbox.refuse_with = "451 try again later"
    assert notices.send_due(at=at) == 0
    mailbox.refuse_with = None
    for mood in (hang, keep_and_hang):
        at += notices.WAITS[-1]
        mailbox.handle_DATA = mood
        began = time.monotonic()
        assert notices.send_due(at=at) == 0
        assert time.monotonic() - began < 2 * settings.EMAIL_TIMEOUT, (
            "a server that hangs is asked once a round"
        )
    at += notices.WAITS[-1]
    mailbox.handle_DATA = keep
    assert notices.send_due(at=at) == due
    assert everything_went_out_and_each_letter_exists_once(mailbox, case) == 1


@pytest.mark.proof
@pytest.mark.parametrize("point", POINTS)
def test_killed_again_and_again_at_one_point(mailbox: Any, database_url: str, point: str) -> None:
    """Eight letters by the real engine; a sender killed at the first, second and third time it is there."""
    world = World(quick=True)
    cases = [world.decided(), world.decided(outcome="not_upheld")]
    at, kills = DECIDED, 0
    for release in (False, True):
        if release:
            released(world, *cases, at=at)
        for number in (1, 2, 3):
            kills += killed_at(database_url, at, point, number, blank=False)
            at += LEASE
        drained(database_url, at, blank=False)
    assert kills >= 2
    again = everything_went_out_and_each_letter_exists_once(mailbox, *cases)
    assert again <= kills
    print(f"where {point}: {kills} kills, {again} messages given a second time")


@pytest.mark.proof
def test_killed_at_any_time(mailbox: Any, database_url: str) -> None:
    """PROOF_KILLS kills from outside, at times that have nothing to do with what the sender is doing."""
    chance = random.Random(3)  # noqa: S311  the same kills each time
    world = World(quick=True)
    at, kills, cases = DECIDED, 0, []
    while kills < KILLS:
        case = world.decided()
        cases.append(case)
        for release in (False, True):
            if release:
                drained(database_url, at, blank=False)
                released(world, case, at=at)
            process = drain(database_url, at, blank=False)
            process.stdout.readline()
            time.sleep(chance.uniform(0, 0.5 if release else 4))
            process.kill()
            kills += ended(process) == -signal.SIGKILL
            at += LEASE
    drained(database_url, at, blank=False)
    again = everything_went_out_and_each_letter_exists_once(mailbox, *cases)
    print(f"{kills} kills, {len(cases)} decisions, {len(mailbox.messages)} messages, {again} twice")

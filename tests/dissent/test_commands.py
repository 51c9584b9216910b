"""The commands of an operator: what they say, and that they fail in a sentence."""

from __future__ import annotations

import datetime as dt
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from councils import procedure as language
from councils.models import Person
from dissent.models import Clock
from dissent.pdf import PdfFailed
from tests.world import World, when

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def says(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that runs a command as typed and gives back what it printed."""

    def run(*typed: str) -> str:
        call_command(*typed)
        return capsys.readouterr().out

    return run


# --- a database that cannot be used ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "typed"),
    [
        ("councils_procedureversion", ["procedure", "list"]),
        ("councils_procedureversion", ["procedure", "show", "south-tyneside-dissent"]),
        ("councils_partnership", ["procedure", "load", str(language.SHIPPED / "south_tyneside.toml")]),
        ("councils_council", ["deadline", "south-tyneside-dissent", "form", "--from", "2026-12-23T14:30"]),
        ("councils_council", ["verify_ledger"]),
        ("councils_council", ["demo"]),
        ("dissent_clock", ["sweep"]),
    ],
    ids=lambda said: " ".join(said[:2]) if isinstance(said, list) else "",
)
def test_a_database_without_its_tables_is_said_in_one_line(
    settings: Any, table: str, typed: list[str]
) -> None:
    settings.DEMONSTRATION = True
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{table}" RENAME TO "gone"')
    with pytest.raises(CommandError) as failed:
        call_command(*typed)
    said = str(failed.value)
    assert said.startswith("The database cannot be used: ")
    assert table in said
    assert said.endswith("Check DATABASE_URL, and run manage.py migrate.")
    assert len(said.splitlines()) == 1


def test_a_database_that_was_never_prepared_ends_a_command_without_a_traceback(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "sweep"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines() == [
        "CommandError: The database cannot be used: no such table: dissent_clock. "
        "Check DATABASE_URL, and run manage.py migrate."
    ]


# --- sweep -----------------------------------------------------------------------------------------


def long_ago(world: World) -> None:
    """A dissent whose form was never sent: one message about it, and three about its clock that ran out."""
    held_at, ended_at, at = when("2024-03-05 10:00"), when("2024-03-05 12:00"), when("2024-03-05 12:30")
    world.raised(world.conference(held_at=held_at, ended_at=ended_at, at=at), at=at)


def test_a_sweep_says_what_it_did(says: Any, mailbox: Any) -> None:
    long_ago(World(quick=True))
    assert says("sweep") == "1 clock passed, 0 letters made, 4 messages sent.\n"
    assert says("sweep") == "0 clocks passed, 0 letters made, 0 messages sent.\n"


def test_a_sweep_with_the_mail_server_away_fails_and_says_what_is_still_due(
    mailbox: Any, settings: Any
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings.EMAIL_PORT = probe.getsockname()[1]
    long_ago(World(quick=True))
    for _ in range(2):
        with pytest.raises(
            CommandError, match=r"^Still due: 4 messages, tried .*: ConnectionRefusedError\.$"
        ):
            call_command("sweep")


def test_a_sweep_fails_over_a_message_that_is_refused_for_good_once(says: Any, mailbox: Any) -> None:
    world = World(quick=True)
    long_ago(world)
    Person.objects.filter(pk=world.chair.pk).update(email="chair\n@testshire.example")
    with pytest.raises(CommandError, match=r"^Refused for good: 1 message\. Check the addresses: \w+\.$"):
        call_command("sweep")
    assert says("sweep").endswith("0 messages sent.\n")


def test_a_sweep_fails_where_a_letter_cannot_be_made(mailbox: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(
        "dissent.actions.letters.render_many", lambda them: [PdfFailed("No engine.")] * len(them)
    )
    World(quick=True).decided()
    with pytest.raises(CommandError, match=r"^Still due: 4 letters without a PDF\. No engine\.$"):
        call_command("sweep")


def test_a_sweep_fails_where_a_clock_cannot_be_passed(mailbox: Any, monkeypatch: Any) -> None:
    long_ago(World(quick=True))
    monkeypatch.setattr("dissent.actions.sweep._pass", lambda *_, **__: 1 / 0)
    with pytest.raises(CommandError, match=r"^Still due: 1 clock that ran out\. The log says why\.$"):
        call_command("sweep")
    assert Clock.objects.get().passed_at is None


# --- procedure show --------------------------------------------------------------------------------


def test_every_choice_where_the_text_is_open_is_shown_with_its_reason(says: Any) -> None:
    world = World(quick=True)
    shown = says("procedure", "show", "south-tyneside-dissent").partition("Chosen, where the text is open:")[
        2
    ]
    chosen = world.version.rules.choices_where_the_text_is_open()
    assert shown.splitlines()[1:] == [f"  {place}: {why}" for place, why in chosen]


def test_when_a_procedure_is_reviewed_is_shown_where_it_says_so(says: Any, monkeypatch: Any) -> None:
    world = World(quick=True)
    assert "eviewed" not in says("procedure", "show", "south-tyneside-dissent").partition("\n\n")[0]
    reviewed = {"last_reviewed": dt.date(2025, 1, 1), "next_review": dt.date(2026, 1, 1)}
    rules = world.version.rules.model_copy(update=reviewed)
    monkeypatch.setattr("councils.models.ProcedureVersion.rules", rules)
    head = says("procedure", "show", "south-tyneside-dissent").partition("\n\n")[0]
    assert head.splitlines()[-2:] == ["Last reviewed on 2025-01-01", "To be reviewed by 2026-01-01"]


# --- demo ------------------------------------------------------------------------------------------


def test_invented_people_are_not_added_to_somebodys_cases(settings: Any) -> None:
    settings.DEMONSTRATION = True
    World(quick=True)
    with pytest.raises(CommandError, match=r"^This database holds somebody's cases already"):
        call_command("demo")
    assert not Person.objects.filter(email="ada@council.example").exists()

"""The commands of an operator: what they say, and that they fail in a sentence."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.management import call_command

from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def says(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that runs a command as typed and gives back what it printed."""

    def run(*typed: str) -> str:
        call_command(*typed)
        return capsys.readouterr().out

    return run


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

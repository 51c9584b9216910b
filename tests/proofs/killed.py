"""Drains once in a process of its own, which may be killed at a point of its way.

    python -m tests.proofs.killed AT [--blank] [--point POINT [--number NUMBER]]

AT is the time it takes it to be. At the NUMBERth time that it comes to POINT, of those in POINTS, it ends by
SIGKILL: nothing is tidied up, nothing is rolled back but by the database. --blank makes letters without the
engine, which saves seconds and leaves every step of the keeping.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import signal
from typing import Any

POINTS = {
    "a letter is claimed": ("dissent.actions.letters._claim", "after"),
    "its PDF is made": ("dissent.actions.letters._freeze", "before"),
    "its PDF is written, not committed": ("dissent.actions.letters.note", "before"),
    "it is kept": ("dissent.actions.letters._freeze", "after"),
    "a message is claimed": ("dissent.notices._claim", "after"),
    "the mail server took it": ("dissent.notices._confirmed", "before"),
    "it is confirmed": ("dissent.notices._confirmed", "after"),
}
"""Each point between decision and sent message: the function, and which side of it."""


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("at", type=dt.datetime.fromisoformat)
    asked.add_argument("--blank", action="store_true")
    asked.add_argument("--point", choices=POINTS)
    asked.add_argument("--number", type=int, default=1)
    told = asked.parse_args()

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    if told.blank:
        _replace("dissent.actions.letters.render_many", lambda _: lambda them: [_blank()] * len(them))
    if told.point:
        name, side = POINTS[told.point]
        _replace(name, lambda inner: _ends(inner, side, told.number))

    from dissent.tasks import drain

    print("drains", flush=True)
    drain(at=told.at)


def _ends(inner: Any, side: str, number: int) -> Any:
    """Return `inner` with this process's end before or after its call of that number that does something."""
    calls = 0

    def planted(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        said = inner(*arguments, **named) if side == "after" else True
        calls += said is None or bool(said)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return inner(*arguments, **named) if side == "before" else said

    return planted


def _replace(name: str, by: Any) -> None:
    from importlib import import_module

    place, _, function = name.rpartition(".")
    module = import_module(place)
    setattr(module, function, by(getattr(module, function)))


def _blank() -> bytes:
    from tests.world import a_pdf

    return a_pdf()


if __name__ == "__main__":
    main()

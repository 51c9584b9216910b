"""Two people at the same moment: each in a thread, on a connection of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Start every act at the same moment; return what each gave back, or the exception that it raised."""
    ready = threading.Barrier(len(acts))
    gave: list[Any] = [None] * len(acts)

    def run(number: int) -> None:
        try:
            connections["default"].ensure_connection()
            ready.wait(timeout=30)
            gave[number] = acts[number]()
        except Exception as raised:
            gave[number] = raised
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads), "an act never came back"
    return gave

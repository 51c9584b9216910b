"""Do now what the background would do within a minute."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError
from django.db import models
from django.utils import timezone

from dissent.management.base import DatabaseCommand
from dissent.models import Clock, Letter, Notice
from dissent.tasks import drain
from dissent.views.shown import counted


class Command(DatabaseCommand):
    help = (
        "Pass the clocks that ran out, make the letters that are due, send the messages that wait. "
        "Exits with 1 where something failed and is still due."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        at = timezone.now()
        done = drain(at=at)
        self.stdout.write(
            f"{counted(done['clocks'], 'clock')} passed, {counted(done['letters'], 'letter')} made, "
            f"{counted(done['notices'], 'message')} sent."
        )
        if left := list(_left(at=at)):
            raise CommandError("\n".join(left))


def _left(*, at: dt.datetime) -> Iterator[str]:
    """Return a sentence for each kind of thing that was due at `at` and could not be done."""
    if clocks := Clock.objects.filter(stopped=None, passed_at=None, due_at__lt=at).count():
        yield f"Still due: {counted(clocks, 'clock')} that ran out. The log says why."
    letters = Letter.objects.filter(made_at=None, replaced_at=None)
    if why := _failures(letters):
        yield f"Still due: {counted(letters.count(), 'letter')} without a PDF. {why}"
    notices = Notice.objects.filter(sent_at=None, failed_at=None)
    if why := _failures(notices):
        waiting = counted(notices.count(), "message")
        yield f"Still due: {waiting}, tried again later. The mail server did not take the last: {why}."
    refused = Notice.objects.filter(failed_at=at)
    if why := _failures(refused):
        yield f"Refused for good: {counted(refused.count(), 'message')}. Check the addresses: {why}."


def _failures(rows: models.QuerySet[Any]) -> str:
    """Return why the last try of some of them failed; empty where none did."""
    return ", ".join(sorted(set(rows.exclude(failure="").values_list("failure", flat=True))))

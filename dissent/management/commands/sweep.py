"""Do now what the background would do within a minute."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from dissent.tasks import drain


class Command(BaseCommand):
    help = "Pass the clocks that ran out, make the letters that are due, send the messages that wait."

    def handle(self, *args: Any, **options: Any) -> None:
        done = drain(at=timezone.now())
        self.stdout.write(
            f"{done['clocks']} clocks passed, {done['letters']} letters made, "
            f"{done['notices']} messages sent."
        )

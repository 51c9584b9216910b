"""Check every council's chain from its first entry to its last."""

from typing import Any

from django.core.management.base import CommandError

from councils.models import Council
from dissent.management.base import DatabaseCommand
from dissent.models.ledger import verify


class Command(DatabaseCommand):
    help = "Say whether the ledger of each council is whole. Exits with 1 where one is not."

    def handle(self, *args: Any, **options: Any) -> None:
        faults: list[str] = []
        for council in Council.objects.order_by("key"):
            entries, wrong = verify(council)
            faults += wrong
            self.stdout.write(f"{council.key}: {entries} entries, {'whole' if not wrong else 'NOT whole'}")
        if faults:
            raise CommandError("\n".join(faults))

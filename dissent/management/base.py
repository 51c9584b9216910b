"""What the commands that ask the database have in common."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError


class DatabaseCommand(BaseCommand):
    """A command that fails in a sentence where the database is away or was not prepared."""

    def execute(self, *args: Any, **options: Any) -> Any:
        try:
            return super().execute(*args, **options)
        except DatabaseError as error:
            # What comes after the first line quotes the statement, and can quote values.
            why = str(error).partition("\n")[0].rstrip(".")
            raise CommandError(
                f"The database cannot be used: {why}. Check DATABASE_URL, and run manage.py migrate."
            ) from error

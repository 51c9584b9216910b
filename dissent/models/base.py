"""What every row of a case has in common."""

import secrets
import uuid

from django.db import models

LEGIBLE = "23456789BCDFGHJKLMNPQRSTVWXZ"
"""No vowels and nothing that is read for something else over a telephone."""


class CouncilRow(models.Model):
    """A row that belongs to one council."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    council = models.ForeignKey("councils.Council", on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True


def new_reference(letter: str) -> str:
    """Return a reference such as `D-7KQ2-M4XT`: drawn by lot, so that it counts nothing and names nobody."""
    draw = "".join(secrets.choice(LEGIBLE) for _ in range(8))
    return f"{letter}-{draw[:4]}-{draw[4:]}"


def conference_reference() -> str:
    return new_reference("C")


def dissent_reference() -> str:
    return new_reference("D")


def pair(model: str, verb: str) -> models.CheckConstraint:
    """Return the constraint that `{verb}_at` and `{verb}_by` are both said or neither."""
    neither = models.Q(**{f"{verb}_at__isnull": True, f"{verb}_by__isnull": True})
    both = models.Q(**{f"{verb}_at__isnull": False, f"{verb}_by__isnull": False})
    return models.CheckConstraint(condition=neither | both, name=f"{model}_{verb}_at_and_by")

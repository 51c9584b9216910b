"""The bodies that publish and follow a procedure."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.db import models

from councils.calendars import Calendar, Nation

if TYPE_CHECKING:
    from councils.models.procedure import ProcedureVersion


class Partnership(models.Model):
    """The body that publishes a procedure."""

    key = models.SlugField(unique=True)
    name = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name


class Council(models.Model):
    """One authority of a partnership: the tenant. Every row about a case carries its council."""

    class Accent(models.TextChoices):
        TEAL = "teal", "Teal"
        BLUE = "blue", "Blue"
        PURPLE = "purple", "Purple"
        GREEN = "green", "Green"

    key = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    partnership = models.ForeignKey(Partnership, on_delete=models.PROTECT, related_name="councils")
    nation = models.CharField(max_length=20, choices=[(nation.value, nation.label) for nation in Nation])
    front_door = models.CharField(
        max_length=200, help_text="What the council calls the place to report a worry."
    )
    front_door_telephone = models.CharField(max_length=40)
    out_of_hours_telephone = models.CharField(max_length=40, blank=True)
    address = models.TextField(blank=True, help_text="As it stands at the head of a letter.")
    accent = models.CharField(max_length=10, choices=Accent.choices, default=Accent.TEAL)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(nation__in=[nation.value for nation in Nation]),
                name="council_of_a_known_nation",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def calendar(self) -> Calendar:
        """Return the working days of this council: its nation's, and what it added or withdrew itself."""
        own = list(self.closed_days.all())
        return Calendar.of(
            Nation(self.nation),
            name=self.name,
            closures=[day.closed() for day in own if not day.withdrawn],
            withdrawn=[day.on for day in own if day.withdrawn],
        )

    def procedure_on(self, day: dt.date, kind: str = "dissent") -> ProcedureVersion | None:
        """Return the version in force here on `day`, None where none is."""
        return (
            self.partnership.procedures.filter(kind=kind, in_force_from__lte=day)
            .order_by("-in_force_from", "-number")
            .first()
        )


class Agency(models.Model):
    """An organisation whose people attend conferences."""

    class Kind(models.TextChoices):
        STATUTORY = "statutory", "Statutory agency"
        VOLUNTARY = "voluntary", "Voluntary or community organisation"

    council = models.ForeignKey(Council, on_delete=models.PROTECT, related_name="agencies")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.STATUTORY)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["council", "name"], name="agency_once_in_a_council")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

"""The panel that hears the dissents about one conference."""

from __future__ import annotations

import datetime as dt

from django.db import models

from councils.models import Agency, Appointment, Person
from dissent.models.base import CouncilRow, pair
from dissent.models.conference import Conference
from dissent.models.dissent import Dissent


class PanelQuerySet(models.QuerySet["Panel"]):
    def visible_to(self, person: Person, *, at: dt.datetime) -> PanelQuerySet:
        """Keep the panels that `person` sits on until what rests on it ends, and those they convene."""
        return self.filter(
            models.Q(dissents__in=Dissent.objects.heard_by(person))
            | models.Q(dissents__in=Dissent.objects.read_by(person, at=at))
        ).distinct()


class Panel(CouncilRow):
    """One sitting of people who decide together. It may hear several dissents about one conference."""

    conference = models.ForeignKey(Conference, on_delete=models.PROTECT, related_name="panels")
    stage = models.CharField(max_length=60)
    convened_at = models.DateTimeField()
    convened_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    sat_at = models.DateTimeField(null=True)
    sat_recorded_at = models.DateTimeField(null=True)
    sat_recorded_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")

    objects = PanelQuerySet.as_manager()

    class Meta:
        constraints = [pair("panel", "sat_recorded")]

    def hears(self) -> models.QuerySet[Dissent]:
        """Return the dissents that are its to hear, or were: not those that were withdrawn from it."""
        return self.dissents.filter(withdrawn_at=None)

    def present(self) -> list[Seat]:
        """Return the seats of those who sat, none before the sitting is recorded."""
        return [seat for seat in self.seats.all() if seat.sat]


class Seat(CouncilRow):
    """One person on a panel, from being named until replaced."""

    panel = models.ForeignKey(Panel, on_delete=models.PROTECT, related_name="seats")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="seats")
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="+")
    is_chair = models.BooleanField()
    for_the_unit = models.BooleanField(help_text="Holds the seat that the procedure reserves.")
    reviewed_before = models.BooleanField(
        default=False, help_text="Heard an earlier stage of a dissent it hears."
    )
    named_at = models.DateTimeField()
    named_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    declared_at = models.DateTimeField(null=True)
    independent = models.BooleanField(null=True)
    conflict = models.TextField(blank=True)
    left_at = models.DateTimeField(null=True)
    sat = models.BooleanField(null=True)

    class Meta:
        ordering = ["-is_chair", "named_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["panel", "person"], condition=models.Q(left_at=None), name="seat_once_a_person"
            ),
            models.UniqueConstraint(
                fields=["panel"], condition=models.Q(left_at=None, is_chair=True), name="panel_has_one_chair"
            ),
            models.CheckConstraint(
                condition=models.Q(independent=None, declared_at=None)
                | models.Q(independent=True, declared_at__isnull=False)
                | models.Q(independent=False, declared_at__isnull=False) & ~models.Q(conflict=""),
                name="seat_declares_and_says_why",
            ),
        ]

    def __str__(self) -> str:
        return str(self.person)

    @property
    def holds(self) -> bool:
        return self.left_at is None and self.independent is not False


def present_as(roles: tuple[str, ...], *, council_id: int, at: dt.datetime) -> models.QuerySet[Person]:
    """Return the people who hold one of `roles` at the council on the day of `at`, and are not away."""
    held = Appointment.objects.present(at).filter(council=council_id, role__in=roles)
    return Person.objects.filter(pk__in=held.values("person"), is_active=True)


def appointed_as(roles: tuple[str, ...], *, council_id: int, at: dt.datetime) -> models.QuerySet[Person]:
    """Return the people who hold one of `roles` at the council on the day of `at`."""
    held = Appointment.objects.at(at).filter(council=council_id, role__in=roles)
    return Person.objects.filter(pk__in=held.values("person"), is_active=True)

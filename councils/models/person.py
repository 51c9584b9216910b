"""People, and the roles they are appointed to."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Lower
from django.utils import timezone

from councils.models.council import Agency, Council


class PersonManager(BaseUserManager["Person"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Person:
        """Return a new person. Without a password they sign in with a code sent by e-mail."""
        person = self.model(email=email.strip().lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def known_by(self, email: str, **fields: Any) -> Person:
        """Return whoever signs in with `email`, made with `fields` where nobody does yet.

        Who has proved an address and said nothing more has no name yet, and is given it.
        """
        known = self.filter(email__iexact=email.strip())
        if found := known.first():
            if not found.name and fields.get("name"):
                known.update(**fields)
                found.refresh_from_db()
            return found
        try:
            with transaction.atomic(using=self.db):
                return self.create_user(email, **fields)
        except IntegrityError:
            return known.get()  # two conferences recorded the same new person at once

    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(email__iexact=username)


class Person(AbstractBaseUser):
    """Somebody who signs in: a council's own people with a password, everybody else with a code."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200)
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, null=True, blank=True, related_name="people")
    job = models.CharField(max_length=200, blank=True)
    mobile = models.CharField(max_length=40, blank=True)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="person_email_once")]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def at(self, at: dt.datetime) -> AppointmentQuerySet:
        """Keep the appointments that hold on the local day of `at`; whoever is back ends standing in."""
        day = timezone.localdate(at)
        return self.filter(from_on__lte=day, stands_in_for__ended_at=None).filter(
            models.Q(until_on=None) | models.Q(until_on__gte=day)
        )

    def present(self, at: dt.datetime) -> AppointmentQuerySet:
        """Of those that hold on the local day of `at`, keep those whose holder is not away on it."""
        day = timezone.localdate(at)
        away = Absence.objects.on(day).filter(appointment=models.OuterRef("pk"))
        return self.at(at).exclude(models.Exists(away))


class Appointment(models.Model):
    """A person in a role at a council, between dates, the last day included.

    The roles are keys of the procedure's document; `operator` is the installation's own.
    """

    council = models.ForeignKey(Council, on_delete=models.PROTECT, related_name="appointments")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="appointments")
    role = models.SlugField(max_length=60)
    from_on = models.DateField()
    until_on = models.DateField(null=True, blank=True)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(until_on=None) | models.Q(until_on__gte=models.F("from_on")),
                name="appointment_ends_after_it_begins",
            )
        ]
        indexes = [models.Index(fields=["person", "council", "role"])]

    def __str__(self) -> str:
        return f"{self.person} as {self.role}"


class AbsenceQuerySet(models.QuerySet["Absence"]):
    def on(self, day: dt.date) -> AbsenceQuerySet:
        """Keep the absences that hold on `day`."""
        return self.filter(from_on__lte=day, until_on__gte=day, ended_at=None)

    def overlapping(self, from_on: dt.date, until_on: dt.date) -> AbsenceQuerySet:
        return self.filter(from_on__lte=until_on, until_on__gte=from_on, ended_at=None)


class Absence(models.Model):
    """Days on which somebody is away from a role, the last included, and who stands in for them.

    Whoever stands in holds an appointment of their own for these days, and acts in their own name.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="absences")
    stands_in = models.OneToOneField(
        Appointment, on_delete=models.PROTECT, null=True, related_name="stands_in_for"
    )
    from_on = models.DateField()
    until_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(until_on__gte=models.F("from_on")), name="absence_ends_after_it_begins"
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at=None, ended_by=None)
                | models.Q(ended_at__isnull=False, ended_by__isnull=False),
                name="absence_ended_at_and_by",
            ),
        ]
        indexes = [models.Index(fields=["appointment", "from_on"])]

    def __str__(self) -> str:
        return f"{self.appointment}, {self.from_on} to {self.until_on}"

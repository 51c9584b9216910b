"""The conference, the children it decided about, those who came, and its papers."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import models

from councils.models import Agency, Appointment, Person, ProcedureVersion
from dissent.models.base import CouncilRow, conference_reference, pair


class ConferenceQuerySet(models.QuerySet["Conference"]):
    def visible_to(self, person: Person, *, at: dt.datetime) -> ConferenceQuerySet:
        """Keep the conferences that `person` may open: their own as chair, and those they administer."""
        appointed = Appointment.objects.at(at).filter(person=person)
        chairs = appointed.filter(role="chair").values("council")
        administers = appointed.filter(role="conference_administrator").values("council")
        return self.filter(models.Q(chair=person, council__in=chairs) | models.Q(council__in=administers))


class Conference(CouncilRow):
    """A meeting that took a decision for each child."""

    class Kind(models.TextChoices):
        INITIAL = "initial", "Initial conference"
        REVIEW = "review", "Review conference"

    reference = models.CharField(max_length=20, unique=True, default=conference_reference, editable=False)
    procedure = models.ForeignKey(ProcedureVersion, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    held_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    chair = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="chairs")
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    explained_at = models.DateTimeField(null=True)
    explained_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    answers = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="further",
        help_text="The conference it thinks over.",
    )
    led_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")

    objects = ConferenceQuerySet.as_manager()

    class Meta:
        constraints = [
            pair("conference", "explained"),
            pair("conference", "closed"),
            models.CheckConstraint(
                condition=models.Q(ended_at__gt=models.F("held_at")), name="conference_ends_after_it_begins"
            ),
            models.CheckConstraint(
                condition=models.Q(answers=None, led_by=None)
                | models.Q(answers__isnull=False, led_by__isnull=False),
                name="conference_further_has_a_lead",
            ),
        ]
        indexes = [models.Index(fields=["council", "-held_at"]), models.Index(fields=["chair", "-held_at"])]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None

    def lacks(self) -> list[str]:
        """Return a sentence for each thing that keeps its record from being closed."""
        lacks = []
        if self.explained_at is None:
            lacks.append("The chair has not confirmed that the dissent process was explained.")
        if not self.children.all():
            lacks.append("The record names no child.")
        if not any(each.present for each in self.attendances.all() if each.replaced_at is None):
            lacks.append("The record says of nobody that they were present.")
        return lacks

    def relations(self, person: Person | None, *, at: dt.datetime) -> frozenset[str]:
        """Return how `person` stands to this conference, apart from any dissent about it."""
        if person is None:
            return frozenset({"the_clock"})
        held = set(
            Appointment.objects.at(at)
            .filter(person=person, council=self.council_id)
            .values_list("role", flat=True)
        )
        found = held & {"conference_administrator"}
        if person.pk == self.chair_id:
            found |= held & {"chair"}
        return frozenset(found)


class Child(CouncilRow):
    """A child at one conference, and what was decided for that child there."""

    class Decision(models.TextChoices):
        MADE = "made", "A child protection plan was made"
        NOT_MADE = "not_made", "No child protection plan was made"
        CONTINUED = "continued", "The child protection plan continues"
        ENDED = "ended", "The child protection plan was ended"

    class Category(models.TextChoices):
        NEGLECT = "neglect", "Neglect"
        PHYSICAL = "physical", "Physical abuse"
        EMOTIONAL = "emotional", "Emotional abuse"
        SEXUAL = "sexual", "Sexual abuse"

    conference = models.ForeignKey(Conference, on_delete=models.PROTECT, related_name="children")
    name = models.CharField(max_length=200, blank=True)
    born_on = models.DateField(null=True)
    due_on = models.DateField(null=True)
    record_number = models.CharField(max_length=60, blank=True)
    record_number_because = models.TextField(blank=True, help_text="Why it was put right.")
    decision = models.CharField(max_length=10, choices=Decision.choices)
    category = models.CharField(max_length=10, choices=Category.choices, blank=True)
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["added_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(born_on__isnull=False, due_on=None)
                | models.Q(born_on=None, due_on__isnull=False),
                name="child_is_born_or_due",
            ),
            models.CheckConstraint(
                condition=~models.Q(name="") | models.Q(born_on=None), name="child_born_has_a_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name or "Unborn child"


class RelativeQuerySet(models.QuerySet["Relative"]):
    def in_force(self) -> RelativeQuerySet:
        return self.filter(replaced_at=None)


class Relative(CouncilRow):
    """Somebody who matters to one child, at the conference or not, and what they may be told.

    Unanswered means that nothing is sent. `who` is the same in every row about one person at one conference,
    because somebody said that they are one: never because of a name or an address. A contact that changed is
    a row of its own, which replaces the old one.
    """

    class MayBeTold(models.TextChoices):
        UNANSWERED = "", "Not known yet"
        YES = "yes", "Yes"
        NO = "no", "No"
        ASK = "ask", "Ask first"

    class Contact(models.TextChoices):
        NONE = "", "None that is known to be safe"
        POST = "post", "Post"
        EMAIL = "email", "E-mail"
        BY_HAND = "by_hand", "By hand, through the social worker"

    child = models.ForeignKey(Child, on_delete=models.PROTECT, related_name="relatives")
    who = models.UUIDField(default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    relation = models.CharField(max_length=100)
    parental_responsibility = models.BooleanField(null=True)
    may_be_told = models.CharField(max_length=3, choices=MayBeTold.choices, blank=True)
    may_be_told_said_by = models.CharField(max_length=200, blank=True)
    may_be_told_why = models.TextField(blank=True)
    court_restriction = models.TextField(blank=True)
    contact = models.CharField(max_length=10, choices=Contact.choices, blank=True)
    contact_details = models.TextField(blank=True)
    contact_confirmed_safe_on = models.DateField(null=True)
    contact_confirmed_safe_by = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=100, blank=True)
    format = models.CharField(max_length=100, blank=True)
    added_at = models.DateTimeField()
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="successor")
    replaced_at = models.DateTimeField(null=True)
    replaced_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    replaced_because = models.TextField(blank=True)

    objects = RelativeQuerySet.as_manager()

    class Meta:
        ordering = ["added_at", "id"]
        constraints = [
            pair("relative", "replaced"),
            models.UniqueConstraint(
                fields=["child", "who"],
                condition=models.Q(replaced_at=None),
                name="relative_once_a_child_and_person",
            ),
            models.CheckConstraint(
                condition=models.Q(may_be_told="") | ~models.Q(may_be_told_said_by=""),
                name="relative_may_be_told_says_who_said_so",
            ),
            models.CheckConstraint(
                condition=models.Q(contact="")
                | (
                    models.Q(contact_confirmed_safe_on__isnull=False)
                    & ~models.Q(contact_confirmed_safe_by="")
                ),
                name="relative_contact_is_confirmed_safe",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def may_hear(self) -> bool | None:
        """Whether they may be told about the child; None where somebody has to say so first.

        A court's restriction is weighed by a person each time, whatever else the record says.
        """
        if self.may_be_told == self.MayBeTold.NO:
            return False
        if self.may_be_told == self.MayBeTold.YES and not self.court_restriction.strip():
            return True
        return None


class AttendanceQuerySet(models.QuerySet["Attendance"]):
    def in_force(self) -> AttendanceQuerySet:
        return self.filter(replaced_at=None)


class Attendance(CouncilRow):
    """One person at one conference, for one agency, in one capacity, present or not.

    One that was wrong stays, and another row replaces it.
    """

    class Capacity(models.TextChoices):
        PROFESSIONAL = "professional", "Professional"
        FAMILY = "family", "Family member"
        OBSERVER = "observer", "Observer"

    conference = models.ForeignKey(Conference, on_delete=models.PROTECT, related_name="attendances")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="attendances")
    name = models.CharField(max_length=200)
    job = models.CharField(max_length=200, blank=True)
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, null=True, related_name="+")
    capacity = models.CharField(max_length=15, choices=Capacity.choices)
    present = models.BooleanField()
    email = models.EmailField(max_length=254, blank=True)
    added_at = models.DateTimeField()
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="successor")
    replaced_at = models.DateTimeField(null=True)

    objects = AttendanceQuerySet.as_manager()

    class Meta:
        ordering = ["added_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["conference", "person"],
                condition=models.Q(replaced_at=None),
                name="attendance_once_a_person",
            ),
            models.CheckConstraint(
                condition=~models.Q(capacity="professional") | models.Q(agency__isnull=False),
                name="attendance_of_a_professional_is_for_an_agency",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def works_for(self) -> str:
        return self.agency.name if self.agency else ""

"""Letters: frozen documents to one addressee, issued once."""

from __future__ import annotations

import datetime as dt

from django.db import models

from councils.models import Person
from dissent.models.base import CouncilRow, pair
from dissent.models.conference import Attendance, Child
from dissent.models.dissent import Decision, Dissent


class LetterQuerySet(models.QuerySet["Letter"]):
    def in_force(self) -> LetterQuerySet:
        return self.filter(replaced_at=None)

    def visible_to(self, person: Person, *, at: dt.datetime) -> LetterQuerySet:
        """Keep the letters released to `person`, and those of cases that they read."""
        return self.in_force().filter(
            models.Q(to=person, released_at__isnull=False, made_at__isnull=False)
            | models.Q(dissent__in=Dissent.objects.read_by(person, at=at))
        )

    def taken_back_from(self, person: Person) -> LetterQuerySet:
        """Keep the letters that `person` was given and that are not right any more: to be told so only."""
        given = models.Q(to=person, released_at__isnull=False, made_at__isnull=False)
        return self.filter(given, ended_by__isnull=False)


class Letter(CouncilRow):
    """One letter about one decision to one addressee.

    What it says is fixed in the transaction that made it due; its bytes are made once from that and
    never again. Corrected only by another letter that replaces it.
    """

    class GoesBy(models.TextChoices):
        EMAIL = "email", "By a link, sent by e-mail"
        POST = "post", "Printed, and sent by post"
        BY_HAND = "by_hand", "Printed, and given by the social worker"
        PRINTED = "printed", "Printed, and given in person"

    dissent = models.ForeignKey(Dissent, on_delete=models.PROTECT, related_name="letters")
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="letters")
    rule = models.CharField(max_length=60)
    attendance = models.ForeignKey(Attendance, on_delete=models.PROTECT, null=True, related_name="+")
    to = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="letters")
    who = models.UUIDField(null=True, help_text="For somebody of the family: who, as in Relative.")
    about = models.ManyToManyField(Child, related_name="+", help_text="For a family: of whom it speaks.")
    goes_by = models.CharField(max_length=10, choices=GoesBy.choices, blank=True)
    addressee = models.CharField(max_length=700, help_text="Name, post and agency, as in the letter.")
    says = models.JSONField(help_text="Everything the page of the letter is made from.")
    due_since = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    failure = models.CharField(max_length=300, blank=True)
    made_at = models.DateTimeField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    released_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    handed_over_at = models.DateTimeField(null=True)
    handed_over_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    handed_over_how = models.CharField(max_length=10, choices=GoesBy.choices, blank=True)
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="successor")
    replaced_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        "dissent.Correction",
        on_delete=models.PROTECT,
        null=True,
        related_name="ended",
        help_text="What was corrected, so that it is not right any more.",
    )

    objects = LetterQuerySet.as_manager()

    class Meta:
        ordering = ["addressee", "id"]
        constraints = [
            pair("letter", "handed_over"),
            models.UniqueConstraint(
                fields=["decision", "rule", "to"],
                condition=models.Q(replaced_at=None, to__isnull=False),
                name="letter_once_a_decision_and_person",
            ),
            models.UniqueConstraint(
                fields=["decision", "rule", "attendance"],
                condition=models.Q(replaced_at=None, attendance__isnull=False),
                name="letter_once_a_decision_and_attendance",
            ),
            models.UniqueConstraint(
                fields=["decision", "rule", "who"],
                condition=models.Q(replaced_at=None, who__isnull=False),
                name="letter_once_a_decision_and_relative",
            ),
            models.CheckConstraint(
                condition=models.Q(to__isnull=False)
                | models.Q(attendance__isnull=False)
                | models.Q(who__isnull=False),
                name="letter_has_an_addressee",
            ),
            models.CheckConstraint(
                condition=models.Q(who=None, goes_by="")
                | models.Q(who__isnull=False, attendance=None, goes_by="email", to__isnull=False)
                | models.Q(
                    who__isnull=False, attendance=None, to=None, goes_by__in=["post", "by_hand", "printed"]
                ),
                name="letter_to_a_relative_says_how_it_goes",
            ),
            models.CheckConstraint(
                condition=models.Q(made_at=None, sha256="")
                | models.Q(made_at__isnull=False) & ~models.Q(sha256=""),
                name="letter_made_has_its_hash",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_since"],
                condition=models.Q(made_at=None, replaced_at=None),
                name="letter_to_be_made",
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule} to {self.addressee}"

    @property
    def is_issued(self) -> bool:
        return bool(self.made_at and self.released_at and (self.to_id or self.handed_over_at))


class LetterContent(models.Model):
    """The frozen bytes, apart from the letter so that no list ever loads them."""

    letter = models.OneToOneField(Letter, on_delete=models.PROTECT, primary_key=True, related_name="content")
    pdf = models.BinaryField()

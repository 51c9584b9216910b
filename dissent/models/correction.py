"""Corrections: that something on the record was wrong, what it says now, why, and what followed from it."""

from __future__ import annotations

from django.db import models

from councils.models import Person
from dissent.models.base import CouncilRow
from dissent.models.clock import Moment
from dissent.models.conference import Attendance, Child, Conference
from dissent.models.dissent import Decision, Dissent


class CorrectionQuerySet(models.QuerySet["Correction"]):
    def of_the_record(self) -> CorrectionQuerySet:
        """Keep what was corrected on the record of a conference: a decision belongs to its case."""
        record = self.exclude(of=Correction.Of.DECISION)
        return record.select_related("child", "attendance", "corrected_by")


class Correction(CouncilRow):
    """One thing that was wrong, and the row that says it right.

    `was` and `now` are the facts that changed. A moment, an attendance and a decision are rows of their own,
    and the old one stays; a child stays the same child, so what the record said of it is kept here.
    """

    class Of(models.TextChoices):
        CHILD = "child", "What the record says of a child"
        END = "end", "The end of the conference"
        ATTENDANCE = "attendance", "Who was at the conference"
        DECISION = "decision", "What was decided about which child"

    conference = models.ForeignKey(Conference, on_delete=models.PROTECT, related_name="corrections")
    of = models.CharField(max_length=10, choices=Of.choices)
    child = models.ForeignKey(Child, on_delete=models.PROTECT, null=True, related_name="corrections")
    moment = models.ForeignKey(Moment, on_delete=models.PROTECT, null=True, related_name="+")
    attendance = models.ForeignKey(Attendance, on_delete=models.PROTECT, null=True, related_name="+")
    dissent = models.ForeignKey(Dissent, on_delete=models.PROTECT, null=True, related_name="corrections")
    decision = models.ForeignKey(
        Decision, on_delete=models.PROTECT, null=True, related_name="corrections", help_text="The new one."
    )
    was = models.JSONField(default=dict)
    now = models.JSONField(default=dict)
    because = models.TextField()
    clocks = models.JSONField(
        default=list, help_text="Whose due time moved: case, clock, from when, to when."
    )
    corrected_at = models.DateTimeField()
    corrected_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        ordering = ["corrected_at"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(because=""), name="correction_says_why"),
            models.CheckConstraint(
                condition=models.Q(of="child", child__isnull=False)
                | models.Q(of="end", moment__isnull=False)
                | models.Q(of="attendance", attendance__isnull=False)
                | models.Q(of="decision", dissent__isnull=False, decision__isnull=False),
                name="correction_names_what_is_right_now",
            ),
        ]

    def __str__(self) -> str:
        return self.get_of_display()

"""Moments, and the clocks that they start and stop."""

from __future__ import annotations

import datetime as dt

from django.db import models

from councils.models import Person
from dissent.clock import is_late
from dissent.models.base import CouncilRow
from dissent.models.conference import Conference
from dissent.models.dissent import Dissent


class Moment(CouncilRow):
    """A thing that happened: when somebody says it did, and when we were told."""

    conference = models.ForeignKey(Conference, on_delete=models.PROTECT, null=True, related_name="moments")
    dissent = models.ForeignKey(Dissent, on_delete=models.PROTECT, null=True, related_name="moments")
    name = models.CharField(max_length=40)
    stage = models.CharField(max_length=60, blank=True)
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="successor")
    replaced_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["happened_at", "recorded_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(happened_at__lte=models.F("recorded_at")),
                name="moment_never_in_the_future",
            ),
            models.CheckConstraint(
                condition=models.Q(conference__isnull=False) | models.Q(dissent__isnull=False),
                name="moment_of_something",
            ),
        ]
        indexes = [models.Index(fields=["dissent", "name"]), models.Index(fields=["conference", "name"])]

    def __str__(self) -> str:
        return self.name


class Clock(CouncilRow):
    """A limit of the pinned procedure, running for one dissent.

    `due_at` is derived from rule, start and calendar; `derivation` says how. No `due_at` means that
    the calendar is not published that far, and that nobody guesses.
    """

    dissent = models.ForeignKey(Dissent, on_delete=models.PROTECT, related_name="clocks")
    rule = models.CharField(max_length=60)
    started = models.ForeignKey(Moment, on_delete=models.PROTECT, related_name="+")
    stopped = models.ForeignKey(Moment, on_delete=models.PROTECT, null=True, related_name="+")
    due_at = models.DateTimeField(null=True)
    derivation = models.JSONField(default=dict)
    passed_at = models.DateTimeField(null=True, help_text="When what its passing brings was done.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dissent", "rule", "started"], name="clock_once_a_start")
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(stopped=None, passed_at=None),
                name="clock_running_by_due",
            ),
            models.Index(
                fields=["council"], condition=models.Q(stopped=None, due_at=None), name="clock_due_not_known"
            ),
        ]

    def __str__(self) -> str:
        return self.rule

    @property
    def is_running(self) -> bool:
        return self.stopped_id is None

    def is_late(self, at: dt.datetime) -> bool:
        """Say whether it ran out unstopped before `at`, or was stopped after it had run out."""
        if self.due_at is None:
            return False
        return is_late(self.due_at, self.stopped.happened_at if self.stopped else at)

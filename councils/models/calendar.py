"""Days on which a council does not work, beside those of its nation."""

from __future__ import annotations

import datetime as dt

from django.db import models

from councils.calendars import ClosedDay as Closed
from councils.models.council import Council


class ClosedDay(models.Model):
    """One day that a council closes, or that its nation lists and the council works after all."""

    council = models.ForeignKey(Council, on_delete=models.PROTECT, related_name="closed_days")
    on = models.DateField()
    why = models.CharField(max_length=200)
    source = models.CharField(max_length=200)
    withdrawn = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["council", "on"], name="closed_day_once_in_a_council")]
        ordering = ["on"]

    def __str__(self) -> str:
        return f"{self.on:%Y-%m-%d} {self.why}"

    def closed(self) -> Closed:
        on: dt.date = self.on
        return Closed(on=on, why=self.why, source=self.source, confirmed=True)

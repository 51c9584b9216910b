"""Papers: what was before the conference, or came out of it, as PDF files."""

from __future__ import annotations

import datetime as dt

from django.db import models

from councils.models import Agency, Person
from dissent.models.base import CouncilRow
from dissent.models.conference import Conference
from dissent.models.dissent import Dissent


class PaperQuerySet(models.QuerySet["Paper"]):
    def visible_to(self, person: Person, *, at: dt.datetime) -> PaperQuerySet:
        """Keep the papers of what `person` may open: conferences, cases they read, panels they sit on.

        A panel's are those that its rules name (ST-25), and only once they have said that they are
        independent: who has a conflict must not read first.
        """
        of_conferences = Conference.objects.visible_to(person, at=at)
        of_cases = Dissent.objects.read_by(person, at=at)
        visible = models.Q(conference__in=of_conferences.values("pk")) | models.Q(
            conference__in=of_cases.values("conference")
        )
        for dissent in Dissent.objects.heard_by(person, declared=True).select_related("procedure"):
            panel = dissent.rules.stage(dissent.stage).panel
            if panel:
                visible |= models.Q(conference=dissent.conference_id, kind__in=panel.papers)
        return self.filter(visible)


class Paper(CouncilRow):
    """A PDF file that was before the conference or came out of it."""

    class Kind(models.TextChoices):
        MINUTES = "minutes", "Minutes of the conference"
        AGENCY_REPORT = "agency_report", "An agency's report"
        SUMMARY = "summary", "The chair's summary"

    conference = models.ForeignKey(Conference, on_delete=models.PROTECT, related_name="papers")
    kind = models.CharField(max_length=15, choices=Kind.choices)
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, null=True, related_name="+")
    file_name = models.CharField(max_length=255)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    attached_at = models.DateTimeField()
    attached_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    objects = PaperQuerySet.as_manager()

    class Meta:
        ordering = ["attached_at", "id"]

    def __str__(self) -> str:
        return self.get_kind_display()


class PaperContent(models.Model):
    """The bytes of a paper, apart from it so that no list ever loads them."""

    paper = models.OneToOneField(Paper, on_delete=models.PROTECT, primary_key=True, related_name="content")
    data = models.BinaryField()

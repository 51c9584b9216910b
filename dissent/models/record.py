"""What goes onto a child's record: one file for each child of a dissent, kept as it was made."""

from __future__ import annotations

import datetime as dt

from django.apps import apps
from django.db import models

from councils.models import Person
from dissent.models.base import CouncilRow, pair
from dissent.models.conference import Child


class RecordPackQuerySet(models.QuerySet["RecordPack"]):
    def in_force(self) -> RecordPackQuerySet:
        return self.filter(replaced_at=None)

    def visible_to(self, person: Person, *, at: dt.datetime) -> RecordPackQuerySet:
        """Keep the packs of cases that `person` reads, or whose record they upload; also those replaced."""
        cases = apps.get_model("dissent", "Dissent").objects
        read, goes_up = cases.read_by(person, at=at), cases.goes_up_by(person, at=at)
        return self.filter(models.Q(dissent__in=read) | models.Q(dissent__in=goes_up))


class RecordPack(CouncilRow):
    """The record of one dissent for one child: form, steps, decision, letters and chronology.

    Made once and never again; where the case says more by now, another replaces it.
    """

    dissent = models.ForeignKey("dissent.Dissent", on_delete=models.PROTECT, related_name="record_packs")
    child = models.ForeignKey(Child, on_delete=models.PROTECT, related_name="+")
    says = models.JSONField(help_text="Everything the file is made from.")
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    manifest_sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    replaced_at = models.DateTimeField(null=True)
    overtaken_at = models.DateTimeField(null=True, help_text="When something that it says was corrected.")
    uploaded_on = models.DateField(null=True, help_text="The day on which it went onto the child's record.")
    upload_said_at = models.DateTimeField(null=True)
    upload_said_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")

    objects = RecordPackQuerySet.as_manager()

    class Meta:
        ordering = ["made_at", "id"]
        constraints = [
            pair("record_pack", "upload_said"),
            models.UniqueConstraint(
                fields=["dissent", "child"],
                condition=models.Q(replaced_at=None),
                name="record_pack_once_a_child",
            ),
            models.CheckConstraint(
                condition=models.Q(uploaded_on=None, upload_said_at=None)
                | models.Q(uploaded_on__isnull=False, upload_said_at__isnull=False),
                name="record_pack_uploaded_says_who",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def file_name(self) -> str:
        """What the file is called: by reference and number of the record, and by nobody's name."""
        return str(self.says["file_name"])


class RecordPackContent(models.Model):
    """The frozen bytes, apart from the pack so that no list ever loads them."""

    pack = models.OneToOneField(
        RecordPack, on_delete=models.PROTECT, primary_key=True, related_name="content"
    )
    pdf = models.BinaryField()
    manifest = models.BinaryField()

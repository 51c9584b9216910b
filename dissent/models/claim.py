"""What a dissenter says where no record of their conference was found, and what became of it."""

from django.db import models

from councils.models import Agency, Person
from dissent.models.base import CouncilRow, pair
from dissent.models.dissent import Dissent


class Claim(CouncilRow):
    """Who the dissenter says they are, and which conference they say it was; then who said what to it.

    Nothing in it is the record's: the conference, the attendance and the children of the dissent are.
    """

    dissent = models.OneToOneField(Dissent, on_delete=models.PROTECT, related_name="claim")
    name = models.CharField(max_length=200)
    job = models.CharField(max_length=200)
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, null=True, related_name="+")
    agency_name = models.CharField(max_length=200, blank=True, help_text="Where the list has it not.")
    ended_at = models.DateTimeField()
    which = models.TextField(help_text="The family and the children, in the dissenter's words.")
    chair_name = models.CharField(max_length=200, blank=True)
    matched_at = models.DateTimeField(null=True)
    matched_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    stated_at = models.DateTimeField(null=True)
    stated_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    raised_there = models.BooleanField(null=True, help_text="What the chair said.")
    statement = models.TextField(blank=True)
    heard_at = models.DateTimeField(null=True)
    heard = models.TextField(blank=True, help_text="What the dissenter said to whoever decides.")
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    reasons = models.TextField(blank=True)

    class Meta:
        constraints = [
            pair("claim", "matched"),
            pair("claim", "stated"),
            pair("claim", "settled"),
            models.CheckConstraint(
                condition=~models.Q(raised_there=None) | models.Q(stated_at=None),
                name="claim_stated_says_what",
            ),
            models.CheckConstraint(
                condition=~models.Q(raised_there=False) | ~models.Q(statement=""),
                name="claim_denied_says_why",
            ),
            models.CheckConstraint(
                condition=models.Q(settled_at=None)
                | models.Q(heard_at__isnull=False) & ~models.Q(heard="") & ~models.Q(reasons=""),
                name="claim_settled_after_hearing",
            ),
            models.CheckConstraint(
                condition=models.Q(agency__isnull=False) | ~models.Q(agency_name=""),
                name="claim_names_an_agency",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def works_for(self) -> str:
        return self.agency.name if self.agency else self.agency_name

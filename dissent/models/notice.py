"""Notices: messages that say only a reference and a link. The table is the outbox."""

from __future__ import annotations

from django.db import models

from councils.models import Person
from dissent.models.base import CouncilRow
from dissent.models.dissent import Dissent
from dissent.models.letter import Letter


class Notice(CouncilRow):
    """One message to one person, due from the transaction that made it."""

    to = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="notices")
    occasion = models.CharField(max_length=60)
    once = models.CharField(
        max_length=160, unique=True, help_text="What may be said to this person only once."
    )
    reference = models.CharField(max_length=20)
    path = models.CharField(max_length=200)
    dissent = models.ForeignKey(Dissent, on_delete=models.PROTECT, null=True, related_name="notices")
    letter = models.ForeignKey(Letter, on_delete=models.PROTECT, null=True, related_name="notices")
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(sent_at=None, failed_at=None), name="notice_to_be_sent"
            )
        ]

    def __str__(self) -> str:
        return f"{self.occasion} {self.reference}"

    def message_id(self, host: str) -> str:
        """Return the Message-ID that every attempt to send this notice carries."""
        return f"<{self.pk}@{host}>"

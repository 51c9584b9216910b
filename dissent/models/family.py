"""What a family is told: who may hear of which child, who is held back, and that each child was told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models

from councils.models import Person
from dissent.models.base import CouncilRow, pair
from dissent.models.conference import Child, Relative

if TYPE_CHECKING:
    from dissent.models.dissent import Decision, Dissent


class MayHear(CouncilRow):
    """What was answered, for one stage of one dissent, about telling one person of one child.

    Asked where the record of the conference leaves it open, says to ask first, or names a court.
    """

    dissent = models.ForeignKey("dissent.Dissent", on_delete=models.PROTECT, related_name="may_hear")
    stage = models.CharField(max_length=60)
    who = models.UUIDField()
    child = models.ForeignKey(Child, on_delete=models.PROTECT, related_name="+")
    may = models.BooleanField()
    said_by = models.CharField(max_length=200)
    why = models.TextField()
    answered_at = models.DateTimeField()
    answered_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["answered_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["dissent", "stage", "who", "child"], name="may_hear_once_a_stage_person_and_child"
            ),
            models.CheckConstraint(
                condition=~models.Q(said_by="") & ~models.Q(why=""), name="may_hear_says_who_said_so_and_why"
            ),
        ]


class HeldBack(CouncilRow):
    """That nothing goes to one person about a dissent, and why, until it is lifted."""

    class Kind(models.TextChoices):
        POLICE = "police", "The police asked for it"
        COURT = "court", "A court, or a case before one"
        RISK = "risk", "A risk to somebody"

    dissent = models.ForeignKey("dissent.Dissent", on_delete=models.PROTECT, related_name="held_back")
    who = models.UUIDField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    why = models.TextField()
    held_at = models.DateTimeField()
    held_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    lifted_because = models.TextField(blank=True)

    class Meta:
        ordering = ["held_at"]
        constraints = [
            pair("held_back", "lifted"),
            models.UniqueConstraint(
                fields=["dissent", "who"],
                condition=models.Q(lifted_at=None),
                name="held_back_once_a_person",
            ),
            models.CheckConstraint(condition=~models.Q(why=""), name="held_back_says_why"),
        ]


class ChildTold(CouncilRow):
    """That a child was told what was decided, by whom; or was not, and why."""

    class WhyNot(models.TextChoices):
        AGE = "age", "The child is too young to understand it"
        RISK = "risk", "Telling the child would put somebody at risk"

    dissent = models.ForeignKey("dissent.Dissent", on_delete=models.PROTECT, related_name="children_told")
    decision = models.ForeignKey("dissent.Decision", on_delete=models.PROTECT, related_name="children_told")
    child = models.ForeignKey(Child, on_delete=models.PROTECT, related_name="+")
    told_on = models.DateField(null=True)
    told_by = models.CharField(max_length=200, blank=True)
    why_not = models.CharField(max_length=10, choices=WhyNot.choices, blank=True)
    words = models.TextField(blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["decision", "child"], name="child_told_once_a_decision"),
            models.CheckConstraint(
                condition=models.Q(told_on__isnull=False, why_not="") & ~models.Q(told_by="")
                | models.Q(told_on=None, told_by="") & ~models.Q(why_not="") & ~models.Q(words=""),
                name="child_was_told_or_it_says_why_not",
            ),
        ]


@dataclass(frozen=True)
class FamilyReader:
    """One person who matters to children of a decision, and of which of them they may hear."""

    rows: tuple[Relative, ...]
    """What the record says of them, one row for each of these children, in the order of the children."""
    hears_of: tuple[Child, ...]
    unanswered: tuple[Relative, ...]
    held: HeldBack | None

    @property
    def who(self) -> UUID:
        return self.rows[0].who

    @property
    def name(self) -> str:
        return self.rows[0].name

    @property
    def has_a_letter(self) -> bool:
        """One letter, about everything that is theirs: it waits until each question is answered."""
        return bool(self.hears_of) and not self.unanswered


def readers_of(dissent: Dissent, decision: Decision) -> list[FamilyReader]:
    """Return everybody who matters to a child of the decision. Who may hear is asked for each child.

    Asks least where `decisions__findings__child`, `may_hear` and `held_back` came with the dissent.
    """
    children = {finding.child_id: finding.child for finding in decision.findings.all()}
    rows: dict[UUID, list[Relative]] = {}
    found = Relative.objects.in_force().filter(child__in=children).select_related("child")
    for row in sorted(found, key=lambda row: (row.child.added_at, row.child_id, row.added_at, row.pk)):
        rows.setdefault(row.who, []).append(row)
    answers = {
        (answer.who, answer.child_id): answer.may
        for answer in dissent.may_hear.all()
        if answer.stage == decision.stage
    }
    held = {each.who: each for each in dissent.held_back.all() if each.lifted_at is None}
    return [_reader(of_one, answers, held.get(who)) for who, of_one in rows.items()]


def _reader(
    rows: Iterable[Relative], answers: dict[tuple[UUID, UUID], bool], held: HeldBack | None
) -> FamilyReader:
    hears_of, unanswered = [], []
    for row in rows:
        may = row.may_hear
        if may is None:
            may = answers.get((row.who, row.child_id))
        if may is None:
            unanswered.append(row)
        elif may:
            hears_of.append(row.child)
    return FamilyReader(tuple(rows), tuple(hears_of), tuple(unanswered), held)

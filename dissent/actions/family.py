"""What is done about a family: who may hear, who is held back, and that each child was told."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from councils.models import Person
from dissent import family_letters
from dissent.actions.core import Refused, close_if_nothing_is_owed, hold, note
from dissent.models import Child, ChildTold, Decision, Dissent, FamilyReader, HeldBack, MayHear, readers_of


@transaction.atomic
def answer_for_family(
    *,
    dissent: Dissent,
    who: UUID,
    child: Child,
    may: bool,
    said_by: str,
    why: str,
    by: Person,
    at: dt.datetime,
) -> MayHear:
    """Say whether somebody may be told about a child, where the record leaves it open; their letter follows.

    Raises PermissionDenied, TransitionNotAllowed, and Refused where nothing is open, or it is not said
    who said so and why.
    """
    held = hold(dissent, verb="answer_for_family", by=by, at=at)
    decision, reader = _reader(held, who)
    if child.pk not in {row.child_id for row in reader.unanswered}:
        raise Refused("It is known already whether they may be told about this child.")
    if not said_by.strip():
        raise Refused("Say who said so.", field="said_by")
    if not why.strip():
        raise Refused("Say why.", field="why")
    answer = MayHear.objects.create(
        council_id=held.council_id,
        dissent=held,
        stage=decision.stage,
        who=who,
        child=child,
        may=may,
        said_by=said_by.strip(),
        why=why.strip(),
        answered_at=at,
        answered_by=by,
    )
    values = {"who": who, "child": child.pk, "may": may, "said_by": answer.said_by, "why": answer.why}
    note(verb="answer_for_family", dissent=held, about=answer, by=by, at=at, values=values)
    because = "It was answered whether this person may be told."
    family_letters.bring_up_to_date(held, decision, because=because, by=by, at=at)
    close_if_nothing_is_owed(held, at=at)
    return answer


@transaction.atomic
def hold_back(*, dissent: Dissent, who: UUID, kind: str, why: str, by: Person, at: dt.datetime) -> HeldBack:
    """Hold somebody of the family back: nothing about this dissent goes to them until it is lifted.

    Raises PermissionDenied, TransitionNotAllowed, and Refused without a reason or once it has gone out.
    """
    held = hold(dissent, verb="hold_back", by=by, at=at)
    decision, reader = _reader(held, who)
    if reader.held:
        raise Refused("They are held back already.")
    if any(letter.is_issued for letter in held.letters.in_force().filter(who=who, decision=decision)):
        raise Refused("Their letter has gone out already, so it is too late to hold it back.")
    if kind not in HeldBack.Kind.values:
        raise Refused("Choose why they are held back.", field="kind")
    if not why.strip():
        raise Refused("Say in your own words why they are held back.", field="why")
    back = HeldBack.objects.create(
        council_id=held.council_id,
        dissent=held,
        who=who,
        kind=kind,
        why=why.strip(),
        held_at=at,
        held_by=by,
    )
    note(
        verb="hold_back",
        dissent=held,
        about=back,
        by=by,
        at=at,
        values={"who": who, "kind": kind, "why": back.why},
    )
    close_if_nothing_is_owed(held, at=at)
    return back


@transaction.atomic
def let_go(*, dissent: Dissent, who: UUID, because: str, by: Person, at: dt.datetime) -> HeldBack:
    """Lift what holds somebody of the family back; their letter can be released, also in a closed case.

    Raises PermissionDenied, TransitionNotAllowed, and Refused where they are not, or without a reason.
    """
    held = hold(dissent, verb="hold_back", by=by, at=at)
    back = held.held_back.select_for_update(of=("self",)).filter(who=who, lifted_at=None).first()
    if back is None:
        raise Refused("They are not held back.")
    if not because.strip():
        raise Refused("Say why they can be told now.", field="because")
    back.lifted_at, back.lifted_by, back.lifted_because = at, by, because.strip()
    back.save(update_fields=["lifted_at", "lifted_by", "lifted_because"])
    note(
        verb="let_go",
        dissent=held,
        about=back,
        by=by,
        at=at,
        values={"who": who, "because": back.lifted_because},
    )
    return back


@transaction.atomic
def record_telling(
    *,
    dissent: Dissent,
    child: Child,
    told_on: dt.date | None = None,
    told_by: str = "",
    why_not: str = "",
    words: str = "",
    by: Person,
    at: dt.datetime,
) -> ChildTold:
    """Record that a child was told what was decided, on which day and by whom; or was not, and why.

    Raises PermissionDenied, TransitionNotAllowed, and Refused where nothing is owed to this child, or it does
    not say one of the two.
    """
    held = hold(dissent, verb="record_telling", by=by, at=at)
    owed = (
        decision
        for decision in held.told_to_families()
        if child.pk in {each.pk for each in held.children_to_be_told(decision)}
    )
    decision = next(owed, None)
    if decision is None:
        raise Refused("For this child it is recorded already, or nothing is to be recorded.")
    told_by, words = told_by.strip(), words.strip()
    if why_not:
        if why_not not in ChildTold.WhyNot.values:
            raise Refused("Choose why the child was not told.", field="why_not")
        if not words:
            raise Refused("Say in your own words why the child was not told.", field="words")
        told_on, told_by = None, ""
    else:
        if told_on is None:
            raise Refused("Say on which day the child was told.", field="told_on")
        if told_on > timezone.localdate(at):
            raise Refused(
                "This day has not come yet. Give the day on which the child was told.", field="told_on"
            )
        if told_on < timezone.localdate(decision.decided_at):
            raise Refused("A child cannot have been told before it was decided.", field="told_on")
        if not told_by:
            raise Refused("Give the name of whoever told the child.", field="told_by")
    telling = ChildTold.objects.create(
        council_id=held.council_id,
        dissent=held,
        decision=decision,
        child=child,
        told_on=told_on,
        told_by=told_by,
        why_not=why_not,
        words=words,
        recorded_at=at,
        recorded_by=by,
    )
    values = {"child": child.pk, "told_on": told_on, "told_by": told_by, "why_not": why_not, "words": words}
    note(verb="record_telling", dissent=held, about=telling, by=by, at=at, values=values)
    close_if_nothing_is_owed(held, at=at)
    return telling


def _reader(dissent: Dissent, who: UUID) -> tuple[Decision, FamilyReader]:
    """Return somebody of the family with the decision that they hear of, the latest first."""
    for decision in reversed(dissent.told_to_families()):
        for reader in readers_of(dissent, decision):
            if reader.who == who:
                return decision, reader
    raise Refused("Nobody on the record of the conference is meant by this.")

"""What is done to letters: their bytes made once, released by a second person, handed over."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging

from django.db import models, transaction

from councils.models import Person
from dissent import family_letters, letters, notices
from dissent.actions.core import Refused, hold, letters_are_out, lock, note
from dissent.models import Dissent, Letter, LetterContent
from dissent.pdf import Document, PdfFailed, render_many

log = logging.getLogger(__name__)

AT_ONCE = 5
LEASE = dt.timedelta(minutes=5)
"""Longer than the engine may take for so many letters."""
WAIT_AFTER_FAILURE = dt.timedelta(minutes=5)


class SecondPersonNeeded(Refused):
    """Whoever decided cannot release the letters about it."""


def make_bytes(*, at: dt.datetime, most: int = 50) -> int:
    """Make the PDF of letters that are due and have none. Returns how many were made.

    The bytes, their hash and the notice of a letter already released come in one transaction. A letter that
    cannot be made says why, is tried again, and never stops the others.
    """
    made = tried = 0
    while tried < most and (claimed := _claim(at=at, most=min(AT_ONCE, most - tried))):
        tried += len(claimed)
        for letter, pdf in zip(claimed, render_many([_document(one) for one in claimed]), strict=True):
            if isinstance(pdf, PdfFailed):
                _failed(letter, pdf, at=at)
                continue
            try:
                _freeze(letter, pdf, at=at)
            except Exception:
                log.exception("letter not kept", extra={"letter": str(letter.pk)})
            else:
                made += 1
    return made


def release_letters(*, dissent: Dissent, by: Person, at: dt.datetime) -> list[Letter]:
    """Release the letters of the decision, whose bytes were seen beforehand; returns those released.

    A letter to somebody who is held back stays. A letter to a family that the record does not bear any more
    is written anew, and nothing is released.

    Raises PermissionDenied, TransitionNotAllowed, SecondPersonNeeded where `by` decided, and Refused
    where one is not made yet, or was written anew.
    """
    with transaction.atomic():
        held = hold(dissent, verb="release", by=by, at=at)
        decision = held.decision_in_force()
        because = "The record of the conference says something else now."
        if decision is None or not family_letters.bring_up_to_date(
            held, decision, because=because, by=by, at=at
        ):
            return _released(held, by=by, at=at)
        note(verb="write_family_letters_anew", dissent=held, by=by, at=at)
    raise Refused("What the record says of a family has changed, and letters are made anew. Read them again.")


def _released(held: Dissent, *, by: Person, at: dt.datetime) -> list[Letter]:
    """Release what waits, about earlier stages too: a correction may make such a letter due again."""
    back = held.held_back.filter(lifted_at=None).values("who")
    waiting = list(
        held.letters.in_force()
        .select_for_update(of=("self",))
        .select_related("to", "dissent", "decision")
        .filter(released_at=None, decision__replaced_at=None)
        .exclude(who__isnull=False, who__in=back)
    )
    if not waiting:
        raise Refused("These letters are released already.")
    if any(letter.decision.decided_by_id == by.pk for letter in waiting):
        raise SecondPersonNeeded("You recorded this decision, so somebody else has to release its letters.")
    if unmade := sum(letter.made_at is None for letter in waiting):
        raise Refused(f"{unmade} letters are still being made. Try again in a minute.")
    for letter in waiting:
        letter.released_at, letter.released_by = at, by
        if letter.to_id:
            notices.send_letter(letter, at=at)
    Letter.objects.bulk_update(waiting, ["released_at", "released_by"])
    note(
        verb="release_letters",
        dissent=held,
        by=by,
        at=at,
        values={str(letter.pk): letter.sha256 for letter in waiting},
    )
    for stage in dict.fromkeys(letter.decision.stage for letter in waiting):
        letters_are_out(lock(held.pk), stage, by=by, at=at)
    return waiting


@transaction.atomic
def hand_over(*, letter: Letter, how: str = "", by: Person, at: dt.datetime) -> Letter:
    """Record that a printed letter was given to an addressee who has no e-mail address.

    `how` is said of a letter to a family. Raises PermissionDenied, TransitionNotAllowed, and Refused where it
    is not released, goes by link, is not the family's any more, or is held back.
    """
    dissent = hold(letter.dissent, verb="hand_over", by=by, at=at)
    held = Letter.objects.select_for_update(of=("self",)).select_related("decision").get(pk=letter.pk)
    if held.released_at is None or held.replaced_at is not None or held.to_id or held.handed_over_at:
        raise Refused("This letter is not waiting to be handed over.")
    if held.who:
        _may_be_given(held, dissent, how, at=at)
    held.handed_over_at, held.handed_over_by, held.handed_over_how = at, by, how if held.who else ""
    held.save(update_fields=["handed_over_at", "handed_over_by", "handed_over_how"])
    note(verb="hand_over_letter", dissent=dissent, about=held, by=by, at=at, values={"how": how})
    letters_are_out(dissent, held.decision.stage, by=by, at=at)
    return held


def _may_be_given(letter: Letter, dissent: Dissent, how: str, *, at: dt.datetime) -> None:
    if dissent.held_back.filter(who=letter.who, lifted_at=None).exists():
        raise Refused("This person is held back. Do not give them the letter.")
    if not family_letters.is_up_to_date(dissent, letter, at=at):
        raise Refused("The record says something else now. Do not give this letter to anybody.")
    if how not in {Letter.GoesBy.POST, Letter.GoesBy.BY_HAND, Letter.GoesBy.PRINTED}:
        raise Refused("Say how it was given to them.", field="how")
    if how == Letter.GoesBy.POST and letter.goes_by != Letter.GoesBy.POST:
        raise Refused("No postal address is known to be safe for them, so it cannot go by post.", field="how")


def _claim(*, at: dt.datetime, most: int) -> list[Letter]:
    """Take letters without bytes, so that no other maker takes them while the lease lasts.

    The oldest, and others about the same decision: they say the same, so none can do harm to another where
    they are made.
    """
    due = (
        Letter.objects.filter(made_at=None, replaced_at=None)
        .filter(models.Q(lease_until=None) | models.Q(lease_until__lte=at))
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("due_since", "id")
    )
    with transaction.atomic():
        oldest = due.first()
        if oldest is None:
            return []
        claimed = list(due.filter(decision=oldest.decision_id)[:most])
        for letter in claimed:
            letter.lease_until = at + LEASE
            letter.attempts += 1
        Letter.objects.bulk_update(claimed, ["lease_until", "attempts"])
    return claimed


def _document(letter: Letter) -> Document:
    says = letter.says
    return Document(letters.page(letter), f"{says['heading']} ({says['reference']})", says["lang"])


def _failed(letter: Letter, failure: PdfFailed, *, at: dt.datetime) -> None:
    """Keep why, and try again later."""
    Letter.objects.filter(pk=letter.pk).update(
        lease_until=at + WAIT_AFTER_FAILURE, failure=str(failure)[:300]
    )
    log.error("letter not made", extra={"letter": str(letter.pk)})


@transaction.atomic
def _freeze(letter: Letter, pdf: bytes, *, at: dt.datetime) -> None:
    dissent = lock(letter.dissent_id)
    held = (
        Letter.objects.select_for_update(of=("self",))
        .select_related("dissent", "decision", "to")
        .get(pk=letter.pk)
    )
    if held.made_at or held.replaced_at:
        return
    LetterContent.objects.create(letter=held, pdf=pdf)
    held.made_at, held.sha256, held.lease_until, held.failure = at, hashlib.sha256(pdf).hexdigest(), None, ""
    held.save(update_fields=["made_at", "sha256", "lease_until", "failure"])
    note(verb="make_letter", dissent=dissent, about=held, by=None, at=at, values={"sha256": held.sha256})
    if held.released_at:
        if held.to_id:
            notices.send_letter(held, at=at)
        letters_are_out(dissent, held.decision.stage, by=None, at=at)

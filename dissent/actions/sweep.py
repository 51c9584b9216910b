"""What time itself brings: clocks that ran out."""

from __future__ import annotations

import datetime as dt
import logging

from django.db import transaction
from django_fsm import TransitionNotAllowed

from dissent import notices
from dissent.actions import clocks
from dissent.actions.core import lock, note
from dissent.actions.review import end_offer, refuse_resolution
from dissent.actions.unmatched import leave_unconfirmed
from dissent.models import Clock

log = logging.getLogger(__name__)


def pass_clocks(*, at: dt.datetime) -> int:
    """Do what the passing of each clock that ran out before `at` brings. Returns how many passed.

    Each in its own transaction, in the order in which they ran out; one that fails is logged, tried again
    at the next sweep, and stops none of the others.
    """
    due = Clock.objects.filter(stopped=None, passed_at=None, due_at__lt=at).order_by("due_at")
    passed = 0
    for pk in list(due.values_list("pk", flat=True)):
        try:
            passed += _pass(pk, at=at)
        except Exception:
            log.exception("clock not passed", extra={"clock": str(pk)})
    clocks.work_out_what_was_not_known(at=at)
    return passed


@transaction.atomic
def _pass(pk: object, *, at: dt.datetime) -> bool:
    found = Clock.objects.filter(pk=pk).values_list("dissent", flat=True).get()
    dissent = lock(found)
    clock = Clock.objects.select_for_update(of=("self",)).get(pk=pk)
    if clock.stopped_id or clock.passed_at or clock.due_at is None or clock.due_at >= at:
        return False
    clock.passed_at = at
    clock.save(update_fields=["passed_at"])
    rule = dissent.rules.clock(clock.rule)
    note(
        verb="clock_passed",
        dissent=dissent,
        about=clock,
        by=None,
        at=at,
        happened_at=clock.due_at,
        values={"rule": clock.rule},
    )
    if rule is None or rule.on_passing is None:
        return True
    notices.tell(dissent, rule.on_passing.tell, occasion="clock_passed", once=f"passed-{clock.pk}", at=at)
    try:
        match rule.on_passing.then:
            case "doubt":
                leave_unconfirmed(dissent=dissent, at=at)
            case "refuse_resolution":
                refuse_resolution(dissent=dissent, words="", by=None, at=at)
            case "end_offer":
                end_offer(dissent=dissent, at=at)
    except TransitionNotAllowed:
        log.info("the case had moved on before its clock passed", extra={"clock": str(clock.pk)})
    return True
